//! `fairway tide`: heights and currents at a station.

use std::path::PathBuf;

use clap::ValueEnum;
use fairway::atlas::{Course, Measures, find_station, read_stations};
use fairway::sea::station_value;
use fairway::units::knots;
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;

/// Rows of one answer: a year of minutes, with room.
const ROWS: usize = 600_000;

/// Predicts the height of the tide or the speed of the current at a station, from its harmonic constants.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The station's id, or a part of its name that no other station has; case is ignored
    station: String,
    /// First moment, as RFC 3339: 2025-06-07T19:00:00Z
    #[arg(long, value_name = "TIME")]
    begin: Timestamp,
    /// Last moment, as RFC 3339; rows stop before or at it
    #[arg(long, value_name = "TIME")]
    end: Timestamp,
    /// Time between rows: 30s, 10m, 1h
    #[arg(long, default_value = "10m", value_parser = step)]
    step: SignedDuration,
    /// Course folder whose stations are meant
    #[arg(long, value_name = "DIR", default_value = "regions/admiralty", conflicts_with = "file")]
    course: PathBuf,
    /// Station file to read instead of a course's
    #[arg(long, value_name = "FILE")]
    file: Option<PathBuf>,
    /// How to print
    #[arg(short, long, value_enum, default_value_t = Output::Text)]
    output: Output,
}

/// How to print.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Output {
    /// A table for people
    Text,
    /// One JSON value
    Json,
}

#[derive(Serialize)]
struct Row {
    /// RFC 3339.
    time: String,
    /// Metres above chart datum, or knots, positive with the flood.
    value: f64,
    unit: &'static str,
}

/// Prints the prediction.
pub(crate) fn run(args: Args) -> Result<(), String> {
    let stations = match &args.file {
        Some(file) => read_stations(file).map_err(|error| error.to_string())?,
        None => Course::load(&args.course).map_err(|error| error.to_string())?.stations,
    };
    let station = find_station(&stations, &args.station)?;
    if args.end < args.begin {
        return Err(format!("--end {} is before --begin {}; swap them", args.end, args.begin));
    }
    let years = station.constituents.first_year..=station.constituents.last_year();
    for moment in [args.begin, args.end] {
        let year = moment.to_zoned(jiff::tz::TimeZone::UTC).year();
        if station.geographic_deg.is_some() && !years.contains(&year) {
            let (first, last) = years.into_inner();
            return Err(format!(
                "station {} knows the years {first} to {last}; {moment} is in none",
                station.id
            ));
        }
    }
    let unit = if station.measures == Measures::Height { "m" } else { "kn" };
    let mut rows = Vec::new();
    let mut moment = args.begin;
    while moment <= args.end {
        if rows.len() == ROWS {
            return Err(format!("more than {ROWS} rows from --begin to --end; give a longer --step"));
        }
        let value = station_value(station, moment.as_duration().as_secs_f64());
        let value = if unit == "m" { value } else { knots(value) };
        // A tenth of a millimetre, or of a thousandth of a knot: beyond, the constants know nothing.
        rows.push(Row { time: moment.to_string(), value: (value * 1e4).round() / 1e4, unit });
        moment = moment
            .checked_add(args.step)
            .map_err(|error| format!("--step leads out of the calendar: {error}"))?;
    }
    match args.output {
        Output::Json => say!("{}", serde_json::to_string(&rows).map_err(|error| error.to_string())?),
        Output::Text => {
            say!("{} ({})", station.name, station.id);
            let meaning =
                if unit == "m" { "height above chart datum" } else { "current, positive with the flood" };
            say!("{:<24} {meaning}", "time");
            for row in rows {
                say!("{:<24} {:>7.3} {}", row.time, row.value, row.unit);
            }
        }
    }
    Ok(())
}

/// A step of at least a second, as `10m`, `1h` or `30s`.
fn step(text: &str) -> Result<SignedDuration, String> {
    let step: SignedDuration = text.parse().map_err(|_| "write it like 30s, 10m or 1h".to_owned())?;
    if step < SignedDuration::from_secs(1) {
        return Err("give a second at least".into());
    }
    Ok(step)
}
