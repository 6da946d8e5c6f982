//! CoinJoins: transactions that many people sign together so that nobody can tell whose output is whose.

use crate::{Finding, Parameter};

use super::equal_outputs::equal_outputs;
use super::joinmarket::joinmarket;
use super::shape::Shape;
use super::view::TxView;
use super::wasabi1::wasabi1;
use super::wasabi2::wasabi2;
use super::whirlpool::whirlpool;

/// A family of CoinJoins.
type Family = fn(&TxView<'_>, &Shape<'_>) -> Option<Finding>;

/// The families, the most specific shape first: of several that a transaction matches, the first speaks.
const FAMILIES: [Family; 5] = [whirlpool, wasabi2, wasabi1, joinmarket, equal_outputs];

/// A CoinJoin has no fewer outputs than this. Source: BlockSci.
const OUTPUTS: usize = 3;

/// Says whether a transaction mixes the coins of several people, and of which family it is.
///
/// The order of families is Whirlpool, Wasabi 2, Wasabi 1, JoinMarket, equal outputs; the others that match
/// stand in the parameter `also`. Inputs of unknown value speak neither for nor against a family that can do
/// without them, and make it `weak`. A Whirlpool Tx0 and a Stonewall mix nothing and are found elsewhere.
pub fn coinjoin(tx: &TxView<'_>) -> Option<Finding> {
    if tx.is_coinbase() || tx.outputs.len() < OUTPUTS {
        return None;
    }
    let shape = Shape::of(tx);
    if shape.modal.1 < 2 {
        return None;
    }
    let mut matching = FAMILIES.iter().filter_map(|family| family(tx, &shape));
    let mut best = matching.next()?;
    let others: Vec<_> = matching.map(|other| other.heuristic.to_owned()).collect();
    if !others.is_empty() {
        best.parameters.insert("also", Parameter::List(others));
    }
    Some(best)
}
