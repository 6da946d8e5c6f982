//! An Esplora-compatible HTTP server over a real node's chain or a chain in memory.

mod json;
mod live;
mod routes;

use std::collections::BTreeMap;
use std::io;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::State;
use axum::http::{Response, Uri};
use bitcoin::Network;

pub use routes::answer as esplora_answer;

use crate::chain_index::ChainIndex;
use crate::http::HttpReply;
use crate::node::{Node, NodeError};
use crate::rpc::RpcClient;
use crate::server::ServerThread;

/// How an Esplora server behaves.
#[derive(Clone, Copy, Debug, Default)]
pub struct EsploraOptions {
    /// Waited before every answer.
    pub delay: Duration,
    /// Requests above this number at a time are answered with 429 at once; `None` for no limit.
    pub at_a_time: Option<usize>,
}

/// A running server; dropped, it stops.
///
/// Over a node it looks for new blocks and the mempool at every request, so it never lags behind.
#[derive(Debug)]
pub struct EsploraServer {
    server: ServerThread,
    state: Arc<Served>,
}

impl EsploraServer {
    /// Serves a regtest node's chain, which needs no index. Keep the node alive longer.
    pub fn over_node(node: &Node, options: EsploraOptions) -> Result<Self, NodeError> {
        let rpc = node.rpc();
        let mut chain = ChainIndex::new(Network::Regtest);
        live::refresh(&mut chain, &rpc)?;
        Ok(Self::start(chain, Some(rpc), options)?)
    }

    /// Serves a chain in memory.
    pub fn over_chain(chain: ChainIndex, options: EsploraOptions) -> io::Result<Self> {
        Self::start(chain, None, options)
    }

    fn start(
        chain: ChainIndex,
        node: Option<RpcClient>,
        options: EsploraOptions,
    ) -> io::Result<Self> {
        let state = Arc::new(Served {
            chain: RwLock::new(chain),
            node,
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

    /// The base URL, `http://127.0.0.1:PORT`; the same answers are found below `/api`.
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.server.port())
    }

    /// All requests so far.
    pub fn requests(&self) -> u64 {
        self.state.traffic().paths.values().sum()
    }

    /// Requests so far for exactly this path.
    pub fn requests_for(&self, path: &str) -> u64 {
        let traffic = self.state.traffic();
        traffic.paths.get(path).copied().unwrap_or_default()
    }

    /// Requests so far by path.
    pub fn requests_by_path(&self) -> BTreeMap<String, u64> {
        self.state.traffic().paths.clone()
    }

    /// Requests answered with 429.
    pub fn refused(&self) -> u64 {
        self.state.traffic().refused
    }

    /// The most requests that were open at a time, refused ones included.
    pub fn peak(&self) -> usize {
        self.state.traffic().peak
    }

    /// Forgets what was counted.
    pub fn reset_counts(&self) {
        *self.state.traffic() = Traffic::default();
    }

    /// Replaces the chain in memory, as a reorganisation would. Without effect over a node.
    pub fn replace_chain(&self, chain: ChainIndex) {
        *self
            .state
            .chain
            .write()
            .unwrap_or_else(PoisonError::into_inner) = chain;
    }
}

#[derive(Debug)]
struct Served {
    chain: RwLock<ChainIndex>,
    node: Option<RpcClient>,
    options: EsploraOptions,
    traffic: Mutex<Traffic>,
    open: AtomicUsize,
}

#[derive(Debug, Default)]
struct Traffic {
    paths: BTreeMap<String, u64>,
    refused: u64,
    peak: usize,
}

impl Served {
    fn traffic(&self) -> std::sync::MutexGuard<'_, Traffic> {
        self.traffic.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Counts a request in and says whether it is one too many.
    fn enter(&self, path: &str) -> (Open<'_>, bool) {
        let open = self.open.fetch_add(1, Ordering::SeqCst) + 1;
        let too_many = self.options.at_a_time.is_some_and(|limit| open > limit);
        let mut traffic = self.traffic();
        *traffic.paths.entry(path.to_owned()).or_default() += 1;
        traffic.peak = traffic.peak.max(open);
        traffic.refused += u64::from(too_many);
        (Open(&self.open), too_many)
    }

    fn answer(&self, path: &str) -> HttpReply {
        if let Some(rpc) = &self.node {
            let mut chain = self.chain.write().unwrap_or_else(PoisonError::into_inner);
            if let Err(error) = live::refresh(&mut chain, rpc) {
                return HttpReply::text(503, error.to_string());
            }
        }
        let chain = self.chain.read().unwrap_or_else(PoisonError::into_inner);
        routes::answer(&chain, path)
    }
}

/// Counts a request out, also one whose client went away.
struct Open<'a>(&'a AtomicUsize);

impl Drop for Open<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

async fn respond(State(served): State<Arc<Served>>, uri: Uri) -> Response<Body> {
    let path = uri.path();
    let (_open, too_many) = served.enter(path);
    if too_many {
        return response(HttpReply::text(429, "Too Many Requests"));
    }
    if !served.options.delay.is_zero() {
        tokio::time::sleep(served.options.delay).await;
    }
    response(if served.node.is_some() {
        tokio::task::block_in_place(|| served.answer(path))
    } else {
        served.answer(path)
    })
}

fn response(reply: HttpReply) -> Response<Body> {
    Response::builder()
        .status(reply.status)
        .header("content-type", reply.content_type)
        .body(Body::from(reply.body))
        .expect("statuses and content types are written in this crate")
}
