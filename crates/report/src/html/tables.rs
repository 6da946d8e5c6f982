//! The tables: they hold everything that the drawings show, in words and exact amounts.

use hansel_graph::Direction;
use hansel_ledger::{Amount, AmountError};
use maud::{Markup, html};

use super::{LONGEST, section};
use crate::caption::Captions;
use crate::holding::Holdings;
use crate::model::{CashOut, Finding, Flow, Label};
use crate::references::Numbers;
use crate::text::{Page, accounting, counted, resting};
use crate::visible::clipped;

/// How many rows a table of the page holds; the JSON and CSV formats hold all of them.
const ROWS: usize = 500;

pub(super) fn accounting(page: &Page<'_>) -> Result<Markup, AmountError> {
    let mut tables = Vec::new();
    for (chain, asset) in accounting::assets(page) {
        tables.push(account(page, chain, asset)?);
    }
    let poison = accounting::poison_note(page);
    Ok(section(
        "now",
        "Where it was last seen, to the unit",
        html! {
            @for table in &tables { (table) }
            @if !poison.is_empty() { p.note { (poison) } }
        },
    ))
}

fn account(page: &Page<'_>, chain: &str, asset: &str) -> Result<Markup, AmountError> {
    let columns = accounting::columns(page, chain, asset)?;
    let show = |amount: Amount| page.assets.digits(chain, asset, amount);
    let (chain, asset) = (clipped(chain, LONGEST), clipped(asset, LONGEST));
    Ok(html! {
        div.wide role="region" aria-label="Accounting" tabindex="0" {
            table.accounting {
                caption { "In " (asset) " on " (chain) ". Every unit of the theft is in exactly one row." }
                thead { tr { th scope="col" { "what became of it" } @for column in &columns { th.number scope="col" { (column.rule.name()) } } } }
                tbody {
                    @for (index, name) in accounting::NAMES.iter().enumerate() {
                        @if columns.iter().any(|column| !column.categories[index].is_zero()) {
                            tr { th scope="row" { (name) } @for column in &columns { td.number { (show(column.categories[index])) } } }
                        }
                    }
                }
                tfoot {
                    tr { th scope="row" { "total" } @for column in &columns { td.number { (show(column.total)) } } }
                    tr { th scope="row" { "stolen" } @for column in &columns { td.number { (show(column.stolen)) } } }
                    tr { th scope="row" { "balances" } @for column in &columns { td.number { (column.balances) } } }
                }
            }
        }
    })
}

pub(super) fn cash_outs(page: &Page<'_>) -> Markup {
    let rows = &page.report.cash_outs;
    let rules: Vec<_> = page.report.case.rules.clone();
    section(
        "cash-outs",
        "Cash-outs: services that may freeze it, newest first",
        html! {
            @if rows.is_empty() {
                p { "No tainted value is known to have reached a service that could freeze it." }
            } @else {
                button.copy type="button" data-table="cash-out-table" hidden { "Copy as CSV" }
                div.wide role="region" aria-label="Cash-outs" tabindex="0" {
                    table.sortable #cash-out-table {
                        thead { tr {
                            @for head in ["time", "service", "kind", "deposit address", "transaction", "moved on to", "by", "confidence", "amount"] { th scope="col" { (head) } }
                            @for rule in &rules { th scope="col" { "tainted, " (rule.name()) } }
                            @for currency in &page.worths.currencies { th scope="col" { "worth, " (clipped(currency, LONGEST)) } }
                        } }
                        tbody { @for row in rows.iter().take(ROWS) { (cash_out(page, row)) } }
                    }
                }
                (more(rows.len()))
            }
        },
    )
}

fn cash_out(page: &Page<'_>, row: &CashOut) -> Markup {
    let show = |amount: Amount| page.assets.show(&row.chain, &row.asset, amount);
    html! {
        tr {
            td { (row.time.map(|time| time.to_string()).unwrap_or_default()) }
            td { (clipped(&row.entity, LONGEST)) }
            td { (clipped(&row.category, LONGEST)) }
            td.id { (clipped(&row.deposit_address, LONGEST)) }
            td.id { (clipped(&row.tx, LONGEST)) }
            td.id { (clipped(row.service_address.as_deref().unwrap_or_default(), LONGEST)) }
            td.id { (clipped(row.service_tx.as_deref().unwrap_or_default(), LONGEST)) }
            td { (row.confidence.name()) }
            td.number data-sort=(row.amount) { (show(row.amount)) }
            @for rule in &page.report.case.rules {
                @let tainted = row.tainted.get(rule).copied().unwrap_or_default();
                td.number data-sort=(tainted) { (show(tainted)) }
            }
            (worths(page, &row.id()))
        }
    }
}

/// A cell for each currency of the report.
fn worths(page: &Page<'_>, of: &str) -> Markup {
    html! {
        @for currency in &page.worths.currencies {
            @let worth = page.worths.find(of, currency);
            td.number data-sort=(worth.map(|worth| hundredths(&worth.amount)).unwrap_or_default()) {
                (page.worths.cell(of, currency))
            }
        }
    }
}

/// A sum of money as a whole number, to sort by.
fn hundredths(amount: &str) -> String {
    amount.chars().filter(char::is_ascii_digit).collect()
}

