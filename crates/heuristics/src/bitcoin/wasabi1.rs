//! Wasabi 1: many equal outputs of about 0.1 bitcoin, later with doubled levels besides.

use bitcoin::Script;

use crate::{Confidence, Finding};

use super::shape::Shape;
use super::view::TxView;
use crate::verdict::Verdict;

/// The witness programs of the addresses that the coordinator was paid at, `bc1qs604c7jv…` and `bc1qa24tsgch…`.
/// Source: Dumplings.
const COORDINATOR: [[u8; 20]; 2] = [
    [
        0x86, 0x9f, 0x5c, 0x7a, 0x4c, 0xd7, 0x77, 0x6a, 0xe0, 0xc0, 0xfc, 0xd9, 0xc3, 0x31, 0x5a,
        0xbb, 0x23, 0x9a, 0x9f, 0x0d,
    ],
    [
        0xea, 0xaa, 0xb8, 0x23, 0x17, 0x67, 0x0d, 0x0e, 0xe3, 0x01, 0x3b, 0x07, 0x3b, 0x25, 0xa7,
        0xa5, 0xc7, 0x80, 0xf5, 0x28,
    ],
];

/// The heights between which these addresses speak for a mix. Source: Dumplings.
const COORDINATED: std::ops::Range<u64> = 530_500..610_000;

/// A mix that pays the coordinator has more equal outputs than this. Source: Dumplings.
const PAYING: usize = 2;

/// What an equal output is worth: 0.1 bitcoin, give or take 0.02. Source: Dumplings.
const DENOMINATION: std::ops::RangeInclusive<u64> = 8_000_000..=12_000_000;

/// How many equal outputs a mix that is known by its shape has at least. Source: Dumplings.
const EQUAL: usize = 10;

/// How many outputs have a value of their own, at least. Source: Dumplings.
const UNIQUE: usize = 2;

/// Says whether a transaction is a mix of Wasabi 1, and of which version.
pub(crate) fn wasabi1(tx: &TxView<'_>, shape: &Shape<'_>) -> Option<Finding> {
    let coordinated = is_coordinated(tx, shape);
    if !coordinated && !has_shape(tx, shape) {
        return None;
    }
    let (denomination, count) = shape.modal;
    let levels = levels(shape);
    let (heuristic, version) = match levels.len() {
        0 => ("btc.coinjoin.wasabi1", "1.0"),
        _ => ("btc.coinjoin.wasabi1-1", "1.1"),
    };
    let known = coordinated || shape.coins_in.is_some();
    let confidence = if known {
        Confidence::Strong
    } else {
        Confidence::Weak
    };
    let verdict = Verdict::new(heuristic, confidence)
        .count("equal-outputs", count)
        .satoshi("denomination", denomination)
        .count("inputs", shape.inputs)
        .count("outputs", shape.outputs)
        .count("levels", levels.len() + 1)
        .with("coordinator-paid", coordinated);
    let in_bitcoin = bitcoin::Amount::from_sat(denomination);
    let summary = format!(
        "{} has the shape of a mix of Wasabi {version}: {count} equal outputs of {in_bitcoin}",
        tx.txid
    );
    let mixed = |value| value == denomination || levels.contains(&value);
    Some(verdict.about(tx, tx.outputs_with(|coin| mixed(coin.value)), summary))
}

/// True where the coordinator's address of the time is paid and some value occurs several times.
fn is_coordinated(tx: &TxView<'_>, shape: &Shape<'_>) -> bool {
    let in_time = tx.height.is_none_or(|height| COORDINATED.contains(&height));
    let several = shape.modal.1 > PAYING && shape.inputs >= PAYING;
    in_time && several && tx.outputs.iter().any(|coin| is_coordinators(coin.script))
}

fn is_coordinators(script: &Script) -> bool {
    let program = script.as_bytes().get(2..).filter(|_| script.is_p2wpkh());
    program.is_some_and(|program| COORDINATOR.iter().any(|known| known == program))
}

/// True for the shape of later mixes, whose coordinator is paid at ever new addresses.
fn has_shape(tx: &TxView<'_>, shape: &Shape<'_>) -> bool {
    let (denomination, count) = shape.modal;
    let unique = shape.values.values().filter(|count| **count == 1).count();
    DENOMINATION.contains(&denomination)
        && count >= EQUAL
        && shape.inputs >= count
        && unique >= UNIQUE
        && shape.distinct_outputs
        && shape.is_shared_widely()
        && !is_payout(tx, shape)
        && tx.outputs.iter().all(|coin| coin.script.is_p2wpkh())
        && Shape::all_inputs(tx, |coin| coin.script.is_p2wpkh())
}

/// GraphSense's veto: the outputs of a small mix are not a round multiple of the denomination, as those of a
/// payout from one purse may be.
fn is_payout(tx: &TxView<'_>, shape: &Shape<'_>) -> bool {
    let (denomination, _) = shape.modal;
    let total: u128 = tx.outputs.iter().map(|coin| u128::from(coin.value)).sum();
    let rest = total % u128::from(denomination);
    let distance = rest.min(u128::from(denomination) - rest);
    shape.inputs < 20 && distance * 10_000 <= u128::from(denomination)
}

/// The values of the doubled levels: 2^i times the denomination, give or take a twentieth, at least twice each.
/// Source: GraphSense, where the denomination is 0.1 bitcoin; here it is what most outputs are worth.
fn levels(shape: &Shape<'_>) -> Vec<u64> {
    let (denomination, _) = shape.modal;
    let several = shape
        .values
        .iter()
        .filter(|(value, count)| **count >= 2 && **value > denomination);
    several
        .filter(|(value, _)| is_level(**value, denomination))
        .map(|(value, _)| *value)
        .collect()
}

fn is_level(value: u64, denomination: u64) -> bool {
    let doubled = (1..32).map(|times| u128::from(denomination) << times);
    doubled
        .into_iter()
        .any(|level| u128::from(value).abs_diff(level) * 20 <= level)
}
