//! A small filter before the full keys: says of most keys that they are not watched, from one word of memory.

/// Bits of the filter for each key. With four of them set about one key in a hundred passes that is not watched.
const BITS_PER_KEY: usize = 12;

/// A Bloom filter in which all bits of a key lie in one word, so that asking costs one access to memory.
pub(crate) struct Filter {
    words: Vec<u64>,
}

impl Filter {
    /// A filter for keys with these hashes.
    pub(crate) fn new(count: usize, hashes: impl Iterator<Item = u64>) -> Self {
        let words = (count.saturating_mul(BITS_PER_KEY) / 64).max(1);
        let mut filter = Self {
            words: vec![0; words],
        };
        for hash in hashes {
            let place = filter.place(hash);
            filter.words[place] |= bits(hash);
        }
        filter
    }

    /// Whether a key with this hash may be among those given; never says no of one that is.
    #[inline]
    pub(crate) fn may_hold(&self, hash: u64) -> bool {
        let bits = bits(hash);
        self.words[self.place(hash)] & bits == bits
    }

    /// The word of a key, by the upper bits of its hash.
    #[inline]
    fn place(&self, hash: u64) -> usize {
        let words = u64::try_from(self.words.len()).expect("a length of 64 bits or fewer");
        let (_, place) = hash.carrying_mul(words, 0);
        usize::try_from(place).expect("less than the number of words")
    }
}

/// Four bits of a word, by the lower 24 bits of the hash; some may coincide.
#[inline]
fn bits(hash: u64) -> u64 {
    let bit = |shift: u32| 1_u64 << ((hash >> shift) & 63);
    bit(0) | bit(6) | bit(12) | bit(18)
}
