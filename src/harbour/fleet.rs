//! The harbour's regions: started as planned, enrolled, introduced, watched, ended.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use super::engine::{Engine, EngineEvent, ReadyInfo, RegionSpec};
use super::lines::{LineEvent, Lines};
use super::sizing::Size;
use super::store::Table;
use super::{BOOTS, Harbour, Moment};
use crate::atlas::Cell;
use crate::corridor::{Action, Phase};
use crate::units::{RegionId, Tick};
use crate::wire::Message;
use crate::wire::message::{Neighbour, RegionCounts, VesselReport};

/// Doubt about a region's clock with which it may still be given vessels, nanoseconds: half of the longest round trip
/// whose answer tells the time.
const CLOCK_DOUBT_NS_MAX: u64 = 500_000_000;
/// Time for which a region's doubt counts after it was last told: its end is noticed within that.
const CLOCK_DOUBT_KEPT: Duration = Duration::from_secs(60);
/// Wall time between two tries to reach a region whose line broke.
const REDIAL_EVERY: Duration = Duration::from_millis(250);
/// A pause of this process itself after which silence is not held against anybody.
const OWN_OUTAGE: Duration = Duration::from_millis(500);
/// Regions of one cell that may fail, one after the other, before the cell is left alone.
const START_TRIES: u32 = 2;
/// Wall time for which it is left alone.
const BLOCKED_FOR: Duration = Duration::from_secs(30);

/// A region that has not ended.
pub(super) struct Region {
    pub(super) spec: RegionSpec,
    pub(super) phase: Phase,
    pub(super) started: Instant,
    pub(super) info: Option<ReadyInfo>,
    /// From the decision to start it until it could take a vessel.
    pub(super) boot: Option<Duration>,
    /// Its last report.
    pub(super) tick: Tick,
    pub(super) load: f32,
    pub(super) dilation: f32,
    /// Vessels that it has memory for, as it last said.
    pub(super) carries: Option<usize>,
    pub(super) size: Size,
    pub(super) counts: RegionCounts,
    /// When it was last heard of.
    pub(super) heard: Instant,
    line_open: bool,
    /// Whether it could ever be told anything.
    line_was_open: bool,
    /// It sails one vessel that brought another region down; nobody is introduced to it.
    pub(super) quarantine: bool,
    redial_at: Option<Instant>,
    /// When it was told to end, or said that it does.
    pub(super) ending: Option<Instant>,
    /// What was wrong with it when it was killed.
    pub(super) fault: Option<String>,
}

/// Regions of one cell that failed, one after the other.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Failures {
    in_a_row: u32,
    last: Option<Instant>,
}

impl Failures {
    /// Whether no region may be started there now.
    pub(super) fn blocks(&self, now: Instant) -> bool {
        self.in_a_row >= START_TRIES
            && self.last.is_some_and(|last| now.saturating_duration_since(last) < BLOCKED_FOR)
    }
}

/// A region as it is kept on disk, so that it is found again.
#[derive(Serialize, Deserialize)]
pub(super) struct RegionRow {
    pub(super) spec: RegionSpec,
    pub(super) info: Option<ReadyInfo>,
    /// What the engine knows it by.
    pub(super) handle: Option<String>,
    pub(super) quarantine: bool,
    /// Whether it was told to end.
    pub(super) ending: bool,
}

impl Region {
    /// A region that is being started, or was found again.
    pub(super) fn new(spec: RegionSpec, quarantine: bool, now: Instant) -> Self {
        Self {
            spec,
            phase: Phase::Booting,
            started: now,
            info: None,
            boot: None,
            tick: Tick(0),
            load: 0.0,
            dilation: 1.0,
            carries: None,
            size: Size::default(),
            counts: RegionCounts::default(),
            heard: now,
            line_open: false,
            line_was_open: false,
            quarantine,
            redial_at: None,
            ending: None,
            fault: None,
        }
    }

    /// Whether it may hold a vessel: it was once introduced to the others.
    pub(super) const fn was_reached(&self) -> bool {
        self.line_was_open
    }

    /// Whether it can be told something now.
    pub(super) const fn is_open(&self) -> bool {
        self.line_open
    }

    /// Whether vessels may be given to it: it is ready, and was not told to end.
    pub(super) fn takes_vessels(&self) -> bool {
        self.phase == Phase::Ready && self.ending.is_none()
    }

    /// One that ran before this process did: it may hold anything.
    pub(super) fn found_again(mut self, info: ReadyInfo, ending: bool, now: Instant) -> Self {
        self.info = Some(info);
        self.line_was_open = true;
        // One that is ending is seen to have nothing left, or not, when it is watched.
        self.phase = Phase::Ready;
        self.ending = ending.then_some(now);
        self
    }

