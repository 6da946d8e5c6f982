//! Equal outputs: what is left of a CoinJoin where no family is recognised.

use std::collections::BTreeSet;

use crate::{Confidence, Finding};

use super::shape::Shape;
use super::stonewall::has_shape as is_stonewall;
use super::subset_sum::{Feasible, feasible};
use super::view::TxView;
use crate::verdict::Verdict;

/// Equal outputs of this value or less are the dust of other protocols. Source: GraphSense; BlockSci's two
/// excluded values lie below.
pub(crate) const DUST: u64 = 2_730;

/// The parameter that says how much one party may have paid the others.
pub(crate) const ALLOWANCE: &str = "largest-payment-to-another-party";

/// How many people take part at least. Ours: two equal outputs are a Stonewall or a coincidence.
const PARTIES: usize = 3;

/// Says whether a transaction has exactly as many equal outputs as there can be parties, and everybody can
/// have paid for what they received. Source: BlockSci's `isCoinjoin` and `is_definite_coinjoin`.
pub(crate) fn equal_outputs(tx: &TxView<'_>, shape: &Shape<'_>) -> Option<Finding> {
    let (amount, parties) = shape.modal;
    if !has_shape(shape) || is_stonewall(shape) || has_reuse(tx) || carries_data(tx) {
        return None;
    }
    let coins = shape.coins_in.as_ref()?;
    let allowance = allowance(amount);
    if feasible(coins, amount, parties, &changes(shape, amount), allowance) != Feasible::Yes {
        return None;
    }
    let verdict = Verdict::new("btc.coinjoin.equal-outputs", Confidence::Weak)
        .count("parties", parties)
        .satoshi("amount", amount)
        .count("inputs", shape.inputs)
        .count("outputs", shape.outputs)
        .satoshi(ALLOWANCE, allowance);
    let in_bitcoin = bitcoin::Amount::from_sat(amount);
    let summary = format!(
        "{} may be a CoinJoin: {parties} outputs of {in_bitcoin} each",
        tx.txid
    );
    Some(verdict.about(tx, tx.outputs_worth(amount), summary))
}

/// BlockSci's conditions.
pub(crate) fn has_shape(shape: &Shape<'_>) -> bool {
    let (amount, parties) = shape.modal;
    amount > DUST
        && parties >= PARTIES
        && parties == shape.outputs.div_ceil(2)
        && parties <= shape.inputs
        && parties <= shape.input_scripts
}

/// What a party may have paid the others for their company, in satoshi: a thousandth of the amount, or 10,000.
/// The form is BlockSci's, the two numbers are ours.
pub(crate) fn allowance(amount: u64) -> u64 {
    (amount / 1_000).max(10_000)
}

/// The other outputs' values.
pub(crate) fn changes(shape: &Shape<'_>, amount: u64) -> Vec<u64> {
    let others = shape.values.iter().filter(|(value, _)| **value != amount);
    others
        .flat_map(|(value, count)| std::iter::repeat_n(*value, *count))
        .collect()
}

/// True where an output pays a script that an input had: whoever mixes does not say which output is his.
pub(crate) fn has_reuse(tx: &TxView<'_>) -> bool {
    let known = tx.inputs.iter().filter_map(|input| input.coin);
    let payers: BTreeSet<_> = known.map(|coin| coin.script).collect();
    tx.outputs.iter().any(|coin| payers.contains(coin.script))
}

/// True where an output carries data, which none of these protocols writes.
pub(crate) fn carries_data(tx: &TxView<'_>) -> bool {
    tx.outputs.iter().any(|coin| coin.script.is_op_return())
}
