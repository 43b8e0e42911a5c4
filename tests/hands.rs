//! A region that one processor cannot sail in time is given a second one while it runs.
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "tests are no library")]
#![allow(clippy::disallowed_methods, clippy::cast_precision_loss, reason = "nor a model")]

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

use fairway::atlas::{Cell, Course};
use fairway::clock;
use fairway::net::{Endpoint, EndpointConfig, Identity};
use fairway::pilots::{Booking, Crew};
use fairway::units::{Tick, VesselId};
use fairway::vessel::boats;

/// Vessels aboard besides the pilot's.
const VESSELS: u32 = 250;
/// Course time by wall time that no processor keeps up with.
const HASTE: f64 = 300.0;
/// Longest time until a second processor is put to use.
const RELIEF: Duration = Duration::from_secs(2);
/// How long it is watched, before and after, for a figure: what is gained depends on who else is on the machine, and
/// `cargo bench --bench tick` measures it.
const WATCH: Duration = Duration::from_secs(3);
/// A crowded region on the first processor, with a pilot aboard who sees its ticks.
struct Running {
    child: Child,
    _out: BufReader<ChildStdout>,
    crew: Option<Crew>,
}

impl Running {
    fn start() -> Self {
        let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("regions/gullwing");
        let course = Course::load(&dir).unwrap();
        let cell = Cell::of(course.start_line.port, course.cell_m);
        let mut child = Command::new("taskset")
            .args(["-c", "0", env!("CARGO_BIN_EXE_fairway-region"), "--lifeline", "--course"])
            .arg(dir)
            .args(["--cell", &format!("{},{}", cell.x, cell.y), "--listen", "127.0.0.1:0"])
            .args(["--adrift", &VESSELS.to_string()])
            .args(["--clock", &format!("{},{},{HASTE}", course.start.0, clock::unix_ns())])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut out = BufReader::new(child.stdout.take().unwrap());
        let mut line = String::new();
        out.read_line(&mut line).unwrap();
        let ready: serde_json::Value = serde_json::from_str(&line).unwrap();
        let listen = "127.0.0.1:0".parse().unwrap();
        let identity = Identity::generate().unwrap();
        let config = EndpointConfig { listen, identity, authority: None, serve: Vec::new() };
        let booking = Booking {
            vessel: VesselId(0),
            ticket: Vec::new(),
            addr: ready["addr"].as_str().unwrap().parse().unwrap(),
            name: "r0.gullwing.fairway".to_owned(),
            authority: None,
            boat: boats::named("launch").cloned(),
        };
        let crew = Crew::start(Endpoint::open(config).unwrap(), vec![booking], 1).unwrap();
        let running = Self { child, _out: out, crew: Some(crew) };
        while running.tick() == Tick(0) {
            std::thread::sleep(Duration::from_millis(10));
        }
        running
    }

    fn tick(&self) -> Tick {
        self.crew.as_ref().unwrap().progress()[0].tick
    }

    /// Whether a second thread sails.
    fn has_a_second_hand(&self) -> bool {
        let tasks = std::fs::read_dir(format!("/proc/{}/task", self.child.id())).unwrap();
        // A thread may have ended meanwhile.
        let names = tasks.flatten().filter_map(|task| std::fs::read_to_string(task.path().join("comm")).ok());
        names.into_iter().any(|name| name.starts_with("hand "))
    }

    /// Ticks that it sails in a second.
    fn hz(&self) -> f64 {
        let before = self.tick();
        std::thread::sleep(WATCH);
        self.tick().since(before) as f64 / WATCH.as_secs_f64()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.crew.take().map(Crew::finish);
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn second_processor_is_put_to_use_at_once() {
    if fairway::metrics::processors() < 2 {
        assert!(std::env::var_os("FAIRWAY_REQUIRE_ALL").is_none(), "this machine has one processor");
        println!("skipped: this machine has one processor");
        return;
    }
    let region = Running::start();
    std::thread::sleep(Duration::from_secs(1));
    let alone = region.hz();
    assert!(!region.has_a_second_hand(), "there is nothing to sail on");
    let pid = region.child.id().to_string();
    let status = Command::new("taskset").args(["-a", "-p", "-c", "0-1", &pid]).stdout(Stdio::null()).status();
    assert!(status.unwrap().success());
    let given = Instant::now();
    while !region.has_a_second_hand() {
        assert!(given.elapsed() < RELIEF, "it still sails by one thread");
        std::thread::sleep(Duration::from_millis(10));
    }
    let took = given.elapsed();
    let shared = region.hz();
    println!(
        "{VESSELS} vessels: {alone:.0} Hz by one processor, {shared:.0} by two, which it used after {took:?}"
    );
}
