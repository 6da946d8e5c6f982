//! Accounts that value only passes through: nearly all that comes goes on soon.

use std::collections::BTreeMap;

use hansel_ledger::{Amount, Coin};

use crate::verdict::Verdict;
use crate::{Confidence, Finding};

use super::scene::{AccountIx, Moved, Scene};

/// Within how many seconds it goes on. Ours.
const SECONDS: u64 = 3_600;

/// At least so many thousandths of all that came went on in that time. Ours.
const LEAST_PER_MILLE: u64 = 950;

/// How many transfers a finding names at most; it counts all.
const NAMED: usize = 100;

/// What came and what went of one coin.
#[derive(Default)]
struct Through<'s, 'a> {
    received: Vec<&'s Moved<'a>>,
    given: Vec<&'s Moved<'a>>,
}

/// A finding for each account and coin that passes nearly everything on. Services do so all day and are left out.
pub(super) fn findings(scene: &Scene<'_>) -> Vec<Finding> {
    let accounts = scene.subjects();
    accounts
        .flat_map(|account| passing(scene, account))
        .collect()
}

fn passing(scene: &Scene<'_>, account: AccountIx) -> Vec<Finding> {
    if scene.given(account).is_empty() || scene.is_service(account) {
        return Vec::new();
    }
    let mut coins: BTreeMap<Coin, Through<'_, '_>> = BTreeMap::new();
    for moved in scene.received(account) {
        let through = coins.entry(moved.coin()).or_default();
        through.received.push(moved);
    }
    for moved in scene.given(account) {
        if let Some(through) = coins.get_mut(&moved.coin()) {
            through.given.push(moved);
        }
    }
    let known = coins.into_iter().filter(|(coin, _)| scene.is_known(*coin));
    let found = known.filter_map(|(coin, through)| finding(scene, account, coin, &through));
    found.collect()
}

/// How much went on in time, first in first out, and the longest that any of it lay.
struct Passed {
    amount: Amount,
    longest: u64,
    in_one_block: bool,
}

impl Through<'_, '_> {
    /// `None` where a sum does not fit, as of an invented token.
    fn passed(&self) -> Option<Passed> {
        let mut passed = Passed {
            amount: Amount::ZERO,
            longest: 0,
            in_one_block: true,
        };
        let mut received = self.received.iter();
        let mut lying: Option<(&Moved<'_>, Amount)> = None;
        for given in &self.given {
            let mut wanted = given.amount();
            while !wanted.is_zero() {
                let (came, left) = match lying.take() {
                    Some(lying) => lying,
                    None => match received.next() {
                        Some(next) => (*next, next.amount()),
                        None => return Some(passed),
                    },
                };
                if came.place() > given.place() {
                    // It was paid from what was there before.
                    lying = Some((came, left));
                    break;
                }
                let taken = left.min(wanted);
                let age = given.time().saturating_sub(came.time());
                if age <= SECONDS {
                    passed.amount = passed.amount.checked_add(taken).ok()?;
                    passed.longest = passed.longest.max(age);
                    passed.in_one_block &= given.block() == came.block();
                }
                wanted = wanted.checked_sub(taken).ok()?;
                let rest = left.checked_sub(taken).ok()?;
                lying = (!rest.is_zero()).then_some((came, rest));
            }
        }
        Some(passed)
    }
}

fn finding(
    scene: &Scene<'_>,
    account: AccountIx,
    coin: Coin,
    through: &Through<'_, '_>,
) -> Option<Finding> {
    let received = Amount::checked_sum(through.received.iter().map(|one| one.amount())).ok()?;
    let passed = through.passed()?;
    let least = received
        .mul_div(Amount::from(LEAST_PER_MILLE), Amount::from(1_000_u64))
        .ok()?;
    // Within a block it is a contract's business, not a hurry.
    if passed.amount < least || passed.amount.is_zero() || passed.in_one_block {
        return None;
    }
    let verdict = Verdict::new("evm.rapid-pass-through", Confidence::Weak)
        .amount("received", received)
        .amount("passed-on", passed.amount)
        .with("longest-seconds", passed.longest)
        .with("within-seconds", SECONDS)
        .with("least-per-mille", LEAST_PER_MILLE)
        .count("arrivals", through.received.len())
        .count("payments", through.given.len())
        .with("coin", scene.coin(coin));
    let named = through.received.iter().chain(&through.given);
    let evidence = named.take(NAMED).map(|one| scene.id(one)).collect();
    let summary = format!(
        "{} passes nearly everything on within {} seconds",
        scene.address(account),
        passed.longest
    );
    Some(verdict.finding(vec![scene.node(account)], evidence, summary))
}
