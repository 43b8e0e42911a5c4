//! The lattice that divides a course into regions.

use glam::DVec2;
use serde::{Deserialize, Serialize};

/// One square of a course's lattice; (0, 0) has its south-west corner at the course's anchor.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Cell {
    /// Cells east of the anchor.
    pub x: i32,
    /// Cells north of the anchor.
    pub y: i32,
}

impl Cell {
    /// The cell that a place lies in; the south and west edges belong to it.
    #[must_use]
    #[expect(clippy::cast_possible_truncation, reason = "saturates; courses are far smaller")]
    pub fn of(place: DVec2, cell_m: f64) -> Self {
        Self { x: (place.x / cell_m).floor() as i32, y: (place.y / cell_m).floor() as i32 }
    }

    /// The ground that this cell covers.
    #[must_use]
    pub fn area(self, cell_m: f64) -> Area {
        let min = DVec2::new(f64::from(self.x), f64::from(self.y)) * cell_m;
        Area { min, max: min + DVec2::splat(cell_m) }
    }

    /// This cell and those within so many rows and columns of it, row by row from the south-west.
    pub fn around(self, rings: i32) -> impl Iterator<Item = Self> {
        (-rings..=rings).flat_map(move |dy| {
            (-rings..=rings)
                .map(move |dx| Self { x: self.x.saturating_add(dx), y: self.y.saturating_add(dy) })
        })
    }
}

/// A rectangle in the course frame, metres; holds its south and west edges, not the others.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Area {
    /// South-west corner.
    pub min: DVec2,
    /// North-east corner.
    pub max: DVec2,
}

impl Area {
    /// Whether the place lies in it.
    #[must_use]
    pub fn contains(&self, place: DVec2) -> bool {
        place.x >= self.min.x && place.x < self.max.x && place.y >= self.min.y && place.y < self.max.y
    }

    /// How far outside the place lies, metres; zero within.
    #[must_use]
    pub fn distance_m(&self, place: DVec2) -> f64 {
        let dx = (self.min.x - place.x).max(place.x - self.max.x).max(0.0);
        let dy = (self.min.y - place.y).max(place.y - self.max.y).max(0.0);
        (dx * dx + dy * dy).sqrt()
    }

    /// The same rectangle with a margin on every side, metres.
    #[must_use]
    pub fn grown(&self, margin_m: f64) -> Self {
        Self { min: self.min - DVec2::splat(margin_m), max: self.max + DVec2::splat(margin_m) }
    }

    /// The middle.
    #[must_use]
    pub fn centre(&self) -> DVec2 {
        (self.min + self.max) * 0.5
    }
}
