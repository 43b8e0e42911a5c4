//! The HTTP port: reads requests, passes them to the harbour's thread, writes its answers.
//!
//! | request | answer |
//! |---|---|
//! | `POST /passages` `{"boat": name or boat, "key": hex, "name"?}` | 201 and the passage once it sails; 202 when that takes longer than five seconds, then ask `GET /passages/{vessel}` |
//! | `GET /passages?from=N&limit=N` | as many as fit 2,048 bytes, or `limit`; `next` where there are more |
//! | `GET /passages/{vessel}` | the passage with its region and ticket |
//! | `DELETE /passages/{vessel}` | gives it up |
//! | `GET /moored?from=N&limit=N` | vessels out of the water with their passage unfinished, as the list of passages |
//! | `POST /moored/{vessel}/resume` `{"quarantine"?}` | 200 and the passage once it sails again; 202 as above |
//! | `GET /status?brief=true` | how it goes |
//! | `GET /course` | start line and marks |
//! | `POST /stop` `{"reason"?}` | the last status, when every region has drained; then the process ends |
//!
//! Anything else is `{"error": "…"}` with the status that fits.

use std::net::{SocketAddr, TcpListener};
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::rejection::{BytesRejection, PathRejection, QueryRejection};
use axum::extract::{DefaultBodyLimit, Path, Query, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use crossbeam::channel::{Receiver, Sender, TrySendError, bounded};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use tokio::sync::oneshot;

use super::answers::{BookingRequest, ResumeRequest, StopRequest};
use super::{Answer, Asked, Request};
use crate::clock;
use crate::units::VesselId;

/// Bytes of a request's body at most: a whole boat takes a few thousand.
const BODY_BYTES: usize = 64 * 1024;
/// Wall time for the last answers to be read; then the port closes on whoever is still reading.
const FAREWELL: Duration = Duration::from_millis(300);
/// Requests that wait for the harbour's thread, which takes them fifty times a second.
const QUEUE: usize = 1_024;

/// Why the HTTP port could not be opened: the address, what was wrong, what to do.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct HttpError(pub String);

/// The HTTP port, open; dropping it stops answering when what was asked is answered.
#[derive(Debug)]
pub struct HttpPort {
    addr: SocketAddr,
    requests: Receiver<Asked>,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<std::thread::JoinHandle<()>>,
}

impl HttpPort {
    /// Opens the port and starts its thread; port 0 takes a free one.
    ///
    /// # Errors
    /// When the address is taken, or is not ours.
    pub fn open(addr: SocketAddr) -> Result<Self, HttpError> {
        let cannot = |error: std::io::Error| {
            HttpError(match error.kind() {
                std::io::ErrorKind::AddrInUse => {
                    format!(
                        "TCP port {} of {} is in use: choose another with --http-port",
                        addr.port(),
                        addr.ip()
                    )
                }
                _ => format!("cannot serve HTTP on {addr}: {error}"),
            })
        };
        let listener = TcpListener::bind(addr).map_err(cannot)?;
        listener.set_nonblocking(true).map_err(cannot)?;
        let addr = listener.local_addr().map_err(cannot)?;
        let (asked_in, requests) = bounded(QUEUE);
        let (stop, stopped) = oneshot::channel();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(cannot)?;
        let thread = std::thread::Builder::new()
            .name("http".to_owned())
            .spawn(move || runtime.block_on(serve(listener, asked_in, stopped)))
            .map_err(cannot)?;
        Ok(Self { addr, requests, stop: Some(stop), thread: Some(thread) })
    }

    /// Where it listens.
    #[must_use]
    pub fn local_addr(&self) -> SocketAddr {
        self.addr
    }

    /// The queue of what is asked.
    #[must_use]
    pub fn requests(&self) -> &Receiver<Asked> {
        &self.requests
    }
}

impl Drop for HttpPort {
    fn drop(&mut self) {
        if let Some(stop) = self.stop.take() {
            let _ = stop.send(());
        }
        let patience = clock::now() + FAREWELL;
        while self.thread.take_if(|thread| thread.is_finished()).is_none() && clock::now() < patience {
            std::thread::sleep(Duration::from_millis(1));
        }
    }
}

type Desk = Sender<Asked>;

async fn serve(listener: TcpListener, desk: Desk, stopped: oneshot::Receiver<()>) {
    let Ok(listener) = tokio::net::TcpListener::from_std(listener) else { return };
    let app = Router::new()
        .route("/passages", post(book).get(list))
        .route("/passages/{vessel}", get(passage).delete(give_up))
        .route("/moored", get(moored))
        .route("/moored/{vessel}/resume", post(resume))
        .route("/status", get(status))
        .route("/course", get(course))
        .route("/stop", post(stop))
        .fallback(nothing_here)
        .method_not_allowed_fallback(wrong_method)
        .layer(DefaultBodyLimit::max(BODY_BYTES))
        .with_state(desk);
    // It ends with an error only when the listener itself fails; the harbour goes on without HTTP then.
    let _ = axum::serve(listener, app)
        .with_graceful_shutdown(async move {
            let _ = stopped.await;
        })
        .await;
}

/// Passes a request to the harbour's thread and waits for its answer.
async fn ask(desk: &Desk, request: Request) -> Answer {
    let (reply, answer) = oneshot::channel();
    match desk.try_send(Asked { request, reply }) {
        Ok(()) => {
            answer.await.unwrap_or_else(|_| Answer::error(503, "the harbour is ending; ask another one"))
        }
        Err(TrySendError::Full(_)) => {
            Answer::error(503, &format!("{QUEUE} requests are waiting already; ask again in a second"))
        }
        Err(TrySendError::Disconnected(_)) => Answer::error(503, "the harbour is ending; ask another one"),
    }
}

impl IntoResponse for Answer {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        (status, [(header::CONTENT_TYPE, "application/json")], self.body).into_response()
    }
}

