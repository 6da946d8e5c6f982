//! Logs that name an account.

use std::collections::BTreeMap;

use alloy_primitives::{Address, B256, b256};
use futures::{StreamExt as _, TryStreamExt as _, stream};
use hansel_ledger::{Arrival, Coin, EvmPlacement, Movement, Noise, SourceError};
use serde_json::{Value, json};

use super::inquiry::{AT_A_TIME, Inquiry};
use crate::decode::{self, LogLean, LogReading};
use crate::source::reader::hex;

/// `Transfer(address,address,uint256)`.
pub(super) const TRANSFER: B256 =
    b256!("ddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef");
/// `TransferSingle(address,address,address,uint256,uint256)`.
pub(super) const TRANSFER_SINGLE: B256 =
    b256!("c3d58168c5ae7397731d063d5bbf3d657854427343f4c083240f7aacaa2d0f62");
/// `TransferBatch(address,address,address,uint256[],uint256[])`.
pub(super) const TRANSFER_BATCH: B256 =
    b256!("4a39dc06d4c0dbc64b70af90fd698a233a518aa5d07e595d983b8c0526c8f7fb");
/// `Deposit(address,uint256)`.
pub(super) const DEPOSIT: B256 =
    b256!("e1fffcc4923d04b559f4d29a8bfc6cda04eb5b0d3c460751c2402c5c5cc9109c");
/// `Withdrawal(address,uint256)`.
pub(super) const WITHDRAWAL: B256 =
    b256!("7fcf532c15f0a6db0bd6d0e038bea71d30d808c7d98cb3bf7268a95bf5081b65");

/// Which logs: of this contract where one is named, with one of these words at each place that names any.
#[derive(Clone, Debug)]
pub(super) struct LogFilter {
    pub(super) contract: Option<Address>,
    pub(super) topics: Vec<Vec<B256>>,
}

/// Logs by block and index, so that one which two filters find counts once.
pub(super) type Rows = BTreeMap<(u64, u64), LogLean>;

impl LogFilter {
    fn matches(&self, log: &LogLean) -> bool {
        let mut wanted = self.topics.iter().enumerate();
        self.contract.is_none_or(|contract| contract == log.address)
            && wanted.all(|(place, words)| {
                let topic = log.topics.get(place);
                words.is_empty() || topic.is_some_and(|topic| words.contains(topic))
            })
    }

    fn params(&self, since: u64, until: u64) -> Value {
        let topics: Vec<Value> = self
            .topics
            .iter()
            .map(|words| match words.as_slice() {
                [] => Value::Null,
                [word] => json!(word),
                words => json!(words),
            })
            .collect();
        let mut filter = json!({
            "fromBlock": hex(since),
            "toBlock": hex(until),
            "topics": topics,
        });
        if let Some(contract) = self.contract {
            filter["address"] = json!(contract);
        }
        json!([filter])
    }
}

