//! A crossing changes nothing: regions that pass words to each other by hand, without sockets or clocks.
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
    clippy::cast_precision_loss,
    reason = "nor a model"
)]

mod cases;
mod hour;
mod world;

use std::collections::BTreeMap;

use fairway::units::{RegionId, Tick, VesselId};
use fairway::vessel::Helm;
use world::World;

/// A run of several borders in light weather: every published hash equals the undivided run's.
#[test]
fn vessel_over_nine_borders_keeps_every_bit() {
    let mut world = World::row(10, 1);
    world.launch(VesselId(1), "launch", 0);
    let helm = |throttle, rudder_rad| Helm { throttle, rudder_rad, ..Helm::default() };
    world.order(VesselId(1), helm(1.0, 0.0));
    let mut seen = BTreeMap::new();
    for second in 0..420 {
        world.run(45);
        // A helmsman who never holds still: orders at odd ticks, also during handoffs.
        world.keep_east(VesselId(1), second);
        if let Some(region) = world.owner(VesselId(1)) {
            seen.insert(region, second);
        }
        if seen.len() == 10 {
            break;
        }
    }
    assert!(seen.len() >= 10, "sailed only {seen:?}");
    let report = world.compare_with_undivided();
    assert_eq!(report.mismatches, 0, "first at {:?}", report.first);
    assert_eq!((report.missing, report.doubled), (0, 0));
    assert!(report.compared > 5_000, "{} ticks compared", report.compared);
    assert_eq!(world.ticks_missed(), 0);
    assert!(world.handoffs() >= 9);
}

/// Two hulls that touch near a border are one group with one owner and the bits of the undivided sea.
#[test]
fn vessels_that_meet_at_a_border_come_under_one_owner() {
    let mut world = World::row(2, 1);
    world.launch_at(VesselId(1), "launch", world::border_x(&world) - 40.0, 0.0, 90.0);
    world.launch_at(VesselId(2), "launch", world::border_x(&world) + 40.0, 1.0, 270.0);
    for id in [VesselId(1), VesselId(2)] {
        world.order(id, Helm { throttle: 0.6, ..Helm::default() });
    }
    assert_ne!(world.owner(VesselId(1)), world.owner(VesselId(2)));
    let mut together = false;
    for _ in 0..60 {
        world.run(45);
        let (a, b) = (world.place(VesselId(1)), world.place(VesselId(2)));
        if (a - b).length() < 9.0 {
            together = true;
            assert_eq!(world.owner(VesselId(1)), world.owner(VesselId(2)), "they touch under two owners");
        }
    }
    assert!(together, "they never met");
    let report = world.compare_with_undivided();
    assert_eq!(report.mismatches, 0, "first at {:?}", report.first);
    assert_eq!((report.missing, report.doubled), (0, 0));
}

/// The next region answers nothing: the owner sails on past the border, and crosses once there is somewhere to go.
#[test]
fn owner_sails_on_while_the_next_region_is_silent() {
    let mut world = World::row(3, 1);
    world.launch(VesselId(1), "launch", 0);
    world.order(VesselId(1), Helm { throttle: 1.0, ..Helm::default() });
    // Their circuit is open; then the next region stalls.
    world.run(45);
    world.silence(RegionId(2), true);
    while world.place(VesselId(1)).x < world::border_x(&world) + 40.0 {
        world.run(45);
        world.keep_east(VesselId(1), 0);
        assert!(world.tick() < Tick(world.start().0 + 45 * 400), "it does not get there");
    }
    assert_eq!(world.owner(VesselId(1)), Some(RegionId(1)));
    world.silence(RegionId(2), false);
    world.run(45 * 3);
    assert_eq!(world.owner(VesselId(1)), Some(RegionId(2)));
    let report = world.compare_with_undivided();
    assert_eq!((report.mismatches, report.missing, report.doubled), (0, 0, 0));
}

/// A commit that comes after its tick costs counted ticks, never a second owner, and no bit.
#[test]
fn late_commit_costs_counted_ticks_and_no_bit() {
    let mut world = World::row(3, 1);
    world.launch(VesselId(1), "launch", 0);
    world.order(VesselId(1), Helm { throttle: 1.0, ..Helm::default() });
    world.delay_commits(40);
    while world.handoffs() < 1 {
        world.run(45);
        world.keep_east(VesselId(1), 0);
        assert!(world.tick() < Tick(world.start().0 + 45 * 400), "it does not cross");
    }
    world.run(90);
    assert!(world.ticks_missed() > 0, "a late commit must be counted");
    let report = world.compare_with_undivided();
    assert_eq!((report.mismatches, report.missing, report.doubled), (0, 0, 0));
}

