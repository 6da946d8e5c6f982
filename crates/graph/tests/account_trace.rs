//! Traces on an EVM chain: what is asked, where trails end, and that every unit is accounted for.

#![expect(
    clippy::unwrap_used,
    reason = "a scripted chain that does not answer is a broken test"
)]

mod evm_chain;

use evm_chain::{Accounts, Tx, account, coin, hash, made_by, traced};
use hansel_graph::{
    AccountEnding, AccountPlan, AccountTrace, Accounting, Category, Limits, PoolKey, Rule,
};
use hansel_ledger::{Amount, Coin, EvmQuery, Gap, Query, Subject};

/// A theft of 100 that thief1 splits: 60 to thief2, who keeps them, and 30 to thief3, who pays 30 on.
fn split() -> Accounts {
    Accounts::of([
        Tx::new(10, "victim").pays("victim", "thief1", "tok", 100),
        Tx::new(20, "thief1").pays("thief1", "thief2", "tok", 60),
        Tx::new(30, "thief1").pays("thief1", "thief3", "tok", 30),
        Tx::new(40, "thief3").pays("thief3", "thief4", "tok", 30),
    ])
}

fn theft() -> [Subject; 1] {
    [Subject::EvmTransaction(hash(10))]
}

fn ending(trace: &AccountTrace, name: &str, coin_name: &str) -> AccountEnding {
    let key = PoolKey {
        account: account(name),
        coin: coin(coin_name),
    };
    let pool = trace.settlement().pools().find(|pool| pool.key == key);
    trace.ending(&pool.unwrap_or_else(|| panic!("{name} holds no tainted {coin_name}")))
}

fn held(trace: &AccountTrace, name: &str, rule: Rule) -> Amount {
    let of_account = trace
        .settlement()
        .pools()
        .filter(|pool| pool.key.account == account(name));
    let left = of_account.flat_map(|pool| pool.residual(rule).unwrap());
    Amount::checked_sum(left.map(|parcel| parcel.claim)).unwrap()
}

fn balanced(trace: &AccountTrace) -> Vec<Accounting<Amount>> {
    let rows = trace.accounting().unwrap();
    assert!(!rows.is_empty());
    for row in &rows {
        assert!(row.balances(), "{row:?}");
    }
    rows
}

#[test]
fn stolen_tokens_are_followed_to_where_they_rest() {
    let chain = split();
    let (trace, asked) = traced(chain.plan(theft()), &chain);
    assert_eq!(asked.len(), 1 + 4, "the theft and four accounts");
    for (name, amount) in [
        ("thief1", 10),
        ("thief2", 60),
        ("thief3", 0),
        ("thief4", 30),
    ] {
        for rule in [Rule::Fifo, Rule::Haircut] {
            assert_eq!(held(&trace, name, rule), Amount::from(amount), "{name}");
        }
    }
    for name in ["thief1", "thief2", "thief4"] {
        assert_eq!(ending(&trace, name, "tok"), AccountEnding::AtRest);
    }
    for row in balanced(&trace) {
        assert_eq!(row.stolen, Amount::from(100));
        assert_eq!(row.amount(Category::AtRest), Amount::from(100));
    }
}

#[test]
fn gas_is_paid_from_the_stolen_ether_and_counted() {
    let chain = Accounts::of([
        Tx::new(10, "victim").pays("victim", "thief1", "eth", 100),
        Tx::new(20, "thief1")
            .pays("thief1", "thief2", "eth", 90)
            .fee(4),
    ]);
    let (trace, _) = traced(chain.plan(theft()), &chain);
    for row in balanced(&trace) {
        assert_eq!(row.amount(Category::Fees), Amount::from(4));
        assert_eq!(row.amount(Category::AtRest), Amount::from(96));
    }
}

#[test]
fn what_was_there_before_the_theft_is_clean() {
    let chain = Accounts::of([
        Tx::new(10, "victim").pays("victim", "thief1", "tok", 100),
        Tx::new(20, "thief1").pays("thief1", "thief2", "tok", 50),
    ])
    .opening("thief1", "tok", 100);
    let (trace, _) = traced(chain.plan(theft()), &chain);
    assert_eq!(held(&trace, "thief1", Rule::Fifo), Amount::from(100));
    assert_eq!(held(&trace, "thief2", Rule::Haircut), Amount::from(25));
    balanced(&trace);
}

