//! What a crossing, a region's end and a guard cost, as clients see it.
//!
//! `cargo bench --bench crossing` starts harbours with real region servers on loopback, sails launches over borders,
//! kills and drains regions under them, and prints a table beside what is known of peers, then one JSON object a line.
//! It takes about four minutes; `-- --quick` takes less than one, and `-- --only borders` (or `kill`,
//! `drain`, `guard`; may be given several times) measures a part.
//!
//! | metric | what it is |
//! |---|---|
//! | `client_gap_ticks` | most ticks without a new state, beyond one, in a window of two seconds around the first state of a new owner; `away`: in such windows more than three seconds from any crossing |
//! | `client_gap_ms` | the longest silence there, beyond one tick |
//! | `state_age_ms` | of every state in those windows: from when its tick was due until it came |
//! | `helm_latency_ms` | from sending an order until a state comes that felt it, or a later one |
//! | `kill_recovery_s` | from SIGKILL of a region until a client gets the next state, under a higher term |
//! | `kill_ticks_lost` | ticks that the killed region had published and that its vessel goes on without |
//! | `kill_ticks_unpublished` | ticks between the last of the dead owner and the first of the next |
//! | `drain_100_vessels_ms` | from SIGTERM until the region with a hundred vessels has ended |
//! | `drain_100_elsewhere_ms` | until the harbour knows of another owner for each of them |
//! | `guard_us_per_vessel_tick` | processor time of owner and guard together, beyond that of the same regions without a guard |
//! | `guard_bytes_per_vessel_tick` | bytes of `Inputs`, `Shadow` and `Guarded` |
//!
//! `crew` counts who is aboard besides the client at the helm: 0 is a vessel sailed single-handed, which still has a
//! client that steers, because one that nobody steers has no helm latency. Crew have circuits of their own at every
//! region, with the same ticket, and look on; their gaps count as those of the client at the helm do.
//! `lossy` is a relay between clients and regions: 50 ± 20 ms late, out of order, 2 % lost, each way.

mod borders;
mod endings;
mod figures;
mod guards;
mod port;
mod relay;
mod sailors;

use std::time::Duration;

use borders::Size;
use figures::{Figure, PEERS};

/// Parts of the bench, in the order in which they run.
const PARTS: [&str; 4] = ["borders", "kill", "drain", "guard"];

/// How much of everything.
struct Plan {
    borders: Size,
    kills: usize,
    drains: usize,
    guard_s: u64,
    parts: Vec<String>,
}

impl Plan {
    /// Reads the command line; what is wrong with it otherwise.
    fn read(arguments: impl Iterator<Item = String>) -> Result<Self, String> {
        let (mut quick, mut parts) = (false, Vec::new());
        let mut arguments = arguments.peekable();
        while let Some(argument) = arguments.next() {
            match argument.as_str() {
                // Cargo says so to every benchmark.
                "--bench" => {}
                "--quick" => quick = true,
                "--only" => match arguments.next() {
                    Some(part) if PARTS.contains(&part.as_str()) => parts.push(part),
                    other => {
                        return Err(format!("--only {}: name one of {PARTS:?}", other.unwrap_or_default()));
                    }
                },
                other => return Err(format!("{other} is not known: there are --quick and --only PART")),
            }
        }
        if parts.is_empty() {
            parts = PARTS.map(str::to_owned).to_vec();
        }
        let seconds = Duration::from_secs;
        Ok(if quick {
            let borders = Size { vessels: 2, measure: seconds(26) };
            Self { borders, kills: 1, drains: 1, guard_s: 8, parts }
        } else {
            let borders = Size { vessels: 3, measure: seconds(170) };
            Self { borders, kills: 4, drains: 5, guard_s: 60, parts }
        })
    }

    fn measure(&self, part: &str) -> Vec<Figure> {
        match part {
            "borders" => borders::measure(&self.borders),
            "kill" => endings::kill(self.kills),
            "drain" => endings::drain(self.drains),
            _ => guards::measure(self.guard_s),
        }
    }
}

/// Processes that ran or waited for a core in the last minute, on average.
fn load() -> String {
    let text = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    text.split_whitespace().next().unwrap_or("unknown").to_owned()
}

#[expect(clippy::print_stdout, reason = "a benchmark prints its figures")]
fn main() {
    let plan = match Plan::read(std::env::args().skip(1)) {
        Ok(plan) => plan,
        Err(wrong) => {
            eprintln!("crossing: {wrong}");
            std::process::exit(2);
        }
    };
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    println!("{cores} cores, load {} before; peers: {PEERS}", load());
    println!("{}", Figure::heading());
    let mut figures = Vec::new();
    for part in &plan.parts {
        let measured = plan.measure(part);
        for figure in &measured {
            println!("{}", figure.line());
        }
        figures.extend(measured);
    }
    println!("load {} after", load());
    for figure in figures {
        println!("{}", figure.json());
    }
}
