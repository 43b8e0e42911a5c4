//! One pilot at the helm: senses in, tactics asked, manoeuvres carried out, orders given.

use super::lookout::Lookout;
use super::senses::Senses;
use super::steering::{Canvas, Craft, STERNWAY_MPS, Wheel};
use super::tactics::{Plan, Situation, Tactics};
use crate::atlas::Mark;
use crate::noise::{Stream, signed};
use crate::units::{Tick, degrees, radians, wrap_angle, wrap_heading};
use crate::vessel::{BoatSpec, Helm};
use crate::wire::message::{Soundings, State};

/// Ticks between two looks at the compass: five a second, as often as a person corrects.
const HELM_TICKS: u64 = 9;
/// Ticks after which an unchanged order is repeated, since datagrams get lost.
const KEEPALIVE_TICKS: u64 = 45;
/// Ticks between two thoughts about the course.
const PLAN_TICKS: u64 = 3 * 45;
/// Ticks between two changes of side when nothing presses.
const SIDE_TICKS: u64 = 50 * 45;
/// Ticks between two changes of side when the shore presses.
const SIDE_PRESSED_TICKS: u64 = 15 * 45;
/// Seconds of clear water below which the shore presses.
const PRESSED_S: f64 = 45.0;
/// Ticks that going about may take before it has failed.
const TURN_TICKS: u64 = 45 * 45;
/// Ticks in irons before the next remedy is tried.
const IRONS_TICKS: u64 = 40 * 45;
/// Ticks of standing still after which the boat is aground or stuck.
const STUCK_TICKS: u64 = 60 * 45;
/// Failed tacks after which the boat wears round instead.
const TACKS_FAILED_MAX: u8 = 2;
/// Water that is kept under the keel, metres, besides a fifth of the draft.
const UNDER_KEEL_M: f64 = 1.2;
/// Wind in which a boat may be sheeted in at once, and by which more of it counts in full, m/s.
const EASY_WIND_MPS: f64 = 4.0;

/// What the boat is being made to do.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Mode {
    /// Sailing a course.
    Course,
    /// Turning until the wind comes from the other side; direction 1 is to starboard.
    Turn { side: f64, direction: f64, through_wind: bool, began: Tick },
    /// Head to wind without way: falling off until the wind comes from this side.
    Irons { side: f64, began: Tick },
    /// Stuck: backing off.
    Stuck { began: Tick },
}

/// A headless sailor of one vessel; pure: the same states give the same orders.
#[derive(Clone, Debug)]
pub struct Helmsman {
    craft: Craft,
    marks: Vec<Mark>,
    passed: usize,
    senses: Senses,
    lookout: Lookout,
    tactics: Tactics,
    wheel: Wheel,
    canvas: Canvas,
    mode: Mode,
    plan: Option<Plan>,
    planned: Tick,
    side: f64,
    turned: Option<Tick>,
    moving: Tick,
    tacks_failed: u8,
    decided: Option<Tick>,
    sent: Option<(Tick, Helm)>,
    tacks: u32,
    gybes: u32,
}

impl Helmsman {
    /// A sailor of a boat along marks, in order; `seed` makes him a little different from the next one.
    #[must_use]
    pub fn new(boat: &BoatSpec, marks: Vec<Mark>, seed: u64) -> Self {
        let craft = Craft::of(boat);
        let trait_of = |n: u32| signed(seed, Stream::Pilot, [n, 0, 0]);
        Self {
            craft,
            marks,
            passed: 0,
            senses: Senses::new(craft.sails),
            lookout: Lookout::default(),
            tactics: Tactics::new(craft.sails, 0.8 * craft.pace_mps, trait_of(0)),
            wheel: Wheel::new(1.0 + 0.12 * trait_of(1)),
            canvas: Canvas::new(),
            mode: Mode::Course,
            plan: None,
            planned: Tick(0),
            side: 0.0,
            turned: None,
            moving: Tick(0),
            tacks_failed: 0,
            decided: None,
            sent: None,
            tacks: 0,
            gybes: 0,
        }
    }

