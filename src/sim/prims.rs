//! Fixed things that hulls can touch, and which of them are near.

use bevy_ecs::resource::Resource;
use glam::{DQuat, DVec2, DVec3};

use crate::atlas::{Prim, Shape};
use crate::trig;
use crate::vessel::boat::LENGTH_M_MAX;
use crate::vessel::rotation;

/// Side of the squares in which prims are looked up, metres.
const SQUARE_M: f64 = 64.0;
/// A vessel asks only the square of its centre, so a prim is listed as far around as any vessel reaches:
/// 0.6 lengths and a metre, and what it moves in a tick.
const REACH_M: f64 = 0.6 * LENGTH_M_MAX + 3.0;
/// Squares in which one prim is listed at most; a prim of a kilometre needs 400.
const SQUARES_MAX: usize = 100_000;

/// A prim with what is needed to measure distances.
pub(super) struct Fixed {
    pub(super) centre_m: DVec3,
    pub(super) attitude: DQuat,
    pub(super) shape: Shape,
    /// Sine and cosine of its heading.
    turn: (f64, f64),
}

impl Fixed {
    fn of(prim: &Prim) -> Self {
        Self {
            centre_m: prim.centre_m,
            attitude: rotation::upright(prim.heading_rad),
            shape: prim.shape,
            turn: trig::sin_cos(prim.heading_rad),
        }
    }

    /// Half-extents of the box around it along its own axes, metres.
    fn half_m(&self) -> DVec3 {
        match self.shape {
            Shape::Box(half) => half,
            Shape::Cylinder { radius_m, half_height_m } => DVec3::new(radius_m, radius_m, half_height_m),
            Shape::Ball(radius_m) => DVec3::splat(radius_m),
        }
    }

    /// Whether the box around it comes within `reach_m` of a place.
    pub(super) fn is_near(&self, place_m: DVec3, reach_m: f64) -> bool {
        let d = place_m - self.centre_m;
        let (s, c) = self.turn;
        let half = self.half_m();
        let x = ((d.x * s + d.y * c).abs() - half.x).max(0.0);
        let y = ((d.y * s - d.x * c).abs() - half.y).max(0.0);
        let z = (d.z.abs() - half.z).max(0.0);
        x * x + y * y + z * z < reach_m * reach_m
    }

    /// Everything that tells prims apart, as integers: an order that no list can change.
    fn key(&self) -> [u64; 8] {
        let (kind, half) = match self.shape {
            Shape::Box(half) => (0, half),
            Shape::Cylinder { radius_m, half_height_m } => (1, DVec3::new(radius_m, half_height_m, 0.0)),
            Shape::Ball(radius_m) => (2, DVec3::new(radius_m, 0.0, 0.0)),
        };
        let c = self.centre_m;
        let numbers = [c.x, c.y, c.z, self.attitude.z, half.x, half.y, half.z].map(f64::to_bits);
        let [a, b, c, d, e, f, g] = numbers;
        [kind, a, b, c, d, e, f, g]
    }
}

/// All prims of a simulation.
#[derive(Resource, Default)]
pub(super) struct Standing {
    prims: Vec<Fixed>,
    /// (square, prim), sorted.
    squares: Vec<((i32, i32), u32)>,
}

impl Standing {
    /// Sorts the prims in and lists each in the squares that it may matter to.
    pub(super) fn new(prims: Vec<Prim>) -> Self {
        let mut fixed: Vec<Fixed> = prims.iter().map(Fixed::of).collect();
        fixed.sort_by_key(Fixed::key);
        let mut squares = Vec::new();
        for (index, prim) in fixed.iter().enumerate() {
            let half = prim.half_m();
            let reach = (half.x * half.x + half.y * half.y).sqrt() + REACH_M;
            let centre = prim.centre_m.truncate();
            let (low, high) = (square(centre - DVec2::splat(reach)), square(centre + DVec2::splat(reach)));
            let Ok(index) = u32::try_from(index) else { break };
            let listed = (low.0..=high.0).flat_map(|x| (low.1..=high.1).map(move |y| ((x, y), index)));
            squares.extend(listed.take(SQUARES_MAX));
        }
        squares.sort_unstable();
        Self { prims: fixed, squares }
    }

    /// The prims that come within `reach_m` of a place, in their order.
    pub(super) fn near(&self, place_m: DVec3, reach_m: f64) -> impl Iterator<Item = u32> {
        let square = square(place_m.truncate());
        let from = self.squares.partition_point(|(at, _)| *at < square);
        self.squares[from..]
            .iter()
            .take_while(move |(at, _)| *at == square)
            .map(|(_, index)| *index)
            .filter(move |index| self.get(*index).is_near(place_m, reach_m))
    }

    pub(super) fn get(&self, index: u32) -> &Fixed {
        &self.prims[index as usize]
    }

    pub(super) fn is_empty(&self) -> bool {
        self.prims.is_empty()
    }
}

#[expect(clippy::cast_possible_truncation, reason = "saturates; courses are far smaller")]
fn square(place: DVec2) -> (i32, i32) {
    ((place.x / SQUARE_M).floor() as i32, (place.y / SQUARE_M).floor() as i32)
}
