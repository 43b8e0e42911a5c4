//! One circuit: a QUIC connection with one ordered stream each way, and datagrams.
//!
//! Stream messages are frames: their length in four bytes, most significant first, then the message. What
//! waits to be sent is bounded; what was received waits for room in the event queue, which stops the
//! reading, which stops the peer.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use bytes::{Buf, Bytes, BytesMut};
use quinn::{Connection, ConnectionError, RecvStream, SendStream, VarInt, WriteError};
use tokio::sync::Notify;

use super::driver::Shared;
use super::pace::Allowance;
use super::{CircuitId, Event, Peer};
use crate::limits::{
    CIRCUIT_BACKLOG_BYTES, CIRCUIT_IDLE_S, CLIENT_MESSAGE_BYTES, CLIENT_MESSAGES_PER_S, DATAGRAM_BYTES,
    HANDSHAKE_S, LINK_BACKLOG_BYTES, MESSAGE_BYTES,
};
use crate::wire::{self, WireError};

/// Bytes of the length before each stream message.
pub(super) const HEAD_BYTES: usize = 4;
/// Time for what was sent before a circuit is closed to arrive: a round trip of most links that sailors
/// have, and short enough to stop a process without a pause.
const FLUSH: Duration = Duration::from_millis(80);
/// Time for the reason of a circuit that was cut off to leave, at most: round trips of a link that is full.
const LAST_WORD: Duration = Duration::from_millis(500);
/// Time in which a circuit that was told to end has ended, unless its link is full.
pub(super) const END: Duration = FLUSH.saturating_add(Duration::from_millis(20));
/// Frames handed to QUIC at once; the rest of the queue stays countable.
const FRAMES_AT_ONCE: usize = 64;
/// Bytes taken from QUIC at once.
const READ_BYTES: usize = 64 * 1024;
/// Bytes of a reason that are sent; it must fit one packet.
const REASON_BYTES: usize = 512;
/// The TLS alert `access_denied` (RFC 8446, 6.2) as QUIC reports it: the server has no such name.
const NO_SUCH_NAME: u64 = 0x100 + 49;

/// One circuit.
#[derive(Debug)]
pub(super) struct Circuit {
    pub(super) id: CircuitId,
    connection: OnceLock<Connection>,
    /// A client listens at the other end: it wants the newest datagram, not all of them.
    hasty: AtomicBool,
    outbox: Mutex<Outbox>,
    /// Frames were added, or the end was set.
    changed: Notify,
    /// The end was set.
    ending: Notify,
    /// A whole stream message came.
    spoken: AtomicBool,
}

/// What waits to be sent.
#[derive(Debug, Default)]
struct Outbox {
    frames: VecDeque<Bytes>,
    /// Bytes of these and of those that QUIC has not taken yet.
    bytes: usize,
    /// Why the circuit ends, once all frames are sent.
    end: Option<String>,
    /// The frames are not worth waiting for.
    cut: bool,
}

impl Circuit {
    pub(super) fn new(id: CircuitId) -> Arc<Self> {
        Arc::new(Self {
            id,
            connection: OnceLock::new(),
            hasty: AtomicBool::new(false),
            outbox: Mutex::default(),
            changed: Notify::new(),
            ending: Notify::new(),
            spoken: AtomicBool::new(false),
        })
    }

    /// Notes the connection, before anyone is told that the circuit is open, and whether a client dialled it.
    pub(super) fn open(&self, connection: Connection, client: bool) {
        self.hasty.store(client, Ordering::Relaxed);
        // Set once: a circuit has one connection.
        let _ = self.connection.set(connection);
    }

    /// The connection, once the handshake is done.
    pub(super) fn connection(&self) -> Option<&Connection> {
        self.connection.get()
    }

    /// Whether a client listens at the other end.
    pub(super) fn is_hasty(&self) -> bool {
        self.hasty.load(Ordering::Relaxed)
    }

    /// Queues one frame; false when the peer has fallen too far behind, and the circuit is closed.
    pub(super) fn push(&self, frame: Bytes) -> bool {
        let mut outbox = self.outbox();
        if outbox.end.is_some() {
            return true;
        }
        let most = if self.is_hasty() { CIRCUIT_BACKLOG_BYTES } else { LINK_BACKLOG_BYTES };
        if outbox.bytes + frame.len() > most {
            drop(outbox);
            self.cut(format!("the peer does not read: more than {most} bytes wait for it"));
            return false;
        }
        outbox.bytes += frame.len();
        outbox.frames.push_back(frame);
        drop(outbox);
        self.changed.notify_one();
        true
    }

    /// Ends the circuit when everything queued has arrived, or [`FLUSH`] later.
    pub(super) fn end(&self, reason: String) {
        self.outbox().end.get_or_insert(reason);
        self.changed.notify_one();
        self.ending.notify_one();
    }

