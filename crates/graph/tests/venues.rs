//! Trails end at places that hold the value of many, on chains in memory of both families.
#![allow(
    missing_docs,
    dead_code,
    clippy::cast_possible_truncation,
    clippy::unwrap_used,
    reason = "a test of small numbers that shares the helpers of others"
)]

mod chain;
mod evm_chain;
mod ledgers;
mod stops;

use std::collections::BTreeMap;
use std::sync::Arc;

use alloy_primitives::Address;
use bitcoin::{Script, ScriptBuf, Txid};
use chain::{FakeChain, assert_balanced, plan, run, script, try_run, txid};
use evm_chain::{Accounts, Tx, account, coin};
use hansel_graph::{
    AccountEnding, AccountTrace, Category, Direction, Ending, FlowGraph, Plan, PoolIx, PoolKey,
    Rule, Trace, Venue, Venues,
};
use hansel_ledger::{Amount, Chain, EvmQuery, Query, Subject};
use proptest::prelude::*;
use stops::venue;

/// Places named by hand.
#[derive(Clone, Debug, Default)]
struct Named {
    scripts: BTreeMap<ScriptBuf, Category>,
    transactions: BTreeMap<Txid, Category>,
    accounts: BTreeMap<Address, Category>,
}

impl Named {
    fn output(mut self, name: &str, category: Category) -> Self {
        self.scripts.insert(script(name), category);
        self
    }

    fn transaction(mut self, name: &str, category: Category) -> Self {
        self.transactions.insert(txid(name), category);
        self
    }

    fn account(mut self, name: &str, category: Category) -> Self {
        self.accounts.insert(account(name), category);
        self
    }
}

impl Venues for Named {
    fn script(&self, _: &Chain, script: &Script) -> Option<Venue> {
        Some(venue(*self.scripts.get(script)?, "named"))
    }

    fn transaction(&self, _: &Chain, graph: &FlowGraph, pool: PoolIx) -> Option<Venue> {
        Some(venue(
            *self.transactions.get(&graph.pool(pool).txid)?,
            "mixer",
        ))
    }

    fn account(&self, _: &Chain, account: &Address) -> Option<Venue> {
        Some(venue(*self.accounts.get(account)?, "named"))
    }
}

fn with(outputs: &[&str], venues: Named) -> Plan {
    Plan {
        venues: Arc::new(venues),
        ..plan(outputs)
    }
}

fn sums(trace: &Trace, rule: Rule) -> BTreeMap<Category, u64> {
    let rows = trace.accounting().unwrap();
    let rows = rows.iter().filter(|row| row.rule == rule);
    let mut sums = BTreeMap::new();
    for row in rows {
        for category in Category::ALL {
            *sums.entry(category).or_default() += row.amount(category);
        }
    }
    sums.retain(|_, amount| *amount > 0);
    sums
}

fn stays_at(trace: &Trace, name: &str, category: Category, at: Option<&str>) {
    match chain::ending(trace, name) {
        Some(Ending::Venue { venue, at: found }) => {
            assert_eq!((venue.category, found), (category, at.map(txid)));
        }
        other => panic!("{name}: {other:?}"),
    }
}

/// 30 go to an exchange, which moves them on; 19 are mixed with the 100 of somebody else.
fn laundered() -> FakeChain {
    let mut chain = FakeChain::default();
    chain.mint("theft", 1, &[50]);
    chain.mint("other", 1, &[100]);
    chain.pay("hop", 2, &["theft:0"], &[30, 19]);
    chain.pay("sweep", 3, &["hop:0"], &[30]);
    chain.pay("mix", 3, &["hop:1", "other:0"], &[60, 59]);
    chain.pay("after", 4, &["mix:0"], &[60]);
    chain
}

