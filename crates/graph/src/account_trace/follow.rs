//! Which account is read next.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use alloy_primitives::Address;
use hansel_ledger::{AccountNature, Amount, Coin, EvmQuery};

use super::{AccountTrace, PoolStop};
use crate::{PoolKey, PoolState, Units as _};

/// Questions of one wave: enough to keep an endpoint busy, few enough that the most tainted value goes first.
const WAVE: usize = 64;

/// The scale on which taints of different seeds are compared: parts per billion of the seed.
const PARTS: u64 = 1_000_000_000;

impl AccountTrace {
    /// The questions of the next wave: about the most tainted pools that may be read and are not.
    pub(super) fn most_urgent(&mut self) -> Vec<EvmQuery> {
        if self.interrupted {
            return Vec::new();
        }
        let mut pending: Vec<(Reverse<Amount>, PoolKey, EvmQuery)> = Vec::new();
        for pool in self.settlement.pools() {
            if let Some(query) = self.question_about(&pool) {
                pending.push((Reverse(self.weight(&pool)), pool.key, query));
            }
        }
        pending.sort_by(|one, next| (one.0, &one.1).cmp(&(next.0, &next.1)));
        let mut queries = Vec::new();
        for (_, key, query) in pending {
            if queries.len() == WAVE || !self.affords(&key, queries.len()) {
                break;
            }
            self.visited.insert(key);
            queries.push(query);
        }
        queries
    }

    /// What is to be asked about a pool; `None` where nothing is, or nothing may be.
    fn question_about(&self, pool: &PoolState<'_>) -> Option<EvmQuery> {
        let PoolKey { account, coin } = pool.key;
        if !self.is_followed(pool) {
            return None;
        }
        let (since, until) = self.missing(pool)?;
        let contract = self.executed.contains(&account) && !self.is_own(&account);
        let nature = self.nature(&account);
        // A contract of others is not worth reading: to learn that it is one takes a question with no bound.
        let probe =
            contract && nature == AccountNature::Unknown && !self.plan.through.contains(&account);
        let bound = if probe { 0 } else { self.plan.bound };
        Some(EvmQuery::Account {
            address: account,
            coin,
            since,
            until,
            bound,
        })
    }

    /// The blocks from the first taint on that are not known, the oldest run of them.
    pub(super) fn missing(&self, pool: &PoolState<'_>) -> Option<(u64, u64)> {
        let last = self.plan.as_of.height;
        let mut since = pool.since.height;
        for (start, end) in self.facts.covered(pool.key) {
            if since < start {
                return Some((since, start - 1));
            }
            since = since.max(end.checked_add(1)?);
        }
        (since <= last).then_some((since, last))
    }

    /// True for a pool that the limits let be followed, as far as it alone decides.
    pub(super) fn is_followed(&self, pool: &PoolState<'_>) -> bool {
        !self.stops.contains_key(&pool.key)
            && !is_burned(&pool.key)
            && self.venue(&pool.key.account).is_none()
            && self.qualifies(pool)
            && self.plan.limits.hops.is_none_or(|limit| pool.hops <= limit)
    }

    /// True where some rule gives the pool enough of what was stolen of some coin, at the time when it held most.
    ///
    /// The share is of all seeds of the coin: anybody can send dust to a named address and so make a tiny seed,
    /// which must not lower what is followed.
    pub(super) fn qualifies(&self, pool: &PoolState<'_>) -> bool {
        let limits = &self.plan.limits;
        self.shares(pool).any(|(claim, stolen)| {
            // A share of an amount beyond any real token's supply does not fit: then anything is enough.
            let least = limits.min_share.of(stolen).unwrap_or(Amount::ONE);
            claim >= least.max(Amount::ONE) && claim >= limits.min_amount
        })
    }

    /// How tainted a pool is, as the largest share of what was stolen of any coin that it ever held.
    fn weight(&self, pool: &PoolState<'_>) -> Amount {
        let parts = |(claim, stolen): (Amount, Amount)| {
            let parts = claim.share(Amount::from(PARTS), stolen);
            parts.unwrap_or(claim)
        };
        self.shares(pool).map(parts).max().unwrap_or_default()
    }

    /// What the pool ever held of each stolen coin under each rule, with all that was stolen of the coin.
    fn shares(&self, pool: &PoolState<'_>) -> impl Iterator<Item = (Amount, Amount)> {
        let mut shares = Vec::new();
        for rule in self.settlement.rules() {
            let mut held: BTreeMap<Coin, Amount> = BTreeMap::new();
            for (seed, claim) in pool.peaks(rule) {
                let sum = held.entry(self.seeds[seed.position()].coin).or_default();
                *sum = sum.checked_add(claim).unwrap_or(*sum);
            }
            let stolen = |coin: &Coin| self.stolen.get(coin).copied().unwrap_or_default();
            shares.extend(held.iter().map(|(coin, claim)| (*claim, stolen(coin))));
        }
        shares.into_iter()
    }

    /// True where the limits leave room for one more question about a pool.
    pub(super) fn affords(&self, key: &PoolKey, more: usize) -> bool {
        let more = u64::try_from(more).unwrap_or(u64::MAX);
        let asked = self.questions.saturating_add(more);
        let node = self.visited.contains(key)
            || self
                .plan
                .limits
                .max_nodes
                .is_none_or(|limit| self.visits() < limit);
        node && self
            .plan
            .limits
            .max_requests
            .is_none_or(|limit| asked < limit)
    }

    /// Contracts that the traced accounts made, or had made in transactions of theirs.
    pub(super) fn own_contracts(&self) -> BTreeSet<Address> {
        let mut own: BTreeSet<Address> = BTreeSet::new();
        let tainted: BTreeSet<Address> = self
            .settlement
            .pools()
            .map(|pool| pool.key.account)
            .collect();
        for tx in self.facts.transactions() {
            for creation in &tx.created {
                let makers = [creation.creator, tx.sender];
                if makers
                    .iter()
                    .any(|maker| tainted.contains(maker) || own.contains(maker))
                {
                    own.insert(creation.contract);
                }
            }
        }
        own
    }

    fn is_own(&self, account: &Address) -> bool {
        self.own.contains(account) || self.facts.maker(account).is_some()
    }

    /// True for a contract that the traced accounts did not make, unless the user wants it followed.
    pub(super) fn is_foreign_contract(&self, account: &Address) -> bool {
        self.nature(account) == AccountNature::Contract
            && !self.plan.through.contains(account)
            && !self.is_own(account)
    }

    pub(super) fn stop(&self, key: &PoolKey) -> Option<&PoolStop> {
        self.stops.get(key)
    }
}

/// True where nobody can ever move the coin again: at the zero address, or destroyed at its own contract.
pub(super) fn is_burned(key: &PoolKey) -> bool {
    key.account.is_zero() || key.coin == Coin::Token(key.account)
}
