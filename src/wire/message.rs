//! Every message that Fairway's processes send each other.

use glam::{DQuat, DVec2, DVec3};
use serde::{Deserialize, Serialize};
use std::net::SocketAddr;

use crate::atlas::{Area, Mark, Species};
use crate::creatures::{Animal, AnimalId, Doing};
use crate::events::Event;
use crate::sim::{Instruments, Sim, Vessel};
use crate::units::{RegionId, Tick, VesselId};
use crate::vessel::{BoatSpec, Helm, Input, Wake};

/// Who may publish a vessel: the pair only grows, and everyone rejects a lower one.
///
/// The harbour alone raises the term; a commit alone raises the hop.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Epoch {
    /// Raised by the harbour when an owner died.
    pub term: u32,
    /// Raised by each handoff.
    pub hop: u32,
}

impl Epoch {
    /// The epoch under which the harbour has somebody sail on.
    #[must_use]
    pub const fn next_term(self) -> Self {
        Self { term: self.term + 1, hop: 0 }
    }

    /// The epoch after one more handoff.
    #[must_use]
    pub const fn next_hop(self) -> Self {
        Self { term: self.term, hop: self.hop + 1 }
    }
}

/// One vessel, complete: what a region needs to sail it from here.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct VesselRecord {
    /// The vessel, with its state after `tick`.
    pub vessel: Vessel,
    /// The tick of that state.
    pub tick: Tick,
    /// Its owner's epoch.
    pub epoch: Epoch,
    /// Hash of the key of the crew that may steer it.
    pub crew_key: [u8; 32],
    /// How many crew sessions it has had; the next one gets the next number.
    pub sessions: u32,
    /// The region that keeps its shadow, if any.
    pub guard: Option<RegionId>,
}

/// What one vessel was given before one tick: with its state, all that decides how it sails.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AppliedInput {
    /// Which vessel.
    pub vessel: VesselId,
    /// The tick whose state is the first to feel it.
    pub tick: Tick,
    /// What it was given.
    pub given: Given,
}

/// An input of a vessel.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Given {
    /// An order of its crew.
    Order(Input),
    /// Whose wakes act on it, while the samples of one tick do.
    Company(Vec<Wake>),
}

impl AppliedInput {
    /// Its size in a message, in orders of about 70 bytes.
    #[must_use]
    pub const fn weight(&self) -> usize {
        match &self.given {
            Given::Order(_) => 1,
            Given::Company(company) => 1 + company.len(),
        }
    }

    /// Gives it to its vessel in a simulation whose next step makes its tick.
    pub fn give_to(&self, sim: &mut Sim) {
        match &self.given {
            Given::Order(input) => {
                sim.apply(self.vessel, *input);
            }
            Given::Company(company) => sim.tell_company(self.vessel, company),
        }
    }
}

/// A vessel as its neighbours see it.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct View {
    /// Which vessel.
    pub vessel: VesselId,
    /// Centre of gravity, course frame, metres.
    pub position_m: DVec3,
    /// Rotation from body to course axes.
    pub attitude: DQuat,
    /// Velocity, course frame, m/s.
    pub velocity_mps: DVec3,
    /// Length over all, metres.
    pub length_m: f32,
    /// Beam, metres.
    pub beam_m: f32,
}

/// Everything that a client needs of one tick; fits one datagram.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct State {
    /// The vessel that the client sails.
    pub vessel: VesselId,
    /// Its owner's epoch; a client rejects a lower one than it has seen.
    pub epoch: Epoch,
    /// The tick of this state.
    pub tick: Tick,
    /// Its own vessel.
    pub own: View,
    /// What its instruments say.
    pub instruments: Instruments,
    /// Crew session of the last order applied.
    pub session: u32,
    /// Number of the last order applied.
    pub seq: u32,
    /// Marks passed since the start.
    pub marks_passed: u16,
    /// Rate of course time now over the rate that is due; 1 without dilation.
    pub dilation: f32,
    /// The nearest other vessels, nearest first.
    pub others: Vec<View>,
}

/// An animal or a floating thing, as a crew sees it.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Sighting {
    /// Which one; of those that ride a bow, the pod that they came from.
    pub id: AnimalId,
    /// What it is.
    pub species: Species,
    /// What it is doing.
    pub doing: Doing,
    /// The vessel that it rides with, or that has struck or caught it.
    pub with: Option<VesselId>,
    /// How far east and north of the own vessel's centre of gravity at the message's tick, metres.
    pub offset_m: [f32; 2],
    /// Depth of its middle below the surface, metres; negative in the air.
    pub depth_m: f32,
    /// Where its head points, radians clockwise from north.
    pub heading_rad: f32,
    /// Speed over the ground, m/s.
    pub speed_mps: f32,
}

