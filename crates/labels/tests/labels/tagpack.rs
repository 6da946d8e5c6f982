//! TagPacks.

use hansel_heuristics::EntityKind;

use crate::{GENESIS, POOL, only_refusal, pack_of, tagpack};

/// The example of the format's description, with a tag more.
const EXAMPLE: &str = "\
title: Example exchange tags
creator: Fund-flow tracer
description: what it says
source: https://example.org/proof
currency: BTC
network: BTC
confidence: web_crawl
is_cluster_definer: true
is_public: true
lastmod: 2021-04-21
concepts: [exchange]
tags:
  - address: 1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa
    label: example.org donation
    tag_type: actor
  - address: 0xA160cdAB225685dA1d56aa342Ad8841c3b53f291
    label: a pool
    network: ETH
    actor: tornado
    concepts:
      - mixing_service
      - defi
    confidence: service_data
    lastmod: 2022-08-08 00:00:00
    context: '{\"a\": 1}'
  - tx_hash: 4a5e1e4baab89f3a32518a88c31bc87f618f76673e2cc77ab2127b7afdeda33b
    label: a transaction
  - address: TN2AfKEQeNRUjVuVJwuFbKDkVqK2sPDKtB
    label: of a chain that is not read
    network: TRX
";

#[test]
fn fields_of_the_header_are_every_tags_that_lacks_them() {
    let pack = tagpack(EXAMPLE).unwrap();
    assert!(pack.refused.is_empty(), "{:?}", pack.refused);
    let labels: Vec<_> = pack.labels().collect();
    assert_eq!(labels.len(), 2);
    let (address, label) = &labels[0];
    assert_eq!(*address, GENESIS);
    assert_eq!(label.kind, EntityKind::Exchange);
    assert_eq!(label.label, "example.org donation");
    assert_eq!(label.source, "https://example.org/proof");
    assert_eq!(label.confidence, "web_crawl");
    assert_eq!(label.as_of.as_deref(), Some("2021-04-21"));
    assert_eq!(label.network, "bitcoin");
    assert_eq!(label.pack, "pack");
    let (address, label) = &labels[1];
    assert_eq!(*address, POOL);
    assert_eq!(label.kind, EntityKind::Mixer);
    assert_eq!(label.actor.as_deref(), Some("tornado"));
    assert_eq!(label.category, "mixing_service, defi");
    assert_eq!(label.as_of.as_deref(), Some("2022-08-08"));
    assert_eq!(label.network, "ethereum");
}

#[test]
fn tags_of_transactions_and_of_chains_that_are_not_read_are_counted_and_not_kept() {
    let pack = tagpack(EXAMPLE).unwrap();
    let passed: Vec<_> = pack.about.passed_over.into_iter().collect();
    assert_eq!(passed, [("TRX".into(), 1), ("transactions".into(), 1)]);
}

#[test]
fn older_packs_name_a_category_an_abuse_and_the_currency_only() {
    let text = format!(
        "title: t\ncreator: c\ncategory: exchange\nabuse: sanction\nsource: s\nlabel: Garantex\ncurrency: BTC\ntags:\n- address: {GENESIS}\n"
    );
    let pack = tagpack(&text).unwrap();
    let (_, label) = pack.labels().next().unwrap();
    assert_eq!(label.kind, EntityKind::Exchange);
    assert_eq!(label.category, "exchange, sanction");
    assert_eq!(label.confidence, "unknown");
    assert_eq!(label.as_of, None);
}

#[test]
fn an_address_that_is_only_mentioned_ends_no_trail() {
    let tag =
        format!("- address: {GENESIS}\n  label: x\n  concepts: [exchange]\n  tag_type: mention\n");
    let pack = tagpack(&pack_of(&tag)).unwrap();
    let (_, label) = pack.labels().next().unwrap();
    assert_eq!(label.kind, EntityKind::Other);
}

#[test]
fn a_malformed_address_is_refused_with_its_line_and_the_others_are_told() {
    let tags = format!(
        "- address: {GENESIS}\n  label: good\n- label: bad\n  address: 1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNb\n"
    );
    let pack = tagpack(&pack_of(&tags)).unwrap();
    let refusal = only_refusal(&pack);
    assert!(
        refusal.starts_with("file, line 10, column 12: `1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNb` is not a valid Bitcoin address"),
        "{refusal}"
    );
    assert_eq!(pack.len(), 1);
}

