//! What a vessel does to the air and the water around it, as others feel it without touching.
//!
//! A [`Wake`] is a sample of one vessel after a tick: where it is, what it takes out of the wind and what
//! waves it makes. From it the **wind shadow** and the **wash** follow at any place near. Samples are taken
//! at every [`PERIOD_TICKS`]-th tick. In the step from tick T, those of one tick act, [`acting`]`(T)`: the
//! last such tick that lies [`DELAY_TICKS`] or more before T; each is moved on by its own velocity to
//! T − [`DELAY_TICKS`]. So the delay is fixed, a stream of samples is a few a second, and what acts is a
//! pure function of T and the samples: never of when they arrived or where the vessel was sailed.
//!
//! **Wind shadow.** The air loses the momentum that sails and hull take out of it (Newton; Betz 1925 for
//! wakes). The part along the apparent wind slows it, the part across turns it towards the sails' windward
//! side, which heads who follows on the same tack. Both trail down the apparent wind, as each parcel of air
//! drifts with the wind while the vessel sails on. Beside the vessel and to windward nothing is felt: the
//! flow around the sails reaches half a mast there, where contact rules.
//!
//! **Wash.** Kelvin's (1887) two families of waves by stationary phase, bridged over the cusp line, with
//! the height that Kriebel & Seelig measured. Deep water; bow and stern waves do not interfere.

use glam::{DMat3, DVec2, DVec3};
use serde::{Deserialize, Serialize};

use super::class::Class;
use super::forces::to_body;
use super::rotation;
use super::state::VesselState;
use crate::sea::{LocalWaves, WAVES, Water};
use crate::trig;
use crate::units::{AIR_KG_M3, GRAVITY_MPS2, TICK_S, Tick, VesselId};

/// Ticks between samples: four a second, at which a vessel's place by its last velocity is right within
/// centimetres.
pub const PERIOD_TICKS: u64 = 11;
/// Ticks by which a sample is older than what it does: half a second, in which it reaches every neighbour.
pub const DELAY_TICKS: u64 = 22;
/// Distance at which a vessel feels another no more, metres: eight masts of a forty-footer.
pub const REACH_M: f64 = 150.0;
/// Samples of its own that a vessel takes along: all that may act after it has moved, a step from T needs
/// those since T − 32.
pub const TRAIL_WAKES: usize = 3;
/// Distance between two samples of one tick from which on neither vessel can come within [`REACH_M`] of the
/// other while they act, metres: 32 ticks at 42 m/s.
pub const NEAR_M: f64 = REACH_M + 30.0;
/// Vessels whose wakes act on one vessel at once: the nearest. Who sails on a start line has dozens within
/// reach, of which those beyond the sixteenth take less than a hundredth of its wind.
pub const COMPANY_VESSELS: usize = 16;

/// Distance over which everything fades out before [`REACH_M`], metres.
const FADE_M: f64 = 30.0;
/// Seconds over which a wash forgets the track: the pattern within reach is some ten seconds of it, and
/// must not swing with each yaw in a sea.
const TRACK_S: f64 = 8.0;
/// Share by which one sample renews the track.
#[expect(clippy::cast_possible_truncation, clippy::cast_precision_loss, reason = "a share of a thirtieth")]
const TRACK_SHARE: f32 = (PERIOD_TICKS as f64 * TICK_S / TRACK_S) as f32;

/// Apparent wind below which no shadow falls, m/s: it has no direction.
const AIR_MPS_MIN: f64 = 0.5;
/// Spread of a shadow, metres of its standard deviation and of its height for each metre downwind:
/// 0.3837 I + 0.0037 (Niayifar & Porté-Agel 2016, Energies 9, eq. 15) with the turbulence of the open sea at
/// mast height, I = 1 / ln(z / z₀) = 0.094. Jensen's model has the same 0.04 offshore.
const SPREAD: f64 = 0.04;
/// The narrowest shadow, standard deviation over the rig's height: sails at an angle and what they shed.
const NARROWEST: f64 = 0.1;
/// Most momentum that a shadow's middle may lack, over what its section carries: a deficit of 48 %, about
/// that of the stalled sails of a boat that runs.
const CHOKE: f64 = 0.9;
/// Standard deviation of the turned air over the rig's height: a semicircle of that radius, which lifting
/// line theory gives a wing on a wall (Prandtl 1918), as a band of the same area: ½ π / √(2π).
const TURN_WIDTH: f64 = 0.626_657;
/// Standard deviations at which a shadow ends: what is left there is below a five-hundredth of its middle.
const BELL: f64 = 3.5;
/// Largest turn, as a tangent.
const TURN_MAX: f64 = 0.3;
/// Distance downwind over which a shadow sets in, over the rig's height.
const ONSET: f64 = 0.5;
const SQRT_PI: f64 = 1.772_453_850_905_516;
const SQRT_TAU: f64 = 2.506_628_274_631_000_5;

