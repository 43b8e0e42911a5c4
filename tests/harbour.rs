//! The harbour's control loop, over regions that are played: they boot, sail, hand over, drain and die as
//! each test says, while its clock runs at the test's pace.
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
    reason = "nor a model"
)]

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::net::SocketAddr;
use std::path::Path;
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crossbeam::channel::{Sender, bounded};
use fairway::atlas::{Cell, Course};
use fairway::harbour::answers::{
    ANSWER_BYTES, BookingRequest, MooredAnswer, PassageAnswer, PassageState, PassagesAnswer, ResumeRequest,
    StatusAnswer,
};
use fairway::harbour::engine::{Engine, EngineError, EngineEvent, ReadyInfo, RegionSpec};
use fairway::harbour::lines::{LineEvent, Lines};
use fairway::harbour::store::{Store, Table};
use fairway::harbour::{Answer, Asked, Clerks, Harbour, HarbourConfig, Moment, Request};
use fairway::units::{RegionId, Tick, VesselId};
use fairway::vessel::boats;
use fairway::wire::Message;
use fairway::wire::message::{Claim, ClockSetting, Holding, Keeping, VesselRecord, VesselReport};
use glam::DVec2;
use tokio::sync::oneshot;

const STEP: Duration = Duration::from_millis(20);
const WARP: f64 = 30.0;
/// Speed of every played vessel, m/s.
const SPEED_MPS: f64 = 5.0;

/// A played region server.
struct Player {
    spec: RegionSpec,
    ready_in: u32,
    open: bool,
    draining: bool,
    vessels: BTreeMap<VesselId, VesselRecord>,
    shadows: BTreeMap<VesselId, VesselRecord>,
}

/// What the played regions do, and what they were told.
#[derive(Default)]
struct World {
    regions: BTreeMap<RegionId, Player>,
    engine_events: VecDeque<EngineEvent>,
    line_events: VecDeque<LineEvent>,
    told: Vec<(RegionId, Message)>,
    /// Regions of these cells end while they boot.
    doomed: BTreeSet<Cell>,
    /// Regions never become ready.
    hang: bool,
    peak: usize,
}

impl World {
    fn end(&mut self, region: RegionId, clean: bool) {
        if self.regions.remove(&region).is_some() {
            let console = if clean { Vec::new() } else { vec!["thread panicked: the keel fell off".into()] };
            let how = if clean { "exit status: 0" } else { "signal: 6" };
            self.engine_events.push_back(EngineEvent::Ended { region, how: how.into(), clean, console });
        }
    }

    /// Boots, sails and reports for one step.
    fn step(&mut self, tick: Tick) {
        self.peak = self.peak.max(self.regions.len());
        for id in self.regions.keys().copied().collect::<Vec<_>>() {
            let Some(player) = self.regions.get_mut(&id) else { continue };
            if self.doomed.contains(&player.spec.cell) {
                self.end(id, false);
                continue;
            }
            if player.ready_in > 0 && !self.hang {
                player.ready_in -= 1;
                if player.ready_in == 0 {
                    let addr = SocketAddr::from(([127, 0, 0, 9], 4000));
                    let info = ReadyInfo { addr, key: [7; 32], start_to_tick_us: 4_000 };
                    self.engine_events.push_back(EngineEvent::Ready { region: id, info });
                }
            }
            if player.draining && player.vessels.is_empty() {
                self.line_events.push_back(LineEvent::Heard(id, Message::Drained));
                self.line_events.push_back(LineEvent::Lost(id, "closed by the other side".into()));
                self.end(id, true);
            }
        }
        self.sail(tick);
    }

    fn sail(&mut self, tick: Tick) {
        let open: BTreeMap<Cell, RegionId> = self
            .regions
            .iter()
            .filter(|(_, player)| player.open && !player.draining)
            .map(|(&id, player)| (player.spec.cell, id))
            .collect();
        let mut crossing = Vec::new();
        for (&id, player) in &mut self.regions {
            for record in player.vessels.values_mut() {
                let target = move_on(record, tick).and_then(|cell| open.get(&cell)).copied();
                if target.is_some_and(|target| target != id) {
                    crossing.push((id, record.vessel.id, target));
                }
            }
        }
        for (from, vessel, to) in crossing {
            let mut record = self.regions.get_mut(&from).unwrap().vessels.remove(&vessel).unwrap();
            record.epoch = record.epoch.next_hop();
            self.regions.get_mut(&to.unwrap()).unwrap().vessels.insert(vessel, record);
        }
        for (&region, player) in self.regions.iter().filter(|(_, player)| player.open) {
            let vessels = player.vessels.values().map(report).collect();
            let report = Message::Report {
                region,
                tick,
                load: 0.1,
                dilation: 1.0,
                prims: 0,
                vessels,
                counts: fairway::wire::message::RegionCounts::default(),
                stamp_ns: 0,
                clock_doubt_ns: 1_000_000,
            };
            self.line_events.push_back(LineEvent::Heard(region, report));
        }
    }

