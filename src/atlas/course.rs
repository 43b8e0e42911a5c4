//! A course, read and checked.

use std::path::Path;

use glam::{DVec2, DVec3};
use serde::{Deserialize, Serialize};

use crate::units::Tick;

/// A waypoint of a passage: come within its radius.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Mark {
    /// What sailors call it.
    pub name: String,
    /// Where it is, course frame, metres.
    pub place: DVec2,
    /// How near a vessel must come, metres.
    pub radius_m: f64,
}

/// Where a fleet lies before it sails.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct StartLine {
    /// Port end, course frame, metres.
    pub port: DVec2,
    /// Starboard end, course frame, metres.
    pub starboard: DVec2,
    /// Heading of vessels at the start, radians clockwise from north.
    pub heading_rad: f64,
}

/// A fixed thing that a hull can touch: rock, dock, mark.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Prim {
    /// What it is, for people.
    pub name: String,
    /// Its middle, course frame, metres.
    pub centre_m: DVec3,
    /// Heading of its own x axis, radians clockwise from north.
    pub heading_rad: f64,
    /// Its shape about its middle.
    pub shape: Shape,
}

/// The shape of a prim.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub enum Shape {
    /// Half-extents along its own axes, metres.
    Box(DVec3),
    /// Upright, radius and half-height in metres.
    Cylinder {
        /// Metres.
        radius_m: f64,
        /// Metres.
        half_height_m: f64,
    },
    /// Radius in metres.
    Ball(f64),
}

/// A course, read and checked; holds all that a region needs and opens no file again.
#[derive(Clone, Debug)]
pub struct Course {
    /// The folder's name.
    pub name: String,
    /// The seed of its sea, unless a passage chooses another.
    pub seed: u64,
    /// Tick 0, seconds since the Unix epoch.
    pub epoch_unix_s: i64,
    /// When passages start unless they say otherwise.
    pub start: Tick,
    /// Side of a cell, metres.
    pub cell_m: f64,
    /// Prims that one region carries.
    pub prims_per_region: u32,
    /// Where vessels start.
    pub start_line: StartLine,
    /// Marks in order; the last is the finish.
    pub marks: Vec<Mark>,
    /// Course time after which a passage is given up, seconds.
    pub time_limit_s: f64,
    /// Everything fixed that a hull can touch.
    pub prims: Vec<Prim>,
}

/// Why a course cannot be used: file, place in it, and remedy, in one line.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct CourseError(pub String);

impl Course {
    /// Reads a course folder and checks all of it.
    ///
    /// # Errors
    /// Names the file, the place in it, what is wrong, and what to do.
    pub fn load(dir: &Path) -> Result<Self, CourseError> {
        let _ = dir;
        unimplemented!()
    }

    /// The tick at a wall-clock moment, seconds since the Unix epoch; 0 before the course's epoch.
    #[must_use]
    pub fn tick_at(&self, unix_s: f64) -> Tick {
        let _ = unix_s;
        unimplemented!()
    }

    /// A place in the course frame, metres, from latitude and longitude in degrees.
    ///
    /// # Errors
    /// When the course lies on a virtual grid, or the place is too far for the projection.
    pub fn place_of(&self, lat_deg: f64, lon_deg: f64) -> Result<DVec2, CourseError> {
        let _ = (lat_deg, lon_deg);
        unimplemented!()
    }
}
