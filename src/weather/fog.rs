//! Visibility: fog where a drifting field of dew points comes near the air's temperature, banks that a course scripts,
//! and rain.

use glam::DVec2;

use super::{Sky, Weather, smooth};
use crate::atlas::{Happening, Scripted};
use crate::noise::{self, Stream};
use crate::trig;
use crate::units::{TICK_HZ, Tick};

/// Lattice of the dew-point field, metres and seconds.
const CELL_M: f64 = 4_000.0;
const CELL_S: f64 = 3_600.0;
/// Spread between air temperature and dew point below which fog lies, and above which air is clear, °C.
const SPREAD_C: [f64; 2] = [0.5, 3.0];
/// Amplitude of the dew-point field, °C.
const SWING_C: f64 = 2.0;
/// Visibility within fog, metres.
const VISIBILITY_M: f64 = 200.0;
/// Below this it is called fog, metres (WMO No. 182).
const FOG_M: f64 = 1_000.0;
/// Steps in which a bank's life and size are found, seconds and metres.
const STEP_S: f64 = 120.0;
const STEP_M: f64 = 100.0;
/// Hours that one bank is followed at most: longer than a damp cell of the field stays damp.
const HOURS_MAX: f64 = 48.0;
/// Shares of its life in which a scripted bank forms and clears, and of its radius that is its edge.
const FORMS: f64 = 0.15;
const EDGE: f64 = 0.4;

/// A bank of fog.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bank {
    /// A number of its own.
    pub id: u64,
    /// When it begins, seconds since the course's epoch.
    pub from_s: f64,
    /// How long it lasts, seconds.
    pub lasts_s: f64,
    /// Its middle when it begins, course frame, metres.
    pub place: DVec2,
    /// Its way, m/s.
    pub velocity_mps: DVec2,
    /// How far it reaches, metres.
    pub radius_m: f64,
    /// Visibility in its middle, metres.
    pub visibility_m: f64,
}

impl Bank {
    pub(super) fn scripted(script: &Scripted, number: usize, drift_mps: DVec2) -> Option<Self> {
        (script.what == Happening::Fog).then(|| Self {
            id: super::script_id(number),
            from_s: script.from.seconds(),
            lasts_s: script.lasts_s,
            place: script.place,
            velocity_mps: super::way(script, drift_mps),
            radius_m: script.radius_m,
            visibility_m: script.strength,
        })
    }

    /// Its middle at a time, metres.
    #[must_use]
    pub fn centre(&self, t_s: f64) -> DVec2 {
        self.place + self.velocity_mps * (t_s - self.from_s)
    }

    /// How much of it lies at a place and time, 0 to 1.
    fn share(&self, place: DVec2, t_s: f64) -> f64 {
        let age = (t_s - self.from_s) / self.lasts_s;
        let there = smooth((age / FORMS).clamp(0.0, 1.0)) * smooth(((1.0 - age) / FORMS).clamp(0.0, 1.0));
        let off = (place - self.centre(t_s)).length() / self.radius_m;
        there * smooth(((1.0 - off) / EDGE).clamp(0.0, 1.0))
    }
}

impl Weather {
    /// How far one sees at a place, metres, at the sky's tick.
    #[must_use]
    pub fn visibility_m(&self, sky: &Sky, place: DVec2) -> f64 {
        let t_s = sky.tick.seconds();
        // What takes the sight adds up by its extinction, which is the inverse of the visibility (Koschmieder 1924).
        let clear_pm = 1.0 / self.dew_visibility_m(place, t_s);
        let bursts = sky.bursts.iter().map(|burst| burst.rain(place));
        let fronts = sky.fronts.iter().map(|front| front.rain(front.since_s(place, t_s)));
        let banks_pm: f64 = sky
            .banks
            .iter()
            .map(|bank| (1.0 / bank.visibility_m - clear_pm).max(0.0) * bank.share(place, t_s))
            .sum();
        1.0 / (clear_pm + banks_pm + rain_extinction(bursts.chain(fronts).sum()))
    }

