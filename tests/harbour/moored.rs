//! Vessels that came ashore before their passage was over, and sail on.

use fairway::atlas::Cell;
use fairway::harbour::Request;
use fairway::harbour::answers::{
    ANSWER_BYTES, MooredAnswer, PassageAnswer, PassageState, PassagesAnswer, ResumeRequest,
};
use fairway::harbour::lines::LineEvent;
use fairway::harbour::store::Table;
use fairway::units::VesselId;
use fairway::vessel::boats;
use fairway::wire::Message;
use glam::DVec2;

use crate::play::{Play, WARP, error, read};

#[test]
fn vessel_moored_under_way_is_launched_again_under_a_new_term() {
    let mut play = Play::new();
    play.book("first407");
    play.steps(2.0);
    {
        let mut world = play.world.borrow_mut();
        let taken = world.regions.iter_mut().find_map(|(&id, p)| Some((id, p.vessels.remove(&VesselId(1))?)));
        let (owner, record) = taken.unwrap();
        world.line_events.push_back(LineEvent::Heard(owner, Message::Moored(Box::new(record))));
    }
    play.steps(0.5);
    let terms: Vec<(bool, u32)> = play
        .world
        .borrow()
        .told
        .iter()
        .filter_map(|(_, message)| match message {
            Message::Launch { record, new } => Some((*new, record.epoch.term)),
            _ => None,
        })
        .collect();
    assert_eq!(terms, [(true, 0), (false, 1)]);
    play.steps(60.0);
    assert_eq!(play.passage(1).state, PassageState::Arrived);
}

#[test]
fn moored_vessel_is_resumed_and_arrives() {
    let mut play = Play::new();
    play.book("first407");
    play.steps(4.0);
    play.moor(1);
    let before = play.passage(1);
    assert_eq!((before.state, before.region), (PassageState::GivenUp, None));
    play.steps(30.0);
    let answer = play.resume(1);
    let passage: PassageAnswer = read(&answer);
    assert_eq!((answer.status, passage.state, passage.marks_passed), (200, PassageState::Sailing, 0));
    assert!(passage.to_go_m <= before.to_go_m && passage.to_go_m > before.to_go_m - 50.0);
    // What it was ashore does not count.
    let list: PassagesAnswer = read(&play.ask(Request::Passages { from: VesselId(0), limit: None }));
    assert!(list.passages[0].sailed_s < 6.0 * WARP, "{list:?}");
    play.steps(60.0);
    assert_eq!(play.passage(1).state, PassageState::Arrived);
    assert!(error(&play.resume(1), 409).contains("arrived"));
}

#[test]
fn resumption_without_room_is_refused_with_the_reason() {
    let prims = boats::named("first407").unwrap().prims;
    let mut play = Play::with(|course| {
        course.prims.clear();
        course.prims_per_region = 2 * prims + 1;
    });
    play.book("first407");
    play.book("first407");
    play.steps(2.0);
    play.moor(1);
    assert_eq!(play.book("first407").status, 201);
    assert!(error(&play.resume(1), 409).contains("prims"));
    play.moor(2);
    // In room enough, somebody may still lie where it would be put.
    let at = |play: &Play, vessel: u32| {
        let world = play.world.borrow();
        let found = world.regions.values().find_map(|player| player.vessels.get(&VesselId(vessel)).cloned());
        found.map(|record| record.vessel.state.position_m)
    };
    let ashore = play.passage(2).place;
    {
        let mut world = play.world.borrow_mut();
        let record = world.regions.values_mut().find_map(|p| p.vessels.get_mut(&VesselId(3))).unwrap();
        record.vessel.state.position_m = DVec2::from(ashore).extend(0.0);
    }
    play.step();
    assert!(at(&play, 3).is_some());
    let refused = error(&play.resume(2), 409);
    assert!(refused.contains("vessel 3"), "{refused}");
    play.steps(3.0);
    assert_eq!(play.resume(2).status, 200);
}

#[test]
fn resumption_that_cannot_be_is_refused_with_the_reason() {
    let mut play = Play::with(|course| course.time_limit_s = 240.0);
    for _ in 0..2 {
        play.book("first407");
    }
    assert!(error(&play.resume(1), 409).contains("under way"));
    assert!(error(&play.resume(7), 404).contains("vessel 7"));
    play.moor(1);
    play.steps(9.0);
    let late = play.passage(2);
    assert!(late.reason.unwrap().contains("time limit"));
    assert!(error(&play.resume(2), 409).contains("time limit"));
    // A row of another course's, in the same store.
    let (_, _, mut store) = play.harbour.abandon();
    let mut row: serde_json::Value = store.row(Table::Moored, 1).unwrap().unwrap();
    assert_eq!(row["course"], "gullwing");
    row["course"] = "admiralty".into();
    store.put(Table::Moored, 1, &row).unwrap();
    let mut play = Play::on(store, |course| course.time_limit_s = 240.0);
    let refused = error(&play.resume(1), 409);
    assert!(refused.contains("sails admiralty") && refused.contains("serves gullwing"), "{refused}");
    assert!(error(&play.resume(2), 409).contains("time limit"), "also by a harbour that came back");
    play.harbour.stop("enough", play.moment);
    assert!(error(&play.resume(1), 503).contains("stopping"));
}

/// The way back fails: it is moored as it was, and may be resumed again.
#[test]
fn vessel_whose_region_does_not_start_is_moored_again() {
    let mut play = Play::new();
    play.book("first407");
    play.steps(4.0);
    play.moor(1);
    play.steps(30.0);
    let place = DVec2::from(play.passage(1).place);
    let cell = Cell::of(place, play.course.cell_m);
    play.world.borrow_mut().doomed.insert(cell);
    let refused = error(&play.resume(1), 503);
    assert!(refused.contains("the keel fell off"), "{refused}");
    let alone = Request::Resume(VesselId(1), ResumeRequest { quarantine: true });
    assert!(error(&play.ask(alone), 503).contains("own region did not start"));
    play.world.borrow_mut().doomed.clear();
    play.steps(31.0);
    let list: MooredAnswer = read(&play.ask(Request::Moored { from: VesselId(0), limit: None }));
    assert_eq!(list.moored.len(), 1);
    assert_eq!(DVec2::from(list.moored[0].place), place);
    assert_eq!(play.resume(1).status, 200);
}

#[test]
fn list_of_moored_vessels_comes_in_short_answers() {
    let mut play = Play::with(|course| course.prims_per_region = 100_000);
    for vessel in 1..=30 {
        assert_eq!(play.book("launch").status, 201);
        play.moor(vessel);
    }
    let (mut from, mut seen, mut answers) = (VesselId(0), Vec::new(), 0);
    loop {
        let answer = play.ask(Request::Moored { from, limit: None });
        assert!(answer.body.len() <= ANSWER_BYTES, "{} bytes", answer.body.len());
        let list: MooredAnswer = read(&answer);
        seen.extend(list.moored.iter().map(|line| line.vessel));
        answers += 1;
        let Some(next) = list.next else { break };
        from = VesselId(next);
    }
    assert_eq!(seen, (1..=30).collect::<Vec<u32>>());
    assert!(answers > 1);
}
