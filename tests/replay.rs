//! A vessel's bits depend on its state, its inputs and the sea, and on nothing else.
#![allow(
    missing_docs,
    unreachable_pub,
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "tests are no library"
)]
#![allow(
    clippy::disallowed_methods,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "nor a model"
)]

use std::path::Path;
use std::sync::Arc;

use fairway::atlas::{Course, Mark, Prim, Shape};
use fairway::noise::{Stream, signed};
use fairway::sea::Sea;
use fairway::sim::{Sim, Vessel, Voyage, afloat};
use fairway::units::{Tick, VesselId};
use fairway::vessel::{Helm, Input, Wake, boats};
use fairway::wire::message::{AppliedInput, Given};
use glam::{DVec2, DVec3};

fn sea() -> Arc<Sea> {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("regions/gullwing");
    let course = Course::load(&dir).unwrap();
    Arc::new(Sea::new(Arc::new(course), 42))
}

fn vessel(sea: &Sea, id: u32, boat: &str, place: DVec2, heading_rad: f64, tick: Tick) -> Vessel {
    let boat = boats::named(boat).unwrap().clone();
    let state = afloat(sea, &boat, place.extend(0.0), heading_rad, tick);
    let ahead = Mark { name: "ahead".to_owned(), place: place + DVec2::new(300.0, 0.0), radius_m: 250.0 };
    Vessel {
        id: VesselId(id),
        boat,
        state,
        voyage: Voyage { marks: vec![ahead], ..Voyage::default() },
        trail: Vec::new(),
        company: Vec::new(),
    }
}

/// What a restless crew orders at a tick, if anything.
fn order(id: VesselId, tick: Tick) -> Option<Input> {
    let n = u32::try_from(tick.0).unwrap();
    (n % 30 == id.0 % 30).then(|| {
        let draw = |stream: u32| signed(9, Stream::Trial, [id.0, n, stream]);
        Input {
            session: 1,
            seq: n + 1,
            helm: Helm {
                rudder_rad: 0.5 * draw(0),
                sheet: 0.5 + 0.5 * draw(1),
                reef: 0.7,
                flat: 0.8,
                spinnaker: draw(2) > 0.6,
                throttle: draw(3),
            },
        }
    })
}

fn step(sims: &mut [&mut Sim]) {
    for sim in sims {
        let next = sim.tick().after(1);
        for id in sim.ids().to_vec() {
            if let Some(input) = order(id, next) {
                assert!(sim.apply(id, input));
                assert!(!sim.apply(id, input), "an order counts once");
            }
        }
        sim.step();
    }
}

fn hashes(sims: &[&Sim], ids: &[u32]) -> Vec<u64> {
    let of = |id: &u32| sims.iter().find_map(|sim| sim.hash(VesselId(*id))).unwrap();
    ids.iter().map(of).collect()
}

/// Sails a fleet undivided, and once more from one simulation to another and back every few ticks, in
/// whole groups, among strangers; the bits of every tick must agree.
fn survives_hops(prims: &[Prim], fleet: &[Vessel], stranger: &Vessel, ticks: u64, hop: u64) {
    let sea = sea();
    let start = Tick(1_000_000);
    let ids: Vec<u32> = fleet.iter().map(|vessel| vessel.id.0).collect();
    let mut whole = Sim::new(Arc::clone(&sea), prims.to_vec(), start);
    let mut reversed = prims.to_vec();
    reversed.reverse();
    let mut here = Sim::new(Arc::clone(&sea), prims.to_vec(), start);
    let mut there = Sim::new(Arc::clone(&sea), reversed, start);
    for vessel in fleet {
        whole.insert(vessel.clone());
    }
    for vessel in fleet.iter().rev() {
        here.insert(vessel.clone());
    }
    there.insert(stranger.clone());
    let mut in_first = true;
    for n in 0..ticks {
        if n % hop == hop - 1 {
            let (from, to) = if in_first { (&mut here, &mut there) } else { (&mut there, &mut here) };
            for id in ids.iter().rev() {
                let bytes = rmp_serde::to_vec(&from.remove(VesselId(*id)).unwrap()).unwrap();
                to.insert(rmp_serde::from_slice(&bytes).unwrap());
            }
            in_first = !in_first;
        }
        step(&mut [&mut whole, &mut here, &mut there]);
        assert_eq!(hashes(&[&whole], &ids), hashes(&[&here, &there], &ids), "bits part at step {n}");
    }
}

