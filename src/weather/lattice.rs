//! Smooth noise between the nodes of a lattice.
//!
//! Value noise after Perlin (1985): each node has two drawn values, found by way of a drawn permutation so
//! that a look costs no draw. The permutation is drawn once per seed with Philox.

use crate::noise::{self, Stream};

/// Nodes along each axis after which the lattice repeats.
const PERIOD: usize = 256;
/// 1.5 · 2^52: adding it to a number of up to 2^51 leaves the nearest integer in the low bits of the sum.
const ROUNDING: f64 = 6_755_399_441_055_744.0;
/// Variance of one smoothly interpolated axis over that of its nodes: ∫ s² + (1 − s)² with s = 3t² − 2t³.
const AXIS_VARIANCE: f64 = 26.0 / 35.0;

/// Two independent noises over (x, y, z), each of unit variance and zero mean.
#[derive(Clone)]
pub(super) struct Lattice {
    permutation: [u8; PERIOD],
    values: [[f32; 2]; PERIOD],
}

impl std::fmt::Debug for Lattice {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Lattice").finish_non_exhaustive()
    }
}

impl Lattice {
    /// The lattice of a seed and stream.
    #[expect(clippy::cast_possible_truncation, reason = "256 values")]
    pub(super) fn new(seed: u64, stream: Stream) -> Self {
        // Uniform in [−1, 1) has variance 1/3.
        let unit = (3.0 / (AXIS_VARIANCE * AXIS_VARIANCE * AXIS_VARIANCE)).sqrt();
        let mut permutation = std::array::from_fn(|i| i as u8);
        let mut values = [[0.0; 2]; PERIOD];
        for i in (0..PERIOD).rev() {
            let [swap, first, second, _] = noise::draw(seed, stream, [i as u32, u32::MAX, u32::MAX]);
            permutation.swap(i, swap as usize % (i + 1));
            let signed = |draw: u32| f64::from(draw) * (2.0 / 4_294_967_296.0) - 1.0;
            values[i] = [(signed(first) * unit) as f32, (signed(second) * unit) as f32];
        }
        // What the random values leave of a mean and of a wrong variance would be there everywhere.
        for axis in 0..2 {
            let mean = values.iter().map(|value| f64::from(value[axis])).sum::<f64>() / PERIOD as f64;
            let square = values.iter().map(|v| (f64::from(v[axis]) - mean) * (f64::from(v[axis]) - mean));
            let scale = unit / (3.0 * square.sum::<f64>() / PERIOD as f64).sqrt();
            for value in &mut values {
                value[axis] = ((f64::from(value[axis]) - mean) * scale) as f32;
            }
        }
        Self { permutation, values }
    }

    /// Both noises at a point, in units of nodes.
    #[inline]
    pub(super) fn at(&self, x: f64, y: f64, z: f64) -> [f32; 2] {
        let (x, fx) = split(x);
        let (y, fy) = split(y);
        let (z, fz) = split(z);
        let hash = |base: u8, step: u8| self.permutation[base.wrapping_add(step) as usize];
        let mut corners = [[0.0_f32; 2]; 4];
        for (dz, layer) in [(0, 1.0 - fz), (1, fz)] {
            let plane = hash(z, dz);
            for (dy, row_share) in [(0, 1.0 - fy), (1, fy)] {
                let row = hash(plane, y.wrapping_add(dy));
                let west = self.values[hash(row, x) as usize];
                let east = self.values[hash(row, x.wrapping_add(1)) as usize];
                let share = layer * row_share;
                let corner = usize::from(dz * 2 + dy);
                corners[corner] = [
                    share * (west[0] + fx * (east[0] - west[0])),
                    share * (west[1] + fx * (east[1] - west[1])),
                ];
            }
        }
        let [a, b, c, d] = corners;
        [(a[0] + b[0]) + (c[0] + d[0]), (a[1] + b[1]) + (c[1] + d[1])]
    }
}

/// The node below a coordinate, modulo the period, and the smoothed fraction above it.
///
/// A coordinate on a node may count as the end of the interval below it: the noise is the same.
#[inline]
#[expect(clippy::cast_possible_truncation, reason = "the low byte is the node; a fraction is short")]
fn split(coordinate: f64) -> (u8, f32) {
    let shifted = (coordinate - 0.5) + ROUNDING;
    let node = shifted.to_bits() as u8;
    let t = (coordinate - (shifted - ROUNDING)) as f32;
    (node, t * t * (3.0 - 2.0 * t))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn noise_is_continuous_and_of_unit_variance() {
        let lattice = Lattice::new(3, Stream::Gust);
        let (mut sum, mut square, mut jump) = ([0.0; 2], [0.0; 2], 0.0_f64);
        let n = 40_000_u32;
        for i in 0..n {
            let u = f64::from(i);
            let at = |d: f64| lattice.at(u * 0.377 + d, u * -0.713 + d, u * 0.117 + d);
            let (here, near) = (at(0.0), at(1e-4));
            for axis in 0..2 {
                sum[axis] += f64::from(here[axis]);
                square[axis] += f64::from(here[axis]) * f64::from(here[axis]);
                jump = jump.max(f64::from((here[axis] - near[axis]).abs()));
            }
        }
        for axis in 0..2 {
            let mean = sum[axis] / f64::from(n);
            let variance = square[axis] / f64::from(n) - mean * mean;
            assert!(mean.abs() < 0.03 && (variance - 1.0).abs() < 0.05, "mean {mean} variance {variance}");
        }
        assert!(jump < 3e-3, "jump {jump}");
        assert_eq!(lattice.at(-255.7, 3.2, 0.0), lattice.at(0.3, 3.2, 256.0), "repeats after the period");
    }
}
