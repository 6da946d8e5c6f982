//! Gets a transaction from a node: its bytes, its block, and the outputs it spends.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use bitcoin::hex::FromHex;
use bitcoin::{OutPoint, Transaction, Txid};
use hansel_ledger::{ErrorClass, Output, Placement, SourceError, TransactionStatement};
use serde_json::{Value, json};

use super::CoreSource;
use super::answers::{Coin, RawTransaction, UnspentCoin};
use crate::conversation::Conversation;
use crate::{believe, output, statement};

const METHOD: &str = "getrawtransaction";

impl CoreSource {
    /// A transaction with its block and the outputs it spends.
    pub(super) async fn transaction(
        &self,
        talk: &Conversation<'_>,
        txid: &Txid,
        height: Option<u64>,
    ) -> Result<TransactionStatement, SourceError> {
        let raw = self.find(talk, txid, height).await?;
        let params = json!([txid, 2]);
        let transaction = believed(talk, &params, txid, &raw.hex)?;
        let placement = self.placement(talk, &raw).await?;
        self.remember_place(txid, placement.height());
        let spent = self.spent_outputs(talk, &transaction, &raw).await?;
        statement(&transaction, placement, spent)
            .map_err(|error| talk.disbelief(METHOD, &params, &error))
    }

    /// The height of a transaction's block; `None` in the mempool.
    pub(super) async fn height_of(
        &self,
        talk: &Conversation<'_>,
        txid: &Txid,
    ) -> Result<Option<u64>, SourceError> {
        let raw = self.find(talk, txid, None).await?;
        let height = self.placement(talk, &raw).await?.height();
        self.remember_place(txid, height);
        Ok(height)
    }

    /// Looks where the transaction is said to be, then in the node's index and mempool, then searches.
    async fn find(
        &self,
        talk: &Conversation<'_>,
        txid: &Txid,
        height: Option<u64>,
    ) -> Result<RawTransaction, SourceError> {
        let seen = self.place_of(txid).filter(|seen| Some(*seen) != height);
        for hint in height.into_iter().chain(seen) {
            if let Some(found) = self.in_block_at(talk, txid, hint).await? {
                return Ok(found);
            }
        }
        match talk.call(METHOD, json!([txid, 2])).await {
            Ok(found) => self.refuse_stale(talk, txid, found),
            Err(error) if error.class == ErrorClass::NotFound => {
                self.search(talk, txid, error).await
            }
            Err(error) => Err(error),
        }
    }

    async fn search(
        &self,
        talk: &Conversation<'_>,
        txid: &Txid,
        not_found: SourceError,
    ) -> Result<RawTransaction, SourceError> {
        if self.probed().await?.transactions {
            return Err(not_found);
        }
        let height = self.locate(talk, txid).await?;
        let found = self.in_block_at(talk, txid, height).await?;
        found.ok_or(not_found)
    }

    /// The transaction in the best chain's block at a height; `None` where it is not there.
    async fn in_block_at(
        &self,
        talk: &Conversation<'_>,
        txid: &Txid,
        height: u64,
    ) -> Result<Option<RawTransaction>, SourceError> {
        let Some(hash) = present(self.hash_at(talk, height).await)? else {
            return Ok(None);
        };
        let found: Option<RawTransaction> =
            present(talk.call(METHOD, json!([txid, 2, hash])).await)?;
        Ok(found.filter(|raw| raw.blockhash == Some(hash) && raw.is_settled()))
    }

    /// A transaction that is only in a block left behind by the chain is served as if it were in one.
    fn refuse_stale(
        &self,
        talk: &Conversation<'_>,
        txid: &Txid,
        found: RawTransaction,
    ) -> Result<RawTransaction, SourceError> {
        if found.blockhash.is_none() || found.is_settled() {
            return Ok(found);
        }
        let detail = "only in a block that is no longer part of the best chain";
        Err(talk.failure(ErrorClass::NotFound, METHOD, &json!([txid, 2]), detail))
    }

