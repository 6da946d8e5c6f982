//! Value that leaves a chain through a bridge, and value that comes from one and is stolen only in part.
#![allow(
    dead_code,
    missing_docs,
    clippy::cast_possible_truncation,
    clippy::unwrap_used,
    reason = "a test of small numbers that uses its part of the chains"
)]

mod chain;
mod evm_chain;
mod ledgers;

use chain::{FakeChain, assert_balanced, ending, out, plan, plan_of, resolve, tainted};
use evm_chain::{Accounts, Tx, account, coin, hash};
use hansel_graph::{
    AccountEnding, AccountInflow, AccountTrace, Category, Ending, Inflow, Parts, PoolKey, Rule,
    Trace,
};
use hansel_ledger::{Amount, Origin, Subject};

const REASON: &str = "to elsewhere";

fn parts(of: &[(Rule, u64)]) -> Parts {
    let part = |(rule, amount): &(Rule, u64)| (*rule, Amount::from(*amount));
    of.iter().map(part).collect()
}

/// Runs a trace; after each wave the outputs named are closed, once they are known.
fn run(mut trace: Trace, chain: &FakeChain, closed: &[&str]) -> Trace {
    loop {
        let wave = trace.next_wave().unwrap();
        if wave.is_empty() {
            return trace;
        }
        for query in &wave {
            resolve(&mut trace, chain, query).unwrap();
        }
        for name in closed {
            trace.close(&out(name), REASON.into());
        }
    }
}

/// A theft of 100 of which 60 go to a vault, which pays them out with others' value.
fn vault() -> FakeChain {
    let mut chain = FakeChain::default();
    chain.mint("theft", 1, &[100]);
    chain.mint("other", 1, &[50]);
    chain.pay("deposit", 2, &["theft:0"], &[60, 39]);
    chain.pay("payout", 3, &["deposit:0", "other:0"], &[70, 40]);
    chain
}

#[test]
fn what_enters_a_bridge_stops_there_whatever_the_bridge_does_with_it() {
    let trace = run(Trace::new(plan(&["theft:0"])), &vault(), &["deposit:0"]);
    let reason = REASON.to_owned();
    assert_eq!(ending(&trace, "deposit:0"), Some(Ending::Bridge { reason }));
    assert_eq!(ending(&trace, "deposit:1"), Some(Ending::AtRest));
    assert_eq!(trace.visits(), 2, "the payout is not asked for");
    for row in trace.accounting().unwrap() {
        assert_eq!(row.amount(Category::Bridges), 60);
    }
    assert_balanced(&trace);
}

#[test]
fn an_output_that_a_bridge_paid_is_stolen_in_part_and_by_rule_even_where_it_spends_the_deposit() {
    let inflow = Inflow {
        outpoint: out("payout:1"),
        parts: parts(&[(Rule::Fifo, 30), (Rule::Haircut, 7)]),
    };
    let trace = Trace::with_inflows(plan(&["theft:0"]), vec![inflow]);
    let trace = run(trace, &vault(), &["deposit:0"]);
    let seed = trace.inflow_seeds()[0].unwrap();
    assert_eq!(seed.id(), "s2");
    for (rule, stolen) in [(Rule::Fifo, 30), (Rule::Haircut, 7), (Rule::Lifo, 0)] {
        assert_eq!(tainted(&trace, rule, "payout:1"), stolen, "{rule}");
        assert_eq!(tainted(&trace, rule, "payout:0"), 0, "{rule}");
    }
    assert_balanced(&trace);
}

#[test]
fn an_output_of_which_a_part_is_stolen_gives_its_first_units_first() {
    let mut chain = FakeChain::default();
    chain.mint("payout", 1, &[100]);
    chain.pay("spend", 2, &["payout:0"], &[40, 60]);
    let inflow = Inflow {
        outpoint: out("payout:0"),
        parts: parts(&[(Rule::Fifo, 50), (Rule::Haircut, 50)]),
    };
    let subjects: [Subject; 0] = [];
    let trace = run(
        Trace::with_inflows(plan_of(subjects), vec![inflow]),
        &chain,
        &[],
    );
    assert_eq!(tainted(&trace, Rule::Fifo, "spend:0"), 40);
    assert_eq!(tainted(&trace, Rule::Fifo, "spend:1"), 10);
    assert_eq!(tainted(&trace, Rule::Haircut, "spend:0"), 20);
    assert_eq!(tainted(&trace, Rule::Haircut, "spend:1"), 30);
    assert_balanced(&trace);
}

