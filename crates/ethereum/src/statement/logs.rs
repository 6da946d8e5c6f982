//! Logs that name an account.

use std::collections::BTreeMap;

use alloy_primitives::{Address, B256, b256};
use futures::stream::FuturesUnordered;
use futures::{StreamExt as _, TryStreamExt as _, stream};
use hansel_ledger::{Arrival, Coin, ErrorClass, EvmPlacement, Movement, Noise, SourceError};
use serde_json::json;

use super::inquiry::{AT_A_TIME, Inquiry};
use crate::decode::{self, LogLean, LogReading};
use crate::history::{Advice, Blocks, LogFilter, LogWalk, Step, TooNarrow};
use crate::rpc::RpcFailure;
use crate::source::reader::hex;

/// Requests of one walk; an endpoint that needs more answers for too few blocks at once.
const REQUESTS: u64 = 5_000;
/// Ranges of one walk that are asked for at a time.
const WALKERS: usize = 8;

/// `TransferSingle(address,address,address,uint256,uint256)`.
const TRANSFER_SINGLE: B256 =
    b256!("c3d58168c5ae7397731d063d5bbf3d657854427343f4c083240f7aacaa2d0f62");
/// `TransferBatch(address,address,address,uint256[],uint256[])`.
const TRANSFER_BATCH: B256 =
    b256!("4a39dc06d4c0dbc64b70af90fd698a233a518aa5d07e595d983b8c0526c8f7fb");
/// `Deposit(address,uint256)`.
const DEPOSIT: B256 = b256!("e1fffcc4923d04b559f4d29a8bfc6cda04eb5b0d3c460751c2402c5c5cc9109c");

/// Logs by block and index, so that one which two filters find counts once.
pub(super) type Rows = BTreeMap<(u64, u64), LogLean>;

/// What is asked of an endpoint in a walk: a range of blocks, or all logs of one.
enum Piece {
    Range(Blocks),
    Block(u64),
}

impl Inquiry<'_> {
    /// All logs that match, over the blocks of the inquiry; `None` where there are too many.
    ///
    /// A range that the endpoint refuses is cut; a block that it refuses is read from its receipts.
    pub(super) async fn logs(&self, filter: &LogFilter) -> Result<Option<Rows>, SourceError> {
        let learned = self.reader.log_reach.known();
        let range = (self.since, self.until);
        let mut walk = LogWalk::new(filter.clone(), range, learned, self.most_rows(), REQUESTS);
        let mut open = FuturesUnordered::new();
        loop {
            while open.len() < WALKERS {
                let next = walk.ask().map_err(|error| self.too_narrow(&error))?;
                let Some(blocks) = next else {
                    break;
                };
                open.push(self.logs_of(filter, Piece::Range(blocks)));
            }
            let Some((piece, outcome)) = open.next().await else {
                break;
            };
            let step = match (piece, outcome) {
                (Piece::Range(blocks), Ok(logs)) => walk.answered(blocks, logs),
                (Piece::Block(height), Ok(logs)) => walk.read(height, logs),
                (Piece::Range(blocks), Err(failure)) if refuses(&failure.error) => {
                    let advice = Advice::of(&failure.kind).unwrap_or_default();
                    Ok(walk.refused(blocks, advice))
                }
                (_, Err(failure)) => return Err(failure.error),
            };
            match step.map_err(|error| self.contradiction("eth_getLogs", &error))? {
                Step::Next => {}
                Step::ReadBlock(height) => open.push(self.logs_of(filter, Piece::Block(height))),
                Step::TooMany => return Ok(None),
            }
        }
        drop(open);
        let found = walk.finish();
        let found = found.map_err(|error| self.contradiction("eth_getLogs", &error))?;
        self.reader.log_reach.learn(found.learned);
        let rows = found.logs.into_iter();
        Ok(Some(
            rows.map(|log| ((log.block_number, log.log_index), log))
                .collect(),
        ))
    }

    async fn logs_of(
        &self,
        filter: &LogFilter,
        piece: Piece,
    ) -> (Piece, Result<Vec<LogLean>, RpcFailure>) {
        let outcome = match piece {
            Piece::Range(blocks) => self.logs_in(filter, blocks).await,
            Piece::Block(height) => self
                .logs_in_receipts(height)
                .await
                .map_err(RpcFailure::from),
        };
        (piece, outcome)
    }

    async fn logs_in(
        &self,
        filter: &LogFilter,
        blocks: Blocks,
    ) -> Result<Vec<LogLean>, RpcFailure> {
        let ask = &self.reader.ask;
        let params = filter.parameters(blocks);
        let heard = ask.try_call("eth_getLogs", &params).await?;
        let logs = ask.read(&heard, decode::logs)?;
        self.notes.keep(&heard.evidence);
        Ok(logs)
    }

    async fn logs_in_receipts(&self, height: u64) -> Result<Vec<LogLean>, SourceError> {
        let header = self.reader.header(height).await?;
        let receipts = self.reader.receipts(&header.value).await?;
        self.notes.keep(&receipts.evidence);
        let logs = receipts.value.iter().flat_map(|receipt| &receipt.logs);
        Ok(logs.cloned().collect())
    }

    /// Logs that are read of one filter: spam is not counted, but nobody reads without end.
    fn most_rows(&self) -> usize {
        let rows = self.bound.saturating_mul(4).saturating_add(1_000);
        usize::try_from(rows).unwrap_or(usize::MAX)
    }

    fn too_narrow(&self, error: &TooNarrow) -> SourceError {
        let params = json!([{ "fromBlock": hex(self.since), "toBlock": hex(self.until) }]);
        let class = ErrorClass::TooPopular;
        self.reader
            .refusal(class, "eth_getLogs", &params, &error.to_string())
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
            let class = ErrorClass::Inconsistent;
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

/// True for a refusal that a narrower question may get around. Texts and codes differ too much to tell a limit from
/// a whim; what is refused for a single block as well is a failure.
fn refuses(error: &SourceError) -> bool {
    matches!(
        error.class,
        ErrorClass::Unsupported | ErrorClass::TooPopular | ErrorClass::Truncated
    )
}

/// The filters of everything that an account received, of any token.
pub(super) fn deposit_filters(wrapped: Option<Address>, address: Address) -> Vec<LogFilter> {
    let account = address.into_word();
    let any = |topics| LogFilter {
        contracts: Vec::new(),
        topics,
    };
    let events = vec![TRANSFER_SINGLE, TRANSFER_BATCH];
    let mut filters = vec![
        LogFilter::received(None, address),
        any(vec![events, Vec::new(), Vec::new(), vec![account]]),
    ];
    filters.extend(wrapped.map(|contract| LogFilter {
        contracts: vec![contract],
        topics: vec![vec![DEPOSIT], vec![account]],
    }));
    filters
}

/// True for a movement of the coin out of the account.
pub(super) fn gives(movement: &Movement, address: Address, coin: Coin) -> bool {
    movement.from == address && movement.coin == coin
}
