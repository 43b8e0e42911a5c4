//! What a region server costs before anyone sails: start, memory, idle CPU, size; and as a guest of Xen.
//!
//! `cargo bench --bench boot` builds the static binary, starts it again and again, and prints a table, then
//! one JSON object a line. `cargo bench --bench boot -- choices` compares the guests' kernel with others instead.

mod choices;

#[path = "../../tests/xen/guest.rs"]
#[allow(
    dead_code,
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "shared with the tests, which use all of it"
)]
mod guest;
mod guests;
#[path = "../../tests/xen/lab.rs"]
#[allow(
    dead_code,
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "shared with the tests, which use all of it"
)]
mod lab;
#[path = "../../tests/xen/stage.rs"]
#[allow(dead_code, clippy::unwrap_used, reason = "shared with the tests, which use all of it")]
mod stage;

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

use fairway::metrics;

const TARGET: &str = "x86_64-unknown-linux-gnu";
const STARTS: usize = 30;
const IDLE: Duration = Duration::from_secs(10);

/// A figure beside its budget.
struct Figure {
    name: &'static str,
    value: f64,
    unit: &'static str,
    budget: Option<f64>,
    detail: String,
}

fn build_static(root: &Path) -> PathBuf {
    let status = Command::new(std::env::var("CARGO").unwrap_or_else(|_| "cargo".into()))
        .current_dir(root)
        .args(["build", "--config", "assets/guest/static.toml", "--profile", "dist", "--quiet"])
        .args(["--no-default-features", "--bin", "fairway-region"])
        .status()
        .expect("cargo can be run");
    assert!(status.success(), "the static region server does not build");
    root.join("target").join(TARGET).join("dist/fairway-region")
}

