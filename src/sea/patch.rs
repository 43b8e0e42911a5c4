//! What the sea knows of one square of water whatever the time: bed, flow shares, wave amplitudes, at the
//! nodes of three absolute lattices.

use glam::DVec2;

use super::WAVES;
use super::flow::{Gauges, Share};
use super::waves::{Amplitudes, WaveSet};
use crate::atlas::{Area, Course, FAR_M};

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

    /// Current and tide height at an offset from the corner, from what the stations show: their drives, as
    /// shares have their parts, and heights.
    #[inline]
    #[expect(clippy::cast_possible_truncation, reason = "shares are in single precision")]
    pub(super) fn flow(&self, offset: DVec2, drives_mps: &[Share], heights_m: &[f32]) -> (DVec2, f64) {
        let corners = Corners::of(offset, FLOW_M, FLOW_NODES);
        let mut sum = [0.0_f32; 4];
        let mut height_m = 0.0_f32;
        for (node, share) in corners.nodes.into_iter().zip(corners.shares) {
            let share = share as f32;
            let mut here = [0.0_f32; 4];
            let stations = drives_mps.len();
            for (part, drive) in self.flow[node * stations..][..stations].iter().zip(drives_mps) {
                for axis in 0..4 {
                    here[axis] += part[axis] * drive[axis];
                }
            }
            for axis in 0..4 {
                sum[axis] += here[axis] * share;
            }
            let stations = heights_m.len();
            for (&weight, &height) in self.height[node * stations..][..stations].iter().zip(heights_m) {
                height_m += weight * height * share;
            }
        }
        (DVec2::new(f64::from(sum[0] + sum[2]), f64::from(sum[1] + sum[3])), f64::from(height_m))
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
    let mut offshore_m = vec![0.0; BED_NODES * BED_NODES];
    if course.depth().needs_coast() {
        offshore(course, candidates, corner, &mut offshore_m);
    }
    let places = nodes(corner, BED_M, BED_NODES);
    places.zip(offshore_m).map(|(place, offshore_m)| course.depth().bed_m(place, offshore_m) as f32).collect()
}

/// Distance to the coast at the nodes of a patch's bed, metres, negative on land.
fn offshore(course: &Course, candidates: &[u32], corner: DVec2, offshore_m: &mut [f64]) {
    // Nodes side by side have few segments that can be the nearest.
    const BLOCK: usize = 8;
    let mut crossings = Vec::new();
    let mut few = Vec::new();
    for first_row in (0..BED_NODES).step_by(BLOCK) {
        for first_column in (0..BED_NODES).step_by(BLOCK) {
            let low = corner + DVec2::new(step(first_column), step(first_row)) * BED_M;
            let area = Area { min: low, max: low + DVec2::splat(step(BLOCK) * BED_M) };
            course.coast().narrow(candidates, area, &mut few);
            for row in first_row..(first_row + BLOCK).min(BED_NODES) {
                for column in first_column..(first_column + BLOCK).min(BED_NODES) {
                    let place = corner + DVec2::new(step(column), step(row)) * BED_M;
                    let nearest = course.coast().nearest_among(&few, place);
                    offshore_m[row * BED_NODES + column] =
                        nearest.map_or(FAR_M, |(distance_m, _)| distance_m);
                }
            }
        }
    }
    for (row, offshore_m) in offshore_m.chunks_exact_mut(BED_NODES).enumerate() {
        course.coast().crossings(corner.y + step(row) * BED_M, &mut crossings);
        for (column, offshore_m) in offshore_m.iter_mut().enumerate() {
            let x = corner.x + step(column) * BED_M;
            if crossings.iter().filter(|&&crossing| crossing > x).count() % 2 == 1 {
                *offshore_m = -*offshore_m;
            }
        }
    }
}
