//! A case of LaunderNet, replayed: every real flow is on the chain, and much else.

#![allow(
    clippy::unwrap_used,
    clippy::print_stderr,
    reason = "a step that fails is a test that fails"
)]

use std::env;
use std::path::{Path, PathBuf};

use alloy_primitives::{Address, U256};
use hansel_ledger::Coin;
use hansel_testkit::{EvmServerOptions, LaunderNet, LaunderReplay, evm_answer};
use serde_json::{Value, json};

const SEED: u64 = 41;

fn case(name: &str) -> Option<LaunderNet> {
    let data = env::var_os("HANSEL_DATA").map(PathBuf::from);
    let beside = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data");
    let directory = data.unwrap_or_else(beside).join("laundernet").join(name);
    if !directory.is_dir() {
        eprintln!("SKIPPED: no {name} of LaunderNet (HANSEL_DATA)");
        return None;
    }
    Some(LaunderNet::read(&directory).unwrap())
}

fn cases() -> impl Iterator<Item = LaunderNet> {
    ["LIFI", "TxPhish"].into_iter().filter_map(case)
}

fn ask(replay: &LaunderReplay, method: &str, params: Value) -> Value {
    let request = json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": params });
    evm_answer(&replay.ledger, &EvmServerOptions::default(), &request)["result"].clone()
}

#[test]
fn every_real_flow_is_on_the_chain_where_and_when_it_was() {
    for case in cases() {
        let replay = case.replay(1, SEED).unwrap();
        for flow in &case.flows {
            let receipt = ask(&replay, "eth_getTransactionReceipt", json!([flow.tx]));
            assert_eq!(
                receipt["blockNumber"],
                format!("{:#x}", flow.block),
                "{flow:?}"
            );
            assert_eq!(replay.ledger.time(flow.block), flow.time);
            let topics = [flow.from, flow.to].map(|party| json!(party.into_word()));
            let amount = json!(alloy_primitives::B256::from(U256::from(flow.value)));
            let told = receipt["logs"].as_array().unwrap().iter().any(|log| {
                log["address"] == json!(replay.dollar)
                    && log["topics"].as_array().unwrap()[1..] == topics
                    && log["data"] == amount
            });
            assert!(told, "{flow:?}");
        }
    }
}

#[test]
fn sources_receive_what_they_pay_out_and_nothing_before() {
    for case in cases() {
        let replay = case.replay(1, SEED).unwrap();
        let coin = Coin::Token(replay.dollar);
        for source in &case.sources {
            assert_eq!(
                replay.ledger.balance(*source, coin, replay.since - 1),
                U256::ZERO
            );
            // Dust may be left.
            let left = replay.ledger.balance(*source, coin, replay.ledger.tip());
            assert!(left < U256::from(1_000_000), "{left}");
        }
    }
}

#[test]
fn services_are_busy_and_launderers_are_not() {
    for case in cases() {
        let replay = case.replay(1, SEED).unwrap();
        let named = |account: &Address| replay.ledger.logs_naming(replay.dollar, *account);
        let busy = case
            .addresses()
            .iter()
            .filter(|one| named(one) > 2_000)
            .count();
        let quiet = case
            .addresses()
            .iter()
            .filter(|one| named(one) < 200)
            .count();
        eprintln!(
            "{}: {} transactions, {} logs, {busy} busy and {quiet} quiet addresses",
            case.name,
            replay.ledger.transactions(),
            replay.ledger.logs()
        );
        assert_eq!(busy + quiet, case.addresses().len());
        assert!(busy >= 5 && replay.ledger.transactions() > 30_000);
    }
}

#[test]
fn equal_seeds_make_equal_chains_and_others_do_not() {
    let Some(case) = case("TxPhish") else { return };
    let newest = |seed| {
        let ledger = case.replay(1, seed).unwrap().ledger;
        ledger.block_hash(ledger.tip())
    };
    assert_eq!(newest(SEED), newest(SEED));
    assert_ne!(newest(SEED), newest(SEED + 1));
}
