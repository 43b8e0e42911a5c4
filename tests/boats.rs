//! Every boat of `assets/boats` sails as it should, and its picture is what the tool draws.
#![allow(
    missing_docs,
    unreachable_pub,
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::disallowed_methods,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "tests are no library, nor a model"
)]

mod common;

use std::f64::consts::TAU;
use std::path::{Path, PathBuf};
use std::process::Command;

use fairway::sea::Water;
use fairway::trials::{Look, Tank};
use fairway::units::{KNOT_MPS, knots, radians, wrap_angle};
use fairway::vessel::{BoatFile, Class, boats, trim};
use glam::{DVec2, DVec3};

const TICKS_S: u32 = 45;

fn assets() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("assets/boats")
}

/// Speed of a wave as long as the waterline, knots.
fn hull_kn(class: &Class) -> f64 {
    knots((9.80665 * class.spec.hull.waterline_m / TAU).sqrt())
}

/// Waves of a significant height and peak period from a direction: eight trains about the peak.
fn sea(water: &mut Water, height_m: f64, period_s: f64, from_rad: f64, place: DVec3, time_s: f64) {
    let trains: Vec<common::Train> = (0..8_u8)
        .map(|n| {
            let share = f64::from(n) / 7.0;
            common::Train {
                amplitude_m: height_m * (2.0_f64 / 16.0 / 8.0).sqrt(),
                omega_radps: TAU / period_s * (0.8 + 0.7 * share),
                towards_rad: from_rad + std::f64::consts::PI + 0.5 * (share - 0.5),
                phase_turns: 0.37 * f64::from(n),
            }
        })
        .collect();
    common::lay(water, &trains, place.truncate(), time_s);
}

/// What a boat did in ten minutes.
struct Sailed {
    mean_kn: f64,
    steepest_rad: f64,
    off_rad: f64,
    end: Look,
}

/// Ten minutes on a heading with the wind from north: under sail by the rule of thumb, reefed by heel, or under
/// power.
fn sail(class: &Class, wind_kn: f64, heading_rad: f64, waves: (f64, f64), reef: f64) -> Sailed {
    let mut tank = Tank::new(class, DVec2::new(0.0, -wind_kn * KNOT_MPS));
    tank.state = fairway::vessel::at_rest(class, DVec2::ZERO, 0.0, heading_rad);
    let motor = class.sails_m2() <= 0.0;
    let mut flat = 1.0_f64;
    let (mut sum, mut steepest, mut off) = (0.0, 0.0_f64, 0.0_f64);
    let ticks = 600 * TICKS_S;
    let mut end = tank.look();
    for n in 0..ticks {
        let time_s = f64::from(n) / f64::from(TICKS_S);
        sea(&mut tank.water, waves.0, waves.1, 0.0, tank.state.position_m, time_s);
        let look = tank.look();
        let rudder_rad = tank.steer(&look, heading_rad);
        let helm = &mut tank.state.helm;
        helm.rudder_rad = rudder_rad.clamp(-0.45, 0.45);
        if motor {
            helm.throttle = 0.8;
        } else {
            // Flatter, and the sheet eased, while she heels too far.
            let heel = look.heel_rad.abs();
            flat = (flat + if heel > 0.40 { -0.004 } else { 0.001 }).clamp(0.5, 1.0);
            helm.flat = flat;
            helm.reef = reef;
            let ease = 1.2 * (heel - 0.40).max(0.0);
            helm.sheet = (trim::sheet_for(look.apparent_rad) - ease).clamp(0.0, 1.0);
        }
        tank.tick();
        assert!(tank.state.position_m.is_finite(), "{}: lost", class.spec.name);
        steepest = steepest.max(look.heel_rad.abs());
        if n > ticks / 2 {
            sum += knots(look.speed_mps);
            off = off.max(wrap_angle(look.heading_rad - heading_rad).abs());
        }
        end = look;
    }
    Sailed { mean_kn: sum / f64::from(ticks / 2), steepest_rad: steepest, off_rad: off, end }
}

#[test]
fn there_is_a_boat_for_everybody_and_each_file_is_built_in() {
    let mut files: Vec<String> = std::fs::read_dir(assets())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter_map(|name| name.strip_suffix(".toml").map(str::to_owned))
        .collect();
    files.sort();
    let mut names: Vec<String> = boats::names().iter().map(|name| (*name).to_owned()).collect();
    names.sort();
    assert_eq!(files, names);
    assert!(names.len() >= 10);
    for name in &names {
        let text = std::fs::read_to_string(assets().join(format!("{name}.toml"))).unwrap();
        let file = BoatFile::from_toml(&text, name).unwrap();
        assert!(!file.outfit.shell.is_empty() && !file.outfit.crew.is_empty(), "{name}");
        assert!(assets().join(format!("{name}.svg")).exists(), "{name}: no picture");
    }
}

