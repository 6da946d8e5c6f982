//! How wide a flow is drawn: its share of all that was stolen.

use std::collections::BTreeMap;

use hansel_graph::Rule;
use hansel_ledger::Amount;

use crate::Report;
use crate::model::{Shared, Sorted};

/// The claims of a report as shares of what was stolen of the same asset.
pub(crate) struct Weights<'a> {
    /// The asset's sum and its part of the picture, by seed.
    whole: BTreeMap<&'a str, f64>,
}

impl<'a> Weights<'a> {
    pub(crate) fn of(report: &'a Report) -> Self {
        let mut sums: BTreeMap<(&str, &str), f64> = BTreeMap::new();
        for seed in &report.seeds {
            *sums.entry((&seed.chain, &seed.asset)).or_default() += drawn(seed.amount);
        }
        let part = 1.0 / f64::from(u32::try_from(sums.len()).unwrap_or(u32::MAX).max(1));
        let whole = report.seeds.iter().map(|seed| {
            let sum = sums[&(&*seed.chain, &*seed.asset)];
            let unit = if sum > 0.0 { part / sum } else { 0.0 };
            (&*seed.id, unit)
        });
        Self {
            whole: whole.collect(),
        }
    }

    /// What some claims are of the whole, between 0 and 1; different stolen assets weigh the same.
    pub(crate) fn share(&self, claims: &Sorted<Rule, Sorted<Shared, Amount>>, rule: Rule) -> f64 {
        let claims = claims.get(&rule).into_iter().flatten();
        claims
            .map(|(seed, claim)| {
                drawn(*claim) * self.whole.get(&**seed).copied().unwrap_or_default()
            })
            .sum()
    }
}

/// An amount as near as a drawing needs it.
fn drawn(amount: Amount) -> f64 {
    amount.to_string().parse().unwrap_or(f64::MAX)
}
