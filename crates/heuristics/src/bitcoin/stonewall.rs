//! Stonewall: one person's payment that is made to look like a CoinJoin of two.

use crate::{Confidence, Finding};

use super::shape::Shape;
use super::view::TxView;
use crate::verdict::Verdict;

/// How many outputs there are. Source: GraphSense's veto.
const OUTPUTS: std::ops::RangeInclusive<usize> = 3..=4;

/// The smallest value that the twin outputs have. Source: GraphSense's veto.
const SMALLEST: u64 = 5_000;

/// Says whether a transaction has the shape of a Stonewall: three or four outputs of distinct scripts, of
/// which exactly two are worth the same.
///
/// It may be one person's or two people's: it ends no trail, and nobody should join its inputs.
pub fn stonewall(tx: &TxView<'_>) -> Option<Finding> {
    if !OUTPUTS.contains(&tx.outputs.len()) {
        return None;
    }
    let shape = Shape::of(tx);
    if !has_shape(&shape) {
        return None;
    }
    let (value, _) = shape.modal;
    let in_bitcoin = bitcoin::Amount::from_sat(value);
    let summary = format!(
        "{} has the shape of a Stonewall: two of {} outputs are worth {in_bitcoin} each",
        tx.txid, shape.outputs
    );
    let verdict = Verdict::new("btc.stonewall", Confidence::Weak)
        .count("inputs", shape.inputs)
        .count("outputs", shape.outputs)
        .satoshi("value", value);
    Some(verdict.about(tx, tx.outputs_worth(value), summary))
}

/// True for the shape alone, which vetoes a verdict of equal outputs.
pub(crate) fn has_shape(shape: &Shape<'_>) -> bool {
    let (value, count) = shape.modal;
    OUTPUTS.contains(&shape.outputs)
        && shape.inputs >= 2
        && shape.distinct_outputs
        && count == 2
        && value >= SMALLEST
        && shape.values.len() + 1 == shape.outputs
}
