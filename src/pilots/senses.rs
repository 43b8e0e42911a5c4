//! What a helmsman feels: wind over the water, the set of the current, the boat's own pace; all smoothed.

use glam::DVec2;

use crate::trig;
use crate::units::{Tick, radians, wrap_angle, wrap_heading};
use crate::wire::message::State;

/// Seconds over which the wind is smoothed for steering; shorter follows the boat's own roll.
const WIND_FAST_S: f64 = 8.0;
/// Seconds over which the wind is smoothed for tactics; gusts last tens of seconds.
const WIND_SLOW_S: f64 = 45.0;
/// Seconds over which the set of the current is smoothed; orbital motion has periods of 3 to 12 s.
const CURRENT_S: f64 = 60.0;
/// Seconds over which the speeds are smoothed.
const SPEED_S: f64 = 12.0;
/// Seconds over which the heel is smoothed: longer than a roll.
const HEEL_S: f64 = 10.0;
/// Seconds in which the memory of the worst gust fades.
const HEEL_PEAK_S: f64 = 60.0;
/// Seconds over which the sea's roughness is smoothed: many waves.
const ROUGHNESS_S: f64 = 40.0;
/// Leeway close-hauled: cruising yachts make 3° to 6° (Larsson, Eliasson, Principles of Yacht Design).
const LEEWAY_DEG: f64 = 4.5;
/// Rate of turn above which the instruments lag too far behind for an estimate, rad/s.
const STEADY_TURN_RADPS: f64 = 0.05;
/// Longest step between two states that a filter bridges, seconds; after that it starts anew.
const STEP_MAX_S: f64 = 30.0;

/// The unit vector (east, north) of a heading.
pub(super) fn toward(heading_rad: f64) -> DVec2 {
    let (sine, cosine) = trig::sin_cos(heading_rad);
    DVec2::new(sine, cosine)
}

/// Leeway of a sailing boat at a wind angle off the bow (positive from starboard): the turn from its
/// heading to its way through the water, radians, positive to starboard.
pub(super) fn leeway(wind_angle_rad: f64) -> f64 {
    // Side force falls from close-hauled to nothing before the wind.
    let share = (0.5 + 0.5 * trig::cos(wind_angle_rad)).clamp(0.0, 1.0);
    -radians(LEEWAY_DEG) * share * wind_angle_rad.signum()
}

/// Smoothed readings of one vessel.
#[derive(Clone, Debug)]
pub(super) struct Senses {
    /// Tick of the last state.
    pub tick: Tick,
    /// Ticks between the last two states.
    pub step_s: f64,
    /// Place, metres.
    pub place: DVec2,
    /// Velocity over the ground as it is now, m/s.
    pub velocity: DVec2,
    /// Velocity over the ground, smoothed, m/s.
    pub made_good: DVec2,
    /// Heading, radians.
    pub heading: f64,
    /// Rate of turn, rad/s, clockwise.
    pub turn: f64,
    /// Heel smoothed, radians, positive to starboard.
    pub heel: f64,
    /// Heel as it is now, radians, positive to starboard.
    pub heel_now: f64,
    /// Greatest heel of the last minute or so, radians, either side: what the gusts do.
    pub heel_peak: f64,
    /// Speed along the keel as it is now, m/s.
    pub speed_now: f64,
    /// Speed along the keel, smoothed, m/s.
    pub speed: f64,
    /// Apparent wind angle, smoothed as a vector, radians, positive from starboard.
    pub apparent_angle: f64,
    /// Apparent wind speed, smoothed, m/s.
    pub apparent_speed: f64,
    /// Wind over the water, short memory, towards, m/s.
    pub wind_fast: DVec2,
    /// Wind over the water, long memory, towards, m/s.
    pub wind_slow: DVec2,
    /// Current, towards, m/s.
    pub current: DVec2,
    /// Mean square of the vertical velocity, (m/s)²: how rough the sea is for this hull.
    pub roughness: f64,
    /// Water under the keel, metres.
    pub under_keel: f64,
    apparent: DVec2,
    sails: bool,
    seen: bool,
}

