//! When a region has ended, or a vessel is not reported: the roll is called, and who is adrift sails on.
//!
//! Also the vessels that bring their region down. The first time such a vessel goes on alone, in a region of its
//! own that nobody is introduced to; the second time it is moored, with its state and orders kept.

use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use super::engine::Engine;
use super::lines::Lines;
use super::passages::Stage;
use super::store::Table;
use super::{Harbour, Moment};
use crate::atlas::Cell;
use crate::corridor::Phase;
use crate::custody::{Finding, RollCall};
use crate::limits::ENDED_REGIONS;
use crate::units::{RegionId, TICK_HZ, Tick, VesselId};
use crate::wire::Message;
use crate::wire::message::{AppliedInput, Claim, Epoch, Keeping, VesselRecord};

/// Wall time without a report of a vessel, its region's included, after which the roll is called: several reports.
const UNREPORTED: Duration = Duration::from_millis(500);
/// Wall time between two roll calls for the same reason.
const CALL_EVERY: Duration = Duration::from_millis(250);
/// Wall time after which whoever has not answered is asked again: a line may have broken and opened again.
const ASK_AGAIN: Duration = Duration::from_millis(200);
/// Wall time for which a vessel may be on its way between two regions that live; a commit is repeated some times
/// a second.
const PASSING_PATIENCE: Duration = Duration::from_millis(1_500);
/// Wall time between two writings of checkpoints.
const KEEP_EVERY: Duration = Duration::from_secs(1);
/// Between the end of an owner and the first tick of its successor, wall time: clocks of two hosts differ, and
/// what an owner had on its way at its end is of the past by then.
const SUCCESSION_MARGIN_S: f64 = 0.02;
/// Wall time that a vessel sails alone after it has brought a region down, before it is among others again.
const QUARANTINE: Duration = Duration::from_secs(30);
/// Wall time that a guard has to send a shadow to the harbour.
const SURRENDER_PATIENCE: Duration = Duration::from_secs(2);
/// Regions that a vessel may bring down.
const STRIKES: u32 = 2;

/// The roll, and who is in question.
#[derive(Default)]
pub(super) struct Custody {
    pub(super) roll: RollCall,
    /// Regions that have ended, newest last.
    pub(super) ended: Vec<RegionId>,
    /// A region has ended since the roll was last called.
    pub(super) due: bool,
    /// What the newest roll call says was acted on.
    settled: bool,
    called: Option<Instant>,
    asked: Option<Instant>,
    /// Vessels whose checkpoint is not on disk, and when the others' were written.
    unkept: std::collections::BTreeSet<VesselId>,
    kept: Option<Instant>,
}

/// A vessel as it was moored for good.
#[derive(Serialize, Deserialize)]
pub(super) struct MooredRow {
    pub(super) reason: String,
    pub(super) record: VesselRecord,
    pub(super) inputs: Vec<AppliedInput>,
}

/// How far a vessel is that has brought a region down.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Quarantine {
    /// A guard was asked for its shadow.
    Asked(RegionId, Instant),
    /// Its region is being started; what it will sail on from.
    Starting(RegionId, Box<VesselRecord>, Vec<AppliedInput>),
    /// It sails there since then; kept in case it does it again.
    Alone(RegionId, Instant, Box<VesselRecord>, Vec<AppliedInput>),
}

impl<E: Engine, L: Lines> Harbour<E, L> {
    /// A region that had been ready has ended.
    pub(super) fn call_after_end(&mut self, region: RegionId) {
        self.custody.ended.push(region);
        if self.custody.ended.len() > ENDED_REGIONS {
            self.custody.ended.remove(0);
        }
        // A harbour that comes back asks for the same promises: words of the dead may still be under way.
        let ended = self.custody.ended.clone();
        self.keep(|store| store.set_fact("ended", &ended));
        self.custody.due = true;
    }

    /// Regions that may hold a vessel.
    fn electorate(&self) -> Vec<RegionId> {
        self.regions.iter().filter(|(_, region)| region.was_reached()).map(|(&id, _)| id).collect()
    }

