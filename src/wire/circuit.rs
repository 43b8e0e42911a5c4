//! What a circuit is to those who only pass messages.

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
