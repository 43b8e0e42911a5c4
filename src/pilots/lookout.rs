//! What lies ahead: depths that the regions have told, and other vessels.

use std::collections::VecDeque;

use glam::DVec2;

use super::senses::toward;
use crate::trig;
use crate::units::{radians, wrap_angle};
use crate::wire::message::{Soundings, View};

/// Grids of soundings kept: those of the regions of the last ten minutes or so, and their neighbours.
const GRIDS: usize = 24;
/// Soundings in one grid at most: what fits a message.
const GRID_POINTS: usize = 256 * 1024;
/// Samples along one line of sight at most.
const SAMPLES: u32 = 48;
/// Seconds ahead within which a close pass matters.
const MEETING_S: f64 = 90.0;
/// Seconds before a collision at which the stand-on vessel acts too (COLREGS rule 17 b).
const LAST_MOMENT_S: f64 = 25.0;
/// Abaft this angle off the other's bow one is overtaking: 22.5° abaft the beam (COLREGS rule 13).
const OVERTAKING_DEG: f64 = 112.5;

/// Depths and traffic around one vessel.
#[derive(Clone, Debug, Default)]
pub(super) struct Lookout {
    grids: VecDeque<Soundings>,
    others: Vec<Other>,
}

/// Another vessel, as far as the rules of the road need it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Other {
    place: DVec2,
    velocity: DVec2,
    heading: f64,
    length_m: f64,
}

/// The own vessel, as far as the rules of the road need it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Own {
    pub(super) place: DVec2,
    pub(super) velocity: DVec2,
    pub(super) length_m: f64,
    pub(super) sails: bool,
    /// Where the wind comes from.
    pub(super) wind_from: f64,
    pub(super) heading: f64,
}

impl Lookout {
    /// Takes in soundings; a grid over the same ground replaces the older one.
    pub(super) fn sound(&mut self, grid: &Soundings) {
        let usable = grid.columns >= 2
            && grid.depths_dm.len() <= GRID_POINTS
            && grid.depths_dm.len() >= 2 * usize::from(grid.columns)
            && grid.spacing_m > 0.0
            && grid.origin.is_finite();
        if !usable {
            return;
        }
        self.grids.retain(|kept| kept.origin != grid.origin || kept.spacing_m != grid.spacing_m);
        if self.grids.len() == GRIDS {
            self.grids.pop_front();
        }
        self.grids.push_back(grid.clone());
    }

    /// Takes in the vessels in sight.
    pub(super) fn watch(&mut self, others: &[View]) {
        self.others.clear();
        self.others.extend(others.iter().map(|view| {
            let bow = view.attitude * glam::DVec3::X;
            Other {
                place: view.position_m.truncate(),
                velocity: view.velocity_mps.truncate(),
                heading: trig::heading(bow.x, bow.y),
                length_m: f64::from(view.length_m),
            }
        }));
    }

    /// Distance to the nearest vessel, metres; infinite when none is in sight.
    pub(super) fn nearest_m(&self, place: DVec2) -> f64 {
        self.others.iter().map(|other| (other.place - place).length()).fold(f64::INFINITY, f64::min)
    }

    /// Charted depth at a place, metres, negative on land; `None` where nothing is known.
    pub(super) fn depth_m(&self, place: DVec2) -> Option<f64> {
        // The finest grid knows best; among equals the newest.
        let mut best: Option<(f64, f64)> = None;
        for grid in self.grids.iter().rev() {
            if best.is_some_and(|(spacing, _)| spacing <= grid.spacing_m) {
                continue;
            }
            if let Some(depth) = depth_in(grid, place) {
                best = Some((grid.spacing_m, depth));
            }
        }
        best.map(|(_, depth)| depth)
    }

