//! A course, read and checked.

use std::path::Path;

use glam::{DVec2, DVec3};
use serde::{Deserialize, Serialize};

use super::adventures::{Adventures, Rip, Scripted};
use super::measured::Spectrum;
use super::projection::Projection;
use super::{Area, Coast, Depth, LandRaster, Station, Wildlife};
use crate::units::{TICK_HZ, Tick};

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

/// What the weather of a course is like.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Climate {
    /// Mean wind at 10 m, m/s.
    pub wind_mps: f64,
    /// Where the mean wind comes from, radians clockwise from north.
    pub wind_from_rad: f64,
    /// Standard deviation of its slow shifts of direction, radians.
    pub shift_rad: f64,
    /// Standard deviation of its slow changes of speed, as a share of the mean.
    pub shift_share: f64,
    /// Strength of gusts: 1 over an open sea, more near land.
    pub gustiness: f64,
    /// Fetch beyond the course's extent wherever no land is in sight, metres.
    pub fetch_m: f64,
    /// Air temperature, °C.
    pub air_c: f64,
    /// Mean dew point, °C: fog forms where it comes near the air's temperature.
    pub dew_point_c: f64,
    /// Visibility in dry air, metres.
    pub visibility_m: f64,
    /// How often something happens in it.
    pub adventures: Adventures,
}

/// A swell that reaches a course from outside.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Swell {
    /// Significant height where nothing shelters, metres.
    pub height_m: f64,
    /// Peak period, seconds.
    pub period_s: f64,
    /// Where it comes from, radians clockwise from north.
    pub from_rad: f64,
}

/// Where a course lies.
#[derive(Clone, Debug)]
pub(super) enum Frame {
    /// On Earth, about an anchor.
    Earth(Projection),
    /// On a virtual grid, from the south-west corner of a region.
    Grid {
        /// X and Y of that region.
        region: [u32; 2],
    },
}

/// A course, read and checked; holds all that a region needs and opens no file again.
#[derive(Clone, Debug)]
pub struct Course {
    /// The folder's name.
    pub name: String,
    /// What people call it.
    pub title: String,
    /// Hash of all its files: equal where they are.
    pub digest: u64,
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
    /// The water that it describes, metres; beyond it depth and current go on as at its edge.
    pub extent: Area,
    /// Its weather.
    pub climate: Climate,
    /// Swells that reach it.
    pub swells: Vec<Swell>,
    /// Its sea where that was measured; without it the wind raises the sea.
    pub spectrum: Option<Spectrum>,
    /// Its creatures and floating things.
    pub wildlife: Wildlife,
    /// What is to happen along it whatever the seed.
    pub events: Vec<Scripted>,
    /// Where its current runs faster over the bed.
    pub rips: Vec<Rip>,
    /// Its tide and current stations, in the file's order.
    pub stations: Vec<Station>,
    pub(super) frame: Frame,
    pub(super) coast: Coast,
    pub(super) raster: LandRaster,
    pub(super) depth: Depth,
}

/// Why a course cannot be used: file, place in it, and remedy, in one line.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct CourseError(pub String);

impl Course {
    /// Reads a course folder and checks all of it.
    ///
    /// # Errors
    /// Names the file, the place in it, what is wrong, and what to do; the first fault where there are
    /// several ([`super::check`] finds the others).
    pub fn load(dir: &Path) -> Result<Self, CourseError> {
        super::check(dir).map_err(|errors| {
            errors
                .into_iter()
                .next()
                .unwrap_or_else(|| CourseError(format!("{}: cannot be read", dir.display())))
        })
    }

    /// Its digest as it is written down.
    #[must_use]
    pub fn digest_hex(&self) -> String {
        format!("{:016x}", self.digest)
    }

