//! Whirlpool: a few coins of one pool's denomination in, as many out, nothing else.

use crate::{Confidence, Finding};

use super::shape::Shape;
use super::view::TxView;
use crate::verdict::Verdict;

/// A pool of a Whirlpool coordinator.
#[derive(Clone, Copy, Debug)]
pub(crate) struct WhirlpoolPool {
    /// What every output is worth, in satoshi.
    pub(crate) denomination: u64,
    /// What entering costs, in satoshi, where a source says it.
    pub(crate) fee: Option<u64>,
    /// Who coordinates.
    pub(crate) operator: &'static str,
    /// How sure a mix of this pool is: the newer pools are known from one second-hand source only.
    pub(crate) confidence: Confidence,
}

const fn samourai(denomination: u64, fee: u64) -> WhirlpoolPool {
    WhirlpoolPool {
        denomination,
        fee: Some(fee),
        operator: "samourai",
        confidence: Confidence::Strong,
    }
}

const fn ashigaru(denomination: u64) -> WhirlpoolPool {
    WhirlpoolPool {
        denomination,
        fee: None,
        operator: "ashigaru",
        confidence: Confidence::Weak,
    }
}

/// All pools. Sources: GraphSense for Samourai's, am-i-exposed for Ashigaru's.
pub(crate) const POOLS: [WhirlpoolPool; 6] = [
    samourai(100_000, 5_000),
    samourai(1_000_000, 50_000),
    samourai(5_000_000, 175_000),
    samourai(50_000_000, 1_750_000),
    ashigaru(2_500_000),
    ashigaru(25_000_000),
];

/// What a coin that enters its first mix brings for the miners, in satoshi. Source: GraphSense.
pub(crate) const ENTRY: std::ops::RangeInclusive<u64> = 100..=110_000;

/// How many coins mix. Sources: GraphSense for five to eight, Dumplings for up to ten.
const COINS: std::ops::RangeInclusive<usize> = 5..=10;

/// How many of them enter for the first time. Source: GraphSense.
const ENTRANTS: std::ops::RangeInclusive<usize> = 1..=4;

/// Says whether a transaction is a mix of Whirlpool.
pub(crate) fn whirlpool(tx: &TxView<'_>, shape: &Shape<'_>) -> Option<Finding> {
    let (denomination, count) = shape.modal;
    let pool = POOLS
        .iter()
        .find(|pool| pool.denomination == denomination)?;
    let square = COINS.contains(&count) && count == shape.outputs && count == shape.inputs;
    if !square || !shape.distinct_outputs || !Shape::all_inputs(tx, |coin| coin.script.is_p2wpkh())
    {
        return None;
    }
    let entrants = match &shape.coins_in {
        Some(_) => Some(entrants(shape, denomination)?),
        None => None,
    };
    let confidence = entrants.map_or(Confidence::Weak, |_| pool.confidence);
    let verdict = Verdict::new("btc.coinjoin.whirlpool", confidence)
        .count("participants", count)
        .satoshi("denomination", denomination)
        .with("operator", pool.operator);
    let verdict = match entrants {
        Some(entrants) => verdict.count("entrants", entrants),
        None => verdict.with("input-values", "not known"),
    };
    let in_bitcoin = bitcoin::Amount::from_sat(denomination);
    let summary = format!(
        "{} has the shape of a Whirlpool mix of {count} coins of {in_bitcoin}",
        tx.txid
    );
    Some(verdict.about(tx, 0..count, summary))
}

/// How many coins enter for the first time; `None` where the inputs are not those of a mix.
fn entrants(shape: &Shape<'_>, denomination: u64) -> Option<usize> {
    let coins = shape.coins_in.as_ref()?;
    if shape.input_scripts != coins.len() {
        return None;
    }
    let mut entrants = 0;
    for coin in coins {
        let brought = coin.value.checked_sub(denomination)?;
        if ENTRY.contains(&brought) {
            entrants += 1;
        } else if brought != 0 {
            return None;
        }
    }
    ENTRANTS.contains(&entrants).then_some(entrants)
}
