//! The EVM chain in memory keeps its books, and its server answers as nodes do.

#![allow(clippy::unwrap_used, reason = "a step that fails is a test that fails")]

use std::collections::BTreeSet;
use std::sync::Arc;

use alloy_consensus::proofs::calculate_receipt_root;
use alloy_consensus::{Header, Receipt, ReceiptEnvelope};
use alloy_primitives::{Address, B256, Bloom, Bytes, Log, U256, address};
use hansel_ledger::Coin;
use hansel_testkit::{
    EVM_GAS_PRICE, EvmLedger, EvmLedgerBuilder, EvmLedgerError, EvmProfile, EvmSent, EvmServer,
    EvmServerOptions, EvmStep, EvmToken, HttpRequest, evm_answer,
};
use serde_json::{Value, json};

const USD: Address = address!("00000000000000000000000000000000000000d0");
const FAKE: Address = address!("00000000000000000000000000000000000000f0");
const SPLITTER: Address = address!("00000000000000000000000000000000000000c0");
const ALICE: Address = address!("00000000000000000000000000000000000000a1");
const BOB: Address = address!("00000000000000000000000000000000000000b1");
const CAROL: Address = address!("00000000000000000000000000000000000000c1");
const FIRST: u64 = 1_000;
const TIP: u64 = 1_200;

fn ether(amount: u64) -> U256 {
    U256::from(amount) * U256::from(1_000_000_000_000_000_000_u64)
}

fn usd(amount: u64) -> U256 {
    U256::from(amount * 1_000_000)
}

fn builder() -> EvmLedgerBuilder {
    let mut builder = EvmLedgerBuilder::new(77, FIRST, TIP, vec![(1_000, 1_700_000_000)]);
    builder.token(EvmToken {
        contract: USD,
        symbol: "USD".into(),
        decimals: 6,
    });
    builder.contract(SPLITTER);
    for account in [ALICE, BOB, CAROL] {
        builder.fund(account, Coin::Native, ether(10));
    }
    builder.fund(ALICE, Coin::Token(USD), usd(100));
    builder
}

/// Alice pays Bob 60 and, in the same block, Carol 5; a splitter passes ether on; somebody forges and fails.
fn chain() -> EvmLedger {
    let mut builder = builder();
    builder.push(
        1_010,
        EvmSent::token(USD, ALICE, BOB, usd(60)).hashed(B256::repeat_byte(7)),
    );
    builder.push(1_010, EvmSent::token(USD, ALICE, CAROL, usd(5)));
    let halves = [BOB, CAROL].map(|to| EvmStep::Ether {
        from: SPLITTER,
        to,
        value: ether(1),
    });
    let mut split = EvmSent::call(ALICE, SPLITTER, halves.to_vec());
    split.value = ether(2);
    builder.push(1_050, split.clone());
    split.succeeds = false;
    builder.push(1_060, split);
    let forged = EvmStep::Forged {
        contract: FAKE,
        from: ALICE,
        to: BOB,
        amount: usd(1_000),
    };
    builder.push(1_100, EvmSent::call(CAROL, FAKE, vec![forged]));
    builder.build().unwrap()
}

fn ask(ledger: &EvmLedger, method: &str, params: Value) -> Value {
    ask_as(ledger, &EvmServerOptions::default(), method, params)
}

fn ask_as(ledger: &EvmLedger, options: &EvmServerOptions, method: &str, params: Value) -> Value {
    let request = json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": params });
    let answer = evm_answer(ledger, options, &request);
    match answer.get("error") {
        Some(error) => error.clone(),
        None => answer["result"].clone(),
    }
}

fn number(value: &Value) -> u64 {
    u64::from_str_radix(value.as_str().unwrap().strip_prefix("0x").unwrap(), 16).unwrap()
}

