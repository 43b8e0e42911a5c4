//! The canoe body as columns of water pressed aside: 12 × 4 of a boat, 24 × 8 of a ship.
//!
//! Each column's bottom slopes evenly over its width, so that its immersed volume grows smoothly from
//! the first touch to full immersion. Heights count from the waterline at rest, along the body's z axis.

use serde::{Deserialize, Serialize};

use crate::trig;
use crate::units::{GRAVITY_MPS2, WATER_KG_M3};

/// Columns of any hull at most.
pub const COLUMNS_MAX: usize = 24 * 8;
/// Length over all from which a hull is a ship with the finer grid, metres: waves that a boat's columns still
/// resolve are two of a ship's long.
pub const SHIP_M: f64 = 30.0;

/// How finely a hull is cut into columns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Grid {
    /// 12 stations of 4 columns.
    Boat,
    /// 24 stations of 8.
    Ship,
}

impl Grid {
    /// Columns along the hull.
    #[must_use]
    pub const fn stations(self) -> usize {
        match self {
            Self::Boat => 12,
            Self::Ship => 24,
        }
    }

    /// Columns across it.
    #[must_use]
    pub const fn rows(self) -> usize {
        match self {
            Self::Boat => 4,
            Self::Ship => 8,
        }
    }

    /// All columns.
    #[must_use]
    pub const fn columns(self) -> usize {
        self.stations() * self.rows()
    }
}

/// Columns stand where their second moments equal those of the plane that they stand for: points in the
/// middle of n strips have 1 − 1/n² of it.
fn stretch(strips: usize) -> f64 {
    let n = index_f64(strips);
    n / (n * n - 1.0).sqrt()
}

/// Least rise of a column's bottom over its width, metres: single precision divides by it.
const SLOPE_M_MIN: f64 = 0.05;
/// Points at which a section is sampled across one column.
const SECTION_POINTS: u32 = 20;

/// The outline from which columns are cut.
pub trait Form {
    /// Length of the deck, metres, about x = 0.
    fn length_m(&self) -> f64;
    /// Half of the deck's breadth at a station x metres forward, metres.
    fn half_breadth_m(&self, x_m: f64) -> f64;
    /// Height of the bottom at a station and a share of the half-breadth, metres.
    fn bottom_m(&self, x_m: f64, share: f64) -> f64;
    /// Height of the deck, metres.
    fn deck_m(&self) -> f64;
}

/// What a hull's lines are like.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Shape {
    /// Round bilges, overhangs and a transom.
    #[default]
    Yacht,
    /// Wigley's parabolic hull (Wigley 1934), pointed at both ends, with upright sides above the
    /// waterline: the towing tanks' reference.
    Wigley,
    /// A barge: flat bottom, upright sides and ends.
    Box,
}

/// A hull by its dimensions.
#[derive(Clone, Copy, Debug)]
pub struct HullForm {
    /// Its lines.
    pub shape: Shape,
    /// Over all, metres.
    pub length_m: f64,
    /// On deck, metres.
    pub beam_m: f64,
    /// Of the waterline, metres.
    pub waterline_m: f64,
    /// Of the waterline, metres.
    pub waterline_beam_m: f64,
    /// Greatest draft of the canoe body, metres.
    pub draft_m: f64,
    /// Deck above the waterline, metres.
    pub freeboard_m: f64,
}

impl Form for HullForm {
    fn length_m(&self) -> f64 {
        self.length_m
    }

    fn half_breadth_m(&self, x_m: f64) -> f64 {
        let s = 2.0 * x_m / self.length_m;
        match self.shape {
            Shape::Yacht => {}
            Shape::Wigley => return 0.5 * self.beam_m * (1.0 - s * s).max(0.0),
            Shape::Box => return 0.5 * self.beam_m,
        }
        let share = if s > 0.0 { 1.0 - s * s * (0.6 + 0.4 * s) } else { 1.0 + 0.38 * s * s * s };
        0.5 * self.beam_m * share.max(0.02)
    }

