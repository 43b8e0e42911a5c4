//! The files of a course: read whole, bounded, from its own folder alone.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::io::Read;
use std::path::{Component, Path};

use xxhash_rust::xxh3::xxh3_64_with_seed;

use super::faults::Fault;
use crate::limits::COURSE_FILE_BYTES;

/// Where the files of a course are.
#[derive(Clone, Copy, Debug)]
pub(super) enum Source<'a> {
    /// In a folder.
    Disk,
    /// In memory, by their names within the course's folder.
    Memory(&'a BTreeMap<String, Vec<u8>>),
}

/// The files of one course.
#[derive(Debug)]
pub(super) struct Files<'a> {
    dir: &'a Path,
    source: Source<'a>,
    digest: Cell<u64>,
    names: RefCell<Vec<String>>,
}

impl<'a> Files<'a> {
    /// Those of a folder, which is named in messages wherever they are.
    pub(super) const fn new(dir: &'a Path, source: Source<'a>) -> Self {
        Self { dir, source, digest: Cell::new(0), names: RefCell::new(Vec::new()) }
    }

    /// The course's folder.
    pub(super) const fn dir(&self) -> &'a Path {
        self.dir
    }

    /// XXH3 of all bytes that were read, in this order.
    pub(super) const fn digest(&self) -> u64 {
        self.digest.get()
    }

    /// The names of the files that were read.
    pub(super) fn names(&self) -> Vec<String> {
        let mut names = self.names.borrow().clone();
        names.sort();
        names.dedup();
        names
    }

    /// The bytes of a file.
    pub(super) fn bytes(&self, name: &str) -> Result<Vec<u8>, Fault> {
        let path = self.dir.join(name);
        // A course comes from a stranger: it names files of its own, and no device or secret of this machine.
        if !Path::new(name).components().all(|part| matches!(part, Component::Normal(_))) {
            let remedy = "name a file in the course's folder";
            return Err(Fault::new(&path, "", "is not within the course's folder", remedy));
        }
        let bytes = match self.source {
            Source::Disk => read_bytes(&path),
            Source::Memory(files) => files.get(name).cloned().ok_or_else(|| {
                Fault::new(&path, "", "is not among the course's files", "add it to the course")
            }),
        }?;
        self.digest.set(xxh3_64_with_seed(&bytes, self.digest.get()));
        self.names.borrow_mut().push(name.to_owned());
        Ok(bytes)
    }

    /// Likewise, as text.
    pub(super) fn text(&self, name: &str) -> Result<String, Fault> {
        text_of(&self.dir.join(name), self.bytes(name)?)
    }
}

/// The bytes of a file of a course.
fn read_bytes(path: &Path) -> Result<Vec<u8>, Fault> {
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
