//! The tick: vessels in an ECS world, islands of contact, groups, hashes.
//!
//! A step runs the phases of [`Phase`] in their order. Vessels meet in an island (see [`contact`]) and by the
//! samples of each other's [`Wake`] within 150 m; so neither the order in which they came nor who else is
//! here matters to one that sails alone.
//!
//! Wakes are the one thing that acts between vessels of different simulations. Each simulation should have
//! [heard](Sim::hear_wake) every sample of others near its vessels, taken after tick t, before its own step
//! from tick t + 22. Whose wakes act on a vessel is then [decided](Sim::new_company), once, and is an input
//! of that vessel as an order is: who sails it again is [told](Sim::tell_company), and its bits are the same
//! also where a sample came too late, which is [counted](Sim::late_wakes).

use std::sync::Arc;

use bevy_ecs::entity::Entity;
use bevy_ecs::schedule::Schedule;
use bevy_ecs::world::World;
use glam::DVec3;
use serde::{Deserialize, Serialize};

use crate::atlas::{Mark, Prim};
use crate::creatures::{Animal, Companion, Happening};
use crate::limits::INPUT_TICKS;
use crate::sea::Sea;
use crate::units::{Tick, VesselId};
use crate::vessel::{self, BoatSpec, Class, Input, VesselState, Wake};

pub mod contact;
mod creatures;
pub mod groups;
mod hands;
mod hash;
mod instruments;
mod phases;
mod prims;
mod wakes;

pub use phases::{Phase, sailing};

/// A boat of this name brings its process down once its engine runs fast.
#[cfg(feature = "faults")]
pub const SCUTTLED: &str = "Scuttled";
#[cfg(feature = "faults")]
const SCUTTLING_THROTTLE: f64 = 0.2;

use phases::{Build, Crew, Fleet, Id, Motion, Now, Order, Progress, Since, Surroundings, TheSea};

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
    /// Its last samples, which others are still to feel.
    #[serde(default)]
    pub trail: Vec<Wake>,
    /// The samples of others that act on it or will, as far as that is decided; by tick and vessel.
    #[serde(default)]
    pub company: Vec<Wake>,
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
    /// Creatures and things that are with it, or were a short while ago; see [`crate::creatures`].
    #[serde(default)]
    pub companions: Vec<Companion>,
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
pub struct Sim {
    world: World,
    phases: [Schedule; Phase::ALL.len()],
    sea: Arc<Sea>,
    /// Classes in use: one for each kind of boat here.
    builds: Vec<Build>,
}

impl std::fmt::Debug for Sim {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Sim")
            .field("tick", &self.tick())
            .field("vessels", &self.ids())
            .finish_non_exhaustive()
    }
}

impl Sim {
    /// An empty simulation after `tick`, with the prims that its vessels can touch.
    #[must_use]
    pub fn new(sea: Arc<Sea>, prims: Vec<Prim>, tick: Tick) -> Self {
        let mut world = World::new();
        world.insert_resource(TheSea(Arc::clone(&sea)));
        world.insert_resource(Now(tick));
        world.insert_resource(Fleet::default());
        world.insert_resource(hands::Hands::default());
        world.insert_resource(contact::Scratch::default());
        world.insert_resource(prims::Standing::new(prims));
        world.insert_resource(wakes::Wakes::default());
        world.insert_resource(creatures::Wild::new(Arc::clone(&sea)));
        Self { world, phases: Phase::ALL.map(phases::schedule), sea, builds: Vec::new() }
    }

    /// The same without wakes: its vessels sail as if alone, until they touch.
    #[must_use]
    pub fn without_wakes(mut self) -> Self {
        self.world.resource_mut::<wakes::Wakes>().felt = false;
        self
    }

    /// Decides nothing in steps up to a tick: whose wakes act on a vessel is [told](Self::tell_company), and
    /// nobody's do where nothing is told.
    pub fn follow(&mut self, until: Tick) {
        self.world.resource_mut::<wakes::Wakes>().told_until = until;
    }

    /// Shares what is done for each vessel among so many threads. Bits are the same with any number.
    pub fn set_hands(&mut self, hands: usize) {
        self.world.resource_mut::<hands::Hands>().set(hands);
    }

    /// The sea.
    #[must_use]
    pub fn sea(&self) -> &Arc<Sea> {
        &self.sea
    }

