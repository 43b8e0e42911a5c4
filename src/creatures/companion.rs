//! Companions: what a vessel has attracted or touched, as a part of its state.
//!
//! Everything here follows from the vessel, the tick and the seed, and from nothing that another vessel
//! does. A companion is kept until the time of the track that it came from is over: until then the same
//! animal or thing cannot come again.

use std::sync::Arc;

use glam::{DVec2, DVec3};
use serde::{Deserialize, Serialize};

use super::blow::{Contact, TOUCHING, lethality, strike_force};
use super::species::{Kind, Traits};
use super::track::{Animal, AnimalId, Group, between};
use super::{Creatures, traits};
use crate::atlas::Species;
use crate::noise::{self, Stream};
use crate::trig;
use crate::units::{GRAVITY_MPS2, TICK_HZ, TICK_S, Tick, VesselId, WATER_KG_M3, knots};

/// Companions of one vessel at most: more than come together in half an hour but on purpose. Then what is over
/// is forgotten, and after that nothing more is attracted, and what is touched gives way.
pub const COMPANIONS: usize = 8;
/// How many one companion stands for at most: a whole group.
const NUMBER_MAX: u8 = 60;
/// Companions are decided on once a second.
const DECIDE_TICKS: u64 = TICK_HZ;
/// Mass that moves with a body under a blow over its own: half of the water that a cylinder would move
/// sideways (Newman, Marine Hydrodynamics, § 4.15), as blows come from every side.
const BODY_ADDED: f64 = 0.5;
/// Time in which a body that was pushed takes on the water's speed again, seconds.
const SLOWING_S: f64 = 15.0;
/// A whale that flees: speed away, m/s, and downwards, m/s.
const FLIGHT_MPS: f64 = 2.0;
const SOUNDING_MPS: f64 = 0.5;
/// Share of the water that it goes down through.
const SOUNDING_SHARE: f64 = 0.7;
/// At the end of their time bodies sink to this depth, metres, and how long before it they begin, ticks.
const SUNK_M: f64 = 8.0;
const SINKING_TICKS: u64 = 60 * TICK_HZ;
/// Beyond this distance nothing of a struck body is worked out any more, metres.
const LEFT_BEHIND_M: f64 = 1_000.0;
/// Slower than this through the water a net comes free, m/s, and nothing is caught, m/s.
const FREE_MPS: f64 = 0.1;
const CATCH_MPS: f64 = 0.5;
/// Shares of the least and the most speed that dolphins like at which they stay.
const STAY: [f64; 2] = [0.6, 1.2];
/// Periods in which a haunted vessel is rocked and pushed, seconds, and how long that takes to begin and end.
const ROCK_S: f64 = 4.1;
const PUSH_S: f64 = 9.7;
const ROUSE_S: f64 = 10.0;

/// What a companion is to its vessel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Role {
    /// Some of a pod ride its bow.
    Riding,
    /// A whale that it struck, and that lives.
    Fleeing,
    /// A whale that it killed.
    Dead,
    /// A log that it hit.
    Pushed,
    /// A net on its keel.
    Snared,
    /// It haunts the vessel.
    Haunting,
    /// It was here; the same will not come again.
    Over,
}

/// An animal or thing that belongs to a vessel for a while.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Companion {
    /// The animal or thing; of a pod that rides, the pod.
    pub id: AnimalId,
    /// What it is.
    pub species: Species,
    /// What it is to the vessel.
    pub role: Role,
    /// How many.
    pub number: u8,
    /// When it came.
    pub since: Tick,
    /// When it leaves, unless it does so before.
    pub until: Tick,
    /// When the time of its track is over.
    pub forget: Tick,
    /// Where it is, course frame, metres; of what the vessel carries along, where it came from.
    pub place: DVec2,
    /// Where it goes, m/s.
    pub velocity_mps: DVec2,
    /// Depth of its middle, metres.
    pub depth_m: f64,
    /// Radians clockwise from north.
    pub heading_rad: f64,
}