    /// Looks at the instruments and around; a state not newer than the last one is ignored.
    pub fn see(&mut self, state: &State) {
        let first = !self.senses.awake();
        if !self.senses.take(state) {
            return;
        }
        self.passed = usize::from(state.marks_passed);
        self.lookout.watch(&state.others);
        if first {
            self.side = if self.senses.true_angle() < 0.0 { -1.0 } else { 1.0 };
            self.moving = state.tick;
        }
        // Standing still counts only over the ground and through the water alike.
        if self.senses.made_good.length() > 0.25 || self.senses.speed.abs() > 0.4 {
            self.moving = state.tick;
        }
    }

    /// Takes a chart of depths.
    pub fn sound(&mut self, soundings: &Soundings) {
        self.lookout.sound(soundings);
    }

    /// The next order, when there is something to say: about five times a second of course time while it
    /// changes, once a second otherwise.
    pub fn decide(&mut self) -> Option<Helm> {
        if !self.senses.awake() {
            return None;
        }
        let now = self.senses.tick;
        if self.decided.is_some_and(|decided| now.since(decided) < HELM_TICKS) {
            return None;
        }
        self.decided = Some(now);
        let helm = self.order();
        if let Some((at, last)) = self.sent
            && alike(&last, &helm)
            && now.since(at) < KEEPALIVE_TICKS
        {
            return None;
        }
        self.sent = Some((now, helm));
        Some(helm)
    }

    /// What he is about, in a few words for logs.
    #[must_use]
    pub fn describe(&self) -> String {
        let plan = self.plan.map_or("no plan".to_owned(), |plan| {
            format!(
                "course {:03.0}°{} clear {:.0} s",
                degrees(plan.heading),
                if plan.close_hauled { " close-hauled" } else { "" },
                plan.clear_s
            )
        });
        let doing = match self.mode {
            Mode::Course => "sailing",
            Mode::Turn { through_wind: true, .. } => "tacking",
            Mode::Turn { .. } => "gybing",
            Mode::Irons { .. } => "in irons",
            Mode::Stuck { .. } => "stuck",
        };
        format!("{doing}, {plan}")
    }

    /// Times that the boat went about.
    #[must_use]
    pub fn tacks(&self) -> u32 {
        self.tacks
    }

    /// Times that the boat gybed.
    #[must_use]
    pub fn gybes(&self) -> u32 {
        self.gybes
    }

    fn order(&mut self) -> Helm {
        self.canvas.mind(&self.senses, &self.craft);
        self.notice_trouble();
        match self.mode {
            Mode::Course => self.sail_course(),
            Mode::Turn { side, direction, through_wind, began } => {
                self.go_round(side, direction, through_wind, began)
            }
            Mode::Irons { side, began } => self.leave_irons(side, began),
            Mode::Stuck { began } => self.back_off(began),
        }
    }

    /// Thinks about the course when it is time.
    fn consider(&mut self) -> Plan {
        let now = self.senses.tick;
        if let Some(plan) = self.plan
            && now.since(self.planned) < PLAN_TICKS
        {
            return plan;
        }
        let here = self.lookout.depth_m(self.senses.place).unwrap_or(f64::INFINITY);
        let keep = 1.2 * self.craft.draft_m + UNDER_KEEL_M;
        let pressed = self.plan.is_some_and(|plan| plan.clear_s < PRESSED_S);
        let pause = if pressed { SIDE_PRESSED_TICKS } else { SIDE_TICKS };
        let at = Situation {
            target: self.marks.get(self.passed).map(|mark| mark.place),
            side: self.side,
            // Where the boat already floats in less, any deeper water is an improvement.
            least_depth_m: keep.min(here - 0.1),
            length_m: self.craft.length_m,
            line: glam::DVec2::ZERO,
            gain: glam::DVec2::ZERO,
            free_to_turn: self.turned.is_none_or(|turned| now.since(turned) >= pause),
        };
        let plan = self.tactics.choose(&self.senses, &self.lookout, &at);
        self.plan = Some(plan);
        self.planned = now;
        plan
    }

