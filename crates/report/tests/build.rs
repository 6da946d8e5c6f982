//! Reports built from random traces: every flow and node once, nothing named that is not there, sums that agree.
#![allow(
    missing_docs,
    dead_code,
    clippy::cast_possible_truncation,
    clippy::unwrap_used,
    reason = "a test of small numbers"
)]

#[path = "../../graph/tests/chain/mod.rs"]
mod chain;
#[path = "../../graph/tests/ledgers/mod.rs"]
mod ledgers;

use std::collections::{BTreeMap, BTreeSet};

use bitcoin::OutPoint;
use chain::{FakeChain, plan_of, run};
use hansel_graph::{Direction, FeeRule, FlowIx, Limits, Trace};
use hansel_ledger::{Amount, Subject, TransactionStatement};
use hansel_report::{Heading, Report, build};
use ledgers::Dice;

/// A trace of up to three outputs of a random ledger, in either direction, with and without limits.
fn random(number: u64) -> Trace {
    let mut dice = Dice(number);
    let ledger = ledgers::random(number, 1 + dice.roll(120));
    let subjects: Vec<Subject> = (0..3).map(|_| output(&ledger, &mut dice)).collect();
    let mut plan = plan_of(subjects);
    plan.fee_rule = FeeRule::ALL[dice.roll(2) as usize];
    plan.direction = Direction::ALL[dice.roll(2) as usize];
    if dice.roll(2) == 0 {
        plan.limits = Limits {
            max_nodes: Some(3 + dice.roll(20)),
            min_amount: dice.roll(4).into(),
            ..Limits::NONE
        };
    }
    let mut chain = FakeChain::of(&ledger);
    let lost = dice.roll(2 * ledger.len() as u64) as usize;
    chain.missing.extend(ledger.get(lost).map(|one| one.txid));
    run(plan, &chain)
}

fn output(ledger: &[TransactionStatement], dice: &mut Dice) -> Subject {
    let transaction = &ledger[dice.roll(ledger.len() as u64) as usize];
    let vout = dice.roll(transaction.outputs.len() as u64) as u32;
    let txid = transaction.txid;
    Subject::Output(OutPoint { txid, vout })
}

fn is_fee(id: &str) -> bool {
    id.starts_with("bitcoin:fee:")
}

fn reports() -> impl Iterator<Item = (Trace, Report)> {
    (0..400).map(random).map(|trace| {
        let report = build(&trace, Heading::default()).unwrap().report;
        (trace, report)
    })
}

#[test]
fn every_flow_of_a_visited_transaction_is_listed_once_in_the_order_of_execution() {
    for (trace, report) in reports() {
        let graph = trace.graph();
        let visited = graph
            .pools()
            .map(|pool| graph.pool(pool))
            .filter(|pool| pool.visited);
        let mut touching: BTreeSet<FlowIx> = BTreeSet::new();
        for pool in visited {
            touching.extend(pool.inputs.iter().chain(pool.outputs));
        }
        let outputs = report.flows.iter().filter(|flow| !is_fee(&flow.id));
        assert_eq!(outputs.count(), touching.len());
        let ids: BTreeSet<&str> = report.flows.iter().map(|flow| &*flow.id).collect();
        assert_eq!(ids.len(), report.flows.len());
        let blocks = report
            .flows
            .iter()
            .map(|flow| flow.block.unwrap_or(u64::MAX));
        assert!(blocks.is_sorted());
    }
}

#[test]
fn fees_are_listed_for_every_visited_transaction_that_pays_one() {
    for (trace, report) in reports() {
        let graph = trace.graph();
        let paid: Vec<Amount> = graph
            .pools()
            .filter_map(|pool| graph.fee(pool).filter(|fee| *fee > 0))
            .map(Amount::from)
            .collect();
        let listed = report.flows.iter().filter(|flow| is_fee(&flow.id));
        let listed = Amount::checked_sum(listed.map(|flow| flow.amount));
        assert_eq!(listed, Amount::checked_sum(paid));
    }
}

#[test]
fn every_pool_that_a_flow_names_is_a_node_and_listed_once() {
    for (_, report) in reports() {
        let nodes: BTreeSet<&str> = report.nodes.iter().map(|node| &*node.id).collect();
        assert_eq!(nodes.len(), report.nodes.len());
        for flow in &report.flows {
            assert!(nodes.contains(&*flow.from), "{}", flow.from);
            assert!(nodes.contains(&*flow.to), "{}", flow.to);
        }
    }
}

#[test]
fn claims_and_accounting_add_up_to_the_unit() {
    for (_, report) in reports() {
        for row in &report.accounting {
            assert_eq!(row.total, row.stolen, "{} {}", row.seed, row.rule);
        }
        for flow in &report.flows {
            for (rule, claims) in &flow.claims {
                let sum = Amount::checked_sum(claims.values().copied());
                assert_eq!(sum, Ok(flow.tainted[rule]), "{}", flow.id);
            }
        }
    }
}

#[test]
fn what_is_stolen_in_all_is_what_the_seeds_outputs_hold() {
    for (_, report) in reports() {
        let seeds = report.seeds.iter().map(|seed| (seed.tx.clone(), seed.vout));
        let seeds: BTreeSet<(String, Option<u32>)> = seeds.collect();
        let mut stolen: BTreeMap<&str, Vec<Amount>> = BTreeMap::new();
        for row in &report.accounting {
            stolen.entry(row.rule.name()).or_default().push(row.stolen);
        }
        for (rule, stolen) in stolen {
            let whole = Amount::checked_sum(stolen).unwrap();
            let amounts = report.seeds.iter().map(|seed| seed.amount);
            assert!(whole <= Amount::checked_sum(amounts).unwrap(), "{rule}");
        }
        assert_eq!(seeds.len(), report.seeds.len());
    }
}
