//! The walk over `ots_searchTransactionsAfter`: every transaction that called an account or was called by it.
//!
//! A page may be longer than asked for, as a block is never split, and shorter in between; only an empty page or
//! one that reaches the last block ends the walk, whatever the page says of itself. Some nodes do not list the heirs of
//! contracts that destroy themselves.

use std::collections::BTreeSet;

use alloy_primitives::{Address, B256};
use serde_json::{Value, json};

use super::{Contradiction, Step};
use crate::decode::OtsPage;

/// Transactions asked for at once; nodes allow 25 by default.
const PAGE: usize = 25;

/// A transaction in which an account may have moved something, as somebody's index says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Candidate {
    /// The block that the index names.
    pub block: u64,
    /// The transaction.
    pub tx: B256,
}

/// A walk over the transactions of an account in a range of blocks; it does no I/O.
#[derive(Clone, Debug)]
pub struct OtsWalk {
    account: Address,
    /// The last block that is known in full.
    after: u64,
    until: u64,
    bound: usize,
    over: bool,
    found: BTreeSet<Candidate>,
}

impl OtsWalk {
    /// Starts a walk that stops beyond `bound` transactions.
    pub fn new(account: Address, (since, until): (u64, u64), bound: usize) -> Self {
        Self {
            account,
            after: since.saturating_sub(1),
            until,
            bound,
            over: since > until,
            found: BTreeSet::new(),
        }
    }

    /// The parameters of the next `ots_searchTransactionsAfter`; `None` where the walk is over.
    pub fn ask(&self) -> Option<Value> {
        (!self.over).then(|| json!([self.account, self.after, PAGE]))
    }

    /// Takes a page.
    pub fn answered(&mut self, page: &OtsPage) -> Result<Step, Contradiction> {
        let mut reached = None;
        for tx in &page.txs {
            let block = tx
                .block_number
                .ok_or(Contradiction::Stranger { hash: tx.hash })?;
            if block <= self.after {
                let what = "ots_searchTransactionsAfter";
                let block = self.after;
                return Err(Contradiction::Page { what, block });
            }
            reached = reached.max(Some(block));
            if block <= self.until {
                self.found.insert(Candidate { block, tx: tx.hash });
            }
        }
        self.over = reached.is_none_or(|block| block >= self.until);
        self.after = reached.unwrap_or(self.after);
        let too_many = self.found.len() > self.bound;
        self.over |= too_many;
        Ok(if too_many { Step::TooMany } else { Step::Next })
    }

    /// Every transaction found, in the order of blocks.
    pub fn finish(self) -> Vec<Candidate> {
        self.found.into_iter().collect()
    }
}
