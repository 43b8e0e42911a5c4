//! Sails by the lift and drag tables of the ORC velocity prediction program.

use glam::DVec3;

use super::boat::RigSpec;
use super::resistance::interpolate;
use super::state::Gear;
use super::trim;
use crate::trig;
use crate::units::AIR_KG_M3;

/// Roughness of the sea in the wind's logarithmic profile, metres (open sea, WMO class 1).
pub const ROUGHNESS_M: f64 = 2e-4;

/// Two-dimensional coefficients by apparent wind angle, degrees, and the quadratic profile drag that goes
/// with lift (ORC VPP Documentation, section 5.2).
struct Table<const N: usize> {
    angle_deg: [f64; N],
    drag: [f64; N],
    lift: [f64; N],
    parasitic: f64,
}

const MAIN: Table<10> = Table {
    angle_deg: [0.0, 7.0, 9.0, 12.0, 28.0, 60.0, 90.0, 120.0, 150.0, 180.0],
    drag: [
        0.034_48, 0.017_24, 0.014_66, 0.014_66, 0.025_86, 0.113_02, 0.382_50, 0.968_88, 1.315_78, 1.344_83,
    ],
    lift: [0.0, 0.948_28, 1.137_93, 1.25, 1.426_81, 1.383_19, 1.267_24, 0.931_03, 0.387_93, -0.112_07],
    parasitic: 0.013_79,
};
const JIB: Table<10> = Table {
    angle_deg: [0.0, 7.0, 15.0, 20.0, 27.0, 50.0, 60.0, 100.0, 150.0, 180.0],
    drag: [0.003, 0.05, 0.032, 0.031, 0.037, 0.25, 0.35, 0.73, 0.95, 0.9],
    lift: [0.0, 0.0, 1.1, 1.475, 1.5, 1.45, 1.25, 0.4, 0.0, -0.1],
    parasitic: 0.016,
};
const SPINNAKER: Table<13> = Table {
    angle_deg: [0.0, 28.0, 41.0, 50.0, 60.0, 67.0, 75.0, 100.0, 115.0, 130.0, 150.0, 170.0, 180.0],
    drag: [
        0.0, 0.191_52, 0.281_52, 0.354_96, 0.439_20, 0.489_60, 0.532_80, 0.619_20, 0.658_80, 0.673_20,
        0.673_20, 0.673_20, 0.673_20,
    ],
    lift: [
        0.0, -0.024_84, 0.694_37, 0.906_77, 1.044, 1.08, 1.08, 0.957_60, 0.813_60, 0.612_00, 0.324_00,
        0.108_00, 0.0,
    ],
    parasitic: 0.026_39,
};
/// Effective height of the rig over the mast's, close-hauled to reaching (ORC VPP Documentation 5.3: the
/// jib closes the gap to the deck while it is sheeted in).
const HEIGHT_ANGLE_DEG: [f64; 4] = [0.0, 17.0, 45.0, 90.0];
const HEIGHT_FACTOR: [f64; 4] = [1.09, 1.31, 1.04, 0.88];
/// A jib held out by a pole draws as a spinnaker of so much its area: areas of spinnakers count the round of
/// the sail, which later ORC tables leave out (drag coefficient 0.935 for 0.673).
const POLED: f64 = 1.39;
/// What is left of an asymmetric spinnaker's drag when it is tacked to the centreline, over that on a pole
/// (ORC VPP Documentation, section 5.2).
const BLANKET_ANGLE_DEG: [f64; 3] = [130.0, 150.0, 180.0];
const BLANKET: [f64; 3] = [1.0, 0.8, 0.515];
/// Entries of the tables by angle, one to a degree and a half.
const ENTRIES: usize = 121;
const STEP_RAD: f64 = std::f64::consts::PI / 120.0;
/// Share by which a sail's centre sinks when it is flattened altogether: the head twists off.
const TWIST: f64 = 0.2;

