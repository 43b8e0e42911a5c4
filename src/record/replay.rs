//! Sailing a record again, undivided.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::Serialize;

use super::format::Log;
use super::track::{Passage, Published, Resumption, Taken, Track};
use super::{Entry, RecordError};
use crate::atlas::Course;
use crate::sea::Sea;
use crate::sim::{Sim, Vessel};
use crate::units::{Tick, VesselId};
use crate::vessel::wake::{DELAY_TICKS, acting};

/// Logs in one directory at most: processes of one passage, restarts included.
const LOGS_MAX: usize = 10_000;

/// Why a record cannot be replayed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReplayError {
    /// {0}
    #[error("{0}")]
    Record(#[from] RecordError),
    /// There is nothing to replay.
    #[error("{0} holds no log of a region; sail with --record {0} first")]
    Empty(String),
    /// A log was written on another course or seed.
    #[error(
        "{log} was sailed on course {of} with seed {seed}, not on {course} with seed {other}; name the right course"
    )]
    Course {
        /// The log.
        log: String,
        /// Its course.
        of: String,
        /// Its seed.
        seed: u64,
        /// The course given, or of the first log.
        course: String,
        /// The seed of the first log.
        other: u64,
    },
    /// A vessel was published but never launched.
    #[error("vessel {0} was published but its launch is in no log; a log is missing from the directory")]
    NoLaunch(u32),
}

/// Where the bits first differed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Mismatch {
    /// Which vessel.
    pub vessel: VesselId,
    /// The tick.
    pub tick: Tick,
}

/// What a replay found.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct ReplaySummary {
    /// Logs read.
    pub logs: usize,
    /// Logs whose last entry was cut off, as a killed process leaves them.
    pub logs_cut: usize,
    /// Logs that are marked incomplete.
    pub logs_incomplete: usize,
    /// Vessels sailed.
    pub vessels: usize,
    /// Orders applied.
    pub inputs: u64,
    /// Times that samples of others' wakes were told to a vessel.
    pub companies: u64,
    /// Samples that were near a vessel and did not act on it, because they came to its owner too late.
    pub wakes_late: u64,
    /// Samples that acted on a vessel and are not those of the undivided sea.
    pub wakes_strange: u64,
    /// The first of them: on whom, and the tick that first felt it.
    pub first_strange: Option<Mismatch>,
    /// Vessel-ticks whose hash was compared.
    pub ticks_compared: u64,
    /// Epochs under which they were published, over all vessels.
    pub epochs: usize,
    /// Vessel-ticks whose hash differed.
    pub mismatches: u64,
    /// The first of them.
    pub first_mismatch: Option<Mismatch>,
    /// Vessel-ticks published more than once.
    pub double: u64,
    /// Times that a vessel was sailed on from its shadow after its owner had ended.
    pub resumed: u64,
    /// Vessel-ticks that a dead owner had published and whose orders the shadow did not know any more.
    pub history_lost: u64,
    /// Vessel-ticks between the last word of a dead owner and the first of the next, which nobody published.
    pub interrupted: u64,
    /// Other vessel-ticks between launch and leaving that nobody published.
    pub missing: u64,
    /// The first of them.
    pub first_missing: Option<Mismatch>,
}

impl ReplaySummary {
    /// Whether every tick was published once, by one owner, with the bits of the undivided sea, and no log gave up.
    #[must_use]
    pub fn holds(&self) -> bool {
        self.mismatches == 0
            && self.double == 0
            && self.missing == 0
            && self.wakes_strange == 0
            && self.logs_incomplete == 0
            && self.ticks_compared > 0
    }
}

/// Replays a directory of logs on a course.
///
/// # Errors
/// When a log cannot be read, belongs to another course, or lacks a launch.
pub fn replay(dir: &Path, course: Arc<Course>) -> Result<ReplaySummary, ReplayError> {
    replay_watched(dir, course, &mut |_, _| ())
}

/// Replays as [`replay`] does and tells how far it has come: ticks done, of how many.
///
/// # Errors
/// As [`replay`].
pub fn replay_watched(
    dir: &Path,
    course: Arc<Course>,
    watch: &mut dyn FnMut(u64, u64),
) -> Result<ReplaySummary, ReplayError> {
    let mut summary = ReplaySummary::default();
    let mut ends = BTreeMap::new();
    let (tracks, seed) = read(dir, &course, &mut summary, &mut ends)?;
    summary.vessels = tracks.len();
    let mut passages = Vec::new();
    for (id, mut track) in tracks {
        // Killed before its log was written, the region that launched it left no word of it.
        if track.launches.is_empty()
            && let Some(first) = track.resumed.iter().min_by_key(|resumption| resumption.tick)
        {
            track.launches.push((first.tick, first.vessel.clone()));
        }
        if track.launches.is_empty() {
            return Err(ReplayError::NoLaunch(id.0));
        }
        passages.push(Passage::of(id, track, &ends, &mut summary));
    }
    let prims = course.prims.clone();
    let sim = Sim::new(Arc::new(Sea::new(course, seed)), prims, Tick(0));
    sail(sim, &mut passages, &mut summary, watch);
    Ok(summary)
}

