//! A vessel does in the water what outside numbers say that it should.
#![allow(
    missing_docs,
    unreachable_pub,
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "tests are no library"
)]
#![allow(
    clippy::disallowed_methods,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "nor a model"
)]

mod common;

use std::path::Path;

use common::*;
use fairway::units::{GRAVITY_MPS2, KNOT_MPS, TICK_S, degrees, knots, radians, wrap_angle};
use fairway::vessel::{Class, VesselState, boats, motion, rotation};
use glam::{DVec2, DVec3};

fn class(name: &str) -> Class {
    Class::new(boats::named(name).unwrap())
}

/// Under way on a heading at a speed, m/s.
fn under_way(class: &Class, heading_rad: f64, speed_mps: f64) -> VesselState {
    let mut state = at_rest(class, heading_rad);
    state.velocity_mps = rotation::axes(state.attitude).x_axis * speed_mps;
    state
}

#[test]
fn boats_float_upright_on_their_waterlines() {
    for name in boats::names() {
        let class = class(name);
        let mut state = at_rest(&class, 0.7);
        let start = state.position_m;
        let water = calm(DVec2::ZERO);
        for _ in 0..ticks(60.0) {
            tick(&class, &mut state, &water);
        }
        let axes = rotation::axes(state.attitude);
        assert!((state.position_m - start).length() < 0.02, "{name} moved to {}", state.position_m);
        assert!(degrees(rotation::heel_rad(&axes)).abs() < 0.1, "{name} heels");
        assert!(degrees(rotation::pitch_rad(&axes)).abs() < 0.2, "{name} trims");
        let displaced = class.still.volume_m3 * fairway::units::WATER_KG_M3;
        assert!((displaced / class.mass_kg - 1.0).abs() < 1e-3, "{name} displaces {displaced} kg");
    }
}

#[test]
fn rolled_boats_come_back() {
    for (name, heel_deg) in [("first407", 110.0), ("launch", 45.0)] {
        let class = class(name);
        let mut state = at_rest(&class, 0.0);
        state.attitude = rotation::turned(state.attitude, DVec3::Y * radians(heel_deg), 1.0);
        let water = calm(DVec2::ZERO);
        for _ in 0..ticks(60.0) {
            tick(&class, &mut state, &water);
        }
        let heel = degrees(rotation::heel_rad(&rotation::axes(state.attitude)));
        assert!(heel.abs() < 2.0, "{name} from {heel_deg}° to {heel}°");
    }
}

#[test]
fn helm_wind_and_sails_have_their_signs() {
    let class = class("first407");
    let mut state = under_way(&class, 0.0, 3.0);
    state.helm.rudder_rad = radians(10.0);
    let water = calm(DVec2::ZERO);
    for _ in 0..ticks(3.0) {
        tick(&class, &mut state, &water);
    }
    let turned = wrap_angle(look(&class, &state, &water).heading_rad);
    assert!(turned > radians(5.0), "rudder to starboard turns to starboard: {}", degrees(turned));

    // Wind from the west on a boat that looks north: from port.
    let wind = calm(wind_from(radians(270.0), 7.0));
    let mut state = at_rest(&class, 0.0);
    (state.helm.sheet, state.gear.sheet) = (0.6, 0.6);
    let mut heel_rad = 0.0;
    for _ in 0..ticks(20.0) {
        tick(&class, &mut state, &wind);
        heel_rad += look(&class, &state, &wind).heel_rad * TICK_S / 20.0;
    }
    let seen = look(&class, &state, &wind);
    assert!(heel_rad > radians(2.0), "heels to starboard: {}", degrees(heel_rad));
    assert!(seen.apparent_rad < 0.0, "the wind comes from port");
    assert!(state.velocity_mps.y > 0.5, "sails drive ahead: {}", state.velocity_mps);
    assert!(seen.leeway_rad > 0.0, "and to leeward: {}", state.velocity_mps);
    assert!(state.gear.crew > 0.3, "the crew sits to windward, on the port rail");
}

