//! Execution traces: geth's call tracer and the flat traces of Parity's heirs.

use alloy_primitives::{Address, U256};
use serde_json::{Value, json};

use super::json::quantity;
use super::rpc_error::RpcRefusal;
use super::{EvmLedger, Made, answer};

/// The frame of `callTracer`.
pub(super) fn call_frame(made: &Made) -> Value {
    let calls: Vec<_> = made
        .calls
        .iter()
        .map(|call| frame(call.from, call.to, call.value))
        .collect();
    let mut top = frame(made.sender, made.to, made.value);
    top["input"] = json!(made.input);
    top["gasUsed"] = quantity(made.gas_used);
    if !made.succeeded {
        top["error"] = json!("execution reverted");
    } else if !calls.is_empty() {
        top["calls"] = json!(calls);
    }
    top
}

fn frame(from: Address, to: Address, value: U256) -> Value {
    json!({
        "type": "CALL",
        "from": from,
        "to": to,
        "value": quantity(value),
        "gas": "0x5208",
        "gasUsed": "0x0",
        "input": "0x",
    })
}

/// `debug_traceBlockByNumber`.
pub(super) fn frames(ledger: &EvmLedger, height: u64) -> Value {
    let made = ledger
        .blocks
        .get(&height)
        .map_or(&[][..], |body| &body.transactions);
    made.iter()
        .map(|made| json!({ "txHash": made.hash, "result": call_frame(made) }))
        .collect()
}

/// `trace_block`.
pub(super) fn flat_block(ledger: &EvmLedger, height: u64) -> Vec<Value> {
    let made = ledger
        .blocks
        .get(&height)
        .map_or(&[][..], |body| &body.transactions);
    let numbered = made.iter().enumerate();
    numbered
        .flat_map(|(at, made)| flat(ledger, made, height, at))
        .collect()
}

/// `trace_transaction`.
pub(super) fn flat(ledger: &EvmLedger, made: &Made, height: u64, at: usize) -> Vec<Value> {
    let below = made.calls.len();
    let top = (made.sender, made.to, made.value);
    let calls = made
        .calls
        .iter()
        .map(|call| (call.from, call.to, call.value));
    let numbered = std::iter::once(top).chain(calls).enumerate();
    numbered
        .map(|(step, (from, to, value))| {
            let mut trace = flat_call(from, to, value);
            trace["blockHash"] = json!(ledger.block_hash(height));
            trace["blockNumber"] = json!(height);
            trace["transactionHash"] = json!(made.hash);
            trace["transactionPosition"] = json!(at);
            match step.checked_sub(1) {
                None => trace["subtraces"] = json!(below),
                Some(child) => trace["traceAddress"] = json!([child]),
            }
            if !made.succeeded {
                trace["error"] = json!("Reverted");
            }
            trace
        })
        .collect()
}

fn flat_call(from: Address, to: Address, value: U256) -> Value {
    json!({
        "type": "call",
        "action": {
            "callType": "call",
            "from": from,
            "to": to,
            "value": quantity(value),
            "gas": "0x5208",
            "input": "0x",
        },
        "result": { "gasUsed": "0x0", "output": "0x" },
        "subtraces": 0,
        "traceAddress": [],
    })
}

/// `trace_filter`: what an account in either list gave or received.
pub(super) fn filter(ledger: &EvmLedger, asked: &Value) -> Result<Value, RpcRefusal> {
    let since = answer::height(ledger, asked.get("fromBlock"))?;
    let until = answer::height(ledger, asked.get("toBlock"))?.min(ledger.tip);
    let (givers, takers) = (parties(asked, "fromAddress")?, parties(asked, "toAddress")?);
    let skip = count(asked, "after").unwrap_or(0);
    let most = count(asked, "count").unwrap_or(usize::MAX);
    if since > until {
        return Ok(json!([]));
    }
    let blocks = ledger.blocks.range(since..=until);
    let traces = blocks.flat_map(|(height, _)| flat_block(ledger, *height));
    let fitting = traces.filter(|trace| {
        let names = |list: &[Address], side: &str| {
            list.is_empty() || list.iter().any(|one| trace["action"][side] == json!(one))
        };
        names(&givers, "from") && names(&takers, "to")
    });
    Ok(fitting.skip(skip).take(most).collect())
}

fn parties(asked: &Value, name: &str) -> Result<Vec<Address>, RpcRefusal> {
    let listed = asked.get(name).cloned().unwrap_or_else(|| json!([]));
    serde_json::from_value(listed).map_err(|_| RpcRefusal::bad_parameter(name))
}

fn count(asked: &Value, name: &str) -> Option<usize> {
    let number = asked.get(name)?.as_u64()?;
    usize::try_from(number).ok()
}
