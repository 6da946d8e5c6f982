//! The parts of Esplora's JSON that are read; everything else in it is ignored.
//!
//! Source: `API.md` and `src/rest.rs` of Blockstream's electrs, and the fork of mempool.space.

use bitcoin::{BlockHash, ScriptBuf, Sequence, TxMerkleNode, Txid, Witness};
use serde::Deserialize;

/// `/tx/:txid`, and a row of a history.
#[derive(Deserialize)]
pub(super) struct Transaction {
    /// Signed in the protocol; the servers print negative versions as unsigned numbers.
    pub(super) version: i64,
    pub(super) locktime: u32,
    pub(super) vin: Vec<Input>,
    pub(super) vout: Vec<Output>,
    pub(super) status: Option<Status>,
}

#[derive(Deserialize)]
pub(super) struct Input {
    pub(super) txid: Txid,
    pub(super) vout: u32,
    /// The output it spends; `null` for a coinbase, and where the server does not know it.
    pub(super) prevout: Option<Output>,
    #[serde(default)]
    pub(super) scriptsig: ScriptBuf,
    #[serde(default)]
    pub(super) witness: Witness,
    pub(super) sequence: Sequence,
}

#[derive(Deserialize)]
pub(super) struct Output {
    pub(super) scriptpubkey: ScriptBuf,
    /// In satoshi.
    pub(super) value: u64,
}

/// A transaction's place in the chain. No chain reaches heights above 32 bits, and headers hold 32 bits of time.
#[derive(Deserialize)]
pub(super) struct Status {
    #[serde(default)]
    pub(super) confirmed: bool,
    pub(super) block_height: Option<u32>,
    pub(super) block_hash: Option<BlockHash>,
    /// Seconds since 1970.
    pub(super) block_time: Option<u32>,
}

/// One row of `/tx/:txid/outspends`; the rows are in the order of the outputs.
#[derive(Deserialize)]
pub(super) struct Outspend {
    pub(super) spent: bool,
    pub(super) txid: Option<Txid>,
    pub(super) status: Option<Status>,
}

/// `/scripthash/:hash`.
#[derive(Deserialize)]
pub(super) struct Totals {
    pub(super) chain_stats: ChainTotals,
}

/// What the chain holds of a script, without the mempool.
#[derive(Deserialize)]
pub(super) struct ChainTotals {
    pub(super) tx_count: usize,
}

/// `/block/:hash`; everything but the last three is there to recompute the hash.
#[derive(Deserialize)]
pub(super) struct Block {
    pub(super) id: BlockHash,
    pub(super) height: u32,
    /// Seconds since 1970.
    pub(super) timestamp: u32,
    pub(super) version: Option<i64>,
    /// `null` for the genesis block.
    pub(super) previousblockhash: Option<BlockHash>,
    pub(super) merkle_root: Option<TxMerkleNode>,
    pub(super) bits: Option<u32>,
    pub(super) nonce: Option<u32>,
}

/// Reads a version that may have been printed as an unsigned number.
pub(super) fn signed(version: i64) -> Option<i32> {
    let wrapped = || u32::try_from(version).ok().map(u32::cast_signed);
    i32::try_from(version).ok().or_else(wrapped)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_read_signed_and_unsigned() {
        assert_eq!(signed(2), Some(2));
        assert_eq!(signed(-1), Some(-1));
        assert_eq!(signed(4_294_967_295), Some(-1));
        assert_eq!(signed(2_147_483_648), Some(i32::MIN));
        assert_eq!(signed(4_294_967_296), None);
        assert_eq!(signed(i64::MIN), None);
    }
}
