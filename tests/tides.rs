//! Tides against XTide 2.15.2, a program of another's: every listed time of four stations.

#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "a test that cannot read its data fails")]

use std::path::{Path, PathBuf};

use fairway::atlas::{Measures, Station, find_station, read_stations};
use fairway::sea::station_value;
use fairway::units::knots;

/// Where the reference data lies; `None` where it is absent, which is said aloud and fails in CI.
fn shared(file: &str) -> Option<PathBuf> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared").join(file);
    if path.exists() {
        return Some(path);
    }
    assert!(std::env::var_os("FAIRWAY_REQUIRE_ALL").is_none(), "{} is absent", path.display());
    eprintln!("SKIPPED: {} is absent", path.display());
    None
}

/// The largest difference from XTide over all times of a file, metres or knots, and how many there were.
fn worst(station: &Station, raw: &Path) -> (f64, usize) {
    let text = std::fs::read_to_string(raw).unwrap();
    let differences: Vec<f64> = text
        .lines()
        .map(|line| {
            // The station's name has commas replaced; the last two columns are time and value.
            let mut columns = line.rsplit(',');
            let expected: f64 = columns.next().unwrap().parse().unwrap();
            let unix_s: f64 = columns.next().unwrap().parse().unwrap();
            let ours = station_value(station, unix_s);
            let ours = if station.measures == Measures::Height { ours } else { knots(ours) };
            (ours - expected).abs()
        })
        .collect();
    (differences.iter().copied().fold(0.0, f64::max), differences.len())
}

fn check(stations: &str, id: &str, raw: &str) {
    let (Some(stations), Some(raw)) = (shared(stations), shared(raw)) else { return };
    let stations = read_stations(&stations).unwrap();
    let (difference, count) = worst(find_station(&stations, id).unwrap(), &raw);
    println!("{id}: within {difference:.7} of XTide at {count} times");
    assert!(count >= 1000 && difference < 0.001, "{id}: off by {difference} at one of {count} times");
}

#[test]
fn port_townsend_height_agrees_with_xtide() {
    check("data/tides_salish.json", "9444900", "reference/tides/port_townsend_height.xtide-raw.csv");
}

#[test]
fn deception_pass_current_agrees_with_xtide() {
    check("data/tides_salish.json", "PUG1701_33", "reference/tides/deception_current.xtide-raw.csv");
}

#[test]
fn san_diego_current_agrees_with_xtide() {
    check("reference/tides/stations.json", "PCT0031_1", "reference/tides/sandiego_current.xtide-raw.csv");
}

#[test]
fn san_francisco_height_agrees_with_xtide() {
    check("reference/tides/stations.json", "9414290", "reference/tides/sf_height.xtide-raw.csv");
}

/// Each year has phases and node factors of its own: at New Year on a station's own meridian the tide of one
/// year goes over into that of the next, to a few centimetres or centimetres a second.
#[test]
fn years_meet_without_a_jump() {
    let stations = Path::new(env!("CARGO_MANIFEST_DIR")).join("regions/admiralty/stations.json");
    for station in read_stations(&stations).unwrap() {
        for years in [9_usize, 10, 11] {
            let new_year_s = station.constituents.year_start_s[years] - station.meridian_s;
            let new_year_s = f64::from(u32::try_from(new_year_s).unwrap());
            let before = station_value(&station, new_year_s - 1.0);
            let after = station_value(&station, new_year_s);
            assert!((before - after).abs() < 0.1, "{}: {before} then {after}", station.name);
        }
    }
}