    /// As its neighbours are told of it, once it listens.
    fn neighbour(&self, cell_m: f64) -> Option<Neighbour> {
        Some(Neighbour {
            region: self.spec.id,
            area: self.spec.cell.area(cell_m),
            addr: self.info.as_ref()?.addr,
            name: self.spec.name.clone(),
        })
    }
}

impl<E: Engine, L: Lines> Harbour<E, L> {
    /// Does what was planned.
    pub(super) fn carry_out(&mut self, action: Action, moment: Moment) {
        match action {
            Action::Start { cell } => drop(self.start_region(cell, false, moment)),
            Action::Introduce { region, neighbours } => self.introduce(region, &neighbours),
            Action::Drain { region } => self.drain(region, moment),
            Action::Stop { region } => {
                if let Some(entry) = self.regions.get_mut(&region) {
                    entry.phase = Phase::Draining;
                    entry.ending = Some(moment.instant);
                    self.engine.kill(region);
                    self.keep_region(region);
                }
            }
        }
    }

    /// Starts a region, for one vessel alone or for all; nothing where that could not even be tried.
    pub(super) fn start_region(&mut self, cell: Cell, quarantine: bool, moment: Moment) -> Option<RegionId> {
        if self.stopping.is_some() {
            return None;
        }
        let id = RegionId(self.counts.regions_started + 1);
        let spec = RegionSpec {
            id,
            name: server_name(id, &self.config.course.name),
            cell,
            course: self.config.course_dir.clone(),
            seed: self.config.seed,
            clock: self.config.clock,
            authority: self.config.authority.clone(),
            record: self.config.record.clone(),
        };
        self.counts.regions_started += 1;
        // On disk before it runs, or one that was started and never noted would be nobody's.
        let started = self.counts.regions_started;
        self.keep(|store| store.set_fact("regions_started", &started));
        if let Err(error) = self.engine.start(&spec) {
            self.counts.regions_stopped += 1;
            self.on_failure(&spec, &format!("{} could not be started: {error}", spec.name), moment);
            return None;
        }
        self.regions.insert(id, Region::new(spec, quarantine, moment.instant));
        self.keep_region(id);
        let exist = u32::try_from(self.regions.len()).unwrap_or(u32::MAX);
        self.counts.regions_peak = self.counts.regions_peak.max(exist);
        Some(id)
    }

    /// Writes a region down.
    fn keep_region(&mut self, id: RegionId) {
        let Some(entry) = self.regions.get(&id) else { return };
        let row = RegionRow {
            spec: entry.spec.clone(),
            info: entry.info.clone(),
            handle: self.engine.handle(id),
            quarantine: entry.quarantine,
            ending: entry.ending.is_some(),
        };
        self.keep(|store| store.put(Table::Regions, id.0, &row));
    }

    fn introduce(&mut self, region: RegionId, neighbours: &[RegionId]) {
        let cell_m = self.config.course.cell_m;
        let neighbours = neighbours.iter().filter_map(|id| self.regions.get(id)?.neighbour(cell_m)).collect();
        self.lines.send(region, Message::Neighbours(neighbours));
    }

    /// A region that was for one vessel is from now on for all.
    pub(super) fn open_to_others(&mut self, region: RegionId) {
        if let Some(entry) = self.regions.get_mut(&region) {
            entry.quarantine = false;
        }
        self.keep_region(region);
    }

    /// Has a region hand everything across and end.
    pub(super) fn drain(&mut self, region: RegionId, moment: Moment) {
        let Some(entry) = self.regions.get_mut(&region) else { return };
        entry.phase = Phase::Draining;
        entry.ending = Some(moment.instant);
        if entry.line_open {
            self.lines.send(region, Message::Drain);
        } else {
            // It cannot be told, and it owns nothing.
            self.engine.kill(region);
        }
        self.keep_region(region);
    }

