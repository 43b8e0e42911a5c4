//! Whether a vessel that came over the wire is one that can be sailed.
//!
//! The codec has made sure that every number is finite; here they must be of this world, so that nothing
//! that a peer sends can turn into what is not a number, or past the end of an integer, later on.

use super::message::VesselRecord;
use crate::limits::{COURSE_MARKS, INPUT_TICKS};
use crate::sim::Vessel;
use crate::vessel::wake::{COMPANY_VESSELS, TRAIL_WAKES, is_company_of};

/// Farthest place from the anchor, metres: five times the reach of any course.
const REACH_M: f64 = 1e6;
/// Highest and lowest place, metres.
const HEIGHT_M: f64 = 10_000.0;
/// Fastest speed, m/s, and spin, rad/s: far more than the model allows a vessel of its own.
const MOTION_MAX: f64 = 1_000.0;
/// By how much the square of an attitude's length may differ from one.
const ATTITUDE_SLACK: f64 = 1e-3;
/// Longest distance sailed, metres: from here to the moon and back, a thousand times.
const SAILED_M: f64 = 1e12;
/// Latest tick: seven hundred years from the course's epoch. The sea multiplies ticks, and must not run out of bits.
const TICK_MAX: u64 = 1 << 40;
/// Ticks of samples whose company a record holds: those before a commit of the longest lead.
const COMPANY_TICKS: usize = INPUT_TICKS;
/// Bytes of a mark's name in a record.
const MARK_NAME_BYTES: usize = 256;

impl VesselRecord {
    /// Checks every number of it.
    ///
    /// # Errors
    /// Says what cannot be, in a few words for the peer that sent it.
    pub fn check(&self) -> Result<(), String> {
        let of = |what: &str| Err(format!("vessel {}: {what}", self.vessel.id.0));
        if let Err(error) = self.vessel.boat.check() {
            return of(&error.to_string());
        }
        if self.epoch.hop == u32::MAX || self.sessions == u32::MAX {
            return of("its epochs or sessions have run out");
        }
        if self.tick.0 > TICK_MAX {
            return of("its tick lies beyond any calendar");
        }
        match fault_of(&self.vessel) {
            Some(what) => of(what),
            None => Ok(()),
        }
    }
}

/// What of a vessel's state or voyage cannot be.
fn fault_of(vessel: &Vessel) -> Option<&'static str> {
    let (state, voyage) = (&vessel.state, &vessel.voyage);
    let gear = &state.gear;
    let shares = [gear.sheet, gear.reef, gear.flat, gear.spinnaker, gear.throttle, gear.crew];
    let checks = [
        (state.position_m.truncate().length() <= REACH_M, "it is nowhere near a course"),
        (state.position_m.z.abs() <= HEIGHT_M, "it is nowhere near the water"),
        (state.velocity_mps.length() <= MOTION_MAX, "nothing sails that fast"),
        (state.spin_radps.length() <= MOTION_MAX, "nothing turns that fast"),
        ((state.attitude.length_squared() - 1.0).abs() <= ATTITUDE_SLACK, "its attitude is no rotation"),
        (gear.rudder_rad.abs() <= std::f64::consts::TAU, "its rudder is off its hinges"),
        (shares.iter().all(|share| share.abs() <= 1.01), "its gear is out of its range"),
        (voyage.marks.len() <= COURSE_MARKS, "it has too many marks before it"),
        (usize::from(voyage.passed) <= voyage.marks.len(), "it has passed more marks than it has"),
        (voyage.marks.iter().all(|mark| mark.name.len() <= MARK_NAME_BYTES), "a mark's name is too long"),
        (
            [voyage.ground_m, voyage.water_m].iter().all(|&sailed_m| (0.0..=SAILED_M).contains(&sailed_m)),
            "nobody has sailed that far",
        ),
        (crate::creatures::is_sound(&voyage.companions), "its companions are none"),
        (
            vessel.trail.len() <= TRAIL_WAKES
                && vessel.trail.iter().all(|wake| wake.is_sound() && wake.id == vessel.id),
            "its trail is none",
        ),
        (
            vessel.company.len() <= COMPANY_TICKS * COMPANY_VESSELS
                && is_company_of(vessel.id, &vessel.company),
            "its company is none",
        ),
    ];
    checks.into_iter().find_map(|(holds, what)| (!holds).then_some(what))
}
