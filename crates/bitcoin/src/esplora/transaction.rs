//! From Esplora's JSON to a believed transaction.

use bitcoin::absolute::LockTime;
use bitcoin::transaction::Version;
use bitcoin::{Amount, BlockHash, OutPoint, Transaction, TxIn, TxOut, Txid};
use hansel_ledger::{BlockRef, Output, Placement, SourceError, TransactionStatement, UnixTime};

use super::EsploraSource;
use super::answers::{self, Status, signed};
use crate::conversation::Conversation;
use crate::{recognise, statement};

impl EsploraSource {
    pub(super) async fn transaction(
        &self,
        talk: &Conversation<'_>,
        txid: &Txid,
    ) -> Result<TransactionStatement, SourceError> {
        let path = format!("/tx/{txid}");
        let answer: answers::Transaction = self.get(talk, &path).await?;
        let placement = placement(answer.status.as_ref());
        let (transaction, spent) = self.rebuilt(&path, answer)?;
        recognise(txid, &transaction)
            .and_then(|()| statement(&transaction, placement, spent))
            .map_err(|error| self.disbelief(&path, &error))
    }

    /// The transaction and the output each of its inputs spends.
    pub(super) fn rebuilt(
        &self,
        path: &str,
        answer: answers::Transaction,
    ) -> Result<(Transaction, Vec<Option<Output>>), SourceError> {
        let version = signed(answer.version)
            .ok_or_else(|| self.malformed(path, "the version does not fit 32 bits"))?;
        let (input, spent) = answer.vin.into_iter().map(input).unzip();
        let transaction = Transaction {
            version: Version(version),
            lock_time: LockTime::from_consensus(answer.locktime),
            input,
            output: answer.vout.into_iter().map(created).collect(),
        };
        Ok((transaction, spent))
    }
}

/// A place counts as known only where height, hash and time are all given.
pub(super) fn placement(status: Option<&Status>) -> Placement {
    let Some(status) = status else {
        return Placement::Unknown;
    };
    match (status.confirmed, block(status)) {
        (false, _) => Placement::Unconfirmed,
        (true, Some((height, hash, time))) => Placement::Confirmed(BlockRef { height, hash, time }),
        (true, None) => Placement::Unknown,
    }
}

fn block(status: &Status) -> Option<(u64, BlockHash, UnixTime)> {
    let time = UnixTime(status.block_time?.into());
    Some((status.block_height?.into(), status.block_hash?, time))
}

fn input(input: answers::Input) -> (TxIn, Option<Output>) {
    let spent = input.prevout.map(|prevout| Output {
        value: Amount::from_sat(prevout.value),
        script: prevout.scriptpubkey,
    });
    let input = TxIn {
        previous_output: OutPoint::new(input.txid, input.vout),
        script_sig: input.scriptsig,
        sequence: input.sequence,
        witness: input.witness,
    };
    (input, spent)
}

fn created(output: answers::Output) -> TxOut {
    TxOut {
        value: Amount::from_sat(output.value),
        script_pubkey: output.scriptpubkey,
    }
}
