//! The region server: joins regions to the network, the clock and the input log.
//!
//! The one room besides `bin/` that knows several shells; both programs start it. One thread sails; the
//! endpoint's thread and the log's thread meet it through bounded queues.
//!
//! ```text
//! read course ─▶ prepare sea ─▶ open port and log ─▶ first tick ─▶ say ready ─▶ ┌ wait for a message or a tick
//!                                                                               │ hear ─▶ step ─▶ pump ─▶ act
//!                                                                               └──────────── until stopped
//! ```
//!
//! After 'ready' it opens no file.

mod guest;
mod pace;
mod wiring;

use std::ffi::OsString;
use std::io::{Read, Write};
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use crate::atlas::Course;
use crate::clock;
use crate::config::{self, RegionOptions, Request, to_hex};
use crate::init::{self, Board, Guest, Phase};
use crate::limits::REGION_VESSELS;
use crate::metrics;
use crate::net::{Endpoint, EndpointConfig, Identity, authority_key};
use crate::record::Recorder;
use crate::region::{Farewell, Means, Now, Region, RegionConfig};
use crate::sea::Sea;
use crate::units::RegionId;
use crate::vessel::{BoatSpec, boats};
use crate::wire::message::ClockSetting;

use pace::Pace;
use wiring::Wiring;

/// Exit code for bad input.
const BAD_INPUT: u8 = 2;
/// Exit code for what broke while running.
const BROKE: u8 = 3;
/// Above warp 1 ticks are sailed in batches of at least this wall time; a shorter sleep costs more than it gives.
const BATCH: Duration = Duration::from_millis(1);
/// Wall time for which ticks are sailed in one turn of the loop, however many are due: a region that cannot keep up must
/// hear its crews and its harbour all the same.
const TURN: Duration = Duration::from_millis(20);
/// Messages heard in one turn of the loop at most, so that a flood cannot hold up a tick.
const MESSAGES_PER_TURN: usize = 4_096;

/// What drifts with `--adrift`.
const ADRIFT: &str = "first407";

/// That boat. Its file is read as messages are: the reader of boat files, with all that it tells people, would be a
/// fortieth of a program that has no other use for it.
fn adrift() -> Result<BoatSpec, String> {
    let mut file: toml::Table =
        boats::text(ADRIFT).unwrap_or_default().parse().map_err(|error| format!("{ADRIFT}: {error}"))?;
    file.retain(|key, _| !["shell", "crew"].contains(&key));
    let message = rmp_serde::to_vec_named(&file).map_err(|error| error.to_string())?;
    rmp_serde::from_slice(&message).map_err(|error| format!("{ADRIFT}: {error}"))
}

/// Why a region server could not start or go on.
#[derive(Debug, thiserror::Error)]
pub enum ServerError {
    /// The command line, the course, or the port.
    #[error("{0}")]
    Input(String),
    /// Something it needs while it runs.
    #[error("{0}")]
    Broke(String),
}

/// Runs a region server from its arguments (without the program's name) until it is stopped.
///
/// `start` is the moment at which the process began.
#[must_use]
pub fn main(args: impl IntoIterator<Item = OsString>, start: Instant) -> ExitCode {
    // Huge pages would make eight megabytes of a heap of one. The allocator asks for none; a kernel that gives them unasked
    // is told, and one that knows no such switch has none.
    let _ = rustix::thread::disable_transparent_huge_pages(true);
    end_on_panic();
    if let Some(code) = guest::main(start) {
        return code;
    }
    let request = config::parse(args).map_err(|error| ServerError::Input(error.to_string()));
    let result = request.and_then(|request| match request {
        Request::Help => say(config::HELP),
        Request::Version => say(concat!("fairway-region ", env!("CARGO_PKG_VERSION"))),
        Request::Serve(options) => Server::start(*options, start, None).and_then(Server::run),
    });
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let _ = writeln!(std::io::stderr(), "fairway-region: {error}");
            ExitCode::from(if matches!(error, ServerError::Input(_)) { BAD_INPUT } else { BROKE })
        }
    }
}

/// Has a panic in any thread end the process, whatever the build unwinds. It names the vessel that was being sailed: the
/// harbour reads it on the console.
pub fn end_on_panic() {
    let usual = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        usual(panic);
        if let Some(vessel) = crate::sim::sailing() {
            let _ = writeln!(std::io::stderr(), "fairway-region: while sailing vessel {}", vessel.0);
        }
        std::process::abort();
    }));
}

