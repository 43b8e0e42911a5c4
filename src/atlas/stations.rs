//! Tide and current stations: harmonic constants, and where they were measured.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use glam::DVec2;
use serde::Deserialize;

use super::faults::Fault;
use super::files::read_text;
use crate::units::{FOOT_M, KNOT_MPS, radians};

/// Largest mean or amplitude at a station, in its own unit: the greatest tides have 55 feet from low to high.
const SWING_MAX: f64 = 200.0;
/// Largest angle in a station file, degrees: some tables do not wrap theirs.
const ANGLE_MAX_DEG: f64 = 36_000.0;
/// Fastest constituent, degrees an hour; M12 has 348.
const PACE_MAX_DEGPH: f64 = 1_000.0;
/// Largest node factor; the moon changes none by half.
const NODE_FACTOR_MAX: f64 = 10.0;

/// A direction in a station file that stands for "unknown", degrees.
const UNKNOWN_DEG: f64 = 361.0;

/// One constituent of the tide: how fast it turns, and where it stands at the start of each year.
#[derive(Clone, Debug)]
pub struct Constituent {
    /// Its name, as tidal tables have it: M2, K1, …
    pub name: String,
    /// Speed, radians per second.
    pub speed_radps: f64,
    /// Phase at the start of each year in the table, radians.
    pub phase_rad: Vec<f64>,
    /// Amplitude in each year over the mean one: the moon's node changes it over 18.6 years.
    pub node_factor: Vec<f64>,
}

/// Constituents by the year, from the first year of their tables.
#[derive(Clone, Debug)]
pub struct Constituents {
    /// The first year of every table.
    pub first_year: i16,
    /// Start of each year, seconds since the Unix epoch (UTC); one more than there are years.
    pub year_start_s: Vec<i64>,
    /// The constituents.
    pub list: Vec<Constituent>,
}

/// What a station measures.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Measures {
    /// Height of the tide above chart datum, metres.
    Height,
    /// Speed of the current, m/s; positive with the flood.
    Current {
        /// Unit vectors (east, north) of flood and ebb, where both are known.
        axis: Option<[DVec2; 2]>,
    },
}

/// One constituent at one station.
#[derive(Clone, Copy, Debug)]
pub struct Term {
    /// Its index in the constituents' list.
    pub constituent: usize,
    /// Mean amplitude, metres or m/s.
    pub amplitude: f64,
    /// Phase lag (the "epoch" of tidal tables), radians.
    pub lag_rad: f64,
}

/// A station with its constants.
#[derive(Clone, Debug)]
pub struct Station {
    /// Its number at the office that keeps it.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Latitude and longitude, degrees; none for a stated tide on a virtual grid.
    pub geographic_deg: Option<(f64, f64)>,
    /// Where it is, course frame, metres; zero where it was read without a course.
    pub place: DVec2,
    /// What it measures.
    pub measures: Measures,
    /// The mean, metres or m/s.
    pub offset: f64,
    /// Its time meridian, seconds east of Greenwich: years start there for its constants.
    pub meridian_s: i64,
    /// Its constants.
    pub terms: Vec<Term>,
    /// The constituents that the terms count in.
    pub constituents: Arc<Constituents>,
}

impl Constituents {
    /// The tables' last year.
    #[must_use]
    pub fn last_year(&self) -> i16 {
        let years = i16::try_from(self.year_start_s.len()).unwrap_or(i16::MAX);
        self.first_year.saturating_add(years).saturating_sub(2)
    }
}

/// Finds a station by its id, or by a part of its name that no other station has; case is ignored.
///
/// # Errors
/// Says that there is none, or lists those that match.
pub fn find_station<'a>(stations: &'a [Station], wanted: &str) -> Result<&'a Station, String> {
    if let Some(exact) = stations.iter().find(|station| station.id.eq_ignore_ascii_case(wanted)) {
        return Ok(exact);
    }
    let lower = wanted.to_lowercase();
    let matches: Vec<&Station> =
        stations.iter().filter(|station| station.name.to_lowercase().contains(&lower)).collect();
    let listed = |stations: &mut dyn Iterator<Item = &Station>| {
        stations.map(|station| format!("{} ({})", station.id, station.name)).collect::<Vec<_>>().join("; ")
    };
    match matches.as_slice() {
        [one] => Ok(one),
        [] => Err(format!(
            "unknown station \"{wanted}\": give one of these ids or a part of a name: {}",
            listed(&mut stations.iter())
        )),
        _ => Err(format!(
            "\"{wanted}\" is part of several stations' names: give one of these ids: {}",
            listed(&mut matches.into_iter())
        )),
    }
}

