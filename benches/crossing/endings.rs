//! What a region's end costs: killed without a word, or told to stop.
//!
//! Both on gullwing in cells of 1,024 m: all vessels lie in one region, and the harbour keeps a second one beside it
//! as their guard. After each end a new region is started in its place, and takes them all back from the guard.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read as _;
use std::os::fd::OwnedFd;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use fairway::atlas::Course;
use fairway::clock;
use fairway::harbour::answers::StatusAnswer;
use fairway::record::{Entry, ReplaySummary, replay};
use fairway::units::{Tick, VesselId};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{PidfdFlags, Signal, pidfd_open};

use crate::figures::{Figure, PEERS_NONE, PEERS_UNKNOWN};
use crate::port::{Port, Waters};
use crate::sailors::{Berth, Quay, Sailors, Seen};

/// Vessels in the region that is killed, each with one client: with their clients, the states that they are sent, two
/// region servers and the harbour they leave half of two cores to others.
pub(crate) const KILLED_VESSELS: usize = 24;
/// Vessels in the region that is drained.
pub(crate) const DRAINED_VESSELS: usize = 100;
/// Side of a cell, metres.
const CELL_M: u32 = 1_024;
/// Wall time for a new region to be a steady one: its guard has whole states, the harbour a checkpoint.
const SETTLE: Duration = Duration::from_secs(3);
/// Wall time in which clients must have come aboard.
const ABOARD: Duration = Duration::from_secs(20);
/// Wall time after a kill in which clients find their vessels again.
const RECOVERY: Duration = Duration::from_secs(4);
/// Wall time that a region may take to drain.
const DRAIN: Duration = Duration::from_secs(20);

/// Kills the region that has all vessels, again and again.
pub(crate) fn kill(kills: usize) -> Vec<Figure> {
    // They sail east, and do not reach the cell's border while they are measured.
    let waters = Waters { cell_m: CELL_M, line: Some([[620.0, 400.0], [620.0, 120.0]]), heading_deg: 90.0 };
    let port = Port::open(&waters, true);
    let quay = Quay::open();
    let berths = (0..KILLED_VESSELS)
        .map(|_| Berth { booking: port.book(&quay.key), steers: true })
        .collect::<Vec<_>>();
    let sailors = Sailors::start(quay, None, port.client.clone(), berths);
    sailors.wait_until_aboard(ABOARD);
    let mut moments = Vec::new();
    for _ in 0..kills {
        let region = settled(&port, KILLED_VESSELS);
        let process = port.process_of(region);
        moments.push(clock::now());
        port.signal(process, Signal::KILL);
        std::thread::sleep(RECOVERY);
    }
    let after = port.wait_until_together(KILLED_VESSELS);
    let status = port.status();
    let seen = sailors.finish();
    let _ = port.client.stop("measured");
    for lost in seen.iter().filter_map(|seen| seen.error.as_ref()) {
        eprintln!("crossing: a client ended early: {lost}");
    }
    let course = Arc::new(Course::load(&port.course).expect("it was sailed"));
    let replayed = replay(&port.record, course).expect("what was sailed can be sailed again");
    let history = History::read(&port.record);
    let resumed = status.resumed;
    drop(port);
    let note = format!(
        "{KILLED_VESSELS} vessels with a client each, {kills} kills, {resumed} vessels resumed, last in region {after}"
    );
    figures_of_kills(&seen, &moments, &history, &replayed, &note)
}

