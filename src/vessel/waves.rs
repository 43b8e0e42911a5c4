//! What the waves do over one hull: the sum of all components at every column.
//!
//! Columns stand on a grid whose places are affine in (station, row), so each component's phase is too.
//! The grid is symmetric about its middle: with the phase θ there, a forward and b to port,
//! cos(θ ± a ± b) are four sums and differences of the same four products. One sine for the middle and
//! one for half a step each way do for the whole hull; the rest are rotations and multiplications.

#![expect(clippy::needless_range_loop, reason = "lanes of several arrays go in step")]

use glam::DMat3;

use super::hull::{COLUMNS_MAX, Columns, Grid};
use crate::sea::{LocalWaves, WAVES};
use crate::trig::{LANES, sin_cos_turns_lanes};
use crate::wide::{self, Work};

/// Waves over one hull at one tick. "Head" is dynamic pressure over ρg at the depth of the hull's bottom.
#[derive(Clone, Debug)]
pub struct HullWaves {
    /// Head at each column, metres.
    pub head_m: [f32; COLUMNS_MAX],
    /// Vertical velocity of the water: mean over the hull, m/s; change per metre forward and to port, 1/s.
    pub rise: [f64; 3],
    /// Vertical acceleration likewise, m/s² and 1/s².
    pub lift: [f64; 3],
    /// Horizontal velocity amidships at the depth of the keel, east and north, m/s.
    pub drift_mps: [f64; 2],
}

impl HullWaves {
    /// Adds other waves over the same hull.
    pub fn add(&mut self, other: &Self) {
        for c in 0..COLUMNS_MAX {
            self.head_m[c] += other.head_m[c];
        }
        for n in 0..3 {
            self.rise[n] += other.rise[n];
            self.lift[n] += other.lift[n];
        }
        for axis in 0..2 {
            self.drift_mps[axis] += other.drift_mps[axis];
        }
    }
}

/// How a hull meets the waves: depths at which their pressure and motion are taken, and how the mean
/// motion of the water is fitted over it.
#[derive(Clone, Debug)]
pub struct WaveShape {
    /// Mean depth of the bottom, metres.
    bottom_m: f32,
    /// Depth of the middle of the keel, metres.
    keel_m: f32,
    /// Height of the centre of gravity above the waterline, metres.
    cg_m: f64,
    /// Weights of the water's vertical motion at the middles of four blocks of stations: in its mean at
    /// the centre of gravity, in its change forward, and in the mean over the blocks.
    fit: [[f32; 4]; 3],
    /// Places of the rows to port of the middle over the sum of their squares, 1/m.
    across: [f32; ROWS_ASIDE_MAX],
}

/// Rows to one side of the middle at most.
const ROWS_ASIDE_MAX: usize = 4;

/// Stations from the middle of a grid that the fit uses, in steps, the near and the far one: those in the
/// middles of quarters of the hull, or next to them.
const fn quarters(grid: Grid) -> [f64; 2] {
    match grid {
        Grid::Boat => [1.5, 4.5],
        Grid::Ship => [3.5, 8.5],
    }
}

impl WaveShape {
    /// Fits by weighted least squares over quarters of the hull, whose weights sum to 1.
    #[must_use]
    pub fn new(columns: &Columns, bottom_m: f64, keel_m: f64, cg_m: f64, weight: [f64; 4]) -> Self {
        let [x0, dx, y0, dy] = columns.grid_m.map(f64::from);
        let middle_m = x0 + 0.5 * dx * f64::from(count(columns.stations() - 1));
        let [near, far] = quarters(columns.grid);
        let x = [-far, -near, near, far].map(|steps| middle_m + steps * dx);
        let (mut mean, mut square) = (0.0, 0.0);
        for n in 0..4 {
            mean += weight[n] * x[n];
            square += weight[n] * x[n] * x[n];
        }
        let spread = square - mean * mean;
        let slope: [f64; 4] = std::array::from_fn(|n| weight[n] * (x[n] - mean) / spread);
        let middle: [f64; 4] = std::array::from_fn(|n| weight[n] - mean * slope[n]);
        let rows = columns.grid.rows() / 2;
        let mut row_m = [0.0; ROWS_ASIDE_MAX];
        for m in 0..rows {
            row_m[m] = y0 + dy * f64::from(count(rows + m));
        }
        let squares: f64 = row_m.iter().map(|y| y * y).sum();
        let across = row_m.map(|y| short(y / squares));
        Self {
            bottom_m: short(bottom_m),
            keel_m: short(keel_m),
            cg_m,
            fit: [middle.map(short), slope.map(short), weight.map(short)],
            across,
        }
    }
}

