//! A boat from the figures of its rating certificate alone.
//!
//! What a certificate does not print follows from what it does by proportions that sailing yachts share:
//! one set of constants for all boats, none for a single one.
//!
//! | figure | what follows from it |
//! |---|---|
//! | length over all | waterline, freeboard, places of keel and rudder |
//! | beam | beam of the waterline, roll gyradius |
//! | draft | spans of keel and rudder |
//! | displacement, crew | mass ready to sail |
//! | mainsail | hoist and mast, from an aspect ratio that mainsails share; heights of all centres |
//! | mainsail, genoa | areas of keel and rudder |
//! | all of them | metacentric height, by the regression that ORC uses where none was measured |
//! | wetted surface | itself; without it the Delft series' formula and the blades |

use serde::Deserialize;

use super::boat::{BoatError, BoatSpec, EngineSpec, HullSpec, KeelSpec, RigSpec, RudderSpec, within};
use super::hull::Shape;
use crate::trig;
use crate::units::{WATER_KG_M3, degrees};

/// Sailing length over length over all: this, and so much for each draft over length. Boats with long, shallow
/// keels have long overhangs, those with deep fins upright stems (eight ORC certificates, Folkboat to Class40).
const WATERLINE: [f64; 2] = [0.54, 1.75];
/// Beam of the waterline over the greatest beam, and the righting moment over ORC's default: fitted together
/// to the target speeds of 80 ORC certificates by a static velocity prediction with the Delft series'
/// resistance, as ours is.
const WATERLINE_BEAM: f64 = 0.746;
const RIGHTING: f64 = 1.18;
/// What the righting moment gains with each unit of length over the cube root of the volume beyond 6 (eight
/// ORC certificates).
const LIGHTNESS: f64 = 0.25;
/// Block coefficient of a canoe body (Delft series' middle).
const BLOCK: f64 = 0.38;
/// Share of the displacement that the canoe body has; blades have the rest.
const CANOE: f64 = 0.96;
/// Hoist over foot of a mainsail, and its area over that of the triangle between them.
const MAIN_ASPECT: f64 = 2.75;
const MAIN_ROACH: f64 = 1.22;
/// Areas of keel and rudder over that of main and jib (Larsson & Eliasson, Principles of Yacht Design).
const KEEL_AREA: f64 = 0.0275;
const RUDDER_AREA: f64 = 0.0105;

/// A boat file that gives a certificate's figures.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CertificateFile {
    /// The boat's name.
    pub name: String,
    /// Prims of hull and crew; about one a metre, and some, without the key.
    pub prims: Option<u32>,
    /// The figures.
    pub certificate: Certificate,
    /// Engine and propeller, which no certificate tells of.
    pub engine: Option<EngineSpec>,
}

/// The figures that an ORC certificate prints.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Certificate {
    /// LOA: length over all, metres.
    pub loa_m: f64,
    /// MB: greatest beam, metres.
    pub beam_m: f64,
    /// Draft, metres, blades included.
    pub draft_m: f64,
    /// Displacement in measurement trim, without crew, kilograms.
    pub displacement_kg: f64,
    /// Area of the mainsail, square metres.
    pub main_m2: f64,
    /// Area of the largest genoa or jib, square metres.
    pub genoa_m2: f64,
    /// Area of the symmetric spinnaker, square metres; 0 or none where there is none.
    #[serde(default)]
    pub spinnaker_m2: f64,
    /// Area of an asymmetric spinnaker on a sprit, square metres; the larger of the two is flown.
    #[serde(default)]
    pub asymmetric_m2: f64,
    /// IMSL: sailing length, metres, where it is known.
    pub waterline_m: Option<f64>,
    /// Righting moment at small heel, kilogram metres a degree, where the boat was inclined.
    pub righting_kgm_per_deg: Option<f64>,
    /// Weight of the crew, kilograms.
    pub crew_kg: f64,
    /// Wetted surface, square metres, where the certificate prints it.
    pub wetted_m2: Option<f64>,
}

/// What is worked out on the way.
struct Derived {
    mass_kg: f64,
    volume_m3: f64,
    waterline_m: f64,
    beam_m: f64,
    canoe_m: f64,
    freeboard_m: f64,
    /// Hoist of the mainsail, and the boom's height above the water.
    hoist_m: f64,
    boom_m: f64,
    main_centre_m: f64,
    jib_centre_m: f64,
    /// Of main and jib.
    area_m2: f64,
}

