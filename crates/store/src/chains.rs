//! Chains and their blocks: which network the store belongs to, and what a reorganisation makes void.

use std::collections::BTreeMap;

use bitcoin::BlockHash;
use bitcoin::hashes::Hash;
use hansel_ledger::{BlockRef, Chain};
use rocksdb::{Direction, WriteBatch};
use serde::{Deserialize, Serialize};

use crate::columns::Column;
use crate::keys::{self, ChainKey, HeightKey};
use crate::rows::{bad_row, decode, encode};
use crate::{Store, StoreError};

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Registration {
    name: String,
    genesis: BlockHash,
}

/// How much a reorganisation made void.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Forgotten {
    /// Blocks that are no longer known.
    pub headers: u64,
    /// Facts that spoke of them.
    pub statements: u64,
}

impl Store {
    /// Binds a chain's name to its genesis block; done again it changes nothing.
    ///
    /// Fails where the name is bound to another genesis block, because facts of two networks must not mix.
    pub fn register_chain(&self, chain: &Chain, genesis: BlockHash) -> Result<(), StoreError> {
        let key = ChainKey::of(chain);
        let _turn = self.take_turn();
        if let Some(stored) = self.registration(key, chain)? {
            return same_network(chain, &stored, genesis);
        }
        let registration = Registration {
            name: chain.name().to_owned(),
            genesis,
        };
        let value = encode("a chain", &registration)?;
        let mut batch = WriteBatch::default();
        batch.put_cf(self.column(Column::Chains), key.as_bytes(), value);
        self.write_through(batch)
    }

    /// The chain's key, once the chain is registered.
    pub(crate) fn registered(&self, chain: &Chain) -> Result<ChainKey, StoreError> {
        let key = ChainKey::of(chain);
        let unknown = || StoreError::UnknownChain {
            chain: chain.name().to_owned(),
        };
        self.registration(key, chain)?.ok_or_else(unknown)?;
        Ok(key)
    }

    fn registration(
        &self,
        key: ChainKey,
        chain: &Chain,
    ) -> Result<Option<Registration>, StoreError> {
        let Some(value) = self.get(Column::Chains, key.as_bytes())? else {
            return Ok(None);
        };
        let stored: Registration = decode(Column::Chains, key.as_bytes(), &value)?;
        if stored.name == chain.name() {
            return Ok(Some(stored));
        }
        Err(StoreError::ChainCollision {
            chain: chain.name().to_owned(),
            stored: crate::error::one_line(&stored.name),
        })
    }

    /// The keys of all registered chains.
    pub(crate) fn chain_keys(&self) -> Result<Vec<ChainKey>, StoreError> {
        let wrong = |key: &[u8]| bad_row(Column::Chains, key, "the key is not eight bytes long");
        self.scan(Column::Chains, &[], Direction::Forward)
            .map(|row| row.and_then(|(key, _)| ChainKey::parse(&key).ok_or_else(|| wrong(&key))))
            .collect()
    }

    /// All registered chains with their names.
    pub(crate) fn chain_names(&self) -> Result<Vec<(ChainKey, String)>, StoreError> {
        let mut chains = Vec::new();
        for key in self.chain_keys()? {
            let found = self.get(Column::Chains, key.as_bytes())?;
            let row = found.map(|value| decode(Column::Chains, key.as_bytes(), &value));
            let row: Option<Registration> = row.transpose()?;
            chains.extend(row.map(|row| (key, row.name)));
        }
        Ok(chains)
    }

