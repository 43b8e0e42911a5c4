//! All that pulls at a vessel in one tick, and how it answers.

use glam::{DMat3, DVec2, DVec3};

use super::class::Class;
use super::hull::{COLUMNS_MAX, Columns, Grid};
use super::inertia;
use super::rotation;
use super::sails;
use super::state::VesselState;
use super::waves::{self, HullWaves};
use crate::sea::{LocalWaves, WAVES, Water};
use crate::trig::{self, LANES};
use crate::units::{GRAVITY_MPS2, WATER_KG_M3};
use crate::wide::{self, Work};

/// Force and torque about the centre of gravity, one set of axes.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Wrench {
    /// Newtons.
    pub force_n: DVec3,
    /// Newton metres.
    pub torque_nm: DVec3,
}

impl Wrench {
    fn push(&mut self, force_n: DVec3, place_m: DVec3) {
        self.force_n += force_n;
        self.torque_nm += place_m.cross(force_n);
    }
}

/// Accelerations in the course frame.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Acceleration {
    /// Of the centre of gravity, m/s².
    pub linear_mps2: DVec3,
    /// Rad/s².
    pub angular_radps2: DVec3,
}

/// Water flow that the rudder meets behind a keel at an angle: downwash takes this share of the leeway
/// (Larsson & Eliasson, Principles of Yacht Design).
const DOWNWASH: f64 = 0.45;
/// Share of thrust that a propeller keeps going astern.
const ASTERN: f64 = 0.6;

/// How a vessel answers everything that pulls at it at this tick.
#[must_use]
pub fn acceleration(class: &Class, state: &VesselState, water: &Water) -> Acceleration {
    acceleration_in_wash(class, state, water, None)
}

/// The same among the wash of others, about the vessel's centre of gravity as the sea's own waves are.
#[must_use]
pub fn acceleration_in_wash(
    class: &Class,
    state: &VesselState,
    water: &Water,
    wash: Option<&LocalWaves>,
) -> Acceleration {
    accelerate(class, state, water, wash, 0.0)
}

/// The same where waves of a significant height, metres, run with the wind besides those of the water, too
/// short to lift the vessel: all that they do is to hold it up.
#[must_use]
pub fn acceleration_in_chop(class: &Class, state: &VesselState, water: &Water, chop_m: f64) -> Acceleration {
    accelerate(class, state, water, None, chop_m)
}

fn accelerate(
    class: &Class,
    state: &VesselState,
    water: &Water,
    wash: Option<&LocalWaves>,
    chop_m: f64,
) -> Acceleration {
    let axes = rotation::axes(state.attitude);
    let mut over = waves::over_hull(&class.columns, &class.waves, &axes, &water.waves);
    if let Some(wash) = wash {
        // Waves of linear theory pass through each other.
        over.add(&waves::over_hull(&class.columns, &class.waves, &axes, wash));
    }
    let level = Level::of(&axes);
    let mut course = Wrench::default();
    float(class, state, water, &axes, &level, &over, &mut course);
    drag_hull(class, state, water, &level, &over, &mut course);
    hold_up(class, state, water, &level, chop_m, &mut course);
    super::ground::touch(class, state, water, &axes, &mut course);
    let mut body = Wrench::default();
    let spin = to_body(&axes, state.spin_radps);
    blades(class, state, water, &axes, &over, spin, &mut body);
    air(class, state, water, &axes, &mut body);
    let weight = class.mass_kg * GRAVITY_MPS2;
    course.force_n.z -= weight;
    // The crew's weight to windward; what it has left on the other side is in the centre of gravity.
    let hike = class.hike_nm * state.gear.crew * axes.z_axis.z.max(0.0);
    body.torque_nm.x -= hike;
    let force = body.force_n + to_body(&axes, course.force_n);
    let momentum = class.inertia_kgm2 * spin;
    let torque = body.torque_nm + to_body(&axes, course.torque_nm) - spin.cross(momentum);
    let (linear, angular) = inertia::times(&class.inverse, force, torque);
    Acceleration { linear_mps2: axes.mul_vec3(linear), angular_radps2: axes.mul_vec3(angular) }
}

/// How a vessel answers a push, course axes, by itself.
#[must_use]
pub fn answer(class: &Class, state: &VesselState, push: &Wrench) -> Acceleration {
    let axes = rotation::axes(state.attitude);
    let (force, torque) = (to_body(&axes, push.force_n), to_body(&axes, push.torque_nm));
    let (linear, angular) = inertia::times(&class.inverse, force, torque);
    Acceleration { linear_mps2: axes.mul_vec3(linear), angular_radps2: axes.mul_vec3(angular) }
}

