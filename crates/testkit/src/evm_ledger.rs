//! An EVM chain in memory, behind a JSON-RPC server that answers what a node answers.

mod answer;
mod builder;
mod header;
mod history;
mod json;
mod logs;
mod rpc_error;
mod sent;
mod server;
mod timeline;
mod traces;

use std::collections::{BTreeMap, HashMap};

use alloy_primitives::{Address, B256, Bloom, Bytes, Log, U256};
use hansel_ledger::Coin;

pub use answer::evm_answer;
pub use builder::{EvmLedgerBuilder, EvmLedgerError, EvmToken};
pub use sent::{EvmSent, EvmStep};
pub use server::{EvmProfile, EvmServer, EvmServerOptions};

use history::History;
use timeline::Timeline;

/// What every unit of gas costs, all of it burned: 10 gwei.
pub const EVM_GAS_PRICE: u64 = 10_000_000_000;

/// A chain from block 0 on, of which the blocks before `first` are empty.
///
/// Every block has a header whose hash is its own and whose receipts root and bloom fit its receipts; from
/// `first` on each names its parent. Hashes of transactions may be given, so neither they nor the transactions
/// root can be recomputed. Nobody holds less than nothing at any time.
#[derive(Debug)]
pub struct EvmLedger {
    chain_id: u64,
    first: u64,
    tip: u64,
    timeline: Timeline,
    tokens: BTreeMap<Address, EvmToken>,
    code: BTreeMap<Address, Bytes>,
    blocks: BTreeMap<u64, Body>,
    /// Of the blocks from `first` on.
    hashes: Vec<B256>,
    heights: HashMap<B256, u64>,
    places: HashMap<B256, (u64, usize)>,
    balances: HashMap<(Address, Coin), History>,
    nonces: HashMap<Address, Vec<u64>>,
}

/// What a block that is not empty holds.
#[derive(Debug)]
struct Body {
    transactions: Vec<Made>,
    receipts_root: B256,
    bloom: Bloom,
    gas_used: u64,
}

/// A transaction with what became of it.
#[derive(Debug)]
struct Made {
    hash: B256,
    sender: Address,
    to: Address,
    value: U256,
    input: Bytes,
    nonce: u64,
    succeeded: bool,
    gas_used: u64,
    cumulative_gas: u64,
    /// Index in the block of its first log.
    first_log: u64,
    logs: Vec<Log>,
    /// Ether that its code sent, in order; nothing where it was reverted.
    calls: Vec<EtherSent>,
}

#[derive(Clone, Copy, Debug)]
struct EtherSent {
    from: Address,
    to: Address,
    value: U256,
}

impl EvmLedger {
    /// The id of the chain.
    pub fn chain_id(&self) -> u64 {
        self.chain_id
    }

    /// The newest block.
    pub fn tip(&self) -> u64 {
        self.tip
    }

    /// The first block that may hold transactions.
    pub fn first(&self) -> u64 {
        self.first
    }

    /// The time of a block in seconds since 1970.
    pub fn time(&self, height: u64) -> u64 {
        self.timeline.time(height)
    }

    /// The hash of a block.
    pub fn block_hash(&self, height: u64) -> B256 {
        height
            .checked_sub(self.first)
            .and_then(|above| usize::try_from(above).ok())
            .and_then(|above| self.hashes.get(above).copied())
            .unwrap_or_else(|| header::header(self, height).hash_slow())
    }

    /// What an account held after a block.
    pub fn balance(&self, account: Address, coin: Coin, height: u64) -> U256 {
        self.balances
            .get(&(account, coin))
            .map_or(U256::ZERO, |history| history.at(height))
    }

    /// How many transactions an account had sent after a block.
    pub fn nonce(&self, account: Address, height: u64) -> usize {
        self.nonces
            .get(&account)
            .map_or(0, |sent| sent.partition_point(|block| *block <= height))
    }

    /// How many transactions there are.
    pub fn transactions(&self) -> usize {
        self.places.len()
    }

    /// How many logs there are.
    pub fn logs(&self) -> usize {
        let made = self.blocks.values().flat_map(|body| &body.transactions);
        made.map(|made| made.logs.len()).sum()
    }

    /// How many logs of a contract name an account, as the one that gives or the one that receives.
    pub fn logs_naming(&self, contract: Address, account: Address) -> usize {
        let made = self.blocks.values().flat_map(|body| &body.transactions);
        let logs = made.flat_map(|made| &made.logs);
        logs.filter(|log| {
            log.address == contract
                && log
                    .topics()
                    .iter()
                    .skip(1)
                    .any(|t| *t == account.into_word())
        })
        .count()
    }
}
