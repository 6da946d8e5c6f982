//! The nodes as CSV (RFC 4180, UTF-8): one row per node and asset that it holds.

use std::io;

use crate::format::FormatError;
use crate::holding::{Holding, Holdings};
use crate::model::{Node, Sorted};
use crate::{Report, cell};

const HEADS: [&str; 14] = [
    "id",
    "kind",
    "chain",
    "address",
    "block",
    "time",
    "labels",
    "categories",
    "stop",
    "stop_reason",
    "gaps",
    "complete_through",
    "asset",
    "amount",
];

/// Writes the nodes in the report's order; a node that holds nothing has a row without amounts.
pub fn write(report: &Report, out: &mut dyn io::Write) -> Result<(), FormatError> {
    let rules = &report.case.rules;
    let holdings = Holdings::of(report)?;
    let mut table = cell::table(out);
    table.write_record(
        HEADS
            .map(str::to_owned)
            .into_iter()
            .chain(cell::rule_heads(rules)),
    )?;
    for node in &report.nodes {
        let held = holdings.at(&node.id);
        for holding in held {
            let tainted = cell::rule_cells(rules, &holding.tainted);
            table.write_record(cells(node, Some(holding)).into_iter().chain(tainted))?;
        }
        if held.is_empty() {
            let tainted = cell::rule_cells(rules, &Sorted::default()).collect::<Vec<_>>();
            table.write_record(cells(node, None).into_iter().chain(tainted))?;
        }
    }
    Ok(table.flush()?)
}

fn cells(node: &Node, holding: Option<&Holding<'_>>) -> [String; HEADS.len()] {
    let coverage = node.coverage.as_ref();
    [
        cell::text(&node.id),
        node.kind.name().to_owned(),
        cell::text(&node.chain),
        cell::optional_text(node.address.as_deref()),
        cell::optional(node.block),
        cell::optional(node.time),
        cell::list(node.labels.iter().map(|label| &*label.label)),
        cell::list(node.labels.iter().map(|label| &*label.category)),
        node.stop
            .as_ref()
            .map_or("", |stop| stop.kind.name())
            .to_owned(),
        cell::optional_text(node.stop.as_ref().map(|stop| &*stop.reason)),
        cell::list(node.gaps.iter().map(|gap| &*gap.detail)),
        cell::optional(coverage.and_then(|coverage| coverage.complete_through)),
        cell::optional_text(holding.map(|holding| holding.asset)),
        cell::optional(holding.map(|holding| holding.amount)),
    ]
}
