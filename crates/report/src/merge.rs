//! Several parts of a case, one for each chain, as one report.

use std::collections::BTreeMap;

use hansel_graph::Rule;
use hansel_ledger::{Amount, AmountError};

use crate::crossing::{Carried, Crossed, Departed, PartSeed, fold, portions};
use crate::model::{Shared, Sorted};
use crate::{Built, Report};

/// Joins the parts of a case: seeds are numbered through, everything else is put together in order.
///
/// The first part gives the name, the limits and the rules, which all parts share. `None` where there is no part.
pub fn merge(parts: Vec<Built>) -> Option<Built> {
    // Without crossings no sum is formed that could fail.
    join(parts, &[], Vec::new()).unwrap_or_default()
}

/// Joins the parts of a case of which some carry value of others: see [`Crossed`].
pub fn join(
    mut parts: Vec<Built>,
    departed: &[Departed],
    crossed: Vec<Crossed>,
) -> Result<Option<Built>, AmountError> {
    let arrived = fold(&mut parts, departed, &crossed)?;
    let names = Names::of(&parts, arrived);
    for one in crossed {
        if let Some(part) = parts.get_mut(one.seed.0) {
            part.report.flows.push(names.crossing(&one)?);
            part.report.findings.push(one.finding);
        }
    }
    let mut whole: Option<Built> = None;
    for (number, mut part) in parts.into_iter().enumerate() {
        names.rename(&mut part.report, number)?;
        match &mut whole {
            None => whole = Some(part),
            Some(whole) => {
                put_together(&mut whole.report, part.report);
                whole.partial |= part.partial;
            }
        }
    }
    if let Some(whole) = &mut whole {
        whole.report.depart()?;
        whole.report.sort();
    }
    Ok(whole)
}

fn put_together(whole: &mut Report, part: Report) {
    for subject in part.case.subjects {
        if !whole.case.subjects.contains(&subject) {
            whole.case.subjects.push(subject);
        }
    }
    whole.tips.extend(part.tips);
    whole.seeds.extend(part.seeds);
    whole.assets.extend(part.assets);
    whole.accounting.extend(part.accounting);
    whole.nodes.extend(part.nodes);
    whole.flows.extend(part.flows);
    whole.findings.extend(part.findings);
    whole.cash_outs.extend(part.cash_outs);
    whole.unknown.extend(part.unknown);
    whole.unknown.sort();
    whole.unknown.dedup();
    whole.sources.extend(part.sources);
}

/// What the seeds of the parts are called in the whole.
struct Names {
    /// Of the seeds that were named by the user.
    origins: BTreeMap<PartSeed, String>,
    /// What seeds that crossed carry of those.
    arrived: BTreeMap<PartSeed, Carried>,
}

impl Names {
    fn of(parts: &[Built], arrived: BTreeMap<PartSeed, Carried>) -> Self {
        let seeds = parts.iter().enumerate().flat_map(|(number, part)| {
            let seeds = part.report.seeds.iter();
            seeds.map(move |seed| (number, seed.id.clone()))
        });
        let named = seeds
            .enumerate()
            .map(|(place, seed)| (seed, format!("s{}", place + 1)));
        Self {
            origins: named.collect(),
            arrived,
        }
    }

    fn rename(&self, report: &mut Report, part: usize) -> Result<(), AmountError> {
        let rename = |name: &mut String| {
            if let Some(new) = self.origins.get(&(part, name.clone())) {
                name.clone_from(new);
            }
        };
        report
            .seeds
            .iter_mut()
            .for_each(|seed| rename(&mut seed.id));
        report
            .accounting
            .iter_mut()
            .for_each(|row| rename(&mut row.seed));
        report
            .unknown
            .iter_mut()
            .for_each(|unknown| rename(&mut unknown.subject));
        let crossing = |flow: &crate::model::Flow| flow.kind == crate::model::FlowKind::Crossing;
        for flow in report.flows.iter_mut().filter(|flow| !crossing(flow)) {
            self.rename_claims(&mut flow.claims, part)?;
        }
        for holding in report.nodes.iter_mut().flat_map(|node| &mut node.holdings) {
            self.rename_claims(&mut holding.claims, part)?;
        }
        Ok(())
    }

    fn rename_claims(
        &self,
        claims: &mut Sorted<Rule, Sorted<Shared, Amount>>,
        part: usize,
    ) -> Result<(), AmountError> {
        for (rule, by_seed) in claims.iter_mut() {
            let mut named: BTreeMap<Shared, Amount> = BTreeMap::new();
            for (seed, claim) in std::mem::take(by_seed) {
                let key = (part, seed.to_string());
                let shares = match self.arrived.get(&key) {
                    Some(carried) => portions(carried, *rule, claim)?,
                    None => vec![(key, claim)],
                };
                for (key, share) in shares {
                    let sum = named.entry(self.name(key).into()).or_default();
                    *sum = sum.checked_add(share)?;
                }
            }
            *by_seed = named.into();
        }
        Ok(())
    }

    fn name(&self, key: PartSeed) -> String {
        self.origins.get(&key).cloned().unwrap_or(key.1)
    }

    /// The flow of a crossing, with the claims of the original seeds.
    fn crossing(&self, one: &Crossed) -> Result<crate::model::Flow, AmountError> {
        let mut flow = one.flow.clone();
        for (rule, (units, claims)) in self.arrived.get(&one.seed).into_iter().flatten() {
            let named = claims.iter().map(|(seed, claim)| {
                let name = self.name(seed.clone());
                (name.into(), *claim)
            });
            flow.claims.insert(*rule, named.collect());
            flow.tainted.insert(*rule, *units);
        }
        Ok(flow)
    }
}
