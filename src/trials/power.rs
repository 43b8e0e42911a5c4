//! Speeds by throttle: a boat under power on flat water without wind.

use glam::DVec2;

use super::{Tank, TrialError, ticks};
use crate::vessel::Class;

/// How long the boat gathers way at each throttle before its speed counts, and how long that counts, seconds.
const SETTLE_S: f64 = 120.0;
const COUNT_S: f64 = 5.0;

/// Steady speed at one throttle.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Pace {
    /// Throttle, 0 to 1.
    pub throttle: f64,
    /// Speed through the water, m/s.
    pub speed_mps: f64,
}

/// A boat's steady speeds at some throttles, 0 to 1, best in rising order: each begins at the one before.
///
/// # Errors
/// When the boat has no engine.
pub fn speeds(class: &Class, throttles: &[f64]) -> Result<Vec<Pace>, TrialError> {
    if class.spec.engine.is_none() {
        return Err(TrialError::NoEngine(class.spec.name.clone()));
    }
    let mut tank = Tank::new(class, DVec2::ZERO);
    tank.state.helm.reef = 0.0;
    tank.state.gear.reef = 0.0;
    let mut paces = Vec::with_capacity(throttles.len());
    for &throttle in throttles {
        tank.state.helm.throttle = throttle;
        let count = ticks(COUNT_S);
        let mut sum = 0.0;
        for n in 0..ticks(SETTLE_S) + count {
            let look = tank.look();
            tank.state.helm.rudder_rad = tank.steer(&look, 0.0);
            tank.tick();
            if n >= ticks(SETTLE_S) {
                sum += look.speed_mps;
            }
        }
        paces.push(Pace { throttle, speed_mps: sum / f64::from(count) });
    }
    Ok(paces)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vessel::boats;

    #[test]
    fn speed_rises_with_the_throttle_and_less_than_in_proportion_towards_hull_speed() {
        let class = Class::new(boats::named("launch").unwrap());
        let paces = speeds(&class, &[0.25, 0.5, 0.75, 1.0]).unwrap();
        assert!(paces.windows(2).all(|two| two[1].speed_mps > two[0].speed_mps), "{paces:?}");
        let engine = class.spec.engine.as_ref().unwrap();
        assert!(paces[3].speed_mps < engine.pitch_speed_mps, "a propeller slips: {paces:?}");
    }
}
