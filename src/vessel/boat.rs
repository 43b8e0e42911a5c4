//! What a boat is built like, as its file says.

use serde::{Deserialize, Serialize};

use super::file::BoatFile;
pub use super::hull::Shape;

/// A boat file, checked: everything that the forces are computed from.
///
/// Distances along the hull count forward from amidships of the waterline; heights and depths from the
/// waterline at rest.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BoatSpec {
    /// Its name, unique among the boats of a course.
    pub name: String,
    /// Length over all, metres.
    pub length_m: f64,
    /// Greatest beam, metres.
    pub beam_m: f64,
    /// Prims of its hull and of the crew aboard: what a region must have room for.
    pub prims: u32,
    /// Mass ready to sail, crew included, kilograms.
    pub mass_kg: f64,
    /// The part of it that moves from rail to rail, kilograms.
    pub crew_kg: f64,
    /// The canoe body.
    pub hull: HullSpec,
    /// Fin or long keel; a boat without one slides sideways.
    pub keel: Option<KeelSpec>,
    /// The rudder.
    pub rudder: RudderSpec,
    /// Mast and sails, if any.
    pub rig: Option<RigSpec>,
    /// Engine and propeller, if any.
    pub engine: Option<EngineSpec>,
}

/// The canoe body of a boat.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HullSpec {
    /// Length of the waterline, metres.
    pub waterline_m: f64,
    /// Beam of the waterline, metres.
    pub waterline_beam_m: f64,
    /// Height of the deck's edge above the waterline, metres.
    pub freeboard_m: f64,
    /// Wetted surface, blades included, square metres.
    pub wetted_m2: f64,
    /// Transverse metacentric height, metres; sets the height of the centre of gravity.
    pub metacentric_height_m: f64,
    /// Gyradius of the boat in roll, metres.
    pub roll_gyradius_m: f64,
    /// Gyradius in pitch and yaw, metres; a quarter of the length without one.
    #[serde(default)]
    pub pitch_gyradius_m: Option<f64>,
    /// What its lines are like; a yacht's without a word.
    #[serde(default)]
    pub shape: Shape,
}

/// A keel of one chord.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KeelSpec {
    /// Middle of its chord, metres forward of amidships.
    pub x_m: f64,
    /// Depth of its root, metres.
    pub top_m: f64,
    /// From root to tip, metres.
    pub span_m: f64,
    /// Mean chord, metres.
    pub chord_m: f64,
}

/// A rudder of one chord.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RudderSpec {
    /// Its stock, metres forward of amidships: negative.
    pub x_m: f64,
    /// Depth of its root, metres.
    pub top_m: f64,
    /// From root to tip, metres.
    pub span_m: f64,
    /// Mean chord, metres.
    pub chord_m: f64,
    /// Greatest angle to either side, degrees.
    pub limit_deg: f64,
    /// How fast it turns, degrees a second.
    pub pace_degps: f64,
}

/// A sloop's rig.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RigSpec {
    /// Area of the mainsail, square metres.
    pub main_m2: f64,
    /// Area of the jib or genoa, square metres.
    pub jib_m2: f64,
    /// Area of the spinnaker or gennaker, square metres; 0 where there is none.
    pub spinnaker_m2: f64,
    /// Whether that is an asymmetric one, tacked to the centreline: before the wind the mainsail blankets it.
    #[serde(default)]
    pub asymmetric: bool,
    /// Height of the masthead above the waterline, metres.
    pub mast_m: f64,
    /// Height of the mainsail's centre of effort above the waterline, metres.
    pub main_centre_m: f64,
    /// Height of the jib's centre of effort above the waterline, metres.
    pub jib_centre_m: f64,
    /// Height of the spinnaker's centre of effort above the waterline, metres.
    pub spinnaker_centre_m: f64,
    /// Common centre of effort of the sails, metres forward of amidships.
    pub centre_x_m: f64,
}

/// Engine and propeller.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EngineSpec {
    /// Thrust ahead at full throttle and no way on, newtons.
    pub bollard_n: f64,
    /// Speed at which full throttle gives no thrust any more, m/s.
    pub pitch_speed_mps: f64,
    /// Diameter of the propeller, metres.
    pub propeller_m: f64,
    /// Share of the jet's speed, by momentum theory, that the whole rudder feels, 0 to 1: about a half
    /// where it stands in the jet, as its force cannot exceed what turning the jet gives.
    pub wash: f64,
}

