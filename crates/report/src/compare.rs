//! What changed between two reports: two states of one case, or one case under two questions.

mod text;

use std::collections::{BTreeMap, BTreeSet};

use hansel_graph::Rule;
use hansel_ledger::{Amount, AmountError};
use serde::{Deserialize, Serialize};

use crate::Report;
use crate::model::{CashOut, Finding, Node, StopKind, Unknown};

/// The difference between two reports; equal reports differ in nothing. Lists stand in the order of their report.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Comparison {
    /// The name of the earlier report's case.
    pub before: String,
    /// The name of the later report's case.
    pub after: String,
    /// What was asked differently, by field of `case`: then the rest may differ because of it.
    pub asked_differently: Vec<String>,
    /// How far each chain was looked at, where that differs.
    pub tips: Vec<TipChange>,
    /// Sums of the accounting over all seeds of an asset that differ.
    pub sums: Vec<SumChange>,
    /// Nodes that one of the reports lists, by id.
    pub nodes: Changes<String>,
    /// Nodes of both reports whose trail ends otherwise.
    pub ends: Vec<EndChange>,
    /// Flows that one of the reports lists, by id.
    pub flows: Changes<String>,
    /// Flows of both reports with another tainted part.
    pub tainted: Vec<TaintChange>,
    /// Cash-outs that one of the reports lists, told by service, address, transactions and asset.
    pub cash_outs: Changes<CashOut>,
    /// Findings that one of the reports lists, told by heuristic, subjects and summary.
    pub findings: Changes<Finding>,
    /// What one of the reports does not know.
    pub unknown: Changes<Unknown>,
}

/// What stands in one of two reports.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Changes<T> {
    /// In the later report only.
    pub new: Vec<T>,
    /// In the earlier report only.
    pub gone: Vec<T>,
}

/// A chain that was looked at up to another block.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TipChange {
    /// The chain's name.
    pub chain: String,
    /// The height in the earlier report; null where it did not look at the chain.
    pub before: Option<u64>,
    /// The height in the later report; null where it did not look at the chain.
    pub after: Option<u64>,
}

/// A sum of the accounting that differs, in base units of what was stolen.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SumChange {
    /// The chain of the theft.
    pub chain: String,
    /// The asset that was stolen.
    pub asset: String,
    /// The taint rule.
    pub rule: Rule,
    /// The category, or `stolen` or `total`.
    pub category: String,
    /// The earlier sum; zero where the earlier report has none.
    pub before: Amount,
    /// The later sum; zero where the later report has none.
    pub after: Amount,
}

/// A trail that ends otherwise.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EndChange {
    /// The node's id.
    pub node: String,
    /// How it ended; null where it was followed.
    pub before: Option<StopKind>,
    /// How it ends now; null where it was followed.
    pub after: Option<StopKind>,
}

/// A flow with another tainted part, in base units of the flow's asset.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TaintChange {
    /// The flow's id.
    pub flow: String,
    /// The taint rule; both reports have an amount under it.
    pub rule: Rule,
    /// The earlier amount.
    pub before: Amount,
    /// The later amount.
    pub after: Amount,
}

impl Comparison {
    /// Compares an earlier report with a later one. Fails where sums of the accounting are above 256 bits.
    pub fn of(before: &Report, after: &Report) -> Result<Self, AmountError> {
        Ok(Self {
            before: before.case.name.clone(),
            after: after.case.name.clone(),
            asked_differently: asked_differently(before, after),
            tips: tips(before, after),
            sums: sums(before, after)?,
            nodes: Changes::of(&before.nodes, &after.nodes, |node| &*node.id).map(|node| node.id),
            ends: ends(before, after),
            flows: Changes::of(&before.flows, &after.flows, |flow| &*flow.id).map(|flow| flow.id),
            tainted: tainted(before, after),
            cash_outs: Changes::of(&before.cash_outs, &after.cash_outs, |row| {
                let place = (&row.entity, &row.chain, &row.deposit_address);
                (place, &row.tx, &row.service_tx, &row.asset)
            }),
            findings: Changes::of(&before.findings, &after.findings, |finding| {
                (&finding.heuristic, &finding.subjects, &finding.summary)
            }),
            unknown: Changes::of(&before.unknown, &after.unknown, |gap| gap),
        })
    }

    /// True where nothing differs but perhaps the name.
    pub fn is_empty(&self) -> bool {
        let Self {
            before: _,
            after: _,
            asked_differently,
            tips,
            sums,
            nodes,
            ends,
            flows,
            tainted,
            cash_outs,
            findings,
            unknown,
        } = self;
        asked_differently.is_empty()
            && tips.is_empty()
            && sums.is_empty()
            && ends.is_empty()
            && tainted.is_empty()
            && nodes.is_empty()
            && flows.is_empty()
            && cash_outs.is_empty()
            && findings.is_empty()
            && unknown.is_empty()
    }
}

