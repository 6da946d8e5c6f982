//! The seam between a source and the bytes it reads: a request goes out, a body comes back.
//!
//! Sources are written against [`Wire`] and so do not know whether an answer comes from a socket or from a
//! recorded directory.

use std::fmt;
use std::time::Duration;

use async_trait::async_trait;
use futures::future::join_all;
use hansel_ledger::{EndpointActivity, ErrorClass, SourceError};
use serde_json::json;

/// One request in a form that can be repeated by hand and used as the key of a recorded answer.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Request {
    /// HTTP GET of a path below the endpoint's base, as in `/tx/TXID`.
    Get {
        /// The path, starting with a slash, with its query if it has one.
        path: String,
    },
    /// A JSON-RPC call over HTTP POST or an Electrum connection.
    Call {
        /// The method's name.
        method: String,
        /// The parameters as compact JSON text, an array.
        params: String,
    },
}

impl Request {
    /// A GET request.
    pub fn get(path: impl Into<String>) -> Self {
        Self::Get { path: path.into() }
    }

    /// A JSON-RPC call.
    pub fn call(method: &str, params: &serde_json::Value) -> Self {
        Self::Call {
            method: method.to_owned(),
            params: params.to_string(),
        }
    }

    /// True for a JSON-RPC call.
    pub fn is_call(&self) -> bool {
        matches!(self, Self::Call { .. })
    }
}

impl fmt::Display for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Get { path } => write!(f, "GET {path}"),
            Self::Call { method, params } => write!(f, "{method} {params}"),
        }
    }
}

/// Something that answers requests: a live endpoint, a recorder in front of one, or a directory of recordings.
///
/// Implementations bound, pace and retry; what they return is the body of a successful answer. For a
/// [`Request::Call`] that is the whole JSON-RPC response object, whose `error` the caller reads.
#[async_trait]
pub trait Wire: Send + Sync {
    /// The endpoint's host (and port), without user, path or query.
    fn endpoint(&self) -> &str;

    /// Sends one request and returns the body.
    async fn send(&self, request: &Request) -> Result<Vec<u8>, SourceError>;

    /// Sends several requests in as few round trips as the protocol allows; the outcomes are in the order of
    /// the requests, one for each, and each is what [`Self::send`] would return.
    async fn send_batch(&self, requests: &[Request]) -> Vec<Result<Vec<u8>, SourceError>> {
        join_all(requests.iter().map(|request| self.send(request))).await
    }

    /// Waits until the endpoint tells of a new block without being asked, at most for `patience`; true where there is
    /// reason to ask for the newest one.
    ///
    /// Fails with [`ErrorClass::Unsupported`] where nothing is told over this wire.
    async fn told_of_block(&self, _patience: Duration) -> Result<bool, SourceError> {
        let request = Request::call("eth_subscribe", &json!(["newHeads"]));
        let detail = "nothing is told over this connection";
        Err(failure(
            ErrorClass::Unsupported,
            self.endpoint(),
            &request,
            detail,
        ))
    }

    /// What was sent and received so far.
    fn activity(&self) -> EndpointActivity;
}

/// Builds the error of a failed request at `endpoint`; `detail` is made printable and cut to a line.
pub fn failure(
    class: ErrorClass,
    endpoint: &str,
    request: &Request,
    detail: impl fmt::Display,
) -> SourceError {
    SourceError {
        class,
        endpoint: endpoint.to_owned(),
        request: one_line(&request.to_string(), 300),
        detail: one_line(&detail.to_string(), 300),
    }
}

/// Makes hostile text safe for a terminal and a report: printable ASCII, at most `longest` characters.
pub fn one_line(text: &str, longest: usize) -> String {
    text.chars()
        .take(longest)
        .map(|c| {
            if c.is_ascii_graphic() || c == ' ' {
                c
            } else {
                '?'
            }
        })
        .collect()
}
