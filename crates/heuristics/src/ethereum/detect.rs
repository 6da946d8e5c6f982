//! Every detector over all that is known of a chain's accounts.

use crate::Finding;

use super::scene::{AccountView, Scene};
use super::transaction::{EvmView, transaction_findings};
use super::{
    deposits, fans, funders, instant, passing, poisoning, round_trips, structuring, tornado_leads,
};

/// What every EVM detector says about the accounts of a view, sorted; the same for the same facts, in whatever order
/// they came.
///
/// Takes time in proportion to the transfers.
pub fn detect(view: &AccountView<'_>) -> Vec<Finding> {
    let mut findings = alone(view);
    let scene = Scene::of(view);
    findings.extend(tornado_leads::findings(&scene));
    findings.extend(deposits::findings(&scene));
    findings.extend(poisoning::findings(&scene));
    findings.extend(funders::findings(&scene));
    findings.extend(instant::findings(&scene));
    findings.extend(fans::findings(&scene));
    findings.extend(structuring::findings(&scene));
    findings.extend(passing::findings(&scene));
    findings.extend(round_trips::findings(&scene));
    findings.sort_unstable();
    findings.dedup();
    findings
}

/// What single transactions say, as far as it is about accounts of the view.
fn alone(view: &AccountView<'_>) -> Vec<Finding> {
    let nodes = view.accounts.map(|accounts| {
        let ids = accounts
            .iter()
            .map(|account| hansel_ledger::NodeId::account(view.chain, account).into());
        ids.collect::<std::collections::BTreeSet<String>>()
    });
    let findings = view.facts.transactions().flat_map(|tx| {
        transaction_findings(&EvmView {
            chain: view.chain,
            tx,
            labels: view.labels,
        })
    });
    let spoken_of = |finding: &Finding| {
        nodes
            .as_ref()
            .is_none_or(|nodes| finding.subjects.iter().any(|one| nodes.contains(one)))
    };
    findings.filter(spoken_of).collect()
}
