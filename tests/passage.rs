//! Whole passages with real processes, as a user would sail them.
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

use std::io::Read;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use processes::{MARK, marked};
use serde_json::Value;

const FAIRWAY: &str = env!("CARGO_BIN_EXE_fairway");

fn sail(mark: &str, args: &[&str]) -> Command {
    let mut command = Command::new(FAIRWAY);
    command.current_dir(env!("CARGO_MANIFEST_DIR")).env(MARK, mark);
    command.arg("sail").args(args).stdin(Stdio::null());
    command
}

fn json(output: &Output) -> Value {
    let error = String::from_utf8_lossy(&output.stderr);
    serde_json::from_slice(&output.stdout).unwrap_or_else(|_| {
        panic!("not one JSON object: {:?}\n{error}", String::from_utf8_lossy(&output.stdout))
    })
}

fn wait_until(what: &str, patience: Duration, mut done: impl FnMut() -> bool) {
    let began = Instant::now();
    while !done() {
        assert!(began.elapsed() < patience, "{what} did not happen within {patience:?}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// Starts a passage and waits until regions run.
fn under_way(mark: &str) -> Child {
    let child = sail(mark, &["regions/gullwing", "--vessels", "2", "--warp", "5"])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    wait_until("a region's start", Duration::from_secs(20), || marked(mark).len() >= 3);
    std::thread::sleep(Duration::from_millis(700));
    child
}

#[test]
fn recorded_passage_arrives_and_replays_undivided() {
    let dir = tempfile::tempdir().unwrap();
    let record = dir.path().join("record");
    let plot = dir.path().join("tracks.svg");
    let output = sail("arrives", &["regions/gullwing", "--vessels", "3", "--warp", "20", "-o", "json"])
        .arg("--record")
        .arg(&record)
        .arg("--plot")
        .arg(&plot)
        .output()
        .unwrap();
    let summary = json(&output);
    assert!(output.status.success(), "{summary}\n{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!((summary["passages"].as_u64(), summary["arrived"].as_u64()), (Some(3), Some(3)), "{summary}");
    assert!(summary["handoffs"].as_u64().unwrap() >= 6, "{summary}");
    assert_eq!(summary["handoff_ticks_missed"].as_u64(), Some(0), "{summary}");
    assert_eq!(summary["regions_started"], summary["regions_stopped"], "{summary}");
    assert!(summary["regions_peak"].as_u64().unwrap() <= 2 * 3 + 1, "{summary}");
    assert!(summary["distance_m"].as_f64().unwrap() > 1_000.0, "{summary}");
    let picture = std::fs::read_to_string(&plot).unwrap();
    assert!(picture.starts_with("<") && picture.contains("</svg>"));

    let replay = Command::new(FAIRWAY)
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .arg("replay")
        .arg(&record)
        .args(["-o", "json"])
        .output()
        .unwrap();
    let found = json(&replay);
    assert!(replay.status.success(), "{found}\n{}", String::from_utf8_lossy(&replay.stderr));
    assert!(found["ticks_compared"].as_u64().unwrap() > 50_000, "{found}");
    assert_eq!(found["mismatches"].as_u64(), Some(0), "{found}");
    assert!(marked("arrives").is_empty(), "processes were left behind");
}

/// Warp 1 for two minutes: what a pilot notices at a border is what it notices away from one.
#[test]
fn client_notices_no_border_at_warp_one() {
    let output =
        sail("gap", &["regions/gullwing", "--vessels", "2", "--warp", "1", "--for", "120s", "-o", "json"])
            .output()
            .unwrap();
    let summary = json(&output);
    assert!(summary["handoffs"].as_u64().unwrap() >= 1, "no border was crossed: {summary}");
    assert_eq!(summary["handoff_ticks_missed"].as_u64(), Some(0), "{summary}");
    let gap_ms = summary["client_gap_ms"]["p99"].as_f64().unwrap();
    let control_ms = summary["control_gap_ms"]["p99"].as_f64().unwrap();
    assert!(gap_ms <= control_ms + 1_000.0 / 45.0, "{gap_ms} ms at borders, {control_ms} ms away: {summary}");
}

#[test]
fn interrupt_ends_everything_within_two_seconds() {
    let mut child = under_way("interrupt");
    let pid = rustix::process::Pid::from_child(&child);
    let began = Instant::now();
    rustix::process::kill_process(pid, rustix::process::Signal::INT).unwrap();
    let status = child.wait().unwrap();
    assert!(began.elapsed() < Duration::from_secs(2), "it took {:?}", began.elapsed());
    assert_eq!(status.code(), Some(130));
    assert!(marked("interrupt").is_empty(), "processes were left behind");
}

#[test]
fn nothing_is_left_behind_when_sail_is_killed() {
    let mut child = under_way("killed");
    child.kill().unwrap();
    child.wait().unwrap();
    wait_until("the end of all processes", Duration::from_secs(2), || marked("killed").is_empty());
}

#[test]
fn bad_input_is_one_line_and_starts_nothing() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let cases: [(&[&str], &str); 6] = [
        (&["regions/nowhere"], "regions/nowhere"),
        (&["regions/gullwing", "--boat", "titanic"], "titanic"),
        (&["regions/gullwing", "--vessels", "0"], "--vessels"),
        (&["regions/gullwing", "--start", "yesterday"], "yesterday"),
        (&["regions/gullwing", "--warp", "0"], "--warp"),
        (&["regions/gullwing", "--http-port", &port], &port),
    ];
    for (args, part) in cases {
        let mut child = sail("bad", args).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let status = child.wait().unwrap();
        let (mut out, mut error) = (String::new(), String::new());
        child.stdout.take().unwrap().read_to_string(&mut out).unwrap();
        child.stderr.take().unwrap().read_to_string(&mut error).unwrap();
        assert_eq!(status.code(), Some(2), "{args:?}: {error}");
        assert!(error.contains(part), "{args:?}: {error}");
        assert!(out.is_empty(), "{args:?} printed {out}");
        assert!(marked("bad").is_empty(), "{args:?} left a process behind");
    }
    assert!(Path::new(FAIRWAY).exists());
}
