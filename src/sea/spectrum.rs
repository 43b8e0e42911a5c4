//! Wave spectra, their growth with wind and fetch, and dispersion.

use std::f64::consts::TAU;

use crate::trig;
use crate::units::GRAVITY_MPS2;

/// Significant wave height, metres, and peak period, seconds, of a sea limited by its fetch.
///
/// `wind_mps` at 10 m, `fetch_m` of open water upwind. JONSWAP relations as in the Shore Protection Manual
/// (1984, eqs. 3-33 and 3-34), up to the fully grown sea (3-36, 3-37).
#[must_use]
pub fn grown_sea(wind_mps: f64, fetch_m: f64) -> (f64, f64) {
    let u2_g = wind_mps * wind_mps / GRAVITY_MPS2;
    let fetch = fetch_m / u2_g;
    let height_m = (0.0016 * fetch.sqrt()).min(0.2433) * u2_g;
    let period_s = (0.2857 * trig::pow(fetch, 1.0 / 3.0)).min(8.134) * wind_mps / GRAVITY_MPS2;
    (height_m, period_s)
}

/// JONSWAP spectral density, m²/Hz.
///
/// `frequency_hz` where; `height_m` significant height; `period_s` peak period. DNV-RP-C205 (2010), § 3.5.5.
#[must_use]
pub fn jonswap(frequency_hz: f64, height_m: f64, period_s: f64) -> f64 {
    let ratio = frequency_hz * period_s;
    let width = if ratio > 1.0 { 0.09 } else { 0.07 };
    let off = (ratio - 1.0) / width;
    let peak = trig::exp(LN_PEAKEDNESS * trig::exp(-0.5 * off * off));
    (1.0 - 0.287 * LN_PEAKEDNESS) * pierson_moskowitz(frequency_hz, height_m, period_s) * peak
}

/// ln 3.3: the peakedness γ of a growing sea (Hasselmann et al. 1973, JONSWAP).
const LN_PEAKEDNESS: f64 = 1.193_922_468_472_434_6;

/// Pierson–Moskowitz spectral density of a significant height and a peak period, m²/Hz (DNV-RP-C205, § 3.5.5).
#[must_use]
pub fn pierson_moskowitz(frequency_hz: f64, height_m: f64, period_s: f64) -> f64 {
    let ratio2 = frequency_hz * period_s * frequency_hz * period_s;
    let inverse4 = 1.0 / (ratio2 * ratio2);
    0.3125 * height_m * height_m * inverse4 / frequency_hz * trig::exp(-1.25 * inverse4)
}

/// Wave number of linear waves, rad/m, from angular frequency, rad/s, and depth, metres.
///
/// Solves ω² = g k tanh k h (Airy) by Newton's method from Eckart's (1952) guess, which is within 5 %.
#[must_use]
pub fn wave_number(omega_radps: f64, depth_m: f64) -> f64 {
    const STEPS: usize = 5;
    let deep = omega_radps * omega_radps / GRAVITY_MPS2;
    let mut kh = deep * depth_m / trig::tanh(deep * depth_m).sqrt();
    for _ in 0..STEPS {
        let t = trig::tanh(kh);
        let off = kh * t - deep * depth_m;
        kh -= off / (t + kh * (1.0 - t * t));
    }
    kh / depth_m
}

/// Amplitude of a deep-water wave in a current over that in still water.
///
/// `ratio` is the current along the wave over the wave's phase speed in still water. Longuet-Higgins and
/// Stewart (1961): a/a₀ = c₀ / √(c (c + 2U)) with c/c₀ = ½ (1 + √(1 + 4U/c₀)). An opposing current of a
/// quarter of the phase speed blocks the wave: before that it breaks, and from 0.16 of it on its
/// amplitude falls to nothing at 0.30.
#[must_use]
#[inline]
#[expect(clippy::manual_clamp, reason = "a clamp's check of its bounds keeps the loop out of vectors")]
pub fn current_gain(ratio: f32) -> f32 {
    // With s = √(1 + 4U/c₀): c/c₀ = (1 + s)/2 and c (c + 2U)/c₀² = s (1 + s)²/4.
    let bounded = ratio.max(STEEPEST).min(FOLLOWING);
    let s = (1.0 + 4.0 * bounded).sqrt();
    let left = ((ratio - BLOCKED) * (1.0 / (STEEPEST - BLOCKED))).max(0.0).min(1.0);
    left * 2.0 / ((1.0 + s) * s.sqrt())
}

/// Opposing current, over the phase speed, at which waves are as steep as they get.
pub(super) const STEEPEST: f32 = -0.16;
/// Opposing current, over the phase speed, at which nothing of a wave is left.
const BLOCKED: f32 = -0.30;
/// Following current, over the phase speed, from which on waves flatten no more.
const FOLLOWING: f32 = 0.6;

/// JONSWAP's shape over its frequency ratio x = f/fp, f · S(f) / Hs², in a table: places need thousands of
/// values before their first tick.
#[derive(Debug)]
pub(super) struct Shape(Vec<f64>);

/// Distance of the table's entries: a seventh of the peak's half width, off by less than 0.5 % between.
const SHAPE_STEP: f64 = 0.01;
/// Entries of the table; beyond a ratio of 6 the tail falls with the fourth power.
const SHAPE_ENTRIES: u32 = 602;

impl Shape {
    /// The table.
    pub(super) fn new() -> Self {
        // A second spectrum of height and period 1 has f = x.
        Self(
            (0..SHAPE_ENTRIES)
                .map(f64::from)
                .map(|i| i * SHAPE_STEP)
                .map(|x| x * jonswap(x.max(0.01), 1.0, 1.0))
                .collect(),
        )
    }

    /// f · S(f), m², for a significant height, metres, at f over the peak's frequency.
    #[inline]
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "an entry's number")]
    #[expect(clippy::cast_precision_loss, reason = "six hundred entries")]
    pub(super) fn at(&self, ratio: f64, height_m: f64) -> f64 {
        const LAST: f64 = 6.0;
        let tail = if ratio > LAST { LAST / ratio } else { 1.0 };
        let at = ratio.min(LAST) * (1.0 / SHAPE_STEP);
        let below = at as usize;
        let share = at - below as f64;
        let shape = self.0[below] * (1.0 - share) + self.0[below + 1] * share;
        shape * height_m * height_m * (tail * tail * tail * tail)
    }
}

/// Angular frequency from frequency.
pub(super) fn omega(frequency_hz: f64) -> f64 {
    TAU * frequency_hz
}
