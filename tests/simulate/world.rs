//! A whole simulated sea: the real harbour, the real regions, the real pilots' sessions, over a clock, a network
//! and processes that are played.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crossbeam::channel::{Receiver, Sender, bounded};
use fairway::atlas::Course;
use fairway::harbour::answers::{BookingRequest, PassageAnswer, PassageState, StatusAnswer};
use fairway::harbour::engine::{Engine, EngineError, EngineEvent, ReadyInfo, RegionSpec};
use fairway::harbour::lines::{LineEvent, Lines};
use fairway::harbour::store::Store;
use fairway::harbour::{Answer, Asked, Clerks, Harbour, HarbourConfig, Moment, Request};
use fairway::net::{Authority, Expect, authority_key};
use fairway::pilots::{Booking, Line, Session};
use fairway::region::{Action, Logged, Now, Region, RegionConfig};
use fairway::sea::Sea;
use fairway::sim::Vessel;
use fairway::units::{RegionId, Tick, VesselId};
use fairway::vessel::boats;
use fairway::wire::Message;
use fairway::wire::circuit::{CircuitId, Peer, Way};
use fairway::wire::message::{ClockSetting, Word};
use fairway::wire::ticket::Rights;
use tokio::sync::oneshot;

use crate::dice::Dice;
use crate::net::{Event, MS, Net, Node, S, Weather};

/// The clock moves by half a tick.
const QUANTUM: u64 = 11_111_111;
/// Course time runs on this much wall time after the Unix epoch.
const EPOCH: u64 = 1_000 * S;

/// What never changes between seeds.
pub struct Stage {
    pub course: Arc<Course>,
    pub sea: Arc<Sea>,
    pub authority: Arc<Authority>,
}

impl Stage {
    pub fn new() -> Self {
        let dir = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("regions/gullwing");
        let mut course = Course::load(&dir).unwrap();
        // Small cells: a border every few seconds.
        course.cell_m = 48.0;
        let course = Arc::new(course);
        let sea = Arc::new(Sea::new(Arc::clone(&course), 7));
        let authority = Arc::new(Authority::generate(&course.name).unwrap());
        Self { course, sea, authority }
    }
}

/// A region's process.
struct Process {
    spec: RegionSpec,
    region: Option<Region>,
    boots_at: u64,
    stopped_until: u64,
    /// Its host's clock: ahead by this, and this many parts in a million fast.
    offset: i64,
    drift_ppm: i64,
    /// What its boot clock showed when the run began.
    booted: u64,
    last_due: Tick,
    /// When the engine said that it had ended.
    ended: Option<u64>,
}

/// Everything that the harbour's engine and lines share with the world.
pub struct Shared {
    pub net: Net,
    processes: BTreeMap<RegionId, Process>,
    engine_events: VecDeque<EngineEvent>,
    line_events: VecDeque<LineEvent>,
    lines: BTreeMap<RegionId, CircuitId>,
    /// Engine starts fail until then; boots take this long until then.
    pub refuses_until: u64,
    pub slow_until: (u64, u64),
    dice: Dice,
    skew: u64,
    pub handoffs: u64,
    killed: BTreeSet<RegionId>,
}

/// Who logged what.
pub struct Entry {
    pub region: RegionId,
    pub zombie: bool,
    pub logged: Logged,
}

pub struct Crew {
    pub session: Session,
    pub last_tick: Tick,
    pub last_heard: u64,
    states: u64,
}

pub struct World<'a> {
    stage: &'a Stage,
    pub shared: Rc<RefCell<Shared>>,
    harbour: Option<Harbour<PlayedEngine, PlayedLines>>,
    /// What a killed harbour leaves behind, and when it comes back.
    left: Option<(Store, u64)>,
    desk: Sender<Asked>,
    requests: Receiver<Asked>,
    base: Instant,
    clock: ClockSetting,
    pub crews: BTreeMap<VesselId, Crew>,
    pub log: Vec<Entry>,
    pub faults: Vec<String>,
    pub violations: Vec<String>,
    /// A region that dies when it sends or hears a word of this kind.
    pub doomed: Option<Doom>,
    zombies: BTreeMap<RegionId, (u64, Region)>,
    turns: u64,
}

