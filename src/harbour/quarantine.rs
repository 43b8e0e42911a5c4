//! Vessels that bring their region down. The first time such a vessel goes on alone, in a region of its own that
//! nobody is introduced to; the second time it is moored, with its state and orders kept.

use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use super::engine::Engine;
use super::lines::Lines;
use super::passages::Stage;
use super::store::Table;
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
/// Regions that a vessel may bring down.
const STRIKES: u32 = 2;

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
    pub(super) fn isolate(&mut self, record: Box<VesselRecord>, inputs: Vec<AppliedInput>, moment: Moment) {
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
    pub(super) fn watch_quarantine(&mut self, moment: Moment) {
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
