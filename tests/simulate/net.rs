//! The network of a simulated sea: circuits with two ends, delays, losses, partitions.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use fairway::units::{RegionId, VesselId};
use fairway::wire::Message;
use fairway::wire::circuit::{CircuitId, Peer, Way};

use crate::dice::Dice;

pub const MS: u64 = 1_000_000;
pub const S: u64 = 1_000 * MS;
/// What a real circuit needs to notice that its other end is gone without a word.
const IDLE: u64 = 10 * S;
/// What a dialler waits for somebody who is not there.
const NOBODY: u64 = 2 * S;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Node {
    Harbour,
    Region(RegionId),
    Crew(VesselId),
}

/// What reaches a node.
#[derive(Debug)]
#[expect(clippy::large_enum_variant, reason = "nearly all are messages")]
pub enum Event {
    Opened(CircuitId, Peer),
    Received(CircuitId, Message),
    Closed(CircuitId),
}

#[derive(Debug)]
#[expect(clippy::large_enum_variant, reason = "nearly all are messages")]
enum Parcel {
    Open(Peer),
    Message(Message),
    Close,
}

/// One direction of a circuit.
#[derive(Debug, Default)]
struct Lane {
    stream: VecDeque<(u64, Parcel)>,
    datagrams: Vec<(u64, Message)>,
    last_due: u64,
}

#[derive(Debug)]
struct Circuit {
    ends: [Node; 2],
    /// The lane towards each end.
    lanes: [Lane; 2],
    closed: [bool; 2],
    /// Whose certificate the dialled end will show.
    dialled: Option<Peer>,
}

/// How bad the network is.
#[derive(Clone, Copy, Debug)]
pub struct Weather {
    pub delay: u64,
    pub jitter: u64,
    /// Chances in a thousand.
    pub lost: u64,
    pub doubled: u64,
}

pub struct Net {
    pub now: u64,
    pub dice: Dice,
    pub weather: Weather,
    pub spike: Option<(u64, u64)>,
    pub partitions: Vec<(Node, Node, u64)>,
    circuits: BTreeMap<u64, Circuit>,
    next: u64,
    alive: BTreeSet<Node>,
    pub mangled_until: BTreeMap<RegionId, u64>,
    pub messages: u64,
}

fn end_of(circuit: CircuitId) -> (u64, usize) {
    (circuit.0 / 2, usize::from(circuit.0 % 2 == 1))
}

impl Net {
    pub fn new(dice: Dice, weather: Weather) -> Self {
        Self {
            now: 0,
            dice,
            weather,
            spike: None,
            partitions: Vec::new(),
            circuits: BTreeMap::new(),
            next: 1,
            alive: BTreeSet::new(),
            mangled_until: BTreeMap::new(),
            messages: 0,
        }
    }

    pub fn born(&mut self, node: Node) {
        self.alive.insert(node);
    }

    fn delay(&mut self) -> u64 {
        let extra = match self.spike {
            Some((until, by)) if self.now < until => by,
            _ => 0,
        };
        self.weather.delay + extra + self.dice.below(self.weather.jitter.max(1))
    }

    fn parted(&self, a: Node, b: Node) -> bool {
        self.partitions
            .iter()
            .any(|&(x, y, until)| self.now < until && ((x, y) == (a, b) || (x, y) == (b, a)))
    }

    /// Opens a circuit; the dialled end shows `theirs`, the dialling one `ours`.
    pub fn dial(&mut self, from: Node, to: Node, ours: Peer, theirs: Peer) -> CircuitId {
        let id = self.next;
        self.next += 1;
        let mut circuit = Circuit {
            ends: [from, to],
            lanes: [Lane::default(), Lane::default()],
            closed: [false; 2],
            dialled: Some(theirs),
        };
        if self.alive.contains(&to) {
            let due = self.now + 2 * self.delay();
            circuit.lanes[1].last_due = due;
            circuit.lanes[1].stream.push_back((due, Parcel::Open(ours)));
        } else {
            circuit.lanes[0].stream.push_back((self.now + NOBODY, Parcel::Close));
        }
        self.circuits.insert(id, circuit);
        CircuitId(2 * id)
    }

    pub fn send(&mut self, circuit: CircuitId, message: Message, way: Way) {
        let (id, end) = end_of(circuit);
        let other = 1 - end;
        let delay = self.delay();
        let again = self.delay();
        let (lost, doubled) = (self.dice.below(1_000), self.dice.below(1_000));
        let Some(found) = self.circuits.get(&id) else { return };
        if found.closed[end] || found.closed[other] && way == Way::Datagram {
            return;
        }
        let parted = self.parted(found.ends[0], found.ends[1]);
        let message = self.mangled(found.ends[end], message);
        self.messages += 1;
        let Some(found) = self.circuits.get_mut(&id) else { return };
        let lane = &mut found.lanes[other];
        match way {
            Way::Stream => {
                // What is lost of a stream is sent again: it comes later, and what follows it waits.
                let resent = if lost < self.weather.lost { 3 * delay } else { 0 };
                lane.last_due = lane.last_due.max(self.now + delay + resent);
                lane.stream.push_back((lane.last_due, Parcel::Message(message)));
            }
            Way::Datagram => {
                if parted || lost < self.weather.lost {
                    return;
                }
                if doubled < self.weather.doubled {
                    lane.datagrams.push((self.now + again, message.clone()));
                }
                lane.datagrams.push((self.now + delay, message));
            }
        }
    }

