//! A deposit into a rollup, followed to the transaction that a rollup's node makes of it: two real EVM nodes, of which one
//! knows OP Stack's deposits and computes their hashes itself.

use alloy_primitives::{Address, B256, Bytes, U256, hex, keccak256};
use hansel_graph::Rule;
use hansel_ledger::{Amount, topics};
use hansel_report::Report;
use hansel_report::model::{Flow, FlowKind};
use hansel_testkit::{Anvil, AnvilOptions, require_anvil};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::command::{Hansel, directory};

const ETHER: u128 = 1_000_000_000_000_000_000;
const START: u64 = 1_700_000_000;
/// A contract that logs what it is told: four topics, then data. It stands for the portal.
const PORTAL: [u8; 38] =
    hex!("601a600c600039601a6000f3606035604035602035600035608036038060806000376000a400");

fn send(anvil: &Anvil, transaction: Value) -> B256 {
    let rpc = anvil.rpc();
    let hash = rpc.send(transaction).unwrap();
    rpc.mine_empty(1, 60).unwrap();
    assert!(rpc.receipt(hash).unwrap().succeeded, "{hash} failed");
    hash
}

/// Sends a deposit and mines it. It has no nonce that keeps the node from mining it twice, so it is taken out of the pool.
fn send_once(anvil: &Anvil, transaction: Value) -> B256 {
    let rpc = anvil.rpc();
    let hash = rpc.send(transaction).unwrap();
    rpc.mine().unwrap();
    assert!(rpc.receipt(hash).unwrap().succeeded, "{hash} failed");
    let _dropped: Value = rpc.call("anvil_dropTransaction", json!([hash])).unwrap();
    hash
}

/// 30 of 40 stolen ether are deposited for an heir, who pays 20 on.
struct Story {
    home: Anvil,
    rollup: Anvil,
    theft: B256,
    portal: Address,
    made: B256,
    next: Address,
}

fn story() -> Option<Story> {
    let program = require_anvil()?;
    let home = AnvilOptions {
        timestamp: START,
        ..AnvilOptions::default()
    };
    let rollup = AnvilOptions {
        chain_id: 31_338,
        timestamp: START + 600,
        // What the rollups of this kind call prague.
        hardfork: "isthmus".into(),
        arguments: vec!["--network=optimism".into()],
        ..AnvilOptions::default()
    };
    let home = Anvil::start(&program, &home).unwrap();
    let rollup = Anvil::start(&program, &rollup).unwrap();
    let accounts = home.rpc().accounts().unwrap();
    let (victim, thief, heir) = (accounts[0], accounts[1], accounts[4]);
    home.rpc().set_balance(thief, U256::ZERO).unwrap();
    rollup.rpc().set_balance(heir, U256::ZERO).unwrap();
    let made = send(&home, json!({"from": victim, "data": Bytes::from(PORTAL)}));
    let portal = home.rpc().receipt(made).unwrap().created.unwrap();
    let value = U256::from(40 * ETHER);
    let theft = send(&home, json!({"from": victim, "to": thief, "value": value}));
    let value = U256::from(30 * ETHER);
    let gas = 100_000_u64;
    let data = Bytes::from(deposit(thief, heir, value, gas));
    let paid = json!({"from": thief, "to": portal, "value": value, "data": data});
    let deposited = send(&home, paid);
    let logged = home
        .rpc()
        .call("eth_getTransactionReceipt", json!([deposited]))
        .unwrap();
    let block: B256 = serde_json::from_value(logged["blockHash"].clone()).unwrap();
    let index: U256 = serde_json::from_value(logged["logs"][0]["logIndex"].clone()).unwrap();
    let place = [block.as_slice(), B256::from(index).as_slice()].concat();
    let source = [B256::ZERO.as_slice(), keccak256(place).as_slice()].concat();
    let made = json!({
        "type": "0x7e", "from": thief, "to": heir, "mint": value, "value": value, "gas": U256::from(gas),
        "sourceHash": keccak256(source), "isSystemTx": false, "data": "0x",
    });
    let made = send_once(&rollup, made);
    let next = Address::repeat_byte(0x99);
    let value = U256::from(20 * ETHER);
    send(&rollup, json!({"from": heir, "to": next, "value": value}));
    Some(Story {
        home,
        rollup,
        theft,
        portal,
        made,
        next,
    })
}

