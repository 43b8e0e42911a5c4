//! What the waves do over one hull: the sum of all components at every column.
//!
//! Columns stand on a grid whose places are affine in (station, row), so each component's phase is too:
//! one sine for the corner, one rotation per station, one per row.

#![expect(clippy::needless_range_loop, reason = "lanes of several arrays go in step")]

use glam::DMat3;

use super::hull::{COLUMNS, Columns, ROWS, STATIONS};
use crate::sea::{LocalWaves, WAVES};
use crate::trig::{LANES, sin_cos_turns_lanes};

/// Stations at which the water's vertical motion is taken, the middles of four blocks of three, and the
/// rows, in steps of the grid.
const MOTION_X: [f64; 4] = [1.0, 4.0, 7.0, 10.0];
const MOTION_Y: [f64; ROWS] = [0.0, 1.0, 2.0, 3.0];

/// Waves over one hull at one tick. "Head" is dynamic pressure over ρg at the depth of the hull's bottom.
#[derive(Clone, Debug)]
pub struct HullWaves {
    /// Head at each column, metres.
    pub head_m: [f32; COLUMNS],
    /// Vertical velocity of the water: mean over the hull, m/s; change per metre forward and to port, 1/s.
    pub rise: [f64; 3],
    /// Vertical acceleration likewise, m/s² and 1/s².
    pub lift: [f64; 3],
    /// Horizontal velocity at the depth of the keel below the centre of gravity, east and north, m/s.
    pub drift_mps: [f64; 2],
}

type Lanes = [f32; WAVES];

/// e^−x for 0 ≤ x ≤ 16 within 1 %: Padé (2, 2) of a quarter, four times.
fn decay(x: f32) -> f32 {
    let q = x.min(16.0) * 0.25;
    let even = 1.0 + q * q * (1.0 / 12.0);
    let ratio = (even - 0.5 * q) / (even + 0.5 * q);
    let square = ratio * ratio;
    square * square
}

/// Nearest whole number by the rounding of addition itself: no instruction that old machines lack.
fn wrap(turns: f32) -> f32 {
    const ROUND: f32 = 12_582_912.0;
    turns - ((turns + ROUND) - ROUND)
}

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
#[inline]
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
    fn of(turns: &Lanes) -> Self {
        let (s, c) = sines(turns);
        Self { s, c }
    }

    fn then(&self, other: &Self) -> Self {
        let mut out = Self { s: [0.0; WAVES], c: [0.0; WAVES] };
        for w in 0..WAVES {
            out.s[w] = self.s[w] * other.c[w] + self.c[w] * other.s[w];
            out.c[w] = self.c[w] * other.c[w] - self.s[w] * other.s[w];
        }
        out
    }

    fn scaled(&self, by: &Lanes) -> Self {
        let mut out = *self;
        for w in 0..WAVES {
            out.s[w] *= by[w];
            out.c[w] *= by[w];
        }
        out
    }

    /// Σ cos(a + b).
    fn cosines(&self, other: &Self) -> f32 {
        let mut lanes = [0.0; LANES];
        for w in 0..LANES {
            let (v, u) = (w, w + LANES);
            lanes[w] = (self.c[v] * other.c[v] - self.s[v] * other.s[v])
                + (self.c[u] * other.c[u] - self.s[u] * other.s[u]);
        }
        sum(&lanes)
    }

    /// Σ sin(a + b).
    fn sines(&self, other: &Self) -> f32 {
        let mut lanes = [0.0; LANES];
        for w in 0..LANES {
            let (v, u) = (w, w + LANES);
            lanes[w] = (self.s[v] * other.c[v] + self.c[v] * other.s[v])
                + (self.s[u] * other.c[u] + self.c[u] * other.s[u]);
        }
        sum(&lanes)
    }
}

/// How a hull meets the waves: depths at which their pressure and motion are taken, and the weights of
/// its stations in the mean motion.
#[derive(Clone, Debug)]
pub struct WaveShape {
    /// Mean depth of the bottom, metres.
    pub bottom_m: f32,
    /// Depth of the middle of the keel, metres.
    pub keel_m: f32,
    /// Height of the centre of gravity above the waterline, metres.
    pub cg_m: f64,
    /// Weights of the four blocks of stations; their sum is 1.
    pub weight: [f64; 4],
}