/// Course axes to body axes.
pub(super) fn to_body(axes: &DMat3, v: DVec3) -> DVec3 {
    DVec3::new(axes.x_axis.dot(v), axes.y_axis.dot(v), axes.z_axis.dot(v))
}

/// The level frame of a heading: unit vectors forward and to port.
struct Level {
    forward: DVec2,
    port: DVec2,
}

impl Level {
    fn of(axes: &DMat3) -> Self {
        let flat = DVec2::new(axes.x_axis.x, axes.x_axis.y);
        let length = (flat.x * flat.x + flat.y * flat.y).sqrt();
        // Bow straight up or down: any heading will do.
        let forward = if length > 1e-6 { flat / length } else { DVec2::X };
        Self { forward, port: DVec2::new(-forward.y, forward.x) }
    }

    fn out(&self, forward: f64, port: f64, up: f64) -> DVec3 {
        let flat = self.forward * forward + self.port * port;
        DVec3::new(flat.x, flat.y, up)
    }
}

/// Buoyancy, wave pressure and its gradient over the columns; added mass and radiation damping against
/// the water's own motion (Newman, Marine Hydrodynamics, ch. 6: relative motion).
fn float(
    class: &Class,
    state: &VesselState,
    water: &Water,
    axes: &DMat3,
    level: &Level,
    over: &HullWaves,
    out: &mut Wrench,
) {
    let sums = Immersed::of(class, state, water, axes, over);
    let weight = WATER_KG_M3 * GRAVITY_MPS2;
    // Buoyancy stands upright in the course frame, at the centre of what is under water.
    let up = sums.volume * weight;
    let arm = axes.mul_vec3(DVec3::new(sums.x, sums.y, sums.z)) * weight;
    out.force_n.z += up;
    out.torque_nm += DVec3::new(arm.y, -arm.x, 0.0);
    // The wave's slope pushes the displaced volume as it would push the water in its place.
    let slope = level.out(-sums.slope_x * weight, -sums.slope_y * weight, 0.0);
    out.force_n += slope;
    let roll = weight * sums.slope_y_z;
    let pitch = -weight * sums.slope_x_z;
    let yaw = weight * (sums.slope_x_y - sums.slope_y_x);
    out.torque_nm += level.out(roll, pitch, yaw);
    // Added mass follows the water's acceleration, damping its velocity.
    let [surge, sway, heave, roll_added, pitch_added] = class.added;
    let mean = if sums.volume > 1e-6 { GRAVITY_MPS2 / sums.volume } else { 0.0 };
    let wet = (sums.volume / class.still.volume_m3).min(1.0);
    let aside_mps2 = -mean * sums.slope_y * wet;
    out.force_n += level.out(
        -surge * mean * sums.slope_x * wet,
        sway * aside_mps2,
        wet * (heave * over.lift[0] + class.damping[0] * (over.rise[0] - state.velocity_mps.z)),
    );
    let spin = DVec2::new(state.spin_radps.x, state.spin_radps.y);
    let (roll_rate, pitch_rate) = (spin.dot(level.forward), spin.dot(level.port));
    let roll = roll_added * over.lift[2] + class.damping[1] * (over.rise[2] - roll_rate);
    let pitch = -pitch_added * over.lift[1] + class.damping[2] * (-over.rise[1] - pitch_rate);
    // What is added in sway lies below the centre of gravity, for the water as for the boat.
    let [roll_sway, yaw_sway] = class.sway_arm;
    out.torque_nm += level.out(roll * wet + roll_sway * aside_mps2, pitch * wet, yaw_sway * aside_mps2);
}

/// Sums over the columns, each the immersed volume times what its name says; metres.
struct Immersed {
    volume: f64,
    x: f64,
    y: f64,
    z: f64,
    slope_x: f64,
    slope_y: f64,
    slope_x_y: f64,
    slope_y_x: f64,
    slope_x_z: f64,
    slope_y_z: f64,
}

impl Immersed {
    fn of(class: &Class, state: &VesselState, water: &Water, axes: &DMat3, over: &HullWaves) -> Self {
        // Height of the waterline's origin, and the tilt of a column: how far its bottom sinks along the
        // body's z for each metre of water.
        let origin = state.position_m.z - class.cg_m * axes.z_axis.z;
        let tilt = if axes.z_axis.z.abs() < 0.05 { 0.05 } else { axes.z_axis.z.abs() };
        let inverted = axes.z_axis.z < 0.0;
        wide::widest(Immersion {
            columns: &class.columns,
            head_m: &over.head_m,
            still_m: short(water.level_m - origin),
            rise: [short(axes.x_axis.z), short(axes.y_axis.z)],
            per: short(1.0 / tilt) * if inverted { -1.0 } else { 1.0 },
            inverted,
            cg_m: short(class.cg_m),
        })
    }
}

