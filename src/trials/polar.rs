//! Speeds by wind: a boat sailed to steady state at each true wind, its sails trimmed for speed.
//!
//! The wind angle is the one between the true wind and the course through the water, leeway included, as
//! rating offices count it: VMG is the speed times its cosine. The boat sails on port tack.

use glam::DVec2;

use super::{Look, Tank, TrialError, ticks};
use crate::trig;
use crate::units::{TICK_S, radians, wrap_angle};
use crate::vessel::{Class, trim};

/// Trials of one setting: how long the boat sails before its speed counts, and how long it counts.
const SETTLE_S: f64 = 16.0;
const COUNT_S: f64 = 8.0;
/// How long it sails at the setting that was found best, before what it does is written down.
const STEADY_S: f64 = 45.0;
/// Significant height of the wind's waves over the square of the wind, s²/m: a quarter of the fully grown
/// sea's (Pierson & Moskowitz 1964), as rating offices have it.
const CHOP_S2PM: f64 = 0.0057;
/// Wind from which they grow with the wind and no longer with its square, m/s: breaking in shallow waters.
const CHOP_MPS: f64 = 8.5;
/// Steps of the search in reef, flat and ease, and how often they are halved.
const STEPS: [f64; 3] = [0.1, 0.16, 0.1];
const HALVINGS: u32 = 2;
/// Rounds over all three at one size of step, at most.
const ROUNDS: u32 = 3;
/// A setting is better when it gains more than this share of the speed.
const GAIN: f64 = 1e-3;
/// Share of the course's error by which the helmsman changes what heading to steer, each second.
const AIM_PACE: f64 = 0.25;
/// Furthest that heading and course may differ, radians.
const AIM_RAD_MAX: f64 = 0.5;
/// Off the course by more than this, radians, a boat is not under control.
const ASTRAY_RAD: f64 = 0.026;
/// Beyond this heel, radians, crews take power off before they lose speed by it; and the share of speed
/// that a radian more must gain to be worth its while.
const HEEL_RAD: f64 = 0.42;
const HEEL_COST: f64 = 1.0;
/// A spinnaker is tried from this wind angle, and the jib up to that one, radians.
const SPINNAKER_RAD: f64 = 1.1;
const JIB_RAD: f64 = 2.7;
/// Boats gather way no closer to the wind than this, radians, before they head up.
const REACH_RAD: f64 = 1.2;
/// Beats and runs are sought between these courses, radians, from the first.
const BEAT_RAD: [f64; 2] = [1.0, 0.54];
const RUN_RAD: [f64; 2] = [2.2, 3.1];
/// Coarse step of that search, radians, and how often it is halved: to a degree.
const COURSE_STEP_RAD: f64 = 0.07;
const COURSE_HALVINGS: u32 = 2;

/// How the sails are set.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Setting {
    /// Share of the sail's height that is set.
    pub reef: f64,
    /// Fullness, 0.5 to 1.
    pub flat: f64,
    /// Sheet over what the rule of thumb says, −0.4 (eased) to 0.1.
    pub ease: f64,
    /// Spinnaker instead of jib.
    pub spinnaker: bool,
}

/// What kind of point it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// At a wind angle that was asked for.
    Angle,
    /// The course that makes most way to windward.
    Beat,
    /// The course that makes most way to leeward.
    Run,
}

/// A boat's steady state at one wind and course.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Point {
    /// What kind it is.
    pub kind: Kind,
    /// True wind at 10 m, m/s.
    pub wind_mps: f64,
    /// True wind angle off the course through the water, radians.
    pub angle_rad: f64,
    /// Speed through the water, m/s.
    pub speed_mps: f64,
    /// Heel to leeward, radians.
    pub heel_rad: f64,
    /// Leeway, radians.
    pub leeway_rad: f64,
    /// How far the course that was sailed is off the one that was asked for, radians.
    pub astray_rad: f64,
    /// Sails.
    pub setting: Setting,
}