    fn bottom_m(&self, x_m: f64, share: f64) -> f64 {
        match self.shape {
            Shape::Yacht => {}
            // The breadth at a depth z is that of the waterline times 1 − (z / draft)².
            Shape::Wigley => return -self.draft_m * (1.0 - share).max(0.0).sqrt(),
            Shape::Box => return -self.draft_m,
        }
        let s = 2.0 * x_m / self.waterline_m;
        let draft_m = self.draft_m * (1.0 - s * s);
        let rise_m = draft_m + self.freeboard_m;
        if draft_m <= 0.0 {
            return (-draft_m + (self.freeboard_m + draft_m) * share * share).min(self.freeboard_m);
        }
        let plan = if s > 0.0 { 1.0 - s * s } else { 1.0 + 0.72 * s * s * s };
        let wet_share = (0.5 * self.waterline_beam_m * plan / self.half_breadth_m(x_m)).clamp(0.02, 0.98);
        // The section crosses the water at the waterline's breadth.
        let power = (trig::ln(draft_m / rise_m) / trig::ln(wet_share)).clamp(0.8, 8.0);
        -draft_m + rise_m * trig::pow(share, power)
    }

    fn deck_m(&self) -> f64 {
        self.freeboard_m
    }
}

/// The columns of one hull, in single-precision lanes; column (station i from aft, row j from starboard) has
/// index `i * rows + j`.
#[derive(Clone, Debug)]
pub struct Columns {
    /// How many there are, and how they stand.
    pub grid: Grid,
    /// Forward of the centre of gravity, metres.
    pub x_m: [f32; COLUMNS_MAX],
    /// To port, metres.
    pub y_m: [f32; COLUMNS_MAX],
    /// To port of the place in the grid at which its waves are sampled, metres.
    pub aside_m: [f32; COLUMNS_MAX],
    /// Plan area, square metres.
    pub area_m2: [f32; COLUMNS_MAX],
    /// Lowest point of the bottom above the waterline, metres.
    pub low_m: [f32; COLUMNS_MAX],
    /// Rise of the bottom over the column's width, metres.
    pub rise_m: [f32; COLUMNS_MAX],
    /// Deck above the waterline, metres.
    pub deck_m: f32,
    /// The grid on which waves are sampled: x of station 0, distance between stations, y of row 0,
    /// distance between rows; metres.
    pub grid_m: [f32; 4],
}

/// What still water does to a hull at its waterline.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Hydrostatics {
    /// Displaced volume, m³.
    pub volume_m3: f64,
    /// Centre of buoyancy forward of the columns' origin, metres.
    pub buoyancy_x_m: f64,
    /// Centre of buoyancy above the waterline, metres: negative.
    pub buoyancy_z_m: f64,
    /// Area of the waterplane, m².
    pub plane_m2: f64,
    /// Second moment of the waterplane about its long axis, m⁴.
    pub transverse_m4: f64,
    /// Second moment about the athwartships axis through the centre of buoyancy, m⁴.
    pub longitudinal_m4: f64,
}

#[expect(clippy::cast_possible_truncation, reason = "columns are kept in single precision")]
const fn short(value: f64) -> f32 {
    value as f32
}

fn index_f64(index: usize) -> f64 {
    u32::try_from(index).map_or(0.0, f64::from)
}

impl Columns {
    /// Cuts a form into columns; x = 0 stays where the form has it.
    #[must_use]
    pub fn cut(form: &dyn Form, grid: Grid) -> Self {
        let (stations, rows) = (grid.stations(), grid.rows());
        let step_m = form.length_m() / index_f64(stations);
        let mut columns = Self {
            grid,
            x_m: [0.0; COLUMNS_MAX],
            y_m: [0.0; COLUMNS_MAX],
            aside_m: [0.0; COLUMNS_MAX],
            area_m2: [0.0; COLUMNS_MAX],
            low_m: [0.0; COLUMNS_MAX],
            // Columns that are not there divide by it too.
            rise_m: [1.0; COLUMNS_MAX],
            deck_m: short(form.deck_m()),
            grid_m: [0.0; 4],
        };
        let width = 2.0 / index_f64(rows);
        let along = stretch(stations);
        let mut breadth_sum_m = 0.0;
        for i in 0..stations {
            let x_m = (index_f64(i) + 0.5) * step_m - 0.5 * form.length_m();
            let half_m = form.half_breadth_m(x_m);
            breadth_sum_m += half_m;
            for inner in 0..rows / 2 {
                let band = Band::of(form, x_m, index_f64(inner) * width, width);
                for (row, side) in [(rows / 2 - 1 - inner, -1.0), (rows / 2 + inner, 1.0)] {
                    let c = i * rows + row;
                    columns.x_m[c] = short(x_m * along);
                    columns.y_m[c] = short(side * band.share * half_m);
                    columns.area_m2[c] = short(width * half_m * step_m);
                    columns.low_m[c] = short(band.low_m);
                    columns.rise_m[c] = short(band.rise_m);
                }
            }
        }
        let row_m = width * breadth_sum_m / index_f64(stations) * stretch(rows);
        let along_m = step_m * along;
        let first = |count: usize| 0.5 - 0.5 * index_f64(count);
        columns.grid_m =
            [short(first(stations) * along_m), short(along_m), short(first(rows) * row_m), short(row_m)];
        for c in 0..grid.columns() {
            let row = first(rows) + index_f64(c % rows);
            columns.aside_m[c] = columns.y_m[c] - short(row * row_m);
        }
        columns
    }

