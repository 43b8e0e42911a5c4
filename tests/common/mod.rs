//! Hand-made water and a simple helmsman for the tests of the vessel.
#![allow(dead_code, unreachable_pub, missing_docs, reason = "each test file uses its own part")]

use fairway::sea::{LocalWaves, WAVES, Water};
use fairway::trig;
use fairway::units::{GRAVITY_MPS2, TICK_S, wrap_angle};
use fairway::vessel::{Class, Helm, VesselState, forces, motion, rotation, trim};
use glam::{DVec2, DVec3};

/// Deep water without waves under a wind that blows towards (east, north), m/s.
pub fn calm(wind_mps: DVec2) -> Water {
    Water {
        wind_mps,
        current_mps: DVec2::ZERO,
        level_m: 0.0,
        bed_m: -50.0,
        bed_slope: DVec2::ZERO,
        waves: LocalWaves {
            amplitude_m: [0.0; WAVES],
            phase: [0.0; WAVES],
            kx: [0.0; WAVES],
            ky: [0.0; WAVES],
            k_radpm: [1.0; WAVES],
            omega_radps: [1.0; WAVES],
        },
    }
}

/// One train of waves: amplitude metres, angular frequency rad/s, running towards a heading.
#[derive(Clone, Copy)]
pub struct Train {
    pub amplitude_m: f64,
    pub omega_radps: f64,
    pub towards_rad: f64,
    pub phase_turns: f64,
}

/// Lays deep-water wave trains about a place at a time.
#[allow(clippy::cast_possible_truncation)]
pub fn lay(water: &mut Water, trains: &[Train], place: DVec2, time_s: f64) {
    for (n, train) in trains.iter().enumerate() {
        let k = train.omega_radps * train.omega_radps / GRAVITY_MPS2;
        let (s, c) = trig::sin_cos(train.towards_rad);
        let (kx, ky) = (k * s / std::f64::consts::TAU, k * c / std::f64::consts::TAU);
        let turns = train.phase_turns + kx * place.x + ky * place.y
            - train.omega_radps * time_s / std::f64::consts::TAU;
        let waves = &mut water.waves;
        waves.amplitude_m[n] = train.amplitude_m as f32;
        waves.phase[n] = (turns - (turns + 0.5).floor()) as f32;
        waves.kx[n] = kx as f32;
        waves.ky[n] = ky as f32;
        waves.k_radpm[n] = k as f32;
        waves.omega_radps[n] = train.omega_radps as f32;
    }
}

/// At rest, upright, afloat.
pub fn at_rest(class: &Class, heading_rad: f64) -> VesselState {
    fairway::vessel::at_rest(class, DVec2::ZERO, 0.0, heading_rad)
}

/// One tick without contacts.
pub fn tick(class: &Class, state: &mut VesselState, water: &Water) {
    motion::follow_orders(class, state);
    let a = forces::acceleration(class, state, water);
    motion::speed_up(state, &a);
    motion::move_on(state);
}

/// Wind that blows from a heading, m/s.
pub fn wind_from(heading_rad: f64, speed_mps: f64) -> DVec2 {
    let (s, c) = trig::sin_cos(heading_rad);
    DVec2::new(-s, -c) * speed_mps
}

/// What a helmsman sees of his boat.
pub struct Look {
    pub heading_rad: f64,
    pub heel_rad: f64,
    pub speed_mps: f64,
    pub leeway_rad: f64,
    pub apparent_rad: f64,
    pub turn_radps: f64,
}

pub fn look(class: &Class, state: &VesselState, water: &Water) -> Look {
    let axes = rotation::axes(state.attitude);
    let heading_rad = rotation::heading_rad(&axes);
    let v = DVec2::new(state.velocity_mps.x, state.velocity_mps.y) - water.current_mps;
    let track = trig::heading(v.x, v.y);
    Look {
        heading_rad,
        heel_rad: rotation::heel_rad(&axes),
        speed_mps: v.length(),
        leeway_rad: wrap_angle(track - heading_rad),
        apparent_rad: forces::apparent_wind(class, state, water).1,
        turn_radps: -state.spin_radps.z,
    }
}

/// Steers for a heading with the sheets by the rule of thumb.
pub fn steer(class: &Class, state: &mut VesselState, water: &Water, heading_rad: f64) -> Look {
    let look = look(class, state, water);
    let error = wrap_angle(heading_rad - look.heading_rad);
    state.helm = Helm {
        rudder_rad: 1.2 * error - 1.0 * look.turn_radps,
        sheet: trim::sheet_for(look.apparent_rad),
        ..state.helm
    };
    look
}

/// Ticks in a time.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
pub fn ticks(time_s: f64) -> usize {
    (time_s / TICK_S) as usize
}

/// Prints a loud word when outside data is missing; fails where everything is required.
pub fn skipped(what: &str) {
    eprintln!("SKIPPED: {what}");
    assert!(std::env::var_os("FAIRWAY_REQUIRE_ALL").is_none_or(|v| v != "1"), "required, but absent: {what}");
}

/// The unit vector up, for readers of tests.
pub const UP: DVec3 = DVec3::Z;
