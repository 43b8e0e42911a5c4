//! Ten times the vessels that fit ask to enter, at the booking desk and at a region's door: who holds a reservation
//! sails on undisturbed, everyone else is told why not and what to do, memory is bounded, and nothing is left.
#![allow(
    missing_docs,
    unreachable_pub,
    dead_code,
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::too_many_lines,
    reason = "tests are no library, and use a part of what they share"
)]
#![allow(
    clippy::disallowed_methods,
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    clippy::cast_sign_loss,
    reason = "nor a model"
)]

#[path = "common/honest.rs"]
mod honest;
#[path = "common/peer.rs"]
mod peer;
#[path = "common/port.rs"]
mod port;
#[path = "common/processes.rs"]
mod processes;

use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use fairway::config::{from_hex, to_hex};
use fairway::harbour::answers::{BookingRequest, PassageAnswer, PassageState};
use fairway::harbour::client::{ClientError, HarbourClient};
use fairway::limits::{GROUP_VESSELS, REGION_VESSELS};
use fairway::net::{Event, Expect, Identity, Way};
use fairway::units::{TICK_HZ, VesselId};
use fairway::vessel::{Helm, boats};
use fairway::wire::Message;
use fairway::wire::message::{Epoch, Word};
use glam::DVec2;

use honest::Sailor;
use peer::Peer;
use port::{NAME, Port, Use, course, endpoint, record};

/// Askers for each vessel that fits.
const TIMES: usize = 10;
/// Number of the region beside the full one: so far off that no vessel here belongs there.
const PEER: u32 = 40;
/// Bookings that are asked for beyond those that fit: many times as many.
const ASKED: usize = 800;
/// How long the calm is watched.
const CALM: Duration = Duration::from_secs(4);
/// The 99th percentile of the time between an honest sailor's states in the crowd, over that in the calm, or over a
/// tick where the calm is better than that. A client sails on between states for three ticks.
const GAP_RATIO: f64 = 3.0;
/// Share of the ticks due that are sailed in the crowd.
const TICKS: f64 = 0.98;
/// By how much a region's process may grow in the crowd, KiB: 64 crews that it lets wait, and those that shake hands
/// or are being sent away, some 70 KiB each, and the neighbour's circuits, over each of which all of a full region's
/// records go at once, up to 2 MiB. It grows by 13 to 25 MiB in the first seconds and no more.
const GROWTH_KIB: u64 = 32 * 1024;
/// A region's process at most, KiB, full and in the crowd; a full one that is left in peace has half of that.
const RESIDENT_KIB: u64 = 60 * 1024;

/// One at a time: they would measure each other.
fn alone() -> MutexGuard<'static, ()> {
    static ALONE: Mutex<()> = Mutex::new(());
    ALONE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The worst 99th percentile of some sailors since a moment, milliseconds.
fn worst_p99_ms(sailors: &[Sailor], from: Instant) -> f64 {
    sailors.iter().map(|sailor| sailor.since(from).p99_ms).fold(0.0, f64::max)
}

/// Holds the gaps in the crowd to those in the calm.
fn assert_held(what: &str, calm_ms: f64, crowd_ms: f64) {
    let ratio = crowd_ms / calm_ms.max(1_000.0 / TICK_HZ as f64);
    println!(
        "{what}: worst gap p99 {calm_ms:.1} ms in the calm, {crowd_ms:.1} ms in the crowd, × {ratio:.2}"
    );
    assert!(ratio <= GAP_RATIO, "{what}: × {ratio:.2}, at most × {GAP_RATIO}");
}

/// A full region: vessels in rows, the first of them with sailors aboard.
fn full(port: &Port) -> Vec<Sailor> {
    let sailors: Vec<Sailor> = (1..=4).map(|id| Sailor::join(port, id)).collect();
    for id in 5..=u32::try_from(REGION_VESSELS).unwrap() {
        let (column, row) = (f64::from(id % 16), f64::from(id / 16));
        let place = course().start_line.port + DVec2::new(60.0 + 40.0 * column, 40.0 * row - 300.0);
        port.launch_at(id, place, [0; 32]);
    }
    port.report_when(|told| told.vessels.len() == REGION_VESSELS);
    sailors
}

