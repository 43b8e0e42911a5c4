//! `fairway sail`: a fleet of pilots, the harbour that books them, and how they fared.
//!
//! ```text
//! check everything ─▶ start the harbour ─▶ book ─▶ pilots aboard ─▶ watch ─▶ stop ─▶ summary
//! ```
//!
//! This process holds the lifeline that the harbour and all regions hang on: when it ends, for whatever
//! reason, they end.

mod chaos;
mod display;
mod fleet;
mod summary;
mod supervisor;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use fairway::atlas::Course;
use fairway::clock;
use fairway::harbour::answers::{PassageLine, StatusAnswer};
use fairway::harbour::client::HarbourClient;
use fairway::record::Passage;
use fairway::units::TICK_HZ;
use fairway::vessel::BoatSpec;

use crate::engine;
use crate::outcome::{Failure, Format};
use crate::setup;
use chaos::{Chaos, Strokes};
use display::Display;
use fleet::Fleet;
use summary::Summary;
use supervisor::{HarbourOptions, HarbourProcess};

/// Pause between two looks at the fleet.
const GLANCE: Duration = Duration::from_millis(200);
/// Looks at the harbour that may fail in a row before it is taken to be gone.
const MISSED_GLANCES: u32 = 50;
/// Vessels of one fleet at most: what a course's regions carry is checked by the harbour.
const VESSELS_MAX: u32 = 1_000;

/// Sail a fleet of pilots along a course, over regions that come and go with it.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Course folder, such as regions/admiralty.
    course: PathBuf,
    /// How many vessels sail.
    #[arg(long, value_name = "N", default_value_t = 6, value_parser = clap::value_parser!(u32).range(1..=i64::from(VESSELS_MAX)))]
    vessels: u32,
    /// Which boats: names, or boat files, dealt out in turn; may be given several times.
    #[arg(long, value_name = "NAME|FILE", default_value = "first407")]
    boat: Vec<String>,
    /// Seed of the sea and of the pilots; the course's own without it.
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    seed: Option<u64>,
    /// When course time starts, such as 2026-06-01T12:00:00Z; the course's own start without it.
    #[arg(long, value_name = "TIME")]
    start: Option<String>,
    /// End after so much course time, such as 20m or 2h; who is still under way then has not failed.
    #[arg(long = "for", value_name = "DURATION", value_parser = setup::duration_s)]
    end_after_s: Option<f64>,
    /// Seconds of course time in one second.
    #[arg(long, value_name = "W", default_value = "30", value_parser = setup::warp)]
    warp: f64,
    /// Write what replays this sail to this folder.
    #[arg(long, value_name = "DIR")]
    record: Option<PathBuf>,
    /// Draw the tracks on a chart.
    #[arg(long, value_name = "FILE.svg")]
    plot: Option<PathBuf>,
    /// Kill, stop and delay regions and the harbour at random while they sail, by this seed.
    #[arg(long, value_name = "SEED")]
    chaos: Option<u64>,
    /// How to print the summary.
    #[arg(short, long, value_name = "FORMAT", default_value = "text")]
    output: Format,
    /// The one UDP port number of all regions; a free one without it.
    #[arg(long, value_name = "N")]
    port: Option<u16>,
    /// TCP port of the harbour's HTTP interface; a free one without it.
    #[arg(long, value_name = "N")]
    http_port: Option<u16>,
    #[command(flatten)]
    engine: engine::Args,
}

/// Why the watch ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// Every passage is over.
    AllOver,
    /// The time that was asked for is over.
    TimeUp,
    /// A person ended it.
    Interrupted,
}

/// Everything that was checked before anything was started.
struct Plan {
    course: Arc<Course>,
    boats: Vec<BoatSpec>,
    seed: u64,
    harbour: HarbourOptions,
}

/// Runs the command.
///
/// # Errors
/// [`Failure::NotArrived`] when a passage did not arrive in its own time; the others as their names say.
pub(crate) fn run(args: Args) -> Result<(), Failure> {
    let signals = setup::signals()?;
    let plan = check(&args)?;
    let began = clock::now();
    let mut harbour = HarbourProcess::start(plan.harbour.clone(), &signals)?;
    let client = HarbourClient::new(harbour.http());
    let sailed = sail(&args, &plan, &client, &mut harbour, &signals);
    let sailed = match sailed {
        Ok(sailed) => sailed,
        Err(failure) => {
            harbour.end_now();
            return Err(failure);
        }
    };
    let summary = Summary::new(&args, &plan.course, plan.seed, sailed, began);
    summary.print(args.output);
    if let Some(file) = &args.plot {
        summary.write_plot(file, &plan.course)?;
    }
    summary.verdict()
}

/// Finds everything that is wrong with the input before anything is started.
fn check(args: &Args) -> Result<Plan, Failure> {
    let course = Arc::new(setup::course(&args.course)?);
    let boats = args.boat.iter().map(|name| setup::boat(name)).collect::<Result<Vec<_>, _>>()?;
    let seed = args.seed.unwrap_or(course.seed);
    setup::start_tick(&course, args.start.as_deref())?;
    let port = setup::udp_port(args.port)?;
    if let Some(file) = &args.plot {
        setup::writable(file, "--plot")?;
    }
    args.engine.check(args.record.is_some())?;
    if let Some(dir) = &args.record {
        prepare_record(dir, &args.course, &course, seed)?;
    }
    let harbour = HarbourOptions {
        course: args.course.clone(),
        seed,
        start: args.start.clone(),
        warp: args.warp,
        port,
        http_port: args.http_port.unwrap_or(0),
        record: args.record.clone(),
        engine: args.engine.clone(),
    };
    Ok(Plan { course, boats, seed, harbour })
}