#[test]
fn balances_and_nonces_are_known_after_every_block() {
    let ledger = chain();
    let held = |who, height| ledger.balance(who, Coin::Token(USD), height);
    assert_eq!(
        [held(ALICE, 1_009), held(ALICE, 1_010)],
        [usd(100), usd(35)]
    );
    assert_eq!([held(BOB, 1_009), held(BOB, TIP)], [usd(0), usd(60)]);
    assert_eq!(held(CAROL, TIP), usd(5));
    let gas = U256::from((65_000 * 2 + 100_000 * 2) * EVM_GAS_PRICE);
    assert_eq!(ledger.balance(ALICE, Coin::Native, TIP), ether(8) - gas);
    assert_eq!(ledger.balance(BOB, Coin::Native, TIP), ether(11));
    let counts = [999, 1_009, 1_010, 1_049, 1_050, TIP].map(|height| {
        let answer = ask(
            &ledger,
            "eth_getTransactionCount",
            json!([ALICE, format!("{height:#x}")]),
        );
        number(&answer)
    });
    assert_eq!(counts, [0, 0, 2, 2, 3, 4]);
}

#[test]
fn nobody_gives_what_they_do_not_have() {
    let mut builder = builder();
    builder.push(1_010, EvmSent::token(USD, ALICE, BOB, usd(60)));
    builder.push(1_011, EvmSent::token(USD, ALICE, BOB, usd(60)));
    assert_eq!(
        builder.build().unwrap_err(),
        EvmLedgerError::Overdrawn {
            block: 1_011,
            account: ALICE,
            coin: Coin::Token(USD),
            amount: usd(60),
            held: usd(40),
        }
    );
}

/// Reads a block's header from the server's words and hashes it.
fn rehash(block: &Value) -> B256 {
    let hash = |name: &str| serde_json::from_value(block[name].clone()).unwrap();
    Header {
        parent_hash: hash("parentHash"),
        ommers_hash: hash("sha3Uncles"),
        state_root: hash("stateRoot"),
        transactions_root: hash("transactionsRoot"),
        receipts_root: hash("receiptsRoot"),
        logs_bloom: serde_json::from_value(block["logsBloom"].clone()).unwrap(),
        number: number(&block["number"]),
        gas_limit: number(&block["gasLimit"]),
        gas_used: number(&block["gasUsed"]),
        timestamp: number(&block["timestamp"]),
        base_fee_per_gas: Some(number(&block["baseFeePerGas"])),
        withdrawals_root: Some(hash("withdrawalsRoot")),
        blob_gas_used: Some(number(&block["blobGasUsed"])),
        excess_blob_gas: Some(number(&block["excessBlobGas"])),
        parent_beacon_block_root: Some(hash("parentBeaconBlockRoot")),
        ..Header::default()
    }
    .hash_slow()
}

#[test]
fn headers_hash_to_their_hash_and_name_their_parents() {
    let ledger = chain();
    let block = |height: u64| {
        ask(
            &ledger,
            "eth_getBlockByNumber",
            json!([format!("{height:#x}"), false]),
        )
    };
    for height in [0, 1, 999, 1_000, 1_009, 1_010, 1_011, TIP] {
        assert_eq!(
            json!(rehash(&block(height))),
            block(height)["hash"],
            "{height}"
        );
    }
    for height in FIRST..=TIP {
        assert_eq!(
            block(height)["parentHash"],
            block(height - 1)["hash"],
            "{height}"
        );
    }
    let named = ask(
        &ledger,
        "eth_getBlockByHash",
        json!([block(1_010)["hash"], false]),
    );
    assert_eq!(named, block(1_010));
    assert_eq!(block(TIP + 1), Value::Null);
}

/// Reads a log from the server's words.
fn log(value: &Value) -> Log {
    let topics: Vec<B256> = serde_json::from_value(value["topics"].clone()).unwrap();
    let data: Bytes = serde_json::from_value(value["data"].clone()).unwrap();
    let address = serde_json::from_value(value["address"].clone()).unwrap();
    Log::new(address, topics, data).unwrap()
}

fn receipt(value: &Value) -> ReceiptEnvelope {
    let logs: Vec<_> = value["logs"].as_array().unwrap().iter().map(log).collect();
    let receipt = Receipt {
        status: (number(&value["status"]) == 1).into(),
        cumulative_gas_used: number(&value["cumulativeGasUsed"]),
        logs,
    };
    ReceiptEnvelope::Eip1559(receipt.with_bloom())
}

