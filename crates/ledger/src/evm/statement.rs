//! What a source knows of one account and one coin.

use alloy_primitives::{Address, B256};
use serde::{Deserialize, Serialize};

use super::{Coin, EvmPlacement, EvmTransaction, Origin};
use crate::{Amount, Coverage};

/// The statement of one coin of one account over blocks `since..=until`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccountStatement {
    /// Whose.
    pub address: Address,
    /// Of what.
    pub coin: Coin,
    /// The first block.
    pub since: u64,
    /// The last block.
    pub until: u64,
    /// The balance before `since`; `None` where the endpoints keep no state so old. Never zero for want of
    /// knowledge.
    pub opening: Option<Amount>,
    /// The balance after `until`, under the same rule.
    pub closing: Option<Amount>,
    /// What kind of account it is at `until`.
    pub nature: AccountNature,
    /// Every transaction in which the account gave the coin, its gas included, in full and in chain order.
    pub transactions: Vec<EvmTransaction>,
    /// What the account received in other transactions and outside of transactions, in chain order.
    pub arrivals: Vec<Arrival>,
    /// Logs that name the account and move nothing.
    pub noise: Noise,
    /// How far the statement reaches and what it lacks. A statement with [`crate::Gap::Hub`] has no entries.
    pub coverage: Coverage,
}

/// What kind of account.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AccountNature {
    /// No code: only its key moves its value.
    External,
    /// An account with a key that runs the code of this contract (EIP-7702).
    Delegated(Address),
    /// A contract.
    Contract,
    /// Not told.
    Unknown,
}

/// Value that an account received in a transaction of which nothing else is known.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Arrival {
    /// The transaction; `None` for what is not part of one.
    pub tx: Option<B256>,
    /// Where it stands.
    pub placement: EvmPlacement,
    /// What says so.
    pub origin: Origin,
    /// Who gave it, where that is known.
    pub from: Option<Address>,
    /// What arrived.
    pub coin: Coin,
    /// How much, in base units; never zero.
    pub amount: Amount,
}

/// Logs that name an account and move nothing, counted so that they are not hidden.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Noise {
    /// Transfers of nothing: anybody can have them logged in anybody's name.
    pub zero_value: u64,
    /// Transfers that the token's own balances contradict.
    pub forged: u64,
    /// Transfers of tokens that cannot be divided (ERC-721, ERC-1155): noted, not valued.
    pub collectibles: u64,
    /// Logs that claim to be transfers and cannot be read as such.
    pub unreadable: u64,
}

impl Noise {
    /// Adds counts.
    pub fn add(&mut self, other: Self) {
        let Self {
            zero_value,
            forged,
            collectibles,
            unreadable,
        } = other;
        self.zero_value = self.zero_value.saturating_add(zero_value);
        self.forged = self.forged.saturating_add(forged);
        self.collectibles = self.collectibles.saturating_add(collectibles);
        self.unreadable = self.unreadable.saturating_add(unreadable);
    }

    /// How many in all.
    pub fn total(self) -> u64 {
        self.zero_value
            .saturating_add(self.forged)
            .saturating_add(self.collectibles)
            .saturating_add(self.unreadable)
    }
}