fn figures_of_kills(
    seen: &[Seen],
    moments: &[Instant],
    history: &History,
    replayed: &ReplaySummary,
    note: &str,
) -> Vec<Figure> {
    let mut worst_ms: BTreeMap<Instant, f64> = BTreeMap::new();
    let (mut recovery_s, mut lost, mut unpublished, mut unrecovered) = (vec![], vec![], vec![], 0);
    for seen in seen {
        for &killed in moments {
            let Some(recovered) = Recovered::of(seen, killed) else {
                unrecovered += 1;
                continue;
            };
            recovery_s.push(recovered.after.as_secs_f64());
            let worst = worst_ms.entry(killed).or_insert(0.0_f64);
            *worst = worst.max((recovered.after.as_secs_f64() * 1e3).round());
            if let Some(ticks) = history.lost(seen.vessel, &recovered) {
                lost.push(ticks);
            }
            unpublished.push(recovered.unpublished);
        }
    }
    let keyed = |figure: Figure| figure.key("vessels", KILLED_VESSELS).key("kills", moments.len());
    let ReplaySummary { history_lost, interrupted, resumed, missing, .. } = *replayed;
    let of_replay =
        format!("replay: {history_lost} of history, {interrupted} unpublished in {resumed} resumptions");
    let verdict = if replayed.holds() { "the record holds" } else { "THE RECORD DOES NOT HOLD" };
    vec![
        keyed(Figure::new("kill_recovery_s", recovery_s, PEERS_NONE))
            .more("unrecovered", unrecovered)
            .more("worst_ms_by_kill", worst_ms.values().copied().collect::<Vec<_>>())
            .note(format!(
                "{note}; {unrecovered} not within {} s; worst of each kill {:?} ms",
                RECOVERY.as_secs(),
                worst_ms.values().collect::<Vec<_>>()
            )),
        keyed(Figure::new("kill_ticks_lost", lost, PEERS_NONE))
            .more("replay_history_lost", history_lost)
            .more("replay_holds", replayed.holds())
            .note(format!("{of_replay}; {verdict}")),
        keyed(Figure::new("kill_ticks_unpublished", unpublished, PEERS_NONE))
            .more("replay_interrupted", interrupted)
            .more("replay_missing", missing)
            .note("as clients see it, datagrams that were lost at the kill included"),
    ]
}

/// How one client's vessel came back after a kill.
struct Recovered {
    after: Duration,
    /// The last tick seen before, and the first one after.
    last: Tick,
    unpublished: f64,
    term: u32,
}

impl Recovered {
    #[expect(clippy::cast_precision_loss, reason = "seconds of ticks")]
    fn of(seen: &Seen, killed: Instant) -> Option<Self> {
        // Words of the dead may still be under way: what counts is the term.
        let before = seen.arrivals.iter().rfind(|arrival| arrival.at <= killed)?;
        let old = before.epoch.term;
        let last = seen.arrivals.iter().rfind(|arrival| arrival.epoch.term == old)?;
        let until = killed + RECOVERY;
        let next = seen.arrivals.iter().find(|arrival| arrival.epoch.term > old && arrival.at <= until)?;
        Some(Self {
            after: next.at.saturating_duration_since(killed),
            last: last.tick,
            unpublished: next.tick.since(last.tick).saturating_sub(1) as f64,
            term: next.epoch.term,
        })
    }
}

/// What the logs of all regions say of vessels that were taken up again.
#[derive(Default)]
struct History {
    /// Through which tick the orders were known, by vessel and new term.
    through: BTreeMap<(VesselId, u32), Tick>,
    /// The last tick published, by vessel and term.
    last: BTreeMap<(VesselId, u32), Tick>,
}

impl History {
    /// Reads the logs in a folder; their frames are as [`fairway::record`] writes them: after a magic word of eight
    /// bytes a length (u32, little-endian) and that much MessagePack, the header first.
    fn read(dir: &Path) -> Self {
        let mut history = Self::default();
        for path in std::fs::read_dir(dir).expect("regions recorded").flatten().map(|entry| entry.path()) {
            if path.extension().is_some_and(|end| end == "log") {
                let mut bytes = Vec::new();
                let read = File::open(&path).and_then(|mut file| file.read_to_end(&mut bytes));
                read.expect("a log can be read");
                history.take(bytes.get(8..).unwrap_or_default());
            }
        }
        history
    }

    fn take(&mut self, mut frames: &[u8]) {
        let mut header = true;
        // The last frame of a killed region may be cut off.
        while let Some((length, rest)) = frames.split_first_chunk::<4>() {
            let Some((frame, rest)) = rest.split_at_checked(u32::from_le_bytes(*length) as usize) else {
                break;
            };
            frames = rest;
            if std::mem::take(&mut header) {
                continue;
            }
            match rmp_serde::from_slice::<Entry>(frame).expect("our own entry") {
                Entry::Resumed { through, term, vessel, .. } => {
                    self.through.insert((vessel.id, term), through);
                }
                Entry::Hash { vessel, tick, term, .. } => {
                    let last = self.last.entry((vessel, term)).or_insert(tick);
                    *last = tick.max(*last);
                }
                _ => {}
            }
        }
    }

