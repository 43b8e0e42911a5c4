//! The one place that reads the time.

use std::time::{Instant, SystemTime, UNIX_EPOCH};

use crate::units::nanoseconds;

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
