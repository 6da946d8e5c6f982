//! The accounting as CSV (RFC 4180, UTF-8): one row per seed and rule, amounts in base units.

use std::io;

use crate::format::FormatError;
use crate::model::{Accounting, Seed};
use crate::{Report, cell};

const HEADS: [&str; 6] = ["seed", "rule", "chain", "asset", "decimals", "stolen"];
const CATEGORIES: [&str; 10] = [
    "at_rest",
    "exchanges",
    "mixers",
    "bridges",
    "services",
    "hubs",
    "frontier",
    "below_threshold",
    "fees",
    "burned",
];

/// Writes one row per seed and rule, in the report's order; `balances` is empty for a rule that need not.
pub fn write(report: &Report, out: &mut dyn io::Write) -> Result<(), FormatError> {
    let mut table = cell::table(out);
    table.write_record(
        HEADS
            .iter()
            .chain(&CATEGORIES)
            .chain(&["total", "balances"]),
    )?;
    for row in &report.accounting {
        let seed = report.seeds.iter().find(|seed| seed.id == row.seed);
        table.write_record(cells(row, seed))?;
    }
    Ok(table.flush()?)
}

fn cells(row: &Accounting, seed: Option<&Seed>) -> Vec<String> {
    let mut cells = vec![
        cell::text(&row.seed),
        row.rule.name().to_owned(),
        cell::optional_text(seed.map(|seed| &*seed.chain)),
        cell::optional_text(seed.map(|seed| &*seed.asset)),
        cell::optional(seed.map(|seed| seed.decimals)),
        row.stolen.to_string(),
    ];
    cells.extend(row.categories().map(|(_, amount)| amount.to_string()));
    cells.push(row.total.to_string());
    let balances = if row.balances() { "yes" } else { "no" };
    cells.push(if row.rule.conserves() {
        balances.to_owned()
    } else {
        String::new()
    });
    cells
}
