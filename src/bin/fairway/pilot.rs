//! `fairway pilot`: headless sailors at a region server that runs alone.

use std::io::{IsTerminal as _, Write as _};
use std::net::{SocketAddr, ToSocketAddrs as _};
use std::time::{Duration, Instant};

use fairway::clock;
use fairway::net::{Endpoint, EndpointConfig, Identity};
use fairway::pilots::{Booking, Crew, Outcome, PilotProgress};
use fairway::units::{Tick, VesselId, degrees, knots};
use fairway::vessel::BoatSpec;

use crate::outcome::{Failure, Format};
use crate::setup;

/// How often the line is renewed.
const GLANCE: Duration = Duration::from_millis(250);
/// After this long with everybody aboard the region's pace counts: coming aboard is over.
const SETTLE: Duration = Duration::from_secs(2);

/// Sails boats at a region server that runs alone, as people would.
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
    /// How many boats, each with a pilot of its own: what they all saw of the region is printed then, and of each.
    #[arg(long, value_name = "N", default_value_t = 1,
        value_parser = clap::value_parser!(u16).range(1..=i64::from(fairway::limits::REGION_VESSELS as u16)))]
    vessels: u16,
    /// Which pilot: each number sails a little differently.
    #[arg(long, value_name = "N", default_value_t = 1, allow_negative_numbers = true)]
    seed: u64,
    /// How to print the result.
    #[arg(short, long, value_name = "FORMAT", default_value = "text")]
    output: Format,
}

/// Runs the command.
///
/// # Errors
/// [`Failure::Input`] for what cannot be used, [`Failure::Broke`] for what failed later.
pub(crate) fn run(args: Args) -> Result<(), Failure> {
    let boat = setup::boat(&args.boat)?;
    let addr = resolve(&args.connect).map_err(Failure::Input)?;
    let (outcomes, pace) = sail(&args, boat, addr).map_err(Failure::Broke)?;
    let broke = |why: &str| {
        Err(Failure::Broke(format!("{} at {addr}: {why}; is a region server running there?", args.name)))
    };
    if let Some(outcome) = outcomes.iter().find(|outcome| !outcome.joined) {
        return broke(outcome.error.as_deref().unwrap_or("no answer in the time given"));
    }
    print(&outcomes, pace.as_ref(), args.output);
    outcomes.iter().find_map(|outcome| outcome.error.as_deref()).map_or(Ok(()), broke)
}

/// What a region's pilots saw of it, from when all of them were aboard.
#[derive(Clone, Copy, Debug)]
struct Pace {
    since: Instant,
    until: Instant,
    /// Newest tick that any of them saw, then and last.
    ticks: [Tick; 2],
    /// States that all of them had received, then and last.
    states: [u64; 2],
}

impl Pace {
    fn begin(pilots: &[PilotProgress], now: Instant) -> Self {
        let mut pace = Self { since: now, until: now, ticks: [Tick(0); 2], states: [0; 2] };
        pace.look(pilots, now);
        Self { ticks: [pace.ticks[1]; 2], states: [pace.states[1]; 2], ..pace }
    }

    fn look(&mut self, pilots: &[PilotProgress], now: Instant) {
        self.until = now;
        self.ticks[1] = pilots.iter().map(|pilot| pilot.tick).max().unwrap_or_default();
        self.states[1] = pilots.iter().map(|pilot| pilot.states).sum();
    }

    /// Seconds that it is of.
    fn time_s(&self) -> f64 {
        self.until.duration_since(self.since).as_secs_f64()
    }

    /// Ticks that the region sailed in a second.
    #[expect(clippy::cast_precision_loss, reason = "figures for people")]
    fn ticks_hz(&self) -> f64 {
        self.ticks[1].since(self.ticks[0]) as f64 / self.time_s()
    }

    /// States that one pilot received in a second.
    #[expect(clippy::cast_precision_loss, reason = "figures for people")]
    fn states_hz(&self, pilots: usize) -> f64 {
        (self.states[1] - self.states[0]) as f64 / (self.time_s() * pilots as f64)
    }
}

