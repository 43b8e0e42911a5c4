//! What all boats of one file share, worked out once: columns, masses, blades, sails.

use glam::{DVec2, DVec3};

use super::boat::{BoatSpec, EngineSpec};
use super::foil::Foil;
use super::hull::{self, Columns, Grid, HullForm, Hydrostatics};
use super::inertia::{self, Matrix6};
use super::resistance::{self, Body, Resistance};
use super::rotation;
use super::sails::Sails;
use super::state::{Gear, Helm, VesselState};
use super::waves::WaveShape;
use crate::trig;
use crate::units::{AIR_KG_M3, GRAVITY_MPS2, WATER_KG_M3, radians};

/// Added mass in heave over that of the strips of an endless hull: water also leaves at the ends, the more the
/// shorter the hull is for its breadth, and twice in pitch. At the length over breadth of a 10 m Wigley hull
/// (the first), with the powers by which it changes in heave and in pitch (Capytaine 3 on that hull and on a
/// 10 m box, at their natural frequencies).
const ENDS: [f64; 2] = [10.0 / 3.0, 0.80];
const HEAVE_ENDS: f64 = 0.5;
const PITCH_ENDS: f64 = 1.15;
/// Added mass of a strip in sway over that of its draft (the same run).
const SWAY_ADDED: f64 = 0.78;
/// Added mass in surge over the boat's mass (the same run).
const SURGE_ADDED: f64 = 0.05;
/// Added inertia in roll over density × breadth⁴ (the same run).
const ROLL_ADDED: f64 = 0.014;
/// Radiation damping in roll over the critical one (the same run).
const ROLL_DAMPING: f64 = 0.048;
/// Waves made by a hull in heave and in pitch over those of its strips by themselves: 1 − e^−(kL/c) and
/// 1 − e^−(kL/c)², as waves shorter than the hull leave it sideways, and of longer ones heave makes a
/// source and pitch but a pair of opposite sources (c from Capytaine 3 on a 10 m Wigley hull and a 10 m
/// box: damping within 6 %).
const HEAVE_REACH: f64 = 7.0;
const PITCH_REACH: f64 = 9.7;
/// Gyradius in pitch and yaw over the length (Larsson & Eliasson, Principles of Yacht Design).
const LONG_GYRADIUS: f64 = 0.25;
/// Lift of hull and keel over that of the keel alone: the hull mirrors it.
const CARRY_OVER: f64 = 1.3;
/// Effective span of the keel over the boat's draft (fitted to ORC certificates).
const EFFECTIVE_SPAN: f64 = 1.04;
/// Reach of a crew from the centreline over the beam.
const HIKE: f64 = 0.4;

/// Everything that the forces on a boat are computed from.
#[derive(Clone, Debug)]
pub struct Class {
    /// The file that it was made from.
    pub spec: BoatSpec,
    /// Columns about the centre of gravity.
    pub columns: Columns,
    /// How the hull meets waves.
    pub waves: WaveShape,
    /// Still-water figures.
    pub still: Hydrostatics,
    /// Draft of the canoe body, metres.
    pub canoe_draft_m: f64,
    /// Mass, kilograms.
    pub mass_kg: f64,
    /// Principal moments of inertia without the water's, kg m².
    pub inertia_kgm2: DVec3,
    /// Centre of gravity above the waterline, metres.
    pub cg_m: f64,
    /// Centre of gravity forward of amidships, metres.
    pub cg_x_m: f64,
    /// (M + A)⁻¹ over body axes.
    pub(super) inverse: Matrix6,
    /// Added mass in surge, sway, heave, kg, and roll, pitch, kg m².
    pub(super) added: [f64; 5],
    /// Moments in roll and yaw that the added mass in sway makes about the centre of gravity, kg m.
    pub(super) sway_arm: [f64; 2],
    /// Radiation damping in heave, N s/m, roll and pitch, N m s.
    pub(super) damping: [f64; 3],
    /// Resistance ahead.
    pub(super) resistance: Resistance,
    /// Added resistance in short head seas over their significant height squared, N/m².
    pub(super) chop_npm2: f64,
    /// Speed from which they hold it up in full, m/s.
    pub(super) hull_mps: f64,
    /// The keel, if any.
    pub(super) keel: Option<Foil>,
    /// The rudder.
    pub(super) rudder: Foil,
    /// Rudder limit and pace, radians and rad/s.
    pub(super) rudder_rad: [f64; 2],
    /// The hull cut in four for flow across it: x from the centre of gravity, metres, and the force at
    /// 1 m/s, N.
    pub(super) slabs: [[f64; 2]; 4],
    /// The canoe body as a slender wing, per m/s ahead: side force per m/s abeam, N; moment per m/s
    /// abeam, N m; moment per rad/s of turn, N m.
    pub(super) slender: [f64; 3],
    /// Moment of the crew at the rail, N m.
    pub(super) hike_nm: f64,
    /// Air: force at 1 m/s ahead and abeam, N, and the height of each above the centre of gravity, m.
    pub(super) windage: [[f64; 2]; 3],
    /// The sails, if any.
    pub(super) sails: Option<Sails>,
    /// The engine, if any.
    pub(super) engine: Option<EngineSpec>,
    /// Points that touch the ground, body axes from the centre of gravity.
    pub(super) feet: [DVec3; 8],
    /// Depth of the lowest foot below the centre of gravity when upright, metres.
    pub(super) reach_down_m: f64,
}

