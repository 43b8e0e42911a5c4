//! Which stations a place's tide and current come from.
//!
//! A place takes the current of the stations around it, weighted by the inverse square of their distance in
//! water; land between counts several times. What would run through the coast is taken out near it.

use glam::DVec2;

use crate::atlas::{Area, Course, Measures};

/// How much farther land between a place and a station makes it: a bay behind a spit has its own current.
const LAND_COUNTS: f64 = 8.0;
/// Distance within which a station's own current holds, metres.
const CORE_M: f64 = 300.0;
/// Distance to the nearest station at which half of the current is left, metres: beyond, nobody knows, and
/// bays are calmer than the straits that were measured.
const REACH_M: f64 = 5_000.0;
/// Within this distance of the coast all of the flow runs along it, metres.
const ALONG_M: f64 = 30.0;
/// From this distance on the coast does not turn the flow, metres.
const FREE_M: f64 = 300.0;

/// The parts of one station's current at a place, for a speed of 1 m/s: flood east, flood north, ebb east,
/// ebb north.
pub(super) type Share = [f32; 4];

/// Stations of a course, by what they measure: indices into its list.
#[derive(Debug)]
pub(super) struct Gauges {
    pub(super) heights: Vec<usize>,
    pub(super) currents: Vec<usize>,
}

impl Gauges {
    pub(super) fn of(course: &Course) -> Self {
        let kind = |height: bool| {
            let wanted = move |measures| (measures == Measures::Height) == height;
            (0..course.stations.len()).filter(|&i| wanted(course.stations[i].measures)).collect()
        };
        Self { heights: kind(true), currents: kind(false) }
    }

    /// Weight of each height station at a place; they add to one.
    #[expect(clippy::cast_possible_truncation, reason = "weights are kept in single precision")]
    pub(super) fn height_weights(&self, course: &Course, place: DVec2, weights: &mut Vec<f32>) {
        let near = |&i: &usize| {
            let off = place - course.stations[i].place;
            1.0 / (off.length_squared() + CORE_M * CORE_M)
        };
        let sum: f64 = self.heights.iter().map(near).sum();
        weights.extend(self.heights.iter().map(|i| (near(i) / sum) as f32));
    }

    /// Share of each current station at a place.
    ///
    /// `candidates` are the segments of the coast that can be the nearest there.
    #[expect(clippy::cast_possible_truncation, reason = "shares are kept in single precision")]
    pub(super) fn current_shares(
        &self,
        course: &Course,
        candidates: &[u32],
        place: DVec2,
        shares: &mut Vec<Share>,
    ) {
        let away_m: Vec<f64> = self
            .currents
            .iter()
            .map(|&i| {
                let station = course.stations[i].place;
                (station - place).length() + LAND_COUNTS * course.raster().land_between_m(place, station)
            })
            .collect();
        let weight = |away_m: &f64| 1.0 / (away_m * away_m + CORE_M * CORE_M);
        let sum: f64 = away_m.iter().map(weight).sum();
        let far = away_m.iter().copied().fold(f64::INFINITY, f64::min) / REACH_M;
        let left = 1.0 / (1.0 + far * far * far * far);
        let coast = coast_normal(course, candidates, place);
        let faster = in_rips(course, place);
        for (&i, away_m) in self.currents.iter().zip(&away_m) {
            let Measures::Current { axis: Some([flood, ebb]) } = course.stations[i].measures else {
                shares.push([0.0; 4]);
                continue;
            };
            let scale = weight(away_m) / sum * left * faster;
            let along = |flow: DVec2| (flow - coast.1 * (coast.0 * flow.dot(coast.1))) * scale;
            let (flood, ebb) = (along(flood), along(ebb));
            shares.push([flood.x as f32, flood.y as f32, ebb.x as f32, ebb.y as f32]);
        }
    }
}

/// By how much the current runs faster at a place for the rips that the course marks there.
fn in_rips(course: &Course, place: DVec2) -> f64 {
    let more = course.rips.iter().map(|rip| {
        let off = (place - rip.place).length_squared() / (rip.radius_m * rip.radius_m);
        let left = (1.0 - off).max(0.0);
        (rip.strength - 1.0) * left * left
    });
    1.0 + more.sum::<f64>()
}

/// How much of the flow across the coast is taken out at a place (0 to 1), and the unit vector across it.
fn coast_normal(course: &Course, candidates: &[u32], place: DVec2) -> (f64, DVec2) {
    let Some((distance_m, point)) = course.coast().nearest_among(candidates, place) else {
        return (0.0, DVec2::X);
    };
    if distance_m < 1e-6 {
        return (0.0, DVec2::X);
    }
    let t = ((FREE_M - distance_m) / (FREE_M - ALONG_M)).clamp(0.0, 1.0);
    (t * t * (3.0 - 2.0 * t), (point - place) / distance_m)
}

/// Ground that a lattice node near a rectangle may look at for its nearest coast.
pub(super) fn candidates(course: &Course, area: Area) -> Vec<u32> {
    course.coast().candidates(area)
}