    /// Every bank of fog along the course within a span of ticks, by its beginning: where the field of dew points
    /// leaves less than a kilometre of sight, and what the course scripts.
    #[must_use]
    pub fn banks(&self, from: Tick, until: Tick) -> Vec<Bank> {
        let [from_s, until_s] = [from.seconds(), until.seconds()];
        let mut banks = self.scripted_banks(from, until);
        // At best the field takes its whole swing off the spread.
        if self.dew_sight_m(SWING_C) < FOG_M {
            let mut hour = (from_s / CELL_S).floor();
            // A bank lies about its node's hour: it may come before it, and be gone by then.
            while (hour - 1.0) * CELL_S <= until_s {
                let [begin, end] = [from_s.max((hour - 1.0) * CELL_S), until_s.min((hour + 1.0) * CELL_S)]
                    .map(|t_s| self.downwind * (self.climate.wind_mps * t_s));
                let low = ((self.extent.min - begin.max(end)) / CELL_M).floor() - 1.0;
                let high = ((self.extent.max - begin.min(end)) / CELL_M).ceil() + 1.0;
                let mut y = low.y;
                while y <= high.y {
                    let mut x = low.x;
                    while x <= high.x {
                        banks.extend(self.damp_bank(DVec2::new(x, y), hour));
                        x += 1.0;
                    }
                    y += 1.0;
                }
                hour += 1.0;
            }
            banks.retain(|bank| {
                let begin_s = bank.from_s.max(from_s);
                let end_s = (bank.from_s + bank.lasts_s).min(until_s);
                let [a, b] = [begin_s, end_s].map(|t_s| bank.centre(t_s));
                begin_s <= end_s && super::nearest_m(self.extent, a, b) <= bank.radius_m
            });
        }
        banks.sort_by(|a, b| a.from_s.total_cmp(&b.from_s).then(a.id.cmp(&b.id)));
        banks.dedup_by_key(|bank| bank.id);
        banks
    }

    pub(super) fn scripted_banks(&self, from: Tick, until: Tick) -> Vec<Bank> {
        let drift_mps = self.downwind * self.climate.wind_mps;
        let scripts = self.scripts.iter().enumerate();
        scripts
            .filter_map(|(number, script)| Bank::scripted(script, number, drift_mps))
            .filter(|bank| bank.from_s <= until.seconds() && bank.from_s + bank.lasts_s >= from.seconds())
            .collect()
    }

    /// The bank about a node of the dew-point field at an hour, if it is fog there then; its life begins where the node
    /// before it in time is not.
    #[expect(clippy::cast_possible_truncation, reason = "wraps after 2^32 cells")]
    fn damp_bank(&self, node: DVec2, hour: f64) -> Option<Bank> {
        let drift_mps = self.downwind * self.climate.wind_mps;
        let centre = |t_s: f64| node * CELL_M + drift_mps * t_s;
        let is_fog = |t_s: f64| self.dew_visibility_m(centre(t_s), t_s) < FOG_M;
        let mut from_s = hour * CELL_S;
        if !is_fog(from_s) {
            return None;
        }
        // Back to where it forms, and on to where it clears; a bank is known by the hour of its first node.
        let earliest_s = from_s - HOURS_MAX * CELL_S;
        while from_s - STEP_S > earliest_s && is_fog(from_s - STEP_S) {
            from_s -= STEP_S;
        }
        let mut until_s = hour * CELL_S;
        while until_s - from_s < 2.0 * HOURS_MAX * CELL_S && is_fog(until_s + STEP_S) {
            until_s += STEP_S;
        }
        let first_hour = (from_s / CELL_S).ceil();
        let middle_s = 0.5 * (from_s + until_s);
        let reach = |way: DVec2| {
            let mut off_m = 0.0;
            while off_m < CELL_M
                && self.dew_visibility_m(centre(middle_s) + way * (off_m + STEP_M), middle_s) < FOG_M
            {
                off_m += STEP_M;
            }
            off_m
        };
        let ways = [DVec2::X, DVec2::Y, DVec2::NEG_X, DVec2::NEG_Y];
        let counter = [node.x, node.y, first_hour].map(|index| (index as i64).cast_unsigned() as u32);
        let words = noise::draw(self.seed, Stream::Fog, counter);
        Some(Bank {
            id: (u64::from(words[1]) << 32) | u64::from(words[2]),
            from_s,
            lasts_s: (until_s - from_s).max(STEP_S),
            place: centre(from_s),
            velocity_mps: drift_mps,
            radius_m: (ways.map(reach).iter().sum::<f64>() / 4.0).max(STEP_M),
            visibility_m: self.dew_visibility_m(centre(middle_s), middle_s),
        })
    }

