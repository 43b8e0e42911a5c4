//! How a region server is started: its command line.

use std::ffi::OsString;
use std::net::SocketAddr;
use std::path::PathBuf;

use crate::atlas::Cell;
use crate::units::{RegionId, Tick};
use crate::wire::message::ClockSetting;

/// What `--help` prints.
pub const HELP: &str = "\
Sails the vessels of one or more regions of a course, and hands them on at the borders.

Usage: fairway-region --course DIR --cell X,Y [OPTIONS]

Options:
  --course DIR          Course folder
  --cell X,Y            Cell of the course's lattice; several times for several regions on one port
  --listen ADDR:PORT    Where to serve QUIC [default: 127.0.0.1:4045]; port 0 picks a free one
  --id N                Number of the first region, given by the harbour [default: 0]
  --seed N              Seed of the sea [default: the course's]
  --authority HEX       The harbour's certificate (DER); without it the region stands alone, and anyone may join
  --clock TICK,NS,WARP  Course tick, the wall time at which it is due (Unix nanoseconds), course seconds a second
                        [default: the course's start, now, 1]
  --record DIR          Write the applied-input log to DIR
  --adrift N            Put N boats without crews at the start line of a region that stands alone: to see what it bears
  --lifeline            End when standard input ends: its other end is held by whoever must outlive this process
  -h, --help            Print this
  -V, --version         Print the version

When it serves, it prints one JSON line: {\"ready\":true,\"addr\",\"cells\":[[x,y]],\"start_to_tick_us\",\"key\",\"region\"}.
SIGTERM hands all vessels across, then stops.

Exit codes: 0 stopped as asked; 2 bad input; 3 broke while running.";

/// Regions in one process: a course's longest side in cells of the default size.
const CELLS_MAX: usize = 400;
/// Farthest cell from the anchor: a course reaches 300 km, a cell is 64 m at least.
const CELL_MAX: i32 = 5_000;

/// The options of a region server.
#[derive(Clone, Debug, PartialEq)]
pub struct RegionOptions {
    /// Course folder.
    pub course: PathBuf,
    /// Cells, a region each.
    pub cells: Vec<Cell>,
    /// Where to listen.
    pub listen: SocketAddr,
    /// Number of the first region.
    pub id: RegionId,
    /// Seed of the sea.
    pub seed: Option<u64>,
    /// The harbour's certificate, DER.
    pub authority: Option<Vec<u8>>,
    /// The clock.
    pub clock: Option<ClockSetting>,
    /// Where to record.
    pub record: Option<PathBuf>,
    /// Boats without crews, in each region.
    pub adrift: u16,
    /// Whether to end with standard input.
    pub lifeline: bool,
}

/// What a command line asks for.
#[derive(Clone, Debug, PartialEq)]
pub enum Request {
    /// Serve.
    Serve(Box<RegionOptions>),
    /// Print the help.
    Help,
    /// Print the version.
    Version,
}

/// A command line that cannot be followed.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct ConfigError(String);

impl From<lexopt::Error> for ConfigError {
    fn from(error: lexopt::Error) -> Self {
        Self(format!("command line: {error}; see --help"))
    }
}

/// Reads a region server's arguments, without the program's name.
///
/// # Errors
/// Names the option, what is wrong with it, and what it should look like.
pub fn parse(args: impl IntoIterator<Item = OsString>) -> Result<Request, ConfigError> {
    use lexopt::prelude::*;
    let mut parser = lexopt::Parser::from_args(args);
    let (mut course, mut cells, mut id) = (None, Vec::new(), RegionId(0));
    let mut listen = SocketAddr::from(([127, 0, 0, 1], 4045));
    let (mut seed, mut authority, mut clock, mut record, mut lifeline) = (None, None, None, None, false);
    let mut adrift = 0;
    while let Some(option) = parser.next()? {
        match option {
            Long("course") => course = Some(PathBuf::from(parser.value()?)),
            Long("cell") => cells.push(cell(&parser.value()?.string()?)?),
            Long("listen") => listen = typed(&parser.value()?.string()?, "--listen", "127.0.0.1:4045")?,
            Long("id") => id = RegionId(typed(&parser.value()?.string()?, "--id", "12")?),
            Long("seed") => seed = Some(typed(&parser.value()?.string()?, "--seed", "7")?),
            Long("authority") => authority = Some(from_hex(&parser.value()?.string()?)?),
            Long("clock") => clock = Some(setting(&parser.value()?.string()?)?),
            Long("record") => record = Some(PathBuf::from(parser.value()?)),
            Long("adrift") => adrift = typed(&parser.value()?.string()?, "--adrift", "200")?,
            Long("lifeline") => lifeline = true,
            Short('h') | Long("help") => return Ok(Request::Help),
            Short('V') | Long("version") => return Ok(Request::Version),
            other => return Err(other.unexpected().into()),
        }
    }
    let course = course.ok_or_else(|| ConfigError("--course is missing: name a course folder".into()))?;
    if cells.is_empty() {
        return Err(ConfigError(
            "--cell is missing: name a cell of the course, for example --cell 3,-2".into(),
        ));
    }
    if cells.len() > CELLS_MAX {
        return Err(ConfigError(format!(
            "--cell is given {} times: {CELLS_MAX} regions at most in one process",
            cells.len()
        )));
    }
    let last = u32::try_from(cells.len()).ok().and_then(|count| id.0.checked_add(count));
    if last.is_none() {
        return Err(ConfigError(format!("--id {}: leaves no numbers for the cells; give a lower one", id.0)));
    }
    if adrift > 0 && authority.is_some() {
        return Err(ConfigError(
            "--adrift and --authority: a harbour knows all boats; leave one of them out".into(),
        ));
    }
    let options =
        RegionOptions { course, cells, listen, id, seed, authority, clock, record, adrift, lifeline };
    Ok(Request::Serve(Box::new(options)))
}

fn typed<T: std::str::FromStr>(text: &str, option: &str, example: &str) -> Result<T, ConfigError> {
    text.parse().map_err(|_| ConfigError(format!("{option} {text}: cannot be read; write it like {example}")))
}

fn cell(text: &str) -> Result<Cell, ConfigError> {
    let wrong = || ConfigError(format!("--cell {text}: not two whole numbers; write it like 3,-2"));
    let (x, y) = text.split_once(',').ok_or_else(wrong)?;
    let cell = Cell { x: x.trim().parse().map_err(|_| wrong())?, y: y.trim().parse().map_err(|_| wrong())? };
    if [cell.x, cell.y].iter().any(|index| !(-CELL_MAX..=CELL_MAX).contains(index)) {
        return Err(ConfigError(format!("--cell {text}: no course reaches as far; write it like 3,-2")));
    }
    Ok(cell)
}

fn setting(text: &str) -> Result<ClockSetting, ConfigError> {
    let wrong = || {
        ConfigError(format!(
            "--clock {text}: write tick, Unix nanoseconds and warp like 900,1767225600000000000,1"
        ))
    };
    let parts: Vec<&str> = text.split(',').collect();
    let [tick, unix_ns, warp] = parts[..] else { return Err(wrong()) };
    let warp: f64 = warp.parse().map_err(|_| wrong())?;
    if !(warp.is_finite() && (0.01..=1_000.0).contains(&warp)) {
        return Err(ConfigError(format!("--clock {text}: the warp must be between 0.01 and 1000")));
    }
    Ok(ClockSetting {
        tick: Tick(tick.parse().map_err(|_| wrong())?),
        unix_ns: unix_ns.parse().map_err(|_| wrong())?,
        warp,
    })
}

/// Bytes from pairs of hexadecimal digits.
///
/// # Errors
/// When there is anything else in the text.
pub fn from_hex(text: &str) -> Result<Vec<u8>, ConfigError> {
    let wrong = || ConfigError("hexadecimal digits in pairs were expected".into());
    if !text.is_ascii() || !text.len().is_multiple_of(2) {
        return Err(wrong());
    }
    (0..text.len()).step_by(2).map(|i| u8::from_str_radix(&text[i..i + 2], 16).map_err(|_| wrong())).collect()
}

/// Pairs of hexadecimal digits from bytes.
#[must_use]
pub fn to_hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(line: &str) -> Result<Request, ConfigError> {
        parse(line.split_whitespace().map(OsString::from))
    }

    #[test]
    fn a_full_command_line_is_understood() {
        let line = "--course regions/x --cell 3,-2 --cell 4,-2 --listen 127.0.0.7:0 --id 12 --seed 9 \
                    --authority 00ff --clock 900,5,30 --record out --lifeline";
        let Ok(Request::Serve(options)) = read(line) else { panic!("not understood") };
        assert_eq!(options.cells, [Cell { x: 3, y: -2 }, Cell { x: 4, y: -2 }]);
        assert_eq!(options.id, RegionId(12));
        assert_eq!(options.authority.as_deref(), Some(&[0, 255][..]));
        assert_eq!(options.clock.map(|clock| (clock.tick, clock.unix_ns)), Some((Tick(900), 5)));
    }

    #[test]
    fn wrong_options_are_named_with_a_remedy() {
        for (line, part) in [
            ("--course x --cell 3", "3,-2"),
            ("--course x --cell 1,1 --clock 1,2", "--clock"),
            ("--course x --cell 1,1 --clock 1,2,nan", "warp"),
            ("--cell 1,1", "--course is missing"),
            ("--course x", "--cell is missing"),
            ("--course x --cell 1,1 --listen here", "--listen here"),
            ("--course x --cell 1,1 --cell 1,2 --id 4294967294", "no numbers"),
            ("--course x --cell 2147483647,1", "no course reaches"),
            ("--course x --cell 1,1 --authority 00 --adrift 3", "--adrift"),
            ("--course x --cell 1,1 --adrift all", "--adrift all"),
            ("--corse x", "--corse"),
        ] {
            let message = read(line).err().map(|error| error.to_string()).unwrap_or_default();
            assert!(message.contains(part), "{line}: {message}");
        }
    }

    #[test]
    fn hex_survives_a_round_trip() {
        assert_eq!(from_hex(&to_hex(&[1, 171, 0])).unwrap(), [1, 171, 0]);
        assert!(from_hex("0").is_err() && from_hex("zz").is_err());
    }
}
