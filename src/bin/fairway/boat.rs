//! `fairway boat`: what a boat file's boat does, measured on a simple sea.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use clap::{Subcommand, ValueEnum};
use fairway::chart::{self, Curve};
use fairway::trials::polar::{self, Kind, Point};
use fairway::trials::{TrialError, decay, power, rao, turn};
use fairway::units::{GRAVITY_MPS2, degrees, from_knots, knots, radians};
use fairway::vessel::{BoatSpec, Class};
use serde::Serialize;

use crate::tide::Output;

/// Values of one list on the command line at most.
const VALUES: usize = 200;

/// Measures a boat as naval architects do: the model that regions sail, on a simple sea.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    trial: Trial,
}

#[derive(Debug, Subcommand)]
enum Trial {
    /// Sail a boat to steady state in each wind and at each wind angle, its sails trimmed for speed; one without
    /// sails runs at each tenth of its throttle.
    Polar(PolarArgs),
    /// Push a boat down, roll it or pitch it on still water, and time its swings.
    Decay(DecayArgs),
    /// Turn a boat under power: turning circle and zig-zags.
    Turn(TurnArgs),
    /// Lay a boat in regular waves and measure how it answers.
    Rao(RaoArgs),
}

#[derive(Debug, clap::Args)]
struct PolarArgs {
    /// Boat file: every dimension, or a rating certificate's figures (see assets/boats/README.md)
    file: PathBuf,
    /// True winds at 10 m, knots
    #[arg(long, value_name = "KN,KN,…", value_delimiter = ',', default_value = "6,8,10,12,14,16,20")]
    tws: Vec<f64>,
    /// True wind angles off the course, degrees [default: 52,60,75,90,110,120,135,150, best beat and run]
    #[arg(long, value_name = "DEG,DEG,…", value_delimiter = ',')]
    twa: Vec<f64>,
    /// How to print
    #[arg(short, long, value_enum, default_value_t = Output::Text)]
    output: Output,
    /// Draws the polar diagram into an SVG file
    #[arg(long, value_name = "FILE.svg")]
    plot: Option<PathBuf>,
}

