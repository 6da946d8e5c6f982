//! All detectors over a finished trace.

use std::collections::BTreeSet;

use alloy_primitives::Address;
use hansel_graph::{AccountTrace, Trace};

use crate::bitcoin::{self, GraphView};
use crate::ethereum::{self, AccountView};
use crate::{Finding, Labels};

/// What the detectors for Bitcoin say about the transactions of a trace, sorted.
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
    findings.dedup();
    findings
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
