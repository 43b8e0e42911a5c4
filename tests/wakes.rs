//! Vessels feel each other's wind shadow and wash, whoever sails them.
#![allow(
    missing_docs,
    unreachable_pub,
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "tests are no library"
)]
#![allow(
    clippy::disallowed_methods,
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    clippy::cast_sign_loss,
    reason = "nor a model"
)]

mod common;

use std::f64::consts::TAU;
use std::path::Path;
use std::sync::Arc;

use common::{calm, wind_from};
use fairway::atlas::Course;
use fairway::noise::{Stream, uniform};
use fairway::sea::Sea;
use fairway::sim::{Sim, Vessel, Voyage, afloat};
use fairway::units::{GRAVITY_MPS2, KNOT_MPS, Tick, VesselId, degrees, radians, wrap_angle};
use fairway::vessel::wake::{self, DELAY_TICKS, PERIOD_TICKS, REACH_M, Train, Wake};
use fairway::vessel::{Class, Gear, Helm, Input, VesselState, at_rest, boats, rotation, trim};
use glam::DVec2;

const START: Tick = Tick(1_000_000);
/// What a crew sets on a close reach in a fresh breeze.
const UPWIND: Helm =
    Helm { rudder_rad: 0.0, sheet: 0.0, reef: 0.9, flat: 0.7, spinnaker: false, throttle: 0.0 };
/// Height of the First 40.7's masthead, metres.
const MAST_M: f64 = 16.0;

/// A day with a steady wind.
fn sea(wind_mps: f64) -> Arc<Sea> {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("regions/admiralty");
    let mut course = Course::load(&dir).unwrap();
    course.climate.wind_mps = wind_mps;
    course.climate.gustiness = 0.0;
    course.climate.shift_rad = 0.0;
    course.climate.shift_share = 0.0;
    Arc::new(Sea::new(Arc::new(course), 42))
}

/// Open water, far from any shore.
fn open_water(sea: &Sea) -> DVec2 {
    let place = sea.course().marks[0].place;
    for n in 0..36 {
        let (s, c) = radians(10.0 * f64::from(n)).sin_cos();
        for r in [0.0, 150.0, 300.0] {
            assert!(sea.bed_m(place + DVec2::new(s, c) * r) < -15.0, "the first mark lies in deep water");
        }
    }
    place
}

fn vessel(id: u32, boat: &str, state: VesselState) -> Vessel {
    let boat = boats::named(boat).unwrap().clone();
    Vessel {
        id: VesselId(id),
        boat,
        state,
        voyage: Voyage::default(),
        trail: Vec::new(),
        company: Vec::new(),
    }
}

/// Puts a vessel in, under way through the water.
fn put(sim: &mut Sim, id: u32, boat: &str, place: DVec2, heading_rad: f64, speed_mps: f64) {
    let spec = boats::named(boat).unwrap();
    let mut state = afloat(sim.sea(), spec, place.extend(0.0), heading_rad, sim.tick());
    let (current, _) = sim.sea().tide(place, sim.tick());
    state.velocity_mps = current.extend(0.0) + rotation::axes(state.attitude).x_axis * speed_mps;
    sim.insert(vessel(id, boat, state));
}

/// Steers a vessel for a heading with its sheets eased to the wind on the dial.
fn steer(sim: &mut Sim, id: u32, heading_rad: f64, helm: Helm) {
    let id = VesselId(id);
    let dials = sim.instruments(id).unwrap();
    let error = wrap_angle(heading_rad - f64::from(dials.heading_rad));
    let helm = Helm {
        rudder_rad: (1.2 * error - 1.0 * f64::from(dials.turn_radps)).clamp(-0.35, 0.35),
        sheet: trim::sheet_for(f64::from(dials.apparent_wind_rad)),
        ..helm
    };
    let seq = sim.state(id).unwrap().seq + 1;
    assert!(sim.apply(id, Input { session: 1, seq, helm }));
}

