//! One pilot's life on a scripted network: joining, crossing, stale states, broken circuits.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use fairway::atlas::{Area, Mark};
use fairway::clock;
use fairway::net::{CircuitId, Expect, Way};
use fairway::pilots::{Booking, Line, Session};
use fairway::units::{RegionId, VesselId};
use fairway::wire::Message;
use fairway::wire::message::{ClockSetting, Epoch, Neighbour, State};
use glam::DVec2;

use crate::toy::{self, Boat};

/// A network that writes down what it is asked.
#[derive(Default)]
struct Script {
    dialled: Vec<(CircuitId, SocketAddr)>,
    sent: Vec<(CircuitId, Message)>,
    closed: Vec<CircuitId>,
}

impl Line for Script {
    fn dial(&mut self, addr: SocketAddr, _name: &str, _expect: Expect) -> CircuitId {
        let id = CircuitId(self.dialled.len() as u64 + 1);
        self.dialled.push((id, addr));
        id
    }

    fn send(&mut self, circuit: CircuitId, message: Message, _way: Way) {
        self.sent.push((circuit, message));
    }

    fn close(&mut self, circuit: CircuitId) {
        self.closed.push(circuit);
    }
}

impl Script {
    fn helms(&self, circuit: CircuitId) -> Vec<u32> {
        self.sent
            .iter()
            .filter_map(|(on, message)| match message {
                Message::Helm { seq, .. } if *on == circuit => Some(*seq),
                _ => None,
            })
            .collect()
    }
}

fn addr(port: u16) -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], port))
}

fn booking() -> Booking {
    Booking {
        vessel: VesselId(7),
        ticket: vec![1, 2, 3],
        addr: addr(1),
        name: "first".to_owned(),
        authority: None,
        boat: None,
    }
}

fn welcome() -> Message {
    Message::Welcome {
        vessel: VesselId(7),
        session: 3,
        course: "toy".to_owned(),
        boat: crate::seamanship::ten_metres(),
        marks: vec![Mark { name: "m".to_owned(), place: DVec2::new(9_000.0, 0.0), radius_m: 50.0 }],
        clock: ClockSetting { tick: fairway::units::Tick(0), unix_ns: 0, warp: 1.0 },
    }
}

fn state(tick: u64, hop: u32) -> Message {
    let boat = Boat::new(7, DVec2::new(tick as f64 * 0.06, 0.0), 1.5);
    let state = boat.state(tick, DVec2::new(0.0, -7.0), Vec::new());
    Message::State(Box::new(State { epoch: Epoch { term: 0, hop }, ..state }))
}

fn standby() -> Message {
    standby_at(2, "second")
}

fn standby_at(port: u16, name: &str) -> Message {
    Message::Standby(Neighbour {
        region: RegionId(u32::from(port)),
        area: Area { min: DVec2::ZERO, max: DVec2::ONE },
        addr: addr(port),
        name: name.to_owned(),
    })
}

/// A session aboard on circuit 1 with states up to a tick.
fn aboard(now: Instant, ticks: u64) -> (Session, Script) {
    let mut script = Script::default();
    let mut session = Session::new(booking(), 1);
    session.tend(now, &mut script);
    session.opened(CircuitId(1), &mut script);
    session.received(CircuitId(1), welcome(), now, &mut script);
    for tick in 1..=ticks {
        session.received(CircuitId(1), state(tick, 0), at(now, tick), &mut script);
    }
    (session, script)
}

fn at(begin: Instant, tick: u64) -> Instant {
    begin + Duration::from_nanos(tick * 1_000_000_000 / 45)
}

