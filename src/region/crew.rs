//! Crews: joining, standing by at the next region, steering, and the state that each is sent.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use glam::DVec3;

use super::{Action, Logged, Owned, PENDING_ORDERS, Region};
use crate::limits::GROUP_VESSELS;
use crate::sim;
use crate::units::{Tick, VesselId, nanoseconds};
use crate::vessel::{BoatSpec, Helm, Input, VesselState};
use crate::wire::circuit::{CircuitId, Way};
use crate::wire::message::{Epoch, Message, Sighting, State, View};
use crate::wire::ticket::{self, Rights, Ticket};

/// Other vessels in one state: as many as fit a datagram beside the own one.
const OTHERS: usize = 6;
/// How far a crew sees other vessels, metres.
const SIGHT_M: f64 = 600.0;
/// Animals and floating things in one message: 45 bytes each.
const ANIMALS: usize = 16;
/// Distance between soundings on a client's grid, metres.
const SOUNDING_SPACING_M: f64 = 32.0;
/// Soundings on a side of the grid: the region and two cells around at the default size.
const SOUNDINGS: u16 = 41;

/// Circuits on which one key may follow one vessel at once: a crossing needs two, a link that broke leaves
/// some behind until they are found dead. Each costs a datagram a tick.
const CREW_CIRCUITS: usize = 8;

/// Crews that may wait here at once for vessels of which this region has not heard: those whose vessel is about to
/// be announced, and no more than one group comes at once. Each costs a circuit, some 70 KiB.
const STRANGERS: usize = GROUP_VESSELS;
/// Time for which such a crew waits: a vessel is announced within a second of its crew.
const STRANGER_PATIENCE: Duration = Duration::from_secs(10);

/// One crew's circuit.
#[derive(Debug)]
pub(super) struct Client {
    vessel: VesselId,
    /// When it joined, boot clock.
    joined_ns: u64,
    /// The tick during which its last order came, and how many came during it.
    heard: (Tick, usize),
    key: [u8; 32],
    /// Set once the session is open; before that the crew stands by.
    session: Option<u32>,
    resume: Option<u32>,
    watch: bool,
}

impl Client {
    /// The vessel that it sails, or looks for.
    pub(super) const fn vessel(&self) -> VesselId {
        self.vessel
    }

    /// Whether its session is open.
    pub(super) const fn is_aboard(&self) -> bool {
        self.session.is_some()
    }
}

impl Region {
    pub(super) fn hear_crew(&mut self, circuit: CircuitId, key: [u8; 32], message: Message) {
        match message {
            Message::Join { ticket, boat, resume } => self.join(circuit, key, &ticket, boat, resume),
            Message::Helm { vessel, seq, helm } => self.steer(circuit, vessel, seq, helm),
            Message::Leave => self.actions.push_back(Action::Close(circuit)),
            _ => {
                self.counts.out_of_place += 1;
                self.turn_away(circuit);
            }
        }
    }

    /// Ends the circuit of a client that did what it may not; what of it still waits is not looked at.
    fn turn_away(&mut self, circuit: CircuitId) {
        self.clients.remove(&circuit);
        self.peers.remove(&circuit);
        self.actions.push_back(Action::Close(circuit));
    }

    fn join(
        &mut self,
        circuit: CircuitId,
        key: [u8; 32],
        signed: &[u8],
        boat: Option<BoatSpec>,
        resume: Option<u32>,
    ) {
        if self.clients.contains_key(&circuit) {
            // Each costs a signature to check, and a vessel at a region that runs alone.
            self.counts.out_of_place += 1;
            self.turn_away(circuit);
            return;
        }
        let admitted = match &self.config.authority {
            Some(authority) => ticket::verify(
                signed,
                authority,
                self.now.unix_ns / 1_000_000_000,
                &self.sea.course().name,
                &key,
            )
            .map_err(|error| error.to_string()),
            None => self.launch_guest(key, boat).map(|vessel| Ticket {
                course: self.sea.course().name.clone(),
                vessel,
                rights: Rights::Sail,
                expires_unix_s: u64::MAX,
                key,
            }),
        };
        let admitted = admitted.and_then(|ticket| self.with_room_for(ticket));
        let admitted = admitted.and_then(|ticket| self.with_patience_for(ticket));
        match admitted {
            Ok(ticket) => {
                let (vessel, watch) = (ticket.vessel, ticket.rights == Rights::Watch);
                let heard = (self.sim.tick(), 0);
                let joined_ns = self.now.boot_ns;
                let client = Client { vessel, joined_ns, heard, key, session: None, resume, watch };
                self.clients.insert(circuit, client);
                if self.owned.contains_key(&ticket.vessel) {
                    self.welcome(circuit);
                } else {
                    self.tell_whereabouts(circuit, ticket.vessel);
                }
            }
            Err(reason) => {
                self.counts.joins_refused += 1;
                self.send(circuit, None, Message::Refused { reason }, Way::Stream);
                self.turn_away(circuit);
            }
        }
    }

