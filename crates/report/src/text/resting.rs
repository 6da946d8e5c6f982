//! Where the tainted value is now, or where it came from: the ends of the trails, largest first.

use std::cmp::Reverse;

use hansel_graph::Direction;
use hansel_ledger::{Amount, AmountError};

use super::{LONGEST, Page, SHOWN, counted};
use crate::holding::{Holding, Holdings};
use crate::model::{Node, NodeKind, StopKind};
use crate::units::grouped;
use crate::visible::clipped;

/// An end of a trail with the tainted value that arrived there, one amount per rule of the case.
struct End<'a> {
    node: &'a Node,
    holding: &'a Holding<'a>,
    tainted: Vec<Amount>,
}

pub(super) fn section(page: &Page<'_>) -> Result<String, AmountError> {
    let holdings = Holdings::of(page.report)?;
    let ends = ends(page, &holdings);
    let mut text = match page.report.case.direction {
        Direction::Forward => "Where the value is now, largest first\n".to_owned(),
        Direction::Backward => "Where the value came from, largest first\n".to_owned(),
    };
    if ends.is_empty() {
        text += "  no tainted value was found\n";
    }
    for (index, end) in ends.iter().take(SHOWN).enumerate() {
        text += &entry(page, index + 1, end);
    }
    if ends.len() > SHOWN {
        text += &rest(page, &ends[SHOWN..])?;
    }
    Ok(text)
}

fn ends<'a>(page: &Page<'a>, holdings: &'a Holdings<'a>) -> Vec<End<'a>> {
    let mut ends = Vec::new();
    for node in page.report.nodes.iter().filter(|node| is_end(node)) {
        for holding in holdings.at(&node.id) {
            let tainted: Vec<_> = page
                .report
                .case
                .rules
                .iter()
                .map(|rule| holding.tainted(*rule))
                .collect();
            if tainted.iter().any(|amount| !amount.is_zero()) {
                ends.push(End {
                    node,
                    holding,
                    tainted,
                });
            }
        }
    }
    ends.sort_by(|one, next| one.order().cmp(&next.order()));
    ends
}

/// Fees are left to the accounting: nobody can ask a miner for them.
fn is_end(node: &Node) -> bool {
    match &node.stop {
        Some(stop) => stop.kind != StopKind::Fees,
        None => node.kind == NodeKind::Output,
    }
}

impl End<'_> {
    /// Amounts of different assets cannot be compared, so assets stay together.
    fn order(&self) -> (&str, &str, Reverse<&[Amount]>, &str) {
        (
            &self.node.chain,
            self.holding.asset,
            Reverse(&self.tainted),
            &self.node.id,
        )
    }
}

fn entry(page: &Page<'_>, number: usize, end: &End<'_>) -> String {
    let End {
        node,
        holding,
        tainted,
    } = end;
    let show = |amount: Amount| page.assets.show(&node.chain, holding.asset, amount);
    let id = clipped(&node.id, LONGEST);
    let label = node.labels.first().map(|label| {
        format!(
            " ({}, says {})",
            clipped(&label.label, LONGEST),
            clipped(&label.source, LONGEST)
        )
    });
    let mut text = match &node.address {
        Some(address) => {
            let holder = format!(
                "{number}. {}{}",
                clipped(address, LONGEST),
                label.unwrap_or_default()
            );
            page.wrapped(&holder, 2) + &page.wrapped(&id, 5)
        }
        None => page.wrapped(&format!("{number}. {id}"), 2),
    };
    text += &page.wrapped(&amounts(page, tainted, &show), 5);
    text += &page.wrapped(&stopped(end, &show(holding.amount)), 5);
    text
}

/// `fifo 1.0 BTC, haircut 0.5 BTC`, in the order of the case's rules.
fn amounts(page: &Page<'_>, tainted: &[Amount], show: &dyn Fn(Amount) -> String) -> String {
    let rules = page.report.case.rules.iter().zip(tainted);
    let shown: Vec<_> = rules
        .map(|(rule, amount)| format!("{rule} {}", show(*amount)))
        .collect();
    shown.join(", ")
}

/// `at-rest since TIME (block HEIGHT), 3.0 BTC in all: REASON`.
fn stopped(end: &End<'_>, whole: &str) -> String {
    let stop = end.node.stop.as_ref();
    let kind = stop.map_or("not followed", |stop| stop.kind.name());
    let reason = stop.filter(|stop| !stop.reason.is_empty());
    let reason = reason.map(|stop| format!(": {}", clipped(&stop.reason, LONGEST)));
    let time = end.holding.time.map(|time| format!(" since {time}"));
    let block = end
        .holding
        .block
        .map(|block| format!(" (block {})", grouped(&block.to_string())));
    let [time, block, reason] = [time, block, reason].map(Option::unwrap_or_default);
    format!("{kind}{time}{block}, {whole} in all{reason}")
}

/// The entries that are not shown, added up by asset.
fn rest(page: &Page<'_>, ends: &[End<'_>]) -> Result<String, AmountError> {
    let mut text = String::new();
    let same = |one: &End<'_>, next: &End<'_>| {
        (&one.node.chain, one.holding.asset) == (&next.node.chain, next.holding.asset)
    };
    for group in ends.chunk_by(same) {
        let rules = 0..page.report.case.rules.len();
        let sums = rules.map(|rule| Amount::checked_sum(group.iter().map(|end| end.tainted[rule])));
        let sums = sums.collect::<Result<Vec<_>, _>>()?;
        let (chain, asset) = (&group[0].node.chain, group[0].holding.asset);
        let sums = amounts(page, &sums, &|amount| {
            page.assets.show(chain, asset, amount)
        });
        text += &page.wrapped(
            &format!("and {}: {sums}", counted(group.len(), "more place")),
            2,
        );
    }
    Ok(text)
}
