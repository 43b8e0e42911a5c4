//! Boat files: what sails of a boat, and what is looked at.

use serde::Deserialize;

use super::boat::{BoatError, BoatSpec, EngineSpec, HullSpec, KeelSpec, RigSpec, RudderSpec};
use super::certificate::CertificateFile;
use super::outfit::{CrewPlace, Outfit, ShellPrim};

/// A boat file that gives every dimension.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct DrawnFile {
    name: String,
    length_m: f64,
    beam_m: f64,
    prims: u32,
    mass_kg: f64,
    crew_kg: f64,
    hull: HullSpec,
    keel: Option<KeelSpec>,
    rudder: RudderSpec,
    rig: Option<RigSpec>,
    engine: Option<EngineSpec>,
    #[serde(default)]
    shell: Vec<ShellPrim>,
    #[serde(default)]
    crew: Vec<CrewPlace>,
}

/// All of a boat file: what sails, and what is looked at.
#[derive(Clone, Debug, PartialEq)]
pub struct BoatFile {
    /// What the forces are computed from.
    pub spec: BoatSpec,
    /// Prims and crew places.
    pub outfit: Outfit,
}

impl BoatFile {
    /// Reads a boat file and checks all of it; `file_name` is for the message. A file with a
    /// `[certificate]` gives a rating certificate's figures, and everything else follows from them
    /// (see [`super::certificate`]).
    ///
    /// # Errors
    /// Names the file, the key, what is wrong and what to do.
    pub fn from_toml(text: &str, file_name: &str) -> Result<Self, BoatError> {
        let refused = |error: &toml::de::Error| {
            let line =
                error.span().map_or(1, |span| 1 + text[..span.start.min(text.len())].matches('\n').count());
            let message = error.message().replace('\n', " ");
            BoatError(format!("{file_name}:{line}: {message}; see assets/boats/first407.toml for every key"))
        };
        let in_file = |error: BoatError| BoatError(format!("{file_name}: {error}"));
        let of_certificate = text.parse::<toml::Table>().is_ok_and(|table| table.contains_key("certificate"));
        let file = if of_certificate {
            let file: CertificateFile = toml::from_str(text).map_err(|error| refused(&error))?;
            let spec = file.spec().map_err(in_file)?;
            Self { spec, outfit: Outfit { shell: file.shell, crew: file.crew } }
        } else {
            let file: DrawnFile = toml::from_str(text).map_err(|error| refused(&error))?;
            let DrawnFile { name, length_m, beam_m, prims, mass_kg, crew_kg, .. } = file;
            let DrawnFile { hull, keel, rudder, rig, engine, shell, crew, .. } = file;
            let spec =
                BoatSpec { name, length_m, beam_m, prims, mass_kg, crew_kg, hull, keel, rudder, rig, engine };
            Self { spec, outfit: Outfit { shell, crew } }
        };
        file.spec.check().map_err(in_file)?;
        file.outfit.check(&file.spec).map_err(in_file)?;
        Ok(file)
    }
}
