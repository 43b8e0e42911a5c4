//! A region beside the one that a test is about, with a good certificate.

use std::time::{Duration, Instant};

use fairway::net::{CircuitId, Endpoint, Event, Identity, Way};
use fairway::units::RegionId;
use fairway::wire::Message;
use fairway::wire::message::Word;

use crate::port::{NAME, PATIENCE, Port, REGION, endpoint};

/// A region beside the one that is attacked.
pub struct Peer {
    line: Endpoint,
    circuit: CircuitId,
}

impl Peer {
    /// Dials with a certificate for region `number` and says that it is region `claimed`.
    pub fn link(port: &Port, number: u32, claimed: u32) -> Self {
        let identity = Identity::generate().unwrap();
        let name = format!("r{number}.gullwing.fairway");
        let chain = port.authority.sign_region(&identity.public_key(), &[&name], 14).unwrap();
        let line = endpoint(identity.with_chain(chain), Some(&port.authority));
        let circuit = line.dial(port.addr, NAME, port.expect());
        let peer = Self { line, circuit };
        peer.say(Message::Link { from: RegionId(claimed) });
        peer
    }

    pub fn say(&self, message: Message) {
        self.line.send(self.circuit, Some(REGION), message, Way::Stream);
    }

    pub fn word(&self, word: Word) {
        self.say(Message::Handoff(word));
    }

    /// The next word of a handoff; none when silence follows.
    pub fn hear(&self, patience: Duration) -> Option<Word> {
        let begun = Instant::now();
        while begun.elapsed() < patience {
            match self.line.events().recv_timeout(patience.saturating_sub(begun.elapsed())) {
                Ok(Event::Received { message: Message::Handoff(word), .. }) => return Some(word),
                Ok(Event::Closed { reason, .. }) => panic!("the circuit was closed: {reason}"),
                _ => {}
            }
        }
        None
    }

    pub fn is_closed(&self) -> bool {
        let begun = Instant::now();
        while begun.elapsed() < PATIENCE {
            if matches!(self.line.events().recv_timeout(PATIENCE), Ok(Event::Closed { .. })) {
                return true;
            }
        }
        false
    }
}
