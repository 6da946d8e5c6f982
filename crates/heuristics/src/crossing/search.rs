//! How the arrival of a departure is looked for.

use alloy_primitives::{Address, B256};
use bitcoin::{OutPoint, ScriptBuf};

/// A question whose answer names transactions in which a departure may arrive. Each is read and compared.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Search {
    /// Transactions that pay a script.
    Received {
        /// The chain.
        chain: String,
        /// The script.
        script: ScriptBuf,
    },
    /// Transactions that log an event.
    Logs {
        /// The chain.
        chain: String,
        /// The contracts, ascending.
        contracts: Vec<Address>,
        /// For each topic from the first on, values of which it has one.
        topics: Vec<Vec<B256>>,
        /// Bytes that the data of such a log hold; none where the topics say enough.
        mark: Vec<u8>,
        /// How many seconds after the departure such a log is looked for.
        within: u64,
    },
    /// Transactions that the logs of an event name.
    Named {
        /// The chain.
        chain: String,
        /// The contracts, ascending.
        contracts: Vec<Address>,
        /// For each topic from the first on, values of which it has one.
        topics: Vec<Vec<B256>>,
        /// The topic that is the hash of the transaction, the first being 0.
        topic: usize,
        /// How many seconds after the departure such a log is looked for.
        within: u64,
    },
    /// A transaction that a log on another chain names, on the one that was left.
    Confirmed {
        /// The chain of the transaction.
        chain: String,
        /// The chain that logs it.
        by: String,
        /// The contracts, ascending.
        contracts: Vec<Address>,
        /// For each topic from the first on, values of which it has one.
        topics: Vec<Vec<B256>>,
        /// How many seconds after the departure such a log is looked for.
        within: u64,
    },
    /// Transactions that log the hash of what spent the output that left, where no other search found anything: the
    /// log's second word, in the byte order of Bitcoin's blocks.
    Swept {
        /// The chain that logs it.
        chain: String,
        /// The chain of the output.
        home: String,
        /// The output.
        output: OutPoint,
        /// Its locking script.
        script: ScriptBuf,
        /// The contracts, ascending.
        contracts: Vec<Address>,
        /// The form of the event.
        form: B256,
        /// How many seconds after the departure such a log is looked for.
        within: u64,
    },
    /// A transaction whose hash was computed.
    Transaction {
        /// The chain.
        chain: String,
        /// The hash.
        hash: B256,
    },
}

/// A week: the longest that payouts are looked for.
pub(super) const WEEK: u64 = 7 * 24 * 3600;

/// How long after a payment it may be named on another chain: tBTC's wallets give weeks, and a custodian takes days.
pub const LATEST_NAMED: u64 = 30 * 24 * 3600;
/// How long after a payment value may be made against it: two weeks after it is named at the latest.
pub(super) const LATEST_MADE: u64 = LATEST_NAMED + 2 * WEEK;

impl Search {
    /// The chain on which the departure may arrive.
    pub fn chain(&self) -> &str {
        match self {
            Self::Received { chain, .. }
            | Self::Logs { chain, .. }
            | Self::Named { chain, .. }
            | Self::Confirmed { chain, .. }
            | Self::Swept { chain, .. }
            | Self::Transaction { chain, .. } => chain,
        }
    }
}