/// What the creatures need to know of a vessel.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Hull {
    /// Which vessel.
    pub vessel: VesselId,
    /// Centre of gravity, course frame, metres.
    pub place: DVec2,
    /// Unit vector towards the bow.
    pub forward: DVec2,
    /// Over the ground, m/s.
    pub velocity_mps: DVec2,
    /// Of the water around, m/s.
    pub current_mps: DVec2,
    /// Depth of that water, metres.
    pub water_m: f64,
    /// Centre of gravity above the water, metres.
    pub up_m: f64,
    /// Length over all, metres.
    pub length_m: f64,
    /// Beam, metres.
    pub beam_m: f64,
    /// Draft with the keel, metres.
    pub draft_m: f64,
    /// Mass, kilograms.
    pub mass_kg: f64,
    /// Metacentric height, metres.
    pub metacentric_m: f64,
}

impl Hull {
    /// Speed through the water, m/s.
    fn speed_mps(&self) -> f64 {
        (self.velocity_mps - self.current_mps).length()
    }
}

/// Force on a vessel and torque about its centre of gravity, course axes.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Push {
    /// Newtons.
    pub force_n: DVec3,
    /// Newton metres.
    pub torque_nm: DVec3,
}

impl Push {
    fn add(&mut self, force_n: DVec3, arm_m: DVec3) {
        self.force_n += force_n;
        self.torque_nm += arm_m.cross(force_n);
    }
}

/// Something that a log names.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Happening {
    /// To which vessel.
    pub vessel: VesselId,
    /// When.
    pub tick: Tick,
    /// With what.
    pub species: Species,
    /// Which one.
    pub id: AnimalId,
    /// What happened.
    pub what: What,
}

/// What happened.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum What {
    /// So many came to ride the bow.
    Came(u8),
    /// They left.
    Left,
    /// A whale was struck.
    Struck {
        /// The vessel's speed through the water, m/s.
        speed_mps: f64,
        /// Whether the whale dies of it.
        dead: bool,
    },
    /// A log was hit at this speed, m/s.
    Hit(f64),
    /// A net caught the keel.
    Snared,
    /// The net is off again.
    Freed,
    /// It came to haunt the vessel.
    Haunted,
    /// It went.
    Released,
}

impl std::fmt::Display for Happening {
    /// One line for a log: `vessel 3 struck a humpback whale at 6.2 knots: it flees`.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Traits { name, group_name, .. } = traits(self.species);
        let a = if name.starts_with(['a', 'e', 'i', 'o', 'u']) { "an" } else { "a" };
        write!(f, "vessel {} ", self.vessel.0)?;
        match self.what {
            What::Came(number) => write!(f, "has {number} {group_name} at its bow"),
            What::Left => write!(f, "is left by the {group_name}"),
            What::Struck { speed_mps, dead } => {
                let end = if dead { "it dies of that" } else { "it flees" };
                write!(f, "struck {a} {name} at {:.1} knots: {end}", knots(speed_mps))
            }
            What::Hit(speed_mps) => write!(f, "hit {a} {name} at {:.1} knots", knots(speed_mps)),
            What::Snared => write!(f, "has {a} {name} on its keel"),
            What::Freed => write!(f, "is free of the {name}"),
            What::Haunted => write!(f, "is followed by {a} {name}"),
            What::Released => write!(f, "is rid of the {name}"),
        }
    }
}

/// Whether a record's companions can be: few enough, and of this world.
#[must_use]
pub fn is_sound(companions: &[Companion]) -> bool {
    let near = |place: DVec2| place.is_finite() && place.length_squared() < 1e14;
    let can = |companion: &Companion| {
        let traits = traits(companion.species);
        match companion.role {
            Role::Riding => traits.rides.is_some(),
            Role::Fleeing | Role::Dead => traits.kind == Kind::Whale,
            Role::Pushed => traits.kind == Kind::Log,
            Role::Snared => traits.snares.is_some(),
            Role::Haunting => traits.haunts.is_some(),
            Role::Over => true,
        }
    };
    let one = |companion: &Companion| {
        can(companion)
            && companion.number <= NUMBER_MAX
            && near(companion.place)
            && companion.velocity_mps.is_finite()
            && companion.velocity_mps.length_squared() < 1e6
            && companion.depth_m.abs() < 1e4
            && companion.heading_rad.abs() < 100.0
            && [companion.since, companion.until, companion.forget].iter().all(|tick| tick.0 < 1 << 41)
    };
    companions.len() <= COMPANIONS && companions.iter().all(one)
}

