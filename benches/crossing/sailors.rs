//! Clients: the project's own pilot sessions, with a clock beside each.
//!
//! All clients of one network share one endpoint and one key, as the pilots of one `fairway sail` do. One of a
//! vessel's clients has the helm; the others look on: the orders of their pilots are not sent.

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use fairway::clock;
use fairway::config::to_hex;
use fairway::harbour::client::HarbourClient;
use fairway::net::{CircuitId, Endpoint, EndpointConfig, Event, Expect, Identity, Way};
use fairway::pilots::{Booking, Line, Session};
use fairway::units::{Tick, VesselId};
use fairway::wire::Message;
use fairway::wire::message::{ClockSetting, Epoch, State};

use crate::relay::Relay;

/// Pause between two rounds of chores, as the project's own pilots have it.
const CHORES: Duration = Duration::from_millis(50);
/// Events handled before chores are due again even when more wait.
const EVENTS_AT_ONCE: usize = 4_096;
/// Pause between two questions to the harbour about vessels that went astray.
const ASK_EVERY: Duration = Duration::from_millis(250);
/// Orders that wait for their effect at once: a minute without any.
const ORDERS: usize = 512;

/// One client: what it needs to come aboard, and whether it has the helm.
pub(crate) struct Berth {
    pub(crate) booking: Booking,
    pub(crate) steers: bool,
}

/// A state as it was taken: newer than all before it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Arrival {
    pub(crate) at: Instant,
    pub(crate) tick: Tick,
    pub(crate) epoch: Epoch,
    /// From when its tick was due by the course's clock until it was taken, milliseconds: both ends are of one host.
    pub(crate) age_ms: f64,
}

/// What one client saw.
#[derive(Clone, Debug)]
pub(crate) struct Seen {
    pub(crate) vessel: VesselId,
    pub(crate) arrivals: Vec<Arrival>,
    /// When each order was sent, and how long after that a state felt it, or a later one.
    pub(crate) delays: Vec<(Instant, Duration)>,
    /// Why it ended early, if it did.
    pub(crate) error: Option<String>,
}

/// The clock beside one pilot.
struct Watch {
    steers: bool,
    /// The crew session that the last Welcome gave.
    session: Option<u32>,
    clock: Option<ClockSetting>,
    orders: VecDeque<(u32, Instant)>,
    seen: Seen,
}

impl Watch {
    fn sent(&mut self, seq: u32) {
        if self.orders.len() == ORDERS {
            self.orders.pop_front();
        }
        self.orders.push_back((seq, clock::now()));
    }

    fn state(&mut self, state: &State, now: Instant) {
        if state.vessel != self.seen.vessel {
            return;
        }
        if Some(state.session) == self.session {
            while let Some(&(seq, sent)) = self.orders.front()
                && seq <= state.seq
            {
                self.orders.pop_front();
                self.seen.delays.push((sent, now.saturating_duration_since(sent)));
            }
        }
        let newer = |last: &Arrival| state.epoch >= last.epoch && state.tick > last.tick;
        if self.seen.arrivals.last().is_none_or(newer) {
            let age_ms = self.clock.map_or(0.0, |clock| age_ms(clock, state.tick));
            self.seen.arrivals.push(Arrival { at: now, tick: state.tick, epoch: state.epoch, age_ms });
        }
    }
}

/// How long ago a tick was due, milliseconds; at warp 1.
#[expect(clippy::cast_precision_loss, reason = "minutes, in nanoseconds")]
fn age_ms(clock: ClockSetting, tick: Tick) -> f64 {
    let passed_ms = clock::unix_ns().saturating_sub(clock.unix_ns) as f64 * 1e-6;
    passed_ms - Tick(tick.since(clock.tick)).seconds() * 1e3
}

/// One client at work.
struct Sailor {
    pilot: Session,
    watch: Watch,
}

/// Vessels that the harbour is asked for, and where it said that they are.
#[derive(Default)]
struct Bureau {
    wanted: BTreeSet<u32>,
    found: BTreeMap<u32, (SocketAddr, String)>,
}

/// Clients at work on a thread of their own.
pub(crate) struct Sailors {
    stop: Arc<AtomicBool>,
    aboard: Arc<AtomicUsize>,
    count: usize,
    thread: JoinHandle<Vec<Seen>>,
    inquirer: JoinHandle<()>,
}