/// Makes the folder of a record, and writes what the logs in it will be a record of.
fn prepare_record(dir: &Path, folder: &Path, course: &Course, seed: u64) -> Result<(), Failure> {
    let cannot = |what: String| Failure::Input(format!("cannot record to {}: {what}", dir.display()));
    std::fs::create_dir_all(dir).map_err(|error| cannot(error.to_string()))?;
    let entries = std::fs::read_dir(dir).map_err(|error| cannot(error.to_string()))?;
    if entries.flatten().any(|entry| entry.path().extension().is_some_and(|end| end == "log")) {
        return Err(cannot("it holds a record already; name an empty folder".to_owned()));
    }
    // Replayed from wherever: the course must be found again.
    let folder = folder.canonicalize().map_err(|error| cannot(error.to_string()))?;
    Passage { course: folder, seed, digest: course.digest_hex() }
        .write(dir)
        .map_err(|error| cannot(error.to_string()))
}

/// What a sail came to.
pub(crate) struct Sailed {
    pub(crate) end: End,
    pub(crate) status: StatusAnswer,
    pub(crate) vessels: Vec<fleet::Fared>,
    /// The tick at which the watch ended.
    pub(crate) tick: u64,
    /// What chaos did, where it was asked for.
    pub(crate) strokes: Option<Strokes>,
}

/// Books, sails, and stops everything again.
fn sail(
    args: &Args,
    plan: &Plan,
    client: &HarbourClient,
    harbour: &mut HarbourProcess,
    signals: &Arc<AtomicBool>,
) -> Result<Sailed, Failure> {
    let count = usize::try_from(args.vessels).unwrap_or(usize::MAX);
    let boats: Vec<&BoatSpec> = plan.boats.iter().cycle().take(count).collect();
    let fleet = Fleet::book(client, &boats, plan.seed, args.engine.local(), signals)?;
    let Some(fleet) = fleet else {
        harbour.end_now();
        return Err(Failure::Interrupted);
    };
    let mut display = Display::new(&fleet.names(), plan.course.marks.len());
    let mut chaos = args.chaos.map(Chaos::new);
    let end = watch(args, client, harbour, signals, &fleet, &mut display, &mut chaos);
    let strokes = chaos.as_mut().map(Chaos::end);
    display.finish();
    let end = match end {
        Ok(end) => end,
        Err(failure) => {
            fleet.abandon();
            return Err(failure);
        }
    };
    let (tick, lines) = match client.status() {
        Ok(status) => (status.tick, client.passages(0).map(|list| list.passages).unwrap_or_default()),
        Err(error) => return Err(harbour.why_gone(&error.to_string())),
    };
    let vessels = fleet.end(client, &lines);
    let reason = match end {
        End::AllOver => "every passage is over",
        End::TimeUp => "the time to sail is up",
        End::Interrupted => "interrupted",
    };
    let status = harbour.stop(client, reason, end == End::Interrupted)?;
    Ok(Sailed { end, status, vessels, tick, strokes })
}

/// Looks at the fleet until it is over.
fn watch(
    args: &Args,
    client: &HarbourClient,
    harbour: &mut HarbourProcess,
    signals: &AtomicBool,
    fleet: &Fleet,
    display: &mut Display,
    chaos: &mut Option<Chaos>,
) -> Result<End, Failure> {
    let mut missed = 0;
    let mut busy = Vec::new();
    let mut next: Instant = clock::now();
    loop {
        if signals.load(Ordering::Relaxed) {
            return Ok(End::Interrupted);
        }
        next += GLANCE;
        let status = client.status();
        let list = client.passages(0);
        match (status, list) {
            (Ok(status), Ok(list)) => {
                missed = 0;
                busy = list.passages.iter().filter_map(|passage| passage.region).collect();
                fleet.seek(client);
                display.show(&status, &list.passages, &fleet.progress());
                if is_over(&list.passages, &status) {
                    return Ok(End::AllOver);
                }
                if args.end_after_s.is_some_and(|limit_s| sailed_s(&status) >= limit_s) {
                    return Ok(End::TimeUp);
                }
            }
            (Err(error), _) | (_, Err(error)) => {
                missed += 1;
                // Nothing in the water notices: it finds its regions again.
                if harbour.restart_dead(signals)? {
                    missed = 0;
                    display.say("the harbour had died, and is started again");
                } else if missed > MISSED_GLANCES || !harbour.is_running() {
                    return Err(harbour.why_gone(&error.to_string()));
                }
            }
        }
        if let Some(chaos) = chaos.as_mut()
            && let Some(what) = chaos.strike(&harbour.processes(), &busy)
        {
            display.say(&format!("chaos: {what}"));
        }
        let pause = next.saturating_duration_since(clock::now());
        supervisor::wait(pause, signals);
    }
}

/// Whether every passage is over and every vessel ashore.
fn is_over(passages: &[PassageLine], status: &StatusAnswer) -> bool {
    status.booked == 0 && status.sailing == 0 && passages.iter().all(|passage| passage.region.is_none())
}

/// Course time since the harbour's clock started, seconds.
pub(crate) fn sailed_s(status: &StatusAnswer) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "2^53 ticks are six million years")]
    let (ticks, hz) = (status.tick.saturating_sub(status.clock.tick.0) as f64, TICK_HZ as f64);
    ticks / hz
}