    /// The blocks of a chain that facts in the store speak of or were asked under, the newest first.
    ///
    /// Whoever resumes a trace compares them with the chain from the top until one agrees, and calls
    /// [`Store::forget_from`] with the lowest height that did not.
    pub fn known_headers<'a>(
        &'a self,
        chain: &Chain,
    ) -> impl Iterator<Item = Result<(u64, BlockHash), StoreError>> + use<'a> {
        let chain = ChainKey::of(chain);
        let newest = keys::header(chain, u64::MAX);
        let of_chain = move |row: &Result<crate::store::Row, StoreError>| match row {
            Ok((key, _)) => key.starts_with(chain.as_bytes()),
            Err(_) => true,
        };
        self.scan(Column::Headers, &newest, Direction::Reverse)
            .take_while(of_chain)
            .map(|row| row.and_then(|(key, value)| read_header(&key, &value)))
    }

    /// The hash of the block that facts in the store speak of at a height; `None` where none does.
    ///
    /// What was there and is not any more was forgotten with [`Store::forget_from`].
    pub fn known_block(&self, chain: &Chain, height: u64) -> Result<Option<BlockHash>, StoreError> {
        self.header(ChainKey::of(chain), height)
    }

    /// The block known at a height.
    pub(crate) fn header(
        &self,
        chain: ChainKey,
        height: u64,
    ) -> Result<Option<BlockHash>, StoreError> {
        let key = keys::header(chain, height);
        self.get(Column::Headers, &key)?
            .map(|value| read_header(&key, &value).map(|(_, hash)| hash))
            .transpose()
    }

    /// Adds blocks to a batch, unless they contradict the store or each other.
    pub(crate) fn add_headers(
        &self,
        batch: &mut WriteBatch,
        chain: &Chain,
        blocks: &[BlockRef],
    ) -> Result<(), StoreError> {
        let key = ChainKey::of(chain);
        let mut named: BTreeMap<u64, BlockHash> = BTreeMap::new();
        for block in blocks {
            let among = named.insert(block.height, block.hash);
            let known = match among {
                Some(other) => Some(other),
                None => self.header(key, block.height)?,
            };
            if let Some(stored) = known.filter(|stored| *stored != block.hash) {
                return Err(StoreError::ConflictingBlock {
                    chain: chain.name().to_owned(),
                    height: block.height,
                    stored,
                    offered: block.hash,
                });
            }
            if known.is_none() {
                let row = keys::header(key, block.height);
                let hash = block.hash.to_byte_array();
                batch.put_cf(self.column(Column::Headers), row, hash);
            }
        }
        Ok(())
    }

    /// Forgets, in one batch, every block from `height` on and every fact that speaks of one. Evidence stays. Cases that
    /// were traced up to such a block are due.
    pub fn forget_from(&self, chain: &Chain, height: u64) -> Result<Forgotten, StoreError> {
        let _turn = self.take_turn();
        let mut batch = WriteBatch::default();
        self.add_replaced(&mut batch, chain, height)?;
        let chain = ChainKey::of(chain);
        let start = keys::header(chain, height);
        let mut forgotten = Forgotten::default();
        for key in self.keys_of(chain, Column::Heights, &start) {
            let key = key?;
            let statement = HeightKey::statement(&key)
                .ok_or_else(|| bad_row(Column::Heights, &key, "the key is not 53 bytes long"))?;
            batch.delete_cf(self.column(Column::Statements), statement.as_bytes());
            batch.delete_cf(self.column(Column::Heights), &key);
            forgotten.statements += 1;
        }
        for key in self.keys_of(chain, Column::Headers, &start) {
            batch.delete_cf(self.column(Column::Headers), key?);
            forgotten.headers += 1;
        }
        self.write_through(batch)?;
        Ok(forgotten)
    }

    /// The keys of a chain in a column family, from `start` on.
    fn keys_of<'a>(
        &'a self,
        chain: ChainKey,
        column: Column,
        start: &[u8],
    ) -> impl Iterator<Item = Result<Box<[u8]>, StoreError>> + use<'a> {
        self.scan(column, start, Direction::Forward)
            .map(|row| row.map(|(key, _)| key))
            .take_while(move |key| match key {
                Ok(key) => key.starts_with(chain.as_bytes()),
                Err(_) => true,
            })
    }
}

fn same_network(
    chain: &Chain,
    stored: &Registration,
    offered: BlockHash,
) -> Result<(), StoreError> {
    if stored.genesis == offered {
        return Ok(());
    }
    Err(StoreError::OtherNetwork {
        chain: chain.name().to_owned(),
        stored: stored.genesis,
        offered,
    })
}

fn read_header(key: &[u8], value: &[u8]) -> Result<(u64, BlockHash), StoreError> {
    let wrong = |reason| bad_row(Column::Headers, key, reason);
    let height = keys::header_height(key).ok_or_else(|| wrong("the key is not 16 bytes long"))?;
    let hash = BlockHash::from_slice(value).map_err(|_| wrong("the value is not 32 bytes long"))?;
    Ok((height, hash))
}