/// What it takes to know how deep each column is: work on lanes.
struct Immersion<'a> {
    columns: &'a Columns,
    head_m: &'a [f32; COLUMNS_MAX],
    /// Still water above the waterline's origin, metres.
    still_m: f32,
    /// Rise of the hull forward and to port.
    rise: [f32; 2],
    /// Length of a column along the body's z for each metre of height.
    per: f32,
    inverted: bool,
    cg_m: f32,
}

impl Work for Immersion<'_> {
    type Result = Immersed;

    #[inline(always)]
    fn run(self) -> Immersed {
        let Self { columns, head_m, still_m, rise: [rx, ry], per, inverted, cg_m } = self;
        // Waves are sampled on a grid as wide as the hull is on average; from there each column's own
        // place is reached by the slope, without which a hull with fine ends feels too little of it.
        let (slope_x, slope_y) = slopes(columns, head_m);
        // Ten sums in lanes of their own.
        let mut sums = [[0.0_f32; LANES]; 10];
        for block in 0..columns.grid.columns() / LANES {
            for lane in 0..LANES {
                let c = block * LANES + lane;
                let head = head_m[c] + slope_y[c] * columns.aside_m[c];
                let surface = ((still_m + head) - rx * columns.x_m[c] - ry * columns.y_m[c]) * per;
                let (length, moment) = immersed(columns, c, surface, inverted);
                let volume = length * columns.area_m2[c];
                let (x, y) = (volume * columns.x_m[c], volume * columns.y_m[c]);
                let z = moment * columns.area_m2[c] - cg_m * volume;
                let (along, across) = (slope_x[c], slope_y[c]);
                let parts = [
                    volume,
                    x,
                    y,
                    z,
                    volume * along,
                    volume * across,
                    y * along,
                    x * across,
                    z * along,
                    z * across,
                ];
                for (sum, part) in sums.iter_mut().zip(parts) {
                    sum[lane] += part;
                }
            }
        }
        let [volume, x, y, z, slope_x, slope_y, slope_x_y, slope_y_x, slope_x_z, slope_y_z] = sums.map(total);
        Immersed { volume, x, y, z, slope_x, slope_y, slope_x_y, slope_y_x, slope_x_z, slope_y_z }
    }
}

#[expect(clippy::cast_possible_truncation, reason = "metres near the hull, in single precision")]
const fn short(value: f64) -> f32 {
    value as f32
}

/// Immersed length of a column and its first moment about the waterline; see [`super::hull::Columns::immersion`].
#[inline(always)]
fn immersed(columns: &Columns, c: usize, surface: f32, inverted: bool) -> (f32, f32) {
    let (low, rise, deck) = (columns.low_m[c], columns.rise_m[c], columns.deck_m);
    let d = (surface - low).max(0.0);
    let e = (surface - low - rise).max(0.0);
    let over = (surface - deck).max(0.0);
    let length = (d * d - e * e) / (2.0 * rise) - over;
    let moment = surface * length - (d * d * d - e * e * e) / (6.0 * rise) + 0.5 * over * over;
    if inverted {
        // Under water is what lies above: the whole column less the part below the surface.
        let whole = deck - low - 0.5 * rise;
        let middle = 0.5 * (deck * deck - low * low) - 0.5 * rise * low - rise * rise / 6.0;
        (whole - length, middle - moment)
    } else {
        (length, moment)
    }
}

/// Slope of the head forward and to port at each column, by differences between neighbours.
#[inline(always)]
fn slopes(columns: &Columns, head: &[f32; COLUMNS_MAX]) -> ([f32; COLUMNS_MAX], [f32; COLUMNS_MAX]) {
    match columns.grid {
        Grid::Boat => slopes_of::<4>(columns, head),
        Grid::Ship => slopes_of::<8>(columns, head),
    }
}

