//! Decides what raw bytes mean: from a decoded transaction to the facts of the ledger, verified on the way.

use std::collections::HashSet;

use bitcoin::consensus::encode::deserialize;
use bitcoin::{Amount, Transaction, Txid};
use hansel_ledger::{Input, Output, Placement, TransactionStatement};

/// Says why an endpoint's transaction was not believed.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum Disbelief {
    /// The bytes do not decode as a transaction.
    #[error("the bytes are not a transaction: {0}")]
    NotATransaction(String),
    /// The bytes are another transaction than the one asked for.
    #[error("the bytes hash to {actual}, not to {expected}")]
    WrongTxid {
        /// The id asked for.
        expected: Txid,
        /// The id of what came.
        actual: Txid,
    },
    /// The outputs said to be spent do not match the inputs in number.
    #[error("{prevouts} spent outputs were given for {inputs} inputs")]
    PrevoutCount {
        /// How many inputs the transaction has.
        inputs: usize,
        /// How many spent outputs were given.
        prevouts: usize,
    },
    /// No block may hold it, whatever else is true of it.
    #[error("no chain holds such a transaction: {0}")]
    Impossible(&'static str),
    /// The outputs are worth more than the inputs.
    #[error("outputs are worth more than the inputs, as stated by the endpoint")]
    NegativeFee,
}

/// Decodes a transaction and recomputes its id.
pub fn believe(expected: &Txid, bytes: &[u8]) -> Result<Transaction, Disbelief> {
    let transaction: Transaction =
        deserialize(bytes).map_err(|error| Disbelief::NotATransaction(error.to_string()))?;
    recognise(expected, &transaction)?;
    Ok(transaction)
}

/// Recomputes a decoded transaction's id and compares it with the one asked for.
pub fn recognise(expected: &Txid, transaction: &Transaction) -> Result<(), Disbelief> {
    let actual = transaction.compute_txid();
    if actual == *expected {
        Ok(())
    } else {
        Err(Disbelief::WrongTxid {
            expected: *expected,
            actual,
        })
    }
}

/// Turns a believed transaction into a statement; `spent` holds the spent output of each input, in order.
///
/// A coinbase has no inputs in the ledger: what it pays out is new. For it, `spent` is ignored.
pub fn statement(
    transaction: &Transaction,
    placement: Placement,
    spent: Vec<Option<Output>>,
) -> Result<TransactionStatement, Disbelief> {
    let fault = impossibility(transaction, &spent);
    fault.map_or(Ok(()), |fault| Err(Disbelief::Impossible(fault)))?;
    let inputs = if transaction.is_coinbase() {
        Vec::new()
    } else {
        pair(transaction, spent)?
    };
    let outputs = transaction.output.iter().map(output).collect();
    let statement = TransactionStatement {
        txid: transaction.compute_txid(),
        placement,
        inputs,
        outputs,
    };
    let priced = !statement.is_coinbase() && statement.unknown_inputs() == 0;
    if priced && statement.fee().is_none() {
        return Err(Disbelief::NegativeFee);
    }
    Ok(statement)
}

/// What no block may hold, so that nobody can make value appear twice or from nothing.
///
/// Source: Bitcoin Core `CheckTransaction` (no inputs or outputs, values, duplicate inputs).
fn impossibility(transaction: &Transaction, spent: &[Option<Output>]) -> Option<&'static str> {
    let mut seen = HashSet::new();
    let paid = transaction.output.iter().map(|output| output.value);
    let poured = spent.iter().flatten().map(|output| output.value);
    if transaction.input.is_empty() || transaction.output.is_empty() {
        Some("it lacks inputs or outputs")
    } else if !transaction
        .input
        .iter()
        .all(|input| seen.insert(input.previous_output))
    {
        Some("it spends an output twice")
    } else if exceeds_all_money(paid) || exceeds_all_money(poured) {
        Some("it moves more than there can ever be")
    } else {
        None
    }
}

fn exceeds_all_money(mut amounts: impl Iterator<Item = Amount>) -> bool {
    let sum = amounts.try_fold(Amount::ZERO, Amount::checked_add);
    sum.is_none_or(|sum| sum > Amount::MAX_MONEY)
}

/// An output in the ledger's form.
pub fn output(output: &bitcoin::TxOut) -> Output {
    Output {
        value: output.value,
        script: output.script_pubkey.clone(),
    }
}

fn pair(transaction: &Transaction, spent: Vec<Option<Output>>) -> Result<Vec<Input>, Disbelief> {
    if spent.len() != transaction.input.len() {
        return Err(Disbelief::PrevoutCount {
            inputs: transaction.input.len(),
            prevouts: spent.len(),
        });
    }
    let inputs = transaction.input.iter().zip(spent);
    Ok(inputs
        .map(|(input, spent)| Input {
            previous: input.previous_output,
            spent,
        })
        .collect())
}