#[test]
fn vessel_that_hops_keeps_its_bits() {
    let sea = sea();
    let start = Tick(1_000_000);
    let place = sea.course().marks[0].place;
    let fleet = [
        vessel(&sea, 7, "first407", place, 1.0, start),
        vessel(&sea, 3, "launch", place + DVec2::new(400.0, 90.0), 4.0, start),
    ];
    let stranger = vessel(&sea, 5, "first407", place + DVec2::new(5000.0, 0.0), 2.0, start);
    survives_hops(&[], &fleet, &stranger, 20_000, 37);
}

#[test]
fn island_that_hops_while_touching_keeps_its_bits() {
    let sea = sea();
    let start = Tick(1_000_000);
    let place = sea.course().marks[0].place;
    let at = |x: f64, y: f64| place + DVec2::new(x, y);
    let fleet = [
        vessel(&sea, 1, "first407", at(0.0, 0.0), 1.57, start),
        vessel(&sea, 2, "launch", at(0.0, -4.0), 1.5, start),
        vessel(&sea, 9, "first407", at(9.0, 4.5), 3.6, start),
    ];
    let fence = |name: &str, x: f64, y: f64, half: DVec3| Prim {
        name: name.to_owned(),
        centre_m: at(x, y).extend(0.0),
        heading_rad: 0.0,
        shape: Shape::Box(half),
    };
    // A pen that keeps them together.
    let prims = [
        fence("north", 0.0, 15.0, DVec3::new(1.0, 20.0, 4.0)),
        fence("south", 0.0, -15.0, DVec3::new(1.0, 20.0, 4.0)),
        fence("west", -20.0, 0.0, DVec3::new(20.0, 1.0, 4.0)),
        fence("east", 20.0, 0.0, DVec3::new(20.0, 1.0, 4.0)),
        Prim {
            name: "post".to_owned(),
            centre_m: at(-12.0, 6.0).extend(0.0),
            heading_rad: 0.3,
            shape: Shape::Cylinder { radius_m: 0.4, half_height_m: 5.0 },
        },
    ];
    let stranger = vessel(&sea, 5, "first407", at(5000.0, 0.0), 2.0, start);
    survives_hops(&prims, &fleet, &stranger, 4_000, 7);
}

mod records {
    use super::*;
    use fairway::record::{Entry, Passage, Recorder, ReplaySummary, replay};

    /// Sails two vessels in two processes, one of them handed across, and records it.
    fn sail_recorded(dir: &Path, ticks: u64, spoil: impl Fn(&mut Entry) -> bool) {
        let sea = sea();
        let start = Tick(500_000);
        let place = sea.course().marks[0].place;
        let course = sea.course().name.clone();
        let mut sims = [0, 1].map(|_| Sim::new(Arc::clone(&sea), Vec::new(), start));
        let mut logs = ["west", "east"].map(|name| Recorder::open(dir, name, &course, 42).unwrap());
        let mut write = |log: usize, mut entry: Entry| {
            if spoil(&mut entry) {
                logs[log].write(entry);
            }
        };
        for id in [1, 2] {
            let offset = DVec2::new(f64::from(id) * 100.0, 0.0);
            let vessel = vessel(&sea, id, "first407", place + offset, 1.0, start);
            write(0, Entry::Launched { tick: start, vessel: Box::new(vessel.clone()) });
            sims[0].insert(vessel);
        }
        let mut offered = None;
        for n in 0..ticks {
            let tick = sims[0].tick();
            if n == ticks / 2 - 12 {
                offered = sims[0].vessel(VesselId(2)).map(|vessel| (tick, vessel, Vec::new()));
            }
            if n == ticks / 2 {
                let vessel = sims[0].remove(VesselId(2)).unwrap();
                sims[1].insert(vessel);
                let (tick, vessel, given) = offered.take().unwrap();
                let (commit, vessel) = (sims[1].tick().after(1), Box::new(vessel));
                write(1, Entry::Taken { tick, commit, vessel, given });
            }
            let mut given = |vessel, tick, given| {
                if let Some((_, _, all)) = offered.as_mut().filter(|_| vessel == VesselId(2)) {
                    all.push(AppliedInput { vessel, tick, given });
                }
            };
            for (log, sim) in sims.iter_mut().enumerate() {
                let next = sim.tick().after(1);
                for id in sim.ids().to_vec() {
                    if let Some(input) = order(id, next) {
                        assert!(sim.apply(id, input));
                        write(log, Entry::Input { vessel: id, tick: next, input });
                        given(id, next, Given::Order(input));
                    }
                }
                sim.step();
                for (vessel, company) in sim.new_company().to_vec() {
                    write(log, Entry::Company { vessel, tick: next, company: company.clone() });
                    given(vessel, next, Given::Company(company));
                }
                for vessel in sim.ids().to_vec() {
                    let hash = sim.hash(vessel).unwrap();
                    let hop = u32::try_from(log).unwrap();
                    write(log, Entry::Hash { vessel, tick: next, term: 1, hop, hash });
                }
            }
            for (from, to) in [(0, 1), (1, 0)] {
                let since = sims[from].tick().before(1);
                let news: Vec<Wake> = sims[from].wakes_since(since).copied().collect();
                for wake in news {
                    sims[to].hear_wake(wake);
                }
            }
        }
        write(0, Entry::Left { tick: sims[0].tick(), vessel: VesselId(1) });
        for log in logs {
            log.finish().unwrap();
        }
    }

