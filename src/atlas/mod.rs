//! Courses: where they lie, their marks, coasts, depths, stations and cells; everything that is read from
//! a course folder.
//!
//! A course is read once, whole, into a [`Course`]; after that nothing here opens a file.

mod adventures;
mod cells;
mod coast;
mod contour;
mod course;
mod depth;
mod faults;
mod file;
mod files;
mod load;
mod measured;
mod projection;
mod raster;
mod stations;
mod wildlife;

pub use adventures::{Adventures, Happening, Rip, Scripted};
pub use cells::{Area, Cell};
pub use coast::{Coast, FAR_M};
pub use course::{Climate, Course, CourseError, Mark, Prim, Shape, StartLine, Swell};
pub use depth::{Depth, HeightMap};
pub use load::{check, check_files, course_files};
pub use measured::{Band, Spectrum};
pub use raster::{LandRaster, SQUARE_M};
pub use stations::{
    Constituent, Constituents, Measures, Station, Term, find_station, parse_stations, read_stations,
};
pub use wildlife::{Species, Wildlife};

/// Unit vector (east, north) towards a direction in degrees clockwise from north.
fn toward(direction_deg: f64) -> glam::DVec2 {
    let (s, c) = crate::trig::sin_cos(crate::units::radians(direction_deg));
    glam::DVec2::new(s, c)
}
