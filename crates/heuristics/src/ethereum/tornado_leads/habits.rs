//! Leads from how somebody mixes: the price that he offers for gas, and how often he deposits and withdraws.

use std::collections::BTreeMap;

use alloy_primitives::Address;
use hansel_ledger::Amount;

use crate::verdict::Verdict;
use crate::{Confidence, Finding};

use super::super::scene::Scene;
use super::{Lead, Mixed, Mixing, NAMED, pairs};

/// Withdrawals of one recipient within so many seconds are one batch: a day. Source: Tutela.
const BATCH_SECONDS: u64 = 86_400;

/// A batch has at least so many withdrawals from at least so many pools. Source: Tutela.
const BATCH: usize = 5;
const POOLS: usize = 2;

/// Who withdraws without a relayer offers a price for gas that one known deposit into the pool alone had offered before.
pub(super) fn same_price(scene: &Scene<'_>, mixing: &Mixing) -> Vec<Finding> {
    let mut offers: BTreeMap<(Address, Amount), Vec<&Mixed>> = BTreeMap::new();
    for deposit in &mixing.deposits {
        if let Some(price) = deposit.price {
            offers
                .entry((deposit.pool, price))
                .or_default()
                .push(deposit);
        }
    }
    let mut pairs: BTreeMap<(Address, Address), Vec<&Mixed>> = BTreeMap::new();
    for withdrawal in &mixing.withdrawals {
        let Some(price) = withdrawal.price else {
            continue;
        };
        let Some([deposit]) = offers.get(&(withdrawal.pool, price)).map(Vec::as_slice) else {
            continue;
        };
        if deposit.placement < withdrawal.placement && deposit.account != withdrawal.account {
            let both = pairs
                .entry((withdrawal.account, deposit.account))
                .or_default();
            both.extend([*deposit, withdrawal]);
        }
    }
    let found = pairs
        .into_iter()
        .filter_map(|((recipient, depositor), pairs)| {
            let priced = pairs.len() / 2;
            let lead = Lead {
                verdict: Verdict::new("evm.tornado.lead.gas-price", Confidence::Weak)
                    .count("unique-prices", priced),
                recipient,
                depositors: [depositor].into(),
                pairs,
                besides: Vec::new(),
            };
            lead.finding(scene, mixing)
        });
    found.collect()
}

/// How many of each pool, within a day; the largest batch.
fn batch(mixed: &[&Mixed]) -> BTreeMap<Address, usize> {
    let (mut start, mut best) = (0, 0..0);
    for end in 0..mixed.len() {
        while mixed[end].time.saturating_sub(mixed[start].time) > BATCH_SECONDS {
            start += 1;
        }
        if end + 1 - start > best.len() {
            best = start..end + 1;
        }
    }
    let mut counts = BTreeMap::new();
    for one in &mixed[best] {
        *counts.entry(one.pool).or_default() += 1;
    }
    counts
}

/// Who withdraws so many of each pool as somebody deposited, in a day each.
pub(super) fn same_numbers(scene: &Scene<'_>, mixing: &Mixing) -> Vec<Finding> {
    let deposits = Mixing::by_account(&mixing.deposits);
    let mut by_counts: BTreeMap<BTreeMap<Address, usize>, Vec<Address>> = BTreeMap::new();
    for (account, mixed) in &deposits {
        by_counts.entry(batch(mixed)).or_default().push(*account);
    }
    let withdrawals = Mixing::by_account(&mixing.withdrawals);
    let found = withdrawals.iter().filter_map(|(account, out)| {
        let counts = batch(out);
        let total: usize = counts.values().sum();
        if counts.len() < POOLS || total < BATCH {
            return None;
        }
        let fitting = by_counts.get(&counts)?;
        let pairs = fitting
            .iter()
            .take(NAMED)
            .flat_map(|depositor| pairs(&deposits[depositor], out));
        let lead = Lead {
            verdict: Verdict::new("evm.tornado.lead.same-numbers", Confidence::Weak)
                .count("withdrawals", total)
                .count("least-withdrawals", BATCH)
                .count("pools", counts.len())
                .count("least-pools", POOLS),
            recipient: *account,
            pairs: pairs.collect(),
            depositors: fitting.iter().copied().collect(),
            besides: Vec::new(),
        };
        lead.finding(scene, mixing)
    });
    found.collect()
}
