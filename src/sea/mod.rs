//! Waves, tide, current and depth, with the wind over them: pure functions of (course, seed, place, tick).

use std::sync::Arc;

use glam::DVec2;
use serde::Serialize;

use crate::atlas::{Area, Course};
use crate::trig::LANES;
use crate::units::Tick;

/// Wave components of a course's sea.
pub const WAVES: usize = 2 * LANES;

/// The sea of one course under one seed.
#[derive(Debug)]
pub struct Sea {
    course: Arc<Course>,
}

/// The sea at a place and tick, for people and instruments.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct SeaSample {
    /// Wind at 10 m, towards east and north, m/s.
    pub wind_mps: DVec2,
    /// Current, towards east and north, m/s.
    pub current_mps: DVec2,
    /// Significant wave height, metres.
    pub wave_hs_m: f64,
    /// Peak period, seconds.
    pub wave_tp_s: f64,
    /// Direction that the waves come from, degrees clockwise from north.
    pub wave_from_deg: f64,
    /// Depth of the water now, tide included, metres; 0 on dry land.
    pub depth_m: f64,
    /// Height of the tide above chart datum, metres.
    pub tide_m: f64,
    /// Visibility, metres.
    pub visibility_m: f64,
}

/// What one hull feels during one tick: constant over its length except for the waves' phases.
#[derive(Clone, Debug)]
pub struct Water {
    /// Wind at 10 m, m/s.
    pub wind_mps: DVec2,
    /// Current, m/s.
    pub current_mps: DVec2,
    /// Mean water level above the course frame's z = 0 (chart datum), metres.
    pub level_m: f64,
    /// Height of the seabed above z = 0, metres; negative under water.
    pub bed_m: f64,
    /// Slope of the seabed: rise per metre east and north.
    pub bed_slope: DVec2,
    /// The waves here.
    pub waves: LocalWaves,
}

/// The course's wave components about a reference place, structure of arrays.
///
/// Elevation at the offset (x, y) metres: Σ amplitude · cos 2π(phase + kx·x + ky·y), phase in turns.
#[derive(Clone, Debug)]
pub struct LocalWaves {
    /// Amplitude, metres.
    pub amplitude_m: [f32; WAVES],
    /// Phase at the reference place and tick, turns within [−0.5, 0.5].
    pub phase: [f32; WAVES],
    /// Wave number east, turns per metre. A crest runs towards (kx, ky): phase falls with time.
    pub kx: [f32; WAVES],
    /// Wave number north, turns per metre.
    pub ky: [f32; WAVES],
    /// Wave number, radians per metre.
    pub k_radpm: [f32; WAVES],
    /// Angular frequency, rad/s.
    pub omega_radps: [f32; WAVES],
}

impl Sea {
    /// The sea of a course under a seed.
    #[must_use]
    pub fn new(course: Arc<Course>, seed: u64) -> Self {
        let _ = seed;
        Self { course }
    }

    /// The course.
    #[must_use]
    pub fn course(&self) -> &Arc<Course> {
        &self.course
    }

    /// Computes ahead what [`Self::water`] will need within an area, so that the first tick need not.
    pub fn prepare(&self, area: Area) {
        let _ = area;
        unimplemented!()
    }

    /// The sea at a place and tick.
    #[must_use]
    pub fn at(&self, place: DVec2, tick: Tick) -> SeaSample {
        let _ = (place, tick);
        unimplemented!()
    }

    /// What a hull at a place feels at a tick.
    #[must_use]
    pub fn water(&self, place: DVec2, tick: Tick) -> Water {
        let _ = (place, tick);
        unimplemented!()
    }

    /// Height of the seabed above chart datum at a place, metres; positive on land.
    #[must_use]
    pub fn bed_m(&self, place: DVec2) -> f64 {
        let _ = place;
        unimplemented!()
    }
}
