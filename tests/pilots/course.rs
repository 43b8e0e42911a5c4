//! The helmsman on real courses, in process: what a region would send him is built from the simulation.

use std::path::Path;
use std::sync::Arc;

use fairway::atlas::{Cell, Course};
use fairway::chart;
use fairway::pilots::Helmsman;
use fairway::sea::Sea;
use fairway::sim::{self, Sim, Vessel, Voyage};
use fairway::units::{Tick, VesselId, knots};
use fairway::vessel::{Input, boats};
use fairway::wire::message::{Epoch, Soundings, State, View};
use glam::{DVec2, DVec3};

/// Ticks between two states that a pilot sees: a region at warp 1 sends each, at high warp fewer.
const STRIDE: u64 = 5;

/// One vessel with its pilot.
pub(crate) struct Sailor {
    pub(crate) id: VesselId,
    pub(crate) pilot: Helmsman,
    cell: Option<Cell>,
    seq: u32,
    pub(crate) track: Vec<(Tick, DVec2)>,
    pub(crate) log: Vec<String>,
    pub(crate) heel_max: f64,
    pub(crate) depth_min: f64,
}

fn view(sim: &Sim, id: VesselId) -> View {
    let (state, boat) = (sim.state(id).unwrap(), sim.boat(id).unwrap());
    #[expect(clippy::cast_possible_truncation)]
    View {
        vessel: id,
        position_m: state.position_m,
        attitude: state.attitude,
        velocity_mps: state.velocity_mps,
        length_m: boat.length_m as f32,
        beam_m: boat.beam_m as f32,
    }
}

fn state_of(sim: &Sim, id: VesselId) -> State {
    let own = view(sim, id);
    let distance = |view: &View| (view.position_m - own.position_m).length();
    let mut others: Vec<View> =
        sim.ids().iter().filter(|&&other| other != id).map(|&other| view(sim, other)).collect();
    others.retain(|other| distance(other) < 600.0);
    others.sort_by(|a, b| distance(a).total_cmp(&distance(b)));
    others.truncate(6);
    State {
        vessel: id,
        epoch: Epoch::default(),
        tick: sim.tick(),
        own,
        instruments: sim.instruments(id).unwrap(),
        session: 1,
        seq: 0,
        marks_passed: sim.voyage(id).unwrap().passed,
        dilation: 1.0,
        others,
    }
}

/// What a region gives its crews: 41 × 41 soundings 32 m apart about the middle of its cell.
#[expect(clippy::cast_possible_truncation)]
fn soundings(sea: &Sea, cell: Cell) -> Soundings {
    let origin = cell.area(sea.course().cell_m).centre() - DVec2::splat(640.0);
    let mut depths_dm = Vec::new();
    for row in 0..41 {
        for column in 0..41 {
            let bed = sea.bed_m(origin + DVec2::new(f64::from(column), f64::from(row)) * 32.0);
            depths_dm.push((-bed * 10.0).clamp(-32_000.0, 32_000.0) as i16);
        }
    }
    Soundings { origin, spacing_m: 32.0, columns: 41, depths_dm }
}

/// A fleet on a course, side by side at the start.
pub(crate) fn fleet(course: &str, boats: &[&str]) -> (Sim, Vec<Sailor>) {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("regions").join(course);
    let course = Arc::new(Course::load(&dir).unwrap());
    let sea = Arc::new(Sea::new(Arc::clone(&course), course.seed));
    let mut sim = Sim::new(Arc::clone(&sea), course.prims.clone(), course.start);
    let mut sailors = Vec::new();
    let line = course.start_line;
    for (n, name) in boats.iter().enumerate() {
        let id = VesselId(u32::try_from(n).unwrap() + 1);
        let boat = boats::named(name).unwrap().clone();
        #[expect(clippy::cast_precision_loss)]
        let share = (n as f64 + 0.5) / boats.len() as f64;
        let place = line.port + (line.starboard - line.port) * share;
        let state =
            sim::afloat(&sea, &boat, DVec3::new(place.x, place.y, 0.0), line.heading_rad, course.start);
        let voyage = Voyage { marks: course.marks.clone(), ..Voyage::default() };
        let pilot = Helmsman::new(&boat, course.marks.clone(), u64::from(id.0));
        sim.insert(Vessel { id, boat, state, voyage, trail: Vec::new(), company: Vec::new() });
        sailors.push(Sailor {
            id,
            pilot,
            cell: None,
            seq: 0,
            track: Vec::new(),
            log: Vec::new(),
            heel_max: 0.0,
            depth_min: f64::INFINITY,
        });
    }
    (sim, sailors)
}