    /// Takes in what an engine says.
    pub(super) fn on_engine(&mut self, event: EngineEvent, moment: Moment) {
        match event {
            EngineEvent::Ready { region, info } => {
                if let Some(entry) = self.regions.get_mut(&region) {
                    self.lines.open(region, &entry.spec.name, &info);
                    entry.info = Some(info);
                    entry.heard = moment.instant;
                    self.keep_region(region);
                }
            }
            EngineEvent::Refused { region, what } => {
                self.trouble(format!("region {}: {what}", region.0));
            }
            EngineEvent::Ended { region, how, clean, console } => {
                self.lines.close(region);
                let Some(entry) = self.regions.remove(&region) else { return };
                self.counts.regions_stopped += 1;
                self.counts.handoffs += entry.counts.handoffs;
                self.counts.ticks_missed += entry.counts.ticks_missed;
                let why = self.why_ended(&entry, &how, clean, &console);
                match &why {
                    // One that had been up and died says nothing of whether the next one can start there.
                    Some(why) if entry.was_reached() => {
                        self.counts.regions_failed += 1;
                        self.trouble(why.clone());
                    }
                    Some(why) => self.on_failure(&entry.spec, why, moment),
                    None => drop(self.failures.remove(&entry.spec.cell)),
                }
                self.suspect(region, &console);
                self.set_adrift(region, &why.unwrap_or_else(|| format!("{} ended", entry.spec.name)));
                if entry.was_reached() {
                    self.call_after_end(region);
                }
                let counts = self.counts;
                self.keep(|store| store.set_fact("counts", &counts));
                self.keep(|store| store.remove(Table::Regions, region.0));
            }
        }
    }

    /// What was wrong with a region that ended; nothing when it was told to and did as it should.
    fn why_ended(&self, entry: &Region, how: &str, clean: bool, console: &[String]) -> Option<String> {
        let what = match (&entry.fault, entry.ending) {
            (Some(fault), _) => format!("{fault} and was ended"),
            (None, Some(_)) if clean || entry.info.is_none() || !entry.line_was_open => return None,
            (None, Some(_)) => format!("ended badly when told to ({how})"),
            (None, None) => format!("ended by itself ({how})"),
        };
        let said = if console.is_empty() { "nothing".to_owned() } else { console.join(" | ") };
        Some(format!("region {} {what}; its console's last lines: {said}", entry.spec.name))
    }

    /// A region failed: counts it, and gives up those who waited for it when it was not the first time.
    fn on_failure(&mut self, spec: &RegionSpec, what: &str, moment: Moment) {
        self.counts.regions_failed += 1;
        self.trouble(what.to_owned());
        let failures = self.failures.entry(spec.cell).or_default();
        if failures.last.is_some_and(|last| moment.instant.saturating_duration_since(last) > BLOCKED_FOR) {
            failures.in_a_row = 0;
        }
        failures.in_a_row += 1;
        failures.last = Some(moment.instant);
        if failures.blocks(moment.instant) {
            self.give_up_booked_in(spec.cell, what);
        }
    }

    /// Takes in what came over a line.
    pub(super) fn on_line(&mut self, event: LineEvent, moment: Moment) {
        match event {
            LineEvent::Open(region) => self.on_open(region, moment),
            LineEvent::Heard(region, message) => self.on_message(region, message, moment),
            LineEvent::Lost(region, reason) => {
                let Some(entry) = self.regions.get_mut(&region) else { return };
                entry.line_open = false;
                // One that drained closes its line and then ends; another one must be reached again.
                if entry.ending.is_none() {
                    entry.redial_at = Some(moment.instant + REDIAL_EVERY);
                    let name = entry.spec.name.clone();
                    self.trouble(format!("the line to region {name} broke: {reason}"));
                }
            }
        }
    }

    fn on_open(&mut self, region: RegionId, moment: Moment) {
        let Some(entry) = self.regions.get_mut(&region) else { return };
        entry.line_open = true;
        entry.line_was_open = true;
        entry.redial_at = None;
        entry.heard = moment.instant;
        if entry.ending.is_some() {
            self.lines.send(region, Message::Drain);
        }
        // What was said while the line was broken is lost.
        self.corridor.forget_told(region);
        self.say_again(region, moment);
    }

    /// Notes how far a region's clock may be off; one whose clock is right may be given vessels.
    fn on_clock(&mut self, region: RegionId, doubt_ns: u64, moment: Moment) {
        self.clock_doubts
            .retain(|_, (_, heard)| moment.instant.saturating_duration_since(*heard) < CLOCK_DOUBT_KEPT);
        let Some(entry) = self.regions.get_mut(&region) else { return };
        if entry.phase == Phase::Booting && doubt_ns <= CLOCK_DOUBT_NS_MAX {
            entry.phase = Phase::Ready;
            let boot = moment.instant.saturating_duration_since(entry.started);
            entry.boot = Some(boot);
            if self.boots.len() == BOOTS {
                self.boots.pop_front();
            }
            self.boots.push_back(boot);
        }
        if entry.phase != Phase::Booting && doubt_ns != u64::MAX {
            self.clock_doubts.insert(region, (doubt_ns, moment.instant));
        }
    }

