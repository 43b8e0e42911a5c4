//! What the sea knows of one square of water whatever the time: bed, flow shares, wave amplitudes, at the
//! nodes of three absolute lattices.

use glam::DVec2;

use super::WAVES;
use super::flow::{Gauges, Share};
use super::waves::{Amplitudes, WaveSet};
use crate::atlas::{Area, Course};

/// Side of a patch, metres. A region with its neighbours touches four or nine.
pub(super) const PATCH_M: f64 = 512.0;
/// Distance of the bed's nodes, metres: about a ship's length.
const BED_M: f64 = 16.0;
/// Distance of the flow's nodes, metres.
const FLOW_M: f64 = 128.0;
/// Distance of the waves' nodes, metres.
const WAVE_M: f64 = 256.0;
const BED_NODES: usize = 33;
const FLOW_NODES: usize = 5;
const WAVE_NODES: usize = 3;

/// One square of water; the same bits whichever process computes it, and when.
#[derive(Debug)]
pub(super) struct Patch {
    bed_m: Vec<f32>,
    /// Shares of all current stations at one node after the other.
    flow: Vec<Share>,
    /// Weights of all height stations at one node after the other.
    height: Vec<f32>,
    waves: Vec<Amplitudes>,
}

/// The four nodes around a place, and their shares.
#[derive(Clone, Copy)]
pub(super) struct Corners {
    /// South-west, south-east, north-west, north-east.
    pub(super) nodes: [usize; 4],
    /// The shares of the nodes, in the same order.
    pub(super) shares: [f64; 4],
    /// Fractions of the way east and north.
    pub(super) fraction: [f64; 2],
}

impl Corners {
    /// The nodes around an offset from a patch's south-west corner, both within the patch.
    #[inline]
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a patch has few nodes")]
    fn of(offset: DVec2, spacing_m: f64, nodes: usize) -> Self {
        let at = offset * (1.0 / spacing_m);
        let column = (at.x as usize).min(nodes - 2);
        let row = (at.y as usize).min(nodes - 2);
        #[expect(clippy::cast_precision_loss, reason = "a patch has few nodes")]
        let (fx, fy) = (at.x - column as f64, at.y - row as f64);
        let first = row * nodes + column;
        Self {
            nodes: [first, first + 1, first + nodes, first + nodes + 1],
            shares: [(1.0 - fx) * (1.0 - fy), fx * (1.0 - fy), (1.0 - fx) * fy, fx * fy],
            fraction: [fx, fy],
        }
    }
}

impl Patch {
    /// Computes a patch from its south-west corner.
    pub(super) fn new(course: &Course, gauges: &Gauges, waves: &WaveSet, corner: DVec2) -> Self {
        let area = Area { min: corner, max: corner + DVec2::splat(PATCH_M) };
        let candidates = super::flow::candidates(course, area);
        let mut patch = Self { bed_m: Vec::new(), flow: Vec::new(), height: Vec::new(), waves: Vec::new() };
        patch.bed_m = beds(course, &candidates, corner);
        for place in nodes(corner, FLOW_M, FLOW_NODES) {
            gauges.current_shares(course, &candidates, place, &mut patch.flow);
            gauges.height_weights(course, place, &mut patch.height);
        }
        patch.waves =
            nodes(corner, WAVE_M, WAVE_NODES).map(|place| waves.amplitudes_at(course, place)).collect();
        patch
    }

    /// Height of the bed, metres, and its rise per metre east and north, at an offset from the corner.
    #[inline]
    pub(super) fn bed(&self, offset: DVec2) -> (f64, DVec2) {
        let corners = Corners::of(offset, BED_M, BED_NODES);
        let [fx, fy] = corners.fraction;
        let [sw, se, nw, ne] = corners.nodes.map(|node| f64::from(self.bed_m[node]));
        let south = sw + (se - sw) * fx;
        let north = nw + (ne - nw) * fx;
        let east = (se - sw) * (1.0 - fy) + (ne - nw) * fy;
        (south + (north - south) * fy, DVec2::new(east, north - south) * (1.0 / BED_M))
    }

    /// Current and tide height at an offset from the corner, from what the stations show: flood and ebb
    /// speeds (one of each pair is zero), and heights.
    #[inline]
    pub(super) fn flow(&self, offset: DVec2, flood_ebb_mps: &[[f64; 2]], heights_m: &[f64]) -> (DVec2, f64) {
        let corners = Corners::of(offset, FLOW_M, FLOW_NODES);
        let mut current_mps = DVec2::ZERO;
        let mut height_m = 0.0;
        for (node, share) in corners.nodes.into_iter().zip(corners.shares) {
            let mut here = DVec2::ZERO;
            let stations = flood_ebb_mps.len();
            for (part, &[flood, ebb]) in self.flow[node * stations..][..stations].iter().zip(flood_ebb_mps) {
                here.x += f64::from(part[0]) * flood + f64::from(part[2]) * ebb;
                here.y += f64::from(part[1]) * flood + f64::from(part[3]) * ebb;
            }
            current_mps += here * share;
            let stations = heights_m.len();
            for (&weight, &height) in self.height[node * stations..][..stations].iter().zip(heights_m) {
                height_m += f64::from(weight) * height * share;
            }
        }
        (current_mps, height_m)
    }

    /// Amplitudes at an offset from the corner, between two levels of wind.
    #[inline]
    #[expect(clippy::cast_possible_truncation, reason = "amplitudes are in single precision")]
    pub(super) fn amplitudes(&self, offset: DVec2, level: usize, share: f32) -> [f32; WAVES] {
        let corners = Corners::of(offset, WAVE_M, WAVE_NODES);
        let mut amplitude_m = [0.0; WAVES];
        for (node, weight) in corners.nodes.into_iter().zip(corners.shares) {
            let upper = weight as f32 * share;
            let lower = weight as f32 - upper;
            let [low, high] = [&self.waves[node][level], &self.waves[node][level + 1]];
            for i in 0..WAVES {
                amplitude_m[i] += lower * low[i] + upper * high[i];
            }
        }
        amplitude_m
    }
}

/// The nodes of a lattice over a patch, row by row from the south-west.
fn nodes(corner: DVec2, spacing_m: f64, count: usize) -> impl Iterator<Item = DVec2> {
    (0..count * count).map(move |i| corner + DVec2::new(step(i % count), step(i / count)) * spacing_m)
}

#[expect(clippy::cast_precision_loss, reason = "a patch has few nodes")]
fn step(index: usize) -> f64 {
    index as f64
}

/// Heights of the bed at the nodes of a patch.
#[expect(clippy::cast_possible_truncation, reason = "heights are kept to a tenth of a millimetre")]
fn beds(course: &Course, candidates: &[u32], corner: DVec2) -> Vec<f32> {
    nodes(corner, BED_M, BED_NODES)
        .map(|place| {
            let offshore_m = if course.depth().needs_coast() {
                let distance_m = course.coast().nearest_among(candidates, place);
                let distance_m = distance_m.map_or(crate::atlas::FAR_M, |(distance_m, _)| distance_m);
                if course.coast().is_land(place) { -distance_m } else { distance_m }
            } else {
                0.0
            };
            course.depth().bed_m(place, offshore_m) as f32
        })
        .collect()
}
