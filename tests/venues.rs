//! Trails that end at exchanges, mixers and mixes on real nodes, and the table of cash-outs that comes of them.

use std::fmt::Write as _;
use std::path::Path;

use bitcoin::OutPoint;
use hansel_ledger::Amount;
use hansel_report::Report;
use hansel_report::model::{Confidence, Node, OverrideKind, StopKind};
use hansel_testkit::{
    Anvil, AnvilOptions, EsploraOptions, EsploraServer, EvmScenario, EvmStory, Indexes,
    NodeOptions, Pay, Payee, Regtest, require_anvil, require_bitcoind,
};
use tempfile::TempDir;

use crate::command::{Hansel, directory};
use crate::scene::CHAIN;

const COIN: u64 = 100_000_000;
const HEADER: &str = "address,chain,label,actor,category,source,confidence,as_of";

/// A coin of Whirlpool's pool of 0.05 bitcoin, and what the first mix costs it.
const MIXED: u64 = 5_000_000;
const ENTRY: u64 = 2_000;

const THIEF: Payee = Payee::Segwit(10);
const DEPOSIT: Payee = Payee::Segwit(20);
const PURSE: Payee = Payee::Segwit(12);
const HOT: Payee = Payee::Segwit(30);

/// A theft of 10 bitcoin: 3 to a customer's address that the exchange sweeps, 0.05002 into a mix, the rest is kept.
struct Laundering {
    regtest: Regtest,
    esplora: EsploraServer,
    theft: OutPoint,
}

impl Laundering {
    fn new() -> Option<Self> {
        let options = NodeOptions {
            indexes: Indexes::ALL,
            listen: true,
            ..NodeOptions::default()
        };
        let mut regtest = Regtest::start(&require_bitcoind()?, options).unwrap();
        let coins = regtest.fund(Payee::Segwit(1), 3);
        let stolen = [Pay::to(THIEF, 10 * COIN), Pay::rest(Payee::Segwit(1))];
        let theft = OutPoint::new(regtest.pay(&coins[..1], &stolen, 1_000), 0);
        let customers = [
            Pay::to(Payee::Segwit(21), 2 * COIN),
            Pay::rest(Payee::Segwit(1)),
        ];
        let customer = OutPoint::new(regtest.pay(&coins[1..2], &customers, 1_000), 0);
        let others = (41..45).map(|key| Pay::to(Payee::Segwit(key), MIXED));
        let others: Vec<Pay> = others.chain([Pay::rest(Payee::Segwit(1))]).collect();
        let others = regtest.pay(&coins[2..], &others, 1_000);
        regtest.mine();
        let parts = [
            Pay::to(DEPOSIT, 3 * COIN),
            Pay::to(Payee::Segwit(11), MIXED + ENTRY),
            Pay::rest(PURSE),
        ];
        let split = regtest.pay(&[theft], &parts, 1_000);
        regtest.mine();
        let deposit = OutPoint::new(split, 0);
        regtest.pay(&[deposit, customer], &[Pay::rest(HOT)], 1_000);
        let mut inputs = vec![OutPoint::new(split, 1)];
        inputs.extend((0..4).map(|vout| OutPoint::new(others, vout)));
        let outputs: Vec<Pay> = (51..56)
            .map(|key| Pay::to(Payee::Segwit(key), MIXED))
            .collect();
        let mix = regtest.pay(&inputs, &outputs, ENTRY);
        regtest.mine();
        regtest.pay(
            &[OutPoint::new(mix, 0)],
            &[Pay::rest(Payee::Segwit(60))],
            500,
        );
        regtest.mine();
        regtest.mine();
        regtest.node().wait_for_indexes().unwrap();
        let esplora = EsploraServer::over_node(regtest.node(), EsploraOptions::default()).unwrap();
        Some(Self {
            regtest,
            esplora,
            theft,
        })
    }

    fn address(&self, payee: Payee) -> String {
        self.regtest.address(payee).to_string()
    }

