//! Freak waves: places and times at which the sea's components come into step.
//!
//! About a drawn place and time, in a window that travels with the groups of the highest waves, the phases of the
//! components are turned towards a common crest, as far as the drawn height needs: the sea there is then near the one
//! that a random sea has around its extreme crests (Tromans, Anaturk and Hagemeijer 1991, "A new model for the kinematics
//! of large ocean waves"; Lindgren 1970). Amplitudes stay as they are, so heights keep their statistics.
//!
//! How high: in a linear sea the chance that a crest is above c · Hs is exp(−8 c²) (Longuet-Higgins 1952, with
//! Hs = 4σ). Where n of the N waves of a square and a day are freak ones, these are the highest n: their crests lie above
//! c₀ with N exp(−8 c₀²) = n, and are distributed beyond it as that law says. N counts one wave for each peak period and
//! each two square wave lengths (short crests; Krogstad et al. 2004, "Space-time extremes"). So freak waves are of the
//! sea's own statistics; a sum of 32 waves alone has too few high ones.

use std::f64::consts::TAU;

use glam::DVec2;

use super::waves::WaveSet;
use super::{ROUNDING, WAVES};
use crate::atlas::{Course, Happening};
use crate::noise::Stream;
use crate::trig;
use crate::units::Tick;
use crate::weather::{Cells, script_id};

/// Side of a square for which waves are counted, metres, and its time, seconds.
const SQUARE_M: f64 = 10_000.0;
const DAY_S: f64 = 86_400.0;
/// Half the life of a window, in peak periods, and its bounds, seconds.
const LIFE_PERIODS: f64 = 10.0;
const LIFE_S: [f64; 2] = [30.0, 120.0];
/// Radius of a window, in lengths of the highest waves, and its bounds, metres.
const RADIUS_LENGTHS: f64 = 6.0;
const RADIUS_M: [f64; 2] = [80.0, 500.0];
/// Share of the window over which the phases turn.
const EDGE: f64 = 0.6;
/// Steps of the bisection for how far phases turn: a thousandth of a turn.
const STEPS: usize = 12;
/// Crest over the significant height below which a wave is none (Haver 2000: 1.25, of records of 20 minutes), and so
/// nothing where too few components carry the sea.
const LEAST_CREST: f64 = 1.2;

/// A freak wave.
#[derive(Clone, Debug, PartialEq)]
pub struct Freak {
    /// A number of its own.
    pub id: u64,
    /// Where its crest stands, course frame, metres.
    pub place: DVec2,
    /// When, seconds since the course's epoch.
    pub at_s: f64,
    /// Life of the window about it, seconds.
    pub lasts_s: f64,
    /// Radius of the window, metres.
    pub radius_m: f64,
    /// The window's way, m/s.
    pub velocity_mps: DVec2,
    /// Height of its crest over the significant height there.
    pub crest: f64,
    /// By how much each component's phase is turned in the window, turns.
    turns: [f32; WAVES],
}

impl Freak {
    /// How much of the window is at a place and time, 0 to 1.
    #[inline]
    fn share(&self, place: DVec2, t_s: f64) -> f64 {
        let since_s = t_s - self.at_s;
        let off2 = (place - self.place - self.velocity_mps * since_s).length_squared();
        if off2 >= self.radius_m * self.radius_m {
            return 0.0;
        }
        edge(since_s.abs() / (0.5 * self.lasts_s)) * edge(off2.sqrt() / self.radius_m)
    }

    /// First and last moment of its window, seconds since the epoch.
    #[must_use]
    pub fn span_s(&self) -> [f64; 2] {
        [self.at_s - 0.5 * self.lasts_s, self.at_s + 0.5 * self.lasts_s]
    }
}

/// One within, nothing outside.
fn edge(off: f64) -> f64 {
    let t = ((1.0 - off) / EDGE).clamp(0.0, 1.0);
    t * t * (3.0 - 2.0 * t)
}

