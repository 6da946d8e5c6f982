//! Detectors that need the transactions around one: chains of payments, clusters, sweeps, long sleep.

mod clusters;
mod dormancy;
mod labelled;
mod peel;
mod sweeps;

use std::collections::BTreeSet;

use hansel_graph::{FlowGraph, FlowIx, PoolIx};
use hansel_ledger::{Chain, TransferId};

use crate::{Finding, Labels};

use super::transaction::transaction_findings;
use super::view::TxView;

pub use clusters::{Cluster, Clusters};
pub use peel::{PeelChain, PeelHop, peel_chains};

/// A graph of one chain, and what is known besides.
#[derive(Clone, Copy, Debug)]
pub struct GraphView<'a> {
    /// The chain.
    pub chain: &'a Chain,
    /// Its transactions, as far as they are known.
    pub graph: &'a FlowGraph,
    /// What addresses are called.
    pub labels: &'a dyn Labels,
    /// The outputs that are known to be unspent; a graph alone cannot tell them from those not asked about.
    pub unspent: &'a BTreeSet<FlowIx>,
    /// The time up to which the graph speaks, in seconds since 1970, where it is known.
    pub now: Option<u64>,
}

impl<'a> GraphView<'a> {
    /// Every transaction whose statement is known, in the order of execution, then by id.
    pub(crate) fn transactions(&self) -> Vec<(PoolIx, TxView<'a>)> {
        let pools = self.graph.pools();
        let seen = pools.filter_map(|pool| {
            let view = TxView::of_pool(self.chain, self.graph, pool)?;
            Some((pool, view))
        });
        let mut seen: Vec<_> = seen.collect();
        seen.sort_by_cached_key(|(pool, view)| (self.graph.order(*pool), view.txid));
        seen
    }
}

/// What every Bitcoin detector says about a graph, sorted; the same for the same facts, in whatever order they came.
///
/// Takes time in proportion to the graph.
pub fn detect(view: &GraphView<'_>) -> Vec<Finding> {
    let transactions = view.transactions();
    let alone = transactions
        .iter()
        .flat_map(|(_, tx)| transaction_findings(tx));
    let mut findings: Vec<Finding> = alone.collect();
    findings.extend(peel::findings(view));
    findings.extend(Clusters::of_transactions(view, &transactions).findings(view));
    findings.extend(sweeps::findings(view, &transactions));
    findings.extend(dormancy::findings(view, &transactions));
    findings.sort_unstable();
    findings
}

/// The id of a flow into an output.
fn flow_id(view: &GraphView<'_>, flow: FlowIx) -> String {
    TransferId::output(view.chain, &view.graph.outpoint(flow)).into()
}