/// The best that the boat does at a wind and a heading: its speed after settling, m/s, and the look of it.
fn sail(class: &Class, wind_mps: f64, twa_rad: f64) -> Look {
    let mut best: Option<Look> = None;
    let spinnakers: &[bool] = if twa_rad > 1.2 { &[false, true] } else { &[false] };
    for spinnaker in spinnakers {
        for (reef, flat) in [(1.0, 1.0), (1.0, 0.75), (0.85, 0.8)] {
            let water = calm(wind_from(0.0, wind_mps));
            let mut state = under_way(class, twa_rad, 2.5);
            state.helm.spinnaker = *spinnaker;
            state.gear.spinnaker = if *spinnaker { 1.0 } else { 0.0 };
            (state.helm.reef, state.helm.flat, state.gear.reef, state.gear.flat) = (reef, flat, reef, flat);
            let mut seen = look(class, &state, &water);
            for _ in 0..ticks(90.0) {
                seen = steer(class, &mut state, &water, twa_rad);
                tick(class, &mut state, &water);
            }
            if best.as_ref().is_none_or(|best| seen.speed_mps > best.speed_mps) {
                best = Some(seen);
            }
        }
    }
    best.unwrap()
}

/// One row of the certificate: what the table holds under a key, by wind.
fn certificate() -> Option<serde_json::Value> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/reference/polars/orc.json");
    let Ok(text) = std::fs::read_to_string(&path) else {
        skipped(&format!("ORC certificates at {}", path.display()));
        return None;
    };
    let all: serde_json::Value = serde_json::from_str(&text).unwrap();
    let boats = all["boats"].as_array().unwrap();
    boats.iter().find(|boat| boat["key"] == "first40.7").map(|boat| boat["vpp"].clone())
}

#[test]
fn first407_sails_the_speeds_of_its_certificate() {
    let Some(vpp) = certificate() else { return };
    let class = class("first407");
    let speeds = vpp["speeds"].as_array().unwrap();
    let target = |key: &str, tws: f64| {
        let at = speeds.iter().position(|speed| speed.as_f64() == Some(tws)).unwrap();
        vpp[key][at].as_f64().unwrap()
    };
    let (mut worst, mut sum, mut count) = (0.0_f64, 0.0, 0.0);
    for tws in [6.0, 10.0, 12.0, 16.0, 20.0] {
        let mut line = format!("{tws:>3} kn:");
        for twa in [52.0, 75.0, 90.0, 110.0, 135.0, 150.0] {
            let speed = knots(sail(&class, tws * KNOT_MPS, radians(twa)).speed_mps);
            let off = speed / target(&format!("{twa}"), tws) - 1.0;
            line += &format!("  {twa}° {speed:.2} ({:+.0} %)", 100.0 * off);
            worst = worst.max(off.abs());
            sum += off.abs();
            count += 1.0;
            assert!(off.abs() < 0.15, "{line}");
        }
        let beats = [38.0, 41.0, 44.0].map(|twa: f64| {
            let seen = sail(&class, tws * KNOT_MPS, radians(twa));
            knots(seen.speed_mps) * radians(twa).cos()
        });
        let vmg = beats.into_iter().fold(0.0, f64::max);
        let off = vmg / target("beat_vmg", tws) - 1.0;
        println!("{line}  beat {vmg:.2} ({:+.0} %)", 100.0 * off);
        assert!(off.abs() < 0.15, "beat at {tws} kn: {vmg}");
    }
    println!("mean {:.1} %, worst {:.1} %", 100.0 * sum / count, 100.0 * worst);
    assert!(sum / count < 0.06, "mean error {}", sum / count);
}

#[test]
fn close_hauled_boat_heels_and_makes_leeway_as_yachts_do() {
    let class = class("first407");
    let water = calm(wind_from(0.0, 13.0 * KNOT_MPS));
    let mut state = under_way(&class, radians(42.0), 2.5);
    (state.helm.flat, state.gear.flat) = (0.8, 0.8);
    let mut seen = look(&class, &state, &water);
    for _ in 0..ticks(120.0) {
        seen = steer(&class, &mut state, &water, radians(42.0));
        tick(&class, &mut state, &water);
    }
    let (heel, leeway) = (degrees(seen.heel_rad), degrees(seen.leeway_rad));
    println!(
        "13 kn, 42°: heel {heel:.1}°, leeway {leeway:.1}°, rudder {:.1}°",
        degrees(state.gear.rudder_rad)
    );
    assert!((15.0..25.0).contains(&heel), "heel {heel}");
    assert!((2.0..5.5).contains(&leeway), "leeway {leeway}: the boat slides away from the wind");
}

