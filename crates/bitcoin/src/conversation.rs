//! One question's exchange with an endpoint: sends requests, reads the answers' form, keeps them as evidence.

use std::fmt;
use std::sync::{Mutex, PoisonError};

use hansel_ledger::{ErrorClass, Evidence, SourceError};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use serde_json::value::RawValue;

use hansel_wire::failure;
use hansel_wire::{Request, Wire};

use crate::Disbelief;

/// What was asked of one endpoint and what it answered, for one query.
pub(crate) struct Conversation<'a> {
    wire: &'a dyn Wire,
    /// `None` where answers are too large or too many to keep, as in a scan of blocks.
    heard: Option<Mutex<Vec<Evidence>>>,
}

/// The members of a JSON-RPC response that matter; versions 1 and 2 differ in which may be absent.
#[derive(Deserialize)]
struct Response<'a> {
    #[serde(borrow)]
    result: Option<&'a RawValue>,
    #[serde(borrow)]
    error: Option<&'a RawValue>,
}

/// A JSON-RPC error; some Electrum servers send a bare text instead.
#[derive(Deserialize)]
struct Complaint {
    #[serde(default)]
    code: i64,
    #[serde(default)]
    message: String,
}

impl Complaint {
    fn read(error: &str) -> Self {
        serde_json::from_str(error).unwrap_or_else(|_| Self {
            code: 0,
            message: error.to_owned(),
        })
    }
}

impl<'a> Conversation<'a> {
    /// Starts a conversation whose answers are kept.
    pub(crate) fn new(wire: &'a dyn Wire) -> Self {
        Self {
            wire,
            heard: Some(Mutex::default()),
        }
    }

    /// Starts a conversation whose answers are read and forgotten.
    pub(crate) fn off_the_record(wire: &'a dyn Wire) -> Self {
        Self { wire, heard: None }
    }

    /// Starts a part of this conversation that runs beside others; [`Self::join`] puts it in its place.
    pub(crate) fn fork(&self) -> Self {
        Self {
            wire: self.wire,
            heard: self.heard.as_ref().map(|_| Mutex::default()),
        }
    }

    /// Appends what a part has heard.
    pub(crate) fn join(&self, part: Self) {
        for evidence in part.evidence() {
            self.keep(evidence);
        }
    }

    /// Appends one answer that was heard before.
    pub(crate) fn keep(&self, evidence: Evidence) {
        if let Some(heard) = &self.heard {
            heard
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .push(evidence);
        }
    }

    /// Everything heard, in order.
    pub(crate) fn evidence(self) -> Vec<Evidence> {
        let heard = self.heard.unwrap_or_default();
        heard.into_inner().unwrap_or_else(PoisonError::into_inner)
    }

    /// Calls a method and reads its result.
    pub(crate) async fn call<T: DeserializeOwned>(
        &self,
        method: &str,
        params: Value,
    ) -> Result<T, SourceError> {
        let (result, _) = self.call_with_evidence(method, params).await?;
        Ok(result)
    }

    /// Calls a method and reads its result; the raw answer is returned as well, for callers that remember it.
    pub(crate) async fn call_with_evidence<T: DeserializeOwned>(
        &self,
        method: &str,
        params: Value,
    ) -> Result<(T, Evidence), SourceError> {
        let request = Request::call(method, &params);
        let body = self.wire.send(&request).await?;
        let result = self.result_of(&request, &body)?;
        let evidence = self.as_evidence(&request, body);
        self.keep(evidence.clone());
        Ok((result, evidence))
    }

    /// Gets the bytes at a path.
    pub(crate) async fn get(&self, path: String) -> Result<Vec<u8>, SourceError> {
        let request = Request::get(path);
        let body = self.wire.send(&request).await?;
        if self.heard.is_some() {
            self.keep(self.as_evidence(&request, body.clone()));
        }
        Ok(body)
    }

    /// Builds an error about an answer to `method`.
    pub(crate) fn failure(
        &self,
        class: ErrorClass,
        method: &str,
        params: &Value,
        detail: impl fmt::Display,
    ) -> SourceError {
        let request = Request::call(method, params);
        failure(class, self.wire.endpoint(), &request, detail)
    }

    /// Builds the error of a transaction that was not believed.
    pub(crate) fn disbelief(
        &self,
        method: &str,
        params: &Value,
        disbelief: &Disbelief,
    ) -> SourceError {
        let class = match disbelief {
            Disbelief::NotATransaction(_) => ErrorClass::Malformed,
            Disbelief::WrongTxid { .. }
            | Disbelief::PrevoutCount { .. }
            | Disbelief::Impossible(_)
            | Disbelief::NegativeFee => ErrorClass::Inconsistent,
        };
        self.failure(class, method, params, disbelief)
    }

