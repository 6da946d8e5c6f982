//! Conversions between coins of accounts: each heuristic fires, leaves its look-alike alone, and conserves.
#![allow(clippy::unwrap_used, missing_docs, reason = "a test of small numbers")]

mod accounts;

use accounts::{Tx, facts, held, settle};
use hansel_graph::{AccountSeed, AccountSettlement, Rule};

/// 100 stolen units of X reach `thief`, who then does this.
fn after_theft(then: Tx, followed: &[(&str, &str, u64)]) -> AccountSettlement {
    after_theft_of("X", 100, &[then], followed)
}

fn after_theft_of(
    asset: &str,
    units: u64,
    then: &[Tx],
    followed: &[(&str, &str, u64)],
) -> AccountSettlement {
    let theft = Tx::new(1, 0, "thief").moves("victim", "thief", asset, units);
    let seeds: Vec<AccountSeed> = vec![theft.seed(0)];
    let mut transactions = then.to_vec();
    transactions.push(theft);
    let mut pools = vec![("thief", asset, 0)];
    pools.extend_from_slice(followed);
    // Every rule is settled, so that each checks its balance.
    settle(&facts(&transactions, &pools), &seeds, &Rule::ALL)
}

fn thief() -> Tx {
    Tx::new(2, 0, "thief")
}

const EACH: [Rule; 7] = Rule::ALL;

fn readings(settlement: &AccountSettlement) -> Vec<String> {
    settlement
        .readings()
        .map(|reading| reading.text.clone())
        .collect()
}

#[test]
fn a_swap_keeps_the_claims_and_changes_the_units() {
    let swap = thief()
        .moves("thief", "pair", "X", 100)
        .moves("pair", "thief", "Y", 7)
        .runs(&["pair"]);
    let settled = after_theft(swap, &[]);
    for rule in EACH {
        assert_eq!(held(&settled, rule, "thief", "Y"), (7, 100), "{rule}");
        assert_eq!(held(&settled, rule, "pair", "X"), (0, 0), "{rule}");
    }
    assert!(readings(&settled).is_empty());
}

#[test]
fn a_swap_that_pays_before_it_takes_is_a_swap() {
    let swap = thief()
        .moves("pair", "thief", "Y", 7)
        .moves("thief", "pair", "X", 100)
        .runs(&["pair"]);
    let settled = after_theft(swap, &[]);
    assert_eq!(held(&settled, Rule::Fifo, "thief", "Y"), (7, 100));
}

#[test]
fn value_paid_to_an_account_without_code_is_a_payment_even_if_something_comes_back() {
    let payment = thief()
        .moves("thief", "friend", "X", 100)
        .moves("friend", "thief", "Y", 7);
    let settled = after_theft(payment, &[]);
    assert_eq!(held(&settled, Rule::Fifo, "friend", "X"), (100, 100));
    assert_eq!(held(&settled, Rule::Fifo, "thief", "Y"), (0, 0));
}

#[test]
fn wrapping_and_unwrapping_keeps_units_and_claims() {
    let wrap = thief()
        .moves("thief", "WETH", "ETH", 60)
        .moves("WETH", "thief", "WETH", 60)
        .runs(&["WETH"]);
    let unwrap = Tx::new(3, 0, "thief")
        .moves("WETH", "thief", "ETH", 20)
        .moves("thief", "WETH", "WETH", 20)
        .runs(&["WETH"]);
    let settled = after_theft_of("ETH", 100, &[wrap, unwrap], &[("thief", "WETH", 0)]);
    for rule in [Rule::Fifo, Rule::Lifo, Rule::Haircut, Rule::Seniority] {
        assert_eq!(held(&settled, rule, "thief", "WETH"), (40, 40), "{rule}");
        assert_eq!(held(&settled, rule, "thief", "ETH"), (60, 60), "{rule}");
    }
}

#[test]
fn one_wraps_and_another_unwraps_in_the_same_transaction_without_mixing() {
    let both = thief()
        .moves("thief", "WETH", "ETH", 100)
        .moves("WETH", "other", "ETH", 30)
        .moves("other", "WETH", "WETH", 30)
        .moves("WETH", "thief", "WETH", 100)
        .runs(&["WETH"]);
    let settled = after_theft_of("ETH", 100, &[both], &[]);
    assert_eq!(held(&settled, Rule::Fifo, "thief", "WETH"), (100, 100));
    assert_eq!(held(&settled, Rule::Fifo, "other", "ETH"), (0, 0));
}