/// Speed, m/s, heel, degrees, and the apparent wind on the dial, m/s, of vessel 2: means of the last ten
/// seconds of thirty on a close reach, at a distance down the apparent wind of vessel 1, with it or alone.
fn close_reach(sea: &Arc<Sea>, leeward_m: f64, with_other: bool) -> [f64; 3] {
    let place = open_water(sea);
    let wind = sea.mean_wind(place, START);
    let heading = heading_off(wind, 60.0);
    let mut lone = Sim::new(Arc::clone(sea), Vec::new(), START);
    put(&mut lone, 1, "first407", place, heading, 2.5);
    for _ in 0..45 * 60 {
        steer(&mut lone, 1, heading, UPWIND);
        lone.step();
    }
    let first = lone.remove(VesselId(1)).unwrap();
    let air = wind - first.state.velocity_mps.truncate();
    let mut sim = Sim::new(Arc::clone(sea), Vec::new(), lone.tick());
    let mut second = Vessel { id: VesselId(2), ..first.clone() };
    second.state.position_m += (air.normalize() * leeward_m).extend(0.0);
    sim.insert(second);
    if with_other {
        sim.insert(first);
    }
    let mut sums = [0.0; 3];
    for n in 0..45 * 30 {
        for id in sim.ids().to_vec() {
            steer(&mut sim, id.0, heading, UPWIND);
        }
        sim.step();
        if n >= 45 * 20 {
            let dials = sim.instruments(VesselId(2)).unwrap();
            let here = [dials.speed_mps, dials.heel_rad.abs().to_degrees(), dials.apparent_wind_mps];
            for (sum, value) in sums.iter_mut().zip(here) {
                *sum += f64::from(value) / 450.0;
            }
        }
    }
    sums
}

/// The heading on which a wind comes from so many degrees to starboard of the bow.
fn heading_off(wind: DVec2, off_deg: f64) -> f64 {
    let from = f64::atan2(-wind.x, -wind.y);
    (from - radians(off_deg)).rem_euclid(TAU)
}

#[test]
fn boat_to_leeward_is_slowed_and_one_to_windward_is_not() {
    let sea = sea(5.0);
    let mut ratios = [[0.0; 3]; 2];
    for (ratio, leeward_m) in ratios.iter_mut().zip([2.0 * MAST_M, -2.0 * MAST_M]) {
        let alone = close_reach(&sea, leeward_m, false);
        let felt = close_reach(&sea, leeward_m, true);
        for (what, [speed, heel, air]) in [("alone", alone), ("with another", felt)] {
            let speed = speed / KNOT_MPS;
            println!(
                "{leeward_m} m to leeward, {what}: {speed:.2} kn, heel {heel:.1}°, {air:.2} m/s on the dial"
            );
        }
        *ratio = std::array::from_fn(|n| felt[n] / alone[n]);
    }
    let [leeward, windward] = ratios;
    assert!((0.5..0.96).contains(&leeward[0]), "to leeward it makes {} of its speed", leeward[0]);
    assert!(leeward[1] < 0.98, "to leeward it heels {} as much", leeward[1]);
    assert!(leeward[2] < 0.98, "to leeward the dial shows {} of the wind", leeward[2]);
    // Forward of the other's beam and to windward lies neither its shadow nor its wash.
    assert!(windward.iter().all(|ratio| (ratio - 1.0).abs() < 0.005), "to windward {windward:?}");
}

/// The sample of a First 40.7 on a heading at a speed in a wind from north, sheeted for it.
fn sample(heading_deg: f64, speed_mps: f64, wind_mps: f64, spinnaker: f64) -> Wake {
    let class = Class::new(boats::named("first407").unwrap());
    let mut state = at_rest(&class, DVec2::ZERO, 0.0, radians(heading_deg));
    state.velocity_mps = rotation::axes(state.attitude).x_axis * speed_mps;
    let water = calm(wind_from(0.0, wind_mps));
    let apparent = fairway::vessel::forces::apparent_wind(&class, &state, &water).1;
    state.gear = Gear { sheet: trim::sheet_for(apparent), spinnaker, ..state.gear };
    Wake::of(VesselId(1), Tick(11), &class, &state, &water, None)
}

