//! Elementary functions whose bits do not depend on the machine.
//!
//! Only additions, multiplications, divisions and square roots, each rounded as IEEE 754 says, in a
//! fixed order and never fused. The model may use no others: a libm differs between machines and
//! between builds, and a vessel must not.

use std::f64::consts::{FRAC_PI_2, FRAC_PI_4, PI, TAU};

/// Sine and cosine of an angle in turns; error below 2e-16 for |turns| < 2^40.
#[must_use]
pub fn sin_cos_turns(turns: f64) -> (f64, f64) {
    // Exact: both operands are multiples of the same ulp after the rounding.
    let r = turns - (turns + 0.5).floor();
    let quadrant = (4.0 * r + 0.5).floor();
    let x = (r - 0.25 * quadrant) * TAU;
    let (s, c) = sin_cos_eighth(x);
    if quadrant == 0.0 {
        (s, c)
    } else if quadrant == 1.0 {
        (c, -s)
    } else if quadrant == -1.0 {
        (-c, s)
    } else {
        (-s, -c)
    }
}

/// Sine and cosine of an angle in radians; error below 3e-16 + 3.4e-16·|angle|: the turns are rounded twice
/// (1/2π and the product, each by half an ulp) before they are reduced.
#[must_use]
pub fn sin_cos(angle_rad: f64) -> (f64, f64) {
    sin_cos_turns(angle_rad * (1.0 / TAU))
}

/// Sine of an angle in radians.
#[must_use]
pub fn sin(angle_rad: f64) -> f64 {
    sin_cos(angle_rad).0
}

/// Cosine of an angle in radians.
#[must_use]
pub fn cos(angle_rad: f64) -> f64 {
    sin_cos(angle_rad).1
}

/// Taylor series on [−π/4, π/4]; the first term left out is below 3e-18.
fn sin_cos_eighth(x: f64) -> (f64, f64) {
    let z = x * x;
    let s = x + x
        * z
        * (-1.0 / 6.0
            + z * (1.0 / 120.0
                + z * (-1.0 / 5_040.0
                    + z * (1.0 / 362_880.0
                        + z * (-1.0 / 39_916_800.0
                            + z * (1.0 / 6_227_020_800.0 + z * (-1.0 / 1_307_674_368_000.0)))))));
    let c = 1.0
        + z * (-0.5
            + z * (1.0 / 24.0
                + z * (-1.0 / 720.0
                    + z * (1.0 / 40_320.0
                        + z * (-1.0 / 3_628_800.0
                            + z * (1.0 / 479_001_600.0
                                + z * (-1.0 / 87_178_291_200.0 + z * (1.0 / 20_922_789_888_000.0))))))));
    (s, c)
}

/// Lanes of one step through structure-of-arrays data: one AVX-512 register, two of AVX, four of SSE.
pub const LANES: usize = 16;

/// Sines and cosines of sixteen angles in turns, each within [−0.5, 0.5]; error below 3e-7.
#[must_use]
#[inline(always)]
pub fn sin_cos_turns_lanes(turns: &[f32; LANES]) -> ([f32; LANES], [f32; LANES]) {
    let mut sine = [0.0; LANES];
    let mut cosine = [0.0; LANES];
    for lane in 0..LANES {
        let (s, c) = sin_cos_turns_short(turns[lane]);
        sine[lane] = s;
        cosine[lane] = c;
    }
    (sine, cosine)
}

/// Sine and cosine in single precision of an angle in turns within [−0.5, 0.5]; branch-free.
#[must_use]
#[inline(always)]
pub fn sin_cos_turns_short(turns: f32) -> (f32, f32) {
    // Fold to a quarter turn: sin is odd about 0 and even about ±1/4, cos the other way round.
    const HALF_TURN: f32 = 0.5;
    let magnitude = turns.abs();
    let folded = if magnitude > 0.25 { HALF_TURN - magnitude } else { magnitude };
    let cos_sign = if magnitude > 0.25 { -1.0_f32 } else { 1.0 };
    let signed = if turns < 0.0 { -folded } else { folded };
    #[expect(clippy::cast_possible_truncation, reason = "2π in single precision")]
    let x = signed * (TAU as f32);
    let z = x * x;
    let s = x + x
        * z
        * (-1.0 / 6.0
            + z * (1.0 / 120.0 + z * (-1.0 / 5_040.0 + z * (1.0 / 362_880.0 + z * (-1.0 / 39_916_800.0)))));
    let c = 1.0
        + z * (-0.5
            + z * (1.0 / 24.0
                + z * (-1.0 / 720.0
                    + z * (1.0 / 40_320.0 + z * (-1.0 / 3_628_800.0 + z * (1.0 / 479_001_600.0))))));
    (s, c * cos_sign)
}

