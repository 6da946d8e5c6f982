//! Prints the table of `make evaluate`.

use std::cmp::Reverse;

use crate::run::{Found, Outcome};

/// What the best published tracer covers on the data set; it states no precision.
const TO_BEAT: &str =
    "MFTracer covers 94.09 % of flows over the data set's cases and states no precision.";

/// How many errors of each kind are shown.
const SHOWN: usize = 12;

pub(crate) fn head() {
    println!(
        "| case | settings | coverage of flows, by value | as tainted | terminals | precision, by taint | by count \
         | accounts read | HTTP requests (calls) | seconds |"
    );
    println!("|---|---|---|---|---|---|---|---|---|---|");
}

pub(crate) fn line(outcome: &Outcome) {
    let Outcome {
        case,
        settings,
        found,
        requests,
        calls,
        took,
    } = outcome;
    let Found { score, visited } = match found {
        Ok(found) => found,
        Err(reason) => {
            return println!(
                "| {case} | {settings} | failed: {reason} | | | | | | {requests} ({calls}) | |"
            );
        }
    };
    println!(
        "| {case} | {settings} | {} | {} | {} ({}/{}) | {} | {} ({} false) | {visited} | {requests} ({calls}) | {}.{} |",
        percent(score.coverage()),
        percent(score.tainted_coverage()),
        percent(score.terminal_coverage()),
        score.found_terminals,
        score.terminals,
        percent(score.tainted_precision()),
        percent(score.precision()),
        score.wrong.len(),
        took.as_secs(),
        took.subsec_millis() / 100,
    );
}

pub(crate) fn foot() {
    println!("\nThe number to beat: {TO_BEAT}");
}

/// The largest errors of a trace, for a person who wants to know why.
pub(crate) fn errors(outcome: &Outcome) {
    let Ok(Found { score, .. }) = &outcome.found else {
        return;
    };
    let mut missed: Vec<_> = score.missed.iter().collect();
    missed.sort_by_key(|flow| Reverse(flow.value));
    for flow in missed.into_iter().take(SHOWN) {
        let dollars = flow.value / 1_000_000;
        println!(
            "  missed {dollars:>9} USD {} -> {} in {}",
            flow.from, flow.to, flow.tx
        );
    }
    for flow in score.wrong.iter().take(SHOWN) {
        let dollars = flow.tainted / 1_000_000;
        println!(
            "  wrong  {dollars:>9} USD {} -> {} in {}",
            flow.from, flow.to, flow.tx
        );
    }
}

fn percent(hundredths: u64) -> String {
    format!("{}.{:02} %", hundredths / 100, hundredths % 100)
}