/// Sails until all have finished or the time is up.
pub(crate) fn sail(sim: &mut Sim, sailors: &mut [Sailor], minutes: u64) {
    sail_for(sim, sailors, minutes * 60 * 45);
}

/// The same for a number of ticks.
fn sail_for(sim: &mut Sim, sailors: &mut [Sailor], ticks: u64) {
    let sea = Arc::clone(sim.sea());
    let begin = sim.tick();
    while sim.tick().since(begin) < ticks {
        if sailors.iter().all(|sailor| sim.voyage(sailor.id).unwrap().finished.is_some()) {
            break;
        }
        sim.step();
        if !sim.tick().0.is_multiple_of(STRIDE) {
            continue;
        }
        for sailor in sailors.iter_mut() {
            let state = state_of(sim, sailor.id);
            let place = state.own.position_m.truncate();
            let cell = Cell::of(place, sea.course().cell_m);
            if sailor.cell != Some(cell) {
                sailor.cell = Some(cell);
                sailor.pilot.sound(&soundings(&sea, cell));
            }
            sailor.pilot.see(&state);
            let read = &state.instruments;
            sailor.heel_max = sailor.heel_max.max(f64::from(read.heel_rad).abs());
            sailor.depth_min = sailor.depth_min.min(f64::from(read.under_keel_m));
            if let Some(helm) = sailor.pilot.decide() {
                sailor.seq += 1;
                sim.apply(sailor.id, Input { session: 1, seq: sailor.seq, helm });
            }
            if sim.tick().0.is_multiple_of(45 * 2) && sim.voyage(sailor.id).unwrap().finished.is_none() {
                sailor.track.push((sim.tick(), place));
                let gear = sim.state(sailor.id).unwrap().gear;
                sailor.log.push(format!(
                    "{:5} {:6.0} {:6.0} m{} {:4.1} kn hdg {:3.0} awa {:4.0} aws {:4.1} heel {:3.0} uk {:4.1} | rudder {:4.1} sheet {:.2} reef {:.2} flat {:.2} kite {:.1} thr {:.1} | {}",
                    sim.tick().since(begin) / 45,
                    place.x,
                    place.y,
                    state.marks_passed,
                    knots(f64::from(read.speed_mps)),
                    read.heading_rad.to_degrees(),
                    read.apparent_wind_rad.to_degrees(),
                    knots(f64::from(read.apparent_wind_mps)),
                    read.heel_rad.to_degrees(),
                    read.under_keel_m,
                    gear.rudder_rad.to_degrees(),
                    gear.sheet,
                    gear.reef,
                    gear.flat,
                    gear.spinnaker,
                    gear.throttle,
                    sailor.pilot.describe(),
                ));
            }
        }
    }
}

/// Where `FAIRWAY_PICTURES` names a folder, the tracks are drawn there and the logs written.
pub(crate) fn publish(name: &str, sim: &Sim, sailors: &[Sailor]) {
    let Some(dir) = std::env::var_os("FAIRWAY_PICTURES") else { return };
    let tracks: Vec<chart::Track> = sailors
        .iter()
        .map(|sailor| chart::Track {
            name: format!("{} {}", sim.boat(sailor.id).unwrap().name, sailor.id.0),
            points: sailor.track.clone(),
            finished: sim.voyage(sailor.id).unwrap().finished,
        })
        .collect();
    let dir = Path::new(&dir);
    std::fs::write(
        dir.join(format!("{name}.svg")),
        chart::tracks(sim.sea(), &tracks, &chart::Options::default()),
    )
    .unwrap();
    for sailor in sailors {
        std::fs::write(dir.join(format!("{name}-{}.log", sailor.id.0)), sailor.log.join("\n")).unwrap();
    }
}

