//! The vessels of one sail and the pilots aboard.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use crossbeam::channel::{RecvTimeoutError, bounded};
use fairway::config::{from_hex, to_hex};
use fairway::harbour::answers::{BookingRequest, PassageAnswer, PassageLine, PassageState};
use fairway::harbour::client::{ClientError, HarbourClient};
use fairway::net::{Endpoint, EndpointConfig, Identity};
use fairway::pilots::{Booking, Crew, Outcome, PilotProgress};
use fairway::units::VesselId;
use fairway::vessel::BoatSpec;

use super::supervisor;
use crate::outcome::Failure;

/// Bookings under way at once: each waits for its launch.
const CLERKS: usize = 16;
/// Times that a booking that was accepted is asked for again before its vessel sails.
const ASK_AGAIN: u32 = 100;
/// Pause between two looks at what was booked, and at the signals.
const LOOK: Duration = Duration::from_millis(20);
/// Pause between two of these questions.
const ASK_PAUSE: Duration = Duration::from_millis(100);

/// The fleet under way.
pub(crate) struct Fleet {
    passages: Vec<PassageAnswer>,
    crew: Crew,
}

/// How one vessel fared.
#[derive(Clone, Debug)]
pub(crate) struct Fared {
    pub(crate) passage: PassageAnswer,
    pub(crate) pilot: Outcome,
    /// Course time under way, seconds.
    pub(crate) sailed_s: f64,
}

impl Fleet {
    /// Books a passage per boat and sends the pilots aboard from a local address; none when a signal came first.
    pub(crate) fn book(
        client: &HarbourClient,
        boats: &[&BoatSpec],
        seed: u64,
        local: IpAddr,
        signals: &Arc<AtomicBool>,
    ) -> Result<Option<Self>, Failure> {
        let broke = |what: String| Failure::Broke(format!("cannot send pilots aboard: {what}"));
        let identity = Identity::generate().map_err(|error| broke(error.to_string()))?;
        let key = to_hex(&identity.key_hash());
        let Some(passages) = book_all(client, boats, &key, signals)? else { return Ok(None) };
        let endpoint = Endpoint::open(EndpointConfig {
            listen: SocketAddr::new(local, 0),
            identity,
            authority: None,
            serve: Vec::new(),
        })
        .map_err(|error| broke(error.to_string()))?;
        let bookings = passages.iter().map(pilot_booking).collect::<Result<Vec<_>, _>>().map_err(broke)?;
        let crew = Crew::start(endpoint, bookings, seed).map_err(|error| broke(error.to_string()))?;
        Ok(Some(Self { passages, crew }))
    }

    /// What people call the vessels.
    pub(crate) fn names(&self) -> Vec<String> {
        self.passages.iter().map(|passage| passage.name.clone()).collect()
    }

    /// How the pilots get on.
    pub(crate) fn progress(&self) -> Vec<PilotProgress> {
        self.crew.progress()
    }

    /// Asks the harbour where vessels are whose pilots have not heard of them for a while.
    pub(crate) fn seek(&self, client: &HarbourClient) {
        for pilot in self.crew.progress().iter().filter(|pilot| pilot.astray) {
            // Nobody may have it just now; then it is asked again.
            if let Ok(passage) = client.passage(pilot.vessel.0)
                && let Some(region) = passage.region
            {
                self.crew.seek(pilot.vessel, region.addr, region.name);
            }
        }
    }

    /// Takes the pilots off and asks the harbour how each passage went. `lines` has the times.
    pub(crate) fn end(self, client: &HarbourClient, lines: &[PassageLine]) -> Vec<Fared> {
        let passages: Vec<PassageAnswer> = self
            .passages
            .into_iter()
            // What was known at the start must do where the harbour is gone by now.
            .map(|passage| client.passage(passage.vessel).unwrap_or(passage))
            .collect();
        let sailed: BTreeMap<u32, f64> = lines.iter().map(|line| (line.vessel, line.sailed_s)).collect();
        let pilots = self.crew.finish();
        passages
            .into_iter()
            .zip(pilots)
            .map(|(passage, pilot)| Fared {
                sailed_s: sailed.get(&passage.vessel).copied().unwrap_or_default(),
                passage,
                pilot,
            })
            .collect()
    }