    /// Ends the circuit without sending what is queued.
    pub(super) fn cut(&self, reason: String) {
        let mut outbox = self.outbox();
        outbox.cut = true;
        outbox.end.get_or_insert(reason);
        drop(outbox);
        self.ending.notify_one();
    }

    /// Resolves to the reason when the circuit is to end.
    pub(super) async fn ended(&self) -> String {
        loop {
            if let Some(reason) = self.outbox().end.clone() {
                return reason;
            }
            self.ending.notified().await;
        }
    }

    /// Resolves to the reason when the circuit is to end and has had its time to send what waits.
    async fn overdue(&self) -> String {
        let reason = self.ended().await;
        if !self.outbox().cut {
            tokio::time::sleep(FLUSH).await;
        }
        reason
    }

    /// Carries messages until the circuit ends; returns why it did.
    pub(super) async fn carry(
        &self,
        connection: Connection,
        peer: &Peer,
        dialled: bool,
        shared: &Shared,
    ) -> String {
        // Who dials chose the server and lets it speak at length; a stranger who dialled may only ask.
        let stranger = matches!(peer, Peer::Client(_)) && !dialled;
        let connection = self.connection.get_or_init(|| connection);
        let mut stream = None;
        let reason = tokio::select! {
            biased;
            reason = self.receive_datagrams(connection, stranger, shared) => reason,
            reason = self.receive_stream(connection, stranger, shared) => reason,
            reason = self.transmit(connection, &mut stream) => {
                // All has arrived, so there is nothing to wait for.
                close(connection, &reason);
                return reason;
            }
            reason = self.overdue() => reason,
            reason = self.silence(), if stranger => {
                shared.tally.silent.one();
                reason
            }
        };
        self.hang_up(connection, stream, &reason).await;
        reason
    }

    /// Closes a connection that may still hold things to send.
    ///
    /// QUIC as we use it (quinn-proto 0.11.19, `poll_transmit`) holds the closing packet back while there
    /// is data that congestion control or pacing does not let out, and never sends it, for nothing wakes
    /// it any more. So the stream is reset first, which drops its data, and when word of that has left,
    /// nothing is held back.
    async fn hang_up(&self, connection: &Connection, stream: Option<SendStream>, reason: &str) {
        self.outbox().frames.clear();
        if let Some(mut stream) = stream
            && stream.reset(VarInt::from_u32(0)).is_ok()
        {
            let left = async {
                while connection.close_reason().is_none() && connection.stats().frame_tx.reset_stream == 0 {
                    tokio::time::sleep(Duration::from_millis(1)).await;
                }
            };
            let _ = tokio::time::timeout(LAST_WORD, left).await;
        }
        close(connection, reason);
    }

    /// Resolves when a client has not said what it wants in its time.
    async fn silence(&self) -> String {
        tokio::time::sleep(Duration::from_secs(HANDSHAKE_S)).await;
        if self.spoken.load(Ordering::Relaxed) {
            std::future::pending::<()>().await;
        }
        format!("nothing was asked for {HANDSHAKE_S} s")
    }

    async fn receive_datagrams(&self, connection: &Connection, stranger: bool, shared: &Shared) -> String {
        let mut pace = Allowance::new(CLIENT_MESSAGES_PER_S, CLIENT_MESSAGES_PER_S);
        while let Ok(bytes) = connection.read_datagram().await {
            shared.tally.datagrams_in.one();
            if stranger && !pace.take() {
                return flooded(shared);
            }
            match wire::decode(&bytes, DATAGRAM_BYTES) {
                Ok((to, message)) => {
                    let event = Event::Received { circuit: self.id, to, message };
                    if shared.events.try_send(event).is_err() {
                        shared.tally.datagrams_dropped_in.one();
                    }
                }
                Err(error) => return malformed("datagram", &error, shared),
            }
        }
        // The stream may still hold what came before the end, and its reader knows why it ended.
        std::future::pending().await
    }

    async fn receive_stream(&self, connection: &Connection, stranger: bool, shared: &Shared) -> String {
        let outcome = match connection.accept_uni().await {
            Ok(stream) => self.read_frames(stream, stranger, shared).await,
            Err(_) => Ok(()),
        };
        match outcome {
            Err(Spoilt::Bytes(error)) => malformed("stream message", &error, shared),
            Err(Spoilt::Pace) => flooded(shared),
            // The peer has said all that it will; it closes once we have acknowledged it.
            Ok(()) => {
                let end = connection.closed().await;
                self.outbox().end.clone().unwrap_or_else(|| reason_of(&end))
            }
        }
    }