#[test]
fn a_route_over_several_venues_and_a_router_ends_where_the_last_coin_does() {
    // Ether is listed first, although it moves last.
    let swap = thief()
        .moves("WETH", "router", "ETH", 9)
        .moves("router", "thief", "ETH", 9)
        .moves("thief", "pair", "X", 100)
        .moves("pair", "second", "Y", 50)
        .moves("second", "router", "WETH", 9)
        .moves("router", "WETH", "WETH", 9)
        .runs(&["WETH", "pair", "router", "second"]);
    let settled = after_theft(swap, &[]);
    for rule in EACH {
        assert_eq!(held(&settled, rule, "thief", "ETH"), (9, 100), "{rule}");
    }
    let resting: Vec<_> = settled.pools().map(|pool| pool.key).collect();
    assert_eq!(
        resting.len(),
        2,
        "routers and venues keep nothing: {resting:?}"
    );
}

#[test]
fn a_split_route_gathers_all_claims() {
    let swap = thief()
        .moves("thief", "router", "X", 100)
        .moves("router", "pair", "X", 70)
        .moves("pair", "router", "Y", 10)
        .moves("router", "second", "X", 30)
        .moves("second", "router", "Y", 5)
        .moves("router", "thief", "Y", 15)
        .runs(&["pair", "router", "second"]);
    let settled = after_theft(swap, &[]);
    for rule in EACH.into_iter().filter(|rule| rule.conserves()) {
        assert_eq!(held(&settled, rule, "thief", "Y"), (15, 100), "{rule}");
    }
}

#[test]
fn what_a_venue_refunds_stays_what_it_was() {
    let swap = thief()
        .moves("thief", "router", "ETH", 100)
        .moves("router", "pair", "ETH", 90)
        .moves("router", "thief", "ETH", 10)
        .moves("pair", "thief", "Y", 30)
        .runs(&["pair", "router"]);
    let settled = after_theft_of("ETH", 100, &[swap], &[]);
    assert_eq!(held(&settled, Rule::Fifo, "thief", "ETH"), (10, 10));
    assert_eq!(held(&settled, Rule::Fifo, "thief", "Y"), (30, 90));
}

#[test]
fn a_venue_that_refunds_part_itself_converts_the_rest() {
    let swap = thief()
        .moves("thief", "pair", "ETH", 100)
        .moves("pair", "thief", "ETH", 10)
        .moves("pair", "thief", "Y", 30)
        .runs(&["pair"]);
    let settled = after_theft_of("ETH", 100, &[swap], &[]);
    assert_eq!(held(&settled, Rule::Haircut, "thief", "ETH"), (10, 10));
    assert_eq!(held(&settled, Rule::Haircut, "thief", "Y"), (30, 90));
}

#[test]
fn a_swap_that_pays_somebody_else_is_a_conversion_and_a_payment() {
    let swap = thief()
        .moves("thief", "pair", "X", 100)
        .moves("pair", "router", "Y", 1_000)
        .moves("router", "friend", "Y", 990)
        .moves("router", "thief", "Y", 10)
        .runs(&["pair", "router"]);
    let settled = after_theft(swap, &[]);
    for rule in EACH.into_iter().filter(|rule| rule.conserves()) {
        assert_eq!(held(&settled, rule, "friend", "Y"), (990, 99), "{rule}");
        assert_eq!(held(&settled, rule, "thief", "Y"), (10, 1), "{rule}");
    }
}

#[test]
fn a_referrer_takes_its_part_of_the_claims() {
    let swap = thief()
        .moves("thief", "router", "X", 100)
        .moves("router", "referrer", "X", 5)
        .moves("router", "pair", "X", 95)
        .moves("pair", "thief", "Y", 19)
        .runs(&["pair", "router"]);
    let settled = after_theft(swap, &[]);
    assert_eq!(held(&settled, Rule::Fifo, "referrer", "X"), (5, 5));
    assert_eq!(held(&settled, Rule::Fifo, "thief", "Y"), (19, 95));
}

#[test]
fn several_coins_into_one_are_equal_parts_of_it_and_named() {
    let enter = thief()
        .moves("thief", "LP", "X", 100)
        .moves("thief", "LP", "Y", 3)
        .moves("LP", "thief", "LP", 40)
        .runs(&["LP"]);
    let leave = Tx::new(3, 0, "thief")
        .moves("thief", "LP", "LP", 40)
        .moves("LP", "thief", "X", 90)
        .moves("LP", "thief", "Y", 4)
        .runs(&["LP"]);
    let settled = after_theft_of(
        "X",
        100,
        std::slice::from_ref(&enter),
        &[("thief", "Y", 3), ("thief", "LP", 0)],
    );
    assert_eq!(held(&settled, Rule::Fifo, "thief", "LP"), (20, 100));
    assert_eq!(readings(&settled).len(), 1);
    let settled = after_theft_of(
        "X",
        100,
        &[enter, leave],
        &[("thief", "Y", 3), ("thief", "LP", 0)],
    );
    // X was the first half of the LP tokens, which the burn turns back into X first.
    assert_eq!(held(&settled, Rule::Fifo, "thief", "X"), (90, 100));
    assert_eq!(readings(&settled).len(), 2);
}

