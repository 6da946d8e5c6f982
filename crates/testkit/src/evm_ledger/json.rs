//! Blocks, transactions, receipts and logs as nodes spell them.

use std::fmt::LowerHex;

use alloy_consensus::Header;
use alloy_primitives::{Bloom, Log};
use serde_json::{Map, Value, json};

use super::{EVM_GAS_PRICE, EvmLedger, Made, header};

/// A quantity: hexadecimal without leading zeros.
pub(super) fn quantity(number: impl LowerHex) -> Value {
    Value::from(format!("{number:#x}"))
}

pub(super) fn block(ledger: &EvmLedger, height: u64, full: bool) -> Value {
    let mut object = head(&header::header(ledger, height));
    object.insert("hash".into(), json!(ledger.block_hash(height)));
    object.insert("size".into(), json!("0x400"));
    object.insert("uncles".into(), json!([]));
    object.insert("withdrawals".into(), json!([]));
    let transactions = ledger
        .blocks
        .get(&height)
        .map_or(&[][..], |b| &b.transactions);
    let listed = transactions
        .iter()
        .enumerate()
        .map(|(at, made)| match full {
            true => transaction(ledger, made, height, at),
            false => json!(made.hash),
        });
    object.insert("transactions".into(), listed.collect());
    Value::Object(object)
}

fn head(header: &Header) -> Map<String, Value> {
    let fields = [
        ("number", quantity(header.number)),
        ("parentHash", json!(header.parent_hash)),
        ("sha3Uncles", json!(header.ommers_hash)),
        ("miner", json!(header.beneficiary)),
        ("stateRoot", json!(header.state_root)),
        ("transactionsRoot", json!(header.transactions_root)),
        ("receiptsRoot", json!(header.receipts_root)),
        ("logsBloom", json!(header.logs_bloom)),
        ("difficulty", quantity(header.difficulty)),
        ("gasLimit", quantity(header.gas_limit)),
        ("gasUsed", quantity(header.gas_used)),
        ("timestamp", quantity(header.timestamp)),
        ("extraData", json!(header.extra_data)),
        ("mixHash", json!(header.mix_hash)),
        ("nonce", json!(header.nonce)),
        ("baseFeePerGas", quantity(EVM_GAS_PRICE)),
        ("withdrawalsRoot", json!(header.withdrawals_root)),
        ("blobGasUsed", quantity(0_u64)),
        ("excessBlobGas", quantity(0_u64)),
        (
            "parentBeaconBlockRoot",
            json!(header.parent_beacon_block_root),
        ),
    ];
    fields
        .map(|(name, value)| (name.to_owned(), value))
        .into_iter()
        .collect()
}

pub(super) fn transaction(ledger: &EvmLedger, made: &Made, height: u64, at: usize) -> Value {
    json!({
        "blockHash": ledger.block_hash(height),
        "blockNumber": quantity(height),
        "transactionIndex": quantity(at),
        "hash": made.hash,
        "type": "0x2",
        "chainId": quantity(ledger.chain_id),
        "nonce": quantity(made.nonce),
        "from": made.sender,
        "to": made.to,
        "value": quantity(made.value),
        "input": made.input,
        "gas": quantity(made.gas_used),
        "gasPrice": quantity(EVM_GAS_PRICE),
        "maxFeePerGas": quantity(EVM_GAS_PRICE),
        "maxPriorityFeePerGas": "0x0",
        "accessList": [],
        "v": "0x1",
        "yParity": "0x1",
        "r": quantity(1_u64),
        "s": quantity(1_u64),
    })
}

pub(super) fn receipt(ledger: &EvmLedger, made: &Made, height: u64, at: usize) -> Value {
    let mut bloom = Bloom::ZERO;
    for log in &made.logs {
        bloom.accrue_log(log);
    }
    json!({
        "blockHash": ledger.block_hash(height),
        "blockNumber": quantity(height),
        "transactionIndex": quantity(at),
        "transactionHash": made.hash,
        "type": "0x2",
        "from": made.sender,
        "to": made.to,
        "contractAddress": Value::Null,
        "status": quantity(u8::from(made.succeeded)),
        "gasUsed": quantity(made.gas_used),
        "cumulativeGasUsed": quantity(made.cumulative_gas),
        "effectiveGasPrice": quantity(EVM_GAS_PRICE),
        "logsBloom": bloom,
        "logs": logs(ledger, made, height, at),
    })
}

fn logs(ledger: &EvmLedger, made: &Made, height: u64, at: usize) -> Vec<Value> {
    let numbered = (made.first_log..).zip(&made.logs);
    numbered
        .map(|(number, one)| log(ledger, made, one, (height, at, number)))
        .collect()
}

/// The log at this block, transaction index and index in the block.
pub(super) fn log(
    ledger: &EvmLedger,
    made: &Made,
    log: &Log,
    (height, at, number): (u64, usize, u64),
) -> Value {
    json!({
        "address": log.address,
        "topics": log.topics(),
        "data": log.data.data,
        "blockHash": ledger.block_hash(height),
        "blockNumber": quantity(height),
        "blockTimestamp": quantity(ledger.time(height)),
        "transactionHash": made.hash,
        "transactionIndex": quantity(at),
        "logIndex": quantity(number),
        "removed": false,
    })
}
