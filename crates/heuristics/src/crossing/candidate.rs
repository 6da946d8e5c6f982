//! Payments on another chain that may be what left this one: by asset, amount and time alone, which proves nothing.

use std::collections::{BTreeMap, BTreeSet};

use alloy_primitives::{B256, U256};
use hansel_graph::{
    AccountEnding, AccountStep, AccountTrace, Category, PoolKey, TraceError, Venue,
};
use hansel_ledger::{Amount, AmountError, Chain, Coin, NodeId, TransferId};

use super::leaving::taint_of;
use super::{Carrier, Certainty, Departure, Leaving, Link, Payee, Place, Protocol};

/// How many seconds after its departure a candidate arrives at most.
pub const CANDIDATE_WINDOW: u64 = 6 * 3600;
/// How many thousandths less than what left a candidate is at most; it is never more.
pub const CANDIDATE_SHORTFALL: u64 = 50;
/// The best score of a candidate; half of it is for the amount, half for the time.
pub const BEST_SCORE: u64 = 1_000;

/// The score of a payment of `arrived` that came `after` seconds after `left` had left; `None` for one that is too
/// small, too late, or more than what left. Amounts are in the same units. The score is a measure of closeness, not a
/// probability.
pub fn candidate_score(left: Amount, arrived: Amount, after: u64) -> Option<u64> {
    let thousandths = |of: u64| left.mul_div(of.into(), 1_000.into());
    let most = thousandths(CANDIDATE_SHORTFALL).ok()?;
    let short = left.checked_sub(arrived).ok()?;
    if left.is_zero() || short > most || after > CANDIDATE_WINDOW {
        return None;
    }
    let half = BEST_SCORE / 2;
    let lost = if most.is_zero() {
        Amount::ZERO
    } else {
        short.mul_div(half.into(), most).ok()?
    };
    let lost = u64::try_from(lost.to_u256()).ok()?;
    Some(BEST_SCORE - lost - half * after / CANDIDATE_WINDOW)
}

/// The coin of a chain that has the symbol of a coin of another one, and the amount in its units: bridges pay the same
/// asset, whose contract is known only by the configuration.
pub fn same_asset(from: &Chain, coin: Coin, amount: Amount, to: &Chain) -> Option<(Coin, Amount)> {
    let asset = from.evm()?.asset(coin)?;
    let network = to.evm()?;
    let tokens = network.tokens.iter();
    let tokens = tokens.map(|token| (Coin::Token(token.contract), &token.asset));
    let mut all = std::iter::once((Coin::Native, &network.native)).chain(tokens);
    let (there, other) = all.find(|(_, other)| other.symbol == asset.symbol)?;
    let power = |decimals: u8| {
        let ten = U256::from(10).checked_pow(U256::from(decimals));
        ten.map(Amount::from)
    };
    let scaled = amount.mul_div(power(other.decimals)?, power(asset.decimals)?);
    Some((there, scaled.ok()?))
}

/// Tainted value that reached an account which labels call a bridge, except by the flows that are known to cross.
pub fn leaving_labelled(
    trace: &AccountTrace,
    known: &BTreeSet<TransferId>,
) -> Result<Vec<Leaving>, TraceError> {
    let chain = &trace.plan().chain;
    let mut bridges = BTreeMap::new();
    for pool in trace.settlement().pools() {
        if let AccountEnding::Venue(venue) = trace.ending(&pool)
            && venue.category == Category::Bridges
        {
            bridges.insert(pool.key, venue);
        }
    }
    let times: BTreeMap<B256, _> = trace
        .facts()
        .transactions()
        .map(|tx| (tx.hash, tx.placement.block.time))
        .collect();
    let mut all = Vec::new();
    for flow in trace.settlement().flows() {
        let AccountStep::Movement {
            origin,
            to,
            coin,
            amount,
            ..
        } = flow.step
        else {
            continue;
        };
        let id = TransferId::movement(chain, &flow.hash, origin);
        let key = PoolKey { account: to, coin };
        let (Some(venue), Some(time)) = (bridges.get(&key), times.get(&flow.hash)) else {
            continue;
        };
        if known.contains(&id) {
            continue;
        }
        let taints = trace.settlement().rules();
        let taints = taints.map(|rule| Ok((rule, taint_of(&flow, rule, amount)?)));
        let taints: BTreeMap<_, _> = taints.collect::<Result<_, AmountError>>()?;
        if taints.values().all(|taint| taint.tainted.is_zero()) {
            continue;
        }
        let carrier = Carrier::Movement {
            origin: origin.clone(),
            to,
            coin,
        };
        all.push(Leaving {
            departure: unlinked(&id, carrier, amount, venue),
            tx: flow.hash.to_string(),
            time: *time,
            node: NodeId::account(chain, &to),
            flow: id,
            category: Category::Bridges,
            taints,
            entity: Some(venue.entity.clone()),
        });
    }
    Ok(all)
}

/// What is known of value that a labelled bridge took: nothing of where it goes.
fn unlinked(id: &TransferId, carrier: Carrier, amount: Amount, venue: &Venue) -> Departure {
    Departure {
        protocol: Protocol::Unlinked,
        link: Link(id.to_string()),
        carrier: Some(carrier),
        amount,
        place: Place::Elsewhere("a chain that is not known".into()),
        payee: Payee::Unknown,
        refund_to: Vec::new(),
        payee_binds: false,
        asset: None,
        brings: None,
        certainty: Certainty::Consistent,
        searches: Vec::new(),
        parked: Some(format!(
            "a bridge took it: {}",
            super::place::printable(&venue.entity)
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_closer_in_amount_and_time_scores_more_and_what_is_too_far_has_no_score() {
        let score = |arrived: u64, after| candidate_score(1_000.into(), arrived.into(), after);
        assert_eq!(score(1_000, 0), Some(1_000));
        assert_eq!(score(950, 0), Some(500));
        assert_eq!(score(950, CANDIDATE_WINDOW), Some(0));
        assert!(score(999, 60) > score(990, 60) && score(999, 60) > score(999, 6_000));
        for (arrived, after) in [(1_001, 0), (949, 0), (1_000, CANDIDATE_WINDOW + 1)] {
            assert_eq!(score(arrived, after), None, "{arrived} after {after}");
        }
        assert_eq!(candidate_score(Amount::ZERO, Amount::ZERO, 0), None);
        assert_eq!(candidate_score(1.into(), 1.into(), 0), Some(1_000));
    }
}