#[test]
fn receipts_fit_the_root_and_the_bloom_of_their_header() {
    let ledger = chain();
    for height in [1_010, 1_011, 1_050, 1_060, 1_100] {
        let at = json!(format!("{height:#x}"));
        let block = ask(&ledger, "eth_getBlockByNumber", json!([at, true]));
        let receipts = ask(&ledger, "eth_getBlockReceipts", json!([at]));
        let read: Vec<_> = receipts.as_array().unwrap().iter().map(receipt).collect();
        assert_eq!(
            json!(calculate_receipt_root(&read)),
            block["receiptsRoot"],
            "{height}"
        );
        let mut bloom = Bloom::ZERO;
        for receipt in read.iter() {
            bloom |= *receipt.logs_bloom();
        }
        assert_eq!(json!(bloom), block["logsBloom"], "{height}");
        for transaction in block["transactions"].as_array().unwrap() {
            let hash = json!([transaction["hash"]]);
            assert_eq!(
                &ask(&ledger, "eth_getTransactionByHash", hash.clone()),
                transaction
            );
            let receipt = ask(&ledger, "eth_getTransactionReceipt", hash);
            assert!(receipts.as_array().unwrap().contains(&receipt));
        }
    }
}

fn logs(ledger: &EvmLedger, options: &EvmServerOptions, filter: Value) -> Value {
    ask_as(ledger, options, "eth_getLogs", json!([filter]))
}

fn from_to(logs: &Value) -> Vec<(Address, Address)> {
    let party =
        |topic: &Value| Address::from_word(serde_json::from_value::<B256>(topic.clone()).unwrap());
    let logs = logs.as_array().unwrap().iter();
    logs.map(|log| (party(&log["topics"][1]), party(&log["topics"][2])))
        .collect()
}

#[test]
fn logs_are_found_by_contract_and_by_any_of_the_topics() {
    let ledger = chain();
    let any = EvmServerOptions::default();
    let range = |mut filter: Value| {
        filter["fromBlock"] = json!("0x0");
        filter["toBlock"] = json!("latest");
        from_to(&logs(&ledger, &any, filter))
    };
    assert_eq!(
        range(json!({})),
        [(ALICE, BOB), (ALICE, CAROL), (ALICE, BOB)]
    );
    assert_eq!(
        range(json!({ "address": USD })),
        [(ALICE, BOB), (ALICE, CAROL)]
    );
    assert_eq!(range(json!({ "address": [FAKE] })), [(ALICE, BOB)]);
    let (bob, carol) = (BOB.into_word(), CAROL.into_word());
    assert_eq!(
        range(json!({ "topics": [null, null, carol] })),
        [(ALICE, CAROL)]
    );
    assert_eq!(
        range(json!({ "topics": [null, null, [bob, carol]] })).len(),
        3
    );
    assert_eq!(range(json!({ "topics": [null, [bob, carol]] })), []);
    assert_eq!(range(json!({ "topics": [null, null, null, null] })), []);
    let later = json!({ "fromBlock": "0x3f3", "toBlock": "latest", "address": USD });
    assert_eq!(from_to(&logs(&ledger, &any, later)), []);
    let indices = logs(&ledger, &any, json!({ "fromBlock": "0x0", "address": USD }));
    assert_eq!(
        [&indices[0]["logIndex"], &indices[1]["logIndex"]],
        ["0x0", "0x1"]
    );
}

#[test]
fn limits_of_logs_are_errors_that_help_or_silence() {
    let ledger = chain();
    let narrow = EvmServerOptions {
        log_blocks: Some(100),
        log_results: Some(1),
        ..EvmServerOptions::default()
    };
    let wide = logs(
        &ledger,
        &narrow,
        json!({ "fromBlock": "0x3e8", "toBlock": "0x44c" }),
    );
    assert_eq!(wide["message"], "exceed maximum block range: 100");
    let many = logs(
        &ledger,
        &narrow,
        json!({ "fromBlock": "0x3e8", "toBlock": "0x44b" }),
    );
    assert_eq!(many["code"], -32005);
    assert_eq!(
        many["message"],
        "query returned more than 1 results. Try with this block range [0x3e8, 0x3f1]."
    );
    let silent = EvmServerOptions {
        logs_cut_at: Some(2),
        ..EvmServerOptions::default()
    };
    let cut = logs(&ledger, &silent, json!({ "fromBlock": "0x0" }));
    assert_eq!(cut.as_array().unwrap().len(), 2);
}

