//! A vessel whose state brings the region server down: it goes on alone, then ashore, and takes nobody down twice.
//!
//! `cargo test --release --features faults --test quarantine`: the boat that sinks is in no other build.
#![allow(
    missing_docs,
    unreachable_pub,
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "tests are no library"
)]

use std::process::{Command, Stdio};

use fairway::sim::SCUTTLED;
use fairway::vessel::boats;
use serde_json::Value;

#[test]
fn vessel_that_sinks_its_region_goes_on_alone_and_then_ashore() {
    let dir = tempfile::tempdir().unwrap();
    let mut boat = boats::named("launch").unwrap().clone();
    SCUTTLED.clone_into(&mut boat.name);
    let file = dir.path().join("scuttled.toml");
    std::fs::write(&file, toml::to_string(&boat).unwrap()).unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_fairway"))
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .args(["sail", "regions/gullwing", "--vessels", "2", "--boat", "launch", "--boat"])
        .arg(&file)
        .args(["--warp", "2", "--for", "60s", "-o", "json", "--record"])
        .arg(dir.path().join("log"))
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let error = String::from_utf8_lossy(&output.stderr);
    let summary: Value = serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{error}"));
    println!("{summary}");
    let vessel = |boat: &str| {
        summary["vessels"].as_array().unwrap().iter().find(|vessel| vessel["boat"] == boat).unwrap()
    };
    let sunk = vessel(SCUTTLED);
    assert_eq!(sunk["state"], "given_up", "{summary}");
    let reason = sunk["reason"].as_str().unwrap();
    assert!(reason.contains("moored") && reason.contains("state and orders are kept"), "{reason}");
    let other =
        summary["vessels"].as_array().unwrap().iter().find(|vessel| vessel["boat"] != SCUTTLED).unwrap();
    assert_eq!(other["state"], "sailing", "{summary}");
    // Once with another one aboard, once alone.
    assert_eq!(summary["regions_failed"], 2, "{summary}");
    // A replay in this build would sink as well: its record is for a build without the fault.
    assert!(summary["resumed"].as_u64().unwrap() >= 1, "the other one was not sailed on: {summary}");
}
