//! Sends calls to the endpoint and reads the form of what comes back.

use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use hansel_ledger::{EndpointActivity, ErrorClass, Evidence, SourceError};
use hansel_wire::{Request, Wire, failure};
use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;

use crate::decode::DecodeError;

/// An endpoint that is asked.
#[derive(Clone)]
pub(crate) struct Ask {
    wire: Arc<dyn Wire>,
}

/// An answer without error.
pub(crate) struct Heard {
    request: Request,
    /// The whole answer as it came.
    pub(crate) evidence: Evidence,
    result: Range<usize>,
}

impl Heard {
    /// The JSON of the result.
    pub(crate) fn json(&self) -> &[u8] {
        &self.evidence.body[self.result.clone()]
    }
}

#[derive(Deserialize)]
struct Response<'a> {
    #[serde(borrow)]
    result: Option<&'a RawValue>,
    #[serde(borrow)]
    error: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct Complaint {
    #[serde(default)]
    message: String,
}

impl Ask {
    pub(crate) fn new(wire: Arc<dyn Wire>) -> Self {
        Self { wire }
    }

    pub(crate) fn endpoint(&self) -> &str {
        self.wire.endpoint()
    }

    pub(crate) fn activity(&self) -> EndpointActivity {
        self.wire.activity()
    }

    /// Calls a method.
    pub(crate) async fn call(&self, method: &str, params: &Value) -> Result<Heard, SourceError> {
        let request = Request::call(method, params);
        let body = self.wire.send(&request).await?;
        let result = self.result_in(&request, &body)?;
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
    pub(crate) fn read<T>(
        &self,
        heard: &Heard,
        read: impl FnOnce(&[u8]) -> Result<T, DecodeError>,
    ) -> Result<T, SourceError> {
        read(heard.json()).map_err(|error| self.undecodable(&heard.request, &error))
    }

    /// Says that what was heard contradicts itself, the question or the chain.
    pub(crate) fn inconsistent(&self, heard: &Heard, detail: impl fmt::Display) -> SourceError {
        self.failure(ErrorClass::Inconsistent, &heard.request, detail)
    }

    /// Builds an error about a request.
    pub(crate) fn failure(
        &self,
        class: ErrorClass,
        request: &Request,
        detail: impl fmt::Display,
    ) -> SourceError {
        failure(class, self.wire.endpoint(), request, detail)
    }

    pub(crate) fn undecodable(&self, request: &Request, error: &DecodeError) -> SourceError {
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

    fn result_in(&self, request: &Request, body: &[u8]) -> Result<Range<usize>, SourceError> {
        let malformed = |error: serde_json::Error| {
            let kind = error.classify();
            let detail = format!("not a JSON-RPC answer ({kind:?})");
            self.failure(ErrorClass::Malformed, request, detail)
        };
        let response: Response<'_> = serde_json::from_slice(body).map_err(malformed)?;
        if let Some(error) = response.error {
            return Err(self.complaint(request, error.get()));
        }
        // Nodes must send `"result": null`; a missing result is read as null, too.
        let Some(result) = response.result else {
            return Ok(null_in(body));
        };
        let start = result.get().as_ptr().addr() - body.as_ptr().addr();
        Ok(start..start + result.get().len())
    }

    fn complaint(&self, request: &Request, error: &str) -> SourceError {
        let complaint: Complaint = serde_json::from_str(error).unwrap_or(Complaint {
            message: error.to_owned(),
        });
        let says = |words: &[&str]| {
            let message = complaint.message.to_ascii_lowercase();
            words.iter().any(|word| message.contains(word))
        };
        let class = if says(&["rate limit", "too many requests", "exceeded its"]) {
            ErrorClass::RateLimited
        } else if says(&["timeout", "timed out", "internal error"]) {
            ErrorClass::Unreachable
        } else {
            ErrorClass::Unsupported
        };
        self.failure(class, request, complaint.message)
    }
}

/// Where `null` stands in an answer whose result is null or missing; an empty range where it does not.
fn null_in(body: &[u8]) -> Range<usize> {
    let found = body.windows(4).position(|window| window == b"null");
    found.map_or(0..0, |at| at..at + 4)
}
