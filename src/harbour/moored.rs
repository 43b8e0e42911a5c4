//! Vessels that are out of the water with their passage unfinished: kept complete, listed, and resumed.
//!
//! ```text
//!  under way ─▶ given up, or has brought regions down ─▶ moored: a row of its own ─▶ resumed ─▶ booked ─▶ under way
//!                                                                                      └─▶ alone ─▶ among others
//! ```
//!
//! A row is there for as long as nobody else has the vessel: one that is resumed among others is its passage's
//! from then on; of one that goes on alone the row stays until it is among others again, so that whoever
//! comes after a harbour that was killed knows that it must be alone.

use serde::{Deserialize, Serialize};

use super::answers::{MooredAnswer, MooredLine, ResumeRequest, place_of};
use super::engine::Engine;
use super::lines::Lines;
use super::passages::{Passage, Stage};
use super::quarantine::{Quarantine, STRIKES};
use super::requests::{ShortList, TROUBLE_CHARS, cut, no_passage};
use super::store::{StoreError, Table};
use super::{Answer, Harbour, Moment};
use crate::units::{TICK_HZ, Tick, VesselId};
use crate::wire::message::{AppliedInput, Given, VesselRecord};

/// Characters of a reason in a list: six lines fit one short answer.
const REASON_CHARS: usize = 160;
/// Course time after which a vessel that a killed harbour was seeing into a region of its own is moored, and not
/// sailed on from then to now: ten minutes.
const APART_TICKS: u64 = 600 * TICK_HZ;

/// A vessel as it was at a tick, with the orders known after that, out of the water or on its way to a region
/// alone.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Kept {
    /// Why.
    pub(super) reason: String,
    /// The course that it sails.
    #[serde(default)]
    pub(super) course: String,
    pub(super) record: VesselRecord,
    pub(super) inputs: Vec<AppliedInput>,
}

/// What a passage knows of its moored vessel.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Moored {
    reason: String,
    /// The tick of its state.
    tick: Tick,
}

/// As much of a row as is read for a list.
#[derive(Deserialize)]
struct Head {
    reason: String,
    record: HeadRecord,
}

#[derive(Deserialize)]
struct HeadRecord {
    tick: Tick,
}

impl Kept {
    /// The vessel with the last of its orders, which it still follows wherever it is put.
    fn with_orders(mut self) -> VesselRecord {
        let state = &mut self.record.vessel.state;
        for applied in &self.inputs {
            let Given::Order(input) = &applied.given else { continue };
            if (input.session, input.seq) > (state.session, state.seq) {
                (state.session, state.seq, state.helm) = (input.session, input.seq, input.helm);
            }
        }
        // It left no wake where it is put, and feels none of those that it felt then.
        self.record.vessel.trail.clear();
        self.record.vessel.company.clear();
        self.record
    }
}

impl<E: Engine, L: Lines> Harbour<E, L> {
    /// Finds moored vessels again, and sees those on that were on their way to a region alone.
    pub(super) fn find_moored(&mut self, moment: Moment) -> Result<(), StoreError> {
        for (id, head) in self.store.rows::<Head>(Table::Moored)? {
            let id = VesselId(id);
            let tick = head.record.tick;
            match self.passages.get_mut(&id) {
                Some(passage) if matches!(passage.stage, Stage::GivenUp(_)) => {
                    passage.seen = tick;
                    passage.moored = Some(Moored { reason: head.reason, tick });
                }
                Some(passage) if !passage.is_over() => {
                    if let Some(kept) = self.store.row::<Kept>(Table::Moored, id.0)? {
                        self.see_apart_again(id, kept, moment);
                    }
                }
                _ => self.keep(|store| store.remove(Table::Moored, id.0)),
            }
        }
        Ok(())
    }

    /// Goes on where a killed harbour was seeing a vessel into a region of its own.
    fn see_apart_again(&mut self, id: VesselId, kept: Kept, moment: Moment) {
        let Some(passage) = self.passages.get_mut(&id) else { return };
        passage.heard = moment.instant;
        let own =
            |region| self.regions.get(&region).is_some_and(|entry| entry.quarantine && entry.was_reached());
        if let Some(region) = passage.owner.filter(|&region| own(region)) {
            // It may be there already; said again, the word changes nothing.
            passage.quarantine = Some(Quarantine::Starting(region, Box::new(kept)));
        } else if self.clock.due(moment.unix_ns).since(kept.record.tick) > APART_TICKS {
            self.moor_for_good(id, kept, "its own region ended while the harbour was away");
        } else {
            passage.raise_term(kept.record.epoch);
            self.set_apart(id, kept, moment);
        }
    }