/// One tick of a vessel among the groups that may be near it, which are in the order of their ids; more of them than are
/// needed change nothing.
///
/// Moves its companions on from the tick to the next, takes up new ones, says what happened, and returns what
/// pushes the vessel.
pub fn meet(
    creatures: &Creatures,
    groups: &[Arc<Group>],
    hull: &Hull,
    companions: &mut Vec<Companion>,
    tick: Tick,
    happenings: &mut Vec<Happening>,
) -> Push {
    companions.retain(|companion| tick < companion.forget);
    for group in groups {
        let kind = group.traits().kind;
        if kind.is_struck() || kind == Kind::Net {
            touch(creatures, group, hull, companions, tick, happenings);
        }
        if tick.0.is_multiple_of(DECIDE_TICKS) {
            attract(creatures, group, hull, companions, tick, happenings);
        }
    }
    let mut push = Push::default();
    for companion in companions.iter_mut() {
        let before = companion.role;
        let (species, id) = (companion.species, companion.id);
        let over = match companion.role {
            Role::Riding => ride(companion, hull, tick),
            Role::Fleeing | Role::Dead | Role::Pushed => {
                collide(companion, hull, tick, &mut push);
                None
            }
            Role::Snared => drag(companion, hull, tick, &mut push),
            Role::Haunting => rock(companion, hull, tick, &mut push),
            Role::Over => None,
        };
        if let Some(what) = over {
            debug_assert_ne!(before, Role::Over, "what is over cannot end");
            companion.role = Role::Over;
            happenings.push(Happening { vessel: hull.vessel, tick, species, id, what });
        }
    }
    push
}

/// Four draws for a vessel, an animal and a tick.
#[expect(clippy::cast_possible_truncation, reason = "the words of a counter")]
fn draw(creatures: &Creatures, hull: &Hull, id: AnimalId, tick: Tick) -> [f64; 4] {
    let counter = [hull.vessel.0, tick.0 as u32, (id.0 as u32) ^ ((id.0 >> 32) as u32).rotate_left(16)];
    noise::draw(creatures.sea().seed(), Stream::Companion, counter)
        .map(|bits| f64::from(bits) / 4_294_967_296.0)
}

/// Minutes as ticks.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "an hour at most")]
fn minutes(range: [f64; 2], share: f64) -> u64 {
    (between(range, share) * 60.0 / TICK_S) as u64
}

/// Room for one more; what is over makes place, the oldest first.
fn has_room(companions: &mut Vec<Companion>) -> bool {
    if companions.len() < COMPANIONS {
        return true;
    }
    let over = companions.iter().position(|companion| companion.role == Role::Over);
    over.map(|index| companions.remove(index)).is_some()
}