impl Class {
    /// Works a boat out.
    ///
    /// # Panics
    /// When the boat has not passed [`BoatSpec::check`].
    #[must_use]
    pub fn new(spec: &BoatSpec) -> Self {
        assert_eq!(spec.check(), Ok(()), "a class is made of a checked boat");
        let mut form = form_of(spec, 0.0);
        let grid = if spec.length_m < hull::SHIP_M { Grid::Boat } else { Grid::Ship };
        form.draft_m = hull::floating_draft_m(form, grid, spec.mass_kg);
        let mut columns = Columns::cut(&form, grid);
        let mut still = columns.hydrostatics();
        let cg_x_m = still.buoyancy_x_m;
        columns.shift(cg_x_m);
        still.buoyancy_x_m = 0.0;
        let cg_m =
            still.buoyancy_z_m + still.transverse_m4 / still.volume_m3 - spec.hull.metacentric_height_m;
        let blades = Blades::of(spec, cg_x_m, cg_m);
        let masses = Masses::of(spec, &columns, &still, cg_m, &blades);
        let body = Body {
            waterline_m: spec.hull.waterline_m,
            beam_m: spec.hull.waterline_beam_m,
            volume_m3: still.volume_m3,
            wetted_m2: canoe_wetted_m2(spec),
        };
        let feet = feet(spec, cg_x_m, cg_m, form.draft_m);
        let reach_down_m = feet.iter().fold(0.0_f64, |reach, foot| reach.max(-foot.z));
        Self {
            waves: wave_shape(&columns, &still, cg_m, &blades),
            canoe_draft_m: form.draft_m,
            mass_kg: spec.mass_kg,
            inertia_kgm2: masses.inertia,
            cg_m,
            cg_x_m,
            inverse: inertia::inverse(&masses.matrix),
            added: masses.added,
            sway_arm: masses.sway_arm,
            damping: masses.damping,
            resistance: Resistance::of(&body),
            hull_mps: 0.3 * (GRAVITY_MPS2 * spec.hull.waterline_m).sqrt(),
            chop_npm2: resistance::in_chop_npm2(&body),
            keel: blades.keel,
            rudder: blades.rudder,
            rudder_rad: [radians(spec.rudder.limit_deg), radians(spec.rudder.pace_degps)],
            slabs: slabs(&columns),
            slender: slender(&body, form.draft_m),
            hike_nm: spec.crew_kg * GRAVITY_MPS2 * HIKE * spec.beam_m,
            windage: windage(spec, cg_m),
            sails: spec.rig.as_ref().map(|rig| Sails::new(rig, cg_x_m)),
            engine: spec.engine.clone(),
            feet,
            reach_down_m,
            columns,
            still,
            spec: spec.clone(),
        }
    }

