//! Circuits: QUIC connections that carry messages between this process and others.
//!
//! One endpoint has one UDP port, on which it both serves and dials. Its tokio thread meets the rest of the
//! process through two bounded queues and nothing else: commands in, [`Event`]s out. Where a queue is full,
//! datagrams are dropped and counted, and streams wait, which stops their senders.
//!
//! ```text
//! dial ──► (handshake) ──► Opened ──► Received … ──► Closed(reason)
//!               └────────────── no circuit ────────────┘
//! ```

use std::net::{SocketAddr, UdpSocket};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use crossbeam::channel::{self, Receiver};

use crate::limits::QUEUE_MESSAGES;
use crate::units::RegionId;
use crate::wire::Message;

mod circuit;
mod congestion;
mod counters;
mod driver;
mod pace;
mod queue;
mod tls;
mod trust;

pub use crate::wire::circuit::{CircuitId, Peer, Way};
pub use counters::Counters;
pub use trust::{Authority, CERTIFICATE_DAYS, HARBOUR_NAME, Identity, authority_key, hash};

use driver::{Command, Shared};
use queue::Limited;
use tls::Shown;

/// What an endpoint tells its process.
#[derive(Debug)]
#[expect(clippy::large_enum_variant, reason = "nearly all are messages, and each is moved three times")]
pub enum Event {
    /// A circuit is open, dialled or accepted.
    Opened {
        /// Which.
        circuit: CircuitId,
        /// Who is there.
        peer: Peer,
        /// The server name that was asked for.
        name: String,
    },
    /// A message came.
    Received {
        /// On which circuit.
        circuit: CircuitId,
        /// The region that it speaks to, where it names one; else the one of the server name.
        to: Option<RegionId>,
        /// The message.
        message: Message,
    },
    /// A circuit is gone, or could not be dialled.
    Closed {
        /// Which.
        circuit: CircuitId,
        /// Why.
        reason: String,
    },
}

/// Whom to expect at the other end of a dialled circuit.
#[derive(Clone, Debug)]
pub enum Expect {
    /// A certificate that this authority signed, for the name that is dialled; DER of its certificate.
    Authority(Vec<u8>),
    /// A key with this SHA-256 of its public key.
    Key([u8; 32]),
    /// Anyone: for a region that runs alone on this machine.
    Anyone,
}

/// How an endpoint is opened.
#[derive(Debug)]
pub struct EndpointConfig {
    /// Where it listens; port 0 takes a free one.
    pub listen: SocketAddr,
    /// Its key, and the certificate that it shows at first.
    pub identity: Identity,
    /// DER of the certificate of the authority that says who is a region and who the harbour; without one
    /// everyone is a client.
    pub authority: Option<Vec<u8>>,
    /// The server names that it answers to; empty for any, as a region that runs alone does.
    pub serve: Vec<String>,
}

/// Bytes that the kernel may keep of what came and was not read yet, and of what is to be sent: a tick of a
/// full region, so that a pause of the thread loses nothing. The kernel may grant less.
const SOCKET_BYTES: usize = 2 * 1024 * 1024;
/// Wall time that a full command queue may hold up a sender of a stream message; the thread empties all of
/// it in less.
const QUEUE_WAIT: Duration = Duration::from_millis(200);
/// Wall time that dropping an endpoint takes at most.
const STOP_WAIT: Duration = Duration::from_millis(200);

/// An endpoint that is open. Dropping it sends what was queued and closes every circuit.
#[derive(Debug)]
pub struct Endpoint {
    local_addr: SocketAddr,
    events: Receiver<Event>,
    commands: Limited<Command>,
    shared: Arc<Shared>,
    /// Disconnected when the thread has ended.
    ended: Receiver<()>,
}

/// Why an endpoint could not be opened.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct NetError(pub String);

impl Endpoint {
    /// Opens an endpoint and starts its thread.
    ///
    /// # Errors
    /// Names the address and the remedy when its port is taken, and what else failed.
    pub fn open(config: EndpointConfig) -> Result<Self, NetError> {
        let EndpointConfig { listen, identity, authority, serve } = config;
        let socket = bind(listen)?;
        let cannot = |error: &dyn std::fmt::Display| NetError(format!("cannot serve on {listen}: {error}"));
        let local_addr = socket.local_addr().map_err(|error| cannot(&error))?;
        let shown = Arc::new(Shown::new(&identity, serve)?);
        let server = driver::server_config(&shown)?;
        let (events_in, events) = queue::limited(QUEUE_MESSAGES);
        let (commands, commands_out) = queue::limited(QUEUE_MESSAGES);
        let (running, ended) = channel::bounded(0);
        let shared = Arc::new(Shared::new(events_in, shown, authority));
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(|error| cannot(&error))?;
        let endpoint = {
            let _inside = runtime.enter();
            let config = quinn::EndpointConfig::default();
            quinn::Endpoint::new(config, Some(server), socket, Arc::new(quinn::TokioRuntime))
                .map_err(|error| cannot(&error))?
        };
        let task = driver::run(endpoint, commands_out, Arc::clone(&shared));
        std::thread::Builder::new()
            .name("net".to_owned())
            .spawn(move || {
                runtime.block_on(task);
                drop(runtime);
                drop(running);
            })
            .map_err(|error| cannot(&error))?;
        Ok(Self { local_addr, events, commands, shared, ended })
    }

