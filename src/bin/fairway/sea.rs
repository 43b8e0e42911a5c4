//! `fairway sea`: what the sea is like at a place and time.

use std::path::PathBuf;
use std::sync::Arc;

use fairway::atlas::Course;
use fairway::events;
use fairway::sea::{Sea, SeaSample};
use fairway::trig::heading;
use fairway::units::{degrees, knots};
use jiff::Timestamp;

use crate::tide::Output;
use crate::{sea_events, sea_map};

/// Says what wind, current, waves, depth and visibility are at a place and time of a course; `fairway sea map DIR`
/// draws one of them, `fairway sea events DIR` lists what will happen.
#[derive(Debug, clap::Args)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
pub(crate) struct Args {
    #[command(subcommand)]
    ask: Option<Ask>,
    /// Latitude in degrees, north positive; on a virtual grid region X, fractions included (1002.5)
    #[arg(allow_negative_numbers = true, required = true)]
    lat: Option<f64>,
    /// Longitude in degrees, east positive; on a virtual grid region Y, fractions included (1001.25)
    #[arg(allow_negative_numbers = true, required = true)]
    lon: Option<f64>,
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

/// What else one may ask about a course's sea.
#[derive(Debug, clap::Subcommand)]
enum Ask {
    /// List what will happen along a course: squalls, fronts, fog, swell, freak waves, overfalls.
    Events(sea_events::Args),
    /// Draw the stream, the wind, the waves or the depths of one moment on a chart.
    Map(sea_map::Args),
}

/// Prints the sea.
pub(crate) fn run(args: Args) -> Result<(), String> {
    match &args.ask {
        Some(Ask::Events(args)) => return sea_events::run(args),
        Some(Ask::Map(args)) => return sea_map::run(args),
        None => {}
    }
    let (Some(lat), Some(lon)) = (args.lat, args.lon) else {
        return Err(
            "a place is missing; give latitude and longitude, or `map DIR`, or `events DIR`".to_owned()
        );
    };
    let course = Arc::new(Course::load(&args.course).map_err(|error| error.to_string())?);
    let place = if course.grid_region().is_some() {
        course.place_of_grid(lat, lon)
    } else {
        course.place_of(lat, lon)
    };
    let place = place.map_err(|error| error.to_string())?;
    if !course.extent.contains(place) {
        return Err(format!(
            "{lat} {lon} is {:.0} m outside the course {}; `fairway course check {}` shows its extent",
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
        Output::Json => say!("{}", serde_json::to_string(&sample).map_err(|error| error.to_string())?),
        Output::Text => {
            print(&sample);
            for event in events::at(&sea, place, tick) {
                say!("now         {}: {}", event.what.name(), event.strength_text());
            }
        }
    }
    Ok(())
}

/// The sea in sailors' units.
fn print(sample: &SeaSample) {
    let (wind, current) = (sample.wind_mps, sample.current_mps);
    say!("wind        {:.1} kn from {:03.0}°", knots(wind.length()), degrees(heading(-wind.x, -wind.y)));
    say!("current     {:.2} kn to {:03.0}°", knots(current.length()), degrees(heading(current.x, current.y)));
    say!(
        "waves       {:.2} m, peak {:.1} s, from {:03.0}°",
        sample.wave_hs_m,
        sample.wave_tp_s,
        sample.wave_from_deg
    );
    if sample.depth_m > 0.0 {
        say!("depth       {:.1} m, tide included", sample.depth_m);
    } else {
        say!("depth       dry land");
    }
    say!("tide        {:.2} m above chart datum", sample.tide_m);
    say!("visibility  {:.1} km", sample.visibility_m / 1000.0);
}