/// What came of the crews that asked at the door, by vessel.
#[derive(Default)]
struct Door {
    refused: BTreeMap<u32, String>,
    welcomed: BTreeSet<u32>,
    closed: usize,
}

/// Crews with good tickets for vessels that the region has no room for, each on a circuit of its own, as fast as
/// handshakes are begun; until each has its answer.
fn crowd_the_door(port: &Port, count: usize, asked: &AtomicU64) -> Door {
    let identity = Identity::generate().unwrap();
    let key = identity.key_hash();
    let line = endpoint(identity, None);
    let mut vessel_of = BTreeMap::new();
    let mut door = Door::default();
    let begun = Instant::now();
    while door.closed < count && begun.elapsed() < Duration::from_secs(55) {
        let due = ((begun.elapsed().as_secs_f64() * 95.0) as usize).min(count);
        while vessel_of.len() < due {
            let vessel = 10_000 + vessel_of.len() as u32;
            let circuit = line.dial(port.addr, NAME, port.expect());
            let join = Message::Join { ticket: port.ticket(vessel, key), boat: None, resume: None };
            line.send(circuit, None, join, Way::Stream);
            vessel_of.insert(circuit, vessel);
            asked.store(vessel_of.len() as u64, Relaxed);
        }
        let Ok(event) = line.events().recv_timeout(Duration::from_millis(5)) else { continue };
        match event {
            Event::Received { circuit, message: Message::Refused { reason }, .. } => {
                door.refused.insert(vessel_of[&circuit], reason);
            }
            Event::Received { circuit, message: Message::Welcome { .. }, .. } => {
                door.welcomed.insert(vessel_of[&circuit]);
            }
            Event::Closed { .. } => door.closed += 1,
            _ => {}
        }
    }
    door
}

/// A neighbour offers as many vessels again, in groups as large as they may be, and is put off each time.
fn crowd_the_border(port: &Port, count: usize) -> usize {
    let mut put_off = 0;
    for (number, first) in (1..).zip((20_000..).step_by(GROUP_VESSELS).take(count / GROUP_VESSELS)) {
        let tick = port.report().tick;
        let vessels = (first..)
            .take(GROUP_VESSELS)
            .map(|id| record(id, Port::area().centre(), tick, Epoch { term: 1, hop: 0 }, [0; 32]));
        let vessels = vessels.collect();
        // A new circuit each time: whoever is linked guards a full region, more than this test would read.
        let peer = Peer::link(port, PEER, PEER);
        peer.word(Word::Offer { number, vessels, commit: tick.after(60) });
        // Offer again: nothing is lost, its owner sails on.
        assert_eq!(peer.hear(port::PATIENCE), Some(Word::NotYet { number }));
        put_off += GROUP_VESSELS;
        std::thread::sleep(Duration::from_millis(400));
    }
    put_off
}

