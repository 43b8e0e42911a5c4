//! What each fuzz target does with its bytes; `tests/properties.rs` calls the same functions.
//!
//! A function panics when a decoder breaks its promise: what it took does not come back as it was, or what
//! it let through makes the sea or a vessel something that is not a number. Returning is all else.
#![allow(clippy::unwrap_used, clippy::missing_panics_doc, reason = "a panic is the finding")]

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::sync::{Arc, OnceLock};

use fairway::atlas::{Course, check_files, parse_stations};
use fairway::clock::CourseClock;
use fairway::config::{self, Request};
use fairway::limits::{CLIENT_MESSAGE_BYTES, DATAGRAM_BYTES, MESSAGE_BYTES};
use fairway::net::Identity;
use fairway::record::{log_bytes, read_log};
use fairway::sea::Sea;
use fairway::sim::{Sim, Vessel, Voyage, afloat};
use fairway::units::{Tick, VesselId};
use fairway::vessel::{BoatSpec, Helm, Input, VesselState};
use fairway::wire::{Rights, Ticket, TicketKey, WireError, decode, encode, ticket};

mod script;

pub use script::{play, sample_record, samples};

/// The caps under which messages are read: from a region or the harbour, from a client, as a datagram.
const CAPS: [usize; 3] = [MESSAGE_BYTES, CLIENT_MESSAGE_BYTES, DATAGRAM_BYTES];

/// Messages, as every kind of circuit reads them.
pub fn wire(data: &[u8]) {
    let widest = decode(data, MESSAGE_BYTES);
    for cap in CAPS {
        let read = decode(data, cap);
        if data.len() > cap {
            assert_eq!(read, Err(WireError::TooLarge { bytes: data.len(), cap }));
        } else {
            assert_eq!(read, widest);
        }
    }
    if let Ok((to, message)) = widest {
        // Short floats grow to eight bytes, so that what filled its cap may no longer fit.
        match encode(to, &message) {
            Ok(bytes) => assert_eq!(decode(&bytes, MESSAGE_BYTES), Ok((to, message))),
            Err(error) => assert!(matches!(error, WireError::TooLarge { .. }), "{error}"),
        }
    }
}

/// The time at which tickets are shown, Unix seconds.
const NOW_S: u64 = 1_800_000_000;

/// Tickets: the bytes as they are, and as the body of a ticket that the harbour did sign.
pub fn ticket(data: &[u8]) {
    static KEY: OnceLock<TicketKey> = OnceLock::new();
    let key = KEY.get_or_init(|| TicketKey::from_pkcs8(&Identity::generate().unwrap().pkcs8()).unwrap());
    let authority = key.public();
    assert!(ticket::verify(data, &authority, NOW_S, "gullwing", &[7; 32]).is_err(), "forged");
    let Ok(bytes) = ticket::sign_bytes(data, key) else { return };
    if let Ok(read) = ticket::verify(&bytes, &authority, NOW_S, "gullwing", &[7; 32]) {
        assert_eq!(read.course, "gullwing");
        assert!(read.key == [7; 32] && read.expires_unix_s > NOW_S);
        let again = read.sign(key).unwrap();
        assert_eq!(ticket::verify(&again, &authority, NOW_S, "gullwing", &[7; 32]), Ok(read));
    }
}

/// The MessagePack of a ticket that is in order.
pub fn sample_ticket() -> Vec<u8> {
    let key = TicketKey::from_pkcs8(&Identity::generate().unwrap().pkcs8()).unwrap();
    let sample = Ticket {
        course: "gullwing".to_owned(),
        vessel: VesselId(5),
        rights: Rights::Sail,
        expires_unix_s: NOW_S + 60,
        key: [7; 32],
    };
    let bytes = sample.sign(&key).unwrap();
    bytes[1..bytes.len() - 64].to_vec()
}

/// Where the last frame of a log begins.
pub fn last_frame(log: &[u8]) -> usize {
    let mut at = 8;
    loop {
        let length = u32::from_le_bytes(*log[at..].first_chunk().unwrap());
        let next = at + 4 + usize::try_from(length).unwrap();
        if next == log.len() {
            return at;
        }
        at = next;
    }
}

/// Text that is to be; a file that is none never reaches a parser.
fn text(data: &[u8]) -> Option<&str> {
    std::str::from_utf8(data).ok()
}

/// `course.toml`, beside the other files of both courses.
pub fn course(data: &[u8]) {
    if text(data).is_some() {
        check("course.toml", data, GULLWING);
    }
}

/// A coast beside the other files of the course on Earth.
pub fn coast(data: &[u8]) {
    if text(data).is_some() {
        check("coast.geojson", data, ADMIRALTY);
    }
}

/// A station file, by itself and in a course.
pub fn stations(data: &[u8]) {
    if let Some(text) = text(data)
        && parse_stations("stations.json", text).is_ok()
    {
        check("stations.json", data, ADMIRALTY);
    }
}

/// A heightmap in the course on a grid.
pub fn heights(data: &[u8]) {
    check("heights.pgm", data, GULLWING);
}

/// The course files that a changed file joins.
type Folder = [(&'static str, &'static [u8]); 4];

const GULLWING: Folder = [
    ("course.toml", include_bytes!("../../regions/gullwing/course.toml")),
    ("heights.pgm", include_bytes!("../../regions/gullwing/heights.pgm")),
    ("coast.geojson", ISLAND),
    ("stations.json", include_bytes!("../../regions/admiralty/stations.json")),
];
const ADMIRALTY: Folder = [
    ("course.toml", include_bytes!("../../regions/admiralty/course.toml")),
    ("heights.pgm", include_bytes!("../../regions/gullwing/heights.pgm")),
    ("coast.geojson", ISLAND),
    ("stations.json", include_bytes!("../../regions/admiralty/stations.json")),
];