/// A key, and the endpoint that shows it.
pub(crate) struct Quay {
    endpoint: Endpoint,
    /// SHA-256 of the key, hexadecimal, as bookings want it.
    pub(crate) key: String,
}

impl Quay {
    pub(crate) fn open() -> Self {
        let identity = Identity::generate().expect("a key can be made");
        let key = to_hex(&identity.key_hash());
        let endpoint = Endpoint::open(EndpointConfig {
            listen: SocketAddr::from(([127, 0, 0, 1], 0)),
            identity,
            authority: None,
            serve: Vec::new(),
        })
        .expect("a port is free");
        Self { endpoint, key }
    }
}

impl Sailors {
    /// Sends clients aboard, through a bad network where there is one.
    pub(crate) fn start(quay: Quay, relay: Option<Relay>, client: HarbourClient, berths: Vec<Berth>) -> Self {
        let count = berths.len();
        let sailors: Vec<Sailor> = berths.into_iter().map(sailor).collect();
        let stop = Arc::new(AtomicBool::new(false));
        let aboard = Arc::new(AtomicUsize::new(0));
        let bureau = Arc::new(Mutex::new(Bureau::default()));
        let (stopped, desk) = (Arc::clone(&stop), Arc::clone(&bureau));
        let inquirer = std::thread::spawn(move || inquire(&client, &desk, &stopped));
        let (stopped, told) = (Arc::clone(&stop), Arc::clone(&aboard));
        let thread = std::thread::Builder::new()
            .name("sailors".to_owned())
            .spawn(move || {
                let mut crew = Crew { endpoint: quay.endpoint, relay, owners: HashMap::new(), sailors };
                crew.serve(&bureau, &stopped, &told)
            })
            .expect("a thread can be started");
        Self { stop, aboard, count, thread, inquirer }
    }

    /// Waits until everyone has come aboard.
    pub(crate) fn wait_until_aboard(&self, patience: Duration) {
        let until = clock::now() + patience;
        while self.aboard.load(Ordering::Relaxed) < self.count {
            let aboard = self.aboard.load(Ordering::Relaxed);
            assert!(clock::now() < until, "{aboard} of {} came aboard within {patience:?}", self.count);
            std::thread::sleep(CHORES);
        }
    }

    /// Takes them off; what they saw, in the order of their berths.
    pub(crate) fn finish(self) -> Vec<Seen> {
        self.stop.store(true, Ordering::Relaxed);
        let _ = self.inquirer.join();
        self.thread.join().expect("the sailors' thread does not panic")
    }
}

fn sailor(berth: Berth) -> Sailor {
    let seen = Seen { vessel: berth.booking.vessel, arrivals: Vec::new(), delays: Vec::new(), error: None };
    let watch = Watch { steers: berth.steers, session: None, clock: None, orders: VecDeque::new(), seen };
    Sailor { pilot: Session::new(berth.booking, 1), watch }
}

/// Asks the harbour for vessels that went astray, until it is over.
fn inquire(client: &HarbourClient, bureau: &Mutex<Bureau>, stop: &AtomicBool) {
    let open = || bureau.lock().unwrap_or_else(PoisonError::into_inner);
    while !stop.load(Ordering::Relaxed) {
        let wanted = std::mem::take(&mut open().wanted);
        for vessel in wanted {
            let region = client.passage(vessel).ok().and_then(|passage| passage.region);
            if let Some(region) = region {
                open().found.insert(vessel, (region.addr, region.name));
            }
        }
        std::thread::sleep(ASK_EVERY);
    }
}

struct Crew {
    endpoint: Endpoint,
    relay: Option<Relay>,
    /// Looked up by key only, never walked.
    owners: HashMap<CircuitId, usize>,
    sailors: Vec<Sailor>,
}

/// The network as one pilot has it.
struct Switchboard<'a> {
    endpoint: &'a Endpoint,
    relay: Option<&'a mut Relay>,
    owners: &'a mut HashMap<CircuitId, usize>,
    watch: &'a mut Watch,
    number: usize,
}

