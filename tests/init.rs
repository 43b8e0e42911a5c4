//! The region server as PID 1: everything of it that can be tried without Xen, in namespaces of this kernel.
#![allow(
    missing_docs,
    unreachable_pub,
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "tests are no library"
)]
#![allow(clippy::disallowed_methods, reason = "nor a model")]

use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

const REGION: &str = env!("CARGO_BIN_EXE_fairway-region");
/// How long anything may take on a machine that does other things as well.
const PATIENCE: Duration = Duration::from_secs(30);

/// What lays the guest's system and becomes it.
const SCRIPT: &str = include_str!("common/namespace.sh");

struct Guest {
    child: Child,
    lines: Receiver<String>,
    said: Vec<String>,
    dir: tempfile::TempDir,
}

impl Guest {
    /// Boots with these files in `/region`.
    fn boot(files: &[(&str, &str)], course: bool) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let region = dir.path().join("region");
        fs::create_dir_all(region.join("course/gullwing")).unwrap();
        fs::write(dir.path().join("poweroff_cmd"), "").unwrap();
        for (name, text) in files {
            fs::write(region.join(name), text).unwrap();
        }
        if course {
            let from = Path::new(env!("CARGO_MANIFEST_DIR")).join("regions/gullwing");
            for entry in fs::read_dir(from).unwrap().map(Result::unwrap) {
                fs::copy(entry.path(), region.join("course/gullwing").join(entry.file_name())).unwrap();
            }
        }
        let mut child = Command::new("unshare")
            .args(["--pid", "--fork", "--kill-child", "--mount", "--net", "bash", "-c", SCRIPT])
            .env("DIR", dir.path())
            .env("REGION", REGION)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let (sender, lines) = channel();
        let (out, err) = (child.stdout.take().unwrap(), child.stderr.take().unwrap());
        for stream in [Box::new(out) as Box<dyn Read + Send>, Box::new(err)] {
            let sender = sender.clone();
            std::thread::spawn(move || {
                for line in BufReader::new(stream).lines().map_while(Result::ok) {
                    let _ = sender.send(line);
                }
            });
        }
        Self { child, lines, said: Vec::new(), dir }
    }

    /// The next line of its console with something in it.
    fn says(&mut self, part: &str) -> String {
        let until = Instant::now() + PATIENCE;
        while let Ok(line) = self.lines.recv_timeout(until.saturating_duration_since(Instant::now())) {
            println!("{line}");
            self.said.push(line.clone());
            if line.contains(part) {
                return line;
            }
        }
        panic!("the guest never said {part:?}; it said:\n{}", self.said.join("\n"));
    }

    /// PID 1 of its namespace, as this one numbers it.
    fn first(&self) -> u32 {
        let [first] = children(self.child.id())[..] else { panic!("unshare has one child") };
        first
    }

    fn inside(&self, program: &str, arguments: &[&str]) -> String {
        let first = self.first().to_string();
        let entered = ["-t", &first, "-n", "-p", "-m", "--"];
        let output = Command::new("nsenter").args(entered).arg(program).args(arguments).output().unwrap();
        assert!(output.status.success(), "{program}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    fn ends(&mut self) {
        let until = Instant::now() + PATIENCE;
        while self.child.try_wait().unwrap().is_none() {
            assert!(Instant::now() < until, "the guest never ended; it said:\n{}", self.said.join("\n"));
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

impl Drop for Guest {
    fn drop(&mut self) {
        // Takes the namespace with it.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn children(pid: u32) -> Vec<u32> {
    let list = fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).unwrap_or_default();
    list.split_whitespace().map(|number| number.parse().unwrap()).collect()
}

/// Whether namespaces can be had here: root, and the tools.
fn namespaces() -> bool {
    let tried = Command::new("unshare")
        .args([
            "--pid", "--fork", "--mount", "--net", "ip", "link", "add", "eth0", "type", "veth", "peer",
            "name", "x",
        ])
        .output();
    let possible = tried.is_ok_and(|output| output.status.success());
    if !possible {
        assert!(
            std::env::var_os("FAIRWAY_REQUIRE_ALL").is_none(),
            "namespaces need root, unshare, nsenter and ip (apt install util-linux iproute2)"
        );
        println!("SKIPPED: namespaces need root, unshare, nsenter and ip");
    }
    possible
}

const ARGUMENTS: &str = "--course=/region/course/gullwing\n--cell=0,0\n--listen=0.0.0.0:4045";

#[test]
fn guest_comes_up_keeps_house_and_powers_off_when_asked() {
    if !namespaces() {
        return;
    }
    let mut guest = Guest::boot(&[("arguments", ARGUMENTS), ("words", "fairway.ip=10.7.0.1/24")], true);
    let line = guest.says("fairway-region: ready ");
    let ready: serde_json::Value = serde_json::from_str(line.split_once("ready ").unwrap().1).unwrap();
    let ms = |key: &str| ready[key].as_f64().unwrap();
    let took_ms = ms("boottime_first_tick_ms") - ms("boottime_init_ms");
    println!("first line to first tick: {took_ms:.1} ms");
    assert!(took_ms > 0.0 && took_ms < 2_000.0, "{took_ms} ms");
    assert_eq!(ready["cells"], serde_json::json!([[0, 0]]));
    assert_eq!(ready["addr"], "10.7.0.1:4045");
    assert!(ms("mem_available_kib") > 0.0 && ms("mem_total_kib") > ms("mem_available_kib"));
    // The address that it was told, on an interface that is up.
    let address = guest.inside("ip", &["-4", "-o", "addr", "show", "eth0"]);
    assert!(address.contains("10.7.0.1/24"), "{address}");
    assert!(guest.inside("ip", &["-o", "link", "show", "lo"]).contains("UP"));
    assert_eq!(fs::read_to_string(guest.dir.path().join("poweroff_cmd")).unwrap(), "/init poweroff");
    // An orphan became its child, and is reaped when it ends.
    let first = guest.first();
    assert_eq!(children(first).len(), 1, "the orphan");
    let until = Instant::now() + PATIENCE;
    while !children(first).is_empty() {
        assert!(Instant::now() < until, "a zombie was left");
        std::thread::sleep(Duration::from_millis(50));
    }
    // What the kernel runs on `xl shutdown`.
    guest.inside("bash", &["-c", &format!("exec -a /init '{REGION}' poweroff")]);
    guest.says("stopped after");
    guest.ends();
}

#[test]
fn guest_ends_on_a_failing_power_supply() {
    if !namespaces() {
        return;
    }
    let mut guest = Guest::boot(&[("arguments", ARGUMENTS), ("words", "fairway.ip=10.7.0.1/24")], true);
    guest.says("fairway-region: ready ");
    let first = rustix::process::Pid::from_raw(i32::try_from(guest.first()).unwrap()).unwrap();
    rustix::process::kill_process(first, rustix::process::Signal::POWER).unwrap();
    guest.says("stopped after");
    guest.ends();
}

#[test]
fn guest_that_cannot_serve_says_why_and_ends() {
    if !namespaces() {
        return;
    }
    let address = ("words", "fairway.ip=10.7.0.1/24");
    for (files, course, part) in [
        (
            &[("arguments", ARGUMENTS), ("words", "fairway.ip=10.7.0.1")][..],
            true,
            "write it like fairway.ip=10.0.0.1/24",
        ),
        (&[("arguments", ARGUMENTS), address][..], false, "/region/course/gullwing/course.toml"),
        (&[("arguments", "--course=/region/course/gullwing"), address][..], true, "--cell is missing"),
        (&[("arguments", "--help"), address][..], true, "ask for no region"),
        (&[address][..], true, "append what 'fairway image region' makes"),
    ] {
        let mut guest = Guest::boot(files, course);
        guest.says(part);
        guest.ends();
    }
}