/// Froude number below which there is no wash, and share of it above that which still counts: Kriebel &
/// Seelig (2005), g H / V² = (F − 0.1)² (y / L)^(−1/3) for the highest wave at a distance y from the track in
/// deep water, for a hull that is fine as far as amidships.
const FROUDE_MIN: f64 = 0.1;
const FROUDE_MORE_MAX: f64 = 0.5;
/// Highest crest near the cusp line over the height on the line itself, of this bridging (Airy: 1.5).
const CREST: f64 = 1.25;
/// X₀ 2^(2/3) of the bridging, with X₀ = 1.59: at the cusp it gives Airy's Ai(0).
const BRIDGE: f64 = 2.523_967_672_629_438;
/// Amplitude of one train on the cusp line over a₀ (k₀ y)^(−1/3): BRIDGE^(−1/4) CUSP_BEND^(−1/3).
const CUSP_SCALE: f64 = 0.356492;
/// G‴ on the cusp line over the distance from the track: 4 sec⁵ θ at tan θ = 1/√2.
const CUSP_BEND: f64 = 11.022_7;
/// Airy's argument for each metre beyond the cusp line, over k₀ / (k₀ G‴)^(1/3): sec θ 2^(1/3), √1.5 2^(1/3).
const CUSP_FALL: f64 = 1.543_081;
/// Distance from the track over that astern within which a wash is whole, and at which it has ended: 27° and
/// 35°, well beyond the cusp line's 19.47°.
const WHOLE: f64 = 0.5;
const ENDED: f64 = 0.7;
/// Waves lower than this are left out, metres.
const LOWEST_M: f64 = 1e-3;

/// One vessel after one tick, as others feel it. 32-bit numbers have the same bits everywhere too.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Wake {
    /// Which vessel.
    pub id: VesselId,
    /// The tick, a multiple of [`PERIOD_TICKS`].
    pub tick: Tick,
    /// Its place, course frame, metres.
    pub place_m: DVec2,
    /// Its velocity over the ground, m/s.
    pub velocity_mps: [f32; 2],
    /// Its velocity through the water, smoothed over its track, m/s.
    pub track_mps: [f32; 2],
    /// The apparent wind at 10 m: the air's velocity from the vessel, m/s.
    pub air_mps: [f32; 2],
    /// Drag of sails, rig and hull without that which lift induces, over the apparent wind's pressure, m².
    pub drag_m2: f32,
    /// Force to the left of where the apparent wind blows, over its pressure, m².
    pub side_m2: f32,
    /// Height of what stands in the wind, metres.
    pub height_m: f32,
    /// Length of the waterline, metres.
    pub waterline_m: f32,
    /// Draft of the canoe body, metres.
    pub draft_m: f32,
}

/// Largest value of any number of a wake but its place: what a vessel of the largest size in a hurricane
/// stays below.
const NUMBER_MAX: f32 = 1e5;
/// Fastest vessel or wind of a wake, m/s.
const SPEED_MPS_MAX: f32 = 120.0;

/// The tick whose samples act in the step from a tick; none in the first half second of a course's time.
#[must_use]
pub const fn acting(tick: Tick) -> Option<Tick> {
    if tick.0 < DELAY_TICKS {
        return None;
    }
    let then = tick.0 - DELAY_TICKS;
    Some(Tick(then - then % PERIOD_TICKS))
}

/// The tick whose state is the first to feel the samples of a tick.
#[must_use]
pub const fn first_felt(samples: Tick) -> Tick {
    Tick(samples.0 + DELAY_TICKS + 1)
}

