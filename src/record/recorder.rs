//! Writing a log while sailing goes on.

use std::fs::{self, File, OpenOptions};
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};
use std::thread::JoinHandle;

use crossbeam::channel::{Receiver, Sender, TrySendError, bounded};

use super::format::{Header, append};
use super::{Entry, RecordError};
use crate::units::Tick;

/// Ticks after which what is buffered goes to the disk: a quarter of a second is all that a kill costs.
const FLUSH_TICKS: u64 = 11;
/// Bytes after which it goes at once.
const CHUNK_BYTES: usize = 32 * 1024;
/// Chunks that wait for the disk: two megabytes, seconds of a full region.
const CHUNKS_WAITING: usize = 64;
/// Bytes that may pile up behind them before the record is given up: a disk that stands still this long
/// will not catch up.
const BACKLOG_BYTES_MAX: usize = 8 * 1024 * 1024;
/// Logs of one name in a directory: restarts of one region.
const RESTARTS: u32 = 1_000;

/// Writes a process's log.
#[derive(Debug)]
pub struct Recorder {
    buffer: Vec<u8>,
    flushed: Tick,
    sender: Sender<Vec<u8>>,
    writer: JoinHandle<()>,
    failure: Arc<OnceLock<String>>,
    marker: PathBuf,
}

impl Recorder {
    /// Opens the log of a region in a directory, which is made if it is not there. A region that was
    /// started again gets a file of its own, `<region>.2.log` and so on.
    ///
    /// # Errors
    /// Names the file and what the system says.
    pub fn open(dir: &Path, region: &str, course: &str, seed: u64) -> Result<Self, RecordError> {
        let tell = |path: &Path, error: &std::io::Error| {
            RecordError(format!("cannot write the record {}: {error}", path.display()))
        };
        fs::create_dir_all(dir).map_err(|error| tell(dir, &error))?;
        // A region's name is a host's; whatever else it holds must not lead out of the directory.
        let plain = |c: char| if c.is_ascii_alphanumeric() || "-_.".contains(c) { c } else { '_' };
        let stem: String = region.chars().map(plain).collect();
        let (path, file) = create(dir, &stem).map_err(|error| tell(&dir.join(&stem), &error))?;
        let marker = path.with_extension("incomplete");
        let failure = Arc::new(OnceLock::new());
        let (sender, receiver) = bounded(CHUNKS_WAITING);
        let shared = Arc::clone(&failure);
        let name = path.display().to_string();
        let marked = marker.clone();
        let writer = std::thread::Builder::new()
            .name("record".to_owned())
            .spawn(move || write_chunks(file, &receiver, &|reason| give_up(&shared, &marked, &name, &reason)))
            .map_err(|error| tell(&path, &error))?;
        let buffer = Header::new(region, course, seed).bytes();
        Ok(Self { buffer, flushed: Tick(0), sender, writer, failure, marker })
    }

    /// Notes an entry. Never waits for the disk.
    pub fn write(&mut self, entry: Entry) {
        if self.failure.get().is_some() {
            self.buffer.clear();
            return;
        }
        append(&mut self.buffer, &entry);
        let due = match entry {
            Entry::Hash { tick, .. } | Entry::Input { tick, .. } | Entry::Company { tick, .. } => {
                let due = tick.since(self.flushed) >= FLUSH_TICKS || tick < self.flushed;
                if due {
                    self.flushed = tick;
                }
                due
            }
            Entry::Launched { .. } | Entry::Taken { .. } | Entry::Resumed { .. } | Entry::Left { .. } => true,
        };
        if due || self.buffer.len() >= CHUNK_BYTES {
            self.flush();
        }
    }

    /// Why the record is incomplete, if it is.
    #[must_use]
    pub fn failure(&self) -> Option<&str> {
        self.failure.get().map(String::as_str)
    }

    fn flush(&mut self) {
        match self.sender.try_send(std::mem::take(&mut self.buffer)) {
            Ok(()) => {}
            Err(TrySendError::Full(bytes) | TrySendError::Disconnected(bytes)) => {
                self.buffer = bytes;
                if self.buffer.len() > BACKLOG_BYTES_MAX {
                    let reason = "the disk does not keep up".to_owned();
                    give_up(&self.failure, &self.marker, &self.marker.display().to_string(), &reason);
                }
            }
        }
    }

    /// Writes what is left and closes the log.
    ///
    /// # Errors
    /// When the record is incomplete: why.
    pub fn finish(self) -> Result<(), RecordError> {
        // The end of a run may wait for its disk.
        let _ = self.sender.send(self.buffer);
        drop(self.sender);
        let ended = self.writer.join();
        match self.failure.get() {
            Some(reason) => Err(RecordError(format!("the record is incomplete: {reason}"))),
            None if ended.is_err() => {
                Err(RecordError("the record is incomplete: its writer died".to_owned()))
            }
            None => Ok(()),
        }
    }
}

/// A new file of a name that no log has yet.
fn create(dir: &Path, stem: &str) -> std::io::Result<(PathBuf, File)> {
    for n in 1..=RESTARTS {
        let name = if n == 1 { format!("{stem}.log") } else { format!("{stem}.{n}.log") };
        let path = dir.join(name);
        match OpenOptions::new().write(true).create_new(true).open(&path) {
            Ok(file) => return Ok((path, file)),
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error),
        }
    }
    Err(ErrorKind::AlreadyExists.into())
}

/// The writer's thread: chunk after chunk until the recorder is gone.
fn write_chunks(mut file: File, receiver: &Receiver<Vec<u8>>, fail: &dyn Fn(String)) {
    let mut broken = false;
    while let Ok(chunk) = receiver.recv() {
        if broken {
            continue;
        }
        if let Err(error) = file.write_all(&chunk) {
            broken = true;
            fail(error.to_string());
        }
    }
}

/// Says once that the record is incomplete, and marks it so.
fn give_up(failure: &OnceLock<String>, marker: &Path, name: &str, reason: &str) {
    if failure.set(reason.to_owned()).is_ok() {
        eprintln!(
            "fairway: the record {name} ends here: {reason}; sailing goes on, free the disk before the next run"
        );
        // On a full disk this may fail as well; the replay finds the missing ticks either way.
        let _ = fs::write(marker, reason);
    }
}
