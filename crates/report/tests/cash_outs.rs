//! The table of cash-outs against traces of both families: who is asked about which deposit, and that it adds up.
#![allow(
    missing_docs,
    dead_code,
    clippy::cast_possible_truncation,
    clippy::unwrap_used,
    reason = "a test of small numbers that shares the helpers of others"
)]

#[path = "../../graph/tests/chain/mod.rs"]
mod chain;
#[path = "../../graph/tests/evm_chain/mod.rs"]
mod evm_chain;
#[path = "../../graph/tests/ledgers/mod.rs"]
mod ledgers;
#[path = "../../graph/tests/stops/mod.rs"]
mod stops;

use std::collections::BTreeSet;
use std::sync::Arc;

use alloy_primitives::Address;
use bitcoin::hashes::Hash;
use bitcoin::{OutPoint, Script, ScriptBuf, WPubkeyHash};
use chain::{FakeChain, plan, plan_of, run};
use evm_chain::{Accounts, Tx, account, traced};
use hansel_graph::{Category, Limits, Plan, Rule, Venue, Venues};
use hansel_heuristics::{Label, Labels, NoLabels};
use hansel_ledger::{Amount, Chain, Subject};
use hansel_report::model::{CashOut, Confidence};
use hansel_report::{Format, Heading, Report, annotate, build, build_accounts, render};
use ledgers::Dice;
use stops::{Scattered, venue};

/// An exchange of these addresses.
#[derive(Clone, Debug, Default)]
struct Exchange {
    scripts: BTreeSet<ScriptBuf>,
    accounts: BTreeSet<Address>,
}

impl Venues for Exchange {
    fn script(&self, _: &Chain, script: &Script) -> Option<Venue> {
        let known = self.scripts.contains(script);
        known.then(|| venue(Category::Exchanges, "binance"))
    }

    fn account(&self, _: &Chain, account: &Address) -> Option<Venue> {
        let known = self.accounts.contains(account);
        known.then(|| venue(Category::Exchanges, "binance"))
    }
}

fn wallet(name: &str) -> ScriptBuf {
    ScriptBuf::new_p2wpkh(&WPubkeyHash::hash(name.as_bytes()))
}

fn address(name: &str) -> String {
    let script = wallet(name);
    bitcoin::Address::from_script(&script, bitcoin::Network::Bitcoin)
        .unwrap()
        .to_string()
}

/// A payment whose outputs pay named wallets.
fn pay(chain: &mut FakeChain, name: &str, height: u64, inputs: &[&str], outputs: &[(&str, u64)]) {
    let values: Vec<u64> = outputs.iter().map(|(_, value)| *value).collect();
    chain.pay(name, height, inputs, &values);
    let statement = chain.statement(name);
    for (output, (to, _)) in statement.outputs.iter_mut().zip(outputs) {
        output.script = wallet(to);
    }
}

fn told(chain: &FakeChain) -> Report {
    let exchange = Exchange {
        scripts: [wallet("hot")].into(),
        ..Exchange::default()
    };
    let plan = Plan {
        venues: Arc::new(exchange),
        ..plan(&["theft:0"])
    };
    build(&run(plan, chain), Heading::default()).unwrap().report
}

/// The thief pays a customer's address, which the exchange empties together with that of another customer.
fn deposited() -> FakeChain {
    let mut chain = FakeChain::default();
    pay(&mut chain, "theft", 1, &[], &[("thief", 50)]);
    pay(&mut chain, "other", 1, &[], &[("customer", 100)]);
    pay(
        &mut chain,
        "payment",
        2,
        &["theft:0"],
        &[("deposit", 30), ("purse", 20)],
    );
    pay(
        &mut chain,
        "sweep",
        3,
        &["payment:0", "other:0"],
        &[("hot", 129)],
    );
    chain
}

fn amounts(rows: &[CashOut], rule: Rule) -> Amount {
    Amount::checked_sum(rows.iter().map(|row| row.tainted[&rule])).unwrap()
}

#[test]
fn a_deposit_that_the_exchange_swept_is_told_by_the_customers_address() {
    let report = told(&deposited());
    let [row] = &*report.cash_outs else {
        panic!("{:#?}", report.cash_outs)
    };
    assert_eq!(
        (&*row.entity, &*row.category, &*row.deposit_address),
        ("binance", "exchange", &*address("deposit"))
    );
    assert_eq!(row.service_address, Some(address("hot")));
    assert_eq!(row.tx, chain::txid("payment").to_string());
    assert_eq!(row.service_tx, Some(chain::txid("sweep").to_string()));
    assert_eq!(row.amount, Amount::from(30));
    assert_eq!(row.confidence, Confidence::Weak);
    assert_eq!(row.tainted[&Rule::Fifo], report.accounting[0].exchanges);
}