/// Whose wakes act on a vessel while the samples of one tick act: of those nearer than [`NEAR_M`] to its own
/// sample, the nearest [`COMPANY_VESSELS`], the lower id first among equals; in rising order of ids. Only
/// samples of that tick count, so that it makes no difference when and where this is found out; a vessel
/// that has none yet feels nothing.
#[must_use]
pub fn company<'a>(own: &Wake, others: impl Iterator<Item = &'a Wake>) -> Vec<Wake> {
    let square = |wake: &Wake| (wake.place_m - own.place_m).length_squared();
    let mut near: Vec<Wake> =
        others.filter(|wake| wake.id != own.id && square(wake) < NEAR_M * NEAR_M).copied().collect();
    if near.len() > COMPANY_VESSELS {
        near.sort_unstable_by(|a, b| square(a).total_cmp(&square(b)).then(a.id.cmp(&b.id)));
        near.truncate(COMPANY_VESSELS);
    }
    near.sort_unstable_by_key(|wake| wake.id);
    near
}

/// Whether samples from elsewhere can be the company of a vessel over one or more ticks of samples.
#[must_use]
pub fn is_company_of(id: VesselId, wakes: &[Wake]) -> bool {
    let rising = wakes.windows(2).all(|pair| (pair[0].tick, pair[0].id) < (pair[1].tick, pair[1].id));
    rising
        && wakes.iter().all(|wake| wake.is_sound() && wake.id != id)
        && wakes.chunk_by(|a, b| a.tick == b.tick).all(|company| company.len() <= COMPANY_VESSELS)
}

#[expect(clippy::cast_possible_truncation, reason = "samples are in single precision")]
const fn short(value: f64) -> f32 {
    value as f32
}

fn pair(v: DVec2) -> [f32; 2] {
    [short(v.x), short(v.y)]
}

fn wide(v: [f32; 2]) -> DVec2 {
    DVec2::new(f64::from(v[0]), f64::from(v[1]))
}

/// A quarter turn to the left.
fn left(v: DVec2) -> DVec2 {
    DVec2::new(-v.y, v.x)
}

/// The cubic step 3t² − 2t³ between 0 and 1.
fn smooth(t: f64) -> f64 {
    let t = t.clamp(0.0, 1.0);
    t * t * (3.0 - 2.0 * t)
}

/// e^(−t²/2), nothing from [`BELL`] on.
fn bell(t: f64) -> f64 {
    if t.abs() < BELL { trig::exp(-0.5 * t * t) } else { 0.0 }
}

/// What stands in the wind: drag and side force, newtons, over a pressure of the apparent wind, and height.
struct Stand {
    drag_m2: f64,
    side_m2: f64,
    height_m: f64,
}

impl Stand {
    fn of(class: &Class, state: &VesselState, water: &Water, axes: &DMat3, air: DVec2) -> Self {
        let hull_m = 2.0 * class.spec.hull.freeboard_m;
        let set = state.gear.reef.max(0.5 * state.gear.spinnaker) * axes.z_axis.z.abs();
        let height_m = class.spec.rig.as_ref().map_or(hull_m, |rig| hull_m.max(rig.mast_m * set));
        let speed = air.length();
        if speed < AIR_MPS_MIN {
            return Self { drag_m2: 0.0, side_m2: 0.0, height_m };
        }
        let along = air / speed;
        let pressure = 0.5 * AIR_KG_M3 * speed * speed;
        // Hull and mast, of which a wind from abeam meets more.
        let [[ahead, _], [abeam, _], [factor, _]] = class.windage;
        let bow = DVec2::new(axes.x_axis.x, axes.x_axis.y).dot(along);
        let felt = factor * factor * speed * speed;
        let mut drag_n = (ahead * bow * bow + abeam * (1.0 - bow * bow).max(0.0)) * felt;
        let mut side_n = 0.0;
        if let Some(sails) = &class.sails {
            let current = DVec3::new(water.current_mps.x, water.current_mps.y, 0.0);
            let wind = DVec3::new(water.wind_mps.x, water.wind_mps.y, 0.0) - current;
            let through = to_body(axes, state.velocity_mps - current);
            let pull = sails.force(to_body(axes, wind), through, &state.gear, class.cg_m);
            drag_n += pull.profile_n;
            side_n = axes.mul_vec3(pull.force_n).truncate().dot(left(along));
        }
        Self { drag_m2: drag_n / pressure, side_m2: side_n / pressure, height_m }
    }
}

