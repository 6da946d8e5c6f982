//! Services that can freeze tainted value, and what heuristics found.

use std::collections::BTreeSet;

use super::{LONGEST, Page, SHOWN, counted};
use crate::model::CashOut;
use crate::visible::clipped;

/// Empty where no tainted value reached a known service.
pub(super) fn cash_outs(page: &Page<'_>) -> String {
    let cash_outs = &page.report.cash_outs;
    if cash_outs.is_empty() {
        return String::new();
    }
    let mut text = "Cash-outs: services that may freeze it\n".to_owned();
    for cash_out in cash_outs.iter().take(SHOWN) {
        text += &page.wrapped(&line(page, cash_out), 2);
    }
    text += &more(cash_outs.len(), "more cash-out", "cashout-csv");
    text + &prices(page)
}

/// Who says what the listed cash-outs were worth, once for all of them; empty where nothing has a worth.
fn prices(page: &Page<'_>) -> String {
    let rows = page.report.cash_outs.iter().take(SHOWN);
    let worths = rows.flat_map(|row| {
        let id = row.id();
        let currencies = page.worths.currencies.iter();
        currencies.filter_map(move |currency| page.worths.find(&id, currency))
    });
    let sources: BTreeSet<_> = worths.map(|worth| &*worth.source).collect();
    if sources.is_empty() {
        return String::new();
    }
    let sources = sources.into_iter().take(SHOWN);
    let sources: Vec<_> = sources.map(|source| clipped(source, LONGEST)).collect();
    page.wrapped(
        &format!(
            "what they were worth is by the prices of: {}",
            sources.join("; ")
        ),
        2,
    )
}

/// `; worth 12.00 USD, 11.00 EUR, of which tainted: ...`; empty in a report without values.
fn worth(page: &Page<'_>, id: &str) -> String {
    let worths = &page.worths;
    let words = worths
        .currencies
        .iter()
        .map(|currency| match worths.cell(id, currency) {
            cell if cell.is_empty() => format!("no price in {}", clipped(currency, LONGEST)),
            cell => format!("worth {cell}"),
        });
    let words: Vec<_> = words.collect();
    if words.is_empty() {
        return String::new();
    }
    format!("; {}{}", words.join(", "), worths.tainted_words(id))
}

fn line(page: &Page<'_>, cash_out: &CashOut) -> String {
    let show = |amount| page.assets.show(&cash_out.chain, &cash_out.asset, amount);
    let tainted = cash_out
        .tainted
        .iter()
        .map(|(rule, amount)| format!("{rule} {}", show(*amount)));
    let time = cash_out
        .time
        .map(|time| format!(" at {time}"))
        .unwrap_or_default();
    let swept = cash_out.service_address.as_deref().map(|service| {
        let by = cash_out.service_tx.as_deref();
        let by = by.map(|tx| format!(" by {}", clipped(tx, LONGEST)));
        let service = clipped(service, LONGEST);
        format!(", moved on to {service}{}", by.unwrap_or_default())
    });
    let worth = worth(page, &cash_out.id());
    format!(
        "{} ({}, {}): {} to {} by {}{time}{}; tainted: {}{worth}",
        clipped(&cash_out.entity, LONGEST),
        clipped(&cash_out.category, LONGEST),
        cash_out.confidence.name(),
        show(cash_out.amount),
        clipped(&cash_out.deposit_address, LONGEST),
        clipped(&cash_out.tx, LONGEST),
        swept.unwrap_or_default(),
        tainted.collect::<Vec<_>>().join(", "),
    )
}

/// Empty where no heuristic found anything.
pub(super) fn findings(page: &Page<'_>) -> String {
    let findings = &page.report.findings;
    if findings.is_empty() {
        return String::new();
    }
    let mut text = "Findings: opinions with evidence, not facts\n".to_owned();
    for finding in findings.iter().take(SHOWN) {
        let (name, summary) = (
            clipped(&finding.heuristic, LONGEST),
            clipped(&finding.summary, LONGEST),
        );
        text += &page.wrapped(
            &format!("{name} ({}): {summary}", finding.confidence.name()),
            2,
        );
    }
    text + &more(findings.len(), "more finding", "json")
}

/// How many entries are not shown, and the format that lists all of them.
fn more(number: usize, thing: &str, format: &str) -> String {
    if number <= SHOWN {
        String::new()
    } else {
        let rest = counted(number - SHOWN, thing);
        format!("  and {rest}: `--format {format}` lists all\n")
    }
}
