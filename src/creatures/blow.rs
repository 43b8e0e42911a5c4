//! Blows: a hull and a body that touch, the force between them, and what a whale makes of it.

use glam::DVec2;

use super::companion::{Companion, Hull};
use super::species::Traits;
use super::traits;
use crate::trig;
use crate::units::knots;

/// Damping of a blow over the critical one: flesh and wood give back a sixth of the speed.
const BLOW_DAMPING: f64 = 0.5;
/// Deepest that a body is pressed, metres: bounds the force where one comes up under a hull.
const PRESS_M_MAX: f64 = 1.0;
/// Height over which a hull meets a body more and more, metres, and the share of it that is called touching.
const OVERLAP_M: f64 = 0.5;
pub(super) const TOUCHING: f64 = 0.2;

/// Chance that a whale dies of a blow by a vessel of this speed, m/s (Vanderlaan and Taggart 2007, fig. 3:
/// logistic in knots, −4.89 + 0.41 v).
#[must_use]
pub fn lethality(speed_mps: f64) -> f64 {
    1.0 / (1.0 + trig::exp(4.89 - 0.41 * knots(speed_mps)))
}

/// Force of a blow, newtons, between two masses in kilograms that are pressed together by so much, metres, and
/// close at so much, m/s: a damped spring on which they part after `blow_s`.
#[must_use]
pub fn strike_force(masses_kg: [f64; 2], blow_s: f64, press_m: f64, closing_mps: f64) -> f64 {
    let [a, b] = masses_kg;
    let reduced_kg = a * b / (a + b);
    let omega = std::f64::consts::PI / blow_s;
    let spring = reduced_kg * omega * omega * press_m.min(PRESS_M_MAX);
    (spring + 2.0 * BLOW_DAMPING * reduced_kg * omega * closing_mps).max(0.0)
}

/// A hull between its ends, and a body between its own, seen from above.
pub(super) struct Contact {
    /// How far they are into each other, metres; negative apart.
    pub(super) press_m: f64,
    /// From the body to the hull.
    pub(super) normal: DVec2,
    /// From the centre of gravity to where they touch.
    pub(super) arm: DVec2,
    /// How much of the hull's depth meets the body, 0 to 1.
    pub(super) overlap: f64,
}

impl Contact {
    /// Of a hull with a body of a length and a radius.
    pub(super) fn of(
        hull: &Hull,
        place: DVec2,
        heading_rad: f64,
        depth_m: f64,
        [length_m, radius_m]: [f64; 2],
    ) -> Self {
        let half_beam_m = 0.5 * hull.beam_m;
        let a = (0.5 * hull.length_m - half_beam_m).max(0.0);
        let b = (0.5 * length_m - radius_m).max(0.0);
        let (east, north) = trig::sin_cos(heading_rad);
        let (u, v) = (hull.forward, DVec2::new(east, north));
        // The nearest points of two segments (Ericson, Real-Time Collision Detection, § 5.1.9).
        let r = hull.place - place;
        let (d, ur, vr) = (u.dot(v), u.dot(r), v.dot(r));
        let denominator = 1.0 - d * d;
        let s = if denominator > 1e-9 { (d * vr - ur) / denominator } else { 0.0 }.clamp(-a, a);
        let t = (d * s + vr).clamp(-b, b);
        let s = (d * t - ur).clamp(-a, a);
        let apart = r + u * s - v * t;
        let distance_m = apart.length();
        let normal = if distance_m > 1e-6 { apart / distance_m } else { DVec2::new(-u.y, u.x) };
        let overlap = ((hull.draft_m - (depth_m - radius_m)) / OVERLAP_M).clamp(0.0, 1.0);
        Self {
            press_m: half_beam_m + radius_m - distance_m,
            normal,
            arm: u * s - normal * half_beam_m,
            overlap,
        }
    }

    /// Of a hull with a body as it is.
    pub(super) fn with(hull: &Hull, companion: &Companion) -> Self {
        let Traits { length_m, radius_m, .. } = traits(companion.species);
        Self::of(hull, companion.place, companion.heading_rad, companion.depth_m, [*length_m, *radius_m])
    }
}
