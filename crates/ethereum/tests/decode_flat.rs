//! Flat traces become a tree only where every entry is there and in its place.

#![allow(clippy::unwrap_used, reason = "a step that fails is a test that fails")]

use hansel_ethereum::decode::{
    CallKind, Calls, DecodeError, JsonFault, calls_of_flat_traces, flat_traces,
};
use serde_json::{Value, json};

use crate::answers::{HASH, account};

mod answers;

/// An entry without the number of its children, which some nodes do not tell.
fn entry(address: &[u32]) -> Value {
    json!({
        "action": {"callType": "call", "from": account(1), "to": account(2), "value": "0x1"},
        "type": "call", "traceAddress": address, "blockNumber": 5, "transactionHash": HASH,
        "transactionPosition": 3, "blockHash": HASH, "result": {"gasUsed": "0x0", "output": "0x"},
    })
}

fn tree(entries: &[Value]) -> Result<Calls, DecodeError> {
    let text = Value::from(entries.to_vec()).to_string();
    calls_of_flat_traces(&flat_traces(text.as_bytes())?.unwrap())
}

fn paths(addresses: &[&[u32]]) -> Result<Vec<Vec<u32>>, DecodeError> {
    let entries: Vec<Value> = addresses.iter().map(|address| entry(address)).collect();
    let calls = tree(&entries)?;
    Ok(calls.iter().map(|call| calls.path(call)).collect())
}

#[test]
fn a_path_is_the_trace_address_below_the_top_level_call() {
    let told = paths(&[&[], &[0], &[0, 0], &[0, 1], &[1], &[1, 0], &[1, 0, 0], &[2]]);
    let expected = [
        &[0][..],
        &[0, 0],
        &[0, 0, 0],
        &[0, 0, 1],
        &[0, 1],
        &[0, 1, 0],
        &[0, 1, 0, 0],
        &[0, 2],
    ];
    assert_eq!(told.unwrap(), expected);
}

#[test]
fn a_gap_an_orphan_a_second_top_and_a_wrong_order_are_refused() {
    let broken = |addresses: &[&[u32]], at| {
        assert_eq!(
            paths(addresses),
            Err(DecodeError::BrokenTree { at }),
            "{addresses:?}"
        );
    };
    broken(&[], 0);
    broken(&[&[0]], 0);
    broken(&[&[], &[1]], 1);
    broken(&[&[], &[0], &[2]], 2);
    broken(&[&[], &[0], &[0]], 2);
    broken(&[&[], &[0, 0]], 1);
    broken(&[&[], &[0], &[1, 0]], 2);
    broken(&[&[], &[0], &[1], &[0, 0]], 3);
    broken(&[&[], &[]], 1);
}

#[test]
fn a_call_that_lost_its_last_child_is_refused_where_the_node_counts_them() {
    let mut top = entry(&[]);
    top["subtraces"] = json!(2);
    assert!(tree(&[top.clone(), entry(&[0])]).is_err());
    assert!(tree(&[top, entry(&[0]), entry(&[1])]).is_ok());
}

#[test]
fn each_type_is_read_in_its_own_way() {
    let with = |kind: &str, action: Value, result: Value| {
        let mut told = entry(&[0]);
        told["type"] = json!(kind);
        told["action"] = action;
        told["result"] = result;
        tree(&[entry(&[]), told]).map(|calls| calls.iter().last().cloned().unwrap())
    };
    let init =
        json!({"from": account(1), "value": "0x2", "init": "0x", "creationMethod": "create2"});
    let created = with("create", init.clone(), json!({"address": account(9)})).unwrap();
    assert_eq!(
        (created.kind, created.to),
        (CallKind::Create, Some(account(9)))
    );
    assert!(with("create", init, Value::Null).is_err());
    let remains = json!({"address": account(3), "refundAddress": account(4), "balance": "0x5"});
    for kind in ["suicide", "selfdestruct"] {
        let ended = with(kind, remains.clone(), Value::Null).unwrap();
        assert_eq!((ended.from, ended.to), (account(3), Some(account(4))));
        assert_eq!(
            (ended.kind, ended.value.to_string().as_str()),
            (CallKind::SelfDestruct, "5")
        );
    }
    let unknown = json!({"from": account(1), "to": account(2), "value": "0x1"});
    let content = |told: Result<_, _>| match told {
        Err(DecodeError::Json { fault, .. }) => fault,
        other => panic!("{other:?}"),
    };
    assert_eq!(
        content(with("call", unknown.clone(), Value::Null)),
        JsonFault::Content
    );
    assert_eq!(
        content(with("teleport", unknown, Value::Null)),
        JsonFault::Content
    );
}

#[test]
fn a_block_reward_is_read_and_is_no_call() {
    let text = json!([{
        "action": {"author": account(9), "rewardType": "block", "value": "0x1bc16d674ec80000"},
        "blockHash": HASH, "blockNumber": 15_000_000, "result": null, "subtraces": 0,
        "traceAddress": [], "transactionHash": null, "transactionPosition": null, "type": "reward",
    }]);
    let traces = flat_traces(text.to_string().as_bytes()).unwrap().unwrap();
    assert_eq!(
        (traces[0].tx, traces[0].kind, traces[0].to),
        (None, None, Some(account(9)))
    );
    assert!(calls_of_flat_traces(&traces).is_err());
}