#[derive(Debug, clap::Args)]
struct DecayArgs {
    /// Boat file
    file: PathBuf,
    /// What swings
    #[arg(long, value_enum)]
    mode: ModeWord,
    /// How to print
    #[arg(short, long, value_enum, default_value_t = Output::Text)]
    output: Output,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum ModeWord {
    /// Up and down
    Heave,
    /// From side to side
    Roll,
    /// Bow and stern
    Pitch,
}

#[derive(Debug, clap::Args)]
struct TurnArgs {
    /// Boat file, with an engine
    file: PathBuf,
    /// Rudder, degrees to starboard [default: all that the boat has]
    #[arg(long, value_name = "DEG")]
    rudder: Option<f64>,
    /// How to print
    #[arg(short, long, value_enum, default_value_t = Output::Text)]
    output: Output,
}

#[derive(Debug, clap::Args)]
struct RaoArgs {
    /// Boat file
    file: PathBuf,
    /// Where the waves run against the boat: 180 from ahead, 90 from starboard abeam, 0 from astern
    #[arg(long, value_name = "DEG")]
    heading: f64,
    /// Periods of the waves, seconds
    #[arg(long, value_name = "S,S,…", value_delimiter = ',', required = true)]
    period: Vec<f64>,
    /// How to print
    #[arg(short, long, value_enum, default_value_t = Output::Text)]
    output: Output,
}

/// Runs a trial.
pub(crate) fn run(args: Args) -> Result<(), String> {
    match args.trial {
        Trial::Polar(args) => run_polar(&args),
        Trial::Decay(args) => run_decay(&args),
        Trial::Turn(args) => run_turn(&args),
        Trial::Rao(args) => run_rao(&args),
    }
}

fn read(file: &Path) -> Result<BoatSpec, String> {
    let text = std::fs::read_to_string(file).map_err(|error| {
        format!(
            "boat {}: cannot read it: {error}; give a file such as assets/boats/first407.toml",
            file.display()
        )
    })?;
    BoatSpec::from_toml(&text, &file.display().to_string()).map_err(|error| error.to_string())
}

fn told(file: &Path, error: &TrialError) -> String {
    format!("boat {}: {error}", file.display())
}

/// Checks a list: neither empty nor endless, each value within its range.
fn check(option: &str, values: &[f64], low: f64, high: f64) -> Result<(), String> {
    if values.len() > VALUES {
        return Err(format!("{option}: {} values; give {VALUES} at most", values.len()));
    }
    match values.iter().find(|value| !(low..=high).contains(*value)) {
        None => Ok(()),
        Some(value) => Err(format!("{option} {value}: must be {low} to {high}")),
    }
}

/// Rounded to a step that says no more than the trial knows.
fn rounded(value: f64, per_unit: f64) -> f64 {
    // Adding zero turns −0 into 0.
    (value * per_unit).round() / per_unit + 0.0
}

fn print_json<T: Serialize>(value: &T) -> Result<(), String> {
    say!("{}", serde_json::to_string(value).map_err(|error| error.to_string())?);
    Ok(())
}

#[derive(Clone, Debug, Serialize)]
struct PolarRow {
    tws_kn: f64,
    twa_deg: f64,
    speed_kn: f64,
    heel_deg: f64,
    leeway_deg: f64,
    vmg_kn: f64,
    reef: f64,
    flat: f64,
    spinnaker: bool,
    poled_out: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    point: Option<&'static str>,
}

impl PolarRow {
    fn of(point: &Point) -> Self {
        let twa_deg = rounded(degrees(point.angle_rad), 10.0);
        let speed_kn = rounded(knots(point.speed_mps), 1000.0);
        Self {
            tws_kn: rounded(knots(point.wind_mps), 1000.0),
            twa_deg,
            speed_kn,
            heel_deg: rounded(degrees(point.heel_rad), 100.0),
            leeway_deg: rounded(degrees(point.leeway_rad), 100.0),
            vmg_kn: rounded(knots(point.vmg_mps()), 1000.0),
            reef: rounded(point.setting.reef, 100.0),
            flat: rounded(point.setting.flat, 100.0),
            spinnaker: point.setting.spinnaker,
            poled_out: false,
            point: match point.kind {
                Kind::Angle => None,
                Kind::Beat => Some("beat"),
                Kind::Run => Some("run"),
            },
        }
    }
}

/// One wind's angles, or one of the courses that are sought.
enum Job {
    Angles(f64),
    Beat(f64),
    Run(f64),
}

fn run_polar(args: &PolarArgs) -> Result<(), String> {
    check("--tws", &args.tws, 1.0, 60.0)?;
    check("--twa", &args.twa, 25.0, 180.0)?;
    let spec = read(&args.file)?;
    if spec.rig.is_none() {
        return run_power(args, &spec);
    }
    let class = Class::new(&spec);
    let asked: Vec<f64> = args.twa.iter().map(|angle| radians(*angle)).collect();
    let seek = asked.is_empty();
    let angles = if seek { polar::usual_angles_rad().to_vec() } else { asked };
    let mut jobs = Vec::new();
    for wind in &args.tws {
        let wind_mps = from_knots(*wind);
        jobs.push(Job::Angles(wind_mps));
        if seek {
            jobs.push(Job::Beat(wind_mps));
            jobs.push(Job::Run(wind_mps));
        }
    }
    // A boat without one poles out its jib in its place.
    let poled = spec.rig.as_ref().is_some_and(|rig| rig.spinnaker_m2 <= 0.0);
    let found = sail_all(&class, &jobs, &angles).map_err(|error| told(&args.file, &error))?;
    let mut rows = Vec::new();
    for (point, angle_rad) in found {
        if !point.kept_course() {
            let _ = writeln!(
                std::io::stderr(),
                "fairway: {:.0} kn at {:.0}°: the boat could not hold the course",
                knots(point.wind_mps),
                degrees(point.angle_rad)
            );
        }
        let mut row = PolarRow::of(&point);
        row.poled_out = poled && row.spinnaker;
        row.spinnaker &= !poled;
        // What was asked for, where it was kept: scripts look for it.
        if let (Some(angle_rad), true) = (angle_rad, point.kept_course()) {
            row.twa_deg = rounded(degrees(angle_rad), 1000.0);
        }
        rows.push(row);
    }
    if let Some(plot) = &args.plot {
        let svg = chart::polar(&spec.name, "Speed by true wind angle, knots", &curves(&rows));
        write_plot(plot, &svg)?;
    }
    match args.output {
        Output::Json => print_json(&rows),
        Output::Text => {
            say!("{}", spec.name);
            say!("tws kn  twa °  speed kn  heel °  leeway °  vmg kn  reef  flat  sails");
            for row in &rows {
                say!(
                    "{:>6.1} {:>6.1} {:>9.2} {:>7.1} {:>9.1} {:>7.2} {:>5.2} {:>5.2}  {}{}",
                    row.tws_kn,
                    row.twa_deg,
                    row.speed_kn,
                    row.heel_deg,
                    row.leeway_deg,
                    row.vmg_kn,
                    row.reef,
                    row.flat,
                    match (row.spinnaker, row.poled_out) {
                        (true, _) => "spinnaker",
                        (false, true) => "jib, poled out",
                        (false, false) => "jib",
                    },
                    row.point.map_or_else(String::new, |point| format!("  best {point}"))
                );
            }
            Ok(())
        }
    }
}

fn write_plot(plot: &Path, svg: &str) -> Result<(), String> {
    std::fs::write(plot, svg).map_err(|error| {
        format!("--plot {}: cannot write it: {error}; give a file in a folder that exists", plot.display())
    })
}

#[derive(Clone, Copy, Debug, Serialize)]
struct PowerRow {
    throttle: f64,
    speed_kn: f64,
}

/// The speed curve of a boat without sails.
fn run_power(args: &PolarArgs, spec: &BoatSpec) -> Result<(), String> {
    let tenths: Vec<f64> = (1..=10_u8).map(|tenth| f64::from(tenth) / 10.0).collect();
    let paces = power::speeds(&Class::new(spec), &tenths).map_err(|error| told(&args.file, &error))?;
    let rows: Vec<PowerRow> = paces
        .iter()
        .map(|pace| PowerRow {
            throttle: rounded(pace.throttle, 100.0),
            speed_kn: rounded(knots(pace.speed_mps), 1000.0),
        })
        .collect();
    if let Some(plot) = &args.plot {
        // The speed of a wave as long as the waterline.
        let hull_mps = (GRAVITY_MPS2 * spec.hull.waterline_m / std::f64::consts::TAU).sqrt();
        let points: Vec<(f64, f64)> = rows.iter().map(|row| (row.throttle, row.speed_kn)).collect();
        let subtitle = "Speed by throttle, flat water and no wind, knots";
        write_plot(plot, &chart::throttle(&spec.name, subtitle, &points, knots(hull_mps)))?;
    }
    match args.output {
        Output::Json => print_json(&rows),
        Output::Text => {
            say!("{}", spec.name);
            say!("throttle  speed kn");
            for row in &rows {
                say!("{:>8.1} {:>9.2}", row.throttle, row.speed_kn);
            }
            Ok(())
        }
    }
}

/// Points with the angles that they were asked for, in the order of the jobs, worked on by all cores.
fn sail_all(class: &Class, jobs: &[Job], angles: &[f64]) -> Result<Vec<(Point, Option<f64>)>, TrialError> {
    let next = AtomicUsize::new(0);
    let done = Mutex::new((0_usize, Vec::new()));
    let work = || {
        while let Some(job) = jobs.get(next.fetch_add(1, Ordering::Relaxed)) {
            let number = jobs.iter().position(|other| std::ptr::eq(other, job));
            let points = match job {
                Job::Angles(wind) => polar::at_angles(class, *wind, angles)
                    .map(|points| points.into_iter().zip(angles.iter().map(|angle| Some(*angle))).collect()),
                Job::Beat(wind) => polar::best_beat(class, *wind).map(|point| vec![(point, None)]),
                Job::Run(wind) => polar::best_run(class, *wind).map(|point| vec![(point, None)]),
            };
            let Ok(mut done) = done.lock() else { return };
            done.0 += 1;
            let _ = writeln!(std::io::stderr(), "fairway: {} of {} parts sailed", done.0, jobs.len());
            done.1.push((number, points));
        }
    };
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        for _ in 0..cores.min(jobs.len()) {
            scope.spawn(work);
        }
    });
    let mut parts = done.into_inner().map_or_else(|_| Vec::new(), |done| done.1);
    parts.sort_by_key(|part: &(Option<usize>, Result<Vec<_>, TrialError>)| part.0);
    let mut all = Vec::new();
    for (_, points) in parts {
        all.extend(points?);
    }
    Ok(all)
}

