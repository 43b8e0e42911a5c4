//! Areas above a level on a grid of heights, by marching squares, as one SVG path.

use std::fmt::Write as _;

use glam::DVec2;

use super::paper::Frame;

/// Columns of the grid of heights: one sample every two pixels of an ordinary picture.
const COLUMNS: usize = 360;

/// Heights over a map's frame, rows from the south.
#[derive(Clone, Debug)]
pub(super) struct Relief {
    columns: usize,
    rows: usize,
    /// Distance between samples, metres.
    spacing_m: f64,
    origin: DVec2,
    heights_m: Vec<f64>,
}

impl Relief {
    /// Samples heights over a frame.
    pub(super) fn sample(frame: &Frame, height_m: impl Fn(DVec2) -> f64) -> Self {
        let size = frame.area.max - frame.area.min;
        #[expect(clippy::cast_precision_loss, reason = "360")]
        let spacing_m = size.x / (COLUMNS - 1) as f64;
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "at most 3:2")]
        let rows = (size.y / spacing_m).ceil() as usize + 1;
        let mut relief =
            Self { columns: COLUMNS, rows, spacing_m, origin: frame.area.min, heights_m: Vec::new() };
        relief.heights_m.reserve(rows * COLUMNS);
        for row in 0..rows {
            for column in 0..COLUMNS {
                relief.heights_m.push(height_m(relief.place(row, column)));
            }
        }
        relief
    }

    #[expect(clippy::cast_precision_loss, reason = "rows and columns are hundreds")]
    fn place(&self, row: usize, column: usize) -> DVec2 {
        self.origin + DVec2::new(column as f64, row as f64) * self.spacing_m
    }

    fn height(&self, row: usize, column: usize) -> f64 {
        self.heights_m[row * self.columns + column]
    }

    /// The path data of everything at or above a level.
    pub(super) fn above(&self, level_m: f64, frame: &Frame) -> String {
        let mut path = String::new();
        for row in 0..self.rows - 1 {
            // Squares that are wholly above are joined to runs: most of the land is.
            let mut run: Option<usize> = None;
            for column in 0..self.columns - 1 {
                let whole = self.corners(row, column).iter().all(|(_, height)| *height >= level_m);
                match (whole, run) {
                    (true, None) => run = Some(column),
                    (false, Some(start)) => {
                        self.push_run(&mut path, row, start, column, frame);
                        run = None;
                    }
                    _ => {}
                }
                if !whole {
                    self.push_square(&mut path, row, column, level_m, frame);
                }
            }
            if let Some(start) = run {
                self.push_run(&mut path, row, start, self.columns - 1, frame);
            }
        }
        path
    }

    /// The corners of a square, against the clock from the south-west.
    fn corners(&self, row: usize, column: usize) -> [(DVec2, f64); 4] {
        [(row, column), (row, column + 1), (row + 1, column + 1), (row + 1, column)]
            .map(|(r, c)| (self.place(r, c), self.height(r, c)))
    }

    fn push_run(&self, path: &mut String, row: usize, from: usize, to: usize, frame: &Frame) {
        let corners =
            [self.place(row, from), self.place(row, to), self.place(row + 1, to), self.place(row + 1, from)];
        push_ring(path, &corners, frame);
    }

    /// The part of one square that lies above the level: its corners above and the crossings of its edges.
    fn push_square(&self, path: &mut String, row: usize, column: usize, level_m: f64, frame: &Frame) {
        let corners = self.corners(row, column);
        let mut ring = Vec::with_capacity(8);
        for index in 0..4 {
            let ((a, high_a), (b, high_b)) = (corners[index], corners[(index + 1) % 4]);
            if high_a >= level_m {
                ring.push(a);
            }
            if (high_a >= level_m) != (high_b >= level_m) {
                ring.push(a + (b - a) * ((level_m - high_a) / (high_b - high_a)));
            }
        }
        if ring.len() >= 3 {
            push_ring(path, &ring, frame);
        }
    }
}

fn push_ring(path: &mut String, ring: &[DVec2], frame: &Frame) {
    for (index, place) in ring.iter().enumerate() {
        let at = frame.at(*place);
        // Writing to a string cannot fail.
        let _ = write!(path, "{}{:.1} {:.1}", if index == 0 { 'M' } else { 'L' }, at.x, at.y);
    }
    path.push('Z');
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Area of all rings of a path, by the shoelace formula, square pixels.
    fn area(path: &str) -> f64 {
        let mut total = 0.0;
        for ring in path.split('Z').filter(|ring| !ring.is_empty()) {
            let points: Vec<DVec2> = ring
                .trim_start_matches('M')
                .split('L')
                .map(|pair| {
                    let (x, y) = pair.split_once(' ').unwrap();
                    DVec2::new(x.parse().unwrap(), y.parse().unwrap())
                })
                .collect();
            for (index, a) in points.iter().enumerate() {
                total += a.perp_dot(points[(index + 1) % points.len()]) * 0.5;
            }
        }
        total.abs()
    }

    #[test]
    fn round_island_has_the_area_of_a_circle() {
        let ends = [DVec2::splat(-1_000.0), DVec2::splat(1_000.0)];
        let frame = Frame::around(ends.into_iter(), 0.0, 0.0, 1_000.0);
        let relief = Relief::sample(&frame, |place| 500.0 - place.length());
        let radius_px = 500.0 * frame.scale();
        let circle = std::f64::consts::PI * radius_px * radius_px;
        let drawn = area(&relief.above(0.0, &frame));
        assert!((drawn / circle - 1.0).abs() < 0.01, "{drawn} square pixels, not {circle}");
    }
}
