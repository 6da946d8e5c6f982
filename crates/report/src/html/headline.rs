//! The first ten seconds: what was stolen, when, and where it is now.

use hansel_ledger::{Amount, AmountError};
use maud::{Markup, html};

use super::LONGEST;
use crate::text::{Page, accounting, headline};
use crate::visible::clipped;

/// How many seeds the headline values; the tables hold the rest.
const SEEDS: usize = 5;

pub(super) fn section(page: &Page<'_>) -> Result<Markup, AmountError> {
    let case = &page.report.case;
    let title = case.title.as_deref().unwrap_or("");
    Ok(html! {
        header {
            h1 { (clipped(&case.name, LONGEST)) }
            @if !title.is_empty() { p.title { (clipped(title, LONGEST)) } }
            @if case.training { p.training role="note" { "TRAINING CASE: made up, not a real theft" } }
            p.stolen { (headline::asked(case.direction)) " " strong { (headline::seed_sum(page)) } }
            @for seed in page.report.seeds.iter().take(SEEDS) {
                @let worth = page.worths.words(&seed.id);
                @if !worth.is_empty() { p.worth { (clipped(&seed.id, LONGEST)) ": " (worth) } }
            }
            @for (chain, asset) in accounting::assets(page) { (bars(page, chain, asset)?) }
        }
    })
}

/// For each rule one bar in which every category has its share, and the same in words.
fn bars(page: &Page<'_>, chain: &str, asset: &str) -> Result<Markup, AmountError> {
    let columns = accounting::columns(page, chain, asset)?;
    let rows = columns.iter().map(|column| Ok((column, parts(column)?)));
    let rows = rows.collect::<Result<Vec<_>, AmountError>>()?;
    Ok(html! {
        @for (column, parts) in &rows {
            div.split {
                span.rule { (column.rule.name()) }
                svg viewBox="0 0 1000 12" preserveAspectRatio="none" aria-hidden="true" {
                    @for part in parts { rect class=(part.class) x=(part.start) width=(part.length) height="12" {} }
                }
                span.parts {
                    @for part in parts {
                        span.part {
                            i.swatch.(part.class) {} (part.name) " "
                            b { (page.assets.show(chain, asset, part.amount)) } " (" (share(part.amount, column.stolen)?) " %) "
                        }
                    }
                }
            }
        }
    })
}

/// One category of a bar, in thousandths of it.
struct Part {
    name: &'static str,
    class: &'static str,
    amount: Amount,
    start: Amount,
    length: Amount,
}

fn parts(column: &accounting::Column) -> Result<Vec<Part>, AmountError> {
    let place = |amount: Amount| match column.stolen.is_zero() {
        true => Ok(Amount::ZERO),
        false => amount.mul_div(1_000.into(), column.stolen),
    };
    let mut parts = Vec::new();
    let mut before = Amount::ZERO;
    for (index, amount) in column.categories.into_iter().enumerate() {
        let after = before.checked_add(amount)?;
        let start = place(before)?;
        let length = place(after)?.checked_sub(start)?;
        before = after;
        if !amount.is_zero() {
            parts.push(Part {
                name: accounting::NAMES[index],
                class: CLASSES[index],
                amount,
                start,
                length,
            });
        }
    }
    Ok(parts)
}

/// The colours of the categories, in the order of [`accounting::NAMES`].
const CLASSES: [&str; 10] = [
    "at-rest", "exchange", "mixer", "bridge", "service", "hub", "open", "open", "lost", "lost",
];

/// Per cent with one decimal, rounded down; the exact amount stands beside it.
pub(super) fn share(amount: Amount, whole: Amount) -> Result<String, AmountError> {
    if whole.is_zero() {
        return Ok("0.0".to_owned());
    }
    let thousandths = amount.mul_div(1_000.into(), whole)?.to_string();
    let digits = format!("{thousandths:0>2}");
    let (whole, tenth) = digits.split_at(digits.len() - 1);
    Ok(format!("{whole}.{tenth}"))
}
