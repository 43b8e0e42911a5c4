//! Land on a lattice of squares, for looking along lines.

use glam::DVec2;

use super::{Area, Coast};

/// Side of a square, metres: the width of the narrowest spit that shelters a sailor. The lattice is
/// absolute (a corner lies on the anchor), so that every region sees the same squares.
pub const SQUARE_M: f64 = 64.0;

/// Which squares of a course's extent are land at their middles; beyond the extent all is water.
#[derive(Clone, Debug)]
pub struct LandRaster {
    /// West and south index of the first square.
    origin: [i64; 2],
    columns: usize,
    rows: usize,
    /// Bits, row by row from the south, each row on a word of its own.
    words: Vec<u64>,
    words_per_row: usize,
}

impl LandRaster {
    /// The squares of an extent.
    #[must_use]
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "an extent has few squares")]
    #[expect(clippy::cast_precision_loss, reason = "an extent has few squares")]
    pub fn of(coast: &Coast, extent: Area) -> Self {
        let origin = [(extent.min.x / SQUARE_M).floor() as i64, (extent.min.y / SQUARE_M).floor() as i64];
        let columns = ((extent.max.x / SQUARE_M).ceil() as i64 - origin[0]).max(0) as usize;
        let rows = ((extent.max.y / SQUARE_M).ceil() as i64 - origin[1]).max(0) as usize;
        let words_per_row = columns.div_ceil(64);
        let mut words = vec![0_u64; words_per_row * rows];
        let mut crossings = Vec::new();
        for row in 0..rows {
            coast.crossings(((origin[1] + row as i64) as f64 + 0.5) * SQUARE_M, &mut crossings);
            for pair in crossings.chunks_exact(2) {
                // Squares whose middle lies in [west shore, east shore).
                let column = |x: f64| {
                    ((x / SQUARE_M - 0.5).ceil() as i64 - origin[0]).clamp(0, columns as i64) as usize
                };
                for square in column(pair[0])..column(pair[1]) {
                    words[row * words_per_row + square / 64] |= 1 << (square % 64);
                }
            }
        }
        Self { origin, columns, rows, words, words_per_row }
    }

    /// Whether the square that a place lies in is land.
    #[must_use]
    pub fn is_land(&self, place: DVec2) -> bool {
        self.is_square_land(self.squares(place))
    }

    /// How much of the straight line between two places lies over land, metres, to about one square.
    #[must_use]
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a few thousand steps")]
    pub fn land_between_m(&self, from: DVec2, to: DVec2) -> f64 {
        let length_m = (to - from).length();
        let steps = (length_m / SQUARE_M).ceil().clamp(1.0, 10_000.0) as u32;
        let (from, to) = (self.squares(from), self.squares(to));
        let step = (to - from) / f64::from(steps);
        let land: u32 =
            (0..steps).map(|i| u32::from(self.is_square_land(from + step * (f64::from(i) + 0.5)))).sum();
        f64::from(land) / f64::from(steps) * length_m
    }

    /// Distance over open water from a place along a unit vector, metres, to about one square; `None` when
    /// no land lies within the extent that way.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "an extent has few squares")]
    pub fn open_water_m(&self, from: DVec2, towards: DVec2) -> Option<f64> {
        let from = self.squares(from);
        // Squares until the line has left the extent for good; a place outside may look back in.
        let exit = |at: f64, way: f64, size: f64| {
            if way > 0.0 {
                (size - at) / way
            } else if way < 0.0 {
                -at / way
            } else {
                f64::INFINITY
            }
        };
        let last =
            exit(from.x, towards.x, self.columns as f64).min(exit(from.y, towards.y, self.rows as f64));
        let mut along = 0.5;
        while along <= last {
            if self.is_square_land(from + towards * along) {
                return Some((along - 0.5) * SQUARE_M);
            }
            along += 1.0;
        }
        None
    }

    /// A place in squares from the raster's south-west corner.
    #[inline]
    #[expect(clippy::cast_precision_loss, reason = "courses are within 200 km")]
    fn squares(&self, place: DVec2) -> DVec2 {
        place * (1.0 / SQUARE_M) - DVec2::new(self.origin[0] as f64, self.origin[1] as f64)
    }

    /// Whether a square is land.
    #[inline]
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "within the squares")]
    #[expect(clippy::cast_precision_loss, reason = "an extent has few squares")]
    fn is_square_land(&self, at: DVec2) -> bool {
        // Also false for what is not a number. Within, a conversion is the floor, without a call.
        if !(at.x >= 0.0 && at.y >= 0.0 && at.x < self.columns as f64 && at.y < self.rows as f64) {
            return false;
        }
        let (column, row) = (at.x as usize, at.y as usize);
        self.words[row * self.words_per_row + column / 64] >> (column % 64) & 1 == 1
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn raster_sees_what_the_rings_say() {
        let ring = vec![DVec2::new(100.0, -300.0), DVec2::new(1500.0, 200.0), DVec2::new(200.0, 1700.0)];
        let coast = Coast::new(vec![ring]);
        let extent = Area { min: DVec2::new(-1000.0, -1000.0), max: DVec2::new(2000.0, 2000.0) };
        let raster = LandRaster::of(&coast, extent);
        for row in -15..31 {
            for column in -15..31 {
                let middle = (DVec2::new(f64::from(column), f64::from(row)) + 0.5) * SQUARE_M;
                assert_eq!(raster.is_land(middle), coast.is_land(middle), "at {middle}");
            }
        }
        let west = raster.open_water_m(DVec2::new(-900.0, 500.0), DVec2::X).unwrap();
        assert!((west - 1050.0).abs() < 2.0 * SQUARE_M, "{west}");
        assert!(raster.open_water_m(DVec2::new(-900.0, 500.0), -DVec2::X).is_none());
        let land = raster.land_between_m(DVec2::new(-900.0, 500.0), DVec2::new(1900.0, 500.0));
        assert!((land - 1080.0).abs() < 2.0 * SQUARE_M, "{land}");
    }
}
