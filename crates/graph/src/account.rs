//! Taint on the accounts of an EVM chain, exact to the unit. The rules are those of `docs/methods.md`.

mod book;
mod exchange;
mod execute;
mod facts;
mod holding;
mod ledger;
mod link;
mod made;
mod net;
mod parcel;
mod plan;
mod replay;
mod schedule;
mod settlement;
mod shelf;
mod told;
mod venue;
mod view;
mod workings;

pub use facts::AccountFacts;
pub use parcel::Parcel;
pub use settlement::{AccountSeed, AccountSettleError, AccountSettlement};
pub use told::AccountTransfer;
pub use view::{AccountFlow, AccountStep, PoolState, Reading, Shortfall};
pub use workings::{PoolChange, PoolStep};

use alloy_primitives::Address;
use hansel_ledger::Coin;

/// A pool on an EVM chain: one coin of one account.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PoolKey {
    /// Whose.
    pub account: Address,
    /// Of what.
    pub coin: Coin,
}
