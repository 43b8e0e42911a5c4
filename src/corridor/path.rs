//! Where a vessel will be: the cells ahead of it, with the time until it enters each.

use glam::DVec2;

use super::VesselView;
use crate::atlas::{Cell, Mark};

/// Below this speed a vessel goes nowhere that could be foretold, m/s.
const BECALMED_MPS: f64 = 0.1;
/// Share of the direction to the next mark in the direction ahead; a vessel that beats to windward holds
/// its tack for longer than a region needs to start, so its velocity counts for more.
const MARK_SHARE: f64 = 0.3;
/// Cosine of the angle within which a vessel is taken to sail straight for its mark, about 25 degrees.
const STEERS_FOR_MARK: f64 = 0.9;
/// How far a track may lie beside the foretold one: a share of the way, about 11 degrees.
const DOUBT_SHARE: f64 = 0.2;
/// The same for a way of no length, metres: a hull's length.
const DOUBT_M: f64 = 8.0;
/// Cells looked at along one way; more than any lead time reaches, and a bound where a speed is absurd.
const CELLS_AHEAD: usize = 16;
/// Corners turned along one way, for the same reason.
const LEGS_AHEAD: usize = 8;

/// One cell that a vessel is in or will come to.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Ahead {
    /// The cell.
    pub cell: Cell,
    /// Course time until the vessel enters it, seconds; 0 for the one it is in.
    pub in_s: f64,
    /// Whether it lies beside the foretold track, within what the track may be wrong.
    pub doubtful: bool,
}

/// The cells that a vessel will be in within a horizon of course time, the first one first.
///
/// `place` is where it is now, metres; its velocity and the marks ahead are taken from the view.
pub(super) fn cells_ahead(vessel: &VesselView, place: DVec2, cell_m: f64, horizon_s: f64) -> Vec<Ahead> {
    let mut cells = vec![Ahead { cell: Cell::of(place, cell_m), in_s: 0.0, doubtful: false }];
    let speed_mps = vessel.velocity_mps.length();
    if speed_mps < BECALMED_MPS {
        return cells;
    }
    let mut from = place;
    let mut at_s = 0.0;
    for leg in legs(place, vessel.velocity_mps / speed_mps, &vessel.marks_ahead, speed_mps * horizon_s) {
        walk(&mut cells, from, leg, at_s, speed_mps, cell_m);
        from += leg;
        at_s += leg.length() / speed_mps;
    }
    cells
}

/// The straight pieces of the way ahead, as vectors in metres, as long as `reach_m` together.
///
/// A vessel that steers for its mark goes there and on to the next ones; any other one goes on as it does,
/// bent a little towards the mark.
fn legs(place: DVec2, course: DVec2, marks: &[Mark], reach_m: f64) -> Vec<DVec2> {
    let Some(towards) = marks.first().map(|mark| (mark.place - place).normalize_or_zero()) else {
        return vec![course * reach_m];
    };
    if course.dot(towards) < STEERS_FOR_MARK {
        let bent = course * (1.0 - MARK_SHARE) + towards * MARK_SHARE;
        return vec![bent.normalize_or(course) * reach_m];
    }
    let mut legs = Vec::new();
    let mut from = place;
    let mut left_m = reach_m;
    for mark in marks.iter().take(LEGS_AHEAD) {
        let leg = mark.place - from;
        let length_m = leg.length();
        if length_m >= left_m {
            legs.push(leg * (left_m / length_m));
            return legs;
        }
        legs.push(leg);
        from = mark.place;
        left_m -= length_m;
    }
    legs
}

/// Adds the cells that one straight piece of the way touches.
fn walk(cells: &mut Vec<Ahead>, from: DVec2, leg: DVec2, at_s: f64, speed_mps: f64, cell_m: f64) {
    let length_m = leg.length();
    if length_m <= 0.0 {
        return;
    }
    let mut cell = Cell::of(from, cell_m);
    while cells.len() < CELLS_AHEAD {
        let area = cell.area(cell_m);
        let east = share_to(from.x, leg.x, area.min.x, area.max.x);
        let north = share_to(from.y, leg.y, area.min.y, area.max.y);
        let share = east.min(north);
        if share > 1.0 {
            return;
        }
        let in_s = at_s + share * length_m / speed_mps;
        let by_east = east <= north;
        if cells.len() == 1 {
            add_doubtful(cells, from + leg * share, share * length_m, leg, by_east, in_s, cell_m);
        }
        if by_east {
            cell.x += if leg.x > 0.0 { 1 } else { -1 };
        } else {
            cell.y += if leg.y > 0.0 { 1 } else { -1 };
        }
        cells.push(Ahead { cell, in_s, doubtful: false });
    }
}

