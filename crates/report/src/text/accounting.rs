//! The accounting as a table: categories down, rules across.

use std::collections::BTreeSet;

use hansel_graph::{Direction, Rule};
use hansel_ledger::{Amount, AmountError};

use super::{LONGEST, Page};
use crate::layout::Table;
use crate::model::Accounting;
use crate::visible::clipped;

/// The names of the categories for people, in the order of [`Accounting::categories`]; what is at rest in a
/// backward trace are newly mined coins.
pub(crate) const NAMES: [&str; 10] = [
    "at rest",
    "at exchanges",
    "in mixers",
    "in unresolved bridges",
    "at other services",
    "in hubs",
    "not followed yet",
    "below threshold",
    "fees",
    "burned",
];

pub(super) fn section(page: &Page<'_>) -> Result<String, AmountError> {
    let tables = assets(page)
        .into_iter()
        .map(|(chain, asset)| table(page, chain, asset));
    Ok(tables.collect::<Result<Vec<_>, _>>()?.join("\n"))
}

/// What was stolen, by chain and asset.
pub(crate) fn assets<'a>(page: &Page<'a>) -> BTreeSet<(&'a str, &'a str)> {
    let seeds = page.report.seeds.iter();
    seeds.map(|seed| (&*seed.chain, &*seed.asset)).collect()
}

/// The sums of one stolen asset under each rule that conserves value.
pub(crate) fn columns(
    page: &Page<'_>,
    chain: &str,
    asset: &str,
) -> Result<Vec<Column>, AmountError> {
    let rules = page.report.case.rules.iter();
    let rules = rules.filter(|rule| rule.conserves());
    rules
        .map(|rule| Column::of(page, chain, asset, *rule))
        .collect()
}

fn table(page: &Page<'_>, chain: &str, asset: &str) -> Result<String, AmountError> {
    let columns = columns(page, chain, asset)?;
    let show = |amount: Amount| page.assets.digits(chain, asset, amount);
    let row = |name: &str, value: &dyn Fn(&Column) -> String| {
        std::iter::once(name.to_owned())
            .chain(columns.iter().map(value))
            .collect::<Vec<_>>()
    };
    let backward = page.report.case.direction == Direction::Backward;
    let claim = if backward { "sought" } else { "stolen" };
    let mut rows = vec![row(claim, &|column| show(column.stolen))];
    for (index, name) in NAMES.into_iter().enumerate() {
        let name = if backward && index == 0 {
            "newly mined"
        } else {
            name
        };
        rows.push(row(name, &|column| show(column.categories[index])));
    }
    rows.push(row("total", &|column| show(column.total)));
    rows.push(row("balances", &|column| column.balances.to_owned()));
    let table = Table {
        heads: row("", &|column| column.rule.name().to_owned()),
        rows,
    };
    let head = format!(
        "Accounting in {} on {}",
        clipped(asset, LONGEST),
        clipped(chain, LONGEST)
    );
    let table = if columns.is_empty() {
        String::new()
    } else {
        table.print(page.width)
    };
    Ok(format!("{head}\n{table}{}", poison_note(page)))
}

pub(crate) fn poison_note(page: &Page<'_>) -> String {
    let reach = page.report.case.rules.iter().any(|rule| !rule.conserves());
    if reach {
        page.wrapped(
            "poison says what touched the theft, not how much of it is where: not a measure, so it has no column",
            2,
        )
    } else {
        String::new()
    }
}

/// One rule's sums over all seeds of one asset.
pub(crate) struct Column {
    pub(crate) rule: Rule,
    pub(crate) stolen: Amount,
    pub(crate) categories: [Amount; 10],
    pub(crate) total: Amount,
    pub(crate) balances: &'static str,
}

impl Column {
    fn of(page: &Page<'_>, chain: &str, asset: &str, rule: Rule) -> Result<Self, AmountError> {
        let seeds = page
            .report
            .seeds
            .iter()
            .filter(|seed| seed.chain == chain && seed.asset == asset);
        let ids: BTreeSet<&str> = seeds.map(|seed| &*seed.id).collect();
        let rows = page.report.accounting.iter();
        let rows: Vec<_> = rows
            .filter(|row| row.rule == rule && ids.contains(&*row.seed))
            .collect();
        let mut categories = [Amount::ZERO; 10];
        for row in &rows {
            for (sum, (_, amount)) in categories.iter_mut().zip(row.categories()) {
                *sum = sum.checked_add(amount)?;
            }
        }
        Ok(Self {
            rule,
            stolen: Amount::checked_sum(rows.iter().map(|row| row.stolen))?,
            categories,
            total: Amount::checked_sum(rows.iter().map(|row| row.total))?,
            balances: balances(&rows, ids.len()),
        })
    }
}

/// A sum could balance by chance where the seeds do not, so every row is asked, and none may be missing.
fn balances(rows: &[&Accounting], seeds: usize) -> &'static str {
    if rows.len() == seeds && rows.iter().all(|row| row.balances()) {
        "yes"
    } else {
        "NO"
    }
}