    /// A region that is out of its mind answers `NotYet` whatever it meant.
    fn mangled(&self, from: Node, message: Message) -> Message {
        use fairway::wire::message::Word;
        let Node::Region(region) = from else { return message };
        if self.mangled_until.get(&region).is_none_or(|&until| self.now >= until) {
            return message;
        }
        match message {
            Message::Handoff(Word::Ready { number }) => Message::Handoff(Word::NotYet { number }),
            other => other,
        }
    }

    pub fn close(&mut self, circuit: CircuitId) {
        let (id, end) = end_of(circuit);
        let delay = self.delay();
        let Some(found) = self.circuits.get_mut(&id) else { return };
        if std::mem::replace(&mut found.closed[end], true) {
            return;
        }
        let lane = &mut found.lanes[1 - end];
        lane.last_due = lane.last_due.max(self.now + delay);
        let due = lane.last_due;
        lane.stream.push_back((due, Parcel::Close));
    }

    /// A node is gone; with a word, its circuits close, without one they go quiet.
    pub fn died(&mut self, node: Node, with_a_word: bool) {
        self.alive.remove(&node);
        for circuit in self.circuits.values_mut() {
            for end in 0..2 {
                if circuit.ends[end] == node && !circuit.closed[end] {
                    circuit.closed[end] = true;
                    let lane = &mut circuit.lanes[1 - end];
                    // What it had sent may still arrive.
                    let due = lane.last_due.max(self.now + if with_a_word { 20 * MS } else { IDLE });
                    lane.stream.push_back((due, Parcel::Close));
                }
            }
        }
    }

    /// The circuits that a node had, for one that wakes up and finds them gone.
    pub fn circuits_of(&self, node: Node) -> Vec<CircuitId> {
        let mut found = Vec::new();
        for (&id, circuit) in &self.circuits {
            for end in 0..2 {
                if circuit.ends[end] == node {
                    found.push(CircuitId(2 * id + end as u64));
                }
            }
        }
        found
    }

    /// Everything that reaches somebody who is awake now.
    pub fn deliver(&mut self, awake: impl Fn(Node) -> bool) -> Vec<(Node, Event)> {
        let mut events = Vec::new();
        let mut answers = Vec::new();
        let now = self.now;
        let partitions = std::mem::take(&mut self.partitions);
        let parted = |a: Node, b: Node| {
            partitions.iter().any(|&(x, y, until)| now < until && ((x, y) == (a, b) || (x, y) == (b, a)))
        };
        for (&id, circuit) in &mut self.circuits {
            for end in 0..2 {
                let node = circuit.ends[end];
                let here = CircuitId(2 * id + end as u64);
                if circuit.closed[end] {
                    circuit.lanes[end] = Lane::default();
                    continue;
                }
                if !awake(node) || parted(circuit.ends[0], circuit.ends[1]) {
                    continue;
                }
                let lane = &mut circuit.lanes[end];
                while lane.stream.front().is_some_and(|(due, _)| *due <= now) {
                    let Some((_, parcel)) = lane.stream.pop_front() else { break };
                    match parcel {
                        Parcel::Open(peer) => {
                            events.push((node, Event::Opened(here, peer)));
                            if let Some(theirs) = circuit.dialled.take() {
                                answers.push((id, theirs));
                            }
                        }
                        Parcel::Message(message) => events.push((node, Event::Received(here, message))),
                        Parcel::Close => {
                            circuit.closed[end] = true;
                            events.push((node, Event::Closed(here)));
                            break;
                        }
                    }
                }
                if circuit.closed[end] {
                    continue;
                }
                let mut due: Vec<(u64, Message)> =
                    lane.datagrams.extract_if(.., |(due, ..)| *due <= now).collect();
                due.sort_by_key(|(due, ..)| *due);
                events.extend(due.into_iter().map(|(_, m)| (node, Event::Received(here, m))));
            }
        }
        self.partitions = partitions;
        self.partitions.retain(|&(.., until)| now < until);
        for (id, theirs) in answers {
            let delay = self.delay();
            if let Some(circuit) = self.circuits.get_mut(&id) {
                let due = self.now + delay;
                circuit.lanes[0].last_due = circuit.lanes[0].last_due.max(due);
                circuit.lanes[0].stream.push_front((due, Parcel::Open(theirs)));
            }
        }
        self.circuits.retain(|_, circuit| circuit.closed != [true, true]);
        events
    }
}