/// Every freak wave along a course within a span of ticks, in order of their windows' beginnings.
pub(super) fn within(course: &Course, waves: &WaveSet, seed: u64, from: Tick, until: Tick) -> Vec<Freak> {
    let [from_s, until_s] = [from.seconds(), until.seconds()];
    let per_day = course.climate.adventures.freak_waves_per_day;
    let cells = Cells { seed, stream: Stream::Freak, kind: 0, drift_mps: DVec2::ZERO, mean: 0.0 };
    // Half a life before and after: a birth is the moment of the crest.
    let span_s = [from_s, until_s + 0.5 * LIFE_S[1]];
    let births = cells.per_square(per_day).births(course.extent, span_s, 0.5 * LIFE_S[1]);
    let mut freaks: Vec<Freak> = births
        .iter()
        .filter(|birth| course.extent.contains(birth.home))
        .filter(|birth| birth.t_s + LIFE_S[1] > from_s && birth.t_s - LIFE_S[1] < until_s)
        .filter_map(|birth| {
            let beyond = -trig::ln(1.0 - birth.draws[0]) / 8.0;
            focus(course, waves, birth.id, birth.home, birth.t_s, Size::Rare { per_day, beyond })
        })
        .collect();
    let scripts = course.events.iter().enumerate();
    freaks.extend(scripts.filter(|(_, script)| script.what == Happening::FreakWave).filter_map(
        |(number, script)| {
            let at_s = script.from.seconds() + 0.5 * script.lasts_s;
            let overlaps = script.from.seconds() < until_s && script.from.seconds() + script.lasts_s > from_s;
            let size =
                Size::Stated { crest: script.strength, radius_m: script.radius_m, lasts_s: script.lasts_s };
            overlaps.then(|| focus(course, waves, script_id(number), script.place, at_s, size)).flatten()
        },
    ));
    freaks.retain(|freak| freak.span_s()[0] <= until_s && freak.span_s()[1] >= from_s);
    freaks.sort_by(|a, b| a.span_s()[0].total_cmp(&b.span_s()[0]).then(a.id.cmp(&b.id)));
    freaks
}

/// How large a freak wave is to be.
#[derive(Clone, Copy)]
enum Size {
    /// As rare as the highest so many a square and day; `beyond` is drawn: by how much its crest's square is more.
    Rare { per_day: f64, beyond: f64 },
    /// As a course says.
    Stated { crest: f64, radius_m: f64, lasts_s: f64 },
}

/// The freak wave at a place and time; none where there are no waves.
#[expect(clippy::cast_possible_truncation, reason = "turns are in single precision")]
fn focus(course: &Course, waves: &WaveSet, id: u64, place: DVec2, at_s: f64, size: Size) -> Option<Freak> {
    let amplitude_m = waves.amplitudes_at(course, place)[1].map(f64::from);
    let energy: f64 = amplitude_m.iter().map(|a| 0.5 * a * a).sum();
    let height_m = 4.0 * energy.sqrt();
    if height_m < 0.01 || course.coast().is_land(place) {
        return None;
    }
    let (peak, _) = amplitude_m.iter().enumerate().max_by(|a, b| a.1.total_cmp(b.1))?;
    let (period_s, velocity_mps) = (1.0 / waves.frequency_hz[peak], waves.group_way(peak));
    let length_m = TAU / f64::from(waves.k_radpm[peak]);
    let (crest, radius_m, lasts_s) = match size {
        Size::Stated { crest, radius_m, lasts_s } => (crest, radius_m, lasts_s),
        Size::Rare { per_day, beyond } => {
            let count = SQUARE_M * SQUARE_M / (2.0 * length_m * length_m) * (DAY_S / period_s);
            let least2 = trig::ln((count / per_day).max(1.0)) / 8.0;
            (
                (least2 + beyond).sqrt(),
                (RADIUS_LENGTHS * length_m).clamp(RADIUS_M[0], RADIUS_M[1]),
                2.0 * (LIFE_PERIODS * period_s).clamp(0.5 * LIFE_S[0], 0.5 * LIFE_S[1]),
            )
        }
    };
    let phase = waves.phases_at(place, at_s);
    let crest_at = |share: f64| -> f64 {
        let parts = amplitude_m.iter().zip(&phase);
        parts.map(|(a, phase)| a * trig::sin_cos_turns((1.0 - share) * phase).1).sum::<f64>() / height_m
    };
    // The crest rises with the share, because each phase is half a turn at most.
    let (mut low, mut high) = (0.0, 1.0);
    for _ in 0..STEPS {
        let middle = 0.5 * (low + high);
        if crest_at(middle) < crest {
            low = middle;
        } else {
            high = middle;
        }
    }
    let stands = crest_at(high);
    if stands < LEAST_CREST && matches!(size, Size::Rare { .. }) {
        return None;
    }
    Some(Freak {
        id,
        place,
        at_s,
        lasts_s,
        radius_m,
        velocity_mps,
        crest: stands,
        turns: std::array::from_fn(|i| (-high * phase[i]) as f32),
    })
}

/// Turns the phases of the waves at a place and time for the freak waves around.
#[inline]
#[expect(clippy::cast_possible_truncation, reason = "phases are in single precision")]
pub(super) fn gather(phase: &mut [f32; WAVES], freaks: &[Freak], place: DVec2, t_s: f64) {
    for freak in freaks {
        let share = freak.share(place, t_s) as f32;
        if share > 0.0 {
            for (phase, turned) in phase.iter_mut().zip(&freak.turns) {
                let turns = f64::from(*phase + share * turned);
                *phase = (turns - ((turns + ROUNDING) - ROUNDING)) as f32;
            }
        }
    }
}