type Lanes = [f32; WAVES];

#[expect(clippy::cast_possible_truncation, reason = "a hull has few rows and stations")]
const fn count(number: usize) -> u32 {
    number as u32
}

/// e^−x for 0 ≤ x ≤ 16 within 1 %: Padé (2, 2) of a quarter, four times.
#[inline(always)]
fn decay(x: f32) -> f32 {
    let q = x.min(16.0) * 0.25;
    let even = 1.0 + q * q * (1.0 / 12.0);
    let ratio = (even - 0.5 * q) / (even + 0.5 * q);
    let square = ratio * ratio;
    square * square
}

/// Nearest whole number by the rounding of addition itself: no instruction that old machines lack.
#[inline(always)]
fn wrap(turns: f32) -> f32 {
    const ROUND: f32 = 12_582_912.0;
    turns - ((turns + ROUND) - ROUND)
}

#[inline(always)]
fn sines(turns: &Lanes) -> (Lanes, Lanes) {
    let (mut s, mut c) = ([0.0; WAVES], [0.0; WAVES]);
    for block in 0..WAVES / LANES {
        let at = block * LANES;
        let mut part = [0.0; LANES];
        part.copy_from_slice(&turns[at..at + LANES]);
        let (ps, pc) = sin_cos_turns_lanes(&part);
        s[at..at + LANES].copy_from_slice(&ps);
        c[at..at + LANES].copy_from_slice(&pc);
    }
    (s, c)
}

/// Sum of lanes in one fixed order: halves onto halves.
#[inline(always)]
fn sum(lanes: &[f32; LANES]) -> f32 {
    let mut a = [0.0; 8];
    for n in 0..8 {
        a[n] = lanes[n] + lanes[n + 8];
    }
    let b = [a[0] + a[4], a[1] + a[5], a[2] + a[6], a[3] + a[7]];
    (b[0] + b[2]) + (b[1] + b[3])
}

#[expect(clippy::cast_possible_truncation, reason = "offsets of metres, in single precision")]
const fn short(value: f64) -> f32 {
    value as f32
}

/// One rotation of each component: sine and cosine.
#[derive(Clone, Copy)]
struct Turn {
    s: Lanes,
    c: Lanes,
}

impl Turn {
    #[inline(always)]
    fn of(turns: &Lanes) -> Self {
        let (s, c) = sines(turns);
        Self { s, c }
    }

    #[inline(always)]
    fn then(&self, other: &Self) -> Self {
        let mut out = Self { s: [0.0; WAVES], c: [0.0; WAVES] };
        for w in 0..WAVES {
            out.s[w] = self.s[w] * other.c[w] + self.c[w] * other.s[w];
            out.c[w] = self.c[w] * other.c[w] - self.s[w] * other.s[w];
        }
        out
    }
}

/// Steps from the first station to the middle of a grid.
#[inline(always)]
const fn half_steps(grid: Grid) -> f32 {
    match grid {
        Grid::Boat => 5.5,
        Grid::Ship => 11.5,
    }
}

/// Σ a b over the components.
#[inline(always)]
fn dot(a: &Lanes, b: &Lanes) -> f32 {
    let mut lanes = [0.0; LANES];
    for w in 0..LANES {
        lanes[w] = a[w] * b[w] + a[w + LANES] * b[w + LANES];
    }
    sum(&lanes)
}

/// The components where the hull is: phases as rotations, and their strengths.
struct Field {
    /// Phase in the middle of the grid.
    middle: Turn,
    /// Half a step forward, and half a step to port.
    forward: Turn,
    port: Turn,
    /// Amplitude of the head, metres; of the vertical velocity, m/s; of the acceleration, m/s².
    head: Lanes,
    rise: Lanes,
    lift: Lanes,
    /// Amplitude of the horizontal velocity at the keel, east and north, m/s.
    drift: [Lanes; 2],
}

