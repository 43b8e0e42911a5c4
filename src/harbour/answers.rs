//! What the harbour's HTTP port takes and gives, as JSON; shared by the harbour and those who ask it.

use std::net::SocketAddr;

use glam::DVec2;
use serde::{Deserialize, Serialize};

use crate::wire::message::{ClockSetting, RegionCounts};

/// Bytes of one answer at most where a script of a virtual world reads it: such worlds cut off the rest.
pub const ANSWER_BYTES: usize = 2_048;

/// `POST /passages`: a vessel that wants to sail the course.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BookingRequest {
    /// A boat's name, or a whole boat as its file would say.
    pub boat: serde_json::Value,
    /// SHA-256 of the crew's public key (SubjectPublicKeyInfo, DER), 64 hexadecimal digits.
    pub key: String,
    /// What people call the vessel.
    #[serde(default)]
    pub name: Option<String>,
}

/// How far a passage is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PassageState {
    /// Waits for its region.
    Booked,
    /// Under way.
    Sailing,
    /// Passed the last mark.
    Arrived,
    /// Ended before that; the answer's `reason` says why.
    GivenUp,
}

/// Where the region of a vessel is found.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RegionAddress {
    /// Its number.
    pub id: u32,
    /// Where its server listens, UDP.
    pub addr: SocketAddr,
    /// The server name that chooses it.
    pub name: String,
}

/// A waypoint.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct MarkAnswer {
    /// What sailors call it.
    pub name: String,
    /// Metres east and north of the course's anchor.
    pub place: [f64; 2],
    /// How near a vessel must come, metres.
    pub radius_m: f64,
}

/// `POST /passages`, `GET /passages/{vessel}`: all about one passage.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PassageAnswer {
    /// The vessel's number.
    pub vessel: u32,
    /// What people call it.
    pub name: String,
    /// Its boat's name.
    pub boat: String,
    /// How far it is.
    pub state: PassageState,
    /// Why it was given up.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Where to sail it now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub region: Option<RegionAddress>,
    /// The crew's ticket, hexadecimal; only the key that it was booked with can use it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ticket: Option<String>,
    /// Certificate of the authority that signed the regions' certificates, DER, hexadecimal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub authority: Option<String>,
    /// The course's name.
    pub course: String,
    /// The tick at which it was put into the water.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub start_tick: Option<u64>,
    /// The tick at which it passed the last mark.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub arrived_tick: Option<u64>,
    /// Marks passed.
    pub marks_passed: u16,
    /// Marks of the passage.
    pub marks_total: usize,
    /// The marks, where they fit the answer; `GET /course` has them always.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub marks: Option<Vec<MarkAnswer>>,
    /// Along the marks to the last one, metres.
    pub to_go_m: f64,
    /// Metres east and north of the course's anchor.
    pub place: [f64; 2],
    /// Over the ground, m/s.
    pub speed_mps: f64,
    /// Distance over the ground so far, metres.
    pub ground_m: f64,
    /// Distance through the water so far, metres.
    pub water_m: f64,
}

/// `GET /passages`: many passages, shortened.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PassagesAnswer {
    /// In order of their numbers.
    pub passages: Vec<PassageLine>,
    /// Ask again with `?from=` this for the rest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<u32>,
}

/// One passage in a list.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PassageLine {
    /// The vessel's number.
    pub vessel: u32,
    /// What people call it.
    pub name: String,
    /// How far it is.
    pub state: PassageState,
    /// Marks passed.
    pub marks_passed: u16,
    /// Along the marks to the last one, metres.
    pub to_go_m: f64,
    /// Course time under way, seconds.
    pub sailed_s: f64,
    /// The region that owns it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub region: Option<u32>,
}

/// `GET /moored`: vessels that are out of the water with their passage unfinished.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct MooredAnswer {
    /// In order of their numbers.
    pub moored: Vec<MooredLine>,
    /// Ask again with `?from=` this for the rest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<u32>,
}

/// One moored vessel.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct MooredLine {
    /// Its number.
    pub vessel: u32,
    /// What people call it.
    pub name: String,
    /// Its boat's name.
    pub boat: String,
    /// Why it was moored.
    pub reason: String,
    /// The tick of the state that is kept.
    pub tick: u64,
    /// Metres east and north of the course's anchor.
    pub place: [f64; 2],
    /// Marks passed.
    pub marks_passed: u16,
    /// Marks of the passage.
    pub marks_total: usize,
    /// Regions that it brought down.
    pub regions_sunk: u32,
    /// Whether it is resumed only where `"quarantine": true` says so.
    pub needs_quarantine: bool,
}

