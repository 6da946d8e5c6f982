//! What the rules need of a number: exact, checked arithmetic on base units.

use hansel_ledger::{Amount, AmountError};

/// A count of base units. Bitcoin pools count in `u64` satoshi, EVM pools in 256-bit [`Amount`]s.
pub trait Units: Copy + Ord + Default {
    /// Nothing.
    const ZERO: Self;
    /// One unit.
    const ONE: Self;

    /// Adds, failing on overflow.
    fn plus(self, other: Self) -> Result<Self, AmountError>;

    /// Subtracts, failing below zero.
    fn minus(self, other: Self) -> Result<Self, AmountError>;

    /// `floor(self * numerator / denominator)` without overflow in between.
    fn share(self, numerator: Self, denominator: Self) -> Result<Self, AmountError>;
}

impl Units for u64 {
    const ZERO: Self = 0;
    const ONE: Self = 1;

    fn plus(self, other: Self) -> Result<Self, AmountError> {
        self.checked_add(other).ok_or(AmountError::Overflow)
    }

    fn minus(self, other: Self) -> Result<Self, AmountError> {
        self.checked_sub(other).ok_or(AmountError::Underflow)
    }

    fn share(self, numerator: Self, denominator: Self) -> Result<Self, AmountError> {
        let product = u128::from(self) * u128::from(numerator);
        let quotient = product
            .checked_div(u128::from(denominator))
            .ok_or(AmountError::DivisionByZero)?;
        Self::try_from(quotient).map_err(|_| AmountError::Overflow)
    }
}

impl Units for Amount {
    const ZERO: Self = Self::ZERO;
    const ONE: Self = Self::ONE;

    fn plus(self, other: Self) -> Result<Self, AmountError> {
        self.checked_add(other)
    }

    fn minus(self, other: Self) -> Result<Self, AmountError> {
        self.checked_sub(other)
    }

    fn share(self, numerator: Self, denominator: Self) -> Result<Self, AmountError> {
        self.mul_div(numerator, denominator)
    }
}
