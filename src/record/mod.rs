//! The applied-input log of a process, and its replay in one undivided sea.
//!
//! Everything that a vessel's bits depend on is written down as it happens: its launch, every order with
//! the tick that it was applied at, the hash of every tick that was published, and under which epoch.
//! [`replay`] sails all of it again in a single simulation and holds the regions to the same bits.
//!
//! One file per process, `<region>.log`, opened before the region says ready and written by a thread of
//! its own: the simulation only fills a buffer. What the kernel has taken survives the process; a killed
//! one loses the last quarter of a second of course time. A full disk costs the record, not the sailing.

mod format;
mod recorder;
mod replay;
mod track;

use std::fs;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::sim::Vessel;
use crate::units::{Tick, VesselId};
use crate::vessel::{Input, Wake};
use crate::wire::message::AppliedInput;

pub use recorder::Recorder;
pub use replay::{Mismatch, ReplayError, ReplaySummary, replay, replay_watched};

/// Why a record cannot be written or read: what was tried, on what, and what to do, in one line.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct RecordError(pub String);

/// One entry of a log.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Entry {
    /// A vessel was put into the water, or taken up again.
    #[serde(rename = "l")]
    Launched {
        /// The tick of its state.
        tick: Tick,
        /// The vessel.
        vessel: Box<Vessel>,
    },
    /// An order was applied.
    #[serde(rename = "i")]
    Input {
        /// Which vessel.
        vessel: VesselId,
        /// The tick whose state is the first to feel it.
        tick: Tick,
        /// The order.
        input: Input,
    },
    /// It was decided whose wakes act on a vessel.
    #[serde(rename = "w")]
    Company {
        /// Which vessel.
        vessel: VesselId,
        /// The tick whose state is the first to feel it.
        tick: Tick,
        /// Samples of one tick.
        company: Vec<Wake>,
    },
    /// A tick of a vessel was published.
    #[serde(rename = "h")]
    Hash {
        /// Which vessel.
        vessel: VesselId,
        /// The tick.
        tick: Tick,
        /// Term of the epoch.
        term: u32,
        /// Hop of the epoch.
        hop: u32,
        /// Hash of the vessel after the tick.
        hash: u64,
    },
    /// A vessel was sailed on from its shadow, its owner having ended.
    #[serde(rename = "r")]
    Resumed {
        /// The tick of its state; those after it are published under the new term.
        tick: Tick,
        /// The last tick of which the orders were known.
        through: Tick,
        /// The new term.
        term: u32,
        /// The vessel.
        vessel: Box<Vessel>,
    },
    /// A vessel was handed over: its state as it was offered, and what it was given until the commit tick.
    #[serde(rename = "t")]
    Taken {
        /// The tick of the state.
        tick: Tick,
        /// The first tick that is published here.
        commit: Tick,
        /// The vessel.
        vessel: Box<Vessel>,
        /// Its inputs after that state.
        given: Vec<AppliedInput>,
    },
    /// A vessel left the water after a tick.
    #[serde(rename = "x")]
    Left {
        /// The tick.
        tick: Tick,
        /// Which vessel.
        vessel: VesselId,
    },
}

/// A log that was read.
#[derive(Clone, Debug, PartialEq)]
pub struct Contents {
    /// The course that it was sailed on.
    pub course: String,
    /// The seed of its sea.
    pub seed: u64,
    /// Its entries, in the order in which they were written.
    pub entries: Vec<Entry>,
    /// Whether the last entry was cut off, as a killed process leaves it.
    pub cut: bool,
}

/// Reads a whole log; `name` is for messages. `None` where even its header was cut off.
///
/// # Errors
/// Names the log and what is wrong with it.
pub fn read_log(name: &str, source: impl std::io::Read) -> Result<Option<Contents>, RecordError> {
    let Some(mut log) = format::Log::read(name.to_owned(), source)? else { return Ok(None) };
    let mut entries = Vec::new();
    while let Some(entry) = log.entry()? {
        entries.push(entry);
    }
    let format::Header { course, seed, .. } = log.header;
    Ok(Some(Contents { course, seed, entries, cut: log.cut }))
}

/// The bytes of a log with these entries, as a region of that name writes them.
#[must_use]
pub fn log_bytes(region: &str, course: &str, seed: u64, entries: &[Entry]) -> Vec<u8> {
    let mut bytes = format::Header::new(region, course, seed).bytes();
    for entry in entries {
        format::append(&mut bytes, entry);
    }
    bytes
}

/// What a directory of logs is the record of; `passage.toml`, written by whoever starts the sailing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Passage {
    /// The course's folder.
    pub course: PathBuf,
    /// The seed of its sea.
    pub seed: u64,
    /// The course's digest, hexadecimal: a course that was edited since is another one.
    pub digest: String,
}

/// Name of the file that holds a [`Passage`].
pub const PASSAGE_FILE: &str = "passage.toml";

impl Passage {
    /// Writes it into a directory of logs, which is made if it is not there.
    ///
    /// # Errors
    /// Names the file and what the system says.
    pub fn write(&self, dir: &Path) -> Result<(), RecordError> {
        let path = dir.join(PASSAGE_FILE);
        let text = toml::to_string(self)
            .map_err(|error| RecordError(format!("cannot write {}: {error}", path.display())))?;
        fs::create_dir_all(dir)
            .and_then(|()| fs::write(&path, text))
            .map_err(|error| RecordError(format!("cannot write {}: {error}", path.display())))
    }

    /// Reads it from a directory of logs.
    ///
    /// # Errors
    /// Names the file and what is wrong with it.
    pub fn read(dir: &Path) -> Result<Self, RecordError> {
        let path = dir.join(PASSAGE_FILE);
        let text = fs::read_to_string(&path).map_err(|error| {
            RecordError(format!("cannot read {}: {error}; name the course", path.display()))
        })?;
        toml::from_str(&text).map_err(|error| {
            RecordError(format!(
                "{}: {}; name the course",
                path.display(),
                error.message().replace('\n', " ")
            ))
        })
    }
}