/// A region that stops hands everything to its neighbours and leaves nothing behind.
#[test]
fn drained_region_hands_its_vessels_across() {
    let mut world = World::row(2, 1);
    world.launch(VesselId(1), "launch", 0);
    world.launch(VesselId(2), "first407", 0);
    world.run(45);
    world.drain(RegionId(1));
    world.run(90);
    assert_eq!(world.owner(VesselId(1)), Some(RegionId(2)));
    assert_eq!(world.owner(VesselId(2)), Some(RegionId(2)));
    assert!(world.has_stopped(RegionId(1)));
    let farewell = world.region(RegionId(1)).farewell().expect("it was told to stop");
    assert_eq!((farewell.handed, farewell.moored), (2, 0), "{farewell:?}");
    assert!(farewell.took < std::time::Duration::from_secs(1), "{farewell:?}");
    assert_eq!(world.region(RegionId(2)).farewell(), None);
    let report = world.compare_with_undivided();
    assert_eq!((report.mismatches, report.missing, report.doubled), (0, 0, 0));
}

/// The guard's slot is filled: the region left behind keeps a shadow that follows the owner's orders.
#[test]
fn guard_keeps_a_shadow_of_the_vessel_that_left() {
    let mut world = World::row(2, 1);
    world.launch(VesselId(1), "launch", 0);
    world.order(VesselId(1), Helm { throttle: 1.0, ..Helm::default() });
    while world.owner(VesselId(1)) != Some(RegionId(2)) {
        world.run(45);
        world.keep_east(VesselId(1), 0);
        assert!(world.tick() < Tick(world.start().0 + 45 * 400), "it does not cross");
    }
    world.run(45 * 3);
    let (record, _) = world.region(RegionId(1)).shadow(VesselId(1)).expect("a shadow is kept");
    assert_eq!(Some(record.epoch), world.region(RegionId(2)).epoch(VesselId(1)));
    assert!(world.tick().since(record.tick) < 60, "the shadow is stale");
}

/// A region that stops says so: whoever takes its vessels has another region guard them, and it is gone a few ticks
/// later.
#[test]
fn stopping_region_is_leant_on_by_nobody() {
    let mut world = World::row(3, 1);
    let middle = world::border_x(&world) + 30.0;
    world.launch_at(VesselId(1), "launch", middle, 0.0, 90.0);
    world.launch_at(VesselId(2), "launch", middle, 60.0, 90.0);
    world.run(90);
    assert_eq!(world.owner(VesselId(1)), Some(RegionId(2)));
    world.drain(RegionId(2));
    // Three ticks of lead, and a word and its answer.
    world.run(6);
    assert!(world.has_stopped(RegionId(2)), "it waits for something");
    world.run(6);
    for id in [VesselId(1), VesselId(2)] {
        let owner = world.owner(id).expect("somebody has it");
        let guard = if owner == RegionId(1) { RegionId(3) } else { RegionId(1) };
        let (record, _) = world.region(guard).shadow(id).expect("the third region guards it");
        assert_eq!(Some(record.epoch), world.region(owner).epoch(id));
    }
    let report = world.compare_with_undivided();
    assert_eq!((report.mismatches, report.missing, report.doubled), (0, 0, 0));
    assert_eq!(world.ticks_missed(), 0);
}

/// A guard that stops is followed by another before it goes, and goes at once.
#[test]
fn stopping_guard_is_followed_by_another() {
    let mut world = World::row(3, 1);
    world.launch(VesselId(1), "launch", 0);
    world.run(90);
    let guard =
        [RegionId(2), RegionId(3)].into_iter().find(|&id| world.region(id).shadow(VesselId(1)).is_some());
    let guard = guard.expect("it is guarded");
    let other = if guard == RegionId(2) { RegionId(3) } else { RegionId(2) };
    world.drain(guard);
    world.run(5);
    assert!(world.has_stopped(guard), "it waits for something");
    let (record, _) = world.region(other).shadow(VesselId(1)).expect("another guards it");
    assert!(world.tick().since(record.tick) < 6, "with a state of now");
    assert_eq!(world.owner(VesselId(1)), Some(RegionId(1)));
}

/// Orders that come in any tick around a handoff are applied, each once, by one owner or the other.
#[test]
fn no_order_is_lost_at_a_border() {
    // Farther apart than a word needs, so that none is overtaken by the next one, which would be right.
    const APART: u64 = 3;
    for phase in 0..APART {
        let mut world = World::row(2, 1);
        world.launch(VesselId(1), "launch", 0);
        let (mut given, mut after, mut step) = (0, 0, 0);
        while after < 45 {
            if step % APART == phase {
                world.keep_east(VesselId(1), step);
                given += 1;
            }
            step += 1;
            world.run(1);
            after += u64::from(world.handoffs() > 0);
            assert!(step < 45 * 400, "it does not cross");
        }
        world.run(5);
        let applied: Vec<u32> = world.orders().values().flatten().map(|(_, input)| input.seq).collect();
        assert_eq!(applied, (1..=given).collect::<Vec<u32>>());
    }
}
