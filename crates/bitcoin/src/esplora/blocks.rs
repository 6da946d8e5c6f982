//! Blocks by hash and height, checked against each other and against the header's hash.

use bitcoin::block::{Header, Version};
use bitcoin::blockdata::constants::genesis_block;
use bitcoin::hashes::Hash;
use bitcoin::{BlockHash, CompactTarget, Network};
use hansel_ledger::{BlockRef, ErrorClass, SourceError, UnixTime};

use super::EsploraSource;
use super::answers::{Block, signed};
use crate::conversation::Conversation;

const NETWORKS: [Network; 5] = [
    Network::Bitcoin,
    Network::Testnet,
    Network::Testnet4,
    Network::Signet,
    Network::Regtest,
];

/// The path of the newest block's hash.
pub(super) const TIP: &str = "/blocks/tip/hash";

/// The path of the hash of the best chain's block at a height.
///
/// mempool.space keeps everything below `/block/` in a cache for 30 days, so whether a block is still part of
/// the best chain is asked here and never there.
pub(super) fn path_of_height(height: u64) -> String {
    format!("/block-height/{height}")
}

impl EsploraSource {
    /// Makes sure, once, that the server does not hold another chain than the one that is meant.
    pub(super) async fn recognise_chain(&self) -> Result<(), SourceError> {
        let recognised = self
            .recognised
            .get_or_try_init(|| self.refuse_other_chain());
        recognised.await.copied()
    }

    /// A first block that no network is known by is a private chain's, and accepted.
    async fn refuse_other_chain(&self) -> Result<(), SourceError> {
        let talk = Conversation::off_the_record(self.wire.as_ref());
        let path = path_of_height(0);
        let first = match self.hash_at(&talk, &path).await {
            // Servers of a part of a chain, and recordings, need not have it.
            Err(error) if matches!(error.class, ErrorClass::NotFound | ErrorClass::NotRecorded) => {
                return Ok(());
            }
            outcome => outcome?,
        };
        let genesis = |network| genesis_block(network).block_hash();
        let other = NETWORKS
            .into_iter()
            .find(|network| genesis(*network) == first);
        match other.filter(|_| self.chain.network().map(genesis) != Some(first)) {
            None => Ok(()),
            Some(other) => {
                let detail = format!("the server holds the {other} chain, not {}", self.chain);
                Err(self.failure(ErrorClass::Inconsistent, &path, detail))
            }
        }
    }

    /// Reads a block hash, which is given as plain text.
    pub(super) async fn hash_at(
        &self,
        talk: &Conversation<'_>,
        path: &str,
    ) -> Result<BlockHash, SourceError> {
        let body = talk.get(path.to_owned()).await?;
        let text = String::from_utf8_lossy(&body);
        text.trim()
            .parse()
            .map_err(|error| self.malformed(path, error))
    }

    pub(super) async fn block(
        &self,
        talk: &Conversation<'_>,
        hash: &BlockHash,
    ) -> Result<BlockRef, SourceError> {
        let path = format!("/block/{hash}");
        let block: Block = self.get(talk, &path).await?;
        let is_other = block.id != *hash || header(&block).is_some_and(|h| h.block_hash() != *hash);
        if is_other {
            let detail = "the answer describes another block";
            return Err(self.failure(ErrorClass::Inconsistent, &path, detail));
        }
        Ok(BlockRef {
            height: block.height.into(),
            hash: block.id,
            time: UnixTime(block.timestamp.into()),
        })
    }
}

/// The header, where the server gives all of it.
fn header(block: &Block) -> Option<Header> {
    let previous = match (block.previousblockhash, block.height) {
        (Some(hash), _) => hash,
        (None, 0) => BlockHash::all_zeros(),
        (None, _) => return None,
    };
    Some(Header {
        version: Version::from_consensus(signed(block.version?)?),
        prev_blockhash: previous,
        merkle_root: block.merkle_root?,
        time: block.timestamp,
        bits: CompactTarget::from_consensus(block.bits?),
        nonce: block.nonce?,
    })
}