#[test]
fn shadow_of_a_running_boat_is_that_of_wake_theory_and_of_sailors() {
    // 8 m/s of wind, 3.5 m/s of speed: an apparent wind of 4.5 m/s from astern.
    let wake = sample(180.0, 3.5, 8.0, 1.0);
    let deficit = |masts: f64| -wake.shadow_mps(DVec2::new(0.0, -masts * MAST_M), MAST_M).y.abs() / -4.5;
    for masts in [1.0, 2.0, 3.0, 4.0, 6.0, 8.0] {
        println!("{masts} masts to leeward of a spinnaker: {:.0} % less wind", 100.0 * deficit(masts));
    }
    // Sailors: a shadow of four masts in a strong wind, of eight or more in a light one (Dellenbaugh 2004);
    // at eight it must still be felt, and near it must be nearly half.
    assert!((0.3..0.5).contains(&deficit(1.0)), "{}", deficit(1.0));
    assert!((0.2..0.4).contains(&deficit(2.0)), "{}", deficit(2.0));
    assert!((0.05..0.2).contains(&deficit(8.0)), "{}", deficit(8.0));
    // Wakes of turbines: Bastankhah & Porté-Agel (2014), eq. 23, for a disc of the same drag with a thrust
    // coefficient of 0.85 and a growth of 0.04; ours is the mean over the rig and 1/√2 of it in a flat wake.
    let disc_m = (f64::from(wake.drag_m2) / 0.85 * 4.0 / std::f64::consts::PI).sqrt();
    for masts in [5.0, 6.0, 7.0, 8.0] {
        let root = (1.0_f64 - 0.85).sqrt();
        let width = 0.04 * masts * MAST_M / disc_m + 0.2 * (0.5 * (1.0 + root) / root).sqrt();
        let theirs = 1.0 - (1.0 - 0.85 / (8.0 * width * width)).sqrt();
        let ratio = deficit(masts) / theirs;
        println!("{masts} masts: {ratio:.2} of a turbine's");
        assert!((0.6..1.2).contains(&ratio), "{ratio} of a turbine's at {masts} masts");
    }
    // It is narrow, and nothing lies to windward.
    let beside = wake.shadow_mps(DVec2::new(2.0 * MAST_M, -2.0 * MAST_M), MAST_M);
    assert!(beside.length() < 0.05 * 4.5, "{beside}");
    assert_eq!(wake.shadow_mps(DVec2::new(0.0, MAST_M), MAST_M), DVec2::ZERO);
}

#[test]
fn shadow_upwind_turns_the_wind_more_than_it_slows_it() {
    // Close-hauled on starboard tack: the wind comes from 45° to starboard of the bow.
    let wake = sample(-45.0, 3.2, 7.0, 0.0);
    let air = DVec2::new(f64::from(wake.air_mps[0]), f64::from(wake.air_mps[1]));
    let leeward = air.normalize() * (1.5 * MAST_M);
    let felt = air + wake.shadow_mps(leeward, MAST_M);
    let turned = degrees(wrap_angle(f64::atan2(felt.x, felt.y) - f64::atan2(air.x, air.y)));
    let loss = 1.0 - felt.length() / air.length();
    println!("close-hauled, 1.5 masts to leeward: {turned:.1}° and {:.1} % less", 100.0 * loss);
    // Richards, Aubin & Le Pelley (wind tunnel, close-hauled boats at 25° to the apparent wind): the loss of
    // drive behind another comes more from the wind's turn, a header, than from its pressure. On starboard
    // tack a header is a wind that has turned anticlockwise.
    assert!((-12.0..-3.0).contains(&turned), "turned by {turned}°");
    // Drive grows as sin of the angle: at 25° a degree of header costs 3.7 %, a percent of wind 2 %.
    assert!(3.7 * -turned > 2.0 * 100.0 * loss, "{turned}° against {loss}");
    assert!((0.0..0.15).contains(&loss));
}