    fn sail_course(&mut self) -> Helm {
        let plan = self.consider();
        if self.craft.sails && plan.side != self.side {
            self.start_turn(&plan);
            return self.order_turn();
        }
        let heading = self.heading_for(&plan);
        self.tactics.learn(&self.senses, self.senses.heading);
        let rudder = self.wheel.steer(&self.senses, heading, self.craft.length_m);
        if !self.craft.sails {
            return Helm { rudder_rad: rudder, throttle: self.throttle(), ..Helm::default() };
        }
        let mut helm = self.canvas.set(&self.senses, rudder, self.drawing());
        if self.passed >= self.marks.len() {
            // Arrived: no hurry any more.
            helm.sheet *= 0.5;
            helm.spinnaker = false;
        }
        helm
    }

    /// The heading to hold for a plan: never higher than the boat can sail in the wind of the moment.
    fn heading_for(&self, plan: &Plan) -> f64 {
        if !self.craft.sails {
            return plan.heading;
        }
        let wind = self.senses.wind_from();
        let close = self.tactics.close_hauled();
        // A boat that has lost her way foots until she has it again.
        let footing = radians(22.0) * (1.0 - self.senses.speed / (0.6 * self.way_mps())).clamp(0.0, 1.0);
        let highest = close + footing;
        let angle = wrap_angle(wind - plan.heading) * plan.side;
        if plan.close_hauled || (angle < highest && angle > radians(-60.0)) {
            wrap_heading(wind - plan.side * highest)
        } else {
            plan.heading
        }
    }

    /// Speed that the boat should have close-hauled, m/s: as learnt, but no less than boats make in such a wind, or one
    /// that was stopped for long would learn that she is slow and never foot again.
    fn way_mps(&self) -> f64 {
        let learnt = self.tactics.expected_mps(self.tactics.close_hauled());
        let wind = self.senses.wind_speed();
        learnt.max((0.4 * wind).min(0.6 * self.craft.pace_mps))
    }

    /// Share of what the sails can draw that a boat is given to begin with: hard in at once, they heel her and turn
    /// her into the wind before her rudder has the way on to hold her.
    fn drawing(&self) -> f64 {
        let reaching = self.senses.true_angle().abs() > radians(100.0);
        let spare = ((self.senses.wind_speed() - EASY_WIND_MPS) / EASY_WIND_MPS).clamp(0.0, 1.0);
        if reaching || spare == 0.0 {
            return 1.0;
        }
        let way = (self.senses.speed_now / (0.5 * self.way_mps())).clamp(0.0, 1.0);
        1.0 - 0.7 * spare * (1.0 - way)
    }

    /// Engine: slower in a seaway and near others.
    fn throttle(&self) -> f64 {
        if self.passed >= self.marks.len() {
            return 0.1;
        }
        let rough = self.senses.roughness.sqrt();
        let sea: f64 = if rough > 1.0 { 0.5 } else { 0.85 };
        let near = self.lookout.nearest_m(self.senses.place) < 4.0 * self.craft.length_m;
        if near { sea.min(0.5) } else { sea }
    }

    fn start_turn(&mut self, plan: &Plan) {
        let now = self.senses.tick;
        let angle = self.senses.true_angle();
        let next = wrap_angle(self.senses.wind_from() - plan.heading).abs();
        // Whichever way round is shorter, unless tacking has failed before.
        let through_wind = angle.abs() + next < std::f64::consts::PI && self.tacks_failed < TACKS_FAILED_MAX;
        // Through the wind means turning towards it: to starboard when it comes from there.
        let direction = if through_wind { self.side } else { -self.side };
        self.canvas.douse();
        self.mode = Mode::Turn { side: plan.side, direction, through_wind, began: now };
    }

    fn order_turn(&mut self) -> Helm {
        match self.mode {
            Mode::Turn { side, direction, through_wind, began } => {
                self.go_round(side, direction, through_wind, began)
            }
            _ => self.sail_course(),
        }
    }

    fn go_round(&mut self, side: f64, direction: f64, through_wind: bool, began: Tick) -> Helm {
        let now = self.senses.tick;
        let angle = self.senses.true_angle();
        let wanted = if through_wind { self.tactics.close_hauled() + radians(6.0) } else { radians(135.0) };
        let heading = wrap_heading(self.senses.wind_from() - side * wanted);
        let left = wrap_heading(direction * (heading - self.senses.heading));
        let across = angle * side > 0.0;
        if across && (left < radians(12.0) || left > radians(200.0)) {
            self.end_turn(side, through_wind);
            return self.sail_course();
        }
        if now.since(began) > TURN_TICKS {
            return self.abandon_turn(side);
        }
        let mut rudder = self.wheel.turn(&self.senses, direction, left, self.craft.length_m);
        if self.senses.speed_now < -STERNWAY_MPS {
            // Making sternway the rudder works the other way round.
            rudder = -rudder;
        }
        let mut helm = self.canvas.set(&self.senses, rudder, self.drawing());
        helm.spinnaker = false;
        if through_wind && angle.abs() < radians(25.0) {
            helm.sheet = helm.sheet.min(0.7);
        }
        helm
    }

