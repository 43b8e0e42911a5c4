//! What a sailor reads off the dials.

use glam::DVec2;

use super::Instruments;
use crate::sea::Sea;
use crate::units::Tick;
use crate::vessel::wake::Felt;
use crate::vessel::{Class, VesselState, forces, rotation};

#[expect(clippy::cast_possible_truncation, reason = "dials show single precision")]
const fn dial(value: f64) -> f32 {
    value as f32
}

/// Reads the instruments of a vessel at a tick, among the wakes of others.
pub(super) fn read(class: &Class, state: &VesselState, sea: &Sea, tick: Tick, felt: &Felt) -> Instruments {
    let place = DVec2::new(state.position_m.x, state.position_m.y);
    let mut water = sea.water(place, tick);
    water.wind_mps += felt.wind_mps;
    let axes = rotation::axes(state.attitude);
    let (wind_mps, wind_rad) = forces::apparent_wind(class, state, &water);
    let current = glam::DVec3::new(water.current_mps.x, water.current_mps.y, 0.0);
    Instruments {
        apparent_wind_mps: dial(wind_mps),
        apparent_wind_rad: dial(wind_rad),
        speed_mps: dial((state.velocity_mps - current).dot(axes.x_axis)),
        under_keel_m: dial(state.position_m.z - class.cg_m - class.draft_m() - water.bed_m),
        heel_rad: dial(rotation::heel_rad(&axes)),
        heading_rad: dial(rotation::heading_rad(&axes)),
        turn_radps: dial(-state.spin_radps.z),
        visibility_m: dial(sea.visibility_m(place, tick)),
    }
}