/// Whoever started this process may have stopped listening; that is no reason to end.
fn say(line: &str) -> Result<(), ServerError> {
    let mut out = std::io::stdout();
    let _ = writeln!(out, "{line}").and_then(|()| out.flush());
    Ok(())
}

/// A region server that serves.
struct Server {
    regions: Vec<Region>,
    wiring: Wiring,
    clock: ClockSetting,
    stop: Arc<AtomicBool>,
    /// Where a guest's host reads how it fares.
    board: Option<Arc<Board>>,
}

impl Server {
    /// Reads, opens and prepares everything, sails the first tick, and says so.
    fn start(options: RegionOptions, start: Instant, guest: Option<&Guest>) -> Result<Self, ServerError> {
        // A guest may have been asked to end before it knew what it was to be.
        let stop = guest.map_or_else(Arc::default, |guest| Arc::clone(&guest.stop));
        for signal in [signal_hook::consts::SIGTERM, signal_hook::consts::SIGINT, init::SIGPWR] {
            signal_hook::flag::register(signal, Arc::clone(&stop))
                .map_err(|error| ServerError::Broke(format!("cannot watch for signals: {error}")))?;
        }
        if options.lifeline {
            hold_lifeline()?;
        }
        let course = Course::load(&options.course).map_err(|error| ServerError::Input(error.to_string()))?;
        let course = Arc::new(course);
        let seed = options.seed.unwrap_or(course.seed);
        let sea = Arc::new(Sea::new(Arc::clone(&course), seed));
        let setting = options.clock.unwrap_or_else(|| ClockSetting {
            tick: course.start,
            unix_ns: clock::unix_ns(),
            warp: 1.0,
        });
        let clock = setting;
        let names = region_names(&options, &course.name);
        let identity = Identity::generate().map_err(|error| ServerError::Broke(error.to_string()))?;
        let key = identity.key_hash();
        let endpoint = Endpoint::open(EndpointConfig {
            listen: options.listen,
            identity,
            authority: options.authority.clone(),
            serve: if options.authority.is_some() { names.clone() } else { Vec::new() },
        })
        .map_err(|error| ServerError::Input(error.to_string()))?;
        let recorder = options
            .record
            .as_ref()
            .map(|dir| Recorder::open(dir, &names[0], &course.name, seed))
            .transpose()
            .map_err(|error| ServerError::Input(error.to_string()))?;
        let authority = options
            .authority
            .as_deref()
            .map(authority_key)
            .transpose()
            .map_err(|error| ServerError::Input(format!("--authority: {error}")))?;
        let tick = clock.due(clock::unix_ns());
        let mut regions = Vec::with_capacity(options.cells.len());
        for ((cell, name), id) in options.cells.iter().zip(names).zip(options.id.0..) {
            let area = cell.area(course.cell_m);
            sea.prepare(area.grown(course.cell_m));
            let config = RegionConfig {
                id: RegionId(id),
                name,
                area,
                clock: setting,
                authority: authority.clone(),
                log: recorder.is_some(),
            };
            let mut region = Region::new(config, Arc::clone(&sea), tick);
            region.step();
            if options.adrift > 0 {
                adrift()
                    .and_then(|boat| region.set_adrift(&boat, options.adrift))
                    .map_err(|error| ServerError::Input(format!("--adrift {}: {error}", options.adrift)))?;
            }
            regions.push(region);
        }
        let start_to_tick_us = clock::now().saturating_duration_since(start).as_micros();
        let mut ready = serde_json::json!({
            "ready": true,
            "addr": endpoint.local_addr().to_string(),
            "cells": options.cells.iter().map(|cell| [cell.x, cell.y]).collect::<Vec<_>>(),
            "start_to_tick_us": u64::try_from(start_to_tick_us).unwrap_or(u64::MAX),
            "key": to_hex(&key),
            "region": options.id.0,
        });
        match guest {
            Some(guest) => guest::say_ready(guest, &mut ready)?,
            None => say(&ready.to_string())?,
        }
        let board = guest.map(|guest| Arc::clone(&guest.board));
        Ok(Self { regions, wiring: Wiring::new(endpoint, recorder, options.authority), clock, stop, board })
    }

