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

/// Counts ticks against the clock.
#[derive(Debug)]
pub(super) struct Pace {
    last_due: Tick,
    window_began: Instant,
    window_due: Tick,
    window_ticks: u64,
    busy: Duration,
    hands: usize,
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
        (self.window_began, self.window_due, self.window_ticks) = (now, due, 0);
        self.busy = Duration::ZERO;
        Some((load as f32, dilation as f32))
    }

    /// How many threads should sail after a window of such load, with so many processors to run on: one of a region
    /// that is in time, as others have a use for the rest.
    pub(super) fn hands(&mut self, load: f32, processors: usize) -> usize {
        #[expect(clippy::cast_precision_loss, reason = "eight at most")]
        let work = load * self.hands as f32;
        let most = processors.clamp(1, HANDS_MAX);
        if load > BUSY {
            self.hands = most;
        } else if work < CALM {
            self.hands = 1;
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
        let mut pace = Pace::new(Tick(0));
        assert_eq!(pace.hands(0.5, 2), 1, "in time");
        assert_eq!(pace.hands(1.0, 1), 1, "nothing to be had");
        assert_eq!(pace.hands(1.0, 2), 2);
        assert_eq!(pace.hands(0.55, 2), 2, "that is what the second one does");
        assert_eq!(pace.hands(0.55, 1), 1, "taken away");
        assert_eq!(pace.hands(1.0, 100), HANDS_MAX);
        assert_eq!(pace.hands(0.05, 100), 1);
    }
}
