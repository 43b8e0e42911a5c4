//! Wind with its shifts and gusts, and visibility: pure functions of (course, seed, place, tick).
//!
//! The wind at a place is the climate's mean, shifted slowly (5–20 minutes), plus gusts. Shifts travel
//! downwind with the mean wind. Gusts are five octaves of noise (25–400 m) that is frozen into an air mass
//! (Taylor 1938) and fades within it; the air mass drifts with a wind that is constant per segment of ten
//! minutes, and each segment's noise is faded into the next one's.
//!
//! Fronts turn and strengthen the mean; squalls add their outflow to it; gusts are shares of what comes of both. What
//! acts is the same for all places of a tick, and kept in a [`Sky`]: a memo, as a segment is.

mod cells;
mod fog;
mod fronts;
mod lattice;
mod squalls;

use glam::DVec2;

use crate::atlas::{Area, Climate, Course, Scripted};
use crate::noise::{self, Stream};
use crate::trig;
use crate::units::Tick;
use lattice::Lattice;

pub(crate) use cells::Cells;
pub use fog::Bank;
pub(crate) use fog::tick_of;
pub use fronts::Front;
use squalls::Burst;
pub use squalls::{Squall, Stroke};

/// Length of a segment of constant drift, ticks: ten minutes.
const SEGMENT_TICKS: u64 = 600 * crate::units::TICK_HZ;
/// Length of a segment, seconds.
const SEGMENT_S: f64 = 600.0;
/// How long one segment's gusts fade into the next one's, seconds.
const FADE_S: f64 = 120.0;
/// Periods of the slow shifts, seconds: between five and twenty minutes, none a multiple of another.
const SHIFT_PERIOD_S: [f64; 3] = [311.0, 617.0, 1229.0];
/// Share of each period in the shifts' variance; the slow ones are the large ones.
const SHIFT_SHARE: [f64; 3] = [0.2, 0.35, 0.45];
/// Drawn nodes of each period that one segment needs at most.
const SHIFT_NODES: usize = 48;
/// The shifts arrive at most so much earlier or later at a place than at the anchor, seconds.
const LAG_S: f64 = 6_000.0;
/// Scales of the gusts, metres.
const GUST_M: [f64; OCTAVES] = [25.0, 50.0, 100.0, 200.0, 400.0];
const OCTAVES: usize = 5;
/// Share of each scale in the gusts' variance, as length^(2/3): Kolmogorov's inertial range.
const GUST_SHARE: [f64; OCTAVES] = [0.0647, 0.1027, 0.1630, 0.2588, 0.4108];
/// Standard deviation of gusts along the wind over the mean wind at gustiness 1, chosen so that the mean
/// gust factor (3 s in 600 s) is the 1.23 that WMO/TD-1555 (Harper et al. 2010) gives at sea.
const GUST_INTENSITY: f64 = 0.0925;
/// Gusts across the wind over those along it (Kaimal and Finnigan 1994: σv/σu about 0.8 near neutral).
const GUST_ACROSS: f64 = 0.8;
/// A gust of a scale L becomes another within `GUST_LIFE · L / U`, a quarter turn of its noise: eddies turn
/// over a few times slower than they pass.
const GUST_LIFE: f64 = 8.0;
/// Roughness length of the sea in a moderate breeze, metres (WMO guide, sea in winds of 5–15 m/s).
const SEA_ROUGHNESS_M: f64 = 2e-4;
/// Spells of weather are looked up for so many ticks at once: a minute.
const SPELL_TICKS: u64 = 60 * crate::units::TICK_HZ;
/// Wind that carries squalls over the wind at 10 m: that of the lowest kilometres (Newton and Fankhauser 1964 found cells
/// to move with it), and its least and most, m/s.
const STEER: f64 = 1.3;
const STEER_MPS: [f64; 2] = [4.0, 20.0];

/// Wind speed at a height over that at 10 m: the logarithmic profile over the sea.
///
/// `height_m` is above the water, metres, at least 0.1 m (clamped).
#[must_use]
pub fn wind_at_height(height_m: f64) -> f64 {
    trig::ln(height_m.max(0.1) / SEA_ROUGHNESS_M) / trig::ln(10.0 / SEA_ROUGHNESS_M)
}

