//! Receipts and logs as nodes spell them, with the fields that facts need.

use alloy_primitives::{Address, B256, Bytes, U256};
use serde::Deserialize;

use super::DecodeError;
use super::json::parse;
use super::quantity::{optional, required};

/// A receipt of any type, known or not. Its bloom is not read: whoever needs it computes it from the logs.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ReceiptLean {
    /// The transaction.
    pub transaction_hash: B256,
    /// Its index in the block.
    #[serde(deserialize_with = "required")]
    pub transaction_index: u32,
    /// Its block.
    pub block_hash: B256,
    /// Its block's number.
    #[serde(deserialize_with = "required")]
    pub block_number: u64,
    /// The type of EIP-2718; `None` where an old node does not say.
    #[serde(default, rename = "type", deserialize_with = "optional")]
    pub kind: Option<u64>,
    /// Who signed the transaction.
    #[serde(default)]
    pub from: Option<Address>,
    /// What it called.
    #[serde(default)]
    pub to: Option<Address>,
    /// The contract that it created, or would have created had it not failed.
    #[serde(default)]
    pub contract_address: Option<Address>,
    /// 1 where it succeeded, 0 where it failed; absent before Byzantium.
    #[serde(default, deserialize_with = "optional")]
    pub status: Option<u64>,
    /// The state root after it, before Byzantium.
    #[serde(default)]
    pub root: Option<Bytes>,
    /// Gas used in the block up to and with it.
    #[serde(default, deserialize_with = "optional")]
    pub cumulative_gas_used: Option<u64>,
    /// Gas it used.
    #[serde(deserialize_with = "required")]
    pub gas_used: u64,
    /// What a unit of gas cost; old nodes do not say.
    #[serde(default, deserialize_with = "optional")]
    pub effective_gas_price: Option<U256>,
    /// Blob gas it used (EIP-4844); OP chains put another number here.
    #[serde(default, deserialize_with = "optional")]
    pub blob_gas_used: Option<u64>,
    /// What a unit of blob gas cost.
    #[serde(default, deserialize_with = "optional")]
    pub blob_gas_price: Option<U256>,
    /// What its data cost on the chain below (OP chains).
    #[serde(default, deserialize_with = "optional")]
    pub l1_fee: Option<U256>,
    /// What the operator takes per gas (OP chains since Isthmus).
    #[serde(default, deserialize_with = "optional")]
    pub operator_fee_scalar: Option<U256>,
    /// What the operator takes per transaction (OP chains since Isthmus).
    #[serde(default, deserialize_with = "optional")]
    pub operator_fee_constant: Option<U256>,
    /// Present since Jovian (OP chains), which changed the operator's formula.
    #[serde(default, deserialize_with = "optional")]
    pub da_footprint_gas_scalar: Option<U256>,
    /// The nonce of a deposit from the chain below (OP chains).
    #[serde(default, deserialize_with = "optional")]
    pub deposit_nonce: Option<u64>,
    /// The version of a deposit's receipt (OP chains since Canyon).
    #[serde(default, deserialize_with = "optional")]
    pub deposit_receipt_version: Option<u64>,
    /// What it logged, in order.
    pub logs: Vec<LogLean>,
}

/// A log.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct LogLean {
    /// The contract that wrote it.
    pub address: Address,
    /// What it can be found by; at most four in a receipt that was checked.
    pub topics: Vec<B256>,
    /// The rest.
    pub data: Bytes,
    /// Its index in the block.
    #[serde(deserialize_with = "required")]
    pub log_index: u64,
    /// Its transaction.
    pub transaction_hash: B256,
    /// Its transaction's index in the block.
    #[serde(default, deserialize_with = "optional")]
    pub transaction_index: Option<u32>,
    /// Its block.
    pub block_hash: B256,
    /// Its block's number.
    #[serde(deserialize_with = "required")]
    pub block_number: u64,
    /// True where a reorganisation removed it.
    #[serde(default)]
    pub removed: Option<bool>,
}

/// Reads the result of `eth_getTransactionReceipt`; `None` for null.
pub fn receipt(json: &[u8]) -> Result<Option<ReceiptLean>, DecodeError> {
    parse("receipt", json)
}

/// Reads the result of `eth_getBlockReceipts`; `None` for null.
pub fn receipts(json: &[u8]) -> Result<Option<Vec<ReceiptLean>>, DecodeError> {
    parse("block receipts", json)
}

/// Reads the result of `eth_getLogs`. A null is an error: no node may answer so.
pub fn logs(json: &[u8]) -> Result<Vec<LogLean>, DecodeError> {
    parse("logs", json)
}