/// Death at a step of a handoff.
#[derive(Clone, Copy, Debug)]
pub struct Doom {
    /// 0 offer, 1 ready, 2 commit, 3 acknowledged.
    pub word: u64,
    pub sender: bool,
    /// Whether the word still gets out, or in.
    pub after: bool,
}

fn kind(word: &Word) -> u64 {
    match word {
        Word::Offer { .. } => 0,
        Word::Ready { .. } => 1,
        Word::Commit { .. } => 2,
        Word::Acknowledged { .. } => 3,
        _ => 9,
    }
}

pub struct PlayedEngine(Rc<RefCell<Shared>>);
pub struct PlayedLines(Rc<RefCell<Shared>>);

impl Engine for PlayedEngine {
    fn start(&mut self, spec: &RegionSpec) -> Result<(), EngineError> {
        let mut shared = self.0.borrow_mut();
        let now = shared.net.now;
        if now < shared.refuses_until {
            return Err(EngineError("no memory is left for another region".into()));
        }
        let slow = if now < shared.slow_until.0 { shared.slow_until.1 } else { 0 };
        let boots_at = now + slow + shared.dice.between(20 * MS, 80 * MS);
        let skew = shared.skew;
        let offset = shared.dice.below(2 * skew + 1) as i64 - skew as i64;
        let drift_ppm = shared.dice.below(401) as i64 - 200;
        let booted = shared.dice.below(1_000_000) * 1_000 * MS;
        let process = Process {
            spec: spec.clone(),
            region: None,
            boots_at,
            stopped_until: 0,
            offset,
            drift_ppm,
            booted,
            last_due: Tick(0),
            ended: None,
        };
        shared.processes.insert(spec.id, process);
        Ok(())
    }

    fn kill(&mut self, region: RegionId) {
        self.0.borrow_mut().kill(region, "signal: 9");
    }

    fn handle(&self, region: RegionId) -> Option<String> {
        Some(region.0.to_string())
    }

    fn adopt(&mut self, spec: &RegionSpec, _: Option<SocketAddr>, _: &str) -> bool {
        self.0.borrow().processes.get(&spec.id).is_some_and(|process| process.ended.is_none())
    }

    fn poll(&mut self) -> Option<EngineEvent> {
        self.0.borrow_mut().engine_events.pop_front()
    }

    fn running(&self) -> Vec<RegionId> {
        let shared = self.0.borrow();
        shared.processes.iter().filter(|(_, p)| p.ended.is_none()).map(|(&id, _)| id).collect()
    }
}

impl Lines for PlayedLines {
    fn open(&mut self, region: RegionId, name: &str, _: &ReadyInfo) {
        self.close(region);
        let mut shared = self.0.borrow_mut();
        let theirs = Peer::Region(name.to_owned());
        let circuit = shared.net.dial(Node::Harbour, Node::Region(region), Peer::Harbour, theirs);
        shared.lines.insert(region, circuit);
    }

    fn send(&mut self, region: RegionId, message: Message) {
        let mut shared = self.0.borrow_mut();
        if let Some(&circuit) = shared.lines.get(&region) {
            shared.net.send(circuit, message, Way::Stream);
        }
    }

    fn close(&mut self, region: RegionId) {
        let mut shared = self.0.borrow_mut();
        if let Some(circuit) = shared.lines.remove(&region) {
            shared.net.close(circuit);
        }
    }

    fn poll(&mut self) -> Option<LineEvent> {
        self.0.borrow_mut().line_events.pop_front()
    }
}

impl Shared {
    fn kill(&mut self, region: RegionId, how: &str) {
        let now = self.net.now;
        let Some(process) = self.processes.get_mut(&region).filter(|process| process.ended.is_none()) else {
            return;
        };
        process.ended = Some(now);
        self.killed.insert(region);
        if let Some(region) = process.region.take() {
            self.handoffs += u64::from(region.counts().handoffs);
        }
        self.net.died(Node::Region(region), false);
        let (how, console) = (how.to_owned(), Vec::new());
        self.engine_events.push_back(EngineEvent::Ended { region, how, clean: false, console });
    }
}

struct CrewLine<'a>(&'a mut Net, VesselId);

