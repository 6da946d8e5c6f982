//! The JSON-RPC server: HTTP, batches, limits, counts.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::Response;
use serde_json::{Value, json};

use super::EvmLedger;
use super::answer::evm_answer;
use super::rpc_error::RpcRefusal;
use crate::server::ServerThread;

/// What kind of node answers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum EvmProfile {
    /// State of all heights and execution traces.
    Full,
    /// State of all heights.
    #[default]
    Archive,
    /// State of the newest blocks only.
    Pruned {
        /// How many.
        blocks: u64,
    },
}

/// How a server behaves. Numbers are without limit where they are `None`.
#[derive(Clone, Debug, Default)]
pub struct EvmServerOptions {
    /// What kind of node it is.
    pub profile: EvmProfile,
    /// Methods that it does not know.
    pub without: BTreeSet<String>,
    /// The most blocks of one `eth_getLogs`.
    pub log_blocks: Option<u64>,
    /// The most logs of one `eth_getLogs`; with more it is an error that suggests a range.
    pub log_results: Option<usize>,
    /// Logs after this many are left out without a word.
    pub logs_cut_at: Option<usize>,
    /// The most requests of one batch.
    pub batch: Option<usize>,
    /// Waited before every answer.
    pub delay: Duration,
    /// HTTP requests above this number at a time are answered with 429 at once.
    pub at_a_time: Option<usize>,
}

/// A running server; dropped, it stops.
#[derive(Debug)]
pub struct EvmServer {
    server: ServerThread,
    state: Arc<Served>,
}

impl EvmServer {
    /// Serves a chain on a free port of loopback.
    pub fn start(ledger: Arc<EvmLedger>, options: EvmServerOptions) -> io::Result<Self> {
        let state = Arc::new(Served {
            ledger,
            options,
            traffic: Mutex::default(),
            open: AtomicUsize::new(0),
        });
        let router = Router::new().fallback(respond).with_state(state.clone());
        let server = ServerThread::start(async move |listener| {
            // It returns only when the listener is gone.
            let _ended = axum::serve(listener, router).await;
        })?;
        Ok(Self { server, state })
    }

    /// The URL, `http://127.0.0.1:PORT`.
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.server.port())
    }

    /// HTTP requests so far; a batch is one.
    pub fn requests(&self) -> u64 {
        self.state.traffic().requests
    }

    /// Calls so far by method, each of a batch counted.
    pub fn calls(&self) -> BTreeMap<String, u64> {
        self.state.traffic().calls.clone()
    }

    /// HTTP requests answered with 429.
    pub fn refused(&self) -> u64 {
        self.state.traffic().refused
    }

    /// The most HTTP requests that were open at a time, refused ones included.
    pub fn peak(&self) -> usize {
        self.state.traffic().peak
    }

    /// Forgets what was counted.
    pub fn reset_counts(&self) {
        *self.state.traffic() = Traffic::default();
    }
}

#[derive(Debug)]
struct Served {
    ledger: Arc<EvmLedger>,
    options: EvmServerOptions,
    traffic: Mutex<Traffic>,
    open: AtomicUsize,
}

#[derive(Debug, Default)]
struct Traffic {
    requests: u64,
    calls: BTreeMap<String, u64>,
    refused: u64,
    peak: usize,
}

impl Served {
    fn traffic(&self) -> MutexGuard<'_, Traffic> {
        self.traffic.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Counts a request in and says whether it is one too many.
    fn enter(&self) -> (Open<'_>, bool) {
        let open = self.open.fetch_add(1, Ordering::SeqCst) + 1;
        let too_many = self.options.at_a_time.is_some_and(|limit| open > limit);
        let mut traffic = self.traffic();
        traffic.requests += 1;
        traffic.peak = traffic.peak.max(open);
        traffic.refused += u64::from(too_many);
        (Open(&self.open), too_many)
    }

    fn answer(&self, body: &[u8]) -> Value {
        match serde_json::from_slice(body) {
            Ok(Value::Array(batch)) => {
                if self.options.batch.is_some_and(|limit| batch.len() > limit) {
                    return refusal(&RpcRefusal::batch());
                }
                batch.iter().map(|one| self.one(one)).collect()
            }
            Ok(one) => self.one(&one),
            Err(_) => refusal(&RpcRefusal::bad_request()),
        }
    }

    fn one(&self, request: &Value) -> Value {
        if let Some(method) = request.get("method").and_then(Value::as_str) {
            *self.traffic().calls.entry(method.to_owned()).or_default() += 1;
        }
        evm_answer(&self.ledger, &self.options, request)
    }
}

/// Counts a request out, also one whose client went away.
struct Open<'a>(&'a AtomicUsize);

impl Drop for Open<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

async fn respond(State(served): State<Arc<Served>>, body: Bytes) -> Response<Body> {
    let (_open, too_many) = served.enter();
    if too_many {
        return response(429, "text/plain", "Too Many Requests".into());
    }
    if !served.options.delay.is_zero() {
        tokio::time::sleep(served.options.delay).await;
    }
    response(200, "application/json", served.answer(&body).to_string())
}

fn refusal(refusal: &RpcRefusal) -> Value {
    json!({ "jsonrpc": "2.0", "id": Value::Null, "error": refusal.json() })
}

fn response(status: u16, content_type: &str, body: String) -> Response<Body> {
    Response::builder()
        .status(status)
        .header("content-type", content_type)
        .body(Body::from(body))
        .expect("statuses and content types are written here")
}