impl Wake {
    /// The sample of a vessel after a tick, from the water that the last step met; `before` is its sample of
    /// [`PERIOD_TICKS`] earlier, if there is one.
    #[must_use]
    pub fn of(
        id: VesselId,
        tick: Tick,
        class: &Class,
        state: &VesselState,
        water: &Water,
        before: Option<&Self>,
    ) -> Self {
        let axes = rotation::axes(state.attitude);
        let velocity = state.velocity_mps.truncate();
        let air = water.wind_mps - velocity;
        let stand = Stand::of(class, state, water, &axes, air);
        let now = pair(velocity - water.current_mps);
        let track_mps = before.map_or(now, |before| {
            let renew =
                |axis: usize| before.track_mps[axis] + TRACK_SHARE * (now[axis] - before.track_mps[axis]);
            [renew(0), renew(1)]
        });
        Self {
            id,
            tick,
            place_m: state.position_m.truncate(),
            velocity_mps: pair(velocity),
            track_mps,
            air_mps: pair(air),
            drag_m2: short(stand.drag_m2.max(0.0)),
            side_m2: short(stand.side_m2),
            height_m: short(stand.height_m),
            waterline_m: short(class.spec.hull.waterline_m),
            draft_m: short(class.canoe_draft_m),
        }
    }

    /// Whether a sample from elsewhere can be used: a tick of samples, finite numbers, none beyond reason.
    #[must_use]
    pub fn is_sound(&self) -> bool {
        let Self { tick, place_m, velocity_mps: v, track_mps: t, air_mps: a, .. } = self;
        let sizes = [self.height_m, self.waterline_m, self.draft_m];
        tick.0.is_multiple_of(PERIOD_TICKS)
            && place_m.is_finite()
            && [v[0], v[1], t[0], t[1], a[0], a[1]].iter().all(|speed| speed.abs() <= SPEED_MPS_MAX)
            && self.side_m2.abs() <= NUMBER_MAX
            && (0.0..=NUMBER_MAX).contains(&self.drag_m2)
            && sizes.iter().all(|size| (0.01..=NUMBER_MAX).contains(size))
    }

    /// Where it acts from in the step from a tick: its place, moved on to [`DELAY_TICKS`] before that.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "a few ticks")]
    pub fn source_m(&self, tick: Tick) -> DVec2 {
        let ticks = tick.since(self.tick).saturating_sub(DELAY_TICKS);
        self.place_m + wide(self.velocity_mps) * (ticks as f64 * TICK_S)
    }

    /// Change of the wind at `offset_m` from its source, m/s, mean over a height of `height_m` above the
    /// water; without the fading at [`REACH_M`].
    ///
    /// Slowed air: over a section of height H with a Gaussian profile of width σ, the momentum that is
    /// missing is that of the drag: C √2 − C² = A / (2 √π H σ) for a deficit C of the apparent wind (the
    /// derivation of Bastankhah & Porté-Agel 2014, Renewable Energy 70, eqs. 7–16, for a flat wake). Turned
    /// air: the momentum across, ½ A U² = U w H σ √(2π).
    #[must_use]
    pub fn shadow_mps(&self, offset_m: DVec2, height_m: f64) -> DVec2 {
        let air = wide(self.air_mps);
        let speed = air.length();
        if speed < AIR_MPS_MIN {
            return DVec2::ZERO;
        }
        let along = air / speed;
        let (x, y) = (offset_m.dot(along), offset_m.dot(left(along)));
        if x <= 0.0 {
            return DVec2::ZERO;
        }
        let rig_m = f64::from(self.height_m);
        let (drag_m2, side_m2) = (f64::from(self.drag_m2), f64::from(self.side_m2));
        let high_m = rig_m + SPREAD * x;
        let width_m = (drag_m2 / (CHOKE * SQRT_PI * rig_m)).max(NARROWEST * rig_m) + SPREAD * x;
        let band_m = TURN_WIDTH * rig_m + SPREAD * x;
        if y.abs() >= BELL * width_m.max(band_m) {
            return DVec2::ZERO;
        }
        let missing = (drag_m2 / (SQRT_PI * high_m * width_m)).min(CHOKE);
        let deficit = (1.0 - (1.0 - missing).sqrt()) * std::f64::consts::FRAC_1_SQRT_2;
        let turn = (0.5 * side_m2 / (SQRT_TAU * high_m * band_m)).clamp(-TURN_MAX, TURN_MAX);
        let share = (high_m / height_m.max(0.1)).min(1.0) * smooth(x / (ONSET * rig_m));
        let lost = along * (deficit * bell(y / width_m)) + left(along) * (turn * bell(y / band_m));
        lost * (-speed * share)
    }

