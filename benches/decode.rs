//! How fast blocks with receipts become movements, against the JSON library's untyped parse of the same text.
//!
//! Run with `cargo bench -p hansel-ethereum`. Blocks of the main network are measured too where `HANSEL_DATA` names the
//! directory that holds them. Prints; asserts nothing about time.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::print_stdout,
    unreachable_pub,
    clippy::cast_precision_loss,
    reason = "a measurement"
)]

use std::hint::black_box;
use std::time::{Duration, Instant};

use alloy_primitives::{Address, B256, U256, address, b256, keccak256};
use hansel_ethereum::decode::{Transactions, block, check_receipts, receipts, transaction};
use hansel_ledger::{Asset, EvmNetwork, EvmTransaction};
use serde_json::{Value, json};

#[path = "../crates/ethereum/tests/etl/mod.rs"]
#[allow(dead_code, clippy::print_stderr, reason = "the tests use the rest")]
mod etl;

const WETH: Address = address!("C02aaA39b223FE8D0A0e5C4F27eAD9083C756Cc2");
const TRANSFER: B256 = b256!("ddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef");
const SWAP: B256 = b256!("d78ad95fa46c994b6551d0da85fc275fe613ce37657fb8d5e3d130840159d822");
const SHORTEST: Duration = Duration::from_secs(2);

/// The answers to `eth_getBlockByNumber` and `eth_getBlockReceipts`.
struct Answers {
    name: String,
    block: String,
    receipts: String,
}

fn main() {
    let network = EvmNetwork {
        chain_id: 1,
        native: Asset {
            symbol: "ETH".into(),
            decimals: 18,
        },
        wrapped: Some(WETH),
        tokens: Vec::new(),
        blocks: hansel_ledger::BlockForm::default(),
    };
    println!(
        "| block | bytes | transactions | movements | lean MB/s | with checks MB/s | into movements MB/s | untyped MB/s | ratio |"
    );
    println!("|---|---|---|---|---|---|---|---|---|");
    let mut all = vec![synthetic()];
    all.extend(recorded());
    for answers in all {
        measure(&network, &answers);
    }
}

fn measure(network: &EvmNetwork, answers: &Answers) {
    let bytes = answers.block.len() + answers.receipts.len();
    let parsed = speed(bytes, || {
        black_box(block(answers.block.as_bytes()).unwrap());
        black_box(receipts(answers.receipts.as_bytes()).unwrap());
    });
    let checked = speed(bytes, || {
        let header = block(answers.block.as_bytes()).unwrap().unwrap();
        let receipts = receipts(answers.receipts.as_bytes()).unwrap().unwrap();
        black_box(check_receipts(&header, &receipts).unwrap());
    });
    let decoded = speed(bytes, || {
        black_box(decode(network, answers));
    });
    let untyped = speed(bytes, || {
        black_box(serde_json::from_str::<Value>(&answers.block).unwrap());
        black_box(serde_json::from_str::<Value>(&answers.receipts).unwrap());
    });
    let told = decode(network, answers);
    let movements: usize = told.iter().map(|tx| tx.movements.len()).sum();
    println!(
        "| {} | {bytes} | {} | {movements} | {parsed:.0} | {checked:.0} | {decoded:.0} | {untyped:.0} | {:.1} |",
        answers.name,
        told.len(),
        decoded / untyped
    );
}

fn decode(network: &EvmNetwork, answers: &Answers) -> Vec<EvmTransaction> {
    let header = block(answers.block.as_bytes()).unwrap().unwrap();
    let receipts = receipts(answers.receipts.as_bytes()).unwrap().unwrap();
    let Transactions::Full(list) = &header.transactions else {
        panic!("the block comes with its transactions");
    };
    let pairs = list.iter().zip(&receipts);
    pairs
        .map(|(tx, receipt)| transaction(network, &header, tx, receipt, None).unwrap())
        .collect()
}

/// Megabytes per second, by the best of many runs.
fn speed(bytes: usize, mut run: impl FnMut()) -> f64 {
    let mut best = Duration::MAX;
    let begin = Instant::now();
    while begin.elapsed() < SHORTEST {
        let start = Instant::now();
        run();
        best = best.min(start.elapsed());
    }
    bytes as f64 / best.as_secs_f64() / 1e6
}