#[test]
fn an_output_that_is_a_seed_anyway_does_not_become_another() {
    let inflow = Inflow {
        outpoint: out("theft:0"),
        parts: parts(&[(Rule::Fifo, 30)]),
    };
    let trace = Trace::with_inflows(plan(&["theft:0"]), vec![inflow]);
    let trace = run(trace, &vault(), &[]);
    assert_eq!(trace.inflow_seeds(), [None]);
    assert_eq!(tainted(&trace, Rule::Fifo, "theft:0"), 100);
}

fn pool(name: &str) -> PoolKey {
    PoolKey {
        account: account(name),
        coin: coin("tok"),
    }
}

fn run_accounts(mut trace: AccountTrace, chain: &Accounts, closed: &[&str]) -> AccountTrace {
    for name in closed {
        trace.close(pool(name), REASON.into());
    }
    loop {
        let wave = trace.next_wave().unwrap();
        if wave.is_empty() {
            return trace;
        }
        for query in wave {
            trace.resolve(&query, chain.answer(&query)).unwrap();
        }
    }
}

fn accounts() -> Accounts {
    Accounts::of([
        Tx::new(10, "victim").pays("victim", "thief", "tok", 100),
        Tx::new(20, "thief").pays("thief", "vault", "tok", 60),
        Tx::new(30, "vault").pays("vault", "exit", "tok", 50),
        Tx::new(40, "exit").pays("exit", "end", "tok", 30),
    ])
}

#[test]
fn an_account_of_a_bridge_is_not_read_and_what_it_pays_out_is_stolen_by_rule_and_part() {
    let inflow = AccountInflow {
        hash: hash(30),
        origin: Origin::Log(0),
        parts: parts(&[(Rule::Fifo, 20), (Rule::Haircut, 25)]),
    };
    let plan = accounts().plan([Subject::EvmTransaction(hash(10))]);
    let trace = AccountTrace::with_inflows(plan, vec![inflow]).unwrap();
    let trace = run_accounts(trace, &accounts(), &["vault"]);
    assert_eq!(trace.inflow_seeds()[0].unwrap().id(), "s2");
    let left = |name: &str, rule| {
        let found = trace.settlement().pools().find(|one| one.key == pool(name));
        let parcels = found.unwrap().residual(rule).unwrap();
        Amount::checked_sum(parcels.iter().map(|parcel| parcel.amount)).unwrap()
    };
    assert_eq!(left("end", Rule::Fifo), Amount::from(20));
    assert_eq!(left("end", Rule::Haircut), Amount::from(15));
    assert_eq!(left("exit", Rule::Haircut), Amount::from(10));
    assert_eq!(left("vault", Rule::Fifo), Amount::from(60));
    for row in trace.accounting().unwrap() {
        assert!(row.balances(), "{row:?}");
        let in_bridge = if row.seed.id() == "s1" { 60 } else { 0 };
        assert_eq!(row.amount(Category::Bridges), Amount::from(in_bridge));
    }
    let vault = trace
        .settlement()
        .pools()
        .find(|one| one.key == pool("vault"));
    let reason = REASON.to_owned();
    assert_eq!(
        trace.ending(&vault.unwrap()),
        AccountEnding::Bridge { reason }
    );
}

#[test]
fn a_movement_that_is_a_seed_anyway_does_not_become_another() {
    let plan = accounts().plan([Subject::EvmTransaction(hash(10))]);
    let inflow = |number| AccountInflow {
        hash: hash(number),
        origin: Origin::Log(0),
        parts: parts(&[(Rule::Fifo, 1)]),
    };
    let inflows = vec![inflow(10), inflow(30), inflow(30), inflow(999)];
    let trace = AccountTrace::with_inflows(plan, inflows).unwrap();
    let trace = run_accounts(trace, &accounts(), &[]);
    let seeds: Vec<_> = trace.inflow_seeds();
    assert_eq!(seeds.iter().flatten().count(), 1);
    assert!(seeds[1].is_some());
}