/// Sums the waves over a hull in an attitude; `waves` is about the hull's centre of gravity.
#[must_use]
pub fn over_hull(columns: &Columns, shape: &WaveShape, axes: &DMat3, waves: &LocalWaves) -> HullWaves {
    let (fx, fy) = (short(axes.x_axis.x), short(axes.x_axis.y));
    let (px, py) = (short(axes.y_axis.x), short(axes.y_axis.y));
    let (ox, oy) = (short(-shape.cg_m * axes.z_axis.x), short(-shape.cg_m * axes.z_axis.y));
    let [x0, dx, y0, dy] = columns.grid_m;
    let (mut corner, mut along, mut across) = ([0.0; WAVES], [0.0; WAVES], [0.0; WAVES]);
    let (mut head, mut rise, mut lift) = ([0.0; WAVES], [0.0; WAVES], [0.0; WAVES]);
    let (mut drift_x, mut drift_y) = ([0.0; WAVES], [0.0; WAVES]);
    for w in 0..WAVES {
        let (kx, ky) = (waves.kx[w], waves.ky[w]);
        let forward = kx * fx + ky * fy;
        let port = kx * px + ky * py;
        corner[w] = wrap(waves.phase[w] + (kx * ox + ky * oy) + x0 * forward + y0 * port);
        along[w] = wrap(dx * forward);
        across[w] = wrap(dy * port);
        let (k, omega) = (waves.k_radpm[w], waves.omega_radps[w]);
        head[w] = waves.amplitude_m[w] * decay(k * shape.bottom_m);
        rise[w] = head[w] * omega;
        lift[w] = -rise[w] * omega;
        // Wave numbers are in turns a metre: 2π over k makes a unit vector of them.
        let speed =
            waves.amplitude_m[w] * decay(k * shape.keel_m) * omega * std::f32::consts::TAU / k.max(1e-6);
        drift_x[w] = speed * kx;
        drift_y[w] = speed * ky;
    }
    let step = Turn::of(&along);
    let mut station = Turn::of(&corner);
    let row = Turn::of(&across);
    let mut rows = [Turn { s: [0.0; WAVES], c: [1.0; WAVES] }; ROWS];
    for j in 1..ROWS {
        rows[j] = rows[j - 1].then(&row);
    }
    let heads = rows.map(|row| row.scaled(&head));
    let rises = rows.map(|row| row.scaled(&rise));
    let lifts = rows.map(|row| row.scaled(&lift));

    let mut out = HullWaves { head_m: [0.0; COLUMNS], rise: [0.0; 3], lift: [0.0; 3], drift_mps: [0.0; 2] };
    let mut motion = [[[0.0_f64; 2]; ROWS]; 4];
    for i in 0..STATIONS {
        for j in 0..ROWS {
            out.head_m[i * ROWS + j] = station.cosines(&heads[j]);
        }
        if i % 3 == 1 {
            for j in 0..ROWS {
                motion[i / 3][j] =
                    [f64::from(station.sines(&rises[j])), f64::from(station.cosines(&lifts[j]))];
            }
        }
        station = station.then(&step);
    }
    for n in 0..2 {
        let fit = fit(columns, shape, |block, j| motion[block][j][n]);
        if n == 0 { out.rise = fit } else { out.lift = fit }
    }
    let (_, centre) = sines(&waves.phase);
    let (mut x, mut y) = ([0.0; LANES], [0.0; LANES]);
    for w in 0..LANES {
        x[w] = centre[w] * drift_x[w] + centre[w + LANES] * drift_x[w + LANES];
        y[w] = centre[w] * drift_y[w] + centre[w + LANES] * drift_y[w + LANES];
    }
    out.drift_mps = [f64::from(sum(&x)), f64::from(sum(&y))];
    out
}

/// Mean and slopes, forward and to port, of a field over the blocks, by weighted least squares.
fn fit(columns: &Columns, shape: &WaveShape, field: impl Fn(usize, usize) -> f64) -> [f64; 3] {
    let [x0, dx, y0, dy] = columns.grid_m.map(f64::from);
    let (mut mean, mut mean_x, mut slope_x, mut square_x, mut slope_y, mut square_y) =
        (0.0, 0.0, 0.0, 0.0, 0.0, 0.0);
    for block in 0..4 {
        let x = x0 + dx * MOTION_X[block];
        let weight = shape.weight[block];
        mean_x += weight * x;
        for (j, y_step) in MOTION_Y.iter().enumerate() {
            let y = y0 + dy * y_step;
            let value = field(block, j);
            mean += 0.25 * weight * value;
            slope_x += 0.25 * weight * value * x;
            slope_y += 0.25 * weight * value * y;
            square_y += 0.25 * weight * y * y;
        }
        square_x += weight * x * x;
    }
    let forward = (slope_x - mean * mean_x) / (square_x - mean_x * mean_x);
    // The mean belongs to the centre of gravity, x = 0.
    [mean - forward * mean_x, forward, slope_y / square_y]
}
