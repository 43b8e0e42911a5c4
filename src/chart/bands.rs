//! Areas above a level on a grid of heights, by marching squares, as one SVG path.

use std::collections::BTreeMap;
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

    /// The least and the greatest sample of those whose place counts; 0 and 0 where none does.
    pub(super) fn range(&self, counts: impl Fn(DVec2) -> bool) -> (f64, f64) {
        let (mut least, mut most) = (f64::INFINITY, f64::NEG_INFINITY);
        for (index, height) in self.heights_m.iter().enumerate() {
            if counts(self.place(index / self.columns, index % self.columns)) {
                (least, most) = (least.min(*height), most.max(*height));
            }
        }
        if least > most { (0.0, 0.0) } else { (least, most) }
    }

    /// The path data of everything at or above a level: closed rings, their inside to the left.
    pub(super) fn above(&self, level_m: f64, frame: &Frame) -> String {
        let mut next = self.crossings(level_m);
        let mut path = String::new();
        // Each crossing leads to exactly one other, so every walk comes back to where it began.
        while let Some((&first, _)) = next.first_key_value() {
            let mut ring = Vec::new();
            let mut edge = first;
            while let Some(following) = next.remove(&edge) {
                ring.push(frame.at(self.crossing(edge, level_m)));
                edge = following;
            }
            push_ring(&mut path, &ring);
        }
        path
    }

    /// From each edge where the boundary enters a square to the edge where it leaves, over all squares; the
    /// grid is thought to lie in a frame of samples far below, so that every ring closes.
    fn crossings(&self, level_m: f64) -> BTreeMap<Edge, Edge> {
        let mut next = BTreeMap::new();
        for row in 0..=self.rows {
            for column in 0..=self.columns {
                // Corners and edges against the clock from the south-west and the south.
                let corners = [(row, column), (row, column + 1), (row + 1, column + 1), (row + 1, column)]
                    .map(|(r, c)| self.padded(r, c).is_some_and(|height| height >= level_m));
                let edges = [
                    Edge { row, column, upright: false },
                    Edge { row, column: column + 1, upright: true },
                    Edge { row: row + 1, column, upright: false },
                    Edge { row, column, upright: true },
                ];
                for leave in 0..4 {
                    if !corners[leave] || corners[(leave + 1) % 4] {
                        continue;
                    }
                    let enter = (1..4)
                        .map(|step| (leave + step) % 4)
                        .find(|&edge| !corners[edge] && corners[(edge + 1) % 4]);
                    if let Some(enter) = enter {
                        next.insert(edges[leave], edges[enter]);
                    }
                }
            }
        }
        next
    }

    /// The height of a sample of the padded grid; `None` in its frame.
    fn padded(&self, row: usize, column: usize) -> Option<f64> {
        let inside = (1..=self.rows).contains(&row) && (1..=self.columns).contains(&column);
        inside.then(|| self.heights_m[(row - 1) * self.columns + column - 1])
    }

    /// Where the level crosses an edge of the padded grid.
    fn crossing(&self, edge: Edge, level_m: f64) -> DVec2 {
        let Edge { row, column, upright } = edge;
        let (row_b, column_b) = if upright { (row + 1, column) } else { (row, column + 1) };
        match (self.padded(row, column), self.padded(row_b, column_b)) {
            (Some(a), Some(b)) => {
                let (from, to) = (self.place(row - 1, column - 1), self.place(row_b - 1, column_b - 1));
                from + (to - from) * ((level_m - a) / (b - a))
            }
            (Some(_), None) => self.place(row - 1, column - 1),
            _ => self.place(row_b - 1, column_b - 1),
        }
    }
}

/// An edge of the padded grid: from its sample to the east, or, upright, to the north.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Edge {
    row: usize,
    column: usize,
    upright: bool,
}

/// Writes a ring, without the points that lie on the line between their neighbours.
pub(super) fn push_ring(path: &mut String, ring: &[DVec2]) {
    let mut kept: Vec<DVec2> = Vec::with_capacity(ring.len());
    for (index, &point) in ring.iter().enumerate() {
        let following = ring[(index + 1) % ring.len()];
        let straight = kept.last().is_some_and(|&last| {
            let along = following - last;
            let length = along.length();
            // Short hops only: a long row of tiny bends must not be taken for a line.
            length > 0.0 && length < 40.0 && along.perp_dot(point - last).abs() < 0.15 * length
        });
        if !straight {
            kept.push(point);
        }
    }
    if kept.len() < 3 {
        return;
    }
    for (index, at) in kept.iter().enumerate() {
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
