//! A share of an amount as an exact fraction, read from decimal text.

use std::fmt;
use std::str::FromStr;

use crate::{Amount, AmountError};

/// A share between 0 and 1, kept as a fraction of a power of ten so that no float touches value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Share {
    numerator: u64,
    digits: u32,
}

/// Says why a text is not a share.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("`{0}` is not a share between 0 and 1 with at most 18 decimals")]
pub struct ShareError(String);

impl Share {
    /// Nothing: every amount reaches it.
    pub const ZERO: Self = Self {
        numerator: 0,
        digits: 0,
    };

    /// The smallest amount that is at least this share of `whole`.
    pub fn of(self, whole: Amount) -> Result<Amount, AmountError> {
        let denominator = Amount::from(10_u64.pow(self.digits));
        let floor = whole.mul_div(self.numerator.into(), denominator)?;
        let exact = floor.mul_div(denominator, Amount::from(1))?
            == whole.mul_div(self.numerator.into(), Amount::from(1))?;
        if exact {
            Ok(floor)
        } else {
            floor.checked_add(Amount::from(1))
        }
    }
}

impl FromStr for Share {
    type Err = ShareError;

    fn from_str(text: &str) -> Result<Self, ShareError> {
        let refuse = || ShareError(text.chars().take(40).collect());
        let (whole, decimals) = text.split_once('.').unwrap_or((text, ""));
        let digits = |part: &str| part.bytes().all(|b| b.is_ascii_digit());
        if !matches!(whole, "0" | "1" | "")
            || text.is_empty()
            || text == "."
            || !digits(decimals)
            || decimals.len() > 18
        {
            return Err(refuse());
        }
        let decimals = decimals.trim_end_matches('0');
        let length = u32::try_from(decimals.len()).map_err(|_| refuse())?;
        let fraction: u64 = if decimals.is_empty() {
            0
        } else {
            decimals.parse().map_err(|_| refuse())?
        };
        let numerator = if whole == "1" { 10_u64.pow(length) } else { 0 } + fraction;
        if numerator > 10_u64.pow(length) {
            return Err(refuse());
        }
        Ok(Self {
            numerator,
            digits: length,
        })
    }
}

impl fmt::Display for Share {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scale = 10_u64.pow(self.digits);
        if self.digits == 0 {
            return write!(f, "{}", self.numerator);
        }
        let width = usize::try_from(self.digits).expect("at most 18 digits");
        write!(
            f,
            "{}.{:0width$}",
            self.numerator / scale,
            self.numerator % scale
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_is_exact_and_rounds_up_so_that_equality_reaches_it() {
        let thousandth: Share = "0.001".parse().unwrap();
        assert_eq!(
            thousandth.of(450_290_000_000.into()),
            Ok(450_290_000.into())
        );
        assert_eq!(thousandth.of(1.into()), Ok(1.into()));
        assert_eq!(Share::ZERO.of(5.into()), Ok(Amount::ZERO));
        assert_eq!("1".parse::<Share>().unwrap().of(7.into()), Ok(7.into()));
    }

    #[test]
    fn shares_print_as_they_are_read_and_nonsense_is_refused() {
        for text in ["0", "1", "0.001", "0.5"] {
            assert_eq!(text.parse::<Share>().unwrap().to_string(), text);
        }
        for nonsense in [
            "",
            ".",
            "1.1",
            "2",
            "-0.1",
            "0.0000000000000000001",
            "1e-3",
            "50%",
        ] {
            assert!(nonsense.parse::<Share>().is_err(), "{nonsense}");
        }
    }
}