/// The weather of one course under one seed.
#[derive(Clone, Debug)]
pub struct Weather {
    climate: Climate,
    seed: u64,
    /// The water that its course describes: what cannot be felt there is not looked at.
    extent: Area,
    /// What its course scripts.
    scripts: Vec<Scripted>,
    /// 1 in the north, where fronts veer, −1 in the south.
    hemisphere: f64,
    /// The wind that carries squalls, m/s.
    steer_mps: DVec2,
    /// Unit vector that the climate's wind blows towards.
    downwind: DVec2,
    /// Seconds by which shifts come later for each metre downwind.
    lag_spm: f64,
    gusts: Lattice,
    /// Sine and cosine of each octave's axes over its scale: no two lattices lie on each other.
    axes: [[f64; 2]; OCTAVES],
    /// Standard deviation of each octave, as a share of the mean wind.
    amplitudes: [f32; OCTAVES],
}

/// What the wind of one segment of time is made of; computed once, then good for every place.
#[derive(Clone, Debug)]
pub struct Segment {
    number: u64,
    /// First node of each period's list.
    first: [f64; 3],
    /// Drawn shifts of direction and speed at the nodes, both of unit variance after interpolation.
    nodes: [[[f64; 2]; SHIFT_NODES]; 3],
    /// The air masses of the segment before and of this one.
    masses: [AirMass; 2],
}

/// Gusts frozen into a drifting mass of air.
#[derive(Clone, Copy, Debug)]
struct AirMass {
    /// Where it drifts, m/s.
    drift_mps: DVec2,
    /// Start of its segment, seconds since the course's epoch.
    start_s: f64,
    /// Offset of its noise in each octave, nodes.
    offset: [[f64; 2]; OCTAVES],
}

/// What the wind of one tick needs beyond its segment: the turns of the gusts' noise.
#[derive(Clone, Copy, Debug)]
pub struct GustTurns {
    tick: Tick,
    /// Cosine and sine per air mass and octave.
    turns: [[[f32; 2]; OCTAVES]; 2],
}

/// What acts besides the wind's own ways, at one tick.
#[derive(Clone, Debug, Default)]
pub struct Sky {
    tick: Tick,
    /// The minute whose spells these are.
    minute: Option<u64>,
    squalls: Vec<Squall>,
    fronts: Vec<Front>,
    banks: Vec<Bank>,
    /// What the squalls do at the tick.
    bursts: Vec<Burst>,
}

impl Weather {
    /// The weather of a course under a seed.
    #[must_use]
    #[expect(clippy::cast_possible_truncation, reason = "gusts are in single precision")]
    pub fn new(course: &Course, seed: u64) -> Self {
        let climate = course.climate;
        let (east, north) = trig::sin_cos(climate.wind_from_rad);
        let downwind = DVec2::new(-east, -north);
        let south = course.geographic_of(DVec2::ZERO).is_some_and(|(lat_deg, _)| lat_deg < 0.0);
        Self {
            climate,
            seed,
            extent: course.extent,
            scripts: course.events.clone(),
            hemisphere: if south { -1.0 } else { 1.0 },
            steer_mps: downwind * (STEER * climate.wind_mps).clamp(STEER_MPS[0], STEER_MPS[1]),
            downwind,
            // Below 3 m/s a shift would take hours to cross a course.
            lag_spm: 1.0 / climate.wind_mps.max(3.0),
            gusts: Lattice::new(seed, Stream::Gust),
            // Golden-angle turns: no two octaves share their axes.
            axes: std::array::from_fn(|octave| {
                let (s, c) = trig::sin_cos_turns(golden_turns(octave));
                [s / GUST_M[octave], c / GUST_M[octave]]
            }),
            amplitudes: GUST_SHARE.map(|share| (share.sqrt() * GUST_INTENSITY * climate.gustiness) as f32),
        }
    }