impl BoatSpec {
    /// The same boat at another size, by Froude's law of similarity: what it does takes √`large` times as long.
    /// Crew and prims are those of the size.
    #[must_use]
    pub fn scaled(&self, large: f64) -> Self {
        let (area, mass) = (large * large, large * large * large);
        let hull = &self.hull;
        Self {
            name: format!("{} x {large}", self.name),
            length_m: self.length_m * large,
            beam_m: self.beam_m * large,
            prims: self.prims,
            mass_kg: self.mass_kg * mass,
            crew_kg: self.crew_kg * mass,
            hull: HullSpec {
                waterline_m: hull.waterline_m * large,
                waterline_beam_m: hull.waterline_beam_m * large,
                freeboard_m: hull.freeboard_m * large,
                wetted_m2: hull.wetted_m2 * area,
                metacentric_height_m: hull.metacentric_height_m * large,
                roll_gyradius_m: hull.roll_gyradius_m * large,
                pitch_gyradius_m: hull.pitch_gyradius_m.map(|gyradius_m| gyradius_m * large),
                shape: hull.shape,
            },
            keel: self.keel.as_ref().map(|keel| KeelSpec {
                x_m: keel.x_m * large,
                top_m: keel.top_m * large,
                span_m: keel.span_m * large,
                chord_m: keel.chord_m * large,
            }),
            rudder: RudderSpec {
                x_m: self.rudder.x_m * large,
                top_m: self.rudder.top_m * large,
                span_m: self.rudder.span_m * large,
                chord_m: self.rudder.chord_m * large,
                limit_deg: self.rudder.limit_deg,
                pace_degps: self.rudder.pace_degps / large.sqrt(),
            },
            rig: self.rig.as_ref().map(|rig| RigSpec {
                main_m2: rig.main_m2 * area,
                jib_m2: rig.jib_m2 * area,
                spinnaker_m2: rig.spinnaker_m2 * area,
                asymmetric: rig.asymmetric,
                mast_m: rig.mast_m * large,
                main_centre_m: rig.main_centre_m * large,
                jib_centre_m: rig.jib_centre_m * large,
                spinnaker_centre_m: rig.spinnaker_centre_m * large,
                centre_x_m: rig.centre_x_m * large,
            }),
            engine: self.engine.as_ref().map(|engine| EngineSpec {
                bollard_n: engine.bollard_n * mass,
                pitch_speed_mps: engine.pitch_speed_mps * large.sqrt(),
                propeller_m: engine.propeller_m * large,
                wash: engine.wash,
            }),
        }
    }
}

/// Why a boat cannot be used: file, key and remedy, in one line.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct BoatError(pub String);

/// Longest boat, metres: the reach of one cell of the contact grid.
pub const LENGTH_M_MAX: f64 = 60.0;
/// Bytes of a boat's name: it travels in every record.
const NAME_BYTES: usize = 64;
/// Prims of one boat: a tenth of a region.
const PRIMS_MAX: u32 = 75;

impl BoatSpec {
    /// What sails of a boat file, all of which is checked; see [`BoatFile::from_toml`].
    ///
    /// # Errors
    /// Names the file, the key, what is wrong and what to do.
    pub fn from_toml(text: &str, file_name: &str) -> Result<Self, BoatError> {
        Ok(BoatFile::from_toml(text, file_name)?.spec)
    }

