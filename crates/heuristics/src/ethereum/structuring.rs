//! Structuring: an amount cut into pieces that look alike or stay just below a round one.

use std::collections::{BTreeMap, BTreeSet};

use alloy_primitives::U256;
use hansel_ledger::{Amount, Coin};

use crate::verdict::Verdict;
use crate::{Confidence, Finding};

use super::scene::{AccountIx, Moved, Scene};

/// How many pieces there are at least. Ours.
const PIECES: usize = 5;

/// Within how many seconds they are paid. Ours.
const SECONDS: u64 = 86_400;

/// Just below means at most so many thousandths below one, two or five times a power of ten. Ours.
const BELOW_PER_MILLE: u64 = 50;

/// Coins of smaller units than this have no round amounts: the fewest digits of a round one. Ours.
const DIGITS: usize = 3;

/// How many transfers a finding names at most; it counts all.
const NAMED: usize = 100;

/// A finding for each account, coin and way of cutting. Services pay alike amounts all day and are left out.
pub(super) fn findings(scene: &Scene<'_>) -> Vec<Finding> {
    let accounts = scene.subjects();
    accounts
        .flat_map(|account| structured(scene, account))
        .collect()
}

fn structured(scene: &Scene<'_>, account: AccountIx) -> Vec<Finding> {
    if scene.given(account).len() < PIECES || scene.is_service(account) {
        return Vec::new();
    }
    let mut equal: BTreeMap<(Coin, Amount), Vec<&Moved<'_>>> = BTreeMap::new();
    let mut below: BTreeMap<(Coin, Amount), Vec<&Moved<'_>>> = BTreeMap::new();
    for moved in scene.given(account) {
        if moved.to == account || !scene.is_known(moved.coin()) {
            continue;
        }
        let alike = (moved.coin(), moved.amount());
        equal.entry(alike).or_default().push(moved);
        if let Some(round) = just_below(moved.amount()) {
            below.entry((moved.coin(), round)).or_default().push(moved);
        }
    }
    let equal = equal
        .into_iter()
        .filter_map(|(key, moved)| finding(scene, account, "evm.structuring.equal", key, &moved));
    let below = below.into_iter().filter_map(|(key, moved)| {
        // Equal pieces are told as such.
        let amounts: BTreeSet<Amount> = moved.iter().map(|one| one.amount()).collect();
        let varied = amounts.len() > 1;
        varied
            .then(|| finding(scene, account, "evm.structuring.below", key, &moved))
            .flatten()
    });
    equal.chain(below).collect()
}

/// The round amount that an amount stays just below: one, two or five times a power of ten.
fn just_below(amount: Amount) -> Option<Amount> {
    let amount = amount.to_u256();
    let digits = amount.to_string().len();
    if digits < DIGITS {
        return None;
    }
    let power = U256::from(10).checked_pow(U256::from(digits - 1))?;
    let rounds = [2_u64, 5, 10].map(|times| power.checked_mul(U256::from(times)));
    let round = rounds.into_iter().flatten().find(|round| *round > amount)?;
    let short = (round - amount).checked_mul(U256::from(1_000))?;
    let near = short <= round.checked_mul(U256::from(BELOW_PER_MILLE))?;
    near.then(|| round.into())
}

/// The first stretch of the time that holds the most pieces, where there are enough and they go to more than one account.
fn stretch<'b, 'a>(moved: &'b [&'b Moved<'a>]) -> Option<&'b [&'b Moved<'a>]> {
    let (mut start, mut best) = (0, 0..0);
    for end in 0..moved.len() {
        while moved[end].time().saturating_sub(moved[start].time()) > SECONDS {
            start += 1;
        }
        if end + 1 - start > best.len() {
            best = start..end + 1;
        }
    }
    (best.len() >= PIECES).then(|| &moved[best])
}

fn finding(
    scene: &Scene<'_>,
    account: AccountIx,
    rule: &'static str,
    (coin, amount): (Coin, Amount),
    moved: &[&Moved<'_>],
) -> Option<Finding> {
    let pieces = stretch(moved)?;
    let payees: BTreeSet<AccountIx> = pieces.iter().map(|one| one.to).collect();
    if payees.len() < 2 {
        return None;
    }
    let sum = Amount::checked_sum(pieces.iter().map(|one| one.amount())).ok()?;
    let verdict = Verdict::new(rule, Confidence::Weak)
        .count("pieces", pieces.len())
        .count("least-pieces", PIECES)
        .count("payees", payees.len())
        .with("within-seconds", SECONDS)
        .with("coin", scene.coin(coin))
        .amount("piece-or-bound", amount)
        .amount("amount", sum);
    let evidence = pieces.iter().take(NAMED).map(|one| scene.id(one)).collect();
    let summary = format!(
        "{} pays {} pieces of like amount to {} accounts within a day",
        scene.address(account),
        pieces.len(),
        payees.len()
    );
    Some(verdict.finding(vec![scene.node(account)], evidence, summary))
}
