//! Locking scripts stored once each, however many outputs they lock.

use std::hash::{BuildHasher, RandomState};

use bitcoin::Script;
use hashbrown::HashTable;

use crate::growth::make_room;

/// An interned script's number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ScriptIx(pub(crate) u32);

/// All scripts of a graph, end to end.
#[derive(Debug, Default)]
pub(crate) struct Scripts {
    bytes: Vec<u8>,
    ends: Vec<u32>,
    index: HashTable<u32>,
    hasher: RandomState,
}

impl Scripts {
    /// The number of a script, stored if it is new; `None` once the scripts of a graph exceed 4 GiB.
    pub(crate) fn intern(&mut self, script: &Script) -> Option<ScriptIx> {
        let hash = self.hasher.hash_one(script.as_bytes());
        let known = self.index.find(hash, |&ix| {
            slice(&self.bytes, &self.ends, ix) == script.as_bytes()
        });
        if let Some(&ix) = known {
            return Some(ScriptIx(ix));
        }
        let ix = u32::try_from(self.ends.len()).ok()?;
        let end = u32::try_from(self.bytes.len() + script.len()).ok()?;
        make_room(&mut self.bytes, script.len());
        make_room(&mut self.ends, 1);
        self.bytes.extend_from_slice(script.as_bytes());
        self.ends.push(end);
        let Self {
            bytes,
            ends,
            index,
            hasher,
        } = self;
        index.insert_unique(hash, ix, |&ix| hasher.hash_one(slice(bytes, ends, ix)));
        Some(ScriptIx(ix))
    }

    /// The script of a number that this table gave out.
    pub(crate) fn get(&self, ix: ScriptIx) -> &Script {
        Script::from_bytes(slice(&self.bytes, &self.ends, ix.0))
    }
}

fn slice<'a>(bytes: &'a [u8], ends: &[u32], ix: u32) -> &'a [u8] {
    let at = |end: u32| usize::try_from(end).expect("a 32-bit offset fits the address space");
    let ix = at(ix);
    let start = ix.checked_sub(1).map_or(0, |before| at(ends[before]));
    &bytes[start..at(ends[ix])]
}