    fn replayed(dir: &Path) -> ReplaySummary {
        replay(dir, Arc::clone(sea().course())).unwrap()
    }

    #[test]
    fn record_of_a_crossing_holds() {
        let dir = tempfile::tempdir().unwrap();
        sail_recorded(dir.path(), 600, |_| true);
        let summary = replayed(dir.path());
        assert!(summary.holds(), "{summary:?}");
        assert_eq!((summary.vessels, summary.ticks_compared, summary.epochs), (2, 1200, 3));
        assert_eq!(summary.inputs, 40);
        // The samples of 53 ticks act by then, on each of the two.
        assert_eq!(
            (summary.companies, summary.wakes_late, summary.wakes_strange),
            (106, 0, 0),
            "{summary:?}"
        );
    }

    #[test]
    fn wrong_bits_double_and_missing_ticks_are_found() {
        let spoilt = |spoil: fn(&mut Entry) -> bool| {
            let dir = tempfile::tempdir().unwrap();
            sail_recorded(dir.path(), 200, spoil);
            replayed(dir.path())
        };
        let lost = spoilt(|entry| !matches!(entry, Entry::Input { tick, .. } if tick.0 > 500_100));
        assert!(lost.mismatches > 0 && !lost.holds());
        assert!(lost.first_mismatch.unwrap().tick.0 > 500_100);
        let missing = spoilt(|entry| !matches!(entry, Entry::Hash { tick: Tick(500_050), .. }));
        assert_eq!((missing.missing, missing.first_missing.unwrap().tick), (2, Tick(500_050)), "{missing:?}");
        assert!(!missing.holds());
        let double = spoilt(|entry| {
            if let Entry::Hash { tick, .. } = entry
                && tick.0 == 500_070
            {
                tick.0 = 500_069;
            }
            true
        });
        assert_eq!((double.double, double.missing), (2, 2));
        let late = spoilt(|entry| !matches!(entry, Entry::Company { tick, .. } if tick.0 > 500_150));
        assert!(late.wakes_late > 0 && late.mismatches > 0, "{late:?}");
        let strange = spoilt(|entry| {
            if let Entry::Company { tick, company, .. } = entry
                && tick.0 > 500_150
            {
                company[0].drag_m2 += 1.0;
            }
            true
        });
        assert!(strange.wakes_strange > 0 && !strange.holds(), "{strange:?}");
    }

    /// The owner has committed a vessel and is killed before its last ticks are on the disk: an order and a wake
    /// among them are known to the target alone.
    #[test]
    fn target_bridges_what_is_lost_of_a_dead_owners_log() {
        let sail = |tail: u64, bridged: bool| {
            let dir = tempfile::tempdir().unwrap();
            sail_recorded(dir.path(), 600, |entry| {
                let lost = 500_300 - tail..=500_300;
                match entry {
                    Entry::Taken { .. } => bridged,
                    Entry::Hash { vessel: VesselId(2), tick, .. }
                    | Entry::Input { vessel: VesselId(2), tick, .. }
                    | Entry::Company { vessel: VesselId(2), tick, .. } => !lost.contains(&tick.0),
                    _ => true,
                }
            });
            replayed(dir.path())
        };
        for tail in [4, 11, 20] {
            let summary = sail(tail, true);
            assert_eq!((summary.mismatches, summary.wakes_strange), (0, 0), "{tail}: {summary:?}");
            assert_eq!(summary.ticks_compared, 1200 - (tail + 1), "{summary:?}");
        }
        assert!(sail(11, false).mismatches > 0, "nothing of weight was lost");
    }

