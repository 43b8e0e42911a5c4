//! Work compiled three times: for any machine, and for the wider vectors that the machine at hand may have.
//!
//! The bits are the same in all three: lanes are summed in an order of their own, and products are never
//! fused with sums, because nothing here lets the compiler do so (`tests/bits.rs` holds it to that).

#![expect(
    unsafe_code,
    reason = "whoever calls a function that is compiled for AVX answers for the machine having it"
)]

/// Work on lanes.
pub trait Work {
    /// What it comes to.
    type Result;

    /// Does it. Implementations and whatever of them has loops over lanes must be `#[inline(always)]`: what is
    /// called out of line is compiled for any machine.
    fn run(self) -> Self::Result;
}

/// Does the work with the widest vectors that this machine has.
#[inline]
pub fn widest<W: Work>(work: W) -> W::Result {
    #[cfg(target_arch = "x86_64")]
    {
        use std::arch::is_x86_feature_detected as has;
        // One look at a word in memory each, once the first has asked the processor.
        if has!("avx512f") && has!("avx512vl") && has!("avx512dq") && has!("avx512bw") {
            // SAFETY: the machine has all four.
            return unsafe { with_avx512(work) };
        }
        if has!("avx2") {
            // SAFETY: the machine has it.
            return unsafe { with_avx2(work) };
        }
    }
    work.run()
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f,avx512vl,avx512dq,avx512bw")]
fn with_avx512<W: Work>(work: W) -> W::Result {
    work.run()
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
fn with_avx2<W: Work>(work: W) -> W::Result {
    work.run()
}

/// The work at every width that this machine has, the plain one first.
#[cfg(all(test, target_arch = "x86_64"))]
pub(crate) fn at_each_width<W: Work + Copy>(work: W) -> Vec<W::Result> {
    let mut results = vec![work.run()];
    if std::arch::is_x86_feature_detected!("avx2") {
        // SAFETY: the machine has it.
        results.push(unsafe { with_avx2(work) });
    }
    results.push(widest(work));
    results
}
