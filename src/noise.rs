//! Counter-based randomness: the same key and counter give the same draw, anywhere, in any order.
//!
//! Philox4x32-10 (Salmon, Moraes, Dror, Shaw 2011, "Parallel random numbers: as easy as 1, 2, 3").
//! No state is kept, so a draw depends on (seed, place, tick, stream) and on nothing that ran before.

/// What a draw is for; two streams never share a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum Stream {
    /// Phases of the wave components.
    WavePhase = 1,
    /// Slow shifts of the wind's direction and strength.
    WindShift = 2,
    /// Gust noise.
    Gust = 3,
    /// Fog and visibility.
    Fog = 4,
    /// Where a fleet starts.
    Start = 5,
    /// A pilot's small differences from the next pilot.
    Pilot = 6,
    /// Benchmarks and tests that need arbitrary but repeatable input.
    Trial = 7,
    /// Trouble on purpose.
    Chaos = 8,
    /// Where groups of creatures are, and on what ways.
    Creature = 12,
    /// What becomes of a vessel that meets them.
    Companion = 13,
    /// Squalls and thunderstorms.
    Squall = 20,
    /// Fronts.
    Front = 21,
    /// Strokes of lightning.
    Lightning = 22,
    /// Trains of higher swell.
    SwellTrain = 23,
    /// Freak waves.
    Freak = 24,
}

/// Four 32-bit draws for a 64-bit seed and a counter of three integers, in one stream.
#[must_use]
pub fn draw(seed: u64, stream: Stream, counter: [u32; 3]) -> [u32; 4] {
    #[expect(clippy::cast_possible_truncation, reason = "the two halves of the seed")]
    let key = [seed as u32, (seed >> 32) as u32];
    philox([counter[0], counter[1], counter[2], stream as u32], key)
}

/// A draw uniform in [0, 1), with 32 bits.
#[must_use]
pub fn uniform(seed: u64, stream: Stream, counter: [u32; 3]) -> f64 {
    f64::from(draw(seed, stream, counter)[0]) * (1.0 / 4_294_967_296.0)
}

/// A draw uniform in [−1, 1).
#[must_use]
pub fn signed(seed: u64, stream: Stream, counter: [u32; 3]) -> f64 {
    2.0 * uniform(seed, stream, counter) - 1.0
}

/// Ten rounds of Philox on a 128-bit counter and a 64-bit key.
#[must_use]
pub fn philox(mut counter: [u32; 4], mut key: [u32; 2]) -> [u32; 4] {
    const ROUNDS: usize = 10;
    const MULTIPLIER: [u64; 2] = [0xD251_1F53, 0xCD9E_8D57];
    const WEYL: [u32; 2] = [0x9E37_79B9, 0xBB67_AE85];
    for round in 0..ROUNDS {
        if round > 0 {
            key = [key[0].wrapping_add(WEYL[0]), key[1].wrapping_add(WEYL[1])];
        }
        let a = MULTIPLIER[0].wrapping_mul(u64::from(counter[0]));
        let b = MULTIPLIER[1].wrapping_mul(u64::from(counter[2]));
        #[expect(clippy::cast_possible_truncation, reason = "high and low words of the products")]
        let next = [
            (b >> 32) as u32 ^ counter[1] ^ key[0],
            b as u32,
            (a >> 32) as u32 ^ counter[3] ^ key[1],
            a as u32,
        ];
        counter = next;
    }
    counter
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Known answers from the Random123 distribution (kat_vectors, philox4x32 10).
    #[test]
    fn philox_gives_the_published_answers() {
        assert_eq!(philox([0; 4], [0; 2]), [0x6627_e8d5, 0xe169_c58d, 0xbc57_ac4c, 0x9b00_dbd8]);
        let ones = u32::MAX;
        assert_eq!(philox([ones; 4], [ones; 2]), [0x408f_276d, 0x41c8_3b0e, 0xa20b_c7c6, 0x6d54_51fd]);
        assert_eq!(
            philox([0x243f_6a88, 0x85a3_08d3, 0x1319_8a2e, 0x0370_7344], [0xa409_3822, 0x299f_31d0]),
            [0xd16c_fe09, 0x94fd_cceb, 0x5001_e420, 0x2412_6ea1]
        );
    }

    #[test]
    fn draws_fill_their_range_evenly() {
        let n = 20_000;
        let mean = (0..n).map(|i| uniform(7, Stream::Trial, [i, 0, 0])).sum::<f64>() / f64::from(n);
        assert!((mean - 0.5).abs() < 0.01, "mean {mean}");
        assert!((-1.0..1.0).contains(&signed(7, Stream::Trial, [3, 2, 1])));
    }
}
