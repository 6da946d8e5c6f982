//! `hansel demo`: two recorded cases from the bytes of real transactions and a training case, without a network.

use std::collections::BTreeSet;
use std::fs;

use hansel_ledger::Amount;
use hansel_report::Format;
use hansel_report::model::{FlowKind, Report};
use serde_json::Value;

use crate::command::{Finished, Hansel, directory};
use crate::reading::Reading;

const THEFT: &str = "975ec405ac9dc9fa5ab8009d94d6a1fe31dff8a8127ea90d023104e52754e4d7";
const FUNDING: &str = "c03acb80562302248f8be621e765315345a85cd3856bf49583e97b0428342908";
const THIEF: &str = "1B6rJRfjTXwEy36SCs5zofGMmdv2kdZw7P";
const MIX: &str = "5c2f55fc17854a18f447d74e32356c9ff6faf43bf937ed13611857b2bb3fef3a";
const CHAIN_START: &str = "38019c2f360911e301dcd2c6d193b11108be2e1f73d63eef7c8a7690b8a303f3";
const CHAIN_END: &str = "96ab45d75957f1084784dd27a4cda5f12f85e076be1b63afd131d5a2fd87d298";

fn demo() -> Finished {
    Hansel::new("demo --json").run().exits(3)
}

fn reports() -> [Report; 3] {
    demo().json()
}

#[test]
fn the_demo_is_one_array_of_three_reports_that_follow_the_published_schema() {
    let reports: Vec<Value> = demo().json();
    let schema: Value = serde_json::from_str(include_str!("../docs/report-schema.json")).unwrap();
    let schema = jsonschema::validator_for(&schema).unwrap();
    let names = reports.iter().map(|report| &report["case"]["name"]);
    assert_eq!(
        names.collect::<Vec<_>>(),
        ["dmm-bitcoin", "block-702861", "training"]
    );
    for report in &reports {
        let errors: Vec<_> = schema.iter_errors(report).collect();
        assert!(errors.is_empty(), "{errors:?}");
    }
}

#[test]
fn the_dmm_theft_spends_nine_outputs_of_one_wallet_for_one_address_and_the_fee() {
    let [dmm, ..] = reports();
    let theft = format!("bitcoin:tx:{THEFT}");
    let into: Vec<_> = dmm.flows.iter().filter(|flow| flow.to == theft).collect();
    assert_eq!(into.len(), 9);
    assert!(into.iter().all(|flow| flow.tx == FUNDING));
    let poured = Amount::checked_sum(into.iter().map(|flow| flow.amount)).unwrap();
    assert_eq!(poured, 450_300_000_000.into());
    let stolen = dmm.flow(&format!("bitcoin:output:{THEFT}:0"));
    assert_eq!(stolen.amount, 450_290_000_000.into());
    assert_eq!(stolen.to_address.as_deref(), Some(THIEF));
    let fee = dmm.flow(&format!("bitcoin:fee:{THEFT}"));
    assert_eq!((fee.kind, fee.amount), (FlowKind::Fee, 10_000_000.into()));
    let seeds: Vec<_> = dmm
        .seeds
        .iter()
        .map(|seed| (seed.amount, &*seed.tx))
        .collect();
    assert_eq!(seeds, [(450_290_000_000.into(), THEFT)]);
    dmm.balances();
}

#[test]
fn what_the_dmm_recording_does_not_tell_is_stated() {
    let [dmm, ..] = reports();
    assert!(dmm.tips.is_empty());
    let gaps = |id: &str| -> Vec<String> {
        let gaps = dmm.node(id).gaps.iter();
        gaps.map(|gap| gap.kind.clone()).collect()
    };
    assert_eq!(gaps(&format!("bitcoin:tx:{THEFT}")), ["block-unknown"]);
    assert_eq!(
        gaps(&format!("bitcoin:output:{THEFT}:0")),
        ["spend-unknown"]
    );
    let stated: BTreeSet<&str> = dmm.unknown.iter().map(|entry| &*entry.kind).collect();
    assert_eq!(
        stated,
        BTreeSet::from(["block-unknown", "spend-unknown", "tip-unknown"])
    );
    for row in &dmm.accounting {
        assert_eq!(row.frontier, row.stolen, "nobody knows whether it moved");
    }
}

#[test]
fn seventeen_transactions_of_block_702861_and_two_outputs_of_its_mix_are_followed() {
    let [_, block, _] = reports();
    let visited = block.visited();
    assert_eq!(visited.len(), 20, "the chain, the mix and what spends it");
    let mut payments = vec![CHAIN_START];
    while let Some(next) = spender(&block, payments.last().unwrap()) {
        payments.push(next);
    }
    assert_eq!(payments.len(), 17);
    assert_eq!(payments.last(), Some(&CHAIN_END));
    for vout in [36, 83] {
        let mixed = block.flow(&format!("bitcoin:output:{MIX}:{vout}"));
        assert_eq!(mixed.amount, 10_944_832.into());
        assert!(mixed.to.starts_with("bitcoin:tx:"), "{}", mixed.to);
        assert!(mixed.tainted.values().all(|taint| *taint == mixed.amount));
    }
    let blocks = block.nodes.iter().filter(|node| node.coverage.is_some());
    assert!(blocks.clone().all(|node| node.block == Some(702_861)));
    block.balances();
}

