use super::*;

/// An ELF file with these segments: (type, content).
fn elf(segments: &[(u32, &[u8])]) -> Vec<u8> {
    let table = 64_usize;
    let mut bytes = vec![0; table + 56 * segments.len()];
    bytes[..6].copy_from_slice(&[0x7f, b'E', b'L', b'F', 2, 1]);
    bytes[32..40].copy_from_slice(&(table as u64).to_le_bytes());
    bytes[54..56].copy_from_slice(&56_u16.to_le_bytes());
    bytes[56..58].copy_from_slice(&u16::try_from(segments.len()).unwrap().to_le_bytes());
    for (n, (kind, content)) in segments.iter().enumerate() {
        let (at, from) = (table + 56 * n, bytes.len() as u64);
        bytes[at..at + 4].copy_from_slice(&kind.to_le_bytes());
        bytes[at + 8..at + 16].copy_from_slice(&from.to_le_bytes());
        bytes[at + 32..at + 40].copy_from_slice(&(content.len() as u64).to_le_bytes());
        bytes.extend_from_slice(content);
    }
    bytes
}

fn note(kind: u32) -> Vec<u8> {
    let mut bytes = Vec::new();
    for word in [4, 8, kind] {
        bytes.extend_from_slice(&word.to_le_bytes());
    }
    bytes.extend_from_slice(b"Xen\0");
    bytes.extend_from_slice(&[0; 8]);
    bytes
}

fn unpack(bytes: &[u8]) -> Vec<(String, u32, Vec<u8>)> {
    let (mut rest, mut files) = (bytes, Vec::new());
    loop {
        let mut reader = cpio::newc::Reader::new(rest).unwrap();
        if reader.entry().is_trailer() {
            return files;
        }
        let (name, mode) = (reader.entry().name().to_owned(), reader.entry().mode());
        let mut content = Vec::new();
        std::io::Read::read_to_end(&mut reader, &mut content).unwrap();
        files.push((name, mode, content));
        rest = reader.finish().unwrap();
    }
}

#[test]
fn same_inputs_give_the_same_image_and_a_region_can_follow() {
    let dir = tempfile::tempdir().unwrap();
    let (kernel, init) = (dir.path().join("k"), dir.path().join("i"));
    std::fs::write(&kernel, elf(&[(4, &[note(6), note(1)].concat())])).unwrap();
    std::fs::write(&init, elf(&[(1, b"program")])).unwrap();
    let (one, two) = (dir.path().join("one"), dir.path().join("two"));
    let sizes = build(&kernel, &[], &init, &one).unwrap();
    build(&kernel, &[], &init, &two).unwrap();
    let image = std::fs::read(one.join(RAMDISK)).unwrap();
    assert_eq!(image, std::fs::read(two.join(RAMDISK)).unwrap());
    assert_eq!((sizes.ramdisk, image.len() % ALIGN), (image.len() as u64, 0));
    let mut plain = Vec::new();
    std::io::Read::read_to_end(&mut flate2::read::GzDecoder::new(&image[..]), &mut plain).unwrap();
    let files = unpack(&plain);
    let names: Vec<&str> = files.iter().map(|(name, ..)| name.as_str()).collect();
    assert_eq!(names, ["dev", "dev/console", "dev/null", "init"]);
    assert_eq!(files[3].1, 0o100_755);
    let course = Path::new(env!("CARGO_MANIFEST_DIR")).join("regions/gullwing");
    let arguments = ["--cell=1,2".to_owned(), "--id=3".to_owned()];
    let region =
        RegionImage { course: &course, arguments: Some(&arguments), words: "fairway.ip=10.0.0.1/24" };
    let whole = Image::read(&one).unwrap().with_region(&region).unwrap();
    assert!(whole.starts_with(&image));
    let files = unpack(&whole[image.len()..]);
    let content = |name: &str| files.iter().find(|file| file.0 == name).map(|file| file.2.clone());
    assert_eq!(content("region/arguments").unwrap(), b"--cell=1,2\n--id=3");
    assert_eq!(
        content("region/course/gullwing/course.toml").unwrap(),
        std::fs::read(course.join("course.toml")).unwrap()
    );
}

#[test]
fn what_cannot_boot_is_refused_with_a_remedy() {
    let dir = tempfile::tempdir().unwrap();
    let write = |name: &str, bytes: &[u8]| {
        std::fs::write(dir.path().join(name), bytes).unwrap();
        dir.path().join(name)
    };
    let xen = write("xen", &elf(&[(4, &note(18))]));
    let bare = write("bare", &elf(&[(4, b"\x04\0\0\0\0\0\0\0\x01\0\0\0GNU\0")]));
    let packed = write("packed", b"MZ, a bzImage");
    let fixed = write("fixed", &elf(&[]));
    let loose = write("loose", &elf(&[(3, b"/lib64/ld-linux-x86-64.so.2\0")]));
    let out = dir.path().join("out");
    for (kernel, init, part) in [
        (&bare, &fixed, "CONFIG_XEN_PV"),
        (&packed, &fixed, "not bzImage"),
        (&xen, &loose, "static.toml"),
        (&xen, &packed, "no 64-bit ELF"),
        (&dir.path().join("none"), &fixed, "--kernel"),
    ] {
        let message = build(kernel, &[], init, &out).unwrap_err().to_string();
        assert!(message.contains(part), "{message}");
    }
    assert!(build(&xen, &[], &fixed, &out).is_ok());
    let message = Image::read(dir.path()).unwrap_err().to_string();
    assert!(message.contains("fairway image build"), "{message}");
}

#[test]
fn cut_elf_files_are_no_panic() {
    let whole = elf(&[(4, &note(1)), (3, b"/lib/ld.so\0")]);
    for length in 0..whole.len() {
        let _ = Elf::read(&whole[..length], Path::new("cut"));
    }
}
