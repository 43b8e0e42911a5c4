//! Tickets: what the harbour lets a client do with a vessel, signed.
//!
//! A ticket names the client's key, which the client proves in TLS; so it may be used on two circuits at
//! once, as a crossing needs, and whoever copies it cannot use it.
//!
//! Its bytes: version, MessagePack of [`Ticket`], ECDSA signature of 64 bytes (P-256, SHA-256) over
//! `DOMAIN` and everything before it. The harbour's key also signs certificates; these begin with an ASN.1
//! sequence, a ticket's signed bytes with `DOMAIN`, so neither can pass for the other.

use ring::rand::SystemRandom;
use ring::signature::{
    ECDSA_P256_SHA256_FIXED, ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, UnparsedPublicKey,
};
use serde::{Deserialize, Serialize};

use super::codec::{WireError, read_value, write_value};
use crate::limits::TICKET_BYTES;
use crate::units::VesselId;

/// Version of a ticket's bytes.
const VERSION: u8 = 1;
/// What every signed ticket begins with, though it is not sent.
const DOMAIN: &[u8] = b"fairway ticket\0";
/// Bytes of a signature: r and s, 32 each.
const SIGNATURE_BYTES: usize = 64;

/// What a client may do with a vessel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Rights {
    /// Steer it, and see what its crew sees.
    Sail,
    /// See what its crew sees.
    Watch,
}

/// A permission for the holder of one key, on one vessel of one course, for a time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ticket {
    /// The course's name.
    pub course: String,
    /// Which vessel.
    pub vessel: VesselId,
    /// What it permits.
    pub rights: Rights,
    /// The first second, Unix time, at which it is no longer valid.
    pub expires_unix_s: u64,
    /// SHA-256 of the client's public key (SubjectPublicKeyInfo, DER), as [`crate::net::Peer::Client`] has it.
    pub key: [u8; 32],
}

/// Why a ticket is not accepted.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TicketError {
    /// the ticket cannot be read
    #[error("the ticket cannot be read: {0}")]
    Unreadable(#[from] WireError),
    /// the harbour did not sign this ticket
    #[error("the harbour of this course did not sign this ticket: book again")]
    Forged,
    /// the ticket has expired
    #[error("the ticket expired {0} s ago: ask the harbour for a new one")]
    Expired(u64),
    /// the ticket is for another course
    #[error("the ticket is for the course `{theirs}`, here is `{ours}`: join where it was booked")]
    OtherCourse {
        /// The ticket's.
        theirs: String,
        /// This one.
        ours: String,
    },
    /// the ticket is for another vessel
    #[error("the ticket is for vessel {}, not for vessel {}", theirs.0, ours.0)]
    OtherVessel {
        /// The ticket's.
        theirs: VesselId,
        /// The one that was meant.
        ours: VesselId,
    },
    /// the ticket is for another client
    #[error("the ticket is for a client with another key: present it with the key it was booked with")]
    OtherKey,
}

/// The key that signs tickets.
#[derive(Debug)]
pub struct TicketKey(EcdsaKeyPair);

/// The public half of the key that signs tickets: an uncompressed point on P-256, 65 bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuthorityKey(pub Vec<u8>);

/// A key that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("cannot use the key: {0}")]
pub struct KeyError(pub String);

impl TicketKey {
    /// The key in PKCS #8 (DER), for ECDSA on P-256.
    ///
    /// # Errors
    /// When it is no such key.
    pub fn from_pkcs8(pkcs8: &[u8]) -> Result<Self, KeyError> {
        EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, pkcs8, &SystemRandom::new())
            .map(Self)
            .map_err(|rejected| KeyError(rejected.to_string()))
    }

    /// Its public half.
    #[must_use]
    pub fn public(&self) -> AuthorityKey {
        use ring::signature::KeyPair;
        AuthorityKey(self.0.public_key().as_ref().to_vec())
    }
}

impl Ticket {
    /// The ticket's bytes, signed.
    ///
    /// # Errors
    /// When it does not fit [`TICKET_BYTES`], or the machine has no randomness to sign with.
    pub fn sign(&self, key: &TicketKey) -> Result<Vec<u8>, TicketError> {
        let mut value = Vec::new();
        write_value(&mut value, self, TICKET_BYTES - SIGNATURE_BYTES - 1)?;
        sign_bytes(&value, key)
    }

    /// Whether it is for this vessel.
    ///
    /// # Errors
    /// [`TicketError::OtherVessel`] when it is not.
    pub fn admits(&self, vessel: VesselId) -> Result<(), TicketError> {
        if self.vessel == vessel {
            Ok(())
        } else {
            Err(TicketError::OtherVessel { theirs: self.vessel, ours: vessel })
        }
    }
}

/// Signs what is to be the MessagePack of a ticket, whatever it is: tests make tickets with it that no
/// harbour would.
///
/// # Errors
/// When it does not fit [`TICKET_BYTES`], or the machine has no randomness to sign with.
pub fn sign_bytes(value: &[u8], key: &TicketKey) -> Result<Vec<u8>, TicketError> {
    let bytes = 1 + value.len() + SIGNATURE_BYTES;
    if bytes > TICKET_BYTES {
        return Err(WireError::TooLarge { bytes, cap: TICKET_BYTES }.into());
    }
    let mut signed = [DOMAIN, &[VERSION], value].concat();
    let signature = key
        .0
        .sign(&SystemRandom::new(), &signed)
        .map_err(|_| WireError::Malformed("no randomness to sign with".to_owned()))?;
    let mut bytes = signed.split_off(DOMAIN.len());
    bytes.extend_from_slice(signature.as_ref());
    Ok(bytes)
}

/// Reads a ticket that a client presented; it counts only when this returns it.
///
/// `authority` is the harbour's public key, `now_unix_s` the wall time in seconds since the Unix epoch,
/// `course` the course sailed here, `peer_key` the SHA-256 of the public key that the client proved in TLS.
/// Whether it is for the vessel that is meant, [`Ticket::admits`] says.
///
/// # Errors
/// Each reason has its own [`TicketError`].
pub fn verify(
    bytes: &[u8],
    authority: &AuthorityKey,
    now_unix_s: u64,
    course: &str,
    peer_key: &[u8; 32],
) -> Result<Ticket, TicketError> {
    if bytes.len() > TICKET_BYTES {
        return Err(WireError::TooLarge { bytes: bytes.len(), cap: TICKET_BYTES }.into());
    }
    let (&version, _) = bytes.split_first().ok_or(WireError::Truncated)?;
    if version != VERSION {
        return Err(WireError::Version { theirs: version, ours: VERSION }.into());
    }
    let (body, signature) = bytes.split_last_chunk::<SIGNATURE_BYTES>().ok_or(WireError::Truncated)?;
    let value = body.get(1..).ok_or(WireError::Truncated)?;
    UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, &authority.0)
        .verify(&[DOMAIN, body].concat(), signature)
        .map_err(|_| TicketError::Forged)?;
    let ticket: Ticket = read_value(value)?;
    if ticket.course != course {
        return Err(TicketError::OtherCourse { theirs: ticket.course, ours: course.to_owned() });
    }
    if now_unix_s >= ticket.expires_unix_s {
        return Err(TicketError::Expired(now_unix_s - ticket.expires_unix_s));
    }
    if ticket.key != *peer_key {
        return Err(TicketError::OtherKey);
    }
    Ok(ticket)
}
