//! The tainted value of each node, by asset: what the report says an account holds, or what the flows say.

use std::collections::HashMap;

use hansel_graph::{Direction, Rule};
use hansel_ledger::{Amount, AmountError};

use crate::Report;
use crate::model::{Flow, Node, NodeHolding, Sorted, Timestamp};

/// Everything of one asset that a node received; in a backward trace, that it paid towards the seeds.
#[derive(Clone, Debug)]
pub(crate) struct Holding<'a> {
    pub(crate) asset: &'a str,
    pub(crate) amount: Amount,
    pub(crate) tainted: Sorted<Rule, Amount>,
    /// The block and time of the last of its flows.
    pub(crate) block: Option<u64>,
    pub(crate) time: Option<Timestamp>,
}

/// The holdings of every node by its id, in the order of assets. They are asked for, never listed.
pub(crate) struct Holdings<'a> {
    by_node: HashMap<&'a str, Vec<Holding<'a>>>,
}

impl<'a> Holdings<'a> {
    /// Adds up the flows. Fails above 256 bits.
    pub(crate) fn of(report: &'a Report) -> Result<Self, AmountError> {
        let mut by_node: HashMap<&str, Vec<Holding<'_>>> = HashMap::new();
        for flow in &report.flows {
            let node = match report.case.direction {
                Direction::Forward => &flow.to,
                Direction::Backward => &flow.from,
            };
            let holdings = by_node.entry(node).or_default();
            match holdings
                .iter_mut()
                .find(|holding| holding.asset == &*flow.asset)
            {
                Some(holding) => holding.add(flow)?,
                None => holdings.push(Holding::from(flow)),
            }
        }
        for node in report.nodes.iter().filter(|node| node.keeps_accounts()) {
            let flows = by_node.remove(&*node.id).unwrap_or_default();
            by_node.insert(&node.id, held(node, &flows));
        }
        for holdings in by_node.values_mut() {
            holdings.sort_by_key(|holding| holding.asset);
        }
        Ok(Self { by_node })
    }

    /// What a node holds, by asset; empty where no flow of the report touches it on that side.
    pub(crate) fn at(&self, node: &str) -> &[Holding<'a>] {
        self.by_node.get(node).map_or(&[], Vec::as_slice)
    }
}

/// What an account holds, with the time at which something last arrived.
fn held<'a>(node: &'a Node, flows: &[Holding<'_>]) -> Vec<Holding<'a>> {
    let holding = |holding: &'a NodeHolding| {
        let last = flows.iter().find(|flow| flow.asset == holding.asset);
        let most = holding.tainted.values().max().copied();
        Holding {
            asset: &holding.asset,
            amount: most.unwrap_or_default(),
            tainted: holding.tainted.clone(),
            block: last.and_then(|last| last.block),
            time: last.and_then(|last| last.time),
        }
    };
    node.holdings.iter().map(holding).collect()
}

impl<'a> From<&'a Flow> for Holding<'a> {
    fn from(flow: &'a Flow) -> Self {
        Self {
            asset: &flow.asset,
            amount: flow.amount,
            tainted: flow.tainted.clone(),
            block: flow.block,
            time: flow.time,
        }
    }
}

impl Holding<'_> {
    fn add(&mut self, flow: &Flow) -> Result<(), AmountError> {
        self.amount = self.amount.checked_add(flow.amount)?;
        for (rule, tainted) in &flow.tainted {
            let sum = self.tainted.or_default(*rule);
            *sum = sum.checked_add(*tainted)?;
        }
        if flow.block >= self.block {
            (self.block, self.time) = (flow.block, flow.time);
        }
        Ok(())
    }

    /// The tainted part under a rule.
    pub(crate) fn tainted(&self, rule: Rule) -> Amount {
        self.tainted.get(&rule).copied().unwrap_or_default()
    }
}