#[test]
fn a_thief_who_keeps_change_pays_the_exchange_himself() {
    let mut chain = FakeChain::default();
    pay(&mut chain, "theft", 1, &[], &[("thief", 50)]);
    pay(&mut chain, "hop", 2, &["theft:0"], &[("purse", 49)]);
    pay(
        &mut chain,
        "payment",
        3,
        &["hop:0"],
        &[("hot", 30), ("purse", 18)],
    );
    let report = told(&chain);
    let [row] = &*report.cash_outs else {
        panic!("{:#?}", report.cash_outs)
    };
    assert_eq!(row.deposit_address, address("hot"));
    assert_eq!((&row.service_address, &row.service_tx), (&None, &None));
    assert_eq!(row.tx, chain::txid("payment").to_string());
}

#[test]
fn the_address_that_was_paid_the_loot_is_never_called_a_customers() {
    let mut chain = FakeChain::default();
    pay(&mut chain, "theft", 1, &[], &[("thief", 50)]);
    pay(&mut chain, "payment", 2, &["theft:0"], &[("hot", 49)]);
    let report = told(&chain);
    assert_eq!(report.cash_outs[0].deposit_address, address("hot"));
}

#[test]
fn what_came_last_stands_first() {
    let mut chain = deposited();
    pay(
        &mut chain,
        "later",
        9,
        &["payment:1"],
        &[("hot", 5), ("purse", 15)],
    );
    let report = told(&chain);
    let times: Vec<_> = report.cash_outs.iter().map(|row| row.time).collect();
    assert_eq!(times.len(), 2);
    assert!(times[0] > times[1]);
    let csv = render(&report, Format::CashOutCsv).unwrap();
    let csv = String::from_utf8(csv[0].bytes.clone()).unwrap();
    let lines: Vec<&str> = csv.split("\r\n").collect();
    assert!(lines[0].starts_with("time,entity,category,chain,deposit_address,tx,service_address"));
    assert!(lines[1].contains(&address("hot")) && lines[2].contains(&address("deposit")));
    assert_eq!(lines.len(), 4, "{csv}");
}

#[test]
fn a_spreadsheet_runs_nothing_that_a_label_says() {
    let mut report = told(&deposited());
    report.cash_outs[0].entity = "=HYPERLINK(\"http://a\")".into();
    report.cash_outs[0].deposit_address = "@x\r\n+1".into();
    let csv = render(&report, Format::CashOutCsv).unwrap();
    let csv = String::from_utf8(csv[0].bytes.clone()).unwrap();
    assert!(csv.contains("\"'=HYPERLINK(\"\"http://a\"\")\""), "{csv}");
    assert!(csv.contains("'@x"), "{csv}");
    assert_eq!(csv.matches("\r\n").count(), 2, "{csv}");
}

fn follow(transactions: impl IntoIterator<Item = Tx>) -> Report {
    let chain = Accounts::of(transactions);
    let mut plan = chain.plan([Subject::EvmTransaction(evm_chain::hash(10))]);
    plan.venues = Arc::new(Exchange {
        accounts: [account("hot")].into(),
        ..Exchange::default()
    });
    let (trace, _) = traced(plan, &chain);
    build_accounts(&trace, Heading::default()).unwrap().report
}

#[test]
fn an_account_that_passed_its_deposits_on_is_the_customers() {
    let report = follow([
        Tx::new(10, "victim").pays("victim", "thief", "tok", 100),
        Tx::new(20, "thief").pays("thief", "deposit", "tok", 60),
        Tx::new(21, "thief").pays("thief", "deposit", "tok", 30),
        Tx::new(25, "deposit").pays("deposit", "hot", "tok", 90),
        Tx::new(30, "thief").pays("thief", "deposit", "tok", 10),
        Tx::new(40, "deposit").pays("deposit", "hot", "tok", 10),
    ]);
    let deposit = account("deposit").to_string();
    let rows: Vec<_> = report
        .cash_outs
        .iter()
        .map(|row| (&*row.deposit_address, row.amount, row.tainted[&Rule::Fifo]))
        .collect();
    let row = |amount: u64| (&*deposit, Amount::from(amount), Amount::from(amount));
    assert_eq!(rows, [row(10), row(30), row(60)]);
    for row in &report.cash_outs {
        assert_eq!(row.service_address, Some(account("hot").to_string()));
        assert_eq!(row.confidence, Confidence::Weak);
    }
    assert_eq!(report.accounting[0].exchanges, Amount::from(100));
}

/// Calls the exchange's account what it is.
#[derive(Debug)]
struct Hot;

impl Labels for Hot {
    fn lookup(&self, _: &str, of: &str) -> Vec<Label> {
        let hot = of.parse() == Ok(account("hot"));
        let label = Label {
            kind: "exchange".parse().unwrap(),
            label: "binance".into(),
            ..Label::default()
        };
        hot.then_some(label).into_iter().collect()
    }
}

