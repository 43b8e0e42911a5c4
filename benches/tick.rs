//! What one vessel-tick costs: heavy weather, one core, no network.
//!
//! `cargo bench --bench tick` sails fleets of 1 to 10,000 vessels spread over 20 × 20 cells and prints a
//! table by phase, beside the time of the wave sums and the least that such a sum can cost on this machine;
//! then one JSON object a line.

use std::hint::black_box;
use std::io::Write;
use std::path::Path;
use std::sync::Arc;

use fairway::atlas::Course;
use fairway::clock;
use fairway::limits::CELL_M;
use fairway::noise::{Stream, uniform};
use fairway::sea::{Sea, WAVES};
use fairway::sim::{Phase, Sim, Vessel, Voyage, afloat};
use fairway::trig::{LANES, sin_cos_turns_lanes};
use fairway::units::{Tick, VesselId};
use fairway::vessel::hull::COLUMNS;
use fairway::vessel::{Class, Input, boats, rotation, waves};
use glam::DVec2;

/// Fleets measured.
const FLEETS: [u32; 5] = [1, 10, 100, 1_000, 10_000];
/// A start line: vessels, and the side of the waters that they crowd, metres.
const CROWD: u32 = 60;
const CROWD_SIDE_M: f64 = 150.0;
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
fn fleet(sea: &Arc<Sea>, vessels: u32, side_m: f64) -> Sim {
    let boat = boats::named("first407").expect("built in");
    let mut sim = Sim::new(Arc::clone(sea), sea.course().prims.clone(), START);
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
fn measure(sea: &Arc<Sea>, vessels: u32, side_m: f64) -> [f64; Phase::ALL.len()] {
    let mut sim = fleet(sea, vessels, side_m);
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

/// Nanoseconds per point and component of the hull's wave sums.
fn wave_term_ns(sea: &Sea) -> f64 {
    let class = Class::new(boats::named("first407").expect("built in"));
    let water = sea.water(sea.course().marks[0].place, START);
    let axes = rotation::axes(rotation::upright(1.0));
    quietest_ns(&mut || {
        black_box(waves::over_hull(&class.columns, &class.waves, black_box(&axes), black_box(&water.waves)));
    })
}

/// The same of a bare sum of sines over as many points and components: nothing but a multiplication, an
/// addition, a wrap and a sine for each.
fn wave_term_limit_ns() -> f64 {
    const ROUND_TURNS: f32 = 12_582_912.0;
    let step: [f32; WAVES] = std::array::from_fn(|w| 0.01 + 0.002 * f32::from(u8::try_from(w).unwrap_or(0)));
    let place: [f32; COLUMNS] = std::array::from_fn(|c| 0.3 * f32::from(u8::try_from(c).unwrap_or(0)));
    quietest_ns(&mut || {
        let (step, place) = (black_box(&step), black_box(&place));
        let mut sum = [[0.0_f32; LANES]; COLUMNS / LANES];
        for k in step {
            for (block, sum) in sum.iter_mut().enumerate() {
                let turns: [f32; LANES] = std::array::from_fn(|lane| {
                    let turns = k * place[block * LANES + lane];
                    turns - ((turns + ROUND_TURNS) - ROUND_TURNS)
                });
                let (sine, _) = sin_cos_turns_lanes(&turns);
                for (sum, sine) in sum.iter_mut().zip(sine) {
                    *sum += sine;
                }
            }
        }
        black_box(sum);
    })
}

/// Nanoseconds per point and component of one hull's work, in the quietest stretch.
fn quietest_ns(work: &mut dyn FnMut()) -> f64 {
    const ROUNDS: u32 = 6_000;
    #[expect(clippy::cast_precision_loss, reason = "1,536")]
    let terms = (COLUMNS * WAVES) as f64 * f64::from(ROUNDS);
    let mut best = f64::INFINITY;
    for _ in 0..STRETCHES {
        let before = clock::now();
        for _ in 0..ROUNDS {
            work();
        }
        best = best.min(before.elapsed().as_secs_f64() * 1e9 / terms);
    }
    best
}

fn main() {
    let sea = heavy_sea();
    let mut json = Vec::new();
    let mut text = format!("{:>8} {:>9} {:>7}", "vessels", "us/tick", "budget");
    for phase in Phase::ALL {
        text += &format!(" {:>9}", format!("{phase:?}"));
    }
    for vessels in FLEETS {
        let by_phase = measure(&sea, vessels, SIDE_M);
        let total = by_phase.iter().sum::<f64>();
        text += &format!("\n{vessels:>8} {total:>9.3} {BUDGET_US:>7}");
        emit(
            &mut json,
            "vessel_tick_us",
            total,
            "us",
            &format!(r#","vessels":{vessels},"budget":{BUDGET_US}"#),
        );
        for (phase, value) in Phase::ALL.iter().zip(by_phase) {
            text += &format!(" {value:>9.3}");
            emit(&mut json, "phase_us", value, "us", &format!(r#","vessels":{vessels},"phase":"{phase:?}""#));
        }
    }
    let crowd = measure(&sea, CROWD, CROWD_SIDE_M);
    let total = crowd.iter().sum::<f64>();
    text += &format!(
        "\n{CROWD} vessels within {CROWD_SIDE_M} m, each in the wakes of the others: {total:.3} us/tick;"
    );
    text += &format!(" water and wakes {:.3}, forces {:.3}", crowd[1], crowd[2]);
    emit(&mut json, "crowd_vessel_tick_us", total, "us", &format!(r#","vessels":{CROWD}"#));
    let (term, limit) = (wave_term_ns(&sea), wave_term_limit_ns());
    text += &format!("\nwave sums: {term:.3} ns per point and component; a bare sine there: {limit:.3} ns");
    emit(&mut json, "wave_term_ns", term, "ns", "");
    emit(&mut json, "wave_term_limit_ns", limit, "ns", "");
    let mut out = std::io::stdout().lock();
    // Whoever closed the pipe has seen enough.
    let _ = writeln!(out, "{text}\n{}", json.join("\n"));
}
