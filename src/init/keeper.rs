//! What goes on beside the region: orphans are reaped, processors and memory brought on line, the host told.

use std::io;
use std::os::fd::{AsFd as _, OwnedFd};
use std::path::Path;
use std::sync::atomic::{AtomicU8, AtomicU32, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{WaitOptions, wait};

use super::{hotplug, say};
use crate::clock;
use crate::xenstore::{Xenstore, XenstoreError};

/// Pause between two rounds at most; events end it at once.
pub(super) const PAUSE: Duration = Duration::from_millis(250);
/// Wall time between two looks at figures; a change of phase is told at once.
const FIGURES: Duration = Duration::from_secs(1);
/// An outage of this length was noticed by whoever waited: a save, a migration, a host that slept.
const OUTAGE_NS: u64 = 200_000_000;

/// What a guest is doing, as its host reads it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// Coming up.
    Booting,
    /// Waits for the arguments of its region.
    Standby,
    /// Serves.
    Ready,
    /// Hands its vessels across.
    Draining,
    /// About to power off.
    Stopped,
}

impl Phase {
    const ALL: [Self; 5] = [Self::Booting, Self::Standby, Self::Ready, Self::Draining, Self::Stopped];

    /// The word in xenstore.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Booting => "booting",
            Self::Standby => "standby",
            Self::Ready => "ready",
            Self::Draining => "draining",
            Self::Stopped => "stopped",
        }
    }
}

/// What the region server says of itself, for the keeper to tell.
#[derive(Debug, Default)]
pub struct Board {
    phase: AtomicU8,
    vessels: AtomicU32,
    room: AtomicU32,
    threads: AtomicU32,
    /// Load, and ticks sailed over ticks due, in thousandths.
    load: AtomicU32,
    pace: AtomicU32,
    ready: OnceLock<String>,
    failure: OnceLock<String>,
}

impl Board {
    /// Says what the guest is doing now.
    pub fn enter(&self, phase: Phase) {
        let number = Phase::ALL.iter().position(|other| *other == phase).unwrap_or(0);
        self.phase.store(u8::try_from(number).unwrap_or(0), Ordering::Relaxed);
    }

    /// Says that it serves, and what, as JSON.
    pub fn is_ready(&self, what: String) {
        // Said once; a guest is one region server.
        let _ = self.ready.set(what);
        self.enter(Phase::Ready);
    }

    /// Says why it cannot serve.
    pub fn failed(&self, why: String) {
        let _ = self.failure.set(why);
    }

    /// Says how many vessels it sails and has room for, by how many threads, the busy share of its time, and ticks sailed
    /// over ticks due.
    pub fn measured(&self, vessels: usize, room: usize, threads: usize, load: f32, pace: f32) {
        for (figure, value) in [(&self.vessels, vessels), (&self.room, room), (&self.threads, threads)] {
            figure.store(u32::try_from(value).unwrap_or(u32::MAX), Ordering::Relaxed);
        }
        for (figure, value) in [(&self.load, load), (&self.pace, pace)] {
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "saturates")]
            figure.store((value.max(0.0) * 1_000.0) as u32, Ordering::Relaxed);
        }
    }

    fn phase(&self) -> Phase {
        Phase::ALL.get(usize::from(self.phase.load(Ordering::Relaxed))).copied().unwrap_or(Phase::Booting)
    }

    /// What xenstore should hold.
    fn entries(&self) -> Vec<(&'static str, String)> {
        let share =
            |figure: &AtomicU32| format!("{:.3}", f64::from(figure.load(Ordering::Relaxed)) / 1_000.0);
        let mut entries = vec![
            ("data/fairway/vessels", self.vessels.load(Ordering::Relaxed).to_string()),
            ("data/fairway/room", self.room.load(Ordering::Relaxed).to_string()),
            ("data/fairway/threads", self.threads.load(Ordering::Relaxed).to_string()),
            ("data/fairway/load", share(&self.load)),
            ("data/fairway/pace", share(&self.pace)),
        ];
        entries.extend(self.ready.get().map(|ready| ("data/fairway/ready", ready.clone())));
        entries.extend(self.failure.get().map(|why| ("data/fairway/error", why.clone())));
        // Last: whoever sees the phase finds the rest.
        entries.push(("data/fairway/state", self.phase().word().to_owned()));
        entries
    }
}

