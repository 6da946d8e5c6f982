//! Every rule on plain transfers between accounts.
#![allow(clippy::unwrap_used, missing_docs, reason = "a test of small numbers")]

mod accounts;

use accounts::{Tx, account, amount, facts, flow_units, held, pool, residual, settle, statement};
use hansel_graph::{AccountFacts, AccountSeed, AccountSettlement, FeeRule, Rule, SeedIx};
use hansel_ledger::{Arrival, Coin, Gap};

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

fn theft(units: u64) -> Tx {
    Tx::new(10, 0, "hacker").moves("victim", "thief", "ETH", units)
}

fn with_fee_rule(
    facts: &AccountFacts,
    seeds: &[AccountSeed],
    fee_rule: FeeRule,
) -> AccountSettlement {
    AccountSettlement::settle(facts, seeds, &Rule::ALL, fee_rule).unwrap()
}

#[test]
fn value_that_left_before_the_taint_arrived_stays_clean() {
    let before = Tx::new(9, 0, "thief").moves("thief", "friend", "ETH", 40);
    let theft = theft(60);
    let seeds = [theft.seed(0)];
    let settled = settle(
        &facts(&[theft, before], &[("thief", "ETH", 50)]),
        &seeds,
        &Rule::ALL,
    );
    for rule in Rule::ALL {
        assert_eq!(held(&settled, rule, "friend", "ETH"), (0, 0), "{rule}");
    }
    assert_eq!(held(&settled, Rule::Poison, "thief", "ETH"), (70, 70));
    assert_eq!(held(&settled, Rule::Haircut, "thief", "ETH"), (60, 60));
}

#[test]
fn gas_is_drawn_after_the_movements_or_from_every_segment() {
    let theft = theft(60);
    let seeds = [theft.seed(0)];
    let spend = Tx::new(11, 0, "thief")
        .moves("thief", "friend", "ETH", 70)
        .fee(10);
    let hash = spend.0.hash;
    let known = facts(&[theft, spend], &[("thief", "ETH", 40)]);
    let last = with_fee_rule(&known, &seeds, FeeRule::Last);
    let gas = |settled: &AccountSettlement, rule| flow_units(settled, rule, hash, None);
    assert_eq!(gas(&last, Rule::Fifo), 10);
    assert_eq!(gas(&last, Rule::Seniority), 0);
    assert_eq!(gas(&last, Rule::ReverseSeniority), 10);
    assert_eq!(gas(&last, Rule::Haircut), 6);
    let pro_rata = with_fee_rule(&known, &seeds, FeeRule::ProRata);
    for rule in [Rule::Fifo, Rule::Lifo, Rule::Seniority, Rule::Haircut] {
        assert_eq!(gas(&pro_rata, rule), 6, "{rule}");
        let seed = SeedIx::from_position(0).unwrap();
        assert_eq!(pro_rata.gas(rule, seed), amount(6), "{rule}");
    }
    // 36 clean units and 54 stolen ones are left when the 70 are drawn.
    assert_eq!(held(&pro_rata, Rule::Fifo, "friend", "ETH"), (34, 34));
    assert_eq!(held(&pro_rata, Rule::Lifo, "friend", "ETH"), (54, 54));
}

#[test]
fn a_failed_transaction_moves_only_its_gas() {
    let theft = theft(60);
    let seeds = [theft.seed(0)];
    let spend = Tx::new(11, 0, "thief")
        .moves("thief", "friend", "ETH", 50)
        .fee(7)
        .failed();
    let hash = spend.0.hash;
    let settled = settle(
        &facts(&[theft, spend], &[("thief", "ETH", 0)]),
        &seeds,
        &Rule::ALL,
    );
    for rule in Rule::ALL {
        assert_eq!(held(&settled, rule, "friend", "ETH"), (0, 0), "{rule}");
        assert_eq!(flow_units(&settled, rule, hash, None), 7, "{rule}");
    }
}