#[test]
fn value_that_pays_an_exchange_is_counted_there_and_never_asked_about_again() {
    let chain = laundered();
    let venues = Named::default().output("hop:0", Category::Exchanges);
    let mut asked = Vec::new();
    let trace = try_run(with(&["theft:0"], venues), &chain, |wave| {
        asked.extend(wave.iter().cloned());
    })
    .unwrap();
    stays_at(&trace, "hop:0", Category::Exchanges, None);
    assert_eq!(sums(&trace, Rule::Fifo)[&Category::Exchanges], 30);
    for query in asked {
        match query {
            Query::Transaction { txid: asked, .. } => assert_ne!(asked, txid("sweep")),
            Query::Spends {
                txid: asked,
                outputs,
                ..
            } => {
                let exchange = |(vout, _): &(u32, ScriptBuf)| asked == txid("hop") && *vout == 0;
                assert!(!outputs.iter().any(exchange));
            }
            Query::Received { .. } | Query::Evm(_) => panic!("no address was named"),
        }
    }
    assert_balanced(&trace);
}

#[test]
fn value_that_enters_a_mix_is_counted_there_and_taints_none_of_its_outputs() {
    let chain = laundered();
    let venues = Named::default().transaction("mix", Category::Mixers);
    let trace = run(with(&["theft:0"], venues), &chain);
    stays_at(&trace, "hop:1", Category::Mixers, Some("mix"));
    for rule in Rule::ALL {
        assert_eq!(chain::tainted(&trace, rule, "mix:0"), 0, "{rule}");
        assert_eq!(chain::tainted(&trace, rule, "mix:1"), 0, "{rule}");
    }
    assert_eq!(sums(&trace, Rule::Haircut)[&Category::Mixers], 19);
    assert!(
        trace.graph().find(&txid("after")).is_none(),
        "nobody asked what came after the mix"
    );
    assert_balanced(&trace);
}

#[test]
fn a_place_that_nobody_knows_is_passed_through() {
    let trace = run(with(&["theft:0"], Named::default()), &laundered());
    assert_eq!(chain::ending(&trace, "hop:0"), Some(Ending::MovedOn));
    assert_eq!(chain::ending(&trace, "hop:1"), Some(Ending::MovedOn));
    assert_eq!(sums(&trace, Rule::Fifo).len(), 2, "at rest and fees");
}

#[test]
fn a_theft_from_an_exchange_is_followed_although_its_own_address_is_labelled() {
    let chain = laundered();
    let venues = Named::default()
        .output("theft:0", Category::Exchanges)
        .transaction("theft", Category::Mixers);
    let trace = run(with(&["theft:0"], venues), &chain);
    assert_eq!(chain::ending(&trace, "theft:0"), Some(Ending::MovedOn));
    assert!(!sums(&trace, Rule::Fifo).contains_key(&Category::Exchanges));
}

#[test]
fn a_theft_that_spends_an_earlier_theft_takes_it_in_although_it_is_labelled_a_mix() {
    let chain = laundered();
    let venues = Named::default().transaction("mix", Category::Mixers);
    let trace = run(with(&["theft:0", "mix:0"], venues), &chain);
    assert_eq!(chain::ending(&trace, "hop:1"), Some(Ending::MovedOn));
    assert_balanced(&trace);
}

#[test]
fn a_backward_trace_ends_where_an_exchange_or_a_mix_paid() {
    let mut chain = laundered();
    chain.pay("loot", 5, &["after:0", "sweep:0"], &[90]);
    let back = |venues| Plan {
        direction: Direction::Backward,
        ..with(&["loot:0"], venues)
    };
    let venues = Named::default()
        .output("sweep:0", Category::Exchanges)
        .transaction("mix", Category::Mixers);
    let trace = run(back(venues), &chain);
    stays_at(&trace, "sweep:0", Category::Exchanges, None);
    stays_at(&trace, "mix:0", Category::Mixers, Some("mix"));
    let sums = sums(&trace, Rule::Fifo);
    let expected = BTreeMap::from([(Category::Exchanges, 30), (Category::Mixers, 60)]);
    assert_eq!(sums, expected);
    assert_balanced(&trace);
}

fn accounts() -> Accounts {
    Accounts::of([
        Tx::new(10, "victim").pays("victim", "thief1", "tok", 100),
        Tx::new(20, "thief1").pays("thief1", "deposit", "tok", 60),
        Tx::new(25, "deposit").pays("deposit", "exchange", "tok", 60),
        Tx::new(30, "thief1").pays("thief1", "pool", "tok", 30),
        Tx::new(40, "exchange").pays("exchange", "customer", "tok", 60),
    ])
}

