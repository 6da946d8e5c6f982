//! A node of Arbitrum as far as its JSON goes: a real EVM node's answers, in which some transactions have Arbitrum's own
//! types under the hashes that Arbitrum gives them.

use std::collections::BTreeMap;

use alloy_primitives::B256;
use hansel_testkit::{Anvil, FaultProxy, HttpReply, HttpRequest};
use serde_json::{Map, Value, json};

/// What a transaction of the node is on Arbitrum.
pub(super) struct Disguise {
    /// Its hash there.
    pub(super) hash: B256,
    /// Fields of the transaction that are others there.
    pub(super) transaction: Value,
    /// Fields of its receipt that are others there.
    pub(super) receipt: Value,
    /// Fields of the top-level call of its trace that are others there.
    pub(super) trace: Value,
}

/// By the hashes that the real node knows.
pub(super) type Disguises = BTreeMap<B256, Disguise>;

/// Stands in front of a node. No reply is made up: what the node does not know, nobody is told.
pub(super) fn arbitrum(anvil: &Anvil, disguises: Disguises) -> FaultProxy {
    let authority = anvil.url().replace("http://", "");
    let answer = move |request: &HttpRequest| {
        let mut calls: Value = serde_json::from_slice(&request.body).unwrap();
        let asked = calls.clone();
        each(&mut calls, |call| unmask(call, &disguises));
        let body = calls.to_string().into_bytes();
        let reply = HttpRequest::post("/", body).send(&authority).unwrap();
        let mut replies: Value = serde_json::from_slice(&reply.body).unwrap();
        each(&mut replies, |reply| {
            let call = find(&asked, &reply["id"]);
            mask(call, &mut reply["result"], &disguises);
        });
        HttpReply::json(&replies)
    };
    FaultProxy::over_answers(answer, []).unwrap()
}

fn each(one_or_many: &mut Value, mut visit: impl FnMut(&mut Value)) {
    match one_or_many {
        Value::Array(many) => many.iter_mut().for_each(visit),
        one => visit(one),
    }
}

fn find<'a>(calls: &'a Value, id: &Value) -> &'a Value {
    let of_many = calls.as_array().into_iter().flatten();
    of_many
        .into_iter()
        .find(|call| call["id"] == *id)
        .unwrap_or(calls)
}

/// Asks the node for a transaction by the hash that the node knows. Logs are left to be asked for as they are: their
/// topics name transactions by Arbitrum's hashes.
fn unmask(call: &mut Value, disguises: &Disguises) {
    let of_transaction = call["method"].as_str().is_some_and(|method| {
        method.contains("_getTransactionBy")
            || method.ends_with("Receipt")
            || method.to_lowercase().ends_with("_tracetransaction")
            || method.ends_with("_transaction")
    });
    let mut known = disguises.iter();
    let known = known.find(|(_, disguise)| call["params"][0] == json!(disguise.hash));
    if let Some((hash, _)) = known.filter(|_| of_transaction) {
        call["params"][0] = json!(hash);
    }
}

/// Tells what Arbitrum's node tells.
fn mask(call: &Value, result: &mut Value, disguises: &Disguises) {
    if call["method"] == "debug_traceTransaction" {
        let named = disguises
            .values()
            .find(|one| call["params"][0] == json!(one.hash));
        if let (Some(disguise), Some(fields)) = (named, result.as_object_mut()) {
            put(fields, &disguise.trace);
        }
    }
    walk(result, disguises);
}

fn walk(value: &mut Value, disguises: &Disguises) {
    match value {
        Value::Array(values) => values.iter_mut().for_each(|one| walk(one, disguises)),
        Value::Object(fields) => {
            dress(fields, disguises);
            fields.values_mut().for_each(|one| walk(one, disguises));
        }
        Value::String(text) => {
            let hash = text.parse::<B256>().ok();
            if let Some(disguise) = hash.and_then(|hash| disguises.get(&hash)) {
                *text = disguise.hash.to_string();
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// The names are those of `ArbBlock` and `ArbTransactionReceipt` of Arbitrum's SDK 4.0.4.
fn dress(fields: &mut Map<String, Value>, disguises: &Disguises) {
    let of = |name: &str| {
        let hash: B256 = fields.get(name)?.as_str()?.parse().ok()?;
        disguises.get(&hash)
    };
    let (transaction, receipt, traced) = (of("hash"), of("transactionHash"), of("txHash"));
    if fields.contains_key("parentHash") {
        let beneath =
            json!({"l1BlockNumber": "0x1064d2f", "sendCount": "0x0", "sendRoot": B256::ZERO});
        put(fields, &beneath);
    } else if fields.contains_key("cumulativeGasUsed") {
        put(
            fields,
            &json!({"l1BlockNumber": "0x1064d2f", "gasUsedForL1": "0x0"}),
        );
        receipt
            .into_iter()
            .for_each(|one| put(fields, &one.receipt));
    } else if let Some(disguise) = transaction {
        put(fields, &disguise.transaction);
    } else if let (Some(disguise), Some(Value::Object(call))) = (traced, fields.get_mut("result")) {
        put(call, &disguise.trace);
    }
}

fn put(fields: &mut Map<String, Value>, others: &Value) {
    let others = others.as_object().unwrap();
    fields.extend(
        others
            .iter()
            .map(|(name, value)| (name.clone(), value.clone())),
    );
}
