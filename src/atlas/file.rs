//! The keys of `course.toml`, as they are written; `regions/README.md` explains them to owners.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::adventures::{Adventures, Happening};

/// Two numbers: latitude and longitude in degrees on Earth; metres east and north of the first region's
/// south-west corner on a virtual grid.
pub(super) type Place = [f64; 2];

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct CourseFile {
    pub(super) title: String,
    pub(super) seed: u64,
    pub(super) epoch: String,
    pub(super) start: String,
    pub(super) time_limit_s: f64,
    #[serde(default = "default_cell_m")]
    pub(super) cell_m: f64,
    #[serde(default = "default_prims_per_region")]
    pub(super) prims_per_region: u32,
    pub(super) place: PlaceTable,
    pub(super) depth: DepthTable,
    pub(super) tide: TideTable,
    pub(super) climate: ClimateTable,
    #[serde(default)]
    pub(super) swell: Vec<SwellTable>,
    /// A file with a wave spectrum, in place of the wind's own sea.
    pub(super) spectrum: Option<String>,
    pub(super) start_line: StartLineTable,
    pub(super) marks: Vec<MarkTable>,
    #[serde(default)]
    pub(super) prims: Vec<PrimTable>,
    #[serde(default)]
    pub(super) creatures: CreaturesTable,
    #[serde(default)]
    pub(super) rips: Vec<RipTable>,
    #[serde(default)]
    pub(super) events: Vec<EventTable>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct CreaturesTable {
    pub(super) frequency: f64,
    pub(super) monster: bool,
    pub(super) species: BTreeMap<String, f64>,
}

impl Default for CreaturesTable {
    fn default() -> Self {
        Self { frequency: 1.0, monster: false, species: BTreeMap::new() }
    }
}

fn default_cell_m() -> f64 {
    crate::limits::CELL_M
}

fn default_prims_per_region() -> u32 {
    crate::limits::PRIMS_PER_REGION
}

/// Either on Earth (`lat_deg`, `lon_deg`, `extent_m`, `coast`) or on a grid (`region`, `regions`).
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct PlaceTable {
    pub(super) lat_deg: Option<f64>,
    pub(super) lon_deg: Option<f64>,
    /// West, south, east, north.
    pub(super) extent_m: Option<[f64; 4]>,
    pub(super) coast: Option<String>,
    pub(super) region: Option<[u32; 2]>,
    pub(super) regions: Option<[u32; 2]>,
}

/// Either a heightmap or the shore rule.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct DepthTable {
    pub(super) heightmap: Option<String>,
    pub(super) spacing_m: Option<f64>,
    pub(super) lowest_m: Option<f64>,
    pub(super) step_m: Option<f64>,
    pub(super) shore_slope: Option<f64>,
    pub(super) deepest_m: Option<f64>,
}

/// Either a station file or a stated tide.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct TideTable {
    pub(super) stations: Option<String>,
    pub(super) stated: Option<StatedTable>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct StatedTable {
    pub(super) period_h: f64,
    pub(super) high_water: String,
    pub(super) mean_m: f64,
    pub(super) amplitude_m: f64,
    pub(super) flood_lead_h: f64,
    pub(super) flood_mps: f64,
    pub(super) ebb_mps: f64,
    pub(super) flood_to_deg: f64,
    pub(super) ebb_to_deg: f64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ClimateTable {
    pub(super) wind_mps: f64,
    pub(super) wind_from_deg: f64,
    #[serde(default = "default_shift_deg")]
    pub(super) shift_deg: f64,
    #[serde(default = "default_shift_share")]
    pub(super) shift_share: f64,
    #[serde(default = "default_gustiness")]
    pub(super) gustiness: f64,
    pub(super) fetch_m: f64,
    #[serde(default = "default_air_c")]
    pub(super) air_c: f64,
    #[serde(default = "default_dew_point_c")]
    pub(super) dew_point_c: f64,
    #[serde(default = "default_visibility_m")]
    pub(super) visibility_m: f64,
    #[serde(default = "default_fronts_per_day")]
    pub(super) fronts_per_day: f64,
    #[serde(default = "default_squalls_per_day")]
    pub(super) squalls_per_day: f64,
    #[serde(default = "default_thunderstorms_per_day")]
    pub(super) thunderstorms_per_day: f64,
    #[serde(default = "default_swell_trains_per_day")]
    pub(super) swell_trains_per_day: f64,
    #[serde(default = "default_freak_waves_per_day")]
    pub(super) freak_waves_per_day: f64,
}

fn default_fronts_per_day() -> f64 {
    Adventures::USUAL.fronts_per_day
}

fn default_squalls_per_day() -> f64 {
    Adventures::USUAL.squalls_per_day
}

fn default_thunderstorms_per_day() -> f64 {
    Adventures::USUAL.thunderstorms_per_day
}

fn default_swell_trains_per_day() -> f64 {
    Adventures::USUAL.swell_trains_per_day
}

fn default_freak_waves_per_day() -> f64 {
    Adventures::USUAL.freak_waves_per_day
}

fn default_shift_deg() -> f64 {
    6.0
}

fn default_shift_share() -> f64 {
    0.08
}

fn default_gustiness() -> f64 {
    1.0
}

fn default_air_c() -> f64 {
    14.0
}

fn default_dew_point_c() -> f64 {
    9.0
}

fn default_visibility_m() -> f64 {
    25_000.0
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SwellTable {
    pub(super) height_m: f64,
    pub(super) period_s: f64,
    pub(super) from_deg: f64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct StartLineTable {
    pub(super) port: Place,
    pub(super) starboard: Place,
    pub(super) heading_deg: f64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct MarkTable {
    pub(super) name: String,
    pub(super) at: Place,
    pub(super) radius_m: f64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct PrimTable {
    pub(super) name: String,
    pub(super) shape: ShapeName,
    pub(super) at: Place,
    #[serde(default)]
    pub(super) z_m: f64,
    #[serde(default)]
    pub(super) heading_deg: f64,
    /// Length, breadth, height of a box.
    pub(super) size_m: Option<[f64; 3]>,
    pub(super) radius_m: Option<f64>,
    pub(super) height_m: Option<f64>,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum ShapeName {
    Box,
    Cylinder,
    Ball,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RipTable {
    pub(super) name: String,
    pub(super) at: Place,
    pub(super) radius_m: f64,
    /// The current over it, over that around it.
    pub(super) strength: f64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct EventTable {
    pub(super) what: Happening,
    pub(super) at: Place,
    /// Either after the course's start, or at a time.
    pub(super) after_s: Option<f64>,
    pub(super) time: Option<String>,
    pub(super) lasts_s: Option<f64>,
    pub(super) radius_m: Option<f64>,
    pub(super) strength: Option<f64>,
    /// Its way: where it comes from, and how fast.
    pub(super) from_deg: Option<f64>,
    pub(super) speed_mps: Option<f64>,
}
