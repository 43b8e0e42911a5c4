//! Tracks: where the animals of a group are, as a closed form of the tick.
//!
//! A group is there for [`PERIOD_TICKS`]. It comes up from below, or down from far above, in the first two
//! minutes, and leaves likewise, so that nothing ever appears or vanishes in sight.

use std::sync::OnceLock;

use glam::DVec2;
use serde::{Deserialize, Serialize};

use super::species::{Kind, Traits};
use crate::atlas::{Course, Depth, FAR_M, Species};
use crate::noise::{self, Stream};
use crate::sea::Sea;
use crate::trig;
use crate::units::{TICK_HZ, TICK_S, Tick};

/// How long a group is there, ticks: half an hour.
pub const PERIOD_TICKS: u64 = 1_800 * TICK_HZ;
/// Half of it, seconds.
const HALF_S: f64 = 900.0;
/// At both ends it is wholly out of sight and reach for so long, seconds: lists that are made every two
/// seconds need not be exact about when it begins.
const HIDDEN_S: f64 = 4.0;
/// How long it takes to come into sight, and to leave it, seconds.
const FADE_S: f64 = 120.0;
/// Where a bird comes from, metres up.
const ALOFT_M: f64 = 250.0;
/// Where what drifts comes from, metres down: wood and nets soak, sink and rise.
const SUNK_M: f64 = 6.0;
/// Share of the water that an animal dives through.
const DIVE_SHARE: f64 = 0.7;
/// Share of a group's speed that swings from side to side.
const MEANDER: f64 = 0.3;
/// Distance between two looks at the depth along a track where nothing says that more is safe, metres.
const LOOK_M: f64 = 40.0;
/// Looks at most: a track of five kilometres at [`LOOK_M`] takes 130.
const LOOKS_MAX: usize = 400;
/// Time between two looks at the current that something drifts in, seconds, and how many there are each way.
const DRIFT_S: f64 = 450.0;
const DRIFT_NODES: usize = 2;
/// Fastest drift, m/s: who looks for what drifts must look so far for its way. Few tides run faster, and what is
/// soaked lags behind those.
const DRIFT_MPS_MAX: f64 = 2.0;
/// Bits of a member's number in an id; all of them stand for the whole group.
const MEMBER_BITS: u32 = 6;
/// What is seen of an animal: its back within this of the surface, metres.
const SEEN_M: f64 = 1.0;
/// How high a bird is still seen, metres.
const SEEN_UP_M: f64 = 150.0;

/// An animal, or a group of them: unique on a course for sixty years.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct AnimalId(pub u64);

impl AnimalId {
    /// The group that it belongs to.
    #[must_use]
    pub const fn group(self) -> Self {
        Self(self.0 | ((1 << MEMBER_BITS) - 1))
    }

    const fn member(self, number: u32) -> Self {
        Self((self.0 & !((1 << MEMBER_BITS) - 1)) | number as u64)
    }
}

/// What an animal or a thing is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(into = "u8", try_from = "u8")]
pub enum Doing {
    /// Swims at the surface.
    Swimming,
    /// Blows, or leaps.
    Blowing,
    /// On its way down or up.
    Diving,
    /// Deep down.
    Below,
    /// Goes where the water goes.
    Drifting,
    /// Flies.
    Flying,
    /// Rides a vessel's bow.
    Riding,
    /// Flees from the vessel that struck it.
    Fleeing,
    /// Dead of a vessel's blow.
    Dead,
    /// Pushed about by a vessel.
    Pushed,
    /// Hangs on a vessel's keel.
    Snared,
    /// Haunts a vessel.
    Haunting,
}

impl Doing {
    const ALL: [Self; 12] = [
        Self::Swimming,
        Self::Blowing,
        Self::Diving,
        Self::Below,
        Self::Drifting,
        Self::Flying,
        Self::Riding,
        Self::Fleeing,
        Self::Dead,
        Self::Pushed,
        Self::Snared,
        Self::Haunting,
    ];
}

impl From<Doing> for u8 {
    fn from(doing: Doing) -> Self {
        doing as Self
    }
}

impl TryFrom<u8> for Doing {
    type Error = String;

