//! `fairway harbour`: the control plane.

use std::io::{Read as _, Write as _};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use crossbeam::channel::Select;
use fairway::atlas::Course;
use fairway::clock;
use fairway::harbour::engine::Engine;
use fairway::harbour::http::HttpPort;
use fairway::harbour::process::Tie;
use fairway::harbour::quic::QuicLines;
use fairway::harbour::store::Store;
use fairway::harbour::{Clerks, Harbour, HarbourConfig, Moment};
use fairway::net::Authority;
use fairway::sea::Sea;
use fairway::vessel::{BoatSpec, Class, boats};
use fairway::wire::message::ClockSetting;
use fairway::wire::ticket::Rights;

use crate::engine::{self, Ownership};
use crate::outcome::Failure;
use crate::setup;

/// Pause between two steps of the harbour at most; a request ends it at once.
const PAUSE: Duration = Duration::from_millis(10);
/// Water under the keel of a vessel that waits for its start, metres.
const BERTH_CLEARANCE_M: f64 = 1.0;
/// Wall time that a ticket is good for beyond the course's own limit: people are late.
const TICKET_GRACE_S: f64 = 3_600.0;

/// Runs the control plane: bookings over HTTP, and the regions that they need.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Course folder.
    course: PathBuf,
    /// Seed of the sea; the course's own without it.
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    seed: Option<u64>,
    /// When course time starts, such as 2026-06-01T12:00:00Z; the course's own start without it.
    #[arg(long, value_name = "TIME")]
    start: Option<String>,
    /// Seconds of course time in one second; 1 without it.
    #[arg(long, value_name = "W", value_parser = setup::warp)]
    warp: Option<f64>,
    /// The one UDP port number of all regions; a free one without it.
    #[arg(long, value_name = "N")]
    port: Option<u16>,
    /// TCP port of the HTTP interface.
    #[arg(long, value_name = "N", default_value_t = 4080)]
    http_port: u16,
    /// Address of the HTTP interface.
    #[arg(long, value_name = "ADDR", default_value_t = IpAddr::V4(Ipv4Addr::LOCALHOST))]
    http_addr: IpAddr,
    /// Have regions write their input logs to this folder.
    #[arg(long, value_name = "DIR")]
    record: Option<PathBuf>,
    #[command(flatten)]
    engine: engine::Args,
    /// Keep passages and regions in this folder: a harbour that is started on it again finds them, and its
    /// regions outlive it meanwhile. Without it, they end with the harbour.
    #[arg(long, value_name = "DIR")]
    state: Option<PathBuf>,
    /// End when standard input ends: its other end is held by whoever must outlive this process, and ends
    /// this process's group.
    #[arg(long)]
    lifeline: bool,
}