    /// Points on the hull from the centre of gravity, body axes, metres: deck, waterline and keel line at
    /// seven stations. Their convex hull is what others touch.
    #[must_use]
    pub fn outline_m(&self) -> Vec<DVec3> {
        let form = form_of(&self.spec, self.canoe_draft_m);
        let mut points = Vec::new();
        for share in [-1.0, -0.8, -0.4, 0.0, 0.4, 0.7, 0.9, 1.0] {
            let x = 0.5 * self.spec.length_m * share;
            let half = hull::Form::half_breadth_m(&form, x);
            let bottom = hull::Form::bottom_m(&form, x, 0.0);
            for (breadth, z) in [(1.0, self.spec.hull.freeboard_m), (0.85, 0.1), (0.4, 0.9 * bottom)] {
                for side in [-1.0, 1.0] {
                    let z = z.max(bottom) - self.cg_m;
                    points.push(DVec3::new(x - self.cg_x_m, side * breadth * half, z));
                }
            }
        }
        points
    }

    /// Area of mainsail and jib, m²; 0 without a rig.
    #[must_use]
    pub fn sails_m2(&self) -> f64 {
        self.spec.rig.as_ref().map_or(0.0, |rig| rig.main_m2 + rig.jib_m2)
    }

    /// Depth of the lowest point of the boat at rest, metres.
    #[must_use]
    pub fn draft_m(&self) -> f64 {
        self.reach_down_m - self.cg_m
    }
}

fn form_of(spec: &BoatSpec, draft_m: f64) -> HullForm {
    HullForm {
        shape: spec.hull.shape,
        length_m: spec.length_m,
        beam_m: spec.beam_m,
        waterline_m: spec.hull.waterline_m,
        waterline_beam_m: spec.hull.waterline_beam_m,
        draft_m,
        freeboard_m: spec.hull.freeboard_m,
    }
}

/// Wetted surface of the canoe body: the blades, wet on both sides, have their friction in their own drag.
fn canoe_wetted_m2(spec: &BoatSpec) -> f64 {
    let keel_m2 = spec.keel.as_ref().map_or(0.0, |keel| keel.span_m * keel.chord_m);
    let blades_m2 = 2.0 * (keel_m2 + spec.rudder.span_m * spec.rudder.chord_m);
    (spec.hull.wetted_m2 - blades_m2).max(0.6 * spec.hull.wetted_m2)
}

struct Blades {
    keel: Option<Foil>,
    keel_added_kg: f64,
    keel_middle_m: f64,
    rudder: Foil,
    rudder_added_kg: f64,
}

impl Blades {
    fn of(spec: &BoatSpec, cg_x_m: f64, cg_m: f64) -> Self {
        // Added mass of a plate across the flow, π/4 ρ chord² a metre of span, times a finite span's 0.8.
        let added = |span: f64, chord: f64| {
            let (long, short) = (span.max(chord), span.min(chord));
            0.8 * std::f64::consts::FRAC_PI_4 * WATER_KG_M3 * short * short * long
        };
        let mut keel = None;
        let (mut keel_added_kg, mut keel_middle_m) = (0.0, spec.rudder.top_m + 0.5 * spec.rudder.span_m);
        if let Some(k) = &spec.keel {
            let area_m2 = k.span_m * k.chord_m;
            let span_m = EFFECTIVE_SPAN * (k.top_m + k.span_m);
            let aspect = span_m * span_m / area_m2;
            // Lift stands a quarter of the chord behind the leading edge, a little above mid-span.
            let place =
                DVec3::new(k.x_m + 0.25 * k.chord_m - cg_x_m, 0.0, -(k.top_m + 0.45 * k.span_m) - cg_m);
            keel = Some(Foil::new(place, area_m2, aspect, CARRY_OVER));
            keel_added_kg = added(k.span_m, k.chord_m);
            keel_middle_m = k.top_m + 0.5 * k.span_m;
        }
        let r = &spec.rudder;
        let place = DVec3::new(r.x_m - cg_x_m, 0.0, -(r.top_m + 0.45 * r.span_m) - cg_m);
        // The hull above mirrors the rudder, less at its narrow end: 1.6 instead of 2 spans.
        let rudder = Foil::new(place, r.span_m * r.chord_m, 1.6 * r.span_m / r.chord_m, 1.0);
        Self { keel, keel_added_kg, keel_middle_m, rudder, rudder_added_kg: added(r.span_m, r.chord_m) }
    }
}

