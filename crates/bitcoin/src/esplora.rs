//! An Esplora server (blockstream.info, mempool.space, one's own electrs with REST) as a source.

mod answers;
mod blocks;
mod history;
mod payments;
mod spends;
mod transaction;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::protocols::not_bitcoin;
use async_trait::async_trait;
use hansel_ledger::{
    Answer, BlockRef, Chain, ChainSource, EndpointActivity, ErrorClass, Fact, Query, SourceError,
};
use tokio::sync::OnceCell;

use crate::conversation::Conversation;
use hansel_wire::failure;
use hansel_wire::{Request, Wire};

use crate::Disbelief;

/// An Esplora server as a source.
///
/// A transaction and the spends of its outputs cost one request each. Transactions are recomputed to their
/// txids; the values of the outputs they spend, their blocks, and that an output is unspent are the server's
/// word. A script's history is paged and counted against the server's own totals.
pub struct EsploraSource {
    chain: Chain,
    wire: Arc<dyn Wire>,
    /// Set once the server has shown the first block of its chain.
    recognised: OnceCell<()>,
    /// One more than the highest block the server is known to have; 0 where none is known.
    reach: AtomicU64,
    /// Held by whoever asks for the tip, so that questions that wait for it ask once.
    reaching: tokio::sync::Mutex<()>,
}

impl EsploraSource {
    /// Reads `chain` from the server behind `wire`. Nothing is sent before the first question.
    pub fn new(chain: Chain, wire: Arc<dyn Wire>) -> Self {
        Self {
            chain,
            wire,
            recognised: OnceCell::new(),
            reach: AtomicU64::new(0),
            reaching: tokio::sync::Mutex::default(),
        }
    }

    /// Makes sure that the server has seen the block at `height`.
    ///
    /// A server that lags behind answers as if nothing had happened since.
    async fn require_reach(&self, height: u64) -> Result<(), SourceError> {
        if self.reaches(height) {
            return Ok(());
        }
        let _asking = self.reaching.lock().await;
        if self.reaches(height) {
            return Ok(());
        }
        let tip = self.tip().await?;
        if tip.height >= height {
            return Ok(());
        }
        let detail = format!("the newest block is {}, below height {height}", tip.height);
        Err(self.failure(ErrorClass::Truncated, blocks::TIP, detail))
    }

    fn reaches(&self, height: u64) -> bool {
        self.reach.load(Ordering::Relaxed) > height
    }

    fn note_reach(&self, height: u64) {
        let reach = height.saturating_add(1);
        self.reach.fetch_max(reach, Ordering::Relaxed);
    }

    /// Builds an error about the answer at `path`.
    fn failure(
        &self,
        class: ErrorClass,
        path: &str,
        detail: impl std::fmt::Display,
    ) -> SourceError {
        failure(class, self.wire.endpoint(), &Request::get(path), detail)
    }

    fn malformed(&self, path: &str, error: impl std::fmt::Display) -> SourceError {
        let detail = format!("not an answer of the expected form: {error}");
        self.failure(ErrorClass::Malformed, path, detail)
    }

    fn disbelief(&self, path: &str, disbelief: &Disbelief) -> SourceError {
        self.failure(ErrorClass::Inconsistent, path, disbelief)
    }

    /// Gets the answer at a path and reads it as JSON.
    async fn get<T: serde::de::DeserializeOwned>(
        &self,
        talk: &Conversation<'_>,
        path: &str,
    ) -> Result<T, SourceError> {
        let body = talk.get(path.to_owned()).await?;
        serde_json::from_slice(&body).map_err(|error| self.malformed(path, error))
    }
}

#[async_trait]
impl ChainSource for EsploraSource {
    fn chain(&self) -> &Chain {
        &self.chain
    }

    async fn tip(&self) -> Result<BlockRef, SourceError> {
        self.recognise_chain().await?;
        let talk = Conversation::off_the_record(self.wire.as_ref());
        let hash = self.hash_at(&talk, blocks::TIP).await?;
        let tip = self.block(&talk, &hash).await?;
        self.note_reach(tip.height);
        Ok(tip)
    }

    async fn block_at(&self, height: u64) -> Result<BlockRef, SourceError> {
        let talk = Conversation::off_the_record(self.wire.as_ref());
        let path = blocks::path_of_height(height);
        let hash = self.hash_at(&talk, &path).await?;
        let block = self.block(&talk, &hash).await?;
        if block.height == height {
            return Ok(block);
        }
        let detail = format!("the block is said to be at height {}", block.height);
        Err(self.failure(ErrorClass::Inconsistent, &path, detail))
    }

    /// Whoever reads it checks that its transactions are those of the header that hashes to the block.
    async fn raw_block(&self, block: &BlockRef) -> Result<Vec<u8>, SourceError> {
        let talk = Conversation::off_the_record(self.wire.as_ref());
        let bytes = talk.get(format!("/block/{}/raw", block.hash)).await;
        // The server had the block a moment ago: what it lacks is the path.
        bytes.map_err(|error| match error.class {
            ErrorClass::NotFound => SourceError {
                class: ErrorClass::Unsupported,
                ..error
            },
            _ => error,
        })
    }

    fn is_sparing_of_blocks(&self) -> bool {
        true
    }

    async fn answer(&self, query: &Query) -> Result<Answer, SourceError> {
        let talk = Conversation::new(self.wire.as_ref());
        let fact = match query {
            Query::Transaction { txid, height: _ } => {
                Fact::Transaction(self.transaction(&talk, txid).await?)
            }
            Query::Spends {
                txid,
                height: _,
                outputs,
                as_of,
            } => Fact::Spends(self.spends(&talk, txid, outputs, *as_of).await?),
            Query::Received {
                script,
                since,
                as_of,
            } => Fact::Received(self.received(&talk, script, *since, *as_of).await?),
            Query::Evm(_) => return Err(not_bitcoin(self.wire.endpoint(), &self.chain)),
        };
        Ok(Answer {
            fact,
            evidence: talk.evidence(),
        })
    }

    /// Fails where it cannot be reached or holds another chain.
    async fn capabilities(&self) -> Result<Vec<(String, String)>, SourceError> {
        self.recognise_chain().await?;
        let known = [
            ("transaction by id", "yes"),
            ("spends", "one request per transaction"),
            (
                "script history",
                "in pages, counted against the server's totals",
            ),
            ("proofs", "not asked for"),
        ];
        Ok(known
            .map(|(name, state)| (name.into(), state.into()))
            .into())
    }

    fn activity(&self) -> Vec<EndpointActivity> {
        vec![self.wire.activity()]
    }
}
