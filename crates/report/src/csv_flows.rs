//! The flows as CSV (RFC 4180, UTF-8): one row per flow, amounts in base units.

use std::io;

use crate::format::FormatError;
use crate::model::Flow;
use crate::worth::{self, Worths};
use crate::{Report, cell};

const HEADS: [&str; 13] = [
    "id",
    "kind",
    "chain",
    "block",
    "time",
    "tx",
    "from",
    "to",
    "from_addresses",
    "to_address",
    "proof",
    "asset",
    "amount",
];

/// Writes one row per flow, in the report's order.
pub fn write(report: &Report, out: &mut dyn io::Write) -> Result<(), FormatError> {
    let rules = &report.case.rules;
    let worths = Worths::of(report);
    let mut table = cell::table(out);
    table.write_record(
        HEADS
            .map(str::to_owned)
            .into_iter()
            .chain(cell::rule_heads(rules))
            .chain(worth::heads(&worths, rules)),
    )?;
    for flow in &report.flows {
        table.write_record(
            cells(flow)
                .into_iter()
                .chain(cell::rule_cells(rules, &flow.tainted))
                .chain(worth::cells(&worths, rules, &flow.id)),
        )?;
    }
    Ok(table.flush()?)
}

fn cells(flow: &Flow) -> [String; HEADS.len()] {
    [
        cell::text(&flow.id),
        flow.kind.name().to_owned(),
        cell::text(&flow.chain),
        cell::optional(flow.block),
        cell::optional(flow.time),
        cell::text(&flow.tx),
        cell::text(&flow.from),
        cell::text(&flow.to),
        cell::list(flow.from_addresses.iter().map(|address| &**address)),
        cell::optional_text(flow.to_address.as_deref()),
        flow.proof.name().to_owned(),
        cell::text(&flow.asset),
        flow.amount.to_string(),
    ]
}
