//! Where in a chain something stands.

use bitcoin::BlockHash;
use serde::{Deserialize, Serialize};

use crate::UnixTime;

/// A block named by height and hash, with the time its header claims.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct BlockRef {
    /// Distance from the genesis block.
    pub height: u64,
    /// Hash of the header.
    pub hash: BlockHash,
    /// The header's own time; miners may be hours off.
    pub time: UnixTime,
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
