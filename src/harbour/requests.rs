//! Requests that came over HTTP: taken one by one, answered at once or when they are done.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use serde::Serialize;
use tokio::sync::oneshot;

use super::answers::{
    ANSWER_BYTES, BookingRequest, CourseAnswer, ErrorAnswer, MarkAnswer, PassageAnswer, PassageLine,
    PassageState, PassagesAnswer, RegionAddress, RegionAnswer, RegionPhase, ResumeRequest, StatusAnswer,
    centi, place_of,
};
use super::engine::Engine;
use super::lines::Lines;
use super::passages::{Passage, Stage};
use super::{Harbour, Moment};
use crate::atlas::Mark;
use crate::config::to_hex;
use crate::corridor::Phase;
use crate::units::{Tick, VesselId};

/// Wall time that a booking waits for its launch before it is answered with "accepted".
const LAUNCH_WAIT: Duration = Duration::from_secs(5);
/// Bookings that wait for their launch at once; more are answered with "accepted" straight away.
const WAITING: usize = 1_024;
/// Characters of an error: with their escapes they fit one short answer.
const ERROR_CHARS: usize = 900;
/// Characters of a trouble in a short answer, which has the latest one only.
pub(super) const TROUBLE_CHARS: usize = 400;
/// Passages in one answer when the asker wants many.
const LIST_MAX: usize = 1_000;

/// What was asked, and whom to tell.
#[derive(Debug)]
pub struct Asked {
    /// The request.
    pub request: Request,
    /// Takes the answer; nobody may be listening any more.
    pub reply: oneshot::Sender<Answer>,
}

/// A request, read and found to be well-formed.
#[derive(Clone, Debug)]
pub enum Request {
    /// `POST /passages`.
    Book(BookingRequest),
    /// `GET /passages/{vessel}`.
    Passage(VesselId),
    /// `GET /passages`.
    Passages {
        /// The first one wanted.
        from: VesselId,
        /// How many; none for as many as fit one short answer.
        limit: Option<usize>,
    },
    /// `DELETE /passages/{vessel}`.
    GiveUp(VesselId),
    /// `GET /moored`.
    Moored {
        /// The first one wanted.
        from: VesselId,
        /// How many; none for as many as fit one short answer.
        limit: Option<usize>,
    },
    /// `POST /moored/{vessel}/resume`.
    Resume(VesselId, ResumeRequest),
    /// `GET /status`.
    Status {
        /// Without the list of regions.
        brief: bool,
    },
    /// `GET /course`.
    Course,
    /// `POST /stop`.
    Stop {
        /// Why, as each passage will say.
        reason: Option<String>,
    },
}

/// An answer: HTTP status and JSON.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// HTTP status code.
    pub status: u16,
    /// A JSON object.
    pub body: String,
}

impl Answer {
    /// An answer with a body.
    #[must_use]
    pub fn of(status: u16, body: &impl Serialize) -> Self {
        match serde_json::to_string(body) {
            Ok(body) => Self { status, body },
            Err(error) => Self::error(500, &format!("the answer could not be written: {error}")),
        }
    }

    /// An answer that says what was wrong: what was attempted, on what, and what to do.
    #[must_use]
    pub fn error(status: u16, what: &str) -> Self {
        let error = cut(what, ERROR_CHARS);
        Self { status, body: serde_json::to_string(&ErrorAnswer { error }).unwrap_or_default() }
    }
}

/// A booking, or a resumption, whose launch is waited for.
pub(super) struct Waiting {
    vessel: VesselId,
    /// HTTP status once it sails.
    done: u16,
    until: Instant,
    reply: oneshot::Sender<Answer>,
}

/// A stop under way.
pub(super) struct Stopping {
    since: Instant,
    replies: Vec<oneshot::Sender<Answer>>,
    killed: bool,
    /// Everything that was started has ended.
    pub(super) done: bool,
}

