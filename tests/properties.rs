//! Hostile bytes, shortly: the functions of the fuzz targets over samples, damaged samples and noise, and
//! what reading costs in memory.
//!
//! `fuzz/README.md` says how to go on for longer. The samples under `fuzz/corpus` are written by
//! `cargo test --test properties write_corpora -- --ignored`.
#![allow(
    missing_docs,
    unreachable_pub,
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "tests are no library"
)]
#![allow(dead_code, reason = "the targets have users elsewhere")]
#![allow(unsafe_code, reason = "an allocator that counts can be written in no other way")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::path::{Path, PathBuf};

use fairway::limits::{CLIENT_MESSAGE_BYTES, DATAGRAM_BYTES, MESSAGE_BYTES};
use fairway::record::{Entry, log_bytes, read_log};
use fairway::units::{RegionId, Tick, VesselId};
use fairway::vessel::{BoatSpec, Helm, Input};
use fairway::wire::message::{AppliedInput, Epoch, Given, Word};
use fairway::wire::{Message, VERSION, WireError, decode, encode};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};

#[path = "../fuzz/src/lib.rs"]
mod targets;

/// Counts what this thread has allocated and not freed, and the most that it was.
struct Counting;

thread_local! {
    static HELD: Cell<(usize, usize)> = const { Cell::new((0, 0)) };
}

fn note(change: impl Fn(usize) -> usize) {
    // A thread that ends has no cell any more.
    let _ = HELD.try_with(|held| {
        let (now, most) = held.get();
        let now = change(now);
        held.set((now, most.max(now)));
    });
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

// SAFETY: every call goes to the system's allocator as it came; counting touches no memory of its callers.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        note(|held| held.saturating_add(layout.size()));
        // SAFETY: the caller's promises are passed on.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        note(|held| held.saturating_sub(layout.size()));
        // SAFETY: likewise.
        unsafe { System.dealloc(at, layout) }
    }
}

/// The most bytes that this thread held during a call, beyond what it held before.
fn peak_of<T>(call: impl FnOnce() -> T) -> (usize, T) {
    let before = HELD.with(|held| {
        held.set((held.get().0, held.get().0));
        held.get().0
    });
    let outcome = call();
    (HELD.with(|held| held.get().1) - before, outcome)
}

