//! The engine that runs region servers as processes of this machine.

use std::collections::{BTreeMap, VecDeque};
use std::io::{BufRead, BufReader, Read};
use std::net::SocketAddr;
use std::os::fd::OwnedFd;
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use crossbeam::channel::{Receiver, Sender, bounded};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};
use serde::Deserialize;

use super::addresses::Addresses;
use super::engine::{Engine, EngineError, EngineEvent, ReadyInfo, RegionSpec};
use super::key_from_hex;
use crate::clock;
use crate::config::to_hex;
use crate::units::RegionId;

/// Lines of a console that are kept: a panic message with its place, and what led to it.
const CONSOLE_LINES: usize = 12;
/// Bytes of one console line that are kept; a longer one is cut.
const CONSOLE_LINE_BYTES: u64 = 400;
/// Bytes of a ready line at most: six short fields.
const READY_BYTES: u64 = 4_096;
/// Ready lines that wait; there is one per start, and starts are far between.
const READY_QUEUE: usize = 1_024;
/// How long the rest of a console is waited for after its process ended.
const CONSOLE_WAIT: Duration = Duration::from_millis(100);

/// The program that is a region server, with the arguments that come before all others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Program {
    /// The file.
    pub path: PathBuf,
    /// The arguments that make it a region server.
    pub arguments: Vec<String>,
}

/// How region servers of this machine are run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProcessConfig {
    /// What to run.
    pub program: Program,
    /// The one UDP port number of all regions.
    pub port: u16,
    /// With whom regions end.
    pub tie: Tie,
}

/// With whom region servers end, besides being told to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tie {
    /// With this process's own supervisor: they share its standard input, whose other end the supervisor holds,
    /// and its process group. They outlive this process.
    Supervisor,
    /// With this process: each gets a lifeline that this process holds, and a process group of its own, so that a
    /// terminal's interrupt reaches this process alone.
    Engine,
    /// With nobody: they outlive this process, to be found again by the next one.
    Nobody,
}

/// Region servers as processes of this machine.
#[derive(Debug)]
pub struct ProcessEngine {
    config: ProcessConfig,
    addresses: Addresses,
    children: BTreeMap<RegionId, Running>,
    ready: (Sender<EngineEvent>, Receiver<EngineEvent>),
}

#[derive(Debug)]
struct Running {
    process: Process,
    addr: Option<SocketAddr>,
    console: Arc<Mutex<VecDeque<String>>>,
    console_reader: Option<std::thread::JoinHandle<()>>,
}

/// A process that this one started, or found.
#[derive(Debug)]
enum Process {
    Child(Child),
    Found(OwnedFd),
}

impl Process {
    /// How it ended, and whether well, once it has.
    fn ended(&mut self) -> Option<(String, bool)> {
        match self {
            Self::Child(child) => {
                child.try_wait().ok().flatten().map(|status| (status.to_string(), status.success()))
            }
            // Readable once the process has ended; only its parent is told how.
            Self::Found(pidfd) => {
                let mut polled = [PollFd::new(pidfd, PollFlags::IN)];
                let ready = poll(&mut polled, Some(&Timespec::default())).unwrap_or(0) > 0;
                ready.then(|| ("ended".to_owned(), true))
            }
        }
    }

    fn kill(&mut self) {
        // It fails only for a process that has ended already.
        match self {
            Self::Child(child) => drop(child.kill()),
            Self::Found(pidfd) => drop(pidfd_send_signal(pidfd, Signal::KILL)),
        }
    }
}

/// The moment at which a process started, in clock ticks since the host's boot: with its number, the process is
/// itself and not a later one of that number.
fn started_at(pid: u32) -> Option<u64> {
    stat_field(pid, 22)
}

/// The process group of a process; none for one that has ended.
#[must_use]
pub fn group_of(pid: u32) -> Option<u32> {
    stat_field(pid, 5)?.try_into().ok()
}

/// A field of `/proc/PID/stat` by its number in proc_pid_stat(5), from 4 on.
fn stat_field(pid: u32, number: usize) -> Option<u64> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The name in brackets, field 2, may hold anything; after it the fields are counted from 3.
    stat.rsplit_once(')')?.1.split_whitespace().nth(number - 3)?.parse().ok()
}

