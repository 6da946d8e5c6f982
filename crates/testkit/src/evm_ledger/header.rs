//! Headers that are true about everything but the state and the transactions root.

use alloy_consensus::constants::{EMPTY_OMMER_ROOT_HASH, EMPTY_ROOT_HASH};
use alloy_consensus::proofs::calculate_receipt_root;
use alloy_consensus::{Header, Receipt, ReceiptEnvelope};
use alloy_primitives::{B256, Bloom, keccak256};

use super::{Body, EVM_GAS_PRICE, EvmLedger, Made};

/// The header of any block up to the tip.
pub(super) fn header(ledger: &EvmLedger, height: u64) -> Header {
    let body = ledger.blocks.get(&height);
    let roots = body.map(|body| (transactions_root(&body.transactions), body.receipts_root));
    let (transactions_root, receipts_root) = roots.unwrap_or((EMPTY_ROOT_HASH, EMPTY_ROOT_HASH));
    Header {
        parent_hash: parent(ledger, height),
        ommers_hash: EMPTY_OMMER_ROOT_HASH,
        state_root: filler("state", height),
        transactions_root,
        receipts_root,
        logs_bloom: body.map_or(Bloom::ZERO, |body| body.bloom),
        number: height,
        gas_limit: 36_000_000,
        gas_used: body.map_or(0, |body| body.gas_used),
        timestamp: ledger.time(height),
        base_fee_per_gas: Some(EVM_GAS_PRICE),
        withdrawals_root: Some(EMPTY_ROOT_HASH),
        blob_gas_used: Some(0),
        excess_blob_gas: Some(0),
        parent_beacon_block_root: Some(B256::ZERO),
        ..Header::default()
    }
}

/// Below the first block that matters a parent is only a number, or hashing would have to begin at block 0.
fn parent(ledger: &EvmLedger, height: u64) -> B256 {
    match height.checked_sub(1) {
        None => B256::ZERO,
        Some(parent) if height >= ledger.first => ledger.block_hash(parent),
        Some(parent) => filler("block", parent),
    }
}

fn filler(what: &str, height: u64) -> B256 {
    keccak256([what.as_bytes(), &height.to_be_bytes()].concat())
}

/// Not the real one, as given hashes are not those of the transactions' contents.
fn transactions_root(transactions: &[Made]) -> B256 {
    let hashes: Vec<u8> = transactions.iter().flat_map(|made| made.hash.0).collect();
    keccak256(hashes)
}

/// A block's body with what its header says of it.
pub(super) fn body(transactions: Vec<Made>) -> Body {
    let receipts: Vec<_> = transactions.iter().map(receipt).collect();
    let mut bloom = Bloom::ZERO;
    for log in transactions.iter().flat_map(|made| &made.logs) {
        bloom.accrue_log(log);
    }
    Body {
        receipts_root: calculate_receipt_root(&receipts),
        bloom,
        gas_used: transactions.last().map_or(0, |made| made.cumulative_gas),
        transactions,
    }
}

fn receipt(made: &Made) -> ReceiptEnvelope {
    let receipt = Receipt {
        status: made.succeeded.into(),
        cumulative_gas_used: made.cumulative_gas,
        logs: made.logs.clone(),
    };
    ReceiptEnvelope::Eip1559(receipt.with_bloom())
}
