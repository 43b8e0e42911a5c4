//! Ticks, ids and the conversions between SI inside and knots, degrees and miles at the edge.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// Ticks a second; Second Life's own simulator rate.
pub const TICK_HZ: u64 = 45;
/// Seconds of course time in one tick.
pub const TICK_S: f64 = 1.0 / 45.0;
/// Standard gravity, m/s² (CGPM 1901 rounds to 9.80665).
pub const GRAVITY_MPS2: f64 = 9.806_65;
/// Sea water at 15 °C and 35 g/kg, kg/m³ (ITTC 7.5-02-01-03).
pub const WATER_KG_M3: f64 = 1025.0;
/// Air at 15 °C at sea level, kg/m³ (ISO 2533).
pub const AIR_KG_M3: f64 = 1.225;
/// One international knot in m/s.
pub const KNOT_MPS: f64 = 1852.0 / 3600.0;
/// One international nautical mile in metres.
pub const NAUTICAL_MILE_M: f64 = 1852.0;
/// One international foot in metres.
pub const FOOT_M: f64 = 0.3048;

/// A point in course time, counted in ticks from the course's epoch.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Tick(pub u64);

impl Tick {
    /// Seconds of course time since the course's epoch.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "2^53 ticks are six million years")]
    pub fn seconds(self) -> f64 {
        self.0 as f64 * TICK_S
    }

    /// The tick that many ticks later; saturates at the end of time.
    #[must_use]
    pub const fn after(self, ticks: u64) -> Self {
        Self(self.0.saturating_add(ticks))
    }

    /// The tick that many ticks earlier, or the first.
    #[must_use]
    pub const fn before(self, ticks: u64) -> Self {
        Self(self.0.saturating_sub(ticks))
    }

    /// Ticks from `earlier` to this one; zero when `earlier` is later.
    #[must_use]
    pub const fn since(self, earlier: Self) -> u64 {
        self.0.saturating_sub(earlier.0)
    }
}

/// A vessel's number, unique within a course for as long as its records are kept.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct VesselId(pub u32);

/// A region's number, given by the harbour; 0 where a region server runs alone.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct RegionId(pub u32);

/// Whole nanoseconds of a duration; saturates after 584 years.
#[must_use]
pub fn nanoseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

/// Knots from metres per second.
#[must_use]
pub fn knots(speed_mps: f64) -> f64 {
    speed_mps / KNOT_MPS
}

/// Metres per second from knots.
#[must_use]
pub fn from_knots(speed_kn: f64) -> f64 {
    speed_kn * KNOT_MPS
}

/// Radians from degrees.
#[must_use]
pub fn radians(angle_deg: f64) -> f64 {
    angle_deg * (std::f64::consts::PI / 180.0)
}

/// Degrees from radians.
#[must_use]
pub fn degrees(angle_rad: f64) -> f64 {
    angle_rad * (180.0 / std::f64::consts::PI)
}

/// An angle wrapped into [0, 2π).
#[must_use]
pub fn wrap_heading(angle_rad: f64) -> f64 {
    let turns = angle_rad / std::f64::consts::TAU;
    let wrapped = (turns - turns.floor()) * std::f64::consts::TAU;
    if wrapped >= std::f64::consts::TAU { 0.0 } else { wrapped }
}

/// An angle wrapped into [−π, π).
#[must_use]
pub fn wrap_angle(angle_rad: f64) -> f64 {
    let turns = angle_rad / std::f64::consts::TAU;
    (turns - (turns + 0.5).floor()) * std::f64::consts::TAU
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headings_stay_in_their_range() {
        assert!((wrap_heading(-0.1) - (std::f64::consts::TAU - 0.1)).abs() < 1e-12);
        assert!(wrap_heading(std::f64::consts::TAU) < 1e-12);
        assert!((wrap_angle(3.5) - (3.5 - std::f64::consts::TAU)).abs() < 1e-12);
    }

    #[test]
    fn forty_five_ticks_are_a_second() {
        assert!((Tick(TICK_HZ * 3600).seconds() - 3600.0).abs() < 1e-9);
    }
}
