//! What a block commits to is computed as Ethereum does, and what does not match is refused.

#![allow(clippy::unwrap_used, reason = "a step that fails is a test that fails")]

use alloy_consensus::proofs::calculate_receipt_root;
use alloy_consensus::{Eip658Value, Header, Receipt, ReceiptEnvelope};
use alloy_primitives::{B64, B256, Bloom, Bytes, Log, U256, b256};
use hansel_ethereum::decode::{
    HeaderLean, HeaderProof, ReceiptLean, ReceiptsProof, RootError, VerifyError, block,
    bloom_may_contain, check_header, check_receipts, receipts, receipts_root,
};
use serde_json::{Value, json};

use crate::answers::{TRANSFER, account, party, word};

mod answers;

/// The genesis block of Ethereum's main network.
fn genesis() -> Value {
    json!({
        "number": "0x0",
        "hash": "0xd4e56740f876aef8c010b86a40d5f56745a118d0906a34e69aec8c0db1cb8fa3",
        "parentHash": B256::ZERO, "timestamp": "0x0",
        "transactionsRoot": "0x56e81f171bcc55a6ff8345e692c0f86e5b48e01b996cadc001622fb5e363b421",
        "receiptsRoot": "0x56e81f171bcc55a6ff8345e692c0f86e5b48e01b996cadc001622fb5e363b421",
        "stateRoot": "0xd7f8974fb5ac78d9ac099b9ad5018bedc2ce0a72dad1827a1709da30580f0544",
        "sha3Uncles": "0x1dcc4de8dec75d7aab85b567b6ccd41ad312451b948a7413f0a142fd40d49347",
        "logsBloom": Bloom::ZERO, "miner": account(0), "difficulty": "0x400000000",
        "gasLimit": "0x1388", "gasUsed": "0x0", "mixHash": B256::ZERO,
        "extraData": "0x11bbe8db4e347b4e8c937c1c8370e4b5ed33adb3db69cbdb7a38e1e50b1b82fa",
        "nonce": "0x0000000000000042", "uncles": [], "transactions": [],
    })
}

fn read(value: &Value) -> HeaderLean {
    block(value.to_string().as_bytes()).unwrap().unwrap()
}

#[test]
fn a_header_is_proved_by_its_hash_and_never_called_forged_for_unknown_fields() {
    let sound = genesis();
    assert_eq!(check_header(&read(&sound)), HeaderProof::Hash);
    assert_eq!(check_receipts(&read(&sound), &[]), Ok(ReceiptsProof::Root));
    let mut without = genesis();
    without["mixHash"] = Value::Null;
    assert_eq!(check_header(&read(&without)), HeaderProof::Incomplete);
    let mut later = genesis();
    later["hash"] = json!(word(1));
    assert_eq!(check_header(&read(&later)), HeaderProof::Unsupported);
}

#[test]
fn every_field_of_a_header_of_today_is_part_of_its_hash() {
    let full = Header {
        parent_hash: word(1),
        ommers_hash: word(2),
        beneficiary: account(3),
        state_root: word(4),
        transactions_root: word(5),
        receipts_root: word(6),
        logs_bloom: Bloom::repeat_byte(7),
        difficulty: U256::from(8),
        number: 9,
        gas_limit: 10,
        gas_used: 11,
        timestamp: 12,
        extra_data: Bytes::from_static(b"13"),
        mix_hash: word(14),
        nonce: B64::from(15_u64),
        base_fee_per_gas: Some(16),
        withdrawals_root: Some(word(17)),
        blob_gas_used: Some(18),
        excess_blob_gas: Some(19),
        parent_beacon_block_root: Some(word(20)),
        requests_hash: Some(word(21)),
        ..Header::default()
    };
    let told = json!({
        "hash": full.hash_slow(), "parentHash": word(1), "sha3Uncles": word(2),
        "miner": account(3), "stateRoot": word(4), "transactionsRoot": word(5),
        "receiptsRoot": word(6), "logsBloom": Bloom::repeat_byte(7), "difficulty": "0x8",
        "number": "0x9", "gasLimit": "0xa", "gasUsed": "0xb", "timestamp": "0xc",
        "extraData": "0x3133", "mixHash": word(14), "nonce": "0x000000000000000f",
        "baseFeePerGas": "0x10", "withdrawalsRoot": word(17), "blobGasUsed": "0x12",
        "excessBlobGas": "0x13", "parentBeaconBlockRoot": word(20), "requestsHash": word(21),
    });
    assert_eq!(check_header(&read(&told)), HeaderProof::Hash);
}

