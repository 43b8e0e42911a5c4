//! Where vessels lie before they start: along the start line and in rows behind it, clear of each other.

use glam::DVec2;

use crate::atlas::StartLine;
use crate::trig;

/// Clear water between two vessels, in lengths of the longer one: three lengths from middle to middle, hulls
/// well apart, and groups of their own until they sail together.
const CLEAR_LENGTHS: f64 = 2.0;
/// Rows behind the line, a length each; further back a vessel would start in another bay.
const ROWS: u32 = 64;
/// Berths along the line, a length each, that are tried to either side; a longer line has room enough.
const COLUMNS: u32 = 64;

/// What already lies or sails there.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Hull {
    /// Its middle, course frame, metres.
    pub place: DVec2,
    /// Length over all, metres.
    pub length_m: f64,
}

/// A free place for a vessel of this length: behind the line, the nearest row first, from the middle
/// outwards; then beside those rows; `None` when all are taken or `navigable` refuses them.
pub(super) fn berth(
    line: &StartLine,
    length_m: f64,
    others: &[Hull],
    navigable: impl Fn(DVec2) -> bool,
) -> Option<DVec2> {
    let (sin, cos) = trig::sin_cos(line.heading_rad);
    let ahead = DVec2::new(sin, cos);
    let along = line.starboard - line.port;
    let half_m = (along.length() - length_m).max(0.0) * 0.5;
    let along = along.normalize_or(DVec2::new(cos, -sin));
    let middle = (line.port + line.starboard) * 0.5;
    let free = |place: DVec2| {
        others.iter().all(|other| {
            let lengths_m = (other.length_m + length_m) * 0.5;
            (other.place - place).length() >= CLEAR_LENGTHS * other.length_m.max(length_m) + lengths_m
        })
    };
    let steps = |column: u32| {
        // 0, +1, −1, +2, −2 …
        let sign = if column % 2 == 1 { 1.0 } else { -1.0 };
        sign * f64::from(column.div_ceil(2)) * length_m
    };
    let grid = |inside: bool| {
        (0..ROWS)
            .flat_map(|row| (0..2 * COLUMNS).map(move |column| (row, column)))
            .map(move |(row, column)| (f64::from(row), steps(column)))
            .filter(move |(_, aside_m)| (aside_m.abs() <= half_m) == inside)
            // The bow is behind the line.
            .map(move |(row, aside_m)| middle + along * aside_m - ahead * (row + 0.5) * length_m)
    };
    grid(true).chain(grid(false)).find(|&place| free(place) && navigable(place))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(width_m: f64) -> StartLine {
        StartLine {
            port: DVec2::new(-width_m * 0.5, 100.0),
            starboard: DVec2::new(width_m * 0.5, 100.0),
            heading_rad: 0.0,
        }
    }

    #[test]
    fn forty_boats_lie_clear_of_each_other_behind_the_line() {
        let mut hulls: Vec<Hull> = Vec::new();
        for number in 0..40 {
            let length_m = 7.0 + f64::from(number % 3) * 3.0;
            let place = berth(&line(200.0), length_m, &hulls, |_| true).unwrap();
            assert!(place.y <= 100.0 - length_m * 0.5 + 1e-9, "behind the line");
            assert!(place.x.abs() <= 100.0);
            for other in &hulls {
                let clear_m = (other.place - place).length() - (other.length_m + length_m) * 0.5;
                assert!(clear_m + 1e-9 >= 2.0 * other.length_m.max(length_m), "{clear_m} m");
            }
            hulls.push(Hull { place, length_m });
        }
    }

    #[test]
    fn line_shorter_than_a_boat_has_berths_in_a_column_first() {
        let first = berth(&line(1.0), 12.0, &[], |_| true).unwrap();
        let hull = Hull { place: first, length_m: 12.0 };
        let second = berth(&line(1.0), 12.0, &[hull], |_| true).unwrap();
        assert!((first - second).x.abs() < 1e-9 && first.y > second.y);
    }

    #[test]
    fn shoals_and_a_full_start_give_no_berth() {
        assert_eq!(berth(&line(200.0), 10.0, &[], |_| false), None);
        // Room only beside the line is room as well.
        let beside = berth(&line(20.0), 10.0, &[], |place| place.x > 50.0).unwrap();
        assert!(beside.x > 50.0 && beside.y < 100.0);
        let west = berth(&line(200.0), 10.0, &[], |place| place.x < -30.0).unwrap();
        assert!(west.x < -30.0);
    }
}