fn curves(rows: &[PolarRow]) -> Vec<Curve> {
    let mut curves: Vec<(f64, Curve)> = Vec::new();
    for row in rows {
        if curves.last().is_none_or(|(wind, _)| *wind != row.tws_kn) {
            let name = format!("{} kn", row.tws_kn);
            curves.push((row.tws_kn, Curve { name, ..Curve::default() }));
        }
        if let Some((_, curve)) = curves.last_mut() {
            let place = (row.twa_deg, row.speed_kn);
            if row.point.is_some() { curve.marks.push(place) } else { curve.points.push(place) }
        }
    }
    for (_, curve) in &mut curves {
        curve.points.sort_by(|a, b| a.0.total_cmp(&b.0));
    }
    curves.into_iter().map(|(_, curve)| curve).collect()
}

#[derive(Serialize)]
struct DecayAnswer {
    mode: &'static str,
    period_s: f64,
    natural_period_s: f64,
    damping_ratio: f64,
    /// Time, seconds, and metres or degrees from rest.
    peaks: Vec<[f64; 2]>,
}

fn run_decay(args: &DecayArgs) -> Result<(), String> {
    let spec = read(&args.file)?;
    let mode = match args.mode {
        ModeWord::Heave => decay::Mode::Heave,
        ModeWord::Roll => decay::Mode::Roll,
        ModeWord::Pitch => decay::Mode::Pitch,
    };
    let found = decay::decay(&spec, mode).map_err(|error| told(&args.file, &error))?;
    let turned = |value: f64| if mode == decay::Mode::Heave { value } else { degrees(value) };
    let answer = DecayAnswer {
        mode: mode.name(),
        period_s: rounded(found.period_s, 1e4),
        natural_period_s: rounded(found.natural_s, 1e4),
        damping_ratio: rounded(found.damping, 1e5),
        peaks: found
            .peaks
            .iter()
            .map(|(time, value)| [rounded(*time, 1e4), rounded(turned(*value), 1e6)])
            .collect(),
    };
    match args.output {
        Output::Json => print_json(&answer),
        Output::Text => {
            say!("{}, {}", spec.name, answer.mode);
            say!("period          {:.3} s", answer.period_s);
            say!("without damping {:.3} s", answer.natural_period_s);
            say!("damping         {:.1} % of the critical", 100.0 * answer.damping_ratio);
            Ok(())
        }
    }
}

