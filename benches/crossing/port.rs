//! The harbour as a child process, its regions, and courses made for them.

use std::io::{BufRead as _, BufReader};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::time::Duration;

use fairway::clock;
use fairway::config::from_hex;
use fairway::harbour::answers::{BookingRequest, PassageAnswer, RegionPhase, StatusAnswer};
use fairway::harbour::client::HarbourClient;
use fairway::pilots::Booking;
use fairway::units::VesselId;
use rustix::process::{Pid, Signal, kill_process, kill_process_group};
use tempfile::TempDir;

/// Longer than anything here takes on a loaded machine.
const PATIENCE: Duration = Duration::from_secs(45);
/// Pause between two looks at how it goes.
const LOOK: Duration = Duration::from_millis(20);
/// Wall time for the harbour to end by itself once its lifeline is cut.
const FAREWELL: Duration = Duration::from_millis(1_500);

/// How a course differs from `regions/gullwing`.
pub(crate) struct Waters {
    /// Side of a cell, metres.
    pub(crate) cell_m: u32,
    /// Ends of the start line, metres east and north; gullwing's own without it.
    pub(crate) line: Option<[[f64; 2]; 2]>,
    /// Heading of vessels before the start, degrees.
    pub(crate) heading_deg: f64,
}

impl Waters {
    /// Prims that a region carries: room for a hundred launches of ten, and to spare.
    const PRIMS: i64 = 4_000;

    /// Writes the course into a folder of its own name.
    pub(crate) fn write(&self, dir: &Path) -> PathBuf {
        let gullwing = Path::new(env!("CARGO_MANIFEST_DIR")).join("regions/gullwing");
        let text = std::fs::read_to_string(gullwing.join("course.toml")).expect("gullwing is here");
        let mut course: toml::Table = text.parse().expect("gullwing is TOML");
        course.insert("cell_m".to_owned(), i64::from(self.cell_m).into());
        course.insert("prims_per_region".to_owned(), Self::PRIMS.into());
        if let (Some([port, starboard]), Some(toml::Value::Table(line))) =
            (self.line, course.get_mut("start_line"))
        {
            line.insert("port".to_owned(), port.to_vec().into());
            line.insert("starboard".to_owned(), starboard.to_vec().into());
            line.insert("heading_deg".to_owned(), self.heading_deg.into());
        }
        let folder = dir.join("gullwing");
        std::fs::create_dir_all(&folder).expect("a folder can be made");
        std::fs::write(folder.join("course.toml"), course.to_string()).expect("a file can be written");
        std::fs::copy(gullwing.join("heights.pgm"), folder.join("heights.pgm"))
            .expect("a file can be copied");
        folder
    }
}

/// A harbour under way. Whatever becomes of this process, its children end: they hang on a lifeline that this
/// process alone holds; dropping the port also ends their process group.
pub(crate) struct Port {
    child: Child,
    lifeline: Option<ChildStdin>,
    pub(crate) client: HarbourClient,
    pub(crate) course: PathBuf,
    pub(crate) record: PathBuf,
    _dir: TempDir,
}

impl Port {
    /// Starts the harbour of a course made for it, at warp 1.
    pub(crate) fn open(waters: &Waters, recorded: bool) -> Self {
        let dir = tempfile::tempdir().expect("a folder can be made");
        let course = waters.write(dir.path());
        let record = dir.path().join("record");
        let mut command = Command::new(env!("CARGO_BIN_EXE_fairway"));
        command.arg("harbour").arg(&course).args(["--warp=1", "--http-port=0", "--lifeline"]);
        if recorded {
            std::fs::create_dir_all(&record).expect("a folder can be made");
            command.arg("--record").arg(&record);
        }
        command.process_group(0).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().expect("the harbour starts");
        let lifeline = child.stdin.take();
        let stdout = child.stdout.take().expect("piped");
        let unknown = std::net::SocketAddr::from(([127, 0, 0, 1], 0));
        let mut port =
            Self { child, lifeline, client: HarbourClient::new(unknown), course, record, _dir: dir };
        let mut line = String::new();
        BufReader::new(stdout).read_line(&mut line).expect("the harbour speaks");
        let ready: serde_json::Value = serde_json::from_str(&line).expect("the ready line is JSON");
        let http = ready["http"].as_str().and_then(|addr| addr.parse().ok()).expect("an address");
        port.client = HarbourClient::new(http);
        port
    }

