//! Many coins become one: somebody tidies up a purse, or sweeps deposits.

use crate::{Confidence, Finding};

use super::view::TxView;
use crate::verdict::Verdict;

/// How many coins are spent at least. Ours.
const COINS: usize = 5;

/// Says whether a transaction gathers many coins in a single output.
pub fn consolidation(tx: &TxView<'_>) -> Option<Finding> {
    let (coins, [output]) = (tx.inputs.len(), tx.outputs.as_slice()) else {
        return None;
    };
    if coins < COINS {
        return None;
    }
    let verdict = Verdict::new("btc.consolidation", Confidence::Strong)
        .count("inputs", coins)
        .count("least-inputs", COINS)
        .satoshi("value", output.value);
    let summary = format!("{} gathers {coins} coins in one output", tx.txid);
    Some(verdict.about(tx, [0], summary))
}
