//! Many pilots on one thread over one endpoint.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use crossbeam::channel::RecvTimeoutError;
use glam::DVec2;

use super::session::{Line, Outcome, Session};
use crate::clock;
use crate::net::{CircuitId, Endpoint, Event, Expect, Way};
use crate::units::{Tick, VesselId};
use crate::vessel::BoatSpec;
use crate::wire::Message;

/// Pause between two rounds of chores: dialling, dropping circuits, the shared snapshot.
const CHORES: Duration = Duration::from_millis(50);
/// Events handled before chores are due again even when more wait.
const EVENTS_AT_ONCE: usize = 4_096;
/// How long circuits may take to say good-bye.
const FAREWELL: Duration = Duration::from_millis(100);

/// What a pilot needs to come aboard.
#[derive(Clone, Debug)]
pub struct Booking {
    /// The vessel; a region without a harbour gives its own number.
    pub vessel: VesselId,
    /// The ticket's signed bytes; empty at a region without a harbour.
    pub ticket: Vec<u8>,
    /// Where the region listens.
    pub addr: SocketAddr,
    /// The server name that chooses it.
    pub name: String,
    /// DER certificate of the authority that signs the regions; `None` accepts anyone.
    pub authority: Option<Vec<u8>>,
    /// The boat, at a region without a harbour.
    pub boat: Option<BoatSpec>,
}

/// How one pilot gets on.
#[derive(Clone, Debug, PartialEq)]
pub struct PilotProgress {
    /// The vessel.
    pub vessel: VesselId,
    /// Tick of the last state.
    pub tick: Tick,
    /// Place, course frame, metres.
    pub place: DVec2,
    /// Heading, radians clockwise from north.
    pub heading_rad: f64,
    /// Speed over the ground, m/s.
    pub speed_mps: f64,
    /// Heel, radians, positive to starboard.
    pub heel_rad: f64,
    /// Marks passed.
    pub marks_passed: u16,
    /// Marks of its passage.
    pub marks: usize,
    /// Handoffs so far.
    pub handoffs_seen: u32,
    /// States received so far.
    pub states: u64,
    /// Whether it ever came aboard.
    pub joined: bool,
    /// The tick at which it finished.
    pub finished: Option<Tick>,
    /// Whether it has not heard of its vessel for a while: see [`Crew::seek`].
    pub astray: bool,
    /// Whether it is done, one way or the other.
    pub over: bool,
}

/// Where vessels are said to be whose pilots have lost them.
type Sought = Mutex<Vec<(VesselId, SocketAddr, String)>>;

/// Pilots at work on a thread of their own.
#[derive(Debug)]
pub struct Crew {
    stop: Arc<AtomicBool>,
    snapshot: Arc<Mutex<Vec<PilotProgress>>>,
    sought: Arc<Sought>,
    thread: JoinHandle<Vec<Outcome>>,
}

impl Crew {
    /// Sends pilots aboard: all of them over one endpoint, whose key their tickets must name.
    ///
    /// # Errors
    /// When the thread cannot be started.
    pub fn start(endpoint: Endpoint, bookings: Vec<Booking>, seed: u64) -> Result<Self, std::io::Error> {
        let sessions: Vec<Session> =
            bookings.into_iter().map(|booking| Session::new(booking, seed)).collect();
        let stop = Arc::new(AtomicBool::new(false));
        let snapshot = Arc::new(Mutex::new(sessions.iter().map(Session::progress).collect()));
        let sought = Arc::new(Sought::default());
        let (stopping, shared, found) = (Arc::clone(&stop), Arc::clone(&snapshot), Arc::clone(&sought));
        let thread = std::thread::Builder::new()
            .name("pilots".to_owned())
            .spawn(move || serve(&endpoint, sessions, &stopping, &shared, &found))?;
        Ok(Self { stop, snapshot, sought, thread })
    }

    /// How each pilot gets on, in the order of the bookings; a few times a second it is renewed.
    #[must_use]
    pub fn progress(&self) -> Vec<PilotProgress> {
        self.snapshot.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Says where a vessel is whose pilot is astray: whoever can ask the harbour knows.
    pub fn seek(&self, vessel: VesselId, addr: SocketAddr, name: String) {
        let mut sought = self.sought.lock().unwrap_or_else(PoisonError::into_inner);
        // One place each; the newest counts.
        sought.retain(|(other, ..)| *other != vessel);
        sought.push((vessel, addr, name));
    }

    /// Whether every pilot is done.
    #[must_use]
    pub fn done(&self) -> bool {
        self.thread.is_finished() || self.progress().iter().all(|pilot| pilot.over)
    }

    /// Takes the pilots off their vessels and tells what became of each, in the order of the bookings.
    ///
    /// # Panics
    /// When the pilots' thread panicked: a broken invariant there.
    #[must_use]
    pub fn finish(self) -> Vec<Outcome> {
        self.stop.store(true, Ordering::Relaxed);
        match self.thread.join() {
            Ok(outcomes) => outcomes,
            Err(panic) => std::panic::resume_unwind(panic),
        }
    }
}

/// An endpoint, and whose circuit is whose.
struct Switchboard<'a> {
    endpoint: &'a Endpoint,
    owners: &'a mut HashMap<CircuitId, usize>,
    pilot: usize,
}