#[test]
fn several_coins_against_several_are_not_converted_but_named() {
    let swap = thief()
        .moves("thief", "vault", "X", 100)
        .moves("other", "vault", "Y", 5)
        .moves("vault", "thief", "Z", 5)
        .moves("vault", "other", "W", 5)
        .runs(&["vault"]);
    let settled = after_theft(swap, &[]);
    assert_eq!(held(&settled, Rule::Fifo, "vault", "X"), (100, 100));
    assert_eq!(readings(&settled).len(), 1);
}

#[test]
fn a_batch_auction_pays_each_order_where_its_trade_says() {
    let batch = Tx::new(2, 0, "solver")
        .moves("thief", "auction", "X", 100)
        .moves("honest", "auction", "Y", 50)
        .moves("auction", "friend", "Y", 50)
        .moves("auction", "honest", "X", 99)
        .runs(&["auction"])
        .trade("auction", "thief", ("X", 100), ("Y", 50))
        .trade("auction", "honest", ("Y", 50), ("X", 99));
    let settled = after_theft(batch, &[]);
    for rule in EACH {
        assert_eq!(held(&settled, rule, "friend", "Y"), (50, 100), "{rule}");
        assert_eq!(held(&settled, rule, "honest", "X"), (0, 0), "{rule}");
    }
    assert!(readings(&settled).is_empty());
}

#[test]
fn an_order_that_no_movement_fills_is_not_counted_but_named() {
    let batch = Tx::new(2, 0, "solver")
        .moves("thief", "auction", "X", 100)
        .moves("auction", "thief", "Y", 49)
        .runs(&["auction"])
        .trade("auction", "thief", ("X", 100), ("Y", 50));
    let settled = after_theft(batch, &[]);
    // The auction took one coin and gave one, so it is a venue as any other.
    assert_eq!(held(&settled, Rule::Fifo, "thief", "Y"), (49, 100));
    assert_eq!(readings(&settled).len(), 1);
}

#[test]
fn an_order_that_pays_its_owner_is_not_taken_by_another_of_the_same_size() {
    let batch = Tx::new(2, 0, "solver")
        .moves("thief", "auction", "X", 100)
        .moves("honest", "auction", "Z", 8)
        .moves("auction", "honest", "Y", 50)
        .moves("auction", "friend", "Y", 50)
        .runs(&["auction"])
        .trade("auction", "thief", ("X", 100), ("Y", 50))
        .trade("auction", "honest", ("Z", 8), ("Y", 50));
    let settled = after_theft(batch, &[]);
    assert_eq!(held(&settled, Rule::Fifo, "friend", "Y"), (50, 100));
    assert_eq!(held(&settled, Rule::Fifo, "honest", "Y"), (0, 0));
}

#[test]
fn two_principals_who_exchange_keep_their_claims() {
    let deal = thief()
        .moves("thief", "dealer", "X", 100)
        .moves("dealer", "thief", "Y", 40);
    let settled = after_theft(deal.clone(), &[("dealer", "X", 0)]);
    for rule in EACH {
        assert_eq!(held(&settled, rule, "thief", "Y"), (40, 100), "{rule}");
        assert_eq!(held(&settled, rule, "dealer", "X"), (0, 0), "{rule}");
    }
    // A third coin in the deal makes it a payment.
    let settled = after_theft(deal.moves("dealer", "thief", "Z", 1), &[("dealer", "X", 0)]);
    assert_eq!(held(&settled, Rule::Fifo, "dealer", "X"), (100, 100));
}

#[test]
fn a_pair_that_the_thief_deployed_converts_nothing() {
    let deploy = Tx::new(2, 0, "thief")
        .creates("thief", "factory")
        .creates("factory", "pair");
    let swap = Tx::new(3, 0, "thief")
        .moves("thief", "pair", "X", 100)
        .moves("pair", "thief", "JUNK", 1_000_000)
        .runs(&["pair"]);
    let settled = after_theft_of("X", 100, &[deploy.clone(), swap.clone()], &[]);
    assert_eq!(held(&settled, Rule::Fifo, "pair", "X"), (100, 100));
    assert_eq!(held(&settled, Rule::Fifo, "thief", "JUNK"), (0, 0));
    // Nor where the contract is followed, which makes it a principal like any dealer.
    let settled = after_theft_of("X", 100, &[deploy, swap.clone()], &[("pair", "X", 0)]);
    assert_eq!(held(&settled, Rule::Fifo, "pair", "X"), (100, 100));
    // A pair that somebody else's factory deployed converts.
    let deploy = Tx::new(2, 0, "thief").creates("factory", "pair");
    let settled = after_theft_of("X", 100, &[deploy, swap], &[]);
    assert_eq!(
        held(&settled, Rule::Fifo, "thief", "JUNK"),
        (1_000_000, 100)
    );
}

