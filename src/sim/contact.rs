//! Islands: vessels that may touch each other or something fixed, stepped by themselves.
//!
//! Contact has no memory. Each tick a pure rule over places and speeds says which vessels and prims form
//! an island; each island is stepped in a fresh world, bodies in rising order of their ids, prims in an
//! order of their own, for a fixed number of iterations. An island that is handed over whole goes on with
//! the same bits, also while touching.

use bevy_ecs::entity::Entity;
use bevy_ecs::resource::Resource;
use bevy_ecs::system::{Query, Res, ResMut};
use glam::DVec3;
use rapier3d::prelude::{
    ColliderBuilder, IntegrationParameters, MassProperties, PhysicsWorld, Pose, RigidBodyBuilder,
    RigidBodyHandle, Rotation, SharedShape, Vector,
};

use super::hands::Hands;
use super::phases::{Build, Crew, Fleet, Motion};
use super::prims::{Fixed, Standing};
use crate::atlas::Shape;
use crate::units::TICK_S;
use crate::vessel::{Class, VesselState, rotation};

/// Reach of a hull from its centre of gravity over its length: more than half, as the centre lies aft or
/// forward of the middle.
const REACH: f64 = 0.6;
/// Added to the reach, metres: contact is felt before it happens.
const MARGIN_M: f64 = 0.5;
/// Distance at which contacts are foreseen, metres: what two boats close in a tick at 20 m/s.
const FORESEEN_M: f64 = 0.45;
/// Iterations of the contact solver, the same on every machine.
const ITERATIONS: usize = 8;
/// Fibreglass, fenders and wood.
const FRICTION: f64 = 0.3;
const RESTITUTION: f64 = 0.1;
/// Half the thickness of a keel, metres.
const KEEL_HALF_M: f64 = 0.08;

/// A hull as it touches: convex parts about the centre of gravity.
pub struct Fender {
    parts: Vec<(Pose, SharedShape)>,
}

impl Fender {
    /// The hull of a class between deck and keel line, and its keel as a blade.
    #[must_use]
    pub fn of(class: &Class) -> Self {
        let points = class.outline_m();
        let (low, high) =
            points.iter().fold((points[0], points[0]), |(low, high), p| (low.min(*p), high.max(*p)));
        let half = (high - low) * 0.5;
        let mut parts = Vec::new();
        // An outline that spans no volume cannot be: the check of boats sees to it.
        match SharedShape::convex_hull(&points) {
            Some(hull) => parts.push((Pose::IDENTITY, hull)),
            None => parts.push((
                Pose::from_translation((low + high) * 0.5),
                SharedShape::cuboid(half.x, half.y, half.z),
            )),
        }
        if let Some(keel) = &class.spec.keel {
            let middle =
                DVec3::new(keel.x_m - class.cg_x_m, 0.0, -(keel.top_m + 0.5 * keel.span_m) - class.cg_m);
            let blade = SharedShape::cuboid(0.5 * keel.chord_m, KEEL_HALF_M, 0.5 * keel.span_m);
            parts.push((Pose::from_translation(middle), blade));
        }
        Self { parts }
    }
}

/// One vessel as the search for islands sees it.
#[derive(Clone, Copy)]
struct Spot {
    place_m: DVec3,
    reach_m: f64,
    /// Its place in the fleet, which is in order of ids.
    index: u32,
}

/// Memory that is used again every tick; it carries nothing over.
#[derive(Resource, Default)]
pub(super) struct Scratch {
    spots: Vec<Spot>,
    /// Leader of each vessel's island: the lowest index.
    leader: Vec<u32>,
    /// (leader, member) of vessels that are in an island.
    members: Vec<(u32, u32)>,
    /// (vessel, prim) within reach.
    touching: Vec<(u32, u32)>,
}

/// How far a vessel may touch in this tick, metres from its centre of gravity.
fn reach_m(length_m: f64, velocity_mps: DVec3) -> f64 {
    REACH * length_m + MARGIN_M + velocity_mps.length() * TICK_S
}