impl Sighting {
    /// An animal as seen from a place, and with whom it is.
    #[must_use]
    #[expect(clippy::cast_possible_truncation, reason = "what eyes see is single precision")]
    pub fn of(animal: &Animal, with: Option<VesselId>, from: DVec2) -> Self {
        let off = animal.place - from;
        Self {
            id: animal.id,
            species: animal.species,
            doing: animal.doing,
            with,
            offset_m: [off.x as f32, off.y as f32],
            depth_m: animal.depth_m as f32,
            heading_rad: animal.heading_rad as f32,
            speed_mps: animal.velocity_mps.length() as f32,
        }
    }
}

/// Soundings around a region, for its clients.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Soundings {
    /// South-west corner of the grid, course frame, metres.
    pub origin: DVec2,
    /// Distance between soundings, metres.
    pub spacing_m: f64,
    /// Soundings from west to east in one row.
    pub columns: u16,
    /// Depths below chart datum in decimetres, rows from the south; negative is land.
    pub depths_dm: Vec<i16>,
}

/// What one region tells the harbour of one vessel that it owns.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct VesselReport {
    /// Which vessel.
    pub vessel: VesselId,
    /// Owner's epoch.
    pub epoch: Epoch,
    /// Group leader (lowest number of its group).
    pub group: VesselId,
    /// Place, course frame, metres.
    pub place: DVec2,
    /// Velocity over the ground, m/s.
    pub velocity_mps: DVec2,
    /// Marks passed since the start.
    pub marks_passed: u16,
    /// The tick at which the last mark was passed, if it was.
    pub finished: Option<Tick>,
    /// Distance over the ground since the start in the regions of this owner, metres.
    pub ground_m: f64,
    /// Distance through the water likewise, metres.
    pub water_m: f64,
    /// Whether another region has been sent its state and follows its orders.
    pub guarded: bool,
}

/// What a region has counted since its start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RegionCounts {
    /// Handoffs completed with this region as the target.
    pub handoffs: u32,
    /// Ticks that no owner published in time.
    pub ticks_missed: u64,
    /// Offers of this region that were withdrawn or refused.
    pub offers_cancelled: u32,
    /// Orders that were dropped: unknown vessel, no session, full queue.
    pub orders_dropped: u32,
    /// Joins that were refused.
    pub joins_refused: u32,
    /// Messages from peers that may not send them.
    pub out_of_place: u32,
    /// Vessels taken up whose owner had ended.
    pub resumed: u32,
    /// Steps that were not taken because the lease had lapsed.
    pub ticks_paused: u64,
    /// Samples of wakes that came after a step in which they should have acted on a vessel here.
    pub wakes_late: u64,
}

/// A region as others find it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Neighbour {
    /// Its number.
    pub region: RegionId,
    /// The ground that it sails.
    pub area: Area,
    /// Where its server listens.
    pub addr: SocketAddr,
    /// The server name that chooses it.
    pub name: String,
}

/// How a region stands to a vessel, as it answers a roll call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Holding {
    /// It handed the vessel to another region, which has said so or not.
    Gave {
        /// To whom.
        to: RegionId,
    },
    /// It publishes the vessel, or will from a commit tick that is before it.
    Holds,
}

/// One vessel of a roster, with the epoch under which it is held, or under which it was given away.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Claim {
    /// Which vessel.
    pub vessel: VesselId,
    /// The epoch of whoever holds it by this claim.
    pub epoch: Epoch,
    /// Who that is.
    pub holding: Holding,
}

/// A shadow that a region keeps, as a roster lists it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Keeping {
    /// Which vessel.
    pub vessel: VesselId,
    /// The epoch of the owner that it was heard from.
    pub epoch: Epoch,
    /// Every order up to this tick is known.
    pub through: Tick,
}

/// The clock that all regions of a course share.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct ClockSetting {
    /// The tick at the moment below.
    pub tick: Tick,
    /// Wall time of that tick, nanoseconds since the Unix epoch.
    pub unix_ns: u64,
    /// Seconds of course time in one second of wall time.
    pub warp: f64,
}