/// A launch on a course to the north at a speed, in still air, that has long gone so.
fn wash_of(speed_mps: f64) -> Wake {
    let class = Class::new(boats::named("launch").unwrap());
    let mut state = at_rest(&class, DVec2::ZERO, 0.0, 0.0);
    state.velocity_mps.y = speed_mps;
    Wake::of(VesselId(1), Tick(11), &class, &state, &calm(DVec2::ZERO), None)
}

fn trains(wake: &Wake, place: DVec2) -> Vec<Train> {
    let mut trains = Vec::new();
    wake.wash(place, &mut |train| trains.push(train));
    trains
}

fn surface_m(wake: &Wake, place: DVec2) -> f64 {
    trains(wake, place).iter().map(|train| train.amplitude_m * (TAU * train.phase_turns).cos()).sum()
}

#[test]
fn wash_lies_within_kelvins_angle_and_has_his_wavelength() {
    let speed = 3.5;
    let wake = wash_of(speed);
    // On the track: λ = 2π U² / g, crests across it.
    let behind = trains(&wake, DVec2::new(0.0, -40.0));
    let transverse = behind.iter().max_by(|a, b| a.amplitude_m.total_cmp(&b.amplitude_m)).unwrap();
    let length = TAU / transverse.k_radpm.length();
    println!("wavelength {length:.3} m, amplitude {:.3} m", transverse.amplitude_m);
    assert!((length / (TAU * speed * speed / GRAVITY_MPS2) - 1.0).abs() < 1e-6);
    // Along a circle astern: the highest wave of each direction over a wavelength of distance.
    let height = |angle_deg: f64| {
        let (s, c) = radians(angle_deg).sin_cos();
        (0..200)
            .map(|n| 80.0 + 0.05 * f64::from(n))
            .map(|r| surface_m(&wake, DVec2::new(r * s, -r * c)).abs())
            .fold(0.0, f64::max)
    };
    let heights: Vec<f64> = (0..90).map(|n| height(0.5 * f64::from(n))).collect();
    let highest = (0..90).max_by(|a, b| heights[*a].total_cmp(&heights[*b])).unwrap();
    let edge = (highest..90).find(|n| heights[*n] < 0.5 * heights[highest]).unwrap();
    let (highest_deg, edge_deg) = (0.5 * highest as f64, 0.5 * edge as f64);
    println!("highest at {highest_deg}°, half of it at {edge_deg}°; Kelvin's angle is 19.47°");
    // Airy's function has its crest a little within the line and has died a little beyond it.
    assert!((15.0..=19.5).contains(&highest_deg), "{highest_deg}");
    assert!((19.0..=21.5).contains(&edge_deg), "{edge_deg}");
    assert!(heights[50..].iter().all(|height| *height < 0.05 * heights[highest]));
    let count = |angle_deg: f64| {
        let (s, c) = radians(angle_deg).sin_cos();
        trains(&wake, DVec2::new(60.0 * s, -60.0 * c)).len()
    };
    assert_eq!([count(19.4), count(19.6), count(-19.4)], [2, 1, 2], "two trains within 19.47°, one at it");
    assert!(trains(&wake, DVec2::new(5.0, 20.0)).is_empty(), "nothing ahead");
}

#[test]
fn wash_is_as_high_as_kriebel_and_seelig_measured() {
    let length_m = boats::named("launch").unwrap().hull.waterline_m;
    for (speed, y) in [(2.5, 10.0), (3.0, 10.0), (3.5, 10.0), (3.5, 20.0), (3.5, 30.0), (4.0, 20.0)] {
        let wake = wash_of(speed);
        let line = |x: f64| surface_m(&wake, DVec2::new(y, -x));
        let along: Vec<f64> = (0..2_000).map(|n| line(y + 0.06 * f64::from(n))).collect();
        let height =
            along.iter().fold(0.0_f64, |a, b| a.max(*b)) - along.iter().fold(0.0_f64, |a, b| a.min(*b));
        let froude = speed / (GRAVITY_MPS2 * length_m).sqrt();
        let theirs =
            speed * speed / GRAVITY_MPS2 * (froude - 0.1) * (froude - 0.1) * (y / length_m).powf(-1.0 / 3.0);
        println!("{speed} m/s at {y} m: {:.0} mm, theirs {:.0} mm", 1e3 * height, 1e3 * theirs);
        assert!((height / theirs - 1.0).abs() < 0.25, "{height} m, not {theirs} m");
    }
}

