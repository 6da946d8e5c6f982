use std::path::Path;

use hansel_graph::Rule;
use hansel_report::{Report, json_schema};
use serde_json::{Value, json};

use crate::sample;

fn value() -> Value {
    serde_json::from_str(&sample::report().to_json()).unwrap()
}

/// The report with one value replaced.
fn with(pointer: &str, new: Value) -> Value {
    let mut report = value();
    *report.pointer_mut(pointer).expect(pointer) = new;
    report
}

fn without(pointer: &str, field: &str) -> Value {
    let mut report = value();
    let object = report
        .pointer_mut(pointer)
        .and_then(Value::as_object_mut)
        .expect(pointer);
    object.remove(field).expect(field);
    report
}

#[test]
fn a_report_survives_writing_and_reading() {
    let report = sample::report();
    let json = report.to_json();
    assert!(json.ends_with("}\n"));
    assert_eq!(Report::from_json(json.as_bytes()).unwrap(), report);
    assert_eq!(json, sample::report().to_json());
}

#[test]
fn fields_stand_in_the_order_of_the_design() {
    let json = sample::report().to_json();
    let fields = [
        "schema",
        "case",
        "tips",
        "seeds",
        "accounting",
        "nodes",
        "flows",
        "findings",
        "cash_outs",
        "unknown",
        "sources",
    ];
    let places: Vec<_> = fields
        .iter()
        .map(|field| json.find(&format!("\n  \"{field}\":")).expect(field))
        .collect();
    assert!(places.is_sorted(), "{places:?}");
    assert!(json.starts_with(
        "{\n  \"schema\": \"hansel-report/1\",\n  \"case\": {\n    \"name\": \"sample-theft\""
    ));
}

#[test]
fn amounts_are_strings_and_times_are_utc() {
    let report = value();
    assert_eq!(report["seeds"][0]["amount"], "450290000000");
    assert_eq!(report["seeds"][0]["time"], "2024-05-31T04:26:26Z");
    assert_eq!(
        report["flows"][1]["tainted"],
        json!({ "fifo": "300000000000", "haircut": "292846148843" })
    );
    assert_eq!(
        report["flows"][1]["claims"]["haircut"],
        json!({ "s1": "292846148843" })
    );
    assert_eq!(report["nodes"][2]["stop"]["kind"], "at-rest");
    assert_eq!(report["nodes"][4]["block"], Value::Null);
    assert_eq!(
        report["case"]["limits"],
        json!({ "hops": 10, "min_share": "0.001" })
    );
}

#[test]
fn a_report_of_another_version_is_refused_by_name() {
    for other in ["hansel-report/2", "hansel-report/10", "", "\u{1b}[31m"] {
        let report = with("/schema", json!(other));
        let error = Report::from_json(report.to_string().as_bytes())
            .unwrap_err()
            .to_string();
        assert!(
            error.starts_with("not a hansel-report/1 report: "),
            "{error}"
        );
        assert!(
            error.contains("expected hansel-report/1") && !error.contains('\u{1b}'),
            "{error}"
        );
    }
}

#[test]
fn a_field_that_this_version_does_not_know_is_refused() {
    let mut report = value();
    report["nodes"][0]["owner"] = json!("somebody");
    assert!(Report::from_json(report.to_string().as_bytes()).is_err());
}

#[test]
fn a_refusal_never_repeats_control_characters_or_megabytes() {
    let mut report = value();
    report["\u{1b}[31m"] = json!(1);
    let error = Report::from_json(report.to_string().as_bytes())
        .unwrap_err()
        .to_string();
    assert!(error.contains(r"\u{1b}[31m"), "{error}");
    for pointer in [
        "/seeds/0/amount",
        "/seeds/0/time",
        "/case/rules/0",
        "/schema",
        "/flows/0/kind",
    ] {
        let report = with(pointer, json!("\u{9b}".repeat(1_000_000)));
        let error = Report::from_json(report.to_string().as_bytes())
            .unwrap_err()
            .to_string();
        assert!(
            error.len() < 4_000 && !error.contains('\u{9b}'),
            "{pointer}: {}",
            error.len()
        );
    }
}

#[test]
fn accounting_balances_only_to_the_unit() {
    let row = || sample::accounting(Rule::Fifo, 300_000_000_000, 150_290_000_000, 0);
    assert!(row().balances());
    let mut short = row();
    short.at_rest = 299_999_999_999.into();
    assert!(
        !short.balances(),
        "the sum of the categories is one unit short"
    );
    let mut wrong_total = row();
    wrong_total.total = 1.into();
    assert!(!wrong_total.balances());
    let mut overflowing = row();
    overflowing.hubs =
        "115792089237316195423570985008687907853269984665640564039457584007913129639935"
            .parse()
            .unwrap();
    assert!(!overflowing.balances());
}

#[test]
fn sorting_goes_by_block_and_keeps_the_order_within_one() {
    let mut report = sample::report();
    report.flows.rotate_left(1);
    report.flows[0].block = None;
    report.sort();
    let ids: Vec<_> = report
        .flows
        .iter()
        .map(|flow| flow.id.rsplit_once(':').unwrap().1)
        .collect();
    let theft = &report.flows[0].tx;
    assert_eq!(theft, sample::THEFT);
    assert_eq!(ids, ["0", "1", sample::SPLIT, "0"]);
    assert_eq!(report.flows.last().unwrap().block, None);
    let sorted = report.clone();
    report.sort();
    assert_eq!(report, sorted);
}

#[test]
fn the_schema_in_the_documentation_is_the_one_of_the_types() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/report-schema.json");
    let written: Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    assert!(
        written == json_schema(),
        "stale: cargo run --release -p hansel-report --example report-schema > docs/report-schema.json"
    );
}

#[test]
fn the_schema_accepts_reports_and_refuses_what_is_not_one() {
    let schema = jsonschema::validator_for(&json_schema()).unwrap();
    assert!(schema.is_valid(&value()), "{:?}", schema.validate(&value()));
    let refused = [
        ("another version", with("/schema", json!("hansel-report/2"))),
        (
            "an amount as a number",
            with("/seeds/0/amount", json!(450_290_000_000_u64)),
        ),
        ("a negative amount", with("/seeds/0/amount", json!("-1"))),
        ("a fraction", with("/flows/0/tainted/fifo", json!("1.5"))),
        ("an unknown rule", with("/case/rules/0", json!("libr"))),
        ("an unknown stop", with("/nodes/2/stop/kind", json!("lost"))),
        ("an unknown proof", with("/flows/0/proof", json!("promise"))),
        (
            "a time that is not UTC",
            with("/seeds/0/time", json!("2024-05-31T05:26:26+01:00")),
        ),
        (
            "a missing accounting category",
            without("/accounting/0", "burned"),
        ),
        ("a missing list of what is unknown", without("", "unknown")),
        (
            "a missing block, which must be null",
            without("/nodes/4", "block"),
        ),
        ("a negative height", with("/tips/0/height", json!(-1))),
    ];
    for (what, report) in refused {
        assert!(!schema.is_valid(&report), "{what}");
    }
}
