//! What several commands read from their command lines.

use std::net::{Ipv4Addr, UdpSocket};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use fairway::atlas::Course;
use fairway::units::Tick;
use fairway::vessel::{BoatSpec, boats};

use crate::outcome::Failure;

/// Reads and checks a course folder.
pub(crate) fn course(dir: &Path) -> Result<Course, Failure> {
    Course::load(dir).map_err(|error| Failure::Input(error.to_string()))
}

/// The tick at which course time starts: the course's own, or that of a time of day on Earth.
pub(crate) fn start_tick(course: &Course, start: Option<&str>) -> Result<Tick, Failure> {
    let Some(text) = start else { return Ok(course.start) };
    let time: jiff::Timestamp = text.parse().map_err(|error| {
        Failure::Input(format!(
            "cannot read --start {text}: {error}; give a time with its zone, such as 2026-06-01T12:00:00Z"
        ))
    })?;
    #[expect(clippy::cast_precision_loss, reason = "milliseconds of a century take 42 bits")]
    let unix_s = time.as_millisecond() as f64 / 1e3;
    let tick = course.tick_at(unix_s);
    if tick == Tick(0) {
        return Err(Failure::Input(format!(
            "cannot start the course {} at {text}: that is before its epoch; choose a later time",
            course.name
        )));
    }
    Ok(tick)
}

/// Seconds of a duration as people write it: `90`, `90s`, `10m`, `1h 30m`.
pub(crate) fn duration_s(text: &str) -> Result<f64, String> {
    let seconds = match text.trim().parse::<f64>() {
        Ok(seconds) => seconds,
        Err(_) => text
            .trim()
            .parse::<jiff::SignedDuration>()
            .map_err(|error| format!("{error}; write seconds, or a duration such as 90s, 10m or 1h30m"))?
            .as_secs_f64(),
    };
    if seconds.is_finite() && seconds > 0.0 {
        Ok(seconds)
    } else {
        Err("the duration must be more than nothing".to_owned())
    }
}

/// A factor by which course time runs faster than the clock on the wall.
pub(crate) fn warp(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(warp) if (0.01..=1_000.0).contains(&warp) => Ok(warp),
        _ => Err("a warp is a number from 0.01 to 1000".to_owned()),
    }
}

/// The boat of a built-in name, or of a file.
pub(crate) fn boat(name: &str) -> Result<BoatSpec, Failure> {
    if let Some(boat) = boats::named(name) {
        return Ok(boat.clone());
    }
    let path = Path::new(name);
    let looks_like_a_file = name.contains('/') || path.extension().is_some() || path.exists();
    if !looks_like_a_file {
        let known = boats::names().join(", ");
        return Err(Failure::Input(format!(
            "no boat is called {name}: take one of {known}, or name a boat file"
        )));
    }
    let cannot = |error: String| Failure::Input(format!("cannot read the boat file {name}: {error}"));
    let bytes = std::fs::metadata(path).map_err(|error| cannot(error.to_string()))?.len();
    if bytes > BOAT_FILE_BYTES {
        return Err(cannot(format!("it has {bytes} bytes, and a boat takes at most {BOAT_FILE_BYTES}")));
    }
    let text = std::fs::read_to_string(path).map_err(|error| cannot(error.to_string()))?;
    BoatSpec::from_toml(&text, name).map_err(|error| Failure::Input(error.to_string()))
}

/// Bytes of a boat file at most; the largest one of ours has three thousand.
const BOAT_FILE_BYTES: u64 = 64 * 1024;

/// Set when this process is asked to end, by a terminal or another process.
pub(crate) fn signals() -> Result<Arc<AtomicBool>, Failure> {
    let asked = Arc::new(AtomicBool::new(false));
    for signal in [signal_hook::consts::SIGINT, signal_hook::consts::SIGTERM] {
        signal_hook::flag::register(signal, Arc::clone(&asked))
            .map_err(|error| Failure::Broke(format!("cannot watch for signals: {error}")))?;
    }
    Ok(asked)
}

/// The UDP port number that regions will share: the one that was asked for, if nobody has it, or a free one.
pub(crate) fn udp_port(asked: Option<u16>) -> Result<u16, Failure> {
    // On every address: regions get one of their own each.
    let socket = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, asked.unwrap_or(0))).map_err(|error| {
        Failure::Input(match asked {
            Some(port) if error.kind() == std::io::ErrorKind::AddrInUse => {
                format!("UDP port {port} is in use: choose another with --port")
            }
            Some(port) => format!("cannot use UDP port {port}: {error}; choose another with --port"),
            None => format!("no UDP port is free: {error}; name one with --port"),
        })
    })?;
    let addr = socket.local_addr().map_err(|error| Failure::Broke(format!("cannot read a port: {error}")))?;
    Ok(addr.port())
}

/// Refuses a file that cannot be written later, before anything is started for it.
pub(crate) fn writable(file: &Path, option: &str) -> Result<(), Failure> {
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let cannot = |what: &str| Failure::Input(format!("cannot write {option} {}: {what}", file.display()));
    if file.is_dir() || !folder.is_dir() {
        return Err(cannot("name a file in a folder that exists"));
    }
    let new = !file.exists();
    std::fs::OpenOptions::new()
        .append(true)
        .create(true)
        .open(file)
        .map_err(|error| cannot(&format!("{error}; name another file")))?;
    if new {
        // It was only tried; what becomes of it is told when there is something to write.
        let _ = std::fs::remove_file(file);
    }
    Ok(())
}