    /// Columns along the hull.
    #[must_use]
    pub const fn stations(&self) -> usize {
        self.grid.stations()
    }

    /// The columns of one station, by their indices.
    #[must_use]
    pub const fn of_station(&self, station: usize) -> std::ops::Range<usize> {
        let rows = self.grid.rows();
        station * rows..(station + 1) * rows
    }

    /// Moves the origin of x forward by a distance, metres.
    pub fn shift(&mut self, forward_m: f64) {
        for x in &mut self.x_m {
            *x -= short(forward_m);
        }
        self.grid_m[0] -= short(forward_m);
    }

    /// Immersed length and its first moment about the waterline of one column, when the water stands
    /// `surface_m` above the waterline at rest; the formula that the tick uses, in double precision.
    #[must_use]
    pub fn immersion(&self, column: usize, surface_m: f64) -> (f64, f64) {
        let rise = f64::from(self.rise_m[column]);
        let d = surface_m - f64::from(self.low_m[column]);
        let (d, e) = (d.max(0.0), (d - rise).max(0.0));
        let over = (surface_m - f64::from(self.deck_m)).max(0.0);
        let length = (d * d - e * e) / (2.0 * rise) - over;
        let moment = surface_m * length - (d * d * d - e * e * e) / (6.0 * rise) + 0.5 * over * over;
        (length, moment)
    }

    /// What still water does at the waterline.
    #[must_use]
    pub fn hydrostatics(&self) -> Hydrostatics {
        let (mut volume, mut vx, mut vz, mut plane, mut ax, mut it, mut il) =
            (0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0);
        for c in 0..self.grid.columns() {
            let (x, y, area) = (f64::from(self.x_m[c]), f64::from(self.y_m[c]), f64::from(self.area_m2[c]));
            let (length, moment) = self.immersion(c, 0.0);
            let wet = (-f64::from(self.low_m[c]) / f64::from(self.rise_m[c])).clamp(0.0, 1.0) * area;
            volume += area * length;
            vx += area * length * x;
            vz += area * moment;
            plane += wet;
            ax += wet * x;
            it += wet * y * y;
            il += wet * x * x;
        }
        let xb = vx / volume;
        Hydrostatics {
            volume_m3: volume,
            buoyancy_x_m: xb,
            buoyancy_z_m: vz / volume,
            plane_m2: plane,
            transverse_m4: it,
            longitudinal_m4: il - 2.0 * xb * ax + xb * xb * plane,
        }
    }

    /// Breadth of the waterline and draft of a station at rest, metres.
    #[must_use]
    pub fn station(&self, station: usize) -> (f64, f64) {
        let (mut wet_m2, mut draft_m) = (0.0, 0.0_f64);
        for c in self.of_station(station) {
            let low = f64::from(self.low_m[c]);
            wet_m2 += (-low / f64::from(self.rise_m[c])).clamp(0.0, 1.0) * f64::from(self.area_m2[c]);
            draft_m = draft_m.max(-low);
        }
        (wet_m2 / f64::from(self.grid_m[1]), draft_m)
    }
}

/// One column's bottom, fitted to the section that it stands for.
struct Band {
    share: f64,
    low_m: f64,
    rise_m: f64,
}