/// 300 transactions with 500 logs: a third plain transfers, the rest calls with data, as a busy block has them.
fn synthetic() -> Answers {
    let hash = keccak256("block");
    let mut dice = Dice(1);
    let (mut transactions, mut all, mut next_log) = (Vec::new(), Vec::new(), 0);
    for index in 0..300_u64 {
        let plain = index % 3 == 0;
        let words = if plain { 0 } else { dice.below(60) };
        let call = Call {
            block: hash,
            hash: dice.hash(),
            index,
            from: dice.account(),
            to: dice.account(),
        };
        transactions.push(sent(&mut dice, &call, words));
        let logs = if plain {
            0
        } else {
            2 + u64::from(index % 2 == 0)
        };
        let logs = (next_log..next_log + logs).map(|log| logged(&mut dice, &call, log));
        let logs: Vec<Value> = logs.collect();
        next_log += u64::try_from(logs.len()).unwrap();
        all.push(receipt(&call, &logs));
    }
    let head = json!({
        "number": "0xe4e1c0", "hash": hash, "parentHash": dice.hash(),
        "timestamp": "0x62b12cc4", "logsBloom": format!("0x{}", "00".repeat(256)),
        "transactionsRoot": dice.hash(), "stateRoot": dice.hash(), "uncles": [],
        "transactions": transactions,
    });
    Answers {
        name: "synthetic".into(),
        block: head.to_string(),
        receipts: Value::from(all).to_string(),
    }
}

struct Call {
    block: B256,
    hash: B256,
    index: u64,
    from: Address,
    to: Address,
}

fn sent(dice: &mut Dice, call: &Call, words: u64) -> Value {
    let data: String = (0..words).map(|_| dice.word()).collect();
    let selector = if words == 0 { "0x" } else { "0xa9059cbb" };
    json!({
        "blockHash": call.block, "blockNumber": "0xe4e1c0", "from": call.from,
        "gas": "0x3d090", "gasPrice": "0x34bd5b1cf", "maxFeePerGas": "0x4a817c800",
        "maxPriorityFeePerGas": "0x59682f00", "hash": call.hash,
        "input": format!("{selector}{data}"), "nonce": "0x1f", "to": call.to,
        "transactionIndex": format!("{:#x}", call.index),
        "value": format!("{:#x}", dice.below(1 << 60)), "type": "0x2", "accessList": [],
        "chainId": "0x1", "v": "0x1", "r": dice.hash(), "s": dice.hash(),
    })
}

fn receipt(call: &Call, logs: &[Value]) -> Value {
    json!({
        "blockHash": call.block, "blockNumber": "0xe4e1c0", "contractAddress": null,
        "cumulativeGasUsed": "0x5208", "effectiveGasPrice": "0x34bd5b1cf",
        "from": call.from, "gasUsed": "0x5208", "logs": logs,
        "logsBloom": format!("0x{}", "00".repeat(256)), "status": "0x1", "to": call.to,
        "transactionHash": call.hash, "transactionIndex": format!("{:#x}", call.index),
        "type": "0x2",
    })
}

fn logged(dice: &mut Dice, call: &Call, log: u64) -> Value {
    let swap = log.is_multiple_of(4);
    let words = if swap { 4 } else { 1 };
    let data: String = (0..words).map(|_| dice.word()).collect();
    let event = if swap { SWAP } else { TRANSFER };
    json!({
        "address": dice.account(),
        "topics": [event, dice.account().into_word(), dice.account().into_word()],
        "data": format!("0x{data}"), "blockNumber": "0xe4e1c0", "blockHash": call.block,
        "transactionHash": call.hash, "transactionIndex": format!("{:#x}", call.index),
        "logIndex": format!("{log:#x}"), "removed": false,
    })
}

/// Numbers that are the same in every run.
struct Dice(u64);

impl Dice {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 3) % limit
    }

    fn hash(&mut self) -> B256 {
        keccak256(self.below(u64::MAX).to_be_bytes())
    }

    fn word(&mut self) -> String {
        format!("{:064x}", U256::from(self.below(1 << 60)))
    }

    fn account(&mut self) -> Address {
        Address::from_word(self.hash())
    }
}

/// Blocks of the main network, where they are there.
fn recorded() -> impl Iterator<Item = Answers> {
    etl::answers().into_iter().flatten().map(|one| Answers {
        name: one.height.to_string(),
        block: one.block,
        receipts: one.receipts,
    })
}