    /// Reads frames until the stream or the connection ends.
    async fn read_frames(
        &self,
        mut stream: RecvStream,
        stranger: bool,
        shared: &Shared,
    ) -> Result<(), Spoilt> {
        let cap = if stranger { CLIENT_MESSAGE_BYTES } else { MESSAGE_BYTES };
        let mut pace = Allowance::new(CLIENT_MESSAGES_PER_S, CLIENT_MESSAGES_PER_S);
        // Grows with what has really come, not with what a frame announces.
        let mut pending = BytesMut::new();
        loop {
            match stream.read_chunk(READ_BYTES, true).await {
                Ok(Some(chunk)) => pending.extend_from_slice(&chunk.bytes),
                Ok(None) if !pending.is_empty() => return Err(WireError::Truncated.into()),
                // A peer that cuts its stream off closes next, and says why.
                Ok(None) | Err(_) => return Ok(()),
            }
            while let Some((head, rest)) = pending.split_first_chunk::<HEAD_BYTES>() {
                let length = usize::try_from(u32::from_be_bytes(*head)).unwrap_or(usize::MAX);
                if length > cap {
                    return Err(WireError::TooLarge { bytes: length, cap }.into());
                }
                let Some(frame) = rest.get(..length) else { break };
                let (to, message) = wire::decode(frame, cap)?;
                pending.advance(HEAD_BYTES + length);
                shared.tally.messages_in.one();
                if stranger && !pace.take() {
                    return Err(Spoilt::Pace);
                }
                self.spoken.store(true, Ordering::Relaxed);
                shared.deliver(Event::Received { circuit: self.id, to, message }).await;
            }
        }
    }

    /// Sends what is queued; returns the reason when the circuit is to end and all has arrived.
    async fn transmit(&self, connection: &Connection, stream: &mut Option<SendStream>) -> String {
        let room = connection.datagram_send_buffer_space();
        loop {
            let (mut frames, end) = self.take();
            if !frames.is_empty() {
                let bytes: usize = frames.iter().map(Bytes::len).sum();
                if write(connection, stream, &mut frames).await.is_err() {
                    // The connection is gone, and the stream's reader knows why.
                    return std::future::pending().await;
                }
                self.outbox().bytes -= bytes;
            } else if let Some(reason) = end {
                if let Some(stream) = stream
                    && stream.finish().is_ok()
                {
                    // Resolves when the peer has acknowledged everything.
                    let _ = stream.stopped().await;
                }
                while connection.close_reason().is_none() && connection.datagram_send_buffer_space() < room {
                    tokio::time::sleep(Duration::from_millis(1)).await;
                }
                return reason;
            } else {
                self.changed.notified().await;
            }
        }
    }

    fn take(&self) -> (Vec<Bytes>, Option<String>) {
        let mut outbox = self.outbox();
        let count = outbox.frames.len().min(FRAMES_AT_ONCE);
        (outbox.frames.drain(..count).collect(), outbox.end.clone())
    }

    fn outbox(&self) -> MutexGuard<'_, Outbox> {
        self.outbox.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Writes frames to the circuit's stream, which the first of them opens.
async fn write(
    connection: &Connection,
    stream: &mut Option<SendStream>,
    frames: &mut [Bytes],
) -> Result<(), WriteError> {
    if stream.is_none() {
        *stream = Some(connection.open_uni().await?);
    }
    match stream {
        Some(stream) => stream.write_all_chunks(frames).await,
        None => Ok(()),
    }
}

/// Why a stream is read no further.
enum Spoilt {
    /// By what came.
    Bytes(WireError),
    /// By how fast it came.
    Pace,
}

impl From<WireError> for Spoilt {
    fn from(error: WireError) -> Self {
        Self::Bytes(error)
    }
}

fn flooded(shared: &Shared) -> String {
    shared.tally.flooded.one();
    format!("more than {CLIENT_MESSAGES_PER_S} messages came in a second")
}

fn malformed(what: &str, error: &WireError, shared: &Shared) -> String {
    shared.tally.malformed.one();
    format!("a {what} cannot be read: {error}")
}

/// Closes a connection with a reason that its peer can read.
pub(super) fn close(connection: &Connection, reason: &str) {
    connection.close(VarInt::from_u32(0), &reason.as_bytes()[..reason.floor_char_boundary(REASON_BYTES)]);
}

/// Why a connection ended, for people.
pub(super) fn reason_of(error: &ConnectionError) -> String {
    match error {
        ConnectionError::ApplicationClosed(close) => String::from_utf8_lossy(&close.reason).into_owned(),
        ConnectionError::ConnectionClosed(close) if u64::from(close.error_code) == NO_SUCH_NAME => {
            "no server answers to that name there".to_owned()
        }
        ConnectionError::TransportError(fault) if !fault.reason.is_empty() => fault.reason.clone(),
        ConnectionError::TimedOut => format!("nothing was heard for {CIRCUIT_IDLE_S} s"),
        ConnectionError::Reset => "the peer has started anew and knows nothing of it".to_owned(),
        ConnectionError::LocallyClosed => "closed here".to_owned(),
        other => other.to_string(),
    }
}