#[derive(Serialize)]
struct TurnAnswer {
    rudder_deg: f64,
    approach_kn: f64,
    advance_m: f64,
    transfer_m: f64,
    tactical_diameter_m: f64,
    /// Over the length over all.
    advance_lengths: f64,
    transfer_lengths: f64,
    tactical_diameter_lengths: f64,
    t90_s: f64,
    t180_s: f64,
    steady_kn: f64,
    steady_degps: f64,
    zigzag: [ZigzagAnswer; 2],
    meets_imo: bool,
}

#[derive(Serialize)]
struct ZigzagAnswer {
    angle_deg: f64,
    overshoot_deg: [f64; 2],
}

fn run_turn(args: &TurnArgs) -> Result<(), String> {
    let spec = read(&args.file)?;
    let limit = spec.rudder.limit_deg;
    let rudder_deg = args.rudder.unwrap_or(limit);
    check("--rudder", &[rudder_deg], 1.0, limit)?;
    let class = Class::new(&spec);
    let failed = |error: TrialError| told(&args.file, &error);
    let circle = turn::circle(&class, radians(rudder_deg)).map_err(failed)?;
    let ten = turn::zigzag(&class, radians(10.0)).map_err(failed)?;
    let twenty = turn::zigzag(&class, radians(20.0)).map_err(failed)?;
    let lengths = |metres: f64| rounded(metres / spec.length_m, 1000.0);
    let zigzag = [ten, twenty].map(|zigzag| ZigzagAnswer {
        angle_deg: rounded(degrees(zigzag.angle_rad), 10.0),
        overshoot_deg: zigzag.overshoot_rad.map(|angle| rounded(degrees(angle), 100.0)),
    });
    let answer = TurnAnswer {
        rudder_deg,
        approach_kn: rounded(knots(circle.approach_mps), 100.0),
        advance_m: rounded(circle.advance_m, 100.0),
        transfer_m: rounded(circle.transfer_m, 100.0),
        tactical_diameter_m: rounded(circle.tactical_diameter_m, 100.0),
        advance_lengths: lengths(circle.advance_m),
        transfer_lengths: lengths(circle.transfer_m),
        tactical_diameter_lengths: lengths(circle.tactical_diameter_m),
        t90_s: rounded(circle.quarter_s, 100.0),
        t180_s: rounded(circle.half_s, 100.0),
        steady_kn: rounded(knots(circle.steady_mps), 100.0),
        steady_degps: rounded(degrees(circle.steady_radps), 100.0),
        zigzag,
        meets_imo: turn::meets_imo(&class, &circle, &ten),
    };
    match args.output {
        Output::Json => print_json(&answer),
        Output::Text => {
            say!("{}: rudder {rudder_deg}° at {:.1} kn", spec.name, answer.approach_kn);
            say!("advance            {:.1} m, {:.2} lengths", answer.advance_m, answer.advance_lengths);
            say!("transfer           {:.1} m, {:.2} lengths", answer.transfer_m, answer.transfer_lengths);
            say!(
                "tactical diameter  {:.1} m, {:.2} lengths",
                answer.tactical_diameter_m,
                answer.tactical_diameter_lengths
            );
            say!("90° after {:.1} s, 180° after {:.1} s", answer.t90_s, answer.t180_s);
            say!("steady             {:.1} kn, {:.1} °/s", answer.steady_kn, answer.steady_degps);
            for zigzag in &answer.zigzag {
                let [first, second] = zigzag.overshoot_deg;
                say!("zig-zag {0:.0}°/{0:.0}°    overshoots {first:.1}° and {second:.1}°", zigzag.angle_deg);
            }
            say!("IMO MSC.137(76)    {}", if answer.meets_imo { "met" } else { "not met" });
            Ok(())
        }
    }
}