    /// Calls the roll where it is due, asks again who has not answered, and acts on what was answered.
    pub(super) fn watch_custody(&mut self, moment: Moment) {
        let now = moment.instant;
        let since =
            |then: Option<Instant>| then.map_or(Duration::MAX, |then| now.saturating_duration_since(then));
        let unreported = self
            .passages
            .values()
            .any(|passage| passage.is_afloat() && now.saturating_duration_since(passage.heard) > UNREPORTED);
        let nobody_afloat = !self.passages.values().any(super::passages::Passage::is_afloat);
        let complete = self.custody.roll.is_complete();
        let call = self.custody.due
            || unreported && (complete && self.custody.settled) && since(self.custody.called) > CALL_EVERY;
        if nobody_afloat {
            self.custody.due = false;
        } else if call {
            self.call_roll(moment);
        } else if !complete && since(self.custody.asked) > ASK_AGAIN {
            self.ask(moment);
        }
        if self.custody.roll.is_complete() && !self.custody.settled {
            self.custody.settled = true;
            self.settle(moment);
        }
        self.watch_quarantine(moment);
        self.keep_checkpoints(moment);
    }

    fn call_roll(&mut self, moment: Moment) {
        let stuck = self.passages.values().filter(|passage| {
            passage
                .passing
                .is_some_and(|since| moment.instant.saturating_duration_since(since) > PASSING_PATIENCE)
        });
        let floors: Vec<(VesselId, Epoch)> =
            stuck.map(|passage| (passage.id, Epoch { term: passage.epoch.term + 1, hop: 0 })).collect();
        let electorate = self.electorate();
        self.custody.roll.call(electorate, floors);
        self.custody.due = false;
        self.custody.settled = false;
        self.custody.called = Some(moment.instant);
        self.ask(moment);
    }

    fn ask(&mut self, moment: Moment) {
        self.custody.asked = Some(moment.instant);
        let roll = &self.custody.roll;
        let (number, floors) = (roll.number(), roll.floors());
        let awaited: Vec<RegionId> =
            self.regions.keys().copied().filter(|&region| roll.awaits(region)).collect();
        for region in awaited {
            let ended = self.custody.ended.clone();
            self.lines.send(region, Message::Roll { number, ended, floors: floors.clone() });
        }
    }

    /// A region answered.
    pub(super) fn on_roster(
        &mut self,
        region: RegionId,
        number: u32,
        claims: Vec<Claim>,
        kept: Vec<Keeping>,
    ) {
        self.custody.roll.answered(region, number, claims, kept);
    }

    /// Acts on a complete roll call.
    fn settle(&mut self, moment: Moment) {
        let called = self.custody.called;
        let afloat: Vec<VesselId> =
            self.passages.values().filter(|p| p.is_afloat()).map(|passage| passage.id).collect();
        let mut resume: std::collections::BTreeMap<RegionId, Vec<VesselId>> =
            std::collections::BTreeMap::new();
        for id in afloat {
            let Some(passage) = self.passages.get(&id) else { continue };
            if matches!(passage.quarantine, Some(Quarantine::Asked(..) | Quarantine::Starting(..))) {
                continue;
            }
            let fresh = passage.unconfirmed || called.is_some_and(|called| passage.heard > called);
            let known = passage.owner.filter(|_| fresh).map(|owner| (owner, passage.epoch));
            let regions = &self.regions;
            let finding = self.custody.roll.find(id, known, |region| regions.contains_key(&region));
            let Some(passage) = self.passages.get_mut(&id) else { continue };
            match finding {
                Finding::Held { by, epoch } => {
                    passage.passing = None;
                    if epoch >= passage.epoch {
                        (passage.owner, passage.epoch) = (Some(by), epoch);
                    }
                }
                Finding::Passing { .. } => {
                    passage.passing.get_or_insert(moment.instant);
                }
                // Its passage was over: nobody needs it in the water.
                Finding::Adrift { .. } | Finding::Lost if passage.is_over() => passage.owner = None,
                Finding::Adrift { kept_by, epoch, through } => {
                    passage.passing = None;
                    passage.epoch = passage.epoch.max(epoch);
                    let newer =
                        passage.checkpoint.as_ref().is_some_and(|c| (c.epoch, c.tick) > (epoch, through));
                    if newer && !passage.suspect {
                        self.restore_at(kept_by, id, moment);
                    } else {
                        resume.entry(kept_by).or_default().push(id);
                    }
                }
                Finding::Lost if passage.suspect && passage.checkpoint.is_some() => {
                    let Some(record) = passage.checkpoint.clone() else { continue };
                    passage.suspect = false;
                    passage.epoch = Epoch { term: passage.epoch.term.max(record.epoch.term) + 1, hop: 0 };
                    self.keep_passage(id);
                    self.isolate(record, Vec::new(), moment);
                }
                Finding::Lost => self.give_up_lost(id, moment),
            }
        }
        for (region, vessels) in resume {
            self.resume_at(region, &vessels, moment);
        }
    }

