//! What moved between two reports of a case.

use std::collections::{BTreeMap, BTreeSet};

use hansel_ledger::Amount;
use hansel_report::Report;
use hansel_report::model::{CashOut, Finding, Flow, Node, Tip};
use serde::Serialize;

use crate::depth::{Depth, Tips};
use crate::failure::Failure;

/// What one report says and an earlier one of the same case does not.
#[derive(Debug, Default, Serialize)]
pub(crate) struct Moved {
    /// The newest blocks that the earlier report looked at.
    pub(crate) from: Vec<Tip>,
    /// The newest blocks that the later one looks at.
    pub(crate) to: Vec<Tip>,
    pub(crate) new_flows: Vec<Flow>,
    /// How deep their transactions are, ascending by chain and transaction.
    pub(crate) depths: Vec<Deep>,
    /// Where trails end that did not end there before.
    pub(crate) new_resting_places: Vec<Node>,
    /// The ids of nodes where trails ended before.
    pub(crate) left: Vec<String>,
    pub(crate) new_cash_outs: Vec<CashOut>,
    pub(crate) new_findings: Vec<Finding>,
    pub(crate) changed_sums: Vec<ChangedSum>,
}

/// How deep a transaction is.
#[derive(Debug, Serialize)]
pub(crate) struct Deep {
    pub(crate) chain: String,
    pub(crate) tx: String,
    #[serde(flatten)]
    pub(crate) depth: Depth,
}

/// A sum of the accounting that is another one now.
#[derive(Debug, Serialize)]
pub(crate) struct ChangedSum {
    pub(crate) seed: String,
    pub(crate) rule: String,
    pub(crate) category: &'static str,
    pub(crate) before: Amount,
    pub(crate) now: Amount,
}

impl Moved {
    /// Compares two reports; without an earlier one everything is new.
    pub(crate) fn between(before: Option<&Report>, now: &Report) -> Self {
        let Some(before) = before else {
            return Self {
                to: now.tips.clone(),
                new_flows: now.flows.clone(),
                new_resting_places: now
                    .nodes
                    .iter()
                    .filter(|node| rests(node))
                    .cloned()
                    .collect(),
                new_cash_outs: now.cash_outs.clone(),
                new_findings: now.findings.clone(),
                ..Self::default()
            };
        };
        let resting = |report: &Report| -> BTreeSet<String> {
            let nodes = report.nodes.iter().filter(|node| rests(node));
            nodes.map(|node| node.id.clone()).collect()
        };
        let (rested, rests_now) = (resting(before), resting(now));
        let place = |out: &CashOut| (out.deposit_address.clone(), out.tx.clone());
        let told = |one: &Finding| (one.heuristic.clone(), one.subjects.clone());
        Self {
            from: before.tips.clone(),
            to: now.tips.clone(),
            new_flows: new(&before.flows, &now.flows, |flow| flow.id.clone()),
            new_resting_places: now
                .nodes
                .iter()
                .filter(|node| rests(node) && !rested.contains(&node.id))
                .cloned()
                .collect(),
            left: rested.difference(&rests_now).cloned().collect(),
            new_cash_outs: new(&before.cash_outs, &now.cash_outs, place),
            new_findings: new(&before.findings, &now.findings, told),
            depths: Vec::new(),
            changed_sums: changed_sums(before, now),
        }
    }

    /// Says how deep each new flow's transaction is; `enough` are the confirmations that settle one on a chain.
    pub(crate) fn deepen(
        &mut self,
        now: &Report,
        enough: impl Fn(&str) -> Result<u64, Failure>,
    ) -> Result<(), Failure> {
        let tips = Tips::of(now, enough)?;
        let mut depths = BTreeMap::new();
        for flow in &self.new_flows {
            let key = (flow.chain.to_string(), flow.tx.clone());
            depths.insert(key, tips.depth(&flow.chain, flow.block));
        }
        let deep = |((chain, tx), depth)| Deep { chain, tx, depth };
        self.depths = depths.into_iter().map(deep).collect();
        Ok(())
    }

