//! How fast a region server may sail, and how it is doing.

use std::time::{Duration, Instant};

use crate::clock;
use crate::units::Tick;

/// The rate of catching up over the rate that is due; a region that is behind must not leap.
const CATCH_UP: u64 = 2;
/// Wall time over which load and dilation are measured.
const WINDOW: Duration = Duration::from_millis(500);
/// Above this load all processors sail, as far as there are more; under this work of them all together one does again,
/// in processors. Between them lies what a second one takes off the first, and what that is used for.
const BUSY: f32 = 0.7;
const CALM: f32 = 0.5;
/// Threads that sail at most: more than share one memory well.
const HANDS_MAX: usize = 8;
/// Where a vessel's tick takes more than this share of what it takes one thread, others need the processors: one thread
/// waits for nobody.
const WORTH: f64 = 0.9;
/// Windows in a row that must have said so: a processor's first is spent on its caches. One window of a single thread then
/// tells whether that is so, or there is just more to do than when there was one.
const DOUBTS: u32 = 2;
/// Wall time until more threads are tried again after that: twice as long each time that they were in vain, up to this.
const ALONE: Duration = Duration::from_secs(1);
const ALONE_MAX: Duration = Duration::from_secs(16);

/// Counts ticks against the clock.
#[derive(Debug)]
pub(super) struct Pace {
    last_due: Tick,
    window_began: Instant,
    window_due: Tick,
    window_ticks: u64,
    busy: Duration,
    hands: usize,
    /// What a tick took in the last window, and for each vessel by one thread and by more, seconds.
    tick_s: f64,
    alone_s: f64,
    shared_s: f64,
    /// Windows in a row in which more threads than one were not worth it.
    doubts: u32,
    alone: Duration,
    alone_until: Option<Instant>,
}

impl Pace {
    pub(super) fn new(due: Tick) -> Self {
        Self {
            last_due: due,
            window_began: clock::now(),
            window_due: due,
            window_ticks: 0,
            busy: Duration::ZERO,
            hands: 1,
            tick_s: 0.0,
            alone_s: 0.0,
            shared_s: 0.0,
            doubts: 0,
            alone: ALONE,
            alone_until: None,
        }
    }

    /// Ticks that may be sailed now: what fell due since the last call, twice over where there is a debt.
    pub(super) fn allowed(&mut self, due: Tick) -> u64 {
        let fresh = due.since(self.last_due);
        self.last_due = due;
        CATCH_UP * fresh + 1
    }

    /// Notes ticks that were sailed since `began`, with the tick that is due; once a window, returns the load (busy share of wall time)
    /// and the dilation (ticks sailed over ticks due, at most 1).
    #[expect(clippy::cast_precision_loss, clippy::cast_possible_truncation, reason = "ratios for people")]
    pub(super) fn sailed(&mut self, ticks: u64, due: Tick, began: Instant) -> Option<(f32, f32)> {
        let now = clock::now();
        self.busy += now.saturating_duration_since(began);
        self.window_ticks += ticks;
        let elapsed = now.saturating_duration_since(self.window_began);
        if elapsed < WINDOW {
            return None;
        }
        let expected = due.since(self.window_due).max(1);
        let load = self.busy.as_secs_f64() / elapsed.as_secs_f64();
        let dilation = (self.window_ticks as f64 / expected as f64).min(1.0);
        self.tick_s = self.busy.as_secs_f64() / self.window_ticks.max(1) as f64;
        (self.window_began, self.window_due, self.window_ticks) = (now, due, 0);
        self.busy = Duration::ZERO;
        Some((load as f32, dilation as f32))
    }

    /// How many threads should sail so many vessels after a window of such load, with so many processors to run on: one of
    /// a region that is in time, as others have a use for the rest, or that gains nothing by more, as others use them.
    #[expect(clippy::cast_precision_loss, reason = "some hundred at most")]
    pub(super) fn hands(&mut self, load: f32, vessels: usize, processors: usize, now: Instant) -> usize {
        let work = load * self.hands as f32;
        let most = processors.clamp(1, HANDS_MAX);
        let vessel_s = self.tick_s / vessels.max(1) as f64;
        if self.hands > 1 {
            let doubtful = vessel_s > WORTH * self.alone_s;
            if doubtful {
                self.doubts += 1;
            } else {
                (self.doubts, self.alone) = (0, ALONE);
            }
            self.shared_s = vessel_s;
        } else {
            if self.doubts == DOUBTS && self.shared_s > WORTH * vessel_s {
                self.alone_until = Some(now + self.alone);
                self.alone = (2 * self.alone).min(ALONE_MAX);
            }
            (self.alone_s, self.doubts) = (vessel_s, 0);
        }
        let alone = self.doubts == DOUBTS || self.alone_until.is_some_and(|until| now < until);
        if work < CALM || alone {
            self.hands = 1;
        } else if load > BUSY {
            self.hands = most;
        }
        self.hands = self.hands.min(most);
        self.hands
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn processors_are_used_while_one_is_not_enough() {
        let (mut pace, start) = (Pace::new(Tick(0)), clock::now());
        let mut hands = |load: f32, tick_s: f64, vessels: usize, processors: usize, after_s: u64| {
            pace.tick_s = tick_s;
            pace.hands(load, vessels, processors, start + Duration::from_secs(after_s))
        };
        assert_eq!(hands(0.5, 0.01, 100, 2, 0), 1, "in time");
        assert_eq!(hands(1.0, 0.02, 200, 1, 1), 1, "nothing to be had");
        assert_eq!(hands(1.0, 0.03, 300, 2, 2), 2);
        assert_eq!(hands(0.55, 0.018, 300, 2, 3), 2, "that is what the second one does");
        assert_eq!(hands(0.9, 0.03, 500, 2, 4), 2, "more vessels take more");
        assert_eq!(hands(0.55, 0.018, 300, 1, 5), 1, "taken away");
        assert_eq!(hands(1.0, 0.03, 300, 100, 6), HANDS_MAX);
        assert_eq!(hands(0.05, 0.002, 300, 100, 7), 1);
        assert_eq!(hands(1.0, 0.03, 300, 2, 8), 2);
        assert_eq!(hands(1.0, 0.03, 300, 2, 9), 2, "its first window is no measure");
        assert_eq!(hands(1.0, 0.02, 300, 2, 10), 2, "nor was it");
        assert_eq!(hands(1.0, 0.03, 300, 2, 11), 2);
        assert_eq!(hands(1.0, 0.03, 300, 2, 12), 1, "is there more to do?");
        assert_eq!(hands(1.0, 0.05, 300, 2, 13), 2, "there is");
        assert_eq!(hands(1.0, 0.05, 300, 2, 14), 2);
        assert_eq!(hands(1.0, 0.05, 300, 2, 15), 1, "is there still more?");
        assert_eq!(hands(1.0, 0.05, 300, 2, 16), 1, "no: others use the second one");
        assert_eq!(hands(1.0, 0.05, 300, 2, 17), 2, "do they?");
        assert_eq!(hands(1.0, 0.05, 300, 2, 18), 2);
        assert_eq!(hands(1.0, 0.05, 300, 2, 19), 1);
        assert_eq!(hands(1.0, 0.05, 300, 2, 20), 1, "they do");
        assert_eq!(hands(1.0, 0.05, 300, 2, 21), 1, "and are left alone for longer");
        assert_eq!(hands(1.0, 0.05, 300, 2, 22), 2);
    }
}
