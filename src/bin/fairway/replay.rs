//! `fairway replay`: sails a record again in one undivided sea and holds every tick to its bits.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use fairway::atlas::Course;
use fairway::record::{Passage, ReplaySummary, replay_watched};
use indicatif::{ProgressBar, ProgressStyle};

use crate::outcome::Failure;
use crate::setup;

/// Replay the logs that `--record` wrote, undivided, and compare the hash of every published tick.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Directory of logs.
    dir: PathBuf,
    /// Folder of the course; by default the one that the record names.
    #[arg(long, value_name = "DIR")]
    course: Option<PathBuf>,
    /// What to print.
    #[arg(short, long, value_enum, default_value_t = Output::Text)]
    output: Output,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Output {
    /// For people.
    Text,
    /// One JSON object.
    Json,
}

/// Ticks between two movements of the progress bar.
const BAR_TICKS: u64 = 1_000;

/// Replays a directory; an error when a tick differs, is missing, or was published twice.
pub(crate) fn run(args: Args) -> Result<(), Failure> {
    if !args.dir.is_dir() {
        let dir = args.dir.display();
        return Err(Failure::Input(format!(
            "there is no folder {dir}; name one that `fairway sail --record` wrote"
        )));
    }
    let course = Arc::new(course(args.course, &args.dir)?);
    let bar = ProgressBar::no_length();
    if let Ok(style) = ProgressStyle::with_template("replay {bar:30} {percent} % of {len} ticks, {eta} left")
    {
        bar.set_style(style);
    }
    let summary = replay_watched(&args.dir, course, &mut |done, total| {
        if done % BAR_TICKS == 0 {
            bar.set_length(total);
            bar.set_position(done);
        }
    })
    .map_err(|error| Failure::Input(error.to_string()))?;
    bar.finish_and_clear();
    let text = match args.output {
        Output::Json => serde_json::to_string(&summary).map_err(|error| Failure::Broke(error.to_string()))?,
        Output::Text => describe(&summary),
    };
    writeln!(std::io::stdout(), "{text}")
        .map_err(|error| Failure::Broke(format!("cannot print: {error}")))?;
    if summary.holds() {
        return Ok(());
    }
    let why = if summary.logs_incomplete > 0 { "is incomplete and proves nothing" } else { "does not hold" };
    Err(Failure::Differs(format!("the record {why}; see above")))
}

/// The course that is named, or that a record names if it is still as it was.
fn course(named: Option<PathBuf>, record: &Path) -> Result<Course, Failure> {
    if let Some(folder) = named {
        return setup::course(&folder);
    }
    let passage = Passage::read(record);
    let passage = passage.map_err(|error| Failure::Input(format!("{error} with --course DIR")))?;
    let course = setup::course(&passage.course)?;
    if passage.digest != course.digest_hex() {
        return Err(Failure::Input(format!(
            "the course {} was changed since {} was recorded: take the change back, or name the course as it was \
             with --course DIR",
            passage.course.display(),
            record.display()
        )));
    }
    Ok(course)
}

fn describe(summary: &ReplaySummary) -> String {
    let ReplaySummary { logs, vessels, inputs, ticks_compared, epochs, mismatches, double, missing, .. } =
        summary;
    let mut text = format!(
        "vessels {vessels}, orders {inputs}, epochs {epochs}, logs {logs}\n\
         {ticks_compared} vessel-ticks compared: {mismatches} differ, {double} published twice, {missing} missing"
    );
    if summary.companies + summary.wakes_late > 0 {
        text += &format!(
            "\nwakes of others told {} times; {} samples came too late, {} are not the undivided sea's",
            summary.companies, summary.wakes_late, summary.wakes_strange
        );
    }
    if summary.resumed > 0 {
        text += &format!(
            "\n{} sailed on from a shadow after an owner died; {} ticks of history lost, {} not published between",
            summary.resumed, summary.history_lost, summary.interrupted
        );
    }
    if summary.logs_cut + summary.logs_incomplete > 0 {
        text += &format!("\n{} logs end early, {} are incomplete", summary.logs_cut, summary.logs_incomplete);
    }
    for (what, at) in [
        ("differs", summary.first_mismatch),
        ("missing", summary.first_missing),
        ("strange wake", summary.first_strange),
    ] {
        if let Some(at) = at {
            text += &format!("\nfirst {what}: vessel {} at tick {}", at.vessel.0, at.tick.0);
        }
    }
    text
}
