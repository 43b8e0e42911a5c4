//! `fairway sea`: what the sea is like at a place and time.

#![expect(clippy::print_stdout, reason = "printing is what it is for")]

use std::path::PathBuf;
use std::sync::Arc;

use fairway::atlas::Course;
use fairway::sea::{Sea, SeaSample};
use fairway::trig::heading;
use fairway::units::{degrees, knots};
use jiff::Timestamp;

use crate::tide::Output;

/// Says what wind, current, waves, depth and visibility are at a place and time of a course.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Latitude in degrees, north positive; on a virtual grid region X, fractions included (1002.5)
    #[arg(allow_negative_numbers = true)]
    lat: f64,
    /// Longitude in degrees, east positive; on a virtual grid region Y, fractions included (1001.25)
    #[arg(allow_negative_numbers = true)]
    lon: f64,
    /// The moment, as RFC 3339: 2025-06-07T19:00:00Z [default: the course's start]
    #[arg(long, value_name = "TIME")]
    time: Option<Timestamp>,
    /// Course folder
    #[arg(long, value_name = "DIR", default_value = "regions/admiralty")]
    course: PathBuf,
    /// Seed of the sea [default: the course's]
    #[arg(long, value_name = "N")]
    seed: Option<u64>,
    /// How to print
    #[arg(short, long, value_enum, default_value_t = Output::Text)]
    output: Output,
}

/// Prints the sea.
pub(crate) fn run(args: Args) -> Result<(), String> {
    let course = Arc::new(Course::load(&args.course).map_err(|error| error.to_string())?);
    let place = if course.grid_region().is_some() {
        course.place_of_grid(args.lat, args.lon)
    } else {
        course.place_of(args.lat, args.lon)
    };
    let place = place.map_err(|error| error.to_string())?;
    if !course.extent.contains(place) {
        return Err(format!(
            "{} {} is {:.0} m outside the course {}; `fairway course check {}` shows its extent",
            args.lat,
            args.lon,
            course.extent.distance_m(place),
            course.name,
            args.course.display()
        ));
    }
    let tick = match args.time {
        None => course.start,
        Some(time) if time.as_second() < course.epoch_unix_s => {
            return Err(format!("--time {time} is before the course's epoch; give a later one"));
        }
        Some(time) => course.tick_at(time.as_duration().as_secs_f64()),
    };
    let sea = Sea::new(Arc::clone(&course), args.seed.unwrap_or(course.seed));
    let sample = sea.at(place, tick);
    match args.output {
        Output::Json => println!("{}", serde_json::to_string(&sample).map_err(|error| error.to_string())?),
        Output::Text => print(&sample),
    }
    Ok(())
}

/// The sea in sailors' units.
fn print(sample: &SeaSample) {
    let (wind, current) = (sample.wind_mps, sample.current_mps);
    println!("wind        {:.1} kn from {:03.0}°", knots(wind.length()), degrees(heading(-wind.x, -wind.y)));
    println!(
        "current     {:.2} kn to {:03.0}°",
        knots(current.length()),
        degrees(heading(current.x, current.y))
    );
    println!(
        "waves       {:.2} m, peak {:.1} s, from {:03.0}°",
        sample.wave_hs_m, sample.wave_tp_s, sample.wave_from_deg
    );
    if sample.depth_m > 0.0 {
        println!("depth       {:.1} m, tide included", sample.depth_m);
    } else {
        println!("depth       dry land");
    }
    println!("tide        {:.2} m above chart datum", sample.tide_m);
    println!("visibility  {:.1} km", sample.visibility_m / 1000.0);
}
