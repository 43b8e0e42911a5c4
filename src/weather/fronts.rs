//! Fronts: lines that pass over the whole course, ahead of which the wind backs and freshens, and behind which it has
//! veered.
//!
//! What a front does depends on how long ago its line passed a place, and on nothing else: a line has no ends here. The
//! sequence is that of a cold front over the sea (Met Office 1999, "Source book to the Forecasters' reference book", ch. 7;
//! Wallace and Hobbs 2006, "Atmospheric Science", § 8.1): backing and freshening ahead, a sharp veer with a band of rain at
//! the line, and then slowly back to the climate's wind.

use std::f64::consts::PI;

use glam::DVec2;

use super::{Weather, smooth};
use crate::atlas::{Happening, Scripted};
use crate::noise::{self, Stream};
use crate::trig;
use crate::units::{Tick, radians};

/// A slot in which one front passes at most, seconds.
const SLOT_S: f64 = 21_600.0;
/// Time over which the wind backs and freshens before the line passes, seconds.
const AHEAD_S: f64 = 1_800.0;
/// Half the time that the veer takes at a place, seconds: about a kilometre of the line's way.
const VEER_S: f64 = 90.0;
/// Share of the veer by which the wind backs before it.
const BACKS: f64 = 0.25;
/// Veer, least and most, radians: 30° to 80°.
const TURN_RAD: [f64; 2] = [30.0 * PI / 180.0, 80.0 * PI / 180.0];
/// Wind at the line over the mean, least and most.
const FRESHENS: [f64; 2] = [1.2, 1.6];
/// Time after which the climate's wind is back, least and most, seconds.
const LASTS_S: [f64; 2] = [7_200.0, 14_400.0];
/// Direction of a front's way off the climate's downwind, radians, at most.
const OFF_RAD: f64 = 0.5;
/// Speed over the climate's wind, and its least and most, m/s.
const PACE: f64 = 1.3;
const SPEED_MPS: [f64; 2] = [6.0, 20.0];
/// Rain at the line, mm/h: moderate to heavy, and half the time that it falls, seconds.
const RAIN_MMPH: f64 = 8.0;
const RAIN_S: f64 = 900.0;

/// A front.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Front {
    /// A number of its own.
    pub id: u64,
    /// A place on its line when it passes there, course frame, metres.
    pub place: DVec2,
    /// When its line passes that place, seconds since the course's epoch.
    pub passes_s: f64,
    /// How long it is felt at a place after its line has passed, seconds.
    pub lasts_s: f64,
    /// Its way, square to its line, m/s.
    pub velocity_mps: DVec2,
    /// How much the wind veers, radians; negative where it backs.
    pub veer_rad: f64,
    /// Wind at the line over the mean.
    pub freshens: f64,
}

impl Front {
    /// Time since its line passed a place, seconds; negative before.
    #[must_use]
    pub fn since_s(&self, place: DVec2, t_s: f64) -> f64 {
        let along = (place - self.place).dot(self.velocity_mps) / self.velocity_mps.length_squared();
        t_s - self.passes_s - along
    }

    /// First and last moment at which it is felt at the place of its line, seconds since the epoch.
    #[must_use]
    pub fn span_s(&self) -> [f64; 2] {
        [self.passes_s - AHEAD_S, self.passes_s + self.lasts_s]
    }

    /// How far the wind has veered and by what it is stronger at a time since the line passed.
    #[must_use]
    pub fn shift(&self, since_s: f64) -> (f64, f64) {
        if since_s <= -AHEAD_S || since_s >= self.lasts_s {
            return (0.0, 1.0);
        }
        let comes = smooth(((since_s + AHEAD_S) / (AHEAD_S - VEER_S)).min(1.0));
        let passes = smooth(((since_s + VEER_S) / (2.0 * VEER_S)).clamp(0.0, 1.0));
        let goes = 1.0 - smooth(((since_s - VEER_S) / (self.lasts_s - VEER_S)).clamp(0.0, 1.0));
        let veer = (passes * (1.0 + BACKS) - BACKS * comes) * goes;
        (self.veer_rad * veer, 1.0 + (self.freshens - 1.0) * comes * goes)
    }

    /// Rain at a time since the line passed, mm/h.
    pub(super) fn rain(&self, since_s: f64) -> f64 {
        RAIN_MMPH * smooth((1.0 - since_s.abs() / RAIN_S).max(0.0))
    }

