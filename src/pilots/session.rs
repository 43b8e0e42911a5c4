//! One pilot's life on the network: circuits, sessions, epochs; the helmsman in the middle.
//!
//! ```text
//! dialling ─Opened▶ joining ─Welcome▶ aboard ─Standby▶ aboard with a second circuit ─epoch grows▶ aboard there
//!     ▲                 │Refused          │all circuits closed
//!     └────── again, a bounded number of times ──────┘            aboard ─Ended▶ ashore
//! ```

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use glam::DVec2;

use super::crew::{Booking, PilotProgress};
use super::gaps::Gaps;
use super::helmsman::Helmsman;
use super::log::Log;
use super::seen::Seen;
use crate::net::{CircuitId, Expect, Way};
use crate::units::{Tick, VesselId};
use crate::vessel::Helm;
use crate::wire::Message;
use crate::wire::message::{Epoch, State};

/// Circuits of one pilot at once: the owner's, the next one's, and two at a corner of the lattice.
const CIRCUITS: usize = 4;
/// How long a circuit is kept after the vessel went on from it.
const SUPERSEDED: Duration = Duration::from_secs(3);
/// Silence after which a vessel is looked for elsewhere: several times what a handoff takes on a bad network.
const ASTRAY: Duration = Duration::from_millis(1_500);
/// Wall time after which an order that no state has felt is sent again: a round trip of most links that sailors have,
/// and a tick.
const REPEAT: Duration = Duration::from_millis(200);
/// Times that one order is sent at most; where another crew has the helm, none of ours is ever felt.
const SENDINGS: u32 = 5;
/// First pause before dialling again; doubles up to `RETRY_MAX`.
const RETRY: Duration = Duration::from_millis(250);
/// Longest pause before dialling again.
const RETRY_MAX: Duration = Duration::from_secs(4);
/// Attempts to come aboard (again) without a Welcome before the pilot gives up: about a minute.
const ATTEMPTS: u32 = 20;
/// How long a dialled circuit may take to bring a Welcome.
const WELCOME: Duration = Duration::from_secs(10);
/// Places that a pilot remembers to find the vessel again.
const KNOWN: usize = 8;
/// Points of the track that are kept; beyond that every second one is dropped.
const TRACK_POINTS: usize = 4_096;
/// Ticks between two points of a fresh track.
const TRACK_TICKS: u64 = 45;

/// What a session needs of the network; [`crate::net::Endpoint`] in earnest, a script in tests.
pub trait Line {
    /// Starts a circuit; [`Session::opened`] or [`Session::closed`] must follow.
    fn dial(&mut self, addr: SocketAddr, name: &str, expect: Expect) -> CircuitId;
    /// Sends a message.
    fn send(&mut self, circuit: CircuitId, message: Message, way: Way);
    /// Ends a circuit.
    fn close(&mut self, circuit: CircuitId);
}

/// Where a vessel was.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TrackPoint {
    /// When.
    pub tick: Tick,
    /// Course frame, metres.
    pub place: DVec2,
    /// Radians clockwise from north.
    pub heading_rad: f64,
    /// Radians, positive to starboard.
    pub heel_rad: f64,
    /// Speed over the ground, m/s.
    pub speed_mps: f64,
    /// Its owner's epoch.
    pub epoch: Epoch,
}

/// What became of one pilot.
#[derive(Clone, Debug, Default)]
pub struct Outcome {
    /// The vessel.
    pub vessel: VesselId,
    /// Whether a region ever said Welcome.
    pub joined: bool,
    /// The tick at which the last mark was seen passed.
    pub finished: Option<Tick>,
    /// Marks passed.
    pub marks_passed: u16,
    /// The way it came, thinned evenly to a bounded number of points.
    pub track: Vec<TrackPoint>,
    /// Times that the epoch grew.
    pub handoffs_seen: u32,
    /// Longest pause between states within 1 s of each handoff, less one state interval, milliseconds.
    pub gap_ms: Vec<f64>,
    /// The same over 2 s windows more than 3 s away from any handoff.
    pub control_ms: Vec<f64>,
    /// Ticks around each handoff that came in no state, beyond the usual stride.
    pub missed_ticks: Vec<u64>,
    /// States accepted.
    pub states: u64,
    /// States rejected for a lower epoch or an older tick.
    pub stale: u64,
    /// Orders sent.
    pub helms: u64,
    /// Times that it went about.
    pub tacks: u32,
    /// Times that it gybed.
    pub gybes: u32,
    /// Animals and floating things that were seen.
    pub seen: Seen,
    /// What happened on the way.
    pub log: Log,
    /// Why it ended early, if it did.
    pub error: Option<String>,
}