impl Senses {
    pub(super) fn new(sails: bool) -> Self {
        Self {
            tick: Tick(0),
            step_s: 0.0,
            place: DVec2::ZERO,
            velocity: DVec2::ZERO,
            made_good: DVec2::ZERO,
            heading: 0.0,
            turn: 0.0,
            heel: 0.0,
            heel_now: 0.0,
            heel_peak: 0.0,
            speed_now: 0.0,
            speed: 0.0,
            apparent_angle: 0.0,
            apparent_speed: 0.0,
            wind_fast: DVec2::ZERO,
            wind_slow: DVec2::ZERO,
            current: DVec2::ZERO,
            roughness: 0.0,
            under_keel: f64::INFINITY,
            apparent: DVec2::ZERO,
            sails,
            seen: false,
        }
    }

    /// Whether any state has come yet.
    pub(super) fn awake(&self) -> bool {
        self.seen
    }

    /// Takes in one state; returns false for one that is not newer than the last.
    pub(super) fn take(&mut self, state: &State) -> bool {
        if self.seen && state.tick <= self.tick {
            return false;
        }
        let step_s = state.tick.since(self.tick).min(u64::from(u32::MAX));
        let step_s = Tick(step_s).seconds();
        let fresh = !self.seen || step_s > STEP_MAX_S;
        self.step_s = if fresh { 0.0 } else { step_s };
        self.seen = true;
        self.tick = state.tick;
        let read = &state.instruments;
        self.place = state.own.position_m.truncate();
        self.velocity = state.own.velocity_mps.truncate();
        self.heading = wrap_heading(f64::from(read.heading_rad));
        self.turn = f64::from(read.turn_radps);
        self.speed_now = f64::from(read.speed_mps);
        self.under_keel = f64::from(read.under_keel_m);
        let share = |memory_s: f64| if fresh { 1.0 } else { step_s / (memory_s + step_s) };

        self.speed += (self.speed_now - self.speed) * share(SPEED_S);
        self.made_good += (self.velocity - self.made_good) * share(SPEED_S);
        self.heel_now = f64::from(read.heel_rad);
        self.heel += (self.heel_now - self.heel) * share(HEEL_S);
        self.heel_peak = self.heel_now.abs().max(self.heel_peak * (1.0 - share(HEEL_PEAK_S)));
        let bounce = state.own.velocity_mps.z * state.own.velocity_mps.z;
        self.roughness += (bounce - self.roughness) * share(ROUGHNESS_S);

        let apparent_angle = f64::from(read.apparent_wind_rad);
        let apparent_speed = f64::from(read.apparent_wind_mps);
        // Body axes here: x to starboard, y forward, where the wind comes from.
        let apparent = toward(apparent_angle) * apparent_speed;
        self.apparent += (apparent - self.apparent) * share(2.0);
        self.apparent_angle = trig::atan2(self.apparent.x, self.apparent.y);
        self.apparent_speed = self.apparent.length();

        let over_ground = self.velocity - toward(self.heading + apparent_angle) * apparent_speed;
        if self.turn.abs() < STEADY_TURN_RADPS || fresh {
            let set = self.velocity - self.through_water(self.speed_now, apparent_angle);
            // The first reading says nothing about a current: a vessel starts at rest.
            self.current += (set - self.current) * if fresh { 0.0 } else { share(CURRENT_S) };
        }
        let over_water = over_ground - self.current;
        self.wind_fast += (over_water - self.wind_fast) * share(WIND_FAST_S);
        self.wind_slow += (over_water - self.wind_slow) * share(WIND_SLOW_S);
        true
    }

    /// The way through the water at a speed along the keel on the present heading, m/s.
    fn through_water(&self, speed: f64, wind_angle: f64) -> DVec2 {
        let drift = if self.sails { leeway(wind_angle) } else { 0.0 };
        toward(self.heading + drift) * (speed / trig::cos(drift))
    }

    /// Where the wind over the water comes from, short memory, heading in radians.
    pub(super) fn wind_from(&self) -> f64 {
        trig::heading(-self.wind_fast.x, -self.wind_fast.y)
    }

    /// Where the wind over the water comes from, long memory, heading in radians.
    pub(super) fn wind_from_slow(&self) -> f64 {
        trig::heading(-self.wind_slow.x, -self.wind_slow.y)
    }

    /// Strength of the wind over the water, long memory, m/s.
    pub(super) fn wind_speed(&self) -> f64 {
        self.wind_slow.length()
    }

    /// Angle of the true wind off the bow, radians in [−π, π), positive from starboard.
    pub(super) fn true_angle(&self) -> f64 {
        wrap_angle(self.wind_from() - self.heading)
    }
}