    fn scripted(script: &Scripted, number: usize, usual_mps: DVec2) -> Option<Self> {
        if script.what != Happening::Front {
            return None;
        }
        let from_s = script.from.seconds();
        Some(Self {
            id: super::script_id(number),
            place: script.place,
            // It begins with what is felt ahead of it.
            passes_s: from_s + AHEAD_S,
            lasts_s: script.lasts_s,
            velocity_mps: super::way(script, usual_mps),
            veer_rad: radians(script.strength),
            freshens: 0.5 * (FRESHENS[0] + FRESHENS[1]),
        })
    }
}

impl Weather {
    /// Every front that is felt somewhere along the course within a span of ticks, by the time of its passage.
    #[must_use]
    pub fn fronts(&self, from: Tick, until: Tick) -> Vec<Front> {
        let [from_s, until_s] = [from.seconds(), until.seconds()];
        // The farthest corner is so much earlier or later than the middle.
        let lag_s = 0.5 * (self.extent.max - self.extent.min).length() / SPEED_MPS[0];
        let chance = self.climate.adventures.fronts_per_day * SLOT_S / 86_400.0;
        let mut fronts: Vec<Front> = Vec::new();
        if chance > 0.0 {
            let mut slot = ((from_s - lag_s - LASTS_S[1]) / SLOT_S).floor().max(0.0);
            while slot * SLOT_S <= until_s + lag_s + AHEAD_S {
                fronts.extend(self.front_of(slot, chance));
                slot += 1.0;
            }
        }
        fronts.extend(
            self.scripts
                .iter()
                .enumerate()
                .filter_map(|(number, script)| Front::scripted(script, number, self.front_mps())),
        );
        fronts.retain(|front| {
            let half = 0.5 * (self.extent.max - self.extent.min).length() / front.velocity_mps.length();
            let middle_s = front.since_s(self.extent.centre(), front.passes_s);
            let [begin_s, end_s] = front.span_s().map(|t_s| t_s - middle_s);
            begin_s - half <= until_s && end_s + half >= from_s
        });
        fronts.sort_by(|a, b| a.passes_s.total_cmp(&b.passes_s).then(a.id.cmp(&b.id)));
        fronts
    }

    /// The front of one slot, if it has one.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a slot's number")]
    fn front_of(&self, slot: f64, chance: f64) -> Option<Front> {
        let draw = |part: u32| noise::draw(self.seed, Stream::Front, [slot as u32, part, 0]);
        let [u, dt, way, turn] = draw(0).map(|word| f64::from(word) * (1.0 / 4_294_967_296.0));
        if u >= chance {
            return None;
        }
        let words = draw(1);
        let [strength, lasts, ..] = words.map(|word| f64::from(word) * (1.0 / 4_294_967_296.0));
        let between = |[least, most]: [f64; 2], draw: f64| least + (most - least) * draw;
        Some(Front {
            id: (u64::from(words[2]) << 32) | u64::from(words[3]),
            place: self.extent.centre(),
            passes_s: (slot + dt) * SLOT_S,
            lasts_s: between(LASTS_S, lasts),
            velocity_mps: super::turned(self.front_mps(), OFF_RAD * (2.0 * way - 1.0)),
            // The wind veers in the north and backs in the south (Buys Ballot 1857).
            veer_rad: self.hemisphere * between(TURN_RAD, turn),
            freshens: between(FRESHENS, strength),
        })
    }

    /// A front's way where nothing else is said, m/s.
    fn front_mps(&self) -> DVec2 {
        self.downwind * (PACE * self.climate.wind_mps).clamp(SPEED_MPS[0], SPEED_MPS[1])
    }
}

/// A wind turned and strengthened by fronts at a place.
#[inline]
pub(super) fn shifted(mut wind_mps: DVec2, fronts: &[Front], place: DVec2, t_s: f64) -> DVec2 {
    for front in fronts {
        let (veer_rad, stronger) = front.shift(front.since_s(place, t_s));
        let (s, c) = trig::sin_cos(veer_rad);
        let w = wind_mps * stronger;
        // Clockwise: a veer.
        wind_mps = DVec2::new(w.x * c + w.y * s, w.y * c - w.x * s);
    }
    wind_mps
}