/// A target with its samples.
type Target = (&'static str, fn(&[u8]), Vec<(String, Vec<u8>)>);

fn repository() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn file(path: &str) -> Vec<u8> {
    std::fs::read(repository().join(path)).unwrap()
}

fn boat() -> BoatSpec {
    BoatSpec::from_toml(&String::from_utf8(file("assets/boats/first407.toml")).unwrap(), "first407").unwrap()
}

fn orders() -> Vec<AppliedInput> {
    let order = |seq| AppliedInput {
        vessel: VesselId(7),
        tick: Tick(900 + u64::from(seq)),
        given: Given::Order(Input {
            session: 1,
            seq,
            helm: Helm { rudder_rad: 0.2, sheet: 0.5, ..Helm::default() },
        }),
    };
    (0..3).map(order).collect()
}

/// One message of each direction: client, region, harbour.
fn messages() -> Vec<(&'static str, Message)> {
    let record = targets::sample_record(7, Tick(900), Epoch { term: 1, hop: 3 });
    let offer = Word::Offer { number: 4, vessels: vec![record.clone()], commit: Tick(912) };
    let epochs = vec![(VesselId(7), Epoch { term: 1, hop: 4 })];
    let commit = Word::Commit { number: 4, commit: Tick(912), epochs, inputs: orders() };
    vec![
        ("join", Message::Join { ticket: vec![3; 120], boat: Some(boat()), resume: Some(2) }),
        ("helm", Message::Helm { vessel: VesselId(7), seq: 9, helm: Helm::default() }),
        ("offer", Message::Handoff(offer)),
        ("commit", Message::Handoff(commit)),
        (
            "inputs",
            Message::Inputs { vessels: vec![VesselId(7)], through: Tick(903), inputs: orders(), stamp_ns: 5 },
        ),
        ("shadow", Message::Shadow { vessels: vec![record] }),
        ("moor", Message::Moor(VesselId(7))),
    ]
}

fn log() -> Vec<u8> {
    let record = targets::sample_record(7, Tick(900), Epoch::default());
    let mut entries = vec![Entry::Launched { tick: Tick(900), vessel: Box::new(record.vessel) }];
    for AppliedInput { vessel, tick, given } in orders() {
        entries.push(match given {
            Given::Order(input) => Entry::Input { vessel, tick, input },
            Given::Company(company) => Entry::Company { vessel, tick, company },
        });
        entries.push(Entry::Hash { vessel, tick, term: 1, hop: 2, hash: 0x1234_5678_9abc_def0 });
    }
    entries.push(Entry::Left { tick: Tick(903), vessel: VesselId(7) });
    log_bytes("r1.gullwing.fairway", "gullwing", 256, &entries)
}

/// A heightmap of the size that the small course needs, of few heights.
fn heightmap() -> Vec<u8> {
    let mut bytes = b"P5\n9 6\n65535\n".to_vec();
    bytes.extend((0..54_u16).flat_map(|n| (n * 1_200).to_be_bytes()));
    bytes
}

fn all() -> Vec<Target> {
    let named = |samples: &[(&str, Vec<u8>)]| -> Vec<(String, Vec<u8>)> {
        samples.iter().map(|(name, bytes)| ((*name).to_owned(), bytes.clone())).collect()
    };
    let wire = messages()
        .into_iter()
        .map(|(name, message)| (name.to_owned(), encode(Some(RegionId(1)), &message).unwrap()));
    let commands: [&str; 3] = [
        "--course\nregions/gullwing\n--cell\n3,-2\n--cell\n4,-2\n--listen\n127.0.0.7:0\n--id\n12\n--seed\n9",
        "--course=x\n--cell=1,1\n--authority\n00ff\n--clock\n900,1767225600000000000,30\n--record\nout\n--lifeline",
        "--help",
    ];
    let commands = (1..).zip(commands).map(|(n, line)| (format!("line{n}"), line.as_bytes().to_vec()));
    let scripts = (1..).zip(targets::samples()).map(|(n, bytes)| (format!("script{n}"), bytes));
    let ticket = encode(None, &Message::Leave).unwrap();
    vec![
        ("wire", targets::wire, wire.collect()),
        ("ticket", targets::ticket, named(&[("ticket", targets::sample_ticket()), ("none", ticket)])),
        (
            "course",
            targets::course,
            named(&[
                ("gullwing", file("regions/gullwing/course.toml")),
                ("admiralty", file("regions/admiralty/course.toml")),
            ]),
        ),
        ("coast", targets::coast, named(&[("island", targets::ISLAND.to_vec())])),
        ("stations", targets::stations, named(&[("admiralty", file("regions/admiralty/stations.json"))])),
        (
            "heights",
            targets::heights,
            named(&[("gullwing", file("regions/gullwing/heights.pgm")), ("small", heightmap())]),
        ),
        (
            "boat",
            targets::boat,
            named(&[
                ("first407", file("assets/boats/first407.toml")),
                ("launch", file("assets/boats/launch.toml")),
            ]),
        ),
        ("record", targets::record, named(&[("log", log())])),
        ("command", targets::command, commands.collect()),
        ("shadows", targets::shadows, scripts.collect()),
    ]
}

#[test]
#[ignore = "writes the samples from which fuzzing starts"]
fn write_corpora() {
    for (name, _, samples) in all() {
        let folder = repository().join("fuzz/corpus").join(name);
        std::fs::create_dir_all(&folder).unwrap();
        for (sample, bytes) in samples {
            std::fs::write(folder.join(sample), bytes).unwrap();
        }
    }
}

#[test]
fn samples_of_every_target_are_taken() {
    for (name, target, samples) in all() {
        for (sample, bytes) in samples {
            println!("{name}/{sample}: {} bytes", bytes.len());
            target(&bytes);
        }
    }
    for (name, message) in messages() {
        assert!(decode(&encode(None, &message).unwrap(), MESSAGE_BYTES).is_ok(), "{name}");
    }
    assert_eq!(read_log("log", log().as_slice()).unwrap().unwrap().entries.len(), 8);
}

/// The scripts get as far as they say, so that damage is done to something that works.
#[test]
fn sample_scripts_hand_over_both_ways() {
    let ids = |script: &[u8]| {
        let region = targets::play(script);
        (region.counts().handoffs, region.sim().ids().iter().map(|id| id.0).collect::<Vec<u32>>())
    };
    let [arriving, leaving, sailing, _] = targets::samples().try_into().unwrap();
    assert_eq!(ids(&arriving), (1, vec![1, 9]));
    assert_eq!(ids(&leaving), (0, vec![]));
    assert_eq!(ids(&sailing), (0, vec![1, 2]));
    assert!(targets::play(&sailing).shadow(VesselId(8)).is_some());
}

#[test]
fn committed_corpora_are_still_read() {
    for (name, target, _) in all() {
        let folder = repository().join("fuzz/corpus").join(name);
        let files: Vec<PathBuf> =
            std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).collect();
        assert!(!files.is_empty(), "{} is empty", folder.display());
        for path in files {
            target(&std::fs::read(&path).unwrap());
        }
    }
}