/// Arc tangent, radians in [−π/2, π/2]; error below 4e-16.
#[must_use]
pub fn atan(x: f64) -> f64 {
    let magnitude = x.abs();
    let (base, y) = if magnitude > 1.0 { (FRAC_PI_2, -1.0 / magnitude) } else { (0.0, magnitude) };
    let (base, y) = if y.abs() > 0.414_213_562_373_095_1 {
        let sign = if y < 0.0 { -1.0 } else { 1.0 };
        (base + sign * FRAC_PI_4, (y - sign) / (1.0 + sign * y))
    } else {
        (base, y)
    };
    // One halving brings |h| below 0.2, where twelve terms of the series suffice.
    let h = y / (1.0 + (1.0 + y * y).sqrt());
    let z = h * h;
    let mut sum = 0.0;
    for n in (0..12_u32).rev() {
        let sign = if n % 2 == 0 { 1.0 } else { -1.0 };
        sum = sum * z + sign / f64::from(2 * n + 1);
    }
    let result = base + 2.0 * h * sum;
    if x < 0.0 { -result } else { result }
}

/// Angle of the vector (x, y) from the x axis, radians in (−π, π]; 0 for the null vector.
#[must_use]
pub fn atan2(y: f64, x: f64) -> f64 {
    if x > 0.0 {
        atan(y / x)
    } else if x < 0.0 {
        if y >= 0.0 { atan(y / x) + PI } else { atan(y / x) - PI }
    } else if y > 0.0 {
        FRAC_PI_2
    } else if y < 0.0 {
        -FRAC_PI_2
    } else {
        0.0
    }
}

/// Arc sine, radians; the argument is clamped to [−1, 1].
#[must_use]
pub fn asin(x: f64) -> f64 {
    let x = x.clamp(-1.0, 1.0);
    atan2(x, ((1.0 - x) * (1.0 + x)).sqrt())
}

/// Heading, clockwise from north in [0, 2π), of a vector (east, north).
#[must_use]
pub fn heading(east: f64, north: f64) -> f64 {
    crate::units::wrap_heading(atan2(east, north))
}

/// e^x; relative error below 4e-16. 0 below −708, infinite above 709.
#[must_use]
pub fn exp(x: f64) -> f64 {
    const LN2_HIGH: f64 = 0.693_147_180_369_123_8;
    const LN2_LOW: f64 = 1.908_214_929_270_587_7e-10;
    if x < -708.0 {
        return 0.0;
    }
    if x > 709.0 {
        return f64::INFINITY;
    }
    let k = (x * std::f64::consts::LOG2_E + 0.5).floor();
    let r = (x - k * LN2_HIGH) - k * LN2_LOW;
    // |r| ≤ 0.35: the term r^14/14! is below 5e-18.
    let mut sum = 1.0;
    for n in (1..=13_u32).rev() {
        sum = 1.0 + sum * r / f64::from(n);
    }
    sum * power_of_two(k)
}

