//! Made-up ledgers obey the rules that real ones obey.

use std::collections::HashMap;
use std::time::Instant;

use bitcoin::{Network, OutPoint};
use hansel_ledger::TransactionStatement;
use hansel_testkit::{EsploraOptions, EsploraServer, HttpRequest, Ledger, Shape};

#[test]
fn equal_seeds_give_equal_ledgers_and_others_do_not() {
    let ledger = |seed| Ledger::random(seed, 300, &Shape::default());
    assert_eq!(ledger(1).blocks(), ledger(1).blocks());
    assert_ne!(ledger(1).theft(), ledger(2).theft());
}

#[test]
fn value_is_conserved_and_no_output_is_spent_twice_or_early() {
    let ledger = Ledger::random(7, 5_000, &Shape::default());
    let mut unspent: HashMap<OutPoint, (u64, u64, bool)> = HashMap::new();
    let mut count = 0;
    for statement in ledger.statements() {
        let height = statement.placement.height().unwrap();
        for input in &statement.inputs {
            let (value, born, coinbase) = unspent.remove(&input.previous).unwrap();
            assert_eq!(input.spent.as_ref().unwrap().value.to_sat(), value);
            assert!(!coinbase || height >= born + 100);
            assert_eq!(
                ledger.spender(&input.previous),
                Some((statement.txid, height))
            );
        }
        count += usize::from(!statement.is_coinbase());
        assert!(statement.is_coinbase() || statement.fee().is_some());
        for (vout, output) in (0..).zip(&statement.outputs) {
            if !output.script.is_op_return() {
                let outpoint = OutPoint::new(statement.txid, vout);
                unspent.insert(
                    outpoint,
                    (output.value.to_sat(), height, statement.is_coinbase()),
                );
            }
        }
    }
    assert_eq!(count, 5_000);
    assert!(
        unspent
            .keys()
            .all(|outpoint| ledger.spender(outpoint).is_none())
    );
}

#[test]
fn every_case_occurs() {
    let ledger = Ledger::random(3, 5_000, &Shape::default());
    let all: Vec<TransactionStatement> = ledger.statements().collect();
    let heights: HashMap<_, _> = all.iter().map(|s| (s.txid, s.placement.height())).collect();
    let some = |case: &dyn Fn(&TransactionStatement) -> bool| {
        all.iter().filter(|s| !s.is_coinbase()).any(case)
    };
    assert!(some(&|s| s.inputs.len() == 5));
    assert!(some(&|s| s.outputs.len() == 6));
    assert!(some(&|s| s.fee().unwrap().to_sat() == 0));
    assert!(some(&|s| s.fee().unwrap().to_sat() > 10_000_000));
    assert!(some(&|s| s
        .outputs
        .iter()
        .any(|o| o.script.is_op_return() && o.value.to_sat() > 0)));
    assert!(some(&|s| s
        .outputs
        .iter()
        .any(|o| !o.script.is_op_return() && o.value.to_sat() == 0)));
    assert!(some(&|s| s
        .outputs
        .iter()
        .any(|o| (1..=546).contains(&o.value.to_sat()))));
    assert!(some(&|s| s
        .inputs
        .iter()
        .any(|i| heights[&i.previous.txid] == s.placement.height())));
}

#[test]
fn blocks_carry_work_roots_and_links() {
    let ledger = Ledger::random(5, 500, &Shape::default());
    let mut previous = None;
    for block in ledger.blocks() {
        assert!(block.check_merkle_root());
        let hash = block.header.validate_pow(block.header.target()).unwrap();
        assert!(previous.is_none_or(|previous| previous == block.header.prev_blockhash));
        previous = Some(hash);
    }
}

#[test]
fn the_wide_theft_reaches_as_many_transactions_as_asked() {
    // Ten from each: the generations hold 10, 100 and the rest.
    for (wanted, generations) in [(0, 0), (1, 1), (10, 1), (11, 2), (110, 2), (1_000, 3)] {
        let ledger = Ledger::wide(wanted);
        let mut reached = vec![ledger.theft()];
        let mut next = 0;
        while let Some(txid) = reached.get(next).copied() {
            let outputs = ledger.transaction(&txid).unwrap().output.len();
            let spenders = (0..)
                .take(outputs)
                .filter_map(|vout| ledger.spender(&OutPoint::new(txid, vout)));
            reached.extend(spenders.map(|(spender, _)| spender));
            next += 1;
        }
        assert_eq!(reached.len() - 1, wanted);
        let theft = ledger.statement(&ledger.theft()).unwrap();
        let start = theft.placement.height().unwrap();
        assert_eq!(ledger.height() - start, generations);
    }
}

#[test]
fn a_million_transfers_take_seconds() {
    let start = Instant::now();
    let ledger = Ledger::random(1, 270_000, &Shape::default());
    assert!(ledger.transfers() > 1_000_000, "{}", ledger.transfers());
    let statements = ledger.statements().count();
    eprintln!(
        "{} transfers, {statements} statements in {:?}",
        ledger.transfers(),
        start.elapsed()
    );
    assert!(start.elapsed().as_secs() < 60, "{:?}", start.elapsed());
}

#[test]
fn a_ledger_is_served_without_a_node() {
    let ledger = Ledger::wide(20);
    let chain = ledger.chain(Network::Regtest);
    let server = EsploraServer::over_chain(chain, EsploraOptions::default()).unwrap();
    let path = format!("/tx/{}/outspends", ledger.theft());
    let url = server.url();
    let reply = HttpRequest::get(&path)
        .send(url.strip_prefix("http://").unwrap())
        .unwrap();
    let spends: serde_json::Value = serde_json::from_slice(&reply.body).unwrap();
    let spender = ledger.spender(&OutPoint::new(ledger.theft(), 3)).unwrap().0;
    assert_eq!(spends[3]["txid"], serde_json::json!(spender));
}