    /// The tick that all states are of.
    #[must_use]
    pub fn tick(&self) -> Tick {
        self.world.resource::<Now>().0
    }

    /// Sets the tick of a simulation without vessels.
    ///
    /// # Panics
    /// When it holds a vessel.
    pub fn set_tick(&mut self, tick: Tick) {
        assert!(self.ids().is_empty(), "the tick of a simulation with vessels cannot be set");
        self.world.resource_mut::<Now>().0 = tick;
        self.world.resource_mut::<wakes::Wakes>().forget(tick);
    }

    /// Puts a vessel in, with its state after [`Self::tick`].
    ///
    /// # Panics
    /// When a vessel of that number is there already, or its boat is broken: both are checked at the edge.
    pub fn insert(&mut self, vessel: Vessel) {
        let Vessel { id, boat, state, voyage, trail, company } = vessel;
        let build = self.build(&boat);
        let place = self.ids().binary_search(&id);
        let Err(place) = place else { panic!("vessel {} is here already", id.0) };
        let parts = (
            Id(id),
            Since(self.tick()),
            Crew(state),
            Progress(voyage),
            Order(None),
            Surroundings::default(),
            Motion::default(),
            wakes::Company::brought(id, company),
            build,
        );
        for wake in
            trail.into_iter().filter(|wake| wake.id == id && wake.is_sound()).take(vessel::wake::TRAIL_WAKES)
        {
            self.hear_wake(wake);
            self.world.resource_mut::<wakes::Wakes>().correct(wake);
        }
        let entity = self.world.spawn(parts).id();
        let mut fleet = self.world.resource_mut::<Fleet>();
        fleet.ids.insert(place, id);
        fleet.entities.insert(place, entity);
        self.world.resource_mut::<creatures::Wild>().look_again();
        self.world.resource_mut::<wakes::Wakes>().look_again();
    }

    /// Hears a sample of a vessel that is sailed elsewhere. Returns whether it is news: one that is known, is
    /// of a vessel here, or can be none changes nothing. The order in which samples come does not matter.
    pub fn hear_wake(&mut self, wake: Wake) -> bool {
        if self.entity(wake.id).is_some() {
            return false;
        }
        let now = self.tick();
        let heard = self.world.resource_mut::<wakes::Wakes>().hear(wake, now);
        if matches!(heard, wakes::Heard::Late | wakes::Heard::Lost) && self.has_missed(&wake) {
            self.world.resource_mut::<wakes::Wakes>().count_late();
        }
        matches!(heard, wakes::Heard::InTime | wakes::Heard::Late)
    }

    /// Whether a vessel within reach of a sample has sailed here while it should have acted.
    fn has_missed(&self, wake: &Wake) -> bool {
        use vessel::wake::{DELAY_TICKS, PERIOD_TICKS, REACH_M};
        let now = self.tick();
        let source = wake.source_m(now);
        let last = wake.tick.after(DELAY_TICKS + PERIOD_TICKS - 1);
        self.world.resource::<Fleet>().entities.iter().any(|entity| {
            let (Some(since), Some(crew)) =
                (self.world.get::<Since>(*entity), self.world.get::<Crew>(*entity))
            else {
                return false;
            };
            let near = (crew.0.position_m.truncate() - source).length_squared() < REACH_M * REACH_M;
            near && since.0 < now && since.0 <= last
        })
    }

    /// Companies that were decided in the last step, of one tick of samples each, with their vessels in rising
    /// order: whoever sails one of these again [tells](Self::tell_company) it the same before that step.
    #[must_use]
    pub fn new_company(&self) -> &[(VesselId, Vec<Wake>)] {
        self.world.resource::<wakes::Wakes>().news()
    }

    /// Tells whose wakes act on a vessel from the next step on that they act in: samples of one tick.
    pub fn tell_company(&mut self, id: VesselId, company: &[Wake]) {
        let one = company.windows(2).all(|pair| pair[0].tick == pair[1].tick);
        // Neither of what is over nor of what lies beyond any commit.
        let now = self.tick();
        let timely = |wake: &Wake| {
            Some(wake.tick) >= vessel::wake::acting(now) && wake.tick.since(now) <= INPUT_TICKS as u64
        };
        let sound = one && company.iter().all(timely) && vessel::wake::is_company_of(id, company);
        let Some(entity) = self.entity(id).filter(|_| sound) else { return };
        if let Some(mut known) = self.world.get_mut::<wakes::Company>(entity) {
            known.keep(company);
        }
        self.world.resource_mut::<wakes::Wakes>().look_again();
    }

