//! Errors of course files: one line each, with the file, the place in it, what is wrong and what to do.

use std::collections::BTreeMap;
use std::fmt::Display;
use std::io::Read;
use std::path::{Component, Path, PathBuf};

use super::CourseError;
use crate::limits::COURSE_FILE_BYTES;

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

/// Where the files of a course are.
#[derive(Clone, Copy, Debug)]
pub(super) enum Source<'a> {
    /// In a folder.
    Disk,
    /// In memory, by their names within the course's folder.
    Memory(&'a BTreeMap<String, Vec<u8>>),
}

impl Source<'_> {
    /// The bytes of a file, of which the course's folder is given for the message.
    pub(super) fn bytes(self, dir: &Path, name: &str) -> Result<Vec<u8>, Fault> {
        let path = dir.join(name);
        // A course comes from a stranger: it names files of its own, and no device or secret of this machine.
        if !Path::new(name).components().all(|part| matches!(part, Component::Normal(_))) {
            let remedy = "name a file in the course's folder";
            return Err(Fault::new(&path, "", "is not within the course's folder", remedy));
        }
        match self {
            Self::Disk => read_bytes(&path),
            Self::Memory(files) => files.get(name).cloned().ok_or_else(|| {
                Fault::new(&path, "", "is not among the course's files", "add it to the course")
            }),
        }
    }

    /// Likewise, as text.
    pub(super) fn text(self, dir: &Path, name: &str) -> Result<String, Fault> {
        text_of(&dir.join(name), self.bytes(dir, name)?)
    }
}

/// The bytes of a file of a course.
pub(super) fn read_bytes(path: &Path) -> Result<Vec<u8>, Fault> {
    let unreadable = |error: &std::io::Error| {
        let remedy = "give the path of a course folder with this file in it";
        Fault::new(path, "", format!("cannot be read: {error}"), remedy)
    };
    let metadata = std::fs::metadata(path).map_err(|error| unreadable(&error))?;
    if !metadata.is_file() {
        // A pipe or a device may have no end.
        return Err(Fault::new(
            path,
            "",
            "is not a file",
            "give the path of a course folder with this file in it",
        ));
    }
    let mut bytes = Vec::new();
    std::fs::File::open(path)
        .and_then(|file| file.take(COURSE_FILE_BYTES + 1).read_to_end(&mut bytes))
        .map_err(|error| unreadable(&error))?;
    if bytes.len() as u64 > COURSE_FILE_BYTES {
        return Err(Fault::new(
            path,
            "",
            format!("is too large: {} bytes, at most {COURSE_FILE_BYTES} are read", metadata.len()),
            "cut it to the course's extent",
        ));
    }
    Ok(bytes)
}

/// The text of a file of a course.
pub(super) fn read_text(path: &Path) -> Result<String, Fault> {
    text_of(path, read_bytes(path)?)
}

fn text_of(path: &Path, bytes: Vec<u8>) -> Result<String, Fault> {
    String::from_utf8(bytes).map_err(|error| {
        let at = error.utf8_error().valid_up_to();
        Fault::new(path, format!("byte {at}"), "is not UTF-8", "save the file as UTF-8 text")
    })
}
