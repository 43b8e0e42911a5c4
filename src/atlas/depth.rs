//! The height of the seabed: a heightmap, or a stated function of the distance to the coast.

use glam::DVec2;

use super::Area;
use crate::limits::COURSE_COAST_POINTS;
use crate::trig;

/// Land is drawn no higher than this by the shore rule, metres.
const SHORE_TOP_M: f64 = 30.0;

/// Where a course's depths come from; heights are metres above chart datum.
#[derive(Clone, Debug)]
pub enum Depth {
    /// Depth grows with the distance to the coast and tends to a greatest depth:
    /// `deepest_m · (1 − exp(−slope · distance / deepest_m))`.
    Shore {
        /// Rise per metre at the water's edge.
        slope: f64,
        /// Far from any coast, metres.
        deepest_m: f64,
    },
    /// A grid of heights.
    Map(HeightMap),
}

impl Depth {
    /// Height of the bed at a place whose signed distance to the coast is given, metres, negative on land.
    #[must_use]
    pub fn bed_m(&self, place: DVec2, offshore_m: f64) -> f64 {
        match self {
            Self::Shore { slope, deepest_m } => {
                if offshore_m >= 0.0 {
                    -deepest_m * (1.0 - trig::exp(-slope * offshore_m / deepest_m))
                } else {
                    (-slope * offshore_m).min(SHORE_TOP_M)
                }
            }
            Self::Map(map) => map.height_m(place),
        }
    }

    /// A depth that stands for the whole course where one figure must do, metres: two thirds of the deepest.
    #[must_use]
    pub fn typical_m(&self) -> f64 {
        let deepest_m = match self {
            Self::Shore { deepest_m, .. } => *deepest_m,
            Self::Map(map) => -f64::from(map.heights_m.iter().copied().fold(f32::INFINITY, f32::min)),
        };
        (deepest_m * (2.0 / 3.0)).max(1.0)
    }

    /// Whether [`Self::bed_m`] looks at the distance to the coast.
    #[must_use]
    pub fn needs_coast(&self) -> bool {
        matches!(self, Self::Shore { .. })
    }
}

/// Heights at the nodes of a square grid, rows from the south.
#[derive(Clone, Debug)]
pub struct HeightMap {
    origin: DVec2,
    spacing_m: f64,
    columns: usize,
    rows: usize,
    heights_m: Vec<f32>,
}

impl HeightMap {
    /// Reads a binary 16-bit PGM (Netpbm "P5" with a maximum of 65,535, big-endian, rows from the north):
    /// the first sample of the last row lies on `origin`, and a sample of v is `lowest_m + step_m · v` high.
    ///
    /// # Errors
    /// Says what is wrong with the bytes.
    pub(super) fn from_pgm(
        bytes: &[u8],
        origin: DVec2,
        spacing_m: f64,
        lowest_m: f64,
        step_m: f64,
    ) -> Result<Self, String> {
        let mut at = 0;
        let magic = header_word(bytes, &mut at)?;
        if magic != "P5" {
            return Err(format!("is not a binary PGM: it starts with {magic:?} instead of \"P5\""));
        }
        let mut number = || -> Result<usize, String> {
            let word = header_word(bytes, &mut at)?;
            word.parse().map_err(|_| format!("has {word:?} where its header needs a number"))
        };
        let (columns, rows, maximum) = (number()?, number()?, number()?);
        if maximum != 65_535 {
            return Err(format!("has a maximum of {maximum}; heights need 16 bits, a maximum of 65535"));
        }
        // One white space ends the header.
        let samples = bytes.get(at + 1..).unwrap_or_default();
        let wanted = columns.checked_mul(rows).and_then(|n| n.checked_mul(2));
        if columns < 2 || rows < 2 || wanted != Some(samples.len()) {
            return Err(format!(
                "says {columns} × {rows} samples of two bytes, at least 2 × 2, but {} bytes follow",
                samples.len()
            ));
        }
        #[expect(clippy::cast_possible_truncation, reason = "heights are kept to a tenth of a millimetre")]
        let height =
            |pair: &[u8]| (lowest_m + step_m * f64::from(u16::from_be_bytes([pair[0], pair[1]]))) as f32;
        let heights_m =
            samples.chunks_exact(2 * columns).rev().flat_map(|row| row.chunks_exact(2).map(height)).collect();
        Ok(Self { origin, spacing_m, columns, rows, heights_m })
    }

