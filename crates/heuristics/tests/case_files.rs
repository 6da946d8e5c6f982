//! The shipped case files are readable, complete and checked; wrong ones are refused at the right line.

#![allow(
    clippy::unwrap_used,
    clippy::print_stderr,
    reason = "a step that fails is a test that fails"
)]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use bitcoin::Network;
use hansel_heuristics::{CaseFile, CaseFileError, CaseParty};
use hansel_ledger::{Chain, Family, Subject, UnixTime};
use serde_json::Value;

const SHIPPED: [(&str, &str); 5] = [
    ("dmm-bitcoin", "dmm-bitcoin-2024"),
    ("radiant", "radiant-2024"),
    ("rain", "rain-2024"),
    ("upbit", "upbit-2019"),
    ("wazirx", "wazirx-2024"),
];
const THEFT: &str = "975ec405ac9dc9fa5ab8009d94d6a1fe31dff8a8127ea90d023104e52754e4d7";

fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn chains() -> Vec<Chain> {
    let regtest = Chain::new("bitcoin-regtest", Family::Bitcoin(Network::Regtest)).unwrap();
    vec![Chain::bitcoin(), regtest]
}

fn shipped(name: &str) -> CaseFile {
    let path = repository().join(format!("config/cases/{name}.toml"));
    let text = fs::read_to_string(&path).unwrap();
    CaseFile::parse(&path, &text, &chains()).unwrap_or_else(|error| panic!("{error}"))
}

#[test]
fn every_shipped_case_file_is_read_and_none_is_unknown_to_this_test() {
    let entries = fs::read_dir(repository().join("config/cases")).unwrap();
    let files: BTreeSet<_> = entries.map(|entry| entry.unwrap().file_name()).collect();
    let known = SHIPPED.map(|(name, _)| format!("{name}.toml").into());
    assert_eq!(files, BTreeSet::from(known));
    for (name, _) in SHIPPED {
        let case = shipped(name);
        assert!(!case.note.is_empty() && !case.seeds.is_empty(), "{name}");
        assert!(
            case.addresses
                .iter()
                .any(|one| one.party == CaseParty::Thief)
        );
    }
}

#[test]
fn the_dmm_case_starts_from_the_theft_and_shows_its_funding() {
    let case = shipped("dmm-bitcoin");
    let seeds: Vec<_> = case
        .seeds
        .iter()
        .map(|seed| seed.subject.as_str())
        .collect();
    assert_eq!(seeds, [THEFT]);
    let context: Vec<_> = case.context.iter().map(|one| one.txid.as_str()).collect();
    assert_eq!(
        context,
        ["c03acb80562302248f8be621e765315345a85cd3856bf49583e97b0428342908"]
    );
    assert_eq!(case.usd, Some(308_000_000));
}

#[test]
fn seeds_on_bitcoin_parse_and_all_others_wait() {
    let count = |name: &str| {
        let case = shipped(name);
        let (now, later): (Vec<_>, Vec<_>) =
            case.seeds.iter().partition(|seed| seed.chain == "bitcoin");
        for seed in &now {
            Subject::parse(&seed.subject, &Chain::bitcoin()).unwrap();
        }
        assert!(
            later
                .iter()
                .all(|seed| case.waits_for.contains(&seed.chain))
        );
        (now.len(), later.len())
    };
    let counts = SHIPPED.map(|(name, _)| count(name));
    assert_eq!(counts, [(1, 0), (0, 2), (1, 1), (0, 1), (12, 1)]);
}

#[test]
fn days_are_whole_days() {
    let case = shipped("wazirx");
    let seed = case
        .seeds
        .iter()
        .find(|seed| seed.chain == "bitcoin")
        .unwrap();
    assert_eq!(seed.since, Some("2024-10-13".parse().unwrap()));
    let last: UnixTime = "2024-10-15T23:59:59Z".parse().unwrap();
    assert_eq!(seed.until, Some(last));
}

