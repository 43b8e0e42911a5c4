//! What each region server has of its host: one processor, more while it cannot keep up, and one again when it is calm;
//! memory for all vessels that are booked, as they may come together, and less again when fewer are.

use std::time::{Duration, Instant};

use super::engine::Engine;
use super::lines::Lines;
use super::{Harbour, Moment};

/// Above this busy share of time, or below this share of the ticks that are due, a region is given another processor.
const BUSY: f32 = 0.85;
const LATE: f32 = 0.95;
/// Below this busy share all but one are taken back.
const CALM: f32 = 0.2;
/// For so long: a report in between does not make a region busy, and what is given is not taken back at once.
const BUSY_FOR: Duration = Duration::from_millis(500);
const CALM_FOR: Duration = Duration::from_secs(30);

/// The processors and the memory that one region server was given.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Size {
    more: u32,
    busy: Option<Instant>,
    calm: Option<Instant>,
    /// Vessels for which memory was asked, and since when fewer are booked.
    vessels: usize,
    spare: Option<Instant>,
}

/// Whether something is so, and has been since so long.
fn lasts(since: &mut Option<Instant>, is: bool, time: Duration, now: Instant) -> bool {
    *since = is.then(|| since.unwrap_or(now));
    since.is_some_and(|since| now.saturating_duration_since(since) >= time)
}

impl Size {
    /// Looks at a region's last report; a number of processors where it should have another one than it has.
    fn look(&mut self, load: f32, dilation: f32, most: u32, now: Instant) -> Option<u32> {
        let busy = lasts(&mut self.busy, load > BUSY || dilation < LATE, BUSY_FOR, now);
        let calm = lasts(&mut self.calm, load < CALM && dilation >= LATE, CALM_FOR, now);
        let more = match (busy, calm) {
            (true, _) => (self.more + 1).min(most.saturating_sub(1)),
            (_, true) => 0,
            _ => self.more,
        };
        if more == self.more {
            return None;
        }
        *self = Self { more, busy: None, calm: None, ..*self };
        Some(1 + more)
    }

    /// Vessels that it should have memory for from now on, where that is another number than before. What somebody
    /// else gave it is left alone.
    fn room(&mut self, carries: usize, booked: usize, now: Instant) -> Option<usize> {
        let lacks = carries < booked && self.vessels < booked;
        let spare = lasts(&mut self.spare, booked < self.vessels, CALM_FOR, now);
        if !lacks && !spare {
            return None;
        }
        (self.vessels, self.spare) = (booked, None);
        Some(booked)
    }
}

impl<E: Engine, L: Lines> Harbour<E, L> {
    /// Gives processors to regions that are late, and takes them back from those that are calm; and memory to those that
    /// could not carry all that is booked, until less is.
    pub(super) fn size_regions(&mut self, moment: Moment) {
        let most = self.engine.processors_max();
        let booked = self.vessels_booked();
        for (&id, entry) in &mut self.regions {
            if !entry.was_reached() || entry.fault.is_some() {
                continue;
            }
            if let Some(processors) = entry.size.look(entry.load, entry.dilation, most, moment.instant) {
                self.engine.set_processors(id, processors);
            }
            let carries = entry.carries.unwrap_or(usize::MAX);
            if let Some(vessels) = entry.size.room(carries, booked, moment.instant) {
                self.engine.make_room(id, vessels);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn late_regions_get_processors_until_they_are_calm() {
        let start = crate::clock::now();
        let at = |seconds: f64| start + Duration::from_secs_f64(seconds);
        let mut size = Size::default();
        assert_eq!(size.look(1.0, 0.7, 3, at(0.0)), None, "for a moment");
        assert_eq!(size.look(0.5, 1.0, 3, at(0.4)), None);
        assert_eq!(size.look(1.0, 0.7, 3, at(0.6)), None, "for another");
        assert_eq!(size.look(1.0, 0.7, 3, at(1.2)), Some(2));
        assert_eq!(size.look(0.9, 1.0, 3, at(1.3)), None);
        assert_eq!(size.look(0.9, 1.0, 3, at(1.9)), Some(3));
        assert_eq!(size.look(0.9, 1.0, 3, at(5.0)), None);
        assert_eq!(size.look(0.9, 1.0, 3, at(9.0)), None, "there are no more");
        assert_eq!(size.look(0.1, 1.0, 3, at(10.0)), None);
        assert_eq!(size.look(0.1, 1.0, 3, at(41.0)), Some(1));
    }
    #[test]
    fn memory_follows_what_is_booked() {
        let start = crate::clock::now();
        let at = |seconds: f64| start + Duration::from_secs_f64(seconds);
        let mut size = Size::default();
        assert_eq!(size.room(40, 30, at(0.0)), None, "it has enough");
        assert_eq!(size.room(40, 50, at(1.0)), Some(50));
        assert_eq!(size.room(40, 50, at(2.0)), None, "it has been asked for");
        assert_eq!(size.room(55, 10, at(3.0)), None, "for a moment");
        assert_eq!(size.room(55, 52, at(20.0)), None);
        assert_eq!(size.room(55, 10, at(30.0)), None);
        assert_eq!(size.room(55, 10, at(59.0)), None);
        assert_eq!(size.room(55, 10, at(61.0)), Some(10));
        assert_eq!(size.room(40, 10, at(99.0)), None);
        assert_eq!(size.room(40, 50, at(100.0)), Some(50), "and again");
    }
}
