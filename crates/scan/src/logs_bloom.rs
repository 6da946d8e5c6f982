//! Whether the bloom of a header allows for a log that has one of many accounts among its topics.

use alloy_primitives::{Address, keccak256};

/// Bits of a header's bloom.
const BITS: usize = 2048;

/// The three bits that each account sets as a topic, by the first of them.
pub(crate) struct Topics {
    /// Where the accounts of each first bit begin; one more at the end.
    starts: Vec<usize>,
    others: Vec<[u16; 2]>,
}

impl Topics {
    pub(crate) fn of(accounts: &[Address]) -> Self {
        let mut bits: Vec<[u16; 3]> = accounts.iter().map(bits).collect();
        bits.sort_unstable();
        bits.dedup();
        let first = |bits: &[u16; 3]| usize::from(bits[0]);
        let start = |bit| bits.partition_point(|bits| first(bits) < bit);
        Self {
            starts: (0..=BITS).map(start).collect(),
            others: bits
                .iter()
                .map(|[_, second, third]| [*second, *third])
                .collect(),
        }
    }

    /// False where no log of the block has any of the accounts among its topics. Accounts whose first bit is not set
    /// are passed over together.
    pub(crate) fn may_be_in(&self, bloom: &[u8; BITS / 8]) -> bool {
        let set = |bit: usize| bloom[BITS / 8 - 1 - bit / 8] & (1 << (bit % 8)) != 0;
        let both = |others: &[u16; 2]| others.iter().all(|bit| set(usize::from(*bit)));
        let accounts = self.starts.windows(2).enumerate();
        accounts
            .filter(|(bit, _)| set(*bit))
            .any(|(_, bounds)| self.others[bounds[0]..bounds[1]].iter().any(both))
    }
}

/// The bits of an account as a topic of 32 bytes: eleven from each of the first three pairs of bytes of its hash (the
/// yellow paper, section 4.4.1).
fn bits(account: &Address) -> [u16; 3] {
    let hash = keccak256(account.into_word());
    let pair = |at: usize| u16::from_be_bytes([hash[at], hash[at + 1]]) & 0x7ff;
    [pair(0), pair(2), pair(4)]
}