fn start(binary: &Path, root: &Path) -> (Child, String, BufReader<ChildStdout>) {
    let mut child = Command::new(binary)
        .current_dir(root)
        .args(["--course", "regions/admiralty", "--cell", "0,0", "--listen", "127.0.0.1:0", "--lifeline"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("the region server starts");
    let mut out = BufReader::new(child.stdout.take().expect("piped"));
    let mut line = String::new();
    out.read_line(&mut line).expect("the region server speaks");
    assert!(line.contains("\"ready\":true"), "not ready: {line}");
    (child, line, out)
}

fn stop(mut child: Child) {
    drop(child.stdin.take());
    let _ = child.wait();
}

fn median(values: &mut [f64]) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// Milliseconds from the first line of PID 1 to its first tick, in namespaces of this kernel; none where they cannot
/// be had.
fn as_first(binary: &Path, root: &Path) -> Option<f64> {
    let dir = tempfile::tempdir().expect("a folder can be made");
    let course = dir.path().join("region/course/admiralty");
    std::fs::create_dir_all(&course).expect("a folder can be made");
    for entry in std::fs::read_dir(root.join("regions/admiralty")).expect("it is there").flatten() {
        std::fs::copy(entry.path(), course.join(entry.file_name())).expect("files can be copied");
    }
    let file =
        |name: &str, text: &str| std::fs::write(dir.path().join(name), text).expect("it can be written");
    file("region/arguments", "--course=/region/course/admiralty\n--cell=0,0\n--listen=10.7.0.1:4045");
    file("region/words", "fairway.ip=10.7.0.1/24");
    let mut took_ms = Vec::new();
    for _ in 0..STARTS {
        file("poweroff_cmd", "");
        let mut child = Command::new("unshare")
            .args(["--pid", "--fork", "--kill-child", "--mount", "--net", "bash", "-c"])
            .arg(include_str!("../../tests/common/namespace.sh"))
            .env("DIR", dir.path())
            .env("REGION", binary)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .ok()?;
        let out = BufReader::new(child.stdout.take().expect("piped"));
        let line =
            out.lines().map_while(Result::ok).find_map(|line| Some(line.split_once("ready ")?.1.to_owned()));
        let _ = child.kill();
        let _ = child.wait();
        let ready: serde_json::Value = serde_json::from_str(&line?).expect("the ready line is JSON");
        let at_ms = |key: &str| ready[key].as_f64().expect("a number");
        took_ms.push(at_ms("boottime_first_tick_ms") - at_ms("boottime_init_ms"));
    }
    Some(median(&mut took_ms))
}

#[expect(clippy::cast_precision_loss, reason = "figures for people")]
fn measure(binary: &Path, root: &Path) -> Vec<Figure> {
    let (mut spawned_ms, mut own_ms) = (Vec::new(), Vec::new());
    for _ in 0..STARTS {
        #[expect(clippy::disallowed_methods, reason = "a benchmark is its own clock")]
        let began = Instant::now();
        let (child, line, _out) = start(binary, root);
        spawned_ms.push(began.elapsed().as_secs_f64() * 1e3);
        let ready: serde_json::Value = serde_json::from_str(&line).expect("the ready line is JSON");
        own_ms.push(ready["start_to_tick_us"].as_f64().expect("a number") / 1e3);
        stop(child);
    }
    let (child, _, _out) = start(binary, root);
    std::thread::sleep(Duration::from_secs(2));
    let before = metrics::cpu_time(child.id()).expect("its tasks can be read");
    std::thread::sleep(IDLE);
    let spent = metrics::cpu_time(child.id()).expect("its tasks can be read") - before;
    let resident = metrics::resident_bytes(child.id()).expect("its status can be read");
    stop(child);
    let size = std::fs::metadata(binary).expect("it was built").len();
    let as_first = as_first(binary, root).map(|ms| Figure {
        name: "pid1_to_first_tick_ms",
        value: ms,
        unit: "ms",
        budget: Some(10.0),
        detail: "boot clock, as PID 1 of a namespace: mounts, address, region".into(),
    });
    let mut figures = vec![
        Figure {
            name: "start_to_first_tick_ms",
            value: median(&mut own_ms),
            unit: "ms",
            budget: Some(5.0),
            detail: format!("from main; {:.1} ms from spawn to the ready line read", median(&mut spawned_ms)),
        },
        Figure {
            name: "rss_idle_mib",
            value: resident as f64 / f64::from(1 << 20),
            unit: "MiB",
            budget: Some(8.0),
            detail: "one idle region at 45 Hz".into(),
        },
        Figure {
            name: "cpu_idle_percent",
            value: 100.0 * spent.as_secs_f64() / IDLE.as_secs_f64(),
            unit: "%",
            budget: Some(0.5),
            detail: "of one core, all threads".into(),
        },
        Figure {
            name: "static_binary_mb",
            value: size as f64 / 1e6,
            unit: "MB",
            budget: Some(8.0),
            detail: "profile dist, stripped".into(),
        },
    ];
    figures.extend(as_first);
    figures
}

#[expect(clippy::print_stdout, reason = "a benchmark prints its figures")]
fn main() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let binary = build_static(root);
    if std::env::args().any(|word| word == "choices") {
        choices::measure(root);
        return;
    }
    let mut figures = measure(&binary, root);
    match guests::measure() {
        Some(guests) => figures.extend(guests),
        None => println!("guests of Xen are not measured: there is no lab; make one with tests/xen/setup.sh"),
    }
    println!("{:<28} {:>9} {:>6} {:>9}  note", "figure", "value", "unit", "budget");
    for figure in &figures {
        let Figure { name, value, unit, budget, detail } = figure;
        let budget = budget.map_or_else(String::new, |budget| budget.to_string());
        println!("{name:<28} {value:>9.3} {unit:>6} {budget:>9}  {detail}");
    }
    for Figure { name, value, unit, budget, detail } in figures {
        let line = serde_json::json!({
            "bench": "boot", "name": name, "value": value, "unit": unit, "budget": budget, "note": detail,
        });
        println!("{line}");
    }
}
