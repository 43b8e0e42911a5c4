//! A vessel's bits depend on its state, its orders and the sea, and on nothing else.

use std::path::Path;
use std::sync::Arc;

use fairway::atlas::{Course, Mark, Prim, Shape};
use fairway::noise::{Stream, signed};
use fairway::sea::Sea;
use fairway::sim::{Sim, Vessel, Voyage, afloat};
use fairway::units::{Tick, VesselId};
use fairway::vessel::{Helm, Input, boats};
use glam::{DVec2, DVec3};

fn sea() -> Arc<Sea> {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("regions/gullwing");
    let course = Course::load(&dir).unwrap();
    Arc::new(Sea::new(Arc::new(course), 42))
}

fn vessel(sea: &Sea, id: u32, boat: &str, place: DVec2, heading_rad: f64, tick: Tick) -> Vessel {
    let boat = boats::named(boat).unwrap().clone();
    let state = afloat(sea, &boat, place.extend(0.0), heading_rad, tick);
    let ahead = Mark { name: "ahead".to_owned(), place: place + DVec2::new(300.0, 0.0), radius_m: 250.0 };
    Vessel { id: VesselId(id), boat, state, voyage: Voyage { marks: vec![ahead], ..Voyage::default() } }
}

/// What a restless crew orders at a tick, if anything.
fn order(id: VesselId, tick: Tick) -> Option<Input> {
    let n = u32::try_from(tick.0).unwrap();
    (n % 30 == id.0 % 30).then(|| {
        let draw = |stream: u32| signed(9, Stream::Trial, [id.0, n, stream]);
        Input {
            session: 1,
            seq: n + 1,
            helm: Helm {
                rudder_rad: 0.5 * draw(0),
                sheet: 0.5 + 0.5 * draw(1),
                reef: 0.7,
                flat: 0.8,
                spinnaker: draw(2) > 0.6,
                throttle: draw(3),
            },
        }
    })
}

fn step(sims: &mut [&mut Sim]) {
    for sim in sims {
        let next = sim.tick().after(1);
        for id in sim.ids().to_vec() {
            if let Some(input) = order(id, next) {
                assert!(sim.apply(id, input));
                assert!(!sim.apply(id, input), "an order counts once");
            }
        }
        sim.step();
    }
}

fn hashes(sims: &[&Sim], ids: &[u32]) -> Vec<u64> {
    let of = |id: &u32| sims.iter().find_map(|sim| sim.hash(VesselId(*id))).unwrap();
    ids.iter().map(of).collect()
}

/// Sails a fleet undivided, and once more from one simulation to another and back every few ticks, in
/// whole groups, among strangers; the bits of every tick must agree.
fn survives_hops(prims: &[Prim], fleet: &[Vessel], stranger: &Vessel, ticks: u64, hop: u64) {
    let sea = sea();
    let start = Tick(1_000_000);
    let ids: Vec<u32> = fleet.iter().map(|vessel| vessel.id.0).collect();
    let mut whole = Sim::new(Arc::clone(&sea), prims.to_vec(), start);
    let mut reversed = prims.to_vec();
    reversed.reverse();
    let mut here = Sim::new(Arc::clone(&sea), prims.to_vec(), start);
    let mut there = Sim::new(Arc::clone(&sea), reversed, start);
    for vessel in fleet {
        whole.insert(vessel.clone());
    }
    for vessel in fleet.iter().rev() {
        here.insert(vessel.clone());
    }
    there.insert(stranger.clone());
    let mut in_first = true;
    for n in 0..ticks {
        if n % hop == hop - 1 {
            let (from, to) = if in_first { (&mut here, &mut there) } else { (&mut there, &mut here) };
            for id in ids.iter().rev() {
                let bytes = rmp_serde::to_vec(&from.remove(VesselId(*id)).unwrap()).unwrap();
                to.insert(rmp_serde::from_slice(&bytes).unwrap());
            }
            in_first = !in_first;
        }
        step(&mut [&mut whole, &mut here, &mut there]);
        assert_eq!(hashes(&[&whole], &ids), hashes(&[&here, &there], &ids), "bits part at step {n}");
    }
}

#[test]
fn vessel_that_hops_keeps_its_bits() {
    let sea = sea();
    let start = Tick(1_000_000);
    let place = sea.course().marks[0].place;
    let fleet = [
        vessel(&sea, 7, "first407", place, 1.0, start),
        vessel(&sea, 3, "launch", place + DVec2::new(400.0, 90.0), 4.0, start),
    ];
    let stranger = vessel(&sea, 5, "first407", place + DVec2::new(5000.0, 0.0), 2.0, start);
    survives_hops(&[], &fleet, &stranger, 20_000, 37);
}

#[test]
fn island_that_hops_while_touching_keeps_its_bits() {
    let sea = sea();
    let start = Tick(1_000_000);
    let place = sea.course().marks[0].place;
    let at = |x: f64, y: f64| place + DVec2::new(x, y);
    let fleet = [
        vessel(&sea, 1, "first407", at(0.0, 0.0), 1.57, start),
        vessel(&sea, 2, "launch", at(0.0, -4.0), 1.5, start),
        vessel(&sea, 9, "first407", at(9.0, 4.5), 3.6, start),
    ];
    let fence = |name: &str, x: f64, y: f64, half: DVec3| Prim {
        name: name.to_owned(),
        centre_m: at(x, y).extend(0.0),
        heading_rad: 0.0,
        shape: Shape::Box(half),
    };
    // A pen that keeps them together.
    let prims = [
        fence("north", 0.0, 15.0, DVec3::new(1.0, 20.0, 4.0)),
        fence("south", 0.0, -15.0, DVec3::new(1.0, 20.0, 4.0)),
        fence("west", -20.0, 0.0, DVec3::new(20.0, 1.0, 4.0)),
        fence("east", 20.0, 0.0, DVec3::new(20.0, 1.0, 4.0)),
        Prim {
            name: "post".to_owned(),
            centre_m: at(-12.0, 6.0).extend(0.0),
            heading_rad: 0.3,
            shape: Shape::Cylinder { radius_m: 0.4, half_height_m: 5.0 },
        },
    ];
    let stranger = vessel(&sea, 5, "first407", at(5000.0, 0.0), 2.0, start);
    survives_hops(&prims, &fleet, &stranger, 4_000, 7);
}
