//! What an endpoint can do, found out by trying, once.

use alloy_primitives::{Address, B256};
use hansel_ledger::{ErrorClass, SourceError};
use serde_json::{Value, json};

use crate::decode::{self, HeaderLean};
use crate::source::reader::{Reader, hex};

/// Newest blocks that are looked through for a transaction to try traces on.
const SAMPLE_BLOCKS: u64 = 16;

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
        let (archive, block_receipts, filter, otterscan, transfers, tracing) = futures::try_join!(
            self.offers("eth_getBalance", &state, Value::is_string),
            self.offers("eth_getBlockReceipts", &receipts, Value::is_array),
            self.offers("trace_filter", &range, Value::is_array),
            self.offers("ots_getApiLevel", &levels, |level| level.as_u64()
                >= Some(8)),
            self.offers("alchemy_getAssetTransfers", &newest, |told| {
                told["transfers"].is_array()
            }),
            self.tracing(&tip),
        )?;
        Ok(Abilities {
            archive,
            block_receipts,
            tracing,
            filter,
            otterscan,
            transfers,
        })
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
        ];
        lines
            .map(|(name, state)| (name.to_owned(), state.to_owned()))
            .to_vec()
    }
}
