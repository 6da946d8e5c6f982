//! Runs of units and the claims that they carry.

use alloy_primitives::U256;
use hansel_ledger::{Amount, AmountError};

use crate::SeedIx;

/// A run of units of one owner: stolen from one seed, or clean.
///
/// Before a conversion a tainted unit carries a claim of one unit; afterwards it may carry more or less. Rounding
/// can leave a claim without a unit: it leaves its pool with the next unit that does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Parcel {
    /// How much, in base units of the coin that it is.
    pub amount: Amount,
    /// Whose claim the units carry; `None` for clean units.
    pub owner: Option<SeedIx>,
    /// What they carry, in base units of what was stolen; zero for clean units. Under poison, which measures
    /// nothing, the same claim may be carried many times.
    pub claim: Amount,
}

impl Parcel {
    pub(crate) const EMPTY: Self = Self {
        amount: Amount::ZERO,
        owner: None,
        claim: Amount::ZERO,
    };

    pub(crate) fn clean(amount: Amount) -> Self {
        Self {
            amount,
            ..Self::EMPTY
        }
    }

    /// Takes the first `amount` units with their share of the claim, rounded down; all units take all of it.
    pub(crate) fn take(&mut self, amount: Amount) -> Result<Self, AmountError> {
        if amount >= self.amount {
            return Ok(std::mem::replace(self, Self::EMPTY));
        }
        let claim = if self.claim == self.amount {
            amount
        } else if self.claim.is_zero() {
            Amount::ZERO
        } else {
            self.claim.mul_div(amount, self.amount)?
        };
        self.amount = self.amount.checked_sub(amount)?;
        self.claim = self.claim.checked_sub(claim)?;
        Ok(Self {
            amount,
            owner: self.owner,
            claim,
        })
    }

    /// Adds a parcel of the same owner.
    pub(crate) fn join(&mut self, other: Self) -> Result<(), AmountError> {
        self.amount = self.amount.checked_add(other.amount)?;
        self.claim = self.claim.checked_add(other.claim)?;
        Ok(())
    }
}

/// The largest amount there is.
pub(crate) fn largest() -> Amount {
    Amount::from(U256::MAX)
}

/// A sum that stops at the largest amount, which only invented tokens reach.
pub(crate) fn capped(one: Amount, other: Amount) -> Amount {
    one.checked_add(other).unwrap_or_else(|_| largest())
}

/// Appends a parcel; neighbours of one owner become one.
pub(crate) fn append(parcels: &mut Vec<Parcel>, parcel: Parcel) -> Result<(), AmountError> {
    match parcels.last_mut() {
        Some(last) if last.owner == parcel.owner => last.join(parcel),
        Some(_) | None => {
            parcels.push(parcel);
            Ok(())
        }
    }
}

/// True where some unit or claim is a seed's.
pub(crate) fn tainted(parcels: &[Parcel]) -> bool {
    parcels.iter().any(|parcel| parcel.owner.is_some())
}

/// Turns parcels worth `from` into parcels worth `to`: the boundaries between them are scaled and rounded down,
/// so that the amounts sum exactly. Claims stay as they are.
pub(crate) fn scale(parcels: &mut [Parcel], from: Amount, to: Amount) -> Result<(), AmountError> {
    if from == to {
        return Ok(());
    }
    let (mut end, mut scaled) = (Amount::ZERO, Amount::ZERO);
    for parcel in parcels {
        end = capped(end, parcel.amount).min(from);
        let boundary = end.mul_div(to, from)?;
        parcel.amount = boundary.checked_sub(scaled)?;
        scaled = boundary;
    }
    Ok(())
}