    /// The number of the segment that a tick lies in.
    #[must_use]
    pub fn segment_number(tick: Tick) -> u64 {
        tick.0 / SEGMENT_TICKS
    }

    /// What the wind of a segment is made of.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "segments of an age of the universe fit")]
    pub fn segment(&self, number: u64) -> Segment {
        let start_s = number as f64 * SEGMENT_S;
        let mut segment = Segment {
            number,
            first: [0.0; 3],
            nodes: [[[0.0; 2]; SHIFT_NODES]; 3],
            masses: [AirMass { drift_mps: DVec2::ZERO, start_s, offset: [[0.0; 2]; OCTAVES] }; 2],
        };
        for (period, period_s) in SHIFT_PERIOD_S.into_iter().enumerate() {
            // From the middle of the segment before, whose drift needs it, less the largest lag.
            let first = ((start_s - SEGMENT_S - LAG_S) / period_s).floor();
            segment.first[period] = first;
            #[expect(clippy::cast_possible_truncation, reason = "periods since the epoch")]
            let first = first as i64;
            for (offset, node) in (0_i64..).zip(&mut segment.nodes[period]) {
                *node = self.shift_node(period, first + offset);
            }
        }
        for (mass, back) in [1_u64, 0].into_iter().enumerate() {
            let start_s = start_s - back as f64 * SEGMENT_S;
            segment.masses[mass] = AirMass {
                drift_mps: self.mean_at(&segment, start_s + 0.5 * SEGMENT_S),
                start_s,
                offset: self.mass_offset(number.wrapping_sub(back)),
            };
        }
        segment
    }

    /// Has a sky show what acts at a tick, keeping what is still good; a default one shows nothing that was.
    pub fn turn_sky(&self, sky: &mut Sky, tick: Tick) {
        let minute = tick.0 / SPELL_TICKS;
        if sky.minute != Some(minute) {
            let (from, until) = (Tick(minute * SPELL_TICKS), Tick((minute + 1) * SPELL_TICKS));
            sky.minute = Some(minute);
            sky.squalls = self.squalls(from, until);
            sky.fronts = self.fronts(from, until);
            sky.banks = self.scripted_banks(from, until);
        }
        sky.tick = tick;
        let t_s = tick.seconds();
        sky.bursts.clear();
        sky.bursts.extend(sky.squalls.iter().filter_map(|squall| squall.burst(t_s)));
    }

    /// Mean wind at 10 m without gusts, squalls included, towards east and north, m/s. The sky's tick must lie in the
    /// segment.
    #[must_use]
    #[inline]
    pub fn mean_wind(&self, segment: &Segment, sky: &Sky, place: DVec2) -> DVec2 {
        let lag_s = (place.dot(self.downwind) * self.lag_spm).clamp(-LAG_S, LAG_S);
        let t_s = sky.tick.seconds();
        let mut wind_mps = self.mean_at(segment, t_s - lag_s);
        if !sky.fronts.is_empty() {
            wind_mps = fronts::shifted(wind_mps, &sky.fronts, place, t_s);
        }
        for burst in &sky.bursts {
            wind_mps += burst.wind(place);
        }
        wind_mps
    }

    /// Turns of the slow shifts, as they pass the anchor: when each begins and ends, seconds since the epoch, and by how
    /// much the wind has veered in between, radians; those of at least a size that touch a span of ticks.
    #[must_use]
    pub fn shifts(&self, from: Tick, until: Tick, least_rad: f64) -> Vec<([f64; 2], f64)> {
        // The slowest shifts turn the most, and each of their steps is one swing.
        let step_s = SHIFT_PERIOD_S[2];
        let mut shifts = Vec::new();
        let mut begin_s = (from.seconds() / step_s).floor() * step_s;
        while begin_s <= until.seconds() {
            let end_s = begin_s + step_s;
            let heading = |t_s: f64| {
                let segment = self.segment(Self::segment_number(tick_of(t_s)));
                let wind_mps = self.mean_at(&segment, t_s);
                trig::heading(wind_mps.x, wind_mps.y)
            };
            let veer_rad = crate::units::wrap_angle(heading(end_s) - heading(begin_s));
            if veer_rad.abs() >= least_rad {
                shifts.push(([begin_s, end_s], veer_rad));
            }
            begin_s = end_s;
        }
        shifts
    }

