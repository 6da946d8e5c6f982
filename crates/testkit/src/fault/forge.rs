//! Answers that are well-formed and false.

use bitcoin::Txid;
use serde_json::{Value, json};

use super::upstream::Upstream;
use crate::http::{HttpReply, HttpRequest};

/// Another transaction's answer, under the id that was asked for where the answer is JSON.
pub(super) fn wrong_transaction(
    upstream: &Upstream,
    request: &HttpRequest,
    other: &Txid,
) -> HttpReply {
    let body = String::from_utf8_lossy(&request.body);
    let Some(asked) = txid_in(&request.path).or_else(|| txid_in(&body)) else {
        return upstream.send(request);
    };
    let other = other.to_string();
    let changed = HttpRequest {
        path: request.path.replace(&asked, &other),
        body: body.replace(&asked, &other).into_bytes(),
        ..request.clone()
    };
    let mut reply = upstream.send(&changed);
    if reply.content_type.contains("json") {
        let text = String::from_utf8_lossy(&reply.body).replace(&other, &asked);
        reply.body = text.into_bytes();
    }
    reply
}

/// The true answer with every spender replaced, and with the false spender's own place in the chain.
pub(super) fn false_spend(upstream: &Upstream, request: &HttpRequest, by: &Txid) -> HttpReply {
    let reply = upstream.send(request);
    let Ok(mut answer) = serde_json::from_slice::<Value>(&reply.body) else {
        return reply;
    };
    if request.method == "GET" {
        let spend = esplora_spend(upstream, request, by);
        match &mut answer {
            Value::Array(outputs) => outputs
                .iter_mut()
                .for_each(|output| *output = spend.clone()),
            other => *other = spend,
        }
    } else if let Value::Array(outputs) = &mut answer["result"] {
        let told = core_spend(upstream, request, by);
        for output in outputs {
            output["spendingtxid"] = json!(by);
            output["blockhash"] = told["blockhash"].clone();
            if let Some(bytes) = output.get_mut("spendingtx") {
                *bytes = told["hex"].clone();
            }
        }
    }
    HttpReply {
        body: answer.to_string().into_bytes(),
        ..reply
    }
}

fn esplora_spend(upstream: &Upstream, request: &HttpRequest, by: &Txid) -> Value {
    let status = HttpRequest {
        path: format!("/tx/{by}/status"),
        ..request.clone()
    };
    let status: Value =
        serde_json::from_slice(&upstream.send(&status).body).unwrap_or(json!({"confirmed": false}));
    json!({"spent": true, "txid": by, "vin": 0, "status": status})
}

fn core_spend(upstream: &Upstream, request: &HttpRequest, by: &Txid) -> Value {
    let call = json!({"jsonrpc": "1.0", "id": 0, "method": "getrawtransaction", "params": [by, 1]});
    let call = HttpRequest {
        body: call.to_string().into_bytes(),
        ..request.clone()
    };
    let answer: Value = serde_json::from_slice(&upstream.send(&call).body).unwrap_or_default();
    answer["result"].clone()
}

/// The first run of exactly 64 hexadecimal digits.
fn txid_in(text: &str) -> Option<String> {
    let mut runs = text.split(|c: char| !c.is_ascii_hexdigit());
    runs.find(|run| run.len() == 64).map(str::to_owned)
}
