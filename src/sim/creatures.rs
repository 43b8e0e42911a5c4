//! Vessels among creatures: who has something near, and what it does to them.
//!
//! Looking around is dear, so it is done every [`LOOK_TICKS`], wide enough that nothing can come near
//! before the next look; only those who have something near, or with them, are asked in every tick. When a
//! look is taken makes no difference to anything: what is too far is too far.

use std::collections::BTreeMap;
use std::sync::Arc;

use bevy_ecs::entity::Entity;
use bevy_ecs::resource::Resource;
use bevy_ecs::system::{Query, Res, ResMut};
use bevy_ecs::world::World;
use glam::DVec2;

use super::phases::{Build, Crew, Fleet, Id, Now, Progress, Surroundings, TheSea};
use crate::atlas::Cell;
use crate::creatures::{
    self, ATTRACT_M_MAX, Animal, CELL_M, Creatures, Group, Happening, Hull, PERIOD_TICKS, Role, scatter_m,
};
use crate::sea::{Sea, Water};
use crate::units::{TICK_HZ, Tick, VesselId};
use crate::vessel::forces::{self, Wrench};
use crate::vessel::{Class, VesselState, motion, rotation};

/// Ticks between two looks around: two seconds.
const LOOK_TICKS: u64 = 2 * TICK_HZ;
/// How much nearer something can come until the next look, metres: 40 m/s of the vessel, as the model bounds
/// it, and 6 m/s of the animal.
const CLOSING_M: f64 = 92.0;

/// The creatures of a simulation, and what is remembered of them from look to look.
#[derive(Resource)]
pub(super) struct Wild {
    creatures: Creatures,
    /// Whether somebody came or went since the last look.
    stale: bool,
    /// Those who have something near or with them, in rising order of their ids.
    involved: Vec<(Entity, Vec<Arc<Group>>)>,
    /// What pushes whom in this tick.
    pushes: Vec<(Entity, Wrench)>,
    happenings: Vec<Happening>,
}

impl Wild {
    pub(super) fn new(sea: Arc<Sea>) -> Self {
        Self {
            creatures: Creatures::new(sea),
            stale: true,
            involved: Vec::new(),
            pushes: Vec::new(),
            happenings: Vec::new(),
        }
    }

    /// Has the next step look around: a vessel came or went.
    pub(super) fn look_again(&mut self) {
        self.stale = true;
    }

    pub(super) fn happenings(&self) -> &[Happening] {
        &self.happenings
    }

    /// Groups that may matter to somebody in a cell, each with where it is about and how far from there its animals
    /// may be.
    fn spots(&self, cell: Cell, tick: Tick) -> Vec<(DVec2, f64, Arc<Group>)> {
        let mut spots = Vec::new();
        creatures::with_field(&self.creatures, |field| {
            field.around(&self.creatures, cell, tick, |group| {
                if group.traits().kind.matters() {
                    let (place, slack_m) = group.about(tick);
                    spots.push((place, slack_m + scatter_m(group.traits()), Arc::clone(group)));
                }
            });
        });
        // The same order whichever cell is in the middle.
        spots.sort_by_key(|(_, _, group)| group.id);
        spots
    }

    /// Looks who has what near.
    fn look(&mut self, tick: Tick, fleet: &Fleet, vessels: &Query<Meeting>) {
        self.stale = false;
        self.involved.clear();
        if self.creatures.kinds().is_empty() {
            return;
        }
        let mut by_cell: BTreeMap<Cell, Vec<(DVec2, f64, Arc<Group>)>> = BTreeMap::new();
        for &entity in &fleet.entities {
            let Ok((_, build, crew, progress, _)) = vessels.get(entity) else { continue };
            let place = crew.0.position_m.truncate();
            let cell = Cell::of(place, CELL_M);
            let reach_m = ATTRACT_M_MAX + CLOSING_M + 0.6 * build.class.spec.length_m;
            let near = |at: DVec2, more_m: f64| {
                (at - place).length_squared() < (reach_m + more_m) * (reach_m + more_m)
            };
            let spots = &*by_cell.entry(cell).or_insert_with(|| self.spots(cell, tick));
            let mut groups = Vec::new();
            for (at, more_m, group) in spots {
                // Only who comes near something that drifts finds out where it is.
                if near(*at, *more_m)
                    && let Some(at) = group.place(self.creatures.sea(), tick)
                    && near(at, scatter_m(group.traits()))
                {
                    groups.push(Arc::clone(group));
                }
            }
            if !groups.is_empty() || !progress.0.companions.is_empty() {
                self.involved.push((entity, groups));
            }
        }
    }
}

