//! Whether the bloom of a header allows for a log that has one of many topics or writers.

use alloy_primitives::keccak256;

/// Bits of a header's bloom.
const BITS: usize = 2048;

/// The three bits that each topic or writer sets, by the first of them.
pub(crate) struct Topics {
    /// Where the keys of each first bit begin; one more at the end.
    starts: Vec<usize>,
    others: Vec<[u16; 2]>,
}

impl Topics {
    pub(crate) fn of(keys: impl Iterator<Item = Vec<u8>>) -> Self {
        let mut bits: Vec<[u16; 3]> = keys.map(|key| bits(&key)).collect();
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

    /// False where no log of the block has any of the keys. Keys whose first bit is not set are passed over together.
    pub(crate) fn may_be_in(&self, bloom: &[u8; BITS / 8]) -> bool {
        let set = |bit: usize| bloom[BITS / 8 - 1 - bit / 8] & (1 << (bit % 8)) != 0;
        let both = |others: &[u16; 2]| others.iter().all(|bit| set(usize::from(*bit)));
        let keys = self.starts.windows(2).enumerate();
        keys.filter(|(bit, _)| set(*bit))
            .any(|(_, bounds)| self.others[bounds[0]..bounds[1]].iter().any(both))
    }
}

/// The bits of a topic or of the address of a log's writer: eleven from each of the first three pairs of bytes of its
/// hash (the yellow paper, section 4.4.1).
fn bits(key: &[u8]) -> [u16; 3] {
    let hash = keccak256(key);
    let pair = |at: usize| u16::from_be_bytes([hash[at], hash[at + 1]]) & 0x7ff;
    [pair(0), pair(2), pair(4)]
}
