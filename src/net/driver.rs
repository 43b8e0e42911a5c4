//! The endpoint's thread: takes commands from the process, accepts and dials circuits.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crossbeam::channel::{Receiver, TrySendError};
use quinn::crypto::rustls::HandshakeData;
use quinn::{Connection, IdleTimeout, Incoming, TransportConfig, VarInt};
use rustls::pki_types::CertificateDer;
use tokio::sync::Notify;

use super::circuit::{Circuit, END, HEAD_BYTES, close, reason_of};
use super::congestion::FlooredConfig;
use super::counters::Tally;
use super::pace::Allowance;
use super::queue::Limited;
use super::tls::{self, Shown};
use super::trust::peer_of;
use super::{CircuitId, Event, Expect, NetError, Peer, Way};
use crate::limits::{
    CIRCUIT_DATAGRAM_BYTES, CIRCUIT_IDLE_S, CIRCUIT_WINDOW_BYTES, CIRCUITS, CLIENT_DATAGRAM_BYTES,
    DATAGRAM_BYTES, HANDSHAKE_S, HANDSHAKES, HANDSHAKES_PER_S,
};
use crate::units::RegionId;
use crate::wire::{self, Message};

/// Commands taken before circuits get their turn to send: a few tens of microseconds of encoding.
const COMMANDS_AT_ONCE: usize = 32;
/// Pauses while the event queue is full: the first, doubled up to the last. A tick is 22 ms.
const FULL_PAUSE: (Duration, Duration) = (Duration::from_millis(1), Duration::from_millis(16));
/// The round trip that a circuit reckons with before it has measured one: a packet of its handshake that is lost is sent
/// again after three of these. RFC 9002 (6.2.2) would have a third of a second, and so a second's wait, for any path on
/// Earth; a boat that is about to cross cannot wait so long, and a longer path sees a few packets twice.
const INITIAL_RTT: Duration = Duration::from_millis(100);
/// Handshake bytes that are kept of one circuit, and of all, before it is looked at.
const INCOMING_BYTES: (u64, u64) = (16 * 1024, 2 * 1024 * 1024);

/// What the process asks of the endpoint's thread.
#[derive(Debug)]
#[expect(clippy::large_enum_variant, reason = "nearly all are messages, and each is moved three times")]
pub(super) enum Command {
    Dial { circuit: Arc<Circuit>, addr: SocketAddr, name: String, expect: Expect },
    Send { circuit: CircuitId, to: Option<RegionId>, message: Message, way: Way },
    Close { circuit: CircuitId, reason: String },
}

/// What the endpoint's thread and the process both see.
#[derive(Debug)]
pub(super) struct Shared {
    pub(super) events: Limited<Event>,
    pub(super) tally: Tally,
    pub(super) shown: Arc<Shown>,
    pub(super) authority: Option<Vec<u8>>,
    /// There are commands, or it is time to stop.
    pub(super) wake: Notify,
    pub(super) stop: AtomicBool,
    circuits: Mutex<BTreeMap<CircuitId, Arc<Circuit>>>,
    handshakes: AtomicUsize,
    next: AtomicU64,
}

impl Shared {
    pub(super) fn new(events: Limited<Event>, shown: Arc<Shown>, authority: Option<Vec<u8>>) -> Self {
        Self {
            events,
            tally: Tally::default(),
            shown,
            authority,
            wake: Notify::new(),
            stop: AtomicBool::new(false),
            circuits: Mutex::default(),
            handshakes: AtomicUsize::new(0),
            next: AtomicU64::new(1),
        }
    }

    /// A circuit with a new number, in the table.
    pub(super) fn new_circuit(&self) -> Arc<Circuit> {
        let circuit = Circuit::new(CircuitId(self.next.fetch_add(1, Ordering::Relaxed)));
        self.circuits().insert(circuit.id, Arc::clone(&circuit));
        circuit
    }

