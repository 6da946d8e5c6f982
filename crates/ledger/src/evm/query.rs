//! What a trace asks of an EVM chain, and what comes back.

use alloy_primitives::{Address, B256};
use serde::{Deserialize, Serialize};

use super::{AccountStatement, Arrival, Coin, Event, EvmTransaction, InternalTransfers, Noise};
use crate::{BlockRef, Coverage, Gap};

/// One question about an EVM chain.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum EvmQuery {
    /// The transaction with every movement of value that it made.
    Transaction {
        /// Which.
        hash: B256,
    },
    /// The statement of one coin of one account over blocks `since..=until`.
    Account {
        /// Whose.
        address: Address,
        /// Of what.
        coin: Coin,
        /// The first block.
        since: u64,
        /// The last block.
        until: u64,
        /// With more transfers than this the account is a hub, and its statement holds that gap and no entry.
        bound: u64,
    },
    /// Everything an account received in blocks `since..=until`, of every coin.
    Deposits {
        /// Whose.
        address: Address,
        /// The first block.
        since: u64,
        /// The last block.
        until: u64,
    },
    /// The logs of some contracts with some topics in blocks `since..=until`.
    Logs {
        /// Contracts of which one wrote the log, ascending; none for any.
        contracts: Vec<Address>,
        /// For each topic from the first on, values of which it has one; none for any.
        topics: Vec<Vec<B256>>,
        /// The first block.
        since: u64,
        /// The last block.
        until: u64,
    },
}

/// The fact that answers an EVM query.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum EvmFact {
    /// Answers [`EvmQuery::Transaction`].
    Transaction(EvmTransaction),
    /// Answers [`EvmQuery::Account`].
    Account(AccountStatement),
    /// Answers [`EvmQuery::Deposits`].
    Deposits(Deposits),
    /// Answers [`EvmQuery::Logs`].
    Logs(Logs),
}

impl EvmFact {
    /// How many things the fact lacks that another endpoint might tell; zero for a complete one.
    pub fn lacks(&self) -> usize {
        match self {
            Self::Transaction(tx) => usize::from(tx.internal == InternalTransfers::Unknown),
            Self::Account(statement) => lacks(&statement.coverage, statement.until),
            Self::Deposits(deposits) => lacks(&deposits.coverage, deposits.until),
            Self::Logs(logs) => lacks(&logs.coverage, logs.until),
        }
    }
}

/// A hub stays a hub whoever is asked; an incomplete history weighs more than any number of lesser gaps.
fn lacks(coverage: &Coverage, until: u64) -> usize {
    let is_hub = |gap: &&Gap| matches!(gap, Gap::Hub { .. });
    if coverage.gaps.iter().any(|gap| is_hub(&gap)) {
        return 0;
    }
    let complete = coverage.complete_through >= Some(until);
    coverage.gaps.len() + if complete { 0 } else { 1_000 }
}

/// What an account received.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Deposits {
    /// Whose.
    pub address: Address,
    /// The first block.
    pub since: u64,
    /// The last block.
    pub until: u64,
    /// Each arrival, in chain order.
    pub arrivals: Vec<Arrival>,
    /// Logs that name the account and move nothing.
    pub noise: Noise,
    /// How far the answer reaches and what it lacks.
    pub coverage: Coverage,
}

/// The logs that were asked for, each with its transaction.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Logs {
    /// Contracts of which one wrote each log; none for any.
    pub contracts: Vec<Address>,
    /// For each topic from the first on, values of which it has one; none for any.
    pub topics: Vec<Vec<B256>>,
    /// The first block.
    pub since: u64,
    /// The last block.
    pub until: u64,
    /// The logs in chain order; none where there are more than are read, which is a gap.
    pub logs: Vec<FoundLog>,
    /// How far the answer reaches and what it lacks.
    pub coverage: Coverage,
}

/// A log that was asked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FoundLog {
    /// Its block.
    pub block: BlockRef,
    /// Its transaction.
    pub tx: B256,
    /// What it says; its data are cut off after [`Event::MOST_DATA`] bytes.
    pub event: Event,
}