/// One circuit of the pilot.
#[derive(Clone, Debug)]
struct Circuit {
    id: CircuitId,
    addr: SocketAddr,
    name: String,
    dialled: Instant,
    open: bool,
    session: Option<u32>,
    /// Highest epoch of the states that came by it.
    epoch: Option<Epoch>,
    /// Since when it is of no more use.
    superseded: Option<Instant>,
    /// Where its region last said to stand by: the region ahead, or the guard.
    standby: Option<(SocketAddr, String)>,
}

impl Circuit {
    fn leads_to(&self, addr: SocketAddr, name: &str) -> bool {
        self.addr == addr && self.name == name
    }
}

/// An order that no state has felt yet.
#[derive(Clone, Copy, Debug)]
struct Unfelt {
    helm: Helm,
    sent: Instant,
    sendings: u32,
}

/// One pilot on the network.
#[derive(Debug)]
pub struct Session {
    booking: Booking,
    seed: u64,
    helmsman: Option<Helmsman>,
    marks: usize,
    circuits: Vec<Circuit>,
    known: Vec<(SocketAddr, String)>,
    /// When the vessel was last heard of, or the pilot set out.
    heard: Option<Instant>,
    /// Times that circuits were given up for new ones to the same region since then.
    redialled: u32,
    /// Which of the known places is tried next.
    turn: usize,
    attempts: u32,
    next_attempt: Option<Instant>,
    session: Option<u32>,
    seq: u32,
    /// The last order, until a state has felt it.
    unfelt: Option<Unfelt>,
    epoch: Option<Epoch>,
    last: Option<(Tick, TrackPoint)>,
    track_ticks: u64,
    gaps: Gaps,
    outcome: Outcome,
    over: bool,
}

impl Session {
    /// A pilot ashore with a booking.
    #[must_use]
    pub fn new(booking: Booking, seed: u64) -> Self {
        let known = vec![(booking.addr, booking.name.clone())];
        let outcome = Outcome { vessel: booking.vessel, ..Outcome::default() };
        Self {
            booking,
            seed,
            helmsman: None,
            marks: 0,
            circuits: Vec::new(),
            known,
            heard: None,
            redialled: 0,
            turn: 0,
            attempts: 0,
            next_attempt: None,
            session: None,
            seq: 0,
            unfelt: None,
            epoch: None,
            last: None,
            track_ticks: TRACK_TICKS,
            gaps: Gaps::default(),
            outcome,
            over: false,
        }
    }

    /// Whether the passage is over for this pilot, one way or the other.
    #[must_use]
    pub fn over(&self) -> bool {
        self.over
    }

    /// The vessel.
    #[must_use]
    pub fn vessel(&self) -> VesselId {
        self.outcome.vessel
    }

    /// How it goes.
    #[must_use]
    pub fn progress(&self) -> PilotProgress {
        let point = self.last.map(|(_, point)| point);
        PilotProgress {
            vessel: self.outcome.vessel,
            tick: point.map_or(Tick(0), |at| at.tick),
            place: point.map_or(DVec2::ZERO, |at| at.place),
            heading_rad: point.map_or(0.0, |at| at.heading_rad),
            speed_mps: point.map_or(0.0, |at| at.speed_mps),
            heel_rad: point.map_or(0.0, |at| at.heel_rad),
            marks_passed: self.outcome.marks_passed,
            marks: self.marks,
            handoffs_seen: self.outcome.handoffs_seen,
            states: self.outcome.states,
            joined: self.outcome.joined,
            finished: self.outcome.finished,
            astray: false,
            over: self.over,
        }
    }

