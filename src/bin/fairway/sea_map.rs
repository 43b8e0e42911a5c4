//! `fairway sea map`: one layer of a course's sea at one moment, as a picture.

use std::path::PathBuf;
use std::sync::Arc;

use clap::ValueEnum;
use fairway::atlas::Course;
use fairway::chart::{Layer, sea_map};
use fairway::sea::Sea;
use jiff::Timestamp;

/// Where to look, when, and at what.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Course folder
    dir: PathBuf,
    /// The moment, as RFC 3339: 2025-06-07T19:00:00Z [default: the course's start]
    #[arg(long, value_name = "TIME")]
    time: Option<Timestamp>,
    /// What to show
    #[arg(long, value_enum)]
    layer: LayerWord,
    /// The picture
    #[arg(long, value_name = "FILE.svg")]
    plot: PathBuf,
    /// Seed of the sea [default: the course's]
    #[arg(long, value_name = "N")]
    seed: Option<u64>,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum LayerWord {
    /// The tidal stream
    Current,
    /// The mean wind at 10 m
    Wind,
    /// Significant wave height, and where waves run
    Waves,
    /// Depth with the tide in it
    Depth,
}

/// Draws the map.
pub(crate) fn run(args: &Args) -> Result<(), String> {
    let course = Arc::new(Course::load(&args.dir).map_err(|error| error.to_string())?);
    let tick = match args.time {
        None => course.start,
        Some(time) if time.as_second() < course.epoch_unix_s => {
            return Err(format!("--time {time} is before the course's epoch; give a later one"));
        }
        Some(time) => course.tick_at(time.as_duration().as_secs_f64()),
    };
    let layer = match args.layer {
        LayerWord::Current => Layer::Current,
        LayerWord::Wind => Layer::Wind,
        LayerWord::Waves => Layer::Waves,
        LayerWord::Depth => Layer::Depth,
    };
    let seed = args.seed.unwrap_or(course.seed);
    let svg = sea_map(&Sea::new(course, seed), tick, layer);
    std::fs::write(&args.plot, svg).map_err(|error| {
        format!(
            "--plot {}: cannot write it: {error}; give a file in a folder that exists",
            args.plot.display()
        )
    })
}
