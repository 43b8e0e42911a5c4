//! Response amplitude operators: a boat at rest in one train of small waves.

use std::f64::consts::TAU;

use glam::DVec2;

use super::{Tank, ticks, with_still_crew};
use crate::trig;
use crate::units::{GRAVITY_MPS2, TICK_S};
use crate::vessel::{BoatSpec, rotation};

/// Steepness k·a of the waves: small, so that the answer is linear.
const STEEPNESS: f64 = 0.01;
/// Greatest amplitude over the boat's length, for waves so long that the steepness allows much more.
const AMPLITUDE: f64 = 0.005;
/// The waves grow to their height over this time, so that the boat is not thrown adrift, and the boat's own
/// swings die over that, seconds.
const GROW_S: f64 = 30.0;
const FADE_S: f64 = 60.0;
/// The answer is read over whole periods of at least this time, seconds.
const READ_S: f64 = 40.0;

/// A boat's answer to waves of one period: motion = amplitude · wave's · cos(ωt − phase), the crest at the
/// centre of gravity at t = 0.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Response {
    /// Period of the waves, seconds.
    pub period_s: f64,
    /// Heave over the waves' amplitude.
    pub heave: f64,
    /// By how much heave comes after the crest, radians.
    pub heave_phase_rad: f64,
    /// Roll over the waves' slope.
    pub roll_over_slope: f64,
    /// Pitch over the waves' slope.
    pub pitch_over_slope: f64,
}

/// Least squares of A cos θ + B sin θ + C.
#[derive(Clone, Copy, Debug, Default)]
struct Harmonic {
    normal: [[f64; 3]; 3],
    right: [f64; 3],
}

impl Harmonic {
    fn add(&mut self, (sine, cosine): (f64, f64), value: f64) {
        let base = [cosine, sine, 1.0];
        for (row, a) in base.iter().enumerate() {
            for (column, b) in base.iter().enumerate() {
                self.normal[row][column] += a * b;
            }
            self.right[row] += a * value;
        }
    }

    /// A and B.
    fn solve(&self) -> (f64, f64) {
        let [a, b, c] = self.normal;
        let determinant = |x: [f64; 3], y: [f64; 3], z: [f64; 3]| {
            x[0] * (y[1] * z[2] - y[2] * z[1]) - x[1] * (y[0] * z[2] - y[2] * z[0])
                + x[2] * (y[0] * z[1] - y[1] * z[0])
        };
        // The matrix is its own transpose: its rows are its columns.
        let whole = determinant(a, b, c);
        (determinant(self.right, b, c) / whole, determinant(a, self.right, c) / whole)
    }
}

/// One train of waves over a tank.
struct Train {
    amplitude_m: f64,
    omega_radps: f64,
    /// Wave number, east and north, rad/m.
    k: DVec2,
}

impl Train {
    /// Lays the waves about a place at a time; `share` of their height.
    #[expect(clippy::cast_possible_truncation, reason = "waves are kept in single precision")]
    fn lay(&self, tank: &mut Tank<'_>, time_s: f64, share: f64) {
        let turns = (self.k.dot(tank.state.position_m.truncate()) - self.omega_radps * time_s) / TAU;
        let waves = &mut tank.water.waves;
        waves.amplitude_m[0] = (self.amplitude_m * share) as f32;
        waves.phase[0] = (turns - (turns + 0.5).floor()) as f32;
        waves.kx[0] = (self.k.x / TAU) as f32;
        waves.ky[0] = (self.k.y / TAU) as f32;
        waves.k_radpm[0] = (self.omega_radps * self.omega_radps / GRAVITY_MPS2) as f32;
        waves.omega_radps[0] = self.omega_radps as f32;
    }
}

/// Measures a boat's answer to waves of a period, seconds, on deep water, under bare poles at no speed.
///
/// `heading_rad` is that of the waves against the boat: 0 from astern, a quarter turn from starboard abeam,
/// half a turn from ahead.
#[must_use]
pub fn response(spec: &BoatSpec, heading_rad: f64, period_s: f64) -> Response {
    let class = with_still_crew(spec);
    let mut tank = Tank::new(&class, DVec2::ZERO);
    tank.settle_bare(FADE_S);
    let omega_radps = TAU / period_s;
    let k = omega_radps * omega_radps / GRAVITY_MPS2;
    // The boat looks north: port, to which waves from starboard run, is west.
    let (s, c) = trig::sin_cos(-heading_rad);
    let amplitude_m = (STEEPNESS / k).min(AMPLITUDE * spec.length_m);
    let train = Train { amplitude_m, omega_radps, k: DVec2::new(s, c) * k };
    let periods = (READ_S / period_s).floor() + 1.0;
    let start = ticks(GROW_S + FADE_S);
    let end = start + ticks(periods * period_s);
    // Motions first: the place about which the boat swings is known only afterwards.
    let mut trace = Vec::new();
    let mut places = [DVec2::ZERO; 2];
    let middle = start + (end - start) / 2;
    for n in 0..end {
        let time_s = f64::from(n) * TICK_S;
        let grown = (time_s / GROW_S).min(1.0);
        train.lay(&mut tank, time_s, grown * grown * (3.0 - 2.0 * grown));
        if n >= start {
            let axes = rotation::axes(tank.state.attitude);
            let motions = [tank.state.position_m.z, rotation::heel_rad(&axes), rotation::pitch_rad(&axes)];
            trace.push((time_s, motions));
            let half = usize::from(n >= middle);
            let count = if half == 0 { middle - start } else { end - middle };
            places[half] += tank.state.position_m.truncate() / f64::from(count);
        }
        tank.tick();
    }
    let mut fits = [Harmonic::default(); 3];
    // Waves push it along, slowly and evenly.
    let drift_mps = (places[1] - places[0]) * (2.0 / (f64::from(end - start) * TICK_S));
    let middle_s = f64::from(middle) * TICK_S;
    for (time_s, motions) in trace {
        let place = 0.5 * (places[0] + places[1]) + drift_mps * (time_s - middle_s);
        let theta = trig::sin_cos(omega_radps * time_s - train.k.dot(place));
        for (fit, motion) in fits.iter_mut().zip(motions) {
            fit.add(theta, motion);
        }
    }
    let [heave, roll, pitch] = fits.map(|fit| fit.solve());
    let size = |(a, b): (f64, f64)| (a * a + b * b).sqrt();
    let slope = k * amplitude_m;
    Response {
        period_s,
        heave: size(heave) / amplitude_m,
        heave_phase_rad: trig::atan2(heave.1, heave.0),
        roll_over_slope: size(roll) / slope,
        pitch_over_slope: size(pitch) / slope,
    }
}
