//! An Electrum server (electrs, Fulcrum, ElectrumX) as a source.

mod fetched;
mod headers;
mod history;
mod spends;
mod transaction;

use std::sync::{Arc, Mutex};

use crate::protocols::not_bitcoin;
use async_trait::async_trait;
use hansel_ledger::{
    Answer, BlockRef, Chain, ChainSource, EndpointActivity, Fact, Query, SourceError,
};
use serde::Deserialize;
use serde_json::json;
use tokio::sync::OnceCell;

use crate::conversation::Conversation;
use fetched::Fetched;
use hansel_wire::Wire;
use hansel_wire::one_line;

/// An Electrum server as a source.
///
/// Every transaction, the funding transactions of its inputs included, is recomputed to its txid, and its
/// block is proved by a Merkle branch to the header's root. That an output is unspent, and that a history is
/// complete, is the server's word. A script with a longer history than the server gives stays unknown.
pub struct ElectrumSource {
    chain: Chain,
    wire: Arc<dyn Wire>,
    /// Set once the server has shown the chain's genesis block.
    recognised: OnceCell<()>,
    fetched: Mutex<Fetched>,
}

#[derive(Deserialize)]
struct Features {
    #[serde(default)]
    server_version: String,
    #[serde(default)]
    protocol_max: String,
}

impl ElectrumSource {
    /// Reads `chain` from the server behind `wire`. Nothing is sent before the first question.
    pub fn new(chain: Chain, wire: Arc<dyn Wire>) -> Self {
        Self {
            chain,
            wire,
            recognised: OnceCell::new(),
            fetched: Mutex::default(),
        }
    }

    fn conversation(&self) -> Conversation<'_> {
        Conversation::new(self.wire.as_ref())
    }
}

#[async_trait]
impl ChainSource for ElectrumSource {
    fn chain(&self) -> &Chain {
        &self.chain
    }

    async fn tip(&self) -> Result<BlockRef, SourceError> {
        self.recognise_chain().await?;
        self.newest_block(&self.conversation()).await
    }

    async fn block_at(&self, height: u64) -> Result<BlockRef, SourceError> {
        self.recognise_chain().await?;
        let (block, _header) = self.header_at(&self.conversation(), height).await?;
        Ok(block)
    }

    async fn answer(&self, query: &Query) -> Result<Answer, SourceError> {
        self.recognise_chain().await?;
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

    /// Fails where it cannot be reached or holds another chain.
    async fn capabilities(&self) -> Result<Vec<(String, String)>, SourceError> {
        self.recognise_chain().await?;
        let talk = self.conversation();
        let features: Features = talk.call("server.features", json!([])).await?;
        let row = |name: &str, state: &str| (name.to_owned(), state.to_owned());
        let software = one_line(&features.server_version, 60);
        let protocol = one_line(&features.protocol_max, 20);
        Ok(vec![
            (
                "software".into(),
                format!("{software}, protocol {protocol}"),
            ),
            row("transaction by id", "yes"),
            row("spends", "looked for in the script's history"),
            row("script history", "yes, up to the server's limit"),
            row("proof of the block", "merkle branch"),
        ])
    }

    fn activity(&self) -> Vec<EndpointActivity> {
        vec![self.wire.activity()]
    }
}
