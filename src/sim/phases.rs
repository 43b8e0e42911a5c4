//! What happens in a tick, phase by phase.

use std::cell::Cell;
use std::sync::Arc;

use bevy_ecs::component::Component;
use bevy_ecs::entity::Entity;
use bevy_ecs::resource::Resource;
use bevy_ecs::schedule::{IntoScheduleConfigs, Schedule, ScheduleLabel, SingleThreadedExecutor};
use bevy_ecs::system::{Query, Res, ResMut};
use glam::DVec2;

use super::hands::{Hands, VESSELS_A_HAND};
use super::wakes::{Company, Wakes};
use super::{Voyage, contact, creatures};
use crate::sea::{Sea, Water};
use crate::units::{TICK_S, Tick, VesselId};
use crate::vessel::forces::{self, Acceleration};
use crate::vessel::wake::Felt;
use crate::vessel::{Class, Input, VesselState, motion};

/// The phases of a step, in their order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, ScheduleLabel)]
pub enum Phase {
    /// Orders are taken and the gear follows them.
    Helm,
    /// The sea is sampled where each vessel is, the wakes of others are felt, and creatures are met.
    Water,
    /// Forces become velocities.
    Forces,
    /// Vessels that may touch something are moved in their islands.
    Contact,
    /// All others are moved.
    Integrate,
    /// Marks, distances, samples of wakes, and the tick itself.
    Progress,
}

impl Phase {
    /// All of them, in their order.
    pub const ALL: [Self; 6] =
        [Self::Helm, Self::Water, Self::Forces, Self::Contact, Self::Integrate, Self::Progress];
}

#[derive(Component)]
pub(super) struct Id(pub(super) VesselId);

/// The tick after which it was put in here.
#[derive(Component)]
pub(super) struct Since(pub(super) Tick);

/// What all vessels of one boat file share.
#[derive(Component, Clone)]
pub(super) struct Build {
    pub(super) class: Arc<Class>,
    pub(super) fender: Arc<contact::Fender>,
}

#[derive(Component)]
pub(super) struct Crew(pub(super) VesselState);

#[derive(Component)]
pub(super) struct Progress(pub(super) Voyage);

/// The order to be taken at the next step.
#[derive(Component)]
pub(super) struct Order(pub(super) Option<Input>);

/// What is around a vessel in this tick.
#[derive(Component, Default)]
pub(super) struct Surroundings {
    /// The water, and the wind with what others take out of it.
    pub(super) water: Option<Water>,
    /// What the wakes of others do here.
    pub(super) felt: Felt,
}

