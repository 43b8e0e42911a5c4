//! Xenstore: the tree of small values that a Xen host shares with its guests.
//!
//! One request at a time over a socket or a device, each with a header of four little-endian words (type, request,
//! transaction, length) and a payload of strings; watches fire between the answers (xenstore wire protocol, Xen
//! documentation `docs/misc/xenstore.txt`). Paths that do not begin with `/` are below the guest's own.

use std::collections::VecDeque;
use std::fs::{File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};

/// Where hosts and guests have it, the daemon's own socket first.
const PLACES: [&str; 4] =
    ["/run/xenstored/socket", "/var/run/xenstored/socket", "/dev/xen/xenbus", "/proc/xen/xenbus"];
/// Bytes of a payload at most, by the protocol.
const PAYLOAD_MAX: usize = 4_096;
/// Changes that wait to be looked at; a watch that fires more often than it is read is read once for all.
const CHANGES_MAX: usize = 256;

/// How long an answer of the daemon is waited for.
const ANSWERS: Duration = Duration::from_secs(10);

const DIRECTORY: u32 = 1;
const READ: u32 = 2;
const WATCH: u32 = 4;
const WRITE: u32 = 11;
const RM: u32 = 13;
const WATCH_EVENT: u32 = 15;
const ERROR: u32 = 16;

/// Why xenstore did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum XenstoreError {
    /// There is none, or it went away.
    #[error("xenstore at {place}: {error}")]
    Gone {
        /// Where it was looked for.
        place: String,
        /// What happened.
        error: io::Error,
    },
    /// It said no.
    #[error("xenstore refuses {request} {path}: {reason}")]
    Refused {
        /// What was asked.
        request: &'static str,
        /// Of what.
        path: String,
        /// Its own word for it, such as `EACCES`.
        reason: String,
    },
    /// What it said is not of the protocol.
    #[error("xenstore answered {0}")]
    Strange(String),
}

#[derive(Debug)]
enum Stream {
    Socket(UnixStream),
    Device(File),
}

/// A connection to xenstore.
#[derive(Debug)]
pub struct Xenstore {
    stream: Stream,
    place: PathBuf,
    requests: u32,
    changes: VecDeque<String>,
}

impl Xenstore {
    /// Connects to whichever of the usual places is there.
    ///
    /// # Errors
    /// When none is: this is no Xen host, and no guest of one.
    pub fn connect() -> Result<Self, XenstoreError> {
        let mut last = None;
        for place in PLACES.map(Path::new) {
            match Self::open(place) {
                Ok(store) => return Ok(store),
                Err(error) => last = Some(error),
            }
        }
        Err(last.unwrap_or_else(|| XenstoreError::Strange("nothing".to_owned())))
    }

    /// Connects to a socket or a device.
    ///
    /// # Errors
    /// When it cannot be opened.
    pub fn open(place: &Path) -> Result<Self, XenstoreError> {
        use std::os::unix::fs::FileTypeExt as _;
        let gone = |error| XenstoreError::Gone { place: place.display().to_string(), error };
        let kind = std::fs::metadata(place).map_err(gone)?.file_type();
        let stream = if kind.is_socket() {
            {
                let socket = UnixStream::connect(place).map_err(gone)?;
                socket.set_read_timeout(Some(ANSWERS)).map_err(gone)?;
                Stream::Socket(socket)
            }
        } else {
            Stream::Device(OpenOptions::new().read(true).write(true).open(place).map_err(gone)?)
        };
        Ok(Self { stream, place: place.to_owned(), requests: 0, changes: VecDeque::new() })
    }

