//! Two principals that give each other one coin each.

use alloy_primitives::Address;
use hansel_ledger::{Amount, Coin, Movement};
use hashbrown::{HashMap, HashSet};

use super::net::Roles;
use super::plan::{Hop, Plan};

/// What one account gave another: the movements, and their sum.
#[derive(Clone, Debug, Default)]
pub(crate) struct Side {
    movements: Vec<usize>,
    sum: Amount,
}

/// An exchange, seen from both sides.
pub(crate) type Exchange = (Side, Side);

/// Finds the exchanges among movements that are not linked, in the order of their first movements.
///
/// Contracts that go back to a holder of taint take no part: what such a contract gives for stolen value is its
/// maker's invention.
pub(crate) fn find(
    movements: &[Movement],
    linked: &HashSet<usize>,
    roles: &mut Roles<'_>,
) -> Vec<Exchange> {
    let mut sides: HashMap<(Address, Address), Option<(Coin, Side)>> = HashMap::new();
    let mut order = Vec::new();
    for (number, one) in movements.iter().enumerate() {
        if one.from == one.to || linked.contains(&number) {
            continue;
        }
        let pair = (one.from, one.to);
        if !sides.contains_key(&pair) && !sides.contains_key(&(one.to, one.from)) {
            order.push(pair);
        }
        let side = sides
            .entry(pair)
            .or_insert_with(|| Some((one.coin, Side::default())));
        *side = side.take().and_then(|side| extend(side, number, one));
    }
    let mut found = Vec::new();
    for (one, other) in order {
        let both = (sides.remove(&(one, other)), sides.remove(&(other, one)));
        if let (Some(Some((sold, gave))), Some(Some((bought, got)))) = both
            && sold != bought
            && acts(&one, roles)
            && acts(&other, roles)
        {
            found.push((gave, got));
        }
    }
    found
}

/// Adds a movement to a side; `None` where it is of another coin, or the sum above 256 bits.
fn extend((coin, mut side): (Coin, Side), number: usize, one: &Movement) -> Option<(Coin, Side)> {
    side.sum = side.sum.checked_add(one.amount).ok()?;
    side.movements.push(number);
    (coin == one.coin).then_some((coin, side))
}

fn acts(account: &Address, roles: &mut Roles<'_>) -> bool {
    roles.is_principal(account) && !roles.is_made_by_holder(account)
}

/// Puts stages between the two: each one's claims go from what it gave to what it got.
pub(crate) fn stage(plan: &mut Plan, exchanges: &[Exchange]) {
    if exchanges.is_empty() {
        return;
    }
    let mut arrivals: Vec<Hop> = Vec::new();
    for (gave, got) in exchanges {
        let (Some(first), Some(second)) = (gave.movements.first(), got.movements.first()) else {
            continue;
        };
        let (sold, bought) = (plan.hops[*first], plan.hops[*second]);
        let (seller_in, seller_out) = plan.bridge(sold.to, bought.to, got.sum);
        let (buyer_in, buyer_out) = plan.bridge(bought.to, sold.to, gave.sum);
        for (side, entry, exit) in [(gave, seller_in, buyer_out), (got, buyer_in, seller_out)] {
            for number in &side.movements {
                let hop = plan.hops[*number];
                arrivals.push(Hop { from: exit, ..hop });
                plan.hops[*number].to = entry;
                plan.hops[*number].arrives = false;
            }
        }
    }
    plan.hops.extend(arrivals);
    plan.hops.sort_by_key(|hop| hop.movement);
}