#[test]
fn boat_tacks_and_gybes() {
    let class = class("first407");
    let water = calm(wind_from(0.0, 12.0 * KNOT_MPS));
    let mut state = under_way(&class, radians(42.0), 3.0);
    (state.helm.flat, state.gear.flat) = (0.75, 0.75);
    let mut slowest = f64::INFINITY;
    let mut crossed_s = None;
    for n in 0..ticks(150.0) {
        let time_s = f64::from(u32::try_from(n).unwrap()) * TICK_S;
        let aim = if time_s < 60.0 { 42.0 } else { -42.0 };
        let seen = steer(&class, &mut state, &water, radians(aim));
        state.helm.rudder_rad = state.helm.rudder_rad.clamp(-0.35, 0.35);
        if time_s > 60.0 {
            slowest = slowest.min(knots(seen.speed_mps));
            if crossed_s.is_none() && wrap_angle(seen.heading_rad) < 0.0 {
                crossed_s = Some(time_s - 60.0);
            }
        }
        tick(&class, &mut state, &water);
    }
    let seen = look(&class, &state, &water);
    println!("tack: through the wind after {crossed_s:?} s, slowest {slowest:.2} kn");
    assert!(crossed_s.unwrap() < 8.0);
    assert!((2.5..5.5).contains(&slowest), "slowest {slowest}");
    assert!(knots(seen.speed_mps) > 6.0 && seen.heel_rad < 0.0, "sails on the other tack");

    for _ in 0..ticks(60.0) {
        steer(&class, &mut state, &water, radians(-150.0));
        tick(&class, &mut state, &water);
    }
    for _ in 0..ticks(60.0) {
        steer(&class, &mut state, &water, radians(150.0));
        tick(&class, &mut state, &water);
    }
    let seen = look(&class, &state, &water);
    assert!((wrap_angle(seen.heading_rad) - radians(150.0)).abs() < 0.15 && knots(seen.speed_mps) > 5.0);
}

#[test]
fn current_carries_everything() {
    for name in boats::names() {
        let class = class(name);
        let flow = DVec2::new(1.0, -0.4);
        // The air moves with the water, so nothing but the current is felt.
        let mut water = calm(flow);
        water.current_mps = flow;
        let mut carried = at_rest(&class, 2.0);
        carried.velocity_mps = flow.extend(0.0);
        let mut left = at_rest(&class, 2.0);
        // A quarter of an hour for hulls of twelve metres; the larger, the longer it takes.
        for _ in 0..ticks(900.0 * (class.spec.length_m / 12.0).max(1.0)) {
            tick(&class, &mut carried, &water);
            tick(&class, &mut left, &water);
        }
        let off = |state: &VesselState| (state.velocity_mps.truncate() - flow).length() / flow.length();
        assert!(off(&carried) < 0.01, "{name}: {}", carried.velocity_mps);
        // One that was held back is taken along, ever more slowly: drag falls with the square.
        assert!(off(&left) < 0.12, "{name}: {}", left.velocity_mps);
    }
}

#[test]
fn bare_masts_drift_as_search_and_rescue_says() {
    // Allen & Plourde 1999: 2.67 % of the wind for fin keels, 5.23 % bare-masted on average, ± 50 %.
    let class = class("first407");
    let water = calm(wind_from(radians(270.0), 15.0));
    let mut state = at_rest(&class, 0.0);
    (state.helm.reef, state.gear.reef) = (0.0, 0.0);
    let mut travelled = 0.0;
    for n in 0..ticks(600.0) {
        tick(&class, &mut state, &water);
        if n >= ticks(300.0) {
            travelled += state.velocity_mps.truncate().length() * TICK_S / 300.0;
        }
    }
    let share = 100.0 * travelled / 15.0;
    println!("drift under bare poles: {share:.2} % of the wind");
    assert!((0.5 * 2.67..1.5 * 5.23).contains(&share), "{share} %");
}