    /// The first tick that a successor publishes: none that was due by now can have been reached by it.
    fn succession_tick(&self, moment: Moment) -> Tick {
        #[expect(clippy::cast_precision_loss, reason = "45")]
        let margin = SUCCESSION_MARGIN_S * TICK_HZ as f64 * self.config.clock.warp;
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a fraction of a second")]
        self.clock.due(moment.unix_ns).after(margin.ceil() as u64 + 1)
    }

    /// Has a guard sail vessels on; those that brought their region down go apart from the others.
    fn resume_at(&mut self, region: RegionId, vessels: &[VesselId], moment: Moment) {
        let publish = self.succession_tick(moment);
        let mut told = Vec::new();
        for &id in vessels {
            let Some(passage) = self.passages.get_mut(&id) else { continue };
            passage.epoch = Epoch { term: passage.epoch.term + 1, hop: 0 };
            if passage.suspect {
                passage.suspect = false;
                passage.owner = Some(region);
                passage.quarantine = Some(Quarantine::Asked(region, moment.instant));
                self.lines.send(region, Message::Surrender(id));
                continue;
            }
            passage.owner = Some(region);
            passage.unconfirmed = true;
            passage.heard = moment.instant;
            told.push((id, passage.epoch));
        }
        // On disk before anybody acts on it: the harbour alone raises a term, and never the same one twice.
        for &id in vessels {
            self.keep_passage(id);
        }
        self.counts.resumed += u32::try_from(told.len()).unwrap_or(u32::MAX);
        if !told.is_empty() {
            self.lines.send(region, Message::Resume { vessels: told, publish });
        }
    }

    /// Has a region sail a vessel on from the harbour's own checkpoint.
    fn restore_at(&mut self, region: RegionId, id: VesselId, moment: Moment) {
        let publish = self.succession_tick(moment);
        let Some(passage) = self.passages.get_mut(&id) else { return };
        let Some(checkpoint) = &passage.checkpoint else { return };
        let mut record = (**checkpoint).clone();
        passage.epoch = Epoch { term: passage.epoch.term.max(record.epoch.term) + 1, hop: 0 };
        record.epoch = passage.epoch;
        passage.owner = Some(region);
        passage.unconfirmed = true;
        passage.heard = moment.instant;
        let name = passage.name.clone();
        self.keep_passage(id);
        self.counts.resumed += 1;
        self.trouble(format!(
            "{name}'s region and its guard ended together; it goes on from the harbour's checkpoint"
        ));
        self.lines.send(region, Message::Restore { records: vec![record], inputs: Vec::new(), publish });
    }

    /// Nobody has a vessel or its shadow: it is booked again where it was never reported, and lost otherwise.
    fn give_up_lost(&mut self, id: VesselId, moment: Moment) {
        let Some(passage) = self.passages.get_mut(&id) else { return };
        passage.passing = None;
        passage.owner = None;
        let checkpoint = passage.checkpoint.take().filter(|_| !passage.is_over());
        let anybody = self.regions.iter().find(|(_, region)| region.was_reached() && region.takes_vessels());
        if let (Some(record), Some((&region, _))) = (&checkpoint, anybody) {
            passage.checkpoint = Some(record.clone());
            self.restore_at(region, id, moment);
            return;
        }
        if let Some(mut record) = checkpoint {
            // Its owner and its guard ended together: it goes on where the harbour last saw it.
            passage.epoch = Epoch { term: passage.epoch.term.max(record.epoch.term) + 1, hop: 0 };
            record.epoch = passage.epoch;
            passage.place = record.vessel.state.position_m.truncate();
            passage.marks_passed = record.vessel.voyage.passed;
            passage.velocity_mps = glam::DVec2::ZERO;
            passage.group = id;
            passage.record = Some(record);
            passage.unconfirmed = false;
            passage.heard = moment.instant;
            passage.stage = Stage::Booked;
            let name = passage.name.clone();
            self.trouble(format!("{name}'s region and its guard ended together; it is launched again"));
        } else if passage.unconfirmed && passage.never_reported && !passage.is_over() {
            passage.epoch = Epoch { term: passage.epoch.term + 1, hop: 0 };
            passage.unconfirmed = false;
            passage.heard = moment.instant;
            passage.stage = Stage::Booked;
        } else if !passage.is_over() {
            let why = passage.why_adrift.take().unwrap_or_else(|| "no region has it".to_owned());
            passage.stage = Stage::GivenUp(format!("lost: {why}; nobody kept its shadow"));
        }
        self.keep_passage(id);
    }

