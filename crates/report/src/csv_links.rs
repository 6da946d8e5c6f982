//! The flows as rows of links between two named ends, for programs that draw charts from a table.
//!
//! Neither Maltego nor i2 has a table of its own: both ask which column is what when they import one.

use std::collections::BTreeMap;
use std::io;

use crate::assets::Assets;
use crate::caption::Captions;
use crate::format::FormatError;
use crate::model::{Flow, Node, NodeKind, Timestamp};
use crate::{Report, cell, references};

const MALTEGO: [&str; 13] = [
    "source_type",
    "source_value",
    "target_type",
    "target_value",
    "link_label",
    "time",
    "tx",
    "chain",
    "asset",
    "amount",
    "flow",
    "source_id",
    "target_id",
];

const I2: [&str; 17] = [
    "From_ID",
    "From_Type",
    "From_Label",
    "To_ID",
    "To_Type",
    "To_Label",
    "Link_ID",
    "Link_Label",
    "Date",
    "Time",
    "TZ",
    "Amount",
    "Asset",
    "Decimals",
    "Chain",
    "TxHash",
    "Link_Type",
];

/// Writes one row per flow with the type and value of both ends, for Maltego's import of a graph from a table.
///
/// Fails where a flow names a node that is not listed.
pub fn write_maltego(report: &Report, out: &mut dyn io::Write) -> Result<(), FormatError> {
    write(report, out, &MALTEGO, |flow, [from, to], assets| {
        vec![
            class(from).to_owned(),
            value(from),
            class(to).to_owned(),
            value(to),
            cell::text(&assets.show(&flow.chain, &flow.asset, flow.amount)),
            cell::optional(flow.time),
            cell::text(&flow.tx),
            cell::text(&flow.chain),
            cell::text(&flow.asset),
            flow.amount.to_string(),
            cell::text(&flow.id),
            cell::text(&flow.from),
            cell::text(&flow.to),
        ]
    })
}

/// Writes one row per flow as i2 Analyst's Notebook and charts like it take them: date and time apart, in UTC.
///
/// Amounts are in base units, so that no country's decimal comma can change them. Fails where a flow names a node
/// that is not listed.
pub fn write_i2(report: &Report, out: &mut dyn io::Write) -> Result<(), FormatError> {
    let captions = Captions::of(report);
    write(report, out, &I2, |flow, [from, to], assets| {
        let (date, time) = flow.time.map(date_and_time).unwrap_or_default();
        let label = |node: &Node| cell::text(&captions.lines(node).join(" | "));
        vec![
            cell::text(&flow.from),
            class(from).to_owned(),
            label(from),
            cell::text(&flow.to),
            class(to).to_owned(),
            label(to),
            cell::text(&flow.id),
            cell::text(&assets.show(&flow.chain, &flow.asset, flow.amount)),
            date,
            time,
            flow.time.map_or("", |_| "UTC").to_owned(),
            flow.amount.to_string(),
            cell::text(&flow.asset),
            cell::optional(assets.decimals(&flow.chain, &flow.asset)),
            cell::text(&flow.chain),
            cell::text(&flow.tx),
            flow.kind.name().to_owned(),
        ]
    })
}

fn write(
    report: &Report,
    out: &mut dyn io::Write,
    heads: &[&str],
    cells: impl Fn(&Flow, [&Node; 2], &Assets<'_>) -> Vec<String>,
) -> Result<(), FormatError> {
    references::check(report)?;
    let rules = &report.case.rules;
    let nodes: BTreeMap<&str, &Node> = report.nodes.iter().map(|node| (&*node.id, node)).collect();
    let assets = Assets::of(report);
    let mut table = cell::table(out);
    let heads = heads.iter().map(|head| (*head).to_owned());
    table.write_record(heads.chain(cell::rule_heads(rules)))?;
    for flow in &report.flows {
        let ends = [&*flow.from, &*flow.to].map(|id| nodes[id]);
        let tainted = cell::rule_cells(rules, &flow.tainted);
        table.write_record(cells(flow, ends, &assets).into_iter().chain(tainted))?;
    }
    Ok(table.flush()?)
}

/// What stands at an end: what ended the trail there, or what kind of node it is.
fn class(node: &Node) -> &'static str {
    let stop = node.stop.as_ref().map(|stop| stop.kind.name());
    stop.unwrap_or(node.kind.name())
}

/// What is looked up elsewhere: an address or the hash of a transaction, and the id where there is neither.
fn value(node: &Node) -> String {
    let hash = || match node.kind {
        NodeKind::Transaction => node.id.rsplit(':').next(),
        NodeKind::Account | NodeKind::Output => None,
    };
    cell::text(node.address.as_deref().or_else(hash).unwrap_or(&node.id))
}

/// `21/06/2024` and `20:00:00`, in UTC.
fn date_and_time(time: Timestamp) -> (String, String) {
    let text = time.to_string();
    let (date, clock) = text.split_once('T').unwrap_or((&text, ""));
    let date: Vec<_> = date.rsplit('-').collect();
    (date.join("/"), clock.trim_end_matches('Z').to_owned())
}
