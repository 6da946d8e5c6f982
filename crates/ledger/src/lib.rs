//! The facts of fund-flow tracing as types: chains, amounts, transfers, statements, coverage.
//!
//! Facts come from a chain and are immutable; everything derived from them lives in other crates. Nothing
//! here talks to a network, a disk, a clock or a terminal.

mod amount;
mod asset;
mod block;
mod chain;
mod coverage;
mod evm;
mod node;
mod share;
mod source;
mod statement;
mod subject;
mod time;
mod transfer;

pub use amount::{Amount, AmountError};
pub use asset::Asset;
pub use block::{BlockRef, Placement};
pub use chain::{Chain, Family};
pub use coverage::{Coverage, Gap};
pub use evm::{
    AccountNature, AccountStatement, Arrival, BlockForm, Coin, CoinError, Creation, Deposits,
    Event, EvmFact, EvmNetwork, EvmPlacement, EvmQuery, EvmTransaction, FeedPrice, FoundLog,
    InternalTransfers, KnownToken, LONGEST_PAIR, Logs, Movement, Noise, Origin, Trade, topics,
};
pub use node::NodeId;
pub use share::{Share, ShareError};
pub use source::{
    Answer, Called, ChainSource, EndpointActivity, ErrorClass, Evidence, Fact, Query, SourceError,
};
pub use statement::{Input, Output, SpendState, Spends, TransactionStatement, is_unspendable};
pub use subject::{Subject, SubjectError};
pub use time::UnixTime;
pub use transfer::{Position, Transfer, TransferId};
