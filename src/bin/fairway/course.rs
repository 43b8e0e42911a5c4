//! `fairway course`: a look at a course folder.

use std::collections::BTreeSet;
use std::path::PathBuf;

use clap::Subcommand;
use fairway::atlas::{self, Cell, Course, Measures};
use fairway::trig::heading;
use fairway::units::{NAUTICAL_MILE_M, degrees};
use glam::DVec2;

/// Looks at courses.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Read a course folder, check all of it, and print a summary, or everything that is wrong with it
    ///
    /// Exit status: 0 when the course can be sailed, 2 otherwise.
    Check {
        /// Course folder, with a course.toml in it
        dir: PathBuf,
    },
}

/// Does what was asked.
pub(crate) fn run(args: Args) -> Result<(), String> {
    let Verb::Check { dir } = args.verb;
    let course = atlas::check(&dir)
        .map_err(|errors| errors.iter().map(ToString::to_string).collect::<Vec<_>>().join("\nfairway: "))?;
    print(&course);
    Ok(())
}

/// A course in a page.
fn print(course: &Course) {
    let size = course.extent.max - course.extent.min;
    say!("{} ({})", course.title, course.name);
    say!(
        "extent    {:.1} × {:.1} km, {:.0} × {:.0} cells of {} m",
        size.x / 1000.0,
        size.y / 1000.0,
        size.x / course.cell_m,
        size.y / course.cell_m,
        course.cell_m
    );
    let start = jiff::Timestamp::from_second(course.epoch_unix_s)
        .and_then(|epoch| epoch.checked_add(jiff::SignedDuration::from_secs_f64(course.start.seconds())));
    if let Ok(start) = start {
        say!("start     {start}, tick {}; time limit {:.1} h", course.start.0, course.time_limit_s / 3600.0);
    }
    let climate = &course.climate;
    say!("climate   {:.1} m/s from {:03.0}°", climate.wind_mps, degrees(climate.wind_from_rad));
    let often = &climate.adventures;
    say!(
        "happens   {} fronts, {} squalls, {} thunderstorms a day; {} scripted events, {} rips",
        often.fronts_per_day,
        often.squalls_per_day,
        often.thunderstorms_per_day,
        course.events.len(),
        course.rips.len()
    );
    say!("legs");
    let mut total_m = 0.0;
    let mut cells = BTreeSet::new();
    for ((from, to), mark) in course.legs().zip(&course.marks) {
        let leg = to - from;
        total_m += leg.length();
        cells_between(course, from, to, &mut cells);
        let bearing_deg = degrees(heading(leg.x, leg.y));
        say!(
            "  {:<24} {:>6.2} nm on {bearing_deg:03.0}°  {}",
            mark.name,
            leg.length() / NAUTICAL_MILE_M,
            position(course, mark.place)
        );
    }
    say!("  {:<24} {:>6.2} nm, across {} cells", "in all", total_m / NAUTICAL_MILE_M, cells.len());
    say!("stations");
    for station in &course.stations {
        let kind = if station.measures == Measures::Height { "height" } else { "current" };
        say!("  {:<12} {kind:<8} {}", station.id, station.name);
    }
    say!("prims     {} of {} in a region", course.prims.len(), course.prims_per_region);
    say!("coast     {} rings", course.coast().rings().len());
}

/// A place as charts or grids write it.
fn position(course: &Course, place: DVec2) -> String {
    match (course.geographic_of(place), course.grid_region()) {
        (Some((lat_deg, lon_deg)), _) => format!("{lat_deg:.4} {lon_deg:.4}"),
        (None, Some([x, y])) => format!("{}/{} {:.0} {:.0}", x, y, place.x, place.y),
        (None, None) => String::new(),
    }
}

/// The cells that a straight leg touches, to a few metres.
fn cells_between(course: &Course, from: DVec2, to: DVec2, cells: &mut BTreeSet<Cell>) {
    let leg = to - from;
    let step_m = course.cell_m / 64.0;
    let mut along_m = 0.0;
    while along_m <= leg.length() {
        cells.insert(Cell::of(from + leg * (along_m / leg.length().max(1e-9)), course.cell_m));
        along_m += step_m;
    }
    cells.insert(Cell::of(to, course.cell_m));
}
