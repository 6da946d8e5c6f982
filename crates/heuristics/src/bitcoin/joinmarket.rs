//! JoinMarket: one taker and several makers who each receive the same amount and keep their change.

use crate::{Confidence, Finding};

use super::equal_outputs::{ALLOWANCE, DUST, allowance, carries_data, changes, has_reuse};
use super::shape::Shape;
use super::subset_sum::{Feasible, feasible};
use super::view::TxView;
use crate::verdict::Verdict;

/// How many people take part at least. Source: GraphSense.
const PARTIES: usize = 3;

/// From how many on it is no coincidence any more. Ours, after Whirlpool's smallest mix.
const MANY: usize = 5;

/// From how many inputs on there are bounds to the numbers of inputs and outputs. Source: GraphSense.
const LARGE: usize = 50;

/// Says whether a transaction has the shape of JoinMarket and everybody can have paid for what they received.
pub(crate) fn joinmarket(tx: &TxView<'_>, shape: &Shape<'_>) -> Option<Finding> {
    let (amount, parties) = shape.modal;
    if !has_shape(shape) || has_reuse(tx) || carries_data(tx) {
        return None;
    }
    let coins = shape.coins_in.as_ref()?;
    let allowance = allowance(amount);
    if feasible(coins, amount, parties, &changes(shape, amount), allowance) != Feasible::Yes {
        return None;
    }
    let confidence = if parties >= MANY {
        Confidence::Strong
    } else {
        Confidence::Weak
    };
    let verdict = Verdict::new("btc.coinjoin.joinmarket", confidence)
        .count("parties", parties)
        .satoshi("amount", amount)
        .count("inputs", shape.inputs)
        .count("outputs", shape.outputs)
        .satoshi(ALLOWANCE, allowance)
        .error_rate("BlockSci's authors put their identification at about 94 % accuracy, larger transactions left out");
    let in_bitcoin = bitcoin::Amount::from_sat(amount);
    let summary = format!(
        "{} has the shape of JoinMarket: {parties} parties receive {in_bitcoin} each",
        tx.txid
    );
    Some(verdict.about(tx, tx.outputs_worth(amount), summary))
}

/// GraphSense's conditions; and ours, that all but one party keep their change, as makers do: whoever pays
/// several people the same amount has change once.
fn has_shape(shape: &Shape<'_>) -> bool {
    let (amount, parties) = shape.modal;
    let few = shape.inputs < LARGE
        || (shape.inputs <= 20 * parties && 10 * shape.outputs >= 17 * parties);
    amount > DUST
        && 2 * parties >= shape.outputs
        && (PARTIES..=shape.input_scripts).contains(&parties)
        && shape.distinct_outputs
        && 2 * parties <= shape.outputs + 1
        && few
}