/// A small island off the course: the real coast takes a millisecond to read.
pub const ISLAND: &[u8] = br#"{"type":"FeatureCollection","features":[{"type":"Feature","properties":{},
"geometry":{"type":"Polygon","coordinates":[[[-122.9,48.2],[-122.8,48.2],[-122.8,48.3],[-122.9,48.2]]]}}]}"#;

/// Reads a course with one file changed; where it is taken, its sea must be one.
fn check(name: &str, data: &[u8], folder: Folder) {
    let mut files: BTreeMap<String, Vec<u8>> =
        folder.iter().map(|&(name, bytes)| (name.to_owned(), bytes.to_vec())).collect();
    files.insert(name.to_owned(), data.to_vec());
    match check_files("sample", &files) {
        Ok(course) => sound(course),
        Err(faults) => {
            assert!(!faults.is_empty(), "refused without a word");
            assert!(faults.iter().all(|fault| !fault.to_string().contains('\n')), "{faults:?}");
        }
    }
}

/// Whether wind, water and bed are numbers where the course starts.
fn sound(course: Course) {
    let (place, start) = (course.start_line.port, course.start);
    let sea = Sea::new(Arc::new(course), 1);
    for tick in [start, start.after(45 * 600)] {
        let sample = sea.at(place, tick);
        let water = sea.water(place, tick);
        let numbers =
            [sample.wave_hs_m, sample.wave_tp_s, sample.depth_m, sample.tide_m, sample.visibility_m];
        assert!(numbers.iter().all(|number| number.is_finite()), "{sample:?}");
        assert!(water.bed_m.is_finite() && water.current_mps.is_finite(), "{sample:?}");
        assert!(water.wind_mps.is_finite() && water.wind_mps.length() < 150.0, "{sample:?}");
    }
}

/// A harbour's certificate, made for this: only its key is looked at.
const AUTHORITY: &[u8] = include_bytes!("../authority.der");

/// The small course and its sea, read once.
pub fn sea() -> Arc<Sea> {
    static SEA: OnceLock<Arc<Sea>> = OnceLock::new();
    let read = || {
        let files = GULLWING.iter().map(|&(name, bytes)| (name.to_owned(), bytes.to_vec())).collect();
        Arc::new(Sea::new(Arc::new(check_files("gullwing", &files).unwrap()), 1))
    };
    Arc::clone(SEA.get_or_init(read))
}

/// Boat files; one that is taken must float and sail.
pub fn boat(data: &[u8]) {
    let Some(text) = text(data) else { return };
    match BoatSpec::from_toml(text, "sample.toml") {
        Ok(boat) => sail(boat),
        Err(error) => assert!(!error.to_string().contains('\n'), "{error}"),
    }
}

/// Sails a boat for a second with everything set.
pub fn sail(boat: BoatSpec) {
    let sea = sea();
    let (tick, place) = (sea.course().start, sea.course().start_line.port.extend(0.0));
    let state = afloat(&sea, &boat, place, 1.0, tick);
    let mut sim = Sim::new(sea, Vec::new(), tick);
    let id = VesselId(1);
    sim.insert(Vessel { id, boat, state, voyage: Voyage::default(), trail: Vec::new(), company: Vec::new() });
    let helm = Helm { rudder_rad: 9.0, sheet: 1.0, throttle: 1.0, spinnaker: true, ..Helm::default() };
    sim.apply(id, Input { session: 1, seq: 1, helm });
    for _ in 0..45 {
        sim.step();
        assert!(is_sound(sim.state(id).unwrap()), "{:?}", sim.vessel(id));
    }
}

/// Whether every number of a state is one.
pub fn is_sound(state: &VesselState) -> bool {
    state.position_m.is_finite()
        && state.attitude.is_finite()
        && state.velocity_mps.is_finite()
        && state.spin_radps.is_finite()
}

/// Messages to a region from its neighbours and clients.
pub fn shadows(data: &[u8]) {
    drop(play(data));
}

/// Logs of applied input.
pub fn record(data: &[u8]) {
    if let Ok(Some(log)) = read_log("sample.log", data) {
        let bytes = log_bytes("r1", &log.course, log.seed, &log.entries);
        let again = read_log("again.log", bytes.as_slice()).unwrap().unwrap();
        assert_eq!((again.entries, again.cut), (log.entries, false));
        assert!(log.cut || bytes.len() <= 10 * data.len() + 256);
    }
}

/// A region server's command line, one argument a line.
pub fn command(data: &[u8]) {
    let Some(text) = text(data) else { return };
    match config::parse(text.split('\n').map(OsString::from)) {
        Ok(Request::Serve(options)) => {
            let count = u32::try_from(options.cells.len()).unwrap();
            assert!(options.id.0.checked_add(count).is_some(), "numbers run out");
            if let Some(setting) = options.clock {
                let clock = CourseClock::new(setting);
                for now_ns in [0, setting.unix_ns, u64::MAX] {
                    let due = clock.due(now_ns);
                    assert!(due >= setting.tick);
                    let _ = clock.until(due.after(1), now_ns);
                    let _ = clock.until(Tick(u64::MAX), now_ns);
                }
            }
        }
        Ok(Request::Help | Request::Version) => {}
        Err(error) => assert!(!error.to_string().is_empty()),
    }
}