/// The body as JSON, or the refusal.
fn read<T: DeserializeOwned>(what: &str, body: Result<Bytes, BytesRejection>) -> Result<T, Answer> {
    let body = body.map_err(|rejection| {
        Answer::error(
            rejection.status().as_u16(),
            &format!("cannot read the body of {what}: {rejection}; it may have {BODY_BYTES} bytes"),
        )
    })?;
    serde_json::from_slice(&body)
        .map_err(|error| Answer::error(400, &format!("cannot read the body of {what} as JSON: {error}")))
}

/// The same, where an empty body stands for the usual.
fn read_or_default<T: DeserializeOwned + Default>(
    what: &str,
    body: Result<Bytes, BytesRejection>,
) -> Result<T, Answer> {
    match &body {
        Ok(bytes) if bytes.is_empty() => Ok(T::default()),
        _ => read(what, body),
    }
}

async fn book(State(desk): State<Desk>, body: Result<Bytes, BytesRejection>) -> Answer {
    match read::<BookingRequest>("POST /passages", body) {
        Ok(booking) => ask(&desk, Request::Book(booking)).await,
        Err(refusal) => refusal,
    }
}

#[derive(Deserialize)]
struct ListQuery {
    #[serde(default)]
    from: u32,
    limit: Option<usize>,
}

/// What a list's query asks for, or the refusal.
fn span(query: Result<Query<ListQuery>, QueryRejection>) -> Result<(VesselId, Option<usize>), Answer> {
    query.map(|Query(ListQuery { from, limit })| (VesselId(from), limit)).map_err(|rejection| {
        Answer::error(400, &format!("cannot list these: {rejection}; from and limit are numbers"))
    })
}

async fn list(State(desk): State<Desk>, query: Result<Query<ListQuery>, QueryRejection>) -> Answer {
    match span(query) {
        Ok((from, limit)) => ask(&desk, Request::Passages { from, limit }).await,
        Err(refusal) => refusal,
    }
}

async fn moored(State(desk): State<Desk>, query: Result<Query<ListQuery>, QueryRejection>) -> Answer {
    match span(query) {
        Ok((from, limit)) => ask(&desk, Request::Moored { from, limit }).await,
        Err(refusal) => refusal,
    }
}

async fn resume(
    State(desk): State<Desk>,
    path: Result<Path<u32>, PathRejection>,
    body: Result<Bytes, BytesRejection>,
) -> Answer {
    let how = read_or_default::<ResumeRequest>("POST /moored/{vessel}/resume", body);
    match vessel(path).and_then(|vessel| Ok((vessel, how?))) {
        Ok((vessel, how)) => ask(&desk, Request::Resume(vessel, how)).await,
        Err(refusal) => refusal,
    }
}

/// The vessel's number out of a path, or the refusal.
fn vessel(path: Result<Path<u32>, PathRejection>) -> Result<VesselId, Answer> {
    path.map(|Path(id)| VesselId(id)).map_err(|rejection| {
        Answer::error(404, &format!("a passage is named by its vessel's number: {rejection}"))
    })
}

async fn passage(State(desk): State<Desk>, path: Result<Path<u32>, PathRejection>) -> Answer {
    match vessel(path) {
        Ok(vessel) => ask(&desk, Request::Passage(vessel)).await,
        Err(refusal) => refusal,
    }
}

async fn give_up(State(desk): State<Desk>, path: Result<Path<u32>, PathRejection>) -> Answer {
    match vessel(path) {
        Ok(vessel) => ask(&desk, Request::GiveUp(vessel)).await,
        Err(refusal) => refusal,
    }
}

#[derive(Deserialize)]
struct StatusQuery {
    #[serde(default)]
    brief: bool,
}

async fn status(State(desk): State<Desk>, query: Result<Query<StatusQuery>, QueryRejection>) -> Answer {
    match query {
        Ok(Query(StatusQuery { brief })) => ask(&desk, Request::Status { brief }).await,
        Err(rejection) => {
            Answer::error(400, &format!("cannot give the status: {rejection}; brief is true or false"))
        }
    }
}

async fn course(State(desk): State<Desk>) -> Answer {
    ask(&desk, Request::Course).await
}

async fn stop(State(desk): State<Desk>, body: Result<Bytes, BytesRejection>) -> Answer {
    match read_or_default("POST /stop", body) {
        Ok(StopRequest { reason }) => ask(&desk, Request::Stop { reason }).await,
        Err(refusal) => refusal,
    }
}

async fn nothing_here() -> Answer {
    let there = "/passages, /passages/{vessel}, /moored, /moored/{vessel}/resume, /status, /course and /stop";
    Answer::error(404, &format!("nothing is here; there are {there}"))
}

async fn wrong_method() -> Answer {
    Answer::error(405, "this path does not take that method; see the table of requests in the documentation")
}