impl Field {
    #[inline(always)]
    fn of(columns: &Columns, shape: &WaveShape, axes: &DMat3, waves: &LocalWaves) -> Self {
        let (fx, fy) = (short(axes.x_axis.x), short(axes.x_axis.y));
        let (px, py) = (short(axes.y_axis.x), short(axes.y_axis.y));
        let [x0, dx, _, dy] = columns.grid_m;
        // The middle of the grid lies on the waterline, amidships.
        let x = x0 + dx * half_steps(columns.grid);
        let ox = short(-shape.cg_m * axes.z_axis.x) + x * fx;
        let oy = short(-shape.cg_m * axes.z_axis.y) + x * fy;
        let (mut middle, mut along, mut across) = ([0.0; WAVES], [0.0; WAVES], [0.0; WAVES]);
        let (mut head, mut rise, mut lift) = ([0.0; WAVES], [0.0; WAVES], [0.0; WAVES]);
        let mut drift = [[0.0; WAVES]; 2];
        for w in 0..WAVES {
            let (kx, ky) = (waves.kx[w], waves.ky[w]);
            middle[w] = wrap(waves.phase[w] + (kx * ox + ky * oy));
            along[w] = wrap(0.5 * dx * (kx * fx + ky * fy));
            across[w] = wrap(0.5 * dy * (kx * px + ky * py));
            let (k, omega) = (waves.k_radpm[w], waves.omega_radps[w]);
            head[w] = waves.amplitude_m[w] * decay(k * shape.bottom_m);
            rise[w] = head[w] * omega;
            lift[w] = -rise[w] * omega;
            // Wave numbers are in turns a metre: 2π over k makes a unit vector of them.
            let at_keel = waves.amplitude_m[w] * decay(k * shape.keel_m);
            let speed = at_keel * omega * std::f32::consts::TAU / k.max(1e-6);
            drift[0][w] = speed * kx;
            drift[1][w] = speed * ky;
        }
        Self {
            middle: Turn::of(&middle),
            forward: Turn::of(&along),
            port: Turn::of(&across),
            head,
            rise,
            lift,
            drift,
        }
    }

    /// Rotations by 1, 3, 5, … half steps.
    #[inline(always)]
    fn odd_steps<const N: usize>(half: &Turn) -> [Turn; N] {
        let step = half.then(half);
        let mut turns = [*half; N];
        for n in 1..N {
            turns[n] = turns[n - 1].then(&step);
        }
        turns
    }

    /// Head at every column.
    #[inline(always)]
    fn heads<const N: usize, const M: usize>(
        &self,
        along: &[Turn; N],
        across: &[Turn; M],
    ) -> [f32; COLUMNS_MAX] {
        let rows = 2 * M;
        let mut head_m = [0.0; COLUMNS_MAX];
        for (m, b) in across.iter().enumerate() {
            // Strength and phase in the middle, times cos b and sin b.
            let mut part = [[0.0; WAVES]; 4];
            for w in 0..WAVES {
                let (c, s) = (self.head[w] * self.middle.c[w], self.head[w] * self.middle.s[w]);
                part[0][w] = c * b.c[w];
                part[1][w] = s * b.s[w];
                part[2][w] = s * b.c[w];
                part[3][w] = c * b.s[w];
            }
            for (n, a) in along.iter().enumerate() {
                // cos(θ ± a ± b) in products of one function of each.
                let even = dot(&part[0], &a.c);
                let port = dot(&part[1], &a.c);
                let ahead = dot(&part[2], &a.s);
                let both = dot(&part[3], &a.s);
                let (fore, aft) = (N + n, N - 1 - n);
                let (left, right) = (M + m, M - 1 - m);
                head_m[fore * rows + left] = (even - both) - (ahead + port);
                head_m[fore * rows + right] = (even + both) - (ahead - port);
                head_m[aft * rows + left] = (even + both) + (ahead - port);
                head_m[aft * rows + right] = (even - both) + (ahead + port);
            }
        }
        head_m
    }

