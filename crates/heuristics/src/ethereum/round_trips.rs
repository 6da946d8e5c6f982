//! Value that comes back to the account that it left, through others.

use hansel_ledger::Amount;

use crate::verdict::Verdict;
use crate::{Confidence, Finding};

use super::scene::{AccountIx, Moved, Scene};

/// How many payments a trip has at most. Ours.
const LONGEST: usize = 5;

/// Within how many seconds it ends. Ours.
const SECONDS: u64 = 7 * 86_400;

/// Each payment is at least so many thousandths of the one before. Ours.
const LEAST_PER_MILLE: u64 = 900;

/// How many payments of an account are looked at after one that came, so that hubs cost no more than others. Ours.
const LOOKED_AT: usize = 16;

/// How many of them are followed. Ours.
const FOLLOWED: usize = 2;

/// A finding for each account and first payment that comes back; the trip that is found first.
pub(super) fn findings(scene: &Scene<'_>) -> Vec<Finding> {
    let mut found = Vec::new();
    for account in scene.subjects() {
        // Whom nobody pays nothing comes back to.
        if scene.received(account).len() == 0 {
            continue;
        }
        for first in scene.given(account) {
            if first.to == account || !scene.is_known(first.coin()) {
                continue;
            }
            let mut trip = vec![first];
            if is_back(scene, account, &mut trip) {
                found.extend(finding(scene, account, &trip));
                break;
            }
        }
    }
    found
}

/// Extends a trip until it is back; `false` where none is found, and then the trip is as it was.
fn is_back<'s, 'a>(scene: &'s Scene<'a>, home: AccountIx, trip: &mut Vec<&'s Moved<'a>>) -> bool {
    let (Some(first), Some(last)) = (trip.first().copied(), trip.last().copied()) else {
        return false;
    };
    if last.to == home {
        return trip.len() > 1;
    }
    if trip.len() == LONGEST || scene.is_service(last.to) {
        return false;
    }
    for next in next(scene, first, last) {
        trip.push(next);
        if is_back(scene, home, trip) {
            return true;
        }
        trip.pop();
    }
    false
}

/// The payments that may carry on what a payment brought: of the same coin, after it, nearly as much.
fn next<'s, 'a>(scene: &'s Scene<'a>, first: &Moved<'_>, last: &Moved<'_>) -> Vec<&'s Moved<'a>> {
    let whole = Amount::from(1_000_u64);
    let Ok(least) = last.amount().mul_div(Amount::from(LEAST_PER_MILLE), whole) else {
        return Vec::new();
    };
    let latest = first.time().saturating_add(SECONDS);
    let looked_at = scene.onward(last).iter().take(LOOKED_AT);
    let fitting = looked_at.filter(|moved| {
        let fits = moved.coin() == last.coin()
            && moved.time() <= latest
            && moved.amount() <= last.amount()
            && moved.amount() >= least;
        // What comes back within one transaction is a contract's business.
        fits && moved.hash != last.hash && moved.to != last.to
    });
    fitting.take(FOLLOWED).collect()
}

fn finding(scene: &Scene<'_>, account: AccountIx, trip: &[&Moved<'_>]) -> Option<Finding> {
    let (first, last) = (trip.first()?, trip.last()?);
    let through: Vec<String> = trip[1..]
        .iter()
        .filter_map(|moved| Some(scene.address(moved.from?).to_string()))
        .collect();
    // A payment that is sent back is no trip: somebody refused it, or swapped it elsewhere.
    let refunded = through.len() == 1 && first.amount() == last.amount();
    let confidence = Confidence::Weak;
    let verdict = Verdict::new("evm.round-trip", confidence)
        .amount("left", first.amount())
        .amount("came-back", last.amount())
        .with("seconds", last.time().saturating_sub(first.time()))
        .with("within-seconds", SECONDS)
        .with("least-per-mille", LEAST_PER_MILLE)
        .with("through", through)
        .with("could-be-a-refund", refunded)
        .with("coin", scene.coin(first.coin()));
    let evidence = trip.iter().map(|moved| scene.id(moved)).collect();
    let summary = format!(
        "value that left {} comes back through {} others",
        scene.address(account),
        trip.len() - 1
    );
    Some(verdict.finding(vec![scene.node(account)], evidence, summary))
}
