//! A client of the harbour's HTTP port, for this program's own commands.

use std::net::SocketAddr;
use std::time::Duration;

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::answers::{
    BookingRequest, ErrorAnswer, MooredAnswer, PassageAnswer, PassagesAnswer, ResumeRequest, StatusAnswer,
    StopRequest,
};

/// Wall time that the harbour has for an answer; a stop takes the longest.
const PATIENCE: Duration = Duration::from_secs(15);
/// Bytes of an answer at most: a thousand passages in one list.
const ANSWER_BYTES: u64 = 1024 * 1024;
/// Passages in one list; the harbour gives no more.
const LIST: usize = 1_000;

/// Why the harbour gave no answer, or which one it gave instead.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// The harbour refused.
    #[error("{error}")]
    Refused {
        /// HTTP status.
        status: u16,
        /// What it says.
        error: String,
    },
    /// It could not be asked.
    #[error("cannot ask the harbour at {addr} for {what}: {error}")]
    Unreachable {
        /// Where.
        addr: SocketAddr,
        /// Method and path.
        what: String,
        /// Why.
        error: String,
    },
}

/// Asks one harbour.
#[derive(Clone, Debug)]
pub struct HarbourClient {
    addr: SocketAddr,
    agent: ureq::Agent,
}

impl HarbourClient {
    /// A client of the harbour that listens there.
    #[must_use]
    pub fn new(addr: SocketAddr) -> Self {
        let agent = ureq::Agent::config_builder()
            .timeout_global(Some(PATIENCE))
            .http_status_as_error(false)
            .proxy(None)
            .build()
            .new_agent();
        Self { addr, agent }
    }

    /// Books a passage. The answer's `region` is missing while it still waits for one: ask
    /// [`Self::passage`] again then.
    ///
    /// # Errors
    /// When the harbour refuses or does not answer.
    pub fn book(&self, request: &BookingRequest) -> Result<PassageAnswer, ClientError> {
        self.post("/passages", request)
    }

    /// One passage.
    ///
    /// # Errors
    /// When there is none of that number, or the harbour does not answer.
    pub fn passage(&self, vessel: u32) -> Result<PassageAnswer, ClientError> {
        self.get(&format!("/passages/{vessel}"))
    }

    /// Up to a thousand passages, from a number on.
    ///
    /// # Errors
    /// When the harbour does not answer.
    pub fn passages(&self, from: u32) -> Result<PassagesAnswer, ClientError> {
        self.get(&format!("/passages?from={from}&limit={LIST}"))
    }

    /// Up to a thousand moored vessels, from a number on.
    ///
    /// # Errors
    /// When the harbour does not answer.
    pub fn moored(&self, from: u32) -> Result<MooredAnswer, ClientError> {
        self.get(&format!("/moored?from={from}&limit={LIST}"))
    }

    /// Has a moored vessel go on with its passage; alone at first where that is asked for.
    ///
    /// # Errors
    /// When the harbour refuses or does not answer.
    pub fn resume(&self, vessel: u32, quarantine: bool) -> Result<PassageAnswer, ClientError> {
        self.post(&format!("/moored/{vessel}/resume"), &ResumeRequest { quarantine })
    }

    /// How it goes.
    ///
    /// # Errors
    /// When the harbour does not answer.
    pub fn status(&self) -> Result<StatusAnswer, ClientError> {
        self.get("/status")
    }

    /// Stops everything, and tells how it went when all is stopped.
    ///
    /// # Errors
    /// When the harbour does not answer.
    pub fn stop(&self, reason: &str) -> Result<StatusAnswer, ClientError> {
        self.post("/stop", &StopRequest { reason: Some(reason.to_owned()) })
    }

    fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T, ClientError> {
        let response = self.agent.get(format!("http://{}{path}", self.addr)).call();
        self.read(&format!("GET {path}"), response)
    }

    fn post<T: DeserializeOwned>(&self, path: &str, body: &impl Serialize) -> Result<T, ClientError> {
        let response = self.agent.post(format!("http://{}{path}", self.addr)).send_json(body);
        self.read(&format!("POST {path}"), response)
    }

    fn read<T: DeserializeOwned>(
        &self,
        what: &str,
        response: Result<ureq::http::Response<ureq::Body>, ureq::Error>,
    ) -> Result<T, ClientError> {
        let unreachable =
            |error: String| ClientError::Unreachable { addr: self.addr, what: what.to_owned(), error };
        let mut response =
            response.map_err(|error| unreachable(format!("{error}; does `fairway harbour` run there?")))?;
        let status = response.status();
        let body = response.body_mut().with_config().limit(ANSWER_BYTES).read_to_vec();
        let body = body.map_err(|error| unreachable(error.to_string()))?;
        if status.is_success() {
            return serde_json::from_slice(&body)
                .map_err(|error| unreachable(format!("its answer: {error}")));
        }
        let error = serde_json::from_slice(&body).map_or_else(
            |_| format!("{what} was answered with {status}"),
            |answer: ErrorAnswer| answer.error,
        );
        Err(ClientError::Refused { status: status.as_u16(), error })
    }
}