/// The same on a grid of so many rows.
#[inline(always)]
fn slopes_of<const ROWS: usize>(
    columns: &Columns,
    head: &[f32; COLUMNS_MAX],
) -> ([f32; COLUMNS_MAX], [f32; COLUMNS_MAX]) {
    let (mut along, mut across) = ([0.0; COLUMNS_MAX], [0.0; COLUMNS_MAX]);
    let count = columns.grid.columns();
    let [_, dx, _, dy] = columns.grid_m;
    let (one, two) = (1.0 / dx, 0.5 / dx);
    for j in 0..ROWS {
        along[j] = (head[ROWS + j] - head[j]) * one;
        let last = count - ROWS + j;
        along[last] = (head[last] - head[last - ROWS]) * one;
    }
    for c in ROWS..count - ROWS {
        along[c] = (head[c + ROWS] - head[c - ROWS]) * two;
    }
    let (one, two) = (1.0 / dy, 0.5 / dy);
    for i in 0..columns.stations() {
        let c = i * ROWS;
        across[c] = (head[c + 1] - head[c]) * one;
        for j in 1..ROWS - 1 {
            across[c + j] = (head[c + j + 1] - head[c + j - 1]) * two;
        }
        across[c + ROWS - 1] = (head[c + ROWS - 1] - head[c + ROWS - 2]) * one;
    }
    (along, across)
}

/// Sum of lanes in one fixed order: halves onto halves.
#[inline(always)]
fn total(lanes: [f32; LANES]) -> f64 {
    let mut a = [0.0; 8];
    for n in 0..8 {
        a[n] = lanes[n] + lanes[n + 8];
    }
    f64::from(((a[0] + a[4]) + (a[2] + a[6])) + ((a[1] + a[5]) + (a[3] + a[7])))
}

/// Resistance along the keel and cross-flow drag of the canoe body, at half its draft.
fn drag_hull(
    class: &Class,
    state: &VesselState,
    water: &Water,
    level: &Level,
    over: &HullWaves,
    out: &mut Wrench,
) {
    let flow = water.current_mps + DVec2::new(over.drift_mps[0], over.drift_mps[1]);
    let velocity = DVec2::new(state.velocity_mps.x, state.velocity_mps.y);
    let ahead = velocity.dot(level.forward) - water.current_mps.dot(level.forward);
    let across = (velocity - flow).dot(level.port);
    let resistance = class.resistance.at(ahead);
    let down = class.cg_m + 0.5 * class.canoe_draft_m;
    let along = if ahead > 0.0 { -resistance } else { resistance };
    out.push(level.out(along, 0.0, 0.0), DVec3::new(0.0, 0.0, -down));
    let turn = state.spin_radps.z;
    let [side, yaw, damp] = class.slender;
    let speed = ahead.abs();
    out.push(level.out(0.0, -side * speed * across, 0.0), DVec3::new(0.0, 0.0, -down));
    // Flow from one side turns the bow away from its own motion: the hull wants to lie across.
    out.torque_nm.z -= yaw * ahead * across + damp * speed * turn;
    for [x, force] in class.slabs {
        let v = across + turn * x;
        out.push(level.out(0.0, -force * v * v.abs(), 0.0), level.out(x, 0.0, -down));
    }
}

/// Resistance that waves from forward of the beam add, full from ahead.
fn hold_up(class: &Class, state: &VesselState, water: &Water, level: &Level, chop_m: f64, out: &mut Wrench) {
    let wind_mps = (water.wind_mps.dot(water.wind_mps)).sqrt();
    if wind_mps < 0.1 {
        return;
    }
    let ahead = -water.wind_mps.dot(level.forward) / wind_mps;
    let head = ((ahead + 0.2) / 1.2).max(0.0);
    let through = (state.velocity_mps.truncate() - water.current_mps).dot(level.forward);
    let under_way = (through / class.hull_mps).clamp(0.0, 1.0);
    let height_m2 = chop_m * chop_m + short_height_m2(class, &water.waves);
    let force_n = class.chop_npm2 * height_m2 * head * under_way;
    out.push(level.out(-force_n, 0.0, 0.0), DVec3::new(0.0, 0.0, -class.cg_m));
}

/// Significant height squared of the waves, m², each counted by how short it is: the added resistance of
/// waves as long as the hull is the greatest, longer ones carry the hull along (Gerritsma & Beukelman 1972).
fn short_height_m2(class: &Class, waves: &LocalWaves) -> f64 {
    let scale = short(class.spec.hull.waterline_m / 4.0);
    let mut parts = [0.0_f32; WAVES];
    for ((part, k_radpm), amplitude_m) in parts.iter_mut().zip(waves.k_radpm).zip(waves.amplitude_m) {
        let ratio = k_radpm * scale;
        let fourth = ratio * ratio * ratio * ratio;
        *part = amplitude_m * amplitude_m * (fourth / (1.0 + fourth));
    }
    // The height is four times the root of the variance, half the square of each amplitude.
    let mut sum = 0.0_f32;
    for lane in 0..WAVES / 2 {
        sum += parts[lane] + parts[lane + WAVES / 2];
    }
    8.0 * f64::from(sum)
}

