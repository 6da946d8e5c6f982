//! Statements of accounts: candidates from logs, traces or nonces, read in full and compared with balances.

mod block;
mod book;
mod deposits;
mod found;
mod hints;
mod inquiry;
mod lack;
mod logs;
mod native;
mod own;
mod reconcile;
mod token;

pub(crate) use block::may_run_code;
pub(crate) use deposits::deposits;
pub(crate) use found::logs;
pub(crate) use inquiry::{Inquiry, account};
