//! Poisson cells: what is born where and when, drawn for each square of a drifting lattice and slot of time.
//!
//! The lattice drifts with a velocity that never changes, so that what drifts with it stays in the square that it was
//! drawn for: a search looks at the squares under an area, and at no others.

use glam::DVec2;

use crate::atlas::Area;
use crate::noise::{self, Stream};
use crate::trig;

/// Side of a square, metres.
pub(crate) const CELL_M: f64 = 10_000.0;
/// Length of a slot, seconds.
pub(crate) const SLOT_S: f64 = 1_800.0;
/// Births in one square and slot at most: two draws each in the three high bits of a counter. With the mean of two
/// that a climate may ask for, one in two hundred is lost.
const MOST: u32 = 6;
/// Largest mean number of births in a square and slot.
const MEAN_MAX: f64 = 2.0;
/// Bit of a counter above the slot's number: seven hundred years of slots.
const DRAW_BIT: u32 = 28;

/// What is drawn in one stream.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cells {
    pub(crate) seed: u64,
    pub(crate) stream: Stream,
    /// Tells kinds apart that share a stream, 0 or 1.
    pub(crate) kind: u32,
    /// Velocity of the lattice, m/s.
    pub(crate) drift_mps: DVec2,
    /// Mean number of births in a square and slot.
    pub(crate) mean: f64,
}

/// One birth.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Birth {
    /// A number that no other birth has, but for one chance in 2⁶⁴.
    pub(crate) id: u64,
    /// Place on the lattice, metres: where it was at the epoch, had it been there.
    pub(crate) home: DVec2,
    /// When, seconds since the course's epoch.
    pub(crate) t_s: f64,
    /// Four draws in [0, 1) for whatever it is to be.
    pub(crate) draws: [f64; 4],
}

impl Cells {
    /// Cells so frequent that a place lies in the way of `per_day` of them, when each has a radius and a life.
    ///
    /// What drifts with the wind sweeps πR² + 2R · V · T over the ground.
    pub(crate) fn passing(self, per_day: f64, radius_m: f64, life_s: f64) -> Self {
        let swept_m2 = radius_m * (std::f64::consts::PI * radius_m + 2.0 * self.drift_mps.length() * life_s);
        self.per_square(per_day * CELL_M * CELL_M / swept_m2)
    }

    /// Cells of which a square has so many a day.
    pub(crate) fn per_square(self, per_day: f64) -> Self {
        Self { mean: (per_day * SLOT_S / 86_400.0).min(MEAN_MAX), ..self }
    }

    /// All births that may be in an area within a span of time, when none lives for longer than `life_s`; in order of
    /// their slots and squares. The caller knows which of them really are there.
    pub(crate) fn births(&self, area: Area, [from_s, until_s]: [f64; 2], life_s: f64) -> Vec<Birth> {
        let mut births = Vec::new();
        if self.mean <= 0.0 {
            return births;
        }
        let none = trig::exp(-self.mean);
        let first = ((from_s - life_s) / SLOT_S).floor().max(0.0);
        let last = (until_s / SLOT_S).floor();
        let mut slot = first;
        while slot <= last {
            // Where the area lies on the lattice while what is born in the slot lives, and the span lasts.
            let [begin_s, end_s] = [from_s.max(slot * SLOT_S), until_s.min((slot + 1.0) * SLOT_S + life_s)];
            let (begin, end) = (self.drift_mps * begin_s, self.drift_mps * end_s);
            let low = ((area.min - begin.max(end)) / CELL_M).floor();
            let high = ((area.max - begin.min(end)) / CELL_M).floor();
            let mut y = low.y;
            while y <= high.y {
                let mut x = low.x;
                while x <= high.x {
                    self.births_of([x, y], slot, none, &mut births);
                    x += 1.0;
                }
                y += 1.0;
            }
            slot += 1.0;
        }
        births
    }

    /// The births of one square in one slot; `none` is the chance of none.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "wraps after 2^32 squares")]
    fn births_of(&self, square: [f64; 2], slot: f64, none: f64, births: &mut Vec<Birth>) {
        let [x, y] = square.map(|index| (index as i64).cast_unsigned() as u32);
        let counter = |draw: u32| [x, y, (slot as u32) | (draw << DRAW_BIT)];
        // The kind turns the seed's high half: squalls and thunderstorms are strangers to each other.
        let seed = self.seed ^ (u64::from(self.kind) << 63);
        let u = noise::uniform(seed, self.stream, counter(0));
        // Poisson by inversion: how many terms of the sum lie below the draw.
        let (mut count, mut term, mut sum) = (0, none, none);
        while u >= sum && count < MOST {
            count += 1;
            term *= self.mean / f64::from(count);
            sum += term;
        }
        for number in 0..count {
            let unit = |word: u32| f64::from(word) * (1.0 / 4_294_967_296.0);
            let [dx, dy, dt, low] = noise::draw(seed, self.stream, counter(1 + 2 * number));
            let draws = noise::draw(seed, self.stream, counter(2 + 2 * number));
            let home = DVec2::new(square[0] + unit(dx), square[1] + unit(dy)) * CELL_M;
            births.push(Birth {
                id: (u64::from(low) << 32) | u64::from(draws[3] ^ dt),
                home,
                t_s: (slot + unit(dt)) * SLOT_S,
                draws: draws.map(unit),
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cells(drift_mps: DVec2) -> Cells {
        Cells { seed: 4, stream: Stream::Squall, kind: 0, drift_mps, mean: 0.4 }
    }

    /// However a span and an area are divided, the same births are found.
    #[test]
    fn searches_find_the_same_births_however_they_are_divided() {
        let cells = cells(DVec2::new(7.0, -3.0));
        let area = Area { min: DVec2::new(-9e3, -4e3), max: DVec2::new(12e3, 31e3) };
        let [from_s, until_s, life_s] = [5e6, 5e6 + 40_000.0, 3_000.0];
        let here = |birth: &Birth, area: Area, t_s: f64| {
            (birth.t_s..birth.t_s + life_s).contains(&t_s)
                && area.contains(birth.home + cells.drift_mps * t_s)
        };
        let all = cells.births(area, [from_s, until_s], life_s);
        let mut seen = 0;
        for step in 0..400 {
            let t_s = from_s + f64::from(step) * 100.0;
            let there = |births: &[Birth], area: Area| -> Vec<u64> {
                let mut ids: Vec<u64> =
                    births.iter().filter(|birth| here(birth, area, t_s)).map(|birth| birth.id).collect();
                ids.sort_unstable();
                ids
            };
            let west = Area { max: DVec2::new(1e3, area.max.y), ..area };
            let few = cells.births(west, [t_s, t_s + 1.0], life_s);
            assert_eq!(there(&few, west), there(&all, west));
            seen += there(&few, west).len();
        }
        assert!(seen > 100, "{seen} seen");
    }

    #[test]
    fn births_are_as_many_as_their_mean_says() {
        let cells = cells(DVec2::ZERO);
        let area = Area { min: DVec2::splat(1.0), max: DVec2::splat(5.0 * CELL_M - 1.0) };
        let slots = 4_000.0;
        let births = cells.births(area, [0.0, slots * SLOT_S - 1.0], 0.0);
        let (count, mean) = (f64::from(u32::try_from(births.len()).unwrap()), 25.0 * slots * cells.mean);
        assert!((count - mean).abs() < 4.0 * mean.sqrt(), "{count} births, {mean} in the mean");
        let ids: std::collections::BTreeSet<u64> = births.iter().map(|birth| birth.id).collect();
        assert_eq!(ids.len(), births.len(), "no number twice");
    }
}
