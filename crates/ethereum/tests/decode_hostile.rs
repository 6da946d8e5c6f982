//! Whatever an endpoint sends is read within bounds or refused; call traces agree with a model that executes them.

#![allow(clippy::unwrap_used, reason = "a step that fails is a test that fails")]

use std::collections::BTreeMap;

use alloy_primitives::{B256, U256};
use hansel_ethereum::decode::{
    DecodeError, JsonFault, block, call_trace, call_traces_of_block, calls_of_flat_traces,
    flat_traces, logs, ots_page, receipt, receipts, transaction_by_hash,
};
use hansel_ledger::{Amount, Movement};
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::answers::{Answers, DEPOSIT, HASH, TRANSFER, WETH, account, party, word};

mod answers;

/// Reads a text as everything that an endpoint may send.
fn read_as_all(text: &[u8]) {
    _ = block(text);
    _ = transaction_by_hash(text);
    _ = receipt(text);
    _ = receipts(text);
    _ = logs(text);
    _ = call_trace(text);
    _ = call_traces_of_block(text);
    if let Ok(Some(traces)) = flat_traces(text) {
        _ = calls_of_flat_traces(&traces);
    }
    _ = ots_page(text);
}

fn sound() -> Vec<Vec<u8>> {
    let answers = Answers::new()
        .log(WETH, &[DEPOSIT, party(3)], &[word(5)])
        .log(account(7), &[TRANSFER, party(3), party(4)], &[word(6)])
        .calls(
            json!([{"type": "CALL", "from": account(2), "to": account(3), "value": "0x1",
            "error": "a \"quoted\" \\ reason", "calls": []}]),
        );
    let trace = answers.trace.clone().unwrap();
    let head = json!({
        "number": "0x5", "hash": word(5), "parentHash": word(4), "timestamp": "0x64",
        "transactions": [answers.tx], "withdrawals": [{"index": "0x1", "validatorIndex": "0x2",
            "address": account(1), "amount": "0x3"}],
    });
    let flat = json!([{
        "action": {"callType": "call", "from": account(1), "to": account(2), "value": "0x64"},
        "type": "call", "traceAddress": [], "subtraces": 0, "blockNumber": 5,
        "transactionHash": HASH, "error": null, "result": {"output": "0x"},
    }]);
    let ots = json!({"txs": [answers.tx], "receipts": [], "firstPage": true, "lastPage": true});
    let all = [
        head,
        answers.tx.clone(),
        answers.receipt.clone(),
        json!([answers.receipt]),
        answers.receipt["logs"].clone(),
        json!([{"txHash": HASH, "result": trace}]),
        trace,
        flat,
        ots,
    ];
    all.iter()
        .map(|value| value.to_string().into_bytes())
        .collect()
}

#[test]
fn every_sound_text_is_read() {
    let all = sound();
    block(&all[0]).unwrap().unwrap();
    transaction_by_hash(&all[1]).unwrap().unwrap();
    receipt(&all[2]).unwrap().unwrap();
    receipts(&all[3]).unwrap().unwrap();
    assert_eq!(logs(&all[4]).unwrap().len(), 2);
    let traced = call_traces_of_block(&all[5]).unwrap().unwrap();
    assert_eq!(traced[0].hash, Some(HASH));
    assert_eq!(traced[0].calls, call_trace(&all[6]).unwrap());
    let flat = flat_traces(&all[7]).unwrap().unwrap();
    assert_eq!(calls_of_flat_traces(&flat).unwrap().iter().count(), 1);
    assert_eq!(ots_page(&all[8]).unwrap().txs.len(), 1);
}

