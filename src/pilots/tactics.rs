//! Which way to go: headings weighed by the progress they promise, the water they have and the traffic.

use glam::DVec2;

use super::lookout::{Lookout, Own};
use super::senses::{Senses, leeway, toward};
use crate::trig;
use crate::units::{radians, wrap_angle, wrap_heading};

/// True wind angle close-hauled: cruiser-racers make 39° to 44° (ORC velocity predictions, 6 to 16 kn).
pub(super) const CLOSE_HAULED_DEG: f64 = 42.0;
/// Seconds ahead that soundings are looked at.
const AHEAD_S: f64 = 150.0;
/// Weight of a shore within that time: grows as the square of how soon.
const SHORE_WEIGHT: f64 = 2.5;
/// Weight of a meeting with another vessel.
const TRAFFIC_WEIGHT: f64 = 1.4;
/// What a turn by half a circle costs, in shares of full speed: keeps the course quiet.
const TURN_WEIGHT: f64 = 0.12;
/// True wind angle below which running dead down wind gets slower than gybing.
const GYBING_DEG: f64 = 153.0;
/// What changing sides costs, in shares of the best progress.
const SIDE_COST: f64 = 0.10;
/// Weight of closing with the mark against keeping the side, where both make the same way to windward:
/// with `SIDE_COST` it bounds a beat to a cone of about ±16° below the mark.
const CLOSING_WEIGHT: f64 = 0.25;
/// Seconds over which the boat's own reference speed is learnt.
const LEARN_S: f64 = 90.0;

/// Share of its best speed that a sailing yacht makes at a true wind angle: a mean of published ORC
/// velocity predictions in 10 to 14 kn of wind; pairs of (degrees, share).
const POLAR: [(f64, f64); 15] = [
    (0.0, 0.0),
    (25.0, 0.02),
    (32.0, 0.35),
    (38.0, 0.62),
    (43.0, 0.74),
    (50.0, 0.83),
    (60.0, 0.91),
    (75.0, 0.98),
    (90.0, 1.0),
    (110.0, 1.0),
    (125.0, 0.95),
    (140.0, 0.87),
    (155.0, 0.78),
    (170.0, 0.70),
    (180.0, 0.66),
];

/// Share of the best speed at a true wind angle, either sign, radians.
pub(super) fn polar(wind_angle_rad: f64) -> f64 {
    let angle = crate::units::degrees(wrap_angle(wind_angle_rad).abs());
    for pair in POLAR.windows(2) {
        let ((from, low), (to, high)) = (pair[0], pair[1]);
        if angle <= to {
            return low + (high - low) * (angle - from) / (to - from);
        }
    }
    POLAR[POLAR.len() - 1].1
}

/// A course chosen.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Plan {
    /// Heading to steer, radians.
    pub heading: f64,
    /// Whether to steer by the wind instead: as high as the boat will go on this side.
    pub close_hauled: bool,
    /// Side the wind comes from: 1 starboard, −1 port; 0 under engine.
    pub side: f64,
    /// Seconds of clear water ahead on it.
    pub clear_s: f64,
    score: f64,
    /// Share of the best speed with which it closes with the mark.
    closing: f64,
}

/// What the choice depends on besides the senses.
#[derive(Clone, Copy, Debug)]
pub(super) struct Situation {
    /// Where to, if anywhere.
    pub target: Option<DVec2>,
    /// Side the wind comes from now: 1 starboard, −1 port.
    pub side: f64,
    /// Depth to keep, metres.
    pub least_depth_m: f64,
    /// Length over all, metres.
    pub length_m: f64,
    /// Whether the other side may be chosen now.
    pub free_to_turn: bool,
    /// The way to the target through the water, metres; filled in by the choice.
    pub line: DVec2,
    /// What a velocity gains on it, seconds per metre; filled in by the choice.
    pub gain: DVec2,
}

/// The skipper: weighs headings.
#[derive(Clone, Debug)]
pub(super) struct Tactics {
    /// Best speed in the present wind as learnt so far, m/s.
    reference_mps: f64,
    /// How much better the other side must be before the boat goes about.
    side_cost: f64,
    /// True wind angle close-hauled, radians.
    close_hauled: f64,
    sails: bool,
}

