//! The harbour as a child of this process: started, stopped, and never left behind.

use std::collections::VecDeque;
use std::io::{BufRead as _, BufReader, PipeReader, PipeWriter, Read as _};
use std::net::SocketAddr;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStderr, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use crossbeam::channel::{Receiver, RecvTimeoutError, bounded};
use fairway::clock;
use fairway::harbour::answers::StatusAnswer;
use fairway::harbour::client::HarbourClient;
use fairway::harbour::process::group_of;
use rustix::process::{Pid, Signal, kill_process_group};
use serde::Deserialize;

use super::chaos::Process;
use crate::engine;
use crate::outcome::Failure;

/// Wall time in which the harbour must be ready: it reads a course and makes two keys.
const READY_PATIENCE: Duration = Duration::from_secs(20);
/// Wall time for a stop that nobody waits for: regions end within their own patience.
const STOP_PATIENCE: Duration = Duration::from_secs(12);
/// Wall time for a stop after an interrupt; with what follows, everything has ended within two seconds.
const INTERRUPT_PATIENCE: Duration = Duration::from_millis(1_000);
/// Wall time that the harbour has to end after its last answer, or after its lifeline was cut.
const END_PATIENCE: Duration = Duration::from_millis(400);
/// Pause between two looks at whether it has ended.
const LOOK: Duration = Duration::from_millis(5);
/// Lines of its console that are kept.
const CONSOLE_LINES: usize = 8;
/// Bytes of its ready line, and of one console line, at most.
const LINE_BYTES: u64 = 4_096;
/// The harbour's exit code for bad input.
const BAD_INPUT: i32 = 2;

/// What the harbour is told on its command line.
#[derive(Clone, Debug)]
pub(crate) struct HarbourOptions {
    pub(crate) course: PathBuf,
    pub(crate) seed: u64,
    pub(crate) start: Option<String>,
    pub(crate) warp: f64,
    pub(crate) port: u16,
    pub(crate) http_port: u16,
    pub(crate) record: Option<PathBuf>,
    pub(crate) engine: engine::Args,
}

/// How the folder's name begins in which a sail's harbour keeps its state; the sail's process follows.
const STATE_PREFIX: &str = "fairway-sail-";

/// Times that a harbour that died is started again before the sail is given up.
const RESTARTS: u32 = 100;

/// The harbour's process. It leads a process group of its own, which its regions share, so that a
/// terminal's interrupt reaches this process alone, and one signal reaches all of them. One that dies is
/// started again on the same state, and finds its regions.
pub(crate) struct HarbourProcess {
    child: Child,
    /// The lifeline's end: closed with this process, however it ends, because children do not inherit it.
    lifeline: Option<PipeWriter>,
    /// Its other end, for a harbour that is started again.
    held: PipeReader,
    console: Arc<Mutex<VecDeque<String>>>,
    console_reader: JoinHandle<()>,
    http: SocketAddr,
    options: HarbourOptions,
    /// Groups of the harbours of this sail: their regions stay in them.
    groups: Vec<u32>,
    restarts: u32,
    /// Removed with its contents at the end.
    state: PathBuf,
}

/// What the harbour prints when it is ready.
#[derive(Deserialize)]
struct ReadyLine {
    http: SocketAddr,
}

impl HarbourProcess {
    /// Starts it and waits until it is ready.
    pub(crate) fn start(options: HarbourOptions, signals: &AtomicBool) -> Result<Self, Failure> {
        let broke = |error: std::io::Error| Failure::Broke(format!("cannot start the harbour: {error}"));
        let (held, lifeline) = std::io::pipe().map_err(broke)?;
        sweep();
        let name = format!("{STATE_PREFIX}{}-{}", std::process::id(), clock::unix_ns());
        let state = std::env::temp_dir().join(name);
        let (child, console, console_reader, ready) = spawn(&options, &held, &state)?;
        let unknown = SocketAddr::from(([127, 0, 0, 1], 0));
        let groups = vec![child.id()];
        let mut harbour = Self {
            child,
            lifeline: Some(lifeline),
            held,
            console,
            console_reader,
            http: unknown,
            options,
            groups,
            restarts: 0,
            state,
        };
        harbour.await_ready(&ready, signals)?;
        // From now on where people and programs know it to be.
        harbour.options.http_port = harbour.http.port();
        Ok(harbour)
    }

