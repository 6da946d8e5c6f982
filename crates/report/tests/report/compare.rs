use hansel_graph::Rule;
use hansel_report::model::*;
use hansel_report::{Comparison, Report};

use crate::sample;

fn of(before: &Report, after: &Report) -> Comparison {
    Comparison::of(before, after).unwrap()
}

/// The sample some blocks later: the cold output was spent, and half of it went to another exchange.
fn later() -> Report {
    let mut report = sample::report();
    report.tips[0].height += 100;
    report.accounting[0].at_rest = 150_000_000_000.into();
    report.accounting[0].exchanges = 300_290_000_000.into();
    report.nodes[2].stop = None;
    let mut flow = report.flows[1].clone();
    flow.id = "bitcoin:output:new:0".into();
    report.flows.push(flow);
    report.flows[2].tainted.insert(Rule::Fifo, 1.into());
    let mut cash_out = report.cash_outs[0].clone();
    cash_out.entity = "Another Exchange".into();
    report.cash_outs.insert(0, cash_out);
    report.findings[0].summary = "the loot was split twice".into();
    report.unknown.clear();
    report
}

#[test]
fn equal_reports_differ_in_nothing() {
    let comparison = of(&sample::report(), &sample::report());
    assert!(comparison.is_empty());
    let text = comparison.to_text(&sample::report());
    assert_eq!(text, "From sample-theft to sample-theft\nNothing differs\n");
}

#[test]
fn a_later_state_tells_what_is_new_and_what_is_gone() {
    let comparison = of(&sample::report(), &later());
    assert_eq!(comparison.flows.new, ["bitcoin:output:new:0"]);
    assert!(comparison.flows.gone.is_empty() && comparison.nodes.is_empty());
    let entities: Vec<_> = comparison
        .cash_outs
        .new
        .iter()
        .map(|row| &*row.entity)
        .collect();
    assert_eq!(entities, ["Another Exchange"]);
    assert_eq!(
        comparison.findings.new[0].summary,
        "the loot was split twice"
    );
    assert_eq!(
        comparison.findings.gone[0].summary,
        "the loot was split once"
    );
    assert_eq!(comparison.unknown.gone.len(), 1);
    let tip = &comparison.tips[0];
    assert_eq!((tip.before, tip.after), (Some(860_000), Some(860_100)));
    let end = &comparison.ends[0];
    assert_eq!((end.before, end.after), (Some(StopKind::AtRest), None));
    let backwards = of(&later(), &sample::report());
    assert_eq!(backwards.flows.gone, comparison.flows.new);
}

#[test]
fn sums_that_changed_are_told_by_rule_to_the_unit() {
    let comparison = of(&sample::report(), &later());
    let sums = comparison.sums.iter().map(|sum| {
        let (before, after) = (sum.before.to_string(), sum.after.to_string());
        (sum.rule, &*sum.category, before, after)
    });
    let sums: Vec<_> = sums.collect();
    let expected = [
        (
            Rule::Fifo,
            "at_rest",
            "300000000000".to_owned(),
            "150000000000".to_owned(),
        ),
        (
            Rule::Fifo,
            "exchanges",
            "150290000000".to_owned(),
            "300290000000".to_owned(),
        ),
    ];
    assert_eq!(sums, expected);
    let change = &comparison.tainted[0];
    let amounts = (change.before.to_string(), change.after.to_string());
    assert_eq!(amounts, ("150290000000".to_owned(), "1".to_owned()));
    assert_eq!(comparison.tainted.len(), 1);
}

#[test]
fn a_sum_that_only_one_report_has_is_compared_with_nothing() {
    let mut after = sample::report();
    after.accounting.clear();
    let comparison = of(&sample::report(), &after);
    assert!(comparison.sums.iter().all(|sum| sum.after.is_zero()));
    let stolen = comparison
        .sums
        .iter()
        .filter(|sum| sum.category == "stolen");
    assert_eq!(stolen.count(), 2);
}

#[test]
fn another_question_is_said_first() {
    let mut after = sample::report();
    after.case.limits.hops = Some(3);
    after.case.rules.pop();
    let comparison = of(&sample::report(), &after);
    assert_eq!(comparison.asked_differently, ["limits", "rules"]);
    let text = comparison.to_text(&after);
    assert!(
        text.contains("\nAsked differently: limits, rules\n"),
        "{text}"
    );
}

#[test]
fn the_text_shows_amounts_in_units_of_the_coin() {
    let text = of(&sample::report(), &later()).to_text(&later());
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    for part in [
        "bitcoin: 860,000 -> 860,100",
        "fifo, at rest: 3,000.00000000 -> 1,500.00000000",
        "New cash-outs (1)",
        "Another Exchange: 1,612.89990000 BTC to",
        "at-rest -> followed",
        "New flows (1)",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
}

#[test]
fn hostile_text_is_shown_and_long_lists_are_counted() {
    let mut after = later();
    for number in 0..1_000 {
        let mut flow = after.flows[1].clone();
        flow.id = format!("\u{1b}[2J\u{202e}\nNew nodes (7){number}");
        after.flows.push(flow);
    }
    let comparison = of(&sample::report(), &after);
    let text = comparison.to_text(&after);
    assert!(
        text.contains("New flows (1,001)") && text.contains("991 more lines"),
        "{text}"
    );
    assert!(
        !text.contains('\u{1b}') && !text.contains('\u{202e}') && !text.contains("\nNew nodes")
    );
    let json = serde_json::to_string(&comparison).unwrap();
    assert_eq!(
        serde_json::from_str::<Comparison>(&json).unwrap(),
        comparison
    );
}
