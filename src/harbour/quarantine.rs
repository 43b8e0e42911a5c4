//! Vessels that bring their region down. The first time such a vessel goes on alone, in a region of its own that
//! nobody is introduced to; the second time it is moored, with its state and orders kept. A vessel that is resumed
//! from there goes on alone likewise.

use std::time::{Duration, Instant};

use super::engine::Engine;
use super::lines::Lines;
use super::moored::Kept;
use super::{Harbour, Moment};
use crate::atlas::Cell;
use crate::corridor::Phase;
use crate::units::{RegionId, VesselId};
use crate::wire::Message;
use crate::wire::message::{AppliedInput, VesselRecord};

/// Wall time that a vessel sails alone after it has brought a region down, before it is among others again.
const QUARANTINE: Duration = Duration::from_secs(30);
/// Wall time that a guard has to send a shadow to the harbour.
const SURRENDER_PATIENCE: Duration = Duration::from_secs(2);
/// Regions that a vessel may bring down before it is moored.
pub(super) const STRIKES: u32 = 2;

/// How far a vessel is that has brought a region down.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Quarantine {
    /// A guard was asked for its shadow.
    Asked(RegionId, Instant),
    /// Its region is being started; what it will sail on from.
    Starting(RegionId, Box<Kept>),
    /// It sails there since then; kept in case it does it again.
    Alone(RegionId, Instant, Box<Kept>),
}

impl<E: Engine, L: Lines> Harbour<E, L> {
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
        let reason = format!("it brought {} regions down", passage.strikes);
        match passage.quarantine.take() {
            Some(Quarantine::Alone(_, _, kept) | Quarantine::Starting(_, kept)) => {
                self.moor_for_good(id, *kept, &reason);
            }
            _ => passage.suspect = true,
        }
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
            self.isolate(*record, inputs, moment);
        }
    }

    /// Sends a vessel that brought its region down on alone, or ashore where it is not the first time.
    pub(super) fn isolate(&mut self, record: VesselRecord, inputs: Vec<AppliedInput>, moment: Moment) {
        let id = record.vessel.id;
        let Some(passage) = self.passages.get(&id) else { return };
        let strikes = passage.strikes;
        let kept = self.kept("it brought a region down".to_owned(), record, inputs);
        if strikes >= STRIKES {
            self.moor_for_good(id, kept, &format!("it brought {strikes} regions down"));
        } else {
            self.set_apart(id, kept, moment);
        }
    }

    /// Starts a region for a vessel alone, which sails on there from what is kept of it.
    pub(super) fn set_apart(&mut self, id: VesselId, kept: Kept, moment: Moment) {
        let cell = Cell::of(kept.record.vessel.state.position_m.truncate(), self.config.course.cell_m);
        let Some(region) = self.start_region(cell, true, moment) else {
            self.moor_for_good(id, kept, "no region could be started for it alone");
            return;
        };
        if let Some(passage) = self.passages.get_mut(&id) {
            passage.owner = Some(region);
            passage.heard = moment.instant;
            passage.quarantine = Some(Quarantine::Starting(region, Box::new(kept.clone())));
        }
        // On disk before it is there: a harbour that comes back knows that it must be alone, and where.
        self.keep_with(id, Some(&kept));
    }

    /// A line to a region opened again: a vessel that was sent there alone, and not reported since, is sent again.
    pub(super) fn set_apart_again(&mut self, region: RegionId) {
        for passage in self.passages.values_mut().filter(|passage| passage.unconfirmed) {
            passage.quarantine = match passage.quarantine.take() {
                Some(Quarantine::Alone(own, _, kept)) if own == region => {
                    Some(Quarantine::Starting(own, kept))
                }
                other => other,
            };
        }
    }

    /// Sees vessels into their own regions, and back among the others.
    pub(super) fn watch_quarantine(&mut self, moment: Moment) {
        let now = moment.instant;
        let (mut sent, mut free, mut gone) = (Vec::new(), Vec::new(), Vec::new());
        for passage in self.passages.values_mut() {
            let Some(quarantine) = passage.quarantine.take() else { continue };
            let entry = self.regions.get(&quarantine.region());
            passage.quarantine = match quarantine {
                Quarantine::Starting(_, kept) if entry.is_none() || passage.is_over() => {
                    gone.push((passage.id, *kept, "its own region did not start"));
                    None
                }
                Quarantine::Starting(region, kept) => {
                    passage.heard = now;
                    let ready = entry.is_some_and(|entry| entry.phase == Phase::Ready && entry.is_open());
                    if ready {
                        passage.unconfirmed = true;
                        sent.push((region, passage.epoch, (*kept).clone()));
                        Some(Quarantine::Alone(region, now, kept))
                    } else {
                        Some(Quarantine::Starting(region, kept))
                    }
                }
                Quarantine::Alone(_, _, kept) if entry.is_none() => {
                    gone.push((passage.id, *kept, "its own region ended"));
                    None
                }
                Quarantine::Alone(region, since, _) if now.saturating_duration_since(since) > QUARANTINE => {
                    free.push((passage.id, region));
                    None
                }
                // Its guard has ended, too: the next roll call finds another shadow, or none.
                Quarantine::Asked(_, since)
                    if entry.is_none() || now.saturating_duration_since(since) > SURRENDER_PATIENCE =>
                {
                    passage.suspect = true;
                    self.custody.due = true;
                    None
                }
                Quarantine::Asked(..) => {
                    passage.heard = now;
                    Some(quarantine)
                }
                Quarantine::Alone(..) => Some(quarantine),
            };
        }
        let publish = self.succession_tick(moment);
        for (region, epoch, Kept { mut record, inputs, .. }) in sent {
            record.epoch = epoch;
            self.lines.send(region, Message::Restore { records: vec![record], inputs, publish });
        }
        for (id, region) in free {
            self.open_to_others(region);
            self.forget_kept(id);
        }
        for (id, kept, why) in gone {
            self.moor_for_good(id, kept, why);
        }
        self.end_empty_quarantines(moment);
    }

    /// Nobody else comes to a region that is for one vessel: once that has left, it ends.
    fn end_empty_quarantines(&mut self, moment: Moment) {
        let owned = |id: RegionId| self.passages.values().any(|passage| passage.owner == Some(id));
        let empty: Vec<RegionId> = self
            .regions
            .iter()
            .filter(|&(&id, entry)| entry.quarantine && entry.phase != Phase::Draining && !owned(id))
            .map(|(&id, _)| id)
            .collect();
        for region in empty {
            self.drain(region, moment);
        }
    }
}

impl Quarantine {
    /// The region that it waits for, or is in.
    const fn region(&self) -> RegionId {
        match self {
            Self::Asked(region, _) | Self::Starting(region, _) | Self::Alone(region, ..) => *region,
        }
    }

    /// Whether no roll call may decide on a vessel: it is on its way to a region alone, or that has just ended.
    pub(super) fn is_decided(&self, exists: impl Fn(RegionId) -> bool) -> bool {
        match self {
            Self::Asked(..) | Self::Starting(..) => true,
            Self::Alone(region, ..) => !exists(*region),
        }
    }
}

/// The vessel that a panic message of a region server names: `… while sailing vessel 7`.
fn vessel_named_by(line: &str) -> Option<VesselId> {
    let (_, rest) = line.split_once("while sailing vessel ")?;
    let digits: String = rest.chars().take_while(char::is_ascii_digit).collect();
    digits.parse().ok().map(VesselId)
}
