//! Hops through a service that pays out at once: the same coin comes back to another account, nearly all of it.

use std::collections::{BTreeMap, BTreeSet};

use hansel_ledger::{Amount, Coin};

use crate::verdict::Verdict;
use crate::{Confidence, EntityKind, Finding};

use super::scene::{AccountIx, Moved, Scene, entity};

/// Within how many seconds a service pays out. Ours.
const SECONDS: u64 = 3_600;

/// What comes back is at least this many thousandths of what went in, since a service keeps a fee. Ours.
const LEAST_PER_MILLE: u64 = 950;

/// With more payments that fit than this the lead leads nowhere. Ours.
const CANDIDATES: usize = 10;

/// Of so many payments of the service at most is each looked at; a busier one leads nowhere either. Ours.
const LOOKED_AT: usize = 1_000;

/// A lead for each payment to a service behind which a few payments of the same service fit.
pub(super) fn findings(scene: &Scene<'_>) -> Vec<Finding> {
    let services = services(scene);
    let payments = payments(scene, &services);
    let mut found = Vec::new();
    for account in scene.subjects() {
        if services.contains_key(&account) {
            continue;
        }
        let paid = scene
            .given(account)
            .iter()
            .filter(|paid| scene.is_known(paid.coin()));
        found.extend(paid.filter_map(|paid| lead(scene, &services, &payments, paid)));
    }
    found
}

/// The accounts that labels call an exchange or a service, with the entity behind them.
fn services<'s>(scene: &'s Scene<'_>) -> BTreeMap<AccountIx, &'s str> {
    let accounts = 0..scene.account_count();
    let named = accounts.filter_map(|account| {
        let labels = scene.labels(account).iter();
        let mut service =
            labels.filter(|label| matches!(label.kind, EntityKind::Exchange | EntityKind::Service));
        Some((account, entity(service.next()?)))
    });
    named.collect()
}

/// What each service paid to others, by entity and coin, in chain order.
type Payments<'s, 'a> = BTreeMap<(&'s str, Coin), Vec<&'s Moved<'a>>>;

fn payments<'s, 'a>(
    scene: &'s Scene<'a>,
    services: &BTreeMap<AccountIx, &'s str>,
) -> Payments<'s, 'a> {
    let mut payments = Payments::new();
    for (service, entity) in services {
        let given = scene.given(*service).iter();
        for moved in given.filter(|moved| !services.contains_key(&moved.to)) {
            payments
                .entry((*entity, moved.coin()))
                .or_default()
                .push(moved);
        }
    }
    for of_entity in payments.values_mut() {
        of_entity.sort_unstable_by_key(|moved| moved.order());
    }
    payments
}

fn lead(
    scene: &Scene<'_>,
    services: &BTreeMap<AccountIx, &str>,
    payments: &Payments<'_, '_>,
    paid: &Moved<'_>,
) -> Option<Finding> {
    let entity = *services.get(&paid.to)?;
    let out = payments.get(&(entity, paid.coin()))?;
    let start = out.partition_point(|one| one.place() < paid.place());
    let least = paid
        .amount()
        .mul_div(Amount::from(LEAST_PER_MILLE), Amount::from(1_000_u64))
        .ok()?;
    let latest = paid.time().saturating_add(SECONDS);
    let length = out[start..].partition_point(|one| one.time() <= latest);
    if length > LOOKED_AT {
        return None;
    }
    let soon = out[start..start + length].iter();
    let fitting: Vec<&&Moved<'_>> = soon
        .filter(|one| one.amount() >= least && one.amount() <= paid.amount())
        .filter(|one| paid.from != Some(one.to))
        .take(CANDIDATES + 1)
        .collect();
    if fitting.is_empty() || fitting.len() > CANDIDATES {
        return None;
    }
    let payees: BTreeSet<String> = fitting
        .iter()
        .map(|one| scene.address(one.to).to_string())
        .collect();
    let from = paid.from?;
    let verdict = Verdict::new("evm.instant-exchange.lead", Confidence::Weak)
        .with("service", entity)
        .with("payees", payees.into_iter().collect::<Vec<_>>())
        .count("candidates", fitting.len())
        .count("most-candidates", CANDIDATES)
        .with("within-seconds", SECONDS)
        .with("least-per-mille", LEAST_PER_MILLE)
        .with("coin", scene.coin(paid.coin()))
        .amount("amount", paid.amount());
    let mut nodes = vec![scene.node(from)];
    let known = fitting.iter().filter(|one| scene.is_subject(one.to));
    nodes.extend(known.map(|one| scene.node(one.to)));
    let evidence = fitting.iter().map(|one| scene.id(one));
    let evidence = evidence.chain([scene.id(paid)]).collect();
    let summary = format!(
        "{} paid {entity}, which paid nearly as much to {} accounts soon after: one of them may be the same person",
        scene.address(from),
        fitting.len()
    );
    Some(verdict.finding(nodes, evidence, summary))
}
