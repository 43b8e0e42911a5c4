//! Passages: booked in room that there is, sailed, listed.

use fairway::harbour::Request;
use fairway::harbour::answers::{ANSWER_BYTES, BookingRequest, PassageAnswer, PassageState, PassagesAnswer};
use fairway::units::VesselId;
use fairway::vessel::boats;
use fairway::wire::Message;
use glam::DVec2;

use crate::play::{Memory, Play, error, read};

#[test]
fn passage_is_booked_sailed_and_every_region_stopped() {
    let mut play = Play::new();
    let answer = play.book("first407");
    assert_eq!(answer.status, 201);
    assert!(answer.body.len() <= ANSWER_BYTES, "{} bytes", answer.body.len());
    let booked: PassageAnswer = read(&answer);
    assert_eq!(booked.state, PassageState::Sailing);
    assert_eq!(booked.region.as_ref().unwrap().name, "r1.gullwing.fairway");
    assert_eq!((booked.ticket.unwrap().len(), booked.authority.unwrap().len()), (400, 800));
    // A round of some 3.7 km at 5 m/s and warp 30 takes 25 s.
    play.steps(60.0);
    let passage = play.passage(1);
    assert_eq!(passage.state, PassageState::Arrived, "{passage:?}");
    assert_eq!(passage.to_go_m, 0.0);
    assert!(passage.arrived_tick.unwrap() > passage.start_tick.unwrap());
    assert!(passage.region.is_none() && passage.ticket.is_none());
    let status = play.status();
    assert!(status.regions_started > 6, "{status:?}");
    assert_eq!(status.regions_started, status.regions_stopped);
    assert!(status.regions_peak <= 3 && play.world.borrow().peak <= 3, "{status:?}");
    assert_eq!((status.arrived, status.regions_failed, status.afloat), (1, 0, 0));
    assert!(status.troubles.is_empty(), "{:?}", status.troubles);
}

#[test]
fn fleet_stays_under_its_cap_and_lies_clear() {
    let mut play = Play::new();
    for _ in 0..6 {
        assert_eq!(play.book("first407").status, 201);
    }
    let places: Vec<DVec2> = (1..=6).map(|id| DVec2::from_array(play.passage(id).place)).collect();
    play.steps(70.0);
    let status = play.status();
    assert_eq!(status.arrived, 6, "{status:?}");
    assert_eq!(status.regions_started, status.regions_stopped);
    assert!(status.regions_peak <= 13, "{status:?}");
    // They were launched one after the other, so the first had sailed a little when the last was asked for.
    assert!(places.iter().all(|place| place.is_finite()));
}

#[test]
fn passage_over_the_time_limit_is_moored() {
    let mut play = Play::with(|course| course.time_limit_s = 120.0);
    play.book("first407");
    play.steps(8.0);
    let passage = play.passage(1);
    assert_eq!(passage.state, PassageState::GivenUp);
    assert!(passage.reason.unwrap().contains("time limit"));
    let moored = play.world.borrow().told.iter().any(|(_, m)| matches!(m, Message::Moor(VesselId(1))));
    assert!(moored);
    let status = play.status();
    assert_eq!((status.afloat, status.regions_started), (0, status.regions_stopped));
}

#[test]
fn prims_are_booked_before_departure() {
    let prims = boats::named("first407").unwrap().prims;
    let mut play = Play::with(|course| {
        course.prims.clear();
        course.prims_per_region = 2 * prims + 1;
    });
    assert_eq!(play.book("first407").status, 201);
    assert_eq!(play.book("first407").status, 201);
    let refused = error(&play.book("first407"), 409);
    assert!(refused.contains("prims"), "{refused}");
    // Room that is given back is room again.
    play.ask(Request::GiveUp(VesselId(1)));
    play.steps(1.0);
    assert_eq!(play.book("first407").status, 201);
}

#[test]
fn memory_is_booked_before_departure_and_given_where_it_lacks() {
    let mut play = Play::with(|course| course.prims_per_region = 100_000);
    play.world.borrow_mut().memory = Memory { starts_with: 2, given_at_most: 3 };
    let carried = |play: &Play| -> Vec<u32> {
        play.world
            .borrow()
            .regions
            .values()
            .filter(|player| player.open)
            .map(|player| player.carries)
            .collect()
    };
    for _ in 0..2 {
        assert_eq!(play.book("launch").status, 201);
    }
    play.steps(1.0);
    assert!(
        carried(&play).iter().all(|&vessels| vessels == 2),
        "what they have is enough: {:?}",
        carried(&play)
    );
    assert_eq!(play.book("launch").status, 201);
    play.steps(1.0);
    assert!(carried(&play).iter().all(|&vessels| vessels == 3), "{:?}", carried(&play));
    let refused = error(&play.book("launch"), 409);
    assert!(refused.contains("carries 3 vessels") && refused.contains("more memory"), "{refused}");
    // What somebody else gives them counts as well.
    for player in play.world.borrow_mut().regions.values_mut() {
        player.carries = 4;
    }
    play.steps(0.1);
    assert_eq!(play.book("launch").status, 201);
}

#[test]
fn bad_requests_are_refused_in_words() {
    let mut play = Play::new();
    assert!(error(&play.book("titanic"), 422).contains("titanic"));
    let short_key = BookingRequest { boat: "first407".into(), key: "ab".into(), name: None };
    assert!(error(&play.ask(Request::Book(short_key)), 422).contains("64 hexadecimal digits"));
    assert!(error(&play.ask(Request::Passage(VesselId(9))), 404).contains("vessel 9"));
    assert!(error(&play.ask(Request::GiveUp(VesselId(9))), 404).contains("vessel 9"));
    assert_eq!(play.status().regions_started, 0);
}

#[test]
fn list_of_passages_comes_in_short_answers() {
    let mut play = Play::with(|course| course.prims_per_region = 100_000);
    for _ in 0..40 {
        assert_eq!(play.book("launch").status, 201);
    }
    let (mut from, mut seen, mut answers) = (VesselId(0), Vec::new(), 0);
    loop {
        let answer = play.ask(Request::Passages { from, limit: None });
        assert!(answer.body.len() <= ANSWER_BYTES, "{} bytes", answer.body.len());
        let list: PassagesAnswer = read(&answer);
        seen.extend(list.passages.iter().map(|line| line.vessel));
        answers += 1;
        let Some(next) = list.next else { break };
        from = VesselId(next);
    }
    assert_eq!(seen, (1..=40).collect::<Vec<u32>>());
    assert!(answers > 1);
    let whole: PassagesAnswer = read(&play.ask(Request::Passages { from: VesselId(0), limit: Some(1_000) }));
    assert_eq!(whole.passages.len(), 40);
    let brief = play.ask(Request::Status { brief: true });
    assert!(brief.body.len() <= ANSWER_BYTES, "{} bytes", brief.body.len());
}
