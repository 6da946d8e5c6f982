//! All labels together, found by chain and address.

use std::fmt;
use std::hash::{BuildHasher, Hasher};

use hansel_heuristics::{EntityKind, Label, Labels};
use hashbrown::{DefaultHashBuilder, HashTable};

use crate::address::{ALL_EVM, Sought};
use crate::pack::{About, Pack};

/// Labels of many files in one index.
///
/// Nothing is merged: where sources contradict each other, every claim is handed out.
pub struct LabelBook {
    packs: Vec<Pack>,
    index: HashTable<Slot>,
    hasher: DefaultHashBuilder,
}

/// The first of the rows of one address in a pack; the others follow it.
#[derive(Clone, Copy)]
struct Slot {
    pack: u32,
    row: u32,
}

impl LabelBook {
    /// Indexes packs, sorted by name.
    pub fn new(mut packs: Vec<Pack>) -> Self {
        packs.sort_by(|a, b| a.about.name.cmp(&b.about.name));
        let hasher = DefaultHashBuilder::default();
        let rows = packs.iter().map(Pack::len).sum();
        let mut index = HashTable::with_capacity(rows);
        for (pack, number) in packs.iter().zip(0_u32..) {
            let mut before = None;
            for (row, at) in pack.rows.iter().zip(0_u32..) {
                if !before.is_some_and(|before| Pack::same_key(before, row)) {
                    let slot = Slot {
                        pack: number,
                        row: at,
                    };
                    let (network, address) = pack.key(row);
                    if let Some(sought) = Sought::new(address) {
                        let hash = hash(&hasher, network, &sought);
                        index.insert_unique(hash, slot, |slot| rehash(&packs, &hasher, *slot));
                    }
                }
                before = Some(row);
            }
        }
        Self {
            packs,
            index,
            hasher,
        }
    }

    /// The packs, sorted by name.
    pub fn packs(&self) -> &[Pack] {
        &self.packs
    }

    /// How many labels there are.
    pub fn len(&self) -> usize {
        self.packs.iter().map(Pack::len).sum()
    }

    /// True where there is no label.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// What is known of each pack.
    pub fn about(&self) -> impl Iterator<Item = &About> {
        self.packs.iter().map(|pack| &pack.about)
    }

    fn find(&self, network: &str, sought: &Sought, labels: &mut Vec<Label>) {
        for slot in self.index.iter_hash(hash(&self.hasher, network, sought)) {
            let Some((pack, first)) = at(&self.packs, *slot) else {
                continue;
            };
            let rows = pack.rows.get(crate::strings::index(slot.row)..);
            let (of, address) = pack.key(first);
            if of == network && sought.is(address) {
                let same = rows
                    .into_iter()
                    .flatten()
                    .take_while(|row| Pack::same_key(first, row));
                labels.extend(same.map(|row| pack.label(row)));
            }
        }
    }
}

fn at(packs: &[Pack], slot: Slot) -> Option<(&Pack, &crate::pack::Row)> {
    let pack = packs.get(crate::strings::index(slot.pack))?;
    let row = pack.rows.get(crate::strings::index(slot.row))?;
    Some((pack, row))
}

fn hash(hasher: &DefaultHashBuilder, network: &str, sought: &Sought) -> u64 {
    let mut state = hasher.build_hasher();
    state.write(network.as_bytes());
    // No name of a chain holds this byte.
    state.write_u8(0xff);
    state.write(sought.bytes());
    state.finish()
}

fn rehash(packs: &[Pack], hasher: &DefaultHashBuilder, slot: Slot) -> u64 {
    let (pack, row) = at(packs, slot).expect("a slot is made of a row");
    let (network, address) = pack.key(row);
    let sought = Sought::new(address).expect("only what can be looked up has a slot");
    hash(hasher, network, &sought)
}

impl Labels for LabelBook {
    fn lookup(&self, chain: &str, address: &str) -> Vec<Label> {
        let mut labels = Vec::new();
        if let Some(sought) = Sought::new(address) {
            self.find(chain, &sought, &mut labels);
            if sought.is_evm() && chain != ALL_EVM {
                self.find(ALL_EVM, &sought, &mut labels);
            }
        }
        labels.sort_unstable();
        labels
    }

    fn bridges(&self, chain: &str, entity: &str) -> Vec<String> {
        let is_one = |label: &Label| {
            let name = label.actor.as_deref().unwrap_or(&label.label);
            let here = label.network == chain || label.network == ALL_EVM;
            label.kind == EntityKind::Bridge && here && name == entity
        };
        let all = self.packs.iter().flat_map(Pack::labels);
        let of = all.filter(|(_, label)| is_one(label));
        let mut addresses: Vec<String> = of.map(|(address, _)| address.to_owned()).collect();
        addresses.sort_unstable();
        addresses.dedup();
        addresses
    }
}

impl fmt::Debug for LabelBook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = self.about().map(|about| &about.name);
        f.debug_list().entries(names).finish()
    }
}
