//! `fairway pilot`: one headless sailor at a region server that runs alone.

use std::io::{IsTerminal as _, Write as _};
use std::net::{SocketAddr, ToSocketAddrs as _};
use std::time::Duration;

use fairway::clock;
use fairway::net::{Endpoint, EndpointConfig, Identity};
use fairway::pilots::{Booking, Crew, Outcome, PilotProgress};
use fairway::units::{VesselId, degrees, knots};
use fairway::vessel::BoatSpec;

use crate::outcome::Failure;
use crate::setup;

/// How often the line is renewed.
const GLANCE: Duration = Duration::from_millis(250);

/// Sails one boat at a region server that runs alone, as a person would.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Where the region server listens, as in 127.0.0.1:4045.
    #[arg(long, value_name = "ADDR")]
    connect: String,
    /// The server name that chooses the region.
    #[arg(long, value_name = "SERVER_NAME", default_value = "region")]
    name: String,
    /// The boat to sail: a name, or a boat file.
    #[arg(long, value_name = "NAME|FILE", default_value = "first407")]
    boat: String,
    /// How long to sail at most, in wall time, as in 90s, 10m or 2h; without it, to the finish.
    #[arg(long = "for", value_name = "DURATION", value_parser = parse_duration)]
    time: Option<Duration>,
    /// Which pilot: each number sails a little differently.
    #[arg(long, value_name = "N", default_value_t = 1, allow_negative_numbers = true)]
    seed: u64,
    /// How to print the result.
    #[arg(short, long, value_name = "FORMAT", default_value = "text")]
    output: Format,
}

/// How a result is printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Format {
    /// For people.
    Text,
    /// One JSON object.
    Json,
}

/// Runs the command.
///
/// # Errors
/// [`Failure::Input`] for what cannot be used, [`Failure::Broke`] for what failed later.
pub(crate) fn run(args: Args) -> Result<(), Failure> {
    let boat = setup::boat(&args.boat)?;
    let addr = resolve(&args.connect).map_err(Failure::Input)?;
    let outcome = sail(&args, boat, addr).map_err(Failure::Broke)?;
    let broke = |why: &str| {
        Err(Failure::Broke(format!("{} at {addr}: {why}; is a region server running there?", args.name)))
    };
    if !outcome.joined {
        return broke(outcome.error.as_deref().unwrap_or("no answer in the time given"));
    }
    print(&outcome, args.output);
    outcome.error.as_deref().map_or(Ok(()), broke)
}

/// Sails until the passage or the time is over.
fn sail(args: &Args, boat: BoatSpec, addr: SocketAddr) -> Result<Outcome, String> {
    let identity = Identity::generate().map_err(|error| error.to_string())?;
    let listen = SocketAddr::new(if addr.is_ipv4() { [0, 0, 0, 0].into() } else { [0_u16; 8].into() }, 0);
    let endpoint = Endpoint::open(EndpointConfig { listen, identity, authority: None, serve: Vec::new() })
        .map_err(|error| error.to_string())?;
    let booking = Booking {
        vessel: VesselId(0),
        ticket: Vec::new(),
        addr,
        name: args.name.clone(),
        authority: None,
        boat: Some(boat),
    };
    let crew = Crew::start(endpoint, vec![booking], args.seed)
        .map_err(|error| format!("cannot start the pilot's thread: {error}"))?;
    watch(&crew, args.time);
    crew.finish().pop().ok_or_else(|| "the pilot was lost".to_owned())
}

fn resolve(connect: &str) -> Result<SocketAddr, String> {
    let help = "give a host and a port, as in 127.0.0.1:4045";
    connect
        .to_socket_addrs()
        .map_err(|error| format!("--connect {connect}: {error}; {help}"))?
        .next()
        .ok_or_else(|| format!("--connect {connect}: no address has this name; {help}"))
}

/// Shows how it goes until the passage or the time is over.
fn watch(crew: &Crew, time: Option<Duration>) {
    let begin = clock::now();
    let terminal = std::io::stderr().is_terminal();
    while !crew.done() && time.is_none_or(|time| begin.elapsed() < time) {
        std::thread::sleep(GLANCE);
        if let Some(pilot) = crew.progress().first().filter(|_| terminal) {
            let mut stderr = std::io::stderr().lock();
            // A terminal that has gone away is no reason to stop sailing.
            let _ = write!(stderr, "\r\x1b[K{}", line(pilot));
            let _ = stderr.flush();
        }
        if crew.progress().iter().all(|pilot| pilot.finished.is_some()) {
            break;
        }
    }
    if terminal {
        let _ = writeln!(std::io::stderr());
    }
}