    /// A vessel is out of the water with its passage unfinished, and is kept as it was.
    pub(super) fn moor(&mut self, id: VesselId, kept: &Kept) {
        let Some(passage) = self.passages.get_mut(&id) else { return };
        passage.owner = None;
        passage.quarantine = None;
        passage.unconfirmed = false;
        passage.record = None;
        passage.seen = kept.record.tick;
        passage.place = kept.record.vessel.state.position_m.truncate();
        passage.moored = Some(Moored { reason: kept.reason.clone(), tick: kept.record.tick });
        self.keep_with(id, Some(kept));
    }

    /// A vessel that was under way leaves the water, for somebody to look at.
    pub(super) fn moor_for_good(&mut self, id: VesselId, mut kept: Kept, reason: &str) {
        let Some(passage) = self.passages.get_mut(&id) else { return };
        match &passage.stage {
            Stage::GivenUp(why) => kept.reason.clone_from(why),
            Stage::Arrived(_) => return self.forget_kept(id),
            _ => {
                reason.clone_into(&mut kept.reason);
                passage.stage = Stage::GivenUp(format!("moored: {reason}; its state and orders are kept"));
            }
        }
        self.counts.moored += 1;
        self.moor(id, &kept);
    }

    /// Keeps what came ashore of a passage that was given up.
    pub(super) fn moor_given_up(&mut self, id: VesselId, record: VesselRecord) {
        let Some(Passage { stage: Stage::GivenUp(reason), .. }) = self.passages.get(&id) else { return };
        let kept = self.kept(reason.clone(), record, Vec::new());
        self.moor(id, &kept);
    }

    /// A vessel as it is to be kept.
    pub(super) fn kept(&self, reason: String, record: VesselRecord, inputs: Vec<AppliedInput>) -> Kept {
        Kept { reason, course: self.config.course.name.clone(), record, inputs }
    }

    /// Nothing more is kept of a vessel than its passage.
    pub(super) fn forget_kept(&mut self, id: VesselId) {
        if let Some(passage) = self.passages.get_mut(&id) {
            passage.moored = None;
            passage.quarantine = None;
        }
        self.keep_with(id, None);
    }

    /// Writes a passage down, and what is kept of its vessel, or that nothing is: both or neither.
    pub(super) fn keep_with(&mut self, id: VesselId, kept: Option<&Kept>) {
        let Some(passage) = self.passages.get(&id) else { return };
        let (row, stage) = (passage.row(), passage.stage.clone());
        self.kept_stages.insert(id, stage);
        self.keep(|store| {
            store.together(|store| {
                match kept {
                    Some(kept) => store.put(Table::Moored, id.0, kept)?,
                    None => store.remove(Table::Moored, id.0)?,
                }
                store.put(Table::Passages, id.0, &row)
            })
        });
    }