    fn await_ready(&mut self, ready: &Receiver<String>, signals: &AtomicBool) -> Result<(), Failure> {
        let until = clock::now() + READY_PATIENCE;
        loop {
            match ready.recv_timeout(LOOK) {
                Ok(line) => {
                    let Ok(line) = serde_json::from_str::<ReadyLine>(&line) else {
                        return Err(self.why_gone("it did not become ready"));
                    };
                    self.http = line.http;
                    return Ok(());
                }
                Err(RecvTimeoutError::Disconnected) => {
                    return Err(self.why_gone("it did not become ready"));
                }
                Err(RecvTimeoutError::Timeout) if signals.load(Ordering::Relaxed) => {
                    self.end_now();
                    return Err(Failure::Interrupted);
                }
                Err(RecvTimeoutError::Timeout) if clock::now() > until => {
                    self.end_now();
                    let seconds = READY_PATIENCE.as_secs();
                    let what = format!("cannot start the harbour: it was not ready after {seconds} s");
                    return Err(Failure::Broke(what));
                }
                Err(RecvTimeoutError::Timeout) => {}
            }
        }
    }

    /// Starts a harbour that died again; false when it runs, or has died too often.
    pub(crate) fn restart_dead(&mut self, signals: &AtomicBool) -> Result<bool, Failure> {
        if self.is_running() || self.restarts >= RESTARTS {
            return Ok(false);
        }
        self.restarts += 1;
        let (child, console, console_reader, ready) = spawn(&self.options, &self.held, &self.state)?;
        self.groups.push(child.id());
        (self.child, self.console, self.console_reader) = (child, console, console_reader);
        self.await_ready(&ready, signals)?;
        Ok(true)
    }

    /// The processes of this sail: the harbour and its regions.
    pub(crate) fn processes(&self) -> Vec<Process> {
        let mut found = Vec::new();
        let pid_of = |id: u32| i32::try_from(id).ok().and_then(Pid::from_raw);
        for entry in std::fs::read_dir("/proc").into_iter().flatten().flatten() {
            let Some(id) = entry.file_name().to_str().and_then(|name| name.parse::<u32>().ok()) else {
                continue;
            };
            let ours = group_of(id).is_some_and(|group| self.groups.contains(&group));
            let Some(pid) = pid_of(id).filter(|_| ours) else { continue };
            if id == self.child.id() {
                found.push(Process { pid, region: None });
                continue;
            }
            let line = std::fs::read(entry.path().join("cmdline")).unwrap_or_default();
            let region = line
                .split(|&byte| byte == 0)
                .find_map(|argument| std::str::from_utf8(argument).ok()?.strip_prefix("--id=")?.parse().ok());
            if region.is_some() {
                found.push(Process { pid, region });
            }
        }
        found.sort_by_key(|process| process.region);
        found
    }

    /// Where it answers.
    pub(crate) const fn http(&self) -> SocketAddr {
        self.http
    }

    /// Whether it has not ended.
    pub(crate) fn is_running(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
    }

    /// Why it is gone, from its console; ends what is left of it.
    pub(crate) fn why_gone(&mut self, noticed: &str) -> Failure {
        let status = wait_for(&mut self.child, END_PATIENCE);
        self.end_now();
        let until = clock::now() + END_PATIENCE;
        while !self.console_reader.is_finished() && clock::now() < until {
            std::thread::sleep(LOOK);
        }
        let lines: Vec<String> =
            self.console.lock().unwrap_or_else(PoisonError::into_inner).iter().cloned().collect();
        let last = lines.last().map_or(noticed, String::as_str);
        let last = last.strip_prefix("fairway: ").unwrap_or(last).to_owned();
        match status {
            Some(status) if status.code() == Some(BAD_INPUT) => Failure::Input(last),
            Some(status) => Failure::Broke(format!("the harbour ended ({status}): {last}")),
            None => Failure::Broke(format!("the harbour does not answer: {noticed}")),
        }
    }

    /// Stops everything and returns the last status; in a hurry, what has not ended by then is killed.
    pub(crate) fn stop(
        &mut self,
        client: &HarbourClient,
        reason: &str,
        hurry: bool,
    ) -> Result<StatusAnswer, Failure> {
        let before = client.status();
        let (answer_in, answer) = bounded(1);
        let (client, reason) = (client.clone(), reason.to_owned());
        std::thread::spawn(move || {
            let _ = answer_in.send(client.stop(&reason));
        });
        let engine = self.options.engine.last_breath();
        let patience = if hurry { INTERRUPT_PATIENCE } else { STOP_PATIENCE + engine };
        let stopped = answer.recv_timeout(patience);
        if stopped.is_ok() {
            wait_for(&mut self.child, END_PATIENCE);
        }
        self.end_now();
        match (stopped, before) {
            (Ok(Ok(status)), _) => Ok(status),
            // Killed before it could say how it went: what was known before must do.
            (_, Ok(status)) if hurry => Ok(status),
            (Ok(Err(error)), _) => Err(Failure::Broke(format!("cannot stop the harbour: {error}"))),
            (Err(_), _) => Err(Failure::Broke("the harbour did not stop in time and was killed".to_owned())),
        }
    }