struct Masses {
    matrix: Matrix6,
    inertia: DVec3,
    added: [f64; 5],
    sway_arm: [f64; 2],
    damping: [f64; 3],
}

impl Masses {
    fn of(spec: &BoatSpec, columns: &Columns, still: &Hydrostatics, cg_m: f64, blades: &Blades) -> Self {
        let mass = spec.mass_kg;
        let long = spec.hull.pitch_gyradius_m.unwrap_or(LONG_GYRADIUS * spec.length_m);
        let roll = spec.hull.roll_gyradius_m;
        let inertia = DVec3::new(roll * roll, long * long, long * long) * mass;
        let mut matrix: Matrix6 = [[0.0; 6]; 6];
        inertia::add_at(&mut matrix, DVec3::ZERO, DVec3::splat(mass));
        for n in 0..3 {
            matrix[n + 3][n + 3] += inertia[n];
        }
        let dry = matrix;
        let dx = f64::from(columns.grid_m[1]);
        let (heave_ends, pitch_ends) = ends(columns);
        let (mut roll_added, mut pitch_lost) = (0.0, 0.0);
        for i in 0..columns.stations() {
            let (breadth, draft) = columns.station(i);
            let x_m = f64::from(columns.x_m[columns.of_station(i).start]);
            let place = DVec3::new(x_m, 0.0, -0.5 * draft - cg_m);
            let cylinder = std::f64::consts::PI / 8.0 * WATER_KG_M3 * breadth * breadth * dx;
            let heave = heave_ends * fullness(columns, i) * cylinder;
            pitch_lost += (1.0 - pitch_ends / heave_ends) * heave * x_m * x_m;
            let sway = SWAY_ADDED * std::f64::consts::FRAC_PI_2 * WATER_KG_M3 * draft * draft * dx;
            inertia::add_at(&mut matrix, place, DVec3::new(0.0, sway, heave));
            roll_added += ROLL_ADDED * WATER_KG_M3 * breadth * breadth * breadth * breadth * dx;
        }
        matrix[0][0] += SURGE_ADDED * mass;
        matrix[3][3] += roll_added;
        matrix[4][4] -= pitch_lost;
        if let Some(keel) = &blades.keel {
            inertia::add_at(&mut matrix, keel.place_m, DVec3::new(0.0, blades.keel_added_kg, 0.0));
        }
        inertia::add_at(&mut matrix, blades.rudder.place_m, DVec3::new(0.0, blades.rudder_added_kg, 0.0));
        let added = std::array::from_fn(|n| matrix[n][n] - dry[n][n]);
        let sway_arm = [matrix[3][1] - dry[3][1], matrix[5][1] - dry[5][1]];
        let stiff = hull::stiffness(still, cg_m);
        let critical = |stiffness: f64, n: usize| 2.0 * (stiffness.max(0.0) * matrix[n][n]).sqrt();
        let natural = |n: usize| (stiff[n - 2].max(1.0) / matrix[n][n]).sqrt();
        let damping = [
            radiation(columns, natural(2), false),
            ROLL_DAMPING * critical(stiff[1], 3),
            radiation(columns, natural(4), true),
        ];
        Self { matrix, inertia, added, sway_arm, damping }
    }
}

/// What the ends leave of the added mass in heave and in pitch.
fn ends(columns: &Columns) -> (f64, f64) {
    let (mut length_m, mut broadest_m) = (0.0, 0.0_f64);
    for i in 0..columns.stations() {
        let (breadth_m, _) = columns.station(i);
        if breadth_m > 0.0 {
            length_m += f64::from(columns.grid_m[1]);
        }
        broadest_m = broadest_m.max(breadth_m);
    }
    let slender = length_m / broadest_m.max(0.01) / ENDS[0];
    let left = |power: f64| (ENDS[1] * trig::pow(slender, power)).min(1.0);
    (left(HEAVE_ENDS), left(PITCH_ENDS))
}