impl Point {
    /// Speed made good to windward (positive) or leeward (negative), m/s.
    #[must_use]
    pub fn vmg_mps(&self) -> f64 {
        self.speed_mps * trig::cos(self.angle_rad)
    }

    /// Whether the boat kept the course it was asked for.
    #[must_use]
    pub fn kept_course(&self) -> bool {
        self.astray_rad < ASTRAY_RAD
    }

    /// Speed, less much where the boat did not keep the course.
    fn score(&self) -> f64 {
        let laid = (self.heel_rad.abs() - HEEL_RAD).max(0.0);
        self.speed_mps * (1.0 - 10.0 * (self.astray_rad - ASTRAY_RAD).max(0.0) - HEEL_COST * laid)
    }
}

/// A boat that is being sailed, and the heading that its helmsman has found for the course.
#[derive(Clone, Debug)]
struct Sailing<'a> {
    tank: Tank<'a>,
    heading_rad: f64,
}

/// One setting tried: the boat afterwards, and what it did.
#[derive(Clone, Debug)]
struct Tried<'a> {
    sailing: Sailing<'a>,
    point: Point,
}

impl<'a> Sailing<'a> {
    /// Under way under full sail in the wind from north.
    fn start(class: &'a Class, wind_mps: f64, course_rad: f64) -> Self {
        let mut tank = Tank::new(class, DVec2::new(0.0, -wind_mps));
        tank.chop_m = CHOP_S2PM * wind_mps * wind_mps.min(CHOP_MPS);
        tank.state = crate::vessel::at_rest(class, DVec2::ZERO, 0.0, course_rad);
        let speed_mps = (0.4 * wind_mps).min(0.8 * class.spec.length_m.sqrt());
        tank.state.velocity_mps = crate::vessel::rotation::axes(tank.state.attitude).x_axis * speed_mps;
        Self { tank, heading_rad: course_rad }
    }

    fn step(&mut self, course_rad: f64, setting: &Setting) -> Look {
        let look = self.tank.look();
        // Below a crawl the course through the water says nothing.
        if look.speed_mps > 0.3 {
            let error = wrap_angle(course_rad - look.course_rad);
            let aim = wrap_angle(self.heading_rad + AIM_PACE * TICK_S * error - course_rad);
            self.heading_rad = course_rad + aim.clamp(-AIM_RAD_MAX, AIM_RAD_MAX);
        }
        let rudder_rad = self.tank.steer(&look, self.heading_rad);
        let helm = &mut self.tank.state.helm;
        helm.rudder_rad = rudder_rad;
        helm.sheet = (trim::sheet_for(look.apparent_rad) + setting.ease).clamp(0.0, 1.0);
        helm.reef = setting.reef;
        helm.flat = setting.flat;
        helm.spinnaker = setting.spinnaker;
        self.tank.tick();
        look
    }

    /// Sails at a setting, which takes effect at once, and reads what the boat does at the end of the time.
    fn sail(mut self, course_rad: f64, setting: Setting, settle_s: f64) -> Tried<'a> {
        let gear = &mut self.tank.state.gear;
        gear.reef = setting.reef;
        gear.flat = setting.flat;
        gear.spinnaker = if setting.spinnaker { 1.0 } else { 0.0 };
        for _ in 0..ticks(settle_s) {
            self.step(course_rad, &setting);
        }
        let count = ticks(COUNT_S);
        let share = 1.0 / f64::from(count);
        let (mut heel, mut speed, mut leeway, mut course) = (0.0, 0.0, 0.0, 0.0);
        for _ in 0..count {
            let look = self.step(course_rad, &setting);
            heel += look.heel_rad * share;
            speed += look.speed_mps * share;
            leeway += wrap_angle(look.course_rad - look.heading_rad) * share;
            course += wrap_angle(look.course_rad - course_rad) * share;
        }
        let point = Point {
            kind: Kind::Angle,
            wind_mps: -self.tank.water.wind_mps.y,
            angle_rad: course_rad + course,
            speed_mps: speed,
            heel_rad: heel,
            leeway_rad: leeway,
            astray_rad: course.abs(),
            setting,
        };
        Tried { sailing: self, point }
    }

    /// Trims for speed on a course: one control at a time, by steps that grow finer.
    fn trim(self, course_rad: f64, start: Setting) -> Tried<'a> {
        let mut best = self.sail(course_rad, start, SETTLE_S);
        let mut scale = 1.0;
        for _ in 0..=HALVINGS {
            for _ in 0..ROUNDS {
                let mut gained = false;
                for control in 0..3 {
                    gained |= try_both_ways(&mut best, course_rad, control, scale);
                }
                if !gained {
                    break;
                }
            }
            scale *= 0.5;
        }
        let setting = best.point.setting;
        best.sailing.sail(course_rad, setting, STEADY_S)
    }
}