impl<E: Engine, L: Lines> Harbour<E, L> {
    /// Answers a request, or keeps it until it can be answered.
    pub(super) fn on_request(&mut self, asked: Asked, moment: Moment) {
        let Asked { request, reply } = asked;
        let answer = match request {
            Request::Book(booking) => match self.book(&booking, moment) {
                Ok(vessel) => return self.await_launch(vessel, 201, reply, moment),
                Err(refusal) => refusal,
            },
            Request::Resume(vessel, how) => match self.resume_moored(vessel, how, moment) {
                Ok(()) => return self.await_launch(vessel, 200, reply, moment),
                Err(refusal) => refusal,
            },
            Request::Moored { from, limit } => self.moored_answer(from, limit),
            Request::Passage(vessel) => self.passage_answer(200, vessel),
            Request::Passages { from, limit } => self.passages_answer(from, limit, moment),
            Request::GiveUp(vessel) => self.give_up(vessel),
            Request::Status { brief } => Answer::of(200, &self.status(brief, moment)),
            Request::Course => Answer::of(200, &self.course_answer()),
            Request::Stop { reason } => {
                self.begin_stop(reason.as_deref().unwrap_or("the harbour was stopped"), moment);
                if let Some(stopping) = &mut self.stopping {
                    stopping.replies.push(reply);
                }
                return;
            }
        };
        // The asker may have gone; then nobody misses the answer.
        let _ = reply.send(answer);
    }

    /// Answers when a vessel is in the water, or, where too many wait already, that it will be.
    fn await_launch(&mut self, vessel: VesselId, done: u16, reply: oneshot::Sender<Answer>, moment: Moment) {
        if self.waiting.len() < WAITING {
            self.waiting.push(Waiting { vessel, done, until: moment.instant + LAUNCH_WAIT, reply });
        } else {
            let _ = reply.send(self.passage_answer(202, vessel));
        }
    }

    fn give_up(&mut self, vessel: VesselId) -> Answer {
        let Some(passage) = self.passages.get_mut(&vessel) else { return no_passage(vessel) };
        if !passage.is_over() {
            passage.stage = Stage::GivenUp("given up by request".to_owned());
        }
        self.passage_answer(200, vessel)
    }

    /// Ends every passage; regions go when nobody is in the water any more.
    pub(super) fn begin_stop(&mut self, reason: &str, moment: Moment) {
        if self.stopping.is_some() {
            return;
        }
        let since = moment.instant;
        self.stopping = Some(Stopping { since, replies: Vec::new(), killed: false, done: false });
        for passage in self.passages.values_mut().filter(|passage| !passage.is_over()) {
            passage.stage = Stage::GivenUp(reason.to_owned());
        }
    }

    /// Sees a stop through: waits for regions to drain, ends those that do not, answers who asked for it.
    pub(super) fn watch_stop(&mut self, moment: Moment) {
        let patience = self.engine.patience().drain;
        let Some(stopping) = &mut self.stopping else { return };
        let late = moment.instant.saturating_duration_since(stopping.since) > patience;
        if late && !stopping.killed {
            stopping.killed = true;
            for (&id, region) in &mut self.regions {
                region.fault = Some(format!("had not stopped after {} s", patience.as_secs()));
                self.engine.kill(id);
            }
        }
        if self.regions.is_empty() && self.engine.running().is_empty() {
            stopping.done = true;
            let replies = std::mem::take(&mut stopping.replies);
            let answer = Answer::of(200, &self.status(false, moment));
            for reply in replies {
                let _ = reply.send(answer.clone());
            }
        }
    }

    /// Answers the bookings whose vessel sails, or will not, or that have waited long enough.
    pub(super) fn answer_waiting(&mut self, moment: Moment) {
        let waiting = std::mem::take(&mut self.waiting);
        for wait in waiting {
            let passage = self.passages.get(&wait.vessel);
            let waits = passage.is_some_and(Passage::is_waiting);
            if waits && moment.instant < wait.until {
                self.waiting.push(wait);
                continue;
            }
            let answer = match passage.map(|passage| &passage.stage) {
                Some(Stage::GivenUp(reason)) => {
                    Answer::error(503, &format!("the passage of vessel {} is over: {reason}", wait.vessel.0))
                }
                _ => self.passage_answer(if waits { 202 } else { wait.done }, wait.vessel),
            };
            let _ = wait.reply.send(answer);
        }
    }

