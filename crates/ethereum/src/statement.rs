//! Statements of accounts: candidates from logs, traces or nonces, read in full and compared with balances.

mod block;
mod book;
mod deposits;
mod hints;
mod inquiry;
mod lack;
mod logs;
mod native;
mod own;
mod reconcile;
mod token;

pub(crate) use deposits::deposits;
pub(crate) use inquiry::{Inquiry, account};
