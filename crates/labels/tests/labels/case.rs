//! Case files as labels.

use std::path::Path;

use hansel_heuristics::{CaseFile, EntityKind};

use crate::{GENESIS, POOL, chains, read};

const CASE: &str = r#"schema = "hansel-case/1"
name = "heist"
title = "A heist"
date = "2024-05-31"
amount = "1 BTC"
attribution = "nobody"
waits_for = ["solana"]
note = "none"
[[sources]]
id = "a"
text = "first page"
[[sources]]
id = "b"
text = "second page"
[[addresses]]
chains = ["ethereum", "arbitrum"]
address = "0xA160cdAB225685dA1d56aa342Ad8841c3b53f291"
party = "thief"
role = "received"
confidence = "high"
sources = ["b", "a"]
[[addresses]]
chains = ["bitcoin"]
address = "1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa"
party = "service"
role = "deposit"
confidence = "low"
sources = ["a"]
[[addresses]]
chains = ["solana"]
address = "8mowmVCEewZ9W2cEaQyQeQEeSxhGr1hvRviLwozwNtBt"
party = "thief"
role = "elsewhere"
confidence = "low"
sources = ["a"]
"#;

#[test]
fn the_addresses_of_a_case_are_labels_on_every_chain_that_they_are_named_on() {
    let case = CaseFile::parse(Path::new("heist.toml"), CASE, &chains()).unwrap();
    let pack = read("case-heist", |reader| reader.case(&case)).unwrap();
    assert!(pack.refused.is_empty(), "{:?}", pack.refused);
    let labels: Vec<_> = pack.labels().collect();
    let places: Vec<_> = labels
        .iter()
        .map(|(address, label)| (label.network.as_str(), *address, label.kind))
        .collect();
    assert_eq!(
        places,
        [
            ("arbitrum", POOL, EntityKind::Actor),
            ("bitcoin", GENESIS, EntityKind::Service),
            ("ethereum", POOL, EntityKind::Actor),
        ]
    );
    let label = &labels[2].1;
    assert_eq!(label.label, "heist: received");
    assert_eq!(label.actor.as_deref(), Some("heist"));
    assert_eq!(label.source, "first page; second page");
    assert_eq!(label.confidence, "forensic_investigation");
    assert_eq!(label.as_of, None);
    assert_eq!(pack.about.passed_over.get("solana"), Some(&1));
}
