//! The same hour through an undivided region, through large ones, small ones, and a changing division.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::time::Instant;

use fairway::atlas::Area;
use fairway::units::{RegionId, TICK_HZ, Tick, VesselId};
use fairway::vessel::{Helm, Input};
use glam::DVec2;

use crate::world::{Setting, World, cells};

type Orders = BTreeMap<Tick, Vec<(VesselId, Input)>>;

/// Course time of the run: an hour where the code is optimised, five minutes where it is not;
/// `FAIRWAY_HOUR_S` says otherwise.
fn seconds() -> u64 {
    let default = if cfg!(debug_assertions) { 300 } else { 3_600 };
    std::env::var("FAIRWAY_HOUR_S").map_or(default, |text| text.parse().unwrap())
}

/// The water that both boats keep to.
const WATER_M: DVec2 = DVec2::new(320.0, 90.0);
const BOATS: [(VesselId, &str, f64); 2] = [(VesselId(1), "launch", 24.0), (VesselId(2), "first407", 66.0)];

fn world(areas: &[Area]) -> World {
    let setting =
        Setting { seed: 9, wind_mps: None, water_m: WATER_M, prims: Vec::new(), events: Vec::new() };
    let mut world = World::divided(&setting, areas);
    for (id, boat, north_m) in BOATS {
        world.launch_from_origin(id, boat, DVec2::new(30.0, north_m), 90.0);
    }
    world
}

/// Whether a handoff over one of the borders from south to north may be under way: where it is one of more than
/// one division, each hands over in its own time.
fn near_a_border(x: f64) -> bool {
    (x - 64.0 * (x / 64.0).round()).abs() < 6.0
}

/// Whether the changing division hands vessels over wherever they are: it has just been divided anew.
fn just_divided(tick: u64) -> bool {
    [10, 11, 40, 41].contains(&(tick / TICK_HZ % 60))
}

/// Back and forth along the water, an order every other second, or once a handoff that is under way is done.
fn steer(world: &mut World) -> Orders {
    let mut east = [true; 2];
    let mut due = [false; 2];
    for tick in 0..seconds() * TICK_HZ {
        if tick.is_multiple_of(2 * TICK_HZ) {
            due = [true; 2];
        }
        for (n, (id, boat, north_m)) in BOATS.into_iter().enumerate() {
            if std::mem::take(&mut due[n]) {
                due[n] = world.is_sealed(id) || near_a_border(world.at(id).x) || just_divided(tick);
                if due[n] {
                    continue;
                }
                let x = world.at(id).x;
                east[n] = if x > WATER_M.x - 30.0 { false } else { east[n] || x < 30.0 };
                let to = DVec2::new(if east[n] { WATER_M.x } else { 0.0 }, north_m);
                let sheet = if boat == "first407" { 0.4 } else { 0.0 };
                world.steer(id, to, Helm { throttle: 1.0, sheet, ..Helm::default() });
            }
        }
        world.run(1);
    }
    world.orders()
}

/// The same orders at the same ticks; `each` sees the world in the middle of every second.
fn repeat(name: &str, world: &mut World, orders: &Orders, mut each: impl FnMut(&mut World, u64)) {
    for second in 0..seconds() {
        for step in 0..TICK_HZ {
            if step == 20 {
                each(world, second);
            }
            world.follow(orders);
            world.run(1);
        }
    }
    let given = world.orders();
    let other = given.iter().zip(orders).find(|(a, b)| a != b);
    assert!(other.is_none() && given.len() == orders.len(), "{name}: applied at another tick: {other:?}");
}

fn area(from_m: f64, to_m: f64) -> Area {
    Area { min: DVec2::new(from_m, -64.0), max: DVec2::new(to_m, 192.0) }
}

/// Splits the water at another place every minute, and merges it in between. Its borders are some of the small
/// regions': no order falls into a handoff here that did not fall into one there.
fn divide_anew(world: &mut World, second: u64) {
    let (one, two) = (RegionId(1), RegionId(2));
    let at_m = 64.0 * (1 + second / 60 % 4) as f64;
    match second % 60 {
        10 => world.redivide(&[(one, area(-64.0, at_m)), (two, area(at_m, 384.0))]),
        40 => {
            world.redivide(&[(one, area(-64.0, 384.0))]);
            world.drain(two);
        }
        50 => world.part_with(two),
        _ => {}
    }
}

#[test]
fn same_hour_through_any_division_has_the_same_bits() {
    let begun = Instant::now();
    let mut small = world(&cells(7, 4, 64.0, DVec2::new(-64.0, -64.0)));
    let orders = steer(&mut small);
    let mut large = world(&cells(2, 1, 256.0, DVec2::new(-64.0, -64.0)));
    repeat("256 m", &mut large, &orders, |_, _| {});
    let mut whole = world(&[area(-64.0, 384.0)]);
    repeat("undivided", &mut whole, &orders, |_, _| {});
    let mut changing = world(&[area(-64.0, 384.0)]);
    repeat("changing", &mut changing, &orders, divide_anew);

    let expected = whole.hashes();
    assert_eq!(expected.len() as u64, seconds() * TICK_HZ * BOATS.len() as u64);
    for (name, world) in [("64 m", &small), ("256 m", &large), ("changing", &changing)] {
        let hashes = world.hashes();
        let first = expected.iter().zip(&hashes).find(|(a, b)| a != b);
        assert!(first.is_none() && hashes.len() == expected.len(), "{name}: first difference {first:?}");
        assert_eq!((world.ticks_missed(), world.wakes_late()), (0, 0), "{name}");
    }
    let report = small.compare_with_undivided();
    assert_eq!((report.mismatches, report.missing, report.doubled), (0, 0, 0), "{:?}", report.first);
    // Four times a second each feels the other, who is mostly in another region.
    assert!(report.companies as u64 > 3 * seconds() * BOATS.len() as u64, "{report:?}");
    let counts = [small.handoffs(), large.handoffs(), whole.handoffs(), changing.handoffs()];
    let _ = writeln!(
        std::io::stdout().lock(),
        "{} s of course time, {} hashes each: {} crossings at 64 m, {} at 256 m, {} undivided, \
         {} in a changing division, in {:.1} s",
        seconds(),
        expected.len(),
        counts[0],
        counts[1],
        counts[2],
        counts[3],
        begun.elapsed().as_secs_f64()
    );
    assert!(seconds() < 3_600 || counts[0] >= 50, "{counts:?}");
    assert!(counts[1] > 0 && counts[2] == 0 && counts[3] > 4, "{counts:?}");
}