    /// The value at a path; none where there is nothing.
    ///
    /// # Errors
    /// When xenstore is gone, or says no.
    pub fn read(&mut self, path: &str) -> Result<Option<String>, XenstoreError> {
        match self.ask(READ, "read", path, &[path.as_bytes(), b"\0"].concat()) {
            Ok(value) => Ok(Some(String::from_utf8_lossy(&value).into_owned())),
            Err(XenstoreError::Refused { reason, .. }) if reason == "ENOENT" => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// The names below a path; none where there is nothing.
    ///
    /// # Errors
    /// When xenstore is gone, or says no.
    pub fn list(&mut self, path: &str) -> Result<Vec<String>, XenstoreError> {
        match self.ask(DIRECTORY, "list", path, &[path.as_bytes(), b"\0"].concat()) {
            Ok(names) => Ok(strings(&names)),
            Err(XenstoreError::Refused { reason, .. }) if reason == "ENOENT" => Ok(Vec::new()),
            Err(error) => Err(error),
        }
    }

    /// Sets the value at a path.
    ///
    /// # Errors
    /// When xenstore is gone, or says no.
    pub fn write(&mut self, path: &str, value: &str) -> Result<(), XenstoreError> {
        self.ask(WRITE, "write", path, &[path.as_bytes(), b"\0", value.as_bytes()].concat()).map(drop)
    }

    /// Removes a path and what is below it; nothing is an answer too.
    ///
    /// # Errors
    /// When xenstore is gone, or says no.
    pub fn remove(&mut self, path: &str) -> Result<(), XenstoreError> {
        match self.ask(RM, "remove", path, &[path.as_bytes(), b"\0"].concat()) {
            Err(XenstoreError::Refused { reason, .. }) if reason == "ENOENT" => Ok(()),
            other => other.map(drop),
        }
    }

    /// Has changes at and below a path told from now on; one is told at once.
    ///
    /// # Errors
    /// When xenstore is gone, or says no.
    pub fn watch(&mut self, path: &str) -> Result<(), XenstoreError> {
        self.ask(WATCH, "watch", path, &[path.as_bytes(), b"\0", path.as_bytes(), b"\0"].concat()).map(drop)
    }

    /// The next path that changed, waited for so long at most.
    ///
    /// # Errors
    /// When xenstore is gone.
    pub fn changed(&mut self, wait: Duration) -> Result<Option<String>, XenstoreError> {
        if let Some(path) = self.changes.pop_front() {
            return Ok(Some(path));
        }
        let timeout = Timespec::try_from(wait).unwrap_or_default();
        let mut polled = [PollFd::from_borrowed_fd(self.as_fd(), PollFlags::IN)];
        match poll(&mut polled, Some(&timeout)) {
            Ok(0) | Err(rustix::io::Errno::INTR) => return Ok(None),
            Ok(_) => {}
            Err(error) => return Err(self.gone(error.into())),
        }
        let (kind, _, payload) = self.receive()?;
        if kind == WATCH_EVENT {
            self.note(&payload);
        }
        Ok(self.changes.pop_front())
    }

    fn ask(
        &mut self,
        kind: u32,
        request: &'static str,
        path: &str,
        payload: &[u8],
    ) -> Result<Vec<u8>, XenstoreError> {
        let refused = |reason: String| XenstoreError::Refused { request, path: path.to_owned(), reason };
        let length = u32::try_from(payload.len()).ok().filter(|_| payload.len() <= PAYLOAD_MAX);
        let Some(length) = length else { return Err(refused("E2BIG".to_owned())) };
        self.requests = self.requests.wrapping_add(1);
        let number = self.requests;
        let mut message = Vec::with_capacity(16 + payload.len());
        for word in [kind, number, 0, length] {
            message.extend_from_slice(&word.to_le_bytes());
        }
        message.extend_from_slice(payload);
        // Header and payload in one write: the device takes a message a time.
        self.send(&message).map_err(|error| self.gone(error))?;
        loop {
            let (answer, of, payload) = self.receive()?;
            match answer {
                WATCH_EVENT => self.note(&payload),
                // The answer to a request that was given up.
                _ if of != number => {}
                ERROR => return Err(refused(strings(&payload).into_iter().next().unwrap_or_default())),
                _ if answer == kind => return Ok(payload),
                other => return Err(XenstoreError::Strange(format!("{other} to a {request}"))),
            }
        }
    }

    fn note(&mut self, payload: &[u8]) {
        let Some(path) = strings(payload).into_iter().next() else { return };
        if self.changes.len() < CHANGES_MAX && !self.changes.contains(&path) {
            self.changes.push_back(path);
        }
    }

    fn receive(&mut self) -> Result<(u32, u32, Vec<u8>), XenstoreError> {
        let mut header = [0; 16];
        self.fill(&mut header).map_err(|error| self.gone(error))?;
        let word = |n: usize| u32::from_le_bytes([header[n], header[n + 1], header[n + 2], header[n + 3]]);
        let length = usize::try_from(word(12)).unwrap_or(usize::MAX);
        if length > PAYLOAD_MAX {
            return Err(XenstoreError::Strange(format!("{length} bytes; {PAYLOAD_MAX} at most are allowed")));
        }
        let mut payload = vec![0; length];
        self.fill(&mut payload).map_err(|error| self.gone(error))?;
        Ok((word(0), word(4), payload))
    }

    fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        match &mut self.stream {
            Stream::Socket(socket) => socket.write_all(bytes),
            Stream::Device(device) => device.write_all(bytes),
        }
    }

    fn fill(&mut self, bytes: &mut [u8]) -> io::Result<()> {
        match &mut self.stream {
            Stream::Socket(socket) => socket.read_exact(bytes),
            Stream::Device(device) => device.read_exact(bytes),
        }
    }

    fn gone(&self, error: io::Error) -> XenstoreError {
        XenstoreError::Gone { place: self.place.display().to_string(), error }
    }
}

impl AsFd for Xenstore {
    fn as_fd(&self) -> BorrowedFd<'_> {
        match &self.stream {
            Stream::Socket(socket) => socket.as_fd(),
            Stream::Device(device) => device.as_fd(),
        }
    }
}

/// Strings that each end with a zero; the last one may lack it.
fn strings(bytes: &[u8]) -> Vec<String> {
    let bytes = bytes.strip_suffix(b"\0").unwrap_or(bytes);
    if bytes.is_empty() {
        return Vec::new();
    }
    bytes.split(|byte| *byte == 0).map(|part| String::from_utf8_lossy(part).into_owned()).collect()
}
