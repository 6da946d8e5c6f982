//! Which `Deposit` and `Withdrawal` logs are movements of a token that wraps the native coin.

use std::collections::HashMap;
use std::hash::Hash;

use alloy_primitives::Address;
use hansel_ledger::{Amount, Coin, EvmNetwork, Movement};

/// A log in the manner of WETH9.
pub(super) struct WrapLog {
    /// What moved if the contract wraps.
    pub(super) movement: Movement,
    /// True for `Deposit`.
    pub(super) wrapped: bool,
}

/// Keeps the logs that are movements.
///
/// The network's own wrapping contract is believed. Any other contract is when the transaction moved just as much of
/// the native coin into or out of it; each such movement vouches for one log. A log that the same contract repeats as
/// an ERC-20 transfer is dropped, as that transfer is a movement already.
pub(super) fn movements(
    network: &EvmNetwork,
    logs: Vec<WrapLog>,
    native: &[Movement],
    tokens: &[Movement],
) -> Vec<Movement> {
    let mut entering = Stock::new(native.iter().map(|one| (one.to, one.amount)));
    let mut leaving = Stock::new(native.iter().map(|one| (one.from, one.amount)));
    let mut repeating = Stock::new(tokens.iter().map(claim));
    let kept = logs.into_iter().filter(|log| {
        let Movement {
            from, to, amount, ..
        } = log.movement;
        let (contract, vouched) = if log.wrapped {
            (from, entering.take((from, amount)))
        } else {
            (to, leaving.take((to, amount)))
        };
        let repeated = repeating.take(claim(&log.movement));
        (vouched || network.wrapped == Some(contract)) && !repeated
    });
    kept.map(|log| log.movement).collect()
}

fn claim(movement: &Movement) -> (Coin, Address, Address, Amount) {
    (movement.coin, movement.from, movement.to, movement.amount)
}

/// How many there are of each.
struct Stock<K>(HashMap<K, u64>);

impl<K: Eq + Hash> Stock<K> {
    fn new(all: impl Iterator<Item = K>) -> Self {
        let mut stock = HashMap::new();
        for one in all {
            *stock.entry(one).or_default() += 1;
        }
        Self(stock)
    }

    /// Removes one of these; false where none is left.
    fn take(&mut self, one: K) -> bool {
        match self.0.get_mut(&one) {
            Some(left) if *left > 0 => {
                *left -= 1;
                true
            }
            _ => false,
        }
    }
}
