//! The course's wave components: their fixed frequencies and directions, and their amplitudes by place.

use std::f64::consts::{FRAC_PI_2, TAU};

use glam::DVec2;

use super::WAVES;
use super::spectrum::{Shape, grown_sea, omega, wave_number};
use crate::atlas::{Course, Spectrum, Swell};
use crate::noise::{self, Stream};
use crate::trig;
use crate::units::{GRAVITY_MPS2, Tick};

/// Components that carry each swell.
pub(super) const SWELL_WAVES: usize = 4;
/// Frequencies of a swell's components over its peak's: a narrow spectrum.
const SWELL_FREQUENCIES: [f64; SWELL_WAVES] = [0.94, 0.985, 1.03, 1.08];
/// Directions of a swell's components off its own, radians: crests a few hundred metres long.
const SWELL_DIRECTIONS: [f64; SWELL_WAVES] = [0.10, -0.045, 0.035, -0.12];
/// The component of a swell that is nearest to its peak, among its own.
const SWELL_MIDDLE: usize = 1;
/// Wind speeds, over the climate's, for which a place's amplitudes are kept; between them they are blended.
const LEVELS: [f64; 3] = [0.7, 1.0, 1.3];
/// Directions in which a place looks for land upwind.
const RAYS: usize = 24;
/// Weights of a ray and its neighbours 15° and 30° off: squared cosines, as in the effective fetch of the
/// Shore Protection Manual (1984, § 3-V).
const RAY_WEIGHTS: [f64; 5] = [0.75, 0.933_012_7, 1.0, 0.933_012_7, 0.75];
/// Open water over which a swell has closed the gap behind a sheltering shore, metres.
const SWELL_ROOM_M: f64 = 15_000.0;
/// Highest frequency of the wind sea's components, Hz: waves of a metre and a half.
const HIGHEST_HZ: f64 = 1.0;
/// Waves follow the wind's slow changes of about this period, seconds.
const FOLLOW_S: f64 = 2_400.0;

/// Amplitudes at one place, metres, for each of the three wind speeds.
pub(super) type Amplitudes = [[f32; WAVES]; LEVELS.len()];

/// The components of one course under one seed.
#[derive(Debug)]
pub(super) struct WaveSet {
    pub(super) frequency_hz: [f64; WAVES],
    /// Wave numbers east and north, turns per metre.
    pub(super) k_turns: [[f64; WAVES]; 2],
    pub(super) kx: [f32; WAVES],
    pub(super) ky: [f32; WAVES],
    pub(super) k_radpm: [f32; WAVES],
    pub(super) omega_radps: [f32; WAVES],
    /// Unit vectors of travel over the phase speed, s/m: a current's part of the phase speed is a product.
    pub(super) slowness: [[f32; WAVES]; 2],
    /// Phases at the anchor and the course's epoch, turns.
    phase: [f64; WAVES],
    /// Directions of travel off the climate's downwind, radians; wind sea only.
    off_rad: [f64; WAVES],
    /// Sine and cosine of these.
    off: [[f64; 2]; WAVES],
    /// Width of each component's band, Hz; wind sea only.
    band_hz: [f64; WAVES],
    /// Components of the wind sea; those after them are swell.
    pub(super) wind_waves: usize,
    swells: Vec<Swell>,
    /// Amplitudes of a measured sea in open water, metres, in place of the wind sea's.
    measured: Option<[f64; WAVES]>,
    shape: Shape,
    wind_mps: f64,
    wind_from_rad: f64,
    shift_rad: f64,
    shift_share: f64,
    fetch_m: f64,
    depth_m: f64,
    seed: u64,
}

/// What all places share at one tick.
#[derive(Clone, Copy, Debug)]
pub(super) struct WaveMoment {
    /// Phase at the anchor, turns within [−0.5, 0.5].
    pub(super) phase: [f64; WAVES],
    /// Weights of the components for the wind's slow turns.
    pub(super) turn: [f32; WAVES],
    /// The lower of the two levels between which the wind's strength lies.
    pub(super) level: usize,
    /// Share of the upper level.
    pub(super) share: f32,
}