/// Tries more and less of one control from where the boat is; takes what is faster.
fn try_both_ways(best: &mut Tried<'_>, course_rad: f64, control: usize, scale: f64) -> bool {
    // All that are compared have sailed equally long from the same state.
    let now = best.sailing.clone().sail(course_rad, best.point.setting, SETTLE_S);
    let mut gained = false;
    let mut leader = now.point.score();
    let mut next = now;
    for way in [-1.0, 1.0] {
        let Some(setting) = moved(&best.point.setting, control, way * scale * STEPS[control]) else {
            continue;
        };
        let tried = best.sailing.clone().sail(course_rad, setting, SETTLE_S);
        if tried.point.score() > leader * (1.0 + GAIN) {
            leader = tried.point.score();
            next = tried;
            gained = true;
        }
    }
    *best = next;
    gained
}

/// A setting with one control moved; none where that control is at its end.
fn moved(setting: &Setting, control: usize, by: f64) -> Option<Setting> {
    let mut other = *setting;
    match control {
        0 => other.reef = (setting.reef + by).clamp(0.3, 1.0),
        1 => other.flat = (setting.flat + by).clamp(0.5, 1.0),
        _ => other.ease = (setting.ease + by).clamp(-0.4, 0.1),
    }
    (other != *setting).then_some(other)
}

/// One boat in one wind, going from course to course.
struct Sweep<'a> {
    class: &'a Class,
    wind_mps: f64,
    spinnaker: bool,
    last: Option<Tried<'a>>,
}

impl<'a> Sweep<'a> {
    fn new(class: &'a Class, wind_mps: f64, spinnaker: bool) -> Self {
        Self { class, wind_mps, spinnaker, last: None }
    }

    /// The best on a course: from what was best on the course before.
    fn at(&mut self, course_rad: f64) -> Point {
        let (sailing, setting) = match self.last.take() {
            Some(tried) => (tried.sailing, tried.point.setting),
            None => self.start(course_rad),
        };
        let mut tried = sailing.trim(course_rad, setting);
        if !tried.point.kept_course() && !self.spinnaker {
            // Laid flat or rounded up: once more, with so little sail that this cannot be.
            let little = Setting { reef: 0.5, flat: 0.5, ease: 0.0, spinnaker: false };
            tried = self.start_with(course_rad, little).trim(course_rad, little);
        }
        // One that was knocked about starts afresh on the next course.
        let point = tried.point;
        self.last = point.kept_course().then_some(tried);
        point
    }

    /// With less sail the more it blows, so that no boat is laid flat before the search begins.
    fn start(&self, course_rad: f64) -> (Sailing<'a>, Setting) {
        let blow = ((self.wind_mps - 3.0) / 6.0).clamp(0.0, 1.0);
        let setting =
            Setting { reef: 1.0 - 0.3 * blow, flat: 1.0 - 0.5 * blow, ease: 0.0, spinnaker: self.spinnaker };
        (self.start_with(course_rad, setting), setting)
    }

