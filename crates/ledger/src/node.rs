//! The id of a pool of value.

use std::fmt;

use alloy_primitives::Address;
use bitcoin::{OutPoint, Txid};

use crate::Chain;

/// Names a pool of value in reports and exports: `CHAIN:tx:TXID`, `CHAIN:output:TXID:VOUT`,
/// `CHAIN:account:ADDRESS`, `CHAIN:fees`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NodeId(String);

impl NodeId {
    /// A Bitcoin transaction: the pool that mixes its inputs.
    pub fn transaction(chain: &Chain, txid: &Txid) -> Self {
        Self(format!("{chain}:tx:{txid}"))
    }

    /// An output that nobody is known to have spent.
    pub fn output(chain: &Chain, outpoint: &OutPoint) -> Self {
        Self(format!(
            "{chain}:output:{}:{}",
            outpoint.txid, outpoint.vout
        ))
    }

    /// An account of an EVM chain, its address with the EIP-55 checksum.
    pub fn account(chain: &Chain, address: &Address) -> Self {
        Self(format!("{chain}:account:{address}"))
    }

    /// Whoever paid value of which only the arrival is known.
    pub fn unknown(chain: &Chain) -> Self {
        Self(format!("{chain}:unknown"))
    }

    /// Where a chain's transaction fees go; they are counted, not followed to the miner.
    pub fn fees(chain: &Chain) -> Self {
        Self(format!("{chain}:fees"))
    }

    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for NodeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl From<NodeId> for String {
    fn from(id: NodeId) -> Self {
        id.0
    }
}