/// Finds the islands and moves them.
pub(super) fn step_islands(
    fleet: Res<Fleet>,
    standing: Res<Standing>,
    hands: Res<Hands>,
    mut scratch: ResMut<Scratch>,
    mut vessels: Query<(&Build, &mut Crew, &mut Motion)>,
) {
    let scratch = &mut *scratch;
    scratch.spots.clear();
    for (index, entity) in fleet.entities.iter().enumerate() {
        let Ok((build, crew, _)) = vessels.get(*entity) else { continue };
        scratch.spots.push(Spot {
            place_m: crew.0.position_m,
            reach_m: reach_m(build.class.spec.length_m, crew.0.velocity_mps),
            index: u32::try_from(index).unwrap_or(u32::MAX),
        });
    }
    scratch.find(&standing);
    let scratch = &*scratch;
    let mut islands: Vec<Afloat> = scratch
        .members
        .chunk_by(|a, b| a.0 == b.0)
        .map(|members| Afloat { members, moved: Vec::new() })
        .collect();
    let afloat = &vessels;
    hands.share(islands.iter_mut(), 1, |Afloat { members, moved }| {
        let mut island = Island::new();
        let mut prims = Vec::new();
        for (_, index) in *members {
            let Ok((build, crew, _)) = afloat.get(fleet.entities[*index as usize]) else { continue };
            island.put(&build.class, &build.fender, &crew.0);
            moved.push((fleet.entities[*index as usize], crew.0));
            let from = scratch.touching.partition_point(|(vessel, _)| vessel < index);
            let near = scratch.touching[from..].iter().take_while(|(vessel, _)| vessel == index);
            prims.extend(near.map(|(_, prim)| *prim));
        }
        prims.sort_unstable();
        prims.dedup();
        for prim in prims {
            island.stand(standing.get(prim));
        }
        island.world.step();
        for (body, (_, state)) in moved.iter_mut().enumerate() {
            island.read(body, state);
        }
    });
    for (entity, state) in islands.into_iter().flat_map(|island| island.moved) {
        let Ok((_, mut crew, mut motion)) = vessels.get_mut(entity) else { continue };
        crew.0 = state;
        motion.done = true;
    }
    hands.dismiss();
}

/// An island: its vessels, with their leader, and as they were moved.
struct Afloat<'a> {
    members: &'a [(u32, u32)],
    moved: Vec<(Entity, VesselState)>,
}

impl Scratch {
    /// Joins vessels within each other's reach, and finds who is near a prim.
    fn find(&mut self, standing: &Standing) {
        self.touching.clear();
        self.members.clear();
        self.leader.clear();
        self.leader.extend(self.spots.iter().map(|spot| spot.index));
        if !standing.is_empty() {
            for spot in &self.spots {
                let near = standing.near(spot.place_m, spot.reach_m);
                self.touching.extend(near.map(|prim| (spot.index, prim)));
            }
        }
        let widest_m = self.spots.iter().fold(0.0_f64, |widest, spot| widest.max(spot.reach_m));
        let mut met = false;
        self.spots.sort_unstable_by(|a, b| a.place_m.x.total_cmp(&b.place_m.x).then(a.index.cmp(&b.index)));
        for (n, a) in self.spots.iter().enumerate() {
            for b in &self.spots[n + 1..] {
                let d = b.place_m - a.place_m;
                if d.x > a.reach_m + widest_m {
                    break;
                }
                let reach = a.reach_m + b.reach_m;
                if d.x * d.x + d.y * d.y < reach * reach {
                    join(&mut self.leader, a.index, b.index);
                    met = true;
                }
            }
        }
        if !met && self.touching.is_empty() {
            return;
        }
        for index in 0..u32::try_from(self.leader.len()).unwrap_or(u32::MAX) {
            let leader = find(&mut self.leader, index);
            self.members.push((leader, index));
        }
        self.members.sort_unstable();
        // A vessel on its own stays in only if a prim is near.
        let (members, touching) = (&self.members, &self.touching);
        let alone = |n: usize| {
            let leader = members[n].0;
            (n == 0 || members[n - 1].0 != leader) && members.get(n + 1).is_none_or(|next| next.0 != leader)
        };
        let keep: Vec<(u32, u32)> = (0..members.len())
            .filter(|n| {
                let index = members[*n].1;
                !alone(*n) || touching.binary_search_by_key(&index, |(vessel, _)| *vessel).is_ok()
            })
            .map(|n| members[n])
            .collect();
        self.members = keep;
    }
}

