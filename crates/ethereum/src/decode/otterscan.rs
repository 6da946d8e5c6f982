//! Pages of Otterscan's index of calls.

use serde::Deserialize;

use super::json::parse;
use super::{DecodeError, TxLean};

/// A page as nodes spell it. Its receipts are not read.
#[derive(Clone, Debug, Deserialize)]
pub struct OtsPage {
    /// The transactions, newest first.
    pub txs: Vec<TxLean>,
}

/// Reads the result of `ots_searchTransactionsAfter`.
pub fn ots_page(json: &[u8]) -> Result<OtsPage, DecodeError> {
    parse("page of transactions", json)
}