#[test]
fn phase_runs_as_the_wave_numbers_say() {
    let wake = wash_of(3.5);
    for (x, y) in [(6.0, -40.0), (-9.0, -40.0), (12.0, -60.0), (25.0, -50.0)] {
        let place = DVec2::new(x, y);
        let there = trains(&wake, place);
        for step in [DVec2::new(1e-4, 0.0), DVec2::new(0.0, 1e-4)] {
            for (a, b) in there.iter().zip(trains(&wake, place + step)) {
                let turns = b.phase_turns - a.phase_turns;
                let turns = turns - turns.round();
                let exact = a.k_radpm.dot(step) / TAU;
                // Beyond the cusp line the train that has died keeps the line's direction only nearly.
                assert!((turns - exact).abs() < 2e-2 * 1e-4 + 1e-7, "at {place}: {turns}, not {exact}");
            }
        }
    }
}

#[test]
fn launch_rocks_the_boats_that_it_passes() {
    let sea = sea(1.0);
    let place = open_water(&sea);
    // Heel and pitch of an idle boat by tick, degrees.
    let rock = |boat: &str, heading_deg: f64, passed: bool| -> Vec<[f64; 2]> {
        let mut sim = Sim::new(Arc::clone(&sea), Vec::new(), START);
        put(&mut sim, 1, boat, place, radians(heading_deg), 0.0);
        if passed {
            put(&mut sim, 2, "launch", place + DVec2::new(15.0, -70.0), 0.0, 3.0);
        }
        let idle = Helm { reef: 0.0, ..Helm::default() };
        assert!(sim.apply(VesselId(1), Input { session: 1, seq: 1, helm: idle }));
        (0..45 * 50)
            .map(|_| {
                if passed {
                    steer(&mut sim, 2, 0.0, Helm { throttle: 0.9, ..Helm::default() });
                }
                sim.step();
                let axes = rotation::axes(sim.state(VesselId(1)).unwrap().attitude);
                [degrees(rotation::heel_rad(&axes)), degrees(rotation::pitch_rad(&axes))]
            })
            .collect()
    };
    for (boat, heading_deg) in [("first407", 0.0), ("launch", 0.0), ("launch", 90.0)] {
        let (alone, passed) = (rock(boat, heading_deg, false), rock(boat, heading_deg, true));
        let most = |axis: usize| {
            alone.iter().zip(&passed).map(|(a, b)| (a[axis] - b[axis]).abs()).fold(0.0, f64::max)
        };
        println!(
            "{boat} on {heading_deg}°: the wash rolls it {:.2}° and pitches it {:.2}°",
            most(0),
            most(1)
        );
        // A wave of 5 m and 10 cm has a slope of 3.6°; a hull of its size feels part of that.
        assert!(most(0).max(most(1)) > 0.3, "{boat} hardly feels the wash");
        assert!(most(0).max(most(1)) < 12.0, "{boat} is thrown about");
    }
}

/// Five vessels within reach of each other, orders that depend on the tick alone.
fn crowd(sim: &mut Sim) {
    let place = open_water(sim.sea());
    let spots = [(0.0, 0.0), (25.0, -30.0), (-40.0, 10.0), (30.0, 45.0), (-20.0, -60.0)];
    for (id, (x, y)) in (1..).zip(spots) {
        let boat = if id == 3 { "launch" } else { "first407" };
        put(sim, id, boat, place + DVec2::new(x, y), 1.0 + 0.05 * f64::from(id), 2.5);
    }
}

