//! Sends calls to the endpoint and reads the form of what comes back.

use std::fmt;
use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use hansel_ledger::{EndpointActivity, ErrorClass, Evidence, SourceError};
use hansel_wire::{Request, Wire, failure};
use serde_json::Value;

use super::{Reply, RpcFailure, read_reply};
use crate::decode::DecodeError;

/// An endpoint that is asked.
#[derive(Clone)]
pub struct Ask {
    wire: Arc<dyn Wire>,
}

/// An answer without error.
pub struct Heard {
    request: Request,
    /// The whole answer as it came.
    pub evidence: Evidence,
    result: Range<usize>,
}

impl Heard {
    /// The JSON of the result.
    pub fn json(&self) -> &[u8] {
        &self.evidence.body[self.result.clone()]
    }
}

impl Ask {
    /// Asks through a wire.
    pub fn new(wire: Arc<dyn Wire>) -> Self {
        Self { wire }
    }

    /// The endpoint's host and port.
    pub fn endpoint(&self) -> &str {
        self.wire.endpoint()
    }

    /// What it was asked so far.
    pub fn activity(&self) -> EndpointActivity {
        self.wire.activity()
    }

    /// Waits until the endpoint tells of a new block, at most for `patience`; see [`Wire::told_of_block`].
    pub async fn told_of_block(&self, patience: Duration) -> Result<bool, SourceError> {
        self.wire.told_of_block(patience).await
    }

    /// Calls a method.
    pub async fn call(&self, method: &str, params: &Value) -> Result<Heard, SourceError> {
        let heard = self.try_call(method, params).await;
        heard.map_err(|failure| failure.error)
    }

    /// Calls a method; a failure tells what to do about it.
    pub async fn try_call(&self, method: &str, params: &Value) -> Result<Heard, RpcFailure> {
        let request = Request::call(method, params);
        let body = self.wire.send(&request).await.map_err(RpcFailure::from)?;
        self.hear(request, body)
    }

    /// Makes many calls in as few round trips as the endpoint allows; the outcomes are in their order.
    pub async fn batch(
        &self,
        calls: impl IntoIterator<Item = (&'static str, Value)>,
    ) -> Vec<Result<Heard, RpcFailure>> {
        let calls = calls.into_iter();
        let requests: Vec<Request> = calls
            .map(|(method, params)| Request::call(method, &params))
            .collect();
        let bodies = self.wire.send_batch(&requests).await;
        requests
            .into_iter()
            .zip(bodies)
            .map(|(request, body)| self.hear(request, body.map_err(RpcFailure::from)?))
            .collect()
    }

    fn hear(&self, request: Request, body: Vec<u8>) -> Result<Heard, RpcFailure> {
        let result = match read_reply(&body) {
            Ok(Reply::Result(place)) => place,
            Ok(Reply::Error(complaint)) => {
                let kind = complaint.kind();
                let class = kind.class().unwrap_or(ErrorClass::Unsupported);
                let error = self.failure(class, &request, complaint.words());
                return Err(RpcFailure { kind, error });
            }
            Err(detail) => {
                let error = self.failure(ErrorClass::Malformed, &request, detail);
                return Err(RpcFailure::from(error));
            }
        };
        let evidence = Evidence {
            endpoint: self.wire.endpoint().to_owned(),
            request: request.to_string(),
            body,
        };
        Ok(Heard {
            request,
            evidence,
            result,
        })
    }

    /// Reads an answer; what cannot be read is malformed, what contradicts itself inconsistent.
    pub fn read<T>(
        &self,
        heard: &Heard,
        read: impl FnOnce(&[u8]) -> Result<T, DecodeError>,
    ) -> Result<T, SourceError> {
        read(heard.json()).map_err(|error| self.undecodable(&heard.request, &error))
    }

    /// Says that what was heard contradicts itself, the question or the chain.
    pub fn inconsistent(&self, heard: &Heard, detail: impl fmt::Display) -> SourceError {
        self.failure(ErrorClass::Inconsistent, &heard.request, detail)
    }

    /// Says that what was heard has not the form of the method's result.
    pub fn malformed(&self, heard: &Heard, detail: impl fmt::Display) -> SourceError {
        self.failure(ErrorClass::Malformed, &heard.request, detail)
    }

    /// Builds an error about a request.
    pub fn failure(
        &self,
        class: ErrorClass,
        request: &Request,
        detail: impl fmt::Display,
    ) -> SourceError {
        failure(class, self.wire.endpoint(), request, detail)
    }

    /// Says that an answer cannot be read as a fact.
    pub fn undecodable(&self, request: &Request, error: &DecodeError) -> SourceError {
        let class = match error {
            DecodeError::Json { .. }
            | DecodeError::Missing { .. }
            | DecodeError::OutcomeUnknown(_) => ErrorClass::Malformed,
            DecodeError::Contradiction { .. }
            | DecodeError::Overflow(_)
            | DecodeError::BrokenTree { .. }
            | DecodeError::TooLarge { .. } => ErrorClass::Inconsistent,
        };
        self.failure(class, request, error)
    }
}
