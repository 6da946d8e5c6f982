//! Finds the block of a transaction on a node that has no index of transactions.

use std::sync::PoisonError;

use bitcoin::{BlockHash, Txid};
use hansel_ledger::{ErrorClass, SourceError};
use serde_json::json;

use super::CoreSource;
use super::answers::{BlockContents, ChainInfo, UnspentCoin};
use crate::conversation::Conversation;

/// Blocks searched backwards from the tip, about ten weeks: some minutes on a node of one's own.
const BLOCKS_SEARCHED: u64 = 10_000;
/// Outputs tried in the set of unspent ones, each a request of well under a millisecond.
const OUTPUTS_TRIED: u32 = 16;
/// Places remembered; above that all are forgotten, which costs a search each.
const PLACES_KEPT: usize = 2_000_000;

impl CoreSource {
    /// The height at which a transaction was seen, to be checked by the caller.
    pub(super) fn place_of(&self, txid: &Txid) -> Option<u64> {
        let places = self.places.lock().unwrap_or_else(PoisonError::into_inner);
        places.get(txid).copied()
    }

    /// Remembers where a transaction was seen.
    pub(super) fn remember_place(&self, txid: &Txid, height: Option<u64>) {
        let Some(height) = height else { return };
        let mut places = self.places.lock().unwrap_or_else(PoisonError::into_inner);
        if places.len() >= PLACES_KEPT {
            places.clear();
        }
        places.insert(*txid, height);
    }

    /// The height of a confirmed transaction: from its unspent outputs, else by reading the newest blocks.
    pub(super) async fn locate(
        &self,
        talk: &Conversation<'_>,
        txid: &Txid,
    ) -> Result<u64, SourceError> {
        let quiet = Conversation::off_the_record(self.wire.as_ref());
        let height = match self.height_of_unspent(&quiet, txid).await? {
            Some(height) => height,
            None => self.height_in_newest_blocks(talk, &quiet, txid).await?,
        };
        self.remember_place(txid, Some(height));
        Ok(height)
    }

    async fn height_of_unspent(
        &self,
        talk: &Conversation<'_>,
        txid: &Txid,
    ) -> Result<Option<u64>, SourceError> {
        for vout in 0..OUTPUTS_TRIED {
            let params = json!([txid, vout, false]);
            let unspent: Option<UnspentCoin> = talk.call("gettxout", params).await?;
            let Some(unspent) = unspent else { continue };
            let best = self.block_ref(talk, &unspent.bestblock).await?;
            let above = unspent.confirmations.checked_sub(1);
            return Ok(above.and_then(|above| best.height.checked_sub(above)));
        }
        Ok(None)
    }

    async fn height_in_newest_blocks(
        &self,
        talk: &Conversation<'_>,
        quiet: &Conversation<'_>,
        txid: &Txid,
    ) -> Result<u64, SourceError> {
        let info: ChainInfo = quiet.call("getblockchaininfo", json!([])).await?;
        let mut next: Option<BlockHash> = Some(info.bestblockhash);
        for _ in 0..BLOCKS_SEARCHED {
            let Some(hash) = next else {
                let detail = "in no block of the chain and not in the mempool";
                return Err(not_located(talk, ErrorClass::NotFound, txid, detail));
            };
            let block: BlockContents = quiet.call("getblock", json!([hash, 1])).await?;
            if block.tx.contains(txid) {
                return Ok(block.height);
            }
            next = block.previousblockhash;
        }
        let detail = format!(
            "not in the mempool nor in the newest {BLOCKS_SEARCHED} blocks, and the node has no index of \
             transactions; hint: start it with -txindex=1"
        );
        Err(not_located(talk, ErrorClass::Unsupported, txid, &detail))
    }
}

fn not_located(
    talk: &Conversation<'_>,
    class: ErrorClass,
    txid: &Txid,
    detail: &str,
) -> SourceError {
    talk.failure(class, "getrawtransaction", &json!([txid, 2]), detail)
}
