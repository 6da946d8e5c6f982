//! What a trace asks of an EVM chain, and what comes back.

use alloy_primitives::{Address, B256};
use serde::{Deserialize, Serialize};

use super::{AccountStatement, Arrival, Coin, EvmTransaction, Noise};
use crate::Coverage;

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