    /// Velocity with which shifts run over the course, m/s: square to their line.
    #[must_use]
    pub fn shift_way(&self) -> DVec2 {
        self.downwind / self.lag_spm
    }

    /// The turns of the gusts' noise at a tick. The tick must lie in the segment.
    ///
    /// # Panics
    /// When the tick lies in another segment.
    #[must_use]
    #[expect(clippy::cast_possible_truncation, reason = "noise is in single precision")]
    pub fn turns(&self, segment: &Segment, tick: Tick) -> GustTurns {
        assert_eq!(Self::segment_number(tick), segment.number, "a segment's wind at a tick of another");
        let turns = segment.masses.map(|mass| {
            let drift_m = self.climate.wind_mps * (tick.seconds() - mass.start_s);
            GUST_M.map(|scale_m| {
                let (s, c) = trig::sin_cos_turns(0.25 * drift_m / (GUST_LIFE * scale_m));
                [c as f32, s as f32]
            })
        });
        GustTurns { tick, turns }
    }

    /// Wind at 10 m at the tick of the turns, towards east and north, m/s.
    #[must_use]
    #[inline]
    pub fn wind(&self, segment: &Segment, turns: &GustTurns, sky: &Sky, place: DVec2) -> DVec2 {
        let mean = self.mean_wind(segment, sky, place);
        let t_s = turns.tick.seconds();
        let share = ((t_s - segment.masses[1].start_s) * (1.0 / FADE_S)).min(1.0);
        let [before, now] = &turns.turns;
        let mut gust = self.gust(&segment.masses[1], now, place, t_s);
        if share < 1.0 {
            // Shares whose squares add to one keep the variance.
            let fading = self.gust(&segment.masses[0], before, place, t_s);
            gust = gust * share.sqrt() + fading * (1.0 - share).sqrt();
        }
        let along = 1.0 + gust.x;
        // Across: to the left of where the wind blows.
        DVec2::new(mean.x * along - mean.y * gust.y, mean.y * along + mean.x * gust.y)
    }

    /// Mean wind at the anchor at a time that the segment's shifts cover, m/s.
    fn mean_at(&self, segment: &Segment, t_s: f64) -> DVec2 {
        let mut shift = [0.0; 2];
        for ((nodes, first), period_s) in segment.nodes.iter().zip(segment.first).zip(SHIFT_PERIOD_S) {
            // Never negative, so that a conversion is the floor.
            let u = (t_s * (1.0 / period_s) - first).max(0.0);
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped")]
            let index = (u as usize).min(SHIFT_NODES - 2);
            #[expect(clippy::cast_precision_loss, reason = "48 nodes")]
            let fraction = smooth((u - index as f64).min(1.0));
            let (a, b) = (nodes[index], nodes[index + 1]);
            for axis in 0..2 {
                shift[axis] += a[axis] + (b[axis] - a[axis]) * fraction;
            }
        }
        let speed_mps = self.climate.wind_mps * (1.0 + self.climate.shift_share * shift[1]).max(0.1);
        let (s, c) = trig::sin_cos(self.climate.shift_rad * shift[0]);
        // Clockwise: a veer.
        let d = self.downwind * speed_mps;
        DVec2::new(d.x * c + d.y * s, d.y * c - d.x * s)
    }

    /// A drawn node of the shifts of one period, weighted with its share.
    fn shift_node(&self, period: usize, node: i64) -> [f64; 2] {
        // Uniform in [−1, 1) has variance 1/3, and interpolation leaves 26/35 of it.
        let unit = (SHIFT_SHARE[period] * 3.0 * 35.0 / 26.0).sqrt();
        #[expect(clippy::cast_possible_truncation, reason = "three periods")]
        let draw = noise::draw(self.seed, Stream::WindShift, words(node, period as u32));
        [0, 1].map(|axis| (f64::from(draw[axis]) * (2.0 / 4_294_967_296.0) - 1.0) * unit)
    }

