//! What happened to a pool, step by step, against sums done by hand.
#![allow(clippy::unwrap_used, missing_docs, reason = "a test of small numbers")]

mod accounts;

use std::collections::BTreeSet;

use accounts::{Tx, facts, pool, small};
use hansel_graph::{AccountSettlement, FeeRule, PoolChange, PoolStep, Rule};

/// The thief holds 50, receives 50 stolen, pays 10, receives 20 clean, and pays 30.
fn steps(rule: Rule) -> Vec<PoolStep> {
    let theft = Tx::new(10, 0, "hacker").moves("victim", "thief", "ETH", 50);
    let seeds = [theft.seed(0)];
    let rest = [
        Tx::new(11, 0, "relay").moves("thief", "one", "ETH", 10),
        Tx::new(12, 0, "friend").moves("friend", "thief", "ETH", 20),
        Tx::new(13, 0, "relay").moves("thief", "two", "ETH", 30),
    ];
    let transactions: Vec<Tx> = [theft].into_iter().chain(rest).collect();
    let facts = facts(&transactions, &[("thief", "ETH", 50)]);
    let key = pool("thief", "ETH");
    let asked = BTreeSet::from([key, pool("two", "ETH")]);
    let mut found =
        AccountSettlement::workings(&facts, &seeds, &[rule], FeeRule::Last, &asked).unwrap();
    assert_eq!(found.len(), 1, "nobody states anything of the other pool");
    found.remove(&(key, rule)).unwrap()
}

/// Amount and taint of each step, then balance and taint afterwards.
fn sums(rule: Rule) -> Vec<[u64; 4]> {
    let sums = |step: &PoolStep| {
        [
            step.amount(),
            step.amount_tainted(),
            step.balance,
            step.tainted,
        ]
        .map(small)
    };
    steps(rule).iter().map(sums).collect()
}

#[test]
fn a_pool_tells_its_opening_its_arrivals_and_its_draws_in_order() {
    use PoolChange::{Arrival, Draw, Opening};
    let told: Vec<_> = steps(Rule::Fifo)
        .iter()
        .map(|step| (step.height, step.change, step.tx.is_some()))
        .collect();
    let expected = [
        (10, Opening, false),
        (10, Arrival, true),
        (11, Draw, true),
        (12, Arrival, true),
        (13, Draw, true),
    ];
    assert_eq!(told, expected);
}

#[test]
fn first_in_first_out_draws_the_opening_before_what_was_stolen() {
    let expected = [
        [0, 0, 50, 0],
        [50, 50, 100, 50],
        [10, 0, 90, 50],
        [20, 0, 110, 50],
        [30, 0, 80, 50],
    ];
    assert_eq!(sums(Rule::Fifo), expected);
}

#[test]
fn haircut_draws_the_share_that_is_tainted_rounded_down() {
    // floor(50 * 10 / 100) = 5, then floor(45 * 30 / 110) = 12.
    let expected = [
        [0, 0, 50, 0],
        [50, 50, 100, 50],
        [10, 5, 90, 45],
        [20, 0, 110, 45],
        [30, 12, 80, 33],
    ];
    assert_eq!(sums(Rule::Haircut), expected);
}

#[test]
fn poison_calls_everything_tainted_from_the_first_taint_on() {
    let expected = [
        [0, 0, 50, 0],
        [50, 50, 100, 100],
        [10, 10, 90, 90],
        [20, 0, 110, 110],
        [30, 30, 80, 80],
    ];
    assert_eq!(sums(Rule::Poison), expected);
}
