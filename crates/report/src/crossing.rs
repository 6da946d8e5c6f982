//! Claims that moved from the part of a case on one chain to the part on another, folded back into their seeds.
//!
//! What arrives is a seed of its own chain there, in that chain's units. Here its row is taken apart: each of the
//! claims that it carries is shared over the ends of the arrival in proportion, by differences of rounded sums, so
//! that every claim is kept to the unit and the row of each original seed balances over all chains.

use std::collections::BTreeMap;

use hansel_graph::{Category, Rule};
use hansel_ledger::{Amount, AmountError};

use crate::model::{Accounting, AssetEntry, Finding, Flow, Seed};
use crate::{Built, Report};

/// A seed of one part, by the part's place and the seed's id within the part.
pub type PartSeed = (usize, String);

/// Claims that left a chain, wherever its part counts them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Departed {
    /// Whose claims.
    pub seed: PartSeed,
    /// Under which rule.
    pub rule: Rule,
    /// Where the part counts them.
    pub category: Category,
    /// How much.
    pub claim: Amount,
}

/// A seed of a part that carries claims of seeds of other parts.
#[derive(Clone, Debug)]
pub struct Crossed {
    /// What arrived, as a seed of its part.
    pub seed: PartSeed,
    /// By rule, whose claims it carries, and how much of each.
    pub claims: BTreeMap<Rule, BTreeMap<PartSeed, Amount>>,
    /// The flow that joins the two sides; its claims are filled in.
    pub flow: Flow,
    /// What says so.
    pub finding: Finding,
}

/// What one unit of a crossed seed carries of the claims of original seeds, by rule: how many units there are, and the
/// claims.
pub(crate) type Carried = BTreeMap<Rule, (Amount, BTreeMap<PartSeed, Amount>)>;

/// Counts claims that left a chain as such, and moves those that arrived to where they ended.
///
/// What a row does not hold is not moved, so that no row can fall below nothing.
pub(crate) fn fold(
    parts: &mut [Built],
    departed: &[Departed],
    crossed: &[Crossed],
) -> Result<BTreeMap<PartSeed, Carried>, AmountError> {
    for one in departed {
        if let Some(row) = row(parts, &one.seed, one.rule) {
            let held = slot(row, one.category);
            let moved = one.claim.min(*held);
            *held = held.checked_sub(moved)?;
            row.bridges = row.bridges.checked_add(moved)?;
        }
    }
    let order = last_first(crossed);
    let mut carried = BTreeMap::new();
    for one in &order {
        carried.insert(one.seed.clone(), unload(parts, one)?);
    }
    let mut resolved: BTreeMap<PartSeed, Carried> = BTreeMap::new();
    for one in order.iter().rev() {
        let own = carried.remove(&one.seed).unwrap_or_default();
        resolved.insert(one.seed.clone(), to_origins(own, &resolved)?);
    }
    let gone = |seed: &str, part: usize| resolved.contains_key(&(part, seed.to_owned()));
    for (number, part) in parts.iter_mut().enumerate() {
        let folded = part
            .report
            .seeds
            .extract_if(.., |seed| gone(&seed.id, number));
        let told: Vec<AssetEntry> = folded.map(|seed| told_by(&seed)).collect();
        told.into_iter().for_each(|asset| part.report.tell(asset));
        part.report
            .accounting
            .retain(|row| !gone(&row.seed, number));
    }
    Ok(resolved)
}

/// Later crossings before those whose value they carry on. Of crossings that name each other in a circle, which time
/// does not allow, none is left out.
fn last_first(crossed: &[Crossed]) -> Vec<&Crossed> {
    let mut left: Vec<&Crossed> = crossed.iter().collect();
    let mut order = Vec::with_capacity(left.len());
    while !left.is_empty() {
        let is_last = |one: &&Crossed| {
            let carries = |other: &&Crossed| {
                let mut parents = other.claims.values().flat_map(BTreeMap::keys);
                parents.any(|parent| *parent == one.seed)
            };
            !left.iter().any(carries)
        };
        let next = left.iter().position(is_last).unwrap_or(0);
        order.push(left.remove(next));
    }
    order
}

/// What a seed says of its asset, which has to be said otherwise once the seed is gone.
fn told_by(seed: &Seed) -> AssetEntry {
    AssetEntry {
        chain: seed.chain.clone(),
        asset: seed.asset.clone(),
        contract: None,
        decimals: Some(seed.decimals),
    }
}