/// One thing done to bytes.
#[derive(Clone, Debug)]
enum Damage {
    Set(Index, u8),
    Flip(Index, u8),
    Cut(Index),
    Insert(Index, Vec<u8>),
    Remove(Index, u8),
    Repeat(Index, u8),
}

fn damage() -> impl Strategy<Value = Damage> {
    prop_oneof![
        (any::<Index>(), any::<u8>()).prop_map(|(at, byte)| Damage::Set(at, byte)),
        (any::<Index>(), 0..8_u8).prop_map(|(at, bit)| Damage::Flip(at, bit)),
        any::<Index>().prop_map(Damage::Cut),
        (any::<Index>(), vec(any::<u8>(), 1..9)).prop_map(|(at, bytes)| Damage::Insert(at, bytes)),
        (any::<Index>(), any::<u8>()).prop_map(|(at, length)| Damage::Remove(at, length)),
        (any::<Index>(), any::<u8>()).prop_map(|(at, length)| Damage::Repeat(at, length)),
        // Digits make numbers of texts larger without making them unreadable.
        (any::<Index>(), select(&["9", "-", "e9", "nan", "0.", "1e308"][..]))
            .prop_map(|(at, text)| Damage::Insert(at, text.as_bytes().to_vec())),
    ]
}

fn damaged(mut bytes: Vec<u8>, list: &[Damage]) -> Vec<u8> {
    for damage in list {
        if bytes.is_empty() {
            break;
        }
        let stretch = |at: usize, length: u8| at..(at + usize::from(length)).min(bytes.len());
        match damage {
            Damage::Set(at, byte) => *at.get_mut(&mut bytes) = *byte,
            Damage::Flip(at, bit) => *at.get_mut(&mut bytes) ^= 1 << bit,
            Damage::Cut(at) => bytes.truncate(at.index(bytes.len())),
            Damage::Insert(at, more) => {
                let at = at.index(bytes.len());
                bytes.splice(at..at, more.iter().copied());
            }
            Damage::Remove(at, length) => {
                let range = stretch(at.index(bytes.len()), *length);
                bytes.drain(range);
            }
            Damage::Repeat(at, length) => {
                let range = stretch(at.index(bytes.len()), *length);
                let piece = bytes[range.clone()].to_vec();
                bytes.splice(range.end..range.end, piece);
            }
        }
    }
    bytes
}

