//! A sailor with nothing to hide: joins with a booked ticket, steers ten times a second, and notes when
//! each state comes.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use fairway::net::{Endpoint, Event, Expect, Identity, Way};
use fairway::units::VesselId;
use fairway::vessel::Helm;
use fairway::wire::Message;
use fairway::wire::message::State;

use crate::port::{NAME, PATIENCE, Port, endpoint};

/// Time between two orders.
const ORDER_EVERY: Duration = Duration::from_millis(100);

/// What came.
#[derive(Debug, Default)]
struct Seen {
    arrivals: Vec<Instant>,
    last: Option<State>,
    sent: u32,
    closed: Option<String>,
}

/// An honest sailor under way.
pub struct Sailor {
    seen: Arc<Mutex<Seen>>,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
    pub key: [u8; 32],
    pub session: u32,
}

/// How the states came in a stretch of time.
#[derive(Clone, Copy, Debug)]
pub struct Stretch {
    pub states: usize,
    pub due: f64,
    /// Time between consecutive states, milliseconds.
    pub p50_ms: f64,
    pub p99_ms: f64,
    pub longest_ms: f64,
}

impl Sailor {
    /// Joins a vessel that is launched for it.
    pub fn join(port: &Port, vessel: u32) -> Self {
        let identity = Identity::generate().unwrap();
        let key = identity.key_hash();
        port.launch(vessel, key);
        let helm = Helm { rudder_rad: 0.05, throttle: 0.3, ..Helm::default() };
        Self::board(identity, (port.addr, NAME, port.expect()), vessel, port.ticket(vessel, key), helm)
    }

    /// Joins a vessel that is in the water at a region: its address, its name, and what it must show.
    pub fn board(
        identity: Identity,
        (addr, name, expect): (SocketAddr, &str, Expect),
        vessel: u32,
        ticket: Vec<u8>,
        helm: Helm,
    ) -> Self {
        let key = identity.key_hash();
        let line = endpoint(identity, None);
        let circuit = line.dial(addr, name, expect);
        let join = Message::Join { ticket, boat: None, resume: None };
        line.send(circuit, None, join, Way::Stream);
        let session = loop {
            match line.events().recv_timeout(PATIENCE).expect("a welcome") {
                Event::Received { message: Message::Welcome { session, .. }, .. } => break session,
                Event::Received { message: Message::Refused { reason }, .. } => panic!("refused: {reason}"),
                Event::Closed { reason, .. } => panic!("closed: {reason}"),
                _ => {}
            }
        };
        let (seen, stop) = (Arc::new(Mutex::new(Seen::default())), Arc::new(AtomicBool::new(false)));
        let (theirs, stopped) = (Arc::clone(&seen), Arc::clone(&stop));
        let thread = std::thread::spawn(move || {
            sail(&line, circuit, VesselId(vessel), helm, &theirs, &stopped);
        });
        let sailor = Self { seen, stop, thread: Some(thread), key, session };
        let begun = Instant::now();
        while !sailor.is_steering() {
            assert!(begun.elapsed() < PATIENCE, "no order of the sailor's was applied");
            std::thread::sleep(Duration::from_millis(20));
        }
        sailor
    }

    /// Whether the last state felt one of its orders.
    fn is_steering(&self) -> bool {
        let seen = self.seen.lock().unwrap();
        seen.last.as_ref().is_some_and(|state| state.session == self.session)
    }

    /// The last state, and the number of the last order that was sent.
    pub fn last(&self) -> (State, u32) {
        let seen = self.seen.lock().unwrap();
        assert_eq!(seen.closed, None, "an honest circuit was closed");
        (seen.last.clone().expect("a state"), seen.sent)
    }

    /// How the states came since a moment.
    pub fn since(&self, from: Instant) -> Stretch {
        let seen = self.seen.lock().unwrap();
        assert_eq!(seen.closed, None, "an honest circuit was closed");
        let arrivals: Vec<Instant> = seen.arrivals.iter().copied().filter(|&at| at >= from).collect();
        let mut gaps_ms: Vec<f64> =
            arrivals.windows(2).map(|pair| (pair[1] - pair[0]).as_secs_f64() * 1e3).collect();
        gaps_ms.sort_by(f64::total_cmp);
        assert!(gaps_ms.len() > 20, "{} states in {:?}", arrivals.len(), from.elapsed());
        let at = |share: f64| gaps_ms[((gaps_ms.len() - 1) as f64 * share) as usize];
        Stretch {
            states: arrivals.len(),
            due: from.elapsed().as_secs_f64() * 45.0,
            p50_ms: at(0.5),
            p99_ms: at(0.99),
            longest_ms: at(1.0),
        }
    }
}

impl Drop for Sailor {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn sail(
    line: &Endpoint,
    circuit: fairway::net::CircuitId,
    vessel: VesselId,
    helm: Helm,
    seen: &Mutex<Seen>,
    stop: &AtomicBool,
) {
    let mut ordered = Instant::now();
    while !stop.load(Ordering::Relaxed) {
        if let Ok(event) = line.events().recv_timeout(Duration::from_millis(20)) {
            let now = Instant::now();
            let mut seen = seen.lock().unwrap();
            match event {
                Event::Received { message: Message::State(state), .. } => {
                    seen.arrivals.push(now);
                    seen.last = Some(*state);
                }
                Event::Closed { reason, .. } => seen.closed = Some(reason),
                _ => {}
            }
        }
        if ordered.elapsed() >= ORDER_EVERY {
            ordered = Instant::now();
            let mut seen = seen.lock().unwrap();
            seen.sent += 1;
            line.send(circuit, None, Message::Helm { vessel, seq: seen.sent, helm }, Way::Datagram);
        }
    }
}
