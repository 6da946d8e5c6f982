//! Transactions fetched from a server, believed, and kept for a while.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, PoisonError};

use bitcoin::hex::FromHex;
use bitcoin::{Transaction, Txid};
use futures::{Stream, StreamExt, stream};
use hansel_ledger::{ErrorClass, Evidence, SourceError};
use serde_json::json;

use super::ElectrumSource;
use crate::believe;
use crate::conversation::Conversation;

const METHOD: &str = "blockchain.transaction.get";
/// Bytes of raw answers kept; the oldest go first.
const BYTES_KEPT: usize = 64 << 20;
/// Transactions asked for at the same time.
const AT_ONCE: usize = 8;

/// A transaction and the answer it was read from.
pub(super) type Found = Arc<(Transaction, Evidence)>;

/// Recently fetched transactions, each with the answer it was read from.
#[derive(Default)]
pub(super) struct Fetched {
    transactions: HashMap<Txid, Found>,
    order: VecDeque<Txid>,
    bytes: usize,
}

impl Fetched {
    fn keep(&mut self, txid: Txid, fetched: Found) {
        let size = fetched.1.body.len();
        if self.transactions.insert(txid, fetched).is_none() {
            self.order.push_back(txid);
            self.bytes += size;
        }
        while self.bytes > BYTES_KEPT {
            let Some(oldest) = self.order.pop_front() else {
                break;
            };
            if let Some(gone) = self.transactions.remove(&oldest) {
                self.bytes -= gone.1.body.len();
            }
        }
    }
}

impl ElectrumSource {
    /// A transaction's bytes, believed; its answer joins the conversation even where it was kept.
    pub(super) async fn fetch(
        &self,
        talk: &Conversation<'_>,
        txid: &Txid,
    ) -> Result<Found, SourceError> {
        if let Some(kept) = self.kept(txid) {
            talk.keep(kept.1.clone());
            return Ok(kept);
        }
        let params = json!([txid, false]);
        let (hex, evidence): (String, _) = talk.call_with_evidence(METHOD, params.clone()).await?;
        let bytes = Vec::from_hex(&hex)
            .map_err(|error| talk.failure(ErrorClass::Malformed, METHOD, &params, error))?;
        let transaction =
            believe(txid, &bytes).map_err(|error| talk.disbelief(METHOD, &params, &error))?;
        let fetched = Arc::new((transaction, evidence));
        let mut kept = self.fetched.lock().unwrap_or_else(PoisonError::into_inner);
        kept.keep(*txid, Arc::clone(&fetched));
        Ok(fetched)
    }

    fn kept(&self, txid: &Txid) -> Option<Found> {
        let kept = self.fetched.lock().unwrap_or_else(PoisonError::into_inner);
        kept.transactions.get(txid).map(Arc::clone)
    }

    /// Fetches several at once and yields them in the order asked, joining the evidence in that order.
    pub(super) fn fetch_all<'a, K: Send + 'a>(
        &'a self,
        talk: &'a Conversation<'_>,
        asked: impl IntoIterator<Item = (Txid, K), IntoIter: Send + 'a>,
    ) -> impl Stream<Item = (Txid, K, Result<Found, SourceError>)> + Send + 'a {
        let fetch = move |(txid, key)| async move {
            let part = talk.fork();
            let outcome = self.fetch(&part, &txid).await;
            (txid, key, outcome, part)
        };
        let fetched = stream::iter(asked).map(fetch).buffered(AT_ONCE);
        fetched.map(move |(txid, key, outcome, part)| {
            talk.join(part);
            (txid, key, outcome)
        })
    }
}
