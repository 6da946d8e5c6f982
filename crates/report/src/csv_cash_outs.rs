//! The cash-outs as CSV (RFC 4180, UTF-8), newest first: what a letter to the services is made of.

use std::io;

use crate::assets::Assets;
use crate::format::FormatError;
use crate::model::CashOut;
use crate::worth::{self, Worths};
use crate::{Report, cell};

const HEADS: [&str; 12] = [
    "time",
    "entity",
    "category",
    "chain",
    "deposit_address",
    "tx",
    "service_address",
    "service_tx",
    "asset",
    "decimals",
    "amount",
    "confidence",
];

/// Writes one row per cash-out in the report's order, amounts in base units.
pub fn write(report: &Report, out: &mut dyn io::Write) -> Result<(), FormatError> {
    let rules = &report.case.rules;
    let assets = Assets::of(report);
    let worths = Worths::of(report);
    let mut table = cell::table(out);
    let heads = HEADS.map(str::to_owned).into_iter();
    table.write_record(
        heads
            .chain(cell::rule_heads(rules))
            .chain(worth::heads(&worths, rules)),
    )?;
    for row in &report.cash_outs {
        let tainted = cell::rule_cells(rules, &row.tainted);
        let worth = worth::cells(&worths, rules, &row.id());
        table.write_record(cells(row, &assets).into_iter().chain(tainted).chain(worth))?;
    }
    Ok(table.flush()?)
}

fn cells(row: &CashOut, assets: &Assets<'_>) -> [String; HEADS.len()] {
    [
        cell::optional(row.time),
        cell::text(&row.entity),
        cell::text(&row.category),
        cell::text(&row.chain),
        cell::text(&row.deposit_address),
        cell::text(&row.tx),
        cell::optional_text(row.service_address.as_deref()),
        cell::optional_text(row.service_tx.as_deref()),
        cell::text(&row.asset),
        cell::optional(assets.decimals(&row.chain, &row.asset)),
        row.amount.to_string(),
        row.confidence.name().to_owned(),
    ]
}
