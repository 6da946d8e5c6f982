//! Which logs are asked for.

use std::collections::BTreeSet;

use alloy_primitives::{Address, B256, Bloom, BloomInput, b256};
use serde_json::{Value, json};

use super::Blocks;
use crate::decode::LogLean;

/// `Transfer(address,address,uint256)`.
const TRANSFER: B256 = b256!("ddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef");
/// `Deposit(address,uint256)` of WETH9.
const DEPOSIT: B256 = b256!("e1fffcc4923d04b559f4d29a8bfc6cda04eb5b0d3c460751c2402c5c5cc9109c");
/// `Withdrawal(address,uint256)` of WETH9.
const WITHDRAWAL: B256 = b256!("7fcf532c15f0a6db0bd6d0e038bea71d30d808c7d98cb3bf7268a95bf5081b65");

/// What is asked of logs. An empty list asks for anything.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LogFilter {
    /// Contracts of which one wrote the log.
    pub contracts: Vec<Address>,
    /// For each topic from the first on, values of which it has one. A log may have more topics.
    pub topics: Vec<Vec<B256>>,
}

impl LogFilter {
    /// Transfers in which an account gave a token, by their sender topic; of any token where none is named.
    ///
    /// With `wraps` the token is one that wraps the native coin: then wrapping and unwrapping by the account is
    /// found too, which such contracts log as `Deposit` and `Withdrawal` and not as a transfer.
    pub fn given(token: Option<Address>, account: Address, wraps: bool) -> Self {
        let mut events = vec![TRANSFER];
        if wraps {
            events.extend([DEPOSIT, WITHDRAWAL]);
        }
        Self {
            contracts: token.into_iter().collect(),
            topics: vec![events, vec![account.into_word()]],
        }
    }

    /// Transfers in which an account received a token, by their recipient topic; of any token where none is
    /// named.
    pub fn received(token: Option<Address>, account: Address) -> Self {
        Self {
            contracts: token.into_iter().collect(),
            topics: vec![vec![TRANSFER], Vec::new(), vec![account.into_word()]],
        }
    }

    /// Whether a log is one that was asked for.
    pub fn fits(&self, log: &LogLean) -> bool {
        let one_of = |asked: &[B256], topic| asked.is_empty() || asked.contains(topic);
        let contract = self.contracts.is_empty() || self.contracts.contains(&log.address);
        let topics = self.topics.iter().zip(&log.topics);
        contract
            && self.topics.len() <= log.topics.len()
            && topics
                .into_iter()
                .all(|(asked, topic)| one_of(asked, topic))
    }

    /// Whether a block with this bloom may hold such a log. A `false` is certain, if the bloom is the header's.
    pub fn may_be_in(&self, bloom: &Bloom) -> bool {
        let holds = |bytes: &[u8]| bloom.contains_input(BloomInput::Raw(bytes));
        let contract =
            self.contracts.is_empty() || self.contracts.iter().any(|one| holds(one.as_slice()));
        let mut topics = self.topics.iter().filter(|asked| !asked.is_empty());
        contract && topics.all(|asked| asked.iter().any(|topic| holds(topic.as_slice())))
    }

    /// The parameters of `eth_getLogs`.
    pub fn parameters(&self, blocks: Blocks) -> Value {
        let topics: Vec<Value> = self
            .topics
            .iter()
            .map(|asked| match asked.as_slice() {
                [] => Value::Null,
                [one] => json!(one),
                several => json!(several),
            })
            .collect();
        let mut filter = json!({
            "fromBlock": format!("{:#x}", blocks.first),
            "toBlock": format!("{:#x}", blocks.last),
            "topics": topics,
        });
        match self.contracts.as_slice() {
            [] => {}
            [one] => filter["address"] = json!(one),
            several => filter["address"] = json!(several),
        }
        json!([filter])
    }
}

/// The blocks, ascending, whose bloom allows a log that was asked for while none was returned: those that a
/// dropped log can be in, besides some in which there is none.
pub fn suspects<'a>(
    filter: &LogFilter,
    blooms: impl IntoIterator<Item = (u64, &'a Bloom)>,
    returned: &[LogLean],
) -> Vec<u64> {
    let told: BTreeSet<u64> = returned.iter().map(|log| log.block_number).collect();
    let possible = blooms
        .into_iter()
        .filter(|(height, bloom)| !told.contains(height) && filter.may_be_in(bloom));
    let blocks: BTreeSet<u64> = possible.map(|(height, _)| height).collect();
    blocks.into_iter().collect()
}

/// The blocks, ascending, of which two endpoints returned different logs.
pub fn disagreements(one: &[LogLean], other: &[LogLean]) -> Vec<u64> {
    let keys = |logs: &[LogLean]| -> BTreeSet<(u64, u64, B256)> {
        logs.iter()
            .map(|log| (log.block_number, log.log_index, log.transaction_hash))
            .collect()
    };
    let (one, other) = (keys(one), keys(other));
    let blocks: BTreeSet<u64> = one
        .symmetric_difference(&other)
        .map(|(block, ..)| *block)
        .collect();
    blocks.into_iter().collect()
}
