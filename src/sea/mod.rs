//! Waves, tide, current and depth, with the wind over them: pure functions of (course, seed, place, tick).
//!
//! ```
//! use std::{path::Path, sync::Arc};
//! use fairway::{atlas::Course, sea::Sea, units::knots};
//!
//! let course = Arc::new(Course::load(Path::new("regions/admiralty"))?);
//! let sea = Sea::new(Arc::clone(&course), course.seed);
//! let place = course.place_of(48.11, -122.66)?;
//! let sample = sea.at(place, course.start);
//! assert!(knots(sample.wind_mps.length()) > 5.0 && sample.depth_m > 20.0);
//! println!("current {:.1} kn, waves {:.1} m", knots(sample.current_mps.length()), sample.wave_hs_m);
//! # Ok::<(), fairway::atlas::CourseError>(())
//! ```
//!
//! Everything that does not change with time is kept per patch of 512 m, computed when first asked for or
//! ahead of it by [`Sea::prepare`]; what all places share at a tick is kept per thread. Both are memos:
//! an answer has the same bits whether or not it was prepared, and in whatever order questions come.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};

use glam::DVec2;
use serde::Serialize;

use crate::atlas::{Area, Course};
use crate::trig::{self, LANES};
use crate::units::{Tick, degrees};
use crate::weather::Weather;

mod flow;
mod freak;
mod moment;
mod overfalls;
mod patch;
mod spectrum;
mod swell;
mod tide;
mod waves;

pub use freak::Freak;
pub use overfalls::{OVERFALLS, Overfalls};
pub use spectrum::{current_gain, grown_sea, jonswap, pierson_moskowitz, wave_number};
pub use swell::Train;
pub use tide::station_value;

use flow::Gauges;
use moment::Moment;
use patch::{PATCH_M, Patch};
use swell::Trains;
use waves::WaveSet;

/// Wave components of a course's sea.
pub const WAVES: usize = 2 * LANES;
/// Depth below which the bed slows the current, metres: it is nothing where the water ends.
const DRAG_DEPTH_M: f64 = 4.0;
/// Waves higher than this share of the depth break (McCowan's 0.78 for single crests; 0.6 for a sea's
/// significant height, DNV-RP-C205 § 3.4.6).
const BREAKING: f32 = 0.6;
/// 1.5 · 2^52: adding and subtracting it rounds to the nearest integer without a call.
const ROUNDING: f64 = 6_755_399_441_055_744.0;

/// The sea of one course under one seed.
#[derive(Debug)]
pub struct Sea {
    /// Tells this sea's memos from another's; no answer depends on it.
    number: u64,
    course: Arc<Course>,
    seed: u64,
    weather: Weather,
    waves: WaveSet,
    trains: Trains,
    gauges: Gauges,
    /// Index of the first patch east and north, and how many there are.
    first: [i64; 2],
    columns: usize,
    rows: usize,
    patches: Vec<OnceLock<Box<Patch>>>,
}

/// The sea at a place and tick, for people and instruments.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct SeaSample {
    /// Wind at 10 m, towards east and north, m/s.
    pub wind_mps: DVec2,
    /// Current, towards east and north, m/s.
    pub current_mps: DVec2,
    /// Significant wave height, metres.
    pub wave_hs_m: f64,
    /// Peak period, seconds.
    pub wave_tp_s: f64,
    /// Direction that the waves come from, degrees clockwise from north.
    pub wave_from_deg: f64,
    /// Depth of the water now, tide included, metres; 0 on dry land.
    pub depth_m: f64,
    /// Height of the tide above chart datum, metres.
    pub tide_m: f64,
    /// Visibility, metres.
    pub visibility_m: f64,
}

/// What one hull feels during one tick: constant over its length except for the waves' phases.
#[derive(Clone, Debug)]
pub struct Water {
    /// Wind at 10 m, m/s.
    pub wind_mps: DVec2,
    /// Current, m/s.
    pub current_mps: DVec2,
    /// Mean water level above the course frame's z = 0 (chart datum), metres.
    pub level_m: f64,
    /// Height of the seabed above z = 0, metres; negative under water.
    pub bed_m: f64,
    /// Slope of the seabed: rise per metre east and north.
    pub bed_slope: DVec2,
    /// The waves here.
    pub waves: LocalWaves,
}

