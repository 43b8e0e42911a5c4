//! A pilot's log: what happened around the vessel, as its regions told it, and what of that it met.

use std::collections::BTreeSet;

use glam::DVec2;

use crate::events::{Event, Kind};
use crate::limits::{EVENTS_REMEMBERED, EVENTS_TOLD};
use crate::units::Tick;

/// An event that the vessel met.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Met {
    /// The tick of the first state within it.
    pub tick: Tick,
    /// The event.
    pub event: Event,
}

/// The log of one passage.
#[derive(Clone, Debug, Default)]
pub struct Log {
    /// Events of which the pilot was told, each once.
    pub told: u32,
    /// What the vessel met of them, in order of time; the first [`EVENTS_REMEMBERED`].
    pub met: Vec<Met>,
    around: Vec<Event>,
    known: BTreeSet<u64>,
}

impl Log {
    /// Hears what happens around the vessel now.
    pub(super) fn hear(&mut self, mut events: Vec<Event>) {
        events.truncate(EVENTS_TOLD);
        for event in &events {
            // Beyond what it remembers a pilot counts no more.
            if self.known.len() < EVENTS_REMEMBERED && self.known.insert(event.id) {
                self.told += 1;
            }
        }
        self.around = events;
    }

    /// Writes down what the vessel meets at a place and tick.
    pub(super) fn look(&mut self, place: DVec2, tick: Tick) {
        for event in &self.around {
            let is_new = !self.met.iter().any(|met| met.event.id == event.id);
            if self.met.len() < EVENTS_REMEMBERED && event.acts_at(place, tick) && is_new {
                self.met.push(Met { tick, event: *event });
            }
        }
    }

    /// How many events of each kind the vessel met.
    #[must_use]
    pub fn counts(&self) -> Vec<(Kind, u32)> {
        let mut counts: Vec<(Kind, u32)> = Vec::new();
        for met in &self.met {
            match counts.iter_mut().find(|(kind, _)| *kind == met.event.what) {
                Some((_, count)) => *count += 1,
                None => counts.push((met.event.what, 1)),
            }
        }
        counts.sort_unstable();
        counts
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fog(id: u64, place: DVec2) -> Event {
        Event {
            id,
            what: Kind::Fog,
            from: Tick(100),
            until: Tick(10_000),
            place,
            velocity_mps: DVec2::ZERO,
            radius_m: 50.0,
            strength: 200.0,
            scripted: false,
        }
    }

    #[test]
    fn what_is_told_twice_is_met_once() {
        let mut log = Log::default();
        let (near, far) = (fog(1, DVec2::ZERO), fog(2, DVec2::splat(900.0)));
        log.hear(vec![near, far]);
        log.hear(vec![near]);
        log.look(DVec2::ZERO, Tick(99));
        assert!(log.met.is_empty(), "before it begins");
        for tick in [100, 101] {
            log.look(DVec2::ZERO, Tick(tick));
        }
        assert_eq!((log.told, log.met.len(), log.met[0].tick), (2, 1, Tick(100)));
        assert_eq!(log.counts(), [(Kind::Fog, 1)]);
    }

    /// A region that tells without end fills no memory.
    #[test]
    fn log_is_bounded() {
        let mut log = Log::default();
        for id in 0..10_000 {
            log.hear(vec![fog(id, DVec2::ZERO); 50]);
            log.look(DVec2::ZERO, Tick(200));
        }
        assert_eq!((log.met.len(), log.around.len()), (EVENTS_REMEMBERED, EVENTS_TOLD));
        assert_eq!(log.known.len(), EVENTS_REMEMBERED);
    }
}