    async fn placement(
        &self,
        talk: &Conversation<'_>,
        raw: &RawTransaction,
    ) -> Result<Placement, SourceError> {
        match &raw.blockhash {
            Some(hash) => Ok(Placement::Confirmed(self.block_ref(talk, hash).await?)),
            None => Ok(Placement::Unconfirmed),
        }
    }

    /// The output each input spends: as the node lists it, else from the funding transaction or the set of
    /// unspent outputs, else `None`.
    async fn spent_outputs(
        &self,
        talk: &Conversation<'_>,
        transaction: &Transaction,
        raw: &RawTransaction,
    ) -> Result<Vec<Option<Output>>, SourceError> {
        if transaction.is_coinbase() {
            return Ok(Vec::new());
        }
        let mut funding = BTreeMap::new();
        let mut spent = Vec::with_capacity(raw.vin.len());
        // Fewer entries than inputs are refused when the statement is made.
        for (vin, input) in raw.vin.iter().zip(&transaction.input) {
            spent.push(match &vin.prevout {
                Some(coin) => Some(read_coin(talk, &input.previous_output, coin)?),
                None => {
                    let outpoint = &input.previous_output;
                    self.funded_output(talk, &mut funding, outpoint).await?
                }
            });
        }
        Ok(spent)
    }

    async fn funded_output(
        &self,
        talk: &Conversation<'_>,
        funding: &mut BTreeMap<Txid, Option<Transaction>>,
        outpoint: &OutPoint,
    ) -> Result<Option<Output>, SourceError> {
        let known = match funding.entry(outpoint.txid) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(vacant) => {
                vacant.insert(self.funding_transaction(talk, &outpoint.txid).await?)
            }
        };
        match known {
            Some(transaction) => {
                let index = usize::try_from(outpoint.vout).unwrap_or(usize::MAX);
                Ok(transaction.output.get(index).map(output))
            }
            None => self.unspent_output(talk, outpoint).await,
        }
    }

    /// The transaction from the node's mempool or index, without searching for it.
    async fn funding_transaction(
        &self,
        talk: &Conversation<'_>,
        txid: &Txid,
    ) -> Result<Option<Transaction>, SourceError> {
        let params = json!([txid, 0]);
        let hex: Option<String> = present(talk.call(METHOD, params.clone()).await)?;
        hex.map(|hex| believed(talk, &params, txid, &hex))
            .transpose()
    }

    /// The output from the set of unspent ones, where an unconfirmed transaction's inputs still are.
    async fn unspent_output(
        &self,
        talk: &Conversation<'_>,
        outpoint: &OutPoint,
    ) -> Result<Option<Output>, SourceError> {
        let params = json!([outpoint.txid, outpoint.vout, false]);
        let unspent: Option<UnspentCoin> = talk.call("gettxout", params).await?;
        unspent
            .map(|unspent| read_coin(talk, outpoint, &unspent.coin()))
            .transpose()
    }
}

impl RawTransaction {
    /// True in a block of the best chain.
    fn is_settled(&self) -> bool {
        self.confirmations.is_some_and(|count| count > 0)
    }
}

/// Turns "there is no such thing" into `None` and leaves every other failure one.
pub(super) fn present<T>(outcome: Result<T, SourceError>) -> Result<Option<T>, SourceError> {
    match outcome {
        Ok(found) => Ok(Some(found)),
        Err(error) if error.class == ErrorClass::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

fn believed(
    talk: &Conversation<'_>,
    params: &Value,
    txid: &Txid,
    hex: &str,
) -> Result<Transaction, SourceError> {
    let bytes = Vec::from_hex(hex)
        .map_err(|error| talk.failure(ErrorClass::Malformed, METHOD, params, error))?;
    believe(txid, &bytes).map_err(|error| talk.disbelief(METHOD, params, &error))
}

fn read_coin(
    talk: &Conversation<'_>,
    outpoint: &OutPoint,
    coin: &Coin,
) -> Result<Output, SourceError> {
    coin.output().map_err(|error| {
        let detail = format!("the value of {outpoint} cannot be read: {error}");
        talk.failure(
            ErrorClass::Malformed,
            METHOD,
            &json!([outpoint.txid]),
            detail,
        )
    })
}
