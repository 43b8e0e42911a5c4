//! Where vessels lie before they start: along the start line and in rows behind it, clear of each other.

use glam::DVec2;

use crate::atlas::StartLine;
use crate::trig;

/// Clear water between two vessels, in lengths of the longer one: hulls apart, and groups of their own
/// until they sail together.
const CLEAR_LENGTHS: f64 = 3.0;
/// Rows behind the line; further back a vessel would start in another bay.
const ROWS: u32 = 48;
/// Berths along the line that are tried; a line longer than this many lengths has room enough.
const COLUMNS: u32 = 128;

/// What already lies or sails there.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Hull {
    /// Its middle, course frame, metres.
    pub place: DVec2,
    /// Length over all, metres.
    pub length_m: f64,
}

/// A free place for a vessel of this length, the nearest row first and from the middle of the line outwards;
/// `None` when all are taken or `navigable` refuses them.
pub(super) fn berth(
    line: &StartLine,
    length_m: f64,
    others: &[Hull],
    navigable: impl Fn(DVec2) -> bool,
) -> Option<DVec2> {
    let (sin, cos) = trig::sin_cos(line.heading_rad);
    let ahead = DVec2::new(sin, cos);
    let along = line.starboard - line.port;
    let width_m = along.length();
    let along = along.normalize_or(DVec2::new(cos, -sin));
    let middle = (line.port + line.starboard) * 0.5;
    let step_m = length_m * (CLEAR_LENGTHS + 1.0);
    let free = |place: DVec2| {
        others.iter().all(|other| {
            let lengths_m = (other.length_m + length_m) * 0.5;
            (other.place - place).length() >= CLEAR_LENGTHS * other.length_m.max(length_m) + lengths_m
        })
    };
    (0..ROWS)
        .flat_map(|row| (0..COLUMNS).map(move |column| (row, column)))
        .filter_map(|(row, column)| {
            // 0, +1, −1, +2, −2 … steps from the middle, within the line's ends.
            let steps = f64::from(column.div_ceil(2)) * if column % 2 == 1 { 1.0 } else { -1.0 };
            let aside_m = steps * step_m;
            let inside = aside_m.abs() <= (width_m - length_m).max(0.0) * 0.5;
            // The bow is behind the line.
            let back_m = length_m * 0.5 + f64::from(row) * step_m;
            (inside || column == 0).then(|| middle + along * aside_m - ahead * back_m)
        })
        .find(|&place| free(place) && navigable(place))
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
    fn forty_boats_lie_three_lengths_clear_of_each_other() {
        let mut hulls: Vec<Hull> = Vec::new();
        for number in 0..40 {
            let length_m = 7.0 + f64::from(number % 3) * 3.0;
            let place = berth(&line(200.0), length_m, &hulls, |_| true).unwrap();
            assert!(place.y <= 100.0 - length_m * 0.5 + 1e-9, "behind the line");
            assert!(place.x.abs() <= 100.0);
            for other in &hulls {
                let clear_m = (other.place - place).length() - (other.length_m + length_m) * 0.5;
                assert!(clear_m + 1e-9 >= 3.0 * other.length_m.max(length_m), "{clear_m} m");
            }
            hulls.push(Hull { place, length_m });
        }
    }

    #[test]
    fn line_shorter_than_a_boat_has_berths_in_a_column() {
        let first = berth(&line(1.0), 12.0, &[], |_| true).unwrap();
        let hull = Hull { place: first, length_m: 12.0 };
        let second = berth(&line(1.0), 12.0, &[hull], |_| true).unwrap();
        assert!((first - second).x.abs() < 1e-9 && first.y > second.y);
    }

    #[test]
    fn shoals_and_a_full_start_give_no_berth() {
        assert_eq!(berth(&line(200.0), 10.0, &[], |_| false), None);
        let west = berth(&line(200.0), 10.0, &[], |place| place.x < -30.0).unwrap();
        assert!(west.x < -30.0);
    }
}