#[test]
fn tokens_answer_calls_at_any_height_and_accounts_without_code_answer_nothing() {
    let ledger = chain();
    let call = |to: Address, data: &str, at: &str| {
        let answer = ask(&ledger, "eth_call", json!([{ "to": to, "data": data }, at]));
        serde_json::from_value::<Bytes>(answer).unwrap()
    };
    let held = format!("0x70a08231{:0>64}", "a1");
    assert_eq!(U256::from_be_slice(&call(USD, &held, "0x3f1")), usd(100));
    assert_eq!(U256::from_be_slice(&call(USD, &held, "0x3f2")), usd(35));
    assert_eq!(
        U256::from_be_slice(&call(USD, "0x313ce567", "latest")),
        U256::from(6)
    );
    assert_eq!(&call(USD, "0x95d89b41", "latest")[64..67], b"USD");
    assert!(call(BOB, &held, "latest").is_empty());
    assert_ne!(ask(&ledger, "eth_getCode", json!([USD, "latest"])), "0x");
    assert_eq!(ask(&ledger, "eth_getCode", json!([BOB, "latest"])), "0x");
}

#[test]
fn traces_are_told_by_full_nodes_only_and_state_by_archives_only() {
    let ledger = chain();
    let of = |profile| EvmServerOptions {
        profile,
        ..EvmServerOptions::default()
    };
    let full = of(EvmProfile::Full);
    let flat = ask_as(&ledger, &full, "trace_block", json!(["0x41a"]));
    let values = flat
        .as_array()
        .unwrap()
        .iter()
        .map(|trace| trace["action"]["to"].clone());
    assert_eq!(
        values.collect::<Vec<_>>(),
        [json!(SPLITTER), json!(BOB), json!(CAROL)]
    );
    let frames = ask_as(
        &ledger,
        &full,
        "debug_traceBlockByNumber",
        json!(["0x41a", {}]),
    );
    assert_eq!(frames[0]["result"]["calls"][1]["to"], json!(CAROL));
    let failed = ask_as(&ledger, &full, "trace_block", json!(["0x424"]));
    assert_eq!(
        [&failed[0]["error"], &failed[1]],
        [&json!("Reverted"), &Value::Null]
    );
    let given = json!([{ "fromBlock": "0x0", "toBlock": "latest", "fromAddress": [SPLITTER] }]);
    let given = ask_as(&ledger, &full, "trace_filter", given);
    assert_eq!(given.as_array().unwrap().len(), 2);
    let refused = ask(&ledger, "trace_block", json!(["0x41a"]));
    assert_eq!(refused["code"], -32601);
    let pruned = of(EvmProfile::Pruned { blocks: 128 });
    let old = ask_as(&ledger, &pruned, "eth_getBalance", json!([ALICE, "0x430"]));
    assert!(
        old["message"]
            .as_str()
            .unwrap()
            .starts_with("missing trie node")
    );
    let new = ask_as(&ledger, &pruned, "eth_getBalance", json!([ALICE, "0x431"]));
    assert!(new.is_string());
}

#[test]
fn the_server_answers_batches_counts_calls_and_lacks_what_was_switched_off() {
    let options = EvmServerOptions {
        without: BTreeSet::from(["eth_getBlockReceipts".to_owned()]),
        batch: Some(2),
        ..EvmServerOptions::default()
    };
    let server = EvmServer::start(Arc::new(chain()), options).unwrap();
    let post = |body: Value| {
        let request = HttpRequest::post("/", body.to_string().into_bytes());
        let reply = request.send(server.url().strip_prefix("http://").unwrap());
        serde_json::from_slice::<Value>(&reply.unwrap().body).unwrap()
    };
    let one = |id: u64, method: &str| json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": [] });
    let answers = post(json!([one(5, "eth_chainId"), one(6, "eth_blockNumber")]));
    assert_eq!(
        [&answers[0]["result"], &answers[1]["result"]],
        ["0x4d", "0x4b0"]
    );
    assert_eq!([&answers[0]["id"], &answers[1]["id"]], [5, 6]);
    assert_eq!(
        post(one(1, "eth_getBlockReceipts"))["error"]["code"],
        -32601
    );
    let three = [1, 2, 3].map(|id| one(id, "eth_chainId"));
    assert_eq!(post(json!(three))["error"]["message"], "batch too large");
    assert_eq!(post(json!("nonsense"))["error"]["code"], -32600);
    assert_eq!(server.requests(), 4);
    assert_eq!(server.calls()["eth_chainId"], 1);
}