fn order(sim: &mut Sim, id: VesselId) {
    let tick = sim.tick().0 - START.0;
    let wave = |n: u32| uniform(5, Stream::Trial, [id.0, (tick / 200) as u32, n]);
    let heading = rotation::heading_rad(&rotation::axes(sim.state(id).unwrap().attitude));
    let helm = Helm {
        rudder_rad: 1.0 + 0.3 * (wave(0) - 0.5) - heading,
        sheet: wave(1),
        throttle: if id.0 == 3 { 0.8 } else { 0.0 },
        ..Helm::default()
    };
    let seq = sim.state(id).unwrap().seq + 1;
    sim.apply(id, Input { session: 1, seq, helm });
}

fn step(sim: &mut Sim) {
    for id in sim.ids().to_vec() {
        order(sim, id);
    }
    sim.step();
}

/// Two simulations that bring each other their samples late, twice and in any order.
struct Two {
    sims: [Sim; 2],
    /// Due tick, for whom, what.
    under_way: Vec<(u64, usize, Wake)>,
    sent: [Tick; 2],
    draws: u32,
}

impl Two {
    fn draw(&mut self) -> f64 {
        self.draws += 1;
        uniform(9, Stream::Trial, [self.draws, 0, 1])
    }

    fn step(&mut self) {
        for n in 0..2 {
            step(&mut self.sims[n]);
        }
        for n in 0..2 {
            let news: Vec<Wake> = self.sims[n].wakes_since(self.sent[n]).copied().collect();
            self.sent[n] = self.sims[n].tick();
            for wake in news {
                for _ in 0..2 {
                    let delay = (self.draw() * (DELAY_TICKS + 1) as f64) as u64;
                    let due = (wake.tick.0 + delay).max(self.sims[n].tick().0);
                    self.under_way.push((due, 1 - n, wake));
                }
            }
        }
        let now = self.sims[0].tick().0;
        while let Some(n) = self.under_way.iter().position(|(due, _, _)| *due <= now) {
            // From either end, so that late ones overtake early ones.
            let (_, to, wake) =
                if self.draw() < 0.5 { self.under_way.swap_remove(n) } else { self.under_way.remove(n) };
            self.sims[to].hear_wake(wake);
        }
    }
}

#[test]
fn two_simulations_have_the_bits_of_one() {
    let sea = sea(8.0);
    let mut one = Sim::new(Arc::clone(&sea), Vec::new(), START);
    crowd(&mut one);
    let mut without = Sim::new(Arc::clone(&sea), Vec::new(), START).without_wakes();
    crowd(&mut without);
    let sims = [(); 2].map(|()| Sim::new(Arc::clone(&sea), Vec::new(), START));
    let mut two = Two { sims, under_way: Vec::new(), sent: [START; 2], draws: 0 };
    for id in 1..=5 {
        let vessel = one.vessel(VesselId(id)).unwrap();
        two.sims[usize::from(id > 2)].insert(vessel);
    }
    let mut moves = 0;
    for n in 1..=45 * 40_u32 {
        step(&mut one);
        step(&mut without);
        two.step();
        // Every now and then a vessel moves, as bytes; its samples may be under way meanwhile.
        if n % 37 == 0 {
            let id = VesselId(1 + n / 37 % 5);
            let from = usize::from(two.sims[0].state(id).is_none());
            let vessel = two.sims[from].remove(id).unwrap();
            let bytes = rmp_serde::to_vec(&vessel).unwrap();
            let moved: Vessel = rmp_serde::from_slice(&bytes).unwrap();
            assert_eq!(moved, vessel);
            two.sims[1 - from].insert(moved);
            moves += 1;
        }
        // Contact has no part in this: it needs one owner.
        let places: Vec<DVec2> =
            (1..=5).map(|id| one.state(VesselId(id)).unwrap().position_m.truncate()).collect();
        for (k, a) in places.iter().enumerate() {
            assert!(places[k + 1..].iter().all(|b| (*a - *b).length() > 16.0), "too near at tick {n}");
        }
        for id in 1..=5 {
            let id = VesselId(id);
            let here = two.sims.iter().find_map(|sim| sim.hash(id));
            assert_eq!(here, one.hash(id), "vessel {} at tick {n}, after {moves} moves", id.0);
        }
    }
    let late: u64 = two.sims.iter().map(Sim::late_wakes).sum();
    let differ = (1..=5).filter(|id| one.hash(VesselId(*id)) != without.hash(VesselId(*id))).count();
    println!("{moves} moves, {late} late; {differ} of 5 vessels felt the others");
    // Who lies ahead and to windward of all feels nothing.
    assert_eq!((late, one.late_wakes()), (0, 0));
    assert!(differ >= 4, "only {differ} vessels felt the others");
}

