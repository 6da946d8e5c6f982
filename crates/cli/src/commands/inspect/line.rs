//! One transaction as a line of text: JSON with values and scripts, or raw bytes with what they spend.

use std::borrow::Cow;

use bitcoin::consensus::encode::deserialize_hex;
use bitcoin::{Amount, OutPoint, ScriptBuf, Transaction, Txid};
use hansel_heuristics::Finding;
use hansel_heuristics::bitcoin::{TxView, transaction_findings};
use hansel_ledger::{Chain, Input, Output, Placement, TransactionStatement};
use serde::Deserialize;

/// Says why a line is not a transaction.
#[derive(Debug, thiserror::Error)]
pub(crate) enum LineError {
    #[error("not JSON in the expected form: {0}")]
    Json(String),
    #[error("line is longer than {0} bytes")]
    TooLong(usize),
    #[error("`{0}` is not a script in hexadecimal digits")]
    Script(String),
    #[error("hex does not hold a transaction: {0}")]
    Raw(String),
    #[error("{prevouts} prevouts for {inputs} inputs")]
    Prevouts { prevouts: usize, inputs: usize },
    #[error("txid is {given}, but hex holds {computed}")]
    Txid { given: Txid, computed: Txid },
    #[error("neither `txid`, `vin` and `vout` nor `hex` and `prevouts`")]
    Form,
    #[error("it moves more than 21 million bitcoin")]
    TooMuch,
    #[error("it pays out more than it takes in")]
    Overdrawn,
}

/// A line in either form; fields of neither are left unread.
#[derive(Deserialize)]
struct Line<'a> {
    txid: Option<Txid>,
    #[serde(default)]
    time: Option<u64>,
    #[serde(default)]
    height: Option<u64>,
    #[serde(borrow, default)]
    vin: Option<Vec<Spent<'a>>>,
    #[serde(borrow, default)]
    vout: Option<Vec<Paid<'a>>>,
    #[serde(borrow, default)]
    hex: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    prevouts: Option<Vec<Paid<'a>>>,
}

#[derive(Deserialize)]
struct Spent<'a> {
    txid: Option<Txid>,
    vout: Option<u32>,
    value: Option<u64>,
    #[serde(borrow)]
    spk: Option<Cow<'a, str>>,
}

#[derive(Deserialize)]
struct Paid<'a> {
    value: u64,
    #[serde(borrow)]
    spk: Cow<'a, str>,
}

/// What is said of one line.
pub(crate) struct Inspected {
    pub(crate) txid: Txid,
    pub(crate) findings: Vec<Finding>,
}

/// Reads one transaction and asks every detector that needs no other.
pub(crate) fn inspect(chain: &Chain, text: &[u8]) -> Result<Inspected, LineError> {
    let line: Line<'_> =
        serde_json::from_slice(text).map_err(|error| LineError::Json(error.to_string()))?;
    let statement = statement(&line)?;
    check(&statement)?;
    let mut view = TxView::of_statement(chain, &statement);
    view.time = line.time;
    view.height = line.height;
    Ok(Inspected {
        txid: statement.txid,
        findings: transaction_findings(&view),
    })
}

fn statement(line: &Line<'_>) -> Result<TransactionStatement, LineError> {
    match line {
        Line {
            hex: Some(hex),
            prevouts,
            txid,
            ..
        } => raw(hex, prevouts.as_deref().unwrap_or_default(), *txid),
        Line {
            txid: Some(txid),
            vin: Some(vin),
            vout: Some(vout),
            ..
        } => Ok(TransactionStatement {
            txid: *txid,
            placement: Placement::Unknown,
            inputs: vin.iter().map(input).collect::<Result<_, _>>()?,
            outputs: vout.iter().map(output).collect::<Result<_, _>>()?,
        }),
        _ => Err(LineError::Form),
    }
}

/// An input in JSON; a coinbase's, which spends nothing, has neither value nor script.
fn input(spent: &Spent<'_>) -> Result<Input, LineError> {
    let null = OutPoint::null();
    let coin = match (spent.value, &spent.spk) {
        (Some(value), Some(spk)) => Some(coin(value, spk)?),
        (None, _) | (_, None) => None,
    };
    Ok(Input {
        previous: OutPoint {
            txid: spent.txid.unwrap_or(null.txid),
            vout: spent.vout.unwrap_or(null.vout),
        },
        spent: coin,
    })
}

fn output(paid: &Paid<'_>) -> Result<Output, LineError> {
    coin(paid.value, &paid.spk)
}

fn coin(value: u64, spk: &str) -> Result<Output, LineError> {
    let wrong = |_| LineError::Script(spk.chars().take(40).collect());
    Ok(Output {
        value: Amount::from_sat(value),
        script: ScriptBuf::from_hex(spk).map_err(wrong)?,
    })
}

/// A transaction from its bytes; its id is computed from them, whatever the line says.
fn raw(
    hex: &str,
    prevouts: &[Paid<'_>],
    given: Option<Txid>,
) -> Result<TransactionStatement, LineError> {
    let transaction: Transaction =
        deserialize_hex(hex).map_err(|error| LineError::Raw(error.to_string()))?;
    let computed = transaction.compute_txid();
    if let Some(given) = given.filter(|given| *given != computed) {
        return Err(LineError::Txid { given, computed });
    }
    let spending = transaction.input.iter();
    let spending = spending.filter(|input| !input.previous_output.is_null());
    let previous: Vec<_> = spending.map(|input| input.previous_output).collect();
    if !prevouts.is_empty() && prevouts.len() != previous.len() {
        let (prevouts, inputs) = (prevouts.len(), previous.len());
        return Err(LineError::Prevouts { prevouts, inputs });
    }
    let mut spent = prevouts.iter();
    let input = |previous| {
        let spent = spent.next().map(output).transpose()?;
        Ok(Input { previous, spent })
    };
    let paid = |paid: bitcoin::TxOut| Output {
        value: paid.value,
        script: paid.script_pubkey,
    };
    Ok(TransactionStatement {
        txid: computed,
        placement: Placement::Unknown,
        inputs: previous
            .into_iter()
            .map(input)
            .collect::<Result<_, LineError>>()?,
        outputs: transaction.output.into_iter().map(paid).collect(),
    })
}

/// Refuses what no chain can hold, so that no detector counts with it.
fn check(statement: &TransactionStatement) -> Result<(), LineError> {
    let within = |sum: Option<Amount>| {
        sum.filter(|sum| *sum <= Amount::MAX_MONEY)
            .ok_or(LineError::TooMuch)
    };
    let add = |sum: Amount, value: Amount| sum.checked_add(value);
    let paid = within(
        statement
            .outputs
            .iter()
            .try_fold(Amount::ZERO, |sum, one| add(sum, one.value)),
    )?;
    let known = statement
        .inputs
        .iter()
        .filter_map(|input| input.spent.as_ref());
    let taken = within(
        known
            .into_iter()
            .try_fold(Amount::ZERO, |sum, one| add(sum, one.value)),
    )?;
    if !statement.is_coinbase() && statement.unknown_inputs() == 0 && paid > taken {
        return Err(LineError::Overdrawn);
    }
    Ok(())
}