    /// Seconds until a vessel that moves like this meets water shallower than `least_m`, at most `ahead_s`.
    /// Water to either side of the way within `beside_m` counts, past the first boat's length.
    pub(super) fn clear_s(
        &self,
        place: DVec2,
        velocity: DVec2,
        least_m: f64,
        beside_m: f64,
        ahead_s: f64,
    ) -> f64 {
        let speed = velocity.length();
        if speed < 1e-3 || self.grids.is_empty() {
            return ahead_s;
        }
        let across = DVec2::new(velocity.y, -velocity.x) / speed * beside_m;
        let step_s = ahead_s / f64::from(SAMPLES);
        for sample in 1..=SAMPLES {
            let at_s = step_s * f64::from(sample);
            let here = place + velocity * at_s;
            // A boat already beside the shoal must be allowed to sail away from it: look wide only later.
            let wide = if at_s * speed > 2.0 * beside_m { 1.0 } else { 0.3 };
            let shallow = |at: DVec2| self.depth_m(at).is_some_and(|depth| depth < least_m);
            if shallow(here) || shallow(here + across * wide) || shallow(here - across * wide) {
                return at_s - step_s;
            }
        }
        ahead_s
    }

    /// How badly a velocity would end with the vessels in sight: 0 clear, 1 for a collision, more when near.
    pub(super) fn conflict(&self, own: &Own, velocity: DVec2) -> f64 {
        let mut worst: f64 = 0.0;
        for other in &self.others {
            let offset = other.place - own.place;
            let closing = velocity - other.velocity;
            let clear_m = 1.5 * (own.length_m + other.length_m) + 6.0;
            let rate = closing.length_squared();
            let meeting_s =
                if rate < 1e-6 { 0.0 } else { (offset.dot(closing) / rate).clamp(0.0, MEETING_S) };
            let pass_m = (offset - closing * meeting_s).length();
            if pass_m >= clear_m || meeting_s >= MEETING_S {
                continue;
            }
            // The stand-on vessel holds her course until only she can still prevent a collision (rule 17).
            let stands_on = !gives_way(own, other);
            if stands_on && (meeting_s > LAST_MOMENT_S || pass_m > 0.5 * clear_m) {
                continue;
            }
            let urgency = 1.0 - 0.6 * meeting_s / MEETING_S;
            worst = worst.max(urgency * (1.0 - pass_m / clear_m));
        }
        worst
    }
}

/// Whether the own vessel must keep clear of the other (COLREGS rules 12, 13, 18).
///
/// The wire does not say whether another vessel sails; like a yacht at sea, one takes it for one's own kind.
fn gives_way(own: &Own, other: &Other) -> bool {
    let bearing_from_other = trig::heading(own.place.x - other.place.x, own.place.y - other.place.y);
    let own_bearing = trig::heading(other.place.x - own.place.x, other.place.y - own.place.y);
    let overtaking = |bow_angle: f64| bow_angle.abs() > radians(OVERTAKING_DEG);
    if overtaking(wrap_angle(bearing_from_other - other.heading))
        && own.velocity.length() > other.velocity.length()
    {
        return true;
    }
    if overtaking(wrap_angle(own_bearing - own.heading)) {
        return false;
    }
    if !own.sails {
        // Rule 15: the vessel which has the other on her starboard side; head-on both turn (rule 14).
        return wrap_angle(own_bearing - own.heading) > radians(-6.0);
    }
    let own_side = wrap_angle(own.wind_from - own.heading);
    let other_side = wrap_angle(own.wind_from - other.heading);
    if (own_side > 0.0) == (other_side > 0.0) {
        // Same tack: the one to windward keeps clear.
        (own.place - other.place).dot(toward(own.wind_from)) > 0.0
    } else {
        // Wind on the port side gives way.
        own_side < 0.0
    }
}

/// Bilinear depth within one grid, metres.
fn depth_in(grid: &Soundings, place: DVec2) -> Option<f64> {
    let columns = usize::from(grid.columns);
    let rows = grid.depths_dm.len() / columns;
    let at = (place - grid.origin) / grid.spacing_m;
    #[expect(clippy::cast_precision_loss, reason = "at most 65,535")]
    let inside = at.x >= 0.0 && at.y >= 0.0 && at.x < (columns - 1) as f64 && at.y < (rows - 1) as f64;
    if !inside {
        return None;
    }
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "checked just above")]
    let (column, row) = (at.x as usize, at.y as usize);
    let (fx, fy) = (at.x - at.x.floor(), at.y - at.y.floor());
    let sounding = |r: usize, c: usize| f64::from(grid.depths_dm[r * columns + c]) * 0.1;
    let south = sounding(row, column) * (1.0 - fx) + sounding(row, column + 1) * fx;
    let north = sounding(row + 1, column) * (1.0 - fx) + sounding(row + 1, column + 1) * fx;
    Some(south * (1.0 - fy) + north * fy)
}
