//! Wasabi 2: many people's coins cut into standard denominations, all sorted by value.

use bitcoin::Script;

use crate::{Confidence, Finding};

use super::shape::Shape;
use super::view::TxView;
use crate::verdict::Verdict;

/// How many coins join at least. Source: GraphSense, as the client's default minimum is 21.
const INPUTS: usize = 20;

/// The smallest and the largest denomination in satoshi. Source: Dumplings; GraphSense has the same smallest.
const DENOMINATIONS: std::ops::RangeInclusive<u64> = 5_000..=134_375_000_000;

/// How many values occur at least twice. Source: GraphSense.
const REPEATED: usize = 3;

/// Says whether a transaction is a mix of Wasabi 2.
pub(crate) fn wasabi2(tx: &TxView<'_>, shape: &Shape<'_>) -> Option<Finding> {
    if shape.inputs < INPUTS || !shape.distinct_outputs || !shape.is_shared_widely() {
        return None;
    }
    let repeated = shape.values.values().filter(|count| **count >= 2);
    let (kinds, mixed) = repeated.fold((0, 0), |(kinds, sum), count| (kinds + 1, sum + count));
    let standard = tx.outputs_with(|coin| is_denomination(coin.value)).count();
    let fits = kinds >= REPEATED && 2 * mixed + 1 >= shape.outputs && 2 * standard > shape.outputs;
    if !fits || !is_built_by_the_protocol(tx, shape) {
        return None;
    }
    let known = shape.coins_in.is_some();
    let confidence = if known {
        Confidence::Strong
    } else {
        Confidence::Weak
    };
    let verdict = Verdict::new("btc.coinjoin.wasabi2", confidence)
        .count("inputs", shape.inputs)
        .count("outputs", shape.outputs)
        .count("repeated-values", kinds)
        .count("outputs-of-repeated-values", mixed)
        .count("outputs-of-standard-denominations", standard);
    let summary = format!(
        "{} has the shape of a mix of Wasabi 2: {standard} of {} outputs have standard denominations",
        tx.txid, shape.outputs
    );
    let evidence = tx.outputs_with(|coin| is_denomination(coin.value));
    Some(verdict.about(tx, evidence, summary))
}

/// True where every coin is of a kind that the protocol takes, none is too small, and both sides are sorted by
/// value, the largest first. Source: Dumplings; the smallest value is GraphSense's as well.
fn is_built_by_the_protocol(tx: &TxView<'_>, shape: &Shape<'_>) -> bool {
    let sorted_in = shape
        .coins_in
        .as_ref()
        .is_none_or(|coins| coins.is_sorted_by(|one, next| one.value >= next.value));
    sorted_in
        && tx.outputs.is_sorted_by(|one, next| one.value >= next.value)
        && tx
            .outputs
            .iter()
            .all(|coin| coin.value >= *DENOMINATIONS.start() && is_taken(coin.script))
        && Shape::all_inputs(tx, |coin| is_taken(coin.script))
}

fn is_taken(script: &Script) -> bool {
    script.is_p2wpkh() || script.is_p2tr()
}

/// True for powers of two, powers of three and their doubles, and 1, 2 and 5 times powers of ten. Source:
/// Dumplings.
pub(crate) fn is_denomination(value: u64) -> bool {
    let power =
        |base: u64, times: u64| value.is_multiple_of(times) && is_power(value / times, base);
    DENOMINATIONS.contains(&value)
        && (value.is_power_of_two()
            || power(3, 1)
            || power(3, 2)
            || power(10, 1)
            || power(10, 2)
            || power(10, 5))
}

fn is_power(mut value: u64, base: u64) -> bool {
    while value > 1 && value.is_multiple_of(base) {
        value /= base;
    }
    value == 1
}