    /// A region showed a vessel as it is.
    pub(super) fn on_checkpoint(&mut self, record: VesselRecord) {
        if let Some(passage) = self.passages.get_mut(&record.vessel.id)
            && record.epoch >= passage.epoch
            && passage.is_afloat()
        {
            self.custody.unkept.insert(record.vessel.id);
            passage.checkpoint = Some(Box::new(record));
        }
    }

    /// Writes the checkpoints down that came in lately, all at once.
    fn keep_checkpoints(&mut self, moment: Moment) {
        let last = self.custody.kept;
        let due = last.is_none_or(|last| moment.instant.saturating_duration_since(last) > KEEP_EVERY);
        if !due || self.custody.unkept.is_empty() {
            return;
        }
        self.custody.kept = Some(moment.instant);
        let rows: Vec<(u32, VesselRecord)> = std::mem::take(&mut self.custody.unkept)
            .into_iter()
            .filter_map(|id| Some((id.0, (**self.passages.get(&id)?.checkpoint.as_ref()?).clone())))
            .collect();
        self.keep(|store| store.put_many(Table::Checkpoints, &rows));
    }

    /// Who is asked again what was said to a region whose line had broken.
    pub(super) fn say_again(&mut self, region: RegionId, moment: Moment) {
        let publish = self.succession_tick(moment);
        let unheard: Vec<(VesselId, Epoch)> = self
            .passages
            .values()
            .filter(|passage| {
                passage.owner == Some(region)
                    && passage.unconfirmed
                    && passage.quarantine.is_none()
                    && !passage.never_reported
            })
            .map(|passage| (passage.id, passage.epoch))
            .collect();
        if !unheard.is_empty() {
            self.lines.send(region, Message::Resume { vessels: unheard, publish });
        }
        self.custody.asked = None;
    }

    /// A region brought down by one of its vessels: the console names it.
    pub(super) fn suspect(&mut self, region: RegionId, console: &[String]) {
        let Some(id) = console.iter().rev().find_map(|line| vessel_named_by(line)) else { return };
        let Some(passage) = self.passages.get_mut(&id).filter(|passage| passage.owner == Some(region)) else {
            return;
        };
        passage.strikes += 1;
        if passage.strikes < STRIKES {
            passage.suspect = true;
            let name = passage.name.clone();
            self.trouble(format!(
                "{name} (vessel {}) brought region {} down; it goes on alone",
                id.0, region.0
            ));
            return;
        }
        let kept = match passage.quarantine.take() {
            Some(Quarantine::Alone(_, _, record, inputs) | Quarantine::Starting(_, record, inputs)) => {
                Some((record, inputs))
            }
            _ => None,
        };
        let strikes = passage.strikes;
        match kept {
            Some((record, inputs)) => {
                self.moor_for_good(id, &record, &inputs, &format!("it brought {strikes} regions down"));
            }
            None => passage.suspect = true,
        }
    }

    /// A vessel leaves the water with its state and orders kept, for somebody to look at.
    fn moor_for_good(&mut self, id: VesselId, record: &VesselRecord, inputs: &[AppliedInput], reason: &str) {
        let row = MooredRow { reason: reason.to_owned(), record: record.clone(), inputs: inputs.to_vec() };
        self.keep(|store| store.put(Table::Moored, id.0, &row));
        if let Some(passage) = self.passages.get_mut(&id) {
            passage.owner = None;
            passage.quarantine = None;
            passage.unconfirmed = false;
            if !passage.is_over() {
                passage.stage = Stage::GivenUp(format!("moored: {reason}; its state and orders are kept"));
            }
        }
        self.counts.moored += 1;
        self.keep_passage(id);
    }