    /// Has a moored vessel go on with its passage where it was, as it was, under a new term.
    pub(super) fn resume_moored(
        &mut self,
        id: VesselId,
        request: ResumeRequest,
        moment: Moment,
    ) -> Result<(), Answer> {
        let refused = |(status, what): (u16, String)| {
            Answer::error(status, &format!("cannot resume vessel {}: {what}", id.0))
        };
        let Some(passage) = self.passages.get(&id) else { return Err(no_passage(id)) };
        let limit_s = self.config.course.time_limit_s;
        may_resume(passage, request, limit_s).map_err(refused)?;
        if self.stopping.is_some() {
            let what = "the harbour is stopping; resume it when it is started again";
            return Err(refused((503, what.to_owned())));
        }
        let kept =
            self.store.row::<Kept>(Table::Moored, id.0).map_err(|error| refused((500, error.to_string())))?;
        let Some(kept) = kept else { return Err(refused((500, "its row is missing".to_owned()))) };
        let course = &self.config.course.name;
        if !kept.course.is_empty() && kept.course != *course {
            let what =
                format!("it sails {}, and this harbour serves {course}; ask the harbour of {0}", kept.course);
            return Err(refused((409, what)));
        }
        self.has_room_for(&passage.boat).map_err(|what| refused((409, what)))?;
        self.is_clear_of_others(id, &kept.record).map_err(|what| refused((409, what)))?;
        // The old one may have expired meanwhile.
        let ticket = (self.clerks.ticket)(id, passage.crew_key).map_err(|what| refused((500, what)))?;
        let now = self.clock.due(moment.unix_ns);
        let mut record = kept.with_orders();
        let Some(passage) = self.passages.get_mut(&id) else { return Err(no_passage(id)) };
        passage.ticket = ticket;
        passage.moored = None;
        passage.suspect = false;
        passage.moor_asked = None;
        passage.ashore_ticks = passage.ashore_ticks.saturating_add(now.since(record.tick));
        record.tick = now;
        let alone = request.quarantine || passage.strikes > 0;
        passage.put_back(Box::new(record), moment);
        // What was seen of it before is older than this.
        passage.checkpoint.clone_from(&passage.record);
        match passage.record.take_if(|_| alone) {
            Some(record) => {
                passage.stage = Stage::Sailing;
                let kept = self.kept("resumed alone".to_owned(), *record, Vec::new());
                self.set_apart(id, kept, moment);
            }
            None => self.keep_with(id, None),
        }
        Ok(())
    }

    /// Whether nobody lies where a vessel would be put.
    fn is_clear_of_others(&self, id: VesselId, record: &VesselRecord) -> Result<(), String> {
        let (place, length_m) = (record.vessel.state.position_m.truncate(), record.vessel.boat.length_m);
        let touches = |other: &&Passage| {
            let apart_m = (other.boat.length_m + length_m) * 0.5;
            other.id != id && other.takes_room() && (other.place - place).length() < apart_m
        };
        match self.passages.values().find(touches) {
            Some(other) => Err(format!(
                "{} (vessel {}) is where it would be put; wait until that has sailed on",
                other.name, other.id.0
            )),
            None => Ok(()),
        }
    }

    /// The moored vessels, as many as fit or are wanted.
    pub(super) fn moored_answer(&self, from: VesselId, limit: Option<usize>) -> Answer {
        let mut list = ShortList::new(limit);
        for (id, passage) in self.passages.range(from..) {
            let Some(moored) = &passage.moored else { continue };
            let line = MooredLine {
                vessel: id.0,
                name: passage.name.clone(),
                boat: passage.boat.name.clone(),
                reason: cut(&moored.reason, REASON_CHARS),
                tick: moored.tick.0,
                place: place_of(passage.place),
                marks_passed: passage.marks_passed,
                marks_total: passage.marks.len(),
                regions_sunk: passage.strikes,
                needs_quarantine: passage.strikes >= STRIKES,
            };
            if !list.add(id.0, line) {
                break;
            }
        }
        let (moored, next) = list.finish();
        Answer::of(200, &MooredAnswer { moored, next })
    }
}

/// Whether a passage has a vessel that may be resumed so; otherwise the HTTP status, why not, and what to do.
fn may_resume(passage: &Passage, request: ResumeRequest, limit_s: f64) -> Result<(), (u16, String)> {
    let Some(moored) = &passage.moored else {
        return Err(match &passage.stage {
            Stage::GivenUp(reason) => {
                (409, format!("nothing is kept of it: {}; book another passage", cut(reason, TROUBLE_CHARS)))
            }
            Stage::Arrived(_) => (409, "it has arrived; book another passage".to_owned()),
            Stage::Booked | Stage::Sailing => {
                (409, format!("it is under way; GET /passages/{} says where", passage.id.0))
            }
        });
    };
    if passage.owner.is_some() {
        return Err((409, "it is still being taken out of the water; try again in a second".to_owned()));
    }
    if passage.sailed_s(moored.tick) > limit_s {
        return Err((
            409,
            format!("it has used up the course's time limit of {limit_s:.0} s; book another passage"),
        ));
    }
    if passage.strikes >= STRIKES && !request.quarantine {
        return Err((
            409,
            format!(
                "it has brought {} regions down; send `\"quarantine\": true` to have it sail alone all the same",
                passage.strikes
            ),
        ));
    }
    Ok(())
}