/// One sail's coefficients times its area, at an angle.
#[derive(Clone, Copy, Debug, Default)]
struct Draw {
    lift_m2: f64,
    drag_m2: f64,
    parasitic_m2: f64,
}

/// The sails of a class.
#[derive(Clone, Debug)]
pub struct Sails {
    /// [main, jib, spinnaker] by angle.
    table: Box<[[Draw; 3]; ENTRIES]>,
    height_m: Box<[f64; ENTRIES]>,
    area_m2: [f64; 3],
    centre_m: [f64; 3],
    centre_x_m: f64,
    wind_factor: [f64; 3],
    mast_m: f64,
}

/// What the sails do in one tick.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct SailForce {
    /// Force, body axes, newtons; nothing along z.
    pub force_n: DVec3,
    /// Where it acts from the centre of gravity, body axes, metres.
    pub place_m: DVec3,
    /// The part of the drag that slows the air behind: all but that which lift induces, newtons.
    pub profile_n: f64,
}

/// Wind at a height over the wind at 10 m: the logarithmic profile, held below 0.5 m.
#[must_use]
pub fn wind_factor(height_m: f64) -> f64 {
    trig::ln(height_m.max(0.5) / ROUGHNESS_M) / trig::ln(10.0 / ROUGHNESS_M)
}

impl Sails {
    /// The sails of a rig; the centre of gravity lies `cg_x_m` forward of amidships.
    #[must_use]
    pub fn new(rig: &RigSpec, cg_x_m: f64) -> Self {
        // Without a spinnaker the jib is poled out in its place.
        let (kite_m2, kite_centre_m, kite) = if rig.spinnaker_m2 > 0.0 {
            (rig.spinnaker_m2, rig.spinnaker_centre_m, 1.0)
        } else {
            (rig.jib_m2, rig.jib_centre_m, POLED)
        };
        let area_m2 = [rig.main_m2, rig.jib_m2, kite_m2];
        let centre_m = [rig.main_centre_m, rig.jib_centre_m, kite_centre_m];
        let mut table = Box::new([[Draw::default(); 3]; ENTRIES]);
        let mut height_m = Box::new([0.0; ENTRIES]);
        let mut angle_deg = 0.0;
        for (draws, height) in table.iter_mut().zip(height_m.iter_mut()) {
            let mut kite = SPINNAKER.draw(angle_deg, kite * kite_m2);
            if rig.asymmetric {
                kite.drag_m2 *= interpolate(&BLANKET_ANGLE_DEG, &BLANKET, angle_deg);
            }
            *draws = [MAIN.draw(angle_deg, area_m2[0]), JIB.draw(angle_deg, area_m2[1]), kite];
            *height = rig.mast_m * interpolate(&HEIGHT_ANGLE_DEG, &HEIGHT_FACTOR, angle_deg);
            angle_deg += 1.5;
        }
        let wind_factor = centre_m.map(wind_factor);
        let centre_x_m = rig.centre_x_m - cg_x_m;
        Self { table, height_m, area_m2, centre_m, centre_x_m, wind_factor, mast_m: rig.mast_m }
    }

