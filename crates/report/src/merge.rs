//! Several parts of a case, one for each chain, as one report.

use std::collections::BTreeMap;

use hansel_graph::Rule;
use hansel_ledger::Amount;

use crate::{Built, Report};

/// Joins the parts of a case: seeds are numbered through, everything else is put together in order.
///
/// The first part gives the name, the limits and the rules, which all parts share. `None` where there is no part.
pub fn merge(parts: Vec<Built>) -> Option<Built> {
    let mut parts = parts.into_iter();
    let mut whole = parts.next()?;
    for mut part in parts {
        renumber(&mut part.report, whole.report.seeds.len());
        join(&mut whole.report, part.report);
        whole.partial |= part.partial;
    }
    whole.report.sort();
    Some(whole)
}

fn join(whole: &mut Report, part: Report) {
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

/// Shifts the numbers of a part's seeds behind those that are named already.
fn renumber(report: &mut Report, first: usize) {
    let names: BTreeMap<String, String> = (0..report.seeds.len())
        .map(|seed| (format!("s{}", seed + 1), format!("s{}", first + seed + 1)))
        .collect();
    let rename = |name: &mut String| {
        if let Some(new) = names.get(name) {
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
    for flow in &mut report.flows {
        rename_claims(&mut flow.claims, &names);
    }
    for holding in report.nodes.iter_mut().flat_map(|node| &mut node.holdings) {
        rename_claims(&mut holding.claims, &names);
    }
}

fn rename_claims(
    claims: &mut BTreeMap<Rule, BTreeMap<String, Amount>>,
    names: &BTreeMap<String, String>,
) {
    for by_seed in claims.values_mut() {
        *by_seed = std::mem::take(by_seed)
            .into_iter()
            .map(|(seed, claim)| (names.get(&seed).cloned().unwrap_or(seed), claim))
            .collect();
    }
}
