//! Payments on another chain that may be what left this one: by asset, amount and time alone, which proves nothing.

use alloy_primitives::U256;
use hansel_ledger::{Amount, Asset, Chain, Coin};

use super::{Carrier, Departure};

/// How many seconds after its departure a candidate arrives at most.
pub const CANDIDATE_WINDOW: u64 = 6 * 3600;
/// How many thousandths less than what left a candidate is at most; it is never more.
pub const CANDIDATE_SHORTFALL: u64 = 50;
/// The best score of a candidate; half of it is for the amount, half for the time.
pub const BEST_SCORE: u64 = 1_000;

/// Tokens that are made against bitcoin one to one: see [`super::Protocol::Wbtc`] and [`super::Protocol::Tbtc`].
const BITCOINS: [&str; 2] = ["WBTC", "TBTC"];

/// The score of a payment of `arrived` that came `after` seconds after `left` had left; `None` for one that is too
/// small, too late, or more than what left. Amounts are in the same units; where what left is of another coin, it is
/// `None`, and the half of the score that is for the amount stays away. The score is a measure of closeness, not a
/// probability.
pub fn candidate_score(left: Option<Amount>, arrived: Amount, after: u64) -> Option<u64> {
    let half = BEST_SCORE / 2;
    let for_time = half.checked_sub(half * after.min(CANDIDATE_WINDOW + 1) / CANDIDATE_WINDOW)?;
    if after > CANDIDATE_WINDOW || arrived.is_zero() {
        return None;
    }
    match left {
        Some(left) => Some(for_time + for_amount(left, arrived)?),
        None => Some(for_time),
    }
}

/// The part of the score that is for the amount.
fn for_amount(left: Amount, arrived: Amount) -> Option<u64> {
    let half = BEST_SCORE / 2;
    let most = left.mul_div(CANDIDATE_SHORTFALL.into(), 1_000.into());
    let most = most.ok()?;
    let short = left.checked_sub(arrived).ok()?;
    if left.is_zero() || short > most {
        return None;
    }
    if most.is_zero() {
        return Some(half);
    }
    let lost = short.mul_div(half.into(), most).ok()?;
    Some(half - u64::try_from(lost.to_u256()).ok()?)
}

/// A coin that may be what a departure brings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Likeness {
    /// The coin; a Bitcoin chain has the native one only.
    pub coin: Coin,
    /// How much left, in units of this coin; `None` where another coin left, of which there is no price.
    pub amount: Option<Amount>,
}

/// The coins of a chain that may be what left another one: those that the departure names, else those that stand for
/// the same. A contract is known only by the configuration.
pub fn likenesses(from: &Chain, departure: &Departure, to: &Chain) -> Vec<Likeness> {
    let left = match &departure.carrier {
        Some(Carrier::Movement { coin, .. }) => *coin,
        Some(Carrier::Output(_)) => Coin::Native,
        None => return Vec::new(),
    };
    let left = coins(from)
        .find(|(coin, _)| *coin == left)
        .map(|(coin, asset)| {
            let kind = kind(from, coin, &asset);
            (asset, kind)
        });
    let named = departure.asset.as_deref().map(symbol_of);
    let coins = coins(to).filter_map(|(coin, asset)| {
        let kind = kind(to, coin, &asset);
        let alike = left.as_ref().filter(|(_, same)| *same == kind);
        let is_named = match &named {
            Some(named) => asset.symbol.eq_ignore_ascii_case(named) || kind == standing_for(named),
            None => alike.is_some(),
        };
        let scaled = |(left, _): &(Asset, String)| scaled(departure.amount, left, &asset);
        is_named.then(|| Likeness {
            coin,
            amount: alike.and_then(scaled),
        })
    });
    coins.collect()
}

/// The coins of a chain that are known.
fn coins(chain: &Chain) -> impl Iterator<Item = (Coin, Asset)> {
    let tokens = chain.evm().into_iter().flat_map(|network| &network.tokens);
    let tokens = tokens.map(|token| (Coin::Token(token.contract), token.asset.clone()));
    std::iter::once((Coin::Native, chain.native())).chain(tokens)
}

/// What a coin stands for: the native coin where it wraps it, bitcoin where it is made against it, else itself.
fn kind(chain: &Chain, coin: Coin, asset: &Asset) -> String {
    let wraps = |token| {
        chain
            .evm()
            .is_some_and(|network| network.wrapped == Some(token))
    };
    match coin {
        Coin::Token(token) if wraps(token) => standing_for(&chain.native().symbol),
        Coin::Native | Coin::Token(_) => standing_for(&asset.symbol),
    }
}

fn standing_for(symbol: &str) -> String {
    let symbol = symbol.to_ascii_uppercase();
    if BITCOINS.contains(&symbol.as_str()) {
        return "BTC".into();
    }
    symbol
}

/// The symbol in a protocol's words for an asset, as `USDC` in `ETH.USDC-0XA0B8...`.
fn symbol_of(words: &str) -> &str {
    let word = words.split(' ').next().unwrap_or_default();
    let asset = word.rsplit_once('.').map_or(word, |(_, asset)| asset);
    asset.split('-').next().unwrap_or_default()
}

/// An amount in the units of another asset of the same worth, rounded down.
fn scaled(amount: Amount, from: &Asset, to: &Asset) -> Option<Amount> {
    let power = |decimals: u8| {
        let ten = U256::from(10).checked_pow(U256::from(decimals));
        ten.map(Amount::from)
    };
    let scaled = amount.mul_div(power(to.decimals)?, power(from.decimals)?);
    scaled.ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_closer_in_amount_and_time_scores_more_and_what_is_too_far_has_no_score() {
        let score =
            |arrived: u64, after| candidate_score(Some(1_000.into()), arrived.into(), after);
        assert_eq!(score(1_000, 0), Some(1_000));
        assert_eq!(score(950, 0), Some(500));
        assert_eq!(score(950, CANDIDATE_WINDOW), Some(0));
        assert!(score(999, 60) > score(990, 60) && score(999, 60) > score(999, 6_000));
        for (arrived, after) in [(1_001, 0), (949, 0), (1_000, CANDIDATE_WINDOW + 1)] {
            assert_eq!(score(arrived, after), None, "{arrived} after {after}");
        }
        assert_eq!(candidate_score(Some(Amount::ZERO), Amount::ZERO, 0), None);
        assert_eq!(candidate_score(Some(1.into()), 1.into(), 0), Some(1_000));
        assert_eq!(candidate_score(Some(1.into()), 1.into(), u64::MAX), None);
    }

    #[test]
    fn what_is_of_another_coin_is_scored_by_time_alone() {
        let score = |after| candidate_score(None, 7.into(), after);
        assert_eq!(score(0), Some(500));
        assert_eq!(score(CANDIDATE_WINDOW), Some(0));
        assert_eq!(score(CANDIDATE_WINDOW + 1), None);
        assert_eq!(candidate_score(None, Amount::ZERO, 0), None);
    }

    #[test]
    fn the_symbol_of_an_asset_is_found_in_a_protocols_words() {
        for (words, symbol) in [
            ("BTC.BTC", "BTC"),
            ("ETH.USDC-0XA0B8", "USDC"),
            ("ARB.ETH (to Maya: AVAX.AVAX)", "ETH"),
            ("tBTC", "tBTC"),
            ("", ""),
        ] {
            assert_eq!(symbol_of(words), symbol, "{words}");
        }
    }
}