fn follow(chain: &Accounts, venues: Named) -> (AccountTrace, Vec<Query>) {
    let mut plan = chain.plan([Subject::EvmTransaction(evm_chain::hash(10))]);
    plan.venues = Arc::new(venues);
    evm_chain::traced(plan, chain)
}

fn account_ending(trace: &AccountTrace, name: &str) -> AccountEnding {
    let key = PoolKey {
        account: account(name),
        coin: coin("tok"),
    };
    let pool = trace.settlement().pools().find(|pool| pool.key == key);
    trace.ending(&pool.unwrap_or_else(|| panic!("{name} holds no taint")))
}

fn is_category(ending: &AccountEnding, category: Category) -> bool {
    matches!(ending, AccountEnding::Venue(venue) if venue.category == category)
}

#[test]
fn an_account_of_an_exchange_is_not_read_and_keeps_what_it_received() {
    let venues = Named::default()
        .account("exchange", Category::Exchanges)
        .account("pool", Category::Mixers);
    let (trace, asked) = follow(&accounts(), venues);
    let read: Vec<Address> = asked
        .iter()
        .filter_map(|query| match query {
            Query::Evm(EvmQuery::Account { address, .. }) => Some(*address),
            _ => None,
        })
        .collect();
    assert!(!read.contains(&account("exchange")) && !read.contains(&account("pool")));
    assert!(is_category(
        &account_ending(&trace, "exchange"),
        Category::Exchanges
    ));
    assert!(is_category(
        &account_ending(&trace, "pool"),
        Category::Mixers
    ));
    for row in trace.accounting().unwrap() {
        assert!(row.balances());
        assert_eq!(row.amount(Category::Exchanges), Amount::from(60));
        assert_eq!(row.amount(Category::Mixers), Amount::from(30));
        assert_eq!(row.amount(Category::AtRest), Amount::from(10));
    }
}

#[test]
fn a_label_says_more_than_that_an_account_is_a_contract_or_busy() {
    let chain = accounts().contract("pool").contract("exchange");
    let unlabelled = follow(&chain, Named::default()).0;
    assert_eq!(account_ending(&unlabelled, "pool"), AccountEnding::Contract);
    let labelled = follow(&chain, Named::default().account("pool", Category::Bridges)).0;
    assert!(is_category(
        &account_ending(&labelled, "pool"),
        Category::Bridges
    ));
}

#[test]
fn an_account_that_was_paid_the_loot_is_followed_although_it_is_labelled() {
    let venues = Named::default().account("thief1", Category::Exchanges);
    let (trace, _) = follow(&accounts(), venues);
    assert_eq!(account_ending(&trace, "thief1"), AccountEnding::AtRest);
    assert_eq!(account_ending(&trace, "customer"), AccountEnding::AtRest);
}

const NAMES: [&str; 6] = ["a", "b", "c", "d", "e", "f"];

fn random_accounts(dice: &mut ledgers::Dice) -> Accounts {
    let mut transactions = vec![Tx::new(10, "victim").pays("victim", "a", "tok", 1_000)];
    for height in 11..40 {
        let pick = |dice: &mut ledgers::Dice| NAMES[dice.roll(6) as usize];
        let (from, to, coin) = (
            pick(dice),
            pick(dice),
            ["tok", "eth"][dice.roll(2) as usize],
        );
        if from != to {
            let amount = 1 + dice.roll(400);
            transactions.push(Tx::new(height, from).pays(from, to, coin, amount));
        }
    }
    Accounts::of(transactions)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn every_stolen_unit_is_counted_once_wherever_accounts_are_labelled(number: u64) {
        let mut dice = ledgers::Dice(number);
        let chain = random_accounts(&mut dice);
        let mut venues = Named::default();
        for name in NAMES {
            if dice.roll(3) == 0 {
                let category = [Category::Exchanges, Category::Mixers][dice.roll(2) as usize];
                venues = venues.account(name, category);
            }
        }
        let labelled = venues.accounts.clone();
        let (trace, asked) = follow(&chain, venues);
        for row in trace.accounting().unwrap() {
            prop_assert!(row.balances(), "{:?}", row);
        }
        for query in asked {
            if let Query::Evm(EvmQuery::Account { address, .. }) = query {
                prop_assert!(address == account("a") || !labelled.contains_key(&address));
            }
        }
    }
}