/// Runs the command.
///
/// # Errors
/// [`Failure::Input`] for what cannot be used, [`Failure::Broke`] for what failed later.
pub(crate) fn run(args: Args) -> Result<(), Failure> {
    let broke = |what: String| Failure::Broke(what);
    let course = Arc::new(setup::course(&args.course)?);
    let seed = args.seed.unwrap_or(course.seed);
    let tick = setup::start_tick(&course, args.start.as_deref())?;
    let http = HttpPort::open(SocketAddr::new(args.http_addr, args.http_port))
        .map_err(|error| Failure::Input(error.to_string()))?;
    let moment = Moment::now();
    let mut store = open_store(args.state.as_deref())?;
    let identity = Identity {
        course: course.name.clone(),
        seed,
        clock: ClockSetting { tick, unix_ns: moment.unix_ns, warp: args.warp.unwrap_or(1.0) },
        authority: Vec::new(),
        port: 0,
    };
    let (identity, authority) = identity.kept_in(&mut store, &args)?;
    let (seed, port) = (identity.seed, identity.port);
    let lines = QuicLines::open(Arc::clone(&authority), args.engine.local())
        .map_err(|error| broke(error.to_string()))?;
    let tie = match (args.lifeline, &args.state) {
        (true, _) => Tie::Supervisor,
        (false, Some(_)) => Tie::Nobody,
        (false, None) => Tie::Engine,
    };
    let certificate = authority.certificate().to_vec();
    let of = Ownership {
        course: &args.course,
        authority: &certificate,
        state: args.state.as_deref(),
        port,
        tie,
        records: args.record.is_some(),
    };
    let engine = args.engine.open(&of)?;
    let config = HarbourConfig {
        course: Arc::clone(&course),
        course_dir: args.course.clone(),
        seed,
        clock: identity.clock,
        authority: certificate,
        record: args.record,
    };
    let clerks = clerks(&course, seed, config.clock, authority);
    let signals = setup::signals()?;
    let cut =
        if args.lifeline { hold_lifeline(args.engine.last_breath()).map_err(broke)? } else { Arc::default() };
    let requests = http.requests().clone();
    let mut harbour = Harbour::new(config, clerks, engine, lines, requests, store, moment)
        .map_err(|error| Failure::Input(error.to_string()))?;
    say_ready(&course, http.local_addr(), port, args.lifeline);
    serve(&mut harbour, &http, &signals, &cut);
    // In this order: regions end before the last answer's reader can think that all is over.
    drop(harbour);
    drop(http);
    Ok(())
}

/// What a harbour must be the same in when it comes back, for the regions and tickets of its former life.
#[derive(serde::Serialize, serde::Deserialize)]
struct Identity {
    course: String,
    seed: u64,
    clock: ClockSetting,
    /// The authority's key, PKCS #8.
    authority: Vec<u8>,
    /// UDP port number of the regions.
    port: u16,
}

impl Identity {
    /// The identity that the store knows, or this one with a new key, which it knows from then on.
    fn kept_in(mut self, store: &mut Store, asked: &Args) -> Result<(Self, Arc<Authority>), Failure> {
        let input = |what: String| Failure::Input(what);
        let broke = |error: fairway::net::NetError| Failure::Broke(error.to_string());
        let known: Option<Self> = store.fact("identity").map_err(|error| input(error.to_string()))?;
        let Some(known) = known else {
            self.port = setup::udp_port(asked.port)?;
            let authority = Authority::generate(&self.course).map_err(broke)?;
            self.authority = authority.pkcs8();
            store.set_fact("identity", &self).map_err(|error| input(error.to_string()))?;
            return Ok((self, Arc::new(authority)));
        };
        if known.course != self.course {
            return Err(input(format!(
                "--state holds the harbour of course {}, not of {}: name another folder",
                known.course, self.course
            )));
        }
        // Its regions sail by these already, and have the port.
        let differs = |option: &str, asked: Option<String>, known: String| {
            asked.filter(|asked| *asked != known).map_or(Ok(()), |asked| {
                Err(input(format!(
                    "--state holds a harbour of --{option} {known}, not {asked}: leave --{option} out, or name \
                     another folder"
                )))
            })
        };
        differs("seed", asked.seed.map(|seed| seed.to_string()), known.seed.to_string())?;
        differs("warp", asked.warp.map(|warp| warp.to_string()), known.clock.warp.to_string())?;
        differs("port", asked.port.map(|port| port.to_string()), known.port.to_string())?;
        differs(
            "start",
            asked.start.as_ref().map(|_| self.clock.tick.0.to_string()),
            known.clock.tick.0.to_string(),
        )?;
        let authority = Authority::from_pkcs8(&known.course, &known.authority).map_err(broke)?;
        Ok((known, Arc::new(authority)))
    }
}

/// The store in a folder that only this user can read, as it holds a key; or one in memory.
fn open_store(dir: Option<&Path>) -> Result<Store, Failure> {
    use std::os::unix::fs::DirBuilderExt as _;
    let input = |error: String| Failure::Input(error);
    let Some(dir) = dir else { return Store::in_memory().map_err(|error| input(error.to_string())) };
    let made = std::fs::DirBuilder::new().recursive(true).mode(0o700).create(dir);
    made.map_err(|error| input(format!("cannot make --state {}: {error}", dir.display())))?;
    Store::open(&dir.join("harbour.db")).map_err(|error| input(error.to_string()))
}