    /// Does what is due: dials, drops circuits that are of no more use, gives up. Call it some times a
    /// second.
    pub fn tend(&mut self, now: Instant, line: &mut impl Line) {
        if self.over {
            return;
        }
        let active = self.active().map(|circuit| circuit.id);
        let ahead = self.ahead();
        let expired = |circuit: &Circuit| {
            // Standing by, a circuit may wait long for its vessel; the first one may not.
            let unheard = active.is_none() && now > circuit.dialled + WELCOME;
            let stands_by = ahead.as_ref().is_some_and(|(addr, name)| circuit.leads_to(*addr, name));
            let left = circuit.superseded.is_some_and(|since| now > since + SUPERSEDED) && !stands_by;
            (unheard || left) && Some(circuit.id) != active
        };
        for circuit in self.circuits.iter().filter(|circuit| expired(circuit)) {
            line.close(circuit.id);
        }
        self.circuits.retain(|circuit| !expired(circuit));
        if self.circuits.is_empty() && self.next_attempt.is_none_or(|due| now >= due) {
            self.dial_known(now, line);
        }
    }

    /// Whether the vessel sails and has not been heard of for a while, though circuits are open: whoever can ask the
    /// harbour should, and [`Self::seek`] it there.
    #[must_use]
    pub fn is_astray(&self, now: Instant) -> bool {
        !self.over && self.heard.is_some_and(|heard| now.saturating_duration_since(heard) > ASTRAY)
    }

    /// Looks for the vessel at a region that is said to have it.
    pub fn seek(&mut self, addr: SocketAddr, name: String, now: Instant, line: &mut impl Line) {
        if let Some(index) = self.circuits.iter().position(|circuit| circuit.leads_to(addr, &name)) {
            // Joined there before it came: it may have been forgotten as another's crew. A region that is slow to answer
            // is given longer each time, or nobody would ever come aboard there.
            let patience = (ASTRAY * 2_u32.pow(self.redialled.min(4))).min(WELCOME);
            if now.saturating_duration_since(self.circuits[index].dialled) < patience {
                return;
            }
            self.redialled += 1;
            line.close(self.circuits.remove(index).id);
        }
        self.stand_by(addr, name, now, line);
    }

    /// Tries the next place where the vessel may be found.
    fn dial_known(&mut self, now: Instant, line: &mut impl Line) {
        if self.attempts >= ATTEMPTS {
            let why = self.outcome.error.take().unwrap_or_else(|| "no answer".to_owned());
            self.outcome.error = Some(format!(
                "vessel {}: gave up after {ATTEMPTS} attempts to come aboard: {why}",
                self.outcome.vessel.0
            ));
            self.over = true;
            return;
        }
        // The newest place first, then the older ones.
        let index = self.known.len() - 1 - self.turn % self.known.len();
        let (addr, name) = self.known[index].clone();
        self.turn += 1;
        let pause = RETRY * 2_u32.pow(self.attempts.min(4));
        self.attempts += 1;
        self.next_attempt = Some(now + pause.min(RETRY_MAX));
        self.dial(addr, name, now, line);
    }

    fn dial(&mut self, addr: SocketAddr, name: String, now: Instant, line: &mut impl Line) {
        let expect = self.booking.authority.clone().map_or(Expect::Anyone, Expect::Authority);
        let id = line.dial(addr, &name, expect);
        self.circuits.push(Circuit {
            id,
            addr,
            name,
            dialled: now,
            open: false,
            session: None,
            epoch: None,
            superseded: None,
            standby: None,
        });
    }

    /// The circuit to steer by: the one that brought the highest epoch, else any that has a session. The
    /// first state of a new owner may overtake its Welcome; the session goes on there all the same.
    fn active(&self) -> Option<&Circuit> {
        self.circuits
            .iter()
            .filter(|circuit| circuit.session.is_some() || circuit.epoch.is_some())
            .max_by_key(|circuit| circuit.epoch)
    }

    /// Where to stand by. The vessel's owner says so: the last words of the one before it, which may come later, named
    /// the owner itself.
    fn ahead(&self) -> Option<(SocketAddr, String)> {
        self.active().and_then(|circuit| circuit.standby.clone())
    }

    /// A circuit that was dialled is open.
    pub fn opened(&mut self, id: CircuitId, line: &mut impl Line) {
        let resume = self.session;
        let Some(circuit) = self.circuits.iter_mut().find(|circuit| circuit.id == id) else { return };
        circuit.open = true;
        let message =
            Message::Join { ticket: self.booking.ticket.clone(), boat: self.booking.boat.clone(), resume };
        line.send(id, message, Way::Stream);
    }

    /// A circuit is gone.
    pub fn closed(&mut self, id: CircuitId, reason: &str) {
        let before = self.circuits.len();
        self.circuits.retain(|circuit| circuit.id != id);
        if self.circuits.len() < before && self.circuits.is_empty() && !self.over {
            self.outcome.error = Some(reason.to_owned());
        }
    }