/// Keel, rudder and propeller, body axes.
fn blades(
    class: &Class,
    state: &VesselState,
    water: &Water,
    axes: &DMat3,
    over: &HullWaves,
    spin: DVec3,
    out: &mut Wrench,
) {
    let flow = DVec3::new(
        water.current_mps.x + over.drift_mps[0],
        water.current_mps.y + over.drift_mps[1],
        over.rise[0],
    );
    let through = to_body(axes, state.velocity_mps - flow);
    let mut downwash = 0.0;
    if let Some(keel) = &class.keel {
        let v = through + spin.cross(keel.place_m);
        let (x, y) = keel.force_n(v.x, v.y, (0.0, 1.0));
        out.push(DVec3::new(x, y, 0.0), keel.place_m);
        downwash = DOWNWASH * through.y;
    }
    let mut wash_mps = 0.0;
    if let Some(engine) = &class.engine {
        let throttle = state.gear.throttle;
        let slip = throttle * throttle.abs() - throttle.abs() * through.x / engine.pitch_speed_mps;
        let thrust = engine.bollard_n * slip * if slip < 0.0 { ASTERN } else { 1.0 };
        // At the depth of the hull's bottom, a little ahead of the rudder.
        let place = DVec3::new(0.9 * class.rudder.place_m.x, 0.0, -class.cg_m - class.canoe_draft_m);
        out.push(DVec3::new(thrust, 0.0, 0.0), place);
        // Momentum theory: the jet's speed over that of the water around it.
        let disc = std::f64::consts::FRAC_PI_4 * engine.propeller_m * engine.propeller_m;
        let u = through.x.max(0.0);
        let jet = (u * u + 2.0 * thrust.max(0.0) / (WATER_KG_M3 * disc)).sqrt() - u;
        wash_mps = engine.wash * jet;
    }
    let rudder = &class.rudder;
    let v = through + spin.cross(rudder.place_m);
    let turn = trig::sin_cos(state.gear.rudder_rad);
    let (x, y) = rudder.force_n(v.x + wash_mps, v.y - downwash, turn);
    out.push(DVec3::new(x, y, 0.0), rudder.place_m);
}

/// Sails and windage, body axes.
fn air(class: &Class, state: &VesselState, water: &Water, axes: &DMat3, out: &mut Wrench) {
    let velocity = to_body(axes, state.velocity_mps);
    // The wind is given over the ground; its profile starts at the water, which moves.
    let current = DVec3::new(water.current_mps.x, water.current_mps.y, 0.0);
    let wind = to_body(axes, DVec3::new(water.wind_mps.x, water.wind_mps.y, 0.0) - current);
    let velocity = velocity - to_body(axes, current);
    if let Some(sails) = &class.sails {
        let pull = sails.force(wind, velocity, &state.gear, class.cg_m);
        out.push(pull.force_n, pull.place_m);
    }
    let [[ahead, ahead_z], [abeam, abeam_z], [factor, _]] = class.windage;
    let apparent = wind * factor - velocity;
    let speed = (apparent.x * apparent.x + apparent.y * apparent.y).sqrt();
    out.push(DVec3::new(ahead * speed * apparent.x, 0.0, 0.0), DVec3::new(0.0, 0.0, ahead_z));
    out.push(DVec3::new(0.0, abeam * speed * apparent.y, 0.0), DVec3::new(0.0, 0.0, abeam_z));
}

/// Apparent wind at the masthead: speed, m/s, and angle off the bow, radians, positive from starboard.
#[must_use]
pub fn apparent_wind(class: &Class, state: &VesselState, water: &Water) -> (f64, f64) {
    let axes = rotation::axes(state.attitude);
    let mast_m = class.spec.rig.as_ref().map_or(2.0 * class.spec.hull.freeboard_m, |rig| rig.mast_m);
    let current = water.current_mps;
    let factor = sails::wind_factor(mast_m);
    let wind = (water.wind_mps - current) * factor + current;
    let velocity = DVec2::new(state.velocity_mps.x, state.velocity_mps.y);
    let apparent = wind - velocity;
    let level = Level::of(&axes);
    let (ahead, port) = (-apparent.dot(level.forward), -apparent.dot(level.port));
    let speed = (ahead * ahead + port * port).sqrt();
    (speed, crate::units::wrap_angle(trig::atan2(-port, ahead)))
}
