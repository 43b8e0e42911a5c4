//! The same bits whatever the processor: heavy weather on builds for plain x86-64, x86-64-v3 and x86-64-v4.
#![cfg(target_arch = "x86_64")]
#![allow(
    missing_docs,
    unreachable_pub,
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "tests are no library"
)]

mod hashes;

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Named, so that what runs while the program is built is not built for each kind of processor as well.
const PLATFORM: &str = "x86_64-unknown-linux-gnu";

/// Builds the program for a kind of processor, in place of the last one: what computes as in a release, the rest as cheaply
/// as can be.
fn build(level: &str) -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let target = root.join("target/bits");
    let status = Command::new(env!("CARGO"))
        .current_dir(root)
        .args([
            "build",
            "--quiet",
            "--locked",
            "--profile",
            "bits",
            "--no-default-features",
            "--features",
            "bits",
            "--bin",
            "hashes",
            "--target",
            PLATFORM,
        ])
        .arg("--target-dir")
        .arg(&target)
        .env("RUSTFLAGS", format!("-C target-cpu=x86-64-{level}"))
        .env_remove("CARGO_ENCODED_RUSTFLAGS")
        .status()
        .unwrap_or_else(|error| panic!("cannot run cargo: {error}"));
    assert!(status.success(), "the build for x86-64-{level} failed; its messages are above");
    target.join(PLATFORM).join("bits/hashes")
}

fn say(line: &str) {
    let _ = writeln!(std::io::stdout().lock(), "{line}");
}

/// This build's lines against those of builds for newer processors.
#[test]
fn bits_are_the_same_on_every_kind_of_processor() {
    let require_all = std::env::var_os("FAIRWAY_REQUIRE_ALL").is_some_and(|value| value == "1");
    let v3 = is_x86_feature_detected!("avx2")
        && is_x86_feature_detected!("fma")
        && is_x86_feature_detected!("bmi2")
        && is_x86_feature_detected!("lzcnt")
        && is_x86_feature_detected!("movbe");
    let v4 = v3
        && is_x86_feature_detected!("avx512f")
        && is_x86_feature_detected!("avx512bw")
        && is_x86_feature_detected!("avx512cd")
        && is_x86_feature_detected!("avx512dq")
        && is_x86_feature_detected!("avx512vl");
    if cfg!(target_feature = "avx") {
        say("bits: this build is not for plain x86-64 itself; it is compared all the same");
    }
    let expected = hashes::lines();
    assert!(expected.lines().count() as u64 >= hashes::TICKS * 8);
    for (level, supported) in [("v3", v3), ("v4", v4)] {
        if !supported {
            say(&format!("SKIPPED: this processor cannot run x86-64-{level}; its bits were not compared"));
            // What no machine can install is not asked of it; v3 every server of this decade has.
            assert!(
                !require_all || level == "v4",
                "FAIRWAY_REQUIRE_ALL=1, and this processor cannot run x86-64-{level}"
            );
            continue;
        }
        let output = Command::new(build(level)).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let lines = String::from_utf8(output.stdout).unwrap();
        let first = expected.lines().zip(lines.lines()).find(|(here, there)| here != there);
        assert!(first.is_none(), "x86-64-{level} differs first at (here, there) {first:?}");
        assert_eq!(expected.len(), lines.len(), "x86-64-{level} printed another number of lines");
        say(&format!("bits: {} hashes of x86-64-{level} are those of this build", lines.lines().count()));
    }
}

/// The run is worth comparing: it says the same twice, and hashes change from tick to tick.
#[test]
fn run_that_is_compared_is_repeatable_and_lively() {
    let text = hashes::lines();
    assert_eq!(text, hashes::lines());
    let mut hashes: Vec<&str> = text.lines().filter_map(|line| line.rsplit(' ').next()).collect();
    let all = hashes.len();
    hashes.sort_unstable();
    hashes.dedup();
    assert!(hashes.len() * 100 > all * 99, "{} of {all} hashes differ", hashes.len());
}
