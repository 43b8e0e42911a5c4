//! The pilots sail: a toy boat with a polar first, then the real simulation.
#![cfg(feature = "pilots")]
#![expect(clippy::unwrap_used, reason = "a test")]

mod toy {
    //! A kinematic boat: speed from a polar, yaw from the rudder, leeway; wind and current constant.

    use fairway::pilots::Helmsman;
    use fairway::sim::Instruments;
    use fairway::trig;
    use fairway::units::{Tick, VesselId, radians, wrap_angle, wrap_heading};
    use fairway::vessel::Helm;
    use fairway::wire::message::{Epoch, Soundings, State, View};
    use glam::{DQuat, DVec2};

    /// Degrees off the true wind and share of the wind's speed, of no boat in particular.
    const SPEED: [(f64, f64); 8] = [
        (0.0, -0.03),
        (30.0, 0.05),
        (42.0, 0.42),
        (60.0, 0.55),
        (100.0, 0.62),
        (135.0, 0.55),
        (160.0, 0.45),
        (180.0, 0.40),
    ];

    pub(crate) struct Boat {
        pub(crate) id: u32,
        pub(crate) place: DVec2,
        pub(crate) heading: f64,
        pub(crate) speed: f64,
        turn: f64,
        rudder: f64,
        helm: Helm,
        pub(crate) passed: usize,
        velocity: DVec2,
    }

    pub(crate) fn unit(heading: f64) -> DVec2 {
        let (s, c) = trig::sin_cos(heading);
        DVec2::new(s, c)
    }

    impl Boat {
        pub(crate) fn new(id: u32, place: DVec2, heading: f64) -> Self {
            Self {
                id,
                place,
                heading,
                speed: 1.0,
                turn: 0.0,
                rudder: 0.0,
                helm: Helm::default(),
                passed: 0,
                velocity: DVec2::ZERO,
            }
        }

        pub(crate) fn view(&self) -> View {
            let yaw = std::f64::consts::FRAC_PI_2 - self.heading;
            let (s, c) = trig::sin_cos(0.5 * yaw);
            View {
                vessel: VesselId(self.id),
                position_m: self.place.extend(0.0),
                attitude: DQuat::from_xyzw(0.0, 0.0, s, c),
                velocity_mps: self.velocity.extend(0.0),
                length_m: 10.0,
                beam_m: 3.0,
            }
        }

        pub(crate) fn state(&self, tick: u64, wind: DVec2, others: Vec<View>) -> State {
            let relative = self.velocity - wind;
            let from = wrap_angle(trig::heading(relative.x, relative.y) - self.heading);
            #[expect(clippy::cast_possible_truncation)]
            let short = |x: f64| x as f32;
            State {
                vessel: VesselId(self.id),
                epoch: Epoch::default(),
                tick: Tick(tick),
                own: self.view(),
                instruments: Instruments {
                    apparent_wind_mps: short(relative.length()),
                    apparent_wind_rad: short(from),
                    speed_mps: short(self.speed),
                    under_keel_m: 20.0,
                    heel_rad: 0.0,
                    heading_rad: short(self.heading),
                    turn_radps: short(self.turn),
                    visibility_m: 10_000.0,
                },
                session: 1,
                seq: 0,
                marks_passed: self.passed.try_into().unwrap(),
                dilation: 1.0,
                others,
            }
        }

