//! The engine that runs regions as Xen guests, against a host that is played: a xenstore of its own, and an `xl` that
//! writes down what it is asked.
#![allow(
    missing_docs,
    unreachable_pub,
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "tests are no library"
)]
#![allow(clippy::disallowed_methods, clippy::cast_possible_truncation, reason = "nor a model")]

mod host;

use std::net::SocketAddr;
use std::path::Path;
use std::time::{Duration, Instant};

use fairway::atlas::Cell;
use fairway::harbour::engine::{Engine, EngineEvent, RegionSpec};
use fairway::harbour::xl::XlEngine;
use fairway::units::{RegionId, Tick};
use fairway::wire::message::ClockSetting;

use host::Host;

/// How long anything may take on a machine that does other things as well.
const PATIENCE: Duration = Duration::from_secs(20);

fn course() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("regions/gullwing")
}

fn spec(number: u32) -> RegionSpec {
    RegionSpec {
        id: RegionId(number),
        name: format!("r{number}.gullwing.fairway"),
        cell: Cell { x: 2, y: -1 },
        course: course(),
        seed: 7,
        clock: ClockSetting { tick: Tick(900), unix_ns: 5, warp: 1.0 },
        authority: b"authority".to_vec(),
        record: None,
    }
}

fn next(engine: &mut XlEngine) -> EngineEvent {
    let until = Instant::now() + PATIENCE;
    loop {
        if let Some(event) = engine.poll() {
            return event;
        }
        assert!(Instant::now() < until, "nothing happened");
        std::thread::sleep(Duration::from_millis(10));
    }
}

fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let until = Instant::now() + PATIENCE;
    while !holds() {
        assert!(Instant::now() < until, "never: {what}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

fn ready_of(event: EngineEvent) -> SocketAddr {
    let EngineEvent::Ready { region, info } = event else { panic!("{event:?}") };
    assert_eq!((region, info.key, info.start_to_tick_us), (RegionId(1), [0xab; 32], 5_000));
    info.addr
}

/// An engine with one guest that serves.
fn serving(host: &Host) -> XlEngine {
    let mut engine = host.engine(|_| {}).unwrap();
    engine.start(&spec(1)).unwrap();
    host.serve("fairway-r1.gullwing.fairway", "10.0.0.1:4045");
    ready_of(next(&mut engine));
    engine
}

#[test]
fn guest_is_created_serves_and_is_destroyed() {
    let host = Host::new();
    let mut engine = host.engine(|_| {}).unwrap();
    engine.start(&spec(1)).unwrap();
    let settings = host.settings_of("fairway-r1.gullwing.fairway");
    for line in ["type = \"pv\"", "memory = 48", "vif = [ \"bridge=br7\" ]", "on_crash = \"destroy\""] {
        assert!(settings.contains(line), "{line} is not in:\n{settings}");
    }
    let ramdisk = host.ramdisk_of("fairway-r1.gullwing.fairway");
    assert!(ramdisk.starts_with(b"base"), "the region's part follows the image's");
    let text = String::from_utf8_lossy(&ramdisk).into_owned();
    for part in [
        "--course=/region/course/gullwing\n--cell=2,-1\n--id=1\n--listen=10.0.0.1:4045",
        "fairway.ip=10.0.0.1/24",
    ] {
        assert!(text.contains(part), "{part:?} is not in the ramdisk");
    }
    host.serve("fairway-r1.gullwing.fairway", "10.0.0.1:4045");
    assert_eq!(ready_of(next(&mut engine)), "10.0.0.1:4045".parse().unwrap());
    assert_eq!(engine.running(), [RegionId(1)]);
    engine.kill(RegionId(1));
    engine.kill(RegionId(1));
    let EngineEvent::Ended { region, clean, .. } = next(&mut engine) else { panic!("it ended") };
    assert_eq!((region, clean), (RegionId(1), false));
    assert!(engine.running().is_empty() && host.domains().is_empty());
    assert_eq!(host.asked("destroy"), 1, "once, however often it is asked");
    assert!(host.folder_is_empty(), "nothing is left in the folder of guests");
}

#[test]
fn guest_that_drained_ended_well() {
    let host = Host::new();
    let mut engine = serving(&host);
    host.say("fairway-r1.gullwing.fairway", "state", "draining");
    // Seen at the next look.
    std::thread::sleep(Duration::from_millis(1_000));
    host.end("fairway-r1.gullwing.fairway");
    let EngineEvent::Ended { clean, how, .. } = next(&mut engine) else { panic!("it ended") };
    assert!(clean && how.contains("draining"), "{how}");
}

#[test]
fn guest_that_has_stopped_is_cleared_away() {
    let host = Host::new();
    let mut engine = serving(&host);
    host.say("fairway-r1.gullwing.fairway", "state", "stopped");
    let EngineEvent::Ended { clean, how, .. } = next(&mut engine) else { panic!("it ended") };
    assert!(clean && how.contains("stopped"), "{how}");
    assert!(host.domains().is_empty(), "{:?}", host.domains());
}

#[test]
fn guest_gets_processors_and_what_the_host_refuses_is_told() {
    let host = Host::new();
    let mut engine = host.engine(|_| {}).unwrap();
    assert_eq!(engine.processors_max(), 2);
    engine.start(&spec(1)).unwrap();
    let name = "fairway-r1.gullwing.fairway";
    assert!(host.settings_of(name).contains("vcpus = 1\nmaxvcpus = 2\n"));
    host.serve(name, "10.0.0.1:4045");
    ready_of(next(&mut engine));
    engine.set_processors(RegionId(1), 2);
    until("xl is asked", || host.asked("vcpu-set 1 2") == 1);
    host.refuse("no such processor");
    engine.set_processors(RegionId(1), 1);
    let EngineEvent::Refused { region: RegionId(1), what } = next(&mut engine) else { panic!("it is told") };
    assert!(what.contains("1 processors") && what.contains("no such processor"), "{what}");
    assert_eq!(host.domains(), [name], "it goes on");
}

#[test]
fn guest_gets_memory_for_what_is_booked() {
    let host = Host::new();
    let mut engine = serving(&host);
    // What 64 MiB carry may be booked; a guest starts with 48, which is enough for most.
    let most = engine.vessels_max();
    assert!((256..512).contains(&most), "{most}");
    engine.make_room(RegionId(1), most);
    until("xl is asked", || host.asked("mem-set 1 64m") == 1);
    assert_eq!(host.asked("mem-max 1 64m"), 1, "before that");
    // No less than it started with.
    engine.make_room(RegionId(1), 1);
    until("xl is asked", || host.asked("mem-set 1 48m") == 1);
    host.refuse("not enough free memory");
    engine.make_room(RegionId(1), most);
    let EngineEvent::Refused { region: RegionId(1), what } = next(&mut engine) else { panic!("it is told") };
    assert!(what.contains("64 MiB of memory") && what.contains("not enough free memory"), "{what}");
    assert_eq!(host.domains().len(), 1, "it goes on");
}

#[test]
fn guest_that_crashed_is_told_with_its_consoles_last_lines() {
    let host = Host::new();
    let mut engine = serving(&host);
    host.console(
        "fairway-r1.gullwing.fairway",
        "a boat sank\nKernel panic - not syncing: Attempted to kill init!\n",
    );
    std::thread::sleep(Duration::from_millis(600));
    host.end("fairway-r1.gullwing.fairway");
    let EngineEvent::Ended { clean, console, .. } = next(&mut engine) else { panic!("it ended") };
    assert!(!clean && console.len() == 2 && console[1].contains("Kernel panic"), "{console:?}");
}

#[test]
fn guest_that_never_gets_ready_or_says_why_is_not_left_behind() {
    let host = Host::new();
    let mut engine = host.engine(|config| config.patience = Duration::from_millis(1_500)).unwrap();
    engine.start(&spec(1)).unwrap();
    host.console("fairway-r1.gullwing.fairway", "Out of memory\n");
    let EngineEvent::Ended { clean, how, console, .. } = next(&mut engine) else { panic!("it ended") };
    assert!(!clean && how.contains("was not ready within") && console == ["Out of memory"], "{how}");
    until("the domain is gone", || host.domains().is_empty());
    engine.start(&spec(2)).unwrap();
    until("the domain is there", || !host.domains().is_empty());
    host.say("fairway-r2.gullwing.fairway", "error", "fairway.ip=here: cannot be read");
    let EngineEvent::Ended { how, .. } = next(&mut engine) else { panic!("it ended") };
    assert!(how.contains("fairway.ip=here"), "{how}");
    until("the domain is gone", || host.domains().is_empty());
}

#[test]
fn xl_that_refuses_is_quoted_and_its_guest_not_left_behind() {
    let host = Host::new();
    let mut engine = host.engine(|_| {}).unwrap();
    host.refuse("Domain with name \"fairway-r1.gullwing.fairway\" already exists.");
    engine.start(&spec(1)).unwrap();
    let EngineEvent::Ended { clean, how, .. } = next(&mut engine) else { panic!("it ended") };
    assert!(!clean && how.contains("already exists"), "{how}");
    assert!(engine.running().is_empty() && host.domains().is_empty() && host.folder_is_empty());
    let message =
        engine.start(&RegionSpec { record: Some("log".into()), ..spec(2) }).unwrap_err().to_string();
    assert!(message.contains("no disk"), "{message}");
}

#[test]
fn harbour_that_comes_back_finds_its_guests_and_touches_no_other() {
    let host = Host::new();
    let mut engine = host.engine(|config| config.outlive = true).unwrap();
    for number in [1, 2] {
        engine.start(&spec(number)).unwrap();
        host.serve(&format!("fairway-r{number}.gullwing.fairway"), &format!("10.0.0.{number}:4045"));
        assert!(matches!(next(&mut engine), EngineEvent::Ready { .. }));
    }
    let handle = engine.handle(RegionId(1)).unwrap();
    drop(engine);
    assert_eq!(host.domains().len(), 2, "they outlive the harbour");
    host.foreign("fairway-r9.gullwing.fairway");
    let mut again = host.engine(|config| config.outlive = true).unwrap();
    assert!(!again.adopt(&spec(1), Some("10.0.0.1:4045".parse().unwrap()), "no handle"));
    assert!(again.adopt(&spec(1), Some("10.0.0.1:4045".parse().unwrap()), &handle));
    assert_eq!(again.poll(), None);
    // The second one was nobody's; the foreign one only has a name like ours.
    until("the stray is gone", || {
        host.domains() == ["fairway-r1.gullwing.fairway", "fairway-r9.gullwing.fairway"]
    });
    again.start(&spec(3)).unwrap();
    assert!(host.settings_of("fairway-r3.gullwing.fairway").contains("bridge=br7"));
    let ramdisk = host.ramdisk_of("fairway-r3.gullwing.fairway");
    assert!(!String::from_utf8_lossy(&ramdisk).contains("fairway.ip=10.0.0.1/24"), "that address is taken");
    host.end("fairway-r1.gullwing.fairway");
    assert!(matches!(next(&mut again), EngineEvent::Ended { region: RegionId(1), .. }));
    assert!(!again.adopt(&spec(1), Some("10.0.0.1:4045".parse().unwrap()), &handle), "it is gone by now");
}

#[test]
fn spare_guest_becomes_a_region_without_a_boot() {
    let host = Host::new();
    let mut engine = host.engine(|config| config.pool = 1).unwrap();
    assert_eq!(engine.poll(), None);
    host.settings_of("fairway-spare-1");
    let text = String::from_utf8_lossy(&host.ramdisk_of("fairway-spare-1")).into_owned();
    assert!(text.contains("region/course/gullwing/course.toml") && !text.contains("region/arguments"));
    host.say("fairway-spare-1", "state", "standby");
    std::thread::sleep(Duration::from_millis(600));
    engine.start(&spec(1)).unwrap();
    until("it is told what to be", || {
        host.told("fairway-spare-1", "arguments").is_some_and(|text| text.contains("--cell=2,-1\n--id=1"))
    });
    host.serve("fairway-spare-1", "10.0.0.1:4045");
    assert_eq!(ready_of(next(&mut engine)), "10.0.0.1:4045".parse().unwrap());
    until("another one is booted in its place", || {
        engine.poll();
        host.domains().contains(&"fairway-spare-2".to_owned())
    });
    drop(engine);
    assert!(host.domains().is_empty(), "none outlives a harbour without a state");
}

#[test]
fn host_that_runs_no_xen_is_told_so() {
    let host = Host::new();
    let message =
        host.engine(|config| config.xenstore = Some("/nowhere/socket".into())).unwrap_err().to_string();
    assert!(message.contains("does not run Xen") && message.contains("/nowhere/socket"), "{message}");
    let message = host.engine(|config| config.program = "/nowhere/xl".into()).unwrap_err().to_string();
    assert!(message.contains("/nowhere/xl") && message.contains("--xl"), "{message}");
    let message = host.engine(|config| config.image = "/nowhere".into()).unwrap_err().to_string();
    assert!(message.contains("fairway image build"), "{message}");
}