/// What it takes to feel wakes.
pub(super) type Around =
    (&'static Id, &'static Build, &'static Crew, &'static mut Company, &'static mut Surroundings);

/// How this tick moves a vessel.
#[derive(Component, Default)]
pub(super) struct Motion {
    /// Whether its island has moved it already.
    pub(super) done: bool,
}

#[derive(Resource)]
pub(super) struct TheSea(pub(super) Arc<Sea>);

#[derive(Resource)]
pub(super) struct Now(pub(super) Tick);

/// The vessels in rising order, and where the world keeps each.
#[derive(Resource, Default)]
pub(super) struct Fleet {
    pub(super) ids: Vec<VesselId>,
    pub(super) entities: Vec<Entity>,
}

thread_local! {
    static SAILING: Cell<Option<VesselId>> = const { Cell::new(None) };
}

/// The vessel that this thread is sailing: what brings a process down has its name.
#[must_use]
pub fn sailing() -> Option<VesselId> {
    SAILING.get()
}

/// The systems of a phase.
pub(super) fn schedule(phase: Phase) -> Schedule {
    let mut schedule = Schedule::new(phase);
    schedule.set_executor(SingleThreadedExecutor::new());
    match phase {
        Phase::Helm => schedule.add_systems(take_orders),
        Phase::Water => schedule.add_systems((sample_sea, creatures::meet_creatures).chain()),
        Phase::Forces => schedule.add_systems((speed_up, creatures::push_vessels).chain()),
        Phase::Contact => schedule.add_systems(contact::step_islands),
        Phase::Integrate => schedule.add_systems(move_on),
        Phase::Progress => schedule.add_systems(keep_log),
    };
    schedule
}

fn take_orders(mut hands: ResMut<Hands>, mut vessels: Query<(&Build, &mut Crew, &mut Order)>) {
    // Who is called now is awake when there is something to share.
    hands.call(vessels.iter().len());
    for (build, mut crew, mut order) in &mut vessels {
        if let Some(input) = order.0.take() {
            crew.0.helm = input.helm;
            crew.0.session = input.session;
            crew.0.seq = input.seq;
        }
        motion::follow_orders(&build.class, &mut crew.0);
    }
}

fn sample_sea(
    sea: Res<TheSea>,
    now: Res<Now>,
    fleet: Res<Fleet>,
    hands: Res<Hands>,
    mut wakes: ResMut<Wakes>,
    mut vessels: Query<Around>,
) {
    let acting = wakes.acting(now.0, &fleet, &mut vessels);
    hands.share(vessels.iter_mut(), VESSELS_A_HAND, |(_, build, crew, company, mut around)| {
        let place = crew.0.position_m.truncate();
        let mut water = sea.0.water(place, now.0);
        around.felt.clear();
        if let Some(samples) = acting {
            company.feel(samples, &build.class, place, now.0, &mut around.felt);
            water.wind_mps += around.felt.wind_mps;
        }
        around.water = Some(water);
    });
}

fn speed_up(hands: Res<Hands>, mut vessels: Query<(&Id, &Build, &Surroundings, &mut Crew)>) {
    hands.share(vessels.iter_mut(), VESSELS_A_HAND, |(id, build, around, mut crew)| {
        SAILING.set(Some(id.0));
        #[cfg(feature = "faults")]
        assert!(
            build.class.spec.name != super::SCUTTLED || crew.0.gear.throttle < super::SCUTTLING_THROTTLE,
            "the boat was built to sink"
        );
        let Some(water) = &around.water else { panic!("the sea is sampled before forces are summed") };
        let acceleration: Acceleration = if around.felt.wash.is_empty() {
            forces::acceleration(&build.class, &crew.0, water)
        } else {
            forces::acceleration_in_wash(&build.class, &crew.0, water, around.felt.waves().as_ref())
        };
        motion::speed_up(&mut crew.0, &acceleration);
    });
}

fn move_on(mut vessels: Query<(&Id, &mut Crew, &mut Motion)>) {
    for (id, mut crew, mut motion) in &mut vessels {
        SAILING.set(Some(id.0));
        if !std::mem::take(&mut motion.done) {
            motion::move_on(&mut crew.0);
        }
        let state = &crew.0;
        let sum = state.position_m + state.velocity_mps + state.spin_radps;
        assert!(sum.is_finite() && state.attitude.is_finite(), "vessel {} has left the numbers", id.0.0);
    }
}

fn keep_log(
    mut now: ResMut<Now>,
    mut wakes: ResMut<Wakes>,
    mut vessels: Query<(&Id, &Build, &Crew, &Surroundings, &mut Progress)>,
) {
    let tick = now.0.after(1);
    now.0 = tick;
    if wakes.are_due(tick) {
        wakes.take(tick, vessels.iter().map(|(id, build, crew, around, _)| (id, build, crew, around)));
    }
    for (_, _, crew, around, mut progress) in &mut vessels {
        let velocity = DVec2::new(crew.0.velocity_mps.x, crew.0.velocity_mps.y);
        let current = around.water.as_ref().map_or(DVec2::ZERO, |water| water.current_mps);
        let voyage = &mut progress.0;
        voyage.ground_m += velocity.length() * TICK_S;
        voyage.water_m += (velocity - current).length() * TICK_S;
        let Some(mark) = voyage.marks.get(usize::from(voyage.passed)) else { continue };
        let place = DVec2::new(crew.0.position_m.x, crew.0.position_m.y);
        if (place - mark.place).length() <= mark.radius_m {
            voyage.passed += 1;
            if usize::from(voyage.passed) == voyage.marks.len() {
                voyage.finished = Some(tick);
            }
        }
    }
}