/// The thread that keeps house.
pub(super) struct Keeper {
    board: Arc<Board>,
    events: Option<OwnedFd>,
    store: Option<Xenstore>,
    told: Vec<(&'static str, String)>,
    /// Boot clock less the monotonic one: how long the guest has not run.
    away_ns: u64,
}

impl Keeper {
    /// Starts it; `guest` when there is a xenstore to tell.
    pub(super) fn start(board: Arc<Board>, guest: bool) -> io::Result<()> {
        let events =
            hotplug::listen().map_err(|error| say(&format!("no word of added processors: {error}"))).ok();
        let store = if guest { Xenstore::connect().ok() } else { None };
        let mut keeper = Self { board, events, store, told: Vec::new(), away_ns: away_ns() };
        let builder = std::thread::Builder::new().name("keeper".to_owned()).stack_size(128 * 1024);
        builder.spawn(move || keeper.keep()).map(drop)
    }

    fn keep(&mut self) {
        let mut figures = clock::now();
        loop {
            let fresh = clock::now().saturating_duration_since(figures) >= FIGURES;
            if fresh {
                figures = clock::now();
            }
            self.tell(fresh);
            self.wait();
            // Whoever lost its parent became our child; nobody else waits for it.
            while matches!(wait(WaitOptions::NOHANG), Ok(Some(_))) {}
            if let Some(events) = &self.events {
                for line in hotplug::hear(events, Path::new("/sys")) {
                    say(&line);
                }
            }
            self.notice_outage();
        }
    }

    fn wait(&self) {
        let timeout = Timespec::try_from(PAUSE).unwrap_or_default();
        match &self.events {
            Some(events) => {
                let mut polled = [PollFd::from_borrowed_fd(events.as_fd(), PollFlags::IN)];
                // A signal ends the wait early, which does no harm.
                let _ = poll(&mut polled, Some(&timeout));
            }
            None => std::thread::sleep(PAUSE),
        }
    }

    /// Tells the host what has changed since it was told last; figures only now and then.
    fn tell(&mut self, figures: bool) {
        let Some(store) = &mut self.store else { return };
        let entries = self.board.entries();
        let state = entries.last().cloned();
        let same_state = state.is_some() && self.told.last() == state.as_ref();
        if same_state && !figures {
            return;
        }
        for entry in &entries {
            if self.told.contains(entry) {
                continue;
            }
            if let Err(error) = store.write(entry.0, &entry.1) {
                say(&format!("cannot tell the host: {error}"));
                if matches!(error, XenstoreError::Gone { .. }) {
                    self.store = Xenstore::connect().ok();
                }
                return;
            }
        }
        self.told = entries;
    }

    /// After a restore or a migration the host knows nothing of us any more.
    fn notice_outage(&mut self) {
        let away = away_ns();
        let missed_ns = away.saturating_sub(self.away_ns);
        if missed_ns > OUTAGE_NS {
            self.away_ns = away;
            self.told.clear();
            say(&format!("was away for {} ms", missed_ns / 1_000_000));
        }
    }
}

/// How long this system has not run since it booted, nanoseconds: only the boot clock goes on meanwhile.
fn away_ns() -> u64 {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::Monotonic);
    let whole_s = u64::try_from(time.tv_sec).unwrap_or(0);
    let monotonic_ns =
        whole_s.saturating_mul(1_000_000_000).saturating_add(u64::try_from(time.tv_nsec).unwrap_or(0));
    clock::boot_ns().saturating_sub(monotonic_ns)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn phase_is_told_after_what_belongs_to_it() {
        let board = Board::default();
        assert_eq!(board.entries().last().unwrap().1, "booting");
        board.measured(3, 40, 2, 0.25, 1.0);
        board.is_ready("{}".to_owned());
        let entries = board.entries();
        assert_eq!(entries[0], ("data/fairway/vessels", "3".to_owned()));
        assert_eq!(entries[1], ("data/fairway/room", "40".to_owned()));
        assert_eq!(entries[2], ("data/fairway/threads", "2".to_owned()));
        assert_eq!(entries[3], ("data/fairway/load", "0.250".to_owned()));
        assert_eq!(entries[4], ("data/fairway/pace", "1.000".to_owned()));
        assert_eq!(entries[5], ("data/fairway/ready", "{}".to_owned()));
        assert_eq!(entries[6], ("data/fairway/state", "ready".to_owned()));
    }
}