#[test]
fn an_evm_address_of_mixed_case_must_carry_its_checksum_and_needs_none_in_one_case() {
    let tag = |address: &str| {
        let tags = format!("- address: {address}\n  label: x\n  network: ETH\n");
        tagpack(&pack_of(&tags)).unwrap()
    };
    let wrong = tag(&POOL.replace("A160cdAB", "a160cdAB"));
    assert!(only_refusal(&wrong).contains("checksum (EIP-55) is wrong"));
    for address in [POOL.to_lowercase(), POOL.to_uppercase().replace('X', "x")] {
        let pack = tag(&address);
        assert_eq!(pack.labels().next().unwrap().0, POOL);
    }
}

#[test]
fn an_address_of_another_network_is_refused() {
    let tags = "- address: tb1qw508d6qejxtdg4y5r3zarvary0c5xw7kxpjzsx\n  label: x\n";
    let pack = tagpack(&pack_of(tags)).unwrap();
    assert!(only_refusal(&pack).contains("is not an address of bitcoin"));
    let there = tags.replace("label: x", "label: x\n  network: bitcoin-testnet4");
    assert_eq!(tagpack(&pack_of(&there)).unwrap().len(), 1);
}

#[test]
fn a_date_in_the_future_and_a_date_that_is_none_are_refused() {
    let tag = |day: &str| {
        let tags = format!("- address: {GENESIS}\n  label: x\n  lastmod: {day}\n");
        tagpack(&pack_of(&tags)).unwrap()
    };
    let refusal = only_refusal(&tag("2026-11-22"));
    let expected = "file, line 9, column 12: 2026-11-22 is in the future: today is 2026-11-21";
    assert_eq!(refusal, expected);
    assert!(tag("2026-11-21").refused.is_empty());
    assert!(only_refusal(&tag("2023-02-29")).contains("is not a date"));
}

#[test]
fn a_field_that_the_format_does_not_have_is_refused_with_its_line() {
    let tags = format!("- address: {GENESIS}\n  label: x\n  colour: red\n");
    let refusal = tagpack(&pack_of(&tags)).unwrap_err();
    assert_eq!(refusal.place.line, 9, "{refusal}");
    assert!(refusal.to_string().contains("colour"), "{refusal}");
    let header = tagpack("title: t\ncreator: c\nevil: 1\ntags: []\n").unwrap_err();
    assert_eq!(header.place.line, 3, "{header}");
}

#[test]
fn what_a_tag_needs_and_lacks_is_named() {
    let tags = format!("- address: {GENESIS}\n- label: x\n- address: {GENESIS}\n  label: ' '\n");
    let pack = tagpack(&pack_of(&tags)).unwrap();
    let refused: Vec<_> = pack.refused.iter().map(ToString::to_string).collect();
    assert_eq!(
        refused,
        [
            "file, line 7, column 3: a label lacks `label`".replace(", column 3", ""),
            "file, line 8: a label lacks `address`".into(),
            "file, line 10, column 10: a label lacks `label`".into(),
        ]
    );
}

#[test]
fn a_confidence_outside_the_taxonomy_is_refused() {
    let tags = format!("- address: {GENESIS}\n  label: x\n  confidence: trust me\n");
    let refusal = only_refusal(&tagpack(&pack_of(&tags)).unwrap());
    assert!(refusal.contains("`trust me` is no confidence"), "{refusal}");
}

#[test]
fn a_tag_of_an_address_and_a_transaction_is_refused() {
    let tags = format!("- address: {GENESIS}\n  tx_hash: aa\n  label: x\n");
    let refusal = only_refusal(&tagpack(&pack_of(&tags)).unwrap());
    assert!(refusal.contains("not of both"), "{refusal}");
}

#[test]
fn an_alias_bomb_is_refused_before_it_grows() {
    let mut text =
        String::from("title: t\ncreator: c\ndescription:\n  a: &a [x,x,x,x,x,x,x,x,x]\n");
    for (name, before) in ('b'..='z').zip('a'..) {
        let nine = vec![format!("*{before}"); 9].join(",");
        text.push_str(&format!("  {name}: &{name} [{nine}]\n"));
    }
    text.push_str("tags: []\n");
    let refusal = tagpack(&text).unwrap_err();
    assert!(refusal.place.line > 1, "{refusal}");
}