    /// Takes the pilots off without asking.
    pub(crate) fn abandon(self) {
        let _ = self.crew.finish();
    }
}

/// Books all passages, several at once; none when a signal came first. Clerks that still wait for an answer
/// then are left to it: the harbour is about to end, and with it their waiting.
fn book_all(
    client: &HarbourClient,
    boats: &[&BoatSpec],
    key: &str,
    signals: &Arc<AtomicBool>,
) -> Result<Option<Vec<PassageAnswer>>, Failure> {
    let requests: Vec<BookingRequest> =
        boats.iter().map(|boat| booking_request(boat, key)).collect::<Result<_, _>>()?;
    let requests = Arc::new(requests);
    let next = Arc::new(AtomicUsize::new(0));
    let (booked_in, booked) = bounded(boats.len());
    for _ in 0..CLERKS.min(boats.len()) {
        let (client, signals) = (client.clone(), Arc::clone(signals));
        let (requests, next, booked_in) = (Arc::clone(&requests), Arc::clone(&next), booked_in.clone());
        std::thread::spawn(move || {
            while let Some(request) = requests.get(next.fetch_add(1, Ordering::Relaxed)) {
                let booked = book_one(&client, request, &signals);
                let failed = booked.is_err();
                if booked_in.send(booked).is_err() || failed {
                    return;
                }
            }
        });
    }
    drop(booked_in);
    let mut passages = Vec::with_capacity(boats.len());
    while passages.len() < boats.len() {
        match booked.recv_timeout(LOOK) {
            Ok(passage) => passages.push(passage?),
            Err(RecvTimeoutError::Timeout) if signals.load(Ordering::Relaxed) => return Ok(None),
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => {
                return Err(Failure::Broke("a booking was never answered".to_owned()));
            }
        }
    }
    passages.sort_by_key(|passage| passage.vessel);
    Ok(Some(passages))
}

fn booking_request(boat: &BoatSpec, key: &str) -> Result<BookingRequest, Failure> {
    let boat = serde_json::to_value(boat)
        .map_err(|error| Failure::Broke(format!("cannot write the boat {}: {error}", boat.name)))?;
    Ok(BookingRequest { boat, key: key.to_owned(), name: None })
}

fn book_one(
    client: &HarbourClient,
    request: &BookingRequest,
    signals: &AtomicBool,
) -> Result<PassageAnswer, Failure> {
    let refused = |error: ClientError| match error {
        // Too many or too large for the course: the command line asked for it.
        ClientError::Refused { status: 400..=499, error } => Failure::Input(error),
        other => Failure::Broke(other.to_string()),
    };
    let mut passage = client.book(request).map_err(refused)?;
    for _ in 0..ASK_AGAIN {
        match passage.state {
            PassageState::Booked => {}
            PassageState::GivenUp => {
                let why = passage.reason.unwrap_or_default();
                return Err(Failure::Broke(format!("the passage of {} never began: {why}", passage.name)));
            }
            PassageState::Sailing | PassageState::Arrived if passage.region.is_some() => return Ok(passage),
            PassageState::Sailing | PassageState::Arrived => {}
        }
        if signals.load(Ordering::Relaxed) {
            return Ok(passage);
        }
        supervisor::wait(ASK_PAUSE, signals);
        passage = client.passage(passage.vessel).map_err(refused)?;
    }
    Err(Failure::Broke(format!("no region took {} in time", passage.name)))
}

/// What a pilot needs to come aboard, from what the harbour answered.
fn pilot_booking(passage: &PassageAnswer) -> Result<Booking, String> {
    let region = passage.region.as_ref().ok_or_else(|| format!("{} has no region", passage.name))?;
    let bytes = |what: &str, hex: &Option<String>| {
        let hex = hex.as_deref().ok_or_else(|| format!("{} has no {what}", passage.name))?;
        from_hex(hex).map_err(|error| format!("the {what} of {}: {error}", passage.name))
    };
    Ok(Booking {
        vessel: VesselId(passage.vessel),
        ticket: bytes("ticket", &passage.ticket)?,
        addr: region.addr,
        name: region.name.clone(),
        authority: Some(bytes("authority", &passage.authority)?),
        boat: None,
    })
}
