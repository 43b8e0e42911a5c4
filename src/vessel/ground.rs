//! Touching the seabed: springs under keel and hull. The bed keeps no memory of who lay on it.

use glam::{DMat3, DVec3};

use super::class::Class;
use super::forces::Wrench;
use super::state::VesselState;
use crate::sea::Water;
use crate::units::GRAVITY_MPS2;

/// How far the weight of a boat presses one foot into the bed, metres.
const SINK_M: f64 = 0.05;
/// Damping over the critical one of the whole boat on one foot.
const DAMPING: f64 = 0.3;
/// Friction of a keel on sand and rock.
const FRICTION: f64 = 0.4;
/// Speed at which friction is fully felt, m/s; below it grows evenly, so that no boat jitters at rest.
const CREEP_MPS: f64 = 0.5;
/// Deepest that a spring is pressed, metres: bounds the force where a chart steps.
const PRESS_M_MAX: f64 = 0.6;

/// Adds what the bed does, course axes.
pub(super) fn touch(class: &Class, state: &VesselState, water: &Water, axes: &DMat3, out: &mut Wrench) {
    let reach_m = class.spec.length_m;
    let slope = (water.bed_slope.x.abs() + water.bed_slope.y.abs()) * reach_m;
    let down_m = class.reach_down_m + 0.5 * reach_m * axes.x_axis.z.abs() + 1.0;
    if state.position_m.z - down_m > water.bed_m + slope {
        return;
    }
    let normal = DVec3::new(-water.bed_slope.x, -water.bed_slope.y, 1.0);
    let normal = normal / (normal.x * normal.x + normal.y * normal.y + normal.z * normal.z).sqrt();
    let stiffness = class.mass_kg * GRAVITY_MPS2 / SINK_M;
    let damping = DAMPING * 2.0 * (stiffness * class.mass_kg).sqrt();
    for foot in class.feet {
        let r = axes.mul_vec3(foot);
        let bed = water.bed_m + water.bed_slope.x * r.x + water.bed_slope.y * r.y;
        let press_m = (bed - (state.position_m.z + r.z)) * normal.z;
        if press_m <= 0.0 {
            continue;
        }
        let velocity = state.velocity_mps + state.spin_radps.cross(r);
        let into = -velocity.dot(normal);
        let push = (stiffness * press_m.min(PRESS_M_MAX) + damping * into).max(0.0);
        let slide = velocity + normal * into;
        let speed = (slide.x * slide.x + slide.y * slide.y + slide.z * slide.z).sqrt();
        let drag = slide * (-FRICTION * push / speed.max(CREEP_MPS));
        let force = normal * push + drag;
        out.force_n += force;
        out.torque_nm += r.cross(force);
    }
}
