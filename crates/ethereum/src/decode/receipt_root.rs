//! The root that a block's header commits its receipts to.

use alloy_primitives::{B256, Bloom, BloomInput};
use alloy_rlp::{Encodable, Header};
use alloy_trie::root::ordered_trie_root_with_encoder;

use super::fee::DEPOSIT;
use super::{LogLean, ReceiptLean};

/// Says why no root can be computed.
#[derive(Clone, Copy, Debug, thiserror::Error, PartialEq, Eq)]
pub enum RootError {
    /// How receipts of this type are encoded is not known.
    #[error("receipts of type {0:#x} cannot be encoded")]
    UnknownType(u64),
    /// A receipt lacks its status and root, or the gas used up to it.
    #[error("receipt {0} lacks what the root is computed from")]
    Incomplete(B256),
}

/// The root of the trie of receipts, which must be all of a block, in order.
///
/// Known are legacy receipts with status or (before Byzantium) root, types 1 to 4, and deposits of OP chains as
/// op-geth encodes them (`Receipts.EncodeIndex` in `core/types/receipt.go`).
pub fn receipts_root(receipts: &[ReceiptLean]) -> Result<B256, RootError> {
    let encoded = receipts.iter().map(encode).collect::<Result<Vec<_>, _>>()?;
    Ok(ordered_trie_root_with_encoder(&encoded, |receipt, out| {
        out.extend_from_slice(receipt);
    }))
}

fn encode(receipt: &ReceiptLean) -> Result<Vec<u8>, RootError> {
    let mut out = Vec::new();
    match receipt.kind {
        None | Some(0) => {}
        Some(1) => out.push(1),
        Some(2) => out.push(2),
        Some(3) => out.push(3),
        Some(4) => out.push(4),
        Some(DEPOSIT) => out.push(0x7e),
        Some(unknown) => return Err(RootError::UnknownType(unknown)),
    }
    let fields = fields(receipt)?;
    list(fields.len()).encode(&mut out);
    out.extend_from_slice(&fields);
    Ok(out)
}

fn fields(receipt: &ReceiptLean) -> Result<Vec<u8>, RootError> {
    let incomplete = RootError::Incomplete(receipt.transaction_hash);
    let mut out = Vec::new();
    match (receipt.status, &receipt.root) {
        (Some(status), _) => status.encode(&mut out),
        (None, Some(root)) if root.len() == 32 => root.encode(&mut out),
        (None, _) => return Err(incomplete),
    }
    receipt
        .cumulative_gas_used
        .ok_or(incomplete)?
        .encode(&mut out);
    bloom(&receipt.logs).encode(&mut out);
    let logs: Vec<u8> = receipt.logs.iter().flat_map(encode_log).collect();
    list(logs.len()).encode(&mut out);
    out.extend_from_slice(&logs);
    if receipt.kind == Some(DEPOSIT) {
        // Only since Canyon, which introduced the version, is the nonce part of what the root commits to.
        if let Some(version) = receipt.deposit_receipt_version {
            receipt.deposit_nonce.ok_or(incomplete)?.encode(&mut out);
            version.encode(&mut out);
        }
    }
    Ok(out)
}

fn encode_log(log: &LogLean) -> Vec<u8> {
    let mut fields = Vec::new();
    log.address.encode(&mut fields);
    log.topics.encode(&mut fields);
    log.data.encode(&mut fields);
    let mut out = Vec::new();
    list(fields.len()).encode(&mut out);
    out.extend_from_slice(&fields);
    out
}

fn bloom(logs: &[LogLean]) -> Bloom {
    let mut bloom = Bloom::ZERO;
    for log in logs {
        bloom.accrue(BloomInput::Raw(log.address.as_slice()));
        for topic in &log.topics {
            bloom.accrue(BloomInput::Raw(topic.as_slice()));
        }
    }
    bloom
}

fn list(payload_length: usize) -> Header {
    Header {
        list: true,
        payload_length,
    }
}