#[test]
fn a_detector_that_saw_the_clean_deposits_too_makes_the_customers_address_sure() {
    let story = [
        Tx::new(10, "victim").pays("victim", "thief", "tok", 100),
        Tx::new(19, "worker").pays("worker", "deposit", "tok", 5),
        Tx::new(20, "thief").pays("thief", "deposit", "tok", 60),
        Tx::new(25, "sweeper").pays("deposit", "hot", "tok", 65),
    ];
    let chain = Accounts::of(story);
    let mut plan = chain.plan([Subject::EvmTransaction(evm_chain::hash(10))]);
    plan.venues = Arc::new(Exchange {
        accounts: [account("hot")].into(),
        ..Exchange::default()
    });
    let (trace, _) = traced(plan, &chain);
    let mut report = build_accounts(&trace, Heading::default()).unwrap().report;
    let shape = report.cash_outs[0].clone();
    assert_eq!(shape.confidence, Confidence::Weak);
    let found = hansel_heuristics::of_accounts(&trace, &Hot);
    assert!(
        found
            .iter()
            .any(|one| one.heuristic == "evm.exchange-deposit"),
        "{found:?}"
    );
    annotate(&mut report, &Hot, found).unwrap();
    let [row] = report.cash_outs.as_slice() else {
        panic!("{:?}", report.cash_outs)
    };
    assert_eq!(row.confidence, Confidence::Strong);
    assert_eq!(row.deposit_address, account("deposit").to_string());
    assert_eq!(row.tainted, shape.tainted, "no amount changes");
}

#[test]
fn an_account_that_pays_others_too_or_keeps_a_part_is_no_customers_deposit() {
    for (amount, to) in [(60, "friend"), (40, "hot")] {
        let report = follow([
            Tx::new(10, "victim").pays("victim", "thief", "tok", 100),
            Tx::new(20, "thief").pays("thief", "purse", "tok", 100),
            Tx::new(25, "purse").pays("purse", "hot", "tok", 40),
            Tx::new(30, "purse").pays("purse", to, "tok", amount),
        ]);
        let first = report.cash_outs.last().unwrap();
        assert_eq!(first.deposit_address, account("hot").to_string());
        assert_eq!(first.service_address, None);
    }
}

#[test]
fn every_unit_at_an_exchange_stands_in_one_row_under_every_rule() {
    let mut seen = 0;
    for number in 0..300_u64 {
        let mut dice = Dice(number);
        let ledger = ledgers::random(number, 1 + dice.roll(120));
        let transaction = &ledger[dice.roll(ledger.len() as u64) as usize];
        let txid = transaction.txid;
        let mut plan = plan_of([Subject::Output(OutPoint { txid, vout: 0 })]);
        plan.venues = Arc::new(Scattered(number * 0x9e37));
        plan.limits = Limits::NONE;
        let report = build(&run(plan, &FakeChain::of(&ledger)), Heading::default());
        let report = report.unwrap().report;
        for row in &report.accounting {
            assert_eq!(amounts(&report.cash_outs, row.rule), row.exchanges);
            seen += u64::from(!row.exchanges.is_zero());
        }
    }
    assert!(seen > 100, "{seen}");
}

/// Two sources that contradict each other about one address, one of them later than the theft.
#[derive(Debug)]
struct Two;

impl Labels for Two {
    fn lookup(&self, _: &str, of: &str) -> Vec<Label> {
        if of != address("hot") {
            return Vec::new();
        }
        let label = |kind: &str, name: &str, day: &str| Label {
            kind: kind.parse().unwrap(),
            label: name.into(),
            source: "a list".into(),
            as_of: Some(day.into()),
            ..Label::default()
        };
        vec![
            label("exchange", "Binance 7", "2019-01-01"),
            label("mixer", "Blender", "2030-01-01"),
        ]
    }
}

#[test]
fn labels_that_contradict_each_other_or_come_late_are_shown_and_found() {
    let mut report = told(&deposited());
    annotate(&mut report, &Two, Vec::new()).unwrap();
    let hot = report
        .nodes
        .iter()
        .find(|node| node.address == Some(address("hot")));
    let late: Vec<bool> = hot
        .unwrap()
        .labels
        .iter()
        .map(|label| label.hindsight)
        .collect();
    assert_eq!(late, [false, true]);
    let found: Vec<&str> = report
        .findings
        .iter()
        .map(|finding| &*finding.heuristic)
        .collect();
    assert_eq!(found, ["label.conflict", "label.hindsight"]);
    let text = render(&report, Format::Text).unwrap();
    let text = String::from_utf8(text[0].bytes.clone()).unwrap();
    assert!(text.contains("binance (exchange) on bitcoin"), "{text}");
}

#[test]
fn what_nobody_labelled_stays_without_labels_and_findings() {
    let mut report = told(&deposited());
    annotate(&mut report, &NoLabels, Vec::new()).unwrap();
    assert!(report.findings.is_empty());
    assert!(report.nodes.iter().all(|node| node.labels.is_empty()));
}