#[test]
fn an_address_counts_what_it_received_in_its_window() {
    let chain = split();
    let mut plan = chain.plan([Subject::Account(account("thief1"))]);
    let (trace, _) = traced(plan.clone(), &chain);
    assert_eq!(trace.seeds().len(), 1);
    balanced(&trace);
    plan.subjects[0].since = 11;
    let (trace, _) = traced(plan, &chain);
    assert!(trace.seeds().is_empty());
}

#[test]
fn tokens_that_nobody_vouches_for_are_named_and_not_counted() {
    let mut chain = Accounts::of([
        Tx::new(10, "victim").pays("victim", "thief1", "tok", 100),
        Tx::new(11, "spammer").pays("spammer", "thief1", "fake", 7_777),
    ]);
    chain.known_tokens = vec!["tok"];
    let mut plan = chain.plan([Subject::Account(account("thief1"))]);
    let (trace, _) = traced(plan.clone(), &chain);
    assert_eq!(trace.seeds().len(), 1);
    let gaps = trace.subject_gaps();
    let [(_, Gap::TokensNotCounted { tokens })] = &*gaps else {
        panic!("{gaps:?}");
    };
    assert!(tokens.contains("7777"), "{tokens}");
    plan.coins.insert(coin("fake"));
    let (trace, _) = traced(plan, &chain);
    assert_eq!(trace.seeds().len(), 2);
    assert!(trace.subject_gaps().is_empty());
}

#[test]
fn dust_on_a_named_address_does_not_widen_the_trace() {
    let chain = Accounts::of([
        Tx::new(10, "victim").pays("victim", "thief1", "tok", 10_000),
        Tx::new(11, "spammer").pays("spammer", "thief1", "tok", 1),
        Tx::new(20, "thief1").pays("thief1", "thief2", "tok", 9_999),
        Tx::new(30, "thief1").pays("thief1", "shop", "tok", 2),
    ]);
    let mut plan = chain.plan([Subject::Account(account("thief1"))]);
    plan.limits.min_share = "0.01".parse().unwrap();
    let (trace, _) = traced(plan, &chain);
    assert_eq!(trace.seeds().len(), 2, "the dust is counted all the same");
    assert_eq!(ending(&trace, "shop", "tok"), AccountEnding::BelowThreshold);
    assert_eq!(ending(&trace, "thief2", "tok"), AccountEnding::AtRest);
    balanced(&trace);
}

#[test]
fn a_named_movement_is_the_only_seed() {
    let chain = Accounts::of([Tx::new(10, "victim")
        .pays("victim", "thief1", "tok", 100)
        .pays("victim", "friend", "tok", 5)]);
    let origin = hansel_ledger::Origin::Log(0);
    let hash = hash(10);
    let subject = Subject::EvmMovement { hash, origin };
    let (trace, _) = traced(chain.plan([subject]), &chain);
    assert_eq!(trace.seeds().len(), 1);
    assert_eq!(trace.seeds()[0].to, account("thief1"));
    balanced(&trace);
}

#[test]
fn a_movement_that_does_not_exist_is_named() {
    let chain = split();
    let origin = hansel_ledger::Origin::Log(99);
    let hash = hash(10);
    let (trace, _) = traced(chain.plan([Subject::EvmMovement { hash, origin }]), &chain);
    assert!(trace.seeds().is_empty());
    assert_eq!(trace.subject_gaps().len(), 1);
}

#[test]
fn a_hub_is_not_followed_and_its_quiet_look_alike_is() {
    let mut transactions = vec![
        Tx::new(10, "victim").pays("victim", "thief1", "tok", 100),
        Tx::new(20, "thief1").pays("thief1", "exchange", "tok", 100),
    ];
    for number in 30..40 {
        transactions.push(Tx::new(number, "customer").pays("customer", "exchange", "tok", 1));
    }
    let chain = Accounts::of(transactions);
    let plan = |bound| AccountPlan {
        bound,
        ..chain.plan(theft())
    };
    let (trace, _) = traced(plan(5), &chain);
    assert_eq!(
        ending(&trace, "exchange", "tok"),
        AccountEnding::Hub { bound: 5 }
    );
    assert_eq!(
        balanced(&trace)[0].amount(Category::Hubs),
        Amount::from(100)
    );
    let (trace, _) = traced(plan(50), &chain);
    assert_eq!(ending(&trace, "exchange", "tok"), AccountEnding::AtRest);
}

