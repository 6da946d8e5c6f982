//! What left an account over a bridge lies there no longer.

use std::collections::BTreeMap;

use hansel_graph::Rule;
use hansel_ledger::{Amount, AmountError};

use crate::Report;
use crate::model::{FlowKind, NodeHolding};

/// Claims by rule and seed.
type Claims = BTreeMap<Rule, BTreeMap<String, Amount>>;

impl Report {
    /// Takes from the holdings of accounts what crossings carried away, so that no unit is seen at both ends. What a
    /// bridge kept stays.
    pub(crate) fn depart(&mut self) -> Result<(), AmountError> {
        let mut gone: BTreeMap<String, Claims> = BTreeMap::new();
        let crossings = self.flows.iter();
        for flow in crossings.filter(|flow| flow.kind == FlowKind::Crossing) {
            let sums = gone.entry(flow.from.to_string()).or_default();
            for (rule, claims) in &flow.claims {
                let sums = sums.entry(*rule).or_default();
                for (seed, claim) in claims {
                    let sum = sums.entry(seed.to_string()).or_default();
                    *sum = sum.checked_add(*claim)?;
                }
            }
        }
        for node in &mut self.nodes {
            let Some(gone) = gone.get_mut(&node.id) else {
                continue;
            };
            for holding in &mut node.holdings {
                take(holding, gone)?;
            }
            let is_empty = |one: &NodeHolding| one.tainted.values().all(|amount| amount.is_zero());
            node.holdings.retain(|holding| !is_empty(holding));
        }
        Ok(())
    }
}

/// Takes from a holding what it has of what is gone; its tainted part shrinks as its claims do.
fn take(holding: &mut NodeHolding, gone: &mut Claims) -> Result<(), AmountError> {
    for (rule, claims) in &mut holding.claims {
        let before = Amount::checked_sum(claims.values().copied())?;
        let gone = gone.entry(*rule).or_default();
        for (seed, claim) in claims.iter_mut() {
            let left = gone.entry(seed.to_string()).or_default();
            let taken = (*left).min(*claim);
            *left = left.checked_sub(taken)?;
            *claim = claim.checked_sub(taken)?;
        }
        let left = std::mem::take(claims).into_iter();
        *claims = left.filter(|(_, claim)| !claim.is_zero()).collect();
        let after = Amount::checked_sum(claims.values().copied())?;
        if let Some(tainted) = holding.tainted.get_mut(rule).filter(|_| !before.is_zero()) {
            *tainted = tainted.mul_div(after, before)?;
        }
    }
    Ok(())
}
