//! What the water holds against a hull that moves ahead: friction and waves of its own making.

use crate::trig;
use crate::units::{GRAVITY_MPS2, WATER_KG_M3};

/// Kinematic viscosity of sea water at 15 °C, m²/s (ITTC 7.5-02-01-03).
const VISCOSITY_M2PS: f64 = 1.19e-6;
/// Share of the waterline's length in the Reynolds number of a yacht (Keuning & Sonnenberg 1998).
const REYNOLDS_LENGTH: f64 = 0.7;
/// Friction over that of a flat plate: form and roughness (fitted to ORC certificates).
const FORM_FACTOR: f64 = 1.02;
/// Added resistance in waves over that of a ship that does not pitch (fitted to ORC certificates).
const CHOP: f64 = 1.8;
/// Beam over draft beyond which residuary resistance does not grow: the series' term is a straight line
/// through hulls of 2.5 to 5 in the main (fitted to ORC certificates of light boats).
const BEAM_DRAFT_MAX: f64 = 5.0;
/// Entries of the table, and m/s from one to the next: to 16 m/s, twice what a displacement hull runs.
const ENTRIES: usize = 129;
const STEP_MPS: f64 = 0.125;

/// Froude numbers of the Delft series' polynomials.
const FROUDE: [f64; 14] = [0.0, 0.15, 0.2, 0.25, 0.3, 0.35, 0.4, 0.45, 0.5, 0.55, 0.6, 0.65, 0.7, 0.75];
/// Residuary resistance of the bare hull, coefficients a0 to a7 by Froude number
/// (Keuning & Katgert 2008, "A bare hull resistance prediction method derived from the results of the
/// Delft Systematic Yacht Hull Series extended to higher speeds").
const DELFT: [[f64; 14]; 8] = [
    [
        0.0, -0.0005, -0.0003, -0.0002, -0.0009, -0.0026, -0.0064, -0.0218, -0.0388, -0.0347, -0.0361,
        0.0008, 0.0108, 0.1023,
    ],
    [
        0.0, 0.0023, 0.0059, -0.0156, 0.0016, -0.0567, -0.4034, -0.5261, -0.5986, -0.4764, 0.0037, 0.3728,
        -0.1238, 0.7726,
    ],
    [
        0.0, -0.0086, -0.0064, 0.0031, 0.0337, 0.0446, -0.1250, -0.2945, -0.3038, -0.2361, -0.2960, -0.3667,
        -0.2026, 0.5040,
    ],
    [
        0.0, -0.0015, 0.0070, -0.0021, -0.0285, -0.1091, 0.0273, 0.2485, 0.6033, 0.8726, 0.9661, 1.3957,
        1.1282, 1.7867,
    ],
    [
        0.0, 0.0061, 0.0014, -0.0070, -0.0367, -0.0707, -0.1341, -0.2428, -0.0430, 0.4219, 0.6123, 1.0343,
        1.1836, 2.1934,
    ],
    [
        0.0, 0.0010, 0.0013, 0.0148, 0.0218, 0.0914, 0.3578, 0.6293, 0.8332, 0.8990, 0.7534, 0.3230, 0.4973,
        -1.5479,
    ],
    [
        0.0, 0.0001, 0.0005, 0.0010, 0.0015, 0.0021, 0.0045, 0.0081, 0.0106, 0.0096, 0.0100, 0.0072, 0.0038,
        -0.0115,
    ],
    [
        0.0, 0.0052, -0.0020, -0.0043, -0.0172, -0.0078, 0.1115, 0.2086, 0.1336, -0.2272, -0.3352, -0.4632,
        -0.4477, -0.0977,
    ],
];

/// What the resistance of an upright hull depends on.
#[derive(Clone, Copy, Debug)]
pub struct Body {
    /// Waterline, metres.
    pub waterline_m: f64,
    /// Beam of the waterline, metres.
    pub beam_m: f64,
    /// Displaced volume, m³.
    pub volume_m3: f64,
    /// Wetted surface, m².
    pub wetted_m2: f64,
}