#[derive(Deserialize)]
struct StationFile {
    stations: Vec<StationRow>,
    constituents: BTreeMap<String, ConstituentRow>,
}

#[derive(Deserialize)]
struct StationRow {
    id: String,
    name: String,
    lat: f64,
    lon: f64,
    units: String,
    datum_offset: f64,
    zone_offset: i32,
    flood_dir_deg: f64,
    ebb_dir_deg: f64,
    constituents: BTreeMap<String, [f64; 2]>,
}

#[derive(Deserialize)]
struct ConstituentRow {
    speed_deg_per_h: f64,
    first_year: i16,
    #[serde(rename = "V0u_deg")]
    v0u_deg: Vec<f64>,
    node_factor: Vec<f64>,
}

/// Reads a station file; the stations' places stay zero until a course puts them into its frame.
///
/// # Errors
/// Names the file, the station and what is wrong with it.
pub fn read_stations(path: &Path) -> Result<Vec<Station>, super::CourseError> {
    parse(path, &read_text(path).map_err(Fault::into_error)?).map_err(Fault::into_error)
}

/// Reads the text of a station file; `name` is for the message.
///
/// # Errors
/// As [`read_stations`].
pub fn parse_stations(name: &str, text: &str) -> Result<Vec<Station>, super::CourseError> {
    parse(Path::new(name), text).map_err(Fault::into_error)
}

/// The stations in the text of a file.
pub(super) fn parse(path: &Path, text: &str) -> Result<Vec<Station>, Fault> {
    let file: StationFile = serde_json::from_str(text).map_err(|error| {
        Fault::new(
            path,
            format!("line {}", error.line()),
            format!("is not a station file: {error}"),
            "see regions/README.md for its keys",
        )
    })?;
    let names: Vec<&String> = file.constituents.keys().collect();
    let constituents = Arc::new(constituents(path, &file.constituents)?);
    file.stations.iter().map(|row| station(path, row, &names, &constituents)).collect()
}

/// The constituents' tables, checked.
fn constituents(path: &Path, rows: &BTreeMap<String, ConstituentRow>) -> Result<Constituents, Fault> {
    let fault = |name: &str, what: &str| {
        Fault::new(
            path,
            format!("constituents.{name}"),
            what.to_owned(),
            "copy its table from the source again",
        )
    };
    let mut list = Vec::with_capacity(rows.len());
    let mut tables: Option<(i16, usize)> = None;
    for (name, row) in rows {
        let years = row.v0u_deg.len();
        if row.node_factor.len() != years || years == 0 || years > 1000 {
            return Err(fault(name, "needs as many node factors as phases, at least one, at most 1000"));
        }
        if *tables.get_or_insert((row.first_year, years)) != (row.first_year, years) {
            return Err(fault(name, "covers other years than the constituents before it"));
        }
        // False for what is not a number, too.
        let sound = row.v0u_deg.iter().all(|deg| deg.abs() <= ANGLE_MAX_DEG)
            && row.node_factor.iter().all(|factor| (0.0..=NODE_FACTOR_MAX).contains(factor))
            && row.speed_deg_per_h.abs() <= PACE_MAX_DEGPH;
        if !sound {
            return Err(fault(name, "holds a number that no tide has"));
        }
        list.push(Constituent {
            name: name.clone(),
            speed_radps: radians(row.speed_deg_per_h) / 3600.0,
            phase_rad: row.v0u_deg.iter().map(|&deg| radians(deg)).collect(),
            node_factor: row.node_factor.clone(),
        });
    }
    let (first_year, years) =
        tables.ok_or_else(|| fault("", "is empty: a station's constants refer to its entries"))?;
    let year_start_s = (0..=i16::try_from(years).unwrap_or(i16::MAX))
        .map(|year| year_start_s(first_year.saturating_add(year)))
        .collect::<Option<Vec<_>>>()
        .ok_or_else(|| fault("", "starts in a year that no calendar has"))?;
    Ok(Constituents { first_year, year_start_s, list })
}

/// Start of a year in UTC, seconds since the Unix epoch.
fn year_start_s(year: i16) -> Option<i64> {
    let date = jiff::civil::Date::new(year, 1, 1).ok()?;
    Some(
        jiff::tz::Offset::UTC.to_timestamp(date.to_datetime(jiff::civil::Time::midnight())).ok()?.as_second(),
    )
}

