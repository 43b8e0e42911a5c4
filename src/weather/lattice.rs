//! Smooth noise between the nodes of a lattice that changes with time.
//!
//! Value noise after Perlin (1985): a node's drawn values are found by way of a drawn permutation, so that a
//! look costs no draw; both are drawn once per seed with Philox. Each node holds two values for each of two
//! noises, and its value at a time is a turn from the one to the other, a cos φ + b sin φ: the third
//! dimension then costs one sine per tick instead of four more nodes per look, and the variance does not
//! depend on φ.

use crate::noise::{self, Stream};

/// Nodes along each axis after which the lattice repeats.
const PERIOD: usize = 256;
/// 1.5 · 2^52: adding it to a number of up to 2^51 leaves the nearest integer in the low bits of the sum.
const ROUNDING: f64 = 6_755_399_441_055_744.0;
/// Variance of one smoothly interpolated axis over that of its nodes: ∫ s² + (1 − s)² with s = 3t² − 2t³.
const AXIS_VARIANCE: f64 = 26.0 / 35.0;

/// Two independent noises over (x, y, φ), each of unit variance and zero mean.
#[derive(Clone)]
pub(super) struct Lattice {
    permutation: [u8; PERIOD],
    /// Both noises at φ = 0, both at a quarter turn.
    values: [[f32; 4]; PERIOD],
}

impl std::fmt::Debug for Lattice {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Lattice").finish_non_exhaustive()
    }
}

impl Lattice {
    /// The lattice of a seed and stream.
    #[expect(clippy::cast_possible_truncation, reason = "256 values")]
    #[expect(clippy::cast_precision_loss, reason = "256 values")]
    pub(super) fn new(seed: u64, stream: Stream) -> Self {
        let mut permutation = std::array::from_fn(|i| i as u8);
        let mut drawn = [[0.0_f64; 4]; PERIOD];
        for i in (0..PERIOD).rev() {
            let swap = noise::draw(seed, stream, [i as u32, 0, u32::MAX])[0];
            permutation.swap(i, swap as usize % (i + 1));
            drawn[i] = noise::draw(seed, stream, [i as u32, 1, u32::MAX])
                .map(|draw| f64::from(draw) * (2.0 / 4_294_967_296.0) - 1.0);
        }
        // What a random table leaves of a mean and of a wrong variance would be there everywhere.
        let mut values = [[0.0; 4]; PERIOD];
        for part in 0..4 {
            let mean = drawn.iter().map(|value| value[part]).sum::<f64>() / PERIOD as f64;
            let square = drawn.iter().map(|value| (value[part] - mean) * (value[part] - mean)).sum::<f64>();
            let scale = 1.0 / (square / PERIOD as f64 * AXIS_VARIANCE * AXIS_VARIANCE).sqrt();
            for (value, drawn) in values.iter_mut().zip(&drawn) {
                value[part] = ((drawn[part] - mean) * scale) as f32;
            }
        }
        Self { permutation, values }
    }

    /// Both noises at a point, in units of nodes, at the time whose (cos φ, sin φ) is given.
    #[inline]
    pub(super) fn at(&self, x: f64, y: f64, [cosine, sine]: [f32; 2]) -> [f32; 2] {
        let (x, fx) = split(x);
        let (y, fy) = split(y);
        let hash = |base: u8, step: u8| self.permutation[base.wrapping_add(step) as usize];
        let (west, east) = (hash(x, 0), hash(x, 1));
        let value = |column: u8, dy: u8| &self.values[hash(column, y.wrapping_add(dy)) as usize];
        let (sw, se, nw, ne) = (value(west, 0), value(east, 0), value(west, 1), value(east, 1));
        let shares = [(1.0 - fx) * (1.0 - fy), fx * (1.0 - fy), (1.0 - fx) * fy, fx * fy];
        let mut blend = [0.0_f32; 4];
        for part in 0..4 {
            blend[part] =
                (sw[part] * shares[0] + se[part] * shares[1]) + (nw[part] * shares[2] + ne[part] * shares[3]);
        }
        [blend[0] * cosine + blend[2] * sine, blend[1] * cosine + blend[3] * sine]
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
        for turn in [[1.0, 0.0], [0.6, 0.8], [0.0, -1.0]] {
            let (mut sum, mut square, mut jump) = ([0.0; 2], [0.0; 2], 0.0_f64);
            let n = 40_000_u32;
            for i in 0..n {
                let u = f64::from(i);
                let at = |d: f64| lattice.at(u * 0.377 + d, u * -0.713 + d, turn);
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
                assert!(mean.abs() < 0.03 && (variance - 1.0).abs() < 0.1, "mean {mean} variance {variance}");
            }
            assert!(jump < 3e-3, "jump {jump}");
        }
        let turn = [0.6, 0.8];
        assert_eq!(lattice.at(-255.75, 3.25, turn), lattice.at(0.25, 3.25, turn), "repeats after the period");
    }
}