/// What a hull touches becomes its companion.
fn touch(
    creatures: &Creatures,
    group: &Group,
    hull: &Hull,
    companions: &mut Vec<Companion>,
    tick: Tick,
    happenings: &mut Vec<Happening>,
) {
    let kind = group.traits().kind;
    // A net lies spread: its length is how wide.
    let size = match kind {
        Kind::Net => [group.traits().length_m, 0.5 * group.traits().length_m],
        _ => [group.traits().length_m, group.traits().radius_m],
    };
    if group.is_hidden(tick) {
        return;
    }
    for animal in group.animals(creatures.sea(), tick) {
        let within_m = 0.5 * (hull.length_m + size[0]) + size[1];
        if (animal.place - hull.place).length_squared() > within_m * within_m
            || companions.iter().any(|companion| companion.id == animal.id)
        {
            continue;
        }
        let contact = Contact::of(hull, animal.place, animal.heading_rad, animal.depth_m, size);
        if contact.press_m <= 0.0 || contact.overlap < TOUCHING || !has_room(companions) {
            continue;
        }
        let (speed_mps, draws) = (hull.speed_mps(), draw(creatures, hull, animal.id, tick));
        let (_, forget) = group.time();
        let (role, until, what) = match kind {
            Kind::Log => (Role::Pushed, forget, Some(What::Hit(speed_mps))),
            Kind::Net => {
                let Some(snares) = &group.traits().snares else { continue };
                if speed_mps < CATCH_MPS {
                    continue;
                }
                let until = tick.after(minutes(snares.minutes, draws[1]));
                if draws[0] < snares.chance {
                    (Role::Snared, until, Some(What::Snared))
                } else {
                    (Role::Over, until, None)
                }
            }
            _ => {
                let dead = draws[0] < lethality(speed_mps);
                let role = if dead { Role::Dead } else { Role::Fleeing };
                (role, forget, Some(What::Struck { speed_mps, dead }))
            }
        };
        companions.push(taken(&animal, role, 1, [tick, until, forget.max(until)]));
        let (species, id) = (animal.species, animal.id);
        happenings.extend(what.map(|what| Happening { vessel: hull.vessel, tick, species, id, what }));
    }
}

/// An animal off its track.
fn taken(animal: &Animal, role: Role, number: u8, [since, until, forget]: [Tick; 3]) -> Companion {
    let Animal { id, species, place, velocity_mps, depth_m, heading_rad, .. } = *animal;
    Companion { id, species, role, number, since, until, forget, place, velocity_mps, depth_m, heading_rad }
}

/// What likes the vessel comes to it.
fn attract(
    creatures: &Creatures,
    group: &Group,
    hull: &Hull,
    companions: &mut Vec<Companion>,
    tick: Tick,
    happenings: &mut Vec<Happening>,
) {
    let traits = group.traits();
    let (reach_m, chance, time, role) = match (&traits.rides, &traits.haunts) {
        (Some(rides), _) => {
            if !(rides.speed_mps[0]..=rides.speed_mps[1]).contains(&hull.speed_mps()) {
                return;
            }
            (rides.reach_m, rides.chance_per_s, rides.minutes, Role::Riding)
        }
        (None, Some(haunts)) => (haunts.reach_m, haunts.chance_per_s, haunts.minutes, Role::Haunting),
        (None, None) => return,
    };
    let has_one = |companion: &Companion| companion.id == group.id || companion.role == role;
    let draws = draw(creatures, hull, group.id, tick);
    if draws[0] >= chance || companions.iter().any(has_one) {
        return;
    }
    let near = |animal: &Animal| {
        animal.is_seen() && (animal.place - hull.place).length_squared() < reach_m * reach_m
    };
    let Some(animal) = group.animals(creatures.sea(), tick).find(near) else { return };
    if !has_room(companions) {
        return;
    }
    let number = traits.rides.as_ref().map_or(1.0, |rides| between(rides.number, draws[2])).floor();
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "at most a group")]
    let number = (number as u32).min(group.size) as u8;
    let (_, forget) = group.time();
    let until = tick.after(minutes(time, draws[1])).min(forget);
    let came = Animal { id: group.id, ..animal };
    companions.push(taken(&came, role, number, [tick, until, forget]));
    let what = if role == Role::Riding { What::Came(number) } else { What::Haunted };
    happenings.push(Happening { vessel: hull.vessel, tick, species: group.species, id: group.id, what });
}

/// Dolphins stay while the vessel is worth it.
fn ride(companion: &Companion, hull: &Hull, tick: Tick) -> Option<What> {
    let liked = traits(companion.species).rides.as_ref().map_or([0.0; 2], |rides| rides.speed_mps);
    let stays = (STAY[0] * liked[0]..=STAY[1] * liked[1]).contains(&hull.speed_mps());
    (tick >= companion.until || !stays).then_some(What::Left)
}