/// A fleet that is shared among threads, with its wakes and contacts: who sails which vessel is in no bit.
#[test]
fn fleet_sailed_by_many_threads_has_the_bits_of_one() {
    let sea = sea(12.0);
    let place = open_water(&sea);
    let mut sims = [1, 2, 3].map(|hands| {
        let mut sim = Sim::new(Arc::clone(&sea), Vec::new(), START);
        sim.set_hands(hands);
        for id in 0..100_u32 {
            let (x, y) = (f64::from(id % 10), f64::from(id / 10));
            let boat = if id % 7 == 3 { "launch" } else { "first407" };
            put(&mut sim, id, boat, place + DVec2::new(11.0 * x, 15.0 * y), 0.06 * f64::from(id), 2.5);
        }
        sim
    });
    let start = sims[0].hash(VesselId(0));
    for n in 1..=45 * 10_u32 {
        // Threads come and go with processors.
        sims[2].set_hands(3 - (n / 45 % 3) as usize);
        sims.iter_mut().for_each(step);
        for &id in sims[0].ids() {
            let hashes = sims.each_ref().map(|sim| sim.hash(id));
            assert!(hashes[1] == hashes[0] && hashes[2] == hashes[0], "vessel {} at tick {n}", id.0);
        }
    }
    assert_ne!(sims[0].hash(VesselId(0)), start);
}

#[test]
fn vessel_far_from_all_others_sails_as_alone() {
    let sea = sea(8.0);
    let place = open_water(&sea);
    let run = |others: bool| {
        let mut sim = Sim::new(Arc::clone(&sea), Vec::new(), START);
        put(&mut sim, 9, "first407", place + DVec2::new(-2.0 * REACH_M, 0.0), 1.0, 2.5);
        if others {
            crowd(&mut sim);
        }
        for _ in 0..45 * 10 {
            step(&mut sim);
        }
        sim.hash(VesselId(9)).unwrap()
    };
    assert_eq!(run(false), run(true));
}

#[test]
fn late_sample_is_counted_once_and_only_where_it_reaches() {
    let sea = sea(8.0);
    let place = open_water(&sea);
    for (delay, away_m, late) in [
        (DELAY_TICKS, 40.0, 0),
        (DELAY_TICKS + 1, 40.0, 1),
        (DELAY_TICKS + 30, 40.0, 1),
        (DELAY_TICKS + 1, 2.0 * REACH_M, 0),
    ] {
        let mut there = Sim::new(Arc::clone(&sea), Vec::new(), START);
        put(&mut there, 1, "first407", place, 0.0, 2.0);
        let mut here = Sim::new(Arc::clone(&sea), Vec::new(), START);
        put(&mut here, 2, "first407", place + DVec2::new(away_m, 0.0), 0.0, 2.0);
        while !there.tick().0.is_multiple_of(PERIOD_TICKS) {
            there.step();
        }
        let wake = *there.wakes_since(START).last().unwrap();
        assert_eq!(wake.tick, there.tick());
        while here.tick() < wake.tick.after(delay) {
            here.step();
        }
        assert!(here.hear_wake(wake));
        assert!(!here.hear_wake(wake), "a second time it is no news");
        assert!(!there.hear_wake(wake), "nor is it of a vessel of one's own");
        assert_eq!(here.late_wakes(), late, "{delay} ticks, {away_m} m");
    }
}