/// A receipt with one log, as a node tells it.
fn receipt(index: u64, kind: Option<&str>, fields: &Value) -> Value {
    let mut told = json!({
        "transactionHash": word(100 + index), "transactionIndex": format!("{index:#x}"),
        "blockHash": word(5), "blockNumber": "0x5", "status": "0x1", "type": kind,
        "gasUsed": "0x5208", "cumulativeGasUsed": format!("{:#x}", 21_000 * (index + 1)),
        "logs": [{
            "address": account(7), "topics": [TRANSFER, party(3), party(4)], "data": word(5),
            "logIndex": format!("{index:#x}"), "transactionHash": word(100 + index),
            "blockHash": word(5), "blockNumber": "0x5",
        }],
    });
    for (name, value) in fields.as_object().unwrap() {
        told[name] = value.clone();
    }
    told
}

fn read_all(all: &[Value]) -> Vec<ReceiptLean> {
    let text = Value::from(all.to_vec()).to_string();
    receipts(text.as_bytes()).unwrap().unwrap()
}

/// The same receipt as the library builds it.
fn built(index: u64, status: Eip658Value) -> alloy_consensus::ReceiptWithBloom {
    let topics = vec![TRANSFER, party(3), party(4)];
    let log = Log::new_unchecked(account(7), topics, word(5).0.into());
    let receipt = Receipt {
        status,
        cumulative_gas_used: 21_000 * (index + 1),
        logs: vec![log],
    };
    receipt.with_bloom()
}

#[test]
fn the_root_of_receipts_is_that_of_the_library_for_every_known_type() {
    let (fine, failed) = (Eip658Value::Eip658(true), Eip658Value::Eip658(false));
    let told = [
        receipt(0, None, &json!({"status": null, "root": word(8)})),
        receipt(1, Some("0x0"), &json!({})),
        receipt(2, Some("0x1"), &json!({})),
        receipt(3, Some("0x2"), &json!({"status": "0x0"})),
        receipt(4, Some("0x3"), &json!({})),
        receipt(5, Some("0x4"), &json!({})),
    ];
    let built = [
        ReceiptEnvelope::Legacy(built(0, Eip658Value::PostState(word(8)))),
        ReceiptEnvelope::Legacy(built(1, fine)),
        ReceiptEnvelope::Eip2930(built(2, fine)),
        ReceiptEnvelope::Eip1559(built(3, failed)),
        ReceiptEnvelope::Eip4844(built(4, fine)),
        ReceiptEnvelope::Eip7702(built(5, fine)),
    ];
    let root = calculate_receipt_root(&built);
    assert_eq!(receipts_root(&read_all(&told)), Ok(root));
}

#[test]
fn a_root_is_refused_where_receipts_are_of_unknown_types_or_incomplete() {
    let root = |kind, fields: Value| receipts_root(&read_all(&[receipt(0, Some(kind), &fields)]));
    assert_eq!(root("0x6a", json!({})), Err(RootError::UnknownType(0x6a)));
    let incomplete = Err(RootError::Incomplete(word(100)));
    assert_eq!(root("0x2", json!({"status": null})), incomplete);
    assert_eq!(
        root("0x2", json!({"status": null, "root": "0x"})),
        incomplete
    );
    assert_eq!(root("0x2", json!({"cumulativeGasUsed": null})), incomplete);
    assert_eq!(
        root("0x7e", json!({"depositReceiptVersion": "0x1"})),
        incomplete
    );
}

#[test]
fn a_deposit_commits_to_its_nonce_since_canyon_only() {
    let root =
        |fields: Value| receipts_root(&read_all(&[receipt(0, Some("0x7e"), &fields)])).unwrap();
    let before = root(json!({}));
    assert_eq!(root(json!({"depositNonce": "0x9"})), before);
    let since = root(json!({"depositNonce": "0x9", "depositReceiptVersion": "0x1"}));
    assert_ne!(since, before);
    assert_ne!(
        root(json!({"depositNonce": "0xa", "depositReceiptVersion": "0x1"})),
        since
    );
}

