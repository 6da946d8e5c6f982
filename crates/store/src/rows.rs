//! The values of rows: versioned JSON, read as hostile input.

use bitcoin::BlockHash;
use bitcoin::hex::DisplayHex;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::columns::Column;
use crate::error::one_line;
use crate::{EvidenceHash, StoreError};

const VERSION: u32 = 1;

#[derive(Serialize)]
struct Written<'a, T: ?Sized> {
    v: u32,
    row: &'a T,
}

/// The version is looked at before the rest, so that a later form is named as such.
#[derive(Deserialize)]
struct Read<'a> {
    v: u32,
    #[serde(borrow)]
    row: &'a RawValue,
}

/// What a statement row holds besides its fact.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Statement<T> {
    /// The height the fact was asked for.
    pub(crate) as_of: u64,
    /// The newest block of the run that asked.
    pub(crate) tip: BlockHash,
    /// The fact.
    pub(crate) fact: T,
    /// The raw answers it was read from, in the order of the requests.
    pub(crate) evidence: Vec<EvidenceRef>,
}

/// Names a row of `provenance`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct EvidenceRef {
    /// The hash of the body.
    pub(crate) body: EvidenceHash,
    /// The hash of endpoint and request.
    pub(crate) request: EvidenceHash,
}

/// Writes a row; `what` names it in the error.
pub(crate) fn encode<T: Serialize + ?Sized>(what: &str, row: &T) -> Result<Vec<u8>, StoreError> {
    serde_json::to_vec(&Written { v: VERSION, row }).map_err(|error| StoreError::Unwritable {
        what: what.to_owned(),
        reason: one_line(&error.to_string()),
    })
}

/// Reads a row, naming its key where it is not what the schema says.
pub(crate) fn decode<T: DeserializeOwned>(
    column: Column,
    key: &[u8],
    bytes: &[u8],
) -> Result<T, StoreError> {
    let unreadable = |error: serde_json::Error| bad_row(column, key, &error.to_string());
    let read: Read<'_> = serde_json::from_slice(bytes).map_err(unreadable)?;
    if read.v != VERSION {
        let reason = format!("its version is {}, this program reads {VERSION}", read.v);
        return Err(bad_row(column, key, &reason));
    }
    serde_json::from_str(read.row.get()).map_err(unreadable)
}

/// The error of a row that is not what the schema says.
pub(crate) fn bad_row(column: Column, key: &[u8], reason: &str) -> StoreError {
    StoreError::BadRow {
        column: column.name(),
        key: key.to_lower_hex_string(),
        reason: one_line(reason),
    }
}