    pub(super) fn circuit(&self, id: CircuitId) -> Option<Arc<Circuit>> {
        self.circuits().get(&id).cloned()
    }

    pub(super) fn circuits(&self) -> MutexGuard<'_, BTreeMap<CircuitId, Arc<Circuit>>> {
        self.circuits.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Puts an event into the queue, waiting for room; the caller's circuit is not read meanwhile.
    pub(super) async fn deliver(&self, mut event: Event) {
        let (mut pause, longest) = FULL_PAUSE;
        while let Err(TrySendError::Full(back)) = self.events.try_send(event) {
            event = back;
            tokio::time::sleep(pause).await;
            pause = (2 * pause).min(longest);
        }
    }
}

/// Runs an endpoint until it is told to stop.
pub(super) async fn run(endpoint: quinn::Endpoint, commands: Receiver<Command>, shared: Arc<Shared>) {
    let accepting = tokio::spawn(accept(endpoint.clone(), Arc::clone(&shared)));
    loop {
        let mut taken = 0;
        while let Ok(command) = commands.try_recv() {
            obey(command, &endpoint, &shared);
            taken += 1;
            if taken % COMMANDS_AT_ONCE == 0 {
                tokio::task::yield_now().await;
            }
        }
        if shared.stop.load(Ordering::Acquire) {
            break;
        }
        shared.wake.notified().await;
    }
    accepting.abort();
    for circuit in shared.circuits().values() {
        circuit.end("the other side stops".to_owned());
    }
    let emptied = async {
        while !shared.circuits().is_empty() {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    };
    // A little longer than they need when the thread has much else to do.
    let _ = tokio::time::timeout(END + Duration::from_millis(20), emptied).await;
    endpoint.close(VarInt::from_u32(0), b"the other side stops");
    // Lets every connection send its last packet.
    tokio::time::sleep(Duration::from_millis(2)).await;
}

fn obey(command: Command, endpoint: &quinn::Endpoint, shared: &Arc<Shared>) {
    match command {
        Command::Dial { circuit, addr, name, expect } => {
            let (endpoint, shared) = (endpoint.clone(), Arc::clone(shared));
            tokio::spawn(async move {
                let outcome = dial(&endpoint, &circuit, addr, &name, expect, &shared).await;
                serve(&circuit, outcome, name, true, &shared).await;
            });
        }
        Command::Send { circuit, to, message, way } => {
            let Some(circuit) = shared.circuit(circuit) else {
                if way == Way::Datagram {
                    shared.tally.datagrams_dropped_out.one();
                }
                return;
            };
            match way {
                Way::Stream => send_stream(&circuit, to, &message, shared),
                Way::Datagram => send_datagram(&circuit, to, &message, shared),
            }
        }
        Command::Close { circuit, reason } => {
            if let Some(circuit) = shared.circuit(circuit) {
                circuit.end(reason);
            }
        }
    }
}

fn send_stream(circuit: &Circuit, to: Option<RegionId>, message: &Message, shared: &Shared) {
    let mut frame = vec![0; HEAD_BYTES];
    let encoded = wire::encode_into(&mut frame, to, message);
    match (encoded, u32::try_from(frame.len() - HEAD_BYTES)) {
        (Ok(()), Ok(length)) => {
            frame[..HEAD_BYTES].copy_from_slice(&length.to_be_bytes());
            if circuit.push(frame.into()) {
                shared.tally.messages_out.one();
            } else {
                shared.tally.overrun.one();
            }
        }
        // A gap in the stream would be a lie to the peer.
        (Err(error), _) => circuit.cut(format!("a message could not be sent: {error}")),
        (_, Err(error)) => circuit.cut(format!("a message could not be sent: {error}")),
    }
}

fn send_datagram(circuit: &Circuit, to: Option<RegionId>, message: &Message, shared: &Shared) {
    let sent = circuit.connection().is_some_and(|connection| {
        let mut bytes = Vec::with_capacity(DATAGRAM_BYTES);
        if wire::encode_into(&mut bytes, to, message).is_err() || bytes.len() > DATAGRAM_BYTES {
            return false;
        }
        let space = connection.datagram_send_buffer_space();
        let waiting = CIRCUIT_DATAGRAM_BYTES.saturating_sub(space);
        if circuit.is_hasty() && waiting + bytes.len() > CLIENT_DATAGRAM_BYTES {
            return false;
        }
        // Without room QUIC drops the oldest that waits: the newest is worth most.
        let replaces = space < bytes.len();
        connection.send_datagram(bytes.into()).is_ok() && !replaces
    });
    if sent {
        shared.tally.datagrams_out.one();
    } else {
        shared.tally.datagrams_dropped_out.one();
    }
}

/// Opens a connection to a server.
async fn dial(
    endpoint: &quinn::Endpoint,
    circuit: &Circuit,
    addr: SocketAddr,
    name: &str,
    expect: Expect,
    shared: &Shared,
) -> Result<(Connection, Peer), String> {
    let authority = match &expect {
        Expect::Authority(authority) => Some(authority.clone()),
        Expect::Key(_) | Expect::Anyone => shared.authority.clone(),
    };
    let opening = async {
        let tls = tls::client(&shared.shown, expect).map_err(|error| error.to_string())?;
        let mut config = quinn::ClientConfig::new(Arc::new(tls));
        config.transport_config(transport());
        let connecting = endpoint.connect_with(config, addr, name).map_err(|error| error.to_string())?;
        connecting.await.map_err(|error| reason_of(&error))
    };
    let opened = tokio::select! {
        opened = tokio::time::timeout(Duration::from_secs(HANDSHAKE_S), opening) => opened,
        reason = circuit.ended() => return Err(reason),
    };
    opened
        .unwrap_or_else(|_| {
            Err(format!("no answer within {HANDSHAKE_S} s: is it running, and is UDP let through?"))
        })
        .and_then(|connection| identify(connection, authority.as_deref()).map_err(|error| error.to_string()))
        .map_err(|cause| format!("no circuit to {name} at {addr}: {cause}"))
}

/// Accepts circuits, never more than allowed.
async fn accept(endpoint: quinn::Endpoint, shared: Arc<Shared>) {
    let mut pace = Allowance::new(HANDSHAKES_PER_S, u32::try_from(HANDSHAKES).unwrap_or(u32::MAX));
    while let Some(incoming) = endpoint.accept().await {
        if !pace.take() {
            // An answer would cost more than none, and an honest peer repeats its packet in a second.
            shared.tally.handshakes_put_off.one();
            incoming.ignore();
            continue;
        }
        let handshakes = shared.handshakes.load(Ordering::Relaxed);
        if handshakes >= HANDSHAKES || shared.circuits().len() + handshakes >= CIRCUITS {
            shared.tally.circuits_refused.one();
            incoming.refuse();
        } else if handshakes >= HANDSHAKES / 4 && incoming.may_retry() {
            // Costs a round trip, and keeps out whoever forges addresses.
            let _ = incoming.retry();
        } else {
            shared.handshakes.fetch_add(1, Ordering::Relaxed);
            let shared = Arc::clone(&shared);
            tokio::spawn(async move {
                let outcome = shake_hands(incoming, &shared).await;
                shared.handshakes.fetch_sub(1, Ordering::Relaxed);
                match outcome {
                    Ok((connection, peer)) => {
                        let name = name_of(&connection);
                        let circuit = shared.new_circuit();
                        serve(&circuit, Ok((connection, peer)), name, false, &shared).await;
                    }
                    Err(_) => shared.tally.handshakes_failed.one(),
                }
            });
        }
    }
}

async fn shake_hands(incoming: Incoming, shared: &Shared) -> Result<(Connection, Peer), String> {
    let connecting = incoming.accept().map_err(|error| reason_of(&error))?;
    tokio::time::timeout(Duration::from_secs(HANDSHAKE_S), connecting)
        .await
        .map_err(|_| "the handshake took too long".to_owned())?
        .map_err(|error| reason_of(&error))
        .and_then(|connection| {
            identify(connection, shared.authority.as_deref()).map_err(|error| error.to_string())
        })
}

/// Serves a circuit from its opening to its end, and tells of both.
async fn serve(
    circuit: &Arc<Circuit>,
    outcome: Result<(Connection, Peer), String>,
    name: String,
    dialled: bool,
    shared: &Shared,
) {
    let reason = match outcome {
        Ok((connection, peer)) => {
            shared.tally.circuits_opened.one();
            circuit.open(connection.clone(), !dialled && matches!(peer, Peer::Client(_)));
            shared.deliver(Event::Opened { circuit: circuit.id, peer: peer.clone(), name }).await;
            circuit.carry(connection, &peer, dialled, shared).await
        }
        Err(reason) => reason,
    };
    shared.circuits().remove(&circuit.id);
    shared.deliver(Event::Closed { circuit: circuit.id, reason }).await;
}

/// Who is at the other end of a connection whose handshake is done.
fn identify(connection: Connection, authority: Option<&[u8]>) -> Result<(Connection, Peer), NetError> {
    match peer_of(&chain_of(&connection), authority) {
        Ok(peer) => Ok((connection, peer)),
        Err(error) => {
            close(&connection, &error.0);
            Err(error)
        }
    }
}

/// The certificates that the peer showed, leaf first.
pub(super) fn chain_of(connection: &Connection) -> Vec<CertificateDer<'static>> {
    connection
        .peer_identity()
        .and_then(|chain| chain.downcast::<Vec<CertificateDer<'static>>>().ok())
        .map_or_else(Vec::new, |chain| *chain)
}

/// The server name that was asked for; empty where none was.
fn name_of(connection: &Connection) -> String {
    connection
        .handshake_data()
        .and_then(|data| data.downcast::<HandshakeData>().ok())
        .and_then(|data| data.server_name)
        .unwrap_or_default()
}

/// QUIC for circuits that others dial.
pub(super) fn server_config(shown: &Arc<Shown>) -> Result<quinn::ServerConfig, NetError> {
    let mut config = quinn::ServerConfig::with_crypto(Arc::new(tls::server(shown)?));
    config
        .transport_config(transport())
        .max_incoming(HANDSHAKES)
        .incoming_buffer_size(INCOMING_BYTES.0)
        .incoming_buffer_size_total(INCOMING_BYTES.1);
    Ok(config)
}

/// One stream each way, datagrams, bounded memory.
fn transport() -> Arc<TransportConfig> {
    let window = CIRCUIT_WINDOW_BYTES;
    let idle_ms = VarInt::from_u32(u32::try_from(CIRCUIT_IDLE_S * 1000).unwrap_or(u32::MAX));
    let mut config = TransportConfig::default();
    config
        .max_concurrent_bidi_streams(VarInt::from_u32(0))
        .max_concurrent_uni_streams(VarInt::from_u32(1))
        .stream_receive_window(VarInt::from_u32(window))
        .receive_window(VarInt::from_u32(window))
        .send_window(u64::from(window))
        .congestion_controller_factory(Arc::new(FlooredConfig::default()))
        .datagram_receive_buffer_size(Some(CIRCUIT_DATAGRAM_BYTES))
        .datagram_send_buffer_size(CIRCUIT_DATAGRAM_BYTES)
        .max_idle_timeout(Some(IdleTimeout::from(idle_ms)))
        .keep_alive_interval(Some(Duration::from_secs(CIRCUIT_IDLE_S) / 3))
        .initial_rtt(INITIAL_RTT);
    Arc::new(config)
}
