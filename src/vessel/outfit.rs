//! What a boat looks like and where its crew stands: the parts of a boat file that no force depends on.
//!
//! A viewer builds the boat from this; a region keeps nothing of it but the number of prims.

use serde::Deserialize;

use super::boat::{BoatError, BoatSpec, within};

/// Longest side of a prim, metres (Second Life's limit since 2011).
const PRIM_M_MAX: f64 = 64.0;
/// Shortest side of a prim, metres (the same).
const PRIM_M_MIN: f64 = 0.01;
/// Bytes of a prim's name.
const NAME_BYTES: usize = 64;
/// A bowsprit or boom may reach beyond the hull by this share of its length, and hands by that of its beam.
const BEYOND: f64 = 0.7;

/// Prims and crew places of one boat.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Outfit {
    /// Prims of hull, blades and rig.
    pub shell: Vec<ShellPrim>,
    /// Where each of the crew stands or sits, the helm first.
    pub crew: Vec<CrewPlace>,
}

/// One prim of a boat, along the boat's own axes.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ShellPrim {
    /// What it is.
    pub name: String,
    /// Its shape.
    pub kind: PrimKind,
    /// Its middle: forward of amidships, to port, above the waterline; metres.
    pub at_m: [f64; 3],
    /// Its sides: along, across, upright; metres.
    pub size_m: [f64; 3],
}

/// The shape of a prim.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum PrimKind {
    /// All sides at right angles.
    Box,
    /// Upright, its section the ellipse in the box.
    Cylinder,
    /// A box whose breadth tapers to nothing forward.
    Wedge,
    /// The ellipsoid in the box.
    Ball,
}

/// A place for one of the crew.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CrewPlace {
    /// What the person there does.
    pub role: Role,
    /// Where: forward of amidships, to port, above the waterline; metres.
    pub at_m: [f64; 3],
}

/// What one of the crew does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Steers.
    Helm,
    /// Trims the mainsail.
    Main,
    /// Trims the jib.
    Jib,
    /// Trims the spinnaker.
    Spinnaker,
    /// Works on the foredeck.
    Bow,
    /// Minds the engine.
    Engine,
    /// Works lines or a tow.
    Lines,
    /// Works nets.
    Nets,
    /// Looks out.
    Lookout,
}

impl Outfit {
    /// Checks all of it against the boat that it belongs to.
    ///
    /// # Errors
    /// Names what cannot be, and its range.
    pub(super) fn check(&self, boat: &BoatSpec) -> Result<(), BoatError> {
        let prims = usize::try_from(boat.prims).unwrap_or(usize::MAX);
        let taken = self.shell.len().saturating_add(self.crew.len());
        if taken > prims {
            return Err(BoatError(format!(
                "prims = {prims}: [[shell]] and [[crew]] take {taken}; raise it, or leave some out"
            )));
        }
        for (number, prim) in (1..).zip(&self.shell) {
            if prim.name.is_empty() || prim.name.len() > NAME_BYTES {
                return Err(BoatError(format!("shell {number} name: give it 1 to {NAME_BYTES} bytes")));
            }
            for side_m in prim.size_m {
                within(&format!("shell {number} size_m"), side_m, PRIM_M_MIN, PRIM_M_MAX)?;
            }
            aboard(&format!("shell {number} at_m"), prim.at_m, boat)?;
        }
        for (number, place) in (1..).zip(&self.crew) {
            aboard(&format!("crew {number} at_m"), place.at_m, boat)?;
        }
        if self.crew.first().is_some_and(|first| first.role != Role::Helm) {
            return Err(BoatError("crew 1 role: the first place is the helm's".to_owned()));
        }
        Ok(())
    }
}

/// Near enough to the boat to be part of it.
fn aboard(key: &str, [x, y, z]: [f64; 3], boat: &BoatSpec) -> Result<(), BoatError> {
    let keel_m = boat.keel.as_ref().map_or(0.0, |keel| keel.top_m + keel.span_m);
    let deep_m = keel_m.max(boat.rudder.top_m + boat.rudder.span_m).max(0.2 * boat.length_m);
    let high_m = boat.rig.as_ref().map_or(boat.length_m, |rig| 1.2 * rig.mast_m);
    within(key, x, -BEYOND * boat.length_m, BEYOND * boat.length_m)?;
    within(key, y, -BEYOND * boat.beam_m, BEYOND * boat.beam_m)?;
    within(key, z, -deep_m, high_m)
}

#[cfg(test)]
mod tests {
    use super::super::boat::boats;
    use super::super::file::BoatFile;

    #[test]
    fn every_boat_has_a_hull_to_look_at_and_places_for_its_crew() {
        for name in boats::names() {
            let file = BoatFile::from_toml(boats::text(name).unwrap(), name).unwrap();
            assert!(file.outfit.shell.len() >= 5, "{name}: hull");
            assert!(file.outfit.crew.len() >= 2, "{name}: crew");
        }
    }

    #[test]
    fn prims_that_do_not_fit_are_told() {
        let text = boats::text("launch").unwrap();
        for (from, to, key) in [
            ("prims = 12", "prims = 5", "prims = 5"),
            ("role = \"helm\"", "role = \"bow\"", "crew 1 role"),
            ("at_m = [0.2, 0.4, 1.1]", "at_m = [20.0, 0.4, 1.1]", "crew 1 at_m"),
            ("kind = \"wedge\"", "kind = \"torus\"", "torus"),
        ] {
            assert!(text.contains(from), "{from}");
            let error = BoatFile::from_toml(&text.replacen(from, to, 1), "x.toml").unwrap_err().to_string();
            assert!(error.starts_with("x.toml") && error.contains(key) && !error.contains('\n'), "{error}");
        }
    }
}
