//! What one vessel-tick costs: heavy weather, one core, no network.
//!
//! `cargo bench --bench tick` sails fleets of 1 to 10,000 vessels spread over 20 × 20 cells and prints a
//! table by phase; ships with four times the columns, a start line, and boats that touch have rows of their own.
//! Then come one JSON object a line.

use std::io::Write;
use std::path::Path;
use std::sync::Arc;

use fairway::atlas::Course;
use fairway::limits::CELL_M;
use fairway::noise::{Stream, uniform};
use fairway::sea::Sea;
use fairway::sim::{Phase, Sim, Vessel, Voyage, afloat};
use fairway::units::{Tick, VesselId};
use fairway::vessel::{BoatSpec, Input, boats};
use fairway::{clock, metrics};
use glam::DVec2;

/// Fleets measured.
const FLEETS: [u32; 5] = [1, 10, 100, 1_000, FLEET_MAX];
const FLEET_MAX: u32 = 10_000;
/// A start line: vessels, and the side of the waters that they crowd, metres.
const CROWD: u32 = 60;
const CROWD_SIDE_M: f64 = 150.0;
/// The same boats so near that they lie against each other, metres: one island or a few.
const TOUCHING_SIDE_M: f64 = 64.0;
/// Ships: vessels, how much larger than a launch each is, and the budget.
const SHIPS: u32 = 1_000;
const SHIP: f64 = 5.0;
const SHIP_BUDGET_US: f64 = 4.5;
/// Vessel-ticks in one stretch, and ticks at least.
const VESSEL_TICKS: u64 = 40_000;
const TICKS_MIN: u64 = 10;
/// Stretches; the quietest stands, as what a shared machine does to the others is not ours.
const STRETCHES: usize = 10;
/// Ticks sailed before measuring.
const TICKS_BEFORE: u64 = 60;
/// Side of the waters sailed, metres: 20 cells.
const SIDE_M: f64 = 20.0 * CELL_M;
/// Wind of the climate sailed, m/s: 35 knots.
const WIND_MPS: f64 = 18.0;
const BUDGET_US: f64 = 2.2;
const START: Tick = Tick(1_000_000);

