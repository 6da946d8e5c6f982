//! Millions of keys, and whether one is among them: exactly, and fast where it is not.

use std::hash::{BuildHasher as _, Hasher as _};

use foldhash::quality::RandomState;
use hashbrown::HashTable;

use crate::error::Crowded;
use crate::filter::Filter;

/// A fixed set of keys, each a string of bytes, numbered in the order in which they were first given.
///
/// The hash is seeded anew for each set, so that who writes the keys cannot make them collide; nothing that
/// is found depends on the seed.
pub struct KeySet {
    seed: RandomState,
    filter: Filter,
    table: HashTable<u32>,
    keys: Keys,
}

/// The keys themselves, one after the other.
#[derive(Default)]
struct Keys {
    bytes: Vec<u8>,
    /// Where each key ends.
    ends: Vec<u32>,
}

impl KeySet {
    /// A set of these keys; a key that is given again keeps its number.
    ///
    /// # Errors
    ///
    /// Where the keys together are longer than 4 GiB.
    pub fn new<K: AsRef<[u8]>>(given: impl IntoIterator<Item = K>) -> Result<Self, Crowded> {
        let given = given.into_iter();
        let seed = RandomState::default();
        let mut keys = Keys::default();
        let mut table = HashTable::with_capacity(given.size_hint().0);
        for key in given {
            let key = key.as_ref();
            let hash = hash(&seed, key);
            if table
                .find(hash, |number| keys.get(*number) == key)
                .is_some()
            {
                continue;
            }
            let number = keys.push(key)?;
            table.insert_unique(hash, number, |number| hash_of(&seed, &keys, *number));
        }
        let hashes = table.iter().map(|number| hash_of(&seed, &keys, *number));
        let filter = Filter::new(keys.ends.len(), hashes);
        Ok(Self {
            seed,
            filter,
            table,
            keys,
        })
    }

    /// How many different keys there are.
    pub fn len(&self) -> usize {
        self.keys.ends.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.keys.ends.is_empty()
    }

    /// The number of a key, if it is in the set.
    pub fn find(&self, key: &[u8]) -> Option<u32> {
        let hash = self.hash(key);
        self.may_hold(hash).then(|| self.confirm(hash, key))?
    }

    /// The keys of a list that are in the set: their places in the list, and their numbers.
    pub(crate) fn find_all<K: AsRef<[u8]>>(&self, keys: &[K]) -> Vec<(usize, u32)> {
        let hashes: Vec<u64> = keys.iter().map(|key| self.hash(key.as_ref())).collect();
        let mut passed = vec![0; hashes.len()];
        let count = self.filter(&hashes, &mut passed);
        let found = passed[..count].iter().filter_map(|place| {
            let number = self.confirm(hashes[*place], keys[*place].as_ref())?;
            Some((*place, number))
        });
        found.collect()
    }

    /// Writes down which of the hashes the filter lets through, and returns how many. There is no branch that would
    /// have to be guessed, so that the processor waits for many words of a large filter at the same time.
    pub(crate) fn filter(&self, hashes: &[u64], passed: &mut [usize]) -> usize {
        let mut count = 0;
        for (place, hash) in hashes.iter().enumerate() {
            passed[count] = place;
            count += usize::from(self.may_hold(*hash));
        }
        count
    }

    #[inline]
    pub(crate) fn hash(&self, key: &[u8]) -> u64 {
        hash(&self.seed, key)
    }

    #[inline]
    pub(crate) fn may_hold(&self, hash: u64) -> bool {
        self.filter.may_hold(hash)
    }

    /// The number of the key that has this hash, all of it compared.
    pub(crate) fn confirm(&self, hash: u64, key: &[u8]) -> Option<u32> {
        let same = |number: &u32| self.keys.get(*number) == key;
        self.table.find(hash, same).copied()
    }
}

impl Keys {
    fn get(&self, number: u32) -> &[u8] {
        let number = usize::try_from(number).expect("numbers of 32 bits fit");
        let start = number.checked_sub(1).map_or(0, |before| self.ends[before]);
        &self.bytes[place(start)..place(self.ends[number])]
    }

    /// Adds a key and returns its number.
    fn push(&mut self, key: &[u8]) -> Result<u32, Crowded> {
        let crowded = Crowded {
            keys: self.ends.len(),
        };
        let number = u32::try_from(self.ends.len()).map_err(|_| crowded)?;
        let end = u32::try_from(self.bytes.len() + key.len()).map_err(|_| crowded)?;
        self.bytes.extend_from_slice(key);
        self.ends.push(end);
        Ok(number)
    }
}

fn place(offset: u32) -> usize {
    usize::try_from(offset).expect("offsets of 32 bits fit")
}

#[inline]
fn hash(seed: &RandomState, key: &[u8]) -> u64 {
    let mut hasher = seed.build_hasher();
    hasher.write(key);
    hasher.finish()
}

fn hash_of(seed: &RandomState, keys: &Keys, number: u32) -> u64 {
    hash(seed, keys.get(number))
}