/// Runs one target over its damaged samples and over noise.
fn harass(name: &str, cases: u32) {
    let (_, target, samples) = all().into_iter().find(|(known, ..)| *known == name).unwrap();
    let samples: Vec<Vec<u8>> = samples.into_iter().map(|(_, bytes)| bytes).collect();
    let config = ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(cases) };
    let mut runner = proptest::test_runner::TestRunner::new(config);
    let input = prop_oneof![
        8 => (select(samples), vec(damage(), 1..6)).prop_map(|(sample, list)| damaged(sample, &list)),
        1 => vec(any::<u8>(), 0..300),
    ];
    runner
        .run(&input, |bytes| {
            target(&bytes);
            Ok(())
        })
        .unwrap();
}

macro_rules! damaged_samples_never_panic {
    ($($name:ident: $target:literal, $cases:literal),+ $(,)?) => {
        $(#[test] fn $name() { harass($target, $cases); })+
    };
}

damaged_samples_never_panic! {
    damaged_messages_never_panic: "wire", 20_000,
    damaged_tickets_never_panic: "ticket", 2_000,
    damaged_courses_never_panic: "course", 1_000,
    damaged_coasts_never_panic: "coast", 500,
    damaged_stations_never_panic: "stations", 300,
    damaged_heightmaps_never_panic: "heights", 1_000,
    damaged_boats_never_panic: "boat", 4_000,
    damaged_logs_never_panic: "record", 20_000,
    damaged_command_lines_never_panic: "command", 10_000,
    damaged_handoffs_never_panic: "shadows", 4_000,
}

/// Bytes that a decoder may hold for each byte that it reads: an empty list of one byte becomes one of 24,
/// in a list that doubles as it grows.
const HELD_PER_BYTE: usize = 64;
/// Bytes that it may hold besides: what serde reserves at once for a list, for two lists within each other,
/// and the words of an error.
const HELD_BESIDES: usize = 2 * 1024 * 1024 + 64 * 1024;

fn assert_frugal(bytes: &[u8], cap: usize) -> Result<(), TestCaseError> {
    let (peak, outcome) = peak_of(|| decode(bytes, cap));
    let most = HELD_PER_BYTE * bytes.len().min(cap) + HELD_BESIDES;
    prop_assert!(peak <= most, "{} bytes held {peak}, at most {most}: {outcome:?}", bytes.len());
    if bytes.len() > cap {
        prop_assert!(peak < 1024, "refused by its size, but {peak} bytes were held");
    }
    Ok(())
}

/// Heads of lists, maps, texts and bytes that announce the most, and of what they may hold.
fn boast() -> impl Strategy<Value = Vec<u8>> {
    let heads: &[&[u8]] = &[
        &[0xdd, 0xff, 0xff, 0xff, 0xff],
        &[0xdc, 0xff, 0xff],
        &[0xdf, 0xff, 0xff, 0xff, 0xff],
        &[0xc6, 0x7f, 0xff, 0xff, 0xff],
        &[0xdb, 0x00, 0x10, 0x00, 0x00],
        &[0x9f],
        &[0x8f],
        &[0x90],
        &[0xc0],
        &[0x01],
    ];
    vec(select(heads.to_vec()), 1..40).prop_map(|parts| parts.concat())
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(300) })]

    #[test]
    fn reading_holds_memory_in_proportion(
        sample in select(messages()),
        list in vec(damage(), 0..4),
        boast in boast(),
        at in any::<Index>(),
    ) {
        let whole = encode(None, &sample.1).unwrap();
        let mut bytes = damaged(whole, &list);
        let at = at.index(bytes.len() + 1);
        bytes.splice(at..at, boast);
        for cap in [MESSAGE_BYTES, CLIENT_MESSAGE_BYTES, DATAGRAM_BYTES] {
            assert_frugal(&bytes, cap)?;
        }
    }

    #[test]
    fn logs_cut_anywhere_are_told_so(at in any::<Index>()) {
        let bytes = log();
        let at = at.index(bytes.len());
        // What a killed process leaves is read as far as it goes; nothing is made up.
        let whole = read_log("log", bytes.as_slice()).unwrap().unwrap();
        if let Some(part) = read_log("log", &bytes[..at]).unwrap() {
            prop_assert!(part.entries.len() <= whole.entries.len());
            prop_assert_eq!(&whole.entries[..part.entries.len()], part.entries.as_slice());
            prop_assert!(part.cut || log_bytes("r1.gullwing.fairway", "gullwing", 256, &part.entries).len() == at);
        }
    }

    #[test]
    fn bytes_after_an_entry_are_refused(more in vec(any::<u8>(), 1..5)) {
        // Longer frames: the length says so, and the entry ends before it.
        let mut bytes = log();
        let last = targets::last_frame(&bytes);
        bytes.extend_from_slice(&more);
        let length = u32::try_from(bytes.len() - last - 4).unwrap();
        bytes[last..last + 4].copy_from_slice(&length.to_le_bytes());
        let error = read_log("spoilt.log", bytes.as_slice()).unwrap_err().to_string();
        prop_assert!(error.contains("spoilt.log") && error.contains("after the end"), "{}", error);
    }
}