    fn passage_answer(&self, status: u16, vessel: VesselId) -> Answer {
        let Some(passage) = self.passages.get(&vessel) else { return no_passage(vessel) };
        let (state, arrived, reason) = match &passage.stage {
            Stage::Booked => (PassageState::Booked, None, None),
            Stage::Sailing => (PassageState::Sailing, None, None),
            Stage::Arrived(tick) => (PassageState::Arrived, Some(tick.0), None),
            Stage::GivenUp(reason) => (PassageState::GivenUp, None, Some(cut(reason, TROUBLE_CHARS))),
        };
        let region = passage.owner.and_then(|id| {
            let region = self.regions.get(&id)?;
            Some(RegionAddress { id: id.0, addr: region.info.as_ref()?.addr, name: region.spec.name.clone() })
        });
        let answer = PassageAnswer {
            vessel: vessel.0,
            name: passage.name.clone(),
            boat: passage.boat.name.clone(),
            state,
            reason,
            region,
            ticket: (!passage.is_over()).then(|| to_hex(&passage.ticket)),
            authority: (!passage.is_over()).then(|| to_hex(&self.config.authority)),
            course: self.config.course.name.clone(),
            start_tick: passage.started.map(|tick| tick.0),
            arrived_tick: arrived,
            marks_passed: passage.marks_passed,
            marks_total: passage.marks.len(),
            marks: Some(mark_answers(&passage.marks)),
            to_go_m: centi(passage.to_go_m()),
            place: place_of(passage.place),
            speed_mps: centi(passage.velocity_mps.length()),
            ground_m: centi(passage.ground_m),
            water_m: centi(passage.water_m),
        };
        let whole = Answer::of(status, &answer);
        if whole.body.len() <= ANSWER_BYTES {
            return whole;
        }
        Answer::of(status, &PassageAnswer { marks: None, ..answer })
    }

    fn passages_answer(&self, from: VesselId, limit: Option<usize>, moment: Moment) -> Answer {
        let now = self.clock.due(moment.unix_ns);
        let mut list = ShortList::new(limit);
        for (id, passage) in self.passages.range(from..) {
            if !list.add(id.0, passage_line(passage, now)) {
                break;
            }
        }
        let (passages, next) = list.finish();
        Answer::of(200, &PassagesAnswer { passages, next })
    }

    /// How it goes.
    fn status(&self, brief: bool, moment: Moment) -> StatusAnswer {
        let count = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
        let phases: Vec<Phase> = self.regions.iter().map(|(&id, region)| self.phase(id, region)).collect();
        let in_phase = |phase: Phase| count(phases.iter().filter(|&&other| other == phase).count());
        let of = |counts: fn(&Stage) -> bool| {
            count(self.passages.values().filter(|passage| counts(&passage.stage)).count())
        };
        let afloat: Vec<&Passage> = self.passages.values().filter(|p| p.owner.is_some()).collect();
        let groups: BTreeSet<VesselId> = afloat.iter().map(|passage| passage.group).collect();
        StatusAnswer {
            course: self.config.course.name.clone(),
            seed: self.config.seed,
            tick: self.clock.due(moment.unix_ns).0,
            clock: self.config.clock,
            regions_started: self.counts.regions_started,
            regions_stopped: self.counts.regions_stopped,
            regions_failed: self.counts.regions_failed,
            regions_peak: self.counts.regions_peak,
            booting: in_phase(Phase::Booting),
            standing_by: in_phase(Phase::Ready),
            live: in_phase(Phase::Live),
            draining: in_phase(Phase::Draining),
            groups: count(groups.len()),
            passages: count(self.passages.len()),
            booked: of(|stage| matches!(stage, Stage::Booked)),
            sailing: of(|stage| matches!(stage, Stage::Sailing)),
            arrived: of(|stage| matches!(stage, Stage::Arrived(_))),
            given_up: of(|stage| matches!(stage, Stage::GivenUp(_))),
            afloat: count(afloat.len()),
            handoffs: self.counts.handoffs
                + self.regions.values().map(|region| region.counts.handoffs).sum::<u32>(),
            handoff_ticks_missed: self.counts.ticks_missed
                + self.regions.values().map(|region| region.counts.ticks_missed).sum::<u64>(),
            resumed: self.counts.resumed,
            moored: self.counts.moored,
            stopping: self.stopping.is_some(),
            troubles: if brief {
                self.troubles.iter().rev().take(1).map(|trouble| cut(trouble, TROUBLE_CHARS)).collect()
            } else {
                self.troubles.iter().cloned().collect()
            },
            regions: if brief { Vec::new() } else { self.region_answers() },
        }
    }