/// The course's wave components about a reference place, structure of arrays.
///
/// Elevation at the offset (x, y) metres: Σ amplitude · cos 2π(phase + kx·x + ky·y), phase in turns.
#[derive(Clone, Debug)]
pub struct LocalWaves {
    /// Amplitude, metres.
    pub amplitude_m: [f32; WAVES],
    /// Phase at the reference place and tick, turns within [−0.5, 0.5].
    pub phase: [f32; WAVES],
    /// Wave number east, turns per metre. A crest runs towards (kx, ky): phase falls with time.
    pub kx: [f32; WAVES],
    /// Wave number north, turns per metre.
    pub ky: [f32; WAVES],
    /// Wave number, radians per metre.
    pub k_radpm: [f32; WAVES],
    /// Angular frequency, rad/s.
    pub omega_radps: [f32; WAVES],
}

impl Sea {
    /// The sea of a course under a seed.
    #[must_use]
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "an extent has few patches")]
    pub fn new(course: Arc<Course>, seed: u64) -> Self {
        static SEAS: AtomicU64 = AtomicU64::new(0);
        let weather = Weather::new(&course, seed);
        let waves = WaveSet::new(&course, seed);
        let trains = Trains::new(&course, &waves, seed);
        let gauges = Gauges::of(&course);
        let extent = course.extent;
        let first = [(extent.min.x / PATCH_M).floor() as i64, (extent.min.y / PATCH_M).floor() as i64];
        let columns = ((extent.max.x / PATCH_M).ceil() as i64 - first[0]).max(1) as usize;
        let rows = ((extent.max.y / PATCH_M).ceil() as i64 - first[1]).max(1) as usize;
        let patches = std::iter::repeat_with(OnceLock::new).take(columns * rows).collect();
        let number = SEAS.fetch_add(1, Ordering::Relaxed);
        Self { number, course, seed, weather, waves, trains, gauges, first, columns, rows, patches }
    }

    /// The course.
    #[must_use]
    pub fn course(&self) -> &Arc<Course> {
        &self.course
    }

    /// Tells this sea from every other of the process, for memos; no answer may depend on it.
    #[must_use]
    pub const fn number(&self) -> u64 {
        self.number
    }

    /// The seed that it was made with.
    #[must_use]
    pub const fn seed(&self) -> u64 {
        self.seed
    }

    /// The weather over it.
    #[must_use]
    pub const fn weather(&self) -> &Weather {
        &self.weather
    }

    /// Every train of higher swell along the course within a span of ticks, by the time of its passage.
    #[must_use]
    pub fn trains(&self, from: Tick, until: Tick) -> Vec<Train> {
        self.trains.within(from, until)
    }

    /// Every freak wave along the course within a span of ticks.
    #[must_use]
    pub fn freaks(&self, from: Tick, until: Tick) -> Vec<Freak> {
        freak::within(&self.course, &self.waves, self.seed, from, until)
    }

    /// Computes ahead what [`Self::water`] will need within an area, so that the first tick need not.
    pub fn prepare(&self, area: Area) {
        let (_, low) = self.locate(area.min);
        let (_, high) = self.locate(area.max);
        for row in low / self.columns..=high / self.columns {
            for column in low % self.columns..=high % self.columns {
                self.patch(row * self.columns + column);
            }
        }
    }

    /// The sea at a place and tick.
    #[must_use]
    pub fn at(&self, place: DVec2, tick: Tick) -> SeaSample {
        let water = self.water(place, tick);
        let (wave_hs_m, wave_tp_s, wave_from_deg) = self.summary(&water.waves);
        SeaSample {
            wind_mps: water.wind_mps,
            current_mps: water.current_mps,
            wave_hs_m,
            wave_tp_s,
            wave_from_deg,
            depth_m: (water.level_m - water.bed_m).max(0.0),
            tide_m: water.level_m,
            visibility_m: self.visibility_m(place, tick),
        }
    }

    /// What a hull at a place feels at a tick.
    #[must_use]
    pub fn water(&self, place: DVec2, tick: Tick) -> Water {
        moment::with(self, tick, |moment| self.water_at(place, moment))
    }

    /// Wind at 10 m at a place and tick, towards east and north, m/s.
    #[must_use]
    pub fn wind(&self, place: DVec2, tick: Tick) -> DVec2 {
        moment::with(self, tick, |moment| {
            self.weather.wind(&moment.segment, &moment.turns, &moment.sky, place)
        })
    }

    /// Wind at 10 m without gusts at a place and tick, towards east and north, m/s.
    #[must_use]
    pub fn mean_wind(&self, place: DVec2, tick: Tick) -> DVec2 {
        moment::with(self, tick, |moment| self.weather.mean_wind(&moment.segment, &moment.sky, place))
    }

    /// Current at a place and tick, towards east and north, m/s, and height of the tide, metres.
    #[must_use]
    pub fn tide(&self, place: DVec2, tick: Tick) -> (DVec2, f64) {
        moment::with(self, tick, |moment| {
            let (offset, patch) = self.locate(place);
            let patch = self.patch(patch);
            let (flow_mps, level_m) = patch.flow(offset, &moment.drives_mps, &moment.heights_m);
            (flow_mps * drag(level_m - patch.bed(offset).0), level_m)
        })
    }

    /// Current at a place and tick, towards east and north, m/s, worked out for this place alone: for a few
    /// places far from where anybody sails, whose patches nobody will need. Differs from [`Self::tide`] by what a
    /// lattice of 128 m leaves out, and by what the bed slows in shoal water.
    #[must_use]
    pub fn lone_current(&self, place: DVec2, tick: Tick) -> DVec2 {
        let place = place.clamp(self.course.extent.min, self.course.extent.max);
        let candidates = flow::candidates(&self.course, Area { min: place, max: place });
        let mut shares = Vec::new();
        self.gauges.current_shares(&self.course, &candidates, place, &mut shares);
        moment::with(self, tick, |moment| {
            let mut sum = [0.0_f32; 4];
            for (share, drive) in shares.iter().zip(&moment.drives_mps) {
                for axis in 0..4 {
                    sum[axis] += share[axis] * drive[axis];
                }
            }
            DVec2::new(f64::from(sum[0] + sum[2]), f64::from(sum[1] + sum[3]))
        })
    }

    /// Visibility at a place and tick, metres.
    #[must_use]
    pub fn visibility_m(&self, place: DVec2, tick: Tick) -> f64 {
        moment::with(self, tick, |moment| self.weather.visibility_m(&moment.sky, place))
    }

    /// Height of the seabed above chart datum at a place, metres; positive on land.
    #[must_use]
    pub fn bed_m(&self, place: DVec2) -> f64 {
        let (offset, patch) = self.locate(place);
        self.patch(patch).bed(offset).0
    }

    fn water_at(&self, place: DVec2, moment: &Moment) -> Water {
        let (offset, patch) = self.locate(place);
        let patch = self.patch(patch);
        let (bed_m, bed_slope) = patch.bed(offset);
        let (flow_mps, level_m) = patch.flow(offset, &moment.drives_mps, &moment.heights_m);
        let depth_m = level_m - bed_m;
        let current_mps = flow_mps * drag(depth_m);
        Water {
            wind_mps: self.weather.wind(&moment.segment, &moment.turns, &moment.sky, place),
            current_mps,
            level_m,
            bed_m,
            bed_slope,
            waves: LocalWaves {
                amplitude_m: self.amplitudes(patch, [offset, place], moment, current_mps, depth_m),
                phase: self.phases(place, moment),
                kx: self.waves.kx,
                ky: self.waves.ky,
                k_radpm: self.waves.k_radpm,
                omega_radps: self.waves.omega_radps,
            },
        }
    }

    /// Amplitudes with current and depth in them, metres.
    #[inline]
    #[expect(clippy::cast_possible_truncation, reason = "amplitudes are in single precision")]
    fn amplitudes(
        &self,
        patch: &Patch,
        [offset, place]: [DVec2; 2],
        moment: &Moment,
        current_mps: DVec2,
        depth_m: f64,
    ) -> [f32; WAVES] {
        let mut amplitude_m = patch.amplitudes(offset, moment.waves.level, moment.waves.share);
        if !moment.trains.is_empty() {
            let t_s = moment.tick.seconds();
            swell::raise(&mut amplitude_m, &moment.trains, self.waves.wind_waves, place, t_s);
        }
        let (east, north) = (current_mps.x as f32, current_mps.y as f32);
        let [slow_x, slow_y] = &self.waves.slowness;
        for i in 0..WAVES {
            let along = slow_x[i] * east + slow_y[i] * north;
            amplitude_m[i] *= moment.waves.turn[i] * current_gain(along);
        }
        // Lanes of their own, summed in order: the same bits at any width of vectors.
        let mut energy = [0.0_f32; LANES];
        for half in amplitude_m.chunks_exact(LANES) {
            for lane in 0..LANES {
                energy[lane] += 0.5 * half[lane] * half[lane];
            }
        }
        let height_m = 4.0 * energy.iter().sum::<f32>().sqrt();
        let most_m = BREAKING * depth_m.max(0.0) as f32;
        if height_m > most_m {
            let share = most_m / height_m;
            for amplitude in &mut amplitude_m {
                *amplitude *= share;
            }
        }
        amplitude_m
    }

    /// Phases at a place, turns within [−0.5, 0.5].
    #[inline]
    #[expect(clippy::cast_possible_truncation, reason = "a wrapped phase is short")]
    fn phases(&self, place: DVec2, moment: &Moment) -> [f32; WAVES] {
        let [kx, ky] = &self.waves.k_turns;
        let mut phase = [0.0; WAVES];
        for i in 0..WAVES {
            let turns = moment.waves.phase[i] + kx[i] * place.x + ky[i] * place.y;
            phase[i] = (turns - ((turns + ROUNDING) - ROUNDING)) as f32;
        }
        if !moment.freaks.is_empty() {
            freak::gather(&mut phase, &moment.freaks, place, moment.tick.seconds());
        }
        phase
    }

    /// Significant height, metres, peak period, seconds, and direction, degrees, of some waves.
    fn summary(&self, waves: &LocalWaves) -> (f64, f64, f64) {
        let (mut energy, mut weights, mut periods) = (0.0, 0.0, 0.0);
        let mut travel = DVec2::ZERO;
        for i in 0..WAVES {
            let part = 0.5 * f64::from(waves.amplitude_m[i]) * f64::from(waves.amplitude_m[i]);
            energy += part;
            travel += DVec2::new(f64::from(waves.kx[i]), f64::from(waves.ky[i])).normalize_or_zero() * part;
            // Young (1995): the fourth power of the energy picks the peak without jumping.
            let weight = part * part * part * part;
            weights += weight;
            periods += weight / self.waves.frequency_hz[i];
        }
        let period_s = if weights > 0.0 { periods / weights } else { 0.0 };
        (4.0 * energy.sqrt(), period_s, degrees(trig::heading(-travel.x, -travel.y)))
    }

    /// The patch of a place and the place's offset from its south-west corner, metres; a place beyond the
    /// extent counts as the nearest within.
    #[inline]
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped to the patches")]
    #[expect(clippy::cast_precision_loss, reason = "an extent has few patches")]
    fn locate(&self, place: DVec2) -> (DVec2, usize) {
        let within = place / PATCH_M - DVec2::new(self.first[0] as f64, self.first[1] as f64);
        let column = (within.x.max(0.0) as usize).min(self.columns - 1);
        let row = (within.y.max(0.0) as usize).min(self.rows - 1);
        let fraction = (within - DVec2::new(column as f64, row as f64)).clamp(DVec2::ZERO, DVec2::ONE);
        (fraction * PATCH_M, row * self.columns + column)
    }

    /// A patch, computed if nobody asked for it before.
    #[inline]
    fn patch(&self, index: usize) -> &Patch {
        self.patches[index].get_or_init(|| {
            #[expect(clippy::cast_precision_loss, clippy::cast_possible_wrap, reason = "few patches")]
            let corner = DVec2::new(
                (self.first[0] + (index % self.columns) as i64) as f64,
                (self.first[1] + (index / self.columns) as i64) as f64,
            ) * PATCH_M;
            Box::new(Patch::new(&self.course, &self.gauges, &self.waves, corner))
        })
    }
}

/// Share of the current that the bed leaves in water of a depth, metres.
fn drag(depth_m: f64) -> f64 {
    let t = (depth_m * (1.0 / DRAG_DEPTH_M)).clamp(0.0, 1.0);
    t * t * (3.0 - 2.0 * t)
}

#[cfg(test)]
mod tests;
