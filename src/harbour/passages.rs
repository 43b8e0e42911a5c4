//! Passages: booked, launched, followed, brought ashore.

use std::time::{Duration, Instant};

use glam::{DVec2, DVec3};
use serde::{Deserialize, Serialize};

use super::engine::Engine;
use super::fleet::Region;
use super::lines::Lines;
use super::moored::Moored;
use super::quarantine::Quarantine;
use super::store::Table;
use super::{Harbour, Moment};
use crate::atlas::{Cell, Course, Mark};
use crate::corridor::{Booking, VesselView};
use crate::sim::{Vessel, Voyage};
use crate::units::{RegionId, Tick, VesselId};
use crate::vessel::{BoatSpec, Gear, Helm, VesselState, rotation};
use crate::wire::Message;
use crate::wire::message::{ClockSetting, Epoch, VesselRecord, VesselReport};

/// Wall time between two requests to moor a vessel, which may just have changed its owner.
const MOOR_EVERY: Duration = Duration::from_millis(400);

/// How far a passage is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Stage {
    /// Waits for its region.
    Booked,
    /// Under way.
    Sailing,
    /// Passed the last mark at that tick.
    Arrived(Tick),
    /// Ended before that, because.
    GivenUp(String),
}

/// One passage.
pub(super) struct Passage {
    pub(super) id: VesselId,
    pub(super) name: String,
    pub(super) boat: BoatSpec,
    pub(super) crew_key: [u8; 32],
    pub(super) ticket: Vec<u8>,
    pub(super) marks: Vec<Mark>,
    pub(super) stage: Stage,
    /// Where it lies, or was last seen.
    pub(super) place: DVec2,
    pub(super) heading_rad: f64,
    pub(super) velocity_mps: DVec2,
    /// The tick of place and velocity.
    pub(super) seen: Tick,
    pub(super) epoch: Epoch,
    pub(super) group: VesselId,
    /// The region that has it in the water; none ashore.
    pub(super) owner: Option<RegionId>,
    pub(super) marks_passed: u16,
    pub(super) ground_m: f64,
    pub(super) water_m: f64,
    /// The tick at which it was first put into the water.
    pub(super) started: Option<Tick>,
    /// Ticks since then during which it was moored.
    pub(super) ashore_ticks: u64,
    /// It is out of the water with its passage unfinished, and can be resumed.
    pub(super) moored: Option<Moored>,
    /// As it came ashore before its passage was over: it is put back so.
    pub(super) record: Option<Box<VesselRecord>>,
    /// When it was last reported, or sent somewhere.
    pub(super) heard: Instant,
    pub(super) moor_asked: Option<Instant>,
    /// It was sent to its owner and has not been reported from there.
    pub(super) unconfirmed: bool,
    /// It has never been reported by any region.
    pub(super) never_reported: bool,
    /// Since when it has been on its way between two regions, as the roll says.
    pub(super) passing: Option<Instant>,
    /// What was wrong with the region that had it.
    pub(super) why_adrift: Option<String>,
    /// Whether its region says that another one follows it.
    pub(super) guarded: bool,
    /// As its region last showed it, in case that region and its guard end together.
    pub(super) checkpoint: Option<Box<VesselRecord>>,
    /// Regions that it brought down.
    pub(super) strikes: u32,
    /// It brought the last one down, and must not sail on among others.
    pub(super) suspect: bool,
    pub(super) quarantine: Option<Quarantine>,
}

/// A passage as it is kept on disk.
#[derive(Serialize, Deserialize)]
pub(super) struct PassageRow {
    name: String,
    boat: BoatSpec,
    crew_key: [u8; 32],
    ticket: Vec<u8>,
    marks: Vec<Mark>,
    stage: Stage,
    place: DVec2,
    heading_rad: f64,
    epoch: Epoch,
    owner: Option<RegionId>,
    marks_passed: u16,
    ground_m: f64,
    water_m: f64,
    started: Option<Tick>,
    #[serde(default)]
    ashore_ticks: u64,
    record: Option<Box<VesselRecord>>,
    never_reported: bool,
    strikes: u32,
}