impl Line for CrewLine<'_> {
    fn dial(&mut self, _: SocketAddr, name: &str, _: Expect) -> CircuitId {
        let number = name.strip_prefix('r').and_then(|rest| rest.split_once('.'));
        let region = RegionId(number.and_then(|(number, _)| number.parse().ok()).unwrap_or(0));
        let ours = Peer::Client(key_of(self.1));
        self.0.dial(Node::Crew(self.1), Node::Region(region), ours, Peer::Region(name.to_owned()))
    }

    fn send(&mut self, circuit: CircuitId, message: Message, way: Way) {
        self.0.send(circuit, message, way);
    }

    fn close(&mut self, circuit: CircuitId) {
        self.0.close(circuit);
    }
}

fn key_of(vessel: VesselId) -> [u8; 32] {
    [u8::try_from(vessel.0).unwrap_or(0); 32]
}

impl<'a> World<'a> {
    pub fn new(stage: &'a Stage, seed: u64) -> Self {
        let mut dice = Dice::new(seed);
        let clean = dice.below(3) == 0;
        let weather = if clean {
            Weather { delay: MS, jitter: 3 * MS, lost: 0, doubled: 0 }
        } else {
            Weather {
                delay: dice.between(1, 20) * MS,
                jitter: dice.between(1, 40) * MS,
                lost: dice.below(40),
                doubled: dice.below(20),
            }
        };
        let shared = Shared {
            net: Net::new(dice.other(1), weather),
            processes: BTreeMap::new(),
            engine_events: VecDeque::new(),
            line_events: VecDeque::new(),
            lines: BTreeMap::new(),
            refuses_until: 0,
            slow_until: (0, 0),
            dice: dice.other(2),
            // Most hosts are kept in time; some nobody looks after.
            skew: [1, 10, 100, 3_000][dice.below(4) as usize] * MS,
            handoffs: 0,
            killed: BTreeSet::new(),
        };
        let (desk, requests) = bounded(64);
        let clock = ClockSetting { tick: stage.course.start, unix_ns: EPOCH, warp: 1.0 };
        let mut world = Self {
            stage,
            shared: Rc::new(RefCell::new(shared)),
            harbour: None,
            left: Some((Store::in_memory().unwrap(), 0)),
            desk,
            requests,
            base: Instant::now(),
            clock,
            crews: BTreeMap::new(),
            log: Vec::new(),
            faults: Vec::new(),
            violations: Vec::new(),
            doomed: None,
            zombies: BTreeMap::new(),
            turns: 0,
        };
        world.start_harbour();
        world
    }

    pub fn now(&self) -> u64 {
        self.shared.borrow().net.now
    }

    fn moment(&self) -> Moment {
        let now = self.now();
        Moment { instant: self.base + Duration::from_nanos(now), unix_ns: EPOCH + now }
    }

    fn start_harbour(&mut self) {
        let Some((store, _)) = self.left.take() else { return };
        let config = HarbourConfig {
            course: Arc::clone(&self.stage.course),
            course_dir: PathBuf::from("regions/gullwing"),
            seed: 7,
            clock: self.clock,
            authority: self.stage.authority.certificate().to_vec(),
            record: None,
        };
        let authority = Arc::clone(&self.stage.authority);
        let clerks = Clerks {
            boat: Box::new(|boat| {
                boats::named(boat.as_str().unwrap_or_default()).cloned().ok_or_else(|| "no such boat".into())
            }),
            navigable: Box::new(|_, _| true),
            ticket: Box::new(move |vessel, key| {
                authority.ticket(vessel, Rights::Sail, 4_000_000_000, key).map_err(|error| error.to_string())
            }),
        };
        {
            let mut shared = self.shared.borrow_mut();
            shared.net.born(Node::Harbour);
            shared.line_events.clear();
            shared.lines.clear();
            // What had ended while nobody watched is told by `adopt`.
            shared.engine_events.clear();
        }
        let engine = PlayedEngine(Rc::clone(&self.shared));
        let lines = PlayedLines(Rc::clone(&self.shared));
        let requests = self.requests.clone();
        let harbour = Harbour::new(config, clerks, engine, lines, requests, store, self.moment()).unwrap();
        self.harbour = Some(harbour);
    }

    pub fn kill_harbour(&mut self, for_ns: u64) {
        let Some(harbour) = self.harbour.take() else { return };
        let (_, _, store) = harbour.abandon();
        let mut shared = self.shared.borrow_mut();
        shared.net.died(Node::Harbour, false);
        self.left = Some((store, shared.net.now + for_ns));
    }

