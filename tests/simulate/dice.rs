//! Draws of one seed.

/// A counter-based generator: the same seed gives the same run.
#[derive(Clone, Debug)]
pub struct Dice {
    seed: u64,
    drawn: u64,
}

impl Dice {
    pub fn new(seed: u64) -> Self {
        Self { seed, drawn: 0 }
    }

    /// Another generator of the same seed.
    pub fn other(&self, stream: u64) -> Self {
        Self { seed: self.seed ^ stream.wrapping_mul(0x9e37_79b9_7f4a_7c15), drawn: 0 }
    }

    /// A number below a bound (splitmix64 over a counter: Steele, Lea and Flood 2014).
    pub fn below(&mut self, bound: u64) -> u64 {
        self.drawn += 1;
        let mut z = self.seed.wrapping_add(self.drawn.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % bound.max(1)
    }

    pub fn between(&mut self, low: u64, high: u64) -> u64 {
        low + self.below(high - low + 1)
    }
}
