//! What a trace asks of a chain, and what comes back.

use std::collections::BTreeSet;
use std::time::Duration;

use alloy_primitives::Address;
use async_trait::async_trait;
use bitcoin::{OutPoint, ScriptBuf, Txid};
use serde::{Deserialize, Serialize};

use crate::{
    Amount, BlockRef, Chain, Coin, EvmFact, EvmQuery, FeedPrice, Spends, TransactionStatement,
    UnixTime,
};

/// One question about a chain.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Query {
    /// The transaction with its inputs and outputs.
    Transaction {
        /// Which.
        txid: Txid,
        /// The height of its block where an earlier answer named it; sources without an index need it.
        height: Option<u64>,
    },
    /// What spent these outputs, in blocks up to and including `as_of`.
    Spends {
        /// The transaction that created the outputs.
        txid: Txid,
        /// The height of its block, where known.
        height: Option<u64>,
        /// The outputs asked for, ascending by index, each with its locking script.
        outputs: Vec<(u32, ScriptBuf)>,
        /// Later blocks are not looked at, so that every answer of a trace speaks of the same chain.
        as_of: u64,
    },
    /// Every output paid to a script in blocks `since..=as_of`.
    Received {
        /// The locking script.
        script: ScriptBuf,
        /// The first height that counts.
        since: u64,
        /// The last height that counts.
        as_of: u64,
    },
    /// A question about an EVM chain.
    Evm(EvmQuery),
}

/// The fact that answers a query.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[expect(
    clippy::large_enum_variant,
    reason = "facts are handed on one at a time and never kept in lists"
)]
pub enum Fact {
    /// Answers [`Query::Transaction`].
    Transaction(TransactionStatement),
    /// Answers [`Query::Spends`].
    Spends(Spends),
    /// Answers [`Query::Received`]: the outputs in chain order, then by index, each with its height.
    Received(Vec<(OutPoint, u64)>),
    /// Answers [`Query::Evm`].
    Evm(EvmFact),
}

impl Fact {
    /// How many things the fact lacks that another endpoint might tell; zero for a complete one.
    pub fn lacks(&self) -> usize {
        match self {
            Self::Transaction(_) | Self::Spends(_) | Self::Received(_) => 0,
            Self::Evm(fact) => fact.lacks(),
        }
    }
}

/// A fact with the raw answers it was read from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// What was learned.
    pub fact: Fact,
    /// The bytes it was learned from, in the order of the requests.
    pub evidence: Vec<Evidence>,
}

/// One raw answer of an endpoint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Evidence {
    /// The endpoint's host, without user, path or query, so that no secret is kept.
    pub endpoint: String,
    /// The request in a canonical form that can be repeated by hand.
    pub request: String,
    /// The body, unchanged.
    pub body: Vec<u8>,
}

/// What one endpoint did during a run.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct EndpointActivity {
    /// The endpoint's host, without user, path or query.
    pub endpoint: String,
    /// Requests sent, retries included.
    pub requests: u64,
    /// Requests answered with what was asked for.
    pub answered: u64,
    /// Requests that failed and were sent again.
    pub retries: u64,
    /// Requests that failed for good, by class name.
    pub failures: Vec<(String, u64)>,
    /// Bytes received in bodies.
    pub bytes: u64,
}

/// The class of a failure, which decides what a client does about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ErrorClass {
    /// No connection, a cut connection, a time-out, HTTP 5xx: try again, then try elsewhere.
    Unreachable,
    /// The endpoint asked for fewer requests: wait, then try elsewhere.
    RateLimited,
    /// The endpoint says it has no such thing: ask a second endpoint before believing it.
    NotFound,
    /// The history is longer than the endpoint serves.
    TooPopular,
    /// The answer was cut short while looking complete.
    Truncated,
    /// The answer is not in the protocol's form: HTML, broken JSON, wrong types, too long.
    Malformed,
    /// The answer contradicts itself, the question or the chain: nothing it says is believed.
    Inconsistent,
    /// The endpoint lacks the index or call that the question needs.
    Unsupported,
    /// A replay holds no answer to the request.
    NotRecorded,
}

impl ErrorClass {
    /// The class's name in messages and counts.
    pub fn name(self) -> &'static str {
        match self {
            Self::Unreachable => "unreachable",
            Self::RateLimited => "rate-limited",
            Self::NotFound => "not-found",
            Self::TooPopular => "too-popular",
            Self::Truncated => "truncated",
            Self::Malformed => "malformed",
            Self::Inconsistent => "inconsistent",
            Self::Unsupported => "unsupported",
            Self::NotRecorded => "not-recorded",
        }
    }

    /// The class in words that are the same whatever the endpoint, so that reports agree between sources.
    pub fn reason(self) -> &'static str {
        match self {
            Self::Unreachable => "unreachable: no endpoint could be reached",
            Self::RateLimited => "rate-limited: the endpoints refused more requests",
            Self::NotFound => "not-found: the endpoints know of no such thing",
            Self::TooPopular => "too-popular: the history is longer than the endpoints serve",
            Self::Truncated => "truncated: the endpoints cut the answer short",
            Self::Malformed => "malformed: the endpoints' answer was not in the protocol's form",
            Self::Inconsistent => {
                "inconsistent: the endpoints' answer contradicts itself and was not believed"
            }
            Self::Unsupported => "unsupported: the endpoints lack the index that this needs",
            Self::NotRecorded => "not-recorded: the recording holds no answer",
        }
    }

    /// True where the same request may succeed at the same endpoint a little later.
    pub fn is_transient(self) -> bool {
        matches!(self, Self::Unreachable | Self::RateLimited)
    }
}