    fn hear(&mut self, region: RegionId, message: Message) {
        self.told.push((region, message.clone()));
        let Some(player) = self.regions.get_mut(&region) else { return };
        match message {
            Message::Launch { record, .. } => {
                let before = player.vessels.insert(record.vessel.id, *record);
                assert!(before.is_none(), "launched twice");
            }
            Message::Moor(vessel) => {
                if let Some(record) = player.vessels.remove(&vessel) {
                    self.line_events.push_back(LineEvent::Heard(region, Message::Moored(Box::new(record))));
                }
            }
            Message::Drain => player.draining = true,
            Message::Roll { number, .. } => {
                let claims = player.vessels.values().map(|record| Claim {
                    vessel: record.vessel.id,
                    epoch: record.epoch,
                    holding: Holding::Holds,
                });
                let kept = player.shadows.values().map(|record| Keeping {
                    vessel: record.vessel.id,
                    epoch: record.epoch,
                    through: record.tick,
                });
                let roster = Message::Roster { number, claims: claims.collect(), kept: kept.collect() };
                self.line_events.push_back(LineEvent::Heard(region, roster));
            }
            Message::Resume { vessels, .. } => {
                for (id, epoch) in vessels {
                    let mut record = player.shadows.remove(&id).expect("a shadow of it");
                    assert!(epoch > record.epoch);
                    record.epoch = epoch;
                    player.vessels.insert(id, record);
                }
            }
            _ => {}
        }
    }
}

/// Sails a vessel straight for its next mark; returns the cell that it is in.
fn move_on(record: &mut VesselRecord, tick: Tick) -> Option<Cell> {
    let passed_s = Tick(tick.since(record.tick)).seconds();
    record.tick = tick;
    let vessel = &mut record.vessel;
    let mut place = vessel.state.position_m.truncate();
    let mark = vessel.voyage.marks.get(usize::from(vessel.voyage.passed))?;
    let way = mark.place - place;
    let velocity = way.normalize_or_zero() * SPEED_MPS;
    place += velocity * passed_s;
    if way.length() < mark.radius_m + SPEED_MPS * passed_s {
        vessel.voyage.passed += 1;
        if usize::from(vessel.voyage.passed) == vessel.voyage.marks.len() {
            vessel.voyage.finished = Some(tick);
        }
    }
    vessel.voyage.ground_m += SPEED_MPS * passed_s;
    vessel.state.position_m = place.extend(0.0);
    vessel.state.velocity_mps = velocity.extend(0.0);
    Some(Cell::of(place, 256.0))
}

fn report(record: &VesselRecord) -> VesselReport {
    let vessel = &record.vessel;
    VesselReport {
        vessel: vessel.id,
        epoch: record.epoch,
        group: vessel.id,
        place: vessel.state.position_m.truncate(),
        velocity_mps: vessel.state.velocity_mps.truncate(),
        marks_passed: vessel.voyage.passed,
        finished: vessel.voyage.finished,
        ground_m: vessel.voyage.ground_m,
        water_m: vessel.voyage.water_m,
        guarded: true,
    }
}

struct PlayedEngine(Rc<RefCell<World>>);

impl Engine for PlayedEngine {
    fn start(&mut self, spec: &RegionSpec) -> Result<(), EngineError> {
        let player = Player {
            spec: spec.clone(),
            ready_in: 5,
            open: false,
            draining: false,
            vessels: BTreeMap::new(),
            shadows: BTreeMap::new(),
        };
        self.0.borrow_mut().regions.insert(spec.id, player);
        Ok(())
    }

    fn kill(&mut self, region: RegionId) {
        let mut world = self.0.borrow_mut();
        if world.regions.remove(&region).is_some() {
            world.engine_events.push_back(EngineEvent::Ended {
                region,
                how: "signal: 9".into(),
                clean: false,
                console: Vec::new(),
            });
        }
    }

    fn poll(&mut self) -> Option<EngineEvent> {
        self.0.borrow_mut().engine_events.pop_front()
    }

    fn handle(&self, region: RegionId) -> Option<String> {
        Some(region.0.to_string())
    }

    fn adopt(&mut self, spec: &RegionSpec, _: Option<SocketAddr>, _: &str) -> bool {
        self.0.borrow().regions.contains_key(&spec.id)
    }

    fn running(&self) -> Vec<RegionId> {
        self.0.borrow().regions.keys().copied().collect()
    }
}

struct PlayedLines(Rc<RefCell<World>>);

impl Lines for PlayedLines {
    fn open(&mut self, region: RegionId, name: &str, _: &ReadyInfo) {
        let mut world = self.0.borrow_mut();
        let player = world.regions.get_mut(&region).unwrap();
        assert_eq!(player.spec.name, name);
        player.open = true;
        world.line_events.push_back(LineEvent::Open(region));
    }