/// One station, checked and in SI units.
fn station(
    path: &Path,
    row: &StationRow,
    names: &[&String],
    constituents: &Arc<Constituents>,
) -> Result<Station, Fault> {
    let fault = |what: String, remedy: &str| Fault::new(path, format!("station {}", row.id), what, remedy);
    let (unit, measures) = match row.units.as_str() {
        "feet" => (FOOT_M, Measures::Height),
        "meters" | "metres" => (1.0, Measures::Height),
        "knots" => (KNOT_MPS, Measures::Current { axis: axis(row.flood_dir_deg, row.ebb_dir_deg) }),
        other => {
            return Err(fault(format!("has the unit \"{other}\""), "give feet, metres or knots"));
        }
    };
    let angles = [row.lat, row.lon, row.flood_dir_deg, row.ebb_dir_deg];
    let terms = row.constituents.values();
    let sound = angles.iter().chain(terms.clone().map(|[_, lag]| lag)).all(|deg| deg.abs() <= ANGLE_MAX_DEG)
        && terms.map(|[amplitude, _]| amplitude).chain([&row.datum_offset]).all(|a| a.abs() <= SWING_MAX);
    if !sound {
        return Err(fault("holds a number that no tide has".into(), "copy it from the source again"));
    }
    let terms = row
        .constituents
        .iter()
        .map(|(name, &[amplitude, lag_deg])| {
            let constituent = names.binary_search(&name).map_err(|_| {
                fault(format!("refers to the constituent \"{name}\""), "add its table to `constituents`")
            })?;
            Ok(Term { constituent, amplitude: amplitude * unit, lag_rad: radians(lag_deg) })
        })
        .collect::<Result<Vec<_>, Fault>>()?;
    // A meridian of −800 is 8 h 00 min west.
    let meridian_s = i64::from(row.zone_offset / 100) * 3600 + i64::from(row.zone_offset % 100) * 60;
    Ok(Station {
        id: row.id.clone(),
        name: row.name.clone(),
        geographic_deg: Some((row.lat, row.lon)),
        place: DVec2::ZERO,
        measures,
        offset: row.datum_offset * unit,
        meridian_s,
        terms,
        constituents: Arc::clone(constituents),
    })
}

/// Unit vectors of flood and ebb, where both directions are known.
fn axis(flood_deg: f64, ebb_deg: f64) -> Option<[DVec2; 2]> {
    let known = |deg: f64| deg.to_bits() != UNKNOWN_DEG.to_bits() && (0.0..=360.0).contains(&deg);
    (known(flood_deg) && known(ebb_deg)).then(|| [super::toward(flood_deg), super::toward(ebb_deg)])
}

/// A tide that is stated instead of measured: one swing about a mean.
pub(super) struct StatedTide {
    pub(super) period_s: f64,
    /// A moment of high water, seconds since the Unix epoch.
    pub(super) high_water_unix_s: i64,
    pub(super) mean_m: f64,
    pub(super) amplitude_m: f64,
    /// By how much the strongest flood is ahead of high water, seconds.
    pub(super) flood_lead_s: f64,
    pub(super) flood_mps: f64,
    pub(super) ebb_mps: f64,
    pub(super) axis: [DVec2; 2],
}

impl StatedTide {
    /// The stations that say the same.
    pub(super) fn stations(&self, place: DVec2) -> Vec<Station> {
        let speed_radps = std::f64::consts::TAU / self.period_s;
        let constituent =
            Constituent { name: "stated".into(), speed_radps, phase_rad: vec![0.0], node_factor: vec![1.0] };
        // One endless "year" that starts at high water.
        let constituents = Arc::new(Constituents {
            first_year: 0,
            year_start_s: vec![self.high_water_unix_s, i64::MAX],
            list: vec![constituent],
        });
        let station = |id: &str, measures, offset, amplitude, lag_rad| Station {
            id: id.into(),
            name: format!("stated {id}"),
            geographic_deg: None,
            place,
            measures,
            offset,
            meridian_s: 0,
            terms: vec![Term { constituent: 0, amplitude, lag_rad }],
            constituents: Arc::clone(&constituents),
        };
        vec![
            station("height", Measures::Height, self.mean_m, self.amplitude_m, 0.0),
            station(
                "current",
                Measures::Current { axis: Some(self.axis) },
                0.5 * (self.flood_mps - self.ebb_mps),
                0.5 * (self.flood_mps + self.ebb_mps),
                -self.flood_lead_s * speed_radps,
            ),
        ]
    }
}