    /// The ticket, unless its holder has as many circuits here as may be.
    fn with_room_for(&self, ticket: Ticket) -> Result<Ticket, String> {
        let same = |client: &&Client| client.vessel == ticket.vessel && client.key == ticket.key;
        if self.clients.values().filter(same).count() < CREW_CIRCUITS {
            return Ok(ticket);
        }
        Err(format!("this key has {CREW_CIRCUITS} circuits to vessel {} already: close one", ticket.vessel.0))
    }

    /// The ticket, unless nobody has announced its vessel and as many crews as may be wait so already.
    fn with_patience_for(&self, ticket: Ticket) -> Result<Ticket, String> {
        let waits = |client: &&Client| client.session.is_none() && !self.is_expected(client.vessel);
        if self.is_expected(ticket.vessel) || self.clients.values().filter(waits).count() < STRANGERS {
            return Ok(ticket);
        }
        let id = ticket.vessel.0;
        Err(format!(
            "vessel {id} is not here, and {STRANGERS} crews wait for vessels already: GET /passages/{id} of the \
             harbour says where it is"
        ))
    }

    /// Whether a vessel is here, was, or may come: somebody has said so.
    fn is_expected(&self, vessel: VesselId) -> bool {
        self.is_held(vessel)
            || self.shadows.contains_key(&vessel)
            || self.gone_to.contains_key(&vessel)
            || self.seen.contains_key(&vessel)
            || self.rebuilding.iter().any(|group| group.records.contains_key(&vessel))
    }

    /// Sends crews away that have waited long enough for vessels that nobody has announced.
    pub(super) fn dismiss_strangers(&mut self) {
        let (now_ns, patience_ns) = (self.now.boot_ns, nanoseconds(STRANGER_PATIENCE));
        let strangers: Vec<(CircuitId, VesselId)> = self
            .clients
            .iter()
            .filter(|(_, client)| {
                client.session.is_none() && now_ns.saturating_sub(client.joined_ns) > patience_ns
            })
            .map(|(&circuit, client)| (circuit, client.vessel))
            .filter(|&(_, vessel)| !self.is_expected(vessel))
            .collect();
        for (circuit, VesselId(id)) in strangers {
            self.counts.joins_refused += 1;
            let waited_s = STRANGER_PATIENCE.as_secs();
            let reason = format!(
                "vessel {id} is not here and has not come in {waited_s} s: GET /passages/{id} of the harbour says \
                 where it is"
            );
            self.send(circuit, None, Message::Refused { reason }, Way::Stream);
            self.turn_away(circuit);
        }
    }

