//! Numbers as JSON-RPC spells them: hexadecimal with `0x`, or plain JSON numbers as flat traces have them.

use std::fmt;
use std::marker::PhantomData;

use alloy_primitives::U256;
use serde::de::{Deserialize, Deserializer, Error, Visitor};

/// A number of at most so many bits.
pub(super) trait Quantity: Sized {
    /// Reads digits without their prefix; `None` where they are none, too many or no digits.
    fn digits(digits: &str) -> Option<Self>;

    /// Takes a JSON number; `None` where it does not fit.
    fn number(number: u64) -> Option<Self>;
}

impl Quantity for u64 {
    fn digits(digits: &str) -> Option<Self> {
        plain(digits, 16).then(|| Self::from_str_radix(digits, 16).ok())?
    }

    fn number(number: u64) -> Option<Self> {
        Some(number)
    }
}

impl Quantity for u32 {
    fn digits(digits: &str) -> Option<Self> {
        u64::digits(digits).and_then(|number| number.try_into().ok())
    }

    fn number(number: u64) -> Option<Self> {
        number.try_into().ok()
    }
}

impl Quantity for U256 {
    fn digits(digits: &str) -> Option<Self> {
        if digits.len() <= 16 {
            return u64::digits(digits).map(Self::from);
        }
        plain(digits, 64).then(|| Self::from_str_radix(digits, 16).ok())?
    }

    fn number(number: u64) -> Option<Self> {
        Some(Self::from(number))
    }
}

fn plain(digits: &str, limit: usize) -> bool {
    // The library's parsers accept signs and underscores, which no node sends.
    !digits.is_empty() && digits.len() <= limit && digits.bytes().all(|b| b.is_ascii_hexdigit())
}

/// Reads `text` as a number.
pub(super) fn quantity<T: Quantity>(text: &str) -> Option<T> {
    T::digits(text.strip_prefix("0x")?)
}

/// Deserializes a number that must be there.
pub(super) fn required<'de, T: Quantity, D: Deserializer<'de>>(json: D) -> Result<T, D::Error> {
    Number::deserialize(json).map(|number| number.0)
}

/// Deserializes a number that may be null; with `serde(default)` it may be missing too.
pub(super) fn optional<'de, T: Quantity, D: Deserializer<'de>>(
    json: D,
) -> Result<Option<T>, D::Error> {
    let number = Option::<Number<T>>::deserialize(json)?;
    Ok(number.map(|number| number.0))
}

struct Number<T>(T);

impl<'de, T: Quantity> Deserialize<'de> for Number<T> {
    fn deserialize<D: Deserializer<'de>>(json: D) -> Result<Self, D::Error> {
        json.deserialize_any(Reader(PhantomData)).map(Self)
    }
}

struct Reader<T>(PhantomData<T>);

impl<T: Quantity> Visitor<'_> for Reader<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a number of at most so many bits in hexadecimal")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<T, E> {
        quantity(text).ok_or_else(|| E::custom("not a number in range"))
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<T, E> {
        T::number(number).ok_or_else(|| E::custom("not a number in range"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_in_range_are_read_and_nonsense_is_refused() {
        assert_eq!(quantity("0x0"), Some(0_u64));
        assert_eq!(quantity("0x00ff"), Some(255_u64));
        assert_eq!(quantity("0xFFFFFFFFFFFFFFFF"), Some(u64::MAX));
        assert_eq!(quantity(&format!("0x{}", "f".repeat(64))), Some(U256::MAX));
        for nonsense in [
            "", "0x", "1", "0x-1", "0x+1", "0x1_0", "0xg", "-0x1", "0X1", "0x 1",
        ] {
            assert_eq!(quantity::<u64>(nonsense), None, "{nonsense}");
            assert_eq!(quantity::<U256>(nonsense), None, "{nonsense}");
        }
        assert_eq!(quantity::<u64>("0x10000000000000000"), None);
        assert_eq!(quantity::<u32>("0x100000000"), None);
        let above = format!("0x1{}", "0".repeat(64));
        assert_eq!(quantity::<U256>(&above), None);
    }
}
