//! What the sea costs: sums of waves over hulls beside what this machine needs for bare sines, and what a
//! vessel asks of the water around it.
//!
//! `cargo bench --bench sea` prints a table, then one JSON object a line.

use std::hint::black_box;
use std::io::Write;
use std::path::Path;
use std::sync::Arc;

use fairway::atlas::Course;
use fairway::clock;
use fairway::noise::{Stream, uniform};
use fairway::sea::{Sea, WAVES};
use fairway::trig::{LANES, sin_cos_turns_lanes};
use fairway::units::Tick;
use fairway::vessel::{Class, boats, rotation, waves};
use fairway::wide::{Work, widest};
use glam::DVec2;

/// Stretches; the quietest stands, as what a shared machine does to the others is not ours.
const STRETCHES: usize = 12;
/// Places at which the water is sampled, and the side of the waters that they lie in, metres: 20 cells.
const PLACES: u32 = 1_000;
const SIDE_M: f64 = 20.0 * fairway::limits::CELL_M;
/// How much larger a ship is than a launch.
const SHIP: f64 = 5.0;
const START: Tick = Tick(1_000_000);

/// Nanoseconds of one round of work, in the quietest stretch.
fn quietest_ns(rounds: u32, work: &mut dyn FnMut()) -> f64 {
    let mut best = f64::INFINITY;
    for _ in 0..STRETCHES {
        let before = clock::now();
        for _ in 0..rounds {
            work();
        }
        best = best.min(before.elapsed().as_secs_f64() * 1e9 / f64::from(rounds));
    }
    best
}

/// A bare sum of sines over as many points and components: nothing but a multiplication, an addition, a wrap and
/// a sine for each, on the same vectors as ours.
struct Sines<'a> {
    step: &'a [f32; WAVES],
    place: &'a [f32],
}

impl Work for Sines<'_> {
    type Result = [f32; LANES];

    #[inline(always)]
    fn run(self) -> [f32; LANES] {
        const ROUND_TURNS: f32 = 12_582_912.0;
        let mut all = [0.0; LANES];
        for block in self.place.chunks_exact(LANES) {
            let mut sum = [0.0_f32; LANES];
            for k in self.step {
                let mut turns = [0.0; LANES];
                for lane in 0..LANES {
                    let of = k * block[lane];
                    turns[lane] = of - ((of + ROUND_TURNS) - ROUND_TURNS);
                }
                let (sine, _) = sin_cos_turns_lanes(&turns);
                for lane in 0..LANES {
                    sum[lane] += sine[lane];
                }
            }
            for lane in 0..LANES {
                all[lane] += sum[lane];
            }
        }
        all
    }
}

/// Nanoseconds per point and component: of our sum over a hull, and of bare sines over as many points.
fn wave_terms_ns(sea: &Sea, class: &Class) -> (f64, f64) {
    let grid = class.columns.grid;
    #[expect(clippy::cast_precision_loss, reason = "some thousands")]
    let terms = (grid.columns() * WAVES) as f64;
    let water = sea.water(sea.course().marks[0].place, START);
    let axes = rotation::axes(rotation::upright(1.0));
    let ours = quietest_ns(4_000, &mut || {
        black_box(waves::over_hull(&class.columns, &class.waves, black_box(&axes), black_box(&water.waves)));
    });
    let step: [f32; WAVES] = std::array::from_fn(|w| 0.01 + 0.002 * f32::from(u8::try_from(w).unwrap_or(0)));
    let place: Vec<f32> =
        (0..grid.columns()).map(|c| 0.3 * f32::from(u8::try_from(c).unwrap_or(0))).collect();
    let bare = quietest_ns(4_000, &mut || {
        black_box(widest(Sines { step: black_box(&step), place: black_box(&place) }));
    });
    (ours / terms, bare / terms)
}

/// Nanoseconds for the water at a place: patches that are there already, and one tick for all.
fn water_ns(sea: &Sea) -> f64 {
    let middle = sea.course().marks[0].place;
    let draw = |n: u32, axis: u32| uniform(3, Stream::Trial, [n, axis, 0]) - 0.5;
    let places: Vec<DVec2> =
        (0..PLACES).map(|n| middle + DVec2::new(draw(n, 0), draw(n, 1)) * SIDE_M).collect();
    let mut tick = START;
    let round = quietest_ns(4, &mut || {
        for place in &places {
            black_box(sea.water(*place, tick));
        }
        tick = tick.after(1);
    });
    round / f64::from(PLACES)
}

/// Milliseconds for a patch of sea that nobody has asked for.
fn patch_ms(course: &Arc<Course>) -> f64 {
    let place = course.marks[0].place;
    let mut best = f64::INFINITY;
    for _ in 0..STRETCHES {
        let sea = Sea::new(Arc::clone(course), 7);
        let before = clock::now();
        black_box(sea.water(place, START));
        best = best.min(before.elapsed().as_secs_f64() * 1e3);
    }
    best
}

fn main() {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("regions/admiralty");
    let mut course = Course::load(&dir).expect("the course is part of the repository");
    course.climate.wind_mps = 18.0;
    let course = Arc::new(course);
    let sea = Sea::new(Arc::clone(&course), 7);
    let boat = Class::new(boats::named("first407").expect("built in"));
    let ship = Class::new(&boats::named("launch").expect("built in").scaled(SHIP));
    let mut text = String::new();
    let mut json = Vec::new();
    let mut emit = |name: &str, value: f64, unit: &str| {
        json.push(format!(r#"{{"bench":"sea","name":"{name}","value":{value:.4},"unit":"{unit}"}}"#));
    };
    for (name, class) in [("boat", &boat), ("ship", &ship)] {
        let (ours, bare) = wave_terms_ns(&sea, class);
        let (stations, rows) = (class.columns.stations(), class.columns.grid.rows());
        text += &format!(
            "waves over {stations} x {rows} columns: {ours:.3} ns per point and component, bare sines {bare:.3}: {:.2} of them\n",
            ours / bare
        );
        emit(&format!("{name}_wave_term_ns"), ours, "ns");
        emit(&format!("{name}_bare_sine_ns"), bare, "ns");
    }
    let (water, patch) = (water_ns(&sea), patch_ms(&course));
    text += &format!(
        "water at a place: {water:.0} ns; a new patch of 512 m with its first water: {patch:.2} ms\n"
    );
    emit("water_ns", water, "ns");
    emit("patch_ms", patch, "ms");
    let mut out = std::io::stdout().lock();
    // Whoever closed the pipe has seen enough.
    let _ = writeln!(out, "{text}{}", json.join("\n"));
}
