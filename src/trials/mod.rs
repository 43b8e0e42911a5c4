//! What one boat does on a simple sea: the measurements that naval architects make of boats and models.
//!
//! Each trial sails the very model of [`crate::vessel`] tick by tick, as a region does, on water that is
//! still or has one train of waves, and reads off it what a towing tank, a trial at sea or a rating office
//! would: [`polar`] speeds by wind, [`decay`] natural periods, [`power`] speeds by throttle, [`turn`] manoeuvres under power, [`tack`]
//! what a tack costs, [`rao`] the answer to regular waves. A trial knows no course and no other vessel.

pub mod decay;
pub mod polar;
pub mod power;
pub mod rao;
pub mod tack;
pub mod turn;

use glam::DVec2;

use crate::sea::{LocalWaves, WAVES, Water};
use crate::trig;
use crate::units::{TICK_S, wrap_angle};
use crate::vessel::{BoatSpec, Class, Helm, VesselState, at_rest, forces, motion, rotation};

/// Depth of the water, metres: deep for every boat and every wave of a trial.
const DEPTH_M: f64 = 1000.0;

/// Why a trial cannot be made, in one line.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum TrialError {
    /// The boat has no rig
    #[error("{0} has no [rig], so it does not sail; `fairway boat turn` tries boats under power")]
    NoRig(String),
    /// The boat has no engine
    #[error("{0} has no [engine], so it cannot run the trial; `fairway boat polar` tries boats under sail")]
    NoEngine(String),
    /// The motion was too small or too fast to be read
    #[error("{0} came to rest without a swing that could be measured: its {1} is all but critically damped")]
    NoSwing(String, &'static str),
    /// The boat did not turn
    #[error("{0} did not turn half round within {1:.0} s at its full rudder")]
    NoTurn(String, f64),
    /// The boat did not tack
    #[error("{0} did not come through the wind and up to speed again within {1:.0} s")]
    NoTack(String, f64),
}

/// What a helmsman sees of the boat.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Look {
    /// Heading, radians clockwise from north.
    pub heading_rad: f64,
    /// Course through the water, likewise.
    pub course_rad: f64,
    /// Heel, radians, positive to starboard.
    pub heel_rad: f64,
    /// Speed through the water, m/s.
    pub speed_mps: f64,
    /// Apparent wind off the bow, radians.
    pub apparent_rad: f64,
    /// Rate of turn, rad/s clockwise.
    pub turn_radps: f64,
}

/// One boat on the water of a trial.
#[derive(Clone, Debug)]
pub struct Tank<'a> {
    /// What it is.
    pub class: &'a Class,
    /// How it is.
    pub state: VesselState,
    /// What it lies on; no current.
    pub water: Water,
    /// Significant height of short waves that run with the wind and only hold the boat up, metres.
    pub chop_m: f64,
}

impl<'a> Tank<'a> {
    /// A boat at rest, looking north; the wind blows towards (east, north), m/s.
    #[must_use]
    pub fn new(class: &'a Class, wind_mps: DVec2) -> Self {
        Self {
            class,
            state: at_rest(class, DVec2::ZERO, 0.0, 0.0),
            water: still_water(wind_mps),
            chop_m: 0.0,
        }
    }

    /// One tick, as a region sails it away from others.
    pub fn tick(&mut self) {
        motion::follow_orders(self.class, &mut self.state);
        let acceleration = forces::acceleration_in_chop(self.class, &self.state, &self.water, self.chop_m);
        motion::speed_up(&mut self.state, &acceleration);
        motion::move_on(&mut self.state);
    }

    /// What its helmsman sees.
    #[must_use]
    pub fn look(&self) -> Look {
        let axes = rotation::axes(self.state.attitude);
        let velocity = self.state.velocity_mps.truncate();
        Look {
            heading_rad: rotation::heading_rad(&axes),
            course_rad: trig::heading(velocity.x, velocity.y),
            heel_rad: rotation::heel_rad(&axes),
            speed_mps: (velocity.x * velocity.x + velocity.y * velocity.y).sqrt(),
            apparent_rad: forces::apparent_wind(self.class, &self.state, &self.water).1,
            turn_radps: -self.state.spin_radps.z,
        }
    }

    /// The rudder that keeps a heading: in proportion to the error, less the turn that is under way, which
    /// longer boats need to be met earlier.
    #[must_use]
    pub fn steer(&self, look: &Look, heading_rad: f64) -> f64 {
        let meet_s = 0.5 + 0.05 * self.class.spec.length_m;
        1.2 * wrap_angle(heading_rad - look.heading_rad) - meet_s * look.turn_radps
    }

    /// Takes all sail off and lets the boat come to rest.
    fn settle_bare(&mut self, time_s: f64) {
        self.state.helm = Helm { reef: 0.0, ..self.state.helm };
        self.state.gear.reef = 0.0;
        for _ in 0..ticks(time_s) {
            self.tick();
        }
    }
}

/// Deep water without waves or current.
fn still_water(wind_mps: DVec2) -> Water {
    Water {
        wind_mps,
        current_mps: DVec2::ZERO,
        level_m: 0.0,
        bed_m: -DEPTH_M,
        bed_slope: DVec2::ZERO,
        waves: LocalWaves {
            amplitude_m: [0.0; WAVES],
            phase: [0.0; WAVES],
            kx: [0.0; WAVES],
            ky: [0.0; WAVES],
            k_radpm: [1.0; WAVES],
            omega_radps: [1.0; WAVES],
        },
    }
}

/// The boat with its crew sitting still on the centreline.
fn with_still_crew(spec: &BoatSpec) -> Class {
    Class::new(&BoatSpec { crew_kg: 0.0, ..spec.clone() })
}

/// Whole ticks in a time.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "trials last minutes")]
fn ticks(time_s: f64) -> u32 {
    (time_s / TICK_S) as u32
}

/// Seconds of a number of ticks.
fn seconds(ticks: u32) -> f64 {
    f64::from(ticks) * TICK_S
}