impl Tactics {
    /// A skipper of a boat that makes `reference_mps` at best; `boldness` in [−1, 1] sets how long the
    /// tacks are and how high it points.
    pub(super) fn new(sails: bool, reference_mps: f64, boldness: f64) -> Self {
        Self {
            reference_mps,
            side_cost: SIDE_COST * (1.0 + 0.35 * boldness),
            close_hauled: radians(CLOSE_HAULED_DEG + boldness),
            sails,
        }
    }

    /// True wind angle close-hauled, radians.
    pub(super) fn close_hauled(&self) -> f64 {
        self.close_hauled
    }

    /// Speed to expect at a true wind angle, m/s.
    pub(super) fn expected_mps(&self, wind_angle_rad: f64) -> f64 {
        if self.sails { self.reference_mps * polar(wind_angle_rad) } else { self.reference_mps }
    }

    /// Learns the boat's pace from steady sailing.
    pub(super) fn learn(&mut self, senses: &Senses, heading: f64) {
        let share = if self.sails { polar(wrap_angle(senses.wind_from() - heading)) } else { 1.0 };
        if share > 0.5 && senses.speed > 0.3 {
            let seen = senses.speed / share;
            self.reference_mps += (seen - self.reference_mps) * senses.step_s / (LEARN_S + senses.step_s);
            self.reference_mps = self.reference_mps.clamp(0.5, 15.0);
        }
    }

    /// The best course now.
    pub(super) fn choose(&self, senses: &Senses, lookout: &Lookout, at: &Situation) -> Plan {
        let line = at.target.map_or(DVec2::ZERO, |target| self.line_through_water(senses, target));
        let gain = if line.length() > 1e-3 { self.gain(senses, line) } else { DVec2::ZERO };
        let at = &Situation { line, gain, ..*at };
        let own = Own {
            place: senses.place,
            velocity: senses.velocity,
            length_m: at.length_m,
            sails: self.sails,
            wind_from: senses.wind_from_slow(),
            heading: senses.heading,
        };
        if !self.sails {
            let mut best = self.weigh(senses, lookout, at, &own, self.direct(senses, at.line, 0.0), 0.0);
            for step in 0..72_u8 {
                let heading = radians(5.0) * f64::from(step);
                let plan = self.weigh(senses, lookout, at, &own, heading, 0.0);
                if plan.score > best.score {
                    best = plan;
                }
            }
            return best;
        }
        let keep = self.best_on(senses, lookout, at, &own, at.side);
        let other = self.best_on(senses, lookout, at, &own, -at.side);
        let worth = |plan: &Plan| plan.score + CLOSING_WEIGHT * plan.closing;
        if at.free_to_turn && worth(&other) > worth(&keep) + self.side_cost { other } else { keep }
    }

    /// The best course with the wind on one side.
    fn best_on(&self, senses: &Senses, lookout: &Lookout, at: &Situation, own: &Own, side: f64) -> Plan {
        let close = self.close_hauled;
        let mut best = self.weigh(senses, lookout, at, own, wrap_heading(own.wind_from - side * close), side);
        best.close_hauled = true;
        let mut consider = |heading: f64| {
            let plan = self.weigh(senses, lookout, at, own, wrap_heading(heading), side);
            if plan.score > best.score {
                best = plan;
            }
        };
        for step in 1..=27_u8 {
            let angle = close + radians(5.0) * f64::from(step);
            if angle <= radians(178.0) {
                consider(own.wind_from - side * angle);
            }
        }
        let direct = if at.target.is_some() { self.direct(senses, at.line, side) } else { senses.heading };
        let direct_angle = wrap_angle(own.wind_from - direct);
        if direct_angle * side > 0.0 && direct_angle.abs() >= close {
            consider(direct);
        }
        best
    }

