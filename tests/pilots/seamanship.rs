//! Seamanship on a toy boat: beating, set, shores, rules of the road.

use crate::toy::{self, Boat};
use fairway::atlas::Mark;
use fairway::pilots::Helmsman;
use fairway::vessel::{BoatSpec, boats};
use glam::DVec2;

const STEP_TICKS: u64 = 5;

/// A boat file of the right size; the toy itself only knows its polar.
pub(crate) fn ten_metres() -> BoatSpec {
    boats::named("first407").unwrap().clone()
}

fn mark(x: f64, y: f64) -> Mark {
    Mark { name: "mark".to_owned(), place: DVec2::new(x, y), radius_m: 40.0 }
}

/// Sails one toy to its marks; returns minutes needed, the track, and the pilot.
fn race(
    boat: &mut Boat,
    pilot: &mut Helmsman,
    marks: &[Mark],
    wind: DVec2,
    current: DVec2,
    minutes: u64,
) -> (Option<u64>, Vec<DVec2>) {
    let mut track = Vec::new();
    for step in 0..minutes * 60 * 9 {
        pilot.see(&boat.state(step * STEP_TICKS, wind, Vec::new()));
        boat.sail(pilot, wind, current, 1.0 / 9.0);
        track.push(boat.place);
        if (marks[boat.passed].place - boat.place).length() < marks[boat.passed].radius_m {
            boat.passed += 1;
            if boat.passed == marks.len() {
                return (Some(step / 540), track);
            }
        }
    }
    (None, track)
}

#[test]
fn pilot_beats_to_a_mark_straight_up_wind() {
    for seed in 0..4 {
        let marks = vec![mark(0.0, 4_000.0), mark(0.0, 0.0)];
        let mut boat = Boat::new(1, DVec2::ZERO, 0.8);
        let mut pilot = Helmsman::new(&ten_metres(), marks.clone(), seed);
        let wind = DVec2::new(0.0, -7.0);
        let (minutes, _) = race(&mut boat, &mut pilot, &marks, wind, DVec2::ZERO, 90);
        // 4,000 m at 7 · 0.42 · cos 43° = 2.15 m/s take 31 minutes, the way back at 3 m/s 22.
        let minutes = minutes.unwrap_or_else(|| panic!("seed {seed} did not get there: {:?}", boat.place));
        assert!(minutes < 65, "{minutes} minutes, seed {seed}");
        assert!((2..=14).contains(&pilot.tacks()), "{} tacks, seed {seed}", pilot.tacks());
    }
}

#[test]
fn pilot_crabs_across_a_current() {
    let marks = vec![mark(3_000.0, 0.0)];
    let mut boat = Boat::new(1, DVec2::ZERO, 1.5);
    let mut pilot = Helmsman::new(&ten_metres(), marks.clone(), 3);
    let (minutes, track) =
        race(&mut boat, &mut pilot, &marks, DVec2::new(0.0, -7.0), DVec2::new(0.0, -0.8), 40);
    assert!(minutes.is_some_and(|m| m < 20), "{minutes:?}");
    for p in track.iter().step_by(540) {
        println!("{p:.0}");
    }
    // Someone who points at the mark is swept 300 m down; who allows for the set stays near the line.
    let worst = track.iter().map(|place| place.y.abs()).fold(0.0, f64::max);
    assert!(worst < 200.0, "{worst} m off the line");
}

#[test]
fn pilot_stays_off_a_shore_while_beating() {
    // A channel 900 m wide with land to both sides, the wind straight down it.
    let depth = |at: DVec2| (450.0 - at.x.abs()) * 0.08;
    let marks = vec![mark(0.0, 4_000.0)];
    let mut boat = Boat::new(1, DVec2::ZERO, 0.8);
    let mut pilot = Helmsman::new(&ten_metres(), marks.clone(), 5);
    pilot.sound(&toy::soundings(DVec2::new(-1_000.0, -1_000.0), DVec2::new(1_000.0, 5_000.0), depth));
    let (minutes, track) = race(&mut boat, &mut pilot, &marks, DVec2::new(0.0, -7.0), DVec2::ZERO, 90);
    assert!(minutes.is_some(), "stopped at {:?}", boat.place);
    let shallowest = track.iter().map(|place| depth(*place)).fold(f64::INFINITY, f64::min);
    assert!(shallowest > 2.2, "came to {shallowest} m of water");
}

#[test]
fn port_tack_gives_way_to_starboard_tack() {
    // Two boats on opposite tacks that would meet at (0, 600) or so.
    let wind = DVec2::new(0.0, -7.0);
    let far = 6_000.0;
    let mut starboard = Boat::new(1, DVec2::new(600.0, 0.0), -0.77);
    let mut port = Boat::new(2, DVec2::new(-600.0, 0.0), 0.77);
    let mut pilots = [
        Helmsman::new(&ten_metres(), vec![mark(-far, far)], 1),
        Helmsman::new(&ten_metres(), vec![mark(far, far)], 2),
    ];
    let mut nearest = f64::INFINITY;
    let mut course_change: f64 = 0.0;
    for step in 0..600 * 9 {
        let (a, b) = (starboard.view(), port.view());
        pilots[0].see(&starboard.state(step * STEP_TICKS, wind, vec![b]));
        pilots[1].see(&port.state(step * STEP_TICKS, wind, vec![a]));
        starboard.sail(&mut pilots[0], wind, DVec2::ZERO, 1.0 / 9.0);
        port.sail(&mut pilots[1], wind, DVec2::ZERO, 1.0 / 9.0);
        if step % 90 == 0 {
            println!(
                "{} S {:.0} {:.1} P {:.0} {:.1}",
                step / 9,
                starboard.place,
                starboard.heading.to_degrees(),
                port.place,
                port.heading.to_degrees()
            );
        }
        nearest = nearest.min((starboard.place - port.place).length());
        if step > 60 * 9 && port.place.y < starboard.place.y + 50.0 && starboard.place.x > 0.0 {
            course_change = course_change.max(fairway::units::wrap_angle(starboard.heading + 0.77).abs());
        }
    }
    assert!(nearest > 15.0, "they came within {nearest} m");
    assert!(course_change < 0.25, "the stand-on boat turned by {course_change}");
}