#[derive(Serialize)]
struct RaoRow {
    period_s: f64,
    heave: f64,
    heave_phase_deg: f64,
    roll_over_ka: f64,
    pitch_over_ka: f64,
}

fn run_rao(args: &RaoArgs) -> Result<(), String> {
    check("--heading", &[args.heading], -360.0, 360.0)?;
    check("--period", &args.period, 0.5, 30.0)?;
    let spec = read(&args.file)?;
    let mut rows = Vec::new();
    for period in &args.period {
        let _ = writeln!(std::io::stderr(), "fairway: waves of {period} s");
        let found = rao::response(&spec, radians(args.heading), *period);
        rows.push(RaoRow {
            period_s: found.period_s,
            heave: rounded(found.heave, 1e5),
            heave_phase_deg: rounded(degrees(found.heave_phase_rad), 1e3),
            roll_over_ka: rounded(found.roll_over_slope, 1e5),
            pitch_over_ka: rounded(found.pitch_over_slope, 1e5),
        });
    }
    match args.output {
        Output::Json => print_json(&rows),
        Output::Text => {
            say!("{}, waves at {}° (180: from ahead)", spec.name, args.heading);
            say!("period s  heave  phase °  roll/ka  pitch/ka");
            for row in &rows {
                say!(
                    "{:>8.2} {:>6.3} {:>8.1} {:>8.3} {:>9.3}",
                    row.period_s,
                    row.heave,
                    row.heave_phase_deg,
                    row.roll_over_ka,
                    row.pitch_over_ka
                );
            }
            Ok(())
        }
    }
}
