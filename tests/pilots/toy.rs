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