    /// Where a region runs alone, whoever comes gets a boat at the start line.
    fn launch_guest(&mut self, key: [u8; 32], boat: Option<BoatSpec>) -> Result<VesselId, String> {
        let boat = boat.ok_or("this region has no harbour: join with a boat, as `fairway pilot` does")?;
        boat.check().map_err(|error| format!("the boat cannot be sailed: {error}"))?;
        if self.room() == 0 {
            return Err(format!("the region is full with {} vessels: try later", self.owned.len()));
        }
        let last = self.owned.keys().next_back().map_or(0, |last| last.0);
        let id = VesselId(last.checked_add(1).ok_or("the region has no number left for a vessel")?);
        let course = self.sea.course();
        let centre = self.config.area.centre();
        let line = course.start_line;
        let berth = f64::from(id.0 - 1);
        // Alone, a region launches at the start line where that is its own, else in its middle: in rows of
        // eight, four lengths apart.
        let base = if self.config.area.contains(line.port) { line.port } else { centre };
        let row = (berth / 8.0).floor();
        let offset = glam::DVec2::new(berth - 8.0 * row - 3.5, -row) * (4.0 * boat.length_m);
        let place = base + offset;
        let (marks, heading) = (course.marks.clone(), line.heading_rad);
        let tick = self.sim.tick();
        let state = sim::afloat(&self.sea, &boat, DVec3::new(place.x, place.y, 0.0), heading, tick);
        let voyage = sim::Voyage { marks, ..sim::Voyage::default() };
        self.launch(
            sim::Vessel { id, boat, state, voyage, trail: Vec::new(), company: Vec::new() },
            Epoch::default(),
            key,
            0,
        );
        Ok(id)
    }

    /// Puts boats without crews at the start line of a region that runs alone, to see what it bears.
    ///
    /// # Errors
    /// When there is no room for as many.
    pub fn set_adrift(&mut self, boat: &BoatSpec, count: u16) -> Result<(), String> {
        // No key has this hash: nobody can come aboard.
        (0..count).try_for_each(|_| self.launch_guest([0; 32], Some(boat.clone())).map(drop))
    }

    /// Puts a vessel into the water here, at this region's tick.
    pub(super) fn launch(&mut self, vessel: sim::Vessel, epoch: Epoch, crew_key: [u8; 32], sessions: u32) {
        let id = vessel.id;
        let tick = self.sim.tick();
        self.log(|| Logged::Launched(tick, Box::new(vessel.clone())));
        self.own(
            vessel,
            Owned {
                epoch,
                crew_key,
                sessions,
                guard: None,
                pending: VecDeque::new(),
                standby: None,
                told: BTreeMap::new(),
            },
        );
        self.welcome_crews_of(id);
    }

    /// Whether somebody sails a vessel from here.
    pub(super) fn has_crew(&self, vessel: VesselId) -> bool {
        self.clients.values().any(|client| client.vessel == vessel && client.session.is_some())
    }

    /// Opens the sessions of crews that stood by for a vessel.
    pub(super) fn welcome_crews_of(&mut self, vessel: VesselId) {
        let waiting: Vec<CircuitId> = self
            .clients
            .iter()
            .filter(|(_, client)| client.vessel == vessel && client.session.is_none())
            .map(|(&circuit, _)| circuit)
            .collect();
        for circuit in waiting {
            self.welcome(circuit);
        }
    }

    fn welcome(&mut self, circuit: CircuitId) {
        let Some(client) = self.clients.get_mut(&circuit) else { return };
        let (vessel, key) = (client.vessel, client.key);
        let Some(owned) = self.owned.get_mut(&vessel) else { return };
        if !client.watch && owned.crew_key != key {
            self.counts.joins_refused += 1;
            let reason = format!("vessel {} has another crew: book a passage of your own", vessel.0);
            self.send(circuit, None, Message::Refused { reason }, Way::Stream);
            self.turn_away(circuit);
            return;
        }
        // A crew that is known here or at the last owner goes on with its session and its numbers.
        let session = match client.resume {
            Some(session) if session <= owned.sessions => session,
            _ => {
                owned.sessions += 1;
                owned.sessions
            }
        };
        client.session = Some(session);
        self.tidings.forget(vessel);
        let Some(boat) = self.sim.boat(vessel).cloned() else { return };
        let marks = self.sim.voyage(vessel).map_or_else(Vec::new, |voyage| voyage.marks.clone());
        let (course, clock) = (self.sea.course().name.clone(), self.config.clock);
        let welcome = Message::Welcome { vessel, session, course, boat, marks, clock };
        self.send(circuit, None, welcome, Way::Stream);
        let soundings = self.soundings();
        self.send(circuit, None, Message::Soundings(soundings), Way::Stream);
        // What was told to nobody because nobody was aboard yet.
        let ahead = self.owned.get(&vessel).and_then(|owned| owned.standby);
        if let Some(there) = ahead.and_then(|region| self.neighbour(region)).cloned() {
            self.send(circuit, None, Message::Standby(there), Way::Stream);
        }
    }

