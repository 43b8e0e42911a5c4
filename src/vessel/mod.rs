//! One vessel: its boat, its state, and the forces on it.

mod boat;
mod state;

pub use boat::BoatSpec;
pub use state::{Gear, Helm, Input, VesselState};