impl Body {
    /// Skin friction by the ITTC-57 line, newtons.
    #[must_use]
    pub fn friction_n(&self, speed_mps: f64) -> f64 {
        let reynolds = (speed_mps * REYNOLDS_LENGTH * self.waterline_m / VISCOSITY_M2PS).max(1e4);
        let line = trig::log10(reynolds) - 2.0;
        0.5 * WATER_KG_M3 * speed_mps * speed_mps * self.wetted_m2 * FORM_FACTOR * 0.075 / (line * line)
    }

    /// Residuary resistance, newtons; beyond the series' Froude number 0.75 it stays a constant share of
    /// the weight.
    #[must_use]
    pub fn residuary_n(&self, speed_mps: f64) -> f64 {
        // Middle of the series: centres of buoyancy and flotation, prismatic, midship and waterplane
        // coefficients.
        let (lcb, lcf, prismatic, midship, plane) = (0.535, 0.565, 0.56, 0.74, 0.69);
        let side = trig::pow(self.volume_m3, 1.0 / 3.0);
        let plane_m2 = plane * self.waterline_m * self.beam_m;
        let draft_m = self.volume_m3 / (0.38 * self.waterline_m * self.beam_m);
        let terms = [
            lcb,
            prismatic,
            side * side / plane_m2,
            self.beam_m / self.waterline_m,
            lcb / lcf,
            (self.beam_m / draft_m).min(BEAM_DRAFT_MAX),
            midship,
        ];
        let froude = (speed_mps / (GRAVITY_MPS2 * self.waterline_m).sqrt()).min(FROUDE[13]);
        let mut sum = 0.0;
        for (a, term) in DELFT[1..].iter().zip(terms) {
            sum += interpolate(&FROUDE, a, froude) * term;
        }
        let share = interpolate(&FROUDE, &DELFT[0], froude) + sum * side / self.waterline_m;
        share.max(0.0) * self.volume_m3 * WATER_KG_M3 * GRAVITY_MPS2
    }
}

/// Resistance that short waves from ahead add, over their significant height squared, N/m²: the form of
/// STAWAVE-1, ρ g H² B √(B/L) / 16 (ITTC 7.5-04-01-01.2), which is for ships that do not pitch, times what
/// yachts' certificates show.
#[must_use]
pub fn in_chop_npm2(body: &Body) -> f64 {
    let shape = body.beam_m * (body.beam_m / body.waterline_m).sqrt();
    CHOP / 16.0 * WATER_KG_M3 * GRAVITY_MPS2 * shape
}

/// Linear interpolation in a table of rising `x`; its ends hold beyond it.
#[must_use]
pub fn interpolate<const N: usize>(x: &[f64; N], y: &[f64; N], at: f64) -> f64 {
    for n in 1..N {
        if at <= x[n] {
            let share = ((at - x[n - 1]) / (x[n] - x[n - 1])).max(0.0);
            return y[n - 1] + share * (y[n] - y[n - 1]);
        }
    }
    y[N - 1]
}

/// Resistance by speed, computed once for a class.
#[derive(Clone, Debug)]
pub struct Resistance {
    table_n: [f64; ENTRIES],
}

impl Resistance {
    /// The table of a hull.
    #[must_use]
    pub fn of(body: &Body) -> Self {
        let mut table_n = [0.0; ENTRIES];
        let mut speed_mps = 0.0;
        for entry in &mut table_n {
            *entry = body.friction_n(speed_mps) + body.residuary_n(speed_mps);
            speed_mps += STEP_MPS;
        }
        Self { table_n }
    }

    /// Newtons against a speed through the water, m/s either way; grows with the square beyond the table.
    #[must_use]
    pub fn at(&self, speed_mps: f64) -> f64 {
        let place = speed_mps.abs() / STEP_MPS;
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "not negative; saturates"
        )]
        let entry = place as usize;
        if entry >= ENTRIES - 1 {
            let over = speed_mps / (STEP_MPS * 128.0);
            return self.table_n[ENTRIES - 1] * over * over;
        }
        let share = place - place.floor();
        self.table_n[entry] + share * (self.table_n[entry + 1] - self.table_n[entry])
    }
}
