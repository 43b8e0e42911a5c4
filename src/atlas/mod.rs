//! Courses: where they lie, their marks, coasts, cells; everything that is read from a course folder.
//!
//! A course is read once, whole, into a [`Course`]; after that nothing here opens a file.

mod cells;
mod course;

pub use cells::{Area, Cell};
pub use course::{Course, CourseError, Mark, Prim, Shape, StartLine};
