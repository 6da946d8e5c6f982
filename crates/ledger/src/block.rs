//! Where in a chain something stands.

use alloy_primitives::B256;
use bitcoin::BlockHash;
use bitcoin::hashes::Hash as _;
use serde::{Deserialize, Serialize};

use crate::UnixTime;

/// A block named by height and hash, with the time its header claims.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct BlockRef {
    /// Distance from the genesis block.
    pub height: u64,
    /// Hash of the header, printed as the chain's own tools print it but for a `0x`.
    pub hash: BlockHash,
    /// The header's own time; miners may be hours off.
    pub time: UnixTime,
}

impl BlockRef {
    /// Names a block of an EVM chain.
    pub fn evm(height: u64, hash: B256, time: UnixTime) -> Self {
        let mut bytes = hash.0;
        // Bitcoin hashes are printed backwards.
        bytes.reverse();
        Self {
            height,
            hash: BlockHash::from_byte_array(bytes),
            time,
        }
    }

    /// The hash as EVM chains spell it.
    pub fn evm_hash(&self) -> B256 {
        let mut bytes = self.hash.to_byte_array();
        bytes.reverse();
        B256::from(bytes)
    }
}

/// What a source knows of a transaction's place in the chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "state", content = "block")]
pub enum Placement {
    /// In this block.
    Confirmed(BlockRef),
    /// In the mempool: an early warning, not a fact of the chain.
    Unconfirmed,
    /// The source holds the transaction but cannot say in which block it is.
    Unknown,
}

impl Placement {
    /// The block, where it is known.
    pub fn block(&self) -> Option<&BlockRef> {
        match self {
            Self::Confirmed(block) => Some(block),
            Self::Unconfirmed | Self::Unknown => None,
        }
    }

    /// The block's height, where it is known.
    pub fn height(&self) -> Option<u64> {
        self.block().map(|block| block.height)
    }
}