/// Says which request of which endpoint failed, and how.
#[derive(Clone, Debug, thiserror::Error, PartialEq, Eq)]
#[error("{endpoint}: {request}: {detail}")]
pub struct SourceError {
    /// What kind of failure.
    pub class: ErrorClass,
    /// The endpoint's host, without user, path or query.
    pub endpoint: String,
    /// The request that failed.
    pub request: String,
    /// What happened, short, printable, without secrets.
    pub detail: String,
}

/// Whom the calls of a block concern; some of them perhaps by calls that failed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Called {
    /// Accounts that gave or received value.
    pub parties: BTreeSet<Address>,
    /// Contracts that were created or destroyed themselves.
    pub changed: BTreeSet<Address>,
}

/// A chain as one or more endpoints tell it.
///
/// Implementations verify what they return: a transaction is recomputed to its txid. They bound, retry and
/// pace their own requests, so callers may ask many questions at once. Equal questions about the same chain
/// give equal facts, whatever the kind of source.
#[async_trait]
pub trait ChainSource: Send + Sync {
    /// The chain that is read.
    fn chain(&self) -> &Chain;

    /// The newest block.
    async fn tip(&self) -> Result<BlockRef, SourceError>;

    /// The block of the best chain at a height.
    async fn block_at(&self, height: u64) -> Result<BlockRef, SourceError>;

    /// Answers one query.
    async fn answer(&self, query: &Query) -> Result<Answer, SourceError>;

    /// A whole block: of a Bitcoin chain its bytes, whose header hashes to the block's hash and commits to its
    /// transactions; of an EVM chain the JSON of the block with its transactions, as the endpoint sent it.
    ///
    /// Fails with [`ErrorClass::Unsupported`] where the endpoint serves no blocks.
    async fn raw_block(&self, block: &BlockRef) -> Result<Vec<u8>, SourceError> {
        Err(unsupported(self.chain(), block, "serves no whole blocks"))
    }

    /// True where whole blocks are better not asked for when a few questions do: of a public server, which sends megabytes
    /// for each.
    fn is_sparing_of_blocks(&self) -> bool {
        false
    }

    /// Whom calls of a block of an EVM chain concern, the outermost calls included.
    ///
    /// Fails with [`ErrorClass::Unsupported`] where the endpoint does not trace blocks.
    async fn called(&self, block: &BlockRef) -> Result<Called, SourceError> {
        Err(unsupported(self.chain(), block, "does not trace blocks"))
    }

    /// What accounts of an EVM chain hold after the block of a height, in their order.
    ///
    /// Fails with [`ErrorClass::Unsupported`] where the endpoint keeps no such state.
    async fn held(
        &self,
        accounts: &[(Address, Coin)],
        height: u64,
    ) -> Result<Vec<Amount>, SourceError> {
        Err(SourceError {
            class: ErrorClass::Unsupported,
            endpoint: self.chain().name().to_owned(),
            request: format!("{} balances at height {height}", accounts.len()),
            detail: "the endpoint tells no balances".into(),
        })
    }

    /// Those of the outputs of a Bitcoin chain that transactions in the mempool spend.
    ///
    /// Fails with [`ErrorClass::Unsupported`] where the endpoint does not tell that of many outputs at once.
    async fn spent_in_mempool(&self, outputs: &[OutPoint]) -> Result<Vec<OutPoint>, SourceError> {
        Err(SourceError {
            class: ErrorClass::Unsupported,
            endpoint: self.chain().name().to_owned(),
            request: format!("the spends of {} outputs in the mempool", outputs.len()),
            detail: "the endpoint does not tell of many at once".into(),
        })
    }

    /// What a price feed of an EVM chain said after the last block up to a moment; `None` where there is no price yet.
    ///
    /// Fails with [`ErrorClass::Unsupported`] where the endpoint keeps no state so old, or the contract is no feed.
    async fn feed_price(
        &self,
        feed: Address,
        time: UnixTime,
    ) -> Result<Option<FeedPrice>, SourceError> {
        Err(SourceError {
            class: ErrorClass::Unsupported,
            endpoint: self.chain().name().to_owned(),
            request: format!("the price of {feed} at {time}"),
            detail: "the chain has no price feeds".into(),
        })
    }

    /// Waits at the endpoint until there may be a block above `height`, at most for `patience`; true where it is worth
    /// asking for the newest one.
    ///
    /// Fails with [`ErrorClass::Unsupported`] where the endpoint tells nobody of new blocks: then it has to be asked.
    async fn block_above(&self, height: u64, _patience: Duration) -> Result<bool, SourceError> {
        Err(SourceError {
            class: ErrorClass::Unsupported,
            endpoint: self.chain().name().to_owned(),
            request: format!("a block above {height}"),
            detail: "the endpoint does not tell of new blocks".into(),
        })
    }

    /// What the endpoint can do, as name and state, for a person.
    async fn capabilities(&self) -> Result<Vec<(String, String)>, SourceError> {
        Ok(Vec::new())
    }

    /// What each endpoint did so far, in the order of configuration.
    fn activity(&self) -> Vec<EndpointActivity>;
}

fn unsupported(chain: &Chain, block: &BlockRef, what: &str) -> SourceError {
    SourceError {
        class: ErrorClass::Unsupported,
        endpoint: chain.name().to_owned(),
        request: format!("block {} at height {}", block.hash, block.height),
        detail: format!("the endpoint {what}"),
    }
}