/// The transaction that a tainted output of another is spent by.
fn spender<'a>(report: &'a Report, txid: &str) -> Option<&'a str> {
    let from = format!("bitcoin:tx:{txid}");
    let mut next = report
        .flows
        .iter()
        .filter(|flow| flow.from == from && flow.tainted.values().any(|taint| !taint.is_zero()));
    next.find_map(|flow| flow.to.strip_prefix("bitcoin:tx:"))
}

#[test]
fn two_demos_are_equal_to_the_byte_in_every_format() {
    let written = |format: &str| {
        let place = directory();
        Hansel::new("demo --quiet")
            .option("--format", format)
            .option("--output", place.path().join("case"))
            .run()
            .exits(3);
        let mut files: Vec<_> = fs::read_dir(place.path())
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .map(|path| {
                (
                    path.file_name().unwrap().to_owned(),
                    fs::read(path).unwrap(),
                )
            })
            .collect();
        files.sort();
        files
    };
    for (format, files) in [
        ("text", 3),
        ("json", 3),
        ("csv", 9),
        ("graphml", 3),
        ("dot", 3),
    ] {
        let first = written(format);
        assert_eq!(first.len(), files, "{format}");
        assert!(first.iter().all(|(_, bytes)| !bytes.is_empty()), "{format}");
        assert!(first == written(format), "{format} differs");
    }
    assert_eq!(demo().stdout, demo().stdout);
}

#[test]
fn formats_that_are_written_to_one_name_have_files_of_their_own() {
    let place = directory();
    let write = |format: &str, output: &std::path::Path| {
        let demo = Hansel::new("demo --quiet").option("--format", format);
        demo.option("--output", output).run().exits(3)
    };
    let files = |place: &std::path::Path| -> BTreeSet<String> {
        let files = fs::read_dir(place).unwrap();
        let names = files.map(|file| file.unwrap().file_name().into_string().unwrap());
        names.collect()
    };
    let named = |names: [&str; 6]| BTreeSet::from(names.map(str::to_owned));
    for format in ["svg", "dot"] {
        write(format, &place.path().join("x"));
    }
    assert_eq!(
        files(place.path()),
        named([
            "x-block-702861.dot",
            "x-block-702861.svg",
            "x-dmm-bitcoin.dot",
            "x-dmm-bitcoin.svg",
            "x-training.dot",
            "x-training.svg",
        ])
    );
    let inside = place.path().join("inside");
    fs::create_dir(&inside).unwrap();
    for format in ["svg", "dot"] {
        write(format, &inside);
    }
    assert_eq!(
        files(&inside),
        named([
            "block-702861.dot",
            "block-702861.svg",
            "dmm-bitcoin.dot",
            "dmm-bitcoin.svg",
            "training.dot",
            "training.svg",
        ])
    );
    let shown = write("text", std::path::Path::new("-"));
    assert!(shown.stdout == Hansel::new("demo").run().exits(3).stdout);
}

#[test]
fn the_demo_needs_neither_network_nor_home_and_keeps_nothing() {
    let home = directory();
    let run = Hansel::new("demo")
        .without_network()
        .env("HOME", home.path())
        .run()
        .exits(3);
    assert!(run.stdout.contains("4,502.90000000 BTC"), "{}", run.stdout);
    assert_eq!(fs::read_dir(home.path()).unwrap().count(), 0);
}

#[test]
fn the_readme_shows_what_the_demo_prints() {
    let readme = include_str!("../README.md");
    let shown = readme.split("```text\n").nth(1).unwrap();
    let shown = shown.split("```").next().unwrap();
    let printed = Hansel::new("demo").run().exits(3);
    assert!(printed.stdout.starts_with(shown), "{}", printed.stdout);
}

#[test]
fn the_demos_training_case_shows_every_feature_and_says_in_every_format_that_it_is_made_up() {
    let [_, _, training] = reports();
    crate::training::shows_every_feature(&training);
    let place = directory();
    for format in Format::ALL {
        Hansel::new("demo --quiet")
            .option("--format", format.name())
            .option("--output", place.path().join(format!("{format}.out")))
            .run()
            .exits(3);
    }
    // Its prices are made up too, and stand beside the amounts.
    let values = training.values.as_ref().unwrap();
    let stolen = values
        .worth
        .iter()
        .find(|worth| worth.of == "s1" && worth.currency == "USD");
    assert_eq!(stolen.unwrap().amount, "200050.00");
    assert!(values.missing.iter().any(|one| one.asset == "GOLD"));
    let mut seen = 0;
    for entry in fs::read_dir(place.path()).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap();
        if name.contains("-training") {
            seen += 1;
            let bytes = fs::read(&path).unwrap();
            let says = |word: &[u8]| bytes.windows(word.len()).any(|part| part == word);
            // What is drawn or packed is looked at by the tests of those formats.
            let packed = ["png-", "pdf-", "gs-"]
                .iter()
                .any(|one| name.starts_with(one));
            assert!(packed || says(b"training") || says(b"TRAINING"), "{name}");
        }
    }
    assert!(seen >= Format::ALL.len(), "{seen}");
}