#[test]
fn ten_times_the_vessels_that_fit_at_a_regions_door() {
    let _alone = alone();
    let port = Port::open();
    port.name_neighbours(&[PEER]);
    let sailors = full(&port);
    std::thread::sleep(Duration::from_secs(1));
    let from = Instant::now();
    std::thread::sleep(CALM);
    let (calm_ms, before) = (worst_p99_ms(&sailors, from), port.used());

    // Half of them come with their crews, half from a neighbour.
    let count = TIMES * REGION_VESSELS / 2;
    let (asked, over) = (AtomicU64::new(0), AtomicBool::new(false));
    let (from, first) = (Instant::now(), port.report().tick);
    let (door, put_off, peak_kib) = std::thread::scope(|scope| {
        let door = scope.spawn(|| crowd_the_door(&port, count, &asked));
        let border = scope.spawn(|| crowd_the_border(&port, count));
        let memory = scope.spawn(|| {
            let mut peak_kib = 0;
            while !over.load(Relaxed) {
                let now_kib = port.used().resident_kib;
                peak_kib = now_kib.max(peak_kib);
                // Words to launch more than fit change nothing either.
                port.launch_at(30_000 + asked.load(Relaxed) as u32, Port::area().centre(), [0; 32]);
                assert!(port.report().vessels.len() <= REGION_VESSELS);
                std::thread::sleep(Duration::from_millis(100));
            }
            peak_kib
        });
        let (door, put_off) = (door.join(), border.join());
        // Also where one of them has failed.
        over.store(true, Relaxed);
        (door.unwrap(), put_off.unwrap(), memory.join().unwrap())
    });
    let crowd_ms = worst_p99_ms(&sailors, from);
    let last = port.report();
    let share = last.tick.since(first) as f64 / (from.elapsed().as_secs_f64() * TICK_HZ as f64);
    println!(
        "the door: {} of {count} crews refused, {put_off} vessels put off in {:.1} s; {:.1} % of the ticks; {} KiB, \
         {peak_kib} KiB at most",
        door.refused.len(),
        from.elapsed().as_secs_f64(),
        100.0 * share,
        before.resident_kib,
    );
    assert_held("the door", calm_ms, crowd_ms);
    assert!(share >= TICKS, "{:.1} % of the ticks", 100.0 * share);
    // Everybody else was told why, and where to ask.
    assert!(door.welcomed.is_empty(), "{:?}", door.welcomed);
    assert_eq!(door.refused.len(), count);
    for (vessel, reason) in &door.refused {
        assert!(reason.contains(&format!("vessel {vessel} is not here")), "{reason}");
        assert!(reason.contains(&format!("GET /passages/{vessel}")), "{reason}");
    }
    assert_eq!(put_off, count);
    assert_eq!(last.counts.joins_refused as usize, count, "the harbour is told: {:?}", last.counts);
    assert!(last.counts.out_of_place > 0, "launches beyond the room are counted: {:?}", last.counts);
    // Whoever was there still is, and nobody else.
    let ids: Vec<u32> = last.vessels.iter().map(|vessel| vessel.vessel.0).collect();
    assert_eq!(ids, (1..=REGION_VESSELS as u32).collect::<Vec<_>>());
    assert!(sailors.iter().all(|sailor| sailor.last().0.session == sailor.session));
    assert!(peak_kib - before.resident_kib <= GROWTH_KIB, "{} KiB more", peak_kib - before.resident_kib);
    assert!(peak_kib <= RESIDENT_KIB, "{peak_kib} KiB");
    // None of them is left: their circuits are closed, and the room that one vessel leaves is room again.
    assert_eq!(door.closed, count);
    port.tell(Message::Moor(VesselId(256)));
    port.report_when(|told| told.vessels.len() == REGION_VESSELS - 1);
    let tick = port.report().tick;
    let vessels = vec![record(40_000, Port::area().centre(), tick, Epoch { term: 1, hop: 0 }, [0; 32])];
    let peer = Peer::link(&port, PEER, PEER);
    peer.word(Word::Offer { number: 9_000, vessels, commit: tick.after(60) });
    assert_eq!(peer.hear(port::PATIENCE), Some(Word::Ready { number: 9_000 }));
}

/// A harbour with its regions, as processes that carry a mark.
struct Harbour {
    child: Child,
    client: HarbourClient,
}

const MARK: &str = "overload";

impl Harbour {
    /// The harbour of a course that carries only so many prims.
    fn start(dir: &Path, prims: u32) -> Self {
        // A course is named as its folder.
        let dir = dir.join("gullwing");
        std::fs::create_dir(&dir).unwrap();
        for entry in std::fs::read_dir(port::folder()).unwrap().flatten() {
            std::fs::copy(entry.path(), dir.join(entry.file_name())).unwrap();
        }
        let file = dir.join("course.toml");
        let text = std::fs::read_to_string(&file).unwrap();
        let carried = format!("prims_per_region = {}", course().prims_per_region);
        assert!(text.contains(&carried));
        std::fs::write(&file, text.replace(&carried, &format!("prims_per_region = {prims}"))).unwrap();
        let mut child = Command::new(env!("CARGO_BIN_EXE_fairway"))
            .env(processes::MARK, MARK)
            .arg("harbour")
            .arg(dir)
            .arg("--http-port=0")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let ready: serde_json::Value = serde_json::from_str(&line).unwrap();
        let client = HarbourClient::new(ready["http"].as_str().unwrap().parse().unwrap());
        Self { child, client }
    }

