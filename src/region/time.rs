//! The harbour's time, as a region knows it: its own boot clock, steered to what the harbour says.
//!
//! All regions of a course share one clock, the harbour's. Every answer to a report tells it within half its round
//! trip, and all answers together within what they have in common (Marzullo 1984). A clock that is within that is left
//! alone: on the harbour's own host it is right from the start, however long answers take. A region with vessels follows by running up to 1 % faster or slower,
//! so that their ticks are never skipped or doubled; one without vessels sets its clock.

use std::collections::VecDeque;

/// Largest share by which the clock runs faster or slower to come right: one in this many.
const SLEW: u64 = 100;
/// Answers that are remembered, and for how long, nanoseconds: the crystals of two hosts part by 0.1 ms in two
/// seconds, which is less than one answer is in doubt by.
const ANSWERS: usize = 40;
const REMEMBERED_NS: u64 = 2_000_000_000;
/// Share by which two crystals part at most: one in this many, ten times what they are sold for.
const DRIFT: u64 = 1_000;
/// Round trip from which on an answer says nothing, nanoseconds.
const ROUND_TRIP_NS_MAX: u64 = 1_000_000_000;
/// A clock that is wrong by less than this is steered even where it could be set, nanoseconds.
const SET_FROM_NS: u64 = 5_000_000;

/// One answer: when it came, how long it had taken, and by how much the harbour's clock is ahead of ours.
#[derive(Clone, Copy, Debug)]
struct Answer {
    boot_ns: u64,
    round_trip_ns: u64,
    ahead_ns: i64,
}

/// The steered clock.
#[derive(Debug, Default)]
pub(super) struct Time {
    /// By how much the harbour's wall time is taken to be ahead of our boot clock.
    ahead_ns: i64,
    /// The same, as near as all answers allow.
    aim_ns: i64,
    /// When it was last steered, boot clock.
    steered_ns: u64,
    answers: VecDeque<Answer>,
}

#[expect(clippy::cast_possible_wrap, reason = "three hundred years of nanoseconds")]
const fn signed(ns: u64) -> i64 {
    ns as i64
}

impl Time {
    /// The harbour's wall time, nanoseconds since the Unix epoch. Until the harbour has said anything the
    /// host's own wall time is as good.
    pub(super) fn read(&mut self, boot_ns: u64, own_unix_ns: u64) -> u64 {
        if self.answers.is_empty() {
            self.ahead_ns = signed(own_unix_ns).saturating_sub(signed(boot_ns));
            self.aim_ns = self.ahead_ns;
        }
        let most_ns = signed(boot_ns.saturating_sub(self.steered_ns) / SLEW);
        self.steered_ns = self.steered_ns.max(boot_ns);
        self.ahead_ns += (self.aim_ns - self.ahead_ns).clamp(-most_ns, most_ns);
        boot_ns.saturating_add_signed(self.ahead_ns)
    }

    /// By how much it may be wrong, nanoseconds: as far as the harbour's clock may be from it by all answers. All there
    /// is until the harbour has answered.
    pub(super) fn doubt_ns(&self, boot_ns: u64) -> u64 {
        let Some([least, most]) = self.bounds(boot_ns) else { return u64::MAX };
        self.ahead_ns.abs_diff(least).max(self.ahead_ns.abs_diff(most))
    }

    /// Between which values the harbour's clock is ahead of ours, by all answers that are remembered; by the shortest
    /// round trip alone where they do not agree.
    fn bounds(&self, boot_ns: u64) -> Option<[i64; 2]> {
        let bounds_of = |answer: &Answer| {
            let aged_ns = boot_ns.saturating_sub(answer.boot_ns) / DRIFT;
            let wide_ns = signed(answer.round_trip_ns / 2 + aged_ns);
            [answer.ahead_ns - wide_ns, answer.ahead_ns + wide_ns]
        };
        let best = self.answers.iter().min_by_key(|answer| answer.round_trip_ns)?;
        let all = self.answers.iter().map(bounds_of);
        let [least, most] =
            all.fold([i64::MIN, i64::MAX], |[least, most], [low, high]| [least.max(low), most.min(high)]);
        Some(if least <= most { [least, most] } else { bounds_of(best) })
    }

