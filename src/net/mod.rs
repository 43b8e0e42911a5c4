//! Circuits: QUIC connections that carry messages between this process and others.
//!
//! One endpoint has one UDP port. Its tokio thread meets the rest of the process through two bounded
//! queues and nothing else.

use std::net::SocketAddr;

use crate::units::RegionId;
use crate::wire::Message;

/// One circuit of one endpoint; never used again after it closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CircuitId(pub u64);

/// Who is at the other end, as TLS proved it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Peer {
    /// The harbour of this course.
    Harbour,
    /// A region whose certificate the harbour signed; its server name.
    Region(String),
    /// Anybody else: the SHA-256 of its public key (SubjectPublicKeyInfo, DER).
    Client([u8; 32]),
}

/// How a message travels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// In order and for certain.
    Stream,
    /// At once or never.
    Datagram,
}

/// What an endpoint tells its process.
#[derive(Debug)]
pub enum Event {
    /// A circuit is open, dialled or accepted.
    Opened {
        /// Which.
        circuit: CircuitId,
        /// Who is there.
        peer: Peer,
        /// The server name that was asked for.
        name: String,
    },
    /// A message came.
    Received {
        /// On which circuit.
        circuit: CircuitId,
        /// The region that it speaks to, where it names one; else the one of the server name.
        to: Option<RegionId>,
        /// The message.
        message: Message,
    },
    /// A circuit is gone, or could not be dialled.
    Closed {
        /// Which.
        circuit: CircuitId,
        /// Why.
        reason: String,
    },
}

/// Whom to expect at the other end of a dialled circuit.
#[derive(Clone, Debug)]
pub enum Expect {
    /// A certificate that this authority signed, for the name that is dialled; DER of its certificate.
    Authority(Vec<u8>),
    /// A key with this SHA-256 of its public key.
    Key([u8; 32]),
    /// Anyone: for a region that runs alone on this machine.
    Anyone,
}

/// An endpoint that is open.
#[derive(Debug)]
pub struct Endpoint {}

/// Why an endpoint could not be opened.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct NetError(pub String);

impl Endpoint {
    /// Where it listens.
    #[must_use]
    pub fn local_addr(&self) -> SocketAddr {
        unimplemented!()
    }

    /// The queue of what happens.
    #[must_use]
    pub fn events(&self) -> &crossbeam::channel::Receiver<Event> {
        unimplemented!()
    }

    /// Starts a circuit to a server by its name; `Opened` or `Closed` follows.
    pub fn dial(&self, addr: SocketAddr, name: &str, expect: Expect) -> CircuitId {
        let _ = (addr, name, expect);
        unimplemented!()
    }

    /// Sends a message; lost without a word when the circuit is gone, or, for a datagram, when it does not
    /// fit or the queue is full.
    pub fn send(&self, circuit: CircuitId, to: Option<RegionId>, message: Message, way: Way) {
        let _ = (circuit, to, message, way);
        unimplemented!()
    }

    /// Ends a circuit.
    pub fn close(&self, circuit: CircuitId) {
        let _ = circuit;
        unimplemented!()
    }

    /// Shows a certificate chain (DER, leaf first) that the harbour signed from now on.
    pub fn enrol(&self, chain: Vec<Vec<u8>>) {
        let _ = chain;
        unimplemented!()
    }
}