/// What the portal is called with: the topics and the data of its log.
fn deposit(from: Address, to: Address, value: U256, gas: u64) -> Vec<u8> {
    let word = B256::from(value);
    let mut opaque = [word.as_slice(), word.as_slice(), &gas.to_be_bytes(), &[0]].concat();
    let length = B256::from(U256::from(opaque.len()));
    opaque.resize(96, 0);
    let offset = B256::from(U256::from(32));
    let form = topics::CANONICAL_TRANSACTION_DEPOSITED;
    let words = [
        form,
        from.into_word(),
        to.into_word(),
        B256::ZERO,
        offset,
        length,
    ];
    let mut data: Vec<u8> = words.iter().flat_map(|word| word.0).collect();
    data.extend(opaque);
    data
}

impl Story {
    fn trace(&self, portal: Address) -> Report {
        let dir = self.config(portal);
        let theft = self.theft;
        let words = format!("trace --json --quiet --chain home {theft} --rule fifo,haircut");
        let done = Hansel::new(&words)
            .option("--endpoint", format!("home:rpc={}", self.home.url()))
            .option("--endpoint", format!("rollup:rpc={}", self.rollup.url()))
            .option("--config", dir.path())
            .run();
        let report = done.report();
        assert!(report.accounting.iter().all(|row| row.balances()));
        report
    }

    fn config(&self, portal: Address) -> TempDir {
        let dir = directory();
        let native = "native = { symbol = \"ETH\", decimals = 18 }";
        let text = format!(
            "schema = \"hansel-chains/1\"\n\n[[chains]]\nname = \"home\"\nfamily = \"evm\"\nchain_id = 31337\n{native}\nbridges = [{{ protocol = \"op-stack\", contracts = [\"{portal}\"], code = \"31338\" }}]\n\n[[chains]]\nname = \"rollup\"\nfamily = \"evm\"\nchain_id = 31338\n{native}\n"
        );
        std::fs::write(dir.path().join("chains.toml"), text).unwrap();
        dir
    }
}

fn crossings(report: &Report) -> Vec<&Flow> {
    let flows = report.flows.iter();
    flows
        .filter(|flow| flow.kind == FlowKind::Crossing)
        .collect()
}

#[test]
fn a_deposit_is_followed_to_the_transaction_whose_hash_is_computed_and_on() {
    let Some(story) = story() else {
        return;
    };
    let report = story.trace(story.portal);
    let crossed = crossings(&report);
    assert_eq!(crossed.len(), 1, "{:?}", report.unknown);
    assert_eq!(crossed[0].tx, story.made.to_string());
    let mut found = report.findings.iter();
    let found = found.find(|one| one.heuristic == "cross.op-stack");
    let wording = &found.unwrap().parameters["wording"];
    assert_eq!(*wording, json!("derived from source transaction"));
    let thirty = Amount::from(U256::from(30 * ETHER));
    for rule in [Rule::Fifo, Rule::Haircut] {
        assert_eq!(crossed[0].claims[&rule]["s1"], thirty, "{rule}");
        let rows = report.accounting.iter().filter(|row| row.rule == rule);
        let left = Amount::checked_sum(rows.map(|row| row.bridges)).unwrap();
        assert_eq!(left, Amount::ZERO, "{rule}");
    }
    let next = story.next.to_string();
    let mut nodes = report.nodes.iter();
    assert!(nodes.any(|node| node.address.as_deref() == Some(&*next)));
}

#[test]
fn what_another_contract_than_the_portal_logs_crosses_nowhere() {
    let Some(story) = story() else {
        return;
    };
    let report = story.trace(Address::repeat_byte(0x77));
    assert!(crossings(&report).is_empty());
}
