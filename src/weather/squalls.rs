//! Squalls and thunderstorms: cells that drift with the wind, with air that flows out of them, rain, and lightning.
//!
//! The wind of a cell is that of Holmes and Oliver (2000, "An empirical model of a downburst", Engineering Structures
//! 22, 1167–1172): a radial outflow, which rises linearly to its peak and falls beyond it, added as a vector to the wind
//! in which the cell drifts. Ahead of the cell both blow the same way, and that is its gust front; behind it they oppose
//! each other, and there the wind dies or turns.

use glam::DVec2;

use super::cells::{Birth, Cells};
use super::{Weather, smooth};
use crate::atlas::{Happening, Scripted};
use crate::noise::{self, Stream};
use crate::trig;
use crate::units::{TICK_HZ, Tick};

/// Least rise of the wind in a squall, m/s: by 8 m/s, to 11 m/s at least (WMO No. 182, International Meteorological
/// Vocabulary, "squall").
const LEAST_RISE_MPS: f64 = 8.0;
/// Wind in the gust front over the mean wind, least and most, of squalls and of thunderstorms (Wakimoto 1982, Monthly
/// Weather Review 110, 1060–1082: gust fronts of 1.5 to 2.5 times the wind ahead of them).
const GUST_FRONT: [[f64; 2]; 2] = [[1.5, 2.2], [1.7, 2.5]];
/// Radius, least and most, metres.
const RADIUS_M: [[f64; 2]; 2] = [[1_500.0, 3_500.0], [3_000.0, 6_000.0]];
/// Life, least and most, seconds: 20 to 60 minutes (Byers and Braham 1949, "The Thunderstorm").
const LIFE_S: [[f64; 2]; 2] = [[1_200.0, 2_400.0], [1_800.0, 3_600.0]];
/// Rain in the middle, least and most, mm/h: from heavy to violent showers (Met Office fact sheet 3).
const RAIN_MMPH: [[f64; 2]; 2] = [[10.0, 50.0], [25.0, 100.0]];
/// Share of the radius at which the outflow is strongest.
pub(crate) const CORE: f64 = 0.4;
/// Shares of its life in which a cell grows and dies.
const GROWS: f64 = 0.25;
const DIES: f64 = 0.35;
/// Strokes a minute at a thunderstorm's height: two or three flashes (Uman 1987, "The Lightning Discharge", § 3).
const STROKES_PER_MIN: f64 = 3.0;
/// A slot in which there is one stroke at most, seconds.
const STROKE_SLOT_S: f64 = 4.0;
/// Share of the radius within which lightning strikes.
const STROKE_REACH: f64 = 0.7;
/// How far from a course a cell may be and still be looked at, metres.
pub(super) const MARGIN_M: f64 = 5_000.0;
/// Longest life of any cell, scripted ones apart, seconds.
const LIFE_MAX_S: f64 = 3_600.0;
/// Largest radius of one, metres.
const RADIUS_MAX_M: f64 = 6_000.0;

/// A squall or a thunderstorm.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Squall {
    /// A number of its own.
    pub id: u64,
    /// Whether it is a thunderstorm.
    pub thunder: bool,
    /// When it begins, seconds since the course's epoch.
    pub from_s: f64,
    /// How long it lasts, seconds.
    pub lasts_s: f64,
    /// Its middle when it begins, course frame, metres.
    pub place: DVec2,
    /// Its way, m/s.
    pub velocity_mps: DVec2,
    /// How far it reaches, metres; the gust front is at [`Squall::core_m`].
    pub radius_m: f64,
    /// How much it adds to the wind at its height, m/s.
    pub rise_mps: f64,
    /// Rain in its middle at its height, mm/h.
    pub rain_mmph: f64,
}

/// A stroke of lightning.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Stroke {
    /// A number of its own.
    pub id: u64,
    /// When.
    pub tick: Tick,
    /// Where it strikes, course frame, metres.
    pub place: DVec2,
}

