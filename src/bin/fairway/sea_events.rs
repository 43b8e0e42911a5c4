//! `fairway sea events`: what will happen along a course, before it happens.

use std::path::PathBuf;
use std::sync::Arc;

use fairway::atlas::Course;
use fairway::creatures::{Creatures, PASSAGES_MAX, Passage};
use fairway::events::{self, EVENTS_MAX, Event};
use fairway::sea::Sea;
use fairway::trig::heading;
use fairway::units::{Tick, degrees, knots};
use glam::DVec2;
use jiff::Timestamp;
use serde::Serialize;

use crate::tide::Output;

/// Longest span of one list, seconds: a year.
const SPAN_S: f64 = 366.0 * 86_400.0;
/// What follows the options in `--help`.
const LEGEND: &str = "\
What is told:
  wind shift    the wind swings by 20 degrees or more within 20 minutes
  front         a line over which the wind veers for hours, with rain
  squall        a drifting cell with a gust front and rain
  thunderstorm  a larger one, with lightning
  lightning     one stroke (with --lightning)
  fog bank      less than a kilometre of sight
  swell train   some minutes of higher swell
  freak wave    one wave far above the others
  overfalls     waves made steep by the current
  animals, logs, nets, by their species (with --creatures): whether a vessel meets them is up to both

Lines (wind shifts, fronts, swell trains) reach from horizon to horizon; their time is that at the place shown.";

/// Lists what will happen along a course: the same for the same seed, on any machine.
#[derive(Debug, clap::Args)]
#[command(after_help = LEGEND)]
pub(crate) struct Args {
    /// Course folder
    #[arg(value_name = "DIR")]
    course: PathBuf,
    /// First moment, as RFC 3339: 2025-06-07T19:00:00Z [default: the course's start]
    #[arg(long, value_name = "TIME")]
    from: Option<Timestamp>,
    /// Last moment [default: when the course's passages are given up]
    #[arg(long, value_name = "TIME")]
    to: Option<Timestamp>,
    /// Seed of the sea [default: the course's]
    #[arg(long, value_name = "N")]
    seed: Option<u64>,
    /// List each stroke of lightning, too
    #[arg(long)]
    lightning: bool,
    /// List the animals and floating things that come by, too
    #[arg(long)]
    creatures: bool,
    /// How to print
    #[arg(short, long, value_enum, default_value_t = Output::Text)]
    output: Output,
}

/// One line of the list: an event, or animals that pass.
struct Item {
    from: Tick,
    until: Tick,
    /// What programs call it, and people.
    key: String,
    name: String,
    place: DVec2,
    velocity_mps: DVec2,
    radius_m: f64,
    line: bool,
    strength: f64,
    text: String,
    scripted: bool,
}

impl From<&Event> for Item {
    fn from(event: &Event) -> Self {
        Self {
            from: event.from,
            until: event.until,
            key: serde_json::to_value(event.what)
                .ok()
                .and_then(|key| Some(key.as_str()?.to_owned()))
                .unwrap_or_default(),
            name: event.what.name().to_owned(),
            place: event.place,
            velocity_mps: event.velocity_mps,
            radius_m: event.radius_m,
            line: event.what.is_line(),
            strength: event.strength,
            text: event.strength_text(),
            scripted: event.scripted,
        }
    }
}

impl From<&Passage> for Item {
    fn from(passage: &Passage) -> Self {
        let lasts_s = passage.until.seconds() - passage.from.seconds();
        Self {
            from: passage.from,
            until: passage.until,
            key: passage.species.key().to_owned(),
            name: passage.species.key().replace('_', " "),
            place: passage.start,
            velocity_mps: (passage.end - passage.start) / lasts_s.max(1.0),
            radius_m: 0.0,
            line: false,
            strength: f64::from(passage.number),
            text: if passage.number == 1 {
                "one".to_owned()
            } else {
                format!("a group of {}", passage.number)
            },
            scripted: false,
        }
    }
}

/// One line, for programs.
#[derive(Debug, Serialize)]
struct Row<'a> {
    /// RFC 3339.
    from: String,
    until: String,
    from_tick: u64,
    until_tick: u64,
    what: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    lat_deg: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    lon_deg: Option<f64>,
    /// Course frame.
    x_m: f64,
    y_m: f64,
    to_deg: f64,
    speed_mps: f64,
    radius_m: f64,
    strength: f64,
    strength_text: &'a str,
    scripted: bool,
}

