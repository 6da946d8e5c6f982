//! Leads from who the accounts are: a depositor himself, or somebody whom he deals with.

use std::collections::{BTreeMap, BTreeSet};

use alloy_primitives::{Address, B256};

use crate::verdict::Verdict;
use crate::{Confidence, Finding};

use super::super::scene::Scene;
use super::{Lead, Mixing, pairs};

/// Between linked accounts there were at least so many direct transactions. Source: Tutela.
const INTERACTIONS: usize = 3;

/// Who withdraws is who deposited into the same pool before.
pub(super) fn same_address(scene: &Scene<'_>, mixing: &Mixing) -> Vec<Finding> {
    let deposits = Mixing::by_account(&mixing.deposits);
    let withdrawals = Mixing::by_account(&mixing.withdrawals);
    let found = withdrawals.iter().filter_map(|(account, out)| {
        let pairs = pairs(deposits.get(account)?, out);
        let lead = Lead {
            verdict: Verdict::new("evm.tornado.lead.same-address", Confidence::Weak),
            recipient: *account,
            depositors: [*account].into(),
            pairs,
            besides: Vec::new(),
        };
        lead.finding(scene, mixing)
    });
    found.collect()
}

/// Who withdraws dealt with who deposited, outside of the mixer.
pub(super) fn linked(scene: &Scene<'_>, mixing: &Mixing) -> Vec<Finding> {
    let deposits = Mixing::by_account(&mixing.deposits);
    let withdrawals = Mixing::by_account(&mixing.withdrawals);
    let mut between: BTreeMap<(Address, Address), BTreeSet<B256>> = BTreeMap::new();
    let (deposited, withdrew) = (known(scene, &deposits), known(scene, &withdrawals));
    for moved in &scene.transfers {
        let (Some(from), Some(hash)) = (moved.from, moved.hash) else {
            continue;
        };
        for (depositor, recipient) in [(from, moved.to), (moved.to, from)] {
            if depositor != recipient && deposited[depositor] && withdrew[recipient] {
                let pair = (scene.address(recipient), scene.address(depositor));
                between.entry(pair).or_default().insert(*hash);
            }
        }
    }
    let linked = between
        .iter()
        .filter(|(_, hashes)| hashes.len() >= INTERACTIONS);
    let found = linked.filter_map(|((recipient, depositor), hashes)| {
        let lead = Lead {
            verdict: Verdict::new("evm.tornado.lead.linked-address", Confidence::Weak)
                .count("interactions", hashes.len())
                .count("least-interactions", INTERACTIONS),
            recipient: *recipient,
            depositors: [*depositor].into(),
            pairs: pairs(&deposits[depositor], &withdrawals[recipient]),
            besides: Vec::new(),
        };
        lead.finding(scene, mixing)
    });
    found.collect()
}

/// Whether each account of a scene is among others.
fn known<T>(scene: &Scene<'_>, others: &BTreeMap<Address, T>) -> Vec<bool> {
    let accounts = 0..scene.account_count();
    accounts
        .map(|account| others.contains_key(&scene.address(account)))
        .collect()
}
