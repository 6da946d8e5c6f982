//! One question's exchange with an endpoint, and what it heard.

use std::fmt;
use std::sync::{Mutex, PoisonError};

use futures::{StreamExt, stream};
use hansel_ledger::{ErrorClass, Evidence, SourceError};
use hansel_wire::{Request, Wire, failure};
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::answer::{Complaint, Reply, fault, read_reply};
use super::{RpcFailure, RpcKind};

/// Calls that are handed to the wire at a time; it may send them as smaller batches.
const BATCH: usize = 100;
/// Such groups under way at a time; the wire bounds the requests.
const AT_A_TIME: usize = 8;

/// What was asked of one endpoint and what it answered.
pub struct Talk<'a> {
    wire: &'a dyn Wire,
    /// `None` where answers are too large or too many to keep.
    heard: Option<Mutex<Vec<Evidence>>>,
}

/// An answer that holds a result.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Heard {
    body: Vec<u8>,
    place: std::ops::Range<usize>,
}

impl Heard {
    /// The JSON of the result, which may be `null`.
    pub fn json(&self) -> &[u8] {
        &self.body[self.place.clone()]
    }
}

impl<'a> Talk<'a> {
    /// Starts a talk whose answers are kept.
    pub fn new(wire: &'a dyn Wire) -> Self {
        Self {
            wire,
            heard: Some(Mutex::default()),
        }
    }

    /// Starts a talk whose answers are read and forgotten.
    pub fn off_the_record(wire: &'a dyn Wire) -> Self {
        Self { wire, heard: None }
    }

    /// Starts a part of this talk that runs beside others; [`Self::join`] puts it in its place.
    pub fn fork(&self) -> Self {
        Self {
            wire: self.wire,
            heard: self.heard.as_ref().map(|_| Mutex::default()),
        }
    }

    /// Appends what a part has heard.
    pub fn join(&self, part: Self) {
        if let Some(heard) = &self.heard {
            let mut heard = heard.lock().unwrap_or_else(PoisonError::into_inner);
            heard.extend(part.evidence());
        }
    }

    /// Everything heard that was not an error, in order.
    pub fn evidence(self) -> Vec<Evidence> {
        let heard = self.heard.unwrap_or_default();
        heard.into_inner().unwrap_or_else(PoisonError::into_inner)
    }

    /// The endpoint's host and port.
    pub fn endpoint(&self) -> &str {
        self.wire.endpoint()
    }

    /// Calls a method and reads its result; one of another form than `T` is malformed, and so is `null` where
    /// `T` is no option.
    pub async fn call<T: DeserializeOwned>(
        &self,
        method: &str,
        params: Value,
    ) -> Result<T, RpcFailure> {
        let request = Request::call(method, &params);
        let outcome = self.wire.send(&request).await;
        let heard = self.hear(&request, outcome)?;
        self.read(&request, &heard)
    }

    /// Calls a method and leaves its result as JSON.
    pub async fn raw(&self, method: &str, params: Value) -> Result<Heard, RpcFailure> {
        let request = Request::call(method, &params);
        let outcome = self.wire.send(&request).await;
        self.hear(&request, outcome)
    }

    /// Makes many calls in few round trips; the outcomes are in the order of the calls, and one that fails
    /// leaves the others alone.
    pub async fn batch<T: DeserializeOwned>(
        &self,
        calls: Vec<(&'static str, Value)>,
    ) -> Vec<Result<T, RpcFailure>> {
        let requests: Vec<Request> = calls
            .iter()
            .map(|(method, params)| Request::call(method, params))
            .collect();
        let groups = requests.chunks(BATCH);
        // Collected first, as a stream that maps borrowed groups is not known to be `Send`.
        let sent: Vec<_> = groups.map(|group| self.wire.send_batch(group)).collect();
        let outcomes: Vec<_> = stream::iter(sent).buffered(AT_A_TIME).collect().await;
        let outcomes = outcomes.into_iter().flatten();
        let pairs = requests.iter().zip(outcomes);
        pairs
            .map(|(request, outcome)| self.read(request, &self.hear(request, outcome)?))
            .collect()
    }

    /// Builds an error about an answer to a call.
    pub fn failure(
        &self,
        kind: RpcKind,
        class: ErrorClass,
        method: &str,
        params: &Value,
        detail: impl fmt::Display,
    ) -> RpcFailure {
        let request = Request::call(method, params);
        self.failed(kind, class, &request, detail)
    }

    fn hear(
        &self,
        request: &Request,
        outcome: Result<Vec<u8>, SourceError>,
    ) -> Result<Heard, RpcFailure> {
        let body = outcome?;
        match read_reply(&body) {
            Ok(Reply::Result(place)) => {
                self.keep(request, &body);
                Ok(Heard { body, place })
            }
            Ok(Reply::Error(complaint)) => Err(self.refused(request, &complaint)),
            Err(detail) => Err(self.malformed(request, detail)),
        }
    }

    fn read<T: DeserializeOwned>(&self, request: &Request, heard: &Heard) -> Result<T, RpcFailure> {
        serde_json::from_slice(heard.json()).map_err(|error| {
            let detail = format!("not a result of the expected form: {}", fault(&error));
            self.malformed(request, detail)
        })
    }

    fn keep(&self, request: &Request, body: &[u8]) {
        if let Some(heard) = &self.heard {
            let evidence = Evidence {
                endpoint: self.wire.endpoint().to_owned(),
                request: request.to_string(),
                body: body.to_vec(),
            };
            let mut heard = heard.lock().unwrap_or_else(PoisonError::into_inner);
            heard.push(evidence);
        }
    }

    fn refused(&self, request: &Request, complaint: &Complaint) -> RpcFailure {
        let kind = complaint.kind();
        let class = kind.class().unwrap_or(ErrorClass::Unsupported);
        self.failed(kind, class, request, complaint.words())
    }

    fn malformed(&self, request: &Request, detail: String) -> RpcFailure {
        self.failed(RpcKind::Malformed, ErrorClass::Malformed, request, detail)
    }

    fn failed(
        &self,
        kind: RpcKind,
        class: ErrorClass,
        request: &Request,
        detail: impl fmt::Display,
    ) -> RpcFailure {
        let error = failure(class, self.wire.endpoint(), request, detail);
        RpcFailure { kind, error }
    }
}
