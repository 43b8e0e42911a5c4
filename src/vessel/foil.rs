//! Keel and rudder as finite wings that stall.

use glam::DVec3;

use crate::units::WATER_KG_M3;

/// Drag of a smooth section at small angles, on its plan area (Abbott & von Doenhoff 1959, NACA 0012).
const SECTION_DRAG: f64 = 0.008;
/// Force of a plate across the flow over dynamic pressure times area (Hoerner 1965, aspect ratio near 3).
const PLATE: f64 = 1.25;

/// A wing that stands in the body's vertical plane.
#[derive(Clone, Copy, Debug)]
pub struct Foil {
    /// Centre of its force from the centre of gravity, body axes, metres.
    pub place_m: DVec3,
    /// Plan area, m².
    pub area_m2: f64,
    /// Lift coefficient per radian.
    pub slope: f64,
    /// Induced drag coefficient over the lift coefficient squared.
    pub induced: f64,
    /// Sines of the angles of attack at which stall begins and is complete.
    pub stall: [f64; 2],
}

impl Foil {
    /// A wing by its area and effective aspect ratio (Whicker & Fehlner 1958 round to 2π / (1 + 2/A)).
    #[must_use]
    pub fn new(place_m: DVec3, area_m2: f64, aspect: f64, carry_over: f64) -> Self {
        let slope = std::f64::consts::TAU / (1.0 + 2.0 / aspect);
        // The stall angle grows as the aspect ratio falls: lift coefficients near 1.2 (Whicker & Fehlner).
        let stall = (1.15 / slope).clamp(0.22, 0.5);
        Self {
            place_m,
            area_m2,
            slope: slope * carry_over,
            induced: 1.0 / (std::f64::consts::PI * aspect),
            stall: [stall, stall + 0.2],
        }
    }

    /// Force along the body's x and y, newtons, on a foil turned by an angle (sine, cosine; bow to
    /// starboard positive) that moves at `forward`, `port` m/s through the water.
    #[must_use]
    pub fn force_n(&self, forward_mps: f64, port_mps: f64, turn: (f64, f64)) -> (f64, f64) {
        // The blade's own chord axis: turned with its trailing edge to starboard for a positive angle.
        let (s, c) = turn;
        let along = forward_mps * c + port_mps * s;
        let across = port_mps * c - forward_mps * s;
        let square = along * along + across * across;
        if square < 1e-12 {
            return (0.0, 0.0);
        }
        let speed = square.sqrt();
        let (sine, cosine) = (across / speed, along / speed);
        let share = ((sine.abs() - self.stall[0]) / (self.stall[1] - self.stall[0])).clamp(0.0, 1.0);
        let stalled = share * share * (3.0 - 2.0 * share);
        // Astern the sharp edge leads: the flow leaves the blade early.
        let astern = if cosine < 0.0 { 0.6 } else { 1.0 };
        let lift_attached = self.slope * sine * astern;
        let drag_attached = SECTION_DRAG + self.induced * lift_attached * lift_attached;
        let lift_plate = PLATE * sine * cosine.abs();
        let drag_plate = PLATE * sine * sine + SECTION_DRAG;
        let lift = lift_attached + (lift_plate - lift_attached) * stalled;
        let drag = drag_attached + (drag_plate - drag_attached) * stalled;
        // Lift stands across the motion and against its sideways part.
        let pressure = 0.5 * WATER_KG_M3 * square * self.area_m2;
        let (vx, vy) = (forward_mps / speed, port_mps / speed);
        let side = if cosine < 0.0 { -1.0 } else { 1.0 };
        (pressure * (lift * side * vy - drag * vx), pressure * (-lift * side * vx - drag * vy))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blade_lifts_against_leeway_and_turns_with_the_helm() {
        let foil = Foil::new(DVec3::ZERO, 1.0, 4.0, 1.0);
        let (x, y) = foil.force_n(3.0, -0.2, (0.0, 1.0));
        assert!(y > 0.0 && x.abs() < y, "leeway to starboard gives lift to port: {x} {y}");
        let (_, y) = foil.force_n(3.0, 0.0, (0.1, 0.995));
        assert!(y > 0.0, "rudder for starboard pushes the stern to port");
        let (_, y) = foil.force_n(-3.0, 0.0, (0.1, 0.995));
        assert!(y < 0.0, "going astern it pushes the other way");
    }

    #[test]
    fn blade_never_pushes_itself_along() {
        let foil = Foil::new(DVec3::ZERO, 1.0, 4.0, 1.2);
        for n in 0..3600 {
            let (s, c) = crate::trig::sin_cos_turns(f64::from(n) / 3600.0);
            for turn in [-0.5, 0.0, 0.3] {
                let (x, y) = foil.force_n(4.0 * c, 4.0 * s, crate::trig::sin_cos(turn));
                assert!(x * c + y * s < 0.0, "power at {n} turned {turn}");
            }
        }
    }
}
