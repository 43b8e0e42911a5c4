//! Corners, borders, contact, divisions, weathers, crews: each held to the undivided run.

use std::collections::BTreeSet;
use std::io::Write as _;
use std::time::Instant;

use fairway::atlas::{Area, Prim, Shape};
use fairway::limits::GROUP_VESSELS;
use fairway::units::{RegionId, VesselId};
use fairway::vessel::Helm;
use glam::{DVec2, DVec3};

use crate::world::{Setting, World, cells};

const ONE: VesselId = VesselId(1);

fn ahead(throttle: f64) -> Helm {
    Helm { throttle, ..Helm::default() }
}

fn holds(world: &World) {
    let report = world.compare_with_undivided();
    assert_eq!(report.mismatches, 0, "first at {:?}", report.first);
    assert_eq!((report.missing, report.doubled), (0, 0));
    assert!(report.compared > 0);
}

/// Says who owns a vessel after every step, without repeats.
fn owners(world: &mut World, id: VesselId, steps: u64, mut each: impl FnMut(&mut World)) -> Vec<RegionId> {
    let mut owners = Vec::new();
    for _ in 0..steps {
        world.run(1);
        each(world);
        if let Some(owner) = world.owner(id)
            && owners.last() != Some(&owner)
        {
            owners.push(owner);
        }
    }
    owners
}

fn half(west: bool, width_m: f64, height_m: f64) -> Area {
    let middle = width_m / 2.0;
    let (from, to) = if west { (0.0, middle) } else { (middle, width_m) };
    Area { min: DVec2::new(from, 0.0), max: DVec2::new(to, height_m) }
}

/// A boat cuts a corner: three regions own it within a second or two.
#[test]
fn boat_over_a_corner_keeps_every_bit() {
    for east_m in [-2.6, -1.2, 0.0, 1.2, 2.6] {
        let mut world = World::lattice(2, 2, 64.0, 1);
        world.launch_from_origin(ONE, "launch", DVec2::new(64.0 - 24.0 + east_m, 64.0 - 24.0), 45.0);
        let seen = owners(&mut world, ONE, 45 * 30, |world| {
            if world.tick().0.is_multiple_of(15) {
                world.steer(ONE, DVec2::new(64.0 + 45.0 + east_m, 64.0 + 45.0), ahead(1.0));
            }
        });
        assert_eq!((seen.first(), seen.last()), (Some(&RegionId(1)), Some(&RegionId(4))), "{east_m} m");
        holds(&world);
    }
}

/// To the next region and back within a second: the border itself moves under the boat.
#[test]
fn boat_there_and_back_within_a_second_keeps_every_bit() {
    let mut world = World::lattice(2, 1, 64.0, 1);
    world.launch_from_origin(ONE, "launch", DVec2::new(40.0, 30.0), 90.0);
    world.order(ONE, ahead(0.5));
    world.run(45 * 2);
    let whole = Area { min: DVec2::ZERO, max: DVec2::new(128.0, 64.0) };
    let seen = owners(&mut world, ONE, 44, |world| match world.tick().since(world.start()) - 90 {
        1 => world.redivide(&[(RegionId(1), Area { max: DVec2::new(20.0, 64.0), ..whole }), {
            (RegionId(2), Area { min: DVec2::new(20.0, 0.0), ..whole })
        }]),
        20 => {
            world.redivide(&[(RegionId(1), half(true, 128.0, 64.0)), (RegionId(2), half(false, 128.0, 64.0))])
        }
        _ if world.tick().0.is_multiple_of(5) => world.steer(ONE, DVec2::new(60.0, 40.0), ahead(0.7)),
        _ => {}
    });
    assert_eq!(seen, [RegionId(1), RegionId(2), RegionId(1)], "there and back");
    // It can be steered and handed on: nothing of either handoff is left.
    let seen = owners(&mut world, ONE, 45 * 40, |world| {
        if world.tick().0.is_multiple_of(45) {
            world.steer(ONE, DVec2::new(110.0, 30.0), ahead(1.0));
        }
    });
    assert_eq!(seen, [RegionId(1), RegionId(2)]);
    holds(&world);
}

