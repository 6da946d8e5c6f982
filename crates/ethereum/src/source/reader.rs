//! What statements read of a chain, each block and receipt once.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use alloy_primitives::B256;
use hansel_ledger::{Chain, ErrorClass, Evidence, EvmNetwork, SourceError};
use hansel_wire::{Request, Wire};
use serde_json::{Value, json};
use tokio::sync::OnceCell;

use super::index::Index;
use super::notes::Notes;
use super::shelf::Shelf;
use super::state::probes_of;
use crate::decode::{self, HeaderLean, ReceiptLean, Transactions, TxLean};
use crate::history::{Probes, Reach};
use crate::probe::{Abilities, Tracing};
use crate::rpc::{Ask, Heard};

/// Headers that are kept, with the hashes of their transactions.
const HEADERS: usize = 2_048;
/// Blocks that are kept with all their transactions; large chains fill a megabyte with each.
const BODIES: usize = 32;
/// Blocks of which all receipts are kept.
const RECEIPTS: usize = 32;

/// Something read, with the answer it was read from.
pub(crate) struct Read<T> {
    pub(crate) value: T,
    pub(crate) evidence: Evidence,
}

/// What is known of how much an endpoint answers at once.
#[derive(Default)]
pub(crate) struct Learned(Mutex<Reach>);

impl Learned {
    pub(crate) fn known(&self) -> Reach {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Keeps what a walk found out: the narrowest limits, the width found last.
    pub(crate) fn learn(&self, learned: Reach) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.limit = known.limit.into_iter().chain(learned.limit).min();
        known.cap = known.cap.into_iter().chain(learned.cap).min();
        known.wide = learned.wide.or(known.wide);
    }
}

/// An endpoint of an EVM chain, and what was read of it lately.
pub(crate) struct Reader {
    chain: Chain,
    network: EvmNetwork,
    pub(crate) ask: Ask,
    /// Indexes that give hints.
    pub(crate) indexes: Vec<Index>,
    recognised: OnceCell<()>,
    /// One more than the newest block that the endpoint is known to have; 0 where none is known.
    reach: AtomicU64,
    pub(crate) abilities: OnceCell<Abilities>,
    /// How it traces, where the abilities do not say.
    pub(crate) tracing: OnceCell<Tracing>,
    /// How many blocks and logs it answers for at once.
    pub(crate) log_reach: Learned,
    /// How many blocks of calls it searches at once.
    pub(crate) trace_reach: Learned,
    /// What all searches ask of nonces and balances, in batches.
    pub(crate) probes: Probes<SourceError>,
    headers: Shelf<u64, Arc<Read<HeaderLean>>>,
    bodies: Shelf<u64, Arc<Read<HeaderLean>>>,
    receipts: Shelf<u64, Arc<Read<Vec<ReceiptLean>>>>,
}

impl Reader {
    /// Reads `chain`, which is an EVM chain described by `network`.
    pub(crate) fn new(chain: Chain, network: EvmNetwork, wire: Arc<dyn Wire>) -> Self {
        let ask = Ask::new(wire);
        Self {
            chain,
            network,
            indexes: Vec::new(),
            probes: probes_of(&ask),
            ask,
            recognised: OnceCell::new(),
            reach: AtomicU64::new(0),
            abilities: OnceCell::new(),
            tracing: OnceCell::new(),
            log_reach: Learned::default(),
            trace_reach: Learned::default(),
            headers: Shelf::new(HEADERS),
            bodies: Shelf::new(BODIES),
            receipts: Shelf::new(RECEIPTS),
        }
    }

    pub(crate) fn chain(&self) -> &Chain {
        &self.chain
    }

    pub(crate) fn network(&self) -> &EvmNetwork {
        &self.network
    }

    /// Makes sure, once, that the endpoint serves the chain.
    pub(crate) async fn recognise(&self) -> Result<(), SourceError> {
        let recognise = async || {
            let heard = self.ask.call("eth_chainId", &json!([])).await?;
            let told = number(heard.json()).ok_or_else(|| self.not_a_number(&heard))?;
            if told == self.network.chain_id {
                return Ok(());
            }
            let (chain, id) = (&self.chain, self.network.chain_id);
            let detail = format!("the endpoint serves the chain of id {told}, {chain} has {id}");
            Err(self.ask.inconsistent(&heard, detail))
        };
        self.recognised.get_or_try_init(recognise).await.copied()
    }

    /// The number of the newest block, asked anew each time.
    pub(crate) async fn newest(&self) -> Result<HeaderLean, SourceError> {
        let heard = self.block_by(&json!("latest"), false).await?;
        let read = self.ask.read(&heard, decode::block)?;
        let newest =
            read.ok_or_else(|| self.nothing(&heard, "the endpoint has no newest block"))?;
        self.prove_header(&heard, &newest)?;
        let reach = newest.number.saturating_add(1);
        self.reach.fetch_max(reach, Ordering::Relaxed);
        Ok(newest)
    }

    /// The newest block, or `height` where the endpoint is known to have that.
    pub(crate) async fn reach(&self, height: u64) -> Result<u64, SourceError> {
        if self.reach.load(Ordering::Relaxed) > height {
            return Ok(height);
        }
        Ok(self.newest().await?.number)
    }

