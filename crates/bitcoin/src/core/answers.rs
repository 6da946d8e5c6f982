//! The answers of Bitcoin Core as it words them, read without losing a satoshi.

use std::collections::BTreeMap;

use bitcoin::amount::Denomination;
use bitcoin::{Amount, BlockHash, ScriptBuf, Txid};
use hansel_ledger::Output;
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

/// `getblockchaininfo`.
#[derive(Deserialize)]
pub(super) struct ChainInfo {
    pub(super) chain: String,
    #[serde(deserialize_with = "height")]
    pub(super) blocks: u64,
    pub(super) bestblockhash: BlockHash,
    #[serde(default)]
    pub(super) pruned: bool,
}

/// `getindexinfo`, by the index's name.
pub(super) type IndexInfo = BTreeMap<String, Index>;

/// How far an index has come.
#[derive(Clone, Copy, Deserialize)]
pub(super) struct Index {
    pub(super) synced: bool,
    #[serde(deserialize_with = "height")]
    pub(super) best_block_height: u64,
}

/// `getblockheader`.
#[derive(Deserialize)]
pub(super) struct Header {
    pub(super) hash: BlockHash,
    #[serde(deserialize_with = "height")]
    pub(super) height: u64,
    pub(super) time: u32,
    /// Negative for a block that is not part of the best chain.
    pub(super) confirmations: i64,
}

/// `getrawtransaction` at verbosity 2.
#[derive(Deserialize)]
pub(super) struct RawTransaction {
    pub(super) hex: String,
    pub(super) blockhash: Option<BlockHash>,
    /// Zero or negative for a transaction in a block that is not part of the best chain.
    pub(super) confirmations: Option<i64>,
    pub(super) vin: Vec<Vin>,
}

/// An input of [`RawTransaction`].
#[derive(Deserialize)]
pub(super) struct Vin {
    /// Absent in the mempool, for a coinbase, and where the node lacks the block's undo data.
    pub(super) prevout: Option<Coin>,
}

/// An output as `getrawtransaction` and `gettxout` describe it.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Coin {
    /// Kept as text: a decimal fraction of bitcoin does not survive a float.
    value: Box<RawValue>,
    script_pub_key: Script,
}

#[derive(Deserialize)]
struct Script {
    hex: ScriptBuf,
}

impl Coin {
    /// The output in the ledger's form.
    pub(super) fn output(&self) -> Result<Output, bitcoin::amount::ParseAmountError> {
        Ok(Output {
            value: Amount::from_str_in(self.value.get(), Denomination::Bitcoin)?,
            script: self.script_pub_key.hex.clone(),
        })
    }
}

/// `gettxout`: a [`Coin`] and where it is, in one object.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct UnspentCoin {
    pub(super) bestblock: BlockHash,
    /// Zero for an output of a transaction in the mempool.
    pub(super) confirmations: u64,
    value: Box<RawValue>,
    script_pub_key: Script,
}

impl UnspentCoin {
    /// The coin alone. (`serde(flatten)` cannot keep raw text.)
    pub(super) fn coin(self) -> Coin {
        Coin {
            value: self.value,
            script_pub_key: self.script_pub_key,
        }
    }
}

/// An entry of `gettxspendingprevout`.
#[derive(Deserialize)]
pub(super) struct SpendingPrevout {
    pub(super) txid: Txid,
    pub(super) vout: u32,
    pub(super) spendingtxid: Option<Txid>,
    /// Absent for a spend in the mempool.
    pub(super) blockhash: Option<BlockHash>,
}

/// `waitforblockheight`.
#[derive(Deserialize)]
pub(super) struct Reached {
    #[serde(deserialize_with = "height")]
    pub(super) height: u64,
}

/// `getblock` at verbosity 1.
#[derive(Deserialize)]
pub(super) struct BlockContents {
    #[serde(deserialize_with = "height")]
    pub(super) height: u64,
    pub(super) tx: Vec<Txid>,
    /// Absent for the genesis block.
    pub(super) previousblockhash: Option<BlockHash>,
}

/// `scanblocks start`.
#[derive(Deserialize)]
pub(super) struct RelevantBlocks {
    pub(super) relevant_blocks: Vec<BlockHash>,
    pub(super) completed: bool,
}

/// Reads a height; no chain reaches one above 32 bits.
fn height<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
    u32::deserialize(deserializer).map(u64::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn coin(value: &str) -> Coin {
        let text = format!(r#"{{"value":{value},"scriptPubKey":{{"hex":"51"}}}}"#);
        serde_json::from_str(&text).unwrap()
    }

    #[test]
    fn amounts_that_a_float_would_round_are_read_exactly() {
        let supply = coin("20999999.97690001").output().unwrap();
        assert_eq!(supply.value.to_sat(), 2_099_999_997_690_001);
        assert_eq!(coin("0.00000001").output().unwrap().value.to_sat(), 1);
        for hostile in [
            "-0.00000001",
            "0.000000001",
            "184467440737.1",
            "1e400",
            "\"1\"",
        ] {
            assert!(coin(hostile).output().is_err(), "{hostile}");
        }
    }
}
