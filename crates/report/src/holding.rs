//! The value of each node in the flows of the report, by asset.

use std::collections::BTreeMap;

use hansel_graph::{Direction, Rule};
use hansel_ledger::{Amount, AmountError};

use crate::Report;
use crate::model::{Flow, Timestamp};

/// Everything of one asset that a node received; in a backward trace, that it paid towards the seeds.
#[derive(Clone, Debug)]
pub(crate) struct Holding<'a> {
    pub(crate) asset: &'a str,
    pub(crate) amount: Amount,
    pub(crate) tainted: BTreeMap<Rule, Amount>,
    /// The block and time of the last of its flows.
    pub(crate) block: Option<u64>,
    pub(crate) time: Option<Timestamp>,
}

/// The holdings of every node, by node id, then by asset.
pub(crate) struct Holdings<'a> {
    by_node: BTreeMap<&'a str, Vec<Holding<'a>>>,
}

impl<'a> Holdings<'a> {
    /// Adds up the flows. Fails above 256 bits.
    pub(crate) fn of(report: &'a Report) -> Result<Self, AmountError> {
        let mut by_node: BTreeMap<&str, Vec<Holding<'_>>> = BTreeMap::new();
        for flow in &report.flows {
            let node = match report.case.direction {
                Direction::Forward => &flow.to,
                Direction::Backward => &flow.from,
            };
            let holdings = by_node.entry(node).or_default();
            match holdings
                .iter_mut()
                .find(|holding| holding.asset == flow.asset)
            {
                Some(holding) => holding.add(flow)?,
                None => holdings.push(Holding::from(flow)),
            }
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
            let sum = self.tainted.entry(*rule).or_default();
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