#[test]
fn lists_of_the_smallest_things_hold_memory_in_proportion() {
    // As many empty certificates, vessels and views as fit a message: each is announced and there.
    for (variant, element) in [("Enrol", 0x90_u8), ("Shadow", 0xc0), ("Neighbours", 0xc0), ("Inputs", 0x00)] {
        let mut bytes = vec![VERSION, 0x92, 0xc0, 0x81, 0xa0 | u8::try_from(variant.len()).unwrap()];
        bytes.extend_from_slice(variant.as_bytes());
        if variant != "Neighbours" {
            bytes.push(0x91);
        }
        let count = MESSAGE_BYTES - bytes.len() - 5;
        bytes.push(0xdd);
        bytes.extend_from_slice(&u32::try_from(count).unwrap().to_be_bytes());
        bytes.extend(std::iter::repeat_n(element, count));
        let (peak, outcome) = peak_of(|| decode(&bytes, MESSAGE_BYTES).map(drop));
        println!("{variant}: {} bytes held {peak} ({outcome:?})", bytes.len());
        assert!(peak <= HELD_PER_BYTE * bytes.len() + HELD_BESIDES, "{variant}: {peak}");
        let (peak, outcome) = peak_of(|| decode(&bytes, CLIENT_MESSAGE_BYTES));
        assert!(matches!(outcome, Err(WireError::TooLarge { .. })) && peak < 1024, "{variant}: {peak}");
    }
}

#[test]
fn course_names_no_file_outside_its_folder() {
    for name in ["../stations.json", "/dev/zero", "/etc/passwd", "a/../../x"] {
        let folder = tempfile::tempdir().unwrap();
        for entry in std::fs::read_dir(repository().join("regions/admiralty")).unwrap() {
            let path = entry.unwrap().path();
            std::fs::copy(&path, folder.path().join(path.file_name().unwrap())).unwrap();
        }
        let path = folder.path().join("course.toml");
        let text = std::fs::read_to_string(&path).unwrap().replace("coast.geojson", name);
        std::fs::write(&path, text).unwrap();
        let faults = fairway::atlas::check(folder.path()).unwrap_err();
        assert!(
            faults.iter().any(|fault| fault.to_string().contains("not within the course's folder")),
            "{faults:?}"
        );
    }
}

#[test]
fn course_file_that_is_a_device_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    std::os::unix::fs::symlink(Path::new("/dev/zero"), folder.path().join("course.toml")).unwrap();
    let faults = fairway::atlas::check(folder.path()).unwrap_err();
    assert!(faults[0].to_string().contains("is not a file"), "{faults:?}");
}

