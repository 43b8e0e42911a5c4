//! The region server as a process.
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

use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Output, Stdio};
use std::time::{Duration, Instant};

const REGION: &str = env!("CARGO_BIN_EXE_fairway-region");
const FAIRWAY: &str = env!("CARGO_BIN_EXE_fairway");
const PATIENCE: Duration = Duration::from_secs(20);

fn course(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("regions").join(name)
}

/// The cell of the small course in which its start line lies.
fn start_cell() -> (i32, i32) {
    let course = fairway::atlas::Course::load(&course("gullwing")).unwrap();
    let cell = fairway::atlas::Cell::of(course.start_line.port, course.cell_m);
    (cell.x, cell.y)
}

/// A process that ends with its guard.
struct Running {
    child: Child,
    out: BufReader<ChildStdout>,
    ready: serde_json::Value,
}

impl Running {
    fn start(mut command: Command) -> Self {
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let mut out = BufReader::new(child.stdout.take().unwrap());
        let mut line = String::new();
        out.read_line(&mut line).unwrap();
        let ready = serde_json::from_str(&line).unwrap_or_else(|_| panic!("not a ready line: {line:?}"));
        Self { child, out, ready }
    }

    fn region(extra: &[&str]) -> Self {
        let (x, y) = start_cell();
        let mut command = Command::new(REGION);
        command.arg("--course").arg(course("gullwing")).args(["--cell", &format!("{x},{y}")]);
        command.args(["--listen", "127.0.0.1:0"]).args(extra);
        Self::start(command)
    }

    fn addr(&self) -> String {
        self.ready["addr"].as_str().unwrap().to_owned()
    }