    /// How deep a transaction is, in words.
    fn depth(&self, flow: &Flow) -> String {
        let place = |deep: &Deep| (&*deep.chain, &*deep.tx).cmp(&(&*flow.chain, &*flow.tx));
        let Ok(found) = self.depths.binary_search_by(place) else {
            return String::new();
        };
        match self.depths[found].depth {
            Depth { settled: true, .. } => " (settled)".into(),
            Depth {
                confirmations: 0, ..
            } => " (in no block yet)".into(),
            Depth {
                confirmations: 1, ..
            } => " (1 confirmation)".into(),
            Depth { confirmations, .. } => format!(" ({confirmations} confirmations)"),
        }
    }

    /// What moved, a line for each.
    pub(crate) fn lines(&self) -> Vec<String> {
        let flows = self.new_flows.iter().map(|flow| {
            let (amount, to) = (flow.amount, flow.to_address.as_ref().unwrap_or(&flow.to));
            format!(
                "  + flow of {amount} {} base units to {to} in {}{}",
                flow.asset,
                flow.tx,
                self.depth(flow)
            )
        });
        let rests = self.new_resting_places.iter().map(|node| {
            let reason = node.stop.as_ref().map_or("", |stop| stop.reason.as_str());
            format!("  + ends at {}: {reason}", node.id)
        });
        let left = self.left.iter().map(|id| format!("  - left {id}"));
        let outs = self.new_cash_outs.iter().map(|out| {
            let (amount, at) = (out.amount, &out.deposit_address);
            format!(
                "  ! {amount} {} base units reached {} at {at}",
                out.asset, out.entity
            )
        });
        let findings = self
            .new_findings
            .iter()
            .map(|one| format!("  ? {}", one.summary));
        let sums = self.changed_sums.iter().map(|sum| {
            let ChangedSum {
                seed,
                rule,
                category,
                before,
                now,
            } = sum;
            format!("  = {seed} under {rule}: {category} {before} -> {now}")
        });
        outs.chain(flows)
            .chain(left)
            .chain(rests)
            .chain(findings)
            .chain(sums)
            .collect()
    }

    /// Whether nothing but the blocks that were looked at differs.
    pub(crate) fn is_nothing(&self) -> bool {
        let Self {
            from: _,
            to: _,
            new_flows,
            depths: _,
            new_resting_places,
            left,
            new_cash_outs,
            new_findings,
            changed_sums,
        } = self;
        new_flows.is_empty()
            && new_resting_places.is_empty()
            && left.is_empty()
            && new_cash_outs.is_empty()
            && new_findings.is_empty()
            && changed_sums.is_empty()
    }
}

fn rests(node: &Node) -> bool {
    node.stop.is_some()
}

/// What the later list has and the earlier has not, by key.
fn new<T: Clone, K: Ord>(before: &[T], now: &[T], key: impl Fn(&T) -> K) -> Vec<T> {
    let known: BTreeSet<K> = before.iter().map(&key).collect();
    let fresh = now.iter().filter(|one| !known.contains(&key(one)));
    fresh.cloned().collect()
}

fn changed_sums(before: &Report, now: &Report) -> Vec<ChangedSum> {
    let rows = before.accounting.iter();
    let earlier: BTreeMap<_, _> = rows
        .map(|row| ((row.seed.clone(), row.rule), row.categories()))
        .collect();
    let mut changed = Vec::new();
    for row in &now.accounting {
        let before = earlier.get(&(row.seed.clone(), row.rule));
        for (position, (category, sum)) in row.categories().into_iter().enumerate() {
            let was = before.map_or(Amount::ZERO, |categories| categories[position].1);
            if was != sum {
                changed.push(ChangedSum {
                    seed: row.seed.clone(),
                    rule: row.rule.to_string(),
                    category,
                    before: was,
                    now: sum,
                });
            }
        }
    }
    changed
}