    /// Whose wakes would act on a vessel with the samples of a tick, by what is known here now.
    #[must_use]
    pub fn company(&self, id: VesselId, samples: Tick) -> Vec<Wake> {
        self.world.resource::<wakes::Wakes>().decide(id, samples)
    }

    /// Decides now whose wakes act on a vessel in all steps up to the one that makes `last`. Returns each new
    /// company with the first tick that feels it.
    pub fn decide_company(&mut self, id: VesselId, last: Tick) -> Vec<(Tick, Vec<Wake>)> {
        use vessel::wake::{PERIOD_TICKS, acting, first_felt};
        let Some(entity) = self.entity(id) else { return Vec::new() };
        let now = self.tick();
        let (Some(mut samples), true) = (acting(now), last > now) else { return Vec::new() };
        let mut decided = Vec::new();
        while first_felt(samples) <= last {
            let company = self.company(id, samples);
            let Some(mut known) = self.world.get_mut::<wakes::Company>(entity) else { break };
            if known.decided.is_none_or(|decided| decided < samples) {
                known.decided = Some(samples);
                known.keep(&company);
                if !company.is_empty() {
                    decided.push((first_felt(samples).max(now.after(1)), company));
                }
            }
            samples = samples.after(PERIOD_TICKS);
        }
        self.world.resource_mut::<wakes::Wakes>().look_again();
        decided
    }

    /// The samples newer than a tick of all vessels here and of those heard of, by tick and vessel.
    /// After a step to a tick that is a multiple of [`vessel::wake::PERIOD_TICKS`] there are new ones.
    pub fn wakes_since(&self, tick: Tick) -> impl Iterator<Item = &Wake> {
        self.world.resource::<wakes::Wakes>().since(tick)
    }

    /// How many samples came after a step in which they would have acted on a vessel that was within reach
    /// of them when they came: each a tick or more in which that vessel's bits may not be its own.
    #[must_use]
    pub fn late_wakes(&self) -> u64 {
        self.world.resource::<wakes::Wakes>().late()
    }

    /// The class of a boat, worked out unless another vessel here has the same.
    fn build(&mut self, boat: &BoatSpec) -> Build {
        if let Some(known) = self.builds.iter().find(|build| build.class.spec == *boat) {
            return known.clone();
        }
        let class = Arc::new(Class::new(boat));
        let build = Build { fender: Arc::new(contact::Fender::of(&class)), class };
        self.builds.push(build.clone());
        build
    }

    /// Takes a vessel out, as of [`Self::tick`]. An order applied since the last step does not go with it:
    /// whoever sails it on applies the orders of its next tick.
    pub fn remove(&mut self, id: VesselId) -> Option<Vessel> {
        let vessel = self.vessel(id)?;
        let mut fleet = self.world.resource_mut::<Fleet>();
        let place = fleet.ids.binary_search(&id).ok()?;
        fleet.ids.remove(place);
        let entity = fleet.entities.remove(place);
        self.world.despawn(entity);
        self.world.resource_mut::<creatures::Wild>().look_again();
        self.builds.retain(|build| Arc::strong_count(&build.class) > 1);
        Some(vessel)
    }

    /// A copy of a vessel.
    #[must_use]
    pub fn vessel(&self, id: VesselId) -> Option<Vessel> {
        Some(Vessel {
            id,
            boat: self.boat(id)?.clone(),
            state: *self.state(id)?,
            voyage: self.voyage(id)?.clone(),
            trail: self.world.resource::<wakes::Wakes>().trail(id, self.tick()),
            company: self.company_of(id)?,
        })
    }

    /// The samples that act on a vessel after this tick.
    fn company_of(&self, id: VesselId) -> Option<Vec<Wake>> {
        let known = &self.world.get::<wakes::Company>(self.entity(id)?)?.wakes;
        let from = vessel::wake::acting(self.tick());
        Some(known.iter().filter(|wake| Some(wake.tick) >= from).copied().collect())
    }

    /// The vessels here, in rising order.
    #[must_use]
    pub fn ids(&self) -> &[VesselId] {
        &self.world.resource::<Fleet>().ids
    }