impl Passage {
    /// A passage that waits at its berth.
    #[expect(clippy::too_many_arguments, reason = "one for each part of a booking")]
    pub(super) fn booked(
        id: VesselId,
        name: String,
        boat: BoatSpec,
        crew_key: [u8; 32],
        ticket: Vec<u8>,
        course: &Course,
        place: DVec2,
        moment: Moment,
    ) -> Self {
        Self {
            id,
            name,
            boat,
            crew_key,
            ticket,
            marks: course.marks.clone(),
            stage: Stage::Booked,
            place,
            heading_rad: course.start_line.heading_rad,
            velocity_mps: DVec2::ZERO,
            seen: Tick(0),
            epoch: Epoch::default(),
            group: id,
            owner: None,
            marks_passed: 0,
            ground_m: 0.0,
            water_m: 0.0,
            started: None,
            ashore_ticks: 0,
            moored: None,
            record: None,
            heard: moment.instant,
            moor_asked: None,
            unconfirmed: false,
            never_reported: true,
            passing: None,
            why_adrift: None,
            guarded: false,
            checkpoint: None,
            strikes: 0,
            suspect: false,
            quarantine: None,
        }
    }

    /// As it was kept on disk.
    pub(super) fn kept(id: VesselId, row: PassageRow, moment: Moment) -> Self {
        Self {
            id,
            name: row.name,
            boat: row.boat,
            crew_key: row.crew_key,
            ticket: row.ticket,
            marks: row.marks,
            stage: row.stage,
            place: row.place,
            heading_rad: row.heading_rad,
            velocity_mps: DVec2::ZERO,
            seen: Tick(0),
            epoch: row.epoch,
            group: id,
            owner: row.owner,
            marks_passed: row.marks_passed,
            ground_m: row.ground_m,
            water_m: row.water_m,
            started: row.started,
            ashore_ticks: row.ashore_ticks,
            moored: None,
            record: row.record,
            heard: moment.instant,
            moor_asked: None,
            unconfirmed: false,
            never_reported: row.never_reported,
            passing: None,
            why_adrift: None,
            guarded: false,
            checkpoint: None,
            strikes: row.strikes,
            suspect: false,
            quarantine: None,
        }
    }

    /// As it is kept on disk.
    pub(super) fn row(&self) -> PassageRow {
        PassageRow {
            name: self.name.clone(),
            boat: self.boat.clone(),
            crew_key: self.crew_key,
            ticket: self.ticket.clone(),
            marks: self.marks.clone(),
            stage: self.stage.clone(),
            place: self.place,
            heading_rad: self.heading_rad,
            epoch: self.epoch,
            owner: self.owner,
            marks_passed: self.marks_passed,
            ground_m: self.ground_m,
            water_m: self.water_m,
            started: self.started,
            ashore_ticks: self.ashore_ticks,
            record: self.record.clone(),
            never_reported: self.never_reported,
            strikes: self.strikes,
        }
    }

    /// Whether some region has it in the water, or had.
    pub(super) const fn is_afloat(&self) -> bool {
        self.owner.is_some()
    }

    /// As the plan sees it, while it is in the water.
    pub(super) fn view(&self) -> Option<VesselView> {
        if self.quarantine.is_some() {
            return None;
        }
        Some(VesselView {
            id: self.id,
            group: self.group,
            tick: self.seen,
            place: self.place,
            velocity_mps: self.velocity_mps,
            owner: self.owner?,
            marks_ahead: self.marks.iter().skip(usize::from(self.marks_passed)).cloned().collect(),
        })
    }

    /// As the plan sees it, while it waits.
    pub(super) fn booking(&self, clock: ClockSetting, moment: Moment) -> Option<Booking> {
        (self.stage == Stage::Booked).then(|| Booking { place: self.place, at: clock.due(moment.unix_ns) })
    }

    /// Along the marks to the last one, metres.
    pub(super) fn to_go_m(&self) -> f64 {
        if matches!(self.stage, Stage::Arrived(_)) {
            return 0.0;
        }
        let ahead = self.marks.iter().skip(usize::from(self.marks_passed));
        let (way_m, _) = ahead.fold((0.0, self.place), |(way_m, from), mark| {
            (way_m + (mark.place - from).length(), mark.place)
        });
        way_m
    }

    /// Course time under way until a tick, seconds.
    pub(super) fn sailed_s(&self, until: Tick) -> f64 {
        let ticks = self.started.map_or(0, |start| until.since(start));
        Tick(ticks.saturating_sub(self.ashore_ticks)).seconds()
    }

    /// Whether it waits for its region.
    pub(super) fn is_waiting(&self) -> bool {
        self.stage == Stage::Booked || matches!(self.quarantine, Some(Quarantine::Starting(..)))
    }

    /// Whether it takes part no longer, though it may still be in the water.
    pub(super) fn is_over(&self) -> bool {
        matches!(self.stage, Stage::Arrived(_) | Stage::GivenUp(_))
    }

    /// Whether it takes up room.
    pub(super) fn takes_room(&self) -> bool {
        !self.is_over() || self.owner.is_some()
    }