/// The small course with another heightmap.
fn with_heights(columns: usize, rows: usize, height: impl Fn(usize, usize) -> u16) -> Vec<String> {
    let mut pgm = format!("P5\n{columns} {rows}\n65535\n").into_bytes();
    for row in 0..rows {
        pgm.extend((0..columns).flat_map(|column| height(column, row).to_be_bytes()));
    }
    let files =
        [("course.toml".to_owned(), file("regions/gullwing/course.toml")), ("heights.pgm".to_owned(), pgm)];
    let faults = fairway::atlas::check_files("sample", &files.into()).err().unwrap_or_default();
    faults.iter().map(ToString::to_string).collect()
}

#[test]
fn shore_without_end_is_refused_before_it_fills_memory() {
    // Land and water by turns: four points of shore for each sample on land.
    let checkered = |column: usize, row: usize| if (column + row).is_multiple_of(2) { 0 } else { 40_000 };
    let (peak, faults) = peak_of(|| with_heights(1_500, 1_500, checkered));
    assert!(faults.iter().any(|fault| fault.contains("more than 500000 points")), "{faults:?}");
    assert!(peak < 150 * 1024 * 1024, "{peak} bytes were held");
    assert!(with_heights(1_500, 1_500, |_, _| 0).iter().all(|fault| !fault.contains("points")));
}

#[test]
fn coast_without_end_is_refused() {
    let points = "[-122.9,48.2],".repeat(600_000);
    let text = format!(
        r#"{{"features":[{{"geometry":{{"type":"Polygon","coordinates":[[{points}[-122.9,48.2]]]}}}}]}}"#
    );
    let (peak, faults) = peak_of(|| {
        let mut files: std::collections::BTreeMap<String, Vec<u8>> = ["course.toml", "stations.json"]
            .map(|name| (name.to_owned(), file(&format!("regions/admiralty/{name}"))))
            .into();
        files.insert("coast.geojson".to_owned(), text.clone().into_bytes());
        fairway::atlas::check_files("sample", &files).unwrap_err()
    });
    assert!(faults.iter().any(|fault| fault.to_string().contains("more than 500000 points")), "{faults:?}");
    assert!(peak < 150 * 1024 * 1024, "{peak} bytes were held");
}

#[test]
fn mark_with_an_endless_name_is_refused() {
    let text = String::from_utf8(file("regions/gullwing/course.toml")).unwrap();
    let text = text.replace(
        "name = \"North buoy\"\nat = [800, 860]",
        &format!("name = \"{}\"\nat = [800, 860]", "N".repeat(9_000)),
    );
    let files = [
        ("course.toml".to_owned(), text.into_bytes()),
        ("heights.pgm".to_owned(), file("regions/gullwing/heights.pgm")),
    ];
    let faults = fairway::atlas::check_files("sample", &files.into()).unwrap_err();
    assert!(faults.len() == 1 && faults[0].to_string().contains("9000 bytes"), "{faults:?}");
}

#[test]
fn tide_that_no_sea_has_is_refused() {
    let text = String::from_utf8(file("regions/admiralty/stations.json")).unwrap();
    let value: serde_json::Value = serde_json::from_str(&text).unwrap();
    for (pointer, number) in [
        ("/stations/0/datum_offset", 1e300),
        ("/stations/0/constituents/M2/0", -1e9),
        ("/stations/0/constituents/M2/1", 1e30),
        ("/constituents/M2/speed_deg_per_h", 1e200),
        ("/constituents/M2/node_factor/0", 1e308),
        ("/constituents/M2/V0u_deg/0", -1e308),
    ] {
        let mut changed = value.clone();
        *changed.pointer_mut(pointer).unwrap() = number.into();
        let error =
            fairway::atlas::parse_stations("sample.json", &changed.to_string()).unwrap_err().to_string();
        assert!(error.contains("no tide has") && error.contains("sample.json"), "{pointer}: {error}");
    }
}