    fn as_evidence(&self, request: &Request, body: Vec<u8>) -> Evidence {
        Evidence {
            endpoint: self.wire.endpoint().to_owned(),
            request: request.to_string(),
            body,
        }
    }

    fn result_of<T: DeserializeOwned>(
        &self,
        request: &Request,
        body: &[u8],
    ) -> Result<T, SourceError> {
        let malformed = |error: serde_json::Error| {
            failure(
                ErrorClass::Malformed,
                self.wire.endpoint(),
                request,
                format!("not a JSON-RPC answer of the expected form: {error}"),
            )
        };
        let response: Response<'_> = serde_json::from_slice(body).map_err(malformed)?;
        if let Some(error) = response.error {
            return Err(self.complaint(request, error.get()));
        }
        let text = response.result.map_or("null", RawValue::get);
        serde_json::from_str(text).map_err(malformed)
    }

    fn complaint(&self, request: &Request, error: &str) -> SourceError {
        let complaint = Complaint::read(error);
        let class = classify(complaint.code, &complaint.message);
        let detail = if complaint.message.is_empty() {
            error.to_owned()
        } else {
            complaint.message
        };
        failure(class, self.wire.endpoint(), request, detail)
    }
}

/// The class of the error that a JSON-RPC response holds; `None` for a result or anything else.
pub(crate) fn complaint_class(body: &[u8]) -> Option<ErrorClass> {
    // Whoever reads the answer reports a body that is not JSON-RPC; here it is merely no complaint.
    let response: Response<'_> = serde_json::from_slice(body).ok()?;
    let complaint = Complaint::read(response.error?.get());
    Some(classify(complaint.code, &complaint.message))
}

/// Tells what a JSON-RPC error means for the client.
///
/// Codes are Bitcoin Core's (`src/rpc/protocol.h`) and ElectrumX's; texts are those of Core, electrs, Fulcrum
/// and ElectrumX, which pass the node's own errors on inside a text of theirs.
fn classify(code: i64, message: &str) -> ErrorClass {
    let message = message.to_ascii_lowercase();
    let says = |words: &[&str]| words.iter().any(|word| message.contains(word));
    if says(&[
        "history too large",
        "too many",
        "too popular",
        "lookup limit",
    ]) {
        return ErrorClass::TooPopular;
    }
    if says(&["scan already in progress", "excessive resource", "busy"]) {
        return ErrorClass::RateLimited;
    }
    if says(&[
        "pruned",
        "is unavailable",
        "not enabled",
        "undo data expected",
    ]) {
        return ErrorClass::Unsupported;
    }
    if says(&[
        "no such",
        "not found",
        "no header",
        "out of range",
        "missing",
        "-5",
    ]) && code != -32601
    {
        return ErrorClass::NotFound;
    }
    match code {
        -5 => ErrorClass::NotFound,
        -28 | -9 | -10 => ErrorClass::Unreachable,
        -101 | -102 => ErrorClass::RateLimited,
        _ => ErrorClass::Unsupported,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_of_known_servers_get_the_class_that_says_what_to_do() {
        let cases = [
            (
                -5,
                "No such mempool or blockchain transaction. Use gettransaction for wallet transactions.",
                ErrorClass::NotFound,
            ),
            (-8, "Block height out of range", ErrorClass::NotFound),
            (-32601, "Method not found", ErrorClass::Unsupported),
            (-28, "Loading block index...", ErrorClass::Unreachable),
            (
                -1,
                "Mempool lacks a relevant spend, and txospenderindex is unavailable.",
                ErrorClass::Unsupported,
            ),
            (
                -1,
                "Block not available (pruned data)",
                ErrorClass::Unsupported,
            ),
            (
                -8,
                "Scan already in progress, use action \"abort\" or \"status\"",
                ErrorClass::RateLimited,
            ),
            (1, "no header at 124", ErrorClass::NotFound),
            (1, "history too large", ErrorClass::TooPopular),
            (
                2,
                "daemon error: DaemonError({'code': -5, 'message': 'No such'})",
                ErrorClass::NotFound,
            ),
            (-101, "excessive resource usage", ErrorClass::RateLimited),
        ];
        for (code, message, class) in cases {
            assert_eq!(classify(code, message), class, "{code} {message}");
        }
    }
}