#[test]
fn a_trade_that_the_thiefs_own_contract_claims_is_not_believed() {
    let deploy = Tx::new(2, 0, "thief").creates("thief", "auction");
    let batch = Tx::new(3, 0, "thief")
        .moves("thief", "auction", "X", 100)
        .moves("auction", "thief", "Y", 1)
        .runs(&["auction"])
        .trade("auction", "thief", ("X", 100), ("Y", 1));
    let settled = after_theft_of("X", 100, &[deploy, batch], &[]);
    assert_eq!(held(&settled, Rule::Fifo, "auction", "X"), (100, 100));
}

#[test]
fn a_vault_and_a_mint_elsewhere_are_one_conversion_and_named() {
    let deposit = thief()
        .moves("thief", "vault", "X", 100)
        .moves("SHARE", "thief", "SHARE", 80)
        .runs(&["SHARE", "vault"]);
    let settled = after_theft(deposit, &[]);
    assert_eq!(held(&settled, Rule::Fifo, "thief", "SHARE"), (80, 100));
    assert_eq!(readings(&settled).len(), 1);
    // Paid to a person, it is a payment, whatever is minted.
    let payment = thief()
        .moves("thief", "friend", "X", 100)
        .moves("SHARE", "thief", "SHARE", 80)
        .runs(&["SHARE"]);
    let settled = after_theft(payment, &[]);
    assert_eq!(held(&settled, Rule::Fifo, "friend", "X"), (100, 100));
}

#[test]
fn a_flash_loan_passes_through_and_takes_no_taint_along() {
    // A loan without a fee: everybody waits for everybody.
    let arbitrage = thief()
        .moves("lender", "thief", "X", 1_000)
        .moves("thief", "pair", "X", 1_000)
        .moves("pair", "thief", "Y", 70)
        .moves("thief", "second", "Y", 70)
        .moves("second", "thief", "X", 1_010)
        .moves("thief", "lender", "X", 1_000)
        .runs(&["lender", "pair", "second"]);
    let settled = after_theft(arbitrage, &[]);
    for rule in EACH.into_iter().filter(|rule| *rule != Rule::Poison) {
        assert_eq!(held(&settled, rule, "thief", "X"), (100, 100), "{rule}");
        assert_eq!(held(&settled, rule, "lender", "X"), (0, 0), "{rule}");
    }
}

#[test]
fn an_account_that_gives_what_it_gets_later_passes_it_through() {
    let early = thief()
        .moves("desk", "friend", "X", 100)
        .moves("thief", "desk", "X", 100)
        .runs(&["desk"]);
    let settled = after_theft(early, &[]);
    assert_eq!(held(&settled, Rule::Fifo, "friend", "X"), (100, 100));
    // One that keeps some gave of its own.
    let own = thief()
        .moves("desk", "friend", "X", 90)
        .moves("thief", "desk", "X", 100)
        .runs(&["desk"]);
    let settled = after_theft(own, &[]);
    assert_eq!(held(&settled, Rule::Fifo, "friend", "X"), (0, 0));
    assert_eq!(held(&settled, Rule::Fifo, "desk", "X"), (100, 100));
}

#[test]
fn a_claim_without_a_unit_leaves_with_the_next_one() {
    // 100 stolen units and 900 clean ones become a single unit.
    let swap = thief()
        .moves("thief", "pair", "X", 1_000)
        .moves("pair", "thief", "Y", 1)
        .runs(&["pair"]);
    let spend = Tx::new(3, 0, "thief").moves("thief", "friend", "Y", 1);
    let theft = Tx::new(1, 0, "thief").moves("victim", "thief", "X", 100);
    let seeds = [theft.seed(0)];
    let known = facts(
        &[theft, swap, spend],
        &[("thief", "X", 900), ("thief", "Y", 0)],
    );
    let settled = settle(&known, &seeds, &Rule::ALL);
    for rule in EACH.into_iter().filter(|rule| rule.conserves()) {
        let (_, claim) = held(&settled, rule, "friend", "Y");
        assert_eq!(claim, 100, "{rule}");
    }
}
