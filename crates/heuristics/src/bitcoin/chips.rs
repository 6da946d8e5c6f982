//! Chips as ChipMixer made them: coins of a few round values in advance, to be handed over by their keys.

use crate::{Confidence, Finding};

use super::coinjoin::coinjoin;
use super::shape::Shape;
use super::view::TxView;
use crate::verdict::Verdict;

/// How many outputs there are at least. Source: TaintedTX.
const OUTPUTS: usize = 4;

/// How many different values they have at most. Source: TaintedTX.
const VALUES: usize = 2;

/// What a chip's value is a multiple of, in satoshi. Source: TaintedTX.
const UNIT: u64 = 100_000;

/// 2017-05-01 in seconds since 1970: before there were no chips. Source: TaintedTX, which says about May 2017.
const FIRST: u64 = 1_493_596_800;

/// Says whether a transaction may have made chips. Round payouts of the same amount look alike.
pub fn chips(tx: &TxView<'_>) -> Option<Finding> {
    let early = tx.time.is_some_and(|time| time < FIRST);
    if early || tx.is_coinbase() || tx.outputs.len() < OUTPUTS {
        return None;
    }
    let shape = Shape::of(tx);
    let repeated = || shape.values.iter().filter(|(_, count)| **count >= 2);
    let round = repeated().all(|(value, _)| *value > 0 && value.is_multiple_of(UNIT));
    if shape.values.len() > VALUES || !round || coinjoin(tx).is_some() {
        return None;
    }
    let made: usize = repeated().map(|(_, count)| count).sum();
    let values: Vec<_> = repeated().map(|(value, _)| value.to_string()).collect();
    let verdict = Verdict::new("btc.chipmixer-chips", Confidence::Weak)
        .count("chips", made)
        .count("outputs", shape.outputs)
        .with("values", values);
    let summary = format!(
        "{} makes {made} coins of round values, as ChipMixer's chips were",
        tx.txid
    );
    let chip = |value| shape.values.get(&value).is_some_and(|count| *count >= 2);
    Some(verdict.about(tx, tx.outputs_with(|coin| chip(coin.value)), summary))
}
