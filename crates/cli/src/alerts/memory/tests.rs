//! What is news of one report after another, on reports written by hand.

use hansel_report::Report;
use serde_json::{Value, json};

use super::*;

/// A payment from the theft's coin, seen in this block.
fn flow(tx: &str, block: Option<u64>) -> Value {
    json!({
        "id": format!("bitcoin:output:{tx}:0"), "chain": "bitcoin", "tx": tx, "block": block,
        "time": block.map(|_| "2026-11-21T15:00:00Z"), "from": format!("bitcoin:tx:{tx}"),
        "to": format!("bitcoin:output:{tx}:0"), "from_addresses": ["thief"], "to_address": format!("to-{tx}"),
        "asset": "BTC", "amount": "700", "tainted": {"fifo": "500"}, "claims": {"fifo": {"s1": "500"}},
        "proof": "none", "kind": "transfer"
    })
}

fn report(height: u64, flows: &[Value]) -> Report {
    let report = json!({
        "schema": "hansel-report/1",
        "case": {"name": "loot", "subjects": [], "direction": "forward", "limits": {}, "rules": ["fifo"],
                 "fee_rule": "last"},
        "tips": [{"chain": "bitcoin", "height": height, "hash": "00"}],
        "seeds": [], "accounting": [], "nodes": [], "flows": flows, "findings": [], "cash_outs": [],
        "unknown": [], "sources": []
    });
    Report::from_json(report.to_string().as_bytes()).unwrap()
}

/// A watch, and a chain in which the block of each height has one hash.
struct Watch {
    memory: Memory,
    branch: &'static str,
}

impl Watch {
    fn over(report: Option<&Report>) -> Self {
        Self {
            memory: Memory::begin("asked".into(), report).unwrap(),
            branch: "a",
        }
    }

    /// The alerts of a report, as rule, transaction and whether they take back.
    fn told(&mut self, report: &Report, partial: bool) -> Vec<(News, String, bool)> {
        let branch = self.branch;
        let known_block = |_: &str, height: u64| Ok(Some(format!("{branch}{height}")));
        let lookout = Lookout {
            case: "loot",
            dormant: 30,
            known_block: &known_block,
            enough: &|_| Ok(6),
        };
        let alerts = self.memory.take_in(report, partial, &lookout).unwrap();
        let told = alerts
            .into_iter()
            .map(|one| (one.rule, one.tx, one.retracts.is_some()));
        told.collect()
    }
}

fn moved(tx: &str) -> (News, String, bool) {
    (News::Moved, tx.to_owned(), false)
}

#[test]
fn what_a_report_says_when_the_watch_begins_is_no_news() {
    let first = report(9, &[flow("a", Some(1))]);
    let second = report(10, &[flow("a", Some(1)), flow("b", Some(10))]);
    let mut watch = Watch::over(Some(&first));
    assert_eq!(watch.told(&second, false), [moved("b")]);
    assert_eq!(watch.told(&second, false), []);
    let mut without = Watch::over(None);
    assert_eq!(without.told(&first, false), []);
    assert_eq!(without.told(&second, false), [moved("b")]);
}

#[test]
fn an_alert_says_how_deep_its_block_was_and_a_warning_and_a_retraction_are_not_deep() {
    let lookout =
        |branch: &'static str| move |_: &str, height: u64| Ok(Some(format!("{branch}{height}")));
    let mut memory = Memory::begin("asked".into(), Some(&report(9, &[]))).unwrap();
    let mut told = |branch, report: &Report| -> Vec<(u64, bool)> {
        let lookout = Lookout {
            case: "loot",
            dormant: 30,
            known_block: &lookout(branch),
            enough: &|_| Ok(3),
        };
        let alerts = memory.take_in(report, false, &lookout).unwrap();
        let depths = alerts.iter().map(|one| one.depth);
        depths.map(|one| (one.confirmations, one.settled)).collect()
    };
    let moves = [flow("a", Some(8)), flow("b", Some(9)), flow("c", None)];
    assert_eq!(
        told("a", &report(10, &moves)),
        [(3, true), (2, false), (0, false)]
    );
    assert_eq!(told("a", &report(11, &moves)), []);
    assert_eq!(
        told("b", &report(11, &moves[2..])),
        [(0, false), (0, false)]
    );
}

