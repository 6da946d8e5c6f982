use std::collections::BTreeSet;

use hansel_report::{Format, Report};
use serde_json::Value;

use crate::readers;
use crate::sample::{self, DEPOSIT, SPLIT};

fn objects(report: &Report) -> Vec<Value> {
    let bundle: Value = serde_json::from_str(&sample::rendered(report, Format::Stix)).unwrap();
    bundle["objects"].as_array().unwrap().clone()
}

/// What the validator of the standard's own committee says; `True` and no errors.
pub(crate) fn validated(report: &Report) -> Option<String> {
    let script = "import sys\n\
        from stix2validator import validate_string, ValidationOptions\n\
        r = validate_string(sys.stdin.buffer.read().decode(), ValidationOptions(version='2.1'))\n\
        print(r.is_valid, [str(e) for e in r.errors])";
    let bundle = sample::rendered(report, Format::Stix);
    readers::python("stix2validator", script, bundle.as_bytes())
}

#[test]
fn the_stix_validator_accepts_the_bundle() {
    if let Some(output) = validated(&sample::report()) {
        assert_eq!(output, "True []\n");
    }
}

#[test]
fn ids_are_unique_and_every_reference_is_in_the_bundle() {
    let objects = objects(&sample::report());
    let ids: BTreeSet<_> = objects
        .iter()
        .map(|object| object["id"].as_str().unwrap())
        .collect();
    assert_eq!(ids.len(), objects.len());
    for object in &objects {
        for (name, value) in object.as_object().unwrap() {
            let all = match value {
                Value::Array(all) if name == "object_refs" => all.clone(),
                value if name.ends_with("_ref") => vec![value.clone()],
                _ => continue,
            };
            for id in all {
                assert!(ids.contains(id.as_str().unwrap()), "{name}: {id}");
            }
        }
    }
    let classes: BTreeSet<_> = objects
        .iter()
        .map(|object| object["type"].as_str().unwrap())
        .collect();
    let expected = [
        "cryptocurrency-transaction",
        "cryptocurrency-wallet",
        "identity",
        "note",
        "observed-data",
        "relationship",
        "report",
    ];
    assert_eq!(classes, expected.into());
}

#[test]
fn amounts_are_exact_text_and_no_number_of_a_bundle_is_a_fraction() {
    let objects = objects(&sample::report());
    let split = objects
        .iter()
        .find(|object| object["value"] == SPLIT)
        .unwrap();
    let output = &split["output"][0];
    assert_eq!(output["x_hansel_amount"], "300000000000");
    assert_eq!(output["x_hansel_tainted"]["haircut"], "292846148843");
    assert_eq!(split["execution_time"], "2024-06-21T20:00:00.000Z");
    let bundle = sample::rendered(&sample::report(), Format::Stix);
    assert!(!bundle.contains("\"amount\"") && !bundle.contains("\"fee\""));
}

#[test]
fn a_finding_points_at_the_transaction_it_speaks_of_and_a_cash_out_at_its_service() {
    let objects = objects(&sample::report());
    let find = |class: &str| {
        objects
            .iter()
            .find(|object| object["type"] == class)
            .unwrap()
    };
    let value = |id: &Value| {
        objects
            .iter()
            .find(|object| object["id"] == *id)
            .unwrap()
            .clone()
    };
    let note = find("note");
    assert_eq!(value(&note["object_refs"][0])["value"], SPLIT);
    let paid = find("relationship");
    assert_eq!(value(&paid["source_ref"])["value"], DEPOSIT);
    assert_eq!(value(&paid["target_ref"])["name"], "Example Exchange");
}