#[test]
fn gas_of_a_sender_that_is_not_followed_is_clean() {
    let theft = theft(60);
    let seeds = [theft.seed(0)];
    let spend = Tx::new(11, 0, "thief")
        .moves("thief", "friend", "ETH", 50)
        .fee(7);
    let settled = settle(&facts(&[theft, spend], &[]), &seeds, &Rule::ALL);
    assert_eq!(held(&settled, Rule::Fifo, "thief", "ETH"), (60, 60));
    assert_eq!(held(&settled, Rule::Fifo, "friend", "ETH"), (0, 0));
}

#[test]
fn a_pool_gives_taint_only_in_blocks_in_which_it_is_followed() {
    let theft = theft(60);
    let seeds = [theft.seed(0)];
    let during = Tx::new(20, 0, "thief").moves("thief", "friend", "ETH", 30);
    let after = Tx::new(31, 0, "thief").moves("thief", "other", "ETH", 30);
    let mut known = facts(&[theft, during, after], &[]);
    known.add_statement(statement("thief", "ETH", (10, 30), Some(0)));
    let settled = settle(&known, &seeds, &[Rule::Fifo]);
    assert_eq!(held(&settled, Rule::Fifo, "friend", "ETH"), (30, 30));
    assert_eq!(held(&settled, Rule::Fifo, "other", "ETH"), (0, 0));
    assert_eq!(known.covered(pool("thief", "ETH")), [(10, 30)]);
    known.add_statement(statement("thief", "ETH", (31, 40), None));
    assert_eq!(known.covered(pool("thief", "ETH")), [(10, 40)]);
    let settled = settle(&known, &seeds, &[Rule::Fifo]);
    assert_eq!(held(&settled, Rule::Fifo, "other", "ETH"), (30, 30));
}

#[test]
fn a_hub_is_not_followed() {
    let theft = theft(60);
    let seeds = [theft.seed(0)];
    let spend = Tx::new(20, 0, "thief").moves("thief", "friend", "ETH", 30);
    let mut known = facts(&[theft, spend], &[]);
    let mut hub = statement("thief", "ETH", (10, 30), Some(0));
    hub.coverage.gaps.push(Gap::Hub { bound: 5 });
    known.add_statement(hub);
    let settled = settle(&known, &seeds, &[Rule::Fifo]);
    assert_eq!(held(&settled, Rule::Fifo, "thief", "ETH"), (60, 60));
    let state = settled.pools().next().unwrap();
    assert!(!state.followed);
}

#[test]
fn clean_value_of_unknown_origin_fills_what_is_missing_and_is_reported() {
    let theft = theft(60);
    let seeds = [theft.seed(0)];
    let spend = Tx::new(11, 0, "thief").moves("thief", "friend", "ETH", 100);
    let mut known = facts(&[theft, spend], &[]);
    known.add_statement(statement("thief", "ETH", (10, 30), None));
    let settled = settle(&known, &seeds, &Rule::ALL);
    for rule in Rule::ALL.into_iter().filter(|rule| rule.conserves()) {
        assert_eq!(held(&settled, rule, "friend", "ETH"), (60, 60), "{rule}");
    }
    let shortfalls = settled.shortfalls();
    assert_eq!(shortfalls.len(), 1);
    assert_eq!(
        (shortfalls[0].pool, shortfalls[0].amount),
        (pool("thief", "ETH"), amount(40))
    );
    assert!(settled.pools().any(|state| !state.openings_known));
}

#[test]
fn a_balance_known_later_corrects_the_clean_value_and_leaves_the_taint() {
    let theft = theft(60);
    let seeds = [theft.seed(0)];
    let spend = Tx::new(60, 0, "thief").moves("thief", "friend", "ETH", 50);
    let mut known = facts(&[theft, spend], &[]);
    known.add_statement(statement("thief", "ETH", (10, 20), Some(1_000)));
    known.add_statement(statement("thief", "ETH", (50, 70), Some(100)));
    let settled = settle(&known, &seeds, &[Rule::Haircut, Rule::Fifo]);
    assert_eq!(held(&settled, Rule::Haircut, "friend", "ETH"), (30, 30));
    assert_eq!(held(&settled, Rule::Fifo, "friend", "ETH"), (10, 10));
}