/// Every string of a JSON value.
fn strings<'a>(value: &'a Value, found: &mut Vec<&'a str>) {
    match value {
        Value::String(text) => found.push(text),
        Value::Array(items) => items.iter().for_each(|item| strings(item, found)),
        Value::Object(fields) => fields.values().for_each(|field| strings(field, found)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// The words of a text that may be hashes or addresses.
fn long_words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !c.is_ascii_alphanumeric())
        .filter(|word| word.len() >= 32 && word.bytes().any(|b| b.is_ascii_digit()))
}

fn sorted(ids: impl IntoIterator<Item = String>) -> BTreeSet<String> {
    ids.into_iter().collect()
}

#[test]
fn no_address_transaction_or_source_of_the_recorded_facts_is_missing() {
    let data = std::env::var_os("HANSEL_DATA").map(PathBuf::from);
    let data = data.unwrap_or_else(|| repository().join("../shared/data"));
    let Ok(text) = fs::read_to_string(data.join("thefts/thefts.json")) else {
        eprintln!("skipped: no recorded facts (HANSEL_DATA)");
        return;
    };
    let recorded: Value = serde_json::from_str(&text).unwrap();
    for (name, id) in SHIPPED {
        let thefts = recorded["thefts"].as_array().unwrap();
        let theft = thefts.iter().find(|theft| theft["id"] == id).unwrap();
        let case = shipped(name);
        check_words(&case, theft);
        check_addresses(&case, theft);
        check_transactions(&case, theft);
        assert_eq!(theft["date"], case.date.as_str());
        assert_eq!(theft["amount"], case.amount.as_str());
        assert_eq!(theft["attribution"], case.attribution.as_str());
    }
}

/// Whatever looks like a hash or an address is in the file as one.
fn check_words(case: &CaseFile, theft: &Value) {
    let seeds = case.seeds.iter().map(|one| one.subject.clone());
    let context = case.context.iter().map(|one| one.txid.clone());
    let addresses = case.addresses.iter().map(|one| one.address.clone());
    let transactions = case.transactions.iter().map(|one| one.hash.clone());
    let held = sorted(seeds.chain(context).chain(addresses).chain(transactions));
    let mut texts = Vec::new();
    strings(theft, &mut texts);
    for word in texts.into_iter().flat_map(long_words) {
        assert!(held.contains(word), "{}: {word}", case.name);
    }
}

fn recorded_sources(fact: &Value) -> BTreeSet<String> {
    let ids = fact["sources"].as_array().unwrap().iter();
    sorted(ids.map(|id| id.as_str().unwrap().split(' ').next().unwrap().to_owned()))
}

fn check_addresses(case: &CaseFile, theft: &Value) {
    for list in ["victim", "thief", "later"] {
        for fact in theft[list].as_array().into_iter().flatten() {
            let address = fact["address"].as_str().unwrap();
            let held = case.addresses.iter().find(|one| one.address == address);
            let held = held.unwrap_or_else(|| panic!("{}: {address}", case.name));
            assert_eq!(
                sorted(held.sources.clone()),
                recorded_sources(fact),
                "{address}"
            );
            let confidence = format!("{:?}", held.confidence).to_lowercase();
            assert_eq!(fact["confidence"], confidence.as_str(), "{address}");
        }
    }
}

fn check_transactions(case: &CaseFile, theft: &Value) {
    for list in ["theft_txs", "related_txs"] {
        for fact in theft[list].as_array().into_iter().flatten() {
            let hash = fact["hash"].as_str().unwrap();
            let seeds = case.seeds.iter().map(|one| (&one.subject, &one.sources));
            let context = case.context.iter().map(|one| (&one.txid, &one.sources));
            let others = case
                .transactions
                .iter()
                .map(|one| (&one.hash, &one.sources));
            let mut held = seeds.chain(context).chain(others);
            let (_, sources) = held.find(|(held, _)| *held == hash).unwrap();
            assert_eq!(sorted(sources.clone()), recorded_sources(fact), "{hash}");
        }
    }
}