impl CertificateFile {
    /// The whole boat; check it before use.
    ///
    /// # Errors
    /// Names the figure that cannot be, and its range.
    pub fn spec(&self) -> Result<BoatSpec, BoatError> {
        let c = &self.certificate;
        c.check()?;
        let d = c.derive();
        let keel_m2 = KEEL_AREA * d.area_m2;
        let keel_top_m = (0.9 * d.canoe_m).min(0.6 * c.draft_m);
        let keel_span_m = c.draft_m - keel_top_m;
        let rudder_m2 = RUDDER_AREA * d.area_m2;
        let rudder_top_m = 0.06 * c.draft_m;
        let rudder_span_m = 0.68 * c.draft_m;
        Ok(BoatSpec {
            name: self.name.clone(),
            length_m: c.loa_m,
            beam_m: c.beam_m,
            prims: self.prims.unwrap_or_else(|| prims(c.loa_m)),
            mass_kg: d.mass_kg,
            crew_kg: c.crew_kg,
            hull: HullSpec {
                waterline_m: d.waterline_m,
                waterline_beam_m: d.beam_m,
                freeboard_m: d.freeboard_m,
                wetted_m2: c.wetted_m2.unwrap_or_else(|| c.wetted(&d, keel_m2 + rudder_m2)),
                metacentric_height_m: c.metacentric_height(&d),
                roll_gyradius_m: 0.4 * c.beam_m,
                pitch_gyradius_m: None,
                shape: Shape::Yacht,
            },
            keel: Some(KeelSpec {
                x_m: 0.005 * c.loa_m,
                top_m: keel_top_m,
                span_m: keel_span_m,
                chord_m: keel_m2 / keel_span_m,
            }),
            rudder: RudderSpec {
                x_m: -0.38 * c.loa_m,
                top_m: rudder_top_m,
                span_m: rudder_span_m,
                chord_m: rudder_m2 / rudder_span_m,
                limit_deg: 35.0,
                pace_degps: 40.0,
            },
            rig: Some(RigSpec {
                main_m2: c.main_m2,
                jib_m2: c.genoa_m2,
                spinnaker_m2: c.spinnaker_m2.max(c.asymmetric_m2),
                asymmetric: c.asymmetric_m2 > c.spinnaker_m2,
                mast_m: d.hoist_m + d.boom_m,
                main_centre_m: d.main_centre_m,
                jib_centre_m: d.jib_centre_m,
                spinnaker_centre_m: 0.594 * d.hoist_m + d.freeboard_m,
                centre_x_m: 0.017 * c.loa_m,
            }),
            engine: self.engine.clone(),
        })
    }
}

impl Certificate {
    fn check(&self) -> Result<(), BoatError> {
        let loa_m = self.loa_m;
        within("certificate.loa_m", loa_m, 2.0, super::boat::LENGTH_M_MAX)?;
        within("certificate.beam_m", self.beam_m, 0.15 * loa_m, 0.6 * loa_m)?;
        within("certificate.draft_m", self.draft_m, 0.05 * loa_m, 0.5 * loa_m)?;
        within("certificate.displacement_kg", self.displacement_kg, 10.0, 1e6)?;
        within("certificate.main_m2", self.main_m2, 0.5, 2.0 * loa_m * loa_m)?;
        within("certificate.genoa_m2", self.genoa_m2, 0.0, 2.0 * loa_m * loa_m)?;
        within("certificate.spinnaker_m2", self.spinnaker_m2, 0.0, 4.0 * loa_m * loa_m)?;
        within("certificate.asymmetric_m2", self.asymmetric_m2, 0.0, 4.0 * loa_m * loa_m)?;
        let waterline_m = self.waterline_m.unwrap_or(loa_m);
        within("certificate.waterline_m", waterline_m, 0.6 * loa_m, loa_m)?;
        if let Some(righting) = self.righting_kgm_per_deg {
            // A metacentric height of 5 to 70 % of the beam.
            let most = self.beam_m * (self.displacement_kg + self.crew_kg) / degrees(1.0);
            within("certificate.righting_kgm_per_deg", righting, 0.05 * most, 0.7 * most)?;
        }
        within("certificate.crew_kg", self.crew_kg, 0.0, self.displacement_kg)?;
        let wetted_m2 = self.wetted_m2.unwrap_or(self.beam_m * loa_m);
        within("certificate.wetted_m2", wetted_m2, 0.2 * self.beam_m * loa_m, 4.0 * self.beam_m * loa_m)
    }

    /// Sailing length, metres, within what hulls have.
    fn waterline(&self) -> f64 {
        let share = WATERLINE[0] + WATERLINE[1] * self.draft_m / self.loa_m;
        self.waterline_m.unwrap_or_else(|| share.clamp(0.75, 1.0) * self.loa_m)
    }