/// What it takes to meet creatures.
pub(super) type Meeting =
    (&'static Id, &'static Build, &'static Crew, &'static mut Progress, &'static Surroundings);

/// What the creatures need to know of a vessel.
fn hull_of(id: VesselId, class: &Class, state: &VesselState, water: &Water) -> Hull {
    let axes = rotation::axes(state.attitude);
    let flat = DVec2::new(axes.x_axis.x, axes.x_axis.y);
    let length = flat.length();
    Hull {
        vessel: id,
        place: state.position_m.truncate(),
        // Bow straight up or down: any heading will do.
        forward: if length > 1e-6 { flat / length } else { DVec2::X },
        velocity_mps: state.velocity_mps.truncate(),
        current_mps: water.current_mps,
        water_m: water.level_m - water.bed_m,
        up_m: state.position_m.z - water.level_m,
        length_m: class.spec.length_m,
        beam_m: class.spec.beam_m,
        draft_m: class.draft_m(),
        mass_kg: class.mass_kg,
        metacentric_m: class.spec.hull.metacentric_height_m,
    }
}

/// Finds out what creatures do to the vessels in this tick.
pub(super) fn meet_creatures(
    now: Res<Now>,
    fleet: Res<Fleet>,
    mut wild: ResMut<Wild>,
    mut vessels: Query<Meeting>,
) {
    let wild = &mut *wild;
    wild.pushes.clear();
    wild.happenings.clear();
    if wild.stale || now.0.0.is_multiple_of(LOOK_TICKS) {
        wild.look(now.0, &fleet, &vessels);
    }
    for (entity, groups) in &wild.involved {
        let Ok((id, build, crew, mut progress, around)) = vessels.get_mut(*entity) else { continue };
        let Some(water) = &around.water else { continue };
        let hull = hull_of(id.0, &build.class, &crew.0, water);
        let companions = &mut progress.0.companions;
        let push = creatures::meet(&wild.creatures, groups, &hull, companions, now.0, &mut wild.happenings);
        if push != creatures::Push::default() {
            let wrench = Wrench { force_n: push.force_n, torque_nm: push.torque_nm };
            wild.pushes.push((*entity, wrench));
        }
    }
}

/// Gives the pushes to the vessels, after all else has pulled at them.
pub(super) fn push_vessels(wild: Res<Wild>, mut vessels: Query<(&Build, &mut Crew)>) {
    for (entity, push) in &wild.pushes {
        let Ok((build, mut crew)) = vessels.get_mut(*entity) else { continue };
        let acceleration = forces::answer(&build.class, &crew.0, push);
        motion::speed_up(&mut crew.0, &acceleration);
    }
}

/// See [`super::Sim::animals_around`].
pub(super) fn seen_from(
    world: &World,
    id: VesselId,
    radius_m: f64,
    most: usize,
) -> Vec<(Option<VesselId>, Animal)> {
    let tick = world.resource::<Now>().0;
    let fleet = world.resource::<Fleet>();
    let own = fleet.ids.binary_search(&id).ok().and_then(|index| world.get::<Crew>(fleet.entities[index]));
    let Some(place) = own.map(|crew| crew.0.position_m.truncate()) else { return Vec::new() };
    let mut hulls = Vec::new();
    for (entity, _) in &world.resource::<Wild>().involved {
        let parts = (world.get::<Id>(*entity), world.get::<Build>(*entity));
        let (Some(Id(vessel)), Some(build)) = parts else { continue };
        let parts = (world.get::<Crew>(*entity), world.get::<Progress>(*entity));
        let (Some(crew), Some(progress)) = parts else { continue };
        if !progress.0.companions.is_empty() {
            let water = world.resource::<TheSea>().0.water(crew.0.position_m.truncate(), tick);
            hulls.push((hull_of(*vessel, &build.class, &crew.0, &water), &progress.0.companions));
        }
    }
    let wild = &world.resource::<Wild>().creatures;
    let taken = |animal: &Animal| {
        let is = |companion: &creatures::Companion| {
            companion.id == animal.id && !matches!(companion.role, Role::Over | Role::Riding)
        };
        hulls.iter().any(|(_, companions)| companions.iter().any(is))
    };
    let around = creatures::with_field(wild, |field| field.near(wild, place, radius_m, tick));
    let mut seen: Vec<(Option<VesselId>, Animal)> =
        around.into_iter().filter(|animal| !taken(animal)).map(|animal| (None, animal)).collect();
    for (hull, companions) in &hulls {
        let theirs = companions.iter().flat_map(|companion| creatures::seen_as(companion, hull, tick));
        seen.extend(theirs.map(|animal| (Some(hull.vessel), animal)));
    }
    let off_m2 = |animal: &Animal| (animal.place - place).length_squared();
    seen.retain(|(owner, animal)| {
        off_m2(animal) < radius_m * radius_m && (animal.is_seen() || (owner.is_some() && *owner == Some(id)))
    });
    seen.sort_by(|(a_owner, a), (b_owner, b)| {
        let others = |owner: &Option<VesselId>| *owner != Some(id);
        others(a_owner).cmp(&others(b_owner)).then(off_m2(a).total_cmp(&off_m2(b))).then(a.id.cmp(&b.id))
    });
    seen.truncate(most);
    seen
}

const _: () = assert!(LOOK_TICKS < PERIOD_TICKS, "a look lasts for less than a track");