    /// Hears the harbour's wall time in the answer to a report that left at `stamp_ns`, boot clock. Returns
    /// whether the clock was set, which it only is where it `may_set`.
    pub(super) fn hear(&mut self, stamp_ns: u64, boot_ns: u64, unix_ns: u64, may_set: bool) -> bool {
        let Some(round_trip_ns) = boot_ns.checked_sub(stamp_ns).filter(|took| *took < ROUND_TRIP_NS_MAX)
        else {
            return false;
        };
        // Half the way back.
        let ahead_ns = signed(unix_ns.saturating_add(round_trip_ns / 2)).saturating_sub(signed(boot_ns));
        self.answers.push_back(Answer { boot_ns, round_trip_ns, ahead_ns });
        while self.answers.len() > ANSWERS
            || self.answers.front().is_some_and(|old| boot_ns.saturating_sub(old.boot_ns) > REMEMBERED_NS)
        {
            self.answers.pop_front();
        }
        if let Some([least, most]) = self.bounds(boot_ns) {
            self.aim_ns = self.ahead_ns.clamp(least, most);
        }
        let set = may_set && self.aim_ns.abs_diff(self.ahead_ns) > SET_FROM_NS;
        if set {
            self.ahead_ns = self.aim_ns;
        }
        set
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const S: u64 = 1_000_000_000;
    const MS: u64 = 1_000_000;
    const NOON: u64 = 1_790_000_000 * S;

    /// A clock that is wrong at first, with answers every 50 ms that take unequal ways; its error after a time,
    /// nanoseconds, and whether its rate ever left the bound.
    fn error_after(seconds: u64, wrong_by_ns: i64, drift_ppm: i64, may_set: bool) -> (i64, bool) {
        let mut time = Time::default();
        let (mut steady, mut last) = (true, None);
        let mut error_ns = 0;
        for n in 1..seconds * 1_000 {
            let true_ns = n * MS;
            let boot_ns = (7 * S + true_ns).saturating_add_signed(signed(true_ns) / 1_000_000 * drift_ppm);
            let read = time.read(boot_ns, (NOON + true_ns).saturating_add_signed(wrong_by_ns));
            error_ns = signed(read) - signed(NOON + true_ns);
            assert!(error_ns.unsigned_abs() <= time.doubt_ns(boot_ns), "{error_ns} ns off is out of doubt");
            if n % 50 == 0 {
                // The answer took the longer the further n is from a multiple of 500.
                let back_ns = MS / 4 + n % 500 * 40_000;
                time.hear(boot_ns - back_ns - MS / 4, boot_ns, NOON + true_ns - back_ns, may_set);
            }
            if let Some((last_boot, last_read)) = last {
                let (passed, shown) = (boot_ns - last_boot, signed(read) - signed(last_read));
                steady &= (shown - signed(passed)).unsigned_abs() <= passed / SLEW;
            }
            last = Some((boot_ns, read));
        }
        (error_ns, steady)
    }

    #[test]
    fn wrong_clock_comes_right_at_one_percent_and_stays_so() {
        let (at_first, _) = error_after(1, 2_000 * signed(MS), 100, false);
        assert!(at_first > 1_900 * signed(MS), "{at_first}");
        for wrong_by_ms in [-400, 0, 400] {
            let (error_ns, steady) = error_after(60, wrong_by_ms * signed(MS), 100, false);
            assert!(steady, "{wrong_by_ms} ms: the clock leapt");
            assert!(error_ns.abs() < signed(MS), "{wrong_by_ms} ms: {error_ns} ns off in the end");
        }
    }

    #[test]
    fn idle_region_sets_its_clock_once() {
        let (error_ns, _) = error_after(2, -3_600 * signed(S), -50, true);
        assert!(error_ns.abs() < signed(MS), "{error_ns} ns");
    }

    #[test]
    fn right_clock_is_not_moved_by_answers_that_are_slow_one_way() {
        let mut time = Time::default();
        for n in 1..=40 {
            let boot_ns = 7 * S + n * 50 * MS;
            assert_eq!(time.read(boot_ns, NOON + n * 50 * MS), NOON + n * 50 * MS);
            // 400 ms there, nothing back: half of the way would be 200 ms off.
            time.hear(boot_ns - 400 * MS, boot_ns, NOON + n * 50 * MS, true);
            let doubt_ns = time.doubt_ns(boot_ns);
            assert!((400 * MS..=402 * MS).contains(&doubt_ns), "{doubt_ns}");
        }
    }

    #[test]
    fn answer_that_took_long_says_nothing() {
        let mut time = Time::default();
        assert_eq!(time.read(5 * S, NOON), NOON);
        assert!(!time.hear(3 * S, 5 * S, NOON + 9 * S, true));
        assert_eq!(time.read(5 * S, NOON), NOON);
    }
}
