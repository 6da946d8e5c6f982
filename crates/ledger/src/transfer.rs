//! Value that moved.

use std::fmt;

use alloy_primitives::B256;
use bitcoin::{OutPoint, Txid};

use crate::{Amount, Asset, Chain, NodeId, Origin};

/// The order of execution: block, transaction within it, step within the transaction.
///
/// Bitcoin sources do not tell a transaction's index in its block without a further request each, so there
/// the middle number is the transaction's depth among its parents in the same block, which every source
/// agrees on (see `docs/adr/0003-bitcoin-positions.md`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Position {
    /// Block height; `u64::MAX` where the block is not known, so that such transfers come last.
    pub block: u64,
    /// Order of the transaction in the block.
    pub transaction: u32,
    /// Order of the transfer in the transaction: output index, the fee after the last output.
    pub step: u32,
}

/// The id of a transfer, stable across sources: `CHAIN:output:TXID:VOUT` or `CHAIN:fee:TXID`,
/// on EVM chains `CHAIN:call:TXHASH:PATH`, `CHAIN:log:TXHASH:INDEX` or `CHAIN:gas:TXHASH`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TransferId(String);

impl TransferId {
    /// The flow from a Bitcoin transaction into one of its outputs.
    pub fn output(chain: &Chain, outpoint: &OutPoint) -> Self {
        Self(format!(
            "{chain}:output:{}:{}",
            outpoint.txid, outpoint.vout
        ))
    }

    /// A Bitcoin transaction's fee.
    pub fn fee(chain: &Chain, txid: &Txid) -> Self {
        Self(format!("{chain}:fee:{txid}"))
    }

    /// A movement of an EVM transaction.
    pub fn movement(chain: &Chain, hash: &B256, origin: &Origin) -> Self {
        Self(match origin {
            Origin::Call(_) => format!("{chain}:call:{hash}:{origin}"),
            Origin::Log(_) => format!("{chain}:log:{hash}:{origin}"),
            Origin::Withdrawal(_) => format!("{chain}:withdrawal:{origin}"),
            Origin::Unexplained => format!("{chain}:unexplained:{hash}"),
            Origin::Tips(_) => format!("{chain}:tips:{origin}"),
        })
    }

    /// What an EVM transaction's sender paid for gas.
    pub fn gas(chain: &Chain, hash: &B256) -> Self {
        Self(format!("{chain}:gas:{hash}"))
    }

    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for TransferId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl From<TransferId> for String {
    fn from(id: TransferId) -> Self {
        id.0
    }
}

/// Value that moved from one pool to another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Transfer {
    /// Stable id.
    pub id: TransferId,
    /// The pool it left.
    pub from: NodeId,
    /// The pool it entered.
    pub to: NodeId,
    /// What moved.
    pub asset: Asset,
    /// How much, in base units.
    pub amount: Amount,
    /// When, in the order of execution.
    pub position: Position,
}
