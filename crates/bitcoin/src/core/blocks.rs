//! Headers and blocks of the best chain, checked against the hash they were asked by.

use std::sync::PoisonError;

use bitcoin::consensus::encode::deserialize;
use bitcoin::hex::FromHex;
use bitcoin::{Block, BlockHash};
use hansel_ledger::{BlockRef, ErrorClass, SourceError, UnixTime};
use serde_json::json;

use super::CoreSource;
use super::answers::Header;
use crate::conversation::Conversation;

/// Headers kept; above that all are forgotten, which costs a request each.
const HEADERS_KEPT: usize = 100_000;

impl CoreSource {
    /// The hash of the best chain's block at a height.
    pub(super) async fn hash_at(
        &self,
        talk: &Conversation<'_>,
        height: u64,
    ) -> Result<BlockHash, SourceError> {
        talk.call("getblockhash", json!([height])).await
    }

    /// A block's header as it stands now: whether it is part of the best chain may change.
    pub(super) async fn header(
        &self,
        talk: &Conversation<'_>,
        hash: &BlockHash,
    ) -> Result<Header, SourceError> {
        let params = json!([hash, true]);
        let header: Header = talk.call("getblockheader", params.clone()).await?;
        if header.hash == *hash {
            return Ok(header);
        }
        let detail = format!("the node sent the header of {}", header.hash);
        Err(talk.failure(ErrorClass::Inconsistent, "getblockheader", &params, detail))
    }

    /// Height and time of a block, which never change; the caller knows that it is part of the best chain.
    pub(super) async fn block_ref(
        &self,
        talk: &Conversation<'_>,
        hash: &BlockHash,
    ) -> Result<BlockRef, SourceError> {
        if let Some(block) = self.remembered_block(talk, hash) {
            return Ok(block);
        }
        let alone = talk.fork();
        let header = self.header(&alone, hash).await?;
        let block = BlockRef {
            height: header.height,
            hash: header.hash,
            time: UnixTime(header.time.into()),
        };
        for evidence in alone.evidence() {
            self.remember_block(block, evidence.clone());
            talk.keep(evidence);
        }
        Ok(block)
    }

    fn remembered_block(&self, talk: &Conversation<'_>, hash: &BlockHash) -> Option<BlockRef> {
        let headers = self.headers.lock().unwrap_or_else(PoisonError::into_inner);
        let (block, evidence) = headers.get(hash)?;
        talk.keep(evidence.clone());
        Some(*block)
    }

    fn remember_block(&self, block: BlockRef, evidence: hansel_ledger::Evidence) {
        let mut headers = self.headers.lock().unwrap_or_else(PoisonError::into_inner);
        if headers.len() >= HEADERS_KEPT {
            headers.clear();
        }
        headers.insert(block.hash, (block, evidence));
    }

    /// A whole block, by REST where the node has it; its header hashes to `hash` and its transactions to its
    /// Merkle root.
    pub(super) async fn block(
        &self,
        talk: &Conversation<'_>,
        hash: &BlockHash,
    ) -> Result<Block, SourceError> {
        self.block_and_bytes(talk, hash)
            .await
            .map(|(block, _)| block)
    }

    /// As [`Self::block`], with the bytes that it was read from.
    pub(super) async fn block_and_bytes(
        &self,
        talk: &Conversation<'_>,
        hash: &BlockHash,
    ) -> Result<(Block, Vec<u8>), SourceError> {
        let params = json!([hash, 0]);
        let wrong = |class, detail: String| talk.failure(class, "getblock", &params, detail);
        let bytes = if self.probed().await?.rest {
            talk.get(format!("/rest/block/{hash}.bin")).await?
        } else {
            let hex: String = talk.call("getblock", params.clone()).await?;
            Vec::from_hex(&hex).map_err(|e| wrong(ErrorClass::Malformed, e.to_string()))?
        };
        let block: Block =
            deserialize(&bytes).map_err(|e| wrong(ErrorClass::Malformed, e.to_string()))?;
        if block.block_hash() != *hash {
            let detail = format!("the bytes hash to {}", block.block_hash());
            return Err(wrong(ErrorClass::Inconsistent, detail));
        }
        if !block.check_merkle_root() {
            let detail = "the transactions do not hash to the header's Merkle root".to_owned();
            return Err(wrong(ErrorClass::Inconsistent, detail));
        }
        Ok((block, bytes))
    }
}
