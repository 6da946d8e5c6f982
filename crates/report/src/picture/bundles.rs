//! Which nodes the interactive graph draws as one until somebody opens them: long chains and crowds of small ends.

use std::collections::BTreeSet;

use serde::Serialize;

use crate::Report;
use crate::model::FlowKind;
use crate::references::Numbers;

/// A chain shorter than this is drawn as it is.
const SHORTEST_CHAIN: usize = 4;
/// Fewer ends than this beside each other are drawn as they are.
const FEWEST_ENDS: usize = 5;

/// Nodes that are drawn as one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Bundle {
    /// What it is called: `chain of 12`.
    pub(crate) name: String,
    /// The nodes by number, in the order of the chain.
    pub(crate) nodes: Vec<usize>,
}

/// The bundles of a report: those that detectors found, then chains, then ends. No node is in two.
pub(crate) fn bundles(report: &Report) -> Vec<Bundle> {
    let web = Web::of(report);
    let mut taken = BTreeSet::new();
    let mut bundles = found(report, &mut taken);
    bundles.extend(chains(&web, &mut taken));
    bundles.extend(crowds(&web, &mut taken));
    bundles
}

/// Who pays whom, each pair once.
struct Web {
    next: Vec<BTreeSet<usize>>,
    before: Vec<BTreeSet<usize>>,
}

impl Web {
    fn of(report: &Report) -> Self {
        let numbers = Numbers::of(report);
        let mut next = vec![BTreeSet::new(); report.nodes.len()];
        let mut before = next.clone();
        for flow in report
            .flows
            .iter()
            .filter(|flow| flow.kind != FlowKind::Fee)
        {
            if let (Some(from), Some(to)) = (numbers.get(&flow.from), numbers.get(&flow.to)) {
                next[from].insert(to);
                before[to].insert(from);
            }
        }
        Self { next, before }
    }

    fn is_end(&self, node: usize) -> bool {
        self.next[node].is_empty()
    }

    /// The only place to which the money goes on, where there is exactly one.
    fn onward(&self, node: usize) -> Option<usize> {
        let mut onward = self.next[node].iter().filter(|next| !self.is_end(**next));
        match (onward.next(), onward.next()) {
            (Some(only), None) if *only != node => Some(*only),
            _ => None,
        }
    }

    /// True where the money of a node came from one place only.
    fn has_one_source(&self, node: usize) -> bool {
        self.before[node].len() == 1
    }
}

/// What detectors name: a finding about several nodes.
fn found(report: &Report, taken: &mut BTreeSet<usize>) -> Vec<Bundle> {
    let numbers = Numbers::of(report);
    let mut bundles = Vec::new();
    for finding in &report.findings {
        let nodes = finding.subjects.iter().filter_map(|id| numbers.get(id));
        let nodes: Vec<usize> = nodes.filter(|node| !taken.contains(node)).collect();
        if nodes.len() >= SHORTEST_CHAIN {
            taken.extend(&nodes);
            let name = format!(
                "{} ({})",
                crate::visible::clipped(&finding.heuristic, 40),
                nodes.len()
            );
            bundles.push(Bundle { name, nodes });
        }
    }
    bundles
}

/// Runs of nodes each of which has one source and one way on.
fn chains(web: &Web, taken: &mut BTreeSet<usize>) -> Vec<Bundle> {
    let continues = |node: usize| web.onward(node).filter(|next| web.has_one_source(*next));
    let mut bundles = Vec::new();
    for first in 0..web.next.len() {
        let led_to = web.before[first]
            .iter()
            .any(|one| continues(*one) == Some(first));
        if led_to && web.has_one_source(first) {
            continue;
        }
        let mut nodes = Vec::new();
        let mut at = continues(first);
        while let Some(node) = at.filter(|node| !taken.contains(node) && !nodes.contains(node)) {
            let onward = continues(node);
            if web.onward(node).is_none() {
                break;
            }
            nodes.push(node);
            at = onward;
        }
        if nodes.len() >= SHORTEST_CHAIN {
            taken.extend(&nodes);
            let name = format!("chain of {}", nodes.len());
            bundles.push(Bundle { name, nodes });
        }
    }
    bundles
}

/// The ends that one node alone pays, where they are many.
fn crowds(web: &Web, taken: &mut BTreeSet<usize>) -> Vec<Bundle> {
    let mut bundles = Vec::new();
    for node in 0..web.next.len() {
        let ends = web.next[node].iter().copied();
        let ends: Vec<usize> = ends
            .filter(|end| web.is_end(*end) && web.has_one_source(*end) && !taken.contains(end))
            .collect();
        if ends.len() >= FEWEST_ENDS {
            taken.extend(&ends);
            let name = format!("{} ends", ends.len());
            bundles.push(Bundle { name, nodes: ends });
        }
    }
    bundles
}