/// Sails until the passage or the time is over.
fn sail(args: &Args, boat: BoatSpec, addr: SocketAddr) -> Result<(Vec<Outcome>, Option<Pace>), String> {
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
    let crew = Crew::start(endpoint, vec![booking; args.vessels.into()], args.seed)
        .map_err(|error| format!("cannot start the pilots' thread: {error}"))?;
    let pace = watch(&crew, args.time);
    let outcomes = crew.finish();
    if outcomes.len() == usize::from(args.vessels) {
        Ok((outcomes, pace))
    } else {
        Err("a pilot was lost".to_owned())
    }
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
fn watch(crew: &Crew, time: Option<Duration>) -> Option<Pace> {
    let begin = clock::now();
    let terminal = std::io::stderr().is_terminal();
    let (mut aboard, mut pace): (Option<Instant>, Option<Pace>) = (None, None);
    while !crew.done() && time.is_none_or(|time| begin.elapsed() < time) {
        std::thread::sleep(GLANCE);
        let (pilots, now) = (crew.progress(), clock::now());
        if pilots.iter().all(|pilot| pilot.joined) {
            let aboard = *aboard.get_or_insert(now);
            match &mut pace {
                Some(pace) => pace.look(&pilots, now),
                None if now.duration_since(aboard) >= SETTLE => pace = Some(Pace::begin(&pilots, now)),
                None => {}
            }
        }
        if terminal {
            let mut stderr = std::io::stderr().lock();
            // A terminal that has gone away is no reason to stop sailing.
            let _ = write!(stderr, "\r\x1b[K{}", line(&pilots));
            let _ = stderr.flush();
        }
        if pilots.iter().all(|pilot| pilot.finished.is_some()) {
            break;
        }
    }
    if terminal {
        let _ = writeln!(std::io::stderr());
    }
    pace.filter(|pace| pace.until > pace.since)
}

/// One line on how it goes.
fn line(pilots: &[PilotProgress]) -> String {
    let aboard = pilots.iter().filter(|pilot| pilot.joined).count();
    let [pilot] = pilots else {
        let tick = pilots.iter().map(|pilot| pilot.tick.0).max().unwrap_or(0);
        return format!("{aboard} of {} aboard, tick {tick}", pilots.len());
    };
    if aboard == 0 {
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

fn print(outcomes: &[Outcome], pace: Option<&Pace>, format: Format) {
    let rates = pace.map(|pace| (pace.ticks_hz(), pace.states_hz(outcomes.len()), pace.time_s()));
    let text = match (format, outcomes) {
        (Format::Json, [outcome]) => json(outcome).to_string(),
        (Format::Json, _) => serde_json::json!({
            "vessels": outcomes.iter().map(json).collect::<Vec<_>>(),
            "ticks_hz": rates.map(|rates| rates.0),
            "states_hz": rates.map(|rates| rates.1),
            "measured_s": rates.map(|rates| rates.2),
        })
        .to_string(),
        (Format::Text, _) => {
            let mut lines: Vec<_> = outcomes.iter().map(words).collect();
            if let Some((ticks, states, time_s)) = rates.filter(|_| outcomes.len() > 1) {
                lines.push(format!(
                    "{ticks:.1} ticks a second, {states:.1} states a second for each, over {time_s:.0} s with all aboard"
                ));
            }
            lines.join("\n")
        }
    };
    // Nobody reads any more: nothing to do about it.
    let _ = writeln!(std::io::stdout(), "{text}");
}

fn sailed_m(outcome: &Outcome) -> f64 {
    let legs = outcome.track.windows(2).map(|pair| (pair[1].place - pair[0].place).length());
    legs.fold(0.0, |sum, leg| sum + leg)
}

fn longest(pauses: &[f64]) -> f64 {
    pauses.iter().copied().fold(0.0, f64::max)
}

/// One boat's passage, for machines.
fn json(outcome: &Outcome) -> serde_json::Value {
    serde_json::json!({
        "vessel": outcome.vessel.0,
        "joined": outcome.joined,
        "finished_tick": outcome.finished.map(|tick| tick.0),
        "marks_passed": outcome.marks_passed,
        "sailed_m": (sailed_m(outcome) * 10.0).round() / 10.0,
        "states": outcome.states,
        "stale": outcome.stale,
        "helms": outcome.helms,
        "tacks": outcome.tacks,
        "gybes": outcome.gybes,
        "handoffs": outcome.handoffs_seen,
        "gap_ms_max": longest(&outcome.gap_ms),
        "control_ms_max": longest(&outcome.control_ms),
        "events_told": outcome.log.told,
        "events_met": outcome.log.counts().iter().map(|(kind, count)| (kind.name(), count)).collect::<Vec<_>>(),
        "error": outcome.error,
    })
}

/// The same for people.
fn words(outcome: &Outcome) -> String {
    let met = outcome.log.counts();
    format!(
        "vessel {}: {} marks passed{}, {:.0} m sailed, {} tacks, {} gybes\n\
         {} states ({} stale), {} orders, {} handoffs; longest pause {:.1} ms at a handoff, {:.1} ms elsewhere{}",
        outcome.vessel.0,
        outcome.marks_passed,
        if outcome.finished.is_some() { ", finished" } else { "" },
        sailed_m(outcome),
        outcome.tacks,
        outcome.gybes,
        outcome.states,
        outcome.stale,
        outcome.helms,
        outcome.handoffs_seen,
        longest(&outcome.gap_ms),
        longest(&outcome.control_ms),
        met.iter().map(|(kind, count)| format!("\nmet {count} × {}", kind.name())).collect::<String>()
    )
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
