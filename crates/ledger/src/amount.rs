//! An amount of one asset in its base units: 256 bits, checked, never rounded in silence.

use std::fmt;
use std::str::FromStr;

use ruint::aliases::{U256, U512};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// An amount in base units (satoshi, wei, a token's smallest unit).
///
/// Printed, parsed and serialised as a decimal string, because JSON readers lose precision above 2^53.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Amount(U256);

/// Says why an amount could not be computed or read.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum AmountError {
    /// A sum or product does not fit 256 bits.
    #[error("amount overflows 256 bits")]
    Overflow,
    /// More was taken from an amount than it holds.
    #[error("amount would become negative")]
    Underflow,
    /// A share of nothing was asked for.
    #[error("amount divided by zero")]
    DivisionByZero,
    /// The text is not a whole number of base units.
    #[error("`{0}` is not a whole number of base units")]
    NotANumber(String),
}

impl From<U256> for Amount {
    fn from(units: U256) -> Self {
        Self(units)
    }
}

impl Amount {
    /// Nothing.
    pub const ZERO: Self = Self(U256::ZERO);

    /// One base unit.
    pub const ONE: Self = Self(U256::ONE);

    /// The number itself.
    pub fn to_u256(self) -> U256 {
        self.0
    }

    /// True for nothing.
    #[inline]
    pub fn is_zero(self) -> bool {
        self.0.is_zero()
    }

    /// Adds, failing above 256 bits.
    #[inline]
    pub fn checked_add(self, other: Self) -> Result<Self, AmountError> {
        self.0
            .checked_add(other.0)
            .map(Self)
            .ok_or(AmountError::Overflow)
    }

    /// Subtracts, failing below zero.
    #[inline]
    pub fn checked_sub(self, other: Self) -> Result<Self, AmountError> {
        self.0
            .checked_sub(other.0)
            .map(Self)
            .ok_or(AmountError::Underflow)
    }

    /// Computes `floor(self * numerator / denominator)` with a 512-bit product.
    pub fn mul_div(self, numerator: Self, denominator: Self) -> Result<Self, AmountError> {
        if denominator.is_zero() {
            return Err(AmountError::DivisionByZero);
        }
        // Most amounts are small, and a division of 512 bits is slow.
        if self.0.bit_len() + numerator.0.bit_len() <= 256 {
            return Ok(Self(self.0 * numerator.0 / denominator.0));
        }
        let product: U512 = self.0.widening_mul(numerator.0);
        let quotient = product / U512::from(denominator.0);
        U256::checked_from_limbs_slice(quotient.as_limbs())
            .map(Self)
            .ok_or(AmountError::Overflow)
    }

    /// Sums amounts, failing above 256 bits.
    pub fn checked_sum(amounts: impl IntoIterator<Item = Self>) -> Result<Self, AmountError> {
        amounts.into_iter().try_fold(Self::ZERO, Self::checked_add)
    }
}

impl From<u64> for Amount {
    fn from(units: u64) -> Self {
        Self(U256::from(units))
    }
}

impl From<bitcoin::Amount> for Amount {
    fn from(amount: bitcoin::Amount) -> Self {
        Self::from(amount.to_sat())
    }
}

impl fmt::Display for Amount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Nearly all amounts are small, and reports hold millions of them.
        match u128::try_from(self.0) {
            Ok(small) => small.fmt(f),
            Err(_) => f.pad_integral(true, "", &self.0.to_string()),
        }
    }
}

impl FromStr for Amount {
    type Err = AmountError;

    fn from_str(text: &str) -> Result<Self, AmountError> {
        let digits =
            !text.is_empty() && text.len() <= 78 && text.bytes().all(|b| b.is_ascii_digit());
        if !digits {
            return Err(AmountError::NotANumber(text.chars().take(80).collect()));
        }
        U256::from_str_radix(text, 10)
            .map(Self)
            .map_err(|_| AmountError::Overflow)
    }
}

impl Serialize for Amount {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Amount {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

impl JsonSchema for Amount {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Amount".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string",
            "pattern": "^[0-9]{1,78}$",
            "description": "a whole number of base units, in decimal"
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn max() -> Amount {
        Amount(U256::MAX)
    }

    #[test]
    fn a_share_of_the_largest_amount_does_not_overflow() {
        assert_eq!(max().mul_div(max(), max()), Ok(max()));
        assert_eq!(
            max().mul_div(2_u64.into(), 1_u64.into()),
            Err(AmountError::Overflow)
        );
        assert_eq!(
            Amount::from(7).mul_div(2_u64.into(), 3_u64.into()),
            Ok(4_u64.into())
        );
        assert_eq!(
            Amount::from(7).mul_div(2_u64.into(), 0_u64.into()),
            Err(AmountError::DivisionByZero)
        );
    }

    #[test]
    fn sums_and_differences_are_checked() {
        assert_eq!(max().checked_add(1_u64.into()), Err(AmountError::Overflow));
        assert_eq!(
            Amount::ZERO.checked_sub(1_u64.into()),
            Err(AmountError::Underflow)
        );
        assert_eq!(
            Amount::checked_sum([3_u64.into(), 4_u64.into()]),
            Ok(7_u64.into())
        );
    }

    #[test]
    fn text_goes_in_and_out_unchanged_and_nonsense_is_refused() {
        let largest = max().to_string();
        assert_eq!(largest.parse(), Ok(max()));
        let above = format!("{}6", &largest[..largest.len() - 1]);
        assert_eq!(above.parse::<Amount>(), Err(AmountError::Overflow));
        for nonsense in ["", "-1", "1.0", "0x10", " 1", "1e3", "١"] {
            assert!(nonsense.parse::<Amount>().is_err(), "{nonsense}");
        }
    }
}