/// Natural logarithm; relative error below 3e-16. Not a number for x ≤ 0.
#[must_use]
pub fn ln(x: f64) -> f64 {
    if x.is_nan() || x <= 0.0 {
        return f64::NAN;
    }
    if x.is_infinite() {
        return x;
    }
    let (scaled, offset) =
        if x < f64::MIN_POSITIVE { (x * 18_014_398_509_481_984.0, -54.0) } else { (x, 0.0) };
    let bits = scaled.to_bits();
    #[expect(clippy::cast_precision_loss, reason = "an exponent has eleven bits")]
    let mut exponent = ((bits >> 52) & 0x7ff) as f64 - 1023.0 + offset;
    let mut mantissa = f64::from_bits((bits & 0x000f_ffff_ffff_ffff) | 0x3ff0_0000_0000_0000);
    if mantissa > std::f64::consts::SQRT_2 {
        mantissa *= 0.5;
        exponent += 1.0;
    }
    let s = (mantissa - 1.0) / (mantissa + 1.0);
    let z = s * s;
    let mut sum = 0.0;
    for n in (0..11_u32).rev() {
        sum = sum * z + 1.0 / f64::from(2 * n + 1);
    }
    exponent * std::f64::consts::LN_2 + 2.0 * s * sum
}

/// Decimal logarithm.
#[must_use]
pub fn log10(x: f64) -> f64 {
    ln(x) * std::f64::consts::LOG10_E
}

/// x^y for x ≥ 0.
#[must_use]
pub fn pow(x: f64, y: f64) -> f64 {
    if x == 0.0 { if y == 0.0 { 1.0 } else { 0.0 } } else { exp(y * ln(x)) }
}

/// Hyperbolic tangent.
#[must_use]
pub fn tanh(x: f64) -> f64 {
    if x.abs() > 20.0 {
        return if x < 0.0 { -1.0 } else { 1.0 };
    }
    let e = exp(2.0 * x);
    (e - 1.0) / (e + 1.0)
}

/// 2^k for an integral k within the normal range.
fn power_of_two(k: f64) -> f64 {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "−1022 ≤ k ≤ 1023")]
    let exponent = (k + 1023.0) as u64;
    f64::from_bits(exponent << 52)
}

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "the machine's own functions are the yardstick here")]
mod tests {
    use super::*;

    fn sweep(from: f64, to: f64) -> impl Iterator<Item = f64> {
        (0..=20_000).map(move |i| from + (to - from) * f64::from(i) / 20_000.0)
    }

    #[test]
    fn sine_and_cosine_agree_with_libm() {
        for x in sweep(-30.0, 30.0) {
            let (s, c) = sin_cos(x);
            let bound = 3e-16 + 3.4e-16 * x.abs();
            assert!((s - x.sin()).abs() < bound && (c - x.cos()).abs() < bound, "at {x}");
            #[expect(clippy::cast_possible_truncation)]
            let t = ((x / TAU) - (x / TAU + 0.5).floor()) as f32;
            let (s, c) = sin_cos_turns_short(t);
            let exact = f64::from(t) * TAU;
            assert!((f64::from(s) - exact.sin()).abs() < 4e-7, "short sine at {t}");
            assert!((f64::from(c) - exact.cos()).abs() < 6e-7, "short cosine at {t}");
        }
    }

    #[test]
    fn arc_functions_agree_with_libm() {
        for x in sweep(-10.0, 10.0) {
            assert!((atan(x) - x.atan()).abs() < 5e-16, "at {x}");
            assert!((atan2(x, -0.7) - x.atan2(-0.7)).abs() < 1e-15, "at {x}");
            assert!((asin(x / 10.0) - (x / 10.0).asin()).abs() < 1e-14, "at {x}");
        }
        assert_eq!(atan2(0.0, 0.0).to_bits(), 0.0_f64.to_bits());
    }

    #[test]
    fn exponentials_and_logarithms_agree_with_libm() {
        for x in sweep(-50.0, 50.0) {
            assert!((exp(x) / x.exp() - 1.0).abs() < 1e-14, "exp at {x}");
            assert!((tanh(x) - x.tanh()).abs() < 1e-15, "tanh at {x}");
            let y = x.exp();
            assert!((ln(y) - y.ln()).abs() < 2e-15 * y.ln().abs().max(1.0), "ln at {y}");
        }
        assert!((pow(2.0, 0.5) - std::f64::consts::SQRT_2).abs() < 1e-15);
        assert!((log10(1e6) - 6.0).abs() < 1e-14);
    }
}
