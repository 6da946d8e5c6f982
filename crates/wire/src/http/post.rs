//! What is sent in one HTTP request, and which answer in a batch belongs to which call.

use std::collections::BTreeMap;

use hansel_ledger::ErrorClass;
use serde::Deserialize;
use serde_json::value::RawValue;

use super::setback::Setback;
use crate::Request;
use crate::busy::asks_for_patience;

/// The version of JSON-RPC in which an endpoint is called.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum JsonRpc {
    /// Version 1.0, as Bitcoin Core speaks it: whether an answer belongs to the call is not checked.
    #[default]
    V1,
    /// Version 2.0: an answer to another call is refused, and so is for later what complains of too many
    /// requests. Calls may be sent as batches.
    V2,
}

/// The requests of one exchange.
#[derive(Clone, Copy)]
pub(super) enum Post<'a> {
    One(&'a Request),
    Batch(&'a [Request]),
}

impl Post<'_> {
    /// False for a GET.
    pub(super) fn is_call(self) -> bool {
        !matches!(self, Self::One(Request::Get { .. }))
    }

    /// Requests as an endpoint counts them.
    pub(super) fn count(self) -> usize {
        match self {
            Self::One(_) => 1,
            Self::Batch(requests) => requests.len(),
        }
    }

    /// The body of the calls; `None` where there is a GET among them.
    pub(super) fn body(self, version: JsonRpc) -> Option<String> {
        match self {
            Self::One(request) => call(request, version, 1),
            Self::Batch(requests) => {
                let calls = (1..).zip(requests);
                let calls: Option<Vec<String>> = calls
                    .map(|(id, request)| call(request, version, id))
                    .collect();
                Some(format!("[{}]", calls?.join(",")))
            }
        }
    }
}

/// The text of a call; its parameters are JSON already.
fn call(request: &Request, version: JsonRpc, id: u64) -> Option<String> {
    let Request::Call { method, params } = request else {
        return None;
    };
    let method = serde_json::Value::from(method.as_str());
    Some(match version {
        JsonRpc::V1 => {
            format!(r#"{{"jsonrpc":"1.0","id":"hansel","method":{method},"params":{params}}}"#)
        }
        JsonRpc::V2 => {
            format!(r#"{{"jsonrpc":"2.0","id":{id},"method":{method},"params":{params}}}"#)
        }
    })
}

/// The members of an answer that tell whose it is, and whether it is a refusal for their number.
#[derive(Deserialize)]
struct Signature<'a> {
    #[serde(borrow)]
    id: Option<&'a RawValue>,
    #[serde(borrow)]
    error: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct Complaint {
    #[serde(default)]
    code: i64,
    #[serde(default)]
    message: String,
}

impl Signature<'_> {
    fn is_of(&self, id: u64) -> bool {
        let told = self.id.map(|told| told.get().trim_matches('"'));
        told.is_some_and(|told| told.parse() == Ok(id))
    }

    fn wants_patience(&self) -> bool {
        let Some(error) = self.error else {
            return false;
        };
        let complaint: Complaint = serde_json::from_str(error.get()).unwrap_or(Complaint {
            code: 0,
            message: error.get().to_owned(),
        });
        asks_for_patience(complaint.code, &complaint.message)
    }
}

/// Checks that `body` answers the only call of an exchange.
///
/// A body that is no JSON-RPC at all is left to whoever reads it.
pub(super) fn check_answer(body: Vec<u8>) -> Result<Vec<u8>, Setback> {
    if is_plainly_first(&body) {
        return Ok(body);
    }
    let Ok(signature) = serde_json::from_slice::<Signature<'_>>(&body) else {
        return Ok(body);
    };
    if signature.wants_patience() {
        return Err(too_many());
    }
    // An endpoint that could not read the call does not know its id.
    if signature.is_of(1) || (signature.id.is_none() && signature.error.is_some()) {
        return Ok(body);
    }
    Err(Setback::new(
        ErrorClass::Malformed,
        "an answer to another call than the one that was sent",
    ))
}

