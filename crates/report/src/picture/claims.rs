//! What was stolen, by chain and asset: the parts of it that a picture adds up.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use hansel_ledger::{Amount, AmountError};

use crate::Report;
use crate::model::{Shared, Sorted};
use crate::references::Numbers;

/// Amounts of what was stolen, by chain and asset of the theft.
pub(super) type Claims<'a> = Sorted<(&'a str, &'a str), Amount>;

/// What was stolen from each node: the seeds whose flows left it.
pub(super) fn departed<'a>(
    report: &'a Report,
    numbers: &Numbers<'_>,
) -> Result<BTreeMap<usize, Claims<'a>>, AmountError> {
    let mut seeds: HashMap<&str, Vec<usize>> = HashMap::new();
    for (number, seed) in report.seeds.iter().enumerate() {
        for name in seed.flow.as_deref().into_iter().chain([&*seed.tx]) {
            seeds.entry(name).or_default().push(number);
        }
    }
    let mut left = BTreeSet::new();
    for flow in &report.flows {
        let named = [&*flow.id, &*flow.tx].map(|name| seeds.get(name));
        for seed in named.into_iter().flatten().flatten() {
            left.extend(numbers.get(&flow.from).map(|node| (node, *seed)));
        }
    }
    let mut departed: BTreeMap<usize, Claims<'_>> = BTreeMap::new();
    for (node, seed) in left {
        let seed = &report.seeds[seed];
        let claims = departed.entry(node).or_default();
        let sum = claims.or_default((&seed.chain, &seed.asset));
        *sum = sum.checked_add(seed.amount)?;
    }
    Ok(departed)
}

/// Adds claims by the asset that each seed is of.
pub(super) fn add<'a>(
    sums: &mut Claims<'a>,
    claims: Option<&Sorted<Shared, Amount>>,
    assets: &BTreeMap<&'a str, (&'a str, &'a str)>,
) -> Result<(), AmountError> {
    for (seed, claim) in claims.into_iter().flatten() {
        if let Some(asset) = assets.get(&**seed) {
            let sum = sums.or_default(*asset);
            *sum = sum.checked_add(*claim)?;
        }
    }
    Ok(())
}

/// Adds claims to others.
pub(super) fn merge<'a>(sums: &mut Claims<'a>, more: &Claims<'a>) -> Result<(), AmountError> {
    for (asset, amount) in more {
        let sum = sums.or_default(*asset);
        *sum = sum.checked_add(*amount)?;
    }
    Ok(())
}