    /// The way to the target through the water: the target as it drifts in the water's own frame, reached
    /// with the boat's own speed on that course. Metres.
    fn line_through_water(&self, senses: &Senses, target: DVec2) -> DVec2 {
        let ground = target - senses.place;
        let left_m = ground.length();
        let mut line = ground;
        // The time depends on the line and the line on the time: a few rounds settle it.
        for _ in 0..5 {
            let drift = senses.current * self.time_s(senses, line);
            // Against a stream as fast as the boat no line helps; point well up and hope for slack water.
            let most_m = 0.7 * left_m;
            let drift = if drift.length() > most_m { drift * (most_m / drift.length()) } else { drift };
            line = ground - drift;
        }
        line
    }

    /// Time to sail a line through the water, beating or gybing where that is needed, seconds.
    fn time_s(&self, senses: &Senses, line: DVec2) -> f64 {
        let angle = wrap_angle(senses.wind_from_slow() - trig::heading(line.x, line.y)).abs();
        let (close, broad) = (self.close_hauled, radians(GYBING_DEG));
        // Two tacks make good along the wind what one close-hauled course does, whatever their shares.
        let zigzag = |course: f64| self.expected_mps(course) * trig::cos(course) / trig::cos(angle);
        let speed = if !self.sails {
            self.reference_mps
        } else if angle < close {
            zigzag(close)
        } else if angle > broad {
            zigzag(broad)
        } else {
            self.expected_mps(angle)
        };
        line.length() / speed.max(0.2)
    }

    /// The direction and rate in which the time to the end of a line falls, seconds per metre: a velocity
    /// times this is 1 on the best course, on both tacks alike while beating.
    fn gain(&self, senses: &Senses, line: DVec2) -> DVec2 {
        let step_m = (0.02 * line.length()).max(1e-3);
        let slope = |axis: DVec2| {
            let (fore, aft) = (line + axis * step_m, line - axis * step_m);
            (self.time_s(senses, fore) - self.time_s(senses, aft)) / (2.0 * step_m)
        };
        DVec2::new(slope(DVec2::X), slope(DVec2::Y))
    }

    /// The heading whose way through the water is that line.
    fn direct(&self, senses: &Senses, line: DVec2, side: f64) -> f64 {
        let course = trig::heading(line.x, line.y);
        let drift = if side == 0.0 { 0.0 } else { leeway(wrap_angle(senses.wind_from_slow() - course)) };
        wrap_heading(course - drift)
    }

    /// What a heading promises.
    fn weigh(
        &self,
        senses: &Senses,
        lookout: &Lookout,
        at: &Situation,
        own: &Own,
        heading: f64,
        side: f64,
    ) -> Plan {
        let line = at.line;
        let angle = wrap_angle(own.wind_from - heading);
        let speed = self.expected_mps(angle);
        let drift = if side == 0.0 { 0.0 } else { leeway(angle) };
        let through_water = toward(heading + drift) * speed;
        let over_ground = through_water + senses.current;
        let (progress, ahead_s) = match at.target {
            Some(target) => {
                let left_m = (target - senses.place).length();
                let progress = through_water.dot(at.gain);
                // Land behind the mark is no concern until the mark is passed.
                (progress, (left_m / over_ground.length().max(0.3) + 15.0).min(AHEAD_S))
            }
            // Nowhere to go: lie on an easy reach.
            None => (-0.2 * (angle.abs() - radians(70.0)).abs(), AHEAD_S),
        };
        let beside_m = 12.0 + at.length_m;
        let clear_s = lookout.clear_s(senses.place, over_ground, at.least_depth_m, beside_m, ahead_s);
        let lack = if clear_s < ahead_s { 1.0 - clear_s / AHEAD_S } else { 0.0 };
        // Small corrections are free, or a boat would rather be set off her line than correct for it.
        let turn = (wrap_angle(heading - senses.heading).abs() - radians(12.0)).max(0.0);
        let turn = turn / std::f64::consts::PI;
        let score = progress
            - SHORE_WEIGHT * lack * lack
            - TRAFFIC_WEIGHT * lookout.conflict(own, over_ground)
            - TURN_WEIGHT * turn;
        let closing = through_water.dot(line.normalize_or_zero()) / self.reference_mps;
        Plan { heading, close_hauled: false, side, clear_s, score, closing }
    }
}
