//! Lines to regions as QUIC circuits.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use super::engine::ReadyInfo;
use super::lines::{LineEvent, Lines};
use crate::net::{
    Authority, CERTIFICATE_DAYS, CircuitId, Endpoint, EndpointConfig, Event, Expect, NetError, Way,
};
use crate::units::RegionId;
use crate::wire::Message;

/// Circuits of the harbour's own endpoint; it dials, and nobody dials it.
#[derive(Debug)]
pub struct QuicLines {
    endpoint: Endpoint,
    authority: Arc<Authority>,
    circuits: BTreeMap<CircuitId, Line>,
    regions: BTreeMap<RegionId, CircuitId>,
}

#[derive(Debug)]
struct Line {
    region: RegionId,
    name: String,
}

impl QuicLines {
    /// Opens the endpoint at a local address, as the harbour that this authority signs.
    ///
    /// # Errors
    /// When no socket or no key can be had.
    pub fn open(authority: Arc<Authority>, local: IpAddr) -> Result<Self, NetError> {
        let endpoint = Endpoint::open(EndpointConfig {
            listen: SocketAddr::new(local, 0),
            identity: authority.harbour_identity()?,
            authority: Some(authority.certificate().to_vec()),
            // A name that nobody asks for: the harbour only dials.
            serve: vec![crate::net::HARBOUR_NAME.to_owned()],
        })?;
        Ok(Self { endpoint, authority, circuits: BTreeMap::new(), regions: BTreeMap::new() })
    }

    /// Signs the key that the region proved, and tells it.
    fn enrol(&mut self, circuit: CircuitId) -> Option<LineEvent> {
        let line = self.circuits.get(&circuit)?;
        let region = line.region;
        let signed = self
            .endpoint
            .peer_key(circuit)
            .ok_or_else(|| NetError("the circuit closed before its key was read".to_owned()))
            .and_then(|key| self.authority.sign_region(&key, &[&line.name], CERTIFICATE_DAYS));
        match signed {
            Ok(chain) => {
                self.endpoint.send(circuit, None, Message::Enrol { chain }, Way::Stream);
                Some(LineEvent::Open(region))
            }
            Err(error) => {
                self.endpoint.close(circuit);
                Some(self.forget(circuit, error.to_string())?)
            }
        }
    }

    fn forget(&mut self, circuit: CircuitId, reason: String) -> Option<LineEvent> {
        let line = self.circuits.remove(&circuit)?;
        if self.regions.get(&line.region) == Some(&circuit) {
            self.regions.remove(&line.region);
        }
        Some(LineEvent::Lost(line.region, reason))
    }
}

impl Lines for QuicLines {
    fn open(&mut self, region: RegionId, name: &str, info: &ReadyInfo) {
        self.close(region);
        let circuit = self.endpoint.dial(info.addr, name, Expect::Key(info.key));
        self.circuits.insert(circuit, Line { region, name: name.to_owned() });
        self.regions.insert(region, circuit);
    }

    fn send(&mut self, region: RegionId, message: Message) {
        if let Some(&circuit) = self.regions.get(&region) {
            self.endpoint.send(circuit, None, message, Way::Stream);
        }
    }

    fn close(&mut self, region: RegionId) {
        if let Some(circuit) = self.regions.remove(&region) {
            self.circuits.remove(&circuit);
            self.endpoint.close(circuit);
        }
    }

    fn poll(&mut self) -> Option<LineEvent> {
        // What belongs to no line any more is skipped; each turn takes one event off a bounded queue.
        while let Ok(event) = self.endpoint.events().try_recv() {
            let line = match event {
                Event::Opened { circuit, .. } => self.enrol(circuit),
                Event::Received { circuit, message, .. } => {
                    self.circuits.get(&circuit).map(|line| LineEvent::Heard(line.region, message))
                }
                Event::Closed { circuit, reason } => self.forget(circuit, reason),
            };
            if line.is_some() {
                return line;
            }
        }
        None
    }
}