    /// Ticks that were published before a kill and that the vessel went on without. A killed region's log lacks
    /// the last of its ticks, which the client may have.
    #[expect(clippy::cast_precision_loss, reason = "seconds of ticks")]
    fn lost(&self, vessel: VesselId, recovered: &Recovered) -> Option<f64> {
        let through = self.through.get(&(vessel, recovered.term))?;
        let logged =
            self.last.range((vessel, 0)..(vessel, recovered.term)).next_back().map(|(_, &tick)| tick);
        let last = logged.unwrap_or_default().max(recovered.last);
        Some(last.since(*through) as f64)
    }
}

/// Tells the region that has all vessels to stop, again and again; they are without crews.
pub(crate) fn drain(drains: usize) -> Vec<Figure> {
    let waters = Waters { cell_m: CELL_M, line: Some([[980.0, 400.0], [980.0, 120.0]]), heading_deg: 90.0 };
    let port = Port::open(&waters, false);
    let key = Quay::open().key;
    for _ in 0..DRAINED_VESSELS {
        port.book(&key);
    }
    let (mut ended_ms, mut elsewhere_ms) = (Vec::new(), Vec::new());
    for _ in 0..drains {
        let region = settled(&port, DRAINED_VESSELS);
        let process = port.process_of(region);
        let ended = pidfd_open(process, PidfdFlags::empty()).expect("the region still runs");
        let began = clock::now();
        port.signal(process, Signal::TERM);
        let mut elsewhere = None;
        while !has_ended(&ended) {
            let after_ms = began.elapsed().as_secs_f64() * 1e3;
            if elsewhere.is_none() && are_elsewhere(&port.status(), region) {
                elsewhere = Some(began.elapsed().as_secs_f64() * 1e3);
            }
            assert!(after_ms < DRAIN.as_secs_f64() * 1e3, "the region had not stopped after {DRAIN:?}");
        }
        ended_ms.push(began.elapsed().as_secs_f64() * 1e3);
        port.wait("all vessels elsewhere", |status| are_elsewhere(status, region));
        elsewhere_ms.push(elsewhere.unwrap_or_else(|| began.elapsed().as_secs_f64() * 1e3));
    }
    let status = port.status();
    let (resumed, missed, moored) = (status.resumed, status.handoff_ticks_missed, status.moored);
    let each: Vec<f64> = ended_ms.iter().map(|ms: &f64| ms.round()).collect();
    let figure = Figure::new("drain_100_vessels_ms", ended_ms, PEERS_UNKNOWN)
        .key("vessels", DRAINED_VESSELS)
        .more("each_ms", each.clone())
        .more("resumed", resumed)
        .more("ticks_missed", missed)
        .more("handoffs", status.handoffs)
        .note(format!(
            "from SIGTERM to the process's end, budget 100; each {each:?}; {resumed} vessels resumed, {moored} moored, {} handed over with {missed} late ticks",
            status.handoffs
        ));
    let elsewhere = Figure::new("drain_100_elsewhere_ms", elsewhere_ms, PEERS_UNKNOWN)
        .key("vessels", DRAINED_VESSELS)
        .note("until the harbour has heard of new owners for all; reports come every 50 ms");
    vec![figure, elsewhere]
}

/// The region that has all vessels, and has had them for a while: one that took them for another is about to hand
/// them to the new one of their cell.
fn settled(port: &Port, vessels: usize) -> u32 {
    let mut owner = port.wait_until_together(vessels);
    loop {
        std::thread::sleep(SETTLE);
        let now = port.wait_until_together(vessels);
        if now == owner {
            return owner;
        }
        owner = now;
    }
}

/// Whether a process ends within a few milliseconds.
fn has_ended(process: &OwnedFd) -> bool {
    let wait = Timespec { tv_sec: 0, tv_nsec: 4_000_000 };
    poll(&mut [PollFd::new(process, PollFlags::IN)], Some(&wait)).is_ok_and(|ready| ready > 0)
}

/// Whether all vessels are in other regions, as the harbour has heard.
fn are_elsewhere(status: &StatusAnswer, region: u32) -> bool {
    let others = status.regions.iter().filter(|other| other.id != region);
    others.map(|other| other.vessels.len()).sum::<usize>() == DRAINED_VESSELS
}
