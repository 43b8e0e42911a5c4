//! The harbour: bookings, regions started and stopped for them, and the HTTP port for both.
//!
//! Owns the passages, the numbers of vessels and regions, the clock setting, and what it knows of each
//! region. One thread does all of it, in [`Harbour::step`], some fifty times a second:
//!
//! ```text
//!   engine events ─┐                                     ┌─▶ engine: start, kill
//!   line events   ─┼─▶ passages and regions ─▶ corridor ─┤
//!   HTTP requests ─┘        (what is)         (the plan) └─▶ lines: Launch, Moor, Neighbours, Drain
//! ```
//!
//! Apart from that thread there are only those that wait: tokio's for HTTP and for circuits, and one per
//! console. A passage: booked ─▶ sailing ─▶ arrived, or given up with a reason from either of the first two.

mod addresses;
pub mod answers;
mod berths;
mod bookings;
pub mod client;
pub mod engine;
mod fleet;
pub mod http;
pub mod lines;
mod moored;
mod passages;
pub mod process;
mod quarantine;
pub mod quic;
mod requests;
mod sizing;
pub mod store;
mod succession;
pub mod xl;

use std::collections::{BTreeMap, VecDeque};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crossbeam::channel::Receiver;
use glam::DVec2;
use serde::{Deserialize, Serialize};

use crate::atlas::{Cell, Course};
use crate::corridor::{Corridor, Phase, RegionView, Snapshot};
use crate::units::{RegionId, VesselId};
use crate::vessel::BoatSpec;
use crate::wire::message::ClockSetting;

use engine::Engine;
use fleet::{Failures, Region};
use lines::Lines;
use passages::Passage;
use requests::{Stopping, Waiting};
use store::{Store, StoreError, Table};
use succession::Custody;

pub use requests::{Answer, Asked, Request};

/// Events taken from one source in one step at most, so that none keeps the others waiting.
const EVENTS_PER_STEP: usize = 4_096;
/// Troubles that are kept for `GET /status`.
const TROUBLES: usize = 8;
/// Course time for which a region is given its vessels as shadows before they cross, seconds.
const SHADOW_S: f64 = 12.0;
/// A region is started this many times earlier than the slowest of the last ones needed.
const BOOT_MARGIN: f64 = 2.0;
/// What a region's start is taken to need before one was measured.
const BOOT_GUESS: Duration = Duration::from_millis(300);
/// Starts that the lead time is taken from.
const BOOTS: usize = 16;
/// Lead time at most, seconds of course time: no plan is good for longer.
const LEAD_MAX_S: f64 = 600.0;

/// What the harbour is, from its start.
#[derive(Clone, Debug)]
pub struct HarbourConfig {
    /// The course.
    pub course: Arc<Course>,
    /// The course's folder, as regions are told.
    pub course_dir: PathBuf,
    /// The seed of the sea.
    pub seed: u64,
    /// The clock that all regions share.
    pub clock: ClockSetting,
    /// Certificate of the harbour's authority, DER.
    pub authority: Vec<u8>,
    /// Where regions write their input logs, if anywhere.
    pub record: Option<PathBuf>,
}

/// What the harbour has others decide.
#[expect(clippy::type_complexity, reason = "each is named by its field")]
pub struct Clerks {
    /// The boat that a booking names or describes.
    pub boat: Box<dyn Fn(&serde_json::Value) -> Result<BoatSpec, String> + Send>,
    /// Whether a boat floats at a place before the start.
    pub navigable: Box<dyn Fn(DVec2, &BoatSpec) -> bool + Send>,
    /// A ticket for a vessel and the SHA-256 of its crew's public key.
    pub ticket: Box<dyn Fn(VesselId, [u8; 32]) -> Result<Vec<u8>, String> + Send>,
}

/// A moment, on both clocks.
#[derive(Clone, Copy, Debug)]
pub struct Moment {
    /// For timers.
    pub instant: Instant,
    /// For the course's clock, nanoseconds since the Unix epoch.
    pub unix_ns: u64,
}

impl Moment {
    /// Now.
    #[must_use]
    pub fn now() -> Self {
        Self { instant: crate::clock::now(), unix_ns: crate::clock::unix_ns() }
    }
}