/// One word of a handoff; an offer's number is unique for the region that makes it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Word {
    /// Owner to target: a group's states after one tick, and the tick from which the target would own it.
    Offer {
        /// The offer.
        number: u32,
        /// The vessels of the group that this owner has, all of the same tick.
        vessels: Vec<VesselRecord>,
        /// The first tick that the target would publish.
        commit: Tick,
    },
    /// Target to owner: the group is rebuilt and sails along here; nothing is owned.
    Ready {
        /// The offer.
        number: u32,
    },
    /// Target to owner: not by that tick; offer again.
    NotYet {
        /// The offer.
        number: u32,
    },
    /// Target to owner: not here.
    No {
        /// The offer.
        number: u32,
        /// Why.
        reason: String,
    },
    /// Owner to target: forget the offer; the owner sails on.
    Cancel {
        /// The offer.
        number: u32,
    },
    /// Owner to target: the group is yours from the commit tick on. Irrevocable, repeated until acknowledged.
    Commit {
        /// The offer.
        number: u32,
        /// The first tick that the target publishes.
        commit: Tick,
        /// Each vessel with the epoch that the target has from then on.
        epochs: Vec<(VesselId, Epoch)>,
        /// Every input after the offered state and before the commit tick.
        inputs: Vec<AppliedInput>,
    },
    /// Target to owner: the commit is here.
    Acknowledged {
        /// The offer.
        number: u32,
    },
}

impl Word {
    /// The offer that it is about.
    #[must_use]
    pub const fn number(&self) -> u32 {
        match self {
            Self::Offer { number, .. }
            | Self::Ready { number }
            | Self::NotYet { number }
            | Self::No { number, .. }
            | Self::Cancel { number }
            | Self::Commit { number, .. }
            | Self::Acknowledged { number } => *number,
        }
    }
}