    /// Takes in what a region reports of it; an older owner's word changes nothing.
    pub(super) fn heard(&mut self, region: RegionId, tick: Tick, report: &VesselReport, moment: Moment) {
        let stale = report.epoch < self.epoch || (report.epoch == self.epoch && tick < self.seen);
        // Moored or never launched: what still reports it has not heard of that yet.
        if stale || self.owner.is_none() {
            return;
        }
        self.owner = Some(region);
        self.unconfirmed = false;
        self.never_reported = false;
        self.passing = None;
        self.guarded = report.guarded;
        self.heard = moment.instant;
        self.epoch = report.epoch;
        self.seen = tick;
        self.group = report.group;
        self.place = report.place;
        self.velocity_mps = report.velocity_mps;
        self.marks_passed = report.marks_passed;
        self.ground_m = report.ground_m;
        self.water_m = report.water_m;
        if let Some(finished) = report.finished
            && self.stage == Stage::Sailing
        {
            self.stage = Stage::Arrived(finished);
        }
    }

    /// The epoch under which somebody sails it on: above its own, and above one that was seen.
    pub(super) fn raise_term(&mut self, seen: Epoch) -> Epoch {
        self.epoch = self.epoch.max(seen).next_term();
        self.epoch
    }

    /// It was sent to a region, which has not reported it yet.
    pub(super) fn sent_to(&mut self, region: RegionId, moment: Moment) {
        self.owner = Some(region);
        self.unconfirmed = true;
        self.heard = moment.instant;
    }

    /// It is out of the water, as a record has it.
    pub(super) fn come_ashore(&mut self, record: &VesselRecord, moment: Moment) {
        self.owner = None;
        self.unconfirmed = false;
        self.passing = None;
        self.quarantine = None;
        self.heard = moment.instant;
        self.epoch = self.epoch.max(record.epoch);
        self.seen = record.tick;
        self.place = record.vessel.state.position_m.truncate();
        self.velocity_mps = DVec2::ZERO;
        self.group = self.id;
        self.marks_passed = record.vessel.voyage.passed;
        self.ground_m = record.vessel.voyage.ground_m;
        self.water_m = record.vessel.voyage.water_m;
    }

    /// It waits for a region again, to go on as a record has it, under a new term.
    pub(super) fn put_back(&mut self, mut record: Box<VesselRecord>, moment: Moment) {
        self.come_ashore(&record, moment);
        record.epoch = self.raise_term(record.epoch);
        self.record = Some(record);
        self.stage = Stage::Booked;
    }

    fn record(&self, tick: Tick) -> VesselRecord {
        if let Some(record) = &self.record {
            return (**record).clone();
        }
        VesselRecord {
            vessel: Vessel {
                id: self.id,
                boat: self.boat.clone(),
                state: at_rest(self.place, self.heading_rad),
                voyage: Voyage { marks: self.marks.clone(), ..Voyage::default() },
                trail: Vec::new(),
                company: Vec::new(),
            },
            tick,
            epoch: self.epoch,
            crew_key: self.crew_key,
            sessions: 0,
            guard: None,
        }
    }
}

impl<E: Engine, L: Lines> Harbour<E, L> {
    /// Launches who waits, follows who sails, brings ashore who is done.
    pub(super) fn watch_passages(&mut self, moment: Moment) {
        self.launch_booked(moment);
        let now_tick = self.clock.due(moment.unix_ns);
        let limit_s = self.config.course.time_limit_s;
        let (mut moor, mut given_up) = (Vec::new(), Vec::new());
        for passage in self.passages.values_mut() {
            if passage.stage == Stage::Sailing && passage.sailed_s(now_tick) > limit_s {
                passage.stage = Stage::GivenUp(format!("over the course's time limit of {limit_s:.0} s"));
            }
            // It was under way once, and waited for a region to go on.
            if let Some(record) = passage.record.take_if(|_| matches!(passage.stage, Stage::GivenUp(_))) {
                given_up.push((passage.id, record));
            }
            let asked_lately = passage
                .moor_asked
                .is_some_and(|asked| moment.instant.saturating_duration_since(asked) < MOOR_EVERY);
            if let Some(owner) = passage.owner
                && passage.is_over()
                && !asked_lately
            {
                passage.moor_asked = Some(moment.instant);
                moor.push((owner, passage.id));
            }
        }
        for (owner, vessel) in moor {
            self.lines.send(owner, Message::Moor(vessel));
        }
        for (vessel, record) in given_up {
            self.moor_given_up(vessel, *record);
        }
        self.keep_changed();
    }

