//! Free decay: a boat is pushed down, rolled or pitched on still water and let go.

use std::f64::consts::{PI, TAU};

use super::{Tank, TrialError, seconds, ticks, with_still_crew};
use crate::trig;
use crate::units::radians;
use crate::vessel::{BoatSpec, rotation};
use glam::{DVec2, DVec3};

/// How long the boat floats before it is pushed, seconds.
const REST_S: f64 = 60.0;
/// How long its swings are watched, seconds.
const WATCH_S: f64 = 40.0;
/// Swings smaller than this share of the push are left out: rest is known no better.
const FADED: f64 = 0.01;
/// Half swings that are read at most.
const SWINGS: usize = 12;

/// What swings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Up and down.
    Heave,
    /// About the long axis.
    Roll,
    /// About the axis athwartships.
    Pitch,
}

/// What a free decay tells.
#[derive(Clone, Debug, PartialEq)]
pub struct Decay {
    /// Period of the damped swing, seconds.
    pub period_s: f64,
    /// Period that it would have without damping, seconds.
    pub natural_s: f64,
    /// Damping over the critical one.
    pub damping: f64,
    /// Turning points: time since the boat was let go, seconds; metres or radians from rest.
    pub peaks: Vec<(f64, f64)>,
}

impl Mode {
    /// Its word.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Heave => "heave",
            Self::Roll => "roll",
            Self::Pitch => "pitch",
        }
    }

    fn read(self, tank: &Tank<'_>) -> f64 {
        match self {
            Self::Heave => tank.state.position_m.z,
            Self::Roll => rotation::heel_rad(&rotation::axes(tank.state.attitude)),
            Self::Pitch => rotation::pitch_rad(&rotation::axes(tank.state.attitude)),
        }
    }

    /// Pushes by little, so that the hull's stiffness is that of its waterline; returns by how much.
    fn push(self, tank: &mut Tank<'_>) -> f64 {
        // The boat looks north: its long axis is the course's y, the one to port minus x.
        let (axis, angle_rad) = match self {
            Self::Heave => {
                let by_m = 0.05 * tank.class.canoe_draft_m;
                tank.state.position_m.z += by_m;
                return by_m;
            }
            Self::Roll => (DVec3::Y, radians(3.0)),
            Self::Pitch => (DVec3::X, radians(0.5)),
        };
        tank.state.attitude = rotation::turned(tank.state.attitude, axis * angle_rad, 1.0);
        angle_rad
    }
}

/// Measures one mode of a boat under bare poles, its crew sitting still.
///
/// # Errors
/// When the boat does not swing.
pub fn decay(spec: &BoatSpec, mode: Mode) -> Result<Decay, TrialError> {
    let class = with_still_crew(spec);
    let mut tank = Tank::new(&class, DVec2::ZERO);
    tank.settle_bare(REST_S);
    let rest = mode.read(&tank);
    let push = mode.push(&mut tank);
    let mut trace = Vec::new();
    for _ in 0..ticks(WATCH_S) {
        trace.push(mode.read(&tank) - rest);
        tank.tick();
    }
    let read = read_trace(&trace, FADED * push.abs());
    read.ok_or_else(|| TrialError::NoSwing(spec.name.clone(), mode.name()))
}

/// Periods from the crossings of rest, damping from the logarithmic decrement of turning points; the first
/// of each is left out, as the water does not start at rest with the boat.
fn read_trace(trace: &[f64], least: f64) -> Option<Decay> {
    let mut peaks: Vec<(f64, f64)> = Vec::new();
    let mut crossings = Vec::new();
    for (n, three) in (1_u32..).zip(trace.windows(3)) {
        let [a, b, c] = [three[0], three[1], three[2]];
        if (b - a) * (c - b) <= 0.0 && b != a && b.abs() > least && peaks.len() < SWINGS {
            // The parabola through three points.
            let bend = a - 2.0 * b + c;
            let offset = if bend.abs() > 0.0 { 0.5 * (a - c) / bend } else { 0.0 };
            let turning = b - 0.25 * (a - c) * offset;
            if peaks.last().is_none_or(|last| last.1 * turning < 0.0) {
                peaks.push((seconds(n) + offset * seconds(1), turning));
            }
        }
        if a * b < 0.0 && crossings.len() <= peaks.len() + 1 {
            crossings.push(seconds(n - 1) + a / (a - b) * seconds(1));
        }
    }
    // From the first turning point on; the crossing after the last one is still well read.
    let crossings = &crossings[..crossings.len().min(peaks.len() + 1)];
    if peaks.len() < 2 || crossings.len() < 2 {
        return None;
    }
    let halves = crossings.len() - 1;
    let period_s = 2.0 * (crossings[halves] - crossings[0]) / count(halves);
    let swings = peaks.len() - 1;
    let decrement = trig::ln((peaks[0].1 / peaks[swings].1).abs()) / count(swings);
    let damping = decrement / (decrement * decrement + PI * PI).sqrt();
    let natural_s = period_s * (1.0 - damping * damping).sqrt();
    debug_assert!(natural_s < TAU * WATCH_S);
    Some(Decay { period_s, natural_s, damping, peaks })
}

fn count(number: usize) -> f64 {
    u32::try_from(number).map_or(f64::MAX, f64::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decay_of_a_pendulum_is_read_back() {
        let (omega, damping) = (2.0, 0.2);
        let damped = omega * (1.0_f64 - damping * damping).sqrt();
        let trace: Vec<f64> = (0..1800)
            .map(|n| {
                let t = seconds(n);
                trig::exp(-damping * omega * t) * trig::cos(damped * t)
            })
            .collect();
        let read = read_trace(&trace, FADED).unwrap();
        assert!((read.natural_s - TAU / omega).abs() < 0.01, "{read:?}");
        assert!((read.damping - damping).abs() < 0.005, "{read:?}");
    }
}