#[test]
fn pilot_crosses_on_two_circuits_and_never_goes_back() {
    let begin = clock::now();
    let (mut session, mut script) = aboard(begin, 450);
    assert!(matches!(&script.sent[0].1, Message::Join { resume: None, .. }));
    session.received(CircuitId(1), standby(), at(begin, 450), &mut script);
    assert_eq!(script.dialled[1].1, addr(2));
    session.opened(CircuitId(2), &mut script);
    assert!(
        matches!(script.sent.last().unwrap(), (CircuitId(2), Message::Join { resume: Some(3), .. })),
        "the second circuit goes on with the session of the first"
    );
    session.received(CircuitId(2), welcome(), at(begin, 451), &mut script);
    // The new owner publishes from tick 460 on; the old one's last words come late, once even after it.
    for tick in 451..460 {
        session.received(CircuitId(1), state(tick, 0), at(begin, tick), &mut script);
    }
    session.received(CircuitId(2), state(460, 1), at(begin, 460), &mut script);
    let before = script.helms(CircuitId(1)).len();
    session.received(CircuitId(1), state(470, 0), at(begin, 470), &mut script);
    for tick in 461..900 {
        session.received(CircuitId(2), state(tick, 1), at(begin, tick), &mut script);
        session.received(CircuitId(2), state(tick - 1, 1), at(begin, tick), &mut script);
        session.tend(at(begin, tick), &mut script);
    }
    assert_eq!(script.helms(CircuitId(1)).len(), before, "orders go to the owner alone");
    let orders: Vec<u32> = [script.helms(CircuitId(1)), script.helms(CircuitId(2))].concat();
    assert!(orders.windows(2).all(|pair| pair[0] <= pair[1]), "order numbers only grow: {orders:?}");
    assert_eq!(script.closed, [CircuitId(1)], "the old circuit is dropped, and only that");
    let outcome = session.finish(&mut script);
    assert_eq!((outcome.handoffs_seen, outcome.states, outcome.stale), (1, 899, 1 + 439));
    assert!(outcome.gap_ms.len() == 1 && outcome.gap_ms[0] < 1.0, "{:?}", outcome.gap_ms);
    assert_eq!(outcome.missed_ticks, [0]);
}

#[test]
fn order_that_is_not_felt_is_sent_again_to_the_new_owner_at_once() {
    let begin = clock::now();
    let mut script = Script::default();
    let mut session = Session::new(booking(), 1);
    session.tend(begin, &mut script);
    session.opened(CircuitId(1), &mut script);
    let Message::Welcome { vessel, course, boat, marks, clock, .. } = welcome() else { unreachable!() };
    // The session of the toy's states.
    let welcome = Message::Welcome { vessel, session: 1, course, boat, marks, clock };
    session.received(CircuitId(1), welcome, begin, &mut script);
    let mut tick = 0;
    while script.helms(CircuitId(1)).is_empty() {
        tick += 1;
        session.received(CircuitId(1), state(tick, 0), at(begin, tick), &mut script);
    }
    session.received(CircuitId(1), standby(), at(begin, tick), &mut script);
    session.opened(CircuitId(2), &mut script);
    let last = *script.helms(CircuitId(1)).last().unwrap();
    session.received(CircuitId(2), state(tick + 1, 1), at(begin, tick + 1), &mut script);
    let again = *script.helms(CircuitId(2)).first().expect("it is sent at once");
    assert!(again == last || again == last + 1, "under its own number, or as a newer one");
    // Felt, it is not sent any more; a newer one may be.
    let felt = script.helms(CircuitId(2)).len();
    let Message::State(state) = state(tick + 2, 1) else { unreachable!() };
    let state = Message::State(Box::new(State { seq: again, ..*state }));
    session.received(CircuitId(2), state, at(begin, tick + 200), &mut script);
    let later = &script.helms(CircuitId(2))[felt..];
    assert!(later.iter().all(|&seq| seq > again), "{later:?}");
}

#[test]
fn order_that_nobody_ever_feels_is_sent_a_bounded_number_of_times() {
    let begin = clock::now();
    let (_, script) = aboard(begin, 2_000);
    let helms = script.helms(CircuitId(1));
    let most = helms.chunk_by(|a, b| a == b).map(<[u32]>::len).max().unwrap();
    assert!((2..=5).contains(&most), "{most} times");
}

#[test]
fn pilot_stands_by_where_the_new_owner_says_whatever_the_old_one_says_last() {
    let begin = clock::now();
    let (mut session, mut script) = aboard(begin, 90);
    session.received(CircuitId(1), standby(), at(begin, 90), &mut script);
    session.opened(CircuitId(2), &mut script);
    session.received(CircuitId(2), welcome(), at(begin, 100), &mut script);
    // The new owner's guard is the old owner, whose own last words name the new one: they come after the new owner's.
    session.received(CircuitId(2), standby_at(1, "first"), at(begin, 100), &mut script);
    session.received(CircuitId(1), standby(), at(begin, 100), &mut script);
    for tick in 100..600 {
        session.received(CircuitId(2), state(tick, 1), at(begin, tick), &mut script);
        session.tend(at(begin, tick), &mut script);
    }
    assert!(script.closed.is_empty(), "the guard's circuit was given up: {:?}", script.closed);
    assert_eq!(script.dialled.len(), 2);
}