/// The share of a way along one axis until it leaves the stretch from `min` to `max`; infinite when it
/// does not.
fn share_to(from: f64, way: f64, min: f64, max: f64) -> f64 {
    let border = if way > 0.0 { max } else { min };
    if way == 0.0 { f64::INFINITY } else { ((border - from) / way).max(0.0) }
}

/// Where the first border is crossed near a corner of the lattice, the vessel may as well come out on the
/// corner's other side: adds the cell there and the diagonal one.
fn add_doubtful(
    cells: &mut Vec<Ahead>,
    crossing: DVec2,
    way_m: f64,
    leg: DVec2,
    by_east: bool,
    in_s: f64,
    cell_m: f64,
) {
    let here = cells[0].cell;
    let area = here.area(cell_m);
    let doubt_m = DOUBT_M + DOUBT_SHARE * way_m;
    let (along, min, max) =
        if by_east { (crossing.y, area.min.y, area.max.y) } else { (crossing.x, area.min.x, area.max.x) };
    let side = if along - min < doubt_m {
        -1
    } else if max - along < doubt_m {
        1
    } else {
        return;
    };
    let forth = |way: f64| if way > 0.0 { 1 } else { -1 };
    let (beside, diagonal) = if by_east {
        (Cell { x: here.x, y: here.y + side }, Cell { x: here.x + forth(leg.x), y: here.y + side })
    } else {
        (Cell { x: here.x + side, y: here.y }, Cell { x: here.x + side, y: here.y + forth(leg.y) })
    };
    cells.push(Ahead { cell: beside, in_s, doubtful: true });
    cells.push(Ahead { cell: diagonal, in_s, doubtful: true });
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::units::{RegionId, Tick, VesselId};

    fn vessel(velocity_mps: DVec2, marks: &[DVec2]) -> VesselView {
        VesselView {
            id: VesselId(1),
            group: VesselId(1),
            tick: Tick(0),
            place: DVec2::ZERO,
            velocity_mps,
            owner: RegionId(1),
            marks_ahead: marks
                .iter()
                .map(|&place| Mark { name: String::new(), place, radius_m: 10.0 })
                .collect(),
        }
    }

    fn certain(cells: &[Ahead]) -> Vec<(i32, i32)> {
        cells.iter().filter(|ahead| !ahead.doubtful).map(|ahead| (ahead.cell.x, ahead.cell.y)).collect()
    }

    #[test]
    fn time_to_the_border_is_distance_over_speed() {
        let ahead = cells_ahead(&vessel(DVec2::new(4.0, 0.0), &[]), DVec2::new(156.0, 100.0), 256.0, 60.0);
        assert_eq!(certain(&ahead), [(0, 0), (1, 0)]);
        assert!((ahead[1].in_s - 25.0).abs() < 1e-9, "100 m at 4 m/s: {ahead:?}");
    }

    #[test]
    fn becalmed_vessel_goes_nowhere() {
        let ahead = cells_ahead(&vessel(DVec2::new(0.05, 0.0), &[]), DVec2::new(255.0, 100.0), 256.0, 1e4);
        assert_eq!(certain(&ahead), [(0, 0)]);
    }

    #[test]
    fn way_bends_at_the_mark_that_is_steered_for() {
        let marks = [DVec2::new(200.0, 200.0), DVec2::new(200.0, 700.0)];
        let ahead = cells_ahead(&vessel(DVec2::new(5.0, 0.0), &marks), DVec2::new(100.0, 200.0), 256.0, 60.0);
        assert_eq!(certain(&ahead), [(0, 0), (0, 1)], "it turns north before the eastern border");
    }

    #[test]
    fn crossing_near_a_corner_names_the_other_side_and_the_diagonal() {
        let ahead = cells_ahead(&vessel(DVec2::new(3.0, 3.0), &[]), DVec2::new(240.0, 230.0), 256.0, 20.0);
        assert_eq!(certain(&ahead), [(0, 0), (1, 0), (1, 1)]);
        let doubtful: Vec<_> = ahead.iter().filter(|a| a.doubtful).map(|a| (a.cell.x, a.cell.y)).collect();
        assert_eq!(doubtful, [(0, 1), (1, 1)]);
    }

    #[test]
    fn absurd_speed_ends_the_look_ahead() {
        let ahead = cells_ahead(&vessel(DVec2::new(1e12, 1e11), &[]), DVec2::ZERO, 256.0, 1e6);
        assert!(ahead.len() <= CELLS_AHEAD + 2);
    }
}
