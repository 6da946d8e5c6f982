//! Runs the searches over nonces and balances against an endpoint, through the queue that all of them share.

use std::collections::BTreeMap;

use super::{
    BalanceHistory, BalanceSearch, Contradiction, Explained, Held, NonceHistory, NonceSearch,
    Probe, Probes, Span, WalkError,
};

/// Finds the blocks in which nonces rose, or says of which accounts there are more than `bound`.
///
/// Heights must be of blocks that the endpoint has. Where it keeps no state of the time, the failure is its own.
pub async fn nonce_histories<E: Send + 'static>(
    probes: &Probes<E>,
    spans: &[Span],
    bound: u64,
) -> Result<BTreeMap<Span, NonceHistory>, WalkError<E>> {
    let mut search = NonceSearch::new(spans.iter().copied(), bound);
    loop {
        let wanted = search.probes();
        if wanted.is_empty() {
            break;
        }
        let asked: Vec<_> = wanted.iter().map(|(a, h)| Probe::Nonce(*a, *h)).collect();
        for (probe, nonce) in wanted.into_iter().zip(probes.ask(&asked).await?) {
            let (what, block) = ("a nonce", probe.1);
            let nonce = u64::try_from(nonce).map_err(|_| Contradiction::NoNumber { what, block });
            let learnt = nonce.and_then(|nonce| search.learn(probe, nonce));
            learnt.map_err(WalkError::Inconsistent)?;
        }
    }
    let histories = spans.iter().map(|span| (*span, search.history(span)));
    Ok(histories.collect())
}

/// Finds the blocks in which a balance changed in a way that is not explained; see [`super::UNSEEN`].
///
/// Where the endpoint keeps no state of the time, the failure is its own.
pub async fn balance_history<E: Send + 'static>(
    probes: &Probes<E>,
    held: Held,
    explained: BTreeMap<u64, Explained>,
    looks: usize,
    bound: usize,
) -> Result<BalanceHistory, WalkError<E>> {
    let mut search = BalanceSearch::new(held, explained, looks, bound);
    loop {
        let wanted = search.probes();
        if wanted.is_empty() {
            return Ok(search.history());
        }
        let asked: Vec<_> = wanted
            .iter()
            .map(|(account, coin, height)| Probe::Balance(*account, *coin, *height))
            .collect();
        let balances = probes.ask(&asked).await?;
        for ((_, _, height), balance) in wanted.into_iter().zip(balances) {
            let learnt = search.learn(height, balance.into());
            learnt.map_err(WalkError::Inconsistent)?;
        }
    }
}
