//! What a tack costs.

use glam::DVec2;

use super::{Tank, TrialError, ticks};
use crate::trig;
use crate::units::{TICK_S, wrap_angle};
use crate::vessel::{Class, rotation, trim};

/// The boat sails close-hauled this long before it tacks, and at most this long after, seconds.
const BEFORE_S: f64 = 90.0;
const AFTER_S: f64 = 60.0;
/// Rudder in a tack, radians: hard over stops the boat.
const RUDDER_RAD: f64 = 0.35;

/// A tack from one close-hauled course to the other.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Tack {
    /// Speed before, m/s.
    pub before_mps: f64,
    /// Least speed, m/s.
    pub slowest_mps: f64,
    /// Time from the rudder's first move until the boat is on its new heading, seconds.
    pub time_s: f64,
    /// Way to windward that is lost against sailing on, metres.
    pub loss_m: f64,
}

/// Tacks at a heading off the wind, radians, in a wind, m/s, with the sails of a setting.
///
/// # Errors
/// When the boat has no rig, or does not get through the wind.
pub fn tack(class: &Class, wind_mps: f64, heading_rad: f64, flat: f64) -> Result<Tack, TrialError> {
    if class.spec.rig.is_none() {
        return Err(TrialError::NoRig(class.spec.name.clone()));
    }
    let mut tank = Tank::new(class, DVec2::new(0.0, -wind_mps));
    tank.state.attitude = rotation::upright(heading_rad);
    let (s, c) = trig::sin_cos(heading_rad);
    tank.state.velocity_mps = glam::DVec3::new(s, c, 0.0) * 2.0;
    tank.state.helm.flat = flat;
    tank.state.gear.flat = flat;
    let mut sail = |aim_rad: f64| {
        let look = tank.look();
        let limit = if aim_rad == heading_rad { f64::MAX } else { RUDDER_RAD };
        tank.state.helm.rudder_rad = tank.steer(&look, aim_rad).clamp(-limit, limit);
        tank.state.helm.sheet = trim::sheet_for(look.apparent_rad);
        tank.tick();
        (look, tank.state.velocity_mps.y)
    };
    let mut made_mps = 0.0;
    let mut before_mps = 0.0;
    for _ in 0..ticks(BEFORE_S) {
        let (look, north_mps) = sail(heading_rad);
        (before_mps, made_mps) = (look.speed_mps, north_mps);
    }
    let (mut slowest_mps, mut loss_m, mut time_s) = (before_mps, 0.0, None);
    for n in 0..ticks(AFTER_S) {
        let (look, north_mps) = sail(-heading_rad);
        slowest_mps = slowest_mps.min(look.speed_mps);
        loss_m += (made_mps - north_mps) * TICK_S;
        let off = wrap_angle(look.heading_rad + heading_rad);
        if time_s.is_none() && off.abs() < 0.05 {
            time_s = Some(super::seconds(n));
        }
    }
    let time_s = time_s.ok_or_else(|| TrialError::NoTack(class.spec.name.clone(), AFTER_S))?;
    Ok(Tack { before_mps, slowest_mps, time_s, loss_m })
}