    /// Force of the sails.
    ///
    /// * `wind_mps`: true wind at 10 m over the water's surface, body axes
    /// * `velocity_mps`: of the boat over the ground, body axes
    /// * `cg_m`: height of the centre of gravity above the waterline
    #[must_use]
    pub fn force(&self, wind_mps: DVec3, velocity_mps: DVec3, gear: &Gear, cg_m: f64) -> SailForce {
        let share = [1.0, 1.0 - gear.spinnaker, gear.spinnaker];
        // Reefing shortens heights, so areas shrink with its square; a spinnaker is set or not.
        let reef = [gear.reef, gear.reef, gear.reef.max(0.5)];
        let (mut area, mut factor) = ([0.0; 3], 0.0);
        for n in 0..3 {
            area[n] = share[n] * reef[n] * reef[n];
            factor += area[n] * self.area_m2[n] * self.wind_factor[n];
        }
        let total_m2 = area[0] * self.area_m2[0] + area[1] * self.area_m2[1] + area[2] * self.area_m2[2];
        if total_m2 < 0.01 {
            return SailForce::default();
        }
        let apparent = wind_mps * (factor / total_m2) - velocity_mps;
        let (ahead, aside) = (-apparent.x, apparent.y);
        let square = ahead * ahead + aside * aside;
        if square < 1e-6 {
            return SailForce::default();
        }
        let angle = trig::atan2(aside.abs(), ahead);
        let draws = self.draws(angle);
        let trim = trim::trim(gear.sheet, angle);
        let (mut lift, mut drag, mut parasitic, mut high, mut weight) = (0.0, 0.0, 0.0, 0.0, 1e-9);
        for n in 0..3 {
            lift += area[n] * draws[n].lift_m2;
            drag += area[n] * draws[n].drag_m2;
            parasitic += area[n] * draws[n].parasitic_m2;
            let pull = area[n] * (draws[n].lift_m2.abs() + draws[n].drag_m2);
            weight += pull;
            high += pull * self.centre_m[n] * reef[n];
        }
        // Lift on the whole plan induces drag by the effective height (Prandtl).
        lift *= trim.lift * gear.flat;
        let height_m = self.lookup_height(angle);
        let span_m2 = std::f64::consts::PI * height_m * height_m * reef[1];
        let effective = trim.lift * gear.flat;
        let profile_m2 = drag * trim.drag + trim.drag_more * total_m2 + parasitic * effective * effective;
        let drag_m2 = profile_m2 + lift * lift / span_m2;
        let pressure = 0.5 * AIR_KG_M3 * square;
        let speed = square.sqrt();
        let (sine, cosine) = (aside / speed, ahead / speed);
        // Drag blows along the apparent wind; lift stands across it, to leeward and forward.
        let side = if sine < 0.0 { -1.0 } else { 1.0 };
        let x = pressure * (lift * sine.abs() - drag_m2 * cosine);
        let y = pressure * (lift * side * cosine + drag_m2 * sine);
        let centre_m = high / weight * (1.0 - TWIST * (1.0 - gear.flat)).min(self.mast_m);
        SailForce {
            force_n: DVec3::new(x, y, 0.0),
            place_m: DVec3::new(self.centre_x_m, 0.0, centre_m - cg_m),
            profile_n: pressure * profile_m2,
        }
    }

    fn lookup(angle_rad: f64) -> (usize, f64) {
        let place = (angle_rad / STEP_RAD).clamp(0.0, 119.999);
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped to the table")]
        let entry = place as usize;
        (entry, place - place.floor())
    }

    fn lookup_height(&self, angle_rad: f64) -> f64 {
        let (entry, share) = Self::lookup(angle_rad);
        self.height_m[entry] + share * (self.height_m[entry + 1] - self.height_m[entry])
    }

    fn draws(&self, angle_rad: f64) -> [Draw; 3] {
        let (entry, share) = Self::lookup(angle_rad);
        let (a, b) = (&self.table[entry], &self.table[entry + 1]);
        std::array::from_fn(|n| Draw {
            lift_m2: a[n].lift_m2 + share * (b[n].lift_m2 - a[n].lift_m2),
            drag_m2: a[n].drag_m2 + share * (b[n].drag_m2 - a[n].drag_m2),
            parasitic_m2: a[n].parasitic_m2 + share * (b[n].parasitic_m2 - a[n].parasitic_m2),
        })
    }
}

impl<const N: usize> Table<N> {
    fn draw(&self, angle_deg: f64, area_m2: f64) -> Draw {
        let lift = interpolate(&self.angle_deg, &self.lift, angle_deg);
        Draw {
            lift_m2: lift * area_m2,
            drag_m2: interpolate(&self.angle_deg, &self.drag, angle_deg) * area_m2,
            parasitic_m2: self.parasitic * lift * lift * area_m2,
        }
    }
}