    fn region_answers(&self) -> Vec<RegionAnswer> {
        self.regions
            .iter()
            .map(|(&id, region)| RegionAnswer {
                id: id.0,
                name: region.spec.name.clone(),
                cell: [region.spec.cell.x, region.spec.cell.y],
                phase: match self.phase(id, region) {
                    Phase::Booting => RegionPhase::Booting,
                    Phase::Ready => RegionPhase::StandingBy,
                    Phase::Live => RegionPhase::Live,
                    Phase::Draining => RegionPhase::Draining,
                },
                addr: region.info.as_ref().map(|info| info.addr),
                vessels: self
                    .passages
                    .values()
                    .filter(|passage| passage.owner == Some(id))
                    .map(|passage| passage.id.0)
                    .collect(),
                tick: region.tick.0,
                load: region.load,
                dilation: region.dilation,
                carries: region.carries,
                counts: region.counts,
                start_to_tick_us: region.info.as_ref().map(|info| info.start_to_tick_us),
                boot_ms: region.boot.map(|boot| u64::try_from(boot.as_millis()).unwrap_or(u64::MAX)),
            })
            .collect()
    }

    fn course_answer(&self) -> CourseAnswer {
        let course = &self.config.course;
        CourseAnswer {
            name: course.name.clone(),
            cell_m: course.cell_m,
            start_line: [place_of(course.start_line.port), place_of(course.start_line.starboard)],
            marks: mark_answers(&course.marks),
            time_limit_s: course.time_limit_s,
            prims_per_region: course.prims_per_region,
        }
    }
}

/// The lines of a list: as many as fit one short answer, or as many as are wanted.
pub(super) struct ShortList<T> {
    lines: Vec<T>,
    limit: Option<usize>,
    bytes: usize,
    next: Option<u32>,
}

impl<T: Serialize> ShortList<T> {
    /// An empty list; without a limit it fits one short answer.
    pub(super) fn new(limit: Option<usize>) -> Self {
        // Room for the braces and `next`.
        Self { lines: Vec::new(), limit, bytes: 40, next: None }
    }

    /// Adds the line of a vessel; false where it has no room, and the list ends before it.
    pub(super) fn add(&mut self, vessel: u32, line: T) -> bool {
        self.bytes += serde_json::to_string(&line).map_or(0, |text| text.len() + 1);
        let full = match self.limit {
            Some(limit) => self.lines.len() >= limit.min(LIST_MAX),
            None => self.bytes > ANSWER_BYTES,
        };
        if full {
            self.next = Some(vessel);
        } else {
            self.lines.push(line);
        }
        !full
    }

    /// The lines, and the vessel of the first one that had no room.
    pub(super) fn finish(self) -> (Vec<T>, Option<u32>) {
        (self.lines, self.next)
    }
}

/// The text, or as much of it as fits.
pub(super) fn cut(text: &str, chars: usize) -> String {
    match text.char_indices().nth(chars) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

/// The refusal where a vessel has no passage.
pub(super) fn no_passage(vessel: VesselId) -> Answer {
    Answer::error(404, &format!("no passage has the vessel {}; GET /passages lists them", vessel.0))
}

fn mark_answers(marks: &[Mark]) -> Vec<MarkAnswer> {
    marks
        .iter()
        .map(|mark| MarkAnswer {
            name: mark.name.clone(),
            place: place_of(mark.place),
            radius_m: mark.radius_m,
        })
        .collect()
}

fn passage_line(passage: &Passage, now: Tick) -> PassageLine {
    let (state, until) = match &passage.stage {
        Stage::Booked => (PassageState::Booked, now),
        Stage::Sailing => (PassageState::Sailing, now),
        Stage::Arrived(tick) => (PassageState::Arrived, *tick),
        Stage::GivenUp(_) => (PassageState::GivenUp, passage.seen),
    };
    PassageLine {
        vessel: passage.id.0,
        name: passage.name.clone(),
        state,
        marks_passed: passage.marks_passed,
        to_go_m: centi(passage.to_go_m()),
        sailed_s: centi(passage.sailed_s(until)),
        region: passage.owner.map(|id| id.0),
    }
}
