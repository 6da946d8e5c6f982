//! The shipped case files are readable, complete and checked; wrong ones are refused at the right line.

#![allow(
    clippy::unwrap_used,
    clippy::print_stderr,
    reason = "a step that fails is a test that fails"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bitcoin::Network;
use hansel_heuristics::{CaseFile, CaseFileError, CaseParty};
use hansel_ledger::{Asset, Chain, Coin, EvmNetwork, Family, Subject, UnixTime};
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
    let evm = ["ethereum", "arbitrum", "bnb", "base", "avalanche"].map(evm);
    [Chain::bitcoin(), regtest].into_iter().chain(evm).collect()
}

fn evm(name: &str) -> Chain {
    let network = EvmNetwork {
        chain_id: 1,
        native: Asset {
            symbol: "ETH".into(),
            decimals: 18,
        },
        wrapped: None,
        tokens: Vec::new(),
        blocks: hansel_ledger::BlockForm::default(),
    };
    Chain::new(name, Family::Evm(Arc::new(network))).unwrap()
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
fn every_seed_is_on_a_chain_that_is_read_and_only_others_are_waited_for() {
    let seeds = |name: &str| {
        let mut counts = BTreeMap::new();
        for seed in shipped(name).seeds {
            *counts.entry(seed.chain).or_insert(0) += 1;
        }
        counts
    };
    let count = |counts: &[(&str, u64)]| -> BTreeMap<String, u64> {
        counts
            .iter()
            .map(|(chain, count)| ((*chain).to_owned(), *count))
            .collect()
    };
    assert_eq!(seeds("dmm-bitcoin"), count(&[("bitcoin", 1)]));
    assert_eq!(seeds("radiant"), count(&[("arbitrum", 1), ("bnb", 1)]));
    assert_eq!(seeds("rain"), count(&[("bitcoin", 1), ("ethereum", 1)]));
    assert_eq!(seeds("upbit"), count(&[("ethereum", 1)]));
    assert_eq!(seeds("wazirx"), count(&[("bitcoin", 12), ("ethereum", 1)]));
    let waits = SHIPPED.map(|(name, _)| shipped(name).waits_for.join(" "));
    assert_eq!(waits, ["tron", "", "solana", "", ""]);
}

#[test]
fn the_ethereum_parts_start_from_the_theft_transactions_or_else_from_who_received() {
    let chains = chains();
    let subject = |name: &str, chain: &str| {
        let seed = shipped(name)
            .seeds
            .into_iter()
            .find(|seed| seed.chain == chain);
        let seed = seed.unwrap();
        let chain = chains.iter().find(|one| one.name() == chain).unwrap();
        (Subject::parse(&seed.subject, chain).unwrap(), seed)
    };
    for (name, chain) in [
        ("upbit", "ethereum"),
        ("radiant", "arbitrum"),
        ("radiant", "bnb"),
    ] {
        let (theft, seed) = subject(name, chain);
        assert!(matches!(theft, Subject::EvmTransaction(_)), "{name}");
        assert_eq!((seed.since, seed.until), (None, None), "{name}");
    }
    for name in ["wazirx", "rain"] {
        let (theft, seed) = subject(name, "ethereum");
        assert!(matches!(theft, Subject::Account(_)), "{name}");
        let day: UnixTime = shipped(name).date.parse().unwrap();
        assert!(seed.since <= Some(day) && seed.until > Some(day), "{name}");
    }
    assert_eq!(subject("rain", "ethereum").1.assets, [Coin::Native]);
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
waits_for = ["tron"]
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
[[seeds]]
chain = "ethereum"
subject = "0x04b21735E93Fa3f8df70e2Da89e6922616891a88"
what = "w"
assets = ["native", "0xdAC17F958D2ee523a2206206994597C13D831ec7"]
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
    let thief = "0x04b21735E93Fa3f8df70e2Da89e6922616891a88";
    let hash = "0x48164d3adbab78c2cb9876f6e17f88e321097fcd14cadd57556866e4ef3e185d";
    let dated = format!("{hash}\"\nsince = \"2024-05-31");
    let listed = format!("chains = [\"bitcoin\"]\naddress = \"{address}\"");
    let hash_as_address = format!("chains = [\"ethereum\"]\naddress = \"{hash}\"");
    // A movement has its own coin and its own moment.
    let theft = "0x48164d3adbab78c2cb9876f6e17f88e321097fcd14cadd57556866e4ef3e185d:log:7";
    let wrong = [
        ("name = \"small\"", "name = \"other\"", 2),
        ("2024-05-31", "31.5.2024!", 4),
        ("2024-05-31", "2024-05-32", 4),
        ("[\"tron\"]", "[\"tron\", \"bitcoin\"]", 7),
        ("[\"tron\"]", "[\"tron\", \"ethereum\"]", 7),
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
        ("0x04b21735E93F", "0x04B21735E93F", 26),
        ("0x04b21735E93F", "0x04b21735E93", 26),
        (thief, address, 19),
        (thief, theft, 26),
        (thief, &dated, 26),
        (&listed, &hash_as_address, 19),
        ("[\"native\", ", "[\"ether\", ", 28),
        ("[\"native\", ", "[\"\", ", 28),
        ("\"0xdAC17F", "\"0xdac17F", 28),
        ("\"0xdAC17F", "\"dAC17F", 28),
        ("[\"native\", ", "[\"native\", \"native\", ", 26),
        ("what = \"w\"", "what = \"w\"\nassets = [\"native\"]", 14),
        ("ef3e185d", "ef3e185", 32),
        ("[[transactions]]", "[[transactions]", 30),
    ];
    for (old, new, line) in wrong {
        let error = small(old, new).unwrap_err().to_string();
        let place = format!("cases/small.toml, line {line}:");
        assert!(error.starts_with(&place), "{new}: {error}");
    }
    small("note = \"n\"", "note = \"m\"").unwrap();
}

#[test]
fn the_coins_that_count_are_read_with_their_checksums() {
    let usdt = "0xdAC17F958D2ee523a2206206994597C13D831ec7";
    let expected = vec![Coin::Native, Coin::Token(usdt.parse().unwrap())];
    for spelt in [usdt.to_owned(), usdt.to_lowercase()] {
        let case = small(usdt, &spelt).unwrap();
        assert_eq!(case.seeds[1].assets, expected);
        assert!(case.seeds[0].assets.is_empty());
    }
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
