//! Hands on the wheel, the sheets and the reefing lines.

use super::senses::Senses;
use crate::units::{Tick, degrees, radians, wrap_angle};
use crate::vessel::trim::sheet_to_draw;
use crate::vessel::{BoatSpec, Helm};

/// What a helmsman knows of his boat from walking around it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Craft {
    pub(super) length_m: f64,
    pub(super) draft_m: f64,
    pub(super) sails: bool,
    pub(super) engine: bool,
    pub(super) spinnaker: bool,
    /// Hull speed with wind or engine enough, m/s.
    pub(super) pace_mps: f64,
}

impl Craft {
    /// Reads a boat's file.
    pub(super) fn of(boat: &BoatSpec) -> Self {
        let keel_m = boat.keel.as_ref().map_or(0.0, |keel| keel.top_m + keel.span_m);
        let rudder_m = boat.rudder.top_m + boat.rudder.span_m;
        let engine = boat.engine.as_ref();
        // Hull speed: 1.34 knots by the root of the waterline in feet.
        let hull_speed = 1.25 * boat.hull.waterline_m.sqrt();
        let sails = boat.rig.is_some();
        Self {
            length_m: boat.length_m,
            draft_m: keel_m.max(rudder_m),
            sails,
            engine: engine.is_some(),
            spinnaker: boat.rig.as_ref().is_some_and(|rig| rig.spinnaker_m2 > 0.0),
            pace_mps: match engine {
                Some(engine) if !sails => hull_speed.min(engine.pitch_speed_mps),
                _ => hull_speed,
            },
        }
    }
}

/// Rudder at most when steering a course; more only brakes.
const RUDDER_MAX: f64 = 0.38;
/// Rudder at most when going about.
const RUDDER_HARD: f64 = 0.42;
/// Speed at which the gains are as stated; a rudder's force grows with the square of the speed.
const GAIN_SPEED_MPS: f64 = 2.8;

/// Speed astern from which a rudder is turned the other way, m/s.
pub(super) const STERNWAY_MPS: f64 = 0.15;

/// The wheel: a rudder order from a heading wanted.
#[derive(Clone, Copy, Debug)]
pub(super) struct Wheel {
    /// Rudder that holds the boat straight against weather helm, radians.
    trim: f64,
    /// Liveliness of this helmsman, around 1.
    hand: f64,
}

impl Wheel {
    pub(super) fn new(hand: f64) -> Self {
        Self { trim: 0.0, hand }
    }

    /// Rudder for a heading, radians; positive turns to starboard.
    pub(super) fn steer(&mut self, senses: &Senses, heading: f64, length_m: f64) -> f64 {
        let error = wrap_angle(heading - senses.heading);
        if error.abs() < radians(15.0) && senses.speed > 0.5 {
            // Weather helm is held by a rudder that is learnt over half a minute.
            self.trim = (self.trim + error * senses.step_s.min(2.0) / 35.0).clamp(-0.14, 0.14);
        }
        let pace = (GAIN_SPEED_MPS / senses.speed_now.abs().max(0.7)).clamp(0.45, 2.2);
        // The longer the hull the later it answers: meet the turn earlier.
        let damping = 0.7 + 0.05 * length_m.min(40.0);
        // With a second between orders the same gains would swing: be slower.
        let pause = 1.0 / (1.0 + 0.6 * (senses.step_s - 0.2).clamp(0.0, 2.0));
        let quick = 0.75 * error.clamp(-0.6, 0.6) - damping * senses.turn;
        let rudder = (self.hand * pause * pace * quick + self.trim).clamp(-RUDDER_MAX, RUDDER_MAX);
        // Making sternway the rudder works the other way round.
        if senses.speed_now < -STERNWAY_MPS { -rudder } else { rudder }
    }

