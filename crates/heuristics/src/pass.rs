//! All detectors over a finished trace.

use std::collections::BTreeSet;

use alloy_primitives::Address;
use hansel_graph::{AccountTrace, Trace};
use hansel_ledger::NodeId;

use crate::bitcoin::{self, GraphView};
use crate::ethereum::{self, AccountView};
use crate::{Finding, Labels};

/// What the detectors for Bitcoin say about the transactions of a trace that stolen value went through, sorted.
pub fn of_outputs(trace: &Trace, labels: &dyn Labels) -> Vec<Finding> {
    let plan = trace.plan();
    let mut findings = bitcoin::detect(&GraphView {
        chain: &plan.chain,
        graph: trace.graph(),
        labels,
        unspent: &trace.unspent(),
        now: plan.as_of.map(|block| block.time.0),
    });
    // Nearly every payment has change, and peel chains and clusters already say where it matters.
    findings.retain(|finding| finding.heuristic != "btc.change");
    let trail = trail(trace);
    findings.retain(|finding| {
        let mut named = finding.subjects.iter().chain(&finding.evidence);
        named.any(|id| trail.contains(id))
    });
    findings.dedup();
    findings
}

/// The ids of the tainted outputs, and of the transactions that made or spent them.
fn trail(trace: &Trace) -> BTreeSet<String> {
    let (chain, graph) = (&trace.plan().chain, trace.graph());
    let mut trail = BTreeSet::new();
    for flow in graph.flows() {
        if trace.settlement().most_tainted(flow) > 0 {
            let view = graph.flow(flow);
            let ends = [Some(view.creator), view.spender].into_iter().flatten();
            trail
                .extend(ends.map(|pool| NodeId::transaction(chain, &graph.pool(pool).txid).into()));
            trail.insert(NodeId::output(chain, &graph.outpoint(flow)).into());
        }
    }
    trail
}

/// What the detectors for EVM chains say about the accounts that held stolen value in a trace, sorted.
pub fn of_accounts(trace: &AccountTrace, labels: &dyn Labels) -> Vec<Finding> {
    let pools = trace.settlement().pools();
    let accounts: BTreeSet<Address> = pools.map(|pool| pool.key.account).collect();
    ethereum::detect(&AccountView {
        chain: &trace.plan().chain,
        facts: trace.facts(),
        labels,
        coins: &trace.plan().coins,
        accounts: Some(&accounts),
    })
}