#[test]
fn pilot_comes_back_after_every_circuit_broke() {
    let begin = clock::now();
    let (mut session, mut script) = aboard(begin, 90);
    session.received(CircuitId(1), standby(), at(begin, 90), &mut script);
    session.opened(CircuitId(2), &mut script);
    session.closed(CircuitId(1), "the process is gone");
    session.closed(CircuitId(2), "the process is gone");
    let mut now = at(begin, 90);
    for _ in 0..40 {
        now += Duration::from_millis(50);
        session.tend(now, &mut script);
    }
    assert_eq!(script.dialled[2].1, addr(2), "it asks first where the vessel was to go");
    session.opened(CircuitId(3), &mut script);
    session.received(CircuitId(3), welcome(), now, &mut script);
    session.received(CircuitId(3), state(300, 1), now, &mut script);
    assert!(!script.helms(CircuitId(3)).is_empty(), "and steers on");
    assert!(session.finish(&mut script).error.is_none());
}

#[test]
fn pilot_gives_up_on_a_region_that_never_answers() {
    let begin = clock::now();
    let mut script = Script::default();
    let mut session = Session::new(booking(), 1);
    let mut now = begin;
    while !session.over() {
        now += Duration::from_millis(50);
        assert!(now < begin + Duration::from_secs(400), "still trying");
        session.tend(now, &mut script);
        if let Some(&(id, _)) = script.dialled.last() {
            session.closed(id, "connection refused");
        }
    }
    assert!(script.dialled.len() <= 20);
    let outcome = session.finish(&mut script);
    assert!(!outcome.joined && outcome.error.unwrap().contains("connection refused"));
}

#[test]
fn damaged_soundings_and_foreign_states_are_ignored() {
    let begin = clock::now();
    let (mut session, mut script) = aboard(begin, 9);
    let mut grid = toy::soundings(DVec2::ZERO, DVec2::splat(400.0), |_| 5.0);
    grid.columns = 0;
    session.received(CircuitId(1), Message::Soundings(grid.clone()), begin, &mut script);
    grid.columns = 900;
    session.received(CircuitId(1), Message::Soundings(grid), begin, &mut script);
    let Message::State(mut foreign) = state(500, 0) else { unreachable!() };
    foreign.vessel = VesselId(8);
    session.received(CircuitId(1), Message::State(foreign), begin, &mut script);
    assert_eq!(session.progress().tick.0, 9);
}

#[test]
fn region_that_is_slow_to_answer_is_given_longer_each_time() {
    let begin = clock::now();
    let (mut session, mut script) = aboard(begin, 45);
    let mut pauses = Vec::new();
    let mut last = None;
    for tenth in 30..400_u64 {
        let now = begin + Duration::from_millis(100 * tenth);
        assert!(session.is_astray(now));
        let dialled = script.dialled.len();
        session.seek(addr(2), "second".to_owned(), now, &mut script);
        if script.dialled.len() > dialled {
            pauses.extend(last.replace(tenth).map(|last| tenth - last));
        }
    }
    assert_eq!(pauses, [15, 30, 60, 100, 100], "tenths of a second");
    // Heard of again and lost again, it is sought as soon as the first time.
    let (newest, _) = *script.dialled.last().unwrap();
    let now = begin + Duration::from_secs(41);
    session.opened(newest, &mut script);
    session.received(newest, welcome(), now, &mut script);
    session.received(newest, state(2_000, 1), now, &mut script);
    assert!(!session.is_astray(now));
    let dialled = script.dialled.len();
    session.seek(addr(2), "second".to_owned(), now + Duration::from_secs(10), &mut script);
    session.seek(addr(2), "second".to_owned(), now + Duration::from_millis(13_100), &mut script);
    assert_eq!(script.dialled.len(), dialled + 2);
}