/// Prints the list.
pub(crate) fn run(args: &Args) -> Result<(), String> {
    let course = Arc::new(Course::load(&args.course).map_err(|error| error.to_string())?);
    let [from, to] = span(args, &course)?;
    let sea = Arc::new(Sea::new(Arc::clone(&course), args.seed.unwrap_or(course.seed)));
    let mut events = events::during(&sea, from, to);
    if args.lightning {
        events.extend(events::strokes(&sea, from, to));
    }
    if events.len() >= EVENTS_MAX {
        return Err(format!("{EVENTS_MAX} events and more from --from to --to; give a shorter span"));
    }
    let mut list: Vec<Item> = events.iter().map(Item::from).collect();
    if args.creatures {
        let passages = Creatures::new(Arc::clone(&sea)).during(from, to);
        if passages.len() >= PASSAGES_MAX {
            return Err(format!("{PASSAGES_MAX} passages and more from --from to --to; give a shorter span"));
        }
        list.extend(passages.iter().map(Item::from));
    }
    list.sort_by_key(|item| item.from);
    match args.output {
        Output::Json => {
            let rows: Vec<Row> = list.iter().map(|item| row(&course, item)).collect();
            say!("{}", serde_json::to_string(&rows).map_err(|error| error.to_string())?);
        }
        Output::Text => print(&course, sea.seed(), &list, [from, to]),
    }
    Ok(())
}

/// First and last tick of the list.
fn span(args: &Args, course: &Course) -> Result<[Tick; 2], String> {
    let tick = |option: &str, time: Option<Timestamp>, usual: Tick| match time {
        None => Ok(usual),
        Some(time) if time.as_second() < course.epoch_unix_s => {
            Err(format!("{option} {time} is before the course's epoch; give a later one"))
        }
        Some(time) => Ok(course.tick_at(time.as_duration().as_secs_f64())),
    };
    let from = tick("--from", args.from, course.start)?;
    let limit = course.tick_at(course.unix_s_of(from) + course.time_limit_s);
    let to = tick("--to", args.to, limit)?;
    if to <= from {
        return Err("--to is not after --from; swap them, or give a later --to".to_owned());
    }
    if to.seconds() - from.seconds() > SPAN_S {
        return Err("more than a year from --from to --to; give a shorter span".to_owned());
    }
    Ok([from, to])
}

fn time(course: &Course, tick: Tick) -> String {
    #[expect(clippy::cast_possible_truncation, reason = "seconds of our age")]
    let unix_s = course.unix_s_of(tick).floor() as i64;
    Timestamp::from_second(unix_s).map_or_else(|_| format!("tick {}", tick.0), |moment| moment.to_string())
}

fn row<'a>(course: &Course, event: &'a Item) -> Row<'a> {
    let place = course.geographic_of(event.place);
    let round = |value: f64, parts: f64| (value * parts).round() / parts;
    Row {
        from: time(course, event.from),
        until: time(course, event.until),
        from_tick: event.from.0,
        until_tick: event.until.0,
        what: &event.key,
        lat_deg: place.map(|(lat_deg, _)| round(lat_deg, 1e6)),
        lon_deg: place.map(|(_, lon_deg)| round(lon_deg, 1e6)),
        x_m: round(event.place.x, 10.0),
        y_m: round(event.place.y, 10.0),
        to_deg: round(degrees(heading(event.velocity_mps.x, event.velocity_mps.y)), 10.0),
        speed_mps: round(event.velocity_mps.length(), 100.0),
        radius_m: round(event.radius_m, 1.0),
        strength: round(event.strength, 1e3),
        strength_text: &event.text,
        scripted: event.scripted,
    }
}

fn print(course: &Course, seed: u64, list: &[Item], [from, to]: [Tick; 2]) {
    say!("{}, seed {seed}: {} to {}", course.title, time(course, from), time(course, to));
    if list.is_empty() {
        say!("nothing happens");
        return;
    }
    say!("{:<20}  {:>8}  {:<19}  {:<22}  {:<24}  how strong", "time", "lasts", "what", "where", "how far");
    for event in list {
        let place = match course.geographic_of(event.place) {
            Some((lat_deg, lon_deg)) => format!("{lat_deg:.4} {lon_deg:.4}"),
            None => format!("{:.0} m E {:.0} m N", event.place.x, event.place.y),
        };
        let speed_kn = knots(event.velocity_mps.length());
        let to_deg = degrees(heading(event.velocity_mps.x, event.velocity_mps.y));
        let mut reach = Vec::new();
        if event.line {
            reach.push("all along".to_owned());
        } else if event.radius_m > 0.0 {
            reach.push(format!("{:.1} km", event.radius_m / 1000.0));
        }
        if speed_kn >= 0.5 {
            reach.push(format!("to {to_deg:03.0}° at {speed_kn:.0} kn"));
        }
        let reach = reach.join(", ");
        say!(
            "{:<20}  {:>8}  {:<19}  {place:<22}  {reach:<24}  {}{}",
            time(course, event.from),
            lasting(event),
            event.name,
            event.text,
            if event.scripted { " (scripted)" } else { "" }
        );
    }
}

/// How long an event lasts, for people.
fn lasting(event: &Item) -> String {
    let lasts_s = event.until.seconds() - event.from.seconds();
    match lasts_s {
        s if s < 1.0 => String::new(),
        s if s < 90.0 => format!("{s:.0} s"),
        s if s < 5_400.0 => format!("{:.0} min", s / 60.0),
        s => format!("{:.1} h", s / 3_600.0),
    }
}