impl Line for Switchboard<'_> {
    fn dial(&mut self, addr: SocketAddr, name: &str, expect: Expect) -> CircuitId {
        let addr = self.relay.as_mut().map_or(addr, |relay| relay.door(addr));
        let id = self.endpoint.dial(addr, name, expect);
        self.owners.insert(id, self.number);
        id
    }

    fn send(&mut self, circuit: CircuitId, message: Message, way: Way) {
        if let Message::Helm { seq, .. } = message {
            if !self.watch.steers {
                return;
            }
            self.watch.sent(seq);
        }
        self.endpoint.send(circuit, None, message, way);
    }

    fn close(&mut self, circuit: CircuitId) {
        self.owners.remove(&circuit);
        self.endpoint.close(circuit);
    }
}

impl Crew {
    fn serve(&mut self, bureau: &Mutex<Bureau>, stop: &AtomicBool, aboard: &AtomicUsize) -> Vec<Seen> {
        while !stop.load(Ordering::Relaxed) {
            let due = self.chores(bureau, aboard);
            for _ in 0..EVENTS_AT_ONCE {
                let left = due.saturating_duration_since(clock::now());
                let Ok(event) = self.endpoint.events().recv_timeout(left) else { break };
                self.hand_on(event);
            }
        }
        let mut all = Vec::with_capacity(self.sailors.len());
        for (number, sailor) in std::mem::take(&mut self.sailors).into_iter().enumerate() {
            let Sailor { pilot, mut watch } = sailor;
            let mut line = Switchboard {
                endpoint: &self.endpoint,
                relay: self.relay.as_mut(),
                owners: &mut self.owners,
                watch: &mut watch,
                number,
            };
            let error = pilot.finish(&mut line).error;
            watch.seen.error = error;
            all.push(watch.seen);
        }
        all
    }

    /// Does something as one of the pilots.
    fn at(&mut self, number: usize, act: impl FnOnce(&mut Session, &mut Switchboard<'_>)) {
        let Sailor { pilot, watch } = &mut self.sailors[number];
        let relay = self.relay.as_mut();
        let mut line =
            Switchboard { endpoint: &self.endpoint, relay, owners: &mut self.owners, watch, number };
        act(pilot, &mut line);
    }

    /// Tends every pilot, has the harbour asked for those that went astray; returns when that is due again.
    fn chores(&mut self, bureau: &Mutex<Bureau>, aboard: &AtomicUsize) -> Instant {
        let now = clock::now();
        let mut bureau = bureau.lock().unwrap_or_else(PoisonError::into_inner);
        for number in 0..self.sailors.len() {
            let vessel = self.sailors[number].watch.seen.vessel;
            let found = bureau.found.get(&vessel.0).cloned();
            let mut astray = false;
            self.at(number, |pilot, line| {
                astray = pilot.is_astray(now);
                if let Some((addr, name)) = found.filter(|_| astray) {
                    pilot.seek(addr, name, now, line);
                }
                pilot.tend(now, line);
            });
            if astray {
                bureau.wanted.insert(vessel.0);
            }
        }
        bureau.found.clear();
        let arrived = self.sailors.iter().filter(|sailor| !sailor.watch.seen.arrivals.is_empty()).count();
        aboard.store(arrived, Ordering::Relaxed);
        now + CHORES
    }

    fn hand_on(&mut self, event: Event) {
        let (Event::Opened { circuit, .. } | Event::Received { circuit, .. } | Event::Closed { circuit, .. }) =
            &event;
        // Circuits that were closed from here may still have words under way.
        let Some(&number) = self.owners.get(circuit) else { return };
        let now = clock::now();
        self.at(number, |pilot, line| match event {
            Event::Opened { circuit, .. } => pilot.opened(circuit, line),
            Event::Received { circuit, message, .. } => {
                match &message {
                    Message::State(state) => line.watch.state(state, now),
                    Message::Welcome { session, clock, .. } => {
                        (line.watch.session, line.watch.clock) = (Some(*session), Some(*clock));
                    }
                    _ => {}
                }
                pilot.received(circuit, message, now, line);
            }
            Event::Closed { circuit, reason } => {
                line.owners.remove(&circuit);
                pilot.closed(circuit, &reason);
            }
        });
    }
}
