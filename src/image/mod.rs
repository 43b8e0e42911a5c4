//! What a guest boots from: a kernel, and a ramdisk with one program in it.
//!
//! ```text
//! initrd.gz   /init (the region server), /dev/console, /dev/null, /modules of kernels that need some     built once
//! region.cpio /region/course/NAME (what a course is read from), /region/arguments, /region/words               for each start
//! ```
//!
//! The kernel unpacks one behind the other. The same inputs give the same bytes, and nothing of it is secret.

mod archive;
mod elf;
pub mod kernel;

use std::io::Write as _;
use std::path::{Path, PathBuf};

use flate2::{Compression, GzBuilder};

use crate::atlas::{CourseError, course_files};

use archive::Archive;
pub use elf::{Elf, ElfError};

/// What a kernel is called in an image's folder.
const KERNEL: &str = "vmlinux";
/// What the ramdisk is called there.
const RAMDISK: &str = "initrd.gz";
/// Where guests have their course.
const COURSES: &str = "region/course";
/// The kernel looks for the next archive at multiples of this.
const ALIGN: usize = 4;

/// Why there is no image.
#[derive(Debug, thiserror::Error)]
pub enum ImageError {
    /// A file that cannot be read or written.
    #[error("{what} {path}: {error}; {remedy}")]
    File {
        /// What was tried.
        what: &'static str,
        /// With which file.
        path: String,
        /// What came of it.
        error: std::io::Error,
        /// What to do.
        remedy: &'static str,
    },
    /// A program or a kernel that is not of the kind that is needed.
    #[error("{0}")]
    Elf(#[from] ElfError),
    /// A course that cannot be sailed.
    #[error("{0}")]
    Course(#[from] CourseError),
    /// A kernel that could not be built or fetched.
    #[error("{0}")]
    Kernel(String),
}

fn cannot(
    what: &'static str,
    path: &Path,
    remedy: &'static str,
) -> impl FnOnce(std::io::Error) -> ImageError {
    let path = path.display().to_string();
    move |error| ImageError::File { what, path, error, remedy }
}

/// Sizes of an image, bytes.
#[derive(Clone, Copy, Debug, serde::Serialize)]
pub struct Sizes {
    /// The kernel as it is loaded.
    pub kernel: u64,
    /// The region server in it.
    pub init: u64,
    /// The ramdisk as it is kept.
    pub ramdisk: u64,
}

/// Reads what is to be the first program of a guest, and makes the folder for an image with it.
///
/// # Errors
/// When the program cannot be read or is not static, or there can be no such folder.
pub fn prepare(init: &Path, out: &Path) -> Result<Vec<u8>, ImageError> {
    let remedy = "build the static region server as README.md says, or name one with --init";
    let bytes = std::fs::read(init).map_err(cannot("cannot read", init, remedy))?;
    Elf::read(&bytes, init)?.is_static()?;
    std::fs::create_dir_all(out).map_err(cannot("cannot make", out, "name another folder with --out"))?;
    Ok(bytes)
}

/// Makes an image in a folder.
///
/// # Errors
/// When the kernel cannot run under Xen, the region server is not static, or the folder cannot be written.
pub fn build(kernel: &Path, modules: &[PathBuf], init: &Path, out: &Path) -> Result<Sizes, ImageError> {
    let read = |path: &Path, remedy| std::fs::read(path).map_err(cannot("cannot read", path, remedy));
    let kernel_bytes = read(kernel, "name a kernel with --kernel")?;
    Elf::read(&kernel_bytes, kernel)?.boots_under_xen()?;
    let init_bytes = prepare(init, out)?;
    let mut archive = Archive::new();
    archive.node("dev/console", 5, 1);
    archive.node("dev/null", 1, 3);
    archive.program("init", &init_bytes);
    for module in modules {
        let name = module.file_name().unwrap_or_default().to_string_lossy();
        archive.file(&format!("modules/{name}"), &read(module, "fetch the kernel again")?);
    }
    let ramdisk = compress(&archive.finish());
    let make = |name: &str, bytes: &[u8]| {
        let path = out.join(name);
        std::fs::write(&path, bytes).map_err(cannot("cannot write", &path, "name another folder with --out"))
    };
    make(KERNEL, &kernel_bytes)?;
    make(RAMDISK, &ramdisk)?;
    let size = |bytes: &[u8]| u64::try_from(bytes.len()).unwrap_or(u64::MAX);
    Ok(Sizes { kernel: size(&kernel_bytes), init: size(&init_bytes), ramdisk: size(&ramdisk) })
}

/// Compresses without a date or a name, to a length after which an archive may follow.
fn compress(bytes: &[u8]) -> Vec<u8> {
    let mut gzip = GzBuilder::new().write(Vec::new(), Compression::best());
    // Memory takes all that is written.
    let _ = gzip.write_all(bytes);
    let mut packed = gzip.finish().unwrap_or_default();
    packed.resize(packed.len().next_multiple_of(ALIGN), 0);
    packed
}

/// An image that was built.
#[derive(Clone, Debug)]
pub struct Image {
    kernel: PathBuf,
    ramdisk: Vec<u8>,
}

impl Image {
    /// Reads what [`build`] left.
    ///
    /// # Errors
    /// When one of its two files is missing.
    pub fn read(folder: &Path) -> Result<Self, ImageError> {
        let remedy = "make one with 'fairway image build --out DIR'";
        let (kernel, ramdisk) = (folder.join(KERNEL), folder.join(RAMDISK));
        let bytes = std::fs::read(&ramdisk).map_err(cannot("cannot read", &ramdisk, remedy))?;
        // Xen reads it wherever its tool was started.
        let kernel = std::fs::canonicalize(&kernel).map_err(cannot("cannot find", &kernel, remedy))?;
        Ok(Self { kernel, ramdisk: bytes })
    }

    /// The kernel's file.
    #[must_use]
    pub fn kernel(&self) -> &Path {
        &self.kernel
    }

    /// The ramdisk of a region.
    ///
    /// # Errors
    /// When its course cannot be read.
    pub fn with_region(&self, region: &RegionImage<'_>) -> Result<Vec<u8>, ImageError> {
        let mut bytes = self.ramdisk.clone();
        bytes.extend_from_slice(&region.pack()?);
        Ok(bytes)
    }
}

/// What makes a guest a region.
#[derive(Clone, Copy, Debug)]
pub struct RegionImage<'a> {
    /// The course's folder.
    pub course: &'a Path,
    /// The region server's arguments; a guest without them waits for some.
    pub arguments: Option<&'a [String]>,
    /// Words of the guest, such as `fairway.ip=10.0.0.1/24`.
    pub words: &'a str,
}

impl RegionImage<'_> {
    /// Where a guest finds the course of a folder, whose name is the course's.
    #[must_use]
    pub fn place_of(course: &Path) -> String {
        let name = std::fs::canonicalize(course).unwrap_or_else(|_| course.to_owned());
        format!("/{COURSES}/{}", name.file_name().unwrap_or_default().to_string_lossy())
    }

    /// The archive that is appended to the ramdisk.
    ///
    /// # Errors
    /// When the course cannot be read.
    pub fn pack(&self) -> Result<Vec<u8>, ImageError> {
        let mut archive = Archive::new();
        let place = Self::place_of(self.course);
        for (name, bytes) in course_files(self.course)? {
            archive.file(&format!("{}/{name}", place.trim_start_matches('/')), &bytes);
        }
        if let Some(arguments) = self.arguments {
            archive.file("region/arguments", arguments.join("\n").as_bytes());
        }
        archive.file("region/words", self.words.as_bytes());
        let mut bytes = archive.finish();
        bytes.resize(bytes.len().next_multiple_of(ALIGN), 0);
        Ok(bytes)
    }
}

#[cfg(test)]
mod tests;
