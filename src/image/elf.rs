//! What a program or a kernel needs, read from its headers (System V ABI, ELF-64; Xen's `elfnote.h`).

use std::path::Path;

/// Segment that names a dynamic linker.
const INTERP: u32 = 3;
/// Segment of notes.
const NOTE: u32 = 4;
/// Note of Xen that holds the entry of a paravirtualised guest.
const XEN_ENTRY: u32 = 1;
/// Note of Xen that holds the entry of a guest in hardware.
const XEN_PHYS32_ENTRY: u32 = 18;
/// Segments that are looked at; programs have about ten.
const SEGMENTS_MAX: u16 = 64;

/// Why a file cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("{path}: {what}; {remedy}")]
pub struct ElfError {
    path: String,
    what: &'static str,
    remedy: &'static str,
}

/// What the headers of an ELF file say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Elf {
    path: String,
    interpreted: bool,
    /// Whether it can be booted as a paravirtualised guest of Xen.
    pub pv: bool,
    /// Whether it can be booted as a guest in hardware (PVH).
    pub pvh: bool,
}

impl Elf {
    /// Reads a file's bytes.
    ///
    /// # Errors
    /// When they are not of a 64-bit little-endian ELF file.
    pub fn read(bytes: &[u8], path: &Path) -> Result<Self, ElfError> {
        let path = path.display().to_string();
        let parsed = parse(bytes);
        let Some((interpreted, notes)) = parsed else {
            return Err(ElfError {
                path,
                what: "is no 64-bit ELF file",
                remedy: "a kernel must be unpacked (vmlinux, not bzImage), a program built for this machine",
            });
        };
        let (pv, pvh) = (notes.contains(&XEN_ENTRY), notes.contains(&XEN_PHYS32_ENTRY));
        Ok(Self { path, interpreted, pv, pvh })
    }

    /// Holds a kernel to being one for Xen.
    ///
    /// # Errors
    /// When it has neither entry.
    pub fn boots_under_xen(&self) -> Result<(), ElfError> {
        if self.pv || self.pvh {
            return Ok(());
        }
        Err(ElfError {
            path: self.path.clone(),
            what: "has no entry for Xen",
            remedy: "build a kernel with CONFIG_XEN_PV, or take --kernel tuned",
        })
    }

    /// Holds a program to needing no other file.
    ///
    /// # Errors
    /// When it names a dynamic linker.
    pub fn is_static(&self) -> Result<(), ElfError> {
        if !self.interpreted {
            return Ok(());
        }
        Err(ElfError {
            path: self.path.clone(),
            what: "is not static: it needs a dynamic linker, and a guest has none",
            remedy: "build it with --config assets/guest/static.toml, as the README says",
        })
    }
}

/// Whether there is a dynamic linker, and the types of Xen's notes.
fn parse(bytes: &[u8]) -> Option<(bool, Vec<u32>)> {
    // Class 2 is 64 bits, data 1 little-endian.
    if !bytes.starts_with(&[0x7f, b'E', b'L', b'F', 2, 1]) {
        return None;
    }
    let table = usize::try_from(u64::from_le_bytes(array(bytes, 32)?)).ok()?;
    let size = usize::from(u16::from_le_bytes(array(bytes, 54)?));
    let count = u16::from_le_bytes(array(bytes, 56)?).min(SEGMENTS_MAX);
    let (mut interpreted, mut notes) = (false, Vec::new());
    for n in 0..usize::from(count) {
        let at = table.checked_add(n.checked_mul(size)?)?;
        let kind = u32::from_le_bytes(array(bytes, at)?);
        interpreted |= kind == INTERP;
        if kind == NOTE {
            let from = usize::try_from(u64::from_le_bytes(array(bytes, at.checked_add(8)?)?)).ok()?;
            let length = usize::try_from(u64::from_le_bytes(array(bytes, at.checked_add(32)?)?)).ok()?;
            notes.extend(xen_notes(bytes.get(from..from.checked_add(length)?)?));
        }
    }
    Some((interpreted, notes))
}

/// The types of the notes that are Xen's: each has the lengths of its name and content, its type, and both, aligned.
fn xen_notes(mut notes: &[u8]) -> Vec<u32> {
    let mut types = Vec::new();
    while let (Some(name), Some(content), Some(kind)) = (array(notes, 0), array(notes, 4), array(notes, 8)) {
        let aligned =
            |length: [u8; 4]| usize::try_from(u32::from_le_bytes(length)).ok()?.checked_next_multiple_of(4);
        let Some((name_length, content_length)) = aligned(name).zip(aligned(content)) else { break };
        if notes.get(12..16) == Some(b"Xen\0") {
            types.push(u32::from_le_bytes(kind));
        }
        let next = 12_usize.checked_add(name_length).and_then(|next| next.checked_add(content_length));
        let Some(rest) = next.and_then(|next| notes.get(next..)) else { break };
        notes = rest;
    }
    types
}

fn array<const N: usize>(bytes: &[u8], at: usize) -> Option<[u8; N]> {
    bytes.get(at..at.checked_add(N)?)?.try_into().ok()
}