    /// Where it listens.
    #[must_use]
    pub fn local_addr(&self) -> SocketAddr {
        self.local_addr
    }

    /// The queue of what happens.
    #[must_use]
    pub fn events(&self) -> &Receiver<Event> {
        &self.events
    }

    /// Starts a circuit to a server by its name; `Opened` or `Closed` follows. Stream messages may be sent
    /// at once: they wait until it is open.
    pub fn dial(&self, addr: SocketAddr, name: &str, expect: Expect) -> CircuitId {
        let circuit = self.shared.new_circuit();
        let id = circuit.id;
        self.order(Command::Dial { circuit, addr, name: name.to_owned(), expect });
        id
    }

    /// Sends a message; lost without a word when the circuit is gone, or, for a datagram, when it does not
    /// fit or the queue is full.
    pub fn send(&self, circuit: CircuitId, to: Option<RegionId>, message: Message, way: Way) {
        let command = Command::Send { circuit, to, message, way };
        match way {
            Way::Stream => self.order(command),
            Way::Datagram if self.commands.try_send(command).is_ok() => self.shared.wake.notify_one(),
            Way::Datagram => self.shared.tally.datagrams_dropped_out.one(),
        }
    }

    /// Ends a circuit when what was sent before has arrived, or a tenth of a second later.
    pub fn close(&self, circuit: CircuitId) {
        self.close_because(circuit, "closed by the other side");
    }

    /// Ends a circuit likewise; both sides read the reason in `Closed`.
    pub fn close_because(&self, circuit: CircuitId, reason: &str) {
        self.order(Command::Close { circuit, reason: reason.to_owned() });
    }

    /// Shows a certificate chain (DER, leaf first) that the harbour signed from now on, to whoever dials
    /// and is dialled; circuits that are open stay as they are.
    pub fn enrol(&self, chain: Vec<Vec<u8>>) {
        self.shared.shown.enrol(chain);
    }

    /// Answers to these server names from now on; none means any.
    pub fn serve(&self, names: Vec<String>) {
        self.shared.shown.serve(names);
    }

    /// The round trip of a circuit as QUIC estimates it; none while it is not open.
    #[must_use]
    pub fn rtt(&self, circuit: CircuitId) -> Option<Duration> {
        self.shared.circuit(circuit)?.connection().map(quinn::Connection::rtt)
    }

    /// The public key (SubjectPublicKeyInfo, DER) that the peer proved; none while the circuit is not open.
    #[must_use]
    pub fn peer_key(&self, circuit: CircuitId) -> Option<Vec<u8>> {
        let chain = driver::chain_of(self.shared.circuit(circuit)?.connection()?);
        trust::key_of(chain.first()?).ok()
    }

    /// What it has done so far.
    #[must_use]
    pub fn counters(&self) -> Counters {
        let open = self.shared.circuits().len();
        self.shared.tally.read(u64::try_from(open).unwrap_or(u64::MAX))
    }

    /// Hands over a command that must not be lost. The thread never waits for this side, so the queue
    /// empties; if it does not, the thread has stopped, and with it every circuit.
    fn order(&self, command: Command) {
        if self.commands.send_within(command, QUEUE_WAIT) {
            self.shared.wake.notify_one();
        }
    }
}

impl Drop for Endpoint {
    fn drop(&mut self) {
        self.shared.stop.store(true, Ordering::Release);
        self.shared.wake.notify_one();
        let _ = self.ended.recv_timeout(STOP_WAIT);
    }
}

fn bind(listen: SocketAddr) -> Result<UdpSocket, NetError> {
    let socket = UdpSocket::bind(listen).map_err(|error| {
        NetError(match error.kind() {
            std::io::ErrorKind::AddrInUse => format!(
                "cannot listen on {listen}: another process has UDP port {}; stop it, or choose another port",
                listen.port()
            ),
            std::io::ErrorKind::AddrNotAvailable => format!(
                "cannot listen on {listen}: this machine does not have the address {}; choose one of its own",
                listen.ip()
            ),
            _ => format!("cannot listen on {listen}: {error}"),
        })
    })?;
    // Less room in the kernel costs datagrams under load and nothing else, so refusals do not matter.
    use rustix::net::sockopt;
    if sockopt::set_socket_recv_buffer_size_force(&socket, SOCKET_BYTES).is_err() {
        let _ = sockopt::set_socket_recv_buffer_size(&socket, SOCKET_BYTES);
    }
    if sockopt::set_socket_send_buffer_size_force(&socket, SOCKET_BYTES).is_err() {
        let _ = sockopt::set_socket_send_buffer_size(&socket, SOCKET_BYTES);
    }
    Ok(socket)
}
