//! Circuits: who is at the other end, neighbours that are dialled, and what is said to them.

use std::time::Duration;

use super::{Action, Region};
use crate::units::RegionId;
use crate::wire::circuit::{CircuitId, Peer, Way};
use crate::wire::message::{Message, Neighbour};

/// Wall time between two tries to reach a neighbour.
const REDIAL_EVERY: Duration = Duration::from_millis(250);

/// The circuit to another region.
#[derive(Debug, Default)]
pub(super) struct Link {
    pub(super) circuit: Option<CircuitId>,
    pub(super) open: bool,
    pub(super) rtt: Duration,
    pub(super) dialled_ns: u64,
}

impl Region {
    /// A circuit opened, dialled or accepted.
    pub fn opened(&mut self, circuit: CircuitId, peer: Peer) {
        if peer == Peer::Harbour {
            self.harbour = Some(circuit);
            if self.draining_ns.is_some() {
                self.send(circuit, None, Message::Leaving, Way::Stream);
            }
        }
        if let Some(&region) = self.by_circuit.get(&circuit) {
            // We dialled it: say who we are, as a process may speak for several regions.
            self.link_open(region, circuit);
            let from = self.config.id;
            self.send(circuit, Some(region), Message::Link { from }, Way::Stream);
        }
        self.peers.insert(circuit, peer);
    }

    /// A circuit that [`Action::Dial`] asked for is being opened.
    pub fn dialled(&mut self, region: RegionId, circuit: CircuitId) {
        self.by_circuit.insert(circuit, region);
        self.links.entry(region).or_default().circuit = Some(circuit);
    }

    /// A circuit is gone.
    pub fn closed(&mut self, circuit: CircuitId) {
        self.peers.remove(&circuit);
        self.clients.remove(&circuit);
        if self.harbour == Some(circuit) {
            self.harbour = None;
        }
        if let Some(region) = self.by_circuit.remove(&circuit)
            && let Some(link) = self.links.get_mut(&region)
            && link.circuit == Some(circuit)
        {
            link.circuit = None;
            link.open = false;
            self.link_lost(region);
        }
    }

    /// A message came.
    pub fn received(&mut self, circuit: CircuitId, message: Message) {
        let Some(peer) = self.peers.get(&circuit).cloned() else { return };
        let from_region = self.by_circuit.get(&circuit).copied();
        match (peer, message) {
            (Peer::Client(key), message) => self.hear_crew(circuit, key, message),
            (Peer::Harbour, message) => self.hear_harbour(message),
            (Peer::Region(name), Message::Link { from }) => self.hear_link(circuit, &name, from),
            (Peer::Region(_), message) => match from_region {
                Some(from) => self.hear_region(from, message),
                None => self.counts.out_of_place += 1,
            },
        }
    }

    pub(super) fn hear_link(&mut self, circuit: CircuitId, name: &str, from: RegionId) {
        // The certificate's name says which regions a process may speak for.
        if !name.starts_with(&format!("r{}.", from.0)) {
            self.counts.out_of_place += 1;
            self.actions.push_back(Action::Close(circuit));
            return;
        }
        self.by_circuit.insert(circuit, from);
        self.link_open(from, circuit);
    }

    pub(super) fn link_open(&mut self, region: RegionId, circuit: CircuitId) {
        let link = self.links.entry(region).or_default();
        link.circuit = Some(circuit);
        link.open = true;
        if self.draining_ns.is_some() {
            self.send_region(region, Message::Leaving, Way::Stream);
        }
        self.repeat_commits(region);
    }

    pub(super) fn dial_neighbours(&mut self, now_ns: u64) {
        let wait_ns = crate::units::nanoseconds(REDIAL_EVERY);
        for neighbour in &self.neighbours {
            // One side dials, or both would.
            if neighbour.region <= self.config.id {
                continue;
            }
            let link = self.links.entry(neighbour.region).or_default();
            if link.circuit.is_none() && now_ns.saturating_sub(link.dialled_ns) >= wait_ns {
                link.dialled_ns = now_ns;
                self.actions.push_back(Action::Dial {
                    region: neighbour.region,
                    addr: neighbour.addr,
                    name: neighbour.name.clone(),
                });
            }
        }
    }

    /// The open circuit to a region.
    pub(super) fn link(&self, region: RegionId) -> Option<CircuitId> {
        self.links.get(&region).filter(|link| link.open).and_then(|link| link.circuit)
    }

    /// Whether a region can be reached and stays: one to give vessels to, or to have them guarded by.
    pub(super) fn is_at_hand(&self, region: RegionId) -> bool {
        self.link(region).is_some() && !self.leaving.contains_key(&region)
    }

    pub(super) fn neighbour(&self, region: RegionId) -> Option<&Neighbour> {
        self.neighbours.iter().find(|neighbour| neighbour.region == region)
    }

    pub(super) fn send(&mut self, circuit: CircuitId, to: Option<RegionId>, message: Message, way: Way) {
        self.actions.push_back(Action::Send { circuit, to, message, way });
    }

    pub(super) fn send_region(&mut self, region: RegionId, message: Message, way: Way) -> bool {
        let Some(circuit) = self.link(region) else { return false };
        self.send(circuit, Some(region), message, way);
        true
    }
}
