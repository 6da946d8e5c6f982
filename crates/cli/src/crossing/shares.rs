//! What each arrival carries of the claims of what left.

use std::collections::{BTreeMap, BTreeSet};

use hansel_graph::{Rule, SeedIx};
use hansel_heuristics::crossing::{Leaving, Reason, share};
use hansel_ledger::{Amount, AmountError, Share};
use hansel_report::{Departed, PartSeed};

use super::Group;
use super::found::{Found, Landing};
use crate::leg::Leg;

/// What one arrival carries: as a seed on its own chain, and of whose claims.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Load {
    pub(super) parts: BTreeMap<Rule, Amount>,
    pub(super) claims: BTreeMap<Rule, BTreeMap<PartSeed, Amount>>,
}

/// True where no rule gives any seed so much of what left that the limits would have it followed.
pub(super) fn is_dust(leg: &Leg<'_>, group: &Group<'_>) -> bool {
    let share = leg.request.min_share.parse::<Share>();
    let least = |seed: SeedIx| {
        let whole = leg.course.seed_amount(seed).unwrap_or_default();
        let least = share.as_ref().ok().and_then(|share| share.of(whole).ok());
        least.unwrap_or_default()
    };
    let taints = group.leaving.iter().flat_map(|one| one.taints.values());
    let mut claims = taints.flat_map(|taint| &taint.claims);
    let touched = group
        .leaving
        .iter()
        .flat_map(|one| one.taints.values())
        .any(|taint| taint.claims.is_empty() && !taint.tainted.is_zero());
    !touched && !claims.any(|(seed, claim)| !claim.is_zero() && *claim >= least(*seed))
}

/// Leaves out what was found to arrive under another link before: value arrives once.
pub(super) fn drop_taken<'a>(found: &mut Found, before: impl Iterator<Item = &'a Found>) {
    let landings = before.flat_map(|one| &one.landings);
    let certain = landings.filter(|one| one.guess.is_none());
    let taken: BTreeSet<&str> = certain.map(|one| &*one.key).collect();
    let problems = &mut found.problems;
    found.landings.retain(|one| {
        let free = !taken.contains(&*one.key);
        if !free {
            problems.push(format!("{} is what something else arrived by", one.tx));
        }
        free
    });
}

/// What each arrival of a group carries of its taint and its claims.
pub(super) fn shared(group: &Group<'_>, landings: &[Landing]) -> Result<Vec<Load>, AmountError> {
    let arrivals: Vec<(Reason, Amount)> = landings
        .iter()
        .map(|landing| (landing.reason, landing.amount))
        .collect();
    let left = Amount::checked_sum(group.leaving.iter().map(|one| one.departure.amount))?;
    let rules: BTreeSet<Rule> = group
        .leaving
        .iter()
        .flat_map(|one| one.taints.keys().copied())
        .collect();
    let mut loads = vec![Load::default(); landings.len()];
    for rule in rules {
        let taints = || group.leaving.iter().filter_map(|one| one.taints.get(&rule));
        let tainted = Amount::checked_sum(taints().map(|taint| taint.tainted))?;
        for (load, (_, amount)) in loads.iter_mut().zip(&arrivals) {
            // Poison measures nothing: whatever it touched is all of it.
            let part = if rule.conserves() || tainted.is_zero() {
                share::tainted(*amount, tainted, left)?
            } else {
                *amount
            };
            load.parts.insert(rule, part);
        }
        let mut claims: BTreeMap<PartSeed, Amount> = BTreeMap::new();
        for (seed, claim) in taints().flat_map(|taint| &taint.claims) {
            let sum = claims.entry((group.leg, seed.id())).or_default();
            *sum = sum.checked_add(*claim)?;
        }
        for (seed, claim) in claims {
            let shares = share::claims(claim, left, &arrivals)?;
            for (load, share) in loads.iter_mut().zip(shares) {
                let of = load.claims.entry(rule).or_default();
                of.insert(seed.clone(), share);
            }
        }
    }
    Ok(loads)
}

pub(super) fn claims_of(leg: usize, leaving: &Leaving) -> Vec<Departed> {
    let mut all = Vec::new();
    for (rule, taint) in &leaving.taints {
        for (seed, claim) in &taint.claims {
            all.push(Departed {
                seed: (leg, seed.id()),
                rule: *rule,
                category: leaving.category,
                claim: *claim,
            });
        }
    }
    all
}