    #[test]
    fn log_cut_by_a_kill_is_read_up_to_its_tail() {
        let dir = tempfile::tempdir().unwrap();
        sail_recorded(dir.path(), 300, |entry| !matches!(entry, Entry::Left { .. }));
        for name in ["west.log", "east.log"] {
            let path = dir.path().join(name);
            let bytes = std::fs::read(&path).unwrap();
            std::fs::write(&path, &bytes[..bytes.len() - 9]).unwrap();
        }
        let summary = replayed(dir.path());
        assert_eq!((summary.logs_cut, summary.mismatches, summary.missing), (2, 0, 0), "{summary:?}");
        assert_eq!(summary.ticks_compared, 598);
    }

    #[test]
    fn orders_of_a_dead_owner_after_its_last_word_do_not_count() {
        let dir = tempfile::tempdir().unwrap();
        let sea = sea();
        let course = sea.course().name.clone();
        let start = Tick(0);
        let first = vessel(&sea, 1, "launch", sea.course().marks[0].place, 1.0, start);
        let mut dead = Recorder::open(dir.path(), "dead", &course, 42).unwrap();
        let mut guard = Recorder::open(dir.path(), "guard", &course, 42).unwrap();
        dead.write(Entry::Launched { tick: start, vessel: Box::new(first.clone()) });
        let mut sims = [0, 1].map(|_| Sim::new(Arc::clone(&sea), Vec::new(), start));
        for sim in &mut sims {
            sim.insert(first.clone());
        }
        // The guard never hears of the order at tick 60; the owner's last word is of tick 61, and the guard
        // publishes from tick 65 on what it has sailed without that order.
        for tick in 1..=120 {
            for (n, (sim, log)) in sims.iter_mut().zip([&mut dead, &mut guard]).enumerate() {
                let (vessel, tick) = (VesselId(1), Tick(tick));
                if n == 0 && tick.0 == 60 {
                    let helm = Helm { throttle: 1.0, ..Helm::default() };
                    let input = Input { session: 1, seq: 1, helm };
                    assert!(sim.apply(vessel, input));
                    log.write(Entry::Input { vessel, tick, input });
                }
                sim.step();
                let hash = sim.hash(vessel).unwrap();
                if n == 1 && tick.0 == 64 {
                    let (through, vessel) = (Tick(59), Box::new(sim.vessel(vessel).unwrap()));
                    log.write(Entry::Resumed { tick, through, term: 1, vessel });
                }
                if (n == 0 && tick.0 <= 61) || (n == 1 && tick.0 >= 65) {
                    let term = u32::try_from(n).unwrap();
                    log.write(Entry::Hash { vessel, tick, term, hop: 0, hash });
                }
            }
        }
        dead.finish().unwrap();
        guard.finish().unwrap();
        let summary = replayed(dir.path());
        assert!(summary.holds(), "{summary:?}");
        assert_eq!((summary.resumed, summary.history_lost, summary.interrupted), (1, 2, 3));
        assert_eq!((summary.ticks_compared, summary.inputs), (61 + 56, 1));
    }

    #[test]
    fn full_disk_costs_the_record_and_says_so() {
        if !Path::new("/dev/full").exists() {
            return;
        }
        let dir = tempfile::tempdir().unwrap();
        // The name is taken by a dangling link to a device that is always full.
        std::os::unix::fs::symlink("/dev/full", dir.path().join("x.log")).unwrap();
        let again = Recorder::open(dir.path(), "x", "course", 1).unwrap();
        again.finish().unwrap();
        assert!(dir.path().join("x.2.log").exists(), "a log is never written over");
        let error = Recorder::open(Path::new("/proc/nowhere"), "x", "course", 1).unwrap_err();
        assert!(error.to_string().contains("/proc/nowhere"));
    }

    #[test]
    fn passage_file_is_read_back() {
        let dir = tempfile::tempdir().unwrap();
        let passage = Passage { course: "regions/gullwing".into(), seed: 42, digest: "0".into() };
        passage.write(dir.path()).unwrap();
        assert_eq!(Passage::read(dir.path()), Ok(passage));
        let error = Passage::read(Path::new("/nowhere")).unwrap_err().to_string();
        assert!(error.contains("/nowhere/passage.toml"), "{error}");
    }
}