    /// Vertical velocity and acceleration of the water, fitted over the hull.
    #[inline(always)]
    fn motion<const M: usize>(
        &self,
        shape: &WaveShape,
        [near, far]: [&Turn; 2],
        across: &[Turn; M],
    ) -> [[f64; 3]; 2] {
        let (mut mean, mut slope) = ([0.0; WAVES], [0.0; WAVES]);
        for m in 0..M {
            for w in 0..WAVES {
                mean[w] += across[m].c[w];
                slope[w] += shape.across[m] * across[m].s[w];
            }
        }
        let share = [0.0, 1.0, 0.5, 1.0 / 3.0, 0.25][M];
        let mut out = [[0.0; 3]; 2];
        for n in 0..3 {
            let [g0, g1, g2, g3] = shape.fit[n];
            let (mut rise, mut lift) = ([0.0; WAVES], [0.0; WAVES]);
            for w in 0..WAVES {
                // Σ g e^(ia) over the blocks, then the mean over the rows or its slope across them.
                let c = (g0 + g3) * far.c[w] + (g1 + g2) * near.c[w];
                let s = (g3 - g0) * far.s[w] + (g2 - g1) * near.s[w];
                let cosine = self.middle.c[w] * c - self.middle.s[w] * s;
                let sine = self.middle.s[w] * c + self.middle.c[w] * s;
                // Across the rows, sin(φ + b) grows as cos φ sin b, and cos(φ + b) as −sin φ sin b.
                rise[w] = if n < 2 { sine * (mean[w] * share) } else { cosine * slope[w] };
                lift[w] = if n < 2 { cosine * (mean[w] * share) } else { -sine * slope[w] };
            }
            out[0][n] = f64::from(dot(&rise, &self.rise));
            out[1][n] = f64::from(dot(&lift, &self.lift));
        }
        out
    }
}

/// Sums the waves over a hull in an attitude; `waves` is about the hull's centre of gravity.
#[must_use]
pub fn over_hull(columns: &Columns, shape: &WaveShape, axes: &DMat3, waves: &LocalWaves) -> HullWaves {
    wide::widest(OverHull { columns, shape, axes, waves })
}

/// The waves over one hull, as work on lanes.
#[derive(Clone, Copy)]
struct OverHull<'a> {
    columns: &'a Columns,
    shape: &'a WaveShape,
    axes: &'a DMat3,
    waves: &'a LocalWaves,
}

impl Work for OverHull<'_> {
    type Result = HullWaves;

    #[inline(always)]
    fn run(self) -> HullWaves {
        match self.columns.grid {
            Grid::Boat => self.over::<6, 2>([1, 4]),
            Grid::Ship => self.over::<12, 4>([3, 8]),
        }
    }
}