/// The lowest index of a set; halves the path to it.
fn find(leader: &mut [u32], mut index: u32) -> u32 {
    while leader[index as usize] != index {
        let up = leader[index as usize];
        leader[index as usize] = leader[up as usize];
        index = up;
    }
    index
}

/// Joins two sets under the lower of their leaders.
fn join(leader: &mut [u32], a: u32, b: u32) {
    let (a, b) = (find(leader, a), find(leader, b));
    let (low, high) = if a < b { (a, b) } else { (b, a) };
    leader[high as usize] = low;
}

/// One island's world for one tick.
struct Island {
    world: PhysicsWorld,
    bodies: Vec<RigidBodyHandle>,
}

impl Island {
    fn new() -> Self {
        let integration_parameters = IntegrationParameters {
            dt: TICK_S,
            num_solver_iterations: ITERATIONS,
            normalized_prediction_distance: FORESEEN_M,
            max_ccd_substeps: 0,
            contact_recycling: false,
            ..IntegrationParameters::default()
        };
        let world = PhysicsWorld { gravity: Vector::ZERO, integration_parameters, ..PhysicsWorld::default() };
        Self { world, bodies: Vec::new() }
    }

    /// Puts a vessel in with the velocity that forces have given it.
    fn put(&mut self, class: &Class, fender: &Fender, state: &VesselState) {
        let body = RigidBodyBuilder::dynamic()
            .pose(Pose::from_parts(state.position_m, state.attitude))
            .linvel(state.velocity_mps)
            .angvel(state.spin_radps)
            .can_sleep(false)
            .additional_mass_properties(MassProperties::new(Vector::ZERO, class.mass_kg, class.inertia_kgm2))
            .build();
        let body = self.world.bodies.insert(body);
        for (pose, shape) in &fender.parts {
            let collider = ColliderBuilder::new(shape.clone())
                .position(*pose)
                .density(0.0)
                .friction(FRICTION)
                .restitution(RESTITUTION)
                .build();
            self.world.colliders.insert_with_parent(collider, body, &mut self.world.bodies);
        }
        self.bodies.push(body);
    }

    /// Puts something fixed in.
    fn stand(&mut self, prim: &Fixed) {
        let (shape, attitude) = match prim.shape {
            Shape::Box(half) => (SharedShape::cuboid(half.x, half.y, half.z), prim.attitude),
            Shape::Cylinder { radius_m, half_height_m } => {
                // A cylinder of the solver lies along y: a quarter turn about x sets it upright.
                let half = std::f64::consts::FRAC_1_SQRT_2;
                (SharedShape::cylinder(half_height_m, radius_m), Rotation::from_xyzw(half, 0.0, 0.0, half))
            }
            Shape::Ball(radius_m) => (SharedShape::ball(radius_m), prim.attitude),
        };
        let collider = ColliderBuilder::new(shape)
            .position(Pose::from_parts(prim.centre_m, attitude))
            .friction(FRICTION)
            .restitution(RESTITUTION)
            .build();
        self.world.colliders.insert(collider);
    }

    /// Reads a vessel back.
    fn read(&self, body: usize, state: &mut VesselState) {
        let body = &self.world.bodies[self.bodies[body]];
        let pose = body.position();
        state.position_m = pose.translation;
        state.attitude = rotation::normal(pose.rotation);
        state.velocity_mps = body.linvel();
        state.spin_radps = body.angvel();
    }
}