    /// Traces the theft with these words; labels and cases are those of `data`.
    fn trace(&self, data: &Path, words: &[String]) -> Report {
        let done = Hansel::new("trace --json --quiet --min-share 0 --name loot --chain")
            .args([CHAIN])
            .args([self.theft.to_string()])
            .args(words)
            .option("--endpoint", format!("esplora={}", self.esplora.url()))
            .data(data)
            .run();
        let report = done.exits(0).report();
        for row in &report.accounting {
            assert!(row.balances(), "{row:?}");
        }
        report
    }
}

/// A data directory with labels of these addresses: address, chain, name, entity, category.
pub(crate) fn labelled(rows: &[[&str; 5]]) -> TempDir {
    let (data, files) = (directory(), directory());
    let mut text = format!("{HEADER}\n");
    for [address, chain, name, entity, category] in rows {
        writeln!(
            text,
            "{address},{chain},{name},{entity},{category},https://example.org,ownership,2019-01-01"
        )
        .unwrap();
    }
    let path = files.path().join("places.csv");
    std::fs::write(&path, text).unwrap();
    Hansel::new("labels import")
        .args([&path])
        .data(data.path())
        .run()
        .exits(0);
    data
}

fn category(report: &Report, kind: StopKind) -> Amount {
    let row = &report.accounting[0];
    match kind {
        StopKind::Exchange => row.exchanges,
        StopKind::Mixer => row.mixers,
        _ => row.services,
    }
}

fn at<'a>(report: &'a Report, address: &str) -> &'a Node {
    let mut nodes = report.nodes.iter();
    let found = nodes.find(|node| node.address.as_deref() == Some(address));
    found.unwrap_or_else(|| panic!("the report does not list {address}"))
}

#[test]
fn a_theft_ends_at_the_exchange_that_swept_it_and_in_the_mix() {
    let Some(chain) = Laundering::new() else {
        return;
    };
    let (hot, deposit) = (chain.address(HOT), chain.address(DEPOSIT));
    let data = labelled(&[[&hot, CHAIN, "Binance 7", "binance", "exchange"]]);
    let report = chain.trace(data.path(), &[]);
    assert_eq!(category(&report, StopKind::Mixer), (MIXED + ENTRY).into());
    let kept = category(&report, StopKind::Exchange);
    assert!(kept >= Amount::from(3 * COIN - 1_000), "{kept}");
    let [row] = &*report.cash_outs else {
        panic!("{:#?}", report.cash_outs)
    };
    assert_eq!((&*row.entity, &row.deposit_address), ("binance", &deposit));
    assert_eq!(row.service_address.as_deref(), Some(&*hot));
    assert_eq!(row.confidence, Confidence::Weak);
    let cashed = row.tainted.values().next().copied();
    assert_eq!(cashed, Some(kept));
    assert_eq!(at(&report, &hot).labels[0].label, "Binance 7");
    let found = report
        .findings
        .iter()
        .any(|finding| finding.heuristic == "btc.coinjoin.whirlpool");
    assert!(found, "{:#?}", report.findings);
    let csv = Hansel::new("report loot --format cashout-csv")
        .data(data.path())
        .run()
        .exits(0);
    assert!(csv.stdout.starts_with("time,entity,category,chain,"));
    assert!(csv.stdout.contains(&*deposit), "{}", csv.stdout);
}

#[test]
fn without_labels_nothing_is_called_an_exchange() {
    let Some(chain) = Laundering::new() else {
        return;
    };
    let report = chain.trace(directory().path(), &[]);
    assert_eq!(category(&report, StopKind::Exchange), Amount::ZERO);
    assert!(report.cash_outs.is_empty());
    let hot = at(&report, &chain.address(HOT)).stop.as_ref().unwrap();
    assert_eq!(hot.kind, StopKind::AtRest);
}