#[test]
fn every_boat_floats_at_its_marks() {
    for name in boats::names() {
        let class = Class::new(boats::named(name).unwrap());
        let mut tank = Tank::new(&class, DVec2::ZERO);
        tank.state.gear.reef = 0.0;
        tank.state.helm.reef = 0.0;
        let start = tank.state.position_m.z;
        for _ in 0..60 * TICKS_S {
            tank.tick();
        }
        let look = tank.look();
        let sunk = tank.state.position_m.z - start;
        let pitch =
            fairway::vessel::rotation::pitch_rad(&fairway::vessel::rotation::axes(tank.state.attitude));
        assert!(sunk.abs() < 0.02, "{name}: floats {sunk} m off its marks");
        assert!(look.heel_rad.abs() < 0.002 && pitch.abs() < radians(0.5), "{name}: {look:?} pitch {pitch}");
    }
}

#[test]
fn every_boat_makes_a_passage_in_a_breeze_at_a_speed_of_its_length() {
    for name in boats::names() {
        let class = Class::new(boats::named(name).unwrap());
        let hull = hull_kn(&class);
        let light = class.spec.length_m / (class.mass_kg / 1025.0).cbrt() > 6.0;
        for angle in [55.0, 90.0, 150.0] {
            let sailed = sail(&class, 12.0, radians(angle), (0.6, 4.0), 1.0);
            println!(
                "{name} {angle}°: {:.1} kn of {hull:.1}, heel {:.0}°",
                sailed.mean_kn,
                sailed.steepest_rad.to_degrees()
            );
            let most = if light || class.sails_m2() <= 0.0 { 2.2 } else { 1.25 };
            assert!(
                sailed.mean_kn > 0.5 * hull && sailed.mean_kn < most * hull,
                "{name} at {angle}°: {:.2} kn, hull speed {hull:.2}",
                sailed.mean_kn
            );
            assert!(
                sailed.off_rad < radians(25.0),
                "{name} at {angle}°: off its course by {:.2}",
                sailed.off_rad
            );
            assert!(sailed.end.heel_rad.abs() < radians(35.0), "{name} at {angle}°: {:?}", sailed.end);
        }
    }
}

/// Forty knots and four metres of sea, under little sail on a reach or with the engine: boats with ballast come
/// through it upright. The dinghy has none, and stays ashore.
#[test]
fn no_keelboat_and_no_motor_boat_capsizes_in_a_gale() {
    for name in boats::names().into_iter().filter(|name| *name != "dinghy") {
        let class = Class::new(boats::named(name).unwrap());
        for angle in [70.0, 130.0] {
            let sailed = sail(&class, 40.0, radians(angle), (4.0, 8.0), 0.35);
            println!(
                "{name} {angle}°: {:.1} kn, heel {:.0}°",
                sailed.mean_kn,
                sailed.steepest_rad.to_degrees()
            );
            assert!(
                sailed.steepest_rad < radians(75.0),
                "{name}: heeled {:.0}°",
                sailed.steepest_rad.to_degrees()
            );
            assert!(sailed.end.heel_rad.abs() < radians(55.0), "{name}: lies at {:?}", sailed.end);
        }
    }
}

/// Runs the tool as its README says, and compares every byte.
fn redraw(name: &str) {
    let file = assets().join(format!("{name}.toml"));
    let drawn = tempfile::tempdir().unwrap();
    let plot = drawn.path().join("plot.svg");
    let status = Command::new(env!("CARGO_BIN_EXE_fairway"))
        .args(["boat", "polar"])
        .arg(&file)
        .args(["--tws", "6,12,20", "--plot"])
        .arg(&plot)
        .output()
        .unwrap();
    assert!(status.status.success(), "{name}: {}", String::from_utf8_lossy(&status.stderr));
    let (ours, kept) =
        (std::fs::read(&plot).unwrap(), std::fs::read(assets().join(format!("{name}.svg"))).unwrap());
    assert!(
        ours == kept,
        "assets/boats/{name}.svg is not what the tool draws: run it again (assets/boats/README.md)"
    );
}

#[test]
fn pictures_of_motor_boats_are_what_the_tool_draws() {
    for name in boats::names() {
        if boats::named(name).unwrap().rig.is_none() {
            redraw(name);
        }
    }
}

#[test]
fn picture_of_a_sailing_boat_is_what_the_tool_draws() {
    redraw("keelboat");
}
