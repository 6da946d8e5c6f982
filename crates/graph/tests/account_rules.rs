//! Every rule on plain transfers between accounts.
#![allow(clippy::unwrap_used, missing_docs, reason = "a test of small numbers")]

mod accounts;

use accounts::{Tx, facts, held, settle};
use hansel_graph::Rule;

/// 60 stolen units reach an account that had 40; it pays 50 to one and then 20 to another.
fn spent(rule: Rule) -> [(u64, u64); 3] {
    let theft = Tx::new(10, 0, "thief").moves("victim", "thief", "USD", 60);
    let first = Tx::new(11, 0, "thief").moves("thief", "first", "USD", 50);
    let second = Tx::new(12, 0, "thief").moves("thief", "second", "USD", 20);
    let seeds = [theft.seed(0)];
    let facts = facts(&[theft, first, second], &[("thief", "USD", 40)]);
    let settlement = settle(&facts, &seeds, &[rule]);
    ["first", "second", "thief"].map(|name| held(&settlement, rule, name, "USD"))
}

#[test]
fn each_rule_decides_which_units_leave_an_account() {
    assert_eq!(spent(Rule::Fifo), [(10, 10), (20, 20), (30, 30)]);
    assert_eq!(spent(Rule::Lifo), [(50, 50), (10, 10), (0, 0)]);
    assert_eq!(spent(Rule::Seniority), [(50, 50), (10, 10), (0, 0)]);
    assert_eq!(spent(Rule::Tiho), spent(Rule::Seniority));
    assert_eq!(
        spent(Rule::ReverseSeniority),
        [(10, 10), (20, 20), (30, 30)]
    );
    assert_eq!(spent(Rule::Haircut), [(30, 30), (12, 12), (18, 18)]);
    assert_eq!(spent(Rule::Poison), [(50, 50), (20, 20), (30, 30)]);
}
