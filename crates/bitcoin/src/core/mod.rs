//! Bitcoin Core as a source: JSON-RPC, with binary REST and the optional indexes where the node has them.

mod answers;
mod blocks;
mod filter;
mod index;
mod knowledge;
mod locate;
mod probe;
mod received;
mod scan;
mod spends;
mod transaction;
mod watch;

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use crate::protocols::not_bitcoin;
use async_trait::async_trait;
use bitcoin::{BlockHash, OutPoint, Txid};
use hansel_ledger::{
    Answer, BlockRef, Chain, ChainSource, EndpointActivity, Evidence, Fact, Query, SourceError,
};
use tokio::sync::OnceCell;

use crate::conversation::Conversation;
use answers::{ChainInfo, Reached};
use hansel_wire::Wire;
use knowledge::{Knowledge, Wanted};
use probe::Capabilities;
pub(crate) use watch::is_unspendable;

/// A Bitcoin Core node as a source.
///
/// Any full node answers everything. With `-txindex` a transaction is found without knowing its height, with
/// `-txospenderindex` (31.0) its spenders are looked up, with `-blockfilterindex` only the blocks that can
/// matter are read, with `-rest` they are read as bytes. Without any, blocks are read from where the money
/// was first seen, once for all questions that are asked together. A pruned node answers for the blocks it
/// still has. A node reads for one trace at a time: share one source, do not make two of the same node.
pub struct CoreSource {
    chain: Chain,
    wire: Arc<dyn Wire>,
    capabilities: OnceCell<Capabilities>,
    headers: Mutex<HashMap<BlockHash, (BlockRef, Evidence)>>,
    /// Heights at which transactions were seen: a hint, checked whenever it is used.
    places: Mutex<HashMap<Txid, u64>>,
    /// Questions that wait for the next reading of blocks.
    wanted: Mutex<Vec<Wanted>>,
    /// What reading blocks has taught; whoever holds the lock is the one who reads.
    knowledge: tokio::sync::Mutex<Option<Knowledge>>,
}

impl CoreSource {
    /// Reads `chain` from the node behind `wire`. Nothing is sent before the first question.
    pub fn new(chain: Chain, wire: Arc<dyn Wire>) -> Self {
        Self {
            chain,
            wire,
            capabilities: OnceCell::new(),
            headers: Mutex::default(),
            places: Mutex::default(),
            wanted: Mutex::default(),
            knowledge: tokio::sync::Mutex::default(),
        }
    }

    fn conversation(&self) -> Conversation<'_> {
        Conversation::new(self.wire.as_ref())
    }
}

#[async_trait]
impl ChainSource for CoreSource {
    fn chain(&self) -> &Chain {
        &self.chain
    }

    async fn tip(&self) -> Result<BlockRef, SourceError> {
        self.probed().await?;
        let talk = self.conversation();
        let info: ChainInfo = talk
            .call("getblockchaininfo", serde_json::json!([]))
            .await?;
        self.block_ref(&talk, &info.bestblockhash).await
    }

    async fn block_at(&self, height: u64) -> Result<BlockRef, SourceError> {
        self.probed().await?;
        let talk = self.conversation();
        let hash = self.hash_at(&talk, height).await?;
        self.block_ref(&talk, &hash).await
    }

    async fn answer(&self, query: &Query) -> Result<Answer, SourceError> {
        self.probed().await?;
        let talk = self.conversation();
        let fact = match query {
            Query::Transaction { txid, height } => {
                Fact::Transaction(self.transaction(&talk, txid, *height).await?)
            }
            Query::Spends {
                txid,
                height,
                outputs,
                as_of,
            } => Fact::Spends(self.spends(&talk, txid, *height, outputs, *as_of).await?),
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

    async fn raw_block(&self, block: &BlockRef) -> Result<Vec<u8>, SourceError> {
        let talk = Conversation::off_the_record(self.wire.as_ref());
        let (_, bytes) = self.block_and_bytes(&talk, &block.hash).await?;
        Ok(bytes)
    }

    async fn spent_in_mempool(&self, outputs: &[OutPoint]) -> Result<Vec<OutPoint>, SourceError> {
        self.probed().await?;
        let talk = Conversation::off_the_record(self.wire.as_ref());
        spends::spent_in_mempool(&talk, outputs).await
    }

    async fn block_above(&self, height: u64, patience: Duration) -> Result<bool, SourceError> {
        let talk = Conversation::off_the_record(self.wire.as_ref());
        // Unlike `waitfornewblock` it cannot miss a block that came before the node was asked.
        let params = serde_json::json!([height.saturating_add(1), patience.as_millis()]);
        let reached: Reached = talk.call("waitforblockheight", params).await?;
        Ok(reached.height > height)
    }

    /// Fails where it cannot be reached or holds another chain.
    async fn capabilities(&self) -> Result<Vec<(String, String)>, SourceError> {
        Ok(self.probed().await?.described())
    }

    fn activity(&self) -> Vec<EndpointActivity> {
        vec![self.wire.activity()]
    }
}
