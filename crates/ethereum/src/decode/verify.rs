//! What can be proved of a node's answers about a block.
//!
//! A header's hash proves its fields, its receipts root proves that the receipts are complete. What only JSON says
//! (gas prices, contract addresses) and calls below the top level are proved by nothing.

use alloy_consensus::Header;
use alloy_primitives::{Address, B256, Bloom, BloomInput};

use super::receipt_root::{RootError, receipts_root};
use super::{HeaderLean, ReceiptLean, Transactions};

/// Says that the parts of a block do not fit together.
#[derive(Clone, Debug, thiserror::Error, PartialEq, Eq)]
pub enum VerifyError {
    /// There are more or fewer receipts than transactions.
    #[error("block {block} has {transactions} transactions and {receipts} receipts")]
    Count {
        /// Which block.
        block: u64,
        /// How many transactions it lists.
        transactions: usize,
        /// How many receipts were sent.
        receipts: usize,
    },
    /// A receipt is not that of the transaction at its place.
    #[error("receipt {at} of block {block} is not that of the transaction there")]
    Misplaced {
        /// Which block.
        block: u64,
        /// Which receipt, in the order of the answer.
        at: usize,
    },
    /// The indices of logs do not run through the block.
    #[error("a log is missing or misplaced in receipt {at} of block {block}")]
    Logs {
        /// Which block.
        block: u64,
        /// Which receipt, in the order of the answer.
        at: usize,
    },
    /// The receipts are not those that the header commits to.
    #[error("the receipts of block {0} do not match the root in its header")]
    ReceiptsRoot(u64),
}

/// How far receipts were checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReceiptsProof {
    /// They are those that the header commits to: none is missing, no log is missing.
    Root,
    /// All but the last are; that one used no gas, as those by which Polygon's bridge reports, which its headers
    /// leave out. On any other chain the last receipt is invented.
    RootButLast,
    /// They are complete by their own indices; no root could be computed or none was sent.
    Indices,
}

/// Checks that `receipts` are all receipts of the block and hold all its logs.
pub fn check_receipts(
    block: &HeaderLean,
    receipts: &[ReceiptLean],
) -> Result<ReceiptsProof, VerifyError> {
    check_count(block, receipts.len())?;
    let mut next_log = 0_u64;
    for (at, receipt) in receipts.iter().enumerate() {
        if !stands_at(block, receipt, at) {
            let block = block.number;
            return Err(VerifyError::Misplaced { block, at });
        }
        next_log = logs_follow(receipt, next_log).ok_or(VerifyError::Logs {
            block: block.number,
            at,
        })?;
    }
    check_root(block, receipts)
}

fn check_count(block: &HeaderLean, receipts: usize) -> Result<(), VerifyError> {
    let transactions = match &block.transactions {
        Transactions::Absent => return Ok(()),
        Transactions::Hashes(hashes) => hashes.len(),
        Transactions::Full(list) => list.len(),
    };
    if transactions == receipts {
        return Ok(());
    }
    Err(VerifyError::Count {
        block: block.number,
        transactions,
        receipts,
    })
}

fn stands_at(block: &HeaderLean, receipt: &ReceiptLean, at: usize) -> bool {
    let hash = match &block.transactions {
        Transactions::Absent => None,
        Transactions::Hashes(hashes) => hashes.get(at).copied(),
        Transactions::Full(list) => list.get(at).map(|tx| tx.hash),
    };
    usize::try_from(receipt.transaction_index) == Ok(at)
        && receipt.block_hash == block.hash
        && receipt.block_number == block.number
        && hash.is_none_or(|hash| hash == receipt.transaction_hash)
}

/// The index of the log after the receipt's last; `None` where its logs do not follow each other from `next` on.
fn logs_follow(receipt: &ReceiptLean, next: u64) -> Option<u64> {
    receipt.logs.iter().try_fold(next, |next, log| {
        let here = log.transaction_hash == receipt.transaction_hash && log.log_index == next;
        here.then(|| next.checked_add(1))?
    })
}

fn check_root(block: &HeaderLean, receipts: &[ReceiptLean]) -> Result<ReceiptsProof, VerifyError> {
    let Some(wanted) = block.receipts_root else {
        return Ok(ReceiptsProof::Indices);
    };
    let matches = |receipts| receipts_root(receipts).map(|root| root == wanted);
    match matches(receipts) {
        Ok(true) => return Ok(ReceiptsProof::Root),
        Ok(false) => {}
        Err(RootError::UnknownType(_) | RootError::Incomplete(_)) => {
            return Ok(ReceiptsProof::Indices);
        }
    }
    match receipts.split_last() {
        Some((last, others)) if last.gas_used == 0 && matches(others) == Ok(true) => {
            Ok(ReceiptsProof::RootButLast)
        }
        _ => Err(VerifyError::ReceiptsRoot(block.number)),
    }
}

/// False where the block certainly holds no log of the address with all these topics, in any place.
///
/// True says nothing. Nodes of some chains send no bloom, or an empty one: then only a header whose hash was proved
/// can rule anything out.
pub fn bloom_may_contain(bloom: &Bloom, address: &Address, topics: &[B256]) -> bool {
    let held = |bytes: &[u8]| bloom.contains_input(BloomInput::Raw(bytes));
    held(address.as_slice()) && topics.iter().all(|topic| held(topic.as_slice()))
}

/// What a header's own hash says of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HeaderProof {
    /// The hash is that of these fields.
    Hash,
    /// A field of Ethereum's headers was not sent.
    Incomplete,
    /// The fields do not give the hash: the chain hashes other fields, or the answer is false.
    Unsupported,
}

/// Computes a header's hash from its fields and compares.
pub fn check_header(block: &HeaderLean) -> HeaderProof {
    match header(block) {
        None => HeaderProof::Incomplete,
        Some(header) if header.hash_slow() == block.hash => HeaderProof::Hash,
        Some(_) => HeaderProof::Unsupported,
    }
}

fn header(block: &HeaderLean) -> Option<Header> {
    Some(Header {
        parent_hash: block.parent_hash,
        ommers_hash: block.sha3_uncles?,
        beneficiary: block.miner?,
        state_root: block.state_root?,
        transactions_root: block.transactions_root?,
        receipts_root: block.receipts_root?,
        logs_bloom: block.logs_bloom?,
        difficulty: block.difficulty?,
        number: block.number,
        gas_limit: block.gas_limit?,
        gas_used: block.gas_used?,
        timestamp: block.timestamp,
        extra_data: block.extra_data.clone()?,
        mix_hash: block.mix_hash?,
        nonce: block.nonce?,
        base_fee_per_gas: block.base_fee_per_gas,
        withdrawals_root: block.withdrawals_root,
        blob_gas_used: block.blob_gas_used,
        excess_blob_gas: block.excess_blob_gas,
        parent_beacon_block_root: block.parent_beacon_block_root,
        requests_hash: block.requests_hash,
        block_access_list_hash: block.block_access_list_hash,
        slot_number: block.slot_number,
    })
}
