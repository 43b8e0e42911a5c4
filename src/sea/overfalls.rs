//! Overfalls: where and when the current that opposes the waves makes them steep, up to breaking.
//!
//! The waves themselves feel it everywhere (`current_gain`, by conservation of wave action); this room finds when it is
//! much, at the places where a course knows its current best: rips that it marks, current stations, and its legs.

use glam::DVec2;

use super::{Sea, moment};
use crate::atlas::{Area, Measures};
use crate::noise::Stream;
use crate::units::{TICK_HZ, Tick};

/// Steepness over that in still water from which one speaks of overfalls: what a current of a twelfth of the waves'
/// speed makes of them.
pub const OVERFALLS: f64 = 1.5;
/// Waves below this are ripples that break no boat, metres.
const LEAST_M: f64 = 0.15;
/// Ticks between two looks: ten minutes, in which a tide turns little.
const LOOK_TICKS: u64 = 600 * TICK_HZ;
/// Looks back and ahead for when overfalls began and will end: half a tide.
const LOOKS: u64 = 40;
/// How far overfalls reach where no rip says it, metres.
const RADIUS_M: f64 = 500.0;

/// Overfalls at one place during one tide.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Overfalls {
    /// A number of its own.
    pub id: u64,
    /// Where, course frame, metres.
    pub place: DVec2,
    /// How far they reach, metres.
    pub radius_m: f64,
    /// First tick.
    pub from: Tick,
    /// Tick after which there are none.
    pub until: Tick,
    /// Greatest steepness of the waves over that in still water.
    pub steepness: f64,
}

impl Sea {
    /// Steepness of the waves at a place and tick over what they have in still water: 1 without current.
    ///
    /// Longuet-Higgins and Stewart (1961): the amplitude grows as `current_gain` says and the length shrinks with
    /// (c/c₀)²; blocked waves count as steep as the steepest.
    #[must_use]
    pub fn steepness(&self, place: DVec2, tick: Tick) -> f64 {
        moment::with(self, tick, |moment| {
            let (offset, patch) = self.locate(place);
            let patch = self.patch(patch);
            let (flow_mps, level_m) = patch.flow(offset, &moment.drives_mps, &moment.heights_m);
            let depth_m = level_m - patch.bed(offset).0;
            let current_mps = flow_mps * super::drag(depth_m);
            let still_m = patch.amplitudes(offset, moment.waves.level, moment.waves.share);
            let (mut energy, mut against) = (0.0, 0.0);
            let [slow_x, slow_y] = &self.waves.slowness;
            for ((&amplitude_m, &x), &y) in still_m.iter().zip(slow_x).zip(slow_y) {
                let part = f64::from(amplitude_m) * f64::from(amplitude_m);
                energy += part;
                against += part * (f64::from(x) * current_mps.x + f64::from(y) * current_mps.y);
            }
            if 4.0 * (0.5 * energy).sqrt() < LEAST_M || depth_m <= 0.0 {
                return 1.0;
            }
            let ratio = (against / energy).clamp(f64::from(super::spectrum::STEEPEST), 0.6);
            let s = (1.0 + 4.0 * ratio).sqrt();
            let higher = 2.0 / ((1.0 + s) * s.sqrt());
            higher * 4.0 / ((1.0 + s) * (1.0 + s))
        })
    }

    /// Every spell of overfalls within a span of ticks, at the places within an area where a course knows its current
    /// best; by their beginning.
    #[must_use]
    pub fn overfalls(&self, area: Area, from: Tick, until: Tick) -> Vec<Overfalls> {
        let mut found = Vec::new();
        for (number, (place, radius_m)) in (0..).zip(self.sites()) {
            if area.distance_m(place) <= radius_m {
                self.overfalls_at(number, place, radius_m, from, until, &mut found);
            }
        }
        found.sort_by_key(|spell| (spell.from, spell.id));
        found
    }

    /// Places of rips, current stations and the middles of legs, with their reach; none within another's.
    fn sites(&self) -> Vec<(DVec2, f64)> {
        let course = &self.course;
        let rips = course.rips.iter().map(|rip| (rip.place, rip.radius_m));
        let stations = course
            .stations
            .iter()
            .filter(|station| station.measures != Measures::Height && station.geographic_deg.is_some())
            .map(|station| (station.place, RADIUS_M));
        let legs = course.legs().map(|(from, to)| ((from + to) * 0.5, RADIUS_M));
        let mut sites: Vec<(DVec2, f64)> = Vec::new();
        for (place, radius_m) in rips.chain(stations).chain(legs) {
            // One water is told once, by the name that is the most precise.
            let is_apart = sites.iter().all(|(other, _)| (place - *other).length() >= 2.0 * RADIUS_M);
            if is_apart && course.extent.contains(place) {
                sites.push((place, radius_m));
            }
        }
        sites
    }

    fn overfalls_at(
        &self,
        number: u32,
        place: DVec2,
        radius_m: f64,
        from: Tick,
        until: Tick,
        found: &mut Vec<Overfalls>,
    ) {
        let at = |look: u64| self.steepness(place, Tick(look * LOOK_TICKS));
        let last = until.0 / LOOK_TICKS;
        let mut look = from.0 / LOOK_TICKS;
        while look <= last {
            let here = at(look);
            if here < OVERFALLS {
                look += 1;
                continue;
            }
            // Back to their beginning, which may be before the span, and on to their end.
            let (mut first, mut steepness) = (look, here);
            while first > 0 && look - first < LOOKS && at(first - 1) >= OVERFALLS {
                first -= 1;
                steepness = steepness.max(at(first));
            }
            let mut end = look + 1;
            while end - look < LOOKS && at(end) >= OVERFALLS {
                steepness = steepness.max(at(end));
                end += 1;
            }
            #[expect(clippy::cast_possible_truncation, reason = "looks of a thousand years fit")]
            let words =
                crate::noise::draw(u64::from(number), Stream::SwellTrain, [first as u32, number, u32::MAX]);
            found.push(Overfalls {
                id: (u64::from(words[0]) << 32) | u64::from(words[1]),
                place,
                radius_m,
                from: Tick(first * LOOK_TICKS),
                until: Tick(end * LOOK_TICKS),
                steepness,
            });
            look = end;
        }
    }
}
