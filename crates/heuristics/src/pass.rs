//! All detectors over a finished trace.

use hansel_graph::{AccountTrace, Trace};

use crate::Finding;
use crate::bitcoin::{TxView, coinjoin, stonewall, whirlpool_tx0};

/// What the detectors for Bitcoin say about the transactions of a trace, sorted.
pub fn of_outputs(trace: &Trace) -> Vec<Finding> {
    let (graph, chain) = (trace.graph(), &trace.plan().chain);
    let mut findings: Vec<Finding> = graph
        .pools()
        .filter_map(|pool| TxView::of_pool(chain, graph, pool))
        .flat_map(|tx| {
            let found = [coinjoin(&tx), stonewall(&tx), whirlpool_tx0(&tx)];
            found.into_iter().flatten()
        })
        .collect();
    findings.sort();
    findings.dedup();
    findings
}

/// What the detectors for EVM chains say about the accounts of a trace, sorted.
pub fn of_accounts(_trace: &AccountTrace) -> Vec<Finding> {
    Vec::new()
}
