//! Bytes of a log: a magic word, then frames of a length (u32, little-endian) and that much MessagePack.
//! The first frame is the header, the others are entries.

use std::fs::File;
use std::io::{BufReader, ErrorKind, Read};
use std::path::Path;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::{Entry, RecordError};
use crate::wire::codec::read_value;

/// First bytes of a log.
const MAGIC: &[u8; 8] = b"fwaylog\n";
/// Version of the format; another is refused.
const VERSION: u32 = 2;
/// Bytes of one frame at most: a launch with its marks.
const FRAME_BYTES_MAX: usize = crate::limits::MESSAGE_BYTES;

/// What a log says of itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Header {
    version: u32,
    /// The region that wrote it.
    pub(super) region: String,
    /// Name of the course.
    pub(super) course: String,
    /// Seed of its sea.
    pub(super) seed: u64,
}

impl Header {
    pub(super) fn new(region: &str, course: &str, seed: u64) -> Self {
        Self { version: VERSION, region: region.to_owned(), course: course.to_owned(), seed }
    }

    /// The first bytes of a log.
    pub(super) fn bytes(&self) -> Vec<u8> {
        let mut bytes = MAGIC.to_vec();
        append(&mut bytes, self);
        bytes
    }
}

/// Appends a frame.
///
/// # Panics
/// Never: our own types always have a MessagePack form.
pub(super) fn append<T: Serialize>(bytes: &mut Vec<u8>, value: &T) {
    let at = bytes.len();
    bytes.extend_from_slice(&[0; 4]);
    if let Err(error) = rmp_serde::encode::write(bytes, value) {
        panic!("an entry of a log has no bytes: {error}");
    }
    let length = bytes.len() - at - 4;
    assert!(length <= FRAME_BYTES_MAX, "an entry of a log has {length} bytes");
    #[expect(clippy::cast_possible_truncation, reason = "checked above")]
    bytes[at..at + 4].copy_from_slice(&(length as u32).to_le_bytes());
}

/// A log, read entry by entry.
pub(super) struct Log<R> {
    source: R,
    name: String,
    frame: Vec<u8>,
    /// Whether its last entry was cut off, as a killed process leaves it.
    pub(super) cut: bool,
    pub(super) header: Header,
}

impl Log<BufReader<File>> {
    /// Opens a log and reads its header; `None` where even that was cut off.
    pub(super) fn open(path: &Path) -> Result<Option<Self>, RecordError> {
        let name = path.display().to_string();
        let file = File::open(path).map_err(|error| RecordError(format!("cannot read {name}: {error}")))?;
        Self::read(name, BufReader::with_capacity(1 << 16, file))
    }
}

impl<R: Read> Log<R> {
    /// Reads the header of a log, whose name is for messages; `None` where even that was cut off.
    pub(super) fn read(name: String, source: R) -> Result<Option<Self>, RecordError> {
        let header = Header::new("", "", 0);
        let mut log = Self { source, name, frame: Vec::new(), cut: false, header };
        let mut magic = [0; MAGIC.len()];
        if !log.fill(&mut magic)? {
            return Ok(None);
        }
        if &magic != MAGIC {
            return Err(RecordError(format!("{} is not a log of a region", log.name)));
        }
        let Some(header) = log.frame::<Header>()? else { return Ok(None) };
        if header.version != VERSION {
            let (name, version) = (&log.name, header.version);
            return Err(RecordError(format!("{name} has version {version}; this program reads {VERSION}")));
        }
        log.header = header;
        Ok(Some(log))
    }

    /// The next entry; `None` at the end, also where the last one was cut off.
    pub(super) fn entry(&mut self) -> Result<Option<Entry>, RecordError> {
        self.frame()
    }

    fn frame<T: DeserializeOwned>(&mut self) -> Result<Option<T>, RecordError> {
        let mut length = [0; 4];
        if !self.fill(&mut length)? {
            return Ok(None);
        }
        let length = u32::from_le_bytes(length) as usize;
        if length > FRAME_BYTES_MAX {
            return Err(RecordError(format!("{} is damaged: an entry of {length} bytes", self.name)));
        }
        let mut frame = std::mem::take(&mut self.frame);
        frame.resize(length, 0);
        let whole = self.fill(&mut frame)?;
        self.frame = frame;
        if !whole {
            self.cut = true;
            return Ok(None);
        }
        read_value(&self.frame)
            .map(Some)
            .map_err(|error| RecordError(format!("{} is damaged: {error}", self.name)))
    }

    /// Fills a buffer; false at the end of the file.
    fn fill(&mut self, buffer: &mut [u8]) -> Result<bool, RecordError> {
        let mut filled = 0;
        while filled < buffer.len() {
            match self.source.read(&mut buffer[filled..]) {
                Ok(0) => {
                    self.cut |= filled > 0;
                    return Ok(buffer.is_empty());
                }
                Ok(read) => filled += read,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(RecordError(format!("cannot read {}: {error}", self.name))),
            }
        }
        Ok(true)
    }
}
