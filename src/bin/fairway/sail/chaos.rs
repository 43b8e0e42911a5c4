//! Trouble on purpose: regions and the harbour are killed, stopped and delayed at random, seeded moments.

use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use fairway::clock;
use fairway::noise::{self, Stream};
use rustix::process::{Pid, Signal, kill_process};
use serde::Serialize;

/// Pause between two strokes of bad luck: at least, and at most that much more.
const PAUSE: Duration = Duration::from_millis(2_500);
const PAUSE_MORE_MS: u64 = 3_500;
/// How long a process stands still at most; shorter ones are mere delays.
const STOP_MAX_MS: u64 = 4_000;

/// What was done to whom.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub(crate) struct Strokes {
    pub(crate) seed: u64,
    pub(crate) regions_killed: u32,
    pub(crate) regions_stopped: u32,
    pub(crate) harbour_killed: u32,
    pub(crate) harbour_stopped: u32,
}

/// A process of this sail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Process {
    pub(crate) pid: Pid,
    /// Its region's number; none for the harbour.
    pub(crate) region: Option<u32>,
}

/// Bad luck.
pub(crate) struct Chaos {
    drawn: u32,
    next: Instant,
    /// Those who let others go on again.
    stopped: Vec<JoinHandle<()>>,
    pub(crate) strokes: Strokes,
}

impl Chaos {
    pub(crate) fn new(seed: u64) -> Self {
        let strokes = Strokes { seed, ..Strokes::default() };
        Self { drawn: 0, next: clock::now() + PAUSE, stopped: Vec::new(), strokes }
    }

    fn draw(&mut self, below: u64) -> u64 {
        self.drawn += 1;
        let drawn = noise::draw(self.strokes.seed, Stream::Chaos, [self.drawn, 0, 0]);
        u64::from(drawn[0]) % below.max(1)
    }

    /// Does what is due; returns what it did, in words.
    pub(crate) fn strike(&mut self, processes: &[Process], busy: &[u32]) -> Option<String> {
        let now = clock::now();
        if now < self.next || processes.is_empty() {
            return None;
        }
        self.next = now + PAUSE + Duration::from_millis(self.draw(PAUSE_MORE_MS));
        let kind = self.draw(10);
        let harbour = processes.iter().find(|process| process.region.is_none()).copied();
        let regions: Vec<Process> =
            processes.iter().filter(|process| process.region.is_some()).copied().collect();
        let sailing: Vec<Process> = regions
            .iter()
            .filter(|process| process.region.is_some_and(|region| busy.contains(&region)))
            .copied()
            .collect();
        // Those with vessels are struck more often: there it hurts.
        let from = if sailing.is_empty() || self.draw(4) == 0 { &regions } else { &sailing };
        let index = usize::try_from(self.draw(from.len() as u64)).unwrap_or(0);
        let region = from.get(index).copied();
        let ms = 50 + self.draw(STOP_MAX_MS);
        match (kind, region, harbour) {
            (0..=3, Some(process), _) => {
                self.strokes.regions_killed += 1;
                kill_process(process.pid, Signal::KILL).ok()?;
                Some(format!("killed region {}", process.region.unwrap_or_default()))
            }
            (4..=6, Some(process), _) => {
                self.strokes.regions_stopped += 1;
                self.stop(process.pid, ms)?;
                Some(format!("stopped region {} for {ms} ms", process.region.unwrap_or_default()))
            }
            (7, _, Some(process)) => {
                self.strokes.harbour_killed += 1;
                kill_process(process.pid, Signal::KILL).ok()?;
                Some("killed the harbour".to_owned())
            }
            (_, _, Some(process)) => {
                self.strokes.harbour_stopped += 1;
                self.stop(process.pid, ms)?;
                Some(format!("stopped the harbour for {ms} ms"))
            }
            _ => None,
        }
    }

    /// Stops a process, and has a thread let it go on: this one may be waiting for the very process.
    fn stop(&mut self, pid: Pid, ms: u64) -> Option<()> {
        kill_process(pid, Signal::STOP).ok()?;
        let waiter = std::thread::spawn(move || {
            std::thread::sleep(Duration::from_millis(ms));
            // It may have been ended meanwhile.
            let _ = kill_process(pid, Signal::CONT);
        });
        self.stopped.retain(|waiter| !waiter.is_finished());
        self.stopped.push(waiter);
        Some(())
    }

    /// Waits until everybody goes on.
    pub(crate) fn end(&mut self) -> Strokes {
        for waiter in self.stopped.drain(..) {
            let _ = waiter.join();
        }
        self.strokes
    }
}
