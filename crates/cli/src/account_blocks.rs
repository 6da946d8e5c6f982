//! Reads the new blocks of an EVM chain once for everything that any case watches.
//!
//! A block names who sends, who is called and who is paid outside of transactions. Its logs are asked for where the
//! bloom of its header does not rule them out, and its calls by its traces. Where no endpoint traces blocks, what the
//! watched accounts hold after the last block is compared with what they held.

mod told;
mod watched;

use std::collections::BTreeSet;
use std::sync::Arc;

use alloy_primitives::{Address, B256};
use anyhow::Context as _;
use futures::{StreamExt as _, TryStreamExt as _, stream};
use hansel_ledger::{BlockRef, ChainSource, Coin, EvmNetwork};
use hansel_store::Store;
use told::{Told, heard};
use watched::Watched;

use crate::blocks::{Read, reorganised};
use crate::failure::Failure;
use crate::watch::{Key, Note, is_silent};

/// Blocks asked for ahead of the one being read.
const AHEAD: usize = 6;
/// Balances that are asked for in one go.
const BALANCES: usize = 1_000;

struct Reading<'a> {
    source: &'a Arc<dyn ChainSource>,
    store: &'a Store,
    watched: &'a Watched<'a>,
    read: Read,
    /// The block that the next one has to follow.
    last: B256,
    /// True where the calls of some block are not known.
    untraced: bool,
}

/// Reads the blocks after `from` up to `through`.
pub(crate) async fn read(
    source: &Arc<dyn ChainSource>,
    store: &Store,
    (from, through): (BlockRef, BlockRef),
    window: u64,
) -> Result<Read, Failure> {
    let chain = source.chain();
    let blocks = through.height.saturating_sub(from.height);
    let mut reading = Reading {
        source,
        store,
        watched: &Watched::new(chain, store, blocks)?,
        read: Read::between(chain, from, through, window),
        last: from.evm_hash(),
        untraced: false,
    };
    reading.blocks(from, through).await?;
    reading.balances().await?;
    if source.block_at(through.height).await?.hash != through.hash {
        return Err(reorganised());
    }
    Ok(reading.read)
}

impl Reading<'_> {
    async fn blocks(&mut self, from: BlockRef, through: BlockRef) -> Result<(), Failure> {
        let (source, watched) = (self.source, self.watched);
        let tell = |height| Told::of(source, watched, height);
        let blocks = stream::iter(from.height + 1..=through.height).map(tell);
        let mut blocks = std::pin::pin!(blocks.buffered(AHEAD));
        while let Some(told) = blocks.try_next().await? {
            self.take(&told)?;
        }
        if self.last == through.evm_hash() {
            return Ok(());
        }
        Err(reorganised())
    }

    fn take(&mut self, told: &Told) -> Result<(), Failure> {
        if told.parent != self.last {
            return Err(reorganised());
        }
        let height = told.block.height;
        for key in self.watched.among(told.names())? {
            let hit = self.read.hits.entry(key).or_default();
            hit.last = hit.last.max(height);
        }
        for log in &told.logs {
            for key in heard(log) {
                if let Some(hit) = self.read.hits.get_mut(&key) {
                    hit.logs.push((height, log.event.topics.clone()));
                }
            }
        }
        self.untraced |= told.called.is_none();
        self.read.count(told.block);
        self.last = told.block.evm_hash();
        Ok(())
    }

    /// Asks what accounts hold where nothing else tells: of tokens that nothing is known of, whose contracts may change
    /// balances without a word; and of the native coin where calls are not known.
    async fn balances(&mut self) -> Result<(), Failure> {
        let mut asked = self.silent()?;
        if self.untraced {
            asked.extend(self.everybody()?);
        }
        let asked: Vec<_> = asked.into_iter().collect();
        let height = self.read.through.height;
        for part in asked.chunks(BALANCES) {
            let now = self.source.held(part, height).await?;
            for ((account, coin), now) in part.iter().zip(now) {
                let hit = self.read.hits.entry(Key::Account(*account)).or_default();
                hit.held.insert(*coin, now);
            }
        }
        Ok(())
    }

    /// The accounts without a sign in what was read that were told to hold tokens of which nothing is known.
    fn silent(&self) -> Result<BTreeSet<(Address, Coin)>, Failure> {
        let network = self.network()?;
        let mut silent = BTreeSet::new();
        let chain = self.source.chain();
        for watcher in self.store.watchers(chain, &Key::Silent.to_bytes())? {
            let Note::Silent(tokens) = Note::parse(&watcher.note)? else {
                continue;
            };
            let tokens = tokens.into_iter();
            let doubtful = tokens.filter(|(_, coin)| is_silent(network, *coin));
            silent.extend(doubtful.filter(|(account, _)| !self.is_hit(*account)));
        }
        Ok(silent)
    }

    /// The accounts without a sign in what was read whose native coin counts: where calls are not known, any of them
    /// may have been paid by a contract, so that all that is watched has to be gone through.
    fn everybody(&self) -> Result<BTreeSet<(Address, Coin)>, Failure> {
        let mut everybody = BTreeSet::new();
        for watch in self.store.watched(self.source.chain()) {
            let watch = watch?;
            let Key::Account(account) = Key::from_bytes(&watch.key)? else {
                continue;
            };
            let Note::Held(told) = Note::parse(&watch.note)? else {
                continue;
            };
            if told.contains_key(&Coin::Native) && !self.is_hit(account) {
                everybody.insert((account, Coin::Native));
            }
        }
        Ok(everybody)
    }

    fn network(&self) -> Result<&EvmNetwork, Failure> {
        let chain = self.source.chain();
        Ok(chain.evm().context("only EVM chains have accounts")?)
    }

    fn is_hit(&self, account: Address) -> bool {
        self.read.hits.contains_key(&Key::Account(account))
    }
}