impl OverHull<'_> {
    /// Over a grid of 2 N by 2 M columns; `quarters` are those odd half steps that the fit uses.
    #[inline(always)]
    fn over<const N: usize, const M: usize>(self, quarters: [usize; 2]) -> HullWaves {
        let field = Field::of(self.columns, self.shape, self.axes, self.waves);
        let along = Field::odd_steps::<N>(&field.forward);
        let across = Field::odd_steps::<M>(&field.port);
        let [rise, lift] = field.motion(self.shape, quarters.map(|n| &along[n]), &across);
        let drift_mps = field.drift.map(|drift| f64::from(dot(&drift, &field.middle.c)));
        HullWaves { head_m: field.heads(&along, &across), rise, lift, drift_mps }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vessel::{Class, boats, rotation};

    /// Some waves with all kinds of directions, and lengths from a third of a boat to ten boats, or as many
    /// times larger.
    fn chop(large: f64) -> LocalWaves {
        let lane = |f: &dyn Fn(f64) -> f64| -> Lanes {
            std::array::from_fn(|w| short(f(f64::from(u32::try_from(w).unwrap()))))
        };
        let k = |n: f64| 0.05 * (1.0 + n * 0.9) / large;
        let towards = |n: f64| crate::trig::sin_cos(0.7 * n);
        LocalWaves {
            amplitude_m: lane(&|n| 0.3 / (1.0 + n)),
            phase: lane(&|n| (n * 0.37).fract() - 0.5),
            kx: lane(&|n| k(n) * towards(n).0 / std::f64::consts::TAU),
            ky: lane(&|n| k(n) * towards(n).1 / std::f64::consts::TAU),
            k_radpm: lane(&k),
            omega_radps: lane(&|n| (9.81 * k(n)).sqrt()),
        }
    }

    /// How much larger a ship is than a launch.
    const SHIP: f64 = 5.0;

    /// A launch as large as a ship.
    fn ship() -> Class {
        Class::new(&boats::named("launch").unwrap().scaled(SHIP))
    }

    #[test]
    fn vectors_of_any_width_have_the_same_bits() {
        for (class, large) in [(Class::new(boats::named("first407").unwrap()), 1.0), (ship(), SHIP)] {
            for n in 0..50_i32 {
                let waves = chop(large);
                let angle = f64::from(n) * 0.13;
                let axes =
                    rotation::axes(rotation::turned(rotation::upright(angle), glam::DVec3::X * 0.3, angle));
                let work =
                    OverHull { columns: &class.columns, shape: &class.waves, axes: &axes, waves: &waves };
                let results = wide::at_each_width(work);
                let bits = |waves: &HullWaves| {
                    let doubles = [waves.rise, waves.lift].concat();
                    let doubles = doubles.iter().chain(&waves.drift_mps).map(|value| value.to_bits());
                    (waves.head_m.map(f32::to_bits), doubles.collect::<Vec<_>>())
                };
                assert!(results.iter().all(|wide| bits(wide) == bits(&results[0])), "heading {angle}");
            }
        }
    }

    #[test]
    fn products_are_the_direct_sum() {
        products(&Class::new(boats::named("first407").unwrap()), 1.0);
        products(&ship(), SHIP);
    }

    #[expect(clippy::disallowed_methods, reason = "the machine's own functions are the yardstick here")]
    fn products(class: &Class, large: f64) {
        let (columns, shape, waves) = (&class.columns, &class.waves, chop(large));
        let axes = rotation::axes(rotation::turned(rotation::upright(0.8), glam::DVec3::X * 0.3, 1.0));
        let over = over_hull(columns, shape, &axes, &waves);
        let [x0, dx, y0, dy] = columns.grid_m.map(f64::from);
        let field = |x: f64, y: f64, part: &dyn Fn(f64, f64, f64, f64) -> f64| -> f64 {
            let place = axes.x_axis * x + axes.y_axis * y - axes.z_axis * shape.cg_m;
            (0..WAVES)
                .map(|w| {
                    let [a, phase, kx, ky, k, omega] = [
                        waves.amplitude_m[w],
                        waves.phase[w],
                        waves.kx[w],
                        waves.ky[w],
                        waves.k_radpm[w],
                        waves.omega_radps[w],
                    ]
                    .map(f64::from);
                    let theta = (phase + kx * place.x + ky * place.y) * std::f64::consts::TAU;
                    part(a * (-k * f64::from(shape.bottom_m)).exp(), omega, theta.cos(), theta.sin())
                })
                .sum()
        };
        let index = |n: usize| f64::from(u32::try_from(n).unwrap());
        for i in 0..columns.stations() {
            for j in 0..columns.grid.rows() {
                let (x, y) = (x0 + dx * index(i), y0 + dy * index(j));
                let exact = field(x, y, &|a, _, c, _| a * c);
                let got = f64::from(over.head_m[columns.of_station(i).start + j]);
                assert!((got - exact).abs() < 0.003, "head at {i}, {j}: {got}, not {exact}");
            }
        }
        // The mean motion amidships is near the water's own at the centre of gravity for what is long.
        let [rise, forward, port] = over.rise;
        let mean = |f: &dyn Fn(f64, f64) -> f64| {
            let places = [(-3.5, 0.8), (-3.5, -0.8), (3.5, 0.8), (3.5, -0.8), (0.0, 0.0)];
            places.iter().map(|(x, y)| f(*x * large, *y * large)).sum::<f64>() / 5.0
        };
        let w = |x: f64, y: f64| field(x, y, &|a, omega, _, s| a * omega * s);
        assert!((rise - mean(&w)).abs() < 0.12, "rise {rise}, not {}", mean(&w));
        let slope = (w(3.0 * large, 0.0) - w(-3.0 * large, 0.0)) / (6.0 * large);
        assert!((forward - slope).abs() < 0.06, "slope forward {forward}, not {slope}");
        let slope = mean(&|x, _| (w(x, 0.8 * large) - w(x, -0.8 * large)) / (1.6 * large));
        assert!((port - slope).abs() < 0.06, "slope to port {port}, not {slope}");
    }
}