/// The thief pays a contract, which pays 40 to others later.
fn vault(tx: Tx) -> Accounts {
    Accounts::of([
        Tx::new(10, "victim").pays("victim", "thief1", "tok", 100),
        tx,
        Tx::new(20, "thief1")
            .pays("thief1", "vault", "tok", 99)
            .runs(&["vault"]),
        Tx::new(30, "owner")
            .pays("vault", "owner", "tok", 40)
            .runs(&["vault"]),
    ])
    .contract("vault")
}

#[test]
fn a_contract_of_others_ends_the_trail_unless_the_user_says_otherwise() {
    let chain = vault(
        Tx::new(15, "stranger")
            .creates("stranger", "vault")
            .pays("thief1", "vault", "tok", 1),
    );
    let (trace, asked) = traced(chain.plan(theft()), &chain);
    assert_eq!(ending(&trace, "vault", "tok"), AccountEnding::Contract);
    assert_eq!(
        balanced(&trace)[0].amount(Category::Services),
        Amount::from(100)
    );
    let probes = asked.iter().filter(|query| {
        matches!(query, Query::Evm(EvmQuery::Account { address, bound: 0, .. }) if *address == account("vault"))
    });
    assert_eq!(probes.count(), 1, "its nature costs one question");

    let mut plan = chain.plan(theft());
    plan.through.insert(account("vault"));
    let (trace, _) = traced(plan, &chain);
    assert_eq!(held(&trace, "owner", Rule::Fifo), Amount::from(40));
    balanced(&trace);
}

#[test]
fn a_contract_of_the_thief_is_followed_like_an_account() {
    let chain = vault(
        Tx::new(15, "thief1")
            .creates("thief1", "vault")
            .pays("thief1", "vault", "tok", 1),
    );
    let (trace, _) = traced(chain.plan(theft()), &chain);
    assert_eq!(held(&trace, "owner", Rule::Fifo), Amount::from(40));
    assert_eq!(ending(&trace, "vault", "tok"), AccountEnding::AtRest);
    balanced(&trace);
}

#[test]
fn a_contract_whose_address_tells_that_the_thief_made_it_is_the_thiefs() {
    let made = made_by("thief1", 3);
    let chain = |vault: alloy_primitives::Address| {
        Accounts::of([
            Tx::new(10, "victim").pays("victim", "thief1", "tok", 100),
            Tx::new(20, "thief1").pays_at(account("thief1"), vault, "tok", 100),
            Tx::new(30, "thief1").pays_at(vault, account("owner"), "tok", 40),
        ])
        .contract_at(vault)
    };
    let (own, foreign) = (chain(made), chain(account("vault")));
    let (trace, _) = traced(own.plan(theft()), &own);
    assert_eq!(held(&trace, "owner", Rule::Fifo), Amount::from(40));
    balanced(&trace);
    let (trace, _) = traced(foreign.plan(theft()), &foreign);
    assert_eq!(held(&trace, "owner", Rule::Fifo), Amount::ZERO);
    balanced(&trace);
}

#[test]
fn destroyed_tokens_are_burned() {
    let chain = Accounts::of([
        Tx::new(10, "victim").pays("victim", "thief1", "tok", 100),
        Tx::new(20, "thief1").pays("thief1", "tok", "tok", 30),
    ]);
    let (trace, _) = traced(chain.plan(theft()), &chain);
    assert_eq!(
        balanced(&trace)[0].amount(Category::Burned),
        Amount::from(30)
    );
}

#[test]
fn limits_leave_the_rest_on_the_frontier() {
    let chain = split();
    let limited = |limits| {
        let plan = AccountPlan {
            limits,
            ..chain.plan(theft())
        };
        traced(plan, &chain).0
    };
    let hops = limited(Limits {
        hops: Some(1),
        ..Limits::NONE
    });
    let limit = AccountEnding::Limit { limit: "hops" };
    assert_eq!(ending(&hops, "thief4", "tok"), limit);
    let nodes = limited(Limits {
        max_nodes: Some(2),
        ..Limits::NONE
    });
    assert_eq!(nodes.visits(), 2);
    assert_eq!(
        ending(&nodes, "thief2", "tok"),
        AccountEnding::AtRest,
        "the larger one first"
    );
    let limit = AccountEnding::Limit { limit: "nodes" };
    assert_eq!(ending(&nodes, "thief3", "tok"), limit);
    let requests = limited(Limits {
        max_requests: Some(3),
        ..Limits::NONE
    });
    assert_eq!(requests.questions(), 3);
    let share = limited(Limits {
        min_share: "0.5".parse().unwrap(),
        ..Limits::NONE
    });
    assert_eq!(
        ending(&share, "thief3", "tok"),
        AccountEnding::BelowThreshold
    );
    for trace in [hops, nodes, requests, share] {
        balanced(&trace);
    }
}