    /// Checks every number: finite, and within what the model can sail.
    ///
    /// # Errors
    /// Names the key, its value and the range.
    pub fn check(&self) -> Result<(), BoatError> {
        if self.name.is_empty() || self.name.len() > NAME_BYTES || self.name.chars().any(char::is_control) {
            return Err(BoatError(format!("name: give it 1 to {NAME_BYTES} bytes of plain text")));
        }
        if self.prims == 0 || self.prims > PRIMS_MAX {
            return Err(BoatError(format!("prims = {}: must be 1 to {PRIMS_MAX}", self.prims)));
        }
        within("length_m", self.length_m, 2.0, LENGTH_M_MAX)?;
        within("beam_m", self.beam_m, 0.15 * self.length_m, 0.6 * self.length_m)?;
        self.check_hull()?;
        self.check_blades()?;
        if let Some(rig) = &self.rig {
            self.check_rig(rig)?;
        }
        if let Some(engine) = &self.engine {
            let weight_n = self.mass_kg * 9.81;
            within("engine.bollard_n", engine.bollard_n, 0.0, weight_n)?;
            within("engine.pitch_speed_mps", engine.pitch_speed_mps, 0.5, 20.0)?;
            within("engine.propeller_m", engine.propeller_m, 0.05, 0.3 * self.length_m)?;
            within("engine.wash", engine.wash, 0.0, 1.0)?;
        }
        Ok(())
    }

    fn check_hull(&self) -> Result<(), BoatError> {
        let hull = &self.hull;
        within("hull.waterline_m", hull.waterline_m, 0.6 * self.length_m, self.length_m)?;
        within("hull.waterline_beam_m", hull.waterline_beam_m, 0.5 * self.beam_m, self.beam_m)?;
        within("hull.freeboard_m", hull.freeboard_m, 0.03 * self.length_m, 0.4 * self.length_m)?;
        // A block coefficient of 0.4 at a beam-draft ratio from 1.5 to 12 bounds what can float level.
        let plan_m2 = hull.waterline_m * hull.waterline_beam_m;
        let (light, heavy) = (plan_m2 * hull.waterline_beam_m / 12.0, plan_m2 * hull.waterline_beam_m / 1.5);
        within("mass_kg", self.mass_kg, 410.0 * light, 410.0 * heavy)?;
        within("crew_kg", self.crew_kg, 0.0, 0.5 * self.mass_kg)?;
        within("hull.wetted_m2", hull.wetted_m2, 0.5 * plan_m2, 3.0 * plan_m2)?;
        let beam_m = hull.waterline_beam_m;
        within("hull.metacentric_height_m", hull.metacentric_height_m, 0.05 * beam_m, beam_m)?;
        within("hull.roll_gyradius_m", hull.roll_gyradius_m, 0.2 * self.beam_m, self.beam_m)?;
        let long_m = hull.pitch_gyradius_m.unwrap_or(0.25 * self.length_m);
        within("hull.pitch_gyradius_m", long_m, 0.1 * self.length_m, 0.5 * self.length_m)
    }

    fn check_blades(&self) -> Result<(), BoatError> {
        let half_m = 0.6 * self.length_m;
        if let Some(keel) = &self.keel {
            within("keel.x_m", keel.x_m, -half_m, half_m)?;
            within("keel.top_m", keel.top_m, 0.0, 0.3 * self.length_m)?;
            within("keel.span_m", keel.span_m, 0.05, 0.5 * self.length_m)?;
            within("keel.chord_m", keel.chord_m, 0.05, self.length_m)?;
        }
        let rudder = &self.rudder;
        within("rudder.x_m", rudder.x_m, -half_m, 0.0)?;
        within("rudder.top_m", rudder.top_m, 0.0, 0.3 * self.length_m)?;
        within("rudder.span_m", rudder.span_m, 0.05, 0.5 * self.length_m)?;
        within("rudder.chord_m", rudder.chord_m, 0.05, 0.3 * self.length_m)?;
        within("rudder.limit_deg", rudder.limit_deg, 5.0, 60.0)?;
        within("rudder.pace_degps", rudder.pace_degps, 1.0, 360.0)
    }

