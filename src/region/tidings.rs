//! What happens around a vessel: its crews are told while it changes, and the console names it once.

use std::collections::{BTreeMap, VecDeque};

use glam::DVec2;

use super::Region;
use crate::atlas::Area;
use crate::events::{self, Event, SIGHT_M, WARNING_TICKS};
use crate::limits::{EVENTS_TOLD, NOTES};
use crate::units::{TICK_HZ, Tick, VesselId};
use crate::wire::circuit::{CircuitId, Way};
use crate::wire::message::Message;

/// Ticks between two looks around: two seconds, in which a squall comes 20 m nearer.
const LOOK_TICKS: u64 = 2 * TICK_HZ;
/// Ticks for which what may happen here is looked up at once: a minute.
const OUTLOOK_TICKS: u64 = 60 * TICK_HZ;

/// What happens around a region, and what its crews know of it.
#[derive(Debug, Default)]
pub(super) struct Tidings {
    /// The minute and the ground that the outlook is of.
    of: Option<(u64, Area)>,
    outlook: Vec<Event>,
    /// What each vessel's crews were told last.
    told: BTreeMap<VesselId, Vec<u64>>,
    notes: VecDeque<String>,
}

impl Tidings {
    /// Has a vessel's crews be told again: somebody came aboard.
    pub(super) fn forget(&mut self, vessel: VesselId) {
        self.told.remove(&vessel);
    }

    pub(super) fn poll_note(&mut self) -> Option<String> {
        self.notes.pop_front()
    }

    pub(super) fn note(&mut self, line: String) {
        // Whoever runs the region reads them at every turn; who does not, loses nothing that matters.
        if self.notes.len() < NOTES {
            self.notes.push_back(line);
        }
    }
}

impl Region {
    /// Looks around every vessel, tells its crews what has changed, and notes what has begun.
    pub(super) fn tell_events(&mut self, tick: Tick) {
        if !tick.0.is_multiple_of(LOOK_TICKS) || self.owned.is_empty() {
            return;
        }
        self.look_out(tick);
        let strokes = events::strokes(&self.sea, tick, tick.after(LOOK_TICKS));
        let vessels: Vec<(VesselId, DVec2, DVec2)> = self
            .owned
            .keys()
            .filter_map(|&id| {
                let state = self.sim.state(id)?;
                Some((id, state.position_m.truncate(), state.velocity_mps.truncate()))
            })
            .collect();
        for (vessel, place, velocity_mps) in vessels {
            #[expect(clippy::cast_precision_loss, reason = "two seconds of ticks")]
            let before = place - velocity_mps * (LOOK_TICKS as f64 / TICK_HZ as f64);
            self.note_begun(vessel, [before, place], tick);
            let mut near: Vec<Event> = self
                .tidings
                .outlook
                .iter()
                .chain(&strokes)
                .filter(|event| event.is_told(place, tick))
                .copied()
                .collect();
            let distance_m = |event: &Event| event.distance_m(place, tick);
            near.sort_by(|a, b| distance_m(a).total_cmp(&distance_m(b)).then(a.id.cmp(&b.id)));
            near.truncate(EVENTS_TOLD);
            self.tell(vessel, near);
        }
        let owned = &self.owned;
        self.tidings.told.retain(|vessel, _| owned.contains_key(vessel));
    }

    /// Looks up what may happen around here in the next minute, or is announced in it.
    fn look_out(&mut self, tick: Tick) {
        let minute = tick.0 / OUTLOOK_TICKS;
        let area = self.config.area;
        if self.tidings.of == Some((minute, area)) {
            return;
        }
        let (from, until) =
            (Tick(minute * OUTLOOK_TICKS), Tick((minute + 1) * OUTLOOK_TICKS + WARNING_TICKS));
        // A vessel may be a cell beyond the ground of its owner.
        let reach_m = SIGHT_M + self.sea.course().cell_m;
        self.tidings.outlook = events::within(&self.sea, area.grown(reach_m), from, until);
        self.tidings.of = Some((minute, area));
    }

    /// Notes every event that acts on a vessel and did not where it was at the last look.
    fn note_begun(&mut self, vessel: VesselId, [before, place]: [DVec2; 2], tick: Tick) {
        let earlier = Tick(tick.0.saturating_sub(LOOK_TICKS));
        let begun = |event: &&Event| event.acts_at(place, tick) && !event.acts_at(before, earlier);
        let lines: Vec<String> = self
            .tidings
            .outlook
            .iter()
            .filter(begun)
            .map(|event| {
                let (what, strength) = (event.what.name(), event.strength_text());
                format!("tick {}: vessel {} meets {what}: {strength}", tick.0, vessel.0)
            })
            .collect();
        lines.into_iter().for_each(|line| self.tidings.note(line));
    }

    /// Tells a vessel's crews what happens around it, if they do not know.
    fn tell(&mut self, vessel: VesselId, near: Vec<Event>) {
        let ids: Vec<u64> = {
            let mut ids: Vec<u64> = near.iter().map(|event| event.id).collect();
            ids.sort_unstable();
            ids
        };
        let known = self.tidings.told.get(&vessel);
        // Who was told nothing knows that nothing happens.
        if known.map_or(ids.is_empty(), |known| *known == ids) {
            return;
        }
        let crews: Vec<CircuitId> = self
            .clients
            .iter()
            .filter(|(_, client)| client.vessel() == vessel && client.is_aboard())
            .map(|(&circuit, _)| circuit)
            .collect();
        for circuit in crews {
            self.send(circuit, None, Message::Events { vessel, events: near.clone() }, Way::Stream);
        }
        self.tidings.told.insert(vessel, ids);
    }
}
