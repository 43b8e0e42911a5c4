//! From one tick to the next: gear follows orders, speed follows forces, place follows speed.

use super::class::Class;
use super::forces::Acceleration;
use super::rotation;
use super::state::{Gear, Helm, VesselState};
use crate::units::TICK_S;

/// Share of the sheet's range that a winch works in a second.
const SHEET_PACE: f64 = 0.25;
/// Share of the sail's height that is hoisted or reefed in a second.
const REEF_PACE: f64 = 0.03;
/// Fullness a second, by backstay and outhaul.
const FLAT_PACE: f64 = 0.1;
/// Share of a spinnaker hoisted or taken down in a second.
const SPINNAKER_PACE: f64 = 0.08;
/// Throttle a second.
const THROTTLE_PACE: f64 = 0.5;
/// Share of the way from the centreline to the rail that a crew moves in a second on a boat of this beam or more,
/// metres: with their winches and sheets to see to they take 16 s from rail to rail. On narrower boats they have
/// less far to go and less in their hands, and look less far ahead: a dinghy's crew is across in four seconds.
const CREW_PACE: f64 = 0.12;
const CREW_BEAM_M: f64 = 3.8;
/// Crews of the narrowest boats are so many times nearer to the rail.
const CREW_QUICK: f64 = 2.5;
/// How far ahead of the heel a crew looks, seconds. One that follows the roll it feels comes a quarter
/// period late and rocks the boat; looking ahead undoes that.
const CREW_LEAD_S: f64 = 2.0;
/// Heel at which the whole crew sits on the rail, radians: 6°.
const CREW_HEEL_RAD: f64 = 0.105;
/// Fastest spin that the model vouches for, rad/s; a boat rolls right over in a second at this rate.
const SPIN_RADPS_MAX: f64 = 8.0;
/// Fastest speed that the model vouches for, m/s.
const SPEED_MPS_MAX: f64 = 40.0;

/// Moves the gear towards the orders, for one tick.
pub fn follow_orders(class: &Class, state: &mut VesselState) {
    let Helm { rudder_rad, sheet, reef, flat, spinnaker, throttle } = state.helm;
    let [limit_rad, pace_radps] = class.rudder_rad;
    let flies = spinnaker && class.spec.rig.is_some();
    let axes = rotation::axes(state.attitude);
    let quick = (CREW_BEAM_M / class.spec.beam_m).clamp(1.0, CREW_QUICK);
    let heel = rotation::heel_rad(&axes) + CREW_LEAD_S / quick * state.spin_radps.dot(axes.x_axis);
    let gear = &mut state.gear;
    *gear = Gear {
        rudder_rad: near(gear.rudder_rad, rudder_rad.clamp(-limit_rad, limit_rad), pace_radps),
        sheet: near(gear.sheet, sheet.clamp(0.0, 1.0), SHEET_PACE),
        reef: near(gear.reef, reef.clamp(0.0, 1.0), REEF_PACE),
        flat: near(gear.flat, flat.clamp(0.5, 1.0), FLAT_PACE),
        spinnaker: near(gear.spinnaker, if flies { 1.0 } else { 0.0 }, SPINNAKER_PACE),
        throttle: near(gear.throttle, throttle.clamp(-1.0, 1.0), THROTTLE_PACE),
        crew: near(gear.crew, (heel / CREW_HEEL_RAD).clamp(-1.0, 1.0), CREW_PACE * quick * quick),
    };
}

/// One tick's step from a value towards another, at a pace per second.
fn near(now: f64, wanted: f64, pace: f64) -> f64 {
    let step = pace * TICK_S;
    now + (wanted - now).clamp(-step, step)
}

/// Velocity after one tick.
pub fn speed_up(state: &mut VesselState, acceleration: &Acceleration) {
    state.velocity_mps += acceleration.linear_mps2 * TICK_S;
    state.spin_radps += acceleration.angular_radps2 * TICK_S;
    let speed = state.velocity_mps.length();
    if speed > SPEED_MPS_MAX {
        state.velocity_mps *= SPEED_MPS_MAX / speed;
    }
    let spin = state.spin_radps.length();
    if spin > SPIN_RADPS_MAX {
        state.spin_radps *= SPIN_RADPS_MAX / spin;
    }
}

/// Place and attitude after one tick at the new velocity (semi-implicit Euler).
pub fn move_on(state: &mut VesselState) {
    state.position_m += state.velocity_mps * TICK_S;
    state.attitude = rotation::turned(state.attitude, state.spin_radps, TICK_S);
}
