//! The words of an event's data, read as hostile input.

use alloy_primitives::{Address, B256, U256};
use hansel_ledger::{Amount, Event};

/// The data of an event as words of 32 bytes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Words<'a>(pub(crate) &'a [u8]);

impl<'a> Words<'a> {
    pub(crate) fn of(event: &'a Event) -> Self {
        Self(&event.data)
    }

    pub(crate) fn word(self, number: usize) -> Option<B256> {
        let start = number.checked_mul(32)?;
        let word = self.0.get(start..start.checked_add(32)?)?;
        Some(B256::from_slice(word))
    }

    pub(crate) fn amount(self, number: usize) -> Option<Amount> {
        self.word(number).map(amount)
    }

    pub(crate) fn address(self, number: usize) -> Option<Address> {
        self.word(number).and_then(address)
    }

    pub(crate) fn number(self, number: usize) -> Option<u64> {
        self.word(number).and_then(small)
    }

    /// The bytes of a dynamic field, whose offset is in a word.
    pub(crate) fn bytes(self, number: usize) -> Option<&'a [u8]> {
        let start = usize::try_from(self.number(number)?).ok()?;
        let rest = self.0.get(start..)?;
        let length = usize::try_from(Words(rest).number(0)?).ok()?;
        rest.get(32..32_usize.checked_add(length)?)
    }

    /// What follows an offset that is in a word: the fields of a dynamic tuple.
    pub(crate) fn tuple(self, number: usize) -> Option<Self> {
        let start = usize::try_from(self.number(number)?).ok()?;
        self.0.get(start..).map(Self)
    }
}

/// A topic of an event, the first of which is its form.
pub(crate) fn topic(event: &Event, number: usize) -> Option<B256> {
    event.topics.get(number).copied()
}

pub(crate) fn amount(word: B256) -> Amount {
    Amount::from(U256::from_be_bytes(word.0))
}

pub(crate) fn small(word: B256) -> Option<u64> {
    u64::try_from(U256::from_be_bytes(word.0)).ok()
}

/// The account that a word names; `None` where the bytes above the address are not zero.
pub(crate) fn address(word: B256) -> Option<Address> {
    let padding = word.0.get(..12)?;
    let clean = padding.iter().all(|byte| *byte == 0);
    clean.then(|| Address::from_word(word))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn word(number: u64) -> Vec<u8> {
        B256::from(U256::from(number)).to_vec()
    }

    #[test]
    fn fields_outside_of_the_data_are_not_there() {
        let data = [word(7), word(64), word(3), b"abc".to_vec()].concat();
        let words = Words(&data);
        assert_eq!(words.number(0), Some(7));
        assert_eq!(words.bytes(1), Some(&b"abc"[..]));
        assert_eq!(words.word(3), None);
        assert_eq!(words.word(usize::MAX), None);
        for lie in [u64::MAX, 65, 96, 1 << 40] {
            let data = [word(7), word(lie), word(u64::MAX)].concat();
            assert_eq!(Words(&data).bytes(1), None, "{lie}");
        }
        let long = [word(32), word(u64::MAX)].concat();
        assert_eq!(Words(&long).bytes(0), None);
    }

    #[test]
    fn a_word_with_dirty_upper_bytes_is_no_address() {
        assert_eq!(address(B256::repeat_byte(1)), None);
        let clean = Address::repeat_byte(1);
        assert_eq!(address(clean.into_word()), Some(clean));
    }
}