    fn check_rig(&self, rig: &RigSpec) -> Result<(), BoatError> {
        let area_max_m2 = self.length_m * self.length_m * 2.0;
        within("rig.main_m2", rig.main_m2, 0.0, area_max_m2)?;
        within("rig.jib_m2", rig.jib_m2, 0.0, area_max_m2)?;
        within("rig.spinnaker_m2", rig.spinnaker_m2, 0.0, area_max_m2)?;
        within("rig.main_m2 + rig.jib_m2", rig.main_m2 + rig.jib_m2, 0.5, area_max_m2)?;
        within("rig.mast_m", rig.mast_m, 1.0, 3.0 * self.length_m)?;
        within("rig.main_centre_m", rig.main_centre_m, 0.3, rig.mast_m)?;
        within("rig.jib_centre_m", rig.jib_centre_m, 0.3, rig.mast_m)?;
        within("rig.spinnaker_centre_m", rig.spinnaker_centre_m, 0.3, rig.mast_m)?;
        within("rig.centre_x_m", rig.centre_x_m, -0.5 * self.length_m, 0.5 * self.length_m)
    }
}

pub(super) fn within(key: &str, value: f64, low: f64, high: f64) -> Result<(), BoatError> {
    if value >= low && value <= high {
        Ok(())
    } else {
        Err(BoatError(format!("{key} = {value}: must be {low:.4} to {high:.4}")))
    }
}

/// The boats that come with Fairway.
pub mod boats {
    use std::sync::OnceLock;

    use super::BoatSpec;

    const FILES: [(&str, &str); 11] = [
        ("first407", include_str!("../../assets/boats/first407.toml")),
        ("launch", include_str!("../../assets/boats/launch.toml")),
        ("dinghy", include_str!("../../assets/boats/dinghy.toml")),
        ("keelboat", include_str!("../../assets/boats/keelboat.toml")),
        ("classic", include_str!("../../assets/boats/classic.toml")),
        ("racer", include_str!("../../assets/boats/racer.toml")),
        ("cruiser", include_str!("../../assets/boats/cruiser.toml")),
        ("schooner", include_str!("../../assets/boats/schooner.toml")),
        ("fishing", include_str!("../../assets/boats/fishing.toml")),
        ("tug", include_str!("../../assets/boats/tug.toml")),
        ("rescue", include_str!("../../assets/boats/rescue.toml")),
    ];

    /// Their short names, as files of courses and command lines say them.
    #[must_use]
    pub fn names() -> [&'static str; FILES.len()] {
        FILES.map(|(name, _)| name)
    }

    /// The boat file of a short name, if there is one.
    #[must_use]
    pub fn text(name: &str) -> Option<&'static str> {
        FILES.iter().find(|(known, _)| *known == name).map(|(_, text)| *text)
    }

    /// The boat of a short name, if there is one.
    ///
    /// # Panics
    /// Never: the files are part of the program and a test reads each.
    #[must_use]
    pub fn named(name: &str) -> Option<&'static BoatSpec> {
        static SPECS: OnceLock<Vec<BoatSpec>> = OnceLock::new();
        let specs = SPECS.get_or_init(|| {
            let read = |(name, text): &(&str, &str)| {
                BoatSpec::from_toml(text, name)
                    .unwrap_or_else(|error| panic!("a built-in boat is broken: {error}"))
            };
            FILES.iter().map(read).collect()
        });
        FILES.iter().position(|(known, _)| *known == name).map(|index| &specs[index])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn built_in_boats_pass_their_own_checks() {
        for name in boats::names() {
            let boat = boats::named(name).unwrap();
            assert_eq!(boat.check(), Ok(()));
            assert!(boat.length_m > 4.0);
        }
        assert!(boats::named("titanic").is_none());
    }

    #[test]
    fn broken_boat_file_is_told_in_one_line() {
        let text = include_str!("../../assets/boats/first407.toml");
        let typo = text.replace("beam_m = 3.77", "beem_m = 3.77");
        let error = BoatSpec::from_toml(&typo, "x.toml").unwrap_err().to_string();
        let line = 1 + typo.lines().position(|line| line.contains("beem_m")).unwrap();
        assert!(
            error.starts_with(&format!("x.toml:{line}:"))
                && error.contains("beem_m")
                && !error.contains('\n'),
            "{error}"
        );
        for (from, to) in [("mass_kg = 8461.0", "mass_kg = nan"), ("span_m = 1.9", "span_m = -1.0")] {
            let error = BoatSpec::from_toml(&text.replace(from, to), "x.toml").unwrap_err().to_string();
            assert!(error.contains(to.split(' ').next().unwrap()) && error.contains("must be"), "{error}");
        }
    }
}