    fn book(&self, key: [u8; 32]) -> Result<PassageAnswer, ClientError> {
        self.client.book(&BookingRequest { boat: "launch".into(), key: to_hex(&key), name: None })
    }

    /// Resident memory of the largest of its regions, KiB.
    fn largest_region_kib(&self) -> u64 {
        let regions = processes::marked(MARK)
            .into_iter()
            .filter(|process| process.arguments.iter().any(|argument| argument.starts_with("--id=")));
        let pid = |process: processes::Marked| u32::try_from(process.pid.as_raw_nonzero().get()).unwrap();
        regions.map(|process| Use::of(pid(process)).resident_kib).max().unwrap_or(0)
    }
}

impl Drop for Harbour {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A sailor aboard a vessel of its own that lies still.
fn booked(harbour: &Harbour) -> Sailor {
    let identity = Identity::generate().unwrap();
    let passage = harbour.book(identity.key_hash()).unwrap();
    let region = passage.region.unwrap();
    let bytes = |text: Option<String>| from_hex(&text.unwrap()).unwrap();
    let expect = Expect::Authority(bytes(passage.authority));
    let ticket = bytes(passage.ticket);
    Sailor::board(identity, (region.addr, &region.name, expect), passage.vessel, ticket, Helm::default())
}

#[test]
fn ten_times_the_vessels_that_fit_at_the_booking_desk() {
    let _alone = alone();
    let dir = tempfile::tempdir().unwrap();
    // Fewer than berth at the start line, so that it is the room under way that is short.
    let room = 10;
    let harbour = Harbour::start(dir.path(), boats::named("launch").unwrap().prims * (room + 1));
    let sailors: Vec<Sailor> = (0..3).map(|_| booked(&harbour)).collect();
    let mut booked = sailors.len();
    while harbour.book([0; 32]).is_ok() {
        booked += 1;
        assert!(booked < 1_000, "nothing is ever full");
    }
    assert!(booked <= room as usize && booked >= room as usize - 2, "{booked} for {room}");
    std::thread::sleep(Duration::from_secs(1));
    let (from, before_kib) = (Instant::now(), harbour.largest_region_kib());
    std::thread::sleep(CALM);
    let calm_ms = worst_p99_ms(&sailors, from);

    let from = Instant::now();
    let answers: Vec<ClientError> = std::thread::scope(|scope| {
        let asker = || scope.spawn(|| (0..ASKED / 8).map(|_| harbour.book([0; 32]).unwrap_err()));
        let askers: Vec<_> = (0..8).map(|_| asker()).collect();
        askers.into_iter().flat_map(|asker| asker.join().unwrap()).collect()
    });
    let took = from.elapsed();
    // No shorter than what is compared with it.
    std::thread::sleep(CALM.saturating_sub(took));
    let crowd_ms = worst_p99_ms(&sailors, from);
    let after_kib = harbour.largest_region_kib();
    println!(
        "the desk: {} refused in {:.2} s; a region's process {before_kib} KiB, then {after_kib} KiB",
        answers.len(),
        took.as_secs_f64()
    );
    assert!(answers.len() == ASKED && ASKED >= TIMES * booked);
    for error in &answers {
        let ClientError::Refused { status: 409, error } = error else { panic!("{error}") };
        assert!(error.contains("prims") && error.contains("wait until"), "{error}");
    }
    assert_held("the desk", calm_ms, crowd_ms);
    assert!(
        after_kib <= RESIDENT_KIB && after_kib - before_kib.min(after_kib) <= GROWTH_KIB,
        "{after_kib} KiB"
    );
    let status = harbour.client.status().unwrap();
    assert_eq!((status.passages, status.sailing), (booked as u32, booked as u32), "{status:?}");
    assert!(status.handoff_ticks_missed == 0 && status.regions_failed == 0, "{status:?}");
    let theirs = harbour.client.passages(0).unwrap().passages;
    assert!(theirs.iter().all(|passage| passage.state == PassageState::Sailing));
    drop(sailors);
    assert_eq!(harbour.client.stop("the test is over").unwrap().afloat, 0);
    let begun = Instant::now();
    while !processes::marked(MARK).is_empty() {
        assert!(begun.elapsed() < Duration::from_secs(5), "processes are left");
        std::thread::sleep(Duration::from_millis(20));
    }
}