/// True for the usual form of a result, whose id need not be searched for in megabytes.
fn is_plainly_first(body: &[u8]) -> bool {
    body.starts_with(br#"{"jsonrpc":"2.0","id":1,"result":"#)
}

fn too_many() -> Setback {
    Setback::new(
        ErrorClass::RateLimited,
        "the endpoint says that there are too many requests",
    )
}

/// Sorts the answers of a batch to its calls. What was answered not at all, more than once, or with a refusal
/// for the number of requests has `None`: it is worth asking by itself.
pub(super) fn answers(body: &[u8], calls: usize) -> Result<Vec<Option<Vec<u8>>>, Setback> {
    let members = match serde_json::from_slice::<Vec<&RawValue>>(body) {
        Ok(members) => members,
        Err(_) => return Err(refused_batch(body)),
    };
    let mut found: BTreeMap<u64, Vec<&RawValue>> = BTreeMap::new();
    for member in members {
        let signature: Result<Signature<'_>, _> = serde_json::from_str(member.get());
        let Ok(signature) = signature else { continue };
        let id = signature.id.map(|id| id.get().trim_matches('"').parse());
        if let (Some(Ok(id)), false) = (id, signature.wants_patience()) {
            found.entry(id).or_default().push(member);
        }
    }
    let ids = (1..).take(calls);
    Ok(ids
        .map(|id| match found.get(&id).map(Vec::as_slice) {
            Some([only]) => Some(only.get().as_bytes().to_vec()),
            Some(_) | None => None,
        })
        .collect())
}

/// One answer to a whole batch is a refusal of batches, or of so long a one.
fn refused_batch(body: &[u8]) -> Setback {
    match serde_json::from_slice::<Signature<'_>>(body) {
        Ok(signature) if signature.wants_patience() => too_many(),
        Ok(_) | Err(_) => Setback::new(ErrorClass::Malformed, "no batch of answers to a batch"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sorted(body: &str, calls: usize) -> Vec<Option<String>> {
        let answers = answers(body.as_bytes(), calls).unwrap();
        answers
            .into_iter()
            .map(|answer| answer.map(|answer| String::from_utf8(answer).unwrap()))
            .collect()
    }

    #[test]
    fn calls_are_worded_in_the_version_of_the_endpoint() {
        let call = Request::call("eth_call", &serde_json::json!([{"to": "\"0x\""}]));
        assert_eq!(
            Post::One(&call).body(JsonRpc::V1).unwrap(),
            r#"{"jsonrpc":"1.0","id":"hansel","method":"eth_call","params":[{"to":"\"0x\""}]}"#
        );
        let two = [call.clone(), call];
        assert_eq!(
            Post::Batch(&two).body(JsonRpc::V2).unwrap(),
            r#"[{"jsonrpc":"2.0","id":1,"method":"eth_call","params":[{"to":"\"0x\""}]},{"jsonrpc":"2.0","id":2,"method":"eth_call","params":[{"to":"\"0x\""}]}]"#
        );
        assert_eq!(Post::One(&Request::get("/")).body(JsonRpc::V2), None);
    }

    #[test]
    fn answers_of_a_batch_find_their_calls_in_any_order() {
        let body =
            r#"[{"id":2,"result":"b"}, {"id":"1","result":"a"},{"id":3,"error":{"code":1}}]"#;
        let found = sorted(body, 3);
        assert_eq!(found[0].as_deref(), Some(r#"{"id":"1","result":"a"}"#));
        assert_eq!(found[1].as_deref(), Some(r#"{"id":2,"result":"b"}"#));
        assert!(found[2].is_some());
    }

    #[test]
    fn what_a_batch_answers_twice_or_not_at_all_or_to_nobody_is_left_open() {
        let body = r#"[{"id":1,"result":"a"},{"id":1,"result":"b"},{"id":9,"result":"c"},
            {"id":null,"result":"d"},17,"x",[],{"result":"e"},{"id":-1,"result":"f"},
            {"id":3,"error":{"code":429,"message":"slow"}}]"#;
        assert_eq!(sorted(body, 3), [None, None, None]);
        assert_eq!(sorted("[]", 2), [None, None]);
    }

    #[test]
    fn one_answer_to_a_whole_batch_is_a_refusal_and_says_of_what() {
        for (body, class) in [
            (
                r#"{"id":null,"error":{"code":-32600,"message":"batch too large"}}"#,
                ErrorClass::Malformed,
            ),
            (
                r#"{"error":{"code":-32005,"message":"rate limit"}}"#,
                ErrorClass::RateLimited,
            ),
            ("not JSON", ErrorClass::Malformed),
            ("", ErrorClass::Malformed),
        ] {
            assert_eq!(answers(body.as_bytes(), 2).unwrap_err().class, class);
        }
    }

    #[test]
    fn an_answer_to_another_call_is_refused() {
        let check = |body: &str| check_answer(body.into()).map_err(|setback| setback.class);
        for body in [
            r#"{"jsonrpc":"2.0","id":1,"result":5}"#,
            r#"{"result":5,"id":1}"#,
            r#"{"result":5,"id":"1"}"#,
            r#"{"id":null,"error":{"code":-32700}}"#,
            "no JSON",
        ] {
            assert_eq!(check(body), Ok(body.into()));
        }
        for body in [
            r#"{"jsonrpc":"2.0","id":2,"result":5}"#,
            r#"{"id":null,"result":5}"#,
            r#"{"result":5}"#,
            "{}",
        ] {
            assert_eq!(check(body), Err(ErrorClass::Malformed), "{body}");
        }
        let busy = r#"{"id":1,"error":{"code":-32005,"message":"daily request count exceeded"}}"#;
        assert_eq!(check(busy), Err(ErrorClass::RateLimited));
    }
}