    fn entity(&self, id: VesselId) -> Option<Entity> {
        let fleet = self.world.resource::<Fleet>();
        fleet.ids.binary_search(&id).ok().map(|place| fleet.entities[place])
    }

    /// A vessel's state.
    #[must_use]
    pub fn state(&self, id: VesselId) -> Option<&VesselState> {
        self.world.get::<Crew>(self.entity(id)?).map(|crew| &crew.0)
    }

    /// A vessel's boat.
    #[must_use]
    pub fn boat(&self, id: VesselId) -> Option<&BoatSpec> {
        self.world.get::<Build>(self.entity(id)?).map(|build| &build.class.spec)
    }

    /// A vessel's progress.
    #[must_use]
    pub fn voyage(&self, id: VesselId) -> Option<&Voyage> {
        self.world.get::<Progress>(self.entity(id)?).map(|progress| &progress.0)
    }

    /// A vessel's instruments as of [`Self::tick`]: a function of its state, the sea and the wakes of others.
    #[must_use]
    pub fn instruments(&self, id: VesselId) -> Option<Instruments> {
        let entity = self.entity(id)?;
        let class = &self.world.get::<Build>(entity)?.class;
        let state = &self.world.get::<Crew>(entity)?.0;
        let (place, tick) = (state.position_m.truncate(), self.tick());
        let company = self.world.get::<wakes::Company>(entity)?;
        let felt = wakes::Wakes::felt(company, class, place, tick);
        Some(instruments::read(class, state, &self.sea, tick, &felt))
    }

    /// Hands a vessel an order, to be felt by the next step. Returns whether it counts: an order of an
    /// older session, or not newer than the last one of its session, changes nothing; nor does one that
    /// holds a number that is none.
    pub fn apply(&mut self, id: VesselId, input: Input) -> bool {
        let Some(entity) = self.entity(id) else { return false };
        let Some(state) = self.world.get::<Crew>(entity).map(|crew| crew.0) else { return false };
        let Some(mut order) = self.world.get_mut::<Order>(entity) else { return false };
        let last = order.0.map_or((state.session, state.seq), |order| (order.session, order.seq));
        let helm = &input.helm;
        let finite = [helm.rudder_rad, helm.sheet, helm.reef, helm.flat, helm.throttle];
        if (input.session, input.seq) <= last || finite.iter().any(|value| !value.is_finite()) {
            return false;
        }
        order.0 = Some(input);
        true
    }

    /// What happened in the last step between vessels and creatures, by vessel.
    #[must_use]
    pub fn happenings(&self) -> &[Happening] {
        self.world.resource::<creatures::Wild>().happenings()
    }

    /// The animals and things that are to be seen within a radius of a vessel, each with the vessel that it
    /// belongs to for now: its own first, then by distance, `most` at most.
    ///
    /// What another vessel here has struck or attracted is shown as it is for that vessel.
    #[must_use]
    pub fn animals_around(
        &self,
        id: VesselId,
        radius_m: f64,
        most: usize,
    ) -> Vec<(Option<VesselId>, Animal)> {
        creatures::seen_from(&self.world, id, radius_m, most)
    }

    /// Sails every vessel for one tick.
    pub fn step(&mut self) {
        for phase in Phase::ALL {
            self.step_phase(phase);
        }
    }

    /// Runs one phase of a step, for those who measure phases; all of them in their order are a step.
    pub fn step_phase(&mut self, phase: Phase) {
        self.phases[phase as usize].run(&mut self.world);
    }

    /// The hash of a vessel's state and progress: equal bits, equal hash.
    #[must_use]
    pub fn hash(&self, id: VesselId) -> Option<u64> {
        Some(hash::of(self.state(id)?, self.voyage(id)?))
    }
}

/// The start of a vessel: afloat, upright, at rest over the ground, on a heading. The height of the
/// place is not used: the vessel lies on its waterline.
#[must_use]
pub fn afloat(sea: &Sea, boat: &BoatSpec, place_m: DVec3, heading_rad: f64, tick: Tick) -> VesselState {
    let place = place_m.truncate();
    let water = sea.water(place, tick);
    vessel::at_rest(&Class::new(boat), place, water.level_m, heading_rad)
}

/// The heading of a vessel, radians clockwise from north.
#[must_use]
pub fn heading_of(state: &VesselState) -> f64 {
    let bow = state.attitude * DVec3::X;
    crate::trig::heading(bow.x, bow.y)
}
