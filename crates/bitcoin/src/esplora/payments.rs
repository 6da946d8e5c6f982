//! Collects what was paid to one script from rows of its history.

use std::collections::{BTreeSet, HashSet};

use bitcoin::{OutPoint, Script, ScriptBuf, Transaction, Txid};
use hansel_ledger::Output;

/// Rows of a script's history, read from the newest to the oldest.
pub(super) struct Payments {
    script: ScriptBuf,
    since: u64,
    seen: HashSet<Txid>,
    last: Option<Txid>,
    lowest: Option<u64>,
    paid: BTreeSet<(u64, OutPoint)>,
}

/// Says why a row cannot be part of the history.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub(super) enum Stray {
    /// The transaction has nothing to do with the script.
    #[error("the history holds {0}, which neither pays nor spends from the script")]
    Foreign(Txid),
    /// The rows are not sorted, so that reading on would not tell where they end.
    #[error("the history is not sorted: {0} at height {1} comes after a lower one")]
    OutOfOrder(Txid, u64),
}

impl Payments {
    /// Nothing yet; rows below `since` are counted and not collected.
    pub(super) fn new(script: &Script, since: u64) -> Self {
        Self {
            script: script.to_owned(),
            since,
            seen: HashSet::new(),
            last: None,
            lowest: None,
            paid: BTreeSet::new(),
        }
    }

    /// Adds a row; one that came before, as at the seam of two pages, is not counted again.
    ///
    /// The txid is computed from the row's content, so what it pays is what that transaction pays.
    pub(super) fn add(
        &mut self,
        transaction: &Transaction,
        spent: &[Option<Output>],
        height: u64,
    ) -> Result<(), Stray> {
        let txid = transaction.compute_txid();
        if self.lowest.is_some_and(|lowest| height > lowest) {
            return Err(Stray::OutOfOrder(txid, height));
        }
        if !self.concerns(transaction, spent) {
            return Err(Stray::Foreign(txid));
        }
        self.last = Some(txid);
        self.lowest = Some(height);
        if self.seen.insert(txid) && height >= self.since {
            self.collect(transaction, txid, height);
        }
        Ok(())
    }

    /// Distinct transactions seen.
    pub(super) fn transactions(&self) -> usize {
        self.seen.len()
    }

    /// The last row, after which the next page starts.
    pub(super) fn cursor(&self) -> Option<Txid> {
        self.last
    }

    /// True once a row below `since` has shown that all that matters was read.
    pub(super) fn is_past_start(&self) -> bool {
        self.lowest.is_some_and(|lowest| lowest < self.since)
    }

    /// What was paid through a height, by height, then txid and index.
    pub(super) fn through(self, as_of: u64) -> Vec<(OutPoint, u64)> {
        let paid = self.paid.into_iter();
        paid.filter(|(height, _)| *height <= as_of)
            .map(|(height, outpoint)| (outpoint, height))
            .collect()
    }

    fn concerns(&self, transaction: &Transaction, spent: &[Option<Output>]) -> bool {
        let pays = |script: &Script| *script == *self.script;
        let mut created = transaction.output.iter();
        // An input of unknown origin may be one of the script's.
        let mut spent = spent.iter();
        created.any(|output| pays(&output.script_pubkey))
            || spent.any(|output| output.as_ref().is_none_or(|output| pays(&output.script)))
    }

    fn collect(&mut self, transaction: &Transaction, txid: Txid, height: u64) {
        let outputs = (0_u32..).zip(&transaction.output);
        let mine = outputs.filter(|(_, output)| output.script_pubkey == self.script);
        let outpoints = mine.map(|(vout, _)| (height, OutPoint { txid, vout }));
        self.paid.extend(outpoints);
    }
}
