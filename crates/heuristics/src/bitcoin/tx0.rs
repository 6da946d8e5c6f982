//! Whirlpool's Tx0: one person's coins cut into pieces that fit a pool.

use crate::{Confidence, Finding};

use super::shape::Shape;
use super::view::TxView;
use super::whirlpool::{ENTRY, POOLS, WhirlpoolPool};
use crate::verdict::Verdict;

/// How many pieces at most. Source: GraphSense.
const PIECES: usize = 70;

/// How many spendable outputs besides the pieces: the fee and the change. Source: GraphSense.
const OTHERS: usize = 2;

/// The shortest script of the marker: the coordinator's encrypted hint. Ours: 66 and 83 bytes were measured
/// in real transactions, while the memos of other protocols mostly are shorter.
const MARKER: usize = 50;

/// Says whether a transaction prepares coins for Whirlpool.
///
/// It mixes nothing: all its outputs but the coordinator's fee are one person's, so it ends no trail.
pub fn whirlpool_tx0(tx: &TxView<'_>) -> Option<Finding> {
    if !has_marker(tx) {
        return None;
    }
    let shape = Some(Shape::of(tx)).filter(|shape| shape.distinct_outputs)?;
    let (pool, piece, count) = POOLS.iter().find_map(|pool| pieces(tx, &shape, pool))?;
    let confidence = if count > 1 {
        pool.confidence
    } else {
        Confidence::Weak
    };
    let verdict = Verdict::new("btc.coinjoin.whirlpool-tx0", confidence)
        .count("pieces", count)
        .satoshi("piece", piece)
        .satoshi("denomination", pool.denomination)
        .with("operator", pool.operator);
    let summary = format!(
        "{} cuts coins into {count} of {}, as for Whirlpool's pool of {}",
        tx.txid,
        bitcoin::Amount::from_sat(piece),
        bitcoin::Amount::from_sat(pool.denomination)
    );
    Some(verdict.about(tx, tx.outputs_worth(piece), summary))
}

/// True where exactly one output carries data, of a length and a form that no readable memo has.
fn has_marker(tx: &TxView<'_>) -> bool {
    let mut data = tx.outputs.iter().filter(|coin| coin.script.is_op_return());
    let marker = data.next().is_some_and(|coin| {
        let bytes = coin.script.as_bytes();
        let readable = bytes
            .iter()
            .skip(3)
            .all(|byte| byte.is_ascii_graphic() || *byte == b' ');
        bytes.len() >= MARKER && !readable
    });
    marker && data.next().is_none()
}

/// The most frequent value that fits a pool, and how often it occurs, where the other outputs fit as well.
fn pieces<'a>(
    tx: &TxView<'_>,
    shape: &Shape<'_>,
    pool: &'a WhirlpoolPool,
) -> Option<(&'a WhirlpoolPool, u64, usize)> {
    let range = pool.denomination + ENTRY.start()..=pool.denomination + ENTRY.end();
    let fitting = shape
        .values
        .range(range)
        .map(|(value, count)| (*count, *value));
    let (count, piece) = fitting.max()?;
    let others = shape.outputs.checked_sub(count + 1)?;
    let fits = count <= PIECES && others <= OTHERS && is_paid(tx, pool, piece, count);
    fits.then_some((pool, piece, count))
}

/// True where an output is the coordinator's fee: between half and three times of what a pool takes. Source:
/// GraphSense, which wants exactly one such output; but the change may be worth as little. Where no source says
/// what a pool takes, two pieces at least must speak for themselves.
fn is_paid(tx: &TxView<'_>, pool: &WhirlpoolPool, piece: u64, count: usize) -> bool {
    let Some(fee) = pool.fee else {
        return count >= 2;
    };
    let mut others = tx.outputs.iter().filter(|coin| coin.value != piece);
    others.any(|coin| (fee / 2..=fee * 3).contains(&coin.value))
}