    fn ends_within(&mut self, patience: Duration) -> std::process::ExitStatus {
        let began = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status;
            }
            assert!(began.elapsed() < patience, "the process did not end within {patience:?}");
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    fn signal(&self, signal: rustix::process::Signal) {
        let pid = rustix::process::Pid::from_child(&self.child);
        rustix::process::kill_process(pid, signal).unwrap();
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn pilot(addr: &str, seconds: u32, extra: &[&str]) -> Output {
    Command::new(FAIRWAY)
        .args(["pilot", "--connect", addr, "--for", &format!("{seconds}s"), "-o", "json"])
        .args(extra)
        .stdin(Stdio::null())
        .output()
        .unwrap()
}

fn refused(args: &[&str], parts: &[&str]) {
    let output = Command::new(REGION).args(args).stdin(Stdio::null()).output().unwrap();
    let error = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{args:?}: {error}");
    assert_eq!(error.trim().lines().count(), 1, "one line was expected: {error}");
    for part in parts {
        assert!(error.contains(part), "{args:?}: {part:?} is not in {error:?}");
    }
    assert!(output.stdout.is_empty(), "nothing is half-started");
}

#[test]
fn region_says_ready_and_is_sailed_by_a_pilot() {
    let region = Running::region(&[]);
    assert_eq!(region.ready["ready"], true);
    assert_eq!(region.ready["cells"][0][0], start_cell().0);
    assert!(region.ready["start_to_tick_us"].as_u64().is_some_and(|us| us > 0));
    let output = pilot(&region.addr(), 4, &["--boat", "launch"]);
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{error}");
    let outcome: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let states = outcome["states"].as_u64().unwrap();
    assert!((140..=200).contains(&states), "{states} states in 4 s at 45 a second: {outcome}");
}

#[test]
fn pilots_sail_beside_each_other_and_tell_the_regions_pace() {
    let region = Running::region(&[]);
    let output = pilot(&region.addr(), 6, &["--boat", "launch", "--vessels", "5"]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let told: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let vessels = told["vessels"].as_array().unwrap();
    let numbers: std::collections::BTreeSet<_> =
        vessels.iter().map(|one| one["vessel"].as_u64().unwrap()).collect();
    assert_eq!(numbers.len(), 5, "{told}");
    assert!(vessels.iter().all(|one| one["states"].as_u64().unwrap() > 100), "{told}");
    let of_last = |key: &str| told[key].as_f64().unwrap();
    assert!(
        (40.0..50.0).contains(&of_last("ticks_hz")) && (40.0..50.0).contains(&of_last("states_hz")),
        "{told}"
    );
    assert!((2.0..5.0).contains(&of_last("measured_s")), "{told}");
}

#[test]
fn one_process_serves_several_regions_on_one_port() {
    let (x, y) = start_cell();
    let more = [format!("{},{y}", x + 1), format!("{x},{}", y + 1)];
    let region = Running::region(&["--cell", &more[0], "--cell", &more[1], "--id", "5"]);
    assert_eq!(region.ready["cells"].as_array().unwrap().len(), 3);
    for name in ["r5.gullwing.fairway", "r6.gullwing.fairway", "r7.gullwing.fairway"] {
        let output = pilot(&region.addr(), 2, &["--boat", "launch", "--name", name]);
        assert!(output.status.success(), "{name}: {}", String::from_utf8_lossy(&output.stderr));
    }
}

#[test]
fn region_ends_with_its_lifeline() {
    let mut region = Running::region(&["--lifeline"]);
    drop(region.child.stdin.take());
    region.ends_within(Duration::from_secs(2));
}

#[test]
fn region_stops_when_told_to() {
    let mut region = Running::region(&[]);
    region.signal(rustix::process::Signal::TERM);
    assert!(region.ends_within(Duration::from_secs(2)).success());
    let mut rest = String::new();
    region.out.read_to_string(&mut rest).unwrap();
    assert!(rest.is_empty(), "stdout holds one line and no more: {rest}");
}

/// Law 5: what the first ticks need is in memory before 'ready' is said.
#[test]
fn region_opens_no_file_after_ready() {
    if Command::new("strace").arg("--version").output().is_err() {
        assert!(std::env::var_os("FAIRWAY_REQUIRE_ALL").is_none(), "strace is missing");
        eprintln!("SKIPPED: region_opens_no_file_after_ready needs strace");
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let trace = dir.path().join("trace");
    let (x, y) = start_cell();
    let mut command = Command::new("strace");
    command.args(["-f", "-tt", "-e", "trace=open,openat,openat2,write", "-s", "400", "-o"]).arg(&trace);
    command.arg(REGION).arg("--course").arg(course("gullwing")).args(["--cell", &format!("{x},{y}")]);
    command.args(["--listen", "127.0.0.1:0", "--record"]).arg(dir.path().join("record"));
    command.arg("--lifeline");
    let mut region = Running::start(command);
    let output = pilot(&region.addr(), 3, &["--boat", "first407"]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    drop(region.child.stdin.take());
    region.ends_within(PATIENCE);
    let trace = std::fs::read_to_string(trace).unwrap();
    let ready = trace.lines().position(|line| line.contains("write(1, \"{") && line.contains("ready"));
    let ready = ready.unwrap_or_else(|| panic!("no ready line in the trace"));
    let opened: Vec<&str> = trace.lines().skip(ready + 1).filter(|line| line.contains("open")).collect();
    assert!(trace.lines().take(ready).any(|line| line.contains("course.toml")), "the trace saw no start");
    assert!(opened.is_empty(), "files opened after 'ready':\n{}", opened.join("\n"));
}

#[test]
fn bad_input_is_one_line_with_a_remedy() {
    let gullwing = course("gullwing");
    let gullwing = gullwing.to_str().unwrap();
    refused(&["--course", "regions/nowhere", "--cell", "0,0"], &["regions/nowhere"]);
    refused(&["--course", gullwing], &["--cell"]);
    refused(&["--course", gullwing, "--cell", "one"], &["--cell one", "3,-2"]);
    refused(&["--course", gullwing, "--cell", "0,0", "--authority", "00"], &["--authority"]);
    let taken = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
    let addr = taken.local_addr().unwrap().to_string();
    refused(&["--course", gullwing, "--cell", "0,0", "--listen", &addr], &[&addr]);
}

/// Ticks that are due and cannot be sailed in time do not keep a region from hearing who comes, nor from ending.
#[test]
fn region_that_cannot_keep_up_hears_its_crews_all_the_same() {
    let tick = fairway::atlas::Course::load(&course("gullwing")).unwrap().start.0;
    let mut region = Running::region(&[
        "--adrift",
        "250",
        "--clock",
        &format!("{tick},{},300", fairway::clock::unix_ns()),
    ]);
    // For so long it has fallen behind.
    std::thread::sleep(Duration::from_secs(6));
    let output = pilot(&region.addr(), 3, &["--boat", "launch"]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let outcome: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert!(outcome["states"].as_u64().unwrap() > 10, "{outcome}");
    region.signal(rustix::process::Signal::TERM);
    region.ends_within(Duration::from_secs(3));
}
