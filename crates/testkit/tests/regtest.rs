//! Chains built by hand are valid, complete and the same in every run.
#![expect(clippy::unwrap_used, reason = "the helpers of tests fail like tests")]

use bitcoin::{OutPoint, Txid};
use hansel_testkit::{Indexes, Node, Pay, Payee, Regtest, require_bitcoind};
use serde_json::{Value, json};

fn confirmations(node: &Node, txid: Txid) -> Option<i64> {
    let transaction = node.call("getrawtransaction", json!([txid, 1])).ok()?;
    Some(transaction["confirmations"].as_i64().unwrap_or(0))
}

#[test]
fn the_scenario_is_the_same_in_two_runs() {
    let Some(bitcoind) = require_bitcoind() else {
        return;
    };
    let mut runs = (0..2).map(|_| {
        let mut regtest = Regtest::start(&bitcoind, Indexes::NONE).unwrap();
        let scenario = regtest.scenario();
        (scenario, regtest.tip())
    });
    assert_eq!(runs.next(), runs.next());
}

#[test]
fn the_scenario_holds_what_it_names() {
    let Some(bitcoind) = require_bitcoind() else {
        return;
    };
    let mut regtest = Regtest::start(&bitcoind, Indexes::ALL).unwrap();
    let scenario = regtest.scenario();
    let node = regtest.node();
    node.wait_for_indexes().unwrap();
    assert_eq!(confirmations(node, scenario.replaced), None);
    assert_eq!(confirmations(node, scenario.unconfirmed), Some(0));
    assert_eq!(confirmations(node, scenario.dust), Some(3));
    let block = |txid: Txid| {
        let found = node.call("getrawtransaction", json!([txid, 1])).unwrap();
        found["blockhash"].clone()
    };
    assert_eq!(block(scenario.parent), block(scenario.child));
    assert_eq!(block(scenario.peels[4]), block(scenario.peels[5]));
    assert_ne!(block(scenario.peels[3]), block(scenario.peels[4]));
    let theft = regtest.transaction(&scenario.theft);
    assert_eq!((theft.input.len(), theft.output.len()), (2, 3));
    assert_eq!(
        spender(node, OutPoint::new(scenario.split, 7)),
        json!(scenario.replacement)
    );
    assert_eq!(spender(node, scenario.unspent), Value::Null);
}

fn spender(node: &Node, outpoint: OutPoint) -> Value {
    let asked = json!([[{"txid": outpoint.txid, "vout": outpoint.vout}]]);
    let answer = node.call("gettxspendingprevout", asked).unwrap();
    answer[0]["spendingtxid"].clone()
}

#[test]
fn a_second_node_takes_the_same_blocks_and_mempool() {
    let Some(bitcoind) = require_bitcoind() else {
        return;
    };
    let mut regtest = Regtest::start(&bitcoind, Indexes::NONE).unwrap();
    let scenario = regtest.scenario();
    let filter = Indexes {
        filter: true,
        ..Indexes::NONE
    };
    let second = Node::start(&bitcoind, filter).unwrap();
    regtest.copy_to(&second).unwrap();
    for method in ["getbestblockhash", "getrawmempool"] {
        let answers = [regtest.node(), &second].map(|node| node.call(method, json!([])).unwrap());
        assert_eq!(answers[0], answers[1]);
    }
    assert_eq!(confirmations(&second, scenario.unconfirmed), Some(0));
}

#[test]
fn a_rejected_block_is_replaced_by_another() {
    let Some(bitcoind) = require_bitcoind() else {
        return;
    };
    let mut regtest = Regtest::start(&bitcoind, Indexes::NONE).unwrap();
    let coinbase = regtest.fund(Payee::Legacy(5), 1)[0];
    let paid = regtest.pay(&[coinbase], &[Pay::rest(Payee::Segwit(6))], 1_000);
    let (rejected, height) = (regtest.mine(), regtest.height());
    regtest.invalidate(rejected);
    assert_eq!(regtest.height(), height - 1);
    let replacement = regtest.mine();
    assert_ne!(replacement, rejected);
    assert_eq!((regtest.tip(), regtest.height()), (replacement, height));
    assert_eq!(
        confirmations(regtest.node(), paid),
        Some(0),
        "it waits in the mempool"
    );
}