/// One message; see each variant for who sends it to whom, and how.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Message {
    // Client to region.
    /// Stream. Opens a session: as the ticket says, or, at a region without a harbour, with a boat.
    Join {
        /// A [`crate::wire::ticket`] in its signed bytes; empty at a region without a harbour.
        ticket: Vec<u8>,
        /// Which boat to sail, at a region without a harbour.
        boat: Option<BoatSpec>,
        /// The crew session to go on with, on a second circuit or after one broke; `None` starts anew.
        resume: Option<u32>,
    },
    /// Datagram. Absolute controls; the last one wins.
    Helm {
        /// Which vessel.
        vessel: VesselId,
        /// Number of the order in this session.
        seq: u32,
        /// The controls.
        helm: Helm,
    },
    /// Stream. The crew leaves; the vessel sails on as it was steered.
    Leave,

    // Region to client.
    /// Stream. The session is open.
    Welcome {
        /// The vessel.
        vessel: VesselId,
        /// The crew session: part of every input.
        session: u32,
        /// The course's name.
        course: String,
        /// The vessel's boat.
        boat: BoatSpec,
        /// Marks of the passage, in order, from the start.
        marks: Vec<Mark>,
        /// The clock.
        clock: ClockSetting,
    },
    /// Stream. Depths in and around the region.
    Soundings(Soundings),
    /// Datagram. One tick.
    State(Box<State>),
    /// Stream. Open a second circuit there: the vessel will cross soon.
    Standby(Neighbour),
    /// Stream. The request cannot be served.
    Refused {
        /// Why, and what to do.
        reason: String,
    },
    /// Stream. The vessel has left the water.
    Ended {
        /// The vessel.
        vessel: VesselId,
        /// Whether it finished its passage.
        finished: bool,
    },

    // Region to region.
    /// Stream. The first message of a circuit between regions: who is speaking.
    Link {
        /// The region that dialled.
        from: RegionId,
    },
    /// Stream. Full states after their ticks, kept in case their owner dies and to start a handoff from; to the
    /// harbour now and then, in case its guard dies with it.
    Shadow {
        /// The vessels.
        vessels: Vec<VesselRecord>,
    },
    /// Stream. Inputs of vessels up to and including a tick, since the last such message.
    Inputs {
        /// The vessels whose inputs are complete up to `through`.
        vessels: Vec<VesselId>,
        /// Every input before and at this tick is known with this message.
        through: Tick,
        /// The inputs.
        inputs: Vec<AppliedInput>,
        /// The owner's boot clock, nanoseconds: comes back in [`Message::Guarded`].
        stamp_ns: u64,
    },
    /// Stream. A guard's answer to inputs, some times a second: it keeps the shadows, and the owner may publish
    /// for a while longer.
    Guarded {
        /// The owner's stamp.
        stamp_ns: u64,
    },
    /// Stream. A handoff; see [`crate::handoff`].
    Handoff(Word),
    /// Stream. An order that came to the old owner after it had sealed the inputs.
    LateInput {
        /// The vessel.
        vessel: VesselId,
        /// The order.
        input: Input,
    },
    /// Stream. To every neighbour and to the harbour: this region stops. Nothing is to be given to it any more, and
    /// whom it guards needs another guard.
    Leaving,
    /// Stream. The answer of a neighbour: nothing of its own depends on the region that stops any more.
    Relieved,
    /// Datagram. Vessels near the border.
    Views {
        /// The tick that they are of.
        tick: Tick,
        /// The vessels.
        views: Vec<View>,
    },

    /// Stream. Samples of vessels near another region's, to be felt there half a second later.
    Wakes(Vec<Wake>),

    // Harbour to region.
    /// Stream. A certificate chain (DER) for the key that the region made.
    Enrol {
        /// Leaf first.
        chain: Vec<Vec<u8>>,
    },
    /// Stream. The regions around, as they are now; absent ones are gone.
    Neighbours(Vec<Neighbour>),
    /// Stream. The answer to a report: the region may publish for a while longer.
    Lease {
        /// The report's stamp.
        stamp_ns: u64,
        /// The harbour's wall time, nanoseconds since the Unix epoch: the course's ticks go by it.
        unix_ns: u64,
    },
    /// Stream. Asks for a [`Message::Roster`]; with the answer the region promises what is asked.
    Roll {
        /// Number of the roll call; rosters answer it.
        number: u32,
        /// Regions that have ended: nothing that comes from them counts any more.
        ended: Vec<RegionId>,
        /// Vessels with the epoch below which none may be taken any more.
        floors: Vec<(VesselId, Epoch)>,
    },
    /// Stream. Sail vessels on from the shadows that are kept here: their owner has ended.
    Resume {
        /// The vessels with their new epochs.
        vessels: Vec<(VesselId, Epoch)>,
        /// The first tick to be published; what is sailed before it is nobody's.
        publish: Tick,
    },
    /// Stream. Sail vessels on from these shadows.
    Restore {
        /// The vessels, with their new epochs.
        records: Vec<VesselRecord>,
        /// The orders known after those states.
        inputs: Vec<AppliedInput>,
        /// The first tick to be published.
        publish: Tick,
    },
    /// Stream. Send the shadow of a vessel back as [`Message::Surrendered`].
    Surrender(VesselId),
    /// Stream. Sail this ground from now on: the division of the sea changes.
    Reshape(Area),
    /// Stream. Put a vessel into the water here, at the region's tick.
    Launch {
        /// The vessel.
        record: Box<VesselRecord>,
        /// Whether it is new: only place and heading of its state count, and it is set afloat there.
        new: bool,
    },
    /// Stream. Take a vessel out of the water and send its record back.
    Moor(VesselId),
    /// Stream. Hand everything across, then stop.
    Drain,

    // Region to harbour.
    /// Stream. How it goes; several a second.
    Report {
        /// The region.
        region: RegionId,
        /// Its tick.
        tick: Tick,
        /// Share of a tick's wall time that the simulation needs.
        load: f32,
        /// Dilation: 1 on time.
        dilation: f32,
        /// Prims that stand in it, hulls included.
        prims: u32,
        /// Vessels that its host lets it carry, those that it has included.
        carries: u32,
        /// The vessels that it owns.
        vessels: Vec<VesselReport>,
        /// What it has counted so far.
        counts: RegionCounts,
        /// The region's boot clock, nanoseconds: comes back in [`Message::Lease`].
        stamp_ns: u64,
        /// By how much its clock may differ from the harbour's, nanoseconds.
        clock_doubt_ns: u64,
    },
    /// Stream. The answer to a roll call.
    Roster {
        /// The roll call.
        number: u32,
        /// What is held here, and what was given away lately.
        claims: Vec<Claim>,
        /// The shadows that are kept here.
        kept: Vec<Keeping>,
    },
    /// Stream. A shadow that the harbour asked for.
    Surrendered {
        /// The vessel as it was last told.
        record: Box<VesselRecord>,
        /// The orders known after that.
        inputs: Vec<AppliedInput>,
    },
    /// Stream. A vessel that left the water, complete.
    Moored(Box<VesselRecord>),
    /// Stream. Nothing is left here; the process ends.
    Drained,

    // Region to client.
    /// Datagram, some times a second while there is something: animals and floating things in sight.
    Wildlife {
        /// The tick that they are of.
        tick: Tick,
        /// The own vessel's companions first, then the nearest.
        seen: Vec<Sighting>,
    },
    // Region to client, since there are events.
    /// Stream. What happens around the vessel, or is about to; sent when that changes, and instead of what was sent
    /// before. At most [`crate::limits::EVENTS_TOLD`], the nearest first.
    Events {
        /// The vessel.
        vessel: VesselId,
        /// The events, with all that a client needs to see them come and go.
        events: Vec<Event>,
    },
}