/// The line that a region server prints when it is ready.
#[derive(Deserialize)]
struct ReadyLine {
    ready: bool,
    addr: SocketAddr,
    start_to_tick_us: u64,
    key: String,
}

impl ProcessEngine {
    /// An engine without regions.
    #[must_use]
    pub fn new(config: ProcessConfig) -> Self {
        Self {
            config,
            addresses: Addresses::default(),
            children: BTreeMap::new(),
            ready: bounded(READY_QUEUE),
        }
    }

    fn command(&self, spec: &RegionSpec, listen: SocketAddr) -> Command {
        let mut command = Command::new(&self.config.program.path);
        command
            .args(&self.config.program.arguments)
            .arg("--course")
            .arg(&spec.course)
            .arg(format!("--cell={},{}", spec.cell.x, spec.cell.y))
            .arg(format!("--id={}", spec.id.0))
            .arg(format!("--listen={listen}"))
            .arg(format!("--seed={}", spec.seed))
            .arg(format!("--authority={}", to_hex(&spec.authority)))
            .arg(format!("--clock={},{},{}", spec.clock.tick.0, spec.clock.unix_ns, spec.clock.warp));
        if let Some(record) = &spec.record {
            command.arg("--record").arg(record);
        }
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        match self.config.tie {
            Tie::Supervisor => command.arg("--lifeline").stdin(Stdio::inherit()),
            Tie::Engine => command.arg("--lifeline").stdin(Stdio::piped()).process_group(0),
            Tie::Nobody => command.stdin(Stdio::null()).process_group(0),
        };
        command
    }

    fn ended(&mut self, region: RegionId, how: String, clean: bool) -> EngineEvent {
        let mut console = Vec::new();
        if let Some(running) = self.children.remove(&region) {
            if let Some(addr) = running.addr {
                self.addresses.give_back(addr);
            }
            let patience = clock::now() + CONSOLE_WAIT;
            let unread = || running.console_reader.as_ref().is_some_and(|reader| !reader.is_finished());
            while !clean && unread() && clock::now() < patience {
                std::thread::sleep(Duration::from_millis(1));
            }
            console =
                running.console.lock().unwrap_or_else(PoisonError::into_inner).iter().cloned().collect();
        }
        EngineEvent::Ended { region, how, clean, console }
    }
}

impl Engine for ProcessEngine {
    fn start(&mut self, spec: &RegionSpec) -> Result<(), EngineError> {
        let addr = self
            .addresses
            .take(self.config.port)
            .ok_or_else(|| EngineError("no loopback address is left for another region".to_owned()))?;
        let mut child = self.command(spec, addr).spawn().map_err(|error| {
            self.addresses.give_back(addr);
            EngineError(format!(
                "cannot run the region server {}: {error}; name another one with --region-server",
                self.config.program.path.display()
            ))
        })?;
        let console = Arc::new(Mutex::new(VecDeque::new()));
        let stderr = child.stderr.take();
        let kept = Arc::clone(&console);
        let console_reader = std::thread::spawn(move || {
            if let Some(stderr) = stderr {
                keep_console(stderr, &kept);
            }
        });
        if let Some(stdout) = child.stdout.take() {
            let ready = self.ready.0.clone();
            let region = spec.id;
            let kept = Arc::clone(&console);
            std::thread::spawn(move || await_ready(region, stdout, &ready, &kept));
        }
        let (process, console_reader) = (Process::Child(child), Some(console_reader));
        self.children.insert(spec.id, Running { process, addr: Some(addr), console, console_reader });
        Ok(())
    }

    fn kill(&mut self, region: RegionId) {
        if let Some(running) = self.children.get_mut(&region) {
            running.process.kill();
        }
    }

    fn handle(&self, region: RegionId) -> Option<String> {
        match &self.children.get(&region)?.process {
            Process::Child(child) => Some(format!("{} {}", child.id(), started_at(child.id())?)),
            Process::Found(_) => None,
        }
    }