    /// Writes down the stages that changed since the last step.
    fn keep_changed(&mut self) {
        let changed: Vec<VesselId> = self
            .passages
            .values()
            .filter(|passage| self.kept_stages.get(&passage.id) != Some(&passage.stage))
            .map(|passage| passage.id)
            .collect();
        for id in changed {
            self.keep_passage(id);
        }
    }

    /// Writes a passage down.
    pub(super) fn keep_passage(&mut self, id: VesselId) {
        let Some(passage) = self.passages.get(&id) else { return };
        let (row, stage) = (passage.row(), passage.stage.clone());
        self.kept_stages.insert(id, stage);
        self.keep(|store| store.put(Table::Passages, id.0, &row));
    }

    /// Puts each vessel that waits into the water, where a region is there for it.
    fn launch_booked(&mut self, moment: Moment) {
        let tick = self.clock.due(moment.unix_ns);
        let mut launches = Vec::new();
        for passage in self.passages.values_mut().filter(|passage| passage.stage == Stage::Booked) {
            let cell = Cell::of(passage.place, self.config.course.cell_m);
            let serves = |region: &Region| region.takes_vessels() && !region.quarantine;
            let own = self.regions.iter().find(|(_, region)| serves(region) && region.spec.cell == cell);
            // One that was under way takes any: whoever has it hands it on.
            let any = self.regions.iter().find(|(_, region)| serves(region) && passage.record.is_some());
            let Some((&id, _)) = own.or(any) else { continue };
            let new = passage.record.is_none();
            let record = Box::new(passage.record(tick));
            passage.record = None;
            passage.stage = Stage::Sailing;
            passage.sent_to(id, moment);
            passage.started = passage.started.or(Some(tick));
            passage.seen = tick;
            passage.moor_asked = None;
            launches.push((passage.id, id, Message::Launch { record, new }));
        }
        for (vessel, region, message) in launches {
            // On disk first: a harbour that comes back must not launch it a second time.
            self.keep_passage(vessel);
            self.lines.send(region, message);
        }
    }

    /// A vessel came ashore: because it was asked to, or because its region could not keep it.
    pub(super) fn on_moored(&mut self, region: RegionId, record: Box<VesselRecord>, moment: Moment) {
        let Some(passage) = self.passages.get_mut(&record.vessel.id) else { return };
        if record.epoch < passage.epoch {
            return;
        }
        let alone = passage.quarantine.is_some();
        passage.come_ashore(&record, moment);
        let (id, name) = (passage.id, passage.name.clone());
        if passage.stage == Stage::Sailing
            && let Some(finished) = record.vessel.voyage.finished
        {
            passage.stage = Stage::Arrived(finished);
        }
        match passage.stage {
            Stage::GivenUp(_) => return self.moor_given_up(id, *record),
            Stage::Arrived(_) if alone => return self.forget_kept(id),
            Stage::Arrived(_) | Stage::Booked => return,
            Stage::Sailing => {}
        }
        // Nobody took it when its region stopped: it goes on where it is.
        if alone {
            passage.raise_term(record.epoch);
            let kept = self.kept("its own region stopped".to_owned(), *record, Vec::new());
            self.set_apart(id, kept, moment);
        } else {
            passage.put_back(record, moment);
            self.keep_passage(id);
        }
        self.trouble(format!("region {} moored {name}, which was sailing; it is launched again", region.0));
    }

    /// The vessels of a region that is gone: the roll tells who has them, or sails them on.
    pub(super) fn set_adrift(&mut self, region: RegionId, why: &str) {
        for passage in self.passages.values_mut().filter(|passage| passage.owner == Some(region)) {
            passage.why_adrift = Some(why.to_owned());
        }
    }

    /// Gives up who waits in a cell that gets no region.
    pub(super) fn give_up_booked_in(&mut self, cell: Cell, why: &str) {
        let cell_m = self.config.course.cell_m;
        for passage in self.passages.values_mut() {
            if passage.stage == Stage::Booked && Cell::of(passage.place, cell_m) == cell {
                passage.stage = Stage::GivenUp(format!("no region for its place: {why}"));
            }
        }
    }
}

/// A state of which only place and heading count.
fn at_rest(place: DVec2, heading_rad: f64) -> VesselState {
    let helm = Helm::default();
    VesselState {
        position_m: DVec3::new(place.x, place.y, 0.0),
        attitude: rotation::upright(heading_rad),
        velocity_mps: DVec3::ZERO,
        spin_radps: DVec3::ZERO,
        helm,
        gear: Gear {
            rudder_rad: helm.rudder_rad,
            sheet: helm.sheet,
            reef: helm.reef,
            flat: helm.flat,
            spinnaker: 0.0,
            throttle: helm.throttle,
            crew: 0.0,
        },
        session: 0,
        seq: 0,
    }
}