impl Band {
    /// Keeps the section's immersed area and wet breadth at the waterline, and the second moment of the
    /// wet breadth, from a share of the half-breadth on and over a width of it.
    fn of(form: &dyn Form, x_m: f64, start: f64, width: f64) -> Self {
        let (mut depth, mut wet, mut second) = (0.0, 0.0, 0.0);
        let (mut lowest, mut highest) = (f64::INFINITY, f64::NEG_INFINITY);
        let points = f64::from(SECTION_POINTS);
        for n in 0..SECTION_POINTS {
            let share = start + width * (f64::from(n) + 0.5) / points;
            let z = form.bottom_m(x_m, share);
            lowest = lowest.min(z);
            highest = highest.max(z);
            if z < 0.0 {
                depth -= z / points;
                wet += 1.0 / points;
                second += share * share / points;
            }
        }
        let middle = (start * start + width * start + width * width / 3.0).sqrt();
        if wet <= 0.0 {
            return Self {
                share: middle,
                low_m: lowest.max(0.0),
                rise_m: (highest - lowest).max(SLOPE_M_MIN),
            };
        }
        let share = (second / wet).sqrt();
        if wet >= 0.999 {
            let rise_m = (2.0 * (-depth - lowest)).max(SLOPE_M_MIN);
            return Self { share, low_m: -depth - 0.5 * rise_m, rise_m };
        }
        let low_m = -2.0 * depth / wet;
        Self { share, low_m, rise_m: (-low_m / wet).max(SLOPE_M_MIN) }
    }
}

/// The draft of the canoe body at which a form carries a mass, metres, by false position: the volume is
/// all but proportional to the draft.
#[must_use]
pub fn floating_draft_m(form: HullForm, grid: Grid, mass_kg: f64) -> f64 {
    let target_m3 = mass_kg / WATER_KG_M3;
    let volume = |draft_m: f64| Columns::cut(&HullForm { draft_m, ..form }, grid).hydrostatics().volume_m3;
    let mut draft_m = target_m3 / (0.4 * form.waterline_m * form.waterline_beam_m);
    // Six steps leave less than a tenth of a millimetre; what is left is gone when the boat has settled.
    for _ in 0..6 {
        draft_m *= target_m3 / volume(draft_m).max(0.1 * target_m3);
    }
    draft_m
}

/// Stiffness of a hull at its waterline: heave N/m, roll N m/rad, pitch N m/rad.
#[must_use]
pub fn stiffness(still: &Hydrostatics, cg_above_waterline_m: f64) -> [f64; 3] {
    let weight = WATER_KG_M3 * GRAVITY_MPS2;
    let down = still.volume_m3 * (still.buoyancy_z_m - cg_above_waterline_m);
    [weight * still.plane_m2, weight * (still.transverse_m4 + down), weight * (still.longitudinal_m4 + down)]
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A barge 10 × 4 × 2 m, draft 1 m.
    struct Barge;

    impl Form for Barge {
        fn length_m(&self) -> f64 {
            10.0
        }
        fn half_breadth_m(&self, _: f64) -> f64 {
            2.0
        }
        fn bottom_m(&self, _: f64, _: f64) -> f64 {
            -1.0
        }
        fn deck_m(&self) -> f64 {
            1.0
        }
    }

    #[test]
    fn barge_has_the_moments_of_its_closed_form() {
        for grid in [Grid::Boat, Grid::Ship] {
            let still = Columns::cut(&Barge, grid).hydrostatics();
            assert!((still.volume_m3 - 40.0).abs() < 0.01, "{still:?}");
            assert!((still.buoyancy_z_m + 0.5).abs() < 0.005);
            assert!(
                (still.transverse_m4 / still.volume_m3 - 4.0 / 3.0).abs() < 0.005 * 4.0 / 3.0,
                "{still:?}"
            );
            assert!((still.longitudinal_m4 / still.volume_m3 - 8.3333).abs() < 0.005 * 8.3333, "{still:?}");
            // GM = KB + BM − KG with KG = 1 m, the waterline: 0.8333 m.
            let gm_m = stiffness(&still, 0.0)[1] / (WATER_KG_M3 * GRAVITY_MPS2 * 40.0);
            assert!((gm_m - 0.8333).abs() < 0.005 * 0.8333, "GM {gm_m}");
        }
    }
}