/// One line on how it goes.
fn line(pilot: &PilotProgress) -> String {
    if !pilot.joined {
        return "coming aboard".to_owned();
    }
    format!(
        "vessel {} tick {}  {:.1} kn  heading {:03.0}°  heel {:+.0}°  marks {}/{}  at {:.0} m E {:.0} m N  handoffs {}",
        pilot.vessel.0,
        pilot.tick.0,
        knots(pilot.speed_mps),
        degrees(pilot.heading_rad),
        degrees(pilot.heel_rad),
        pilot.marks_passed,
        pilot.marks,
        pilot.place.x,
        pilot.place.y,
        pilot.handoffs_seen
    )
}

fn print(outcome: &Outcome, format: Format) {
    let sailed_m: f64 = outcome
        .track
        .windows(2)
        .map(|pair| (pair[1].place - pair[0].place).length())
        .fold(0.0, |sum, leg| sum + leg);
    let pauses = |figures: &[f64]| figures.iter().copied().fold(0.0, f64::max);
    let text = match format {
        Format::Json => serde_json::json!({
            "vessel": outcome.vessel.0,
            "joined": outcome.joined,
            "finished_tick": outcome.finished.map(|tick| tick.0),
            "marks_passed": outcome.marks_passed,
            "sailed_m": (sailed_m * 10.0).round() / 10.0,
            "states": outcome.states,
            "stale": outcome.stale,
            "helms": outcome.helms,
            "tacks": outcome.tacks,
            "gybes": outcome.gybes,
            "handoffs": outcome.handoffs_seen,
            "gap_ms_max": pauses(&outcome.gap_ms),
            "control_ms_max": pauses(&outcome.control_ms),
            "events_told": outcome.log.told,
            "events_met": outcome.log.counts().iter().map(|(kind, count)| (kind.name(), count)).collect::<Vec<_>>(),
            "error": outcome.error,
        })
        .to_string(),
        Format::Text => format!(
            "vessel {}: {} marks passed{}, {sailed_m:.0} m sailed, {} tacks, {} gybes\n\
             {} states ({} stale), {} orders, {} handoffs; longest pause {:.1} ms at a handoff, {:.1} ms elsewhere{}",
            outcome.vessel.0,
            outcome.marks_passed,
            if outcome.finished.is_some() { ", finished" } else { "" },
            outcome.tacks,
            outcome.gybes,
            outcome.states,
            outcome.stale,
            outcome.helms,
            outcome.handoffs_seen,
            pauses(&outcome.gap_ms),
            pauses(&outcome.control_ms),
            outcome
                .log
                .counts()
                .iter()
                .map(|(kind, count)| format!("\nmet {count} × {}", kind.name()))
                .collect::<String>()
        ),
    };
    // Nobody reads any more: nothing to do about it.
    let _ = writeln!(std::io::stdout(), "{text}");
}

/// A duration as people write it: a number and s, m or h.
fn parse_duration(text: &str) -> Result<Duration, String> {
    let (number, unit_s) = match text.as_bytes().last() {
        Some(b's') => (&text[..text.len() - 1], 1.0),
        Some(b'm') => (&text[..text.len() - 1], 60.0),
        Some(b'h') => (&text[..text.len() - 1], 3_600.0),
        _ => (text, 1.0),
    };
    let seconds = number.parse::<f64>().unwrap_or(f64::NAN) * unit_s;
    if (0.0..=1e7).contains(&seconds) {
        Ok(Duration::from_secs_f64(seconds))
    } else {
        Err(format!("{text:?} is no duration: write 90s, 10m or 2h"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_read_as_people_write_them() {
        assert_eq!(parse_duration("90s"), Ok(Duration::from_secs(90)));
        assert_eq!(parse_duration("10m"), Ok(Duration::from_secs(600)));
        assert_eq!(parse_duration("1.5h"), Ok(Duration::from_secs(5_400)));
        assert!(parse_duration("soon").is_err() && parse_duration("-3s").is_err());
    }
}
