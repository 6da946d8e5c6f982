//! Nodes, flows and findings as Parquet for notebooks: pyarrow, pandas, Polars, DuckDB.
//!
//! Amounts are `DECIMAL(38, 0)`, and text in a table with an amount of more digits: a float would round them.

mod writer;

use std::io;

use hansel_ledger::Amount;

use crate::Report;
use crate::columns::{self, Column, Kind, Value};
use crate::format::FormatError;
use crate::holding::Holdings;
use crate::model::{Finding, Node};
use writer::{Row, write_table};

/// Writes one row per node and asset that it holds; a node that holds nothing has a row without amounts.
pub fn write_nodes(report: &Report, out: &mut dyn io::Write) -> Result<(), FormatError> {
    let holdings = Holdings::of(report)?;
    let mut heads = texts(["id"]);
    heads.extend(columns::of_nodes(report));
    let held = |node: &Node| holdings.at(&node.id);
    let amounts = report.nodes.iter().flat_map(held);
    let amounts = amounts.flat_map(|held| held.tainted.values().copied().chain([held.amount]));
    let largest = amounts.max().unwrap_or_default();
    let rows = report.nodes.iter().flat_map(|node| {
        let held = held(node);
        // A node without holdings still has its row.
        let pieces = held.chunks(1).chain(held.is_empty().then_some(held));
        pieces.map(move |held| row([&node.id], columns::of_node(report, node, held)))
    });
    write_table(&heads, largest, rows, out)
}

/// Writes one row per flow.
pub fn write_flows(report: &Report, out: &mut dyn io::Write) -> Result<(), FormatError> {
    let mut heads = texts(["id", "from", "to", "from_addresses"]);
    heads.extend(columns::of_flows(report));
    let amounts = report.flows.iter();
    let amounts = amounts.flat_map(|flow| flow.tainted.values().copied().chain([flow.amount]));
    let largest = amounts.max().unwrap_or_default();
    let rows = report.flows.iter().map(|flow| {
        let mut cells = row([&flow.id, &flow.from, &flow.to], Vec::new());
        cells.push(Some(Value::Text(flow.from_addresses.join("; ").into())));
        cells.extend(columns::of_flow(report, flow));
        cells
    });
    write_table(&heads, largest, rows, out)
}

/// Writes one row per finding; lists stand in one cell, separated by `; `, and the parameters as JSON.
pub fn write_findings(report: &Report, out: &mut dyn io::Write) -> Result<(), FormatError> {
    let heads = texts([
        "heuristic",
        "confidence",
        "summary",
        "error_rate",
        "subjects",
        "evidence",
        "parameters",
    ]);
    write_table(
        &heads,
        Amount::ZERO,
        report.findings.iter().map(finding_row),
        out,
    )
}

fn finding_row(finding: &Finding) -> Row<'_> {
    let parameters = finding.parameters.clone().into_iter().collect();
    let lists = [
        finding.subjects.join("; "),
        finding.evidence.join("; "),
        serde_json::Value::Object(parameters).to_string(),
    ];
    let Finding {
        heuristic,
        summary,
        error_rate,
        confidence,
        ..
    } = finding;
    let texts = [heuristic, confidence.name(), summary, error_rate];
    let mut cells = row(texts, Vec::new());
    cells.extend(lists.map(|list| Some(Value::Text(list.into()))));
    cells
}

fn texts<const N: usize>(names: [&str; N]) -> Vec<Column> {
    let column = |name: &str| Column {
        name: name.to_owned(),
        kind: Kind::Text,
    };
    names.map(column).into()
}

fn row<'a, const N: usize>(texts: [&'a str; N], rest: Row<'a>) -> Row<'a> {
    let texts = texts.map(|text| Some(Value::Text(text.into())));
    texts.into_iter().chain(rest).collect()
}