    pub fn harbour_is_over(&self) -> bool {
        self.harbour.as_ref().is_some_and(Harbour::is_over)
    }

    /// Regions whose process runs.
    pub fn running(&self) -> Vec<RegionId> {
        let shared = self.shared.borrow();
        shared
            .processes
            .iter()
            .filter(|(_, p)| p.ended.is_none() && p.region.is_some())
            .map(|(&id, _)| id)
            .collect()
    }

    pub fn not_ended(&self) -> Vec<RegionId> {
        let shared = self.shared.borrow();
        shared.processes.iter().filter(|(_, p)| p.ended.is_none()).map(|(&id, _)| id).collect()
    }

    /// Regions that own a vessel.
    pub fn owners(&self) -> Vec<RegionId> {
        let shared = self.shared.borrow();
        let owns = |p: &Process| p.region.as_ref().is_some_and(|r| !r.sim().ids().is_empty());
        shared.processes.iter().filter(|(_, p)| p.ended.is_none() && owns(p)).map(|(&id, _)| id).collect()
    }

    pub fn kill(&mut self, region: RegionId) {
        self.shared.borrow_mut().kill(region, "signal: 9");
    }

    /// A vessel brings its region down: its console names it.
    #[allow(dead_code, reason = "for the tests of mooring")]
    pub fn sink(&mut self, region: RegionId, vessel: VesselId) {
        let mut shared = self.shared.borrow_mut();
        shared.kill(region, "signal: 6");
        if let Some(EngineEvent::Ended { console, .. }) = shared.engine_events.back_mut() {
            console.push(format!("fairway-region: while sailing vessel {}", vessel.0));
        }
    }

    /// How many vessels a region owns, and how many shadows it keeps of this world's crews' vessels.
    #[allow(dead_code, reason = "for the tests of mooring")]
    pub fn held_by(&self, id: RegionId) -> (usize, usize) {
        let shared = self.shared.borrow();
        let Some(region) = shared.processes.get(&id).and_then(|process| process.region.as_ref()) else {
            return (0, 0);
        };
        let shadows = self.crews.keys().filter(|&&vessel| region.shadow(vessel).is_some()).count();
        (region.sim().ids().len(), shadows)
    }

    /// A vessel as it is where it is owned: the region, and the vessel with the tick of its state.
    #[allow(dead_code, reason = "for the tests of mooring")]
    pub fn vessel(&self, id: VesselId) -> Option<(RegionId, Vessel, Tick)> {
        let shared = self.shared.borrow();
        shared.processes.iter().filter(|(_, process)| process.ended.is_none()).find_map(
            |(&number, process)| {
                let region = process.region.as_ref()?;
                region.epoch(id)?;
                Some((number, region.sim().vessel(id)?, region.tick()))
            },
        )
    }

    /// Kills a region and wakes an image of it later.
    pub fn kill_and_restore(&mut self, region: RegionId, after: u64) {
        let now = self.now();
        let taken = self.shared.borrow_mut().processes.get_mut(&region).and_then(|p| p.region.take());
        self.kill(region);
        if let Some(image) = taken {
            self.zombies.insert(region, (now + after, image));
        }
    }

    pub fn stop_for(&mut self, region: RegionId, for_ns: u64) {
        let mut shared = self.shared.borrow_mut();
        let until = shared.net.now + for_ns;
        if let Some(process) = shared.processes.get_mut(&region) {
            process.stopped_until = until;
        }
    }

    pub fn ask(&mut self, request: Request) -> oneshot::Receiver<Answer> {
        let (reply, answer) = oneshot::channel();
        self.desk.send(Asked { request, reply }).unwrap();
        answer
    }

    pub fn answer(&mut self, request: &Request, patience: u64) -> Option<Answer> {
        let mut answer = self.ask(request.clone());
        let until = self.now() + patience;
        while self.now() < until {
            self.turn();
            if let Ok(answer) = answer.try_recv() {
                return Some(answer);
            }
        }
        None
    }

