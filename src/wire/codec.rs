//! Messages to bytes and back.
//!
//! One byte of version, then one MessagePack array `[to, message]`. A reader checks size, version and every
//! marker of the MessagePack before it builds anything, so that what a stranger sent costs one walk over its
//! bytes and no memory.

use serde::{Serialize, de::DeserializeOwned};

use super::Message;
use crate::limits::{MESSAGE_BYTES, MESSAGE_DEPTH};
use crate::units::RegionId;

/// Version of the protocol: raised when an older reader would misunderstand a message.
pub const VERSION: u8 = 1;

/// Why bytes are not a message, or a message cannot become bytes.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WireError {
    /// {bytes} bytes are more than the {cap} that are allowed here
    #[error("{bytes} bytes are more than the {cap} that are allowed here")]
    TooLarge {
        /// How many there are, or were announced.
        bytes: usize,
        /// How many may be.
        cap: usize,
    },
    /// it speaks another version
    #[error(
        "it speaks version {theirs}, this side speaks version {ours}: use the same release on both sides"
    )]
    Version {
        /// What the bytes say.
        theirs: u8,
        /// What this side speaks.
        ours: u8,
    },
    /// values are nested too deeply
    #[error("values are nested deeper than {MESSAGE_DEPTH}")]
    TooDeep,
    /// a number is not finite
    #[error("a number is not finite, or too large for any quantity at sea")]
    NotFinite,
    /// it ends before what it announces
    #[error("it ends before what it announces")]
    Truncated,
    /// bytes follow after the end
    #[error("{0} bytes follow after the end")]
    Trailing(usize),
    /// not a message of this version
    #[error("not a message of this version: {0}")]
    Malformed(String),
}

/// The bytes of a message, and of the region behind the endpoint that it speaks to.
///
/// # Errors
/// [`WireError::TooLarge`] when it has more than [`MESSAGE_BYTES`].
pub fn encode(to: Option<RegionId>, message: &Message) -> Result<Vec<u8>, WireError> {
    let mut bytes = Vec::new();
    encode_into(&mut bytes, to, message)?;
    Ok(bytes)
}

/// Appends the bytes of a message to a buffer.
///
/// # Errors
/// [`WireError::TooLarge`] when it has more than [`MESSAGE_BYTES`]; the buffer is as before.
pub fn encode_into(buffer: &mut Vec<u8>, to: Option<RegionId>, message: &Message) -> Result<(), WireError> {
    let start = buffer.len();
    buffer.push(VERSION);
    let outcome = write_value(buffer, &(to, message), start.saturating_add(MESSAGE_BYTES));
    if outcome.is_err() {
        buffer.truncate(start);
    }
    outcome
}

/// Reads a message of at most `cap` bytes.
///
/// # Errors
/// Each kind of damage has its own [`WireError`].
pub fn decode(bytes: &[u8], cap: usize) -> Result<(Option<RegionId>, Message), WireError> {
    if bytes.len() > cap {
        return Err(WireError::TooLarge { bytes: bytes.len(), cap });
    }
    let (&version, value) = bytes.split_first().ok_or(WireError::Truncated)?;
    if version != VERSION {
        return Err(WireError::Version { theirs: version, ours: VERSION });
    }
    read_value(value)
}

/// Appends one value in compact MessagePack while the buffer stays within `cap` bytes.
pub(super) fn write_value<T: Serialize>(
    buffer: &mut Vec<u8>,
    value: &T,
    cap: usize,
) -> Result<(), WireError> {
    rmp_serde::encode::write(buffer, value).map_err(|error| WireError::Malformed(error.to_string()))?;
    if buffer.len() > cap {
        return Err(WireError::TooLarge { bytes: buffer.len(), cap });
    }
    Ok(())
}

/// Reads exactly one MessagePack value after [`inspect`] found nothing wrong with it.
pub(crate) fn read_value<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, WireError> {
    let end = inspect(bytes)?;
    if end < bytes.len() {
        return Err(WireError::Trailing(bytes.len() - end));
    }
    let mut reader = rmp_serde::Deserializer::from_read_ref(bytes);
    reader.set_max_depth(MESSAGE_DEPTH);
    T::deserialize(&mut reader).map_err(|error| match error {
        rmp_serde::decode::Error::DepthLimitExceeded => WireError::TooDeep,
        other => WireError::Malformed(other.to_string()),
    })
}