/// Reads every log of a directory.
fn read(
    dir: &Path,
    course: &Course,
    summary: &mut ReplaySummary,
    ends: &mut BTreeMap<u32, u64>,
) -> Result<(BTreeMap<VesselId, Track>, u64), ReplayError> {
    let mut paths: Vec<PathBuf> = std::fs::read_dir(dir)
        .and_then(|entries| entries.map(|entry| entry.map(|entry| entry.path())).collect())
        .map_err(|error| RecordError(format!("cannot read {}: {error}", dir.display())))?;
    summary.logs_incomplete =
        paths.iter().filter(|path| path.extension().is_some_and(|end| end == "incomplete")).count();
    paths.retain(|path| path.extension().is_some_and(|end| end == "log"));
    paths.sort();
    if paths.len() > LOGS_MAX {
        return Err(RecordError(format!("{} holds more than {LOGS_MAX} logs", dir.display())).into());
    }
    let mut tracks: BTreeMap<VesselId, Track> = BTreeMap::new();
    let mut seed = None;
    for (index, path) in paths.iter().enumerate() {
        let Some(mut log) = Log::open(path)? else {
            summary.logs_cut += 1;
            continue;
        };
        let expected = *seed.get_or_insert(log.header.seed);
        if log.header.course != course.name || log.header.seed != expected {
            return Err(ReplayError::Course {
                log: path.display().to_string(),
                of: log.header.course,
                seed: log.header.seed,
                course: course.name.clone(),
                other: expected,
            });
        }
        summary.logs += 1;
        let number = u32::try_from(index).unwrap_or(u32::MAX);
        while let Some(entry) = log.entry()? {
            match entry {
                Entry::Launched { tick, vessel } => {
                    vessel.boat.check().map_err(|error| {
                        RecordError(format!("{}: vessel {}: {error}", path.display(), vessel.id.0))
                    })?;
                    tracks.entry(vessel.id).or_default().launches.push((tick, vessel));
                }
                Entry::Resumed { tick, through, term, vessel } => {
                    let resumption = Resumption { tick, through, term, vessel };
                    tracks.entry(resumption.vessel.id).or_default().resumed.push(resumption);
                }
                Entry::Input { vessel, tick, input } => {
                    tracks.entry(vessel).or_default().inputs.push((tick, number, input));
                }
                Entry::Company { vessel, tick, company } => {
                    tracks.entry(vessel).or_default().companies.push((tick, number, company));
                }
                Entry::Hash { vessel, tick, term, hop, hash } => {
                    let end = ends.entry(number).or_default();
                    *end = tick.0.max(*end);
                    let published = Published { tick: tick.0, epoch: (term, hop), log: number, hash };
                    tracks.entry(vessel).or_default().published.push(published);
                }
                Entry::Taken { tick, commit, vessel, given } => {
                    let taken = Taken { tick, commit, log: number, vessel, given };
                    tracks.entry(taken.vessel.id).or_default().taken.push(taken);
                }
                Entry::Left { tick, vessel } => tracks.entry(vessel).or_default().left.push(tick),
            }
        }
        summary.logs_cut += usize::from(log.cut);
    }
    match seed {
        Some(seed) => Ok((tracks, seed)),
        None => Err(ReplayError::Empty(dir.display().to_string())),
    }
}

/// Sails all passages in one simulation and compares.
fn sail(
    mut sim: Sim,
    passages: &mut [Passage],
    summary: &mut ReplaySummary,
    watch: &mut dyn FnMut(u64, u64),
) {
    let Some(first) = passages.iter().map(|passage| passage.launches[0].0).min() else { return };
    let last = passages.iter().map(Passage::last).max().unwrap_or(first);
    let total = last.since(first);
    sim.set_tick(first);
    sim.follow(Tick(u64::MAX));
    loop {
        for passage in passages.iter_mut() {
            passage.settle(&mut sim, summary);
        }
        let tick = sim.tick();
        watch(tick.since(first), total);
        if tick >= last {
            return;
        }
        if sim.ids().is_empty() {
            // Nobody sails until the next launch.
            let next = passages
                .iter()
                .filter_map(|passage| passage.launches.get(passage.next_launch).map(|(tick, _)| *tick))
                .min();
            match next {
                Some(next) => sim.set_tick(next),
                None => return,
            }
            continue;
        }
        compare_wakes(&sim, passages, summary);
        for passage in passages.iter_mut() {
            passage.order(&mut sim, tick.after(1), summary);
        }
        sim.step();
    }
}

