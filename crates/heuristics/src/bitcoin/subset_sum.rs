//! Whether every party of a presumed CoinJoin can have paid for what it received.
//!
//! BlockSci's test of a definite CoinJoin: each equal output and one of the other outputs make a bucket that
//! inputs must fill, whole scripts at a time, but for what the parties pay each other.

use std::collections::BTreeMap;

use bitcoin::Script;

use super::view::Coin;

/// How many assignments are tried before the question is given up.
const STEPS: usize = 20_000;

/// How many scripts bring coins at most, lest the search go too deep for a thread's stack.
const PURSES: usize = 200;

/// What the search found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Feasible {
    /// The inputs can be dealt out so that all are served.
    Yes,
    /// They cannot.
    No,
    /// Too many ways to try.
    Undecided,
}

/// Tries to fill the buckets, each worth `amount` and at most one of the `changes` less `allowance`.
pub(crate) fn feasible(
    coins: &[Coin<'_>],
    amount: u64,
    parties: usize,
    changes: &[u64],
    allowance: u64,
) -> Feasible {
    let mut changes = changes.to_vec();
    changes.sort_unstable_by(|one, other| other.cmp(one));
    changes.resize(parties, 0);
    let bucket = |change: &u64| {
        (u128::from(amount) + u128::from(*change)).saturating_sub(u128::from(allowance))
    };
    let mut purses = BTreeMap::<&Script, u128>::new();
    for coin in coins {
        *purses.entry(coin.script).or_default() += u128::from(coin.value);
    }
    if purses.len() > PURSES {
        return Feasible::Undecided;
    }
    let mut purses: Vec<u128> = purses.into_values().collect();
    purses.sort_unstable_by(|one, other| other.cmp(one));
    let mut search = Search {
        left: purses.iter().sum(),
        purses,
        buckets: changes.iter().map(bucket).collect(),
        steps: 0,
    };
    search.deal(0)
}

struct Search {
    /// What each script brings, the largest first.
    purses: Vec<u128>,
    /// What each bucket still lacks.
    buckets: Vec<u128>,
    /// What is not dealt out yet.
    left: u128,
    steps: usize,
}

impl Search {
    /// Deals out the purses from the given one on.
    fn deal(&mut self, next: usize) -> Feasible {
        self.steps += 1;
        if self.steps > STEPS {
            return Feasible::Undecided;
        }
        let lacking: u128 = self.buckets.iter().sum();
        if lacking == 0 {
            return Feasible::Yes;
        }
        let Some(purse) = self
            .purses
            .get(next)
            .copied()
            .filter(|_| lacking <= self.left)
        else {
            return Feasible::No;
        };
        self.left -= purse;
        let found = self.place(purse, next);
        self.left += purse;
        found
    }

    /// Puts one purse into each bucket that lacks something, once per size.
    fn place(&mut self, purse: u128, next: usize) -> Feasible {
        let mut tried = Vec::new();
        for bucket in 0..self.buckets.len() {
            let lacks = self.buckets[bucket];
            if lacks == 0 || tried.contains(&lacks) {
                continue;
            }
            tried.push(lacks);
            self.buckets[bucket] = lacks.saturating_sub(purse);
            let found = self.deal(next + 1);
            self.buckets[bucket] = lacks;
            if found != Feasible::No {
                return found;
            }
        }
        Feasible::No
    }
}