impl WaveSet {
    /// The components of a course under a seed.
    pub(super) fn new(course: &Course, seed: u64) -> Self {
        let climate = &course.climate;
        let mut set = Self {
            frequency_hz: [0.0; WAVES],
            k_turns: [[0.0; WAVES]; 2],
            kx: [0.0; WAVES],
            ky: [0.0; WAVES],
            k_radpm: [0.0; WAVES],
            omega_radps: [0.0; WAVES],
            slowness: [[0.0; WAVES]; 2],
            phase: std::array::from_fn(|i| noise::uniform(seed, Stream::WavePhase, [number(i), 0, 0])),
            off_rad: [0.0; WAVES],
            off: [[0.0, 1.0]; WAVES],
            band_hz: [0.0; WAVES],
            wind_waves: WAVES - SWELL_WAVES * course.swells.len(),
            swells: course.swells.clone(),
            measured: None,
            shape: Shape::new(),
            wind_mps: climate.wind_mps,
            wind_from_rad: climate.wind_from_rad,
            shift_rad: climate.shift_rad,
            shift_share: climate.shift_share,
            fetch_m: climate.fetch_m,
            depth_m: course.depth().typical_m(),
            seed,
        };
        match &course.spectrum {
            None => set.place_wind_waves(course),
            Some(spectrum) => set.place_measured(course, spectrum),
        }
        set.place_swell(course);
        set
    }

    /// Spreads the wind sea's components: bands of equal ratio over its frequencies, directions in equal
    /// shares of a cos² spread (DNV-RP-C205, § 3.5.8), in an order that parts neighbours.
    fn place_wind_waves(&mut self, course: &Course) {
        let (_, longest_s) = grown_sea(self.wind_mps * LEVELS[LEVELS.len() - 1], self.fetch_m);
        let lowest_hz = 0.75 / longest_s;
        let highest_hz = HIGHEST_HZ.max(2.0 * lowest_hz);
        let ratio = trig::pow(highest_hz / lowest_hz, 1.0 / f64::from(number(self.wind_waves)));
        let mut edge_hz = lowest_hz;
        for i in 0..self.wind_waves {
            let next_hz = edge_hz * ratio;
            self.band_hz[i] = next_hz - edge_hz;
            // Off the middles by up to a tenth of the band, so that no two make a steady beat.
            let golden = |offset: f64| {
                let turns = f64::from(number(i)) * 0.618_033_988_75 + offset;
                turns - turns.floor()
            };
            let frequency_hz = edge_hz + (next_hz - edge_hz) * (0.4 + 0.2 * golden(0.31));
            self.off_rad[i] = spread_angle(golden(0.5));
            self.off[i] = trig::sin_cos(self.off_rad[i]).into();
            self.place_component(course, i, frequency_hz, self.wind_from_rad + self.off_rad[i]);
            edge_hz = next_hz;
        }
    }

    /// Spreads a measured sea over the wind sea's components: bands of equal ratio from its lowest to its highest
    /// frequency, each with its energy, its mean frequency and direction, and its own part of the spread.
    fn place_measured(&mut self, course: &Course, spectrum: &Spectrum) {
        let (first, last) = (&spectrum.bands[0], &spectrum.bands[spectrum.bands.len() - 1]);
        let lowest_hz = first.frequency_hz - 0.5 * first.width_hz;
        let highest_hz = last.frequency_hz + 0.5 * last.width_hz;
        // Below 1 Hz over 33 bands; a table that starts at nothing begins a tenth of the way in.
        let lowest_hz = lowest_hz.max(0.1 * first.frequency_hz);
        let ratio = trig::pow(highest_hz / lowest_hz, 1.0 / f64::from(number(self.wind_waves)));
        let mut amplitudes = [0.0; WAVES];
        let mut edge_hz = lowest_hz;
        for (i, amplitude) in amplitudes.iter_mut().enumerate().take(self.wind_waves) {
            let next_hz = edge_hz * ratio;
            let (mut energy, mut moment, mut east, mut north, mut spread) = (0.0, 0.0, 0.0, 0.0, 0.0);
            for band in &spectrum.bands {
                let low_hz = edge_hz.max(band.frequency_hz - 0.5 * band.width_hz);
                let high_hz = next_hz.min(band.frequency_hz + 0.5 * band.width_hz);
                let part = band.density_m2phz * (high_hz - low_hz).max(0.0);
                let (s, c) = trig::sin_cos(band.from_rad);
                energy += part;
                moment += part * 0.5 * (low_hz + high_hz);
                east += part * s;
                north += part * c;
                spread += part * band.spread_rad;
            }
            let still = energy <= 0.0;
            let frequency_hz = if still { 0.5 * (edge_hz + next_hz) } else { moment / energy };
            let mean_rad = if still { self.wind_from_rad } else { trig::heading(east, north) };
            let off_rad = if still { 0.0 } else { spread / energy * normal_score(i) };
            *amplitude = (2.0 * energy).sqrt();
            self.off_rad[i] = mean_rad + off_rad - self.wind_from_rad;
            self.place_component(course, i, frequency_hz, mean_rad + off_rad);
            edge_hz = next_hz;
        }
        self.measured = Some(amplitudes);
    }

    fn place_swell(&mut self, course: &Course) {
        for (number, swell) in course.swells.iter().enumerate() {
            for part in 0..SWELL_WAVES {
                let i = self.wind_waves + number * SWELL_WAVES + part;
                let frequency_hz = SWELL_FREQUENCIES[part] / swell.period_s;
                self.place_component(course, i, frequency_hz, swell.from_rad + SWELL_DIRECTIONS[part]);
            }
        }
    }