/// The harbour; see the module.
pub struct Harbour<E, L> {
    config: HarbourConfig,
    clerks: Clerks,
    engine: E,
    lines: L,
    requests: Receiver<Asked>,
    clock: ClockSetting,
    corridor: Corridor,
    regions: BTreeMap<RegionId, Region>,
    passages: BTreeMap<VesselId, Passage>,
    /// The next vessel's number; none is ever given twice.
    next_vessel: u32,
    failures: BTreeMap<Cell, Failures>,
    boots: VecDeque<Duration>,
    /// By how much the clock of each region may be off, nanoseconds, and when it last said so.
    clock_doubts: BTreeMap<RegionId, (u64, Instant)>,
    troubles: VecDeque<String>,
    waiting: Vec<Waiting>,
    stopping: Option<Stopping>,
    counts: Counts,
    /// Prims of the course in the fullest cell on or beside the way.
    course_prims: u32,
    custody: Custody,
    store: Store,
    /// The stages that are on disk.
    kept_stages: BTreeMap<VesselId, passages::Stage>,
    /// When it last stepped.
    stepped: Option<Instant>,
}

/// What is counted over the harbour's life.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
struct Counts {
    regions_started: u32,
    regions_stopped: u32,
    regions_failed: u32,
    regions_peak: u32,
    /// Of regions that have ended; those that have not are added when asked.
    handoffs: u32,
    ticks_missed: u64,
    /// Vessels that were sailed on after their owner had ended.
    resumed: u32,
    /// Vessels that were moored because they had brought regions down.
    moored: u32,
}