    fn on_message(&mut self, region: RegionId, message: Message, moment: Moment) {
        match message {
            Message::Report {
                tick,
                load,
                dilation,
                carries,
                vessels,
                counts,
                stamp_ns,
                clock_doubt_ns,
                ..
            } => {
                let Some(entry) = self.regions.get_mut(&region) else { return };
                // One that is being ended for a fault gets no more time.
                if entry.fault.is_some() {
                    return;
                }
                entry.heard = moment.instant;
                self.lines.send(region, Message::Lease { stamp_ns, unix_ns: moment.unix_ns });
                entry.tick = tick;
                entry.load = load;
                entry.dilation = dilation;
                entry.carries = usize::try_from(carries).ok();
                entry.counts = counts;
                self.on_clock(region, clock_doubt_ns, moment);
                self.on_reports(region, tick, &vessels, moment);
            }
            Message::Roster { number, claims, kept } => {
                self.custody.roll.answered(region, number, claims, kept);
            }
            Message::Surrendered { record, inputs } => self.on_surrendered(record, inputs, moment),
            Message::Shadow { vessels } => {
                for record in vessels {
                    self.on_checkpoint(record);
                }
            }
            Message::Moored(record) => self.on_moored(region, record, moment),
            // Somebody else told it to stop. It stays introduced to the others for as long as it has vessels to give
            // them.
            Message::Leaving => {
                let Some(entry) = self.regions.get_mut(&region) else { return };
                entry.ending.get_or_insert(moment.instant);
                self.keep_region(region);
            }
            // Said before the process ends; its end is what counts.
            Message::Drained => {}
            other => {
                let variant = format!("{other:?}");
                let variant = variant.split([' ', '(', '{']).next().unwrap_or_default();
                self.trouble(format!("region {} sent the harbour a {variant}, which is ignored", region.0));
            }
        }
    }

    fn on_reports(&mut self, region: RegionId, tick: Tick, reports: &[VesselReport], moment: Moment) {
        for report in reports {
            if let Some(passage) = self.passages.get_mut(&report.vessel) {
                passage.heard(region, tick, report, moment);
            }
        }
    }

    /// Ends what hangs and redials what broke.
    pub(super) fn watch_regions(&mut self, moment: Moment) {
        let now = moment.instant;
        // Stopped ourselves, we heard nobody; what waits in the queues is heard before anybody is judged.
        let outage = self.stepped.is_some_and(|last| now.saturating_duration_since(last) > OWN_OUTAGE);
        self.stepped = Some(now);
        let unguarded: BTreeSet<RegionId> = self
            .passages
            .values()
            .filter(|passage| !passage.guarded && passage.quarantine.is_none())
            .filter_map(|passage| passage.owner)
            .collect();
        let owners: BTreeSet<RegionId> = self.passages.values().filter_map(|passage| passage.owner).collect();
        let patience = self.engine.patience();
        for (&id, entry) in &mut self.regions {
            if entry.ending.is_some() && entry.phase == Phase::Ready && !owners.contains(&id) {
                entry.phase = Phase::Draining;
            }
            let silence = if unguarded.contains(&id) { patience.silence * 4 } else { patience.silence };
            // Who has nothing left and is about to end may have fallen silent for good.
            let parting = entry.phase == Phase::Draining && !owners.contains(&id);
            if outage {
                entry.heard = now;
            }
            if entry.fault.is_some() {
                continue;
            }
            let waited = now.saturating_duration_since(entry.ending.unwrap_or(entry.started));
            if entry.phase == Phase::Booting && waited > patience.boot {
                entry.fault = Some(format!("was not ready after {} s", patience.boot.as_secs()));
            } else if entry.phase == Phase::Draining && waited > patience.drain {
                entry.fault = Some(format!("had not drained after {} s", patience.drain.as_secs()));
            } else if !parting && entry.was_reached() && now.saturating_duration_since(entry.heard) > silence
            {
                entry.fault = Some(format!("was not heard of for {} s", silence.as_secs()));
            } else if entry.redial_at.is_some_and(|at| now >= at) {
                entry.redial_at = None;
                if let Some(info) = &entry.info {
                    self.lines.open(id, &entry.spec.name, info);
                }
            }
            if entry.fault.is_some() {
                self.engine.kill(id);
            }
        }
    }
}

/// The server name of a region, as the region server makes it from its number and its course.
fn server_name(id: RegionId, course: &str) -> String {
    format!("r{}.{course}.fairway", id.0)
}
