//! One request, its calls and their answers.

use std::io;

use serde_json::{Value, json};

use super::fault::error;
use super::{RpcCall, RpcFault, State};
use crate::http::HttpRequest;

/// A request with everything that befalls it.
pub(super) struct Exchange {
    calls: Vec<Judged>,
    is_batch: bool,
}

struct Judged {
    call: RpcCall,
    id: Value,
    faults: Vec<RpcFault>,
}

impl Exchange {
    /// Reads a request, notes its calls and judges each.
    pub(super) fn judge(state: &State, request: Value) -> Self {
        let (members, is_batch) = match request {
            Value::Array(members) => (members, true),
            single => (vec![single], false),
        };
        let judge = |mut member: Value| {
            let call = RpcCall {
                method: member["method"].as_str().unwrap_or_default().to_owned(),
                params: member["params"].take(),
            };
            let faults = state.faults(&call);
            let id = member["id"].take();
            Judged { call, id, faults }
        };
        let calls = members.into_iter().map(judge).collect();
        Self { calls, is_batch }
    }

    /// How many calls it has.
    pub(super) fn size(&self) -> usize {
        self.calls.len()
    }

    /// All that befalls any of its calls.
    pub(super) fn faults(&self) -> impl Iterator<Item = &RpcFault> {
        self.calls.iter().flat_map(|judged| &judged.faults)
    }

    /// Asks the node what is not refused, and distorts what it says. Blocks.
    pub(super) fn answer(self, upstream: &str) -> io::Result<Value> {
        let too_many = self.faults().any(
            |fault| matches!(fault, RpcFault::BatchLimit(most) if self.is_batch && self.size() > *most),
        );
        if too_many {
            return Ok(identified(error(-32_600, "batch too large"), Value::Null));
        }
        let mut answers: Vec<Option<Value>> = self.calls.iter().map(Judged::refusal).collect();
        self.forward(upstream, &mut answers)?;
        let pairs = self.calls.into_iter().zip(answers);
        let mut answers: Vec<Value> = pairs
            .map(|(judged, answer)| judged.distorted(answer.unwrap_or_default()))
            .collect();
        Ok(match answers.pop() {
            Some(only) if !self.is_batch => only,
            last => Value::Array(answers.into_iter().chain(last).collect()),
        })
    }

    /// Fills in the answers that are still open.
    fn forward(&self, upstream: &str, answers: &mut [Option<Value>]) -> io::Result<()> {
        let open = self.calls.iter().zip(answers.iter()).enumerate();
        // Numbered anew, as a client may give two calls the same id.
        let requests: Vec<Value> = open
            .filter(|(_, (_, answer))| answer.is_none())
            .map(|(place, (judged, _))| judged.request(place))
            .collect();
        let body = match requests.as_slice() {
            [] => return Ok(()),
            [only] if !self.is_batch => only.clone(),
            _ => Value::Array(requests),
        };
        let reply = HttpRequest::post("/", body.to_string().into_bytes()).send(upstream)?;
        let found = match serde_json::from_slice(&reply.body)? {
            Value::Array(found) => found,
            single => vec![single],
        };
        for answer in found {
            let place = answer["id"]
                .as_u64()
                .and_then(|id| usize::try_from(id).ok());
            if let Some(slot) = place.and_then(|place| answers.get_mut(place)) {
                *slot = Some(answer);
            }
        }
        Ok(())
    }
}

impl Judged {
    fn refusal(&self) -> Option<Value> {
        self.faults
            .iter()
            .find_map(|fault| fault.refusal(&self.call))
    }

    fn request(&self, id: usize) -> Value {
        let RpcCall { method, params } = &self.call;
        json!({"jsonrpc": "2.0", "id": id, "method": method, "params": params})
    }

    fn distorted(self, mut answer: Value) -> Value {
        for fault in &self.faults {
            fault.distort(&self.call, &mut answer);
        }
        identified(answer, self.id)
    }
}

fn identified(mut answer: Value, id: Value) -> Value {
    answer["id"] = id;
    answer
}