/// A small correct case file, with one piece of text replaced.
fn small(old: &str, new: &str) -> Result<CaseFile, CaseFileError> {
    let text = format!(
        r#"schema = "hansel-case/1"
name = "small"
title = "t"
date = "2024-05-31"
amount = "a"
attribution = "b"
waits_for = ["ethereum"]
note = "n"
[[sources]]
id = "page"
text = "somewhere"
[[seeds]]
chain = "bitcoin"
subject = "{THEFT}"
what = "w"
sources = ["page"]
[[addresses]]
chains = ["bitcoin"]
address = "1B6rJRfjTXwEy36SCs5zofGMmdv2kdZw7P"
party = "thief"
role = "r"
confidence = "high"
sources = ["page"]
[[transactions]]
chains = ["ethereum"]
hash = "0x48164d3adbab78c2cb9876f6e17f88e321097fcd14cadd57556866e4ef3e185d"
what = "w"
sources = ["page"]
"#
    );
    assert!(text.contains(old), "{old}");
    let text = text.replacen(old, new, 1);
    CaseFile::parse(Path::new("cases/small.toml"), &text, &chains())
}

#[test]
fn a_wrong_file_is_refused_with_its_name_and_line() {
    let address = "1B6rJRfjTXwEy36SCs5zofGMmdv2kdZw7P";
    let wrong = [
        ("name = \"small\"", "name = \"other\"", 2),
        ("2024-05-31", "31.5.2024!", 4),
        ("2024-05-31", "2024-05-32", 4),
        ("[\"ethereum\"]", "[\"ethereum\", \"bitcoin\"]", 7),
        ("id = \"page\"", "id = \"paper\"", 16),
        ("sources = [\"page\"]", "sources = []", 14),
        ("chain = \"bitcoin\"", "chain = \"dogecoin\"", 13),
        (THEFT, &THEFT[..63], 14),
        (THEFT, "0x27fD43BABfbe83a81d14665b1a6fB8030A60C9b4", 14),
        ("what = \"w\"", "what = \"w\"\nsince = \"2024-05-31\"", 14),
        ("what = \"w\"", "what = \"w\"\nsince = \"yesterday\"", 16),
        (address, "1B6rJRfjTXwEy36SCs5zofGMmdv2kdZw7Q", 19),
        (address, THEFT, 14),
        ("party = \"thief\"", "party = \"burglar\"", 20),
        ("role = \"r\"", "rule = \"r\"", 21),
        ("ef3e185d", "ef3e185", 26),
        ("[[transactions]]", "[[transactions]", 24),
    ];
    for (old, new, line) in wrong {
        let error = small(old, new).unwrap_err().to_string();
        let place = format!("cases/small.toml, line {line}:");
        assert!(error.starts_with(&place), "{new}: {error}");
    }
    small("note = \"n\"", "note = \"m\"").unwrap();
}

#[test]
fn a_file_of_another_form_is_named_as_such_before_its_fields_are_read() {
    let error = small("hansel-case/1\"", "hansel-case/2\"\nnew = 1").unwrap_err();
    assert!(matches!(&error, CaseFileError::Schema { found, .. } if found == "hansel-case/2"));
    let none = small("schema = \"hansel-case/1\"", "").unwrap_err();
    assert!(matches!(none, CaseFileError::Schema { .. }));
}

#[test]
fn hostile_text_is_bounded_and_never_echoed_raw() {
    let escape = small(THEFT, "\\u001b[31m").unwrap_err().to_string();
    assert!(!escape.contains('\u{1b}'), "{escape}");
    let long = small(
        "note = \"n\"",
        &format!("note = \"{}\"", "n".repeat(1 << 20)),
    )
    .unwrap_err();
    assert!(matches!(long, CaseFileError::TooLong { .. }));
    let nested = small("note = \"n\"", &format!("note = {}", "[".repeat(200_000)));
    assert!(nested.is_err());
}
