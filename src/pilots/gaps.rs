//! How long a crew stares at a frozen sea: the longest pause around each handoff, and away from any.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// Half of the window around a handoff.
const HALF_WINDOW: Duration = Duration::from_secs(1);
/// Distance of a control window from any handoff.
const APART: Duration = Duration::from_secs(3);
/// Arrivals kept: enough for windows and distances on both sides at 45 a second, and for bursts.
const ARRIVALS: usize = 1_024;
/// Handoffs waiting for their windows to end; at warp 100 one comes each second.
const PENDING: usize = 16;
/// Figures kept of each kind: a handoff a minute for a week.
const FIGURES: usize = 10_000;

/// One state as it came in.
#[derive(Clone, Copy, Debug)]
struct Arrival {
    at: Instant,
    tick: u64,
}

/// What the pauses were.
#[derive(Clone, Debug, Default)]
pub(super) struct Gaps {
    /// Longest pause around each handoff beyond one state interval, milliseconds.
    pub gap_ms: Vec<f64>,
    /// The same over windows away from handoffs.
    pub control_ms: Vec<f64>,
    /// Ticks that came in no state around each handoff, beyond the usual stride.
    pub missed_ticks: Vec<u64>,
    arrivals: VecDeque<Arrival>,
    pending: VecDeque<Instant>,
    /// Latest handoffs, kept until no control window can be near them.
    recent: VecDeque<Instant>,
    next_control: Option<Instant>,
    tick_ns: f64,
}

impl Gaps {
    /// Sets the wall time of one tick from the course's warp.
    pub(super) fn set_warp(&mut self, warp: f64) {
        self.tick_ns = crate::units::TICK_S * 1e9 / warp.max(1e-3);
    }

    /// Notes a state that was accepted; `handoff` when it is the first of a new epoch.
    pub(super) fn arrive(&mut self, at: Instant, tick: u64, handoff: bool) {
        if self.arrivals.len() == ARRIVALS {
            self.arrivals.pop_front();
        }
        self.arrivals.push_back(Arrival { at, tick });
        if handoff {
            if self.pending.len() < PENDING {
                self.pending.push_back(at);
            }
            if self.recent.len() == 2 * PENDING {
                self.recent.pop_front();
            }
            self.recent.push_back(at);
        }
        self.settle(at);
    }

    /// Closes the windows that ended before `now`.
    fn settle(&mut self, now: Instant) {
        while let Some(&middle) = self.pending.front()
            && now > middle + HALF_WINDOW
        {
            self.pending.pop_front();
            let from = middle.checked_sub(HALF_WINDOW).unwrap_or(middle);
            if let Some((pause_ms, missed)) = self.longest(from, middle + HALF_WINDOW)
                && self.gap_ms.len() < FIGURES
            {
                self.gap_ms.push(pause_ms);
                self.missed_ticks.push(missed);
            }
        }
        let start = *self.next_control.get_or_insert(now + APART);
        let end = start + 2 * HALF_WINDOW;
        if now > end + APART {
            let near = |handoff: &Instant| *handoff + APART > start && *handoff < end + APART;
            if !self.recent.iter().any(near)
                && let Some((pause_ms, _)) = self.longest(start, end)
                && self.control_ms.len() < FIGURES
            {
                self.control_ms.push(pause_ms);
            }
            self.next_control = Some(end);
        }
    }

    /// The longest pause that touches a window, beyond one state interval, in milliseconds; and the ticks
    /// that came in no state within it. `None` with fewer than three arrivals.
    fn longest(&self, from: Instant, to: Instant) -> Option<(f64, u64)> {
        let pairs = || self.arrivals.iter().zip(self.arrivals.iter().skip(1));
        let touching = || pairs().filter(|(a, b)| b.at >= from && a.at <= to);
        let mut strides: Vec<u64> = touching().map(|(a, b)| b.tick.saturating_sub(a.tick)).collect();
        if strides.len() < 2 {
            return None;
        }
        strides.sort_unstable();
        let stride = strides[strides.len() / 2].max(1);
        let longest = touching().map(|(a, b)| b.at.saturating_duration_since(a.at)).max()?;
        #[expect(clippy::cast_precision_loss, reason = "a stride is a few ticks")]
        let usual_ms = stride as f64 * self.tick_ns * 1e-6;
        let missed = strides.iter().map(|ticks| ticks.saturating_sub(stride)).sum();
        Some(((longest.as_secs_f64() * 1e3 - usual_ms).max(0.0), missed))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock;

    /// 20 s of states each 1/45 s; at 10 s a handoff with a pause before it.
    fn run(pause_ms: u64, lost_ticks: u64) -> Gaps {
        let begin = clock::now();
        let mut gaps = Gaps::default();
        gaps.set_warp(1.0);
        let mut late = Duration::ZERO;
        let mut skipped = 0;
        for n in 0..900_u64 {
            let handoff = n == 450;
            if handoff {
                late = Duration::from_millis(pause_ms);
                skipped = lost_ticks;
            }
            let at = begin + Duration::from_nanos(n * 1_000_000_000 / 45) + late;
            gaps.arrive(at, n + skipped, handoff);
        }
        gaps
    }

    #[test]
    fn pause_at_a_handoff_is_measured_and_kept_apart_from_the_control() {
        let gaps = run(180, 0);
        assert_eq!(gaps.gap_ms.len(), 1);
        assert!((gaps.gap_ms[0] - 180.0).abs() < 0.5, "{:?}", gaps.gap_ms);
        assert!(gaps.control_ms.len() >= 2, "{:?}", gaps.control_ms);
        assert!(gaps.control_ms.iter().all(|ms| *ms < 0.5), "{:?}", gaps.control_ms);
    }

    #[test]
    fn smooth_handoff_has_no_pause_and_misses_no_tick() {
        let gaps = run(0, 0);
        assert!(gaps.gap_ms[0] < 0.5 && gaps.missed_ticks[0] == 0);
        assert_eq!(run(0, 3).missed_ticks, vec![3]);
    }
}
