//! Rings around what is high in a grid, by marching squares (Lorensen and Cline 1987, in two dimensions).

use std::collections::BTreeMap;

use glam::DVec2;

/// A point of a ring: the edge of the grid that it lies on, by its lower node and whether it runs north.
type Edge = (i64, i64, bool);

/// Rings, high ground to their left, in units of nodes, around the nodes where `height` is above zero; the
/// grid is surrounded by low ground. `None` where they have more than `most` points.
pub(super) fn rings(
    columns: usize,
    rows: usize,
    most: usize,
    height: impl Fn(usize, usize) -> f64,
) -> Option<Vec<Vec<DVec2>>> {
    let at = |x: i64, y: i64| -> f64 {
        match (usize::try_from(x), usize::try_from(y)) {
            (Ok(column), Ok(row)) if column < columns && row < rows => height(column, row),
            _ => -1.0,
        }
    };
    let mut next: BTreeMap<Edge, Edge> = BTreeMap::new();
    let last = |n: usize| i64::try_from(n).unwrap_or(i64::MAX);
    for y in -1..last(rows) {
        for x in -1..last(columns) {
            for (from, to) in steps(x, y, &at) {
                next.insert(from, to);
            }
            if next.len() > most {
                return None;
            }
        }
    }
    let mut rings = Vec::new();
    while let Some((&first, _)) = next.iter().next() {
        let mut ring = Vec::new();
        let mut edge = first;
        // Every edge is left once, so the walk comes back to where it began.
        while let Some(following) = next.remove(&edge) {
            ring.push(point(edge, &at));
            edge = following;
        }
        if ring.len() >= 3 {
            rings.push(ring);
        }
    }
    Some(rings)
}

/// The steps of rings through the square whose south-west node is (x, y).
fn steps(x: i64, y: i64, at: &impl Fn(i64, i64) -> f64) -> Vec<(Edge, Edge)> {
    let (south, north) = ((x, y, false), (x, y + 1, false));
    let (west, east) = ((x, y, true), (x + 1, y, true));
    let high = |dx: i64, dy: i64| at(x + dx, y + dy) > 0.0;
    // Bits: south-west, south-east, north-east, north-west.
    let case = u8::from(high(0, 0))
        | u8::from(high(1, 0)) << 1
        | u8::from(high(1, 1)) << 2
        | u8::from(high(0, 1)) << 3;
    match case {
        0 | 15 => vec![],
        1 => vec![(south, west)],
        2 => vec![(east, south)],
        3 => vec![(east, west)],
        4 => vec![(north, east)],
        // A saddle keeps its two high corners apart.
        5 => vec![(south, west), (north, east)],
        6 => vec![(north, south)],
        7 => vec![(north, west)],
        8 => vec![(west, north)],
        9 => vec![(south, north)],
        10 => vec![(east, south), (west, north)],
        11 => vec![(east, north)],
        12 => vec![(west, east)],
        13 => vec![(south, east)],
        _ => vec![(west, south)],
    }
}

/// Where the height passes zero along an edge.
#[expect(clippy::cast_precision_loss, reason = "grids are far smaller than 2^53")]
fn point((x, y, northward): Edge, at: &impl Fn(i64, i64) -> f64) -> DVec2 {
    let (dx, dy) = if northward { (0, 1) } else { (1, 0) };
    let (a, b) = (at(x, y), at(x + dx, y + dy));
    let share = (a / (a - b)).clamp(0.0, 1.0);
    DVec2::new(x as f64 + share * dx as f64, y as f64 + share * dy as f64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::atlas::Coast;

    #[test]
    fn rings_part_the_high_nodes_from_the_low() {
        let height = |x: usize, y: usize| {
            // Two hills, one cut by the grid's edge, and a saddle between.
            f64::from(u8::from((x * 7 + y * 5) % 6 < 3)) - 0.4
        };
        assert!(rings(9, 7, 3, height).is_none(), "too many points");
        let coast = Coast::new(rings(9, 7, 1_000, height).unwrap());
        for y in 0..7_u8 {
            for x in 0..9_u8 {
                let place = DVec2::new(f64::from(x) + 1e-6, f64::from(y) + 1e-6);
                assert_eq!(coast.is_land(place), height(x.into(), y.into()) > 0.0, "node {x}, {y}");
            }
        }
    }
}