#[test]
fn null_is_no_block_no_receipt_and_no_trace_but_no_logs_is_an_error() {
    assert_eq!(block(b"null"), Ok(None));
    assert_eq!(receipts(b" null "), Ok(None));
    assert_eq!(call_trace(b" null "), Ok(None));
    assert_eq!(call_traces_of_block(b"null"), Ok(None));
    assert_eq!(flat_traces(b"null"), Ok(None));
    assert!(logs(b"null").is_err());
    assert!(ots_page(b"null").is_err());
    let traced = call_traces_of_block(br#"[{"error":"timeout"},{"txHash":"0x7777777777777777777777777777777777777777777777777777777777777777","result":null}]"#);
    let traced = traced.unwrap().unwrap();
    assert!(traced.iter().all(|one| one.calls.is_none()));
}

#[test]
fn nonsense_in_a_field_is_refused() {
    let tx = |name: &str, value: Value| {
        let fields = Value::from_iter([(name.to_owned(), value)]);
        let decoded = Answers::new().tx(fields).decode();
        let content = |error| {
            matches!(
                error,
                DecodeError::Json {
                    fault: JsonFault::Content,
                    ..
                }
            )
        };
        assert!(content(decoded.unwrap_err()), "{name}");
    };
    tx("value", json!(format!("0x1{}", "0".repeat(64))));
    tx("value", json!("-0x1"));
    tx("value", json!(null));
    tx("value", json!(1.5));
    tx("from", json!("0x01"));
    tx("from", json!(null));
    tx("hash", json!("0x"));
    tx("input", json!("0x123"));
    tx("transactionIndex", json!("0x100000000"));
    tx("blockNumber", json!("0x10000000000000000"));
}

#[test]
fn a_field_that_is_there_twice_is_refused() {
    let twice = br#"{"type":"CALL","calls":[],"calls":[]}"#;
    assert!(call_trace(twice).is_err());
    assert!(ots_page(br#"{"txs":[],"txs":[]}"#).is_err());
    for (name, first, second) in [
        ("value", "0x1", "0x64"),
        (
            "from",
            "0x0101010101010101010101010101010101010101",
            "0x0202020202020202020202020202020202020202",
        ),
        (
            "to",
            "0x0101010101010101010101010101010101010101",
            "0x0202020202020202020202020202020202020202",
        ),
        ("type", "DELEGATECALL", "CALL"),
    ] {
        let whole = json!({"type": "CALL", "from": account(1), "to": account(2), "value": "0x1"});
        let mut others = whole.clone();
        others.as_object_mut().unwrap().remove(name);
        let others = others.to_string();
        let others = others.trim_start_matches('{');
        let text = format!(r#"{{"{name}":"{first}","{name}":"{second}",{others}"#);
        assert!(call_trace(text.as_bytes()).is_err(), "{name}");
    }
}

/// A chain of calls, each in the one before.
fn nested(depth: usize) -> String {
    let open = r#"{"type":"CALL","from":"0x0101010101010101010101010101010101010101","to":"0x0101010101010101010101010101010101010101","value":"0x1","calls":["#;
    format!("{}{}", open.repeat(depth), "]}".repeat(depth))
}

#[test]
fn calls_nest_as_deep_as_the_virtual_machine_allows_and_no_deeper() {
    let calls = call_trace(nested(1_025).as_bytes()).unwrap().unwrap();
    let last = calls.iter().last().unwrap();
    assert_eq!(calls.path(last), vec![0; 1_025]);
    let limit = |error| matches!(error, DecodeError::TooLarge { what: "levels", .. });
    assert!(limit(call_trace(nested(2_000).as_bytes()).unwrap_err()));
    assert!(limit(call_trace(nested(200_000).as_bytes()).unwrap_err()));
    let address = vec![0; 2_000];
    let flat = json!([{
        "action": {"callType": "call", "from": account(1), "to": account(2), "value": "0x64"},
        "type": "call", "traceAddress": address, "blockNumber": 5,
    }]);
    let flat = flat_traces(flat.to_string().as_bytes()).unwrap().unwrap();
    assert!(calls_of_flat_traces(&flat).is_err());
}

#[test]
fn deep_junk_is_skipped_or_refused_and_never_recursed_into() {
    for (open, close) in [("[", "]"), ("{\"a\":", "}")] {
        let junk = format!("{}1{}", open.repeat(500_000), close.repeat(500_000));
        let trace = format!(r#"{{"junk":{junk},{}"#, &nested(1)[1..]);
        assert!(call_trace(trace.as_bytes()).unwrap().is_some());
        read_as_all(junk.as_bytes());
        read_as_all(format!(r#"{{"junk":{junk}}}"#).as_bytes());
        read_as_all(format!(r#"[{{"action":{{"junk":{junk}}}}}]"#).as_bytes());
    }
}

/// A call of the model: what `callTracer` tells of it and what is below it.
#[derive(Clone, Debug)]
struct Frame {
    kind: &'static str,
    to: u8,
    value: u64,
    fails: bool,
    calls: Vec<Self>,
}

fn frame() -> impl Strategy<Value = Frame> {
    let kind = prop::sample::select(vec![
        "CALL",
        "CALL",
        "CREATE",
        "CREATE2",
        "DELEGATECALL",
        "CALLCODE",
        "STATICCALL",
        "SELFDESTRUCT",
    ]);
    let leaf = (kind, 2..6_u8, 0..4_u64, prop::bool::weighted(0.25));
    let leaf = leaf.prop_map(|(kind, to, value, fails)| Frame {
        kind,
        to,
        value,
        fails,
        calls: Vec::new(),
    });
    leaf.prop_recursive(5, 60, 5, |inner| {
        (inner.clone(), prop::collection::vec(inner, 0..5)).prop_map(|(mut frame, calls)| {
            frame.calls = calls;
            frame
        })
    })
}

type Balances = BTreeMap<u8, i64>;

impl Frame {
    /// Whose name the calls below this one are made in.
    fn context(&self, caller: u8) -> u8 {
        match self.kind {
            "DELEGATECALL" | "CALLCODE" => caller,
            _ => self.to,
        }
    }

    fn json(&self, caller: u8) -> Value {
        let context = self.context(caller);
        json!({
            "calls": self.calls.iter().map(|call| call.json(context)).collect::<Vec<_>>(),
            "from": account(caller), "to": account(self.to),
            "error": self.fails.then_some("execution reverted"),
            "value": format!("{:#x}", self.value), "type": self.kind,
        })
    }

    fn flat(&self, caller: u8, address: Vec<u32>, all: &mut Vec<Value>) {
        let lower = self.kind.to_lowercase();
        let (kind, action, result) = match self.kind {
            "CREATE" | "CREATE2" => (
                "create",
                json!({"from": account(caller), "value": format!("{:#x}", self.value)}),
                json!({"address": account(self.to)}),
            ),
            "SELFDESTRUCT" => (
                "suicide",
                json!({"address": account(caller), "refundAddress": account(self.to),
                    "balance": format!("{:#x}", self.value)}),
                Value::Null,
            ),
            _ => (
                "call",
                json!({"callType": lower, "from": account(caller), "to": account(self.to),
                    "value": format!("{:#x}", self.value)}),
                json!({"output": "0x"}),
            ),
        };
        all.push(json!({
            "type": kind, "action": action, "result": result, "traceAddress": address,
            "subtraces": self.calls.len(), "blockNumber": 5, "transactionHash": HASH,
            "error": self.fails.then_some("Reverted"),
        }));
        for (step, call) in (0..).zip(&self.calls) {
            let mut below = address.clone();
            below.push(step);
            call.flat(self.context(caller), below, all);
        }
    }

    /// Executes the call: a failed one undoes all that it did.
    fn execute(&self, caller: u8, balances: &mut Balances) {
        let before = balances.clone();
        if matches!(self.kind, "CALL" | "CREATE" | "CREATE2" | "SELFDESTRUCT") {
            let value = i64::try_from(self.value).unwrap();
            *balances.entry(caller).or_default() -= value;
            *balances.entry(self.to).or_default() += value;
        }
        for call in &self.calls {
            call.execute(self.context(caller), balances);
        }
        if self.fails {
            *balances = before;
        }
    }
}

fn apply(movements: &[Movement]) -> Balances {
    let mut balances = Balances::new();
    for one in movements {
        let amount = i64::try_from(one.amount.to_u256()).unwrap();
        *balances.entry(one.from.0[0]).or_default() -= amount;
        *balances.entry(one.to.0[0]).or_default() += amount;
    }
    balances
}

fn nonzero(balances: Balances) -> Balances {
    balances
        .into_iter()
        .filter(|(_, balance)| *balance != 0)
        .collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn movements_are_what_executing_the_calls_does(calls in prop::collection::vec(frame(), 0..6)) {
        let top = Frame { kind: "CALL", to: 2, value: 100, fails: false, calls };
        let below: Vec<Value> = top.calls.iter().map(|call| call.json(2)).collect();
        let told = Answers::new().calls(below.into()).told();
        let mut executed = Balances::new();
        top.execute(1, &mut executed);
        prop_assert_eq!(nonzero(apply(&told.movements)), nonzero(executed));
        let mut origins: Vec<_> = told.movements.iter().map(|one| one.origin.clone()).collect();
        let unsorted = origins.clone();
        origins.sort();
        origins.dedup();
        prop_assert_eq!(unsorted, origins);
        prop_assert!(told.movements.iter().all(|one| one.amount > Amount::ZERO));
    }

    #[test]
    fn both_kinds_of_trace_tell_the_same_calls(calls in prop::collection::vec(frame(), 0..6)) {
        let top = Frame { kind: "CALL", to: 2, value: 100, fails: false, calls };
        let nested = call_trace(top.json(1).to_string().as_bytes()).unwrap().unwrap();
        let mut flat = Vec::new();
        top.flat(1, Vec::new(), &mut flat);
        let told = flat_traces(Value::from(flat.clone()).to_string().as_bytes()).unwrap().unwrap();
        let told = calls_of_flat_traces(&told).unwrap();
        let view = |calls: &hansel_ethereum::decode::Calls| -> Vec<_> {
            calls.iter().map(|call| (calls.path(call), call.from, call.to, call.value, call.failed)).collect()
        };
        prop_assert_eq!(view(&nested), view(&told));
        // Any entry that is missing is missed.
        for missing in 0..flat.len() {
            let mut rest = flat.clone();
            rest.remove(missing);
            let rest = flat_traces(Value::from(rest).to_string().as_bytes()).unwrap().unwrap();
            prop_assert!(calls_of_flat_traces(&rest).is_err());
        }
    }

    #[test]
    fn random_bytes_are_refused(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        read_as_all(&bytes);
    }

    #[test]
    fn damaged_texts_are_read_or_refused(
        which in 0..9_usize,
        cut in any::<prop::sample::Index>(),
        damage in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..4),
    ) {
        let mut text = sound().swap_remove(which);
        for (at, byte) in damage {
            let at = at.index(text.len());
            text[at] = byte;
        }
        read_as_all(&text);
        read_as_all(&text[..cut.index(text.len())]);
    }

    #[test]
    fn logs_of_any_shape_are_read_or_counted(
        topics in prop::collection::vec(topic(), 0..5),
        words in prop::collection::vec(any::<[u8; 32]>(), 0..4),
        value in any::<[u8; 32]>(),
    ) {
        let words: Vec<B256> = words.into_iter().map(B256::from).collect();
        let value = json!({"value": format!("{:#x}", U256::from_be_bytes(value))});
        let told = Answers::new().tx(value).log(WETH, &topics, &words).told();
        prop_assert!(told.movements.len() <= 2);
        prop_assert!(told.noise.total() <= 1);
    }
}

fn topic() -> impl Strategy<Value = B256> {
    let known = prop::sample::select(vec![
        TRANSFER,
        DEPOSIT,
        answers::WITHDRAWAL,
        answers::SINGLE,
        answers::BATCH,
        answers::TRADE,
        party(0),
        party(3),
    ]);
    prop_oneof![9 => known, 1 => any::<[u8; 32]>().prop_map(B256::from)]
}
