//! A deterministic simulator: one seed is one run of the real harbour, regions and pilots' sessions over a
//! simulated clock, network and processes, with faults.
//!
//! `FAIRWAY_SEEDS=N FAIRWAY_FIRST_SEED=K cargo test --release simulate` runs seeds K to K + N − 1.
#![allow(
    missing_docs,
    unreachable_pub,
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::too_many_lines,
    reason = "tests are no library"
)]
#![allow(
    clippy::disallowed_methods,
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    clippy::cast_precision_loss,
    clippy::cast_sign_loss,
    reason = "nor a model"
)]

mod dice;
mod faults;
mod judge;
mod net;
mod world;

use std::io::Write as _;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use dice::Dice;
use fairway::harbour::Request;
use fairway::harbour::answers::PassageState;
use faults::Fault;
use net::S;
use world::{Stage, World};

/// Seeds without `FAIRWAY_SEEDS`.
const SEEDS: u64 = 1_000;
/// Until when everything must have settled after the last fault.
const END: u64 = 36 * S;

/// What one run came to.
struct Outcome {
    faults: u64,
    handoffs: u64,
    violations: Vec<String>,
    story: Vec<String>,
}

fn sail(stage: &Stage, seed: u64) -> Outcome {
    let mut dice = Dice::new(seed).other(3);
    let mut world = World::new(stage, seed);
    let vessels = dice.between(1, 3);
    for _ in 0..vessels {
        world.book(if dice.below(4) == 0 { "first407" } else { "launch" });
    }
    let plan = Fault::plan(&mut dice);
    for (at, fault) in &plan {
        world.run_until(*at);
        fault.strike(&mut world, &mut dice);
    }
    world.run_until(END);
    // Only a clean network's kills, far enough apart that a guard was named: what was lost is bounded.
    let clean = {
        let shared = world.shared.borrow();
        shared.net.weather.lost == 0 && plan.len() == 1 && plan[0].1.is_kill()
    };
    let faults = world.faults.len() as u64;
    let now = world.now();
    for (vessel, crew) in &world.crews {
        if now - crew.last_heard > 3 * S && !crew.session.over() {
            let ago = (now - crew.last_heard) as f64 / S as f64;
            let line = format!("crew of {} has not heard of its vessel for {ago:.1} s", vessel.0);
            world.violations.push(line);
        }
    }
    let ids: Vec<_> = world.crews.keys().copied().collect();
    for id in ids {
        match world.passage(id) {
            Some((PassageState::Sailing | PassageState::Arrived, _)) => {}
            other => world.violations.push(format!("passage of {} is {other:?}", id.0)),
        }
    }
    if let Some(status) = world.status() {
        let spare = i64::from(status.standing_by + status.live + status.booting + status.draining)
            - i64::from(2 * status.groups + 1);
        if spare > 0 {
            world.violations.push(format!("{spare} regions more than are needed"));
        }
    }
    if world.answer(&Request::Stop { reason: None }, 25 * S).is_none() || !world.harbour_is_over() {
        world.violations.push(format!("the stop was not answered; {:?} run on", world.not_ended()));
    }
    judge::judge(stage, &mut world, clean.then_some(2));
    let handoffs = world.shared.borrow().handoffs;
    Outcome {
        faults,
        handoffs,
        violations: std::mem::take(&mut world.violations),
        story: std::mem::take(&mut world.faults),
    }
}

fn number(name: &str, default: u64) -> u64 {
    std::env::var(name)
        .map_or(default, |text| text.parse().unwrap_or_else(|_| panic!("{name}={text} is not a number")))
}

/// Past the test harness, which keeps what a test that passes prints.
fn say(line: &str) {
    let _ = writeln!(std::io::stdout().lock(), "{line}");
}

#[test]
fn simulate_faults() {
    let (seeds, first) = (number("FAIRWAY_SEEDS", SEEDS), number("FAIRWAY_FIRST_SEED", 1));
    let next = AtomicU64::new(0);
    let totals = Mutex::new((0_u64, 0_u64, 0_u64));
    let workers = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        for _ in 0..workers {
            scope.spawn(|| {
                let stage = Stage::new();
                loop {
                    let n = next.fetch_add(1, Ordering::Relaxed);
                    if n >= seeds {
                        return;
                    }
                    let seed = first + n;
                    let outcome = sail(&stage, seed);
                    let mut totals = totals.lock().unwrap();
                    totals.0 += outcome.faults;
                    totals.1 += outcome.handoffs;
                    totals.2 += outcome.violations.len() as u64;
                    if !outcome.violations.is_empty() {
                        say(&format!("seed {seed}: {}", outcome.violations.join("; ")));
                        say(&format!("  faults: {}", outcome.story.join("; ")));
                        say(&format!(
                            "  replay: FAIRWAY_SEEDS=1 FAIRWAY_FIRST_SEED={seed} cargo test --release simulate"
                        ));
                    }
                    let done = n + 1;
                    if done.is_multiple_of(100_000.min(seeds / 4 + 1)) {
                        say(&format!("{done} of {seeds} seeds"));
                    }
                }
            });
        }
    });
    let (faults, handoffs, violations) = *totals.lock().unwrap();
    say(&format!(
        "simulate: {seeds} seeds, {faults} faults injected, {handoffs} handoffs, {violations} violations"
    ));
    assert_eq!(violations, 0, "see the seeds above");
}
