//! When a region has ended, or a vessel is not reported: the roll is called, and who is adrift sails on.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use super::engine::Engine;
use super::fleet::Region;
use super::lines::Lines;
use super::passages::{Passage, Stage};
use super::quarantine::Quarantine;
use super::store::Table;
use super::{Harbour, Moment};
use crate::custody::{Finding, RollCall};
use crate::limits::ENDED_REGIONS;
use crate::units::{RegionId, TICK_HZ, Tick, VesselId};
use crate::wire::Message;
use crate::wire::message::{Epoch, VesselRecord};

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
/// Between the end of an owner and the first tick of its successor, wall time, besides what the clocks of regions
/// may be off by: what an owner had on its way at its end is of the past by then.
const SUCCESSION_MARGIN_S: f64 = 0.02;
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
    unkept: BTreeSet<VesselId>,
    kept: Option<Instant>,
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
        let nobody_afloat = !self.passages.values().any(Passage::is_afloat);
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
            stuck.map(|passage| (passage.id, passage.epoch.next_term())).collect();
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

    /// Acts on a complete roll call.
    fn settle(&mut self, moment: Moment) {
        let called = self.custody.called;
        let afloat: Vec<VesselId> =
            self.passages.values().filter(|p| p.is_afloat()).map(|passage| passage.id).collect();
        let mut resume: BTreeMap<RegionId, Vec<VesselId>> = BTreeMap::new();
        for id in afloat {
            let Some(passage) = self.passages.get(&id) else { continue };
            let exists = |region: RegionId| self.regions.contains_key(&region);
            if passage.quarantine.as_ref().is_some_and(|quarantine| quarantine.is_decided(exists)) {
                continue;
            }
            let fresh = passage.unconfirmed || called.is_some_and(|called| passage.heard > called);
            let known = passage.owner.filter(|_| fresh).map(|owner| (owner, passage.epoch));
            let finding = self.custody.roll.find(id, known, exists);
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
                Finding::Adrift { .. } | Finding::Lost if passage.is_over() => {
                    passage.owner = None;
                    if let Some(record) = passage.checkpoint.take() {
                        self.moor_given_up(id, *record);
                    }
                }
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
                Finding::Lost => self.go_on_without_shadow(id, moment),
            }
        }
        for (region, vessels) in resume {
            self.resume_at(region, &vessels, moment);
        }
    }

    /// The first tick that a successor publishes: none that was due by now can have been reached by it.
    pub(super) fn succession_tick(&self, moment: Moment) -> Tick {
        #[expect(clippy::cast_precision_loss, reason = "half a second in nanoseconds")]
        let doubt_s = self.clock_doubts.values().map(|(ns, _)| *ns).max().unwrap_or(0) as f64 * 1e-9;
        #[expect(clippy::cast_precision_loss, reason = "45")]
        let margin = (SUCCESSION_MARGIN_S + doubt_s) * TICK_HZ as f64 * self.config.clock.warp;
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a fraction of a second")]
        self.clock.due(moment.unix_ns).after(margin.ceil() as u64 + 1)
    }

    /// Has a guard sail vessels on; those that brought their region down go apart from the others.
    fn resume_at(&mut self, region: RegionId, vessels: &[VesselId], moment: Moment) {
        let publish = self.succession_tick(moment);
        let mut told = Vec::new();
        for &id in vessels {
            let Some(passage) = self.passages.get_mut(&id) else { continue };
            passage.raise_term(passage.epoch);
            passage.sent_to(region, moment);
            if std::mem::take(&mut passage.suspect) {
                passage.unconfirmed = false;
                passage.quarantine = Some(Quarantine::Asked(region, moment.instant));
                self.lines.send(region, Message::Surrender(id));
            } else {
                told.push((id, passage.epoch));
            }
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
        record.epoch = passage.raise_term(record.epoch);
        passage.sent_to(region, moment);
        let name = passage.name.clone();
        self.keep_passage(id);
        self.counts.resumed += 1;
        self.trouble(format!(
            "{name}'s region and its guard ended together; it goes on from the harbour's checkpoint"
        ));
        self.lines.send(region, Message::Restore { records: vec![record], inputs: Vec::new(), publish });
    }

    /// Nobody keeps a vessel's shadow: it goes on from the harbour's own checkpoint, is booked again where it was
    /// never reported, and is lost otherwise.
    fn go_on_without_shadow(&mut self, id: VesselId, moment: Moment) {
        let serves = |region: &Region| region.was_reached() && region.takes_vessels() && !region.quarantine;
        let anybody = self.regions.iter().find(|(_, region)| serves(region)).map(|(&region, _)| region);
        let Some(passage) = self.passages.get_mut(&id) else { return };
        passage.passing = None;
        passage.owner = None;
        match (passage.checkpoint.take(), anybody) {
            (Some(record), _) if passage.suspect => {
                passage.suspect = false;
                passage.raise_term(record.epoch);
                passage.checkpoint = Some(record.clone());
                self.keep_passage(id);
                self.isolate(*record, Vec::new(), moment);
                return;
            }
            (Some(record), Some(region)) => {
                passage.checkpoint = Some(record);
                self.restore_at(region, id, moment);
                return;
            }
            (Some(record), None) => {
                passage.put_back(record, moment);
                let name = passage.name.clone();
                self.trouble(format!("{name}'s region and its guard ended together; it is launched again"));
            }
            (None, _) if passage.unconfirmed && passage.never_reported => {
                passage.raise_term(passage.epoch);
                passage.unconfirmed = false;
                passage.heard = moment.instant;
                passage.stage = Stage::Booked;
            }
            (None, _) => {
                let why = passage.why_adrift.take().unwrap_or_else(|| "no region has it".to_owned());
                passage.stage = Stage::GivenUp(format!("lost: {why}; nobody kept its shadow"));
            }
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
        self.set_apart_again(region);
        self.custody.asked = None;
    }
}
