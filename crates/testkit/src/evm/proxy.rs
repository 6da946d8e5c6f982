//! A JSON-RPC endpoint that forgets, refuses, cuts and lies where a test tells it to.

mod exchange;
mod fault;
mod serve;

use std::collections::BTreeMap;
use std::io;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde_json::Value;

use crate::server::ServerThread;
pub use fault::RpcFault;

/// A fault, the calls it befalls, and how often.
#[derive(Clone, Debug)]
pub struct RpcRule {
    prefix: String,
    fault: RpcFault,
    skip: u64,
    times: Option<u64>,
}

impl RpcRule {
    /// The fault at every call whose method starts with `prefix`, as `debug_` or `eth_getLogs`; empty for all.
    pub fn always(prefix: &str, fault: RpcFault) -> Self {
        Self {
            prefix: prefix.to_owned(),
            fault,
            skip: 0,
            times: None,
        }
    }

    /// The fault at the first `times` such calls.
    pub fn times(times: u64, prefix: &str, fault: RpcFault) -> Self {
        Self {
            times: Some(times),
            ..Self::always(prefix, fault)
        }
    }

    /// Lets this many such calls pass first.
    #[must_use]
    pub fn after(self, skip: u64) -> Self {
        Self { skip, ..self }
    }

    /// Whether the rule applies to a call of this method, counting it.
    fn applies(&mut self, method: &str) -> bool {
        if !method.starts_with(&self.prefix) {
            return false;
        }
        if self.skip > 0 {
            self.skip -= 1;
            return false;
        }
        match &mut self.times {
            None => true,
            Some(0) => false,
            Some(left) => {
                *left -= 1;
                true
            }
        }
    }
}

/// A call as a client made it, alone or in an array.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RpcCall {
    /// The method.
    pub method: String,
    /// Its parameters.
    pub params: Value,
}

/// A running proxy in front of a node's JSON-RPC over HTTP; dropped, it stops.
///
/// The members of an array are judged one by one, and those that are let through go on in one array. Of several
/// rules all that apply befall a call: the first that refuses decides, those that alter an answer do so in turn.
#[derive(Debug)]
pub struct RpcProxy {
    state: Arc<State>,
    server: ServerThread,
}

#[derive(Debug)]
struct State {
    /// `HOST:PORT` of the node.
    upstream: String,
    script: Mutex<Script>,
    requests: AtomicU64,
    in_flight: AtomicUsize,
    most_in_flight: AtomicUsize,
    largest_batch: AtomicUsize,
}

#[derive(Debug, Default)]
struct Script {
    rules: Vec<RpcRule>,
    calls: Vec<RpcCall>,
    latency: Duration,
}

impl RpcProxy {
    /// Stands in front of `http://HOST:PORT`.
    pub fn over(upstream: &str, rules: impl Into<Vec<RpcRule>>) -> io::Result<Self> {
        let authority = upstream
            .strip_prefix("http://")
            .map(|rest| rest.trim_end_matches('/'));
        let script = Script {
            rules: rules.into(),
            ..Script::default()
        };
        let state = Arc::new(State {
            upstream: authority.ok_or(io::ErrorKind::InvalidInput)?.to_owned(),
            script: Mutex::new(script),
            requests: AtomicU64::new(0),
            in_flight: AtomicUsize::new(0),
            most_in_flight: AtomicUsize::new(0),
            largest_batch: AtomicUsize::new(0),
        });
        let server = serve::start(state.clone())?;
        Ok(Self { state, server })
    }

    /// The endpoint, `http://127.0.0.1:PORT`.
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.server.port())
    }

    /// Adds a rule behind the others.
    pub fn add(&self, rule: RpcRule) {
        self.state.script().rules.push(rule);
    }

    /// Drops all rules and the latency: from now on the proxy is honest and fast.
    pub fn heal(&self) {
        let mut script = self.state.script();
        script.rules.clear();
        script.latency = Duration::ZERO;
    }

    /// Lets every request wait this long before it is looked at.
    pub fn set_latency(&self, latency: Duration) {
        self.state.script().latency = latency;
    }

    /// Forgets what was counted so far.
    pub fn reset_counts(&self) {
        self.state.script().calls.clear();
        self.state.requests.store(0, Ordering::SeqCst);
        self.state.most_in_flight.store(0, Ordering::SeqCst);
        self.state.largest_batch.store(0, Ordering::SeqCst);
    }

    /// All calls so far, those in arrays one by one, in the order of their arrival.
    pub fn calls(&self) -> Vec<RpcCall> {
        self.state.script().calls.clone()
    }

    /// How many calls of each method there were.
    pub fn methods(&self) -> BTreeMap<String, u64> {
        let mut methods = BTreeMap::new();
        for call in &self.state.script().calls {
            *methods.entry(call.method.clone()).or_default() += 1;
        }
        methods
    }

    /// How many calls there were whose method starts with `prefix`.
    pub fn count(&self, prefix: &str) -> usize {
        let script = self.state.script();
        let calls = script.calls.iter();
        calls.filter(|call| call.method.starts_with(prefix)).count()
    }

    /// How many HTTP requests came; an array is one.
    pub fn requests(&self) -> u64 {
        self.state.requests.load(Ordering::SeqCst)
    }

    /// The most requests that were being answered at one time.
    pub fn most_in_flight(&self) -> usize {
        self.state.most_in_flight.load(Ordering::SeqCst)
    }

    /// The number of calls in the largest array.
    pub fn largest_batch(&self) -> usize {
        self.state.largest_batch.load(Ordering::SeqCst)
    }
}

impl State {
    fn script(&self) -> MutexGuard<'_, Script> {
        self.script.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes a call and finds all that befalls it.
    fn faults(&self, call: &RpcCall) -> Vec<RpcFault> {
        let mut script = self.script();
        let rules = script.rules.iter_mut();
        let faults = rules
            .filter_map(|rule| rule.applies(&call.method).then(|| rule.fault.clone()))
            .collect();
        script.calls.push(call.clone());
        faults
    }
}
