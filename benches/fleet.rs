//! How many pilots one region process carries at 45 Hz on one core, over QUIC.
//!
//! `cargo bench --bench fleet` pins the region server to the first core and the pilots to the second, doubles
//! the fleet until ticks or states are late, and prints a table, then one JSON object a line. Every pilot gets
//! one datagram a tick that holds its own vessel and the nearest others.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

use fairway::metrics;
use fairway::net::{Endpoint, EndpointConfig, Identity};
use fairway::pilots::{Booking, Crew, PilotProgress};
use fairway::units::{TICK_HZ, VesselId};
use fairway::vessel::boats;

const FLEETS: [usize; 10] = [16, 32, 64, 128, 192, 256, 384, 512, 640, 768];
/// Regions that the process serves on its one port; pilots are dealt out among them.
const CELLS: [&str; 4] = ["-4,12", "-4,10", "-6,12", "-6,10"];
const SETTLE: Duration = Duration::from_secs(3);
const MEASURE: Duration = Duration::from_secs(6);
const PATIENCE: Duration = Duration::from_secs(20);
/// Others in one state at most, as the region sends them.
const OTHERS: usize = 6;
/// Ticks over ticks due, and states over states due, below which a fleet does not count as held.
const HELD: f64 = 0.99;

/// What one fleet saw.
struct Run {
    clients: usize,
    tick_ratio: f64,
    state_ratio: f64,
    server_core: f64,
    states_per_tick: f64,
    resident_mib: f64,
}

impl Run {
    fn held(&self) -> bool {
        self.tick_ratio >= HELD && self.state_ratio >= HELD
    }
}

fn pinned(core: &str, program: &str) -> Command {
    let mut command = Command::new("taskset");
    command.args(["-c", core, program]);
    command
}

fn start_region(root: &Path) -> (Child, BufReader<ChildStdout>, String) {
    let mut child = pinned("0", env!("CARGO_BIN_EXE_fairway-region"))
        .current_dir(root)
        .args(["--course", "regions/admiralty", "--listen", "127.0.0.1:0", "--lifeline"])
        .args(CELLS.iter().flat_map(|cell| ["--cell", cell]))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("taskset and the region server start");
    let mut out = BufReader::new(child.stdout.take().expect("piped"));
    let mut line = String::new();
    out.read_line(&mut line).expect("the region server speaks");
    let ready: serde_json::Value = serde_json::from_str(&line).expect("the ready line is JSON");
    let addr = ready["addr"].as_str().expect("an address").to_owned();
    (child, out, addr)
}

fn newest(progress: &[PilotProgress]) -> u64 {
    progress.iter().map(|pilot| pilot.tick.0).max().unwrap_or(0)
}

fn received(crew: &Crew) -> u64 {
    crew.progress().iter().map(|pilot| pilot.states).sum()
}

#[expect(clippy::cast_precision_loss, clippy::disallowed_methods, reason = "a benchmark is its own clock")]
fn run(root: &Path, clients: usize) -> Option<Run> {
    let (mut child, _out, addr) = start_region(root);
    let identity = Identity::generate().expect("a key can be made");
    let endpoint = Endpoint::open(EndpointConfig {
        listen: "127.0.0.1:0".parse().expect("an address"),
        identity,
        authority: None,
        serve: Vec::new(),
    })
    .expect("a port is free");
    let boat = boats::named("first407").expect("a built-in boat").clone();
    let bookings = (0..clients)
        .map(|pilot| Booking {
            vessel: VesselId(0),
            ticket: Vec::new(),
            addr: addr.parse().expect("an address"),
            name: format!("r{}.admiralty.fairway", pilot % CELLS.len()),
            authority: None,
            boat: Some(boat.clone()),
        })
        .collect();
    let began = Instant::now();
    let crew = Crew::start(endpoint, bookings, 1).expect("pilots start");
    let all_aboard = loop {
        let aboard = crew.progress().iter().filter(|pilot| pilot.joined).count();
        if aboard == clients || began.elapsed() > PATIENCE {
            break aboard == clients;
        }
        std::thread::sleep(Duration::from_millis(20));
    };
    std::thread::sleep(SETTLE);
    let (tick, cpu, at) = (newest(&crew.progress()), metrics::cpu_time(child.id()), Instant::now());
    let states = received(&crew);
    std::thread::sleep(MEASURE);
    let (tick_end, cpu_end, wall_s) =
        (newest(&crew.progress()), metrics::cpu_time(child.id()), at.elapsed().as_secs_f64());
    let states = received(&crew) - states;
    let resident = metrics::resident_bytes(child.id()).expect("it runs");
    let _ = crew.finish();
    drop(child.stdin.take());
    let _ = child.wait();
    let due = wall_s * TICK_HZ as f64;
    let ticks = (tick_end - tick) as f64;
    all_aboard.then(|| Run {
        clients,
        tick_ratio: ticks / due,
        state_ratio: states as f64 / (due * clients as f64),
        server_core: (cpu_end.expect("it runs") - cpu.expect("it runs")).as_secs_f64() / wall_s,
        states_per_tick: states as f64 / ticks.max(1.0),
        resident_mib: resident as f64 / f64::from(1 << 20),
    })
}

#[expect(clippy::print_stdout, reason = "a benchmark prints its figures")]
fn main() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    // The pilots share the second core, so that the figure is the server's.
    if std::env::var_os("FAIRWAY_FLEET_PINNED").is_none() {
        let this = std::env::current_exe().expect("this program has a path");
        let status = pinned("1", &this.to_string_lossy())
            .env("FAIRWAY_FLEET_PINNED", "1")
            .status()
            .expect("taskset starts");
        std::process::exit(status.code().unwrap_or(1));
    }
    println!(
        "{:>8} {:>8} {:>10} {:>10} {:>12} {:>12} {:>9}",
        "clients", "seen", "ticks/due", "states/due", "states/tick", "server core", "resident"
    );
    let mut best: Option<Run> = None;
    for clients in FLEETS {
        let Some(run) = run(root, clients) else {
            println!("{clients:>8} not all came aboard within {PATIENCE:?}");
            break;
        };
        println!(
            "{:>8} {:>8} {:>10.3} {:>10.3} {:>12.1} {:>11.0}% {:>5.1} MiB",
            run.clients,
            OTHERS.min(run.clients - 1),
            run.tick_ratio,
            run.state_ratio,
            run.states_per_tick,
            100.0 * run.server_core,
            run.resident_mib
        );
        let held = run.held();
        if held {
            best = Some(run);
        } else {
            break;
        }
    }
    let (clients, seen, datagrams, core) = best.map_or((0, 0, 0.0, 0.0), |run| {
        (run.clients, OTHERS.min(run.clients / CELLS.len() - 1), run.states_per_tick, run.server_core)
    });
    let line = serde_json::json!({
        "bench": "fleet", "name": "clients_at_45hz", "value": clients, "unit": "clients",
        "vessels_seen": seen, "datagrams_per_tick": datagrams, "server_core": core,
    });
    println!("{line}");
}
