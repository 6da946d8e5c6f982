//! Where the tainted value was last seen, or where it came from: the ends of the trails, largest first.

use std::cmp::Reverse;
use std::collections::BTreeSet;

use hansel_graph::Direction;
use hansel_ledger::{Amount, AmountError};

use super::{LONGEST, Page, SHOWN, counted};
use crate::holding::{Holding, Holdings};
use crate::model::{FlowKind, Label, Node, NodeKind, StopKind};
use crate::units::grouped;
use crate::visible::clipped;

/// The longest source of a label that stands beside an address; the JSON holds all of it.
const LONGEST_SOURCE: usize = 60;

/// An end of a trail with the tainted value that arrived there, one amount per rule of the case.
pub(crate) struct End<'a> {
    pub(crate) node: &'a Node,
    pub(crate) holding: &'a Holding<'a>,
    pub(crate) tainted: Vec<Amount>,
}

pub(super) fn section(page: &Page<'_>) -> Result<String, AmountError> {
    let holdings = Holdings::of(page.report)?;
    let ends = ends(page, &holdings);
    let mut text = match page.report.case.direction {
        Direction::Forward => "Where the value was last seen, by asset and size\n".to_owned(),
        Direction::Backward => "Where the value came from, by asset and size\n".to_owned(),
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

pub(crate) fn ends<'a>(page: &Page<'a>, holdings: &'a Holdings<'a>) -> Vec<End<'a>> {
    let mut ends = Vec::new();
    let crossings = page.report.flows.iter();
    let crossings = crossings.filter(|flow| flow.kind == FlowKind::Crossing);
    let crossed: BTreeSet<&str> = crossings.map(|flow| &*flow.from).collect();
    // What an account holds is told without what crossed; an output crosses whole.
    let stays = |node: &Node| node.keeps_accounts() || !crossed.contains(&*node.id);
    let nodes = page.report.nodes.iter();
    for node in nodes.filter(|node| is_end(node) && stays(node)) {
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
    let label = node.labels.first().map(|first| labelled(first, node));
    let holder = node.address.as_deref().unwrap_or(&node.id);
    let head = format!(
        "{number}. {}{}: {}",
        clipped(holder, LONGEST),
        label.unwrap_or_default(),
        amounts(page, tainted, &show)
    );
    let whole = tainted.iter().any(|amount| *amount != holding.amount);
    let whole = whole.then(|| format!(", {} in all", show(holding.amount)));
    let id = node
        .address
        .is_some()
        .then(|| page.wrapped(&clipped(&node.id, LONGEST), 5));
    page.wrapped(&head, 2)
        + &id.unwrap_or_default()
        + &page.wrapped(&stopped(page, end, &whole.unwrap_or_default()), 5)
}

/// ` (NAME, says SOURCE since DAY, after the value arrived; 2 more labels)`.
fn labelled(first: &Label, node: &Node) -> String {
    let since = first.as_of.as_deref();
    let since = since.map(|day| format!(" since {}", clipped(day, LONGEST)));
    let late = if first.hindsight {
        ", after the value arrived"
    } else {
        ""
    };
    let more = node.labels.len() - 1;
    let more = (more > 0).then(|| format!("; {}", counted(more, "more label")));
    let [since, more] = [since, more].map(Option::unwrap_or_default);
    format!(
        " ({}, says {}{since}{late}{more})",
        clipped(&first.label, LONGEST),
        clipped(&in_words(&first.source), LONGEST_SOURCE)
    )
}

/// A long text cut off after a whole word.
fn in_words(text: &str) -> String {
    if text.chars().take(LONGEST_SOURCE + 1).count() <= LONGEST_SOURCE {
        return text.to_owned();
    }
    let start: String = text.chars().take(LONGEST_SOURCE - 1).collect();
    let whole = start.rsplit_once(' ').map_or(&*start, |(whole, _)| whole);
    format!("{whole}…")
}

/// `fifo 1.0 BTC, haircut 0.5 BTC`, in the order of the case's rules; one amount where they agree.
pub(super) fn amounts(
    page: &Page<'_>,
    tainted: &[Amount],
    show: &dyn Fn(Amount) -> String,
) -> String {
    let rules = page.report.case.rules.iter().zip(tainted);
    match tainted {
        [first, others @ ..] if !others.is_empty() && others.iter().all(|other| other == first) => {
            format!("{} under every rule", show(*first))
        }
        _ => {
            let shown: Vec<_> = rules
                .map(|(rule, amount)| format!("{rule} {}", show(*amount)))
                .collect();
            shown.join(", ")
        }
    }
}

/// `at rest since TIME (block HEIGHT), 3.0 BTC in all`, with the reason where the kind does not say it.
///
/// The time is that of the payment, and only what rests has been so since then.
pub(crate) fn stopped(page: &Page<'_>, end: &End<'_>, whole: &str) -> String {
    let stop = end.node.stop.as_ref();
    let kind = stop.map_or("not followed", |stop| stop.kind.name());
    let reason = stop.filter(|stop| stop.kind != StopKind::AtRest || !end.node.gaps.is_empty());
    let reason = reason.filter(|stop| !stop.reason.is_empty());
    let reason = reason.map(|stop| format!(": {}", clipped(&stop.reason, LONGEST)));
    let resting = stop.is_some_and(|stop| stop.kind == StopKind::AtRest);
    let moment = match page.report.case.direction {
        // What an account has received since then is one pool with what it had.
        Direction::Forward if resting && end.node.kind == NodeKind::Account => ", tainted since",
        Direction::Forward if resting => " since",
        Direction::Forward => ", received",
        Direction::Backward => ", paid",
    };
    let time = end.holding.time.map(|time| format!("{moment} {time}"));
    let block = end
        .holding
        .block
        .map(|block| format!(" (block {})", grouped(&block.to_string())));
    let [time, block, reason] = [time, block, reason].map(Option::unwrap_or_default);
    format!("{}{time}{block}{whole}{reason}", kind.replace('-', " "))
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