impl Line for Switchboard<'_> {
    fn dial(&mut self, addr: SocketAddr, name: &str, expect: Expect) -> CircuitId {
        let id = self.endpoint.dial(addr, name, expect);
        self.owners.insert(id, self.pilot);
        id
    }

    fn send(&mut self, circuit: CircuitId, message: Message, way: Way) {
        self.endpoint.send(circuit, None, message, way);
    }

    fn close(&mut self, circuit: CircuitId) {
        self.owners.remove(&circuit);
        self.endpoint.close(circuit);
    }
}

fn serve(
    endpoint: &Endpoint,
    mut sessions: Vec<Session>,
    stop: &AtomicBool,
    shared: &Mutex<Vec<PilotProgress>>,
    sought: &Sought,
) -> Vec<Outcome> {
    // Looked up by key only, never walked.
    let mut owners = HashMap::new();
    while !stop.load(Ordering::Relaxed) {
        let due = chores(endpoint, &mut owners, &mut sessions, shared);
        for (vessel, addr, name) in
            std::mem::take(&mut *sought.lock().unwrap_or_else(PoisonError::into_inner))
        {
            if let Some(pilot) = sessions.iter().position(|session| session.vessel() == vessel) {
                let mut line = Switchboard { endpoint, owners: &mut owners, pilot };
                sessions[pilot].seek(addr, name, clock::now(), &mut line);
            }
        }
        for _ in 0..EVENTS_AT_ONCE {
            let left = due.saturating_duration_since(clock::now());
            match endpoint.events().recv_timeout(left) {
                Ok(event) => hand_on(endpoint, &mut owners, &mut sessions, event),
                Err(RecvTimeoutError::Timeout) => break,
                Err(RecvTimeoutError::Disconnected) => {
                    stop.store(true, Ordering::Relaxed);
                    break;
                }
            }
        }
    }
    let mut outcomes = Vec::with_capacity(sessions.len());
    for (pilot, session) in sessions.into_iter().enumerate() {
        outcomes.push(session.finish(&mut Switchboard { endpoint, owners: &mut owners, pilot }));
    }
    // The endpoint sends what is queued before it is dropped only if it gets a moment.
    std::thread::sleep(FAREWELL);
    outcomes
}

/// Tends every session, renews the snapshot; returns when that is due again.
fn chores(
    endpoint: &Endpoint,
    owners: &mut HashMap<CircuitId, usize>,
    sessions: &mut [Session],
    shared: &Mutex<Vec<PilotProgress>>,
) -> Instant {
    let now = clock::now();
    for (pilot, session) in sessions.iter_mut().enumerate() {
        session.tend(now, &mut Switchboard { endpoint, owners: &mut *owners, pilot });
    }
    let seen = |session: &Session| PilotProgress { astray: session.is_astray(now), ..session.progress() };
    let fresh: Vec<PilotProgress> = sessions.iter().map(seen).collect();
    *shared.lock().unwrap_or_else(PoisonError::into_inner) = fresh;
    now + CHORES
}

fn hand_on(
    endpoint: &Endpoint,
    owners: &mut HashMap<CircuitId, usize>,
    sessions: &mut [Session],
    event: Event,
) {
    let (Event::Opened { circuit, .. } | Event::Received { circuit, .. } | Event::Closed { circuit, .. }) =
        &event;
    // Circuits that were closed from here may still have words under way.
    let Some(&pilot) = owners.get(circuit) else { return };
    let session = &mut sessions[pilot];
    let mut line = Switchboard { endpoint, owners, pilot };
    match event {
        Event::Opened { circuit, .. } => session.opened(circuit, &mut line),
        Event::Received { circuit, message, .. } => {
            session.received(circuit, message, clock::now(), &mut line);
        }
        Event::Closed { circuit, reason } => {
            line.owners.remove(&circuit);
            session.closed(circuit, &reason);
        }
    }
}