/// Added mass of a section in heave over that of half a cylinder of its breadth, at high frequencies: the
/// conformal map with two terms that has its breadth, draft and area (Lewis 1929, "The inertia of the water
/// surrounding a vibrating ship").
fn fullness(columns: &Columns, station: usize) -> f64 {
    let (breadth_m, draft_m) = columns.station(station);
    if breadth_m <= 0.0 || draft_m <= 0.0 {
        return 1.0;
    }
    let dx = f64::from(columns.grid_m[1]);
    let wet = |c: usize| columns.immersion(c, 0.0).0 * f64::from(columns.area_m2[c]) / dx;
    let area_m2: f64 = columns.of_station(station).map(wet).sum();
    let slim = 0.5 * breadth_m / draft_m;
    let tilt = (slim - 1.0) / (slim + 1.0);
    // Sections thinner or fuller than these the map does not have.
    let full = (area_m2 / (breadth_m * draft_m)).clamp(0.45, 1.0) * 4.0 / std::f64::consts::PI;
    let c = 3.0 + full + (1.0 - full) * tilt * tilt;
    let third = (3.0 - c + (9.0 - 2.0 * c).max(0.0).sqrt()) / c;
    let first = (1.0 + third) * tilt;
    let whole = 1.0 + first + third;
    ((1.0 + first) * (1.0 + first) + 3.0 * third * third) / (whole * whole)
}

/// Damping by the waves that a hull makes in heave, N s/m, or pitch, N m s, at an angular frequency: each
/// strip's ρ g² A² / ω³, A = 2 sin(kB/2) e^−kT being the waves' height over its own motion (Yamamoto,
/// Fujino & Fukasawa 1978 for upright sides), less what the hull's length takes away.
fn radiation(columns: &Columns, omega_radps: f64, pitch: bool) -> f64 {
    let k = omega_radps * omega_radps / GRAVITY_MPS2;
    let dx = f64::from(columns.grid_m[1]);
    let (mut sum, mut length_m) = (0.0, 0.0);
    for i in 0..columns.stations() {
        let (breadth_m, _) = columns.station(i);
        if breadth_m <= 0.0 {
            continue;
        }
        length_m += dx;
        let section_m2: f64 = columns
            .of_station(i)
            .map(|c| columns.immersion(c, 0.0).0 * f64::from(columns.area_m2[c]) / dx)
            .sum();
        let half = (0.5 * k * breadth_m).min(std::f64::consts::FRAC_PI_2);
        let height = 2.0 * trig::sin(half) * trig::exp(-k * section_m2 / breadth_m);
        let x = f64::from(columns.x_m[columns.of_station(i).start]);
        sum += height * height * dx * if pitch { x * x } else { 1.0 };
    }
    let ratio = k * length_m / if pitch { PITCH_REACH } else { HEAVE_REACH };
    let share = 1.0 - trig::exp(-if pitch { ratio * ratio } else { ratio });
    let cube = omega_radps * omega_radps * omega_radps;
    WATER_KG_M3 * GRAVITY_MPS2 * GRAVITY_MPS2 / cube * sum * share
}

fn wave_shape(columns: &Columns, still: &Hydrostatics, cg_m: f64, blades: &Blades) -> WaveShape {
    let mut weight = [0.0; 4];
    let mut total = 0.0;
    for i in 0..columns.stations() {
        let (breadth, _) = columns.station(i);
        weight[i * 4 / columns.stations()] += breadth * breadth;
        total += breadth * breadth;
    }
    let bottom_m = still.volume_m3 / still.plane_m2;
    WaveShape::new(columns, bottom_m, blades.keel_middle_m, cg_m, weight.map(|w| w / total))
}

/// Cross-flow drag of the canoe body, coefficient 0.8 on its profile (Hoerner 1965, round bilges).
fn slabs(columns: &Columns) -> [[f64; 2]; 4] {
    let dx = f64::from(columns.grid_m[1]);
    let mut slabs = [[0.0; 2]; 4];
    let stations = columns.stations();
    let each = 4.0 / f64::from(u32::try_from(stations).unwrap_or(u32::MAX));
    for i in 0..stations {
        let slab = &mut slabs[i * 4 / stations];
        slab[0] += f64::from(columns.x_m[columns.of_station(i).start]) * each;
        slab[1] += 0.5 * WATER_KG_M3 * 0.8 * columns.station(i).1 * dx;
    }
    slabs
}

