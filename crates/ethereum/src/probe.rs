//! What an endpoint can do, found out by trying, once.

use alloy_primitives::{Address, B256};
use hansel_ledger::{ErrorClass, SourceError};
use serde_json::{Value, json};

use crate::decode::{self, HeaderLean};
use crate::history::{Advice, Blocks, Reach};
use crate::source::reader::{Reader, hex};

/// Newest blocks that are looked through for a transaction to try traces on.
const SAMPLE_BLOCKS: u64 = 16;
/// Newest blocks over which a search for logs is tried.
const LOG_BLOCKS: u64 = 100_000;

/// What an endpoint can do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Abilities {
    /// State of the oldest blocks.
    pub(crate) archive: bool,
    /// All receipts of a block at once.
    pub(crate) block_receipts: bool,
    /// How it traces a transaction.
    pub(crate) tracing: Tracing,
    /// Finds an account's calls (`trace_filter`).
    pub(crate) filter: bool,
    /// Otterscan's interface.
    pub(crate) otterscan: bool,
    /// An index of transfers (`alchemy_getAssetTransfers`), which gives hints.
    pub(crate) transfers: bool,
    /// How many blocks it searches for logs at once.
    pub(crate) logs: LogRange,
}

/// How many blocks an endpoint searches for logs at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum LogRange {
    /// As many as were tried.
    Tried(u64),
    /// At most this many, by its own words.
    Limited(u64),
    /// Fewer than were tried; it does not say how many.
    Narrower,
    /// It does not search for logs.
    None,
}

/// How an endpoint traces a transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tracing {
    /// `debug_traceTransaction` with the `callTracer`.
    CallTracer,
    /// `trace_transaction`.
    Flat,
    /// Not at all.
    None,
    /// There was no transaction to try on.
    Untried,
}

impl Reader {
    /// What the endpoint can do; tried at the first question.
    pub(crate) async fn abilities(&self) -> Result<&Abilities, SourceError> {
        self.abilities.get_or_try_init(|| self.probe()).await
    }

    async fn probe(&self) -> Result<Abilities, SourceError> {
        let tip = self.newest().await?;
        let at_tip = hex(tip.number);
        let range = json!([{ "fromBlock": at_tip, "toBlock": at_tip, "count": 1 }]);
        let (state, receipts, levels) = (
            json!([Address::ZERO, hex(tip.number.min(1))]),
            json!([at_tip]),
            json!([]),
        );
        let newest = json!([{
            "fromBlock": at_tip, "toBlock": at_tip, "category": ["external"], "maxCount": "0x1",
        }]);
        let (archive, block_receipts, filter, otterscan, transfers, tracing, logs) = futures::try_join!(
            self.offers("eth_getBalance", &state, Value::is_string),
            self.offers("eth_getBlockReceipts", &receipts, Value::is_array),
            self.offers("trace_filter", &range, Value::is_array),
            self.offers("ots_getApiLevel", &levels, |level| level.as_u64()
                >= Some(8)),
            self.offers("alchemy_getAssetTransfers", &newest, |told| {
                told["transfers"].is_array()
            }),
            self.tracing(&tip),
            self.log_range(&tip),
        )?;
        Ok(Abilities {
            archive,
            block_receipts,
            tracing,
            filter,
            otterscan,
            transfers,
            logs,
        })
    }

    /// How many blocks the endpoint searches at once, tried with a search that finds nothing.
    async fn log_range(&self, tip: &HeaderLean) -> Result<LogRange, SourceError> {
        let first = tip.number.saturating_sub(LOG_BLOCKS - 1);
        let nowhere = json!([{
            "fromBlock": hex(first),
            "toBlock": hex(tip.number),
            "address": Address::repeat_byte(0xff),
            "topics": [B256::repeat_byte(0xff)],
        }]);
        let failure = match self.ask.try_call("eth_getLogs", &nowhere).await {
            Ok(_) => return Ok(LogRange::Tried(tip.number - first + 1)),
            Err(failure) => failure,
        };
        if let Some(Advice { range, limit }) = Advice::of(&failure.kind) {
            let limit = limit.or_else(|| range.map(Blocks::count));
            let learned = Reach {
                limit,
                ..Reach::default()
            };
            self.log_reach.learn(learned);
            return Ok(limit.map_or(LogRange::Narrower, LogRange::Limited));
        }
        not_offered(failure.error).map(|()| LogRange::None)
    }

