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
        if scene.received_numbers(account).is_empty() {
            continue;
        }
        for number in scene.given_numbers(account) {
            let first = &scene.transfers[*number];
            if first.to == account || !scene.is_known(first.coin()) {
                continue;
            }
            let mut trip = vec![*number];
            if is_back(scene, account, &mut trip) {
                found.extend(finding(scene, account, &trip));
                break;
            }
        }
    }
    found
}

/// Extends a trip until it is back; `false` where none is found, and then the trip is as it was.
fn is_back(scene: &Scene<'_>, home: AccountIx, trip: &mut Vec<usize>) -> bool {
    let (Some(first), Some(last)) = (trip.first().copied(), trip.last().copied()) else {
        return false;
    };
    let (first, last) = (&scene.transfers[first], &scene.transfers[last]);
    if last.to == home {
        return trip.len() > 1;
    }
    if trip.len() == LONGEST || scene.is_service(last.to) {
        return false;
    }
    for next in next(scene, trip, first, last) {
        trip.push(next);
        if is_back(scene, home, trip) {
            return true;
        }
        trip.pop();
    }
    false
}

/// The payments that may carry on what a payment brought: of the same coin, after it, nearly as much.
fn next(scene: &Scene<'_>, trip: &[usize], first: &Moved<'_>, last: &Moved<'_>) -> Vec<usize> {
    let numbers = scene.given_numbers(last.to);
    let after = trip.last().copied().unwrap_or_default();
    let start = numbers.partition_point(|number| *number <= after);
    let whole = Amount::from(1_000_u64);
    let Ok(least) = last.amount().mul_div(Amount::from(LEAST_PER_MILLE), whole) else {
        return Vec::new();
    };
    let latest = first.time().saturating_add(SECONDS);
    let looked_at = numbers[start..].iter().take(LOOKED_AT);
    let fitting = looked_at.filter(|number| {
        let moved = &scene.transfers[**number];
        let hash = moved.told.hash;
        let fits = moved.coin() == last.coin()
            && moved.time() <= latest
            && moved.amount() <= last.amount()
            && moved.amount() >= least;
        // What comes back within one transaction is a contract's business.
        fits && hash != last.told.hash && moved.to != last.to
    });
    fitting.take(FOLLOWED).copied().collect()
}

fn finding(scene: &Scene<'_>, account: AccountIx, trip: &[usize]) -> Option<Finding> {
    let moved = |number: &usize| &scene.transfers[*number];
    let (first, last) = (moved(trip.first()?), moved(trip.last()?));
    let through: Vec<String> = trip[1..]
        .iter()
        .filter_map(|number| Some(scene.address(moved(number).from?).to_string()))
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
    let evidence = trip.iter().map(|number| scene.id(moved(number))).collect();
    let summary = format!(
        "value that left {} comes back through {} others",
        scene.address(account),
        trip.len() - 1
    );
    Some(verdict.finding(vec![scene.node(account)], evidence, summary))
}
