//! The one place that reads the time.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use crate::units::{TICK_HZ, Tick, nanoseconds};
use crate::wire::message::ClockSetting;

/// Longest wait that is told, seconds: three hundred years; a `Duration` ends soon after ticks do.
const WAIT_S_MAX: f64 = 1e10;

/// A monotonic moment, for timers.
#[must_use]
#[expect(clippy::disallowed_methods, reason = "this is clock.rs")]
pub fn now() -> Instant {
    Instant::now()
}

/// Wall time, nanoseconds since the Unix epoch.
#[must_use]
#[expect(clippy::disallowed_methods, reason = "this is clock.rs")]
pub fn unix_ns() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, nanoseconds)
}

/// The boot clock, nanoseconds: nobody sets it, and it goes on while the host sleeps or a guest is saved.
#[must_use]
pub fn boot_ns() -> u64 {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::Boottime);
    let whole_s = u64::try_from(time.tv_sec).unwrap_or(0);
    whole_s.saturating_mul(1_000_000_000).saturating_add(u64::try_from(time.tv_nsec).unwrap_or(0))
}

/// Wall time, whole seconds since the Unix epoch.
#[must_use]
pub fn unix_s() -> u64 {
    unix_ns() / 1_000_000_000
}

/// Turns wall time into ticks of a course.
#[derive(Clone, Copy, Debug)]
pub struct CourseClock {
    setting: ClockSetting,
}

impl CourseClock {
    /// A clock that shows what the setting says.
    #[must_use]
    pub const fn new(setting: ClockSetting) -> Self {
        Self { setting }
    }

    /// What it was set to.
    #[must_use]
    pub const fn setting(&self) -> ClockSetting {
        self.setting
    }

    /// Ticks in one second of wall time.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "45")]
    pub fn ticks_per_second(&self) -> f64 {
        TICK_HZ as f64 * self.setting.warp
    }

    /// The tick that is due at a wall time; the setting's own tick before it.
    #[must_use]
    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a run of a century has 2^48 ticks at warp 1000"
    )]
    pub fn due(&self, unix_ns: u64) -> Tick {
        let elapsed_s = unix_ns.saturating_sub(self.setting.unix_ns) as f64 * 1e-9;
        self.setting.tick.after((elapsed_s * self.ticks_per_second()) as u64)
    }

    /// How long from a wall time until a tick is due; zero when it is.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "see due")]
    pub fn until(&self, tick: Tick, unix_ns: u64) -> Duration {
        let due_s = tick.since(self.setting.tick) as f64 / self.ticks_per_second();
        let elapsed_s = if unix_ns >= self.setting.unix_ns {
            (unix_ns - self.setting.unix_ns) as f64 * 1e-9
        } else {
            -((self.setting.unix_ns - unix_ns) as f64 * 1e-9)
        };
        Duration::from_secs_f64((due_s - elapsed_s).clamp(0.0, WAIT_S_MAX))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clock_shows_ticks_at_its_warp() {
        let clock = CourseClock::new(ClockSetting { tick: Tick(1000), unix_ns: 5_000_000_000, warp: 30.0 });
        assert_eq!(clock.due(4_000_000_000), Tick(1000));
        assert_eq!(clock.due(6_000_000_000), Tick(1000 + 45 * 30));
        let wait = clock.until(Tick(1000 + 1350), 5_500_000_000);
        assert!((wait.as_secs_f64() - 0.5).abs() < 1e-9);
        assert_eq!(clock.until(Tick(1000), 6_000_000_000), Duration::ZERO);
    }
}