    #[expect(clippy::cast_possible_truncation, reason = "what hulls use is in single precision")]
    fn place_component(&mut self, course: &Course, i: usize, frequency_hz: f64, from_rad: f64) {
        let omega_radps = omega(frequency_hz);
        let k_radpm = wave_number(omega_radps, course.depth().typical_m());
        let (s, c) = trig::sin_cos(from_rad);
        let travel = DVec2::new(-s, -c);
        self.frequency_hz[i] = frequency_hz;
        self.k_turns[0][i] = travel.x * k_radpm / TAU;
        self.k_turns[1][i] = travel.y * k_radpm / TAU;
        self.kx[i] = self.k_turns[0][i] as f32;
        self.ky[i] = self.k_turns[1][i] as f32;
        self.k_radpm[i] = k_radpm as f32;
        self.omega_radps[i] = omega_radps as f32;
        self.slowness[0][i] = (travel.x * omega_radps / GRAVITY_MPS2) as f32;
        self.slowness[1][i] = (travel.y * omega_radps / GRAVITY_MPS2) as f32;
    }

    /// Amplitudes at a place, for each wind level, with nothing but its shelter in them.
    #[expect(clippy::cast_possible_truncation, reason = "amplitudes are kept in single precision")]
    pub(super) fn amplitudes_at(&self, course: &Course, place: DVec2) -> Amplitudes {
        let fetch_m = self.fetches(course, place);
        let mut amplitudes = [[0.0; WAVES]; LEVELS.len()];
        for (level, share) in amplitudes.iter_mut().zip(LEVELS) {
            // Grown for each ray, and blended for the directions between.
            let grown = fetch_m.map(|fetch_m| grown_sea(self.wind_mps * share, fetch_m));
            for (i, amplitude) in level.iter_mut().enumerate().take(self.wind_waves) {
                let direction_rad = self.wind_from_rad + self.off_rad[i];
                if let Some(measured) = &self.measured {
                    // Land shelters it as it does swell, and the wind here does not raise it.
                    let room = (towards(direction_rad, |ray| fetch_m[ray]) / SWELL_ROOM_M).min(1.0);
                    *amplitude = (measured[i] * room) as f32;
                    continue;
                }
                let height_m = towards(direction_rad, |ray| grown[ray].0);
                let period_s = towards(direction_rad, |ray| grown[ray].1);
                let density = self.shape.at(self.frequency_hz[i] * period_s, height_m) / self.frequency_hz[i];
                *amplitude = (2.0 * density * self.band_hz[i]).sqrt() as f32;
            }
        }
        for (number, swell) in self.swells.iter().enumerate() {
            let room = (towards(swell.from_rad, |ray| fetch_m[ray]) / SWELL_ROOM_M).min(1.0);
            // Four equal parts of the energy H²/16, each with a²/2.
            let amplitude = swell.height_m * (2.0_f64 / 16.0 / 4.0).sqrt() * room;
            for part in 0..SWELL_WAVES {
                for level in &mut amplitudes {
                    level[self.wind_waves + number * SWELL_WAVES + part] = amplitude as f32;
                }
            }
        }
        amplitudes
    }

    /// Effective fetch of each ray's direction, metres; the first ray looks north, the others clockwise.
    fn fetches(&self, course: &Course, place: DVec2) -> [f64; RAYS] {
        let raw: [f64; RAYS] = std::array::from_fn(|ray| {
            let (s, c) = trig::sin_cos_turns(f64::from(number(ray)) / f64::from(number(RAYS)));
            let open_m = course.raster().open_water_m(place, DVec2::new(s, c));
            open_m.unwrap_or(self.fetch_m).clamp(1.0, self.fetch_m)
        });
        std::array::from_fn(|ray| {
            let weighted = |(i, weight): (usize, f64)| weight * raw[(ray + RAYS + i - 2) % RAYS];
            let sum: f64 = RAY_WEIGHTS.into_iter().enumerate().map(weighted).sum();
            sum / RAY_WEIGHTS.iter().sum::<f64>()
        })
    }

    /// Velocity of the groups of one component's waves, m/s: c/2 · (1 + 2kh / sinh 2kh) (Airy), along their travel.
    pub(super) fn group_way(&self, i: usize) -> DVec2 {
        let k = DVec2::new(self.k_turns[0][i], self.k_turns[1][i]) * TAU;
        let kh = k.length() * self.depth_m;
        let t = trig::tanh(kh);
        let phase_mps = TAU * self.frequency_hz[i] / k.length();
        k.normalize_or_zero() * (0.5 * phase_mps * (1.0 + kh * (1.0 - t * t) / t))
    }

