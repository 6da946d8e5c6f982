//! The hash of a transaction that a rollup makes of a message: a type byte before a list of fields.

use alloy_primitives::{B256, keccak256};
use alloy_rlp::{Encodable as _, Header};

/// The hash of a transaction of a type with these fields, numbers without leading zeros.
pub(super) fn hash(kind: u8, fields: &[&[u8]]) -> B256 {
    let mut list = Vec::new();
    for field in fields {
        field.encode(&mut list);
    }
    let mut bytes = vec![kind];
    let header = Header {
        list: true,
        payload_length: list.len(),
    };
    header.encode(&mut bytes);
    bytes.extend_from_slice(&list);
    keccak256(&bytes)
}

/// A number as transactions write it: without leading zeros.
pub(super) fn trimmed(bytes: &[u8]) -> &[u8] {
    let zeros = bytes.iter().take_while(|byte| **byte == 0).count();
    bytes.get(zeros..).unwrap_or_default()
}
