//! The accounts through which value leaves an EVM chain, and whose word that is.

use std::collections::{BTreeMap, BTreeSet};

use alloy_primitives::U256;
use hansel_graph::{AccountTrace, PoolKey};
use hansel_ledger::{Amount, Coin, EvmTransaction, Movement, NodeId};

use super::leaving::departures_of;
use super::{Bridges, Carrier, Departure};

/// Where value leaves, and where it only pretends to.
#[derive(Debug, Default)]
pub(super) struct Doors {
    /// The pools that are a bridge's, with the reason for a report.
    pub(super) closed: BTreeMap<PoolKey, String>,
    /// Pools that received more without than with the sender's word that it leaves.
    pub(super) disbelieved: BTreeSet<PoolKey>,
}

impl Doors {
    /// A sender's own word closes a pool only where what came with it is at least what came without, as far as the trace
    /// knows: else a memo with a single unit would hide whatever else an account gets.
    pub(super) fn of(trace: &AccountTrace, bridges: &Bridges) -> Self {
        let mut doors = Self::default();
        let mut said: BTreeMap<PoolKey, Vec<Departure>> = BTreeMap::new();
        for tx in talking(trace) {
            for departure in departures_of(trace, bridges, tx) {
                let Some(pool) = pool(&departure) else {
                    continue;
                };
                let protocol = departure.protocol;
                if departure.only_said {
                    said.entry(pool).or_default().push(departure);
                } else {
                    let reason = format!("the bridge {protocol} took it to another chain");
                    doors.closed.entry(pool).or_insert(reason);
                }
            }
        }
        said.retain(|pool, _| !doors.closed.contains_key(pool));
        let received = received(trace, &said);
        for (pool, departures) in said {
            let with = sum(departures.iter().map(|one| one.amount));
            let all = received.get(&pool).copied().unwrap_or(with);
            if all.checked_sub(with).unwrap_or_default() > with {
                doors.disbelieved.insert(pool);
            } else if let Some(first) = departures.first() {
                doors.closed.insert(pool, first.in_words());
            }
        }
        doors
    }
}

/// Who received value with words that it leaves, which is not believed; in order, with the words.
pub fn disbelieved(trace: &AccountTrace, bridges: &Bridges) -> Vec<(NodeId, String)> {
    let doors = Doors::of(trace, bridges);
    if doors.disbelieved.is_empty() {
        return Vec::new();
    }
    let departures = talking(trace).flat_map(|tx| departures_of(trace, bridges, tx));
    let chain = &trace.plan().chain;
    let told = departures.filter(|one| one.only_said).filter_map(|one| {
        let pool = pool(&one).filter(|pool| doors.disbelieved.contains(pool))?;
        Some((NodeId::account(chain, &pool.account), one.in_words()))
    });
    told.collect::<BTreeSet<_>>().into_iter().collect()
}

/// The transactions that may say that value leaves.
fn talking(trace: &AccountTrace) -> impl Iterator<Item = &EvmTransaction> {
    let transactions = trace.facts().transactions().filter(|tx| tx.succeeded);
    transactions.filter(|tx| !(tx.events.is_empty() && tx.carried.is_empty()))
}

/// The pool that a departure leaves by; what is destroyed leaves by none.
fn pool(departure: &Departure) -> Option<PoolKey> {
    match departure.carrier {
        Some(Carrier::Movement { to, coin, .. }) if coin != Coin::Token(to) && !to.is_zero() => {
            Some(PoolKey { account: to, coin })
        }
        Some(Carrier::Movement { .. } | Carrier::Output(_)) | None => None,
    }
}

/// All that the trace knows some pools to have received.
fn received(
    trace: &AccountTrace,
    pools: &BTreeMap<PoolKey, Vec<Departure>>,
) -> BTreeMap<PoolKey, Amount> {
    let mut all = BTreeMap::new();
    if pools.is_empty() {
        return all;
    }
    let transactions = trace.facts().transactions().filter(|tx| tx.succeeded);
    for Movement {
        to, coin, amount, ..
    } in transactions.flat_map(|tx| &tx.movements)
    {
        let pool = PoolKey {
            account: *to,
            coin: *coin,
        };
        if pools.contains_key(&pool) {
            let sum: &mut Amount = all.entry(pool).or_default();
            *sum = sum.checked_add(*amount).unwrap_or(most());
        }
    }
    all
}

fn sum(amounts: impl Iterator<Item = Amount>) -> Amount {
    Amount::checked_sum(amounts).unwrap_or(most())
}

/// More than any sum of a hostile token's amounts.
fn most() -> Amount {
    U256::MAX.into()
}