#[test]
fn boat_follows_long_waves() {
    // Response to long head seas: heave near the wave's own amplitude, pitch near its slope (Capytaine on
    // a 10 m Wigley hull: 0.991 and 1.00 at 0.8 rad/s, 0.997 and 1.00 at 0.6).
    let class = class("first407");
    for omega in [0.6, 0.8] {
        let (mut heave, mut pitch) = ((0.0_f64, 0.0_f64), (0.0_f64, 0.0_f64));
        let mut state = at_rest(&class, 0.0);
        let amplitude = 0.3;
        let train = Train {
            amplitude_m: amplitude,
            omega_radps: omega,
            towards_rad: std::f64::consts::PI,
            phase_turns: 0.2,
        };
        let mut water = calm(DVec2::ZERO);
        for n in 0..ticks(120.0) {
            let time_s = f64::from(u32::try_from(n).unwrap()) * TICK_S;
            lay(&mut water, &[train], state.position_m.truncate(), time_s);
            tick(&class, &mut state, &water);
            if time_s > 60.0 {
                let z = state.position_m.z - class.cg_m;
                let p = rotation::pitch_rad(&rotation::axes(state.attitude));
                heave = (heave.0.min(z), heave.1.max(z));
                pitch = (pitch.0.min(p), pitch.1.max(p));
            }
        }
        let steepness = omega * omega / GRAVITY_MPS2 * amplitude;
        let (h, p) = (0.5 * (heave.1 - heave.0) / amplitude, 0.5 * (pitch.1 - pitch.0) / steepness);
        println!("head sea {omega} rad/s: heave {h:.3}, pitch over slope {p:.3}");
        assert!((h - 1.0).abs() < 0.05, "heave {h}");
        assert!((p - 1.0).abs() < 0.10, "pitch {p}");
    }
}

/// A sea of 3 m significant height under 35 knots from the north.
fn storm() -> [Train; 32] {
    std::array::from_fn(|n| {
        let n = f64::from(u32::try_from(n).unwrap());
        let omega_radps = 0.5 + 0.06 * n;
        // Σ a² / 2 = (Hs / 4)²: a hump about 0.8 rad/s.
        let shape = (-(omega_radps - 0.85) * (omega_radps - 0.85) / 0.08).exp();
        Train {
            amplitude_m: 0.39 * shape.sqrt(),
            omega_radps,
            towards_rad: std::f64::consts::PI + 0.4 * (n * 2.3).sin(),
            phase_turns: (n * 0.618).fract(),
        }
    })
}

#[test]
fn boats_live_through_heavy_weather() {
    let trains = storm();
    let height = 4.0 * (trains.iter().map(|train| train.amplitude_m.powi(2) / 2.0).sum::<f64>()).sqrt();
    assert!((2.7..3.6).contains(&height), "Hs {height}");
    for (name, heading_deg, throttle) in [
        ("first407", 50.0, 0.0),
        ("first407", 100.0, 0.0),
        ("first407", 160.0, 0.0),
        ("launch", 20.0, 0.6),
        ("launch", 150.0, 0.5),
    ] {
        let class = class(name);
        let mut water = calm(wind_from(0.0, 35.0 * KNOT_MPS));
        let mut state = at_rest(&class, radians(heading_deg));
        (state.helm.reef, state.helm.flat, state.gear.reef, state.gear.flat) = (0.5, 0.6, 0.5, 0.6);
        let (mut heel_max, mut speed_max, mut travelled) = (0.0_f64, 0.0_f64, 0.0);
        for n in 0..ticks(300.0) {
            let time_s = f64::from(u32::try_from(n).unwrap()) * TICK_S;
            lay(&mut water, &trains, state.position_m.truncate(), time_s);
            let seen = steer(&class, &mut state, &water, radians(heading_deg));
            state.helm.throttle = throttle;
            tick(&class, &mut state, &water);
            heel_max = heel_max.max(degrees(seen.heel_rad).abs());
            speed_max = speed_max.max(seen.speed_mps);
            travelled += seen.speed_mps * TICK_S;
        }
        println!(
            "{name} {heading_deg}°: heel to {heel_max:.0}°, {:.1} kn at most, {travelled:.0} m",
            knots(speed_max)
        );
        assert!(state.position_m.is_finite() && state.position_m.z.abs() < 5.0);
        assert!(heel_max < 75.0, "{name} is knocked down to {heel_max}°");
        assert!(knots(speed_max) < 22.0 && travelled > 300.0);
    }
}

