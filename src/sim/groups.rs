//! Which vessels are near enough to affect each other: they need one owner.

use glam::DVec2;

use crate::units::VesselId;

/// A vessel as grouping sees it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Member {
    /// Which vessel.
    pub id: VesselId,
    /// Its place, course frame, metres.
    pub place: DVec2,
    /// Its velocity over the ground, m/s.
    pub velocity_mps: DVec2,
    /// Its length over all, metres.
    pub length_m: f64,
}

/// Groups of vessels, each in rising order and led by its first; groups in order of their leaders.
///
/// Two vessels join when nearer than their lengths plus two seconds of closing speed; a pair in `before`
/// (as returned by the last call, any owner's) parts at twice that.
#[must_use]
pub fn group(members: &[Member], before: &[Vec<VesselId>]) -> Vec<Vec<VesselId>> {
    let _ = (members, before);
    unimplemented!()
}