    /// Books a launch for the holder of a key, and waits until it is in the water.
    pub(crate) fn book(&self, key: &str) -> Booking {
        let request = BookingRequest { boat: "launch".into(), key: key.to_owned(), name: None };
        let mut passage = self.client.book(&request).expect("a passage can be booked");
        let until = clock::now() + PATIENCE;
        while passage.region.is_none() {
            assert!(clock::now() < until, "vessel {} was not launched within {PATIENCE:?}", passage.vessel);
            std::thread::sleep(LOOK);
            passage = self.client.passage(passage.vessel).expect("the harbour answers");
        }
        booking(&passage)
    }

    /// How it goes.
    pub(crate) fn status(&self) -> StatusAnswer {
        self.client.status().expect("the harbour answers")
    }

    /// Waits until it goes as it should.
    pub(crate) fn wait(&self, what: &str, mut done: impl FnMut(&StatusAnswer) -> bool) -> StatusAnswer {
        let until = clock::now() + PATIENCE;
        loop {
            let status = self.status();
            if done(&status) {
                return status;
            }
            assert!(clock::now() < until, "{what} did not happen within {PATIENCE:?}: {}", told(&status));
            std::thread::sleep(LOOK);
        }
    }

    /// Waits until one region has all of so many vessels and another one stands by; returns the first one's
    /// number.
    pub(crate) fn wait_until_together(&self, vessels: usize) -> u32 {
        let mut owner = None;
        self.wait("all vessels in one region with another beside it", |status| {
            owner = status.regions.iter().find(|region| region.vessels.len() == vessels).map(|r| r.id);
            status.regions.iter().any(|region| region.phase == RegionPhase::StandingBy)
                && status.regions.len() == 2
                && owner.is_some()
        });
        owner.expect("it was just found")
    }

    /// The process of a region.
    pub(crate) fn process_of(&self, region: u32) -> Pid {
        let wanted = format!("--id={region}");
        let parent = self.child.id().to_string();
        let entries = std::fs::read_dir("/proc").expect("processes can be listed");
        let found = entries.flatten().find_map(|entry| {
            let pid: i32 = entry.file_name().to_str()?.parse().ok()?;
            let stat = std::fs::read_to_string(entry.path().join("stat")).ok()?;
            // After the name in brackets: state, then the parent.
            let theirs = stat.rsplit_once(')')?.1.split_whitespace().nth(1)? == parent;
            let command = std::fs::read(entry.path().join("cmdline")).ok()?;
            let named = command.split(|&byte| byte == 0).any(|word| word == wanted.as_bytes());
            (theirs && named).then(|| Pid::from_raw(pid)).flatten()
        });
        found.expect("the region runs as a child of its harbour")
    }

    /// Sends a signal to a region's process.
    pub(crate) fn signal(&self, process: Pid, signal: Signal) {
        kill_process(process, signal).expect("the region still runs");
    }
}

impl Drop for Port {
    fn drop(&mut self) {
        self.lifeline = None;
        let until = clock::now() + FAREWELL;
        while matches!(self.child.try_wait(), Ok(None)) && clock::now() < until {
            std::thread::sleep(LOOK);
        }
        // Its regions share its group, which outlives it while one of them does.
        if let Some(group) = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw) {
            let _ = kill_process_group(group, Signal::KILL);
        }
        let _ = self.child.wait();
    }
}

/// A status in one line.
fn told(status: &StatusAnswer) -> String {
    let regions: Vec<String> = status
        .regions
        .iter()
        .map(|region| format!("{} {:?} {:?} {}", region.id, region.cell, region.phase, region.vessels.len()))
        .collect();
    format!("regions {regions:?}, {} afloat, troubles {:?}", status.afloat, status.troubles)
}

/// What a pilot needs to come aboard.
fn booking(passage: &PassageAnswer) -> Booking {
    let region = passage.region.as_ref().expect("it was waited for");
    let bytes = |hex: &Option<String>| {
        from_hex(hex.as_deref().expect("it sails")).expect("the harbour writes hexadecimal digits")
    };
    Booking {
        vessel: VesselId(passage.vessel),
        ticket: bytes(&passage.ticket),
        addr: region.addr,
        name: region.name.clone(),
        authority: Some(bytes(&passage.authority)),
        boat: None,
    }
}
