//! The stage: a harbour whose regions are played, and what is asked of it.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::net::SocketAddr;
use std::path::Path;
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crossbeam::channel::{Sender, bounded};
use fairway::atlas::{Cell, Course};
use fairway::harbour::answers::{ANSWER_BYTES, BookingRequest, PassageAnswer, ResumeRequest, StatusAnswer};
use fairway::harbour::engine::{Engine, EngineError, EngineEvent, ReadyInfo, RegionSpec};
use fairway::harbour::lines::{LineEvent, Lines};
use fairway::harbour::store::Store;
use fairway::harbour::{Answer, Asked, Clerks, Harbour, HarbourConfig, Moment, Request};
use fairway::units::{RegionId, Tick, VesselId};
use fairway::vessel::boats;
use fairway::wire::Message;
use fairway::wire::message::{Claim, ClockSetting, Holding, Keeping, VesselRecord, VesselReport};
use tokio::sync::oneshot;

pub(crate) const STEP: Duration = Duration::from_millis(20);
pub(crate) const WARP: f64 = 30.0;
/// Speed of every played vessel, m/s.
pub(crate) const SPEED_MPS: f64 = 5.0;

/// A played region server.
pub(crate) struct Player {
    pub(crate) spec: RegionSpec,
    pub(crate) ready_in: u32,
    pub(crate) open: bool,
    pub(crate) draining: bool,
    pub(crate) vessels: BTreeMap<VesselId, VesselRecord>,
    pub(crate) shadows: BTreeMap<VesselId, VesselRecord>,
    pub(crate) carries: u32,
}

/// Vessels that regions have memory for.
pub(crate) struct Memory {
    pub(crate) starts_with: u32,
    pub(crate) given_at_most: u32,
}

impl Default for Memory {
    fn default() -> Self {
        Self { starts_with: 256, given_at_most: 256 }
    }
}

/// What the played regions do, and what they were told.
#[derive(Default)]
pub(crate) struct World {
    pub(crate) regions: BTreeMap<RegionId, Player>,
    pub(crate) engine_events: VecDeque<EngineEvent>,
    pub(crate) line_events: VecDeque<LineEvent>,
    pub(crate) told: Vec<(RegionId, Message)>,
    /// Regions of these cells end while they boot.
    pub(crate) doomed: BTreeSet<Cell>,
    /// Regions never become ready.
    pub(crate) hang: bool,
    pub(crate) peak: usize,
    pub(crate) memory: Memory,
}

impl World {
    pub(crate) fn end(&mut self, region: RegionId, clean: bool) {
        if self.regions.remove(&region).is_some() {
            let console = if clean { Vec::new() } else { vec!["thread panicked: the keel fell off".into()] };
            let how = if clean { "exit status: 0" } else { "signal: 6" };
            self.engine_events.push_back(EngineEvent::Ended { region, how: how.into(), clean, console });
        }
    }

    /// Boots, sails and reports for one step.
    pub(crate) fn step(&mut self, tick: Tick) {
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
                carries: player.carries,
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
pub(crate) fn move_on(record: &mut VesselRecord, tick: Tick) -> Option<Cell> {
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

pub(crate) fn report(record: &VesselRecord) -> VesselReport {
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

pub(crate) struct PlayedEngine(Rc<RefCell<World>>);

impl Engine for PlayedEngine {
    fn start(&mut self, spec: &RegionSpec) -> Result<(), EngineError> {
        let carries = self.0.borrow().memory.starts_with;
        let player = Player {
            carries,
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

    fn vessels_max(&self) -> usize {
        self.0.borrow().memory.given_at_most as usize
    }

    fn make_room(&mut self, region: RegionId, vessels: usize) {
        self.0.borrow_mut().regions.get_mut(&region).unwrap().carries = vessels as u32;
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

pub(crate) struct PlayedLines(Rc<RefCell<World>>);

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
pub(crate) struct Play {
    pub(crate) harbour: Harbour<PlayedEngine, PlayedLines>,
    pub(crate) world: Rc<RefCell<World>>,
    pub(crate) desk: Sender<Asked>,
    pub(crate) clock: ClockSetting,
    pub(crate) moment: Moment,
    pub(crate) course: Arc<Course>,
}

impl Play {
    pub(crate) fn new() -> Self {
        Self::with(|_| {})
    }

    pub(crate) fn with(change: impl FnOnce(&mut Course)) -> Self {
        Self::on(Store::in_memory().unwrap(), change)
    }

    /// A harbour that comes back to a store, without any region that still runs.
    pub(crate) fn on(store: Store, change: impl FnOnce(&mut Course)) -> Self {
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

    pub(crate) fn step(&mut self) {
        self.moment.instant += STEP;
        self.moment.unix_ns += u64::try_from(STEP.as_nanos()).unwrap();
        let tick = self.clock.due(self.moment.unix_ns);
        self.world.borrow_mut().step(tick);
        self.harbour.step(self.moment);
    }

    pub(crate) fn steps(&mut self, seconds: f64) {
        for _ in 0..(seconds / STEP.as_secs_f64()) as u32 {
            self.step();
        }
    }

    pub(crate) fn send(&mut self, request: Request) -> oneshot::Receiver<Answer> {
        let (reply, answer) = oneshot::channel();
        self.desk.send(Asked { request, reply }).unwrap();
        answer
    }

    /// Asks and steps until the answer is there.
    pub(crate) fn ask(&mut self, request: Request) -> Answer {
        let mut answer = self.send(request);
        for _ in 0..2_000 {
            self.step();
            if let Ok(answer) = answer.try_recv() {
                return answer;
            }
        }
        panic!("no answer in 40 s");
    }

    pub(crate) fn book(&mut self, boat: &str) -> Answer {
        self.ask(Request::Book(BookingRequest { boat: boat.into(), key: "ab".repeat(32), name: None }))
    }

    pub(crate) fn passage(&mut self, vessel: u32) -> PassageAnswer {
        read(&self.ask(Request::Passage(VesselId(vessel))))
    }

    /// Gives a passage up; its vessel is ashore afterwards.
    pub(crate) fn moor(&mut self, vessel: u32) {
        assert_eq!(self.ask(Request::GiveUp(VesselId(vessel))).status, 200);
        self.steps(0.5);
    }

    pub(crate) fn resume(&mut self, vessel: u32) -> Answer {
        self.ask(Request::Resume(VesselId(vessel), ResumeRequest::default()))
    }

    pub(crate) fn status(&mut self) -> StatusAnswer {
        read(&self.ask(Request::Status { brief: false }))
    }
}

pub(crate) fn read<T: serde::de::DeserializeOwned>(answer: &Answer) -> T {
    assert!((200..300).contains(&answer.status), "{answer:?}");
    serde_json::from_str(&answer.body).unwrap_or_else(|error| panic!("{error}: {}", answer.body))
}

pub(crate) fn error(answer: &Answer, status: u16) -> String {
    assert_eq!(answer.status, status, "{answer:?}");
    assert!(answer.body.len() <= ANSWER_BYTES);
    let body: serde_json::Value = serde_json::from_str(&answer.body).unwrap();
    body["error"].as_str().unwrap().to_owned()
}