    pub fn book(&mut self, boat: &str) -> VesselId {
        let key = fairway::config::to_hex(&key_of(VesselId(self.crews.len() as u32 + 1)));
        let request = Request::Book(BookingRequest { boat: boat.into(), key, name: None });
        let answer = self.answer(&request, 10 * S).expect("a booking is answered");
        assert!(answer.status == 201, "{answer:?}");
        let passage: PassageAnswer = serde_json::from_str(&answer.body).unwrap();
        let vessel = VesselId(passage.vessel);
        let region = passage.region.unwrap();
        let booking = Booking {
            vessel,
            ticket: fairway::config::from_hex(&passage.ticket.unwrap()).unwrap(),
            addr: region.addr,
            name: region.name,
            authority: None,
            boat: None,
        };
        self.shared.borrow_mut().net.born(Node::Crew(vessel));
        let crew =
            Crew { session: Session::new(booking, 7), last_tick: Tick(0), last_heard: self.now(), states: 0 };
        self.crews.insert(vessel, crew);
        vessel
    }

    pub fn passage(&mut self, vessel: VesselId) -> Option<(PassageState, String)> {
        let answer = self.answer(&Request::Passage(vessel), 5 * S)?;
        let passage: PassageAnswer = serde_json::from_str(&answer.body).ok()?;
        Some((passage.state, passage.reason.unwrap_or_default()))
    }

    pub fn status(&mut self) -> Option<StatusAnswer> {
        serde_json::from_str(&self.answer(&Request::Status { brief: false }, 5 * S)?.body).ok()
    }

    pub fn run_until(&mut self, until: u64) {
        while self.now() < until {
            self.turn();
        }
    }

    /// One quantum.
    pub fn turn(&mut self) {
        self.turns += 1;
        self.shared.borrow_mut().net.now += QUANTUM;
        let now = self.now();
        if self.left.as_ref().is_some_and(|(_, at)| *at <= now) {
            self.start_harbour();
        }
        self.boot(now);
        self.wake_zombies(now);
        self.deliver();
        self.sail(now);
        if self.turns.is_multiple_of(2) {
            let moment = self.moment();
            if let Some(harbour) = &mut self.harbour {
                harbour.step(moment);
            }
        }
        if self.turns.is_multiple_of(5) {
            let instant = self.moment().instant;
            let mut shared = self.shared.borrow_mut();
            for (&vessel, crew) in &mut self.crews {
                crew.session.tend(instant, &mut CrewLine(&mut shared.net, vessel));
            }
        }
        if self.turns.is_multiple_of(90) {
            self.seek();
        }
    }

    /// Crews that do not hear of their vessel ask the harbour where it is, as people do.
    fn seek(&mut self) {
        let instant = self.moment().instant;
        let asking: Vec<VesselId> =
            self.crews.iter().filter(|(_, c)| c.session.is_astray(instant)).map(|(&v, _)| v).collect();
        for vessel in asking {
            if self.harbour.is_none() {
                return;
            }
            let mut answer = self.ask(Request::Passage(vessel));
            let moment = self.moment();
            if let Some(harbour) = &mut self.harbour {
                harbour.step(moment);
            }
            let region = answer
                .try_recv()
                .ok()
                .and_then(|answer| serde_json::from_str::<PassageAnswer>(&answer.body).ok())
                .and_then(|passage| passage.region);
            let mut shared = self.shared.borrow_mut();
            if let (Some(region), Some(crew)) = (region, self.crews.get_mut(&vessel)) {
                let line = &mut CrewLine(&mut shared.net, vessel);
                crew.session.seek(region.addr, region.name, instant, line);
            }
        }
    }

    fn boot(&mut self, now: u64) {
        let mut shared = self.shared.borrow_mut();
        let shared = &mut *shared;
        for (&id, process) in &mut shared.processes {
            if process.region.is_some() || process.ended.is_some() || process.boots_at > now {
                continue;
            }
            let config = RegionConfig {
                id,
                name: process.spec.name.clone(),
                area: process.spec.cell.area(self.stage.course.cell_m),
                clock: self.clock,
                authority: Some(authority_key(self.stage.authority.certificate()).unwrap()),
                log: true,
            };
            let clock = process.host_now(now);
            let tick = self.clock.due(clock.unix_ns);
            let mut region = Region::new(config, Arc::clone(&self.stage.sea), tick);
            region.step();
            process.last_due = tick;
            process.region = Some(region);
            shared.net.born(Node::Region(id));
            let addr = SocketAddr::from(([127, 0, 0, 1], 4000));
            let info = ReadyInfo { addr, key: [7; 32], start_to_tick_us: 4_000 };
            shared.engine_events.push_back(EngineEvent::Ready { region: id, info });
        }
    }

