//! The tainted value by who holds it: a view over the ends of the trails, never a fact of its own.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use hansel_ledger::{Amount, AmountError};

use super::{LONGEST, Page, SHOWN, counted};
use crate::holding::Holdings;
use crate::model::{Node, Stop};
use crate::visible::clipped;

/// Entity, kind of stop, chain and asset.
type Key<'a> = (&'a str, &'static str, &'a str, &'a str);

/// What an entity holds of an asset, one amount per rule of the case.
struct Held {
    places: usize,
    tainted: Vec<Amount>,
}

/// Empty where nobody is known to hold any.
pub(super) fn section(page: &Page<'_>) -> Result<String, AmountError> {
    let mut entities: Vec<(Key<'_>, Held)> = held(page)?.into_iter().collect();
    if entities.is_empty() {
        return Ok(String::new());
    }
    entities.sort_by(|(one, held), (next, other)| {
        let order = |key: &Key<'_>| (key.2.to_owned(), key.3.to_owned());
        (order(one), Reverse(&held.tainted), one).cmp(&(order(next), Reverse(&other.tainted), next))
    });
    let mut text = "Whom it reached, by entity\n".to_owned();
    for (key, held) in entities.iter().take(SHOWN) {
        text += &page.wrapped(&line(page, key, held), 2);
    }
    let more = entities.len().saturating_sub(SHOWN);
    if more > 0 {
        text += &format!("  and {}\n", counted(more, "more entry"));
    }
    Ok(text)
}

fn held<'a>(page: &Page<'a>) -> Result<BTreeMap<Key<'a>, Held>, AmountError> {
    let holdings = Holdings::of(page.report)?;
    let rules = &page.report.case.rules;
    let mut entities: BTreeMap<Key<'_>, Held> = BTreeMap::new();
    for (node, stop, entity) in page.report.nodes.iter().filter_map(named) {
        for holding in holdings.at(&node.id) {
            let held = entities
                .entry((entity, stop.kind.name(), &*node.chain, holding.asset))
                .or_insert_with(|| Held {
                    places: 0,
                    tainted: vec![Amount::ZERO; rules.len()],
                });
            held.places += 1;
            for (sum, rule) in held.tainted.iter_mut().zip(rules) {
                *sum = sum.checked_add(holding.tainted(*rule))?;
            }
        }
    }
    entities.retain(|_, held| held.tainted.iter().any(|amount| !amount.is_zero()));
    Ok(entities)
}

fn named(node: &Node) -> Option<(&Node, &Stop, &str)> {
    let stop = node.stop.as_ref()?;
    Some((node, stop, stop.entity.as_deref()?))
}

fn line(page: &Page<'_>, (entity, kind, chain, asset): &Key<'_>, held: &Held) -> String {
    let show = |amount: Amount| page.assets.show(chain, asset, amount);
    let amounts = super::resting::amounts(page, &held.tainted, &show);
    format!(
        "{} ({}) on {}: {amounts} at {}",
        clipped(entity, LONGEST),
        kind.replace('-', " "),
        clipped(chain, LONGEST),
        counted(held.places, "place")
    )
}