/// One line for machines.
fn emit(out: &mut Vec<String>, name: &str, value: f64, unit: &str, more: &str) {
    out.push(format!(r#"{{"bench":"tick","name":"{name}","value":{value:.4},"unit":"{unit}"{more}}}"#));
}

fn heavy_sea() -> Arc<Sea> {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("regions/admiralty");
    let mut course = Course::load(&dir).expect("the course is part of the repository");
    course.climate.wind_mps = WIND_MPS;
    Arc::new(Sea::new(Arc::new(course), 7))
}

/// A fleet on a jittered grid over waters of a side, so that nobody starts aboard another.
fn fleet(sea: &Arc<Sea>, boat: &BoatSpec, vessels: u32, side_m: f64, wakes: bool) -> Sim {
    let mut sim = Sim::new(Arc::clone(sea), sea.course().prims.clone(), START);
    if !wakes {
        sim = sim.without_wakes();
    }
    let side = f64::from(vessels).sqrt().ceil();
    let middle = sea.course().marks[0].place;
    for n in 0..vessels {
        let draw = |axis: u32| uniform(3, Stream::Trial, [n, axis, 0]);
        let (column, row) = (f64::from(n) % side, (f64::from(n) / side).floor());
        let cell = DVec2::new(column + 0.3 * draw(0), row + 0.3 * draw(1)) / side;
        let place = middle + (cell - DVec2::splat(0.5)) * side_m;
        let state = afloat(sea, boat, place.extend(0.0), std::f64::consts::TAU * draw(2), START);
        let voyage = Voyage::default();
        sim.insert(Vessel {
            id: VesselId(n),
            boat: boat.clone(),
            state,
            voyage,
            trail: Vec::new(),
            company: Vec::new(),
        });
        let mut helm = state.helm;
        (helm.sheet, helm.reef, helm.flat, helm.rudder_rad) = (draw(3), 0.7, 0.7, 0.2 * (draw(4) - 0.5));
        sim.apply(VesselId(n), Input { session: 1, seq: 1, helm });
    }
    sim
}

/// Microseconds per vessel-tick of each phase, in the quietest stretch.
fn measure(
    sea: &Arc<Sea>,
    boat: &BoatSpec,
    vessels: u32,
    side_m: f64,
    wakes: bool,
    hands: usize,
) -> [f64; Phase::ALL.len()] {
    let mut sim = fleet(sea, boat, vessels, side_m, wakes);
    sim.set_hands(hands);
    let ticks = (VESSEL_TICKS / u64::from(vessels)).clamp(TICKS_MIN, 2_000);
    for _ in 0..TICKS_BEFORE {
        sim.step();
    }
    let mut stretch = || {
        let mut spent_us = [0.0; Phase::ALL.len()];
        for _ in 0..ticks {
            for (spent, phase) in spent_us.iter_mut().zip(Phase::ALL) {
                let before = clock::now();
                sim.step_phase(phase);
                *spent += before.elapsed().as_secs_f64() * 1e6;
            }
        }
        #[expect(clippy::cast_precision_loss, reason = "a few thousand ticks")]
        let vessel_ticks = ticks as f64 * f64::from(vessels);
        spent_us.map(|spent| spent / vessel_ticks)
    };
    let total = |spent: &[f64; Phase::ALL.len()]| spent.iter().sum::<f64>();
    let mut best = stretch();
    for _ in 1..STRETCHES {
        let next = stretch();
        if total(&next) < total(&best) {
            best = next;
        }
    }
    best
}

/// Bytes of memory that each vessel of the largest fleet takes once it sails.
fn vessel_bytes(sea: &Arc<Sea>, boat: &BoatSpec) -> f64 {
    let resident = || metrics::resident_bytes(std::process::id()).expect("there is a /proc");
    let sailing = || {
        let mut sim = fleet(sea, boat, FLEET_MAX, SIDE_M, true);
        for _ in 0..TICKS_BEFORE {
            sim.step();
        }
        sim
    };
    // The first makes the sea's patches, and is held, so that the second cannot have its memory.
    let first = sailing();
    let before = resident();
    let second = sailing();
    #[expect(clippy::cast_precision_loss, reason = "some megabytes")]
    let grown = resident().saturating_sub(before) as f64;
    drop((first, second));
    grown / f64::from(FLEET_MAX)
}

/// A line of the table: who, what it costs, its budget if any, by phase, and without wakes.
struct Row<'a> {
    name: &'a str,
    boat: &'a BoatSpec,
    vessels: u32,
    side_m: f64,
    budget_us: Option<f64>,
    hands: usize,
}

impl Row<'_> {
    fn measure(&self, sea: &Arc<Sea>, json: &mut Vec<String>) -> String {
        let Self { name, boat, vessels, side_m, budget_us, hands } = *self;
        let by_phase = measure(sea, boat, vessels, side_m, true, hands);
        let total = by_phase.iter().sum::<f64>();
        let alone: f64 = measure(sea, boat, vessels, side_m, false, hands).iter().sum();
        let mut text = format!("{name:>16} {vessels:>8} {total:>9.3}");
        text += &budget_us.map_or_else(|| format!(" {:>7}", ""), |budget| format!(" {budget:>7}"));
        let of = format!(r#","of":"{name}","vessels":{vessels}"#);
        let budget = budget_us.map_or_else(String::new, |budget| format!(r#","budget":{budget}"#));
        emit(json, "vessel_tick_us", total, "us", &format!("{of}{budget}"));
        for (phase, value) in Phase::ALL.iter().zip(by_phase) {
            text += &format!(" {value:>9.3}");
            emit(json, "phase_us", value, "us", &format!(r#"{of},"phase":"{phase:?}""#));
        }
        emit(json, "without_wakes_us", alone, "us", &of);
        text + &format!(" {alone:>11.3}")
    }
}

fn main() {
    let sea = heavy_sea();
    let boat = boats::named("first407").expect("built in");
    let ship = boats::named("launch").expect("built in").scaled(SHIP);
    let mut rows: Vec<Row> = FLEETS
        .iter()
        .map(|&vessels| Row {
            name: "apart",
            boat,
            vessels,
            side_m: SIDE_M,
            budget_us: Some(BUDGET_US),
            hands: 1,
        })
        .collect();
    // What a second processor gives to a region that is late on one.
    let shared =
        Row { name: "by two threads", boat, vessels: 1_000, side_m: SIDE_M, budget_us: None, hands: 2 };
    rows.push(shared);
    rows.push(Row {
        name: "24 x 8 columns",
        boat: &ship,
        vessels: SHIPS,
        side_m: SIDE_M,
        budget_us: Some(SHIP_BUDGET_US),
        hands: 1,
    });
    let crowd = Row {
        name: "on a start line",
        boat,
        vessels: CROWD,
        side_m: CROWD_SIDE_M,
        budget_us: None,
        hands: 1,
    };
    rows.push(Row { ..crowd });
    rows.push(Row { name: "touching", side_m: TOUCHING_SIDE_M, ..crowd });
    let mut json = Vec::new();
    // Before the rest: what that leaves behind would be taken up again.
    let bytes = vessel_bytes(&sea, boat);
    let mut text = format!("{:>16} {:>8} {:>9} {:>7}", "", "vessels", "us/tick", "budget");
    for phase in Phase::ALL {
        text += &format!(" {:>9}", format!("{phase:?}"));
    }
    text += &format!(" {:>11}", "wakes off");
    for row in rows {
        text += "\n";
        text += &row.measure(&sea, &mut json);
    }
    text +=
        &format!("\nmemory: {bytes:.0} bytes for each of {FLEET_MAX} vessels, wakes and islands included");
    emit(&mut json, "vessel_bytes", bytes, "bytes", "");
    let mut out = std::io::stdout().lock();
    // Whoever closed the pipe has seen enough.
    let _ = writeln!(out, "{text}\n{}", json.join("\n"));
}
