//! Gets a transaction from an Electrum server: bytes, proved block, verified inputs.

use std::collections::{BTreeMap, BTreeSet};

use bitcoin::{ScriptBuf, Transaction, Txid};
use futures::StreamExt;
use hansel_ledger::{ErrorClass, Output, Placement, SourceError, TransactionStatement};
use serde_json::json;

use super::ElectrumSource;
use crate::conversation::Conversation;
use crate::core::is_unspendable;
use crate::{output, statement};

const METHOD: &str = "blockchain.transaction.get";
/// Scripts whose history is asked for to find a transaction's block; a popular one may refuse.
const SCRIPTS_TRIED: usize = 6;

impl ElectrumSource {
    /// A transaction with its block and the outputs it spends, each from its verified funding transaction.
    pub(super) async fn transaction(
        &self,
        talk: &Conversation<'_>,
        txid: &Txid,
        height: Option<u64>,
    ) -> Result<TransactionStatement, SourceError> {
        let fetched = self.fetch(talk, txid).await?;
        let transaction = &fetched.0;
        let spent = self.spent_outputs(talk, transaction).await?;
        let placement = self.placement(talk, transaction, &spent, height).await?;
        statement(transaction, placement, spent)
            .map_err(|error| talk.disbelief(METHOD, &json!([txid, false]), &error))
    }

    /// The height of a transaction's block; `None` where it has none or it cannot be told.
    pub(super) async fn height_of(
        &self,
        talk: &Conversation<'_>,
        txid: &Txid,
    ) -> Result<Option<u64>, SourceError> {
        let fetched = self.fetch(talk, txid).await?;
        match self.locate(talk, &fetched.0, &[]).await? {
            Place::Block(height) => Ok(Some(height)),
            Place::Mempool | Place::Unknown => Ok(None),
        }
    }

    async fn placement(
        &self,
        talk: &Conversation<'_>,
        transaction: &Transaction,
        spent: &[Option<Output>],
        height: Option<u64>,
    ) -> Result<Placement, SourceError> {
        if let Some(height) = height
            && let Some(block) = self.proved_block(talk, transaction, height).await?
        {
            return Ok(Placement::Confirmed(block));
        }
        match self.locate(talk, transaction, spent).await? {
            Place::Mempool => Ok(Placement::Unconfirmed),
            Place::Unknown => Ok(Placement::Unknown),
            Place::Block(height) => {
                let block = self.proved_block(talk, transaction, height).await?;
                let missing = "its history names a block that does not hold it";
                block
                    .map(Placement::Confirmed)
                    .ok_or_else(|| refusal(talk, ErrorClass::Inconsistent, transaction, missing))
            }
        }
    }

    /// Finds the transaction in the history of a script it pays to or spends from.
    async fn locate(
        &self,
        talk: &Conversation<'_>,
        transaction: &Transaction,
        spent: &[Option<Output>],
    ) -> Result<Place, SourceError> {
        let txid = transaction.compute_txid();
        let mut asked = false;
        for script in scripts(transaction, spent) {
            let history = match self.history(talk, &script).await {
                Err(error) if error.class == ErrorClass::TooPopular => continue,
                outcome => outcome?,
            };
            asked = true;
            if let Some(entry) = history.iter().find(|entry| entry.txid() == txid) {
                return Ok(entry.height().map_or(Place::Mempool, Place::Block));
            }
        }
        if asked {
            let detail = "in no block of the best chain and not in the mempool";
            return Err(refusal(talk, ErrorClass::NotFound, transaction, detail));
        }
        Ok(Place::Unknown)
    }

    async fn spent_outputs(
        &self,
        talk: &Conversation<'_>,
        transaction: &Transaction,
    ) -> Result<Vec<Option<Output>>, SourceError> {
        if transaction.is_coinbase() {
            return Ok(Vec::new());
        }
        let inputs = &transaction.input;
        let asked: BTreeSet<_> = inputs
            .iter()
            .map(|i| (i.previous_output.txid, ()))
            .collect();
        let mut funding = BTreeMap::new();
        {
            let mut fetched = std::pin::pin!(self.fetch_all(talk, asked));
            while let Some((txid, (), outcome)) = fetched.next().await {
                match outcome {
                    Ok(found) => funding.insert(txid, found),
                    // The input's value stays unknown, and the statement says so.
                    Err(error) if error.class == ErrorClass::NotFound => None,
                    Err(error) => return Err(error),
                };
            }
        }
        let spent = inputs.iter().map(|input| {
            let found = funding.get(&input.previous_output.txid)?;
            let index = usize::try_from(input.previous_output.vout).ok()?;
            found.0.output.get(index).map(output)
        });
        Ok(spent.collect())
    }
}

/// Where a transaction is.
enum Place {
    Block(u64),
    Mempool,
    /// No script of it has a history that the server gives.
    Unknown,
}

/// Scripts in whose history the transaction must be, its outputs' first, each once.
fn scripts(transaction: &Transaction, spent: &[Option<Output>]) -> Vec<ScriptBuf> {
    let paid = transaction.output.iter().map(|o| &o.script_pubkey);
    let spent = spent.iter().flatten().map(|output| &output.script);
    let mut scripts: Vec<ScriptBuf> = Vec::new();
    for script in paid.chain(spent) {
        if scripts.len() == SCRIPTS_TRIED {
            break;
        }
        if !is_unspendable(script) && !scripts.contains(script) {
            scripts.push(script.clone());
        }
    }
    scripts
}

fn refusal(
    talk: &Conversation<'_>,
    class: ErrorClass,
    transaction: &Transaction,
    detail: &str,
) -> SourceError {
    let params = json!([transaction.compute_txid(), false]);
    talk.failure(class, METHOD, &params, detail)
}