/// Linear derivatives of a hull under way (Clarke, Gedling & Hine 1983, "The application of manoeuvring
/// criteria in hull design using linear theory", regression on ship models).
fn slender(body: &Body, draft_m: f64) -> [f64; 3] {
    let (length, beam) = (body.waterline_m, body.beam_m);
    let block = body.volume_m3 / (length * beam * draft_m);
    let share = std::f64::consts::PI * (draft_m / length) * (draft_m / length);
    let side = share * (1.0 + 0.4 * block * beam / draft_m);
    let yaw = share * (0.5 + 2.4 * draft_m / length);
    let turn = share * (0.25 + 0.039 * beam / draft_m - 0.56 * beam / length);
    let square = 0.5 * WATER_KG_M3 * length * length;
    [square * side, square * length * yaw, square * length * length * turn.max(0.05 * share)]
}

/// Hull, mast and crew in the wind: drag areas by Hoerner's coefficients for bluff bodies.
fn windage(spec: &BoatSpec, cg_m: f64) -> [[f64; 2]; 3] {
    let free = spec.hull.freeboard_m;
    let mast_m = spec.rig.as_ref().map_or(2.0 * free, |rig| rig.mast_m);
    let rig_m2 = if spec.rig.is_some() { 0.0066 * mast_m * mast_m } else { 0.0 };
    let crew_m2 = 0.25 * spec.crew_kg / 85.0;
    let ahead = 0.68 * 0.7 * free * spec.beam_m + 0.9 * (rig_m2 + crew_m2);
    let abeam = 0.68 * 0.8 * free * spec.length_m + 0.9 * (rig_m2 + crew_m2);
    let q = 0.5 * AIR_KG_M3;
    let hull_z = 0.6 * free - cg_m;
    let share = rig_m2 / (rig_m2 + free * spec.length_m);
    let height = hull_z + share * 0.5 * mast_m;
    [[q * ahead, height], [q * abeam, height], [super::sails::wind_factor(free.max(1.0)), 0.0]]
}

/// Keel corners, bow, stern, bilges, rudder.
fn feet(spec: &BoatSpec, cg_x_m: f64, cg_m: f64, draft_m: f64) -> [DVec3; 8] {
    let half = 0.5 * spec.hull.waterline_m;
    let bilge = 0.35 * spec.hull.waterline_beam_m;
    let (x, chord, depth) = spec
        .keel
        .as_ref()
        .map_or((0.0, 0.5 * half, draft_m), |keel| (keel.x_m, keel.chord_m, keel.top_m + keel.span_m));
    let rudder_m = spec.rudder.top_m + spec.rudder.span_m;
    [
        DVec3::new(x + 0.5 * chord, 0.0, -depth),
        DVec3::new(x - 0.5 * chord, 0.0, -depth),
        DVec3::new(half, 0.0, -0.2 * draft_m),
        DVec3::new(-half, 0.0, -0.2 * draft_m),
        DVec3::new(0.2 * half, bilge, -0.8 * draft_m),
        DVec3::new(0.2 * half, -bilge, -0.8 * draft_m),
        DVec3::new(spec.rudder.x_m, 0.0, -rudder_m),
        DVec3::new(0.5 * half, 0.0, -0.8 * draft_m),
    ]
    .map(|foot| foot - DVec3::new(cg_x_m, 0.0, cg_m))
}

/// A boat at rest, upright on its waterline, on a heading; the water stands at `level_m` above z = 0.
#[must_use]
pub fn at_rest(class: &Class, place: DVec2, level_m: f64, heading_rad: f64) -> VesselState {
    VesselState {
        position_m: DVec3::new(place.x, place.y, level_m + class.cg_m),
        attitude: rotation::upright(heading_rad),
        velocity_mps: DVec3::ZERO,
        spin_radps: DVec3::ZERO,
        helm: Helm::default(),
        gear: Gear {
            rudder_rad: 0.0,
            sheet: 0.0,
            reef: 1.0,
            flat: 1.0,
            spinnaker: 0.0,
            throttle: 0.0,
            crew: 0.0,
        },
        session: 0,
        seq: 0,
    }
}