#[test]
fn an_account_that_cannot_be_read_is_a_gap() {
    let mut chain = split();
    chain.unreadable.insert(account("thief3"));
    let (trace, _) = traced(chain.plan(theft()), &chain);
    let ending = ending(&trace, "thief3", "tok");
    assert!(matches!(ending, AccountEnding::Failed { .. }), "{ending:?}");
    assert_eq!(
        balanced(&trace)[0].amount(Category::Frontier),
        Amount::from(30)
    );
}

#[test]
fn an_interrupted_trace_balances() {
    let chain = split();
    let mut trace = AccountTrace::new(chain.plan(theft())).unwrap();
    for _ in 0..2 {
        for query in trace.next_wave().unwrap() {
            trace.resolve(&query, chain.answer(&query)).unwrap();
        }
    }
    trace.finish().unwrap();
    assert!(trace.next_wave().unwrap().is_empty());
    balanced(&trace);
}

#[test]
fn taint_that_turns_out_to_be_older_reads_the_blocks_before() {
    // thief2 receives late from thief1, and early by way of thief3, which is found out only afterwards.
    let chain = Accounts::of([
        Tx::new(10, "victim").pays("victim", "thief1", "tok", 100),
        Tx::new(12, "thief1").pays("thief1", "thief3", "tok", 10),
        Tx::new(14, "thief3").pays("thief3", "thief2", "tok", 10),
        Tx::new(16, "thief2").pays("thief2", "thief4", "tok", 5),
        Tx::new(20, "thief1").pays("thief1", "thief2", "tok", 90),
    ]);
    let (trace, asked) = traced(chain.plan(theft()), &chain);
    let of_thief2: Vec<_> = asked
        .iter()
        .filter_map(|query| match query {
            Query::Evm(EvmQuery::Account {
                address,
                since,
                until,
                ..
            }) if *address == account("thief2") => Some((*since, *until)),
            _ => None,
        })
        .collect();
    assert_eq!(of_thief2, [(20, 1_000), (14, 19)]);
    assert_eq!(held(&trace, "thief4", Rule::Fifo), Amount::from(5));
    balanced(&trace);
}

#[test]
fn an_answer_about_other_blocks_is_not_believed() {
    let chain = split();
    let mut trace = AccountTrace::new(chain.plan(theft())).unwrap();
    for query in trace.next_wave().unwrap() {
        trace.resolve(&query, chain.answer(&query)).unwrap();
    }
    let wave = trace.next_wave().unwrap();
    let [
        Query::Evm(EvmQuery::Account {
            address,
            coin,
            since,
            until,
            bound,
        }),
    ] = &*wave
    else {
        panic!("{wave:?}");
    };
    let earlier = Query::Evm(EvmQuery::Account {
        address: *address,
        coin: *coin,
        since: since - 1,
        until: *until,
        bound: *bound,
    });
    trace.resolve(&wave[0], chain.answer(&earlier)).unwrap();
    assert!(trace.next_wave().unwrap().is_empty());
    let ending = ending(&trace, "thief1", "tok");
    assert!(matches!(ending, AccountEnding::Failed { .. }), "{ending:?}");
}
#[test]
fn a_swap_keeps_the_claims_in_what_was_stolen() {
    let chain = Accounts::of([
        Tx::new(10, "victim").pays("victim", "thief1", "tok", 100),
        Tx::new(20, "thief1")
            .pays("thief1", "pair", "tok", 100)
            .pays("pair", "thief1", "eth", 7_000)
            .runs(&["pair"]),
        Tx::new(30, "thief1").pays("thief1", "thief2", "eth", 3_500),
    ])
    .contract("pair");
    let (trace, _) = traced(chain.plan(theft()), &chain);
    assert_eq!(held(&trace, "thief2", Rule::Fifo), Amount::from(50));
    assert_eq!(held(&trace, "thief1", Rule::Haircut), Amount::from(50));
    let converted = trace
        .settlement()
        .pools()
        .find(|pool| pool.key.account == account("thief2") && pool.key.coin == Coin::Native);
    assert!(converted.is_some());
    balanced(&trace);
}
