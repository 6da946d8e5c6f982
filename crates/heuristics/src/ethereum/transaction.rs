//! Everything that the detectors of single transactions say about one.

use alloy_primitives::Address;
use hansel_ledger::{Chain, EvmTransaction, Movement, NodeId, TransferId};

use crate::{EntityKind, Finding, Labels};

use super::{fans, privacy_pools, railgun, tornado};

/// A transaction as the detectors see it.
#[derive(Clone, Copy, Debug)]
pub struct EvmView<'a> {
    /// The chain.
    pub chain: &'a Chain,
    /// The transaction.
    pub tx: &'a EvmTransaction,
    /// What addresses are called.
    pub labels: &'a dyn Labels,
}

impl<'a> EvmView<'a> {
    /// The id of an account as a node.
    pub(super) fn node(&self, account: &Address) -> String {
        NodeId::account(self.chain, account).into()
    }

    /// The id of one of its movements.
    pub(super) fn id(&self, movement: &Movement) -> String {
        TransferId::movement(self.chain, &self.tx.hash, &movement.origin).into()
    }

    /// True where somebody calls an account a mixer.
    pub(super) fn is_mixer(&self, account: &Address) -> bool {
        let labels = self.labels.lookup(self.chain.name(), &account.to_string());
        labels.iter().any(|label| label.kind == EntityKind::Mixer)
    }

    /// What moved into an account.
    pub(super) fn paid_to(&self, account: Address) -> impl Iterator<Item = &'a Movement> + Clone {
        let movements = self.tx.movements.iter();
        movements.filter(move |movement| movement.to == account && movement.from != account)
    }

    /// What moved out of an account.
    pub(super) fn paid_by(&self, account: Address) -> impl Iterator<Item = &'a Movement> + Clone {
        let movements = self.tx.movements.iter();
        movements.filter(move |movement| movement.from == account && movement.to != account)
    }
}

/// Everything that the detectors of single transactions say about one, sorted; nothing about one that was reverted.
pub fn transaction_findings(view: &EvmView<'_>) -> Vec<Finding> {
    if !view.tx.succeeded {
        return Vec::new();
    }
    let mut findings = tornado::findings(view);
    findings.extend(railgun::findings(view));
    findings.extend(privacy_pools::findings(view));
    findings.extend(fans::in_one_transaction(view));
    findings.sort_unstable();
    findings.dedup();
    findings
}