impl<E: Engine, L: Lines> Harbour<E, L> {
    /// A harbour with the passages and regions that its store knows: none in a new one. What runs is taken over;
    /// what has ended meanwhile is dealt with as if it ended now.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn new(
        config: HarbourConfig,
        clerks: Clerks,
        engine: E,
        lines: L,
        requests: Receiver<Asked>,
        store: Store,
        moment: Moment,
    ) -> Result<Self, StoreError> {
        let clock = config.clock;
        let course_prims = bookings::fullest_cell(&config.course);
        let mut harbour = Self {
            config,
            clerks,
            engine,
            lines,
            requests,
            clock,
            corridor: Corridor::new(),
            regions: BTreeMap::new(),
            passages: BTreeMap::new(),
            next_vessel: 1,
            failures: BTreeMap::new(),
            boots: VecDeque::new(),
            clock_doubts: BTreeMap::new(),
            troubles: VecDeque::new(),
            waiting: Vec::new(),
            stopping: None,
            counts: Counts::default(),
            course_prims,
            custody: Custody::default(),
            store,
            kept_stages: BTreeMap::new(),
            stepped: None,
        };
        harbour.come_back(moment)?;
        Ok(harbour)
    }

    /// Finds passages and regions again.
    fn come_back(&mut self, moment: Moment) -> Result<(), StoreError> {
        self.counts = self.store.fact("counts")?.unwrap_or_default();
        self.counts.regions_started = self.store.fact("regions_started")?.unwrap_or(0);
        self.custody.ended = self.store.fact("ended")?.unwrap_or_default();
        for (id, row) in self.store.rows::<passages::PassageRow>(Table::Passages)? {
            let id = VesselId(id);
            self.next_vessel = self.next_vessel.max(id.0.saturating_add(1));
            let passage = Passage::kept(id, row, moment);
            self.kept_stages.insert(id, passage.stage.clone());
            self.passages.insert(id, passage);
        }
        for (id, record) in self.store.rows(Table::Checkpoints)? {
            if let Some(passage) = self.passages.get_mut(&VesselId(id)) {
                passage.checkpoint = Some(Box::new(record));
            }
        }
        let rows = self.store.rows::<fleet::RegionRow>(Table::Regions)?;
        self.counts.regions_stopped =
            self.counts.regions_started.saturating_sub(u32::try_from(rows.len()).unwrap_or(u32::MAX));
        for (id, row) in rows {
            let id = RegionId(id);
            let addr = row.info.as_ref().map(|info| info.addr);
            let runs = row.handle.is_some_and(|handle| self.engine.adopt(&row.spec, addr, &handle));
            let entry = Region::new(row.spec, row.quarantine, moment.instant);
            match row.info {
                Some(info) if runs => {
                    self.lines.open(id, &entry.spec.name, &info);
                    self.regions.insert(id, entry.found_again(info, row.ending, moment.instant));
                }
                // It was not ready yet: nobody knows where it listens, and it holds nothing.
                None if runs => {
                    self.engine.kill(id);
                    self.regions.insert(id, entry);
                }
                _ => {
                    self.counts.regions_stopped += 1;
                    self.keep(|store| store.remove(Table::Regions, id.0));
                    self.call_after_end(id);
                }
            }
        }
        self.find_moored(moment)?;
        self.custody.due = !self.passages.is_empty();
        Ok(())
    }

    /// Writes to the store. What cannot be written stops this process: it would promise what it may forget, and
    /// nothing in the water needs it to go on.
    ///
    /// # Panics
    /// When it cannot be written.
    fn keep(&mut self, write: impl FnOnce(&mut Store) -> Result<(), StoreError>) {
        if let Err(error) = write(&mut self.store) {
            panic!("the harbour stops, and its regions sail on: {error}");
        }
    }

    /// Ends the harbour without a word to anybody, as a kill does, and gives its store back.
    #[must_use]
    pub fn abandon(self) -> (E, L, Store) {
        (self.engine, self.lines, self.store)
    }

    /// Takes in what has happened, plans, and acts. Call it some fifty times a second.
    pub fn step(&mut self, moment: Moment) {
        for _ in 0..EVENTS_PER_STEP {
            let Some(event) = self.engine.poll() else { break };
            self.on_engine(event, moment);
        }
        for _ in 0..EVENTS_PER_STEP {
            let Some(event) = self.lines.poll() else { break };
            self.on_line(event, moment);
        }
        for _ in 0..EVENTS_PER_STEP {
            let Ok(asked) = self.requests.try_recv() else { break };
            self.on_request(asked, moment);
        }
        self.watch_regions(moment);
        self.size_regions(moment);
        self.watch_custody(moment);
        self.watch_passages(moment);
        let snapshot = self.snapshot(moment);
        for action in self.corridor.plan(&snapshot) {
            self.carry_out(action, moment);
        }
        self.watch_stop(moment);
        self.answer_waiting(moment);
    }

    /// Whether it was told to stop, and everything that it had started has ended.
    #[must_use]
    pub fn is_over(&self) -> bool {
        self.stopping.as_ref().is_some_and(|stopping| stopping.done)
    }

    /// Gives every passage up and drains every region, as `POST /stop` does.
    pub fn stop(&mut self, reason: &str, moment: Moment) {
        self.begin_stop(reason, moment);
    }

    /// What the plan is made from.
    fn snapshot(&self, moment: Moment) -> Snapshot {
        Snapshot {
            now: self.clock.due(moment.unix_ns),
            cell_m: self.config.course.cell_m,
            lead_s: self.lead_s(),
            regions: self
                .regions
                .iter()
                .filter(|(_, region)| !region.quarantine)
                .map(|(&id, region)| RegionView { id, cell: region.spec.cell, phase: self.phase(id, region) })
                .collect(),
            vessels: self.passages.values().filter_map(Passage::view).collect(),
            bookings: self
                .passages
                .values()
                .filter_map(|passage| passage.booking(self.clock, moment))
                .collect(),
            blocked: self
                .failures
                .iter()
                .filter(|(_, failures)| failures.blocks(moment.instant))
                .map(|(&cell, _)| cell)
                .collect(),
        }
    }

    /// A region with a vessel is live, whatever it was before, unless it is on its way out.
    fn phase(&self, id: RegionId, region: &Region) -> Phase {
        let owns = self.passages.values().any(|passage| passage.owner == Some(id));
        if region.phase == Phase::Ready && owns { Phase::Live } else { region.phase }
    }

    /// Course time by which a region is started ahead.
    fn lead_s(&self) -> f64 {
        let boot = self.boots.iter().copied().max().unwrap_or(BOOT_GUESS);
        (SHADOW_S + boot.as_secs_f64() * BOOT_MARGIN * self.config.clock.warp).min(LEAD_MAX_S)
    }

    /// Keeps a trouble for those who ask, and tells the log.
    fn trouble(&mut self, what: String) {
        if self.troubles.len() == TROUBLES {
            self.troubles.pop_front();
        }
        self.troubles.push_back(what);
    }
}

/// The SHA-256 that 64 hexadecimal digits stand for.
fn key_from_hex(text: &str) -> Option<[u8; 32]> {
    crate::config::from_hex(text).ok()?.try_into().ok()
}