/// A vessel that lies along a border is not handed to and fro.
#[test]
fn vessel_along_a_border_keeps_its_owner_and_its_bits() {
    let mut world = World::lattice(2, 2, 64.0, 3);
    world.launch_from_origin(ONE, "first407", DVec2::new(20.0, 64.0), 90.0);
    let mut flips = 0;
    let mut side = world.at(ONE).y >= 64.0;
    let seen = owners(&mut world, ONE, 45 * 60, |world| {
        if world.tick().0.is_multiple_of(45) {
            world.steer(ONE, DVec2::new(90.0, 64.0), ahead(0.3));
        }
        // What hysteresis of a metre allows, over the border of the rows and of the columns.
        let off_m = world.at(ONE).y - 64.0;
        if off_m.abs() > 1.0 && (off_m > 0.0) != side {
            side = !side;
            flips += 1;
        }
    });
    assert!(seen.len() <= flips + 3, "{} owners for {flips} flips", seen.len());
    holds(&world);
}

/// Back and forth over a border: an owner changes only where the hull's middle is a metre past it.
#[test]
fn drifting_over_a_border_flips_owners_as_hysteresis_allows() {
    for reach_m in [0.1, 4.0] {
        let mut world = World::lattice(2, 1, 64.0, 1);
        world.launch_from_origin(ONE, "launch", DVec2::new(62.0, 30.0), 90.0);
        let (mut flips, mut east, mut forward) = (0, false, true);
        let mut times = 0;
        let seen = owners(&mut world, ONE, 45 * 120, |world| {
            let past_m = world.at(ONE).x - 64.0;
            if past_m.abs() > 1.0 && (past_m > 0.0) != east {
                east = !east;
                flips += 1;
            }
            if (past_m > reach_m && forward) || (past_m < -reach_m && !forward) {
                forward = !forward;
                times += 1;
            }
            if world.tick().0.is_multiple_of(9) {
                world.order(ONE, ahead(if forward { 0.35 } else { -0.5 }));
            }
        });
        assert!(times >= 4, "it went over only {times} times");
        let changes = seen.len() - 1;
        assert!(changes <= flips && changes + 2 >= flips, "{changes} changes of owner for {flips} flips");
        holds(&world);
    }
}

/// Two hulls ram each other on the border, under way from both sides and along it.
#[test]
fn collision_on_a_border_keeps_every_bit() {
    for north_m in [0.0, 1.5, 3.0] {
        let mut world = World::lattice(2, 1, 64.0, 5);
        world.launch_from_origin(ONE, "launch", DVec2::new(30.0, 30.0), 90.0);
        world.launch_from_origin(VesselId(2), "first407", DVec2::new(98.0, 30.0 + north_m), 270.0);
        let mut nearest_m = f64::INFINITY;
        for _ in 0..45 * 30 {
            world.run(1);
            if world.tick().0.is_multiple_of(30) {
                world.steer(ONE, DVec2::new(120.0, 30.0), ahead(1.0));
                world.steer(VesselId(2), DVec2::new(8.0, 30.0 + north_m), ahead(0.8));
            }
            let apart_m = (world.at(ONE) - world.at(VesselId(2))).length();
            nearest_m = nearest_m.min(apart_m);
            if apart_m < 12.0 {
                assert_eq!(world.owner(ONE), world.owner(VesselId(2)), "they touch under two owners");
            }
        }
        assert!(nearest_m < 10.5, "they came within {nearest_m} m only");
        assert!(world.handoffs() > 0);
        holds(&world);
    }
}

/// Three hulls side by side, fenders pressed, cross as one.
#[test]
fn raft_of_three_crosses_as_one() {
    let mut world = World::lattice(2, 1, 64.0, 1);
    let raft = [ONE, VesselId(2), VesselId(3)];
    for (n, id) in raft.into_iter().enumerate() {
        world.launch_from_origin(id, "launch", DVec2::new(40.0, 24.0 + 2.95 * n as f64), 90.0);
    }
    let mut apart = 0;
    let mut touching = 0;
    for _ in 0..45 * 40 {
        world.run(1);
        if world.tick().0.is_multiple_of(20) {
            // The outer two press the middle one between them.
            for (id, north_m) in raft.into_iter().zip([29.0, 27.0, 25.0]) {
                world.steer(id, DVec2::new(140.0, north_m), ahead(0.5));
            }
        }
        let owners: BTreeSet<_> = raft.iter().map(|id| world.owner(*id)).collect();
        apart += usize::from(owners.len() > 1);
        let beside = |a, b| (world.at(a) - world.at(b)).length() < 3.0;
        touching += usize::from(beside(ONE, raft[1]) || beside(raft[1], raft[2]));
    }
    assert!(touching > 200, "they touched for {touching} ticks only");
    assert_eq!((apart, world.owner(ONE)), (0, Some(RegionId(2))), "a raft has one owner");
    holds(&world);
}

