//! One purse pays many: payouts of services, and coins cut into equal pieces.

use crate::{Confidence, Finding};

use super::coinjoin::coinjoin;
use super::shape::Shape;
use super::tx0::whirlpool_tx0;
use super::view::TxView;
use crate::verdict::Verdict;

/// How many people are paid at least. Ours.
const PAID: usize = 10;

/// How many outputs there are at least for each input. Ours.
const PER_INPUT: usize = 2;

/// Says whether a transaction pays many people different amounts at once, as services do.
pub fn batch_payout(tx: &TxView<'_>) -> Option<Finding> {
    let shape = many_paid(tx).filter(|shape| !is_cut(shape))?;
    let paid = spendable(tx).count();
    let verdict = verdict("btc.batch-payout", &shape, paid);
    let summary = format!(
        "{} pays {paid} outputs from {} inputs at once",
        tx.txid, shape.inputs
    );
    Some(verdict.about(tx, spendable(tx), summary))
}

/// Says whether a transaction cuts coins into many pieces, at least half of which are equal.
pub fn fan_out(tx: &TxView<'_>) -> Option<Finding> {
    let shape = many_paid(tx).filter(is_cut)?;
    let (value, pieces) = shape.modal;
    let verdict = verdict("btc.fan-out", &shape, pieces)
        .satoshi("value", value)
        .count("outputs", shape.outputs);
    let in_bitcoin = bitcoin::Amount::from_sat(value);
    let summary = format!(
        "{} cuts coins into {pieces} pieces of {in_bitcoin} each",
        tx.txid
    );
    Some(verdict.about(tx, tx.outputs_worth(value), summary))
}

fn verdict(heuristic: &'static str, shape: &Shape<'_>, paid: usize) -> Verdict {
    Verdict::new(heuristic, Confidence::Weak)
        .count("inputs", shape.inputs)
        .count("paid", paid)
        .count("least-paid", PAID)
        .count("least-outputs-per-input", PER_INPUT)
}

fn many_paid<'a>(tx: &TxView<'a>) -> Option<Shape<'a>> {
    let paid = spendable(tx).count();
    let fits = paid >= PAID && paid >= PER_INPUT * tx.inputs.len() && !tx.is_coinbase();
    let mixes = fits && (coinjoin(tx).is_some() || whirlpool_tx0(tx).is_some());
    (fits && !mixes).then(|| Shape::of(tx))
}

fn is_cut(shape: &Shape<'_>) -> bool {
    2 * shape.modal.1 >= shape.outputs
}

fn spendable(tx: &TxView<'_>) -> impl Iterator<Item = usize> {
    tx.outputs_with(|coin| !hansel_ledger::is_unspendable(coin.script))
}