    /// Images of dead regions that somebody restores: all their circuits are gone.
    fn wake_zombies(&mut self, now: u64) {
        let due: Vec<RegionId> =
            self.zombies.iter().filter(|(_, (at, _))| *at <= now).map(|(&id, _)| id).collect();
        for id in due {
            let Some((_, mut region)) = self.zombies.remove(&id) else { continue };
            let mut shared = self.shared.borrow_mut();
            let Some(process) = shared.processes.get_mut(&id) else { continue };
            region.set_now(process.host_now(now));
            process.region = Some(region);
            for circuit in shared.net.circuits_of(Node::Region(id)) {
                if let Some(region) = shared.processes.get_mut(&id).and_then(|p| p.region.as_mut()) {
                    region.closed(circuit);
                }
            }
            shared.net.born(Node::Region(id));
        }
    }

    fn deliver(&mut self) {
        let events = {
            let mut shared = self.shared.borrow_mut();
            let shared = &mut *shared;
            let (processes, now) = (&shared.processes, shared.net.now);
            let harbour_up = self.harbour.is_some();
            shared.net.deliver(|node| match node {
                Node::Harbour => harbour_up,
                Node::Region(id) => {
                    processes.get(&id).is_some_and(|p| p.region.is_some() && p.stopped_until <= now)
                }
                Node::Crew(_) => true,
            })
        };
        for (node, event) in events {
            match node {
                Node::Harbour => self.deliver_to_harbour(event),
                Node::Region(id) => self.deliver_to_region(id, event),
                Node::Crew(vessel) => self.deliver_to_crew(vessel, event),
            }
        }
    }

    fn deliver_to_harbour(&mut self, event: Event) {
        let mut shared = self.shared.borrow_mut();
        let of = |shared: &Shared, circuit: CircuitId| {
            shared.lines.iter().find(|(_, known)| **known == circuit).map(|(&region, _)| region)
        };
        match event {
            Event::Opened(circuit, _) => {
                if let Some(region) = of(&shared, circuit) {
                    shared.line_events.push_back(LineEvent::Open(region));
                }
            }
            Event::Received(circuit, message) => {
                if let Some(region) = of(&shared, circuit) {
                    shared.line_events.push_back(LineEvent::Heard(region, message));
                }
            }
            Event::Closed(circuit) => {
                if let Some(region) = of(&shared, circuit) {
                    shared.lines.remove(&region);
                    shared.line_events.push_back(LineEvent::Lost(region, "the circuit is gone".into()));
                }
            }
        }
    }

    fn deliver_to_region(&mut self, id: RegionId, event: Event) {
        let word = match &event {
            Event::Received(_, Message::Handoff(word)) => kind(word),
            _ => 9,
        };
        let dies = self.doomed.filter(|doom| !doom.sender && doom.word == word);
        if dies.is_some_and(|doom| !doom.after) {
            self.die_at_word(id, "hearing");
            return;
        }
        {
            let mut shared = self.shared.borrow_mut();
            let now = shared.net.now;
            let Some(process) = shared.processes.get_mut(&id) else { return };
            let host_now = process.host_now(now);
            let Some(region) = &mut process.region else { return };
            region.set_now(host_now);
            match event {
                Event::Opened(circuit, peer) => region.opened(circuit, peer),
                Event::Received(circuit, message) => region.received(circuit, message),
                Event::Closed(circuit) => region.closed(circuit),
            }
        }
        if dies.is_some() {
            self.die_at_word(id, "having heard");
            return;
        }
        self.act(id);
    }

    fn die_at_word(&mut self, id: RegionId, when: &str) {
        let doom = self.doomed.take();
        self.faults.push(format!("{id:?} dies {when} a word, {doom:?}"));
        self.kill(id);
    }