/// Along the face of a dock that stands across a border, rubbing.
#[test]
fn boat_alongside_a_dock_is_handed_over_while_it_touches() {
    let face_m = 34.0;
    let dock = Prim {
        name: "dock".to_owned(),
        centre_m: DVec3::new(64.0, face_m + 2.0, 0.0),
        heading_rad: 0.0,
        shape: Shape::Box(DVec3::new(2.0, 45.0, 3.0)),
    };
    let setting = Setting {
        seed: 1,
        wind_mps: Some(1.0),
        water_m: DVec2::new(128.0, 64.0),
        prims: vec![dock],
        events: Vec::new(),
    };
    let mut world = World::divided(&setting, &cells(2, 1, 64.0, DVec2::ZERO));
    world.launch_from_origin(ONE, "launch", DVec2::new(48.0, face_m - 1.7), 88.0);
    let mut touched = Vec::new();
    for _ in 0..45 * 60 {
        let before = world.owner(ONE);
        world.run(1);
        if world.tick().0.is_multiple_of(20) {
            // A little into the dock.
            let to = world.at(ONE) + DVec2::new(20.0, 1.5);
            world.steer(ONE, to, ahead(0.4));
        }
        let now = world.owner(ONE);
        if now == Some(RegionId(2)) && before != now {
            touched.push(face_m - world.at(ONE).y);
        }
        if world.at(ONE).x > 90.0 {
            break;
        }
    }
    assert_eq!(touched.len(), 1, "handed over once, {touched:?}");
    assert!(touched[0] < 1.45 + 0.25, "{} m off the dock when it was handed over", touched[0]);
    holds(&world);
}

/// One region becomes two under way, and one again.
#[test]
fn division_that_changes_keeps_every_bit() {
    let setting = Setting {
        seed: 2,
        wind_mps: None,
        water_m: DVec2::new(128.0, 64.0),
        prims: Vec::new(),
        events: Vec::new(),
    };
    let whole = Area { min: DVec2::ZERO, max: DVec2::new(128.0, 64.0) };
    let mut world = World::divided(&setting, &[whole]);
    let fleet = [(ONE, "launch"), (VesselId(2), "first407"), (VesselId(3), "launch")];
    for (n, (id, boat)) in fleet.into_iter().enumerate() {
        world.launch_from_origin(id, boat, DVec2::new(24.0 + 34.0 * n as f64, 12.0 + 18.0 * n as f64), 90.0);
    }
    let (one, two) = (RegionId(1), RegionId(2));
    let mut split = 0;
    for second in 0..40 {
        match second {
            5 | 20 => world.redivide(&[(one, half(true, 128.0, 64.0)), (two, half(false, 128.0, 64.0))]),
            // Merged: the second is told to stop once the ground is the first one's again.
            12 | 28 => {
                world.redivide(&[(one, whole)]);
                world.drain(two);
            }
            15 | 31 => world.part_with(two),
            _ => {}
        }
        for (n, (id, _)) in fleet.into_iter().enumerate() {
            let to = DVec2::new(if second < 25 { 120.0 } else { 8.0 }, 12.0 + 18.0 * n as f64);
            world.steer(id, to, ahead(0.8));
        }
        world.run(45);
        let owners: BTreeSet<_> = fleet.iter().map(|(id, _)| world.owner(*id)).collect();
        split += usize::from(owners.len() == 2);
    }
    assert!(split > 5, "the regions shared the fleet for {split} s only");
    assert!(fleet.iter().all(|(id, _)| world.owner(*id) == Some(one)));
    // Three to the second region in all, and both times what it has at once to the first one.
    assert!(world.handoffs() >= 5, "{} handoffs", world.handoffs());
    holds(&world);
}