/// Sails a fleet to the end and says how each fared.
pub(crate) fn passage(name: &str, course: &str, boats: &[&str], minutes: u64) -> (Sim, Vec<Sailor>) {
    let (mut sim, mut sailors) = fleet(course, boats);
    let begin = sim.tick();
    sail(&mut sim, &mut sailors, minutes);
    publish(name, &sim, &sailors);
    for sailor in &sailors {
        let voyage = sim.voyage(sailor.id).unwrap();
        println!(
            "{name} {}: {} marks, finished after {:?} min, {:.0} m, {} tacks, {} gybes, heel to {:.0}°, {:.1} m under the keel at least",
            sailor.id.0,
            voyage.passed,
            voyage.finished.map(|tick| tick.since(begin) / 45 / 60),
            voyage.ground_m,
            sailor.pilot.tacks(),
            sailor.pilot.gybes(),
            sailor.heel_max.to_degrees(),
            sailor.depth_min
        );
    }
    (sim, sailors)
}

#[test]
fn pilot_sails_gullwing() {
    let (sim, sailors) = passage("gullwing", "gullwing", &["first407"], 90);
    assert!(sim.voyage(sailors[0].id).unwrap().finished.is_some());
    assert!(sailors[0].depth_min > 0.0, "touched the ground");
}

#[test]
fn pilot_sails_admiralty() {
    let (sim, sailors) = passage("admiralty", "admiralty", &["first407"], 240);
    assert!(sim.voyage(sailors[0].id).unwrap().finished.is_some());
    assert!(sailors[0].depth_min > 0.0, "touched the ground");
}

#[test]
fn fleet_keeps_clear_of_itself_round_gullwing() {
    let boats = ["first407"; 6];
    let (mut sim, mut sailors) = fleet("gullwing", &boats);
    let begin = sim.tick();
    let mut nearest = (f64::INFINITY, String::new());
    // Every two seconds of half an hour; those who have arrived drift about the finish and do not count.
    for glance in 0..900 {
        sail_for(&mut sim, &mut sailors, 2 * 45);
        let racing = |sailor: &&Sailor| sim.voyage(sailor.id).unwrap().finished.is_none();
        let racers: Vec<&Sailor> = sailors.iter().filter(racing).collect();
        for (n, a) in racers.iter().enumerate() {
            for b in &racers[n + 1..] {
                let place = |id| sim.state(id).unwrap().position_m.truncate();
                let apart = (place(a.id) - place(b.id)).length();
                if glance > 30 && apart < nearest.0 {
                    nearest = (apart, format!("{} and {} after {} s", a.id.0, b.id.0, 2 * glance));
                }
            }
        }
    }
    publish("fleet", &sim, &sailors);
    for sailor in &sailors {
        let voyage = sim.voyage(sailor.id).unwrap();
        let minutes = voyage.finished.map(|tick| tick.since(begin) / 45 / 60);
        println!(
            "fleet {}: {} marks, {minutes:?} min, heel to {:.0}°",
            sailor.id.0,
            voyage.passed,
            sailor.heel_max.to_degrees()
        );
        assert!(voyage.finished.is_some(), "vessel {} did not finish", sailor.id.0);
        assert!(sailor.depth_min > 0.0, "vessel {} touched the ground", sailor.id.0);
    }
    println!("nearest {:.1} m, {}", nearest.0, nearest.1);
}

#[test]
fn launch_motors_round_gullwing() {
    let (sim, sailors) = passage("launch", "gullwing", &["launch"], 40);
    assert!(sim.voyage(sailors[0].id).unwrap().finished.is_some());
    assert!(sailors[0].depth_min > 0.0, "touched the ground");
}