    fn derive(&self) -> Derived {
        let mass_kg = self.displacement_kg + self.crew_kg;
        let volume_m3 = CANOE * mass_kg / WATER_KG_M3;
        let (waterline_m, beam_m) = (self.waterline(), WATERLINE_BEAM * self.beam_m);
        let hoist_m = (2.0 * self.main_m2 * MAIN_ASPECT / MAIN_ROACH).sqrt();
        // Deck and boom rise with the length of cruiser-racers between 7 and 15 m.
        let freeboard_m = 0.35 + 0.075 * self.loa_m;
        let boom_m = 0.9 + 0.05 * self.loa_m;
        Derived {
            mass_kg,
            volume_m3,
            waterline_m,
            beam_m,
            canoe_m: volume_m3 / (BLOCK * waterline_m * beam_m),
            freeboard_m,
            hoist_m,
            boom_m,
            // Centres of effort at 0.39 of the hoist (ORC VPP Documentation, section 5.2).
            main_centre_m: 0.39 * hoist_m + boom_m,
            jib_centre_m: 0.398 * hoist_m + freeboard_m,
            area_m2: self.main_m2 + self.genoa_m2,
        }
    }

    /// ORC's default righting moment for boats that were not inclined (ORC VPP Documentation, section 4),
    /// kilogram metres a degree, over the mass: as a metacentric height.
    fn metacentric_height(&self, d: &Derived) -> f64 {
        if let Some(righting) = self.righting_kgm_per_deg {
            return righting * degrees(1.0) / d.mass_kg;
        }
        let side_m = trig::pow(d.volume_m3, 1.0 / 3.0);
        let arm_m = (d.main_centre_m * self.main_m2 + d.jib_centre_m * self.genoa_m2) / d.area_m2
            + 0.4 * self.draft_m;
        let share = -0.004_104_818_563_693_39
            - 0.000_039_990_005_644_1 * d.beam_m / d.canoe_m
            - 0.000_170_087_816_913_4 * side_m / d.waterline_m
            + 0.000_019_183_141_771_43 * d.area_m2 * arm_m / (d.beam_m * d.beam_m * d.beam_m)
            + 0.003_602_739_755_684_93 * d.beam_m / side_m;
        // The lighter a boat is for her length, the more of her weight is ballast, and the deeper it hangs.
        let light = (1.0 + LIGHTNESS * (self.loa_m / side_m - 6.0)).clamp(0.7, 1.4);
        let height_m = RIGHTING * light * 1.025 * share * d.waterline_m * degrees(1.0);
        // A keelboat's least and most, so that figures far from the regression's still float and are sailed.
        height_m.clamp(0.1 * d.beam_m, 0.95 * d.beam_m)
    }

    /// Canoe body by the Delft series (Keuning & Sonnenberg 1998), blades on both sides, m².
    fn wetted(&self, d: &Derived, blades_m2: f64) -> f64 {
        let midship = trig::pow(0.65 / 0.74, 1.0 / 3.0);
        (1.97 + 0.171 * d.beam_m / d.canoe_m) * midship * (d.volume_m3 * d.waterline_m).sqrt()
            + 2.0 * blades_m2
    }
}

/// Hull, rig and four people: about one prim a metre and a few.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a boat is 2 to 60 m long")]
fn prims(loa_m: f64) -> u32 {
    (loa_m + 3.0).floor() as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "name = \"First 40.7\"\n[certificate]\nloa_m = 11.924\nbeam_m = 3.77\ndraft_m = 2.45\n\
        displacement_kg = 7722.0\nmain_m2 = 46.77\ngenoa_m2 = 34.87\nspinnaker_m2 = 109.99\ncrew_kg = 739.0\n";

    #[test]
    fn certificate_gives_the_boat_that_drawings_give() {
        let spec = BoatSpec::from_toml(TEXT, "certificate").unwrap();
        let drawn = super::super::boat::boats::named("first407").unwrap();
        let near = |ours: f64, theirs: f64, share: f64, what: &str| {
            assert!((ours / theirs - 1.0).abs() < share, "{what}: {ours}, drawn {theirs}");
        };
        near(spec.hull.waterline_m, drawn.hull.waterline_m, 0.05, "waterline");
        near(spec.hull.wetted_m2, 32.33, 0.1, "wetted surface, which the certificate prints as 32.33");
        near(spec.hull.metacentric_height_m, drawn.hull.metacentric_height_m, 0.25, "metacentric height");
        let mast = |spec: &BoatSpec| spec.rig.as_ref().unwrap().mast_m;
        near(mast(&spec), mast(drawn), 0.05, "mast");
    }

    #[test]
    fn impossible_certificate_is_told_with_file_and_figure() {
        for (from, to) in
            [("draft_m = 2.45", "draft_m = 24.5"), ("main_m2 = 46.77", "main_m2 = nan"), ("crew_kg", "crew")]
        {
            let error = BoatSpec::from_toml(&TEXT.replace(from, to), "x.toml").unwrap_err().to_string();
            let key = to.split(' ').next().unwrap();
            assert!(error.starts_with("x.toml") && error.contains(key) && !error.contains('\n'), "{error}");
        }
    }
}