#[test]
fn what_an_earlier_seed_claims_stays_its() {
    let first = theft(60);
    let second = Tx::new(11, 0, "thief").moves("thief", "friend", "ETH", 80);
    let seeds = [first.seed(0), second.seed(0)];
    let settled = settle(
        &facts(&[first, second], &[("thief", "ETH", 40)]),
        &seeds,
        &[Rule::Fifo],
    );
    let expected = [(0, amount(40), amount(40)), (1, amount(40), amount(40))];
    assert_eq!(residual(&settled, Rule::Fifo, "friend", "ETH"), expected);
    let stolen = |position| settled.stolen(Rule::Fifo, SeedIx::from_position(position).unwrap());
    assert_eq!((stolen(0), stolen(1)), (amount(60), amount(40)));
}

#[test]
fn a_seed_of_which_only_the_arrival_is_known_taints_it() {
    let theft = theft(60);
    let seeds = [theft.seed(0)];
    let arrival = Arrival {
        tx: Some(theft.0.hash),
        placement: theft.0.placement,
        origin: theft.0.movements[0].origin.clone(),
        from: None,
        coin: Coin::Native,
        amount: amount(60),
    };
    let mut known = AccountFacts::default();
    let mut told = statement("thief", "ETH", (10, 30), Some(5));
    told.arrivals.push(arrival);
    known.add_statement(told);
    let settled = settle(&known, &seeds, &Rule::ALL);
    assert_eq!(held(&settled, Rule::Lifo, "thief", "ETH"), (60, 60));
    assert_eq!(settled.flows().count(), 1);
    // The transaction in full says the same once more, and counts once.
    known.add_transaction(theft.0);
    let settled = settle(&known, &seeds, &Rule::ALL);
    assert_eq!(held(&settled, Rule::Lifo, "thief", "ETH"), (60, 60));
    assert_eq!(settled.flows().count(), 1);
}

#[test]
fn a_seed_that_no_movement_matches_claims_nothing() {
    let theft = theft(60);
    let mut seed = theft.seed(0);
    seed.to = account("somebody else");
    let settled = settle(&facts(&[theft], &[]), &[seed], &Rule::ALL);
    assert_eq!(settled.flows().count(), 0);
    assert_eq!(settled.pools().count(), 0);
}

#[test]
fn pools_tell_their_distance_their_first_taint_and_the_most_they_held() {
    let theft = theft(60);
    let seeds = [theft.seed(0)];
    let first = Tx::new(11, 0, "thief").moves("thief", "friend", "ETH", 50);
    let back = Tx::new(12, 0, "friend").moves("friend", "thief", "ETH", 45);
    let known = facts(
        &[theft, first, back],
        &[("thief", "ETH", 0), ("friend", "ETH", 0)],
    );
    let settled = settle(&known, &seeds, &[Rule::Fifo]);
    let state = |name| {
        let mut states = settled.pools();
        states.find(|state| state.key == pool(name, "ETH")).unwrap()
    };
    let peak = |name| state(name).peaks(Rule::Fifo)[0].1;
    assert_eq!((state("thief").hops, state("thief").since.height), (0, 10));
    assert_eq!(
        (state("friend").hops, state("friend").since.height),
        (1, 11)
    );
    assert_eq!((peak("thief"), peak("friend")), (amount(60), amount(50)));
}

#[test]
fn what_goes_in_and_out_in_one_transaction_leaves_the_pool_alone() {
    let theft = theft(60);
    let seeds = [theft.seed(0)];
    let through = Tx::new(11, 0, "other")
        .moves("other", "thief", "ETH", 30)
        .moves("thief", "friend", "ETH", 30);
    let known = facts(&[theft, through], &[("thief", "ETH", 0)]);
    let settled = settle(&known, &seeds, &[Rule::Fifo, Rule::Haircut]);
    assert_eq!(held(&settled, Rule::Fifo, "thief", "ETH"), (60, 60));
    assert_eq!(held(&settled, Rule::Haircut, "friend", "ETH"), (0, 0));
}