/// Walks over one MessagePack value without building anything; returns where it ends.
///
/// Afterwards it is known that every announced length is there, so a collection's length may be trusted
/// when memory is reserved for it; that nothing is nested deeper than [`MESSAGE_DEPTH`]; and that every
/// float is finite, as f32 too, because a field of that type would turn a greater f64 into infinity.
fn inspect(bytes: &[u8]) -> Result<usize, WireError> {
    let mut walk = Walk { bytes, at: 0 };
    // How many values are still to come in each container that is open; the outermost holds the one value.
    let mut open = [0_usize; MESSAGE_DEPTH + 1];
    open[0] = 1;
    let mut depth = 0;
    loop {
        while open[depth] == 0 {
            if depth == 0 {
                return Ok(walk.at);
            }
            depth -= 1;
        }
        open[depth] -= 1;
        if let Some(values) = walk.step()? {
            depth += 1;
            *open.get_mut(depth).ok_or(WireError::TooDeep)? = values;
        }
    }
}

/// A place in MessagePack bytes.
struct Walk<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl Walk<'_> {
    /// Passes one scalar, or the head of one container and returns how many values it holds.
    fn step(&mut self) -> Result<Option<usize>, WireError> {
        let marker = self.take::<1>()?[0];
        match marker {
            // Small integers, nil, booleans.
            0x00..=0x7f | 0xe0..=0xff | 0xc0 | 0xc2 | 0xc3 => self.skip(0),
            0x80..=0x8f => self.container(usize::from(marker & 0x0f), 2),
            0x90..=0x9f => self.container(usize::from(marker & 0x0f), 1),
            0xa0..=0xbf => self.skip(usize::from(marker & 0x1f)),
            // Byte and text strings with lengths of 8, 16 and 32 bits.
            0xc4 | 0xd9 => self.length::<1>().and_then(|length| self.skip(length)),
            0xc5 | 0xda => self.length::<2>().and_then(|length| self.skip(length)),
            0xc6 | 0xdb => self.length::<4>().and_then(|length| self.skip(length)),
            0xca => {
                let value = f32::from_be_bytes(self.take()?);
                if value.is_finite() { Ok(None) } else { Err(WireError::NotFinite) }
            }
            0xcb => {
                let value = f64::from_be_bytes(self.take()?);
                // False for NaN as well.
                if value.abs() <= f64::from(f32::MAX) { Ok(None) } else { Err(WireError::NotFinite) }
            }
            // Integers of 8, 16, 32 and 64 bits.
            0xcc | 0xd0 => self.skip(1),
            0xcd | 0xd1 => self.skip(2),
            0xce | 0xd2 => self.skip(4),
            0xcf | 0xd3 => self.skip(8),
            0xdc => self.length::<2>().and_then(|length| self.container(length, 1)),
            0xdd => self.length::<4>().and_then(|length| self.container(length, 1)),
            0xde => self.length::<2>().and_then(|length| self.container(length, 2)),
            0xdf => self.length::<4>().and_then(|length| self.container(length, 2)),
            0xc1 | 0xc7..=0xc9 | 0xd4..=0xd8 => {
                Err(WireError::Malformed(format!("no message holds the MessagePack marker {marker:#04x}")))
            }
        }
    }

    /// A container of that many entries, each of `width` values of at least one byte.
    fn container(&self, entries: usize, width: usize) -> Result<Option<usize>, WireError> {
        match entries.checked_mul(width) {
            Some(values) if values <= self.bytes.len() - self.at => Ok(Some(values)),
            _ => Err(WireError::Truncated),
        }
    }

    fn skip(&mut self, length: usize) -> Result<Option<usize>, WireError> {
        if length > self.bytes.len() - self.at {
            return Err(WireError::Truncated);
        }
        self.at += length;
        Ok(None)
    }

    /// The next N bytes.
    fn take<const N: usize>(&mut self) -> Result<[u8; N], WireError> {
        let taken = *self.bytes[self.at..].first_chunk::<N>().ok_or(WireError::Truncated)?;
        self.at += N;
        Ok(taken)
    }

    /// An unsigned length of N bytes, most significant first.
    fn length<const N: usize>(&mut self) -> Result<usize, WireError> {
        Ok(self.take::<N>()?.iter().fold(0, |length, &byte| (length << 8) | usize::from(byte)))
    }
}
