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