/// A gale over borders of both sizes, under sail and under engine.
#[test]
fn crossings_in_heavy_weather_keep_every_bit() {
    for (cell_m, columns) in [(64.0, 3), (256.0, 2)] {
        let side_m = DVec2::new(192.0, 64.0);
        let setting = Setting {
            seed: 11,
            wind_mps: Some(17.0),
            water_m: side_m,
            prims: Vec::new(),
            events: Vec::new(),
        };
        // The first border lies 64 m from the origin.
        let areas = cells(columns, 1, cell_m, DVec2::new(64.0 - cell_m, 32.0 - cell_m / 2.0));
        let mut world = World::divided(&setting, &areas);
        world.launch_from_origin(ONE, "launch", DVec2::new(44.0, 16.0), 90.0);
        world.launch_from_origin(VesselId(2), "first407", DVec2::new(34.0, 48.0), 90.0);
        let sails = Helm { throttle: 0.6, sheet: 0.4, reef: 0.4, flat: 0.6, ..Helm::default() };
        for _ in 0..60 {
            world.run(45);
            world.steer(ONE, DVec2::new(300.0, 16.0), ahead(1.0));
            world.steer(VesselId(2), DVec2::new(300.0, 48.0), sails);
        }
        for id in [ONE, VesselId(2)] {
            assert_ne!(world.owner(id), Some(RegionId(1)), "vessel {} at {}", id.0, world.at(id));
        }
        holds(&world);
    }
}

/// Four sailors take the helm in turn, some of them at a region that the boat has left.
#[test]
fn crew_of_four_steers_in_turn_across_borders() {
    let mut world = World::row(5, 4);
    world.launch(ONE, "first407", 0);
    let mut regions = BTreeSet::new();
    for second in 0..150_u32 {
        world.run(45);
        let owner = world.owner(ONE);
        regions.extend(owner);
        let session = 1 + second / 38;
        let state_y = world.at(ONE).y;
        let rudder_rad = (state_y * 0.02).clamp(-0.1, 0.1) + if second % 2 == 0 { 0.01 } else { -0.01 };
        let helm = Helm { throttle: 1.0, sheet: 0.3, rudder_rad, ..Helm::default() };
        let Some(owner) = owner else { continue };
        // Whoever left the helm still pulls at it: that counts no more.
        if session > 1 {
            world.order_at(owner, ONE, session - 1, Helm { rudder_rad: 0.4, ..Helm::default() });
        }
        let left = RegionId(owner.0.saturating_sub(1).max(1));
        let at = if second % 3 == 0 { left } else { owner };
        world.order_at(at, ONE, session, helm);
    }
    let sessions: BTreeSet<u32> = world.orders().values().flatten().map(|(_, input)| input.session).collect();
    assert_eq!(sessions.into_iter().collect::<Vec<_>>(), [1, 2, 3, 4]);
    assert!(regions.len() >= 3, "it sailed only {regions:?}");
    holds(&world);
}

/// Sixty boats at a start line across a border are one group, and come under one owner.
#[test]
fn fleet_at_a_start_line_across_a_border_keeps_every_bit() {
    let setting = Setting {
        seed: 1,
        wind_mps: None,
        water_m: DVec2::new(150.0, 80.0),
        prims: Vec::new(),
        events: Vec::new(),
    };
    let areas = cells(2, 1, 256.0, DVec2::new(60.0 - 256.0, -88.0));
    let mut world = World::divided(&setting, &areas);
    let fleet: Vec<VesselId> = (1..=60).map(VesselId).collect();
    for (n, &id) in fleet.iter().enumerate() {
        let place = DVec2::new(8.0 + 12.0 * (n % 10) as f64, 6.0 + 12.0 * (n / 10) as f64);
        world.launch_from_origin(id, if n % 3 == 0 { "first407" } else { "launch" }, place, 90.0);
    }
    let ticks = 45 * 20;
    let begun = Instant::now();
    for second in 0..20 {
        for &id in &fleet {
            world.order(id, ahead(if second < 10 { 0.3 } else { 0.6 }));
        }
        world.run(ticks / 20);
        if second >= 4 {
            let owners: BTreeSet<_> = fleet.iter().map(|id| world.owner(*id)).collect();
            assert_eq!(owners.len(), 1, "one group, {owners:?}");
        }
    }
    let tick_us = begun.elapsed().as_secs_f64() * 1e6 / ticks as f64;
    let _ = writeln!(
        std::io::stdout().lock(),
        "fleet of {} in two regions: {tick_us:.0} µs a tick, {} groups handed over, at most {GROUP_VESSELS} a group",
        fleet.len(),
        world.handoffs()
    );
    assert!(world.handoffs() > 0);
    holds(&world);
}
