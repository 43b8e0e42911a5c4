//! The tick: vessels in an ECS world, islands of contact, groups, hashes.

use std::sync::Arc;

use glam::DVec3;
use serde::{Deserialize, Serialize};

use crate::atlas::{Mark, Prim};
use crate::sea::Sea;
use crate::units::{Tick, VesselId};
use crate::vessel::{BoatSpec, Input, VesselState};

pub mod groups;

/// A vessel as it crosses, is recorded and is replayed: whole.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Vessel {
    /// Its number.
    pub id: VesselId,
    /// What it is built like.
    pub boat: BoatSpec,
    /// Its state.
    pub state: VesselState,
    /// How far its passage has come.
    pub voyage: Voyage,
}

/// The progress of a passage, kept by the simulation at every tick.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Voyage {
    /// Marks in order; the last is the finish.
    pub marks: Vec<Mark>,
    /// How many of them are passed.
    pub passed: u16,
    /// The tick at which the last one was passed.
    pub finished: Option<Tick>,
    /// Distance over the ground so far, metres.
    pub ground_m: f64,
    /// Distance through the water so far, metres.
    pub water_m: f64,
}

/// What a sailor reads off the instruments.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Instruments {
    /// Apparent wind speed at the masthead, m/s.
    pub apparent_wind_mps: f32,
    /// Apparent wind angle off the bow, radians in [−π, π), positive from starboard.
    pub apparent_wind_rad: f32,
    /// Speed through the water along the keel, m/s.
    pub speed_mps: f32,
    /// Water under the keel, metres.
    pub under_keel_m: f32,
    /// Heel, radians, positive to starboard.
    pub heel_rad: f32,
    /// Heading, radians clockwise from north.
    pub heading_rad: f32,
    /// Rate of turn, rad/s clockwise.
    pub turn_radps: f32,
    /// Visibility, metres.
    pub visibility_m: f32,
}

/// A simulation of some vessels on one sea.
#[derive(Debug)]
pub struct Sim {
    sea: Arc<Sea>,
    tick: Tick,
}

impl Sim {
    /// An empty simulation after `tick`, with the prims that its vessels can touch.
    #[must_use]
    pub fn new(sea: Arc<Sea>, prims: Vec<Prim>, tick: Tick) -> Self {
        let _ = prims;
        Self { sea, tick }
    }

    /// The sea.
    #[must_use]
    pub fn sea(&self) -> &Arc<Sea> {
        &self.sea
    }

    /// The tick that all states are of.
    #[must_use]
    pub fn tick(&self) -> Tick {
        self.tick
    }

    /// Sets the tick of a simulation without vessels.
    ///
    /// # Panics
    /// When it holds a vessel.
    pub fn set_tick(&mut self, tick: Tick) {
        self.tick = tick;
    }

    /// Puts a vessel in, with its state after [`Self::tick`].
    ///
    /// # Panics
    /// When a vessel of that number is there already.
    pub fn insert(&mut self, vessel: Vessel) {
        let _ = vessel;
        unimplemented!()
    }

    /// Takes a vessel out.
    pub fn remove(&mut self, id: VesselId) -> Option<Vessel> {
        let _ = id;
        unimplemented!()
    }

    /// A copy of a vessel.
    #[must_use]
    pub fn vessel(&self, id: VesselId) -> Option<Vessel> {
        let _ = id;
        unimplemented!()
    }

    /// The vessels here, in rising order.
    #[must_use]
    pub fn ids(&self) -> &[VesselId] {
        unimplemented!()
    }

    /// A vessel's state.
    #[must_use]
    pub fn state(&self, id: VesselId) -> Option<&VesselState> {
        let _ = id;
        unimplemented!()
    }

    /// A vessel's boat.
    #[must_use]
    pub fn boat(&self, id: VesselId) -> Option<&BoatSpec> {
        let _ = id;
        unimplemented!()
    }

    /// A vessel's progress.
    #[must_use]
    pub fn voyage(&self, id: VesselId) -> Option<&Voyage> {
        let _ = id;
        unimplemented!()
    }

    /// A vessel's instruments as of the last step.
    #[must_use]
    pub fn instruments(&self, id: VesselId) -> Option<Instruments> {
        let _ = id;
        unimplemented!()
    }

    /// Hands a vessel an order, to be felt by the next step. Returns whether it counts: an order of an
    /// older session, or not newer than the last one of its session, changes nothing.
    pub fn apply(&mut self, id: VesselId, input: Input) -> bool {
        let _ = (id, input);
        unimplemented!()
    }

    /// Sails every vessel for one tick.
    pub fn step(&mut self) {
        self.tick = self.tick.after(1);
    }

    /// The hash of a vessel's state: equal bits, equal hash.
    #[must_use]
    pub fn hash(&self, id: VesselId) -> Option<u64> {
        let _ = id;
        unimplemented!()
    }
}

/// The start of a vessel: afloat, upright, at rest over the ground, on a heading.
#[must_use]
pub fn afloat(sea: &Sea, boat: &BoatSpec, place_m: DVec3, heading_rad: f64, tick: Tick) -> VesselState {
    let _ = (sea, boat, place_m, heading_rad, tick);
    unimplemented!()
}

/// The heading of a vessel, radians clockwise from north.
#[must_use]
pub fn heading_of(state: &VesselState) -> f64 {
    let bow = state.attitude * DVec3::X;
    crate::trig::heading(bow.x, bow.y)
}