    fn try_from(number: u8) -> Result<Self, String> {
        Self::ALL
            .get(usize::from(number))
            .copied()
            .ok_or_else(|| format!("nothing does what has number {number}"))
    }
}

/// One animal or thing at one tick.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Animal {
    /// Which one.
    pub id: AnimalId,
    /// What it is.
    pub species: Species,
    /// Where its middle is, course frame, metres.
    pub place: DVec2,
    /// Where it goes, over the ground, m/s.
    pub velocity_mps: DVec2,
    /// How far its middle is below the surface, metres; negative in the air.
    pub depth_m: f64,
    /// Where its head points, radians clockwise from north.
    pub heading_rad: f64,
    /// What it is doing.
    pub doing: Doing,
}

impl Animal {
    /// Whether it shows at the surface, or flies low enough to be seen.
    #[must_use]
    pub fn is_seen(&self) -> bool {
        let radius_m = super::traits(self.species).radius_m;
        self.depth_m < radius_m + SEEN_M && self.depth_m > -SEEN_UP_M
    }
}

/// What only those need to know who come near a group.
#[derive(Debug)]
struct Track {
    /// Least water on the way, metres.
    shallowest_m: f64,
    /// Place and velocity at the nodes of time, for what drifts.
    drift: Option<[(DVec2, DVec2); 2 * DRIFT_NODES + 1]>,
}

/// A group of one species, or one thing, for the time that it is there.
#[derive(Debug)]
pub struct Group {
    /// What they are.
    pub species: Species,
    /// Its id.
    pub id: AnimalId,
    /// How many there are.
    pub size: u32,
    traits: &'static Traits,
    seed: u64,
    /// What its draws count by: cell, period, species and number.
    counter: [u32; 3],
    /// Where it is halfway.
    home: DVec2,
    /// When that is, ticks; before the epoch for some of the first.
    middle: i64,
    along: DVec2,
    speed_mps: f64,
    /// Period of its meander, seconds, and its phase, turns.
    meander: [f64; 2],
    /// Phase of its dives, turns.
    dives: f64,
    track: OnceLock<Option<Track>>,
}

/// Draws of one group that are not a member's.
const PLACE: u32 = 252;
const WAY: u32 = 253;
const SIZE: u32 = 254;

/// From 32 bits to [0, 1).
fn share(bits: u32) -> f64 {
    f64::from(bits) * (1.0 / 4_294_967_296.0)
}

/// A number between two, by a share.
pub(super) fn between([low, high]: [f64; 2], share: f64) -> f64 {
    low + (high - low) * share
}

/// A Poisson draw of a mean, by inversion (Devroye 1986, ch. X), at most `most`.
pub(super) fn poisson(mean: f64, uniform: f64, most: u32) -> u32 {
    let mut chance = trig::exp(-mean);
    let mut sum = chance;
    let mut count = 0;
    while uniform >= sum && count < most {
        count += 1;
        chance *= mean / f64::from(count);
        sum += chance;
    }
    count
}

fn smooth(t: f64) -> f64 {
    t * t * (3.0 - 2.0 * t)
}