    fn send(&mut self, region: RegionId, message: Message) {
        self.0.borrow_mut().hear(region, message);
    }

    fn close(&mut self, _: RegionId) {}

    fn poll(&mut self) -> Option<LineEvent> {
        self.0.borrow_mut().line_events.pop_front()
    }
}

/// A harbour over played regions, with its clock.
struct Play {
    harbour: Harbour<PlayedEngine, PlayedLines>,
    world: Rc<RefCell<World>>,
    desk: Sender<Asked>,
    clock: ClockSetting,
    moment: Moment,
    course: Arc<Course>,
}

impl Play {
    fn new() -> Self {
        Self::with(|_| {})
    }

    fn with(change: impl FnOnce(&mut Course)) -> Self {
        Self::on(Store::in_memory().unwrap(), change)
    }

    /// A harbour that comes back to a store, without any region that still runs.
    fn on(store: Store, change: impl FnOnce(&mut Course)) -> Self {
        let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("regions/gullwing");
        let mut course = Course::load(&dir).unwrap();
        change(&mut course);
        let course = Arc::new(course);
        let world = Rc::new(RefCell::new(World::default()));
        let clock = ClockSetting { tick: course.start, unix_ns: 1_000_000_000, warp: WARP };
        let config = HarbourConfig {
            course: Arc::clone(&course),
            course_dir: dir,
            seed: 1,
            clock,
            authority: vec![3; 400],
            record: None,
        };
        let clerks = Clerks {
            boat: Box::new(|boat| {
                let name = boat.as_str().ok_or("not a name")?;
                boats::named(name).cloned().ok_or_else(|| format!("no boat is called {name}"))
            }),
            navigable: Box::new(|_, _| true),
            ticket: Box::new(|vessel, _| Ok(vec![u8::try_from(vessel.0).unwrap_or(0); 200])),
        };
        let (desk, requests) = bounded(64);
        let moment = Moment { instant: Instant::now(), unix_ns: clock.unix_ns };
        let harbour = Harbour::new(
            config,
            clerks,
            PlayedEngine(Rc::clone(&world)),
            PlayedLines(Rc::clone(&world)),
            requests,
            store,
            moment,
        )
        .unwrap();
        Self { harbour, world, desk, clock, moment, course }
    }

    fn step(&mut self) {
        self.moment.instant += STEP;
        self.moment.unix_ns += u64::try_from(STEP.as_nanos()).unwrap();
        let tick = self.clock.due(self.moment.unix_ns);
        self.world.borrow_mut().step(tick);
        self.harbour.step(self.moment);
    }

    fn steps(&mut self, seconds: f64) {
        for _ in 0..(seconds / STEP.as_secs_f64()) as u32 {
            self.step();
        }
    }

    fn send(&mut self, request: Request) -> oneshot::Receiver<Answer> {
        let (reply, answer) = oneshot::channel();
        self.desk.send(Asked { request, reply }).unwrap();
        answer
    }

    /// Asks and steps until the answer is there.
    fn ask(&mut self, request: Request) -> Answer {
        let mut answer = self.send(request);
        for _ in 0..2_000 {
            self.step();
            if let Ok(answer) = answer.try_recv() {
                return answer;
            }
        }
        panic!("no answer in 40 s");
    }

    fn book(&mut self, boat: &str) -> Answer {
        self.ask(Request::Book(BookingRequest { boat: boat.into(), key: "ab".repeat(32), name: None }))
    }

    fn passage(&mut self, vessel: u32) -> PassageAnswer {
        read(&self.ask(Request::Passage(VesselId(vessel))))
    }

    /// Gives a passage up; its vessel is ashore afterwards.
    fn moor(&mut self, vessel: u32) {
        assert_eq!(self.ask(Request::GiveUp(VesselId(vessel))).status, 200);
        self.steps(0.5);
    }

    fn resume(&mut self, vessel: u32) -> Answer {
        self.ask(Request::Resume(VesselId(vessel), ResumeRequest::default()))
    }

    fn status(&mut self) -> StatusAnswer {
        read(&self.ask(Request::Status { brief: false }))
    }
}

fn read<T: serde::de::DeserializeOwned>(answer: &Answer) -> T {
    assert!((200..300).contains(&answer.status), "{answer:?}");
    serde_json::from_str(&answer.body).unwrap_or_else(|error| panic!("{error}: {}", answer.body))
}

fn error(answer: &Answer, status: u16) -> String {
    assert_eq!(answer.status, status, "{answer:?}");
    assert!(answer.body.len() <= ANSWER_BYTES);
    let body: serde_json::Value = serde_json::from_str(&answer.body).unwrap();
    body["error"].as_str().unwrap().to_owned()
}

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
