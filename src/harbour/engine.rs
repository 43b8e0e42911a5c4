//! What starts and stops region servers for the harbour.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::atlas::Cell;
use crate::units::RegionId;
use crate::wire::message::ClockSetting;

/// What a region server is to be.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RegionSpec {
    /// Its number.
    pub id: RegionId,
    /// Its server name.
    pub name: String,
    /// The cell that it sails.
    pub cell: Cell,
    /// The course's folder.
    pub course: PathBuf,
    /// The seed of the sea.
    pub seed: u64,
    /// The course's clock.
    pub clock: ClockSetting,
    /// Certificate of the authority whose tickets and regions it trusts, DER.
    pub authority: Vec<u8>,
    /// Where it writes its input log, if anywhere.
    pub record: Option<PathBuf>,
}

/// What a region server says when it is ready.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReadyInfo {
    /// Where it listens.
    pub addr: SocketAddr,
    /// SHA-256 of the public key that it made (SubjectPublicKeyInfo, DER).
    pub key: [u8; 32],
    /// From the process's start to its first tick, microseconds.
    pub start_to_tick_us: u64,
}

/// What happened to a region server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EngineEvent {
    /// It is ready.
    Ready {
        /// Which.
        region: RegionId,
        /// What it says.
        info: ReadyInfo,
    },
    /// The host would not do something for it; it goes on as it is.
    Refused {
        /// Which.
        region: RegionId,
        /// What, and why not.
        what: String,
    },
    /// It is gone: what it was using is free again.
    Ended {
        /// Which.
        region: RegionId,
        /// How, in words: an exit status, a signal.
        how: String,
        /// Whether it ended by itself and without an error.
        clean: bool,
        /// The last lines of its console, oldest first.
        console: Vec<String>,
    },
}

/// Why a region server could not be started: what was tried, why it failed, what to do.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct EngineError(pub String);

/// How long what an engine runs may take, in wall time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Patience {
    /// From its start until it is ready.
    pub boot: Duration,
    /// From being asked to end until it has: its own patience with others, and as much again.
    pub drain: Duration,
    /// Without a report until it is ended: it hangs, is stopped, or cannot be reached. More than a lease, so that it has
    /// paused its vessels by then. Four times as much for one with a vessel that nobody else follows: it may yet come
    /// back, and its vessels with it.
    pub silence: Duration,
}

impl Default for Patience {
    /// That with processes: a course is read and two keys are made in milliseconds.
    fn default() -> Self {
        Self {
            boot: Duration::from_secs(10),
            drain: Duration::from_secs(10),
            silence: Duration::from_secs(3),
        }
    }
}

/// Starts and stops region servers. Calls return at once; what comes of them is told by [`Engine::poll`].
pub trait Engine {
    /// How long its region servers may take.
    fn patience(&self) -> Patience {
        Patience::default()
    }

    /// Starts a region server.
    ///
    /// # Errors
    /// When it cannot even be tried: no program, no address, no memory.
    fn start(&mut self, spec: &RegionSpec) -> Result<(), EngineError>;

    /// Ends a region server at once, whatever it is doing; [`EngineEvent::Ended`] follows. One that is not
    /// running is left alone.
    fn kill(&mut self, region: RegionId);

    /// Processors that a region server can have at most; 1 where they are not the engine's to give.
    fn processors_max(&self) -> u32 {
        1
    }

    /// Gives a region server so many processors; [`EngineEvent::Refused`] follows where the host has not as many.
    fn set_processors(&mut self, _region: RegionId, _processors: u32) {}

    /// Vessels that it can give a region server memory for; without bound where memory is not the engine's to give.
    fn vessels_max(&self) -> usize {
        usize::MAX
    }

    /// Gives a region server memory for so many vessels, no less than it started with, and takes back the rest;
    /// [`EngineEvent::Refused`] follows where the host has not as much.
    fn make_room(&mut self, _region: RegionId, _vessels: usize) {}

    /// What finds a running region server again after this process has ended; none for one that does not run.
    fn handle(&self, region: RegionId) -> Option<String>;

    /// Takes over a region server that another process started, by its handle; false when it has ended.
    /// [`EngineEvent::Ended`] is told of it as of others.
    fn adopt(&mut self, spec: &RegionSpec, addr: Option<SocketAddr>, handle: &str) -> bool;

    /// The next thing that happened, if any did.
    fn poll(&mut self) -> Option<EngineEvent>;

    /// The region servers that have not ended, in order of their numbers.
    fn running(&self) -> Vec<RegionId>;
}

impl Engine for Box<dyn Engine> {
    fn patience(&self) -> Patience {
        self.as_ref().patience()
    }

    fn processors_max(&self) -> u32 {
        self.as_ref().processors_max()
    }

    fn set_processors(&mut self, region: RegionId, processors: u32) {
        self.as_mut().set_processors(region, processors);
    }

    fn vessels_max(&self) -> usize {
        self.as_ref().vessels_max()
    }

    fn make_room(&mut self, region: RegionId, vessels: usize) {
        self.as_mut().make_room(region, vessels);
    }

    fn start(&mut self, spec: &RegionSpec) -> Result<(), EngineError> {
        self.as_mut().start(spec)
    }

    fn kill(&mut self, region: RegionId) {
        self.as_mut().kill(region);
    }

    fn handle(&self, region: RegionId) -> Option<String> {
        self.as_ref().handle(region)
    }

    fn adopt(&mut self, spec: &RegionSpec, addr: Option<SocketAddr>, handle: &str) -> bool {
        self.as_mut().adopt(spec, addr, handle)
    }

    fn poll(&mut self) -> Option<EngineEvent> {
        self.as_mut().poll()
    }

    fn running(&self) -> Vec<RegionId> {
        self.as_ref().running()
    }
}