impl<T: Clone> Changes<T> {
    fn of<'a, K: Ord>(before: &'a [T], after: &'a [T], key: impl Fn(&'a T) -> K) -> Self {
        let keys = |all: &'a [T]| all.iter().map(&key).collect::<BTreeSet<K>>();
        let (old, young) = (keys(before), keys(after));
        let only = |all: &'a [T], other: &BTreeSet<K>| -> Vec<T> {
            let own = all.iter().filter(|item| !other.contains(&key(item)));
            own.cloned().collect()
        };
        Self {
            new: only(after, &old),
            gone: only(before, &young),
        }
    }
}

impl<T> Changes<T> {
    fn map<U>(self, into: impl Fn(T) -> U) -> Changes<U> {
        let Self { new, gone } = self;
        Changes {
            new: new.into_iter().map(&into).collect(),
            gone: gone.into_iter().map(&into).collect(),
        }
    }

    /// True where both reports list the same.
    pub fn is_empty(&self) -> bool {
        self.new.is_empty() && self.gone.is_empty()
    }
}

fn asked_differently(before: &Report, after: &Report) -> Vec<String> {
    let (one, next) = (&before.case, &after.case);
    let fields = [
        ("subjects", one.subjects == next.subjects),
        ("direction", one.direction == next.direction),
        ("limits", one.limits == next.limits),
        ("overrides", one.overrides == next.overrides),
        ("rules", one.rules == next.rules),
        ("fee_rule", one.fee_rule == next.fee_rule),
    ];
    let different = fields.into_iter().filter(|(_, same)| !same);
    different.map(|(name, _)| name.to_owned()).collect()
}

fn tips(before: &Report, after: &Report) -> Vec<TipChange> {
    let heights = |report: &Report| -> BTreeMap<String, u64> {
        let tips = report.tips.iter();
        tips.map(|tip| (tip.chain.clone(), tip.height)).collect()
    };
    let (old, young) = (heights(before), heights(after));
    let chains: BTreeSet<_> = old.keys().chain(young.keys()).cloned().collect();
    let changes = chains.into_iter().map(|chain| TipChange {
        before: old.get(&chain).copied(),
        after: young.get(&chain).copied(),
        chain,
    });
    changes.filter(|tip| tip.before != tip.after).collect()
}

/// A sum by chain, asset, rule and the place of the category.
type Sums = BTreeMap<(String, String, Rule, usize), Amount>;

/// The categories as [`SumChange::category`] names them, those of all value last.
fn categories(row: &crate::model::Accounting) -> Vec<(&'static str, Amount)> {
    let whole = [("stolen", row.stolen), ("total", row.total)];
    row.categories().into_iter().chain(whole).collect()
}

fn sums(before: &Report, after: &Report) -> Result<Vec<SumChange>, AmountError> {
    let (old, young) = (sums_of(before)?, sums_of(after)?);
    let rows = before.accounting.iter().chain(&after.accounting);
    let names: Vec<_> = rows
        .take(1)
        .flat_map(categories)
        .map(|(name, _)| name)
        .collect();
    let keys: BTreeSet<_> = old.keys().chain(young.keys()).collect();
    let changes = keys.into_iter().map(|key| {
        let (chain, asset, rule, category) = key.clone();
        SumChange {
            chain,
            asset,
            rule,
            category: names.get(category).copied().unwrap_or_default().to_owned(),
            before: old.get(key).copied().unwrap_or_default(),
            after: young.get(key).copied().unwrap_or_default(),
        }
    });
    Ok(changes.filter(|sum| sum.before != sum.after).collect())
}

fn sums_of(report: &Report) -> Result<Sums, AmountError> {
    let mut sums = Sums::new();
    for row in &report.accounting {
        let seed = report.seeds.iter().find(|seed| seed.id == row.seed);
        let (chain, asset) = seed.map_or(("", ""), |seed| (&*seed.chain, &*seed.asset));
        for (index, (_, amount)) in categories(row).into_iter().enumerate() {
            let key = (chain.to_owned(), asset.to_owned(), row.rule, index);
            let sum = sums.entry(key).or_default();
            *sum = sum.checked_add(amount)?;
        }
    }
    Ok(sums)
}

fn ends(before: &Report, after: &Report) -> Vec<EndChange> {
    let kind = |node: &Node| node.stop.as_ref().map(|stop| stop.kind);
    let old: BTreeMap<_, _> = before
        .nodes
        .iter()
        .map(|node| (&*node.id, kind(node)))
        .collect();
    let both = after.nodes.iter().filter_map(|node| {
        Some(EndChange {
            before: *old.get(&*node.id)?,
            after: kind(node),
            node: node.id.clone(),
        })
    });
    both.filter(|end| end.before != end.after).collect()
}

fn tainted(before: &Report, after: &Report) -> Vec<TaintChange> {
    let old: BTreeMap<_, _> = before.flows.iter().map(|flow| (&*flow.id, flow)).collect();
    let mut changes = Vec::new();
    for flow in &after.flows {
        let Some(earlier) = old.get(&*flow.id) else {
            continue;
        };
        for (rule, later) in &flow.tainted {
            let known = earlier.tainted.get(rule).filter(|known| *known != later);
            changes.extend(known.map(|known| TaintChange {
                flow: flow.id.clone(),
                rule: *rule,
                before: *known,
                after: *later,
            }));
        }
    }
    changes
}