impl Inquiry<'_> {
    /// All logs that match, over the blocks of the inquiry.
    pub(super) async fn logs(&self, filter: &LogFilter) -> Result<Rows, SourceError> {
        let heard = self
            .reader
            .ask
            .call("eth_getLogs", &filter.params(self.since, self.until))
            .await?;
        let logs = self.reader.ask.read(&heard, decode::logs)?;
        let mut rows = Rows::new();
        for log in logs {
            let inside = (self.since..=self.until).contains(&log.block_number);
            if !inside || log.removed == Some(true) || !filter.matches(&log) {
                let detail = "a log is of another block, contract or account than was asked for";
                return Err(self.reader.ask.inconsistent(&heard, detail));
            }
            rows.insert((log.block_number, log.log_index), log);
        }
        self.notes.keep(&heard.evidence);
        Ok(rows)
    }

    /// The arrivals that logs tell of, each in the block that it names.
    pub(super) async fn arrivals(
        &self,
        moved: Vec<(LogLean, Movement)>,
    ) -> Result<Vec<Arrival>, SourceError> {
        let place = |(log, movement): (LogLean, Movement)| async move {
            let placement = self.placement(&log).await?;
            Ok(Arrival {
                tx: Some(log.transaction_hash),
                placement,
                origin: movement.origin,
                from: Some(movement.from),
                coin: movement.coin,
                amount: movement.amount,
            })
        };
        let all = stream::iter(moved).map(place).buffered(AT_A_TIME);
        all.try_collect().await
    }

    /// Where a log's transaction stands; fails where the chain has another block or transaction there.
    async fn placement(&self, log: &LogLean) -> Result<EvmPlacement, SourceError> {
        let header = self.reader.header(log.block_number).await?;
        let block = &header.value;
        let listed = block.transactions.hashes().unwrap_or_default();
        let found = listed
            .iter()
            .position(|hash| *hash == log.transaction_hash)
            .and_then(|index| u32::try_from(index).ok())
            .filter(|index| log.transaction_index.is_none_or(|told| told == *index));
        let index = found.filter(|_| block.hash == log.block_hash);
        let index = index.ok_or_else(|| {
            let params = json!([hex(log.block_number), false]);
            let detail = "the block does not hold the transaction of a log";
            let class = hansel_ledger::ErrorClass::Inconsistent;
            self.reader
                .refusal(class, "eth_getBlockByNumber", &params, detail)
        })?;
        self.notes.keep(&header.evidence);
        Ok(EvmPlacement {
            block: block.block_ref(),
            index,
        })
    }
}

/// What the rows say: movements, logs that may be movements if their contract wraps, and noise.
pub(super) struct RowReadings {
    pub(super) moved: Vec<(LogLean, Movement)>,
    pub(super) wraps: Vec<LogLean>,
    pub(super) noise: Noise,
}

pub(super) fn read_rows(rows: Rows) -> RowReadings {
    let mut readings = RowReadings {
        moved: Vec::new(),
        wraps: Vec::new(),
        noise: Noise::default(),
    };
    for log in rows.into_values() {
        match decode::read_log(&log) {
            LogReading::Moved(movement) => readings.moved.push((log, movement)),
            LogReading::Wrapped(_) | LogReading::Unwrapped(_) => readings.wraps.push(log),
            LogReading::Nothing => readings.noise.zero_value += 1,
            LogReading::Collectible => readings.noise.collectibles += 1,
            LogReading::Unreadable => readings.noise.unreadable += 1,
            LogReading::Traded(_) | LogReading::Other => {}
        }
    }
    readings
}

/// The filters of a token's logs that name an account: what it gave, and what it received.
pub(super) fn token_filters(contract: Address, address: Address) -> [LogFilter; 2] {
    let account = address.into_word();
    let gave = vec![vec![TRANSFER, DEPOSIT, WITHDRAWAL], vec![account]];
    let received = vec![vec![TRANSFER], Vec::new(), vec![account]];
    [gave, received].map(|topics| LogFilter {
        contract: Some(contract),
        topics,
    })
}

/// The filters of everything that an account received, of any token.
pub(super) fn deposit_filters(wrapped: Option<Address>, address: Address) -> Vec<LogFilter> {
    let account = address.into_word();
    let any = |topics| LogFilter {
        contract: None,
        topics,
    };
    let events = vec![TRANSFER_SINGLE, TRANSFER_BATCH];
    let mut filters = vec![
        any(vec![vec![TRANSFER], Vec::new(), vec![account]]),
        any(vec![events, Vec::new(), Vec::new(), vec![account]]),
    ];
    filters.extend(wrapped.map(|contract| LogFilter {
        contract: Some(contract),
        topics: vec![vec![DEPOSIT], vec![account]],
    }));
    filters
}

/// True for a movement of the coin out of the account.
pub(super) fn gives(movement: &Movement, address: Address, coin: Coin) -> bool {
    movement.from == address && movement.coin == coin
}
