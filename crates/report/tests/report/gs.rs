use hansel_report::{Format, Report, render};
use serde_json::{Value, json};

use crate::readers;
use crate::sample::{self, DEPOSIT, SPLIT, THEFT};

/// Has the dashboard's own library unpack the file, and prints the JSON in it.
const ASK: &str = "const lzw = require('lzwcompress');\n\
    const file = require('fs').readFileSync(0);\n\
    const codes = [];\n\
    for (let at = 0; at < file.length; at += 4) codes.push(file.readUInt32LE(at));\n\
    console.log(Buffer.from(lzw.unpack(codes), 'base64').toString());";

/// What the dashboard reads.
pub(crate) fn unpacked(report: &Report) -> Option<Value> {
    let files = render(report, Format::Gs).unwrap();
    let text = readers::node("lzwcompress", ASK, &files[0].bytes)?;
    Some(serde_json::from_str(&text).unwrap())
}

#[test]
fn the_dashboards_library_unpacks_the_trail_with_its_start_and_its_labels() {
    let Some(save) = unpacked(&sample::report()) else {
        return;
    };
    assert_eq!([&save[0], &save[1]], [&json!("pathfinder"), &json!("1")]);
    let of = |at: usize| save[at].as_array().unwrap();
    let started: Vec<_> = of(4).iter().filter(|tx| tx[3] == true).collect();
    assert_eq!(started[0][0], json!(["btc", THEFT]));
    assert!(of(4).iter().any(|tx| tx[0] == json!(["btc", SPLIT])));
    let known: Vec<_> = of(3).iter().chain(of(4)).map(|thing| &thing[0]).collect();
    assert!(!of(5).is_empty());
    assert!(of(5).iter().all(|note| known.contains(&&note[0])));
    let labels: Vec<_> = of(5).iter().map(|note| note[1].as_str().unwrap()).collect();
    assert!(
        labels
            .iter()
            .any(|label| label.contains("Example Exchange")),
        "{labels:?}"
    );
    let mut places: Vec<_> = of(3)
        .iter()
        .chain(of(4))
        .map(|one| (one[1].to_string(), one[2].to_string()))
        .collect();
    places.sort();
    let count = places.len();
    places.dedup();
    assert_eq!(places.len(), count, "no two stand on each other");
}

#[test]
fn who_received_the_theft_keeps_the_name_that_others_give_him() {
    let mut report = sample::report();
    report.seeds[0].to = Some(DEPOSIT.into());
    let Some(save) = unpacked(&report) else {
        return;
    };
    let notes = save[5].as_array().unwrap();
    let note = notes.iter().find(|note| note[0][1] == DEPOSIT).unwrap();
    let words = note[1].as_str().unwrap();
    assert!(
        words.contains("Example Exchange") && words.contains("received"),
        "{words}"
    );
}

#[test]
fn a_training_case_says_so_in_its_name() {
    let mut report = sample::report();
    report.case.training = true;
    if let Some(save) = unpacked(&report) {
        assert!(
            save[2].as_str().unwrap().starts_with("TRAINING CASE"),
            "{save}"
        );
    }
}
