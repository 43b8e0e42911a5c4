//! Faults with real processes: regions and the harbour killed, stopped and told to go while vessels sail.
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

#[path = "common/processes.rs"]
mod processes;

use std::io::Read as _;
use std::process::{Child, Command, Stdio};
use std::sync::{PoisonError, RwLock};
use std::time::{Duration, Instant};

use processes::{MARK, marked};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

const FAIRWAY: &str = env!("CARGO_BIN_EXE_fairway");
/// Sails at the pace of the sea use little of the machine, and many may be under way; where times are held to a
/// bound, it is alone.
static MACHINE: RwLock<()> = RwLock::new(());

/// A sail under way.
struct Sail {
    child: Child,
    mark: String,
    record: tempfile::TempDir,
}

impl Drop for Sail {
    /// A test that fails leaves nothing running: with this process its harbour and regions end.
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Sail {
    fn start(mark: &str, args: &[&str]) -> Self {
        let record = tempfile::tempdir().unwrap();
        let child = Command::new(FAIRWAY)
            .current_dir(env!("CARGO_MANIFEST_DIR"))
            .env(MARK, mark)
            .args(["sail", "regions/gullwing", "-o", "json", "--record"])
            .arg(record.path().join("log"))
            .args(args)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        Self { child, mark: mark.to_owned(), record }
    }

    /// Processes of this sail whose command line has an argument that begins so.
    fn processes(&self, argument: &str) -> Vec<(Pid, String)> {
        marked(&self.mark)
            .into_iter()
            .filter_map(|process| {
                let found = process.arguments.into_iter().find(|one| one.starts_with(argument))?;
                Some((process.pid, found))
            })
            .collect()
    }

    /// Bytes in a region's log.
    fn logged(&self, id: u64) -> u64 {
        let start = format!("r{id}.gullwing.");
        let logs = std::fs::read_dir(self.record.path().join("log")).into_iter().flatten().flatten();
        let named = logs.filter(|entry| entry.file_name().to_string_lossy().starts_with(&start));
        named.filter_map(|entry| entry.metadata().ok()).map(|meta| meta.len()).sum()
    }

    /// The region that publishes: its log grows.
    fn busiest(&self) -> Option<(Pid, u64)> {
        let region = |(pid, argument): (Pid, String)| {
            let id: u64 = argument.strip_prefix("--id=")?.parse().ok()?;
            Some((pid, id, self.logged(id)))
        };
        let before: Vec<(Pid, u64, u64)> = self.processes("--id=").into_iter().filter_map(region).collect();
        std::thread::sleep(Duration::from_millis(1_300));
        let grown = before.into_iter().map(|(pid, id, bytes)| (self.logged(id) - bytes, pid, id));
        grown
            .filter(|(bytes, ..)| *bytes > 1_000)
            .max_by_key(|(bytes, ..)| *bytes)
            .map(|(_, pid, id)| (pid, id))
    }

    fn wait_for_busiest(&self) -> (Pid, u64) {
        let began = Instant::now();
        loop {
            if let Some(found) = self.busiest() {
                return found;
            }
            assert!(began.elapsed() < Duration::from_secs(40), "no region has vessels");
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// Its summary, and what a replay of its record finds.
    fn end(mut self) -> (Value, Value) {
        let (mut said, mut error) = (String::new(), String::new());
        let mut stderr = self.child.stderr.take().unwrap();
        let reader = std::thread::spawn(move || {
            let _ = stderr.read_to_string(&mut error);
            error
        });
        self.child.stdout.take().unwrap().read_to_string(&mut said).unwrap();
        let status = self.child.wait().unwrap();
        let error = reader.join().unwrap();
        let summary: Value = serde_json::from_str(&said).unwrap_or_else(|_| panic!("{error}"));
        assert!(status.success(), "{summary}\n{error}");
        let replay = Command::new(FAIRWAY)
            .current_dir(env!("CARGO_MANIFEST_DIR"))
            .arg("replay")
            .arg(self.record.path().join("log"))
            .args(["-o", "json"])
            .output()
            .unwrap();
        let found: Value = serde_json::from_slice(&replay.stdout)
            .unwrap_or_else(|_| panic!("{}", String::from_utf8_lossy(&replay.stderr)));
        (summary, found)
    }
}

fn whole(value: &Value) -> u64 {
    value.as_u64().unwrap_or_else(|| panic!("{value} is not a whole number"))
}

/// No tick twice, none without an owner that lived, and every bit that stands as in the undivided sea.
fn assert_lawful(found: &Value) {
    for key in ["mismatches", "double", "missing"] {
        assert_eq!(whole(&found[key]), 0, "{key}: {found}");
    }
    assert!(whole(&found["ticks_compared"]) > 1_000, "{found}");
}

#[test]
fn killed_regions_vessels_sail_on_within_a_second() {
    let _alone = MACHINE.write().unwrap_or_else(PoisonError::into_inner);
    let sail = Sail::start("kill", &["--vessels", "3", "--warp", "1", "--for", "26s"]);
    sail.wait_for_busiest();
    std::thread::sleep(Duration::from_secs(8));
    let (pid, _) = sail.busiest().unwrap();
    kill_process(pid, Signal::KILL).unwrap();
    let (summary, found) = sail.end();
    assert_lawful(&found);
    let resumed = whole(&found["resumed"]);
    assert!(resumed >= 1, "nobody was sailed on: {summary}\n{found}");
    println!("kill -9: {found}\n{summary}");
    // Per vessel: of what was published, two ticks at most; and all of it within a second.
    assert!(whole(&found["history_lost"]) <= 2 * resumed, "{found}");
    assert!(whole(&found["interrupted"]) <= 45 * resumed, "{found}");
    assert!(summary["client_gap_ms"]["max"].as_f64().unwrap() < 1_000.0, "{summary}");
    assert_eq!(whole(&summary["given_up"]), 0, "{summary}");
}

#[test]
fn killed_harbour_is_not_noticed_in_the_water() {
    let _shared = MACHINE.read().unwrap_or_else(PoisonError::into_inner);
    let sail = Sail::start("harbour", &["--vessels", "2", "--warp", "1", "--for", "32s"]);
    sail.wait_for_busiest();
    std::thread::sleep(Duration::from_secs(6));
    for _ in 0..2 {
        let harbours = sail.processes("--http-port=");
        assert_eq!(harbours.len(), 1, "{harbours:?}");
        kill_process(harbours[0].0, Signal::KILL).unwrap();
        std::thread::sleep(Duration::from_secs(8));
    }
    let (summary, found) = sail.end();
    assert_lawful(&found);
    let interruptions = [&found["resumed"], &found["history_lost"], &found["interrupted"]].map(whole);
    assert_eq!(interruptions, [0, 0, 0], "{found}");
    assert_eq!(whole(&summary["regions_failed"]), 0, "{summary}");
    assert_eq!(whole(&summary["given_up"]), 0, "{summary}");
}

#[test]
fn region_told_to_go_hands_its_vessels_across() {
    let _shared = MACHINE.read().unwrap_or_else(PoisonError::into_inner);
    let sail = Sail::start("drain", &["--vessels", "2", "--warp", "1", "--for", "26s"]);
    sail.wait_for_busiest();
    std::thread::sleep(Duration::from_secs(5));
    let (pid, id) = sail.busiest().unwrap();
    kill_process(pid, Signal::TERM).unwrap();
    let began = Instant::now();
    while sail.processes(&format!("--id={id}")).iter().any(|(other, _)| *other == pid) {
        assert!(began.elapsed() < Duration::from_secs(12), "it does not go");
        std::thread::sleep(Duration::from_millis(5));
    }
    println!("gone after {:?}", began.elapsed());
    let (summary, found) = sail.end();
    assert_lawful(&found);
    assert_eq!([&found["resumed"], &found["interrupted"]].map(whole), [0, 0], "{found}");
    assert!(whole(&found["epochs"]) >= 3, "nothing was handed across: {found}");
    assert_eq!(whole(&summary["given_up"]), 0, "{summary}");
}

#[test]
fn stopped_region_publishes_nothing_when_it_wakes() {
    let _shared = MACHINE.read().unwrap_or_else(PoisonError::into_inner);
    let sail = Sail::start("stop", &["--vessels", "2", "--warp", "1", "--for", "32s"]);
    sail.wait_for_busiest();
    std::thread::sleep(Duration::from_secs(6));
    let (pid, _) = sail.busiest().unwrap();
    kill_process(pid, Signal::STOP).unwrap();
    std::thread::sleep(Duration::from_secs(6));
    // The harbour has ended it meanwhile, or never will.
    let _ = kill_process(pid, Signal::CONT);
    let (summary, found) = sail.end();
    assert_lawful(&found);
    assert!(whole(&found["resumed"]) >= 1, "{found}");
    assert_eq!(whole(&summary["given_up"]), 0, "{summary}");
}

/// A passage with bad luck all the way: everybody arrives all the same.
#[test]
fn chaos_does_not_keep_anybody_from_arriving() {
    let _shared = MACHINE.read().unwrap_or_else(PoisonError::into_inner);
    let sail = Sail::start("chaos", &["--vessels", "3", "--warp", "10", "--chaos", "7"]);
    let (summary, found) = sail.end();
    println!("{summary}\n{found}");
    assert_eq!(whole(&summary["arrived"]), 3, "{summary}");
    assert!(whole(&summary["chaos"]["regions_killed"]) >= 3, "{summary}");
    for key in ["mismatches", "double"] {
        assert_eq!(whole(&found[key]), 0, "{key}: {found}");
    }
}
