//! What every account holds, as the story goes.

use std::collections::BTreeMap;

use alloy_primitives::{Address, U256};
use hansel_ledger::Coin;

use super::EvmMove;

/// How value moves.
#[derive(Clone, Copy, Debug)]
pub(super) enum Effect {
    /// From one account to another.
    Pay(EvmMove),
    /// A token is made by its contract.
    Make {
        to: Address,
        token: Address,
        amount: U256,
    },
    /// A token is destroyed.
    Destroy {
        from: Address,
        token: Address,
        amount: U256,
    },
}

impl Effect {
    pub(super) fn native(from: Address, to: Address, amount: U256) -> Self {
        let coin = Coin::Native;
        Self::Pay(EvmMove {
            from,
            to,
            coin,
            amount,
        })
    }

    pub(super) fn token(token: Address, from: Address, to: Address, amount: U256) -> Self {
        let coin = Coin::Token(token);
        Self::Pay(EvmMove {
            from,
            to,
            coin,
            amount,
        })
    }

    /// The movement as a reader of the chain tells it.
    pub(super) fn movement(self) -> EvmMove {
        match self {
            Self::Pay(movement) => movement,
            Self::Make { to, token, amount } => EvmMove {
                from: token,
                to,
                coin: Coin::Token(token),
                amount,
            },
            Self::Destroy {
                from,
                token,
                amount,
            } => EvmMove {
                from,
                to: token,
                coin: Coin::Token(token),
                amount,
            },
        }
    }
}

/// Balances and supplies.
#[derive(Debug, Default)]
pub(super) struct Book {
    balances: BTreeMap<(Address, Coin), U256>,
    supplies: BTreeMap<Address, U256>,
}

impl Book {
    pub(super) fn apply(&mut self, effect: Effect) {
        match effect {
            Effect::Pay(EvmMove {
                from,
                to,
                coin,
                amount,
            }) => {
                self.take(from, coin, amount);
                self.give(to, coin, amount);
            }
            Effect::Make { to, token, amount } => {
                self.give(to, Coin::Token(token), amount);
                *self.supplies.entry(token).or_default() += amount;
            }
            Effect::Destroy {
                from,
                token,
                amount,
            } => {
                self.take(from, Coin::Token(token), amount);
                *self.supplies.entry(token).or_default() -= amount;
            }
        }
    }

    pub(super) fn give(&mut self, account: Address, coin: Coin, amount: U256) {
        *self.balances.entry((account, coin)).or_default() += amount;
    }

    pub(super) fn take(&mut self, account: Address, coin: Coin, amount: U256) {
        let held = self.balances.entry((account, coin)).or_default();
        let left = held.checked_sub(amount);
        *held = left.expect("nobody in the story gives what it does not have");
    }

    pub(super) fn holds(&self, account: Address, coin: Coin) -> U256 {
        let held = self.balances.get(&(account, coin));
        held.copied().unwrap_or_default()
    }

    pub(super) fn supply(&self, token: Address) -> U256 {
        self.supplies.get(&token).copied().unwrap_or_default()
    }

    pub(super) fn into_balances(self) -> BTreeMap<(Address, Coin), U256> {
        self.balances
    }
}