impl Report {
    /// Lists an asset unless the report tells its decimals already.
    fn tell(&mut self, asset: AssetEntry) {
        let same = |chain: &str, name: &str| chain == asset.chain && name == asset.asset;
        let seeds = self.seeds.iter().any(|one| same(&one.chain, &one.asset));
        let listed = self.assets.iter().any(|one| same(&one.chain, &one.asset));
        if !seeds && !listed {
            self.assets.push(asset);
        }
    }
}

/// Moves the claims that an arrival carries from the bridges of their seeds to where the arrival ended.
fn unload(parts: &mut [Built], one: &Crossed) -> Result<Carried, AmountError> {
    let mut carried = Carried::new();
    for (rule, claims) in &one.claims {
        let Some(ends) = row(parts, &one.seed, *rule).map(|row| row.clone()) else {
            continue;
        };
        let mut moved = BTreeMap::new();
        for (parent, claim) in claims {
            let Some(row) = row(parts, parent, *rule).filter(|_| !ends.stolen.is_zero()) else {
                continue;
            };
            let claim = (*claim).min(row.bridges);
            row.bridges = row.bridges.checked_sub(claim)?;
            share(row, &ends, claim)?;
            moved.insert(parent.clone(), claim);
        }
        carried.insert(*rule, (ends.stolen, moved));
    }
    Ok(carried)
}

/// Adds a claim to the categories of a row in the proportions of another row.
fn share(row: &mut Accounting, ends: &Accounting, claim: Amount) -> Result<(), AmountError> {
    let (mut sum, mut given) = (Amount::ZERO, Amount::ZERO);
    for category in Category::ALL {
        sum = sum.checked_add(*slot(&mut ends.clone(), category))?;
        let due = if sum >= ends.stolen {
            claim
        } else {
            claim.mul_div(sum, ends.stolen)?
        };
        let held = slot(row, category);
        *held = held.checked_add(due.checked_sub(given)?)?;
        given = due;
    }
    Ok(())
}

/// What an arrival carries of original seeds, where it carries claims of earlier arrivals.
fn to_origins(
    own: Carried,
    resolved: &BTreeMap<PartSeed, Carried>,
) -> Result<Carried, AmountError> {
    let mut origins = Carried::new();
    for (rule, (units, claims)) in own {
        let mut of = BTreeMap::new();
        for (parent, claim) in claims {
            let Some(earlier) = resolved.get(&parent) else {
                add(&mut of, parent, claim)?;
                continue;
            };
            for (origin, part) in portions(earlier, rule, claim)? {
                add(&mut of, origin, part)?;
            }
        }
        origins.insert(rule, (units, of));
    }
    Ok(origins)
}

fn add(
    sums: &mut BTreeMap<PartSeed, Amount>,
    seed: PartSeed,
    claim: Amount,
) -> Result<(), AmountError> {
    let sum = sums.entry(seed).or_default();
    *sum = sum.checked_add(claim)?;
    Ok(())
}

/// What some units of an arrival carry of original seeds, rounded down.
pub(crate) fn portions(
    carried: &Carried,
    rule: Rule,
    units: Amount,
) -> Result<Vec<(PartSeed, Amount)>, AmountError> {
    let Some((whole, claims)) = carried.get(&rule).filter(|(whole, _)| !whole.is_zero()) else {
        return Ok(Vec::new());
    };
    let part = |claim: Amount| {
        if units >= *whole {
            Ok(claim)
        } else {
            claim.mul_div(units, *whole)
        }
    };
    claims
        .iter()
        .map(|(seed, claim)| Ok((seed.clone(), part(*claim)?)))
        .collect()
}

fn row<'a>(
    parts: &'a mut [Built],
    (part, seed): &PartSeed,
    rule: Rule,
) -> Option<&'a mut Accounting> {
    let rows = &mut parts.get_mut(*part)?.report.accounting;
    rows.iter_mut()
        .find(|row| row.seed == *seed && row.rule == rule)
}

fn slot(row: &mut Accounting, category: Category) -> &mut Amount {
    match category {
        Category::AtRest => &mut row.at_rest,
        Category::Exchanges => &mut row.exchanges,
        Category::Mixers => &mut row.mixers,
        Category::Bridges => &mut row.bridges,
        Category::Services => &mut row.services,
        Category::Hubs => &mut row.hubs,
        Category::Frontier => &mut row.frontier,
        Category::BelowThreshold => &mut row.below_threshold,
        Category::Fees => &mut row.fees,
        Category::Burned => &mut row.burned,
    }
}