pub(super) fn ends(page: &Page<'_>) -> Result<Markup, AmountError> {
    let holdings = Holdings::of(page.report)?;
    let ends = resting::ends(page, &holdings);
    let numbers = Numbers::of(page.report);
    let head = match page.report.case.direction {
        Direction::Forward => "Where the value was last seen, by asset and size",
        Direction::Backward => "Where the value came from, by asset and size",
    };
    Ok(section(
        "ends",
        head,
        html! {
            @if ends.is_empty() { p { "No tainted value was found." } } @else {
                div.wide role="region" aria-label="Where the value was last seen" tabindex="0" { table.sortable {
                    thead { tr {
                        th scope="col" { "place" } th scope="col" { "label" } th scope="col" { "state" }
                        @for rule in &page.report.case.rules { th scope="col" { (rule.name()) } }
                    } }
                    tbody { @for end in ends.iter().take(ROWS) { (end_row(page, &numbers, end)) } }
                } }
                (more(ends.len()))
            }
        },
    ))
}

fn end_row(page: &Page<'_>, numbers: &Numbers<'_>, end: &resting::End<'_>) -> Markup {
    let node = end.node;
    let place = node.address.as_deref().unwrap_or(&node.id);
    let asset = end.holding.asset;
    html! {
        tr {
            td.id { button.show type="button" data-node=[numbers.get(&node.id)] hidden { "show" } " " (clipped(place, LONGEST)) }
            td { @for label in &node.labels { (named(label)) } }
            td { (resting::stopped(page, end, "")) }
            @for tainted in &end.tainted {
                td.number data-sort=(tainted) { (page.assets.show(&node.chain, asset, *tainted)) }
            }
        }
    }
}

fn named(label: &Label) -> Markup {
    let source = clipped(&label.source, LONGEST);
    html! { span.label title={"says " (source)} { (clipped(&label.label, LONGEST)) } " " }
}

/// The heaviest tainted movements in the order of time: a text that says the same as the graph.
pub(super) fn timeline(page: &Page<'_>, captions: &Captions<'_>) -> Markup {
    let Some(rule) = page.report.case.rules.first() else {
        return html! {};
    };
    let tainted = |flow: &Flow| flow.tainted.get(rule).copied().unwrap_or_default();
    let moved = page
        .report
        .flows
        .iter()
        .filter(|flow| !tainted(flow).is_zero());
    let rows: Vec<&Flow> = moved.collect();
    section(
        "timeline",
        "Timeline",
        html! {
            div.wide role="region" aria-label="Timeline" tabindex="0" { table.sortable {
                caption { "Tainted movements in the order of the chain; the tainted part is that under " (rule.name()) "." }
                thead { tr { @for head in ["time", "block", "from", "to", "transaction", "amount", "tainted"] { th scope="col" { (head) } } @for currency in &page.worths.currencies { th scope="col" { "worth, " (clipped(currency, LONGEST)) } } } }
                tbody { @for flow in rows.iter().take(ROWS) { (movement(page, captions, flow, tainted(flow))) } }
            } }
            (more(rows.len()))
        },
    )
}

fn movement(page: &Page<'_>, captions: &Captions<'_>, flow: &Flow, tainted: Amount) -> Markup {
    let show = |amount: Amount| page.assets.show(&flow.chain, &flow.asset, amount);
    let short = |text: &str| captions.short(text);
    html! {
        tr {
            td { (flow.time.map(|time| time.to_string()).unwrap_or_else(|| "not known".into())) }
            td.number data-sort=(flow.block.unwrap_or(u64::MAX)) { (flow.block.map(|block| crate::units::grouped(&block.to_string())).unwrap_or_default()) }
            td.id { (flow.from_addresses.first().map(|from| short(from)).unwrap_or_default()) @if flow.from_addresses.len() > 1 { " and " (flow.from_addresses.len() - 1) " more" } }
            td.id { (flow.to_address.as_deref().map(short).unwrap_or_else(|| flow.kind.name().to_owned())) }
            td.id title=(clipped(&flow.tx, LONGEST)) { (short(&flow.tx)) }
            td.number data-sort=(flow.amount) { (show(flow.amount)) }
            td.number data-sort=(tainted) { (show(tainted)) }
            (worths(page, &flow.id))
        }
    }
}

pub(super) fn findings(page: &Page<'_>) -> Markup {
    let rows = &page.report.findings;
    section(
        "findings",
        "Findings: opinions with evidence, not facts",
        html! {
            @if rows.is_empty() { p { "No detector found anything." } } @else {
                div.wide role="region" aria-label="Findings" tabindex="0" { table.sortable {
                    thead { tr { @for head in ["heuristic", "confidence", "what it says", "numbers it used", "evidence"] { th scope="col" { (head) } } } }
                    tbody { @for row in rows.iter().take(ROWS) { (finding(row)) } }
                } }
                (more(rows.len()))
            }
        },
    )
}

fn finding(row: &Finding) -> Markup {
    let numbers = row
        .parameters
        .iter()
        .map(|(name, value)| format!("{name} {value}"));
    let numbers: Vec<_> = numbers.collect();
    html! {
        tr {
            td.id { (clipped(&row.heuristic, LONGEST)) }
            td { (row.confidence.name()) }
            td { (clipped(&row.summary, LONGEST)) }
            td { (clipped(&numbers.join(", "), LONGEST)) }
            td { (counted(row.evidence.len(), "flow")) }
        }
    }
}

fn more(rows: usize) -> Markup {
    html! {
        @if rows > ROWS {
            p.note { "The table shows " (ROWS) " of " (crate::units::grouped(&rows.to_string())) " rows; the JSON and CSV formats hold all of them." }
        }
    }
}