impl Group {
    /// The group of a number; `corner` and `side_m` are its cell's, `middle` the tick halfway.
    pub(super) fn drawn(
        seed: u64,
        species: Species,
        id: AnimalId,
        counter: [u32; 3],
        (corner, side_m): (DVec2, f64),
        middle: i64,
    ) -> Self {
        let traits = super::traits(species);
        let draw =
            |purpose| noise::draw(seed, Stream::Creature, [counter[0], counter[1], counter[2] | purpose]);
        let (place, way, size) = (draw(PLACE), draw(WAY), draw(SIZE));
        let (east, north) = trig::sin_cos_turns(share(way[0]));
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "1 to 60, as checked")]
        let [least, most] = [traits.group[0] as u32, traits.group[2] as u32];
        let more = poisson(traits.group[1] - traits.group[0], share(size[0]), most - least);
        Self {
            species,
            id: id.group(),
            size: least + more,
            traits,
            seed,
            counter,
            home: corner + DVec2::new(share(place[0]), share(place[1])) * side_m,
            middle,
            along: DVec2::new(east, north),
            speed_mps: between(traits.speed_mps, share(way[1])),
            meander: [between([300.0, 900.0], share(way[2])), share(way[3])],
            dives: share(size[1]),
            track: OnceLock::new(),
        }
    }

    /// The first tick of its time, and the first after it.
    #[must_use]
    pub fn time(&self) -> (Tick, Tick) {
        let half = (PERIOD_TICKS / 2).cast_signed();
        let tick = |at: i64| Tick(at.max(0).cast_unsigned());
        (tick(self.middle - half), tick(self.middle + half))
    }

    /// What it is like.
    #[must_use]
    pub const fn traits(&self) -> &'static Traits {
        self.traits
    }

    /// Seconds from halfway.
    fn seconds(&self, tick: Tick) -> f64 {
        #[expect(clippy::cast_precision_loss, reason = "half an hour of ticks")]
        let ticks = tick.0.cast_signed().saturating_sub(self.middle) as f64;
        ticks * TICK_S
    }

    /// Where its middle would be, and within how much of it, before anybody has looked at its track.
    #[must_use]
    pub fn about(&self, tick: Tick) -> (DVec2, f64) {
        if !self.traits.kind.drifts() {
            return (self.swim(self.seconds(tick)).0, 0.0);
        }
        match self.track.get() {
            Some(Some(track)) => (self.drift(track, self.seconds(tick)).0, 0.0),
            _ => (self.home, DRIFT_MPS_MAX * HALF_S),
        }
    }

    /// Whether somebody has found out already that there is no water for it.
    pub(super) fn is_known_gone(&self) -> bool {
        matches!(self.track.get(), Some(None))
    }

    /// Whether there is water for it all the way: where not, it never was there.
    #[must_use]
    pub fn is_there(&self, sea: &Sea) -> bool {
        self.track(sea).is_some()
    }

    /// Where its middle is at a tick of its time; none where it never was there.
    #[must_use]
    pub fn place(&self, sea: &Sea, tick: Tick) -> Option<DVec2> {
        let track = self.track(sea)?;
        Some(self.centre(track, self.seconds(tick)).0)
    }

    /// Its animals at a tick; none outside its time.
    pub fn animals(&self, sea: &Sea, tick: Tick) -> impl Iterator<Item = Animal> {
        let t_s = self.seconds(tick);
        let track = if t_s.abs() < HALF_S { self.track(sea) } else { None };
        let at = track.map(|track| (track, self.centre(track, t_s)));
        (0..self.size)
            .filter_map(move |member| at.map(|(track, centre)| self.animal(track, centre, t_s, member)))
    }

    /// Whether it is out of reach, whatever its depth says: at the very ends of its time.
    #[must_use]
    pub fn is_hidden(&self, tick: Tick) -> bool {
        HALF_S - self.seconds(tick).abs() < HIDDEN_S
    }

    fn track(&self, sea: &Sea) -> Option<&Track> {
        self.track.get_or_init(|| self.find_track(sea)).as_ref()
    }

    fn centre(&self, track: &Track, t_s: f64) -> (DVec2, DVec2) {
        if track.drift.is_some() { self.drift(track, t_s) } else { self.swim(t_s) }
    }

    /// Place and velocity of a group that swims or flies: straight on, with a slow swing across.
    fn swim(&self, t_s: f64) -> (DVec2, DVec2) {
        let [period_s, phase] = self.meander;
        let (s, c) = trig::sin_cos_turns(t_s / period_s + phase);
        let across_mps = MEANDER * self.speed_mps;
        let across_m = across_mps * period_s * (1.0 / std::f64::consts::TAU);
        let across = DVec2::new(self.along.y, -self.along.x);
        let place = self.home + self.along * (self.speed_mps * t_s) + across * (across_m * s);
        (place, self.along * self.speed_mps + across * (across_mps * c))
    }

    /// Place and velocity of what drifts: velocities between nodes are blended evenly.
    fn drift(&self, track: &Track, t_s: f64) -> (DVec2, DVec2) {
        let Some(nodes) = &track.drift else { return (self.home, DVec2::ZERO) };
        let u = ((t_s + HALF_S) * (1.0 / DRIFT_S)).clamp(0.0, 3.999_999);
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "0 to 3")]
        let node = u as usize;
        #[expect(clippy::cast_precision_loss, reason = "0 to 3")]
        let f = u - node as f64;
        let ((place, from), (_, to)) = (nodes[node], nodes[node + 1]);
        (place + (from + (to - from) * (0.5 * f)) * (f * DRIFT_S), from + (to - from) * f)
    }

    fn animal(&self, track: &Track, (centre, way): (DVec2, DVec2), t_s: f64, member: u32) -> Animal {
        let traits = self.traits;
        let id = self.id.member(member);
        let draw = noise::draw(
            self.seed,
            Stream::Creature,
            [self.counter[0], self.counter[1], self.counter[2] | member],
        );
        if traits.kind.drifts() {
            let float_m = 0.6 * traits.radius_m;
            let depth_m = float_m + (self.hidden_m(track) - float_m) * hidden(t_s);
            let heading_rad = share(draw[0]) * std::f64::consts::TAU;
            let doing = Doing::Drifting;
            return Animal {
                id,
                species: self.species,
                place: centre,
                velocity_mps: way,
                depth_m,
                heading_rad,
                doing,
            };
        }
        // Evenly over a disc, and round a circle of its own at a pace of its own.
        let (s, c) = trig::sin_cos_turns(share(draw[0]));
        let spread_m = traits.spread_m * share(draw[1]).sqrt();
        let pace_s = traits.sway_s * (1.0 + 0.3 * share(draw[2]));
        let (sway, swing) = trig::sin_cos_turns(t_s / pace_s + share(draw[3]));
        let place = centre + DVec2::new(c, s) * spread_m + DVec2::new(swing, sway) * traits.sway_m;
        let sway_mps = traits.sway_m * std::f64::consts::TAU / pace_s;
        let velocity_mps = way + DVec2::new(-sway, swing) * sway_mps;
        let heading_rad = trig::heading(velocity_mps.x, velocity_mps.y);
        let (depth_m, doing) = if traits.kind == Kind::Bird {
            let low_m = between(traits.height_m, share(draw[1] ^ draw[2]));
            (-(low_m + (ALOFT_M - low_m) * hidden(t_s)), Doing::Flying)
        } else {
            self.dive(track, t_s, share(draw[3]))
        };
        Animal { id, species: self.species, place, velocity_mps, depth_m, heading_rad, doing }
    }

    /// How deep it goes, metres.
    fn hidden_m(&self, track: &Track) -> f64 {
        let most_m = if self.traits.kind.drifts() { SUNK_M } else { self.traits.dive_m };
        most_m.min(DIVE_SHARE * track.shallowest_m).max(2.0 * self.traits.radius_m)
    }

    /// Depth and doing of one that breathes; members are up to a tenth of a cycle apart.
    fn dive(&self, track: &Track, t_s: f64, lag: f64) -> (f64, Doing) {
        let traits = self.traits;
        let cycle_s = traits.surface_s + traits.dive_s;
        let turns = t_s / cycle_s + self.dives + 0.1 * lag;
        let u_s = (turns - turns.floor()) * cycle_s;
        let top_m = 0.5 * traits.radius_m - traits.leap_m;
        let deep_m = self.hidden_m(track);
        let (depth_m, doing) = if u_s < traits.surface_s {
            let breath = u_s * traits.breaths / traits.surface_s;
            let (_, c) = trig::sin_cos_turns(breath);
            let shallow_m = 2.0 * traits.radius_m;
            let depth_m = top_m + (shallow_m - top_m) * 0.5 * (1.0 - c);
            (depth_m, if c > 0.7 { Doing::Blowing } else { Doing::Swimming })
        } else {
            let w = (u_s - traits.surface_s) / traits.dive_s;
            let slope = (4.0 * w).min(4.0 * (1.0 - w)).clamp(0.0, 1.0);
            let depth_m = top_m + (deep_m - top_m) * smooth(slope);
            (depth_m, if slope < 1.0 { Doing::Diving } else { Doing::Below })
        };
        let hidden = hidden(t_s);
        if hidden > 0.0 {
            let depth_m = depth_m + (deep_m - depth_m) * hidden;
            return (depth_m, if hidden < 1.0 { Doing::Diving } else { Doing::Below });
        }
        (depth_m, doing)
    }

    /// Looks at the water all along the track.
    fn find_track(&self, sea: &Sea) -> Option<Track> {
        let mut track = Track { shallowest_m: FAR_M, drift: None };
        if self.traits.kind == Kind::Bird {
            return Some(track);
        }
        if self.traits.kind.drifts() {
            track.drift = Some(self.find_drift(sea));
        }
        let course = sea.course();
        let margin_m = self.traits.spread_m + self.traits.sway_m + 0.5 * self.traits.length_m;
        let fastest_mps =
            if track.drift.is_some() { DRIFT_MPS_MAX } else { self.speed_mps * (1.0 + MEANDER) };
        let mut t_s = -HALF_S;
        for _ in 0..LOOKS_MAX {
            let (place, _) = self.centre(&track, t_s);
            let (water_m, room_m) = water(course, place, margin_m, self.traits.water_min_m);
            if water_m < self.traits.water_min_m {
                return None;
            }
            track.shallowest_m = track.shallowest_m.min(water_m);
            if t_s >= HALF_S {
                return Some(track);
            }
            t_s = (t_s + room_m / fastest_mps.max(0.1)).min(HALF_S);
        }
        None
    }

    /// Follows the current both ways from halfway (Heun's steps without the corrector).
    fn find_drift(&self, sea: &Sea) -> [(DVec2, DVec2); 2 * DRIFT_NODES + 1] {
        let current = |place: DVec2, t_s: f64| {
            #[expect(clippy::cast_possible_truncation, reason = "half an hour of ticks")]
            let ticks = self.middle.saturating_add((t_s / TICK_S) as i64);
            let mps = sea.lone_current(place, Tick(ticks.max(0).cast_unsigned()));
            let speed_mps = mps.length();
            if speed_mps > DRIFT_MPS_MAX { mps * (DRIFT_MPS_MAX / speed_mps) } else { mps }
        };
        let mut nodes = [(self.home, current(self.home, 0.0)); 2 * DRIFT_NODES + 1];
        for sign in [1.0, -1.0] {
            let (mut place, mut way) = nodes[DRIFT_NODES];
            for step in 1..=DRIFT_NODES {
                #[expect(clippy::cast_precision_loss, reason = "1 or 2")]
                let t_s = sign * step as f64 * DRIFT_S;
                let next = current(place + way * (sign * DRIFT_S), t_s);
                place += (way + next) * (0.5 * sign * DRIFT_S);
                way = next;
                let node = if sign > 0.0 { DRIFT_NODES + step } else { DRIFT_NODES - step };
                nodes[node] = (place, way);
            }
        }
        nodes
    }
}

