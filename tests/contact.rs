//! Hulls touch, and what they touch stays outside them.
#![allow(
    missing_docs,
    unreachable_pub,
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "tests are no library"
)]

use std::path::Path;
use std::sync::Arc;

use fairway::atlas::{Course, Prim, Shape};
use fairway::sea::Sea;
use fairway::sim::{Sim, Vessel, Voyage, afloat};
use fairway::units::{Tick, VesselId};
use fairway::vessel::{Class, Helm, Input, boats, rotation};
use glam::{DVec2, DVec3};

const START: Tick = Tick(1_000_000);
/// How far a hull may press into what it touches, metres.
const PRESS_M: f64 = 0.06;

/// A quiet day.
fn sea() -> Arc<Sea> {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("regions/gullwing");
    let mut course = Course::load(&dir).unwrap();
    course.climate.wind_mps = 1.0;
    Arc::new(Sea::new(Arc::new(course), 42))
}

/// A vessel at a place on a heading, moving at (east, north) m/s, with the engine at a throttle.
fn put(sim: &mut Sim, id: u32, boat: &str, place: DVec2, heading_rad: f64, velocity: DVec2, throttle: f64) {
    let boat = boats::named(boat).unwrap().clone();
    let mut state = afloat(sim.sea(), &boat, place.extend(0.0), heading_rad, sim.tick());
    state.velocity_mps = velocity.extend(0.0);
    sim.insert(Vessel {
        id: VesselId(id),
        boat,
        state,
        voyage: Voyage::default(),
        trail: Vec::new(),
        company: Vec::new(),
    });
    let helm = Helm { throttle, reef: 0.0, ..Helm::default() };
    assert!(sim.apply(VesselId(id), Input { session: 1, seq: 1, helm }));
}

/// Points of a hull that lie furthest towards a direction, metres along it from the origin.
fn furthest(sim: &Sim, id: u32, towards: DVec2) -> f64 {
    let state = sim.state(VesselId(id)).unwrap();
    let axes = rotation::axes(state.attitude);
    let class = Class::new(sim.boat(VesselId(id)).unwrap());
    let along = |p: &DVec3| (state.position_m + axes.mul_vec3(*p)).truncate().dot(towards);
    class.outline_m().iter().map(along).fold(f64::NEG_INFINITY, f64::max)
}

fn prim(name: &str, centre: DVec2, shape: Shape) -> Prim {
    Prim { name: name.to_owned(), centre_m: centre.extend(0.0), heading_rad: 0.0, shape }
}

#[test]
fn boat_lies_against_a_dock() {
    let sea = sea();
    let place = sea.course().marks[0].place;
    // The face of the dock runs east and west, 8 m north of the launch; its own x axis points north.
    let dock = prim("dock", place + DVec2::new(0.0, 10.0), Shape::Box(DVec3::new(2.0, 40.0, 3.0)));
    for (name, throttle) in [("launch", 0.5), ("first407", 0.8)] {
        let mut sim = Sim::new(Arc::clone(&sea), vec![dock.clone()], START);
        put(&mut sim, 1, name, place, 0.1, DVec2::ZERO, throttle);
        let face = place.y + 8.0;
        let mut deepest = f64::NEG_INFINITY;
        // Long enough to lie there, not so long that the engine drives it along the dock and past its end.
        for n in 0..45 * 20 {
            sim.step();
            if n % 5 == 0 {
                deepest = deepest.max(furthest(&sim, 1, DVec2::Y) - face);
            }
        }
        println!("{name}: pressed {:.0} mm into the dock", deepest * 1e3);
        assert!(deepest > -0.05, "{name} never reached the dock: {deepest}");
        assert!(deepest < PRESS_M, "{name} is {deepest} m inside the dock");
        let state = sim.state(VesselId(1)).unwrap();
        assert!(state.velocity_mps.truncate().length() < 1.0, "{name} makes {}", state.velocity_mps);
        assert!(state.position_m.z.abs() < 2.5, "{name} climbs to {}", state.position_m.z);
    }
}

#[test]
fn boats_that_bump_part_again() {
    let sea = sea();
    let place = sea.course().marks[0].place;
    let mut sim = Sim::new(Arc::clone(&sea), Vec::new(), START);
    let apart = DVec2::new(5.0, 0.0);
    put(&mut sim, 1, "first407", place, 0.0, DVec2::new(1.5, 0.0), 0.0);
    put(&mut sim, 2, "first407", place + apart, 0.0, DVec2::new(-1.5, 0.0), 0.0);
    let (mut overlap, mut closing) = (f64::NEG_INFINITY, f64::INFINITY);
    for _ in 0..45 * 10 {
        sim.step();
        overlap = overlap.max(furthest(&sim, 1, DVec2::X) + furthest(&sim, 2, DVec2::NEG_X));
        let speed = |id: u32| sim.state(VesselId(id)).unwrap().velocity_mps.x;
        closing = speed(1) - speed(2);
    }
    println!("bump: overlap {:.0} mm, closing at {closing:.2} m/s at the end", overlap * 1e3);
    assert!((-0.05..PRESS_M).contains(&overlap), "overlap {overlap}");
    assert!(closing < 0.1, "still closing at {closing} m/s");
}

#[test]
fn rock_stops_a_keel() {
    let sea = sea();
    let place = sea.course().marks[0].place;
    // A rock that the hull would pass over: only the keel strikes it.
    // Near enough that the current has no time to carry the vessel past it.
    let mut rock = prim("rock", place + DVec2::new(0.0, 6.0), Shape::Ball(2.0));
    rock.centre_m.z = -3.0;
    let mut sim = Sim::new(Arc::clone(&sea), vec![rock.clone()], START);
    put(&mut sim, 1, "first407", place, 0.0, DVec2::new(0.0, 3.0), 0.0);
    let class = Class::new(boats::named("first407").unwrap());
    let keel = class.spec.keel.clone().unwrap();
    let tip = DVec3::new(keel.x_m - class.cg_x_m, 0.0, -keel.top_m - keel.span_m - class.cg_m);
    let (mut deepest, mut slowest) = (f64::NEG_INFINITY, f64::INFINITY);
    for _ in 0..45 * 8 {
        sim.step();
        let state = sim.state(VesselId(1)).unwrap();
        let axes = rotation::axes(state.attitude);
        for x in [-0.5, 0.5] {
            let foot = state.position_m + axes.mul_vec3(tip + DVec3::X * x * keel.chord_m);
            deepest = deepest.max(2.0 - (foot - rock.centre_m).length());
        }
        slowest = slowest.min(state.velocity_mps.y);
        assert!(state.position_m.is_finite());
    }
    println!("rock: keel {:.0} mm inside at most, slowest {slowest:.2} m/s", deepest * 1e3);
    assert!((-0.4..0.1).contains(&deepest), "keel {deepest} m inside the rock");
    assert!(slowest < 1.5, "the rock is felt: {slowest}");
}
