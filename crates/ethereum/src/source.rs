//! An EVM chain as its endpoint's JSON-RPC tells it.

mod feed;
pub(crate) mod index;
pub(crate) mod notes;
mod pass;
mod proof;
pub(crate) mod reader;
mod shelf;
pub(crate) mod state;
mod transaction;

use std::sync::Arc;
use std::time::Duration;

use alloy_primitives::Address;
use async_trait::async_trait;
use hansel_ledger::{
    Amount, Answer, BlockRef, Called, Chain, ChainSource, Coin, EndpointActivity, ErrorClass,
    EvmFact, EvmQuery, Fact, FeedPrice, Query, SourceError, UnixTime,
};
use hansel_wire::Wire;
use serde_json::json;

use crate::history::LogFilter;
use crate::statement::{Inquiry, account, deposits, logs};
pub use index::Index;
use notes::Notes;
use reader::Reader;

/// Arrivals of the native coin that are read for a question about everything an account received.
const DEPOSITS: u64 = 10_000;
/// Logs that are read for a question about logs of several blocks.
const LOGS: u64 = 10_000;
/// Logs that are read of one block, more than the longest answer holds: anybody can fill a block with tens of thousands
/// for little money, which must hide nothing.
const LOGS_OF_BLOCK: u64 = 1_000_000;

/// An EVM chain behind one endpoint, read by the best way that the endpoint allows.
///
/// What it can do is found out by trying, once. A transaction is believed where itself, its receipt, its block and
/// its trace agree; statements are compared with the account's balances wherever the endpoint keeps state.
pub struct EvmSource {
    reader: Reader,
}

impl EvmSource {
    /// Reads `chain` from the endpoint behind `wire`; `None` for a chain of another family. Nothing is sent before
    /// the first question.
    pub fn new(chain: Chain, wire: Arc<dyn Wire>) -> Option<Self> {
        let network = chain.evm()?.clone();
        let reader = Reader::new(chain, network, wire);
        Some(Self { reader })
    }

    /// Takes hints of these indexes. What they name counts only as far as the endpoint confirms it.
    pub fn with_indexes(mut self, indexes: Vec<Index>) -> Self {
        self.reader.indexes = indexes;
        self
    }

    async fn fact(&self, query: &EvmQuery, notes: &Notes) -> Result<EvmFact, SourceError> {
        let inquiry = |address, coin, since, until, bound| Inquiry {
            reader: &self.reader,
            notes,
            address,
            coin,
            since,
            until,
            bound,
        };
        match query.clone() {
            EvmQuery::Transaction { hash } => {
                let tx = self.reader.in_full(hash, notes).await?;
                Ok(EvmFact::Transaction(tx))
            }
            EvmQuery::Account {
                address,
                coin,
                since,
                until,
                bound,
            } => {
                self.require_range(since, until).await?;
                let asked = inquiry(address, coin, since, until, bound);
                Ok(EvmFact::Account(account(asked).await?))
            }
            EvmQuery::Deposits {
                address,
                since,
                until,
            } => {
                self.require_range(since, until).await?;
                let asked = inquiry(address, Coin::Native, since, until, DEPOSITS);
                Ok(EvmFact::Deposits(deposits(asked).await?))
            }
            EvmQuery::Logs {
                contracts,
                topics,
                since,
                until,
            } => {
                self.require_range(since, until).await?;
                let most = if since == until { LOGS_OF_BLOCK } else { LOGS };
                let asked = inquiry(Address::ZERO, Coin::Native, since, until, most);
                let filter = LogFilter { contracts, topics };
                Ok(EvmFact::Logs(logs(asked, filter).await?))
            }
        }
    }

    /// Refuses ranges that are empty or end after the newest block: an endpoint that lags behind answers as if
    /// nothing had happened since.
    async fn require_range(&self, since: u64, until: u64) -> Result<(), SourceError> {
        let params = json!([since, until]);
        let refuse = |class, detail: &str| self.reader.refusal(class, "statement", &params, detail);
        if since > until {
            let detail = "the range of blocks ends before it begins";
            return Err(refuse(ErrorClass::Unsupported, detail));
        }
        let newest = self.reader.reach(until).await?;
        if newest >= until {
            return Ok(());
        }
        let detail = format!("the newest block is {newest}, below block {until}");
        Err(refuse(ErrorClass::Truncated, &detail))
    }
}

#[async_trait]
impl ChainSource for EvmSource {
    fn chain(&self) -> &Chain {
        self.reader.chain()
    }

    async fn tip(&self) -> Result<BlockRef, SourceError> {
        self.reader.recognise().await?;
        Ok(self.reader.newest().await?.block_ref())
    }

    async fn block_above(&self, _height: u64, patience: Duration) -> Result<bool, SourceError> {
        self.reader.ask.told_of_block(patience).await
    }

    async fn block_at(&self, height: u64) -> Result<BlockRef, SourceError> {
        self.reader.recognise().await?;
        Ok(self.reader.fresh_header(height).await?.block_ref())
    }

    async fn answer(&self, query: &Query) -> Result<Answer, SourceError> {
        let query = match query {
            Query::Evm(query) => query,
            Query::Transaction { .. } | Query::Spends { .. } | Query::Received { .. } => {
                return Err(not_evm(self.reader.ask.endpoint(), self.chain()));
            }
        };
        self.reader.recognise().await?;
        let notes = Notes::default();
        let fact = self.fact(query, &notes).await?;
        Ok(Answer {
            fact: Fact::Evm(fact),
            evidence: notes.evidence(),
        })
    }

    async fn raw_block(&self, block: &BlockRef) -> Result<Vec<u8>, SourceError> {
        self.reader.recognise().await?;
        self.reader.whole_block(block).await
    }

    async fn called(&self, block: &BlockRef) -> Result<Called, SourceError> {
        self.reader.called(block).await
    }

    async fn held(
        &self,
        accounts: &[(Address, Coin)],
        height: u64,
    ) -> Result<Vec<Amount>, SourceError> {
        self.reader.held(accounts, height).await
    }

    async fn feed_price(
        &self,
        feed: Address,
        time: UnixTime,
    ) -> Result<Option<FeedPrice>, SourceError> {
        self.reader.recognise().await?;
        self.reader.feed_price(feed, time).await
    }

    async fn capabilities(&self) -> Result<Vec<(String, String)>, SourceError> {
        self.reader.recognise().await?;
        let mut lines = self.reader.abilities().await?.lines();
        lines.push(self.reader.header_check());
        Ok(lines)
    }

    fn activity(&self) -> Vec<EndpointActivity> {
        let indexes = self.reader.indexes.iter().map(Index::activity);
        std::iter::once(self.reader.ask.activity())
            .chain(indexes)
            .collect()
    }
}

/// Says that a question belongs to another family of chains.
fn not_evm(endpoint: &str, chain: &Chain) -> SourceError {
    SourceError {
        class: ErrorClass::Unsupported,
        endpoint: endpoint.to_owned(),
        request: "a question about a Bitcoin chain".into(),
        detail: format!("{chain} is an EVM chain"),
    }
}