    /// The waves of its wash at `offset_m` from its source, none, one or two trains, lifted into `out`;
    /// without the fading at [`REACH_M`].
    ///
    /// With x astern, y from the track, k₀ = g / U² and G(θ) = (y tan θ − x) sec θ, the surface is
    /// Σ a₀ e^(−(k − k_c) d) cos(k₀ G ± π/4) / √(k₀ |G″|) over the two θ at which G′ vanishes (Newman 1977,
    /// Marine Hydrodynamics, § 6.10), where k = k₀ sec² θ and d is the draft: what is short for the draft is
    /// not made. They are one at |y| = x / √8, 19.47° from the track, and none beyond; there the amplitude
    /// is bridged to Airy's function (DLMF 36.13).
    pub fn wash(&self, offset_m: DVec2, out: &mut dyn FnMut(Train)) {
        let track = wide(self.track_mps);
        let (speed, length_m) = (track.length(), f64::from(self.waterline_m));
        let froude = speed / (GRAVITY_MPS2 * length_m).sqrt();
        let more = (froude - FROUDE_MIN).min(FROUDE_MORE_MAX);
        if more <= 0.0 {
            return;
        }
        let along = track / speed;
        let (x, side) = (-offset_m.dot(along), offset_m.dot(left(along)));
        let y = side.abs();
        if x <= 0.5 * length_m || y >= ENDED * x {
            return;
        }
        // The far field: it starts at the stern and is whole a length behind it.
        let near = smooth((x - 0.5 * length_m) / length_m) * smooth((ENDED - y / x) / (ENDED - WHOLE));
        let k0 = GRAVITY_MPS2 / (speed * speed);
        let strength_m = 1.0 / (2.0 * std::f64::consts::SQRT_2 * CREST * CUSP_SCALE)
            * more
            * more
            * trig::pow(froude, -2.0 / 3.0)
            / k0
            * near;
        let pattern = Pattern { k0, x, y, strength_m, draft_m: f64::from(self.draft_m) };
        let outward = if side < 0.0 { -left(along) } else { left(along) };
        pattern.trains(&mut |amplitude_m, phase_rad, tangent| {
            let secant2 = 1.0 + tangent * tangent;
            let k = (along + outward * tangent) * (k0 * secant2.sqrt());
            let turns = phase_rad / std::f64::consts::TAU;
            out(Train { amplitude_m, phase_turns: turns - (turns + 0.5).floor(), k_radpm: k });
        });
    }
}

/// One train of waves about a place: amplitude, metres, phase there, turns, and the way it runs.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Train {
    /// Metres.
    pub amplitude_m: f64,
    /// Turns within [−0.5, 0.5].
    pub phase_turns: f64,
    /// Wave number east and north, radians per metre.
    pub k_radpm: DVec2,
}

/// Kelvin's pattern at one place: x astern, y ≥ 0 from the track, metres.
struct Pattern {
    k0: f64,
    x: f64,
    y: f64,
    strength_m: f64,
    draft_m: f64,
}