/// How far out of sight a group is, 0 to 1, at a time from halfway.
fn hidden(t_s: f64) -> f64 {
    1.0 - smooth(((HALF_S - t_s.abs() - HIDDEN_S) * (1.0 / FADE_S)).clamp(0.0, 1.0))
}

/// Least water below chart datum within a margin of a place, metres, and how far on the next look may be.
fn water(course: &Course, place: DVec2, margin_m: f64, least_m: f64) -> (f64, f64) {
    // Beyond its extent the water of a course goes on as at its edge.
    let place = place.clamp(course.extent.min, course.extent.max);
    match course.depth() {
        Depth::Shore { slope, deepest_m } => {
            let nearest_m = course.coast().nearest(place).map_or(FAR_M, |(distance_m, _)| distance_m);
            let offshore_m = if course.coast().is_land(place) { -nearest_m } else { nearest_m } - margin_m;
            if least_m >= *deepest_m {
                return (0.0, LOOK_M);
            }
            let enough_m = -deepest_m / slope * trig::ln(1.0 - least_m / deepest_m);
            (-course.depth().bed_m(place, offshore_m), (offshore_m - enough_m).max(LOOK_M))
        }
        Depth::Map(map) => {
            let around = [DVec2::ZERO, DVec2::X, DVec2::NEG_X, DVec2::Y, DVec2::NEG_Y];
            let highest_m = around
                .into_iter()
                .map(|off| map.height_m(place + off * margin_m))
                .fold(f64::NEG_INFINITY, f64::max);
            (-highest_m, LOOK_M)
        }
    }
}