    /// A message came by a circuit.
    pub fn received(&mut self, id: CircuitId, message: Message, now: Instant, line: &mut impl Line) {
        if self.over || !self.circuits.iter().any(|circuit| circuit.id == id) {
            return;
        }
        match message {
            Message::Welcome { vessel, session, boat, marks, clock, .. } => {
                self.outcome.vessel = vessel;
                self.outcome.joined = true;
                self.outcome.error = None;
                self.attempts = 0;
                self.session = Some(session);
                self.gaps.set_warp(clock.warp);
                self.marks = marks.len();
                let seed = self.seed.wrapping_add(u64::from(vessel.0));
                self.helmsman.get_or_insert_with(|| Helmsman::new(&boat, marks, seed));
                if let Some(circuit) = self.circuits.iter_mut().find(|circuit| circuit.id == id) {
                    circuit.session = Some(session);
                }
            }
            Message::Soundings(grid) => {
                if let Some(helmsman) = &mut self.helmsman {
                    helmsman.sound(&grid);
                }
            }
            Message::State(state) => self.take_state(id, &state, now, line),
            Message::Wildlife { seen, .. } => self.outcome.seen.note(self.outcome.vessel, &seen),
            Message::Standby(neighbour) => {
                if let Some(circuit) = self.circuits.iter_mut().find(|circuit| circuit.id == id) {
                    circuit.standby = Some((neighbour.addr, neighbour.name.clone()));
                }
                self.stand_by(neighbour.addr, neighbour.name, now, line);
            }
            Message::Refused { reason } => {
                self.outcome.error = Some(reason);
                line.close(id);
                self.circuits.retain(|circuit| circuit.id != id);
            }
            Message::Ended { finished, .. } => self.end(finished, line),
            Message::Events { vessel, events } if vessel == self.outcome.vessel => {
                self.outcome.log.hear(events);
            }
            // A client has no use for the rest; a region sends none of it to one.
            _ => {}
        }
    }

    fn take_state(&mut self, id: CircuitId, state: &State, now: Instant, line: &mut impl Line) {
        if state.vessel != self.outcome.vessel || !self.outcome.joined {
            return;
        }
        let before = self.epoch;
        let late = before.is_some_and(|epoch| state.epoch < epoch)
            || self.last.is_some_and(|(tick, _)| state.tick <= tick);
        if before.is_none_or(|epoch| state.epoch >= epoch) {
            self.note_epoch(id, state.epoch, now);
        }
        if late {
            self.outcome.stale += 1;
            return;
        }
        let handoff = before.is_some_and(|epoch| state.epoch > epoch);
        if handoff {
            self.outcome.handoffs_seen += 1;
        }
        self.outcome.states += 1;
        (self.heard, self.redialled) = (Some(now), 0);
        self.gaps.arrive(now, state.tick.0, handoff);
        self.write_down(state);
        if Some(state.session) == self.session {
            if state.seq >= self.seq {
                self.unfelt = None;
            }
            // After a break the vessel may have heard more than this circuit remembers.
            self.seq = self.seq.max(state.seq);
        }
        let Some(helmsman) = &mut self.helmsman else { return };
        helmsman.see(state);
        if let Some(helm) = helmsman.decide() {
            self.outcome.tacks = helmsman.tacks();
            self.outcome.gybes = helmsman.gybes();
            self.steer(helm, now, line);
        } else {
            self.steer_again(handoff, now, line);
        }
    }

    /// Sends a new order to the owner.
    fn steer(&mut self, helm: Helm, now: Instant, line: &mut impl Line) {
        let Some(circuit) = self.active().map(|circuit| circuit.id) else { return };
        // One number line for all circuits: rising everywhere, whichever session it is applied in.
        self.seq = self.seq.saturating_add(1);
        self.outcome.helms += 1;
        self.unfelt = Some(Unfelt { helm, sent: now, sendings: 1 });
        let message = Message::Helm { vessel: self.outcome.vessel, seq: self.seq, helm };
        line.send(circuit, message, Way::Datagram);
    }