    /// The depths that a crew of this region is given.
    #[expect(clippy::cast_possible_truncation, reason = "clamped to the range of an i16")]
    fn soundings(&self) -> crate::wire::message::Soundings {
        let half = f64::from(SOUNDINGS - 1) * 0.5 * SOUNDING_SPACING_M;
        let origin = self.config.area.centre() - glam::DVec2::splat(half);
        let depths_dm = (0..SOUNDINGS)
            .flat_map(|row| (0..SOUNDINGS).map(move |column| (f64::from(column), f64::from(row))))
            .map(|(column, row)| {
                let bed_m = self.sea.bed_m(origin + glam::DVec2::new(column, row) * SOUNDING_SPACING_M);
                (-bed_m * 10.0).clamp(f64::from(i16::MIN), f64::from(i16::MAX)) as i16
            })
            .collect();
        crate::wire::message::Soundings {
            origin,
            spacing_m: SOUNDING_SPACING_M,
            columns: SOUNDINGS,
            depths_dm,
        }
    }

    fn steer(&mut self, circuit: CircuitId, vessel: VesselId, seq: u32, helm: Helm) {
        let now = self.sim.tick();
        let Some(client) =
            self.clients.get_mut(&circuit).filter(|client| client.vessel == vessel && !client.watch)
        else {
            self.counts.orders_dropped += 1;
            return;
        };
        // No more than are kept, also of those that are passed on: they go by a stream that others need.
        client.heard = if client.heard.0 == now { (now, client.heard.1 + 1) } else { (now, 1) };
        if client.heard.1 > PENDING_ORDERS {
            self.counts.orders_dropped += 1;
            return;
        }
        // A crew that stands by already knows its session from the other circuit.
        let (open, claimed, key) = (client.session, client.resume, client.key);
        let Some(session) = open.or(claimed.filter(|&session| self.may_resume(vessel, session, &key))) else {
            self.counts.orders_dropped += 1;
            return;
        };
        self.take_order(vessel, Input { session, seq, helm });
    }

    /// Whether a crew may go on with a session aboard a vessel that is on offer here: the session of its next
    /// order locks out all lower ones, so only the vessel's own crew may say which it is.
    fn may_resume(&self, vessel: VesselId, session: u32, key: &[u8; 32]) -> bool {
        self.rebuilding
            .iter()
            .find_map(|group| group.records.get(&vessel))
            // It may have come aboard since the offer.
            .is_some_and(|record| record.crew_key == *key && session <= record.sessions.saturating_add(1))
    }

    /// Queues an order for the next tick, or passes it on to where the vessel went.
    pub(super) fn take_order(&mut self, vessel: VesselId, input: Input) {
        let sealed_for = self
            .outgoing
            .iter()
            .find(|handoff| handoff.is_committed() && handoff.vessels().contains(&vessel))
            .map(crate::handoff::Outgoing::target);
        let elsewhere = sealed_for.or_else(|| self.gone_to.get(&vessel).map(|&(to, _)| to));
        if let Some(region) = elsewhere {
            if !self.send_region(region, Message::LateInput { vessel, input }, Way::Stream) {
                self.counts.orders_dropped += 1;
            }
        } else if let Some(pending) = self.pending_of(vessel) {
            // The last one wins, so the oldest is worth least.
            let dropped = pending.len() == PENDING_ORDERS && pending.pop_front().is_some();
            pending.push_back(input);
            self.counts.orders_dropped += u32::from(dropped);
        } else {
            self.counts.orders_dropped += 1;
        }
    }

    fn pending_of(&mut self, vessel: VesselId) -> Option<&mut VecDeque<Input>> {
        if let Some(owned) = self.owned.get_mut(&vessel) {
            return Some(&mut owned.pending);
        }
        self.rebuilding.iter_mut().find_map(|group| group.pending_of(vessel))
    }

    /// Ends the sessions of a vessel that left the water.
    pub(super) fn dismiss_crews_of(&mut self, vessel: VesselId, finished: bool) {
        let circuits: Vec<CircuitId> = self
            .clients
            .iter()
            .filter(|(_, client)| client.vessel == vessel)
            .map(|(&circuit, _)| circuit)
            .collect();
        for circuit in circuits {
            self.send(circuit, None, Message::Ended { vessel, finished }, Way::Stream);
            self.clients.remove(&circuit);
        }
    }

