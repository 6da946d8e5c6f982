//! What happened to a pool under one rule, step by step, for a person to follow.

use alloy_primitives::B256;
use hansel_ledger::Amount;

use super::parcel::{Parcel, capped};

/// How a step changed a pool.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PoolChange {
    /// A statement says what the balance is.
    Opening,
    /// Value arrived.
    Arrival,
    /// Value was drawn.
    Draw,
}

impl PoolChange {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Opening, Self::Arrival, Self::Draw];
}

/// One step of a pool.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PoolStep {
    /// The transaction; `None` for an opening, and for value that came in no transaction.
    pub tx: Option<B256>,
    /// Its block.
    pub height: u64,
    /// What happened.
    pub change: PoolChange,
    /// The parcels that arrived or were drawn, in order; empty for an opening.
    pub parcels: Vec<Parcel>,
    /// The balance afterwards, in base units.
    pub balance: Amount,
    /// How much of it is tainted; under poison everything, where anything is.
    pub tainted: Amount,
}

impl PoolStep {
    /// How much arrived or was drawn, in base units.
    pub fn amount(&self) -> Amount {
        sum(self.parcels.iter())
    }

    /// How much of it is tainted.
    pub fn amount_tainted(&self) -> Amount {
        sum(self.parcels.iter().filter(|one| one.owner.is_some()))
    }
}

pub(crate) fn sum<'a>(parcels: impl Iterator<Item = &'a Parcel>) -> Amount {
    let amounts = parcels.map(|parcel| parcel.amount);
    amounts.fold(Amount::ZERO, capped)
}