/// Compares the samples that first act in the next step with those of the undivided sea, where all is known.
fn compare_wakes(sim: &Sim, passages: &[Passage], summary: &mut ReplaySummary) {
    let tick = sim.tick();
    let Some(samples) = acting(tick) else { return };
    let first = tick.0 == samples.0 + DELAY_TICKS;
    for passage in passages.iter().filter(|passage| sim.state(passage.id).is_some()) {
        let told = passage.companies.get(&tick.after(1)).map_or(&[][..], Vec::as_slice);
        if !first && told.is_empty() {
            continue;
        }
        let here = sim.company(passage.id, samples);
        // Full company is the nearest of more: without one that came late, another is among them.
        let missed = here.iter().filter(|wake| !told.iter().any(|told| told.id == wake.id)).count();
        summary.wakes_late += if first { missed as u64 } else { 0 };
        for wake in told.iter().filter(|wake| !here.contains(wake)) {
            let source = passages.iter().find(|passage| passage.id == wake.id);
            let known = source.is_some_and(|source| source.stands_at(wake.tick));
            if known && (missed == 0 || here.iter().any(|other| other.id == wake.id)) {
                summary.wakes_strange += 1;
                summary.first_strange.get_or_insert(Mismatch { vessel: passage.id, tick: tick.after(1) });
            }
        }
    }
}

impl Passage {
    /// Does what the record says of this tick: launch, compare, leave.
    fn settle(&mut self, sim: &mut Sim, summary: &mut ReplaySummary) {
        let tick = sim.tick();
        while let Some((at, vessel)) = self.launches.get(self.next_launch) {
            if *at != tick {
                break;
            }
            // One that is taken up again while it sails must have the state that it has.
            match sim.hash(self.id) {
                None => sim.insert(Vessel::clone(vessel)),
                Some(hash) => {
                    let mut other = Sim::new(Arc::clone(sim.sea()), Vec::new(), tick);
                    other.insert(Vessel::clone(vessel));
                    if other.hash(self.id) != Some(hash) {
                        self.differs(tick, summary);
                    }
                }
            }
            self.next_launch += 1;
        }
        // The log of who handed it over ends before: what the new owner was given stands.
        while let Some((at, vessel)) = self.bridges.get(self.next_bridge) {
            if *at > tick {
                break;
            }
            if *at == tick {
                sim.remove(self.id);
                sim.insert(Vessel::clone(vessel));
            }
            self.next_bridge += 1;
        }
        // What a dead owner's last orders came to is not what its successor knew: that is what stands.
        while let Some(resumption) = self.resumed.get(self.next_resumed) {
            if resumption.tick > tick {
                break;
            }
            if resumption.tick == tick {
                sim.remove(self.id);
                sim.insert(Vessel::clone(&resumption.vessel));
                summary.resumed += 1;
            }
            self.next_resumed += 1;
        }
        while let Some(published) = self.published.get(self.next_published) {
            if published.tick > tick.0 {
                break;
            }
            if published.tick == tick.0
                && let Some(hash) = sim.hash(self.id)
            {
                summary.ticks_compared += 1;
                if hash != published.hash {
                    self.differs(tick, summary);
                }
            }
            self.next_published += 1;
        }
        while self.left.get(self.next_left).is_some_and(|left| *left <= tick) {
            if self.left[self.next_left] == tick {
                sim.remove(self.id);
            }
            self.next_left += 1;
        }
    }

    fn differs(&self, tick: Tick, summary: &mut ReplaySummary) {
        summary.mismatches += 1;
        summary.first_mismatch.get_or_insert(Mismatch { vessel: self.id, tick });
    }

    /// Hands over the orders of the next tick.
    fn order(&mut self, sim: &mut Sim, tick: Tick, summary: &mut ReplaySummary) {
        while let Some((at, input)) = self.inputs.get(self.next_input) {
            if *at > tick {
                break;
            }
            if *at == tick && sim.apply(self.id, *input) {
                summary.inputs += 1;
            }
            self.next_input += 1;
        }
        if let Some(company) = self.companies.get(&tick) {
            sim.tell_company(self.id, company);
            summary.companies += 1;
        }
    }
}
