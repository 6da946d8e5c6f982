use hansel_labels::{Day, Reader};
use hansel_ledger::Chain;
use hansel_report::{Format, Report};

use crate::readers;
use crate::sample::{self, COLD, DEPOSIT, LOOT};

/// How many labels this program's own import takes from the pack.
pub(crate) fn imported(report: &Report) -> usize {
    let yaml = sample::rendered(report, Format::TagPack);
    let (chains, today): (_, Day) = (vec![Chain::bitcoin()], "2026-11-21".parse().unwrap());
    let reader = Reader {
        file: "trail.yaml",
        name: "trail",
        chains: &chains,
        today: &today,
        imported: true,
    };
    reader.tagpack(yaml.as_bytes()).unwrap().len()
}

/// The pack as PyYAML reads it, the parser of GraphSense's own tool, in JSON.
pub(crate) fn with_yaml(report: &Report) -> Option<serde_json::Value> {
    let script = "import sys, yaml, json\n\
        print(json.dumps(yaml.safe_load(sys.stdin.buffer.read()), default=str))";
    let yaml = sample::rendered(report, Format::TagPack);
    let json = readers::python("yaml", script, yaml.as_bytes())?;
    Some(serde_json::from_str(&json).unwrap())
}

#[test]
fn every_address_that_tainted_value_came_to_is_tagged_once() {
    let Some(pack) = with_yaml(&sample::report()) else {
        return;
    };
    let tags = pack["tags"].as_array().unwrap();
    let told = |tag: &serde_json::Value| {
        (
            tag["address"].as_str().unwrap().to_owned(),
            tag["confidence"].clone(),
        )
    };
    let tagged: Vec<_> = tags.iter().map(told).collect();
    let expected = [
        (LOOT, "forensic"),
        (COLD, "heuristic"),
        (DEPOSIT, "heuristic"),
    ];
    let expected = expected.map(|(address, confidence)| (address.to_owned(), confidence.into()));
    assert_eq!(tagged, expected);
    assert_eq!(
        tags[1]["label"],
        "sample-theft: received value of the theft"
    );
    assert_eq!(
        (&tags[1]["network"], &tags[1]["lastmod"]),
        (&"BTC".into(), &"2024-06-21".into())
    );
    assert_eq!(pack["is_public"], false);
}

#[test]
fn an_address_of_digits_stays_text() {
    let mut report = sample::report();
    report.flows[1].to_address = Some("0x10".into());
    let Some(pack) = with_yaml(&report) else {
        return;
    };
    assert_eq!(pack["tags"][0]["address"], "0x10");
}

#[test]
fn the_import_of_labels_takes_the_pack() {
    let mut report = sample::report();
    // The sample's address of a deposit is made up and its checksum is wrong.
    report.flows.remove(2);
    assert_eq!(imported(&report), 2);
}

#[test]
fn a_trail_without_addresses_is_an_empty_pack() {
    let mut report = sample::report();
    report.flows.clear();
    assert!(sample::rendered(&report, Format::TagPack).ends_with("tags: []\n"));
}
