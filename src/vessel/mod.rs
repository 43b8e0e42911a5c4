//! One vessel: its boat, its state, and the forces on it.
//!
//! A [`BoatSpec`] says what a boat is built like; a [`Class`] is worked out from it once; a
//! [`VesselState`] is all that one tick hands to the next. [`forces::acceleration`] turns the state and
//! the [`crate::sea::Water`] around it into an acceleration, and [`motion`] moves the state. Nothing here
//! remembers anything between ticks.

pub mod boat;
pub mod certificate;
mod class;
mod file;
pub mod foil;
pub mod forces;
mod ground;
pub mod hull;
pub mod inertia;
pub mod motion;
pub mod outfit;
pub mod resistance;
pub mod rotation;
pub mod sails;
mod state;
pub mod trim;
pub mod wake;
pub mod waves;

pub use boat::{BoatError, BoatSpec, boats};
pub use class::{Class, at_rest};
pub use file::BoatFile;
pub use state::{Gear, Helm, Input, VesselState};
pub use wake::Wake;
