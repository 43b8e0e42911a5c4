//! Manoeuvres under power: the turning circle and the zig-zag of IMO MSC.137(76).

use std::f64::consts::PI;

use glam::DVec2;

use super::{Tank, TrialError, seconds, ticks};
use crate::units::{degrees, radians, wrap_angle};
use crate::vessel::Class;

/// How long the boat runs up at full throttle, seconds.
const APPROACH_S: f64 = 120.0;
/// A turn or zig-zag that takes longer is none, seconds.
const TURN_S_MAX: f64 = 600.0;

/// A turning circle at full throttle and full rudder to starboard.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Circle {
    /// Rudder, radians.
    pub rudder_rad: f64,
    /// Speed at which it was put over, m/s.
    pub approach_mps: f64,
    /// Way made ahead when the heading has changed by 90°, metres.
    pub advance_m: f64,
    /// Way made aside by then, metres.
    pub transfer_m: f64,
    /// Way made aside when the heading has changed by 180°, metres.
    pub tactical_diameter_m: f64,
    /// Times of both, seconds.
    pub quarter_s: f64,
    /// See `quarter_s`.
    pub half_s: f64,
    /// Speed in the steady turn, m/s.
    pub steady_mps: f64,
    /// Rate of the steady turn, rad/s.
    pub steady_radps: f64,
}

/// A zig-zag: rudder to one side until the heading has changed by as much, then to the other.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Zigzag {
    /// Rudder and change of heading, radians.
    pub angle_rad: f64,
    /// How far the heading swings on after the rudder was reversed, the first and the second time, radians.
    pub overshoot_rad: [f64; 2],
}

/// A boat that runs north at full throttle.
fn run_up(class: &Class) -> Result<Tank<'_>, TrialError> {
    if class.spec.engine.is_none() {
        return Err(TrialError::NoEngine(class.spec.name.clone()));
    }
    let mut tank = Tank::new(class, DVec2::ZERO);
    tank.state.helm.reef = 0.0;
    tank.state.gear.reef = 0.0;
    tank.state.helm.throttle = 1.0;
    for _ in 0..ticks(APPROACH_S) {
        let look = tank.look();
        tank.state.helm.rudder_rad = tank.steer(&look, 0.0);
        tank.tick();
    }
    Ok(tank)
}

/// Turns a boat round at its full rudder, or at an angle that it has, radians.
///
/// # Errors
/// When the boat has no engine or does not turn.
pub fn circle(class: &Class, rudder_rad: f64) -> Result<Circle, TrialError> {
    let mut tank = run_up(class)?;
    let begin = tank.look();
    let start_m = tank.state.position_m;
    tank.state.helm.rudder_rad = rudder_rad;
    let (mut quarter, mut half) = (None, None);
    let (mut turned, mut before) = (0.0, begin.heading_rad);
    let mut steady = begin;
    for n in 0..ticks(TURN_S_MAX) {
        tank.tick();
        let look = tank.look();
        turned += wrap_angle(look.heading_rad - before);
        before = look.heading_rad;
        let made = tank.state.position_m - start_m;
        if turned >= 0.5 * PI && quarter.is_none() {
            quarter = Some((seconds(n + 1), made.y, made.x));
        }
        if turned >= PI && half.is_none() {
            half = Some((seconds(n + 1), made.x));
        }
        steady = look;
        // A whole circle and a half: what is left of the approach is gone.
        if turned >= 3.0 * PI {
            break;
        }
    }
    let (Some((quarter_s, advance_m, transfer_m)), Some((half_s, tactical_diameter_m))) = (quarter, half)
    else {
        return Err(TrialError::NoTurn(class.spec.name.clone(), TURN_S_MAX));
    };
    Ok(Circle {
        rudder_rad,
        approach_mps: begin.speed_mps,
        advance_m,
        transfer_m,
        tactical_diameter_m,
        quarter_s,
        half_s,
        steady_mps: steady.speed_mps,
        steady_radps: steady.turn_radps,
    })
}

/// Sails a zig-zag of an angle, radians.
///
/// # Errors
/// When the boat has no engine or does not answer its rudder.
pub fn zigzag(class: &Class, angle_rad: f64) -> Result<Zigzag, TrialError> {
    let mut tank = run_up(class)?;
    let start = tank.look().heading_rad;
    let mut side = 1.0;
    let mut overshoot_rad = [0.0_f64; 2];
    // The legs of a zig-zag: over to starboard, back to port, and to starboard again.
    let mut leg = 0;
    tank.state.helm.rudder_rad = angle_rad;
    for _ in 0..ticks(TURN_S_MAX) {
        tank.tick();
        let turned = wrap_angle(tank.look().heading_rad - start);
        if leg > 0 {
            let past = -side * turned - angle_rad;
            overshoot_rad[leg - 1] = overshoot_rad[leg - 1].max(past);
        }
        if side * turned >= angle_rad {
            if leg == 2 {
                return Ok(Zigzag { angle_rad, overshoot_rad });
            }
            leg += 1;
            side = -side;
            tank.state.helm.rudder_rad = side * angle_rad;
        }
    }
    Err(TrialError::NoTurn(class.spec.name.clone(), TURN_S_MAX))
}

/// What IMO asks of ships (MSC.137(76)): lengths of advance and tactical diameter, and the first overshoot
/// of the 10°/10° zig-zag where a ship's length takes less than 10 s.
#[must_use]
pub fn meets_imo(class: &Class, circle: &Circle, ten: &Zigzag) -> bool {
    let length_m = class.spec.length_m;
    circle.advance_m <= 4.5 * length_m
        && circle.tactical_diameter_m <= 5.0 * length_m
        && (ten.angle_rad - radians(10.0)).abs() < 1e-9
        && degrees(ten.overshoot_rad[0]) <= 10.0
}
