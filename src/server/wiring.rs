//! Between regions and the network: which circuit is whose, and what each action does.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::net::{Endpoint, Event, Expect};
use crate::record::{Entry, Recorder};
use crate::region::{Action, Farewell, Logged, Now, Region};
use crate::units::RegionId;
use crate::wire::circuit::{CircuitId, Peer};
use crate::wire::message::{AppliedInput, Given};

/// An open circuit.
#[derive(Debug)]
struct Circuit {
    peer: Peer,
    /// The region that its server name chose.
    region: RegionId,
    /// Regions that know it: the one of its name, and those that a message named.
    known_to: Vec<RegionId>,
}

/// The endpoint, the log, and the circuits.
#[derive(Debug)]
pub(super) struct Wiring {
    endpoint: Endpoint,
    recorder: Option<Recorder>,
    authority: Option<Vec<u8>>,
    circuits: BTreeMap<CircuitId, Circuit>,
    /// Circuits that a region asked for.
    dialled: BTreeMap<CircuitId, RegionId>,
    stopped: Vec<RegionId>,
}

impl Wiring {
    pub(super) fn new(endpoint: Endpoint, recorder: Option<Recorder>, authority: Option<Vec<u8>>) -> Self {
        Self {
            endpoint,
            recorder,
            authority,
            circuits: BTreeMap::new(),
            dialled: BTreeMap::new(),
            stopped: Vec::new(),
        }
    }

    /// Waits for the first event up to `wait`, then passes on what has come, up to `bound` events.
    pub(super) fn hear(&mut self, regions: &mut [Region], wait: Duration, bound: usize) {
        let mut next = if wait.is_zero() {
            self.endpoint.events().try_recv().ok()
        } else {
            self.endpoint.events().recv_timeout(wait).ok()
        };
        let mut heard = 0;
        while let Some(event) = next {
            self.pass_on(regions, event);
            heard += 1;
            next = if heard < bound { self.endpoint.events().try_recv().ok() } else { None };
        }
    }

    fn pass_on(&mut self, regions: &mut [Region], event: Event) {
        match event {
            Event::Opened { circuit, peer, name } => {
                let asked = self.dialled.get(&circuit).copied();
                let named = regions.iter().find(|region| region.name() == name).map(Region::id);
                // Where a region runs alone it answers to any name.
                let Some(id) = asked.or(named).or_else(|| regions.first().map(Region::id)) else { return };
                self.circuits.insert(circuit, Circuit { peer: peer.clone(), region: id, known_to: vec![id] });
                if let Some(region) = regions.iter_mut().find(|region| region.id() == id) {
                    region.opened(circuit, peer);
                    self.act(region);
                }
            }
            Event::Received { circuit, to, message } => {
                let Some(open) = self.circuits.get_mut(&circuit) else { return };
                let id = to.unwrap_or(open.region);
                let Some(region) = regions.iter_mut().find(|region| region.id() == id) else { return };
                if !open.known_to.contains(&id) {
                    open.known_to.push(id);
                    region.opened(circuit, open.peer.clone());
                }
                region.received(circuit, message);
                self.act(region);
            }
            Event::Closed { circuit, .. } => {
                self.circuits.remove(&circuit);
                self.dialled.remove(&circuit);
                for region in regions {
                    region.closed(circuit);
                    self.act(region);
                }
            }
        }
    }

    pub(super) fn pump(&mut self, region: &mut Region, now: Now) {
        let endpoint = &self.endpoint;
        region.pump(now, &|circuit| endpoint.rtt(circuit));
    }

    /// Does all that a region asks for.
    pub(super) fn act(&mut self, region: &mut Region) {
        while let Some(action) = region.poll_action() {
            match action {
                Action::Send { circuit, to, message, way } => self.endpoint.send(circuit, to, message, way),
                Action::Dial { region: target, addr, name } => {
                    let expect = self.authority.clone().map_or(Expect::Anyone, Expect::Authority);
                    let circuit = self.endpoint.dial(addr, &name, expect);
                    self.dialled.insert(circuit, region.id());
                    region.dialled(target, circuit);
                }
                Action::Close(circuit) => self.endpoint.close(circuit),
                Action::Enrol(chain) => self.endpoint.enrol(chain),
                Action::Log(entry) => {
                    if let Some(recorder) = &mut self.recorder {
                        recorder.write(entry_of(entry));
                    }
                }
                Action::Stop => self.stopped.push(region.id()),
            }
        }
    }

    /// Drops regions that asked to stop, and says what they did before.
    pub(super) fn forget_stopped(&mut self, regions: &mut Vec<Region>) -> Vec<(RegionId, Farewell)> {
        let mut farewells = Vec::new();
        for id in self.stopped.drain(..) {
            let gone = regions.iter().filter(|region| region.id() == id);
            farewells.extend(gone.filter_map(|region| Some((id, region.farewell()?))));
            regions.retain(|region| region.id() != id);
        }
        farewells
    }

    /// Sends what is left and closes the log.
    pub(super) fn finish(self) -> Result<(), String> {
        drop(self.endpoint);
        match self.recorder {
            Some(recorder) => recorder.finish().map_err(|error| error.to_string()),
            None => Ok(()),
        }
    }
}

fn entry_of(logged: Logged) -> Entry {
    match logged {
        Logged::Launched(tick, vessel) => Entry::Launched { tick, vessel },
        Logged::Applied(AppliedInput { vessel, tick, given: Given::Order(input) }) => {
            Entry::Input { vessel, tick, input }
        }
        Logged::Applied(AppliedInput { vessel, tick, given: Given::Company(company) }) => {
            Entry::Company { vessel, tick, company }
        }
        Logged::Published { vessel, tick, epoch, hash } => {
            Entry::Hash { vessel, tick, term: epoch.term, hop: epoch.hop, hash }
        }
        Logged::Resumed { tick, through, epoch, vessel } => {
            Entry::Resumed { tick, through, term: epoch.term, vessel }
        }
        Logged::Taken { tick, commit, vessel, given } => Entry::Taken { tick, commit, vessel, given },
        Logged::Left(tick, vessel) => Entry::Left { tick, vessel },
    }
}