    /// Sends the last order again under its number, so that it counts once, where it may be lost: it is not felt after
    /// a while, or the owner that it went to has just been followed by another.
    fn steer_again(&mut self, handoff: bool, now: Instant, line: &mut impl Line) {
        let Some(circuit) = self.active().map(|circuit| circuit.id) else { return };
        let Some(order) = &mut self.unfelt else { return };
        let late = now.saturating_duration_since(order.sent) > REPEAT;
        if order.sendings == SENDINGS || !(handoff || late) {
            return;
        }
        order.sent = now;
        order.sendings += 1;
        let message = Message::Helm { vessel: self.outcome.vessel, seq: self.seq, helm: order.helm };
        line.send(circuit, message, Way::Datagram);
    }

    /// Remembers who owns the vessel now, and since when the others do not.
    fn note_epoch(&mut self, id: CircuitId, epoch: Epoch, now: Instant) {
        let grown = self.epoch.is_none_or(|known| epoch > known);
        if grown {
            self.epoch = Some(epoch);
        }
        for circuit in &mut self.circuits {
            if circuit.id == id {
                circuit.epoch = Some(circuit.epoch.map_or(epoch, |known| known.max(epoch)));
                circuit.superseded = None;
            } else if grown && circuit.epoch.is_some() {
                circuit.superseded.get_or_insert(now);
            }
        }
    }

    fn write_down(&mut self, state: &State) {
        let point = TrackPoint {
            tick: state.tick,
            place: state.own.position_m.truncate(),
            heading_rad: f64::from(state.instruments.heading_rad),
            heel_rad: f64::from(state.instruments.heel_rad),
            speed_mps: state.own.velocity_mps.truncate().length(),
            epoch: state.epoch,
        };
        self.last = Some((state.tick, point));
        self.outcome.log.look(point.place, point.tick);
        self.outcome.marks_passed = state.marks_passed;
        if self.marks > 0 && usize::from(state.marks_passed) >= self.marks && self.outcome.finished.is_none()
        {
            self.outcome.finished = Some(state.tick);
        }
        let due =
            self.outcome.track.last().is_none_or(|last| {
                state.tick.since(last.tick) >= self.track_ticks || last.epoch != state.epoch
            });
        if !due {
            return;
        }
        if self.outcome.track.len() >= TRACK_POINTS {
            let mut keep = false;
            self.outcome.track.retain(|_| {
                keep = !keep;
                keep
            });
            self.track_ticks *= 2;
        }
        self.outcome.track.push(point);
    }

    /// The vessel will cross soon: be there already.
    fn stand_by(&mut self, addr: SocketAddr, name: String, now: Instant, line: &mut impl Line) {
        self.known.retain(|(known_addr, known_name)| *known_addr != addr || *known_name != name);
        if self.known.len() == KNOWN {
            // The booking's own place stays the last resort.
            self.known.remove(1);
        }
        self.known.push((addr, name.clone()));
        self.turn = 0;
        if let Some(circuit) = self.circuits.iter_mut().find(|circuit| circuit.leads_to(addr, &name)) {
            circuit.superseded = None;
            return;
        }
        if self.circuits.len() >= CIRCUITS {
            let active = self.active().map(|circuit| circuit.id);
            let idle = |circuit: &Circuit| Some(circuit.id) != active;
            let left = self.circuits.iter().position(|circuit| idle(circuit) && circuit.superseded.is_some());
            if let Some(index) = left.or_else(|| self.circuits.iter().position(idle)) {
                line.close(self.circuits.remove(index).id);
            }
        }
        self.dial(addr, name, now, line);
    }

    fn end(&mut self, finished: bool, line: &mut impl Line) {
        if finished && self.outcome.finished.is_none() {
            self.outcome.finished = self.last.map(|(tick, _)| tick);
        }
        for circuit in &self.circuits {
            line.close(circuit.id);
        }
        self.circuits.clear();
        self.over = true;
    }

    /// Leaves the vessel and says what became of it.
    pub fn finish(mut self, line: &mut impl Line) -> Outcome {
        for circuit in &self.circuits {
            if circuit.session.is_some() && circuit.open {
                line.send(circuit.id, Message::Leave, Way::Stream);
            }
            line.close(circuit.id);
        }
        if let Some((_, point)) = self.last
            && self.outcome.track.last() != Some(&point)
        {
            self.outcome.track.push(point);
        }
        self.outcome.gap_ms = self.gaps.gap_ms;
        self.outcome.control_ms = self.gaps.control_ms;
        self.outcome.missed_ticks = self.gaps.missed_ticks;
        self.outcome
    }
}