#[test]
fn deep_nesting_is_refused() {
    for (open, close) in [("[", "]"), ("{a: ", "}")] {
        let deep = format!("{}{}", open.repeat(100_000), close.repeat(100_000));
        let text = format!("title: t\ncreator: c\ndescription: {deep}\ntags: []\n");
        let refusal = tagpack(&text).unwrap_err();
        assert_eq!(refusal.place.line, 3, "{refusal}");
    }
    let mut block = String::from("title: t\ncreator: c\ndescription:\n");
    for depth in 1..200 {
        block.push_str(&format!("{}a:\n", " ".repeat(depth)));
    }
    assert!(tagpack(&block).is_err());
}

#[test]
fn texts_of_a_megabyte_are_refused_with_their_line() {
    let long = "x".repeat(1 << 20);
    for (field, tags) in [
        ("label", format!("- address: {GENESIS}\n  label: {long}\n")),
        ("address", format!("- label: x\n  address: {long}\n")),
        (
            "source",
            format!("- address: {GENESIS}\n  label: x\n  source: {long}\n"),
        ),
        (
            "actor",
            format!("- address: {GENESIS}\n  label: x\n  actor: {long}\n"),
        ),
        (
            "category",
            format!("- address: {GENESIS}\n  label: x\n  concepts: [{long}]\n"),
        ),
        (
            "network",
            format!("- address: {GENESIS}\n  label: x\n  network: {long}\n"),
        ),
    ] {
        let refusal = only_refusal(&tagpack(&pack_of(&tags)).unwrap());
        let expected = format!("`{field}` is 1048576 bytes long");
        assert!(refusal.contains(&expected), "{field}: {}", &refusal[..200]);
        assert!(refusal.len() < 300);
    }
}

#[test]
fn hostile_characters_of_a_label_are_data() {
    let name = "<b>\u{202e}gpj.exe\u{1b}[31m'; DROP TABLE labels; --\u{0}";
    let tags = format!(
        "- address: {GENESIS}\n  label: \"<b>\\u202egpj.exe\\e[31m'; DROP TABLE labels; --\\0\"\n"
    );
    let pack = tagpack(&pack_of(&tags)).unwrap();
    assert_eq!(pack.labels().next().unwrap().1.label, name);
}

#[test]
fn messages_hold_nothing_that_could_steer_a_terminal() {
    let evil = "\\e[31m\\u202e\\0";
    let long = "\\e".repeat(5_000);
    for tags in [
        format!("- address: \"{evil}\"\n  label: x\n"),
        format!("- address: {GENESIS}\n  label: x\n  lastmod: \"{evil}\"\n"),
        format!("- address: {GENESIS}\n  label: x\n  confidence: \"{evil}\"\n"),
        format!("- address: {GENESIS}\n  label: x\n  network: \"{evil}\"\n"),
        format!("- address: {GENESIS}\n  label: x\n  \"{evil}\": 1\n"),
        format!("- address: {GENESIS}\n  label: x\n  \"{long}\": 1\n"),
    ] {
        let message = match tagpack(&pack_of(&tags)) {
            Ok(pack) => only_refusal(&pack),
            Err(refusal) => refusal.to_string(),
        };
        assert!(
            message.chars().all(|c| c.is_ascii_graphic() || c == ' '),
            "{message:?}"
        );
        assert!(message.len() < 400, "{message}");
    }
}

#[test]
fn what_is_no_tagpack_is_refused_with_its_line() {
    for (text, line) in [
        ("", 1),
        ("title: t\ncreator: c\n", 1),
        ("title: [\n", 2),
        ("title: t\ncreator: c\ntags: 7\n", 3),
        (
            "title: t\ncreator: c\ntags:\n  - address: x\n label: y\n",
            5,
        ),
        ("title: t\ntitle: u\ncreator: c\ntags: []\n", 2),
        ("title: t\ncreator: c\ntags: []\n---\ntitle: u\n", 4),
    ] {
        let refusal = tagpack(text).unwrap_err();
        assert!(
            refusal.place.line.abs_diff(line) <= 1,
            "{text:?}: {refusal}"
        );
    }
    let latin = crate::read("pack", |reader| {
        reader.tagpack(b"title: t\ncreator: \xe9\n")
    });
    assert_eq!(latin.unwrap_err().to_string(), "file, line 2: not UTF-8");
}