/// A body that was touched: the hull's spring on it, and its own way.
fn collide(companion: &mut Companion, hull: &Hull, tick: Tick, push: &mut Push) {
    if (companion.place - hull.place).length_squared() > LEFT_BEHIND_M * LEFT_BEHIND_M {
        return;
    }
    let traits = traits(companion.species);
    let body_kg = traits.mass_kg * (1.0 + BODY_ADDED);
    let contact = Contact::with(hull, companion);
    if contact.press_m > 0.0 && contact.overlap > 0.0 {
        let closing_mps = (companion.velocity_mps - hull.velocity_mps).dot(contact.normal);
        let masses = [hull.mass_kg, body_kg];
        let force = contact.normal
            * (contact.overlap * strike_force(masses, traits.blow_s, contact.press_m, closing_mps));
        push.add(force.extend(0.0), contact.arm.extend(-hull.up_m - 0.5 * hull.draft_m));
        companion.velocity_mps -= force * (TICK_S / body_kg);
    }
    let mut wanted_mps = hull.current_mps;
    let floats_m = match companion.role {
        Role::Fleeing => {
            let (east, north) = trig::sin_cos(companion.heading_rad);
            wanted_mps += DVec2::new(east, north) * FLIGHT_MPS;
            traits.dive_m.min(SOUNDING_SHARE * hull.water_m).max(traits.radius_m)
        }
        // Out of sight before it is forgotten.
        _ if companion.forget.since(tick) < SINKING_TICKS => SUNK_M,
        Role::Dead => 0.4 * traits.radius_m,
        _ => 0.6 * traits.radius_m,
    };
    companion.velocity_mps += (wanted_mps - companion.velocity_mps) * (TICK_S / SLOWING_S);
    companion.place += companion.velocity_mps * TICK_S;
    let step_m = SOUNDING_MPS * TICK_S;
    companion.depth_m += (floats_m - companion.depth_m).clamp(-step_m, step_m);
}

/// A net drags at the stern, where propeller and rudder hold it.
fn drag(companion: &mut Companion, hull: &Hull, tick: Tick, push: &mut Push) -> Option<What> {
    let drag_m2 = traits(companion.species).snares.as_ref().map_or(0.0, |snares| snares.drag_m2);
    let through = hull.velocity_mps - hull.current_mps;
    let force = through * (-0.5 * WATER_KG_M3 * drag_m2 * through.length());
    let arm = hull.forward * (-0.4 * hull.length_m);
    push.add(force.extend(0.0), arm.extend(-hull.up_m - 0.5 * hull.draft_m));
    let stopped = tick.0.is_multiple_of(DECIDE_TICKS) && through.dot(hull.forward) < FREE_MPS;
    (stopped || tick >= companion.until).then_some(What::Freed)
}

/// What haunts a vessel rocks it and pushes it about.
fn rock(companion: &mut Companion, hull: &Hull, tick: Tick, push: &mut Push) -> Option<What> {
    let Some(haunts) = &traits(companion.species).haunts else { return Some(What::Released) };
    #[expect(clippy::cast_precision_loss, reason = "minutes of ticks")]
    let [t_s, left_s] = [tick.since(companion.since), companion.until.since(tick)].map(|n| n as f64 * TICK_S);
    let rouse = (t_s.min(left_s) / ROUSE_S).min(1.0);
    let weight_n = hull.mass_kg * GRAVITY_MPS2 * rouse;
    let (heel, _) = trig::sin_cos_turns(t_s / ROCK_S);
    let (side, _) = trig::sin_cos_turns(t_s / PUSH_S);
    let port = DVec2::new(-hull.forward.y, hull.forward.x);
    push.force_n += (port * (haunts.push_g * weight_n * side)).extend(0.0);
    push.torque_nm += (hull.forward * (haunts.rock_rad * hull.metacentric_m * weight_n * heel)).extend(0.0);
    (tick >= companion.until).then_some(What::Released)
}