    /// True where the answer has the form that is asked for; some nodes answer with another.
    async fn offers(
        &self,
        method: &str,
        params: &Value,
        form: impl Fn(&Value) -> bool,
    ) -> Result<bool, SourceError> {
        let heard = match self.ask.call(method, params).await {
            Ok(heard) => heard,
            Err(error) => return not_offered(error).map(|()| false),
        };
        let told: Option<Value> = serde_json::from_slice(heard.json()).ok();
        Ok(told.is_some_and(|told| form(&told)))
    }

    /// How the endpoint traces, tried on one of the newest transactions.
    async fn tracing(&self, tip: &HeaderLean) -> Result<Tracing, SourceError> {
        match self.sample(tip).await? {
            Some(hash) => self.try_tracing(hash).await,
            None => Ok(Tracing::Untried),
        }
    }

    /// How the endpoint traces; tried on this transaction where it was not tried before.
    pub(crate) async fn tracing_of(&self, hash: B256) -> Result<Tracing, SourceError> {
        match self.abilities().await?.tracing {
            Tracing::Untried => {
                let try_it = || self.try_tracing(hash);
                self.tracing.get_or_try_init(try_it).await.copied()
            }
            tried => Ok(tried),
        }
    }

    async fn try_tracing(&self, hash: B256) -> Result<Tracing, SourceError> {
        let params = json!([hash, { "tracer": "callTracer" }]);
        let read = |json: &[u8]| decode::call_trace(json).is_ok_and(|calls| calls.is_some());
        if self.traces("debug_traceTransaction", &params, read).await? {
            return Ok(Tracing::CallTracer);
        }
        let read = |json: &[u8]| {
            let traces = decode::flat_traces(json);
            traces.is_ok_and(|traces| traces.is_some_and(|traces| !traces.is_empty()))
        };
        let flat = self
            .traces("trace_transaction", &json!([hash]), read)
            .await?;
        Ok(if flat { Tracing::Flat } else { Tracing::None })
    }

    async fn traces(
        &self,
        method: &str,
        params: &Value,
        read: impl Fn(&[u8]) -> bool,
    ) -> Result<bool, SourceError> {
        match self.ask.call(method, params).await {
            Ok(heard) => Ok(read(heard.json())),
            Err(error) => not_offered(error).map(|()| false),
        }
    }

    /// A transaction of one of the newest blocks.
    async fn sample(&self, tip: &HeaderLean) -> Result<Option<B256>, SourceError> {
        let mut block = tip.clone();
        for _ in 0..SAMPLE_BLOCKS {
            let hashes = block.transactions.hashes().unwrap_or_default();
            if let Some(hash) = hashes.last() {
                return Ok(Some(*hash));
            }
            let Some(before) = block.number.checked_sub(1) else {
                break;
            };
            block = self.header(before).await?.value.clone();
        }
        Ok(None)
    }
}

/// Passes on what says nothing about what the endpoint offers.
fn not_offered(error: SourceError) -> Result<(), SourceError> {
    match error.class {
        ErrorClass::Unsupported
        | ErrorClass::NotFound
        | ErrorClass::Malformed
        | ErrorClass::TooPopular
        | ErrorClass::Truncated
        | ErrorClass::NotRecorded => Ok(()),
        ErrorClass::Unreachable | ErrorClass::RateLimited | ErrorClass::Inconsistent => Err(error),
    }
}

impl Abilities {
    /// Names and states, for a person.
    pub(crate) fn lines(&self) -> Vec<(String, String)> {
        let yes_no = |able: bool| if able { "yes" } else { "no" };
        let tracing = match self.tracing {
            Tracing::CallTracer => "yes, by debug_traceTransaction (callTracer)",
            Tracing::Flat => "yes, by trace_transaction",
            Tracing::None => "no",
            Tracing::Untried => "not tried: the newest blocks hold no transaction",
        };
        let logs = match self.logs {
            LogRange::Tried(blocks) => format!("{blocks} blocks, as many as were tried"),
            LogRange::Limited(blocks) => format!("at most {blocks} blocks"),
            LogRange::Narrower => format!("fewer than {LOG_BLOCKS} blocks"),
            LogRange::None => "no".to_owned(),
        };
        let lines = [
            ("state of old blocks", yes_no(self.archive)),
            ("all receipts of a block", yes_no(self.block_receipts)),
            ("traces of calls", tracing),
            ("an account's calls (trace_filter)", yes_no(self.filter)),
            ("Otterscan's interface", yes_no(self.otterscan)),
            (
                "an index of transfers for hints (alchemy_getAssetTransfers)",
                yes_no(self.transfers),
            ),
            ("logs at once", &logs),
        ];
        lines
            .map(|(name, state)| (name.to_owned(), state.to_owned()))
            .to_vec()
    }
}