        /// Sails for a step of `dt` seconds.
        pub(crate) fn sail(&mut self, pilot: &mut Helmsman, wind: DVec2, current: DVec2, dt: f64) {
            if let Some(helm) = pilot.decide() {
                self.helm = helm;
            }
            let step = (self.helm.rudder_rad - self.rudder).clamp(-0.5 * dt, 0.5 * dt);
            self.rudder += step;
            // Nomoto's first order: gain by speed over length, a lag of a second and a half.
            let wanted = 1.6 * self.speed / 10.0 * self.rudder * 2.0;
            self.turn += (wanted - self.turn) * dt / 1.5;
            self.heading = wrap_heading(self.heading + self.turn * dt);
            let air = wind - current;
            let from = trig::heading(-air.x, -air.y);
            let angle = wrap_angle(from - self.heading);
            let degrees = angle.abs().to_degrees();
            let pair = SPEED.windows(2).find(|pair| degrees <= pair[1].0 + 1e-9).unwrap();
            let share = pair[0].1 + (pair[1].1 - pair[0].1) * (degrees - pair[0].0) / (pair[1].0 - pair[0].0);
            let drive = if self.helm.throttle == 0.0 && self.helm.sheet < 0.02 { -0.05 } else { share };
            self.speed += (drive * air.length() - self.speed) * dt / 6.0;
            let lee = -radians(5.0) * angle.signum() * (1.0 - degrees / 180.0);
            self.velocity = unit(self.heading + lee) * self.speed + current;
            self.place += self.velocity * dt;
        }
    }

    /// Depths of a rectangle of sea by a rule.
    pub(crate) fn soundings(min: DVec2, max: DVec2, depth: impl Fn(DVec2) -> f64) -> Soundings {
        let spacing_m = 40.0;
        let columns = ((max.x - min.x) / spacing_m) as u16 + 1;
        let rows = ((max.y - min.y) / spacing_m) as u16 + 1;
        let mut depths_dm = Vec::new();
        for row in 0..rows {
            for column in 0..columns {
                let at = min + DVec2::new(f64::from(column), f64::from(row)) * spacing_m;
                depths_dm.push((depth(at) * 10.0) as i16);
            }
        }
        Soundings { origin: min, spacing_m, columns, depths_dm }
    }
}

use fairway::atlas::Mark;
use fairway::pilots::Helmsman;
use fairway::vessel::BoatSpec;
use glam::DVec2;
use toy::Boat;

const STEP_TICKS: u64 = 5;

fn ten_metres() -> BoatSpec {
    BoatSpec { name: "toy".to_owned(), length_m: 10.0, beam_m: 3.0, prims: 2 }
}

fn mark(x: f64, y: f64) -> Mark {
    Mark { name: "mark".to_owned(), place: DVec2::new(x, y), radius_m: 40.0 }
}

/// Sails one toy to its marks; returns minutes needed, the track, and the pilot.
fn race(
    boat: &mut Boat,
    pilot: &mut Helmsman,
    marks: &[Mark],
    wind: DVec2,
    current: DVec2,
    minutes: u64,
) -> (Option<u64>, Vec<DVec2>) {
    let mut track = Vec::new();
    for step in 0..minutes * 60 * 9 {
        pilot.see(&boat.state(step * STEP_TICKS, wind, Vec::new()));
        boat.sail(pilot, wind, current, 1.0 / 9.0);
        track.push(boat.place);
        if (marks[boat.passed].place - boat.place).length() < marks[boat.passed].radius_m {
            boat.passed += 1;
            if boat.passed == marks.len() {
                return (Some(step / 540), track);
            }
        }
    }
    (None, track)
}

#[test]
fn pilot_beats_to_a_mark_straight_up_wind() {
    for seed in 0..4 {
        let marks = vec![mark(0.0, 4_000.0), mark(0.0, 0.0)];
        let mut boat = Boat::new(1, DVec2::ZERO, 0.8);
        let mut pilot = Helmsman::new(&ten_metres(), marks.clone(), seed);
        let wind = DVec2::new(0.0, -7.0);
        let (minutes, _) = race(&mut boat, &mut pilot, &marks, wind, DVec2::ZERO, 90);
        // 4,000 m at 7 · 0.42 · cos 43° = 2.15 m/s take 31 minutes, the way back at 3 m/s 22.
        let minutes = minutes.unwrap_or_else(|| panic!("seed {seed} did not get there: {:?}", boat.place));
        assert!(minutes < 65, "{minutes} minutes, seed {seed}");
        assert!((2..=14).contains(&pilot.tacks()), "{} tacks, seed {seed}", pilot.tacks());
    }
}