    fn adopt(&mut self, spec: &RegionSpec, addr: Option<SocketAddr>, handle: &str) -> bool {
        let parts = handle
            .split_once(' ')
            .and_then(|(pid, start)| Some((pid.parse::<u32>().ok()?, start.parse::<u64>().ok()?)));
        let Some((pid, start)) = parts else { return false };
        let process = i32::try_from(pid).ok().and_then(Pid::from_raw);
        let pidfd = process.and_then(|pid| pidfd_open(pid, PidfdFlags::empty()).ok());
        // Looked at after it was opened: from here on the number cannot become another process's.
        let Some(pidfd) = pidfd.filter(|_| started_at(pid) == Some(start)) else { return false };
        if let Some(addr) = addr {
            self.addresses.keep(addr);
        }
        let (process, console) = (Process::Found(pidfd), Arc::default());
        self.children.insert(spec.id, Running { process, addr, console, console_reader: None });
        true
    }

    fn poll(&mut self) -> Option<EngineEvent> {
        if let Ok(event) = self.ready.1.try_recv() {
            return Some(event);
        }
        let (region, (how, clean)) = self
            .children
            .iter_mut()
            .find_map(|(&region, running)| running.process.ended().map(|ended| (region, ended)))?;
        Some(self.ended(region, how, clean))
    }

    fn running(&self) -> Vec<RegionId> {
        self.children.keys().copied().collect()
    }
}

impl Drop for ProcessEngine {
    fn drop(&mut self) {
        for running in self.children.values_mut() {
            running.process.kill();
            if let Process::Child(child) = &mut running.process {
                let _ = child.wait();
            }
        }
    }
}

/// Keeps the last lines of a console until it is closed.
fn keep_console(stream: impl Read, kept: &Mutex<VecDeque<String>>) {
    let mut reader = BufReader::new(stream);
    let mut line = Vec::new();
    loop {
        line.clear();
        match reader.by_ref().take(CONSOLE_LINE_BYTES).read_until(b'\n', &mut line) {
            Ok(0) | Err(_) => return,
            Ok(_) => keep_line(kept, String::from_utf8_lossy(&line).trim_end()),
        }
    }
}

fn keep_line(kept: &Mutex<VecDeque<String>>, line: &str) {
    // The frames of a backtrace are indented; they would push out what was said.
    if line.is_empty() || line.starts_with("  ") {
        return;
    }
    let mut lines = kept.lock().unwrap_or_else(PoisonError::into_inner);
    if lines.len() == CONSOLE_LINES {
        lines.pop_front();
    }
    lines.push_back(line.to_owned());
}

/// Waits for the ready line, then reads on, so that the server never blocks on a full pipe.
fn await_ready(
    region: RegionId,
    stdout: impl Read,
    ready: &Sender<EngineEvent>,
    console: &Mutex<VecDeque<String>>,
) {
    let mut reader = BufReader::new(stdout);
    let mut line = Vec::new();
    if reader.by_ref().take(READY_BYTES).read_until(b'\n', &mut line).is_err() {
        return;
    }
    match read_ready(&line) {
        Ok(info) => {
            // Full only when the harbour has stopped polling; then it also needs no answer.
            let _ = ready.try_send(EngineEvent::Ready { region, info });
        }
        Err(reason) if !line.is_empty() => keep_line(console, &reason),
        Err(_) => {}
    }
    let _ = std::io::copy(&mut reader, &mut std::io::sink());
}

pub(super) fn read_ready(line: &[u8]) -> Result<ReadyInfo, String> {
    let said = || String::from_utf8_lossy(line).trim_end().to_owned();
    let line: ReadyLine = serde_json::from_slice(line)
        .map_err(|error| format!("the region server said {:?} when it should be ready: {error}", said()))?;
    let key = key_from_hex(&line.key)
        .ok_or_else(|| format!("the region server's key {:?} is not 64 hex digits", line.key))?;
    if !line.ready {
        return Err("the region server says that it is not ready".to_owned());
    }
    Ok(ReadyInfo { addr: line.addr, key, start_to_tick_us: line.start_to_tick_us })
}