/// `POST /moored/{vessel}/resume`: how it goes on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ResumeRequest {
    /// Alone in a region of its own at first; one that has brought a region down goes on so in any case, and one
    /// that has brought two down only where this is true.
    #[serde(default)]
    pub quarantine: bool,
}

/// Where a region is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RegionPhase {
    /// Started, not yet ready.
    Booting,
    /// Ready, without a vessel.
    StandingBy,
    /// Sailing at least one vessel.
    Live,
    /// Handing over, then ending.
    Draining,
}

/// One region.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RegionAnswer {
    /// Its number.
    pub id: u32,
    /// Its server name.
    pub name: String,
    /// Its cell: columns east and rows north of the course's anchor.
    pub cell: [i32; 2],
    /// Where it is in its life.
    pub phase: RegionPhase,
    /// Where it listens, once it does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub addr: Option<SocketAddr>,
    /// The vessels that it owns.
    pub vessels: Vec<u32>,
    /// The tick of its last report.
    pub tick: u64,
    /// Share of a tick's wall time that its simulation needs.
    pub load: f32,
    /// Rate of its time over the rate that is due.
    pub dilation: f32,
    /// Vessels that it has memory for, those that it has included.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub carries: Option<usize>,
    /// What it has counted: handoffs, what it refused, dropped, or had too late.
    #[serde(default)]
    pub counts: RegionCounts,
    /// From its process's start to its first tick, microseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub start_to_tick_us: Option<u64>,
    /// From the decision to start it until it could take a vessel, milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub boot_ms: Option<u64>,
}

/// `GET /status` and `POST /stop`: how it goes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct StatusAnswer {
    /// The course's name.
    pub course: String,
    /// The seed of its sea.
    pub seed: u64,
    /// The tick that is due now.
    pub tick: u64,
    /// What the regions' clocks were set to.
    pub clock: ClockSetting,
    /// Regions that were ever started.
    pub regions_started: u32,
    /// Regions that have ended, by themselves or not.
    pub regions_stopped: u32,
    /// Of these, those that ended without being asked to, or were never ready.
    pub regions_failed: u32,
    /// The most that existed at once.
    pub regions_peak: u32,
    /// Starting.
    pub booting: u32,
    /// Ready, without a vessel.
    pub standing_by: u32,
    /// Sailing.
    pub live: u32,
    /// On their way out.
    pub draining: u32,
    /// Groups under way.
    pub groups: u32,
    /// Passages booked in all.
    pub passages: u32,
    /// Of these, waiting.
    pub booked: u32,
    /// Under way.
    pub sailing: u32,
    /// Arrived.
    pub arrived: u32,
    /// Given up.
    pub given_up: u32,
    /// Vessels in the water.
    pub afloat: u32,
    /// Handoffs completed.
    pub handoffs: u32,
    /// Ticks at handoffs that came too late.
    pub handoff_ticks_missed: u64,
    /// Vessels that were sailed on after their region had ended.
    #[serde(default)]
    pub resumed: u32,
    /// Vessels that were moored because they had brought regions down.
    #[serde(default)]
    pub moored: u32,
    /// Whether everything is being stopped.
    pub stopping: bool,
    /// The latest troubles, oldest first; with `?brief=true` only the last one.
    pub troubles: Vec<String>,
    /// The regions that have not ended; left out with `?brief=true`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub regions: Vec<RegionAnswer>,
}

/// `GET /course`: where one sails.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CourseAnswer {
    /// Its name.
    pub name: String,
    /// Side of a cell, metres.
    pub cell_m: f64,
    /// Port and starboard end of the start line, metres east and north.
    pub start_line: [[f64; 2]; 2],
    /// The marks in order; the last one is the finish.
    pub marks: Vec<MarkAnswer>,
    /// Course time after which a passage is given up, seconds.
    pub time_limit_s: f64,
    /// Prims that one region carries.
    pub prims_per_region: u32,
}

/// `POST /stop`: an optional reason, for the passages that it ends.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StopRequest {
    /// Why, as each passage will say.
    #[serde(default)]
    pub reason: Option<String>,
}

/// Any answer that is not a success.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ErrorAnswer {
    /// What was attempted, on what, and what to do.
    pub error: String,
}

/// A place as two numbers, to the centimetre: more digits only cost bytes.
pub(super) fn place_of(place: DVec2) -> [f64; 2] {
    [centi(place.x), centi(place.y)]
}

/// Rounded to hundredths.
pub(super) fn centi(value: f64) -> f64 {
    (value * 100.0).round() / 100.0
}
