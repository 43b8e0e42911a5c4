//! Pictures: a small nautical chart as SVG, with the tracks that were sailed on it or with the sea of one
//! moment; polar diagrams and speed curves of boats.
//!
//! The colours follow paper charts: land in buff, shoal water in blue, deep water white, marks and
//! handwriting in magenta and black. Nothing is fetched; the file stands alone.

mod bands;
mod legend;
mod paper;
mod polar;
mod sea_map;
mod sheet;
mod throttle;

pub use polar::{Curve, polar};
pub use sea_map::{Layer, sea_map};
pub use throttle::throttle;

use glam::DVec2;

use crate::sea::Sea;
use crate::units::Tick;

/// Width of a map of the sea, pixels.
const SEA_PX: u32 = 1_000;

/// The way of one vessel.
#[derive(Clone, Debug, Default)]
pub struct Track {
    /// What the legend calls it.
    pub name: String,
    /// Where it was when, in rising ticks; course frame, metres.
    pub points: Vec<(Tick, DVec2)>,
    /// When it finished, if it did.
    pub finished: Option<Tick>,
}

/// What to draw.
#[derive(Clone, Debug)]
pub struct Options {
    /// The title; the course's name without one.
    pub title: Option<String>,
    /// Width of the picture, pixels.
    pub width_px: u32,
    /// Shade the depths.
    pub depths: bool,
    /// Outline the lattice cells that were crossed.
    pub cells: bool,
    /// Draw the current in the middle of the passage.
    pub currents: bool,
    /// Minutes of course time between two dots on a track.
    pub dot_minutes: u32,
}

impl Default for Options {
    fn default() -> Self {
        Self { title: None, width_px: 1_000, depths: true, cells: true, currents: true, dot_minutes: 10 }
    }
}

/// A chart of a course with tracks on it: a whole SVG document.
///
/// The frame holds the marks, the start line and every track. Wind and current are those of the middle of
/// the passages, from the same sea that the vessels sailed.
#[must_use]
pub fn tracks(sea: &Sea, tracks: &[Track], options: &Options) -> String {
    sheet::Sheet::new(sea, tracks, options).draw()
}
