//! Reads a script's history page by page and makes sure that nothing of it is missing.

use bitcoin::hashes::{Hash, sha256};
use bitcoin::opcodes::{Class, ClassifyContext, Opcode};
use bitcoin::{OutPoint, Script};
use hansel_ledger::{ErrorClass, SourceError, is_unspendable};

use super::EsploraSource;
use super::answers::{Totals, Transaction};
use super::payments::Payments;
use crate::conversation::Conversation;

/// Transactions of a history that are read at most: 400 pages of 25.
const MOST_TRANSACTIONS: usize = 10_000;
/// How often a history that changes while it is read is read anew.
const READINGS: u32 = 3;

impl EsploraSource {
    /// Every output paid to the script in blocks `since..=as_of`, by height, then txid and index.
    ///
    /// A cursor that the server no longer knows, as after a reorganisation, gives an empty page that looks
    /// like the end. So the pages are counted, and the totals must be the same before and after.
    pub(super) async fn received(
        &self,
        talk: &Conversation<'_>,
        script: &Script,
        since: u64,
        as_of: u64,
    ) -> Result<Vec<(OutPoint, u64)>, SourceError> {
        let path = path(script);
        if is_unindexed(script) {
            let detail = "the server keeps no history of scripts that nobody can spend from";
            return Err(self.failure(ErrorClass::Unsupported, &path, detail));
        }
        self.require_reach(as_of).await?;
        for _ in 0..READINGS {
            let reading = talk.fork();
            if let Some(payments) = self.read_history(&reading, script, &path, since).await? {
                talk.join(reading);
                return Ok(payments.through(as_of));
            }
        }
        let detail = "the history does not add up to the server's own count of it";
        Err(self.failure(ErrorClass::Truncated, &path, detail))
    }

    /// One reading from the newest transaction back to `since`; `None` where it does not add up.
    async fn read_history(
        &self,
        talk: &Conversation<'_>,
        script: &Script,
        path: &str,
        since: u64,
    ) -> Result<Option<Payments>, SourceError> {
        let count = self.transaction_count(talk, path).await?;
        let mut payments = Payments::new(script, since);
        while payments.transactions() < count && !payments.is_past_start() {
            let page_path = match payments.cursor() {
                None => format!("{path}/txs/chain"),
                Some(last) => format!("{path}/txs/chain/{last}"),
            };
            let before = payments.transactions();
            self.read_page(talk, &page_path, &mut payments).await?;
            if payments.transactions() == before {
                return Ok(None);
            }
        }
        let complete = payments.transactions() == count || payments.is_past_start();
        let unchanged = self.transaction_count(talk, path).await? == count;
        Ok((complete && unchanged).then_some(payments))
    }

    async fn transaction_count(
        &self,
        talk: &Conversation<'_>,
        path: &str,
    ) -> Result<usize, SourceError> {
        let totals: Totals = self.get(talk, path).await?;
        let count = totals.chain_stats.tx_count;
        if count <= MOST_TRANSACTIONS {
            return Ok(count);
        }
        let detail = format!("the script has more than {MOST_TRANSACTIONS} transactions");
        Err(self.failure(ErrorClass::TooPopular, path, detail))
    }

    async fn read_page(
        &self,
        talk: &Conversation<'_>,
        path: &str,
        payments: &mut Payments,
    ) -> Result<(), SourceError> {
        let rows: Vec<Transaction> = self.get(talk, path).await?;
        for row in rows {
            let status = row.status.as_ref().filter(|status| status.confirmed);
            let height = status.and_then(|status| status.block_height).map(u64::from);
            let height = height.ok_or_else(|| self.malformed(path, "a row without a height"))?;
            let (transaction, spent) = self.rebuilt(path, row)?;
            payments
                .add(&transaction, &spent, height)
                .map_err(|error| self.failure(ErrorClass::Inconsistent, path, error))?;
        }
        Ok(())
    }
}

/// The script's place in the index: the SHA-256 of its bytes in the usual order, where an Electrum server
/// takes the same hash reversed. Source: `parse_scripthash` in `src/rest.rs` of Blockstream's electrs.
fn path(script: &Script) -> String {
    format!("/scripthash/{}", sha256::Hash::hash(script.as_bytes()))
}

/// True for scripts that the server leaves out of its index: OP_RETURN and those that start with an
/// operation that fails whatever happens. Source: `is_spendable` in `src/util/script.rs`.
fn is_unindexed(script: &Script) -> bool {
    let first = script.as_bytes().first();
    let class = first.map(|byte| Opcode::from(*byte).classify(ClassifyContext::Legacy));
    is_unspendable(script) || matches!(class, Some(Class::ReturnOp | Class::IllegalOp))
}
