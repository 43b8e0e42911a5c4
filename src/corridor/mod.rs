//! Which regions should exist: from what sails and what is booked to a list of actions.
//!
//! Owns the plan and its memory, nothing else: it starts no process and reads no clock. The harbour hands
//! it a [`Snapshot`] several times a second and carries out the [`Action`]s.
//!
//! A region's life, as the plan sees it:
//!
//! ```text
//!            Start                ready                 a vessel comes
//!   (none) ────────▶ Booting ───────────────▶ Ready ───────────────────▶ Live
//!                       │ Stop                  │ Drain   ◀─────────────────┘
//!                       ▼                       ▼          the last one left
//!                    (ended) ◀──────────────  Draining
//! ```
//!
//! The unit that needs a region is the group, because a group has one owner: the region of its leader's
//! place. A region is started when the leader will be in its cell within the lead time, kept while a vessel
//! is in it, near it, or on its way to it, and drained when it was not needed for a while. There are never
//! more than two regions per group and one more. A vessel never waits for a region: its owner sails it on
//! past the border, and the region that is missing under it comes before every other.

mod path;
mod plan;

use glam::DVec2;

use crate::atlas::{Cell, Mark};
use crate::units::{RegionId, Tick, VesselId};

pub use plan::Corridor;

/// Where a region is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Phase {
    /// Started, not yet able to take a vessel.
    Booting,
    /// Standing by: able to take a vessel, owning none.
    Ready,
    /// Owning at least one vessel.
    Live,
    /// Told to hand everything across and stop.
    Draining,
}

/// A region that has not ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RegionView {
    /// Its number.
    pub id: RegionId,
    /// The cell that it sails.
    pub cell: Cell,
    /// Where it is in its life.
    pub phase: Phase,
}

/// A vessel under way, as last reported.
#[derive(Clone, Debug, PartialEq)]
pub struct VesselView {
    /// Its number.
    pub id: VesselId,
    /// The lowest number of its group.
    pub group: VesselId,
    /// The tick of the place and velocity below.
    pub tick: Tick,
    /// Where it was, course frame, metres.
    pub place: DVec2,
    /// How it moved over the ground, m/s.
    pub velocity_mps: DVec2,
    /// The region that owns it.
    pub owner: RegionId,
    /// The marks that it has not passed, in order.
    pub marks_ahead: Vec<Mark>,
}

/// A vessel that will be put into the water.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Booking {
    /// Where, course frame, metres.
    pub place: DVec2,
    /// When.
    pub at: Tick,
}

/// Everything that a plan is made from.
#[derive(Clone, Debug, PartialEq)]
pub struct Snapshot {
    /// Course time.
    pub now: Tick,
    /// Side of a cell, metres.
    pub cell_m: f64,
    /// Course time that a region must be started ahead, seconds: what it needs to boot and to be
    /// introduced, times the warp, and the time for which it is streamed its vessels as shadows.
    pub lead_s: f64,
    /// Regions that have not ended, in order of their numbers.
    pub regions: Vec<RegionView>,
    /// Vessels under way, in order of their numbers.
    pub vessels: Vec<VesselView>,
    /// Vessels that wait for their start.
    pub bookings: Vec<Booking>,
    /// Cells in which no region may be started now, because the last one failed there.
    pub blocked: Vec<Cell>,
}

/// What the harbour shall do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// Start a region for a cell.
    Start {
        /// The cell.
        cell: Cell,
    },
    /// Tell a region who its neighbours are from now on.
    Introduce {
        /// Whom to tell.
        region: RegionId,
        /// Its neighbours, in order of their numbers; none of them is booting or draining.
        neighbours: Vec<RegionId>,
    },
    /// Tell a region to hand everything across and stop.
    Drain {
        /// Which.
        region: RegionId,
    },
    /// End a region that is still booting and that nobody needs any more.
    Stop {
        /// Which.
        region: RegionId,
    },
}

/// The most regions that may exist, not yet ended, for so many groups: the one that a group is in, the next
/// one, and one that is on its way out.
#[must_use]
pub const fn regions_max(groups: usize) -> usize {
    2 * groups + 1
}