#[test]
fn grounded_boat_stops_and_floats_off_with_the_tide() {
    for name in boats::names() {
        let class = class(name);
        let mut state = under_way(&class, 0.0, 2.5);
        let mut water = calm(DVec2::ZERO);
        // A beach that rises one in fifty to the north, from a metre under the keel.
        water.bed_slope = DVec2::new(0.0, 0.02);
        let bed = |state: &VesselState| -class.draft_m() - 0.3 + 0.02 * state.position_m.y;
        for _ in 0..ticks(60.0) {
            water.bed_m = bed(&state);
            tick(&class, &mut state, &water);
        }
        let stopped = state.velocity_mps.length();
        assert!(stopped < 0.05, "{name} still makes {stopped} m/s");
        assert!((5.0..40.0).contains(&state.position_m.y), "{name} ran {} m", state.position_m.y);
        let ashore = state.position_m.y;
        water.level_m = 1.0;
        water.current_mps = DVec2::new(0.0, -0.5);
        for _ in 0..ticks(300.0) {
            water.bed_m = bed(&state);
            tick(&class, &mut state, &water);
        }
        let (speed, back) = (-state.velocity_mps.y, ashore - state.position_m.y);
        assert!(speed > 0.15 && back > 5.0, "{name} is afloat again and drifts off: {speed} m/s, {back} m");
    }
}

#[test]
fn launch_runs_and_turns_as_ships_must() {
    // IMO MSC.137(76): advance within 4.5 lengths, tactical diameter within 5, at full rudder.
    let class = class("launch");
    let water = calm(DVec2::ZERO);
    let mut state = at_rest(&class, 0.0);
    for _ in 0..ticks(60.0) {
        steer(&class, &mut state, &water, 0.0);
        state.helm.throttle = 1.0;
        tick(&class, &mut state, &water);
    }
    let speed = state.velocity_mps.length();
    println!("launch at full throttle: {:.1} kn", knots(speed));
    assert!((6.0..10.0).contains(&knots(speed)), "{speed}");
    let (start, length) = (state.position_m, class.spec.length_m);
    state.helm.rudder_rad = radians(35.0);
    let (mut advance, mut diameter) = (None, None);
    for _ in 0..ticks(90.0) {
        tick(&class, &mut state, &water);
        let heading = look(&class, &state, &water).heading_rad;
        let made = state.position_m - start;
        if advance.is_none() && heading > radians(90.0) && heading < radians(180.0) {
            advance = Some(made.y / length);
        }
        if diameter.is_none() && heading > radians(180.0) {
            diameter = Some(made.x / length);
        }
    }
    println!("advance {advance:?} lengths, tactical diameter {diameter:?}");
    assert!((0.5..4.5).contains(&advance.unwrap()) && (0.5..5.0).contains(&diameter.unwrap()));
    // Astern it stops and gathers sternway.
    state.helm.rudder_rad = 0.0;
    state.helm.throttle = -1.0;
    for _ in 0..ticks(30.0) {
        tick(&class, &mut state, &water);
    }
    let axes = rotation::axes(state.attitude);
    assert!(state.velocity_mps.dot(axes.x_axis) < -0.5, "no sternway");
    let mut gear = state;
    motion::follow_orders(&class, &mut gear);
    assert!(gear.gear.throttle >= -1.0);
}
