//! What a vessel is at one tick: all that its next tick depends on, and all that its hash covers.

use glam::{DQuat, DVec3};
use serde::{Deserialize, Serialize};

/// Where a person holds the controls; absolute, so that a repeated or lost order does no harm.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Helm {
    /// Rudder angle, radians; positive turns the bow to starboard. Limited by the boat.
    pub rudder_rad: f64,
    /// Sheets, 0 (let fly) to 1 (hauled in); the sail's angle follows with the boat's winches.
    pub sheet: f64,
    /// Share of the sail's height that is set, 0 (bare poles) to 1 (full sail).
    pub reef: f64,
    /// Fullness of the sails, 0.5 (flat) to 1 (full).
    pub flat: f64,
    /// Whether the spinnaker or gennaker is wanted instead of the jib.
    pub spinnaker: bool,
    /// Engine, −1 (full astern) to 1 (full ahead).
    pub throttle: f64,
}

impl Default for Helm {
    fn default() -> Self {
        Self { rudder_rad: 0.0, sheet: 0.0, reef: 1.0, flat: 1.0, spinnaker: false, throttle: 0.0 }
    }
}

/// One order of the crew, as it is applied at a tick and written to the input log.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Input {
    /// The crew session that sent it.
    pub session: u32,
    /// Its number in that session; only a higher one than the last is applied.
    pub seq: u32,
    /// The controls.
    pub helm: Helm,
}

/// A vessel at one tick, in the course frame.
///
/// Body axes: x forward, y to port, z up, origin at the centre of gravity.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct VesselState {
    /// Centre of gravity, metres east, north, up of the anchor at mean sea level datum.
    pub position_m: DVec3,
    /// Rotation from body to course axes.
    pub attitude: DQuat,
    /// Velocity of the centre of gravity, course axes, m/s.
    pub velocity_mps: DVec3,
    /// Rate of turn, course axes, rad/s.
    pub spin_radps: DVec3,
    /// The controls as last ordered.
    pub helm: Helm,
    /// Rudder, sheet, reef, flat and throttle as they are now: they follow the orders at the boat's pace.
    pub gear: Gear,
    /// The crew session of the last order applied.
    pub session: u32,
    /// The number of the last order applied.
    pub seq: u32,
}

/// Moving parts with a pace of their own.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Gear {
    /// Rudder angle, radians.
    pub rudder_rad: f64,
    /// Sheets, 0 to 1.
    pub sheet: f64,
    /// Share of sail set, 0 to 1.
    pub reef: f64,
    /// Fullness, 0.5 to 1.
    pub flat: f64,
    /// Spinnaker hoisted, 0 to 1.
    pub spinnaker: f64,
    /// Engine, −1 to 1.
    pub throttle: f64,
    /// Where the crew's weight is, −1 (starboard rail) to 1 (port rail).
    pub crew: f64,
}
