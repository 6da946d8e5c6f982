use hansel_graph::{Direction, Rule};
use hansel_report::Format;
use hansel_report::model::{Stop, StopKind};
use hansel_report::text::write_in;

use crate::sample;

#[test]
fn the_summary_says_what_was_stolen_where_it_is_and_what_is_not_known() {
    let text = sample::rendered(&sample::report(), Format::Text);
    assert_eq!(text, include_str!("summary.txt"));
}

#[test]
fn a_training_case_is_never_taken_for_a_theft() {
    let mut report = sample::report();
    report.case.training = true;
    let text = in_width(&report, 100);
    assert_eq!(
        text.lines().nth(1),
        Some("TRAINING CASE: made up, not a real theft")
    );
}

fn in_width(report: &hansel_report::Report, width: usize) -> String {
    let mut bytes = Vec::new();
    write_in(report, width, &mut bytes).unwrap();
    String::from_utf8(bytes).unwrap()
}

#[test]
fn a_narrow_page_breaks_lines_but_neither_addresses_nor_amounts() {
    let text = in_width(&sample::report(), 50);
    let long: Vec<_> = text
        .lines()
        .filter(|line| line.chars().count() > 50)
        .collect();
    assert!(
        long.iter().all(|line| !line.trim().contains(' ')),
        "{long:?}"
    );
    assert!(text.contains(sample::COLD));
    assert!(text.contains("2,928.46148843 BTC"), "{text}");
}

#[test]
fn an_account_that_does_not_balance_is_shouted() {
    let mut report = sample::report();
    report.accounting[1].fees = 9_761.into();
    let text = in_width(&report, 100);
    let line = text.lines().find(|line| line.contains("balances")).unwrap();
    assert_eq!(
        line.split_whitespace().collect::<Vec<_>>(),
        ["balances", "yes", "NO"]
    );
    report.accounting.pop();
    let text = in_width(&report, 100);
    let line = text.lines().find(|line| line.contains("balances")).unwrap();
    assert!(
        line.ends_with("NO"),
        "a missing row is not a balanced one: {line}"
    );
}

#[test]
fn poison_is_not_shown_as_a_measure() {
    let mut report = sample::report();
    report.case.rules[1] = Rule::Poison;
    report.accounting[1].rule = Rule::Poison;
    let text = in_width(&report, 100);
    assert!(
        text.contains("not a measure") && text.contains("poison says what touched"),
        "{text}"
    );
}

#[test]
fn the_largest_places_come_first_and_the_rest_is_added_up() {
    let mut report = sample::report();
    for index in 0..25_u64 {
        let mut node = report.nodes[2].clone();
        let mut flow = report.flows[1].clone();
        node.id = format!("bitcoin:output:{}:{}", sample::SPLIT, 100 + index);
        node.address = None;
        flow.id = node.id.clone();
        flow.to = node.id.as_str().into();
        flow.tainted = [(Rule::Fifo, (1 + index).into()), (Rule::Haircut, 2.into())].into();
        report.nodes.push(node);
        report.flows.push(flow);
    }
    let text = in_width(&report, 100);
    let place = |number: usize| {
        text.lines()
            .find(|line| line.starts_with(&format!("  {number}. ")))
            .unwrap()
    };
    assert!(place(1).contains(sample::COLD));
    assert!(place(2).contains(sample::DEPOSIT));
    assert!(place(3).contains(":124: "), "{}", place(3));
    // Shown are the 2 of the sample and 25 down to 18; left are 17 down to 1.
    assert!(
        text.contains("  and 17 more places: fifo 0.00000153 BTC, haircut 0.00000034 BTC\n"),
        "{text}"
    );
}

#[test]
fn a_backward_trace_ends_where_value_came_from() {
    let mut report = sample::report();
    report.case.direction = Direction::Backward;
    report.nodes[0].stop = Some(Stop::new(StopKind::Origin, "newly mined coins"));
    let text = in_width(&report, 100);
    let origin = format!("  1. bitcoin:tx:{}: ", sample::THEFT);
    assert!(
        text.contains("Where the value came from, by asset and size\n") && text.contains(&origin),
        "{text}"
    );
    assert!(
        text.contains("  newly mined  ") && text.contains("  sought  "),
        "{text}"
    );
    assert!(!text.contains("  1. bc1p"), "{text}");
}

#[test]
fn many_gaps_of_one_kind_are_counted() {
    let mut report = sample::report();
    let gap = report.nodes[3].gaps[0].clone();
    for node in &mut report.nodes {
        node.gaps = vec![gap.clone()];
    }
    let text = in_width(&report, 100);
    assert!(text.contains("  spend-unknown: 5 gaps\n"), "{text}");
    assert!(text.contains("    and 2 more like these\n"), "{text}");
}

#[test]
fn a_report_without_anything_still_says_so() {
    let mut report = sample::report();
    report.seeds.clear();
    report.accounting.clear();
    report.nodes.clear();
    report.flows.clear();
    report.findings.clear();
    report.cash_outs.clear();
    report.unknown.clear();
    report.case.limits = Default::default();
    let text = in_width(&report, 100);
    for line in [
        "Stolen: nothing (0 seeds)",
        "no tainted value was found",
        "nothing that was asked for is missing",
        "limits: none",
    ] {
        assert!(text.contains(line), "{line}: {text}");
    }
}

#[test]
fn who_says_the_prices_of_cash_outs_is_said_once_and_what_is_not_listed_is_counted() {
    let mut report = sample::valued();
    let before = in_width(&report, 100).matches("a price list").count();
    report.cash_outs = vec![report.cash_outs[0].clone(); 12];
    report.findings = vec![report.findings[0].clone(); 13];
    let text = in_width(&report, 100);
    assert_eq!(text.matches("a price list").count(), before, "{text}");
    let words = text.split_whitespace().collect::<Vec<_>>().join(" ");
    for said in [
        "what they were worth is by the prices of: a price list",
        "no price in EUR, worth 103,226,400.05 USD, of which tainted: fifo",
        "and 2 more cash-outs: `--format cashout-csv` lists all",
        "and 3 more findings: `--format json` lists all",
    ] {
        assert!(words.contains(said), "{said}\n{words}");
    }
}