    /// Rudder for a turn in one direction (1 to starboard) with that much of it left, radians.
    pub(super) fn turn(&self, senses: &Senses, direction: f64, left_rad: f64, length_m: f64) -> f64 {
        let damping = 0.5 + 0.05 * length_m.min(40.0);
        let wanted = 0.9 * left_rad.clamp(0.0, 1.0) - 0.5 * damping * (direction * senses.turn).max(0.0);
        direction * wanted.clamp(0.0, RUDDER_HARD)
    }
}

/// The sails as they are wanted.
#[derive(Clone, Copy, Debug)]
pub(super) struct Canvas {
    reef: f64,
    flat: f64,
    spinnaker: bool,
    changed: Tick,
    flattened: Tick,
}

/// Ticks between two changes of sail: a crew needs a minute.
const SAIL_CHANGE_TICKS: u64 = 60 * 45;
/// Ticks that the sails stay flat after the last gust.
const FLAT_TICKS: u64 = 30 * 45;
/// Reefs that can be tied in.
const REEFS: [f64; 4] = [1.0, 0.8, 0.6, 0.42];

impl Canvas {
    pub(super) fn new() -> Self {
        Self { reef: 1.0, flat: 1.0, spinnaker: false, changed: Tick(0), flattened: Tick(0) }
    }

    /// Changes sails when wind and heel ask for it.
    pub(super) fn mind(&mut self, senses: &Senses, craft: &Craft) {
        let heel = degrees(senses.heel.abs());
        let apparent = degrees(senses.apparent_angle.abs());
        let blow = senses.apparent_speed;
        let gust = degrees(senses.heel_peak);
        self.flatten(senses, heel, gust);
        let press = heel > 26.0 || gust > 42.0 || blow > 13.0;
        let kite = craft.spinnaker
            && self.reef > 0.9
            && apparent > if self.spinnaker { 80.0 } else { 95.0 }
            && blow > 1.2
            && blow < if self.spinnaker { 9.0 } else { 7.5 };
        if self.spinnaker && (apparent < 70.0 || heel > 30.0) {
            // Rounding up under spinnaker cannot wait.
            self.spinnaker = false;
            self.changed = senses.tick;
        }
        if senses.tick.since(self.changed) < SAIL_CHANGE_TICKS && self.changed.0 > 0 {
            return;
        }
        let step = REEFS.iter().position(|reef| *reef <= self.reef + 1e-6).unwrap_or(0);
        let step = if press {
            (step + 1).min(REEFS.len() - 1)
        } else if heel < 15.0 && gust < 24.0 && blow < 10.0 {
            step.saturating_sub(1)
        } else {
            step
        };
        if REEFS[step] != self.reef || kite != self.spinnaker {
            self.reef = REEFS[step];
            self.spinnaker = kite && !press;
            self.changed = senses.tick;
        }
    }

    /// Flattens at once when it blows, and fills the sails again only after a quiet while.
    fn flatten(&mut self, senses: &Senses, heel: f64, gust: f64) {
        let wanted = if heel > 25.0 || gust > 36.0 {
            0.65
        } else if heel > 20.0 || gust > 29.0 {
            0.8
        } else {
            1.0
        };
        if wanted <= self.flat {
            self.flat = wanted;
            self.flattened = senses.tick;
        } else if senses.tick.since(self.flattened) > FLAT_TICKS {
            self.flat = wanted;
        }
    }

    /// Takes the spinnaker in at once.
    pub(super) fn douse(&mut self) {
        self.spinnaker = false;
    }

    /// A helm with these sails, trimmed to the apparent wind for a share of what they can draw.
    pub(super) fn set(&self, senses: &Senses, rudder_rad: f64, draw: f64) -> Helm {
        // In a gust the sheet goes first, before the reef is tied in.
        let ease = (2.0 * (senses.heel_now.abs() - radians(28.0))).clamp(0.0, 0.5);
        Helm {
            rudder_rad,
            sheet: (sheet_to_draw(draw, senses.apparent_angle) - ease).clamp(0.0, 1.0),
            reef: self.reef,
            flat: self.flat,
            spinnaker: self.spinnaker,
            throttle: 0.0,
        }
    }
}
