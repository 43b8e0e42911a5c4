//! Regions that are started, introduced, lost and stopped.

use fairway::atlas::Cell;
use fairway::harbour::Request;
use fairway::harbour::answers::{PassageAnswer, PassageState, StatusAnswer};
use fairway::units::{RegionId, VesselId};
use fairway::wire::Message;
use glam::DVec2;

use crate::play::{Play, Player, World, error, read};

#[test]
fn neighbours_are_introduced_before_a_border() {
    let mut play = Play::new();
    play.book("first407");
    play.steps(10.0);
    let world = play.world.borrow();
    let introduced = world.told.iter().any(|(region, message)| {
        *region == RegionId(1)
            && matches!(message, Message::Neighbours(list) if list.iter().any(|n| n.region == RegionId(2)))
    });
    assert!(introduced, "{:?}", world.told.iter().map(|(region, _)| region).collect::<Vec<_>>());
}

#[test]
fn dead_region_loses_its_vessel_and_tells_its_last_words() {
    let mut play = Play::new();
    play.book("first407");
    play.steps(0.2);
    play.world.borrow_mut().end(RegionId(1), false);
    play.steps(3.0);
    let passage = play.passage(1);
    assert_eq!(passage.state, PassageState::GivenUp);
    assert!(passage.reason.unwrap().contains("the keel fell off"));
    let status = play.status();
    assert_eq!(status.regions_failed, 1);
    assert!(status.troubles[0].contains("r1.gullwing.fairway"), "{:?}", status.troubles);
    assert_eq!(status.regions_started, status.regions_stopped, "{status:?}");
}

#[test]
fn dead_regions_vessel_sails_on_from_the_best_shadow() {
    let mut play = Play::new();
    play.book("first407");
    play.steps(4.0);
    let (owner, guard) = {
        let mut world = play.world.borrow_mut();
        let owner = *world.regions.iter().find(|(_, player)| !player.vessels.is_empty()).unwrap().0;
        let record = world.regions[&owner].vessels[&VesselId(1)].clone();
        let stands_by = |id: RegionId, player: &Player| id != owner && player.open && !player.draining;
        let guard = world.regions.iter().find(|&(&id, player)| stands_by(id, player)).map(|(&id, _)| id);
        let guard = guard.expect("a guard stands by");
        world.regions.get_mut(&guard).unwrap().shadows.insert(VesselId(1), record);
        world.end(owner, false);
        (owner, guard)
    };
    play.steps(0.2);
    let sails = |player: &Player| player.vessels.contains_key(&VesselId(1));
    assert!(play.world.borrow().regions.values().any(sails), "{owner:?} to {guard:?}");
    let told = |(region, message): &(RegionId, Message)| {
        *region == guard && matches!(message, Message::Resume { vessels, .. } if vessels[0].1.term == 1)
    };
    assert!(play.world.borrow().told.iter().any(told));
    let status = play.status();
    assert_eq!((status.resumed, status.given_up), (1, 0));
    play.steps(60.0);
    assert_eq!(play.passage(1).state, PassageState::Arrived);
}

#[test]
fn vessel_that_crossed_just_before_its_old_region_died_sails_on() {
    let mut play = Play::new();
    play.book("first407");
    let crossed = |world: &World| {
        world.regions.iter().any(|(&id, player)| id != RegionId(1) && !player.vessels.is_empty())
    };
    for _ in 0..2_000 {
        if crossed(&play.world.borrow()) {
            break;
        }
        play.step();
    }
    assert!(crossed(&play.world.borrow()));
    play.world.borrow_mut().end(RegionId(1), false);
    play.steps(60.0);
    assert_eq!(play.passage(1).state, PassageState::Arrived);
}

#[test]
fn start_is_tried_twice_then_the_booking_fails_with_the_reason() {
    let mut play = Play::new();
    let start = (play.course.start_line.port + play.course.start_line.starboard) * 0.5;
    let doomed = Cell::of(start - DVec2::new(5.0, 0.0), play.course.cell_m);
    play.world.borrow_mut().doomed.insert(doomed);
    let error = error(&play.book("first407"), 503);
    assert!(error.contains("the keel fell off"), "{error}");
    let status = play.status();
    assert_eq!((status.regions_started, status.regions_failed), (2, 2));
    play.steps(5.0);
    assert_eq!(play.status().regions_started, 2, "nobody waits there any more");
}

#[test]
fn region_that_is_never_ready_is_ended_and_tried_once_more() {
    let mut play = Play::new();
    play.world.borrow_mut().hang = true;
    let answer = play.book("first407");
    let passage: PassageAnswer = read(&answer);
    assert_eq!((answer.status, passage.state), (202, PassageState::Booked), "told to ask again");
    play.steps(21.0);
    let passage = play.passage(1);
    assert_eq!(passage.state, PassageState::GivenUp);
    assert!(passage.reason.unwrap().contains("was not ready after 10 s"));
    let status = play.status();
    assert_eq!((status.regions_started, status.regions_stopped, status.regions_failed), (2, 2, 2));
}

#[test]
fn stop_moors_drains_and_then_answers() {
    let mut play = Play::new();
    play.book("first407");
    play.steps(4.0);
    let answer = play.ask(Request::Stop { reason: Some("enough".into()) });
    let status: StatusAnswer = read(&answer);
    assert!(play.harbour.is_over());
    assert_eq!(status.regions_started, status.regions_stopped);
    assert_eq!((status.afloat, status.given_up), (0, 1));
    assert!(play.world.borrow().regions.is_empty());
    assert_eq!(play.passage(1).reason.as_deref(), Some("enough"));
    assert!(error(&play.book("first407"), 503).contains("stopping"));
}
