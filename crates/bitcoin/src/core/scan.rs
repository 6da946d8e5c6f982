//! Reads blocks forward once for all questions that wait, and answers them.

use std::sync::PoisonError;
use std::time::Duration;

use bitcoin::{Block, BlockHash, OutPoint};
use futures::{StreamExt, TryStreamExt, stream};
use hansel_ledger::{ErrorClass, SourceError};
use serde_json::json;
use tokio::time::sleep;

use super::CoreSource;
use super::answers::ChainInfo;
use super::knowledge::{Knowledge, Reading, Wanted};
use super::watch::Spender;
use crate::conversation::Conversation;

/// Blocks asked for ahead of the one being read.
const BLOCKS_AHEAD: usize = 6;
/// How long questions asked at the same moment are gathered before blocks are read for them together.
const GATHERING: Duration = Duration::from_millis(20);
/// The newest blocks, which may still be replaced, are read without the help of an index.
const NEWEST_BLOCKS: u64 = 100;

impl CoreSource {
    /// What spent the wanted outputs in blocks through `as_of`, from earlier readings or a new one.
    pub(super) async fn spenders_by_reading(
        &self,
        talk: &Conversation<'_>,
        wanted: Wanted,
        as_of: u64,
    ) -> Result<Vec<(OutPoint, Option<Spender>)>, SourceError> {
        self.queue(vec![wanted.clone()]);
        let mut guard = self.knowledge.lock().await;
        let hash = self.hash_at(talk, as_of).await?;
        let knowledge = Knowledge::of(&mut guard, as_of, hash);
        let mut rested = false;
        loop {
            if knowledge.take_misplaced(&wanted) {
                return Err(misplaced(talk, &wanted));
            }
            if let Some(spenders) = knowledge.spenders(&wanted) {
                return Ok(spenders);
            }
            if !rested && knowledge.reading.is_none() {
                sleep(GATHERING).await;
                rested = true;
            }
            self.read_for_all(knowledge, &wanted).await?;
        }
    }

    fn queue(&self, wanted: Vec<Wanted>) {
        let mut queue = self.wanted.lock().unwrap_or_else(PoisonError::into_inner);
        queue.extend(wanted);
    }

    fn take_queue(&self) -> Vec<Wanted> {
        let mut queue = self.wanted.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::take(&mut *queue)
    }

    /// Reads once for everything that waits; `own` is among it, unless another reader took it and failed.
    async fn read_for_all(
        &self,
        knowledge: &mut Knowledge,
        own: &Wanted,
    ) -> Result<(), SourceError> {
        let mut waiting = self.take_queue();
        waiting.retain(|wanted| wanted.txid != own.txid && wanted.height <= knowledge.as_of);
        waiting.retain(|wanted| knowledge.spenders(wanted).is_none());
        waiting.push(own.clone());
        let filters = self.probed().await?.filters;
        let late = knowledge.enlist(waiting, filters);
        self.queue(late);
        let outcome = self.finish_reading(knowledge).await;
        let useless = |error: &SourceError| error.class == ErrorClass::Inconsistent;
        if outcome.as_ref().is_err_and(useless) {
            knowledge.reading = None;
        }
        outcome
    }

    async fn finish_reading(&self, knowledge: &mut Knowledge) -> Result<(), SourceError> {
        let talk = Conversation::off_the_record(self.wire.as_ref());
        let through = knowledge.as_of;
        if let Some(reading) = &mut knowledge.reading {
            if reading.scripts.is_some() {
                let settled = self.settled_height(&talk).await?.min(through);
                self.read_chosen(&talk, reading, settled).await?;
            }
            self.read_all(&talk, reading, through).await?;
        }
        if self.hash_at(&talk, through).await? != knowledge.as_of_hash {
            return Err(reorganised(&talk, through));
        }
        if let Some(reading) = knowledge.reading.take() {
            knowledge.learn(reading);
        }
        Ok(())
    }

    /// The height up to which indexes are trusted.
    pub(super) async fn settled_height(&self, talk: &Conversation<'_>) -> Result<u64, SourceError> {
        let info: ChainInfo = talk.call("getblockchaininfo", json!([])).await?;
        Ok(info.blocks.saturating_sub(NEWEST_BLOCKS))
    }

    async fn read_all(
        &self,
        talk: &Conversation<'_>,
        reading: &mut Reading,
        through: u64,
    ) -> Result<(), SourceError> {
        let mut blocks = std::pin::pin!(self.blocks(talk, reading.next, through));
        while let Some((height, hash, block)) = blocks.try_next().await? {
            reading.follow(talk, height, hash, &block)?;
            reading.watch.read(height, &block);
            reading.next = height + 1;
        }
        Ok(())
    }

    /// The blocks of a span of heights in order, some of them fetched ahead.
    pub(super) fn blocks<'a>(
        &'a self,
        talk: &'a Conversation<'_>,
        from: u64,
        through: u64,
    ) -> impl futures::Stream<Item = Result<(u64, BlockHash, Block), SourceError>> + Send + 'a {
        let fetch = move |height| async move {
            let hash = self.hash_at(talk, height).await?;
            let block = self.block(talk, &hash).await?;
            Ok((height, hash, block))
        };
        stream::iter(from..=through)
            .map(fetch)
            .buffered(BLOCKS_AHEAD)
    }
}

impl Knowledge {
    /// What is known of this chain as of this height; everything is forgotten where another is asked for.
    fn of(known: &mut Option<Self>, as_of: u64, hash: BlockHash) -> &mut Self {
        let same = |known: &Self| known.as_of == as_of && known.as_of_hash == hash;
        if !known.as_ref().is_some_and(same) {
            *known = None;
        }
        known.get_or_insert_with(|| Self::new(as_of, hash))
    }
}

impl Reading {
    /// Checks that a block follows the one read before it.
    fn follow(
        &mut self,
        talk: &Conversation<'_>,
        height: u64,
        hash: BlockHash,
        block: &Block,
    ) -> Result<(), SourceError> {
        let (last_height, last_hash) = self.last.unzip();
        let adjacent = last_height.is_some_and(|last| last + 1 == height);
        if adjacent && last_hash != Some(block.header.prev_blockhash) {
            return Err(reorganised(talk, height));
        }
        self.last = Some((height, hash));
        Ok(())
    }
}

pub(super) fn reorganised(talk: &Conversation<'_>, height: u64) -> SourceError {
    let detail = "the chain was reorganised during the scan";
    talk.failure(
        ErrorClass::Inconsistent,
        "getblockhash",
        &json!([height]),
        detail,
    )
}

fn misplaced(talk: &Conversation<'_>, wanted: &Wanted) -> SourceError {
    let Wanted { txid, height, .. } = wanted;
    let detail = format!("{txid} is not in the block at height {height}");
    talk.failure(
        ErrorClass::Inconsistent,
        "getblockhash",
        &json!([height]),
        detail,
    )
}