struct Sent {
    head: Value,
    receipts: Vec<Value>,
}

impl Sent {
    fn new() -> Self {
        let receipts: Vec<_> = (0..3)
            .map(|index| receipt(index, Some("0x2"), &json!({})))
            .collect();
        let root = receipts_root(&read_all(&receipts)).unwrap();
        let head = json!({
            "number": "0x5", "hash": word(5), "parentHash": word(4), "timestamp": "0x64",
            "receiptsRoot": root, "transactions": [word(100), word(101), word(102)],
        });
        Self { head, receipts }
    }

    fn check(&self) -> Result<ReceiptsProof, VerifyError> {
        check_receipts(&read(&self.head), &read_all(&self.receipts))
    }
}

#[test]
fn a_block_whose_receipts_are_not_all_there_is_refused() {
    assert_eq!(Sent::new().check(), Ok(ReceiptsProof::Root));
    let mut short = Sent::new();
    short.receipts.pop();
    let count = VerifyError::Count {
        block: 5,
        transactions: 3,
        receipts: 2,
    };
    assert_eq!(short.check(), Err(count));
    short.head["transactions"] = Value::Null;
    assert_eq!(short.check(), Err(VerifyError::ReceiptsRoot(5)));
    let mut swapped = Sent::new();
    swapped.receipts.swap(1, 2);
    assert_eq!(
        swapped.check(),
        Err(VerifyError::Misplaced { block: 5, at: 1 })
    );
    let mut foreign = Sent::new();
    foreign.head["transactions"][2] = json!(word(1));
    assert_eq!(
        foreign.check(),
        Err(VerifyError::Misplaced { block: 5, at: 2 })
    );
}

#[test]
fn a_log_that_was_dropped_is_missed() {
    let mut dropped = Sent::new();
    dropped.receipts[1]["logs"] = json!([]);
    assert_eq!(dropped.check(), Err(VerifyError::Logs { block: 5, at: 2 }));
    let mut last = Sent::new();
    last.receipts[2]["logs"] = json!([]);
    assert_eq!(last.check(), Err(VerifyError::ReceiptsRoot(5)));
}

#[test]
fn without_a_root_that_can_be_computed_receipts_are_checked_by_their_indices() {
    let mut other = Sent::new();
    other.receipts[0]["type"] = json!("0x6a");
    assert_eq!(other.check(), Ok(ReceiptsProof::Indices));
    let mut without = Sent::new();
    without.head["receiptsRoot"] = Value::Null;
    assert_eq!(without.check(), Ok(ReceiptsProof::Indices));
}

#[test]
fn the_report_of_polygons_bridge_stands_outside_the_root_and_no_other_receipt_does() {
    let mut bridge = Sent::new();
    let hashes = [word(100), word(101), word(102), word(103)];
    bridge.head["transactions"] = json!(hashes);
    bridge
        .receipts
        .push(receipt(3, None, &json!({"gasUsed": "0x0"})));
    assert_eq!(bridge.check(), Ok(ReceiptsProof::RootButLast));
    bridge.receipts[3]["gasUsed"] = json!("0x1");
    assert_eq!(bridge.check(), Err(VerifyError::ReceiptsRoot(5)));
}

#[test]
fn a_bloom_rules_out_what_was_not_logged() {
    let bloom = ReceiptEnvelope::Legacy(built(0, Eip658Value::Eip658(true)));
    let bloom = bloom.logs_bloom();
    assert!(bloom_may_contain(bloom, &account(7), &[]));
    assert!(bloom_may_contain(bloom, &account(7), &[TRANSFER, party(4)]));
    assert!(!bloom_may_contain(bloom, &account(8), &[TRANSFER]));
    let approval = b256!("8c5be1e5ebec7d5bd14f71427d1e84f3dd0314c0f7b2291e5b200ac8c7c3b925");
    assert!(!bloom_may_contain(bloom, &account(7), &[approval]));
    assert!(!bloom_may_contain(
        bloom,
        &account(7),
        &[TRANSFER, party(9)]
    ));
}