    /// The tick at a wall-clock moment, seconds since the Unix epoch; 0 before the course's epoch.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "an epoch is a 36-bit number of seconds")]
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "saturates at both ends")]
    pub fn tick_at(&self, unix_s: f64) -> Tick {
        let ticks = (unix_s - self.epoch_unix_s as f64) * TICK_HZ as f64;
        Tick((ticks + 0.5).floor().max(0.0) as u64)
    }

    /// The moment of a tick, seconds since the Unix epoch.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "an epoch is a 36-bit number of seconds")]
    pub fn unix_s_of(&self, tick: Tick) -> f64 {
        self.epoch_unix_s as f64 + tick.seconds()
    }

    /// A place in the course frame, metres, from latitude and longitude in degrees.
    ///
    /// # Errors
    /// When the course lies on a virtual grid, or the place is too far for the projection.
    pub fn place_of(&self, lat_deg: f64, lon_deg: f64) -> Result<DVec2, CourseError> {
        let Frame::Earth(projection) = &self.frame else {
            return Err(CourseError(format!(
                "course {}: lies on a virtual grid, which has no latitudes; give region X and Y",
                self.name
            )));
        };
        projection.place_of(lat_deg, lon_deg).ok_or_else(|| {
            CourseError(format!(
                "course {}: {lat_deg} {lon_deg} is more than {} km from its anchor or off the globe; give degrees, \
                 latitude first",
                self.name,
                super::projection::REACH_M / 1000.0
            ))
        })
    }

    /// Latitude and longitude in degrees of a place; `None` on a virtual grid.
    #[must_use]
    pub fn geographic_of(&self, place: DVec2) -> Option<(f64, f64)> {
        match &self.frame {
            Frame::Earth(projection) => Some(projection.geographic_of(place)),
            Frame::Grid { .. } => None,
        }
    }

    /// A place in the course frame, metres, from region X and Y on its virtual grid, fractions included:
    /// (1000.5, 1000.5) is the middle of region 1000, 1000.
    ///
    /// # Errors
    /// When the course lies on Earth, or the numbers are not finite or far from the course.
    pub fn place_of_grid(&self, x: f64, y: f64) -> Result<DVec2, CourseError> {
        let Frame::Grid { region } = &self.frame else {
            return Err(CourseError(format!(
                "course {}: lies on Earth; give latitude and longitude",
                self.name
            )));
        };
        let place = DVec2::new(x - f64::from(region[0]), y - f64::from(region[1])) * crate::limits::CELL_M;
        if place.length() <= super::projection::REACH_M {
            Ok(place)
        } else {
            Err(CourseError(format!(
                "course {}: {x} {y} is far from its first region {} {}; give region X and Y",
                self.name, region[0], region[1]
            )))
        }
    }

    /// X and Y of the region at the origin, where the course lies on a virtual grid.
    #[must_use]
    pub fn grid_region(&self) -> Option<[u32; 2]> {
        match &self.frame {
            Frame::Earth(_) => None,
            Frame::Grid { region } => Some(*region),
        }
    }

    /// The coast.
    #[must_use]
    pub fn coast(&self) -> &Coast {
        &self.coast
    }

    /// Land on squares, for looking along lines.
    #[must_use]
    pub fn raster(&self) -> &LandRaster {
        &self.raster
    }

    /// Where depths come from.
    #[must_use]
    pub fn depth(&self) -> &Depth {
        &self.depth
    }

    /// The legs in order, each from one place to the next: from the middle of the start line to the finish.
    pub fn legs(&self) -> impl Iterator<Item = (DVec2, DVec2)> {
        let start = (self.start_line.port + self.start_line.starboard) * 0.5;
        let from = std::iter::once(start).chain(self.marks.iter().map(|mark| mark.place));
        from.zip(self.marks.iter().map(|mark| mark.place))
    }

    /// A station by its id, or by a part of its name that no other station has.
    ///
    /// # Errors
    /// Says that there is none, or lists those that match.
    pub fn station(&self, wanted: &str) -> Result<&Station, CourseError> {
        super::find_station(&self.stations, wanted)
            .map_err(|what| CourseError(format!("course {}: {what}", self.name)))
    }
}
