//! Prints the table of `make evaluate`.

use crate::run::Outcome;

/// What the best published tracer covers on the data set; it states no precision.
const TO_BEAT: &str =
    "MFTracer covers 94.09 % of flows over the data set's cases and states no precision.";

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
        score,
        visited,
        requests,
        calls,
        took,
    } = outcome;
    println!(
        "| {case} | {settings} | {} | {} | {} ({}/{}) | {} | {} ({} false) | {visited} | {requests} ({calls}) | {}.{} |",
        percent(score.coverage()),
        percent(score.tainted_coverage()),
        percent(score.terminal_coverage()),
        score.found_terminals,
        score.terminals,
        percent(score.tainted_precision()),
        percent(score.precision()),
        score.false_flows,
        took.as_secs(),
        took.subsec_millis() / 100,
    );
}

pub(crate) fn foot() {
    println!("\nThe number to beat: {TO_BEAT}");
}

fn percent(hundredths: u64) -> String {
    format!("{}.{:02} %", hundredths / 100, hundredths % 100)
}