    /// A guard sent the shadow of a vessel that brought its region down.
    pub(super) fn on_surrendered(
        &mut self,
        record: Box<VesselRecord>,
        inputs: Vec<AppliedInput>,
        moment: Moment,
    ) {
        let id = record.vessel.id;
        let Some(passage) = self.passages.get(&id) else { return };
        if matches!(passage.quarantine, Some(Quarantine::Asked(..))) {
            self.isolate(record, inputs, moment);
        }
    }

    /// Sends a vessel that brought its region down on alone, or ashore where it is not the first time.
    fn isolate(&mut self, record: Box<VesselRecord>, inputs: Vec<AppliedInput>, moment: Moment) {
        let id = record.vessel.id;
        let Some(passage) = self.passages.get(&id) else { return };
        if passage.strikes >= STRIKES {
            let reason = format!("it brought {} regions down", passage.strikes);
            self.moor_for_good(id, &record, &inputs, &reason);
            return;
        }
        let cell = Cell::of(record.vessel.state.position_m.truncate(), self.config.course.cell_m);
        let Some(region) = self.start_region(cell, true, moment) else {
            self.moor_for_good(id, &record, &inputs, "no region could be started for it alone");
            return;
        };
        if let Some(passage) = self.passages.get_mut(&id) {
            passage.owner = Some(region);
            passage.heard = moment.instant;
            passage.quarantine = Some(Quarantine::Starting(region, record, inputs));
        }
    }

    /// Sees vessels into their own regions, and back among the others.
    fn watch_quarantine(&mut self, moment: Moment) {
        let publish = self.succession_tick(moment);
        let now = moment.instant;
        let mut free = Vec::new();
        let mut gone = Vec::new();
        for passage in self.passages.values_mut() {
            match passage.quarantine.take() {
                Some(Quarantine::Starting(region, record, inputs)) => {
                    let ready = self.regions.get(&region).map(|entry| entry.phase == Phase::Ready);
                    if ready == Some(true) {
                        let mut restored = (*record).clone();
                        restored.epoch = passage.epoch;
                        passage.unconfirmed = true;
                        passage.heard = now;
                        let message =
                            Message::Restore { records: vec![restored], inputs: inputs.clone(), publish };
                        self.lines.send(region, message);
                        passage.quarantine = Some(Quarantine::Alone(region, now, record, inputs));
                    } else if ready.is_none() {
                        gone.push((passage.id, record, inputs, "its own region did not start"));
                    } else {
                        passage.heard = now;
                        passage.quarantine = Some(Quarantine::Starting(region, record, inputs));
                    }
                }
                Some(Quarantine::Alone(region, since, record, inputs)) => {
                    if !self.regions.contains_key(&region) {
                        gone.push((passage.id, record, inputs, "its own region ended"));
                    } else if now.saturating_duration_since(since) > QUARANTINE {
                        free.push(region);
                    } else {
                        passage.quarantine = Some(Quarantine::Alone(region, since, record, inputs));
                    }
                }
                // Its guard has ended, too: the next roll call finds another shadow, or none.
                Some(Quarantine::Asked(region, since)) => {
                    let lost = !self.regions.contains_key(&region)
                        || now.saturating_duration_since(since) > SURRENDER_PATIENCE;
                    if lost {
                        passage.suspect = true;
                        self.custody.due = true;
                    } else {
                        passage.heard = now;
                        passage.quarantine = Some(Quarantine::Asked(region, since));
                    }
                }
                None => {}
            }
        }
        for region in free {
            if let Some(entry) = self.regions.get_mut(&region) {
                entry.quarantine = false;
            }
        }
        for (id, record, inputs, why) in gone {
            self.moor_for_good(id, &record, &inputs, why);
        }
    }
}

/// The vessel that a panic message of a region server names: `… while sailing vessel 7`.
fn vessel_named_by(line: &str) -> Option<VesselId> {
    let (_, rest) = line.split_once("while sailing vessel ")?;
    let digits: String = rest.chars().take_while(char::is_ascii_digit).collect();
    digits.parse().ok().map(VesselId)
}