    /// The block at a height, asked anew. Where it differs from one that was read before, the chain was
    /// reorganised, and all that was read is forgotten.
    pub(crate) async fn fresh_header(&self, height: u64) -> Result<HeaderLean, SourceError> {
        let now = self.fetch_block(height, false).await?;
        let before = self.header(height).await?;
        if before.value.hash != now.value.hash {
            self.headers.clear();
            self.bodies.clear();
            self.receipts.clear();
        }
        Ok(now.value)
    }

    /// The block at a height, with the hashes of its transactions.
    pub(crate) async fn header(&self, height: u64) -> Result<Arc<Read<HeaderLean>>, SourceError> {
        let fetch = async { self.fetch_block(height, false).await.map(Arc::new) };
        self.headers.get(height, fetch).await
    }

    /// The block at a height, with its transactions in full.
    pub(crate) async fn body(&self, height: u64) -> Result<Arc<Read<HeaderLean>>, SourceError> {
        let fetch = async { self.fetch_block(height, true).await.map(Arc::new) };
        self.bodies.get(height, fetch).await
    }

    async fn fetch_block(&self, height: u64, full: bool) -> Result<Read<HeaderLean>, SourceError> {
        let heard = self.block_by(&hex(height), full).await?;
        let block = self.ask.read(&heard, decode::block)?;
        let block = block.ok_or_else(|| self.nothing(&heard, "the endpoint has no such block"))?;
        let told_all = match &block.transactions {
            Transactions::Full(all) => full || all.is_empty(),
            Transactions::Hashes(all) => !full || all.is_empty(),
            Transactions::Absent => false,
        };
        if block.number != height || !told_all {
            let detail = format!("the answer is block {} or lacks its list", block.number);
            return Err(self.ask.inconsistent(&heard, detail));
        }
        self.prove_header(&heard, &block)?;
        Ok(Read {
            value: block,
            evidence: heard.evidence,
        })
    }

    async fn block_by(&self, which: &Value, full: bool) -> Result<Heard, SourceError> {
        let params = json!([which, full]);
        self.ask.call("eth_getBlockByNumber", &params).await
    }

    /// All receipts of a block, in its order.
    pub(crate) async fn receipts(
        &self,
        block: &HeaderLean,
    ) -> Result<Arc<Read<Vec<ReceiptLean>>>, SourceError> {
        let fetch = async { self.fetch_receipts(block).await.map(Arc::new) };
        self.receipts.get(block.number, fetch).await
    }

    async fn fetch_receipts(
        &self,
        block: &HeaderLean,
    ) -> Result<Read<Vec<ReceiptLean>>, SourceError> {
        let params = json!([hex(block.number)]);
        let heard = self.ask.call("eth_getBlockReceipts", &params).await?;
        let receipts = self.ask.read(&heard, decode::receipts)?;
        let receipts =
            receipts.ok_or_else(|| self.nothing(&heard, "the endpoint has no such receipts"))?;
        self.prove_receipts(&heard, block, &receipts)?;
        Ok(Read {
            value: receipts,
            evidence: heard.evidence,
        })
    }

    /// The transaction and its receipt; `None` where the endpoint knows of none in a block.
    pub(crate) async fn transaction(
        &self,
        hash: B256,
        notes: &Notes,
    ) -> Result<Option<TxLean>, SourceError> {
        let heard = self
            .ask
            .call("eth_getTransactionByHash", &json!([hash]))
            .await?;
        let tx = self.ask.read(&heard, decode::transaction_by_hash)?;
        if tx.as_ref().is_some_and(|tx| tx.hash != hash) {
            let detail = "the answer is another transaction";
            return Err(self.ask.inconsistent(&heard, detail));
        }
        notes.keep(&heard.evidence);
        Ok(tx)
    }

    /// The receipt of one transaction.
    pub(crate) async fn receipt(
        &self,
        hash: B256,
        notes: &Notes,
    ) -> Result<ReceiptLean, SourceError> {
        let heard = self
            .ask
            .call("eth_getTransactionReceipt", &json!([hash]))
            .await?;
        let receipt = self.ask.read(&heard, decode::receipt)?;
        let receipt =
            receipt.ok_or_else(|| self.nothing(&heard, "the endpoint has no such receipt"))?;
        notes.keep(&heard.evidence);
        Ok(receipt)
    }

    /// Says that the endpoint does not have what it should have.
    pub(crate) fn nothing(&self, heard: &Heard, detail: &str) -> SourceError {
        let SourceError { request, .. } = self.ask.inconsistent(heard, detail);
        SourceError {
            class: ErrorClass::NotFound,
            endpoint: heard.evidence.endpoint.clone(),
            request,
            detail: detail.to_owned(),
        }
    }

    pub(crate) fn not_a_number(&self, heard: &Heard) -> SourceError {
        self.ask.malformed(heard, "the result is not a number")
    }

    /// Says that a question cannot be answered as it is.
    pub(crate) fn refusal(
        &self,
        class: ErrorClass,
        method: &str,
        params: &Value,
        detail: &str,
    ) -> SourceError {
        self.ask
            .failure(class, &Request::call(method, params), detail)
    }
}

/// A height as JSON-RPC spells it.
pub(crate) fn hex(height: u64) -> Value {
    json!(format!("0x{height:x}"))
}

/// A number as JSON-RPC spells it.
pub(crate) fn number(json: &[u8]) -> Option<u64> {
    let text: String = serde_json::from_slice(json).ok()?;
    let digits = text.strip_prefix("0x")?;
    let plain = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    plain.then(|| u64::from_str_radix(digits, 16).ok())?
}