    /// Velocity of the groups of a swell, m/s: that of its component nearest to its peak, which runs nearly its way.
    pub(super) fn swell_way(&self, swell: usize) -> DVec2 {
        self.group_way(self.wind_waves + swell * SWELL_WAVES + SWELL_MIDDLE)
    }

    /// Phases at a place and time, seconds since the epoch: turns within [−0.5, 0.5].
    pub(super) fn phases_at(&self, place: DVec2, t_s: f64) -> [f64; WAVES] {
        std::array::from_fn(|i| {
            let turns = self.phase[i] - self.frequency_hz[i] * t_s
                + self.k_turns[0][i] * place.x
                + self.k_turns[1][i] * place.y;
            turns - ((turns + super::ROUNDING) - super::ROUNDING)
        })
    }

    /// What all places share at a tick.
    #[expect(clippy::cast_possible_truncation, reason = "weights are in single precision")]
    pub(super) fn moment(&self, tick: Tick) -> WaveMoment {
        let t_s = tick.seconds();
        let [turn, strength] = self.follow(t_s);
        let turned_rad = turn * self.shift_rad * 0.5;
        let wind = (1.0 + strength * self.shift_share * 0.5).clamp(LEVELS[0], LEVELS[2]);
        let level = usize::from(wind >= LEVELS[1]);
        let share = (wind - LEVELS[level]) / (LEVELS[level + 1] - LEVELS[level]);
        let mut moment = WaveMoment { phase: [0.0; WAVES], turn: [1.0; WAVES], level, share: share as f32 };
        for i in 0..WAVES {
            let turns = self.phase[i] - self.frequency_hz[i] * t_s;
            moment.phase[i] = turns - ((turns + super::ROUNDING) - super::ROUNDING);
        }
        let (turned_s, turned_c) = trig::sin_cos(turned_rad);
        let turning = if self.measured.is_some() { 0 } else { self.wind_waves };
        for i in 0..turning {
            // Energy follows the cos² spread about the turned wind; behind the beam there is none.
            let [s, c] = self.off[i];
            let ratio = ((c * turned_c + s * turned_s) / c).clamp(0.0, 1.5);
            moment.turn[i] = ratio as f32;
        }
        moment
    }

    /// Slow noises of direction and strength, of about unit variance.
    fn follow(&self, t_s: f64) -> [f64; 2] {
        let u = t_s / FOLLOW_S;
        let below = u.floor();
        let t = u - below;
        let fraction = t * t * (3.0 - 2.0 * t);
        let node = |index: f64| {
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "ages of 2,400 s")]
            let counter = [index as u32, 0, 1];
            let draw = noise::draw(self.seed, Stream::WavePhase, counter);
            [0, 1].map(|axis| (f64::from(draw[axis]) * (2.0 / 4_294_967_296.0) - 1.0) * 2.0)
        };
        let (a, b) = (node(below), node(below + 1.0));
        [0, 1].map(|axis| a[axis] + (b[axis] - a[axis]) * fraction)
    }
}

/// Scores of a normal distribution in an order that parts neighbours, each with its opposite beside it so that
/// they leave the mean where it is: ln(p / (1 − p)) / 1.702 (Camilli 1994, the logistic approximation).
fn normal_score(i: usize) -> f64 {
    let turns = f64::from(number(i / 2)) * 0.618_033_988_75 + 0.25;
    let share = 0.03 + 0.94 * (turns - turns.floor());
    let score = trig::ln(share / (1.0 - share)) / 1.702;
    if i.is_multiple_of(2) { score } else { -score }
}

/// The angle below which a share of a cos² spread lies, radians in (−π/2, π/2), by bisection.
fn spread_angle(share: f64) -> f64 {
    let (mut low, mut high) = (-FRAC_PI_2, FRAC_PI_2);
    for _ in 0..30 {
        let middle = 0.5 * (low + high);
        let below = 0.5 + (middle + 0.5 * trig::sin(2.0 * middle)) / std::f64::consts::PI;
        if below < share {
            low = middle;
        } else {
            high = middle;
        }
    }
    0.5 * (low + high)
}

/// What the rays beside a direction say, blended.
fn towards(direction_rad: f64, of_ray: impl Fn(usize) -> f64) -> f64 {
    let at = crate::units::wrap_heading(direction_rad) / TAU * f64::from(number(RAYS));
    let below = at.floor();
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a ray's number")]
    let ray = below as usize;
    let share = at - below;
    of_ray(ray % RAYS) * (1.0 - share) + of_ray((ray + 1) % RAYS) * share
}

/// A small count as a number that converts to floats without loss.
#[expect(clippy::cast_possible_truncation, reason = "counts of waves and rays")]
fn number(count: usize) -> u32 {
    count as u32
}
