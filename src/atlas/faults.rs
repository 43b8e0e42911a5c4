//! Errors of course files: one line each, with the file, the place in it, what is wrong and what to do.

use std::fmt::Display;
use std::path::{Path, PathBuf};

use super::CourseError;

/// One thing that is wrong.
#[derive(Debug)]
pub(super) struct Fault(String);

impl Fault {
    /// A fault at a place (a key, a line; may be empty) in a file.
    pub(super) fn new(path: &Path, place: impl Display, what: impl Display, remedy: impl Display) -> Self {
        let place = place.to_string();
        let gap = if place.is_empty() { "" } else { ": " };
        let line = format!("{}{gap}{place}: {what}; {remedy}", path.display());
        // Messages of parsers come in several lines.
        Self(line.split_whitespace().collect::<Vec<_>>().join(" "))
    }

    pub(super) fn into_error(self) -> CourseError {
        CourseError(self.0)
    }
}

/// Everything found wrong so far in one file.
#[derive(Debug)]
pub(super) struct Faults {
    path: PathBuf,
    list: Vec<CourseError>,
}

impl Faults {
    pub(super) fn of(path: &Path) -> Self {
        Self { path: path.to_owned(), list: Vec::new() }
    }

    /// Notes a fault in this file.
    pub(super) fn add(&mut self, place: impl Display, what: impl Display, remedy: impl Display) {
        let fault = Fault::new(&self.path, place, what, remedy);
        self.push(fault);
    }

    /// Notes a fault, of whatever file.
    pub(super) fn push(&mut self, fault: Fault) {
        self.list.push(fault.into_error());
    }

    /// The value, unless it is a fault, which is noted.
    pub(super) fn take<T>(&mut self, outcome: Result<T, Fault>) -> Option<T> {
        outcome.map_err(|fault| self.push(fault)).ok()
    }

    /// Notes a number that is not finite or not within its range.
    pub(super) fn range(&mut self, key: impl Display, value: f64, least: f64, most: f64) {
        // A comparison with what is not a number is false.
        if !(value >= least && value <= most) {
            self.add(key, format!("is {value}"), format!("give a number from {least} to {most}"));
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    pub(super) fn into_errors(self) -> Vec<CourseError> {
        self.list
    }
}