    fn deliver_to_crew(&mut self, vessel: VesselId, event: Event) {
        let instant = self.moment().instant;
        let mut shared = self.shared.borrow_mut();
        let now = shared.net.now;
        let Some(crew) = self.crews.get_mut(&vessel) else { return };
        let mut line = CrewLine(&mut shared.net, vessel);
        match event {
            Event::Opened(circuit, _) => crew.session.opened(circuit, &mut line),
            Event::Received(circuit, message) => {
                crew.session.received(circuit, message, instant, &mut line);
            }
            Event::Closed(circuit) => crew.session.closed(circuit, "the circuit is gone"),
        }
        let progress = crew.session.progress();
        if progress.states > crew.states {
            if progress.tick <= crew.last_tick {
                let back = format!("crew of {} saw {:?} after {:?}", vessel.0, progress.tick, crew.last_tick);
                self.violations.push(back);
            }
            (crew.states, crew.last_tick, crew.last_heard) = (progress.states, progress.tick, now);
        }
    }

    fn sail(&mut self, now: u64) {
        let ids: Vec<RegionId> = self.shared.borrow().processes.keys().copied().collect();
        for id in ids {
            {
                let mut shared = self.shared.borrow_mut();
                let Some(process) = shared.processes.get_mut(&id) else { continue };
                let host_now = process.host_now(now);
                let asleep = process.stopped_until > now;
                let Some(region) = process.region.as_mut().filter(|_| !asleep) else { continue };
                region.set_now(host_now);
                let due = self.clock.due(region.unix_ns());
                // As a real process: what fell due, twice over where there is a debt.
                let allowed = 2 * due.since(process.last_due) + 1;
                process.last_due = due;
                for _ in 0..allowed {
                    if region.tick() >= due {
                        break;
                    }
                    region.set_now(host_now);
                    if !region.step() {
                        break;
                    }
                }
                region.pump(host_now, &|_| Some(Duration::from_millis(8)));
            }
            self.act(id);
        }
    }

    /// Does what a region asks for.
    fn act(&mut self, id: RegionId) {
        loop {
            let mut shared = self.shared.borrow_mut();
            let shared = &mut *shared;
            let now = shared.net.now;
            let Some(process) = shared.processes.get_mut(&id) else { return };
            let zombie = process.ended.is_some();
            let Some(region) = &mut process.region else { return };
            let Some(action) = region.poll_action() else { return };
            match action {
                Action::Send { circuit, message, way, .. } => {
                    let word = match &message {
                        Message::Handoff(word) => kind(word),
                        _ => 9,
                    };
                    let dies = self.doomed.filter(|doom| doom.sender && doom.word == word);
                    if dies.is_none_or(|doom| doom.after) {
                        shared.net.send(circuit, message, way);
                    }
                    if dies.is_some() {
                        let doom = self.doomed.take();
                        self.faults.push(format!("{id:?} dies sending a word, {doom:?}"));
                        shared.kill(id, "signal: 9");
                        return;
                    }
                }
                Action::Dial { region: target, name, .. } => {
                    let ours = Peer::Region(process.spec.name.clone());
                    let theirs = Peer::Region(name);
                    let circuit = shared.net.dial(Node::Region(id), Node::Region(target), ours, theirs);
                    region.dialled(target, circuit);
                }
                Action::Close(circuit) => {
                    shared.net.close(circuit);
                    region.closed(circuit);
                }
                Action::Log(logged) => self.log.push(Entry { region: id, zombie, logged }),
                Action::Stop => {
                    shared.handoffs += u64::from(region.counts().handoffs);
                    process.region = None;
                    shared.net.died(Node::Region(id), true);
                    if process.ended.is_none() {
                        process.ended = Some(now);
                        let (how, console) = ("exit status: 0".to_owned(), Vec::new());
                        let ended = EngineEvent::Ended { region: id, how, clean: true, console };
                        shared.engine_events.push_back(ended);
                    }
                    return;
                }
                Action::Enrol(_) => {}
            }
        }
    }

    /// Regions that ended without being told to.
    pub fn killed(&self) -> BTreeSet<RegionId> {
        self.shared.borrow().killed.clone()
    }
}

impl Process {
    fn host_now(&self, now: u64) -> Now {
        let drift = (now as i64 / 1_000_000) * self.drift_ppm;
        let skewed = (now as i64 + self.offset + drift).max(0) as u64;
        Now { unix_ns: EPOCH + skewed, boot_ns: self.booted + (now as i64 + drift) as u64 }
    }
}