#[test]
fn a_user_decides_about_a_case_and_its_report_says_so() {
    let Some(chain) = Laundering::new() else {
        return;
    };
    let (hot, purse) = (chain.address(HOT), chain.address(PURSE));
    let data = labelled(&[[&hot, CHAIN, "Binance 7", "binance", "exchange"]]);
    let words = [
        "--through".into(),
        "coinjoins".into(),
        "--through".into(),
        hot.clone(),
        "--stop".into(),
        format!("{purse}=the thief's broker"),
    ];
    let report = chain.trace(data.path(), &words);
    assert_eq!(category(&report, StopKind::Mixer), Amount::ZERO);
    assert_eq!(category(&report, StopKind::Exchange), Amount::ZERO);
    assert!(category(&report, StopKind::Service) > Amount::from(6 * COIN));
    let stop = at(&report, &purse).stop.as_ref().unwrap();
    assert_eq!(stop.entity.as_deref(), Some("the thief's broker"));
    let told: Vec<_> = report
        .case
        .overrides
        .iter()
        .map(|said| (said.kind, &*said.subject))
        .collect();
    let mut expected = vec![
        (OverrideKind::Through, &*hot),
        (OverrideKind::Through, "coinjoins"),
        (OverrideKind::Stop, &*purse),
    ];
    expected.sort_unstable();
    assert_eq!(told, expected);
    let text = Hansel::new("report loot").data(data.path()).run().exits(0);
    let said = "the user followed value through coinjoins";
    assert!(text.stdout.contains(said), "{}", text.stdout);
}

#[test]
fn a_place_that_is_none_and_two_words_about_one_are_refused() {
    let address = "bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080";
    for (words, reason) in [
        ("--through nonsense", "is no place on bitcoin-regtest"),
        ("--stop =binance", "is no place on bitcoin-regtest"),
        (
            &*format!("--stop {address} --through {address}"),
            "name the same place",
        ),
        (&*format!("--stop {address}="), "a name of 1 to 100 bytes"),
    ] {
        let txid = "00".repeat(32);
        let done = Hansel::new(&format!("trace {txid} --chain {CHAIN} {words}"))
            .without_network()
            .run()
            .exits(2);
        assert!(done.stderr.contains(reason), "{}", done.stderr);
    }
}

fn story() -> Option<(Anvil, EvmStory)> {
    let anvil = Anvil::start(&require_anvil()?, &AnvilOptions::default()).unwrap();
    let story = EvmScenario { customers: 40 }.play(anvil.rpc()).unwrap();
    Some((anvil, story))
}

#[test]
fn accounts_of_an_exchange_and_a_mixer_end_the_trail_on_an_evm_chain() {
    let Some((anvil, story)) = story() else {
        return;
    };
    let name = |name: &str| story.account(name).to_string();
    let (hot, mixer) = (name("hot"), name("mixer"));
    let data = labelled(&[
        [&hot, "anvil", "Binance 7", "binance", "exchange"],
        [&mixer, "anvil", "Tornado", "tornado", "mixer"],
    ]);
    let mut words = "trace --json --quiet --chain anvil --name loot --min-share 0".to_owned();
    for deed in story.scene("theft") {
        write!(words, " {}", deed.hash).unwrap();
    }
    let done = Hansel::new(&words)
        .option("--endpoint", anvil.url())
        .data(data.path())
        .run();
    let report = done.report();
    let stop = |name: &str| at(&report, &story.account(name).to_string()).stop.clone();
    assert_eq!(stop("hot").unwrap().kind, StopKind::Exchange);
    assert_eq!(stop("mixer").unwrap().kind, StopKind::Mixer);
    for row in &report.accounting {
        assert!(row.balances(), "{row:?}");
    }
    let deposit = name("deposit");
    let swept = report
        .cash_outs
        .iter()
        .find(|row| row.deposit_address == deposit);
    let swept = swept.unwrap_or_else(|| panic!("{:#?}", report.cash_outs));
    assert_eq!(swept.entity, "binance");
    assert_eq!(swept.service_address.as_ref(), Some(&hot));
    assert_eq!(swept.confidence, Confidence::Weak);
    let node = format!("anvil:account:{}", deposit.to_lowercase());
    let found = report.findings.iter().find(|one| {
        let subject = one.subjects.iter().any(|id| id.to_lowercase() == node);
        one.heuristic == "evm.exchange-deposit" && subject
    });
    let found = found.unwrap_or_else(|| panic!("{node}: {:#?}", report.findings));
    assert_eq!(
        found.parameters["exchanges"],
        serde_json::json!(["binance"])
    );
}
