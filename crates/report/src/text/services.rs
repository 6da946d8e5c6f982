//! Services that can freeze tainted value, and what heuristics found.

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
    text + &more(cash_outs.len(), "more cash-out")
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
    let id = cash_out.id();
    let worth = match &*page.worths.words(&id) {
        "" => String::new(),
        words => format!("; {words}{}", page.worths.tainted_words(&id)),
    };
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
    text + &more(findings.len(), "more finding")
}

fn more(number: usize, thing: &str) -> String {
    if number <= SHOWN {
        String::new()
    } else {
        format!("  and {}\n", counted(number - SHOWN, thing))
    }
}
