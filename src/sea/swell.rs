//! Trains of higher swell: envelopes that travel over the course with the speed of the swell's groups.
//!
//! Swell comes in sets: its narrow spectrum beats, and far storms feed it unevenly. The beat is in the components
//! already; a train raises all components of one swell together, so that their phases run on.

use glam::DVec2;

use super::WAVES;
use super::waves::{SWELL_WAVES, WaveSet};
use crate::atlas::{Area, Course, Happening, Scripted};
use crate::noise::{self, Stream};
use crate::units::Tick;
use crate::weather::script_id;

/// A slot in which one train passes at most, seconds.
const SLOT_S: f64 = 1_200.0;
/// Time in which a train passes a place, least and most, seconds: sets of a dozen waves or a few.
const PASSES_S: [f64; 2] = [180.0, 480.0];
/// Height within it over what the swell has else, least and most: what groups of seven waves and more reach in narrow
/// spectra (Longuet-Higgins 1984, "Statistical properties of wave groups in a random sea state").
const HIGHER: [f64; 2] = [1.3, 1.8];

/// A train of higher waves in one swell.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Train {
    /// A number of its own.
    pub id: u64,
    /// In which of the course's swells.
    pub swell: usize,
    /// A place that its middle passes, course frame, metres.
    pub place: DVec2,
    /// When it does, seconds since the course's epoch.
    pub passes_s: f64,
    /// How long it takes to pass, seconds.
    pub lasts_s: f64,
    /// Its way, at the speed of the swell's groups, m/s.
    pub velocity_mps: DVec2,
    /// Height in its middle over what the swell has else.
    pub higher: f64,
}

impl Train {
    /// How much higher the swell's waves are at a place and time for it.
    #[must_use]
    #[inline]
    pub fn gain(&self, place: DVec2, t_s: f64) -> f64 {
        let along = (place - self.place).dot(self.velocity_mps) / self.velocity_mps.length_squared();
        let off = (t_s - self.passes_s - along) / (0.5 * self.lasts_s);
        let left = (1.0 - off * off).max(0.0);
        1.0 + (self.higher - 1.0) * left * left
    }
}

/// Where a course's trains come from.
#[derive(Debug)]
pub(super) struct Trains {
    seed: u64,
    chance: f64,
    extent: Area,
    /// Velocity of each swell's groups, m/s.
    ways_mps: Vec<DVec2>,
    /// The highest swell, which scripted trains are of.
    highest: usize,
    scripts: Vec<Scripted>,
}

impl Trains {
    pub(super) fn new(course: &Course, waves: &WaveSet, seed: u64) -> Self {
        let heights = course.swells.iter().map(|swell| swell.height_m).enumerate();
        let highest = heights.max_by(|a, b| a.1.total_cmp(&b.1)).map_or(0, |(swell, _)| swell);
        Self {
            seed,
            chance: course.climate.adventures.swell_trains_per_day * SLOT_S / 86_400.0,
            extent: course.extent,
            ways_mps: (0..course.swells.len()).map(|swell| waves.swell_way(swell)).collect(),
            highest,
            scripts: course.events.clone(),
        }
    }

    /// Every train that is somewhere along the course within a span of ticks, by the time of its passage.
    pub(super) fn within(&self, from: Tick, until: Tick) -> Vec<Train> {
        let [from_s, until_s] = [from.seconds(), until.seconds()];
        let half_m = 0.5 * (self.extent.max - self.extent.min).length();
        let mut trains = Vec::new();
        for (swell, &velocity_mps) in self.ways_mps.iter().enumerate().filter(|_| self.chance > 0.0) {
            let lag_s = half_m / velocity_mps.length() + PASSES_S[1];
            let mut slot = ((from_s - lag_s) / SLOT_S).floor().max(0.0);
            while slot * SLOT_S <= until_s + lag_s {
                trains.extend(self.train_of(swell, slot, velocity_mps));
                slot += 1.0;
            }
        }
        let scripts = self.scripts.iter().enumerate();
        trains.extend(scripts.filter_map(|(number, script)| self.scripted(script, number)));
        trains.retain(|train| {
            let lag_s = half_m / train.velocity_mps.length() + 0.5 * train.lasts_s;
            let off = (self.extent.centre() - train.place).dot(train.velocity_mps)
                / train.velocity_mps.length_squared();
            let middle_s = train.passes_s + off;
            middle_s - lag_s <= until_s && middle_s + lag_s >= from_s
        });
        trains.sort_by(|a, b| a.passes_s.total_cmp(&b.passes_s).then(a.id.cmp(&b.id)));
        trains
    }

    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a slot's number, two swells"
    )]
    fn train_of(&self, swell: usize, slot: f64, velocity_mps: DVec2) -> Option<Train> {
        let draw = |part| noise::draw(self.seed, Stream::SwellTrain, [slot as u32, swell as u32, part]);
        let [u, dt, lasts, higher] = draw(0).map(|word| f64::from(word) * (1.0 / 4_294_967_296.0));
        let between = |[least, most]: [f64; 2], draw: f64| least + (most - least) * draw;
        let [high, low, ..] = draw(1);
        (u < self.chance).then(|| Train {
            id: (u64::from(high) << 32) | u64::from(low),
            swell,
            place: self.extent.centre(),
            passes_s: (slot + dt) * SLOT_S,
            lasts_s: between(PASSES_S, lasts),
            velocity_mps,
            higher: between(HIGHER, higher),
        })
    }

    fn scripted(&self, script: &Scripted, number: usize) -> Option<Train> {
        let velocity_mps = *self.ways_mps.get(self.highest)?;
        (script.what == Happening::SwellTrain).then(|| Train {
            id: script_id(number),
            swell: self.highest,
            place: script.place,
            passes_s: script.from.seconds() + 0.5 * script.lasts_s,
            lasts_s: script.lasts_s,
            velocity_mps,
            higher: script.strength,
        })
    }
}

/// Raises the amplitudes of the swells in which trains pass a place at a time.
#[inline]
#[expect(clippy::cast_possible_truncation, reason = "amplitudes are in single precision")]
pub(super) fn raise(
    amplitude_m: &mut [f32; WAVES],
    trains: &[Train],
    wind_waves: usize,
    place: DVec2,
    t_s: f64,
) {
    for train in trains {
        let gain = train.gain(place, t_s) as f32;
        let first = wind_waves + train.swell * SWELL_WAVES;
        for amplitude in &mut amplitude_m[first..first + SWELL_WAVES] {
            *amplitude *= gain;
        }
    }
}