/// One line for programs on standard output, and one for people on the console.
fn say_ready(course: &Course, http: SocketAddr, port: u16, supervised: bool) {
    let line = serde_json::json!({ "ready": true, "http": http, "port": port, "course": course.name });
    let mut stdout = std::io::stdout();
    // Whoever started this may not be reading; that is no reason to end.
    let _ = writeln!(stdout, "{line}").and_then(|()| stdout.flush());
    if !supervised {
        let name = &course.name;
        let _ = writeln!(
            std::io::stderr(),
            "harbour of {name}: http://{http}/status, regions on UDP port {port}"
        );
    }
}

/// Steps until it is over, or has to be.
fn serve(
    harbour: &mut Harbour<Box<dyn Engine>, QuicLines>,
    http: &HttpPort,
    signals: &AtomicBool,
    cut: &AtomicBool,
) {
    let mut signalled = 0;
    while !harbour.is_over() {
        if signals.swap(false, Ordering::Relaxed) {
            signalled += 1;
            harbour.stop("the harbour was interrupted", Moment::now());
        }
        // A second signal is from somebody who will not wait.
        if signalled > 1 || cut.load(Ordering::Relaxed) {
            return;
        }
        harbour.step(Moment::now());
        let mut wake = Select::new();
        wake.recv(http.requests());
        // Ready or not: a step is due either way.
        let _ = wake.ready_timeout(PAUSE);
    }
}

/// Boats, berths and tickets.
fn clerks(course: &Arc<Course>, seed: u64, clock: ClockSetting, authority: Arc<Authority>) -> Clerks {
    let sea = Sea::new(Arc::clone(course), seed);
    let limit_s = course.time_limit_s / clock.warp + TICKET_GRACE_S;
    Clerks {
        boat: Box::new(read_boat),
        navigable: Box::new(move |place, boat| {
            sea.at(place, clock.tick).depth_m > Class::new(boat).draft_m() + BERTH_CLEARANCE_M
        }),
        ticket: Box::new(move |vessel, key| {
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "saturates")]
            let expires_unix_s = clock::unix_s().saturating_add(limit_s as u64);
            authority.ticket(vessel, Rights::Sail, expires_unix_s, key).map_err(|error| error.to_string())
        }),
    }
}

/// A boat that a booking names, or describes as its file would.
fn read_boat(boat: &serde_json::Value) -> Result<BoatSpec, String> {
    if let Some(name) = boat.as_str() {
        let known = boats::named(name).cloned();
        return known.ok_or_else(|| {
            format!("no boat is called {name}: take one of {}, or describe a boat", boats::names().join(", "))
        });
    }
    let spec: BoatSpec = serde_json::from_value(boat.clone())
        .map_err(|error| format!("`boat` is neither a name nor a whole boat: {error}"))?;
    spec.check().map_err(|error| error.to_string())?;
    Ok(spec)
}

/// Notices the end of standard input; ends the process itself when nothing else does within so long.
fn hold_lifeline(last_breath: Duration) -> Result<Arc<AtomicBool>, String> {
    let cut = Arc::new(AtomicBool::new(false));
    let shared = Arc::clone(&cut);
    let watch = move || {
        let mut bytes = [0_u8; 64];
        while std::io::stdin().read(&mut bytes).is_ok_and(|count| count > 0) {}
        shared.store(true, Ordering::Relaxed);
        std::thread::sleep(last_breath);
        std::process::exit(0);
    };
    std::thread::Builder::new()
        .name("lifeline".to_owned())
        .spawn(watch)
        .map(|_| cut)
        .map_err(|error| format!("cannot watch the lifeline: {error}"))
}