    /// Height at a place, metres, bilinear; beyond the grid that of its nearest edge.
    #[must_use]
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped to the grid")]
    #[expect(clippy::cast_precision_loss, reason = "grids are far smaller than 2^53")]
    pub fn height_m(&self, place: DVec2) -> f64 {
        let at = (place - self.origin) / self.spacing_m;
        let x = at.x.clamp(0.0, (self.columns - 1) as f64);
        let y = at.y.clamp(0.0, (self.rows - 1) as f64);
        let column = (x.floor() as usize).min(self.columns - 2);
        let row = (y.floor() as usize).min(self.rows - 2);
        let (fx, fy) = (x - column as f64, y - row as f64);
        let south = self.node_m(column, row) * (1.0 - fx) + self.node_m(column + 1, row) * fx;
        let north = self.node_m(column, row + 1) * (1.0 - fx) + self.node_m(column + 1, row + 1) * fx;
        south * (1.0 - fy) + north * fy
    }

    /// The ground between its outermost nodes.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "grids are far smaller than 2^53")]
    pub fn area(&self) -> Area {
        let size = DVec2::new((self.columns - 1) as f64, (self.rows - 1) as f64) * self.spacing_m;
        Area { min: self.origin, max: self.origin + size }
    }

    /// The rings of land: where the height rises above `level_m`, traced through the squares between four
    /// nodes; outside the grid all is water. `None` where they have more than [`COURSE_COAST_POINTS`] points.
    #[must_use]
    pub fn rings(&self, level_m: f64) -> Option<Vec<Vec<DVec2>>> {
        let height = |column, row| self.node_m(column, row) - level_m;
        let rings = super::contour::rings(self.columns, self.rows, COURSE_COAST_POINTS, height)?;
        let placed = |ring: Vec<DVec2>| ring.into_iter().map(|p| self.origin + p * self.spacing_m).collect();
        Some(rings.into_iter().map(placed).collect())
    }

    fn node_m(&self, column: usize, row: usize) -> f64 {
        f64::from(self.heights_m[row * self.columns + column])
    }
}

/// The next word of a Netpbm header, which white space and `#` comments part.
fn header_word<'a>(bytes: &'a [u8], at: &mut usize) -> Result<&'a str, String> {
    loop {
        match bytes.get(*at) {
            Some(byte) if byte.is_ascii_whitespace() => *at += 1,
            Some(b'#') => *at += bytes[*at..].iter().take_while(|&&byte| byte != b'\n').count(),
            Some(_) => break,
            None => return Err("ends within its header".into()),
        }
    }
    let length = bytes[*at..].iter().take_while(|byte| !byte.is_ascii_whitespace()).count();
    let word = &bytes[*at..*at + length];
    *at += length;
    std::str::from_utf8(word).map_err(|_| "has a header that is not text".into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pgm(columns: u16, rows: u16, samples: &[u16]) -> Vec<u8> {
        let mut bytes = format!("P5\n# heights\n{columns} {rows}\n65535\n").into_bytes();
        bytes.extend(samples.iter().flat_map(|sample| sample.to_be_bytes()));
        bytes
    }

    #[test]
    fn heightmap_has_north_at_its_top() {
        let map = HeightMap::from_pgm(&pgm(2, 2, &[10, 20, 30, 40]), DVec2::new(100.0, 0.0), 16.0, -5.0, 0.1)
            .unwrap();
        assert!((map.height_m(DVec2::new(100.0, 0.0)) + 2.0).abs() < 1e-6, "south-west");
        assert!((map.height_m(DVec2::new(116.0, 16.0)) + 3.0).abs() < 1e-6, "north-east");
        assert!((map.height_m(DVec2::new(108.0, 8.0)) + 2.5).abs() < 1e-6, "middle");
        assert!((map.height_m(DVec2::new(900.0, -50.0)) + 1.0).abs() < 1e-6, "beyond the south-east");
    }

    #[test]
    fn broken_heightmaps_are_named() {
        let read = |bytes: &[u8]| HeightMap::from_pgm(bytes, DVec2::ZERO, 1.0, 0.0, 1.0).unwrap_err();
        assert!(read(b"P2 1 1 255 0").contains("binary PGM"));
        assert!(read(b"P5 2 2 255\n1234").contains("16 bits"));
        assert!(read(b"P5 2 2 65535\n123").contains("3 bytes follow"));
        assert!(read(b"P5 2").contains("ends within"));
        assert!(read(b"P5 99999999999999 99999999999999 65535\n").contains("bytes follow"));
    }

    #[test]
    fn shore_rule_starts_at_the_waters_edge_and_flattens() {
        let depth = Depth::Shore { slope: 0.05, deepest_m: 60.0 };
        assert!(depth.bed_m(DVec2::ZERO, 0.0).abs() < 1e-12);
        assert!((depth.bed_m(DVec2::ZERO, 1.0) + 0.05).abs() < 1e-3);
        assert!((depth.bed_m(DVec2::ZERO, 20_000.0) + 60.0).abs() < 1e-3);
        assert!(depth.bed_m(DVec2::ZERO, -100.0) > 4.9);
    }
}