impl Squall {
    fn born(birth: &Birth, thunder: bool, drift_mps: DVec2, wind_mps: f64) -> Self {
        let kind = usize::from(thunder);
        let between = |[least, most]: [f64; 2], draw: f64| least + (most - least) * draw;
        let [size, life, strength, _] = birth.draws;
        let rise_mps = (between(GUST_FRONT[kind], strength) - 1.0) * wind_mps;
        Self {
            id: birth.id,
            thunder,
            from_s: birth.t_s,
            lasts_s: between(LIFE_S[kind], life),
            place: birth.home + drift_mps * birth.t_s,
            velocity_mps: drift_mps,
            radius_m: between(RADIUS_M[kind], size),
            rise_mps: rise_mps.max(LEAST_RISE_MPS),
            rain_mmph: between(RAIN_MMPH[kind], strength),
        }
    }

    fn scripted(script: &Scripted, number: usize, drift_mps: DVec2) -> Option<Self> {
        let thunder = match script.what {
            Happening::Squall => false,
            Happening::Thunderstorm => true,
            _ => return None,
        };
        let kind = RAIN_MMPH[usize::from(thunder)];
        Some(Self {
            id: super::script_id(number),
            thunder,
            from_s: script.from.seconds(),
            lasts_s: script.lasts_s,
            place: script.place,
            velocity_mps: super::way(script, drift_mps),
            radius_m: script.radius_m,
            rise_mps: script.strength,
            rain_mmph: 0.5 * (kind[0] + kind[1]),
        })
    }

    /// Its middle at a time, metres.
    #[must_use]
    pub fn centre(&self, t_s: f64) -> DVec2 {
        self.place + self.velocity_mps * (t_s - self.from_s)
    }

    /// Distance from its middle at which its wind is strongest, metres.
    #[must_use]
    pub fn core_m(&self) -> f64 {
        CORE * self.radius_m
    }

    /// How much of its height it has at a time, 0 to 1.
    #[must_use]
    pub fn growth(&self, t_s: f64) -> f64 {
        let age = (t_s - self.from_s) / self.lasts_s;
        smooth((age / GROWS).clamp(0.0, 1.0)) * smooth(((1.0 - age) / DIES).clamp(0.0, 1.0))
    }

    /// What it does at a time; nothing before it begins and after it has ended.
    pub(super) fn burst(&self, t_s: f64) -> Option<Burst> {
        let growth = self.growth(t_s);
        (growth > 0.0).then(|| Burst {
            centre: self.centre(t_s),
            core_m: self.core_m(),
            radius_m: self.radius_m,
            rise_mps: self.rise_mps * growth,
            rain_mmph: self.rain_mmph * growth,
        })
    }

    /// Its strokes of lightning within a span of ticks, in order of time; a squall has none.
    #[must_use]
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "slots of a life, and halves"
    )]
    #[expect(clippy::cast_precision_loss, reason = "45")]
    pub fn strokes(&self, seed: u64, from: Tick, until: Tick) -> Vec<Stroke> {
        let mut strokes = Vec::new();
        if !self.thunder {
            return strokes;
        }
        let begin_s = (from.seconds() - self.from_s).clamp(0.0, self.lasts_s);
        let end_s = (until.seconds() - self.from_s).clamp(0.0, self.lasts_s);
        let mut slot = (begin_s / STROKE_SLOT_S).floor();
        while slot * STROKE_SLOT_S < end_s {
            let counter = [self.id as u32, (self.id >> 32) as u32, slot as u32];
            let draw = noise::draw(seed, Stream::Lightning, counter);
            let [u, dt, x, y] = draw.map(|word| f64::from(word) * (1.0 / 4_294_967_296.0));
            let t_s = self.from_s + (slot + dt) * STROKE_SLOT_S;
            let tick = Tick((t_s * TICK_HZ as f64) as u64);
            if u < STROKES_PER_MIN / 60.0 * STROKE_SLOT_S * self.growth(t_s) && tick >= from && tick < until {
                // A square turned into a disc: even in area.
                let (s, c) = trig::sin_cos_turns(x);
                let place = self.centre(t_s) + DVec2::new(s, c) * (STROKE_REACH * self.radius_m * y.sqrt());
                strokes.push(Stroke { id: self.id ^ (slot as u64 + 1), tick, place });
            }
            slot += 1.0;
        }
        strokes
    }
}

