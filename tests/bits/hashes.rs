//! Prints the hash of every vessel after every tick of a run in heavy weather: the test beside it builds it for several
//! kinds of processors and compares what they print.
#![allow(clippy::print_stdout, clippy::unwrap_used, reason = "a program for tests")]

use std::fmt::Write as _;
use std::path::Path;
use std::sync::Arc;

use fairway::atlas::{Course, Prim, Shape};
use fairway::sea::Sea;
use fairway::sim::{Sim, Vessel, Voyage, afloat};
use fairway::units::{VesselId, radians};
use fairway::vessel::{Helm, Input, boats};
use glam::{DVec2, DVec3};

/// Ticks of the run.
pub const TICKS: u64 = 2_000;
/// Each vessel's boat, place from the shoal buoy's west in metres, and heading in degrees: two alone, two that
/// ram each other, three side by side, one at a dock.
const FLEET: [(&str, f64, f64, f64); 8] = [
    ("first407", -200.0, 0.0, 60.0),
    ("launch", -160.0, 60.0, 200.0),
    ("launch", -40.0, 0.0, 90.0),
    ("first407", 0.0, 0.5, 270.0),
    ("launch", -100.0, -60.0, 80.0),
    ("launch", -100.0, -57.05, 80.0),
    ("launch", -100.0, -54.1, 80.0),
    ("launch", -250.0, -60.0, 80.0),
];

/// One line for every vessel and tick: the tick, the vessel, the hash of its state.
#[must_use]
pub fn lines() -> String {
    let mut course = Course::load(&Path::new(env!("CARGO_MANIFEST_DIR")).join("regions/gullwing")).unwrap();
    course.climate.wind_mps = 16.0;
    let middle = course.marks[0].place - DVec2::new(120.0, 0.0);
    course.prims.push(Prim {
        name: "dock".to_owned(),
        centre_m: (middle + DVec2::new(-230.0, -56.3)).extend(0.0),
        heading_rad: 0.0,
        shape: Shape::Box(DVec3::new(2.0, 40.0, 4.0)),
    });
    let course = Arc::new(course);
    let sea = Arc::new(Sea::new(Arc::clone(&course), 11));
    let mut sim = Sim::new(Arc::clone(&sea), course.prims.clone(), course.start);
    for (n, (name, east_m, north_m, heading_deg)) in (1..).zip(FLEET) {
        let boat = boats::named(name).unwrap().clone();
        let place = (middle + DVec2::new(east_m, north_m)).extend(0.0);
        let state = afloat(&sea, &boat, place, radians(heading_deg), sim.tick());
        sim.insert(Vessel {
            id: VesselId(n),
            boat,
            state,
            voyage: Voyage::default(),
            trail: Vec::new(),
            company: Vec::new(),
        });
    }
    let mut text = String::new();
    let mut seq = 0;
    for step in 0..TICKS {
        if step % 30 == 0 {
            seq += 1;
            for (n, (name, ..)) in (1..).zip(FLEET) {
                let rudder_rad = 0.15 * f64::from((seq * 7 + n * 3) % 5) - 0.3;
                let sails = name == "first407";
                let helm = Helm {
                    rudder_rad,
                    sheet: if sails { 0.5 } else { 0.0 },
                    reef: 0.5,
                    flat: 0.7,
                    spinnaker: false,
                    throttle: if sails { 0.3 } else { 0.8 },
                };
                sim.apply(VesselId(n), Input { session: 1, seq, helm });
            }
        }
        sim.step();
        for &id in sim.ids() {
            let _ = writeln!(text, "{} {} {:016x}", sim.tick().0, id.0, sim.hash(id).unwrap());
        }
    }
    text
}

#[allow(dead_code, reason = "the test that includes this file has a main of its own")]
fn main() {
    print!("{}", lines());
}