    /// Tells a crew that looks for its vessel where it went from here, or who it is guarded for.
    fn tell_whereabouts(&mut self, circuit: CircuitId, vessel: VesselId) {
        let gone = self.gone_to.get(&vessel).map(|&(to, _)| to);
        let elsewhere = gone.or_else(|| self.shadow_owner(vessel));
        if let Some(there) = elsewhere.and_then(|region| self.neighbour(region)).cloned() {
            self.send(circuit, None, Message::Standby(there), Way::Stream);
        }
    }

    /// Tells a vessel's crews of the region ahead; those that stand by here for it, too.
    pub(super) fn tell_standby(&mut self, vessel: VesselId, ahead: &crate::wire::message::Neighbour) {
        let circuits: Vec<CircuitId> = self
            .clients
            .iter()
            .filter(|(_, client)| client.vessel == vessel)
            .map(|(&circuit, _)| circuit)
            .collect();
        for circuit in circuits {
            self.send(circuit, None, Message::Standby(ahead.clone()), Way::Stream);
        }
    }

    pub(super) fn send_states(&mut self, tick: Tick) {
        let crews: Vec<(CircuitId, VesselId)> = self
            .clients
            .iter()
            .filter(|(_, client)| client.session.is_some() && self.owned.contains_key(&client.vessel))
            .map(|(&circuit, client)| (circuit, client.vessel))
            .collect();
        if crews.is_empty() {
            return;
        }
        let mut around: Vec<View> = self.sim.ids().iter().filter_map(|&id| self.view(id)).collect();
        around.extend(self.seen.values().map(|seen| seen.view));
        for (circuit, vessel) in crews {
            if let Some(state) = self.client_state(vessel, tick, &around) {
                self.send(circuit, None, Message::State(Box::new(state)), Way::Datagram);
            }
        }
    }

    /// Tells crews of the animals and floating things that they see.
    pub(super) fn send_wildlife(&mut self, tick: Tick) {
        let mut crews: Vec<(VesselId, CircuitId)> = self
            .clients
            .iter()
            .filter(|(_, client)| client.session.is_some() && self.owned.contains_key(&client.vessel))
            .map(|(&circuit, client)| (client.vessel, circuit))
            .collect();
        crews.sort_unstable();
        let mut last: Option<(VesselId, Vec<Sighting>)> = None;
        for (vessel, circuit) in crews {
            if last.as_ref().is_none_or(|(known, _)| *known != vessel) {
                let Some(from) = self.sim.state(vessel).map(|state| state.position_m.truncate()) else {
                    continue;
                };
                let around = self.sim.animals_around(vessel, SIGHT_M, ANIMALS);
                let seen = around.iter().map(|(with, animal)| Sighting::of(animal, *with, from)).collect();
                last = Some((vessel, seen));
            }
            if let Some((_, seen)) = last.as_ref().filter(|(_, seen)| !seen.is_empty()) {
                let message = Message::Wildlife { tick, seen: seen.clone() };
                self.send(circuit, None, message, Way::Datagram);
            }
        }
    }

    fn client_state(&self, vessel: VesselId, tick: Tick, around: &[View]) -> Option<State> {
        let state: &VesselState = self.sim.state(vessel)?;
        let own = self.view(vessel)?;
        let distance = |view: &View| (view.position_m - own.position_m).length_squared();
        let mut others: Vec<View> = around
            .iter()
            .filter(|view| view.vessel != vessel && distance(view) < SIGHT_M * SIGHT_M)
            .copied()
            .collect();
        others.sort_by(|a, b| distance(a).total_cmp(&distance(b)));
        others.truncate(OTHERS);
        Some(State {
            vessel,
            epoch: self.epoch(vessel)?,
            tick,
            own,
            instruments: self.sim.instruments(vessel)?,
            session: state.session,
            seq: state.seq,
            marks_passed: self.sim.voyage(vessel)?.passed,
            dilation: self.dilation,
            others,
        })
    }
}