#[test]
fn pilot_crabs_across_a_current() {
    let marks = vec![mark(3_000.0, 0.0)];
    let mut boat = Boat::new(1, DVec2::ZERO, 1.5);
    let mut pilot = Helmsman::new(&ten_metres(), marks.clone(), 3);
    let (minutes, track) =
        race(&mut boat, &mut pilot, &marks, DVec2::new(0.0, -7.0), DVec2::new(0.0, -0.8), 40);
    assert!(minutes.is_some_and(|m| m < 20), "{minutes:?}");
    for p in track.iter().step_by(540) {
        println!("{p:.0}");
    }
    // Someone who points at the mark is swept 300 m down; who allows for the set stays near the line.
    let worst = track.iter().map(|place| place.y.abs()).fold(0.0, f64::max);
    assert!(worst < 200.0, "{worst} m off the line");
}

#[test]
fn pilot_stays_off_a_shore_while_beating() {
    // A channel 900 m wide with land to both sides, the wind straight down it.
    let depth = |at: DVec2| (450.0 - at.x.abs()) * 0.08;
    let marks = vec![mark(0.0, 4_000.0)];
    let mut boat = Boat::new(1, DVec2::ZERO, 0.8);
    let mut pilot = Helmsman::new(&ten_metres(), marks.clone(), 5);
    pilot.sound(&toy::soundings(DVec2::new(-1_000.0, -1_000.0), DVec2::new(1_000.0, 5_000.0), depth));
    let (minutes, track) = race(&mut boat, &mut pilot, &marks, DVec2::new(0.0, -7.0), DVec2::ZERO, 90);
    assert!(minutes.is_some(), "stopped at {:?}", boat.place);
    let shallowest = track.iter().map(|place| depth(*place)).fold(f64::INFINITY, f64::min);
    assert!(shallowest > 2.2, "came to {shallowest} m of water");
}

#[test]
fn port_tack_gives_way_to_starboard_tack() {
    // Two boats on opposite tacks that would meet at (0, 600) or so.
    let wind = DVec2::new(0.0, -7.0);
    let far = 6_000.0;
    let mut starboard = Boat::new(1, DVec2::new(600.0, 0.0), -0.77);
    let mut port = Boat::new(2, DVec2::new(-600.0, 0.0), 0.77);
    let mut pilots = [
        Helmsman::new(&ten_metres(), vec![mark(-far, far)], 1),
        Helmsman::new(&ten_metres(), vec![mark(far, far)], 2),
    ];
    let mut nearest = f64::INFINITY;
    let mut course_change: f64 = 0.0;
    for step in 0..600 * 9 {
        let (a, b) = (starboard.view(), port.view());
        pilots[0].see(&starboard.state(step * STEP_TICKS, wind, vec![b]));
        pilots[1].see(&port.state(step * STEP_TICKS, wind, vec![a]));
        starboard.sail(&mut pilots[0], wind, DVec2::ZERO, 1.0 / 9.0);
        port.sail(&mut pilots[1], wind, DVec2::ZERO, 1.0 / 9.0);
        if step % 90 == 0 {
            println!(
                "{} S {:.0} {:.1} P {:.0} {:.1}",
                step / 9,
                starboard.place,
                starboard.heading.to_degrees(),
                port.place,
                port.heading.to_degrees()
            );
        }
        nearest = nearest.min((starboard.place - port.place).length());
        if step > 60 * 9 && port.place.y < starboard.place.y + 50.0 && starboard.place.x > 0.0 {
            course_change = course_change.max(fairway::units::wrap_angle(starboard.heading + 0.77).abs());
        }
    }
    assert!(nearest > 15.0, "they came within {nearest} m");
    assert!(course_change < 0.25, "the stand-on boat turned by {course_change}");
}