impl Pattern {
    /// Amplitude, phase and tan θ of the trains here.
    fn trains(&self, out: &mut dyn FnMut(f64, f64, f64)) {
        let Self { k0, x, y, .. } = *self;
        let inside = x * x - 8.0 * y * y;
        let third = trig::pow(k0 * CUSP_BEND * y, 1.0 / 3.0);
        let bridge = BRIDGE * third * third * third * third;
        if inside < 0.0 {
            // Beyond the cusp line: the coalesced train, dying as Ai does.
            let tangent = std::f64::consts::FRAC_1_SQRT_2;
            let airy = k0 * CUSP_FALL * (2.0 * y - tangent * x) / third;
            let decay = trig::exp(-2.0 / 3.0 * airy * airy.sqrt()) / (1.0 + 0.3 * airy);
            let amplitude_m = std::f64::consts::SQRT_2 * self.amplitude_m(0.0, bridge, tangent) * decay;
            self.emit(amplitude_m, 0.0, tangent, out);
            return;
        }
        let root = inside.sqrt();
        let quarter = std::f64::consts::FRAC_PI_4;
        // Transverse waves, then divergent ones, which grow short without end towards the track.
        for (tangent, shift) in
            [(2.0 * y / (x + root), -quarter), ((x + root) / (4.0 * y).max(1e-3), quarter)]
        {
            let secant2 = 1.0 + tangent * tangent;
            let curvature = k0 * secant2 * secant2.sqrt() * root;
            self.emit(self.amplitude_m(curvature, bridge, tangent), shift, tangent, out);
        }
    }

    /// a₀ e^(−(k − k_c) d) / √(k₀ |G″|), bridged.
    fn amplitude_m(&self, curvature: f64, bridge: f64, tangent: f64) -> f64 {
        let spread = (curvature * curvature + bridge).sqrt().sqrt();
        let shorter = self.k0 * (tangent * tangent - 0.5);
        self.strength_m * trig::exp((-shorter * self.draft_m).max(-60.0)) / spread.max(1e-3)
    }

    fn emit(&self, amplitude_m: f64, shift: f64, tangent: f64, out: &mut dyn FnMut(f64, f64, f64)) {
        if amplitude_m >= LOWEST_M {
            let secant = (1.0 + tangent * tangent).sqrt();
            out(amplitude_m, self.k0 * secant * (self.y * tangent - self.x) + shift, tangent);
        }
    }
}

/// All that the wakes of others do to a vessel in one tick.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Felt {
    /// Change of the wind at 10 m, m/s.
    pub wind_mps: DVec2,
    /// Trains of wash at the vessel's place: the highest, as many as a sea has components.
    pub wash: Vec<Train>,
}

impl Felt {
    /// Nothing felt.
    pub fn clear(&mut self) {
        self.wind_mps = DVec2::ZERO;
        self.wash.clear();
    }

    /// Adds what a wake does in the step from a tick to a vessel of a height above the water at a place.
    /// Sums depend on their order: rising ids, everywhere.
    pub fn add(&mut self, wake: &Wake, tick: Tick, place_m: DVec2, height_m: f64) {
        let offset_m = place_m - wake.source_m(tick);
        let square = offset_m.length_squared();
        if square >= REACH_M * REACH_M {
            return;
        }
        let fade = smooth((REACH_M - square.sqrt()) / FADE_M);
        self.wind_mps += wake.shadow_mps(offset_m, height_m) * fade;
        let wash = &mut self.wash;
        wake.wash(offset_m, &mut |mut train| {
            train.amplitude_m *= fade;
            if wash.len() < WAVES {
                wash.push(train);
            } else if let Some(lowest) =
                wash.iter_mut().min_by(|a, b| a.amplitude_m.total_cmp(&b.amplitude_m))
                && lowest.amplitude_m < train.amplitude_m
            {
                *lowest = train;
            }
        });
    }

    /// The wash as waves about the vessel's place, in the form in which the sea has its own.
    #[must_use]
    pub fn waves(&self) -> Option<LocalWaves> {
        if self.wash.is_empty() {
            return None;
        }
        let mut waves = LocalWaves {
            amplitude_m: [0.0; WAVES],
            phase: [0.0; WAVES],
            kx: [0.0; WAVES],
            ky: [0.0; WAVES],
            k_radpm: [1.0; WAVES],
            omega_radps: [1.0; WAVES],
        };
        for (n, train) in self.wash.iter().take(WAVES).enumerate() {
            let k = train.k_radpm.length();
            let turns = train.k_radpm / std::f64::consts::TAU;
            waves.amplitude_m[n] = short(train.amplitude_m);
            waves.phase[n] = short(train.phase_turns);
            (waves.kx[n], waves.ky[n]) = (short(turns.x), short(turns.y));
            waves.k_radpm[n] = short(k);
            waves.omega_radps[n] = short((GRAVITY_MPS2 * k).sqrt());
        }
        Some(waves)
    }
}
