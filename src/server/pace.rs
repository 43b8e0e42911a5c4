//! How fast a region server may sail, and how it is doing.

use std::time::{Duration, Instant};

use crate::clock;
use crate::units::Tick;

/// The rate of catching up over the rate that is due; a region that is behind must not leap.
const CATCH_UP: u64 = 2;
/// Wall time over which load and dilation are measured.
const WINDOW: Duration = Duration::from_secs(1);

/// Counts ticks against the clock.
#[derive(Debug)]
pub(super) struct Pace {
    last_due: Tick,
    window_began: Instant,
    window_due: Tick,
    window_ticks: u64,
    busy: Duration,
}

impl Pace {
    pub(super) fn new(due: Tick) -> Self {
        Self {
            last_due: due,
            window_began: clock::now(),
            window_due: due,
            window_ticks: 0,
            busy: Duration::ZERO,
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
}