    /// Where an air mass's noise starts in the lattice, per octave.
    fn mass_offset(&self, number: u64) -> [[f64; 2]; OCTAVES] {
        std::array::from_fn(|octave| {
            #[expect(clippy::cast_possible_truncation, reason = "five octaves")]
            let counter = words(number.cast_signed(), octave as u32);
            let draw = noise::draw(self.seed, Stream::Gust, counter);
            [0, 1].map(|axis| f64::from(draw[axis]) * (256.0 / 4_294_967_296.0))
        })
    }

    /// Gust along and across the wind (to its left), as shares of the mean.
    #[inline]
    fn gust(&self, mass: &AirMass, turns: &[[f32; 2]; OCTAVES], place: DVec2, t_s: f64) -> DVec2 {
        let at = place - mass.drift_mps * (t_s - mass.start_s);
        let mut sum = [0.0_f32; 2];
        for (octave, turn) in turns.iter().enumerate() {
            // Turned, and in units of the octave's nodes.
            let [s, c] = self.axes[octave];
            let [ox, oy] = mass.offset[octave];
            let noise = self.gusts.at(at.x * c + at.y * s + ox, at.y * c - at.x * s + oy, *turn);
            sum[0] += self.amplitudes[octave] * noise[0];
            sum[1] += self.amplitudes[octave] * noise[1];
        }
        DVec2::new(f64::from(sum[0]), f64::from(sum[1]) * GUST_ACROSS)
    }
}

/// A scripted event's number: its place in the course's file, which no drawn number is likely to be.
pub(crate) fn script_id(number: usize) -> u64 {
    number as u64
}

/// How near a disc's middle comes to an area while it goes straight from one place to another, metres; 0 within.
///
/// The distance to a rectangle along a straight way falls and then rises, so that thirds find its least: to a
/// hundredth of a millimetre of a hundred kilometres.
pub(crate) fn nearest_m(area: Area, from: DVec2, to: DVec2) -> f64 {
    const STEPS: usize = 60;
    let off_m = |share: f64| area.distance_m(from + (to - from) * share);
    let (mut low, mut high) = (0.0, 1.0);
    for _ in 0..STEPS {
        let third = (high - low) / 3.0;
        if off_m(low + third) <= off_m(high - third) {
            high -= third;
        } else {
            low += third;
        }
    }
    off_m(low).min(off_m(high)).min(off_m(0.0)).min(off_m(1.0))
}

/// The way of a scripted event: as it says, else as is usual, m/s.
fn way(script: &Scripted, usual_mps: DVec2) -> DVec2 {
    let speed_mps = script.speed_mps.unwrap_or_else(|| usual_mps.length());
    match script.from_rad {
        Some(from_rad) => {
            let (s, c) = trig::sin_cos(from_rad);
            DVec2::new(-s, -c) * speed_mps
        }
        None => usual_mps.normalize_or_zero() * speed_mps,
    }
}

/// A vector turned clockwise by an angle, radians.
fn turned(v: DVec2, angle_rad: f64) -> DVec2 {
    let (s, c) = trig::sin_cos(angle_rad);
    DVec2::new(v.x * c + v.y * s, v.y * c - v.x * s)
}

/// An angle for each octave, turns.
#[expect(clippy::cast_precision_loss, reason = "five octaves")]
fn golden_turns(octave: usize) -> f64 {
    octave as f64 * 0.381_966
}

/// The cubic step s = 3t² − 2t³.
fn smooth(t: f64) -> f64 {
    t * t * (3.0 - 2.0 * t)
}

/// A counter from a 64-bit number and a small one.
#[expect(clippy::cast_possible_truncation, reason = "the two halves")]
fn words(number: i64, which: u32) -> [u32; 3] {
    let bits = number.cast_unsigned();
    [bits as u32, (bits >> 32) as u32, which]
}

#[cfg(test)]
mod tests;