    /// Under way, first on a reach with little sail until the crew sits to windward, then as a setting says.
    fn start_with(&self, course_rad: f64, setting: Setting) -> Sailing<'a> {
        let little = Setting { reef: 0.5, flat: 0.5, ease: 0.0, spinnaker: false };
        let reach_rad = course_rad.max(REACH_RAD);
        let sailing = Sailing::start(self.class, self.wind_mps, reach_rad);
        let sailing = sailing.sail(reach_rad, little, SETTLE_S).sailing;
        sailing.sail(course_rad, setting, STEADY_S).sailing
    }

    /// The course between two ends that makes most of the wind's direction, `sign` 1 to windward.
    fn made_good(&mut self, ends_rad: [f64; 2], sign: f64) -> Point {
        let [from, to] = ends_rad;
        let way = if to > from { 1.0 } else { -1.0 };
        // A boat that lost its course makes no way: neither factor may make good what the other has lost.
        let good = |point: &Point| {
            if point.kept_course() { sign * point.score() * trig::cos(point.angle_rad) } else { -1.0 }
        };
        let mut best = self.at(from);
        let mut centre = from;
        let mut course = from;
        while (to - course) * way > COURSE_STEP_RAD {
            course += way * COURSE_STEP_RAD;
            let point = self.at(course);
            if good(&point) > good(&best) {
                (best, centre) = (point, course);
            }
        }
        let mut step = COURSE_STEP_RAD;
        for _ in 0..COURSE_HALVINGS {
            step *= 0.5;
            let middle = centre;
            for side in [-1.0, 1.0] {
                let point = self.at(middle + side * step);
                if good(&point) > good(&best) {
                    (best, centre) = (point, middle + side * step);
                }
            }
        }
        best
    }
}

fn sails_of(class: &Class) -> Result<&'static [bool], TrialError> {
    match &class.spec.rig {
        None => Err(TrialError::NoRig(class.spec.name.clone())),
        Some(_) => Ok(&[false, true]),
    }
}

/// A boat's best at given wind angles, in their order, in one wind.
///
/// # Errors
/// When the boat has no rig.
pub fn at_angles(class: &Class, wind_mps: f64, angles_rad: &[f64]) -> Result<Vec<Point>, TrialError> {
    let mut best: Vec<Option<Point>> = vec![None; angles_rad.len()];
    let sails = sails_of(class)?;
    for &spinnaker in sails {
        let mut sweep = Sweep::new(class, wind_mps, spinnaker);
        for (angle, best) in angles_rad.iter().zip(&mut best) {
            let useful = if spinnaker { *angle >= SPINNAKER_RAD } else { *angle <= JIB_RAD };
            if !useful {
                continue;
            }
            let point = sweep.at(*angle);
            if best.is_none_or(|other| point.score() > other.score()) {
                *best = Some(point);
            }
        }
    }
    Ok(best.into_iter().flatten().collect())
}

/// The course that makes most way to windward in one wind.
///
/// # Errors
/// When the boat has no rig.
pub fn best_beat(class: &Class, wind_mps: f64) -> Result<Point, TrialError> {
    sails_of(class)?;
    let point = Sweep::new(class, wind_mps, false).made_good(BEAT_RAD, 1.0);
    Ok(Point { kind: Kind::Beat, ..point })
}

/// The course that makes most way to leeward in one wind.
///
/// # Errors
/// When the boat has no rig.
pub fn best_run(class: &Class, wind_mps: f64) -> Result<Point, TrialError> {
    let spinnaker = sails_of(class)?.len() > 1;
    let point = Sweep::new(class, wind_mps, spinnaker).made_good(RUN_RAD, -1.0);
    Ok(Point { kind: Kind::Run, ..point })
}

/// The wind angles of rating certificates, radians.
#[must_use]
pub fn usual_angles_rad() -> [f64; 8] {
    [52.0, 60.0, 75.0, 90.0, 110.0, 120.0, 135.0, 150.0].map(radians)
}