/// One simulation hears nothing of the other for a while: what acts on its vessels is what it says, and who
/// sails all of them again and is told so has the same bits.
#[test]
fn vessels_that_were_told_whose_wakes_act_have_the_bits_of_those_that_missed_some() {
    let sea = sea(8.0);
    let mut one = Sim::new(Arc::clone(&sea), Vec::new(), START);
    one.follow(Tick(u64::MAX));
    crowd(&mut one);
    let mut free = Sim::new(Arc::clone(&sea), Vec::new(), START);
    crowd(&mut free);
    let mut sims = [(); 2].map(|()| Sim::new(Arc::clone(&sea), Vec::new(), START));
    for id in 1..=5 {
        sims[usize::from(id > 2)].insert(one.vessel(VesselId(id)).unwrap());
    }
    let mut told = 0;
    for n in 1..=45 * 20_u64 {
        for sim in &mut sims {
            step(sim);
        }
        let company: Vec<_> = sims.iter().flat_map(|sim| sim.new_company().to_vec()).collect();
        told += company.len();
        for (id, company) in &company {
            one.tell_company(*id, company);
        }
        step(&mut one);
        step(&mut free);
        // Two seconds of every five the second hears all, otherwise nothing.
        if n % 225 < 90 && n % PERIOD_TICKS == 0 {
            let news: Vec<Wake> = sims[0].wakes_since(Tick(START.0 + n - 30)).copied().collect();
            for wake in news {
                sims[1].hear_wake(wake);
            }
        }
        for id in (1..=5).map(VesselId) {
            let here = sims.iter().find_map(|sim| sim.hash(id));
            assert_eq!(here, one.hash(id), "vessel {} at tick {n}", id.0);
        }
    }
    let differ = (1..=5).filter(|id| one.hash(VesselId(*id)) != free.hash(VesselId(*id))).count();
    assert!(told > 100 && differ >= 3, "{told} companies told, {differ} vessels differ");
}

#[test]
fn nearest_sixteen_of_a_crowd_act_whoever_finds_out() {
    let own = Wake { id: VesselId(100), ..wash_of(3.0) };
    let at = |id: u32, away_m: f64| Wake {
        id: VesselId(id),
        place_m: own.place_m + DVec2::new(0.0, away_m),
        ..own
    };
    let mut others: Vec<Wake> = (1..=30).map(|id| at(id, f64::from(31 - id) * 7.0)).collect();
    others.push(own);
    let company = wake::company(&own, others.iter());
    let ids: Vec<u32> = company.iter().map(|wake| wake.id.0).collect();
    assert_eq!(ids, (15..=30).collect::<Vec<u32>>());
    others.reverse();
    assert_eq!(wake::company(&own, others.iter()), company);
    assert!(wake::is_company_of(own.id, &company) && !wake::is_company_of(VesselId(20), &company));
    assert!(wake::company(&own, [at(1, wake::NEAR_M)].iter()).is_empty());
}

#[test]
fn nonsense_is_not_heard() {
    let sea = sea(8.0);
    let mut sim = Sim::new(Arc::clone(&sea), Vec::new(), Tick(1_000_010));
    let sound = Wake { tick: Tick(1_000_010 - 1_000_010 % PERIOD_TICKS), ..wash_of(3.0) };
    for wake in [
        Wake { tick: Tick(sound.tick.0 + 1), ..sound },
        Wake { tick: Tick(sound.tick.0 + 10_000 * PERIOD_TICKS), ..sound },
        Wake { tick: Tick(0), ..sound },
        Wake { place_m: DVec2::new(f64::NAN, 0.0), ..sound },
        Wake { velocity_mps: [f32::INFINITY, 0.0], ..sound },
        Wake { height_m: 0.0, ..sound },
        Wake { drag_m2: -1.0, ..sound },
    ] {
        assert!(!sim.hear_wake(wake), "{wake:?}");
    }
    assert!(sim.hear_wake(sound));
}