    /// Cuts the lifeline and, a moment later, kills what is left of the harbour and its regions.
    pub(crate) fn end_now(&mut self) {
        self.lifeline = None;
        wait_for(&mut self.child, END_PATIENCE.max(self.options.engine.last_breath()));
        // A group outlives its leader while a region does; when it is empty, nothing is there to kill.
        for group in self.groups.drain(..) {
            if let Some(group) = i32::try_from(group).ok().and_then(Pid::from_raw) {
                let _ = kill_process_group(group, Signal::KILL);
            }
        }
        let _ = self.child.wait();
        // What it knew is of no use to anybody any more.
        let _ = std::fs::remove_dir_all(&self.state);
    }
}

impl Drop for HarbourProcess {
    fn drop(&mut self) {
        if self.lifeline.is_some() {
            self.end_now();
        }
    }
}

/// Removes what sails that were killed have left behind.
fn sweep() {
    for entry in std::fs::read_dir(std::env::temp_dir()).into_iter().flatten().flatten() {
        let name = entry.file_name();
        let process = name.to_str().and_then(|name| name.strip_prefix(STATE_PREFIX)?.split('-').next());
        let process = process.and_then(|process| process.parse::<u32>().ok());
        if process.is_some_and(|process| !Path::new(&format!("/proc/{process}")).exists()) {
            // Another's, perhaps; or another sail was faster.
            let _ = std::fs::remove_dir_all(entry.path());
        }
    }
}

/// A child, its console, who reads that, and where its ready line comes from.
type Spawned = (Child, Arc<Mutex<VecDeque<String>>>, JoinHandle<()>, Receiver<String>);

fn spawn(options: &HarbourOptions, lifeline: &PipeReader, state: &Path) -> Result<Spawned, Failure> {
    let broke = |error: std::io::Error| Failure::Broke(format!("cannot start the harbour: {error}"));
    let program = std::env::current_exe().map_err(broke)?;
    let stdin = lifeline.try_clone().map_err(broke)?;
    let mut child = command(&program, options, state).stdin(stdin).spawn().map_err(broke)?;
    let console = Arc::new(Mutex::new(VecDeque::new()));
    let (stderr, kept) = (child.stderr.take(), Arc::clone(&console));
    let console_reader = std::thread::spawn(move || {
        if let Some(stderr) = stderr {
            keep_console(stderr, &kept);
        }
    });
    let stdout = child.stdout.take();
    let (ready_in, ready) = bounded(1);
    std::thread::spawn(move || {
        let mut line = String::new();
        if let Some(stdout) = stdout
            && BufReader::new(stdout.take(LINE_BYTES)).read_line(&mut line).is_ok()
        {
            // Nobody waits for it any more only when the harbour is being ended.
            let _ = ready_in.send(line);
        }
    });
    Ok((child, console, console_reader, ready))
}

fn command(program: &Path, options: &HarbourOptions, state: &Path) -> Command {
    let mut command = Command::new(program);
    command
        .arg("harbour")
        .arg(&options.course)
        .arg(format!("--seed={}", options.seed))
        .arg(format!("--warp={}", options.warp))
        .arg(format!("--port={}", options.port))
        .arg("--state")
        .arg(state)
        .arg(format!("--http-port={}", options.http_port))
        .arg("--lifeline");
    if let Some(start) = &options.start {
        command.arg(format!("--start={start}"));
    }
    if let Some(record) = &options.record {
        command.arg("--record").arg(record);
    }
    command.args(options.engine.arguments());
    command.process_group(0).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

fn keep_console(stderr: ChildStderr, kept: &Mutex<VecDeque<String>>) {
    let mut reader = BufReader::new(stderr);
    let mut line = Vec::new();
    loop {
        line.clear();
        match reader.by_ref().take(LINE_BYTES).read_until(b'\n', &mut line) {
            Ok(0) | Err(_) => return,
            Ok(_) => {
                let mut lines = kept.lock().unwrap_or_else(PoisonError::into_inner);
                if lines.len() == CONSOLE_LINES {
                    lines.pop_front();
                }
                lines.push_back(String::from_utf8_lossy(&line).trim_end().to_owned());
            }
        }
    }
}

/// Waits for a child to end; none when it has not in that time.
fn wait_for(child: &mut Child, patience: Duration) -> Option<std::process::ExitStatus> {
    let until = clock::now() + patience;
    loop {
        match child.try_wait() {
            Ok(Some(status)) => return Some(status),
            Ok(None) if clock::now() < until => std::thread::sleep(LOOK),
            Ok(None) | Err(_) => return None,
        }
    }
}

/// Sleeps, but not through a signal.
pub(crate) fn wait(pause: Duration, signals: &AtomicBool) {
    let until = clock::now() + pause;
    while !signals.load(Ordering::Relaxed) {
        let left = until.saturating_duration_since(clock::now());
        if left.is_zero() {
            return;
        }
        std::thread::sleep(left.min(Duration::from_millis(20)));
    }
}