/// A squall at one tick.
#[derive(Clone, Copy, Debug)]
pub(super) struct Burst {
    centre: DVec2,
    core_m: f64,
    radius_m: f64,
    rise_mps: f64,
    rain_mmph: f64,
}

impl Burst {
    /// What it adds to the wind at a place, m/s.
    #[inline]
    pub(super) fn wind(&self, place: DVec2) -> DVec2 {
        let off = place - self.centre;
        let distance2 = off.length_squared();
        if distance2 >= self.radius_m * self.radius_m {
            return DVec2::ZERO;
        }
        let distance_m = distance2.sqrt();
        if distance_m <= self.core_m {
            return off * (self.rise_mps / self.core_m);
        }
        off * (self.rise_mps * ebb((distance_m - self.core_m) / (self.radius_m - self.core_m)) / distance_m)
    }

    /// Its rain at a place, mm/h.
    pub(super) fn rain(&self, place: DVec2) -> f64 {
        self.rain_mmph * ebb(((place - self.centre).length() / self.radius_m).min(1.0))
    }
}

/// From one to nothing without a corner: (1 − x²)³, for the Gaussian of Holmes and Oliver, so that a cell has an end.
fn ebb(x: f64) -> f64 {
    let left = 1.0 - x * x;
    left * left * left
}

impl Weather {
    /// Every squall and thunderstorm that can be felt along the course within a span of ticks, by its beginning.
    #[must_use]
    pub fn squalls(&self, from: Tick, until: Tick) -> Vec<Squall> {
        let span_s = [from.seconds(), until.seconds()];
        let area = self.extent.grown(MARGIN_M + RADIUS_MAX_M);
        let mut squalls = Vec::new();
        for (thunder, cells) in [(false, self.squall_cells()), (true, self.thunder_cells())] {
            let births = cells.births(area, span_s, LIFE_MAX_S);
            let wind_mps = self.climate.wind_mps;
            squalls.extend(births.iter().map(|birth| Squall::born(birth, thunder, self.steer_mps, wind_mps)));
        }
        squalls.extend(
            self.scripts
                .iter()
                .enumerate()
                .filter_map(|(number, script)| Squall::scripted(script, number, self.steer_mps)),
        );
        squalls.retain(|squall| self.is_felt(squall, span_s));
        squalls.sort_by(|a, b| a.from_s.total_cmp(&b.from_s).then(a.id.cmp(&b.id)));
        squalls
    }

    fn squall_cells(&self) -> Cells {
        self.cells(0, self.climate.adventures.squalls_per_day)
    }

    fn thunder_cells(&self) -> Cells {
        self.cells(1, self.climate.adventures.thunderstorms_per_day)
    }

    fn cells(&self, kind: u32, per_day: f64) -> Cells {
        let cells =
            Cells { seed: self.seed, stream: Stream::Squall, kind, drift_mps: self.steer_mps, mean: 0.0 };
        let middle = |[least, most]: [f64; 2]| 0.5 * (least + most);
        let kind = usize::from(kind == 1);
        cells.passing(per_day, middle(RADIUS_M[kind]), middle(LIFE_S[kind]))
    }

    /// Whether a cell comes within reach of the course in a span of time: nearest on its way to the course's middle.
    fn is_felt(&self, squall: &Squall, [from_s, until_s]: [f64; 2]) -> bool {
        let begin_s = squall.from_s.max(from_s);
        let end_s = (squall.from_s + squall.lasts_s).min(until_s);
        if begin_s > end_s {
            return false;
        }
        let way = [squall.centre(begin_s), squall.centre(end_s)];
        super::nearest_m(self.extent, way[0], way[1]) <= squall.radius_m + MARGIN_M
    }
}