    /// Visibility that the dew points leave at a place and time, metres.
    fn dew_visibility_m(&self, place: DVec2, t_s: f64) -> f64 {
        // Carried along by the climate's own wind, so that no segment's end shows.
        let at = (place - self.downwind * (self.climate.wind_mps * t_s)) / CELL_M;
        self.dew_sight_m(SWING_C * self.fog_noise(at, t_s / CELL_S))
    }

    /// Visibility where the dew point is so much above its mean, metres.
    fn dew_sight_m(&self, damp_c: f64) -> f64 {
        let spread_c = self.climate.air_c - self.climate.dew_point_c - damp_c;
        let clear = smooth(((spread_c - SPREAD_C[0]) / (SPREAD_C[1] - SPREAD_C[0])).clamp(0.0, 1.0));
        let fog_m = VISIBILITY_M.min(self.climate.visibility_m);
        fog_m + (self.climate.visibility_m - fog_m) * clear
    }

    /// Value noise of a range of about ±1 over cells and hours.
    fn fog_noise(&self, at: DVec2, hour: f64) -> f64 {
        let (x, y, z) = (at.x.floor(), at.y.floor(), hour.floor());
        let (fx, fy, fz) = (smooth(at.x - x), smooth(at.y - y), smooth(hour - z));
        #[expect(clippy::cast_possible_truncation, reason = "wraps after 2^32 cells")]
        let node = |dx: f64, dy: f64, dz: f64| {
            let counter = [x + dx, y + dy, z + dz].map(|index| (index as i64).cast_unsigned() as u32);
            noise::signed(self.seed, Stream::Fog, counter)
        };
        let row = |dy, dz| node(0.0, dy, dz) * (1.0 - fx) + node(1.0, dy, dz) * fx;
        let layer = |dz| row(0.0, dz) * (1.0 - fy) + row(1.0, dz) * fy;
        layer(0.0) * (1.0 - fz) + layer(1.0) * fz
    }
}

/// What rain of a rate, mm/h, takes off the sight, per metre of visibility: 1.076 R^0.67 dB/km (Carbonneau and Wisely
/// 1998, "Opportunities and challenges for optical wireless"), of which Koschmieder's 2 % leave 17 dB.
pub(super) fn rain_extinction(rain_mmph: f64) -> f64 {
    if rain_mmph < 1e-3 {
        // A line to nothing, where the power has no slope.
        return rain_mmph * (1.076e-3 / 17.0 * 0.009_772 / 1e-3);
    }
    1.076e-3 / 17.0 * trig::exp(0.67 * trig::ln(rain_mmph))
}

/// A tick from seconds since the epoch.
#[must_use]
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "saturates before the epoch")]
#[expect(clippy::cast_precision_loss, reason = "45")]
pub(crate) fn tick_of(t_s: f64) -> Tick {
    Tick((t_s * TICK_HZ as f64 + 0.5).floor() as u64)
}