    fn run(mut self) -> Result<(), ServerError> {
        let mut pace = Pace::new(self.clock.due(clock::unix_ns()));
        self.measured(0.0, 1.0, 1);
        while !self.regions.is_empty() {
            let slowest = self.regions.iter().map(Region::tick).min().unwrap_or_default();
            let clock = self.clock;
            let wait = clock.until(slowest.after(1), self.unix_ns());
            let batch = if self.clock.warp > 1.0 { BATCH } else { Duration::ZERO };
            self.wiring.hear(&mut self.regions, wait.max(batch), MESSAGES_PER_TURN);
            if self.stop.swap(false, Ordering::Relaxed) {
                let now_ns = clock::boot_ns();
                self.regions.iter_mut().for_each(|region| region.drain(now_ns));
                if let Some(board) = &self.board {
                    board.enter(Phase::Draining);
                }
            }
            let began = clock::now();
            let due = clock.due(self.unix_ns());
            let steps = pace.allowed(due);
            let mut sailed = 0;
            while sailed < steps {
                let mut behind = false;
                for region in &mut self.regions {
                    if region.tick() < due {
                        // Read anew for every tick: a process that was stopped in between must notice.
                        region.set_now(now());
                        behind |= region.step();
                    }
                    self.wiring.act(region);
                }
                if !behind {
                    break;
                }
                sailed += 1;
                if clock::now().saturating_duration_since(began) >= TURN {
                    break;
                }
            }
            for region in &mut self.regions {
                self.wiring.pump(region, now());
                self.wiring.act(region);
            }
            self.regions.iter_mut().for_each(say_notes);
            for (region, Farewell { handed, moored, took }) in self.wiring.forget_stopped(&mut self.regions) {
                let (id, took_ms) = (region.0, took.as_millis());
                let _ = writeln!(
                    std::io::stderr(),
                    "fairway-region: region {id} stopped after {took_ms} ms: {handed} vessels handed over, {moored} moored"
                );
            }
            if let Some((load, dilation)) = pace.sailed(sailed, due, began) {
                let vessels = self.regions.iter().map(Region::vessels).sum();
                let hands = pace.hands(load, vessels, metrics::processors(), clock::now());
                self.measured(load, dilation, hands);
            }
        }
        self.wiring.finish().map_err(ServerError::Broke)
    }

    /// Tells the regions, and a guest's host, how it goes, and what there is for them from now on.
    fn measured(&mut self, load: f32, dilation: f32, hands: usize) {
        // A process has its host's memory, a guest its own.
        let more = self.board.as_ref().map(|board| {
            let (aboard, more) = (self.regions.iter().map(Region::vessels).sum(), guest::more_vessels());
            board.measured(aboard, more.saturating_add(aboard), hands, load, dilation);
            more / self.regions.len().max(1)
        });
        for region in &mut self.regions {
            let vessels = more.map_or(REGION_VESSELS, |more| more.saturating_add(region.vessels()));
            region.measured(load, dilation, Means { hands, vessels });
        }
    }

    /// Wall time as the harbour of these regions has it.
    fn unix_ns(&mut self) -> u64 {
        self.regions.iter_mut().for_each(|region| region.set_now(now()));
        self.regions.first().map_or_else(clock::unix_ns, Region::unix_ns)
    }
}

/// Writes what a region has to say to the console.
fn say_notes(region: &mut Region) {
    let id = region.id().0;
    while let Some(note) = region.poll_note() {
        let _ = writeln!(std::io::stderr(), "fairway-region: region {id}: {note}");
    }
}

/// The time, on both clocks that a region goes by.
fn now() -> Now {
    Now { unix_ns: clock::unix_ns(), boot_ns: clock::boot_ns() }
}

/// Each region's server name: `r12.admiralty.fairway`.
fn region_names(options: &RegionOptions, course: &str) -> Vec<String> {
    (0..).take(options.cells.len()).map(|i: u32| format!("r{}.{course}.fairway", options.id.0 + i)).collect()
}

/// Ends this process when standard input ends: its other end dies with whoever must outlive us.
fn hold_lifeline() -> Result<(), ServerError> {
    let watch = || {
        let mut byte = [0_u8; 64];
        while std::io::stdin().read(&mut byte).is_ok_and(|count| count > 0) {}
        std::process::exit(0);
    };
    std::thread::Builder::new()
        .name("lifeline".into())
        .stack_size(64 * 1024)
        .spawn(watch)
        .map(|_| ())
        .map_err(|error| ServerError::Broke(format!("cannot watch the lifeline: {error}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_drifts_is_the_boat_of_its_file() {
        assert_eq!(adrift().as_ref(), Ok(boats::named(ADRIFT).unwrap()));
    }
}
