//! The booking desk: who may sail, where it lies before it does, and what the course carries.

use std::collections::{BTreeMap, BTreeSet};

use super::answers::BookingRequest;
use super::berths::{Hull, berth};
use super::engine::Engine;
use super::lines::Lines;
use super::passages::Passage;
use super::store::Table;
use super::{Answer, Harbour, Moment, key_from_hex};
use crate::atlas::{Cell, Course};
use crate::limits::{PASSAGES, REGION_VESSELS};
use crate::units::VesselId;
use crate::vessel::BoatSpec;

/// Characters of a vessel's name.
const NAME_CHARS: usize = 48;
/// Reports are looked for along the way at this share of a cell.
const WAY_STEPS_PER_CELL: f64 = 4.0;
/// Steps along a course's way at most; a way of a thousand cells.
const WAY_STEPS: u32 = 4_096;

impl<E: Engine, L: Lines> Harbour<E, L> {
    /// Takes a booking: the vessel's number, or why not.
    pub(super) fn book(&mut self, booking: &BookingRequest, moment: Moment) -> Result<VesselId, Answer> {
        let course = self.config.course.clone();
        let refuse = |status, what: String| {
            Err(Answer::error(status, &format!("cannot book a passage of {}: {what}", course.name)))
        };
        if self.stopping.is_some() {
            return refuse(503, "the harbour is stopping; book when it is started again".to_owned());
        }
        if self.passages.len() >= PASSAGES && !self.forget_oldest() {
            return refuse(503, format!("all {PASSAGES} passages are under way; start another harbour"));
        }
        let Some(crew_key) = key_from_hex(&booking.key) else {
            return refuse(
                422,
                "`key` is not 64 hexadecimal digits; give the SHA-256 of the crew's public key".to_owned(),
            );
        };
        let boat = match (self.clerks.boat)(&booking.boat) {
            Ok(boat) => boat,
            Err(what) => return refuse(422, what),
        };
        if let Err(what) = self.has_room_for(&boat) {
            return refuse(409, what);
        }
        let afloat: Vec<Hull> = self
            .afloat()
            .map(|passage| Hull { place: passage.place, length_m: passage.boat.length_m })
            .collect();
        let navigable = &self.clerks.navigable;
        let Some(place) = berth(&course.start_line, boat.length_m, &afloat, |place| navigable(place, &boat))
        else {
            return refuse(
                409,
                format!(
                    "no free berth deep enough for {} is near the start line; wait until others have sailed",
                    boat.name
                ),
            );
        };
        let id = VesselId(self.next_vessel);
        let ticket = match (self.clerks.ticket)(id, crew_key) {
            Ok(ticket) => ticket,
            Err(what) => return refuse(500, what),
        };
        let name = booking.name.as_deref().map(str::trim).filter(|name| !name.is_empty());
        let name: String = name
            .map_or_else(|| format!("{} {}", boat.name, id.0), str::to_owned)
            .chars()
            .take(NAME_CHARS)
            .collect();
        let passage = Passage::booked(id, name, boat, crew_key, ticket, &course, place, moment);
        self.passages.insert(id, passage);
        self.next_vessel = self.next_vessel.saturating_add(1);
        self.keep_passage(id);
        Ok(id)
    }

    /// Whether the regions of the way carry another boat; why not, and what to do.
    pub(super) fn has_room_for(&self, boat: &BoatSpec) -> Result<(), String> {
        // All of them may come together in one region.
        let carried = self.vessels_carried();
        if self.vessels_booked() >= carried {
            let more = if carried < REGION_VESSELS { ", or give regions more memory" } else { "" };
            return Err(format!(
                "a region carries {carried} vessels, and as many are booked; wait until a passage ends{more}"
            ));
        }
        let aboard: u32 = self.afloat().map(|passage| passage.boat.prims).sum();
        let needed = aboard.saturating_add(boat.prims).saturating_add(self.course_prims);
        let carried = self.config.course.prims_per_region;
        if needed <= carried {
            return Ok(());
        }
        Err(format!(
            "a region carries {carried} prims, of which {} stand in the fullest cell of the way and {aboard} are \
             booked, and {} needs {}; wait until a passage ends, or take a smaller boat",
            self.course_prims, boat.name, boat.prims
        ))
    }

    /// Vessels that the smallest region carries, given what memory its engine can give it.
    pub(super) fn vessels_carried(&self) -> usize {
        let given = self.engine.vessels_max();
        let serving = self.regions.values().filter(|region| region.was_reached() && region.ending.is_none());
        let carried = serving.filter_map(|region| region.carries).min().unwrap_or_default();
        carried.max(given).min(REGION_VESSELS)
    }

    /// Passages whose vessels are afloat, or will be.
    fn afloat(&self) -> impl Iterator<Item = &Passage> {
        self.passages.values().filter(|passage| passage.takes_room())
    }

    /// How many those are.
    pub(super) fn vessels_booked(&self) -> usize {
        self.afloat().count()
    }

    /// Makes room in the table: the oldest passage that is over and ashore goes; one that could be resumed, only
    /// where there is no other.
    fn forget_oldest(&mut self) -> bool {
        let ashore = self.passages.values().filter(|passage| !passage.takes_room());
        let Some((_, id)) = ashore.map(|passage| (passage.moored.is_some(), passage.id)).min() else {
            return false;
        };
        self.passages.remove(&id);
        self.kept_stages.remove(&id);
        self.keep(|store| store.remove(Table::Passages, id.0));
        self.keep(|store| store.remove(Table::Checkpoints, id.0));
        self.keep(|store| store.remove(Table::Moored, id.0));
        true
    }
}

/// Prims of the course in the fullest cell that a vessel on its way may come to: those on the straight way
/// from mark to mark, and those around them.
pub(super) fn fullest_cell(course: &Course) -> u32 {
    let mut cells: BTreeSet<Cell> = BTreeSet::new();
    let mut from = (course.start_line.port + course.start_line.starboard) * 0.5;
    let mut steps_left = WAY_STEPS;
    for mark in &course.marks {
        let leg = mark.place - from;
        let step = leg.normalize_or_zero() * (course.cell_m / WAY_STEPS_PER_CELL);
        let mut place = from;
        while steps_left > 0 && (place - from).length() < leg.length() {
            cells.extend(Cell::of(place, course.cell_m).around(1));
            place += step;
            steps_left -= 1;
        }
        from = mark.place;
        cells.extend(Cell::of(from, course.cell_m).around(1));
    }
    let mut prims = BTreeMap::<Cell, u32>::new();
    for prim in &course.prims {
        let cell = Cell::of(prim.centre_m.truncate(), course.cell_m);
        if cells.contains(&cell) {
            *prims.entry(cell).or_default() += 1;
        }
    }
    prims.values().copied().max().unwrap_or(0)
}
