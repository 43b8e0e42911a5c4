//! Archives in the format that kernels unpack (newc; kernel documentation `initramfs buffer format`).

use std::collections::BTreeSet;
use std::io::Write as _;

use cpio::newc::{Builder, ModeFileType, trailer};

/// An archive in the making: all of it root's and of no date, so that the same files give the same bytes.
#[derive(Debug, Default)]
pub(super) struct Archive {
    bytes: Vec<u8>,
    folders: BTreeSet<String>,
    entries: u32,
}

impl Archive {
    pub(super) fn new() -> Self {
        Self::default()
    }

    /// A file that all may read, and the folders that it lies in.
    pub(super) fn file(&mut self, name: &str, content: &[u8]) {
        self.entry(name, ModeFileType::Regular, 0o444, (0, 0), content);
    }

    /// A program.
    pub(super) fn program(&mut self, name: &str, content: &[u8]) {
        self.entry(name, ModeFileType::Regular, 0o755, (0, 0), content);
    }

    /// A character device.
    pub(super) fn node(&mut self, name: &str, major: u32, minor: u32) {
        self.entry(name, ModeFileType::Char, 0o600, (major, minor), b"");
    }

    /// The archive's bytes.
    pub(super) fn finish(self) -> Vec<u8> {
        // Memory takes all that is written.
        trailer(self.bytes).unwrap_or_default()
    }

    fn entry(&mut self, name: &str, kind: ModeFileType, mode: u32, device: (u32, u32), content: &[u8]) {
        for (at, _) in name.match_indices('/') {
            if self.folders.insert(name[..at].to_owned()) {
                self.put(&name[..at], ModeFileType::Directory, 0o755, (0, 0), b"");
            }
        }
        self.put(name, kind, mode, device, content);
    }

    fn put(&mut self, name: &str, kind: ModeFileType, mode: u32, device: (u32, u32), content: &[u8]) {
        self.entries += 1;
        let length = u32::try_from(content.len()).unwrap_or(u32::MAX);
        let links = if matches!(kind, ModeFileType::Directory) { 2 } else { 1 };
        let builder = Builder::new(name)
            .ino(self.entries)
            .nlink(links)
            .mode(mode)
            .set_mode_file_type(kind)
            .rdev_major(device.0)
            .rdev_minor(device.1);
        let mut writer = builder.write(&mut self.bytes, length);
        let written = writer.write_all(content).and_then(|()| writer.finish().map(drop));
        debug_assert!(written.is_ok(), "memory takes all that is written");
    }
}