    fn end_turn(&mut self, side: f64, through_wind: bool) {
        self.side = side;
        self.turned = Some(self.senses.tick);
        self.mode = Mode::Course;
        self.tacks_failed = 0;
        if through_wind {
            self.tacks += 1;
        } else {
            self.gybes += 1;
        }
    }

    /// A turn that did not come round.
    fn abandon_turn(&mut self, side: f64) -> Helm {
        let now = self.senses.tick;
        self.tacks_failed = self.tacks_failed.saturating_add(1);
        self.turned = Some(now);
        if self.senses.true_angle().abs() < radians(38.0) {
            self.mode = Mode::Irons { side, began: now };
            return self.leave_irons(side, now);
        }
        self.side = self.senses.true_angle().signum();
        self.mode = Mode::Course;
        self.plan = None;
        self.sail_course()
    }

    /// Sheets out, rudder over for sternway, until the wind is well on the side.
    fn leave_irons(&mut self, side: f64, began: Tick) -> Helm {
        let now = self.senses.tick;
        let angle = self.senses.true_angle();
        if angle.abs() > radians(50.0) {
            self.side = angle.signum();
            self.turned = Some(now);
            self.plan = None;
            self.mode = Mode::Course;
            return self.sail_course();
        }
        // The bow must fall off away from the side the wind shall come from.
        let away = -if angle.abs() > radians(20.0) { angle.signum() } else { side };
        let way = if self.senses.speed_now < -0.05 { -1.0 } else { 1.0 };
        let late = now.since(began) > IRONS_TICKS;
        Helm {
            rudder_rad: away * way * 0.45,
            sheet: 0.0,
            reef: self.canvas.set(&self.senses, 0.0, 0.0).reef,
            flat: 1.0,
            spinnaker: false,
            throttle: if late && self.craft.engine { 0.5 } else { 0.0 },
        }
    }

    /// Sees that the boat does not move, or has been caught head to wind.
    fn notice_trouble(&mut self) {
        let now = self.senses.tick;
        let stuck = now.since(self.moving) > STUCK_TICKS
            && self.passed < self.marks.len()
            && !matches!(self.mode, Mode::Stuck { .. });
        if stuck && (self.senses.under_keel < 0.4 || !self.craft.sails) {
            self.mode = Mode::Stuck { began: now };
            return;
        }
        let caught = self.craft.sails
            && self.mode == Mode::Course
            && self.senses.true_angle().abs() < radians(28.0)
            && self.senses.speed < 0.4
            && self.senses.wind_speed() > 1.5;
        if caught {
            self.mode = Mode::Irons { side: self.side, began: now };
        }
    }

    /// Aground: engine astern if there is one, sails down, for a while; then think anew.
    fn back_off(&mut self, began: Tick) -> Helm {
        let now = self.senses.tick;
        if now.since(began) > STUCK_TICKS {
            self.mode = Mode::Course;
            self.moving = now;
            self.plan = None;
            return self.sail_course();
        }
        Helm {
            rudder_rad: 0.0,
            sheet: 0.0,
            reef: 0.0,
            flat: 1.0,
            spinnaker: false,
            throttle: if self.craft.engine { -0.8 } else { 0.0 },
        }
    }
}

/// Whether two orders are the same to a hand on the wheel.
fn alike(a: &Helm, b: &Helm) -> bool {
    (a.rudder_rad - b.rudder_rad).abs() < 0.01
        && (a.sheet - b.sheet).abs() < 0.02
        && a.reef == b.reef
        && a.flat == b.flat
        && a.spinnaker == b.spinnaker
        && (a.throttle - b.throttle).abs() < 0.02
}