#[test]
fn a_report_that_was_cut_off_neither_takes_back_nor_makes_old_events_news() {
    let whole = report(10, &[flow("a", Some(1)), flow("b", Some(10))]);
    let mut watch = Watch::over(Some(&report(9, &[flow("a", Some(1))])));
    assert_eq!(watch.told(&whole, false), [moved("b")]);
    assert_eq!(watch.told(&report(10, &[]), true), []);
    assert_eq!(watch.told(&whole, false), []);
}

#[test]
fn a_warning_that_comes_true_is_told_as_a_fact_and_one_that_does_not_is_taken_back() {
    let mut watch = Watch::over(Some(&report(9, &[])));
    let waiting = report(9, &[flow("a", None), flow("b", None)]);
    assert_eq!(watch.told(&waiting, true), [moved("a"), moved("b")]);
    let mined = report(10, &[flow("a", Some(10))]);
    assert_eq!(
        watch.told(&mined, true),
        [moved("a")],
        "it is not known what became of b"
    );
    assert_eq!(watch.told(&mined, false), [(News::Moved, "b".into(), true)]);
    assert_eq!(watch.told(&mined, false), []);
}

#[test]
fn only_an_alert_whose_block_was_replaced_is_taken_back_and_only_once() {
    let mut watch = Watch::over(Some(&report(9, &[])));
    assert_eq!(
        watch.told(&report(10, &[flow("a", Some(10))]), false),
        [moved("a")]
    );
    assert_eq!(watch.told(&report(10, &[]), false), []);
    watch.branch = "b";
    assert_eq!(
        watch.told(&report(11, &[]), false),
        [(News::Moved, "a".into(), true)]
    );
    assert_eq!(watch.told(&report(11, &[]), false), []);
    assert_eq!(
        watch.told(&report(12, &[flow("a", Some(12))]), false),
        [moved("a")]
    );
}

#[test]
fn alerts_are_remembered_for_so_many_blocks_and_no_more_than_so_many() {
    let mut watch = Watch::over(Some(&report(9, &[])));
    let many: Vec<_> = (0..1_100)
        .map(|number| flow(&format!("t{number}"), Some(10)))
        .collect();
    assert_eq!(watch.told(&report(10, &many), false).len(), 1_100);
    assert_eq!(watch.memory.told.len(), 1_000);
    watch.told(&report(10 + WINDOW, &many), false);
    assert_eq!(watch.memory.told.len(), 1_000);
    watch.told(&report(11 + WINDOW, &many), false);
    assert_eq!(watch.memory.told.len(), 0);
    watch.branch = "b";
    assert_eq!(watch.told(&report(12 + WINDOW, &[]), false), []);
}

#[test]
fn ids_are_the_same_for_the_same_event_and_differ_between_cases_and_times() {
    let event = &events(&report(10, &[flow("a", Some(10))])).unwrap()[0];
    let other = &events(&report(10, &[flow("a", Some(12))])).unwrap()[0];
    let id = |event, case, times| alert(event, case, times, None, Depth::default()).id;
    assert_eq!(id(event, "loot", 0), id(other, "loot", 0));
    assert_ne!(id(event, "loot", 0), id(event, "loot", 1));
    assert_ne!(id(event, "loot", 0), id(event, "other", 0));
    let alert = alert(event, "loot", 0, None, Depth::default());
    assert_ne!(alert.id, alert.retraction().id);
}

#[test]
fn hostile_text_leaves_as_escapes_that_mean_the_same() {
    let mut hostile = flow("a", Some(10));
    let name = "\u{1b}[2J\u{202e}\u{9b}\u{7f}\n😀";
    hostile["to_address"] = name.into();
    let event = &events(&report(10, &[hostile])).unwrap()[0];
    let line = alert(event, name, 0, None, Depth::default())
        .to_line()
        .unwrap();
    assert!(
        line.bytes().all(|byte| (0x20..0x7f).contains(&byte)),
        "{line}"
    );
    let read: Alert = serde_json::from_str(&line).unwrap();
    assert_eq!((read.case.as_str(), read.to[0].as_str()), (name, name));
}
