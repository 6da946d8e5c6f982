//! A transaction in full: itself, its receipt, its block and, where the endpoint traces, its calls.

use std::sync::Arc;

use alloy_primitives::B256;
use hansel_ledger::{ErrorClass, EvmTransaction, SourceError};
use hansel_wire::Request;
use serde_json::json;

use super::notes::Notes;
use super::reader::{Read, Reader};
use crate::decode::{self, Calls, HeaderLean, ReceiptLean, TxLean};
use crate::probe::Tracing;

impl Reader {
    /// The transaction with every movement that can be told.
    pub(crate) async fn in_full(
        &self,
        hash: B256,
        notes: &Notes,
    ) -> Result<EvmTransaction, SourceError> {
        let tx = self.transaction(hash, notes).await?;
        let absent =
            |class, detail| self.refusal(class, "eth_getTransactionByHash", &json!([hash]), detail);
        let tx = tx.ok_or_else(|| {
            absent(
                ErrorClass::NotFound,
                "the endpoint knows of no such transaction",
            )
        })?;
        let height = tx
            .block_number
            .filter(|_| tx.block_hash.is_some())
            .ok_or_else(|| {
                absent(
                    ErrorClass::Unsupported,
                    "the transaction is not in a block yet",
                )
            })?;
        let block = self.header(height).await?;
        self.tell(&tx, &block, notes).await
    }

    /// The transaction of a block that was read, with every movement that can be told.
    pub(crate) async fn tell(
        &self,
        tx: &TxLean,
        block: &Arc<Read<HeaderLean>>,
        notes: &Notes,
    ) -> Result<EvmTransaction, SourceError> {
        let request = Request::call("eth_getTransactionByHash", &json!([tx.hash]));
        let (receipt, calls) = futures::try_join!(
            self.receipt_in(tx, &block.value, notes),
            self.calls(tx.hash, notes)
        )?;
        let listed = block.value.transactions.hashes().unwrap_or_default();
        let index = usize::try_from(receipt.transaction_index).ok();
        if index.and_then(|index| listed.get(index)) != Some(&tx.hash) {
            let detail = "the block does not list the transaction where its receipt says";
            return Err(self.ask.failure(ErrorClass::Inconsistent, &request, detail));
        }
        notes.keep(&block.evidence);
        let told = decode::transaction(self.network(), &block.value, tx, &receipt, calls.as_ref());
        told.map_err(|error| self.ask.undecodable(&request, &error))
    }

    /// The receipt; with all others of the block where the endpoint gives them at once, as those can be checked.
    async fn receipt_in(
        &self,
        tx: &TxLean,
        block: &HeaderLean,
        notes: &Notes,
    ) -> Result<ReceiptLean, SourceError> {
        if !self.abilities().await?.block_receipts {
            return self.receipt(tx.hash, notes).await;
        }
        let receipts = self.receipts(block).await?;
        notes.keep(&receipts.evidence);
        let mut all = receipts.value.iter();
        let found = all.find(|receipt| receipt.transaction_hash == tx.hash);
        found.cloned().ok_or_else(|| {
            let params = json!([super::reader::hex(block.number)]);
            let detail = "the block has no receipt of the transaction";
            self.refusal(
                ErrorClass::Inconsistent,
                "eth_getBlockReceipts",
                &params,
                detail,
            )
        })
    }

    /// The calls of a transaction; `None` where the endpoint does not trace it.
    async fn calls(&self, hash: B256, notes: &Notes) -> Result<Option<Calls>, SourceError> {
        let (method, params) = match self.tracing_of(hash).await? {
            Tracing::CallTracer => (
                "debug_traceTransaction",
                json!([hash, { "tracer": "callTracer" }]),
            ),
            Tracing::Flat => ("trace_transaction", json!([hash])),
            Tracing::None | Tracing::Untried => return Ok(None),
        };
        let heard = match self.ask.call(method, &params).await {
            Ok(heard) => heard,
            // Such as for want of state to run the transaction on.
            Err(error) if error.class == ErrorClass::Unsupported => return Ok(None),
            Err(error) => return Err(error),
        };
        let calls = self.ask.read(&heard, |json| match method {
            "trace_transaction" => decode::flat_traces(json)?
                .filter(|traces| !traces.is_empty())
                .map(|traces| decode::calls_of_flat_traces(&traces))
                .transpose(),
            _ => decode::call_trace(json),
        })?;
        notes.keep(&heard.evidence);
        Ok(calls)
    }
}
