//! Nonce bisection: in which blocks accounts sent transactions, from their nonces at a few heights.
//!
//! A nonce never falls, so an interval with equal nonces at both ends holds no transaction of the account and
//! is not looked into; any other is halved. All halves of all accounts are asked for in one round, so rounds
//! grow with the logarithm of the range and not with the number of transactions.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;

use alloy_primitives::Address;

use super::Contradiction;

/// Which nonces are looked at: those of one account over blocks `since..=until`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Span {
    /// Whose.
    pub address: Address,
    /// The first block.
    pub since: u64,
    /// The last block.
    pub until: u64,
}

impl Span {
    /// Every span of an account.
    fn all_of(address: Address) -> RangeInclusive<Self> {
        let at = |block| Self {
            address,
            since: block,
            until: block,
        };
        at(0)..=at(u64::MAX)
    }
}

/// A block in which an account's nonce rose.
///
/// Each transaction that an external account sends raises its nonce by one. So does each authorisation of its
/// own that somebody carries into the chain (EIP-7702), and each contract that a contract creates: the block
/// has to be read to tell which.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NonceRise {
    /// The block.
    pub block: u64,
    /// The nonce before the block, which is that of the block's first transaction of the account.
    pub nonce: u64,
    /// By how much it rose; never zero.
    pub by: u64,
}

/// What the nonces of an account say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NonceHistory {
    /// Every block in which the nonce rose, ascending.
    Rises(Vec<NonceRise>),
    /// The nonce rose more often than is looked at.
    TooMany {
        /// How often.
        rises: u64,
    },
}

/// A nonce to be asked for: of the account, after the block.
pub type NonceProbe = (Address, u64);

/// The search over any number of accounts; it does no I/O.
///
/// ```
/// use alloy_primitives::Address;
/// use hansel_ethereum::history::{NonceSearch, Span};
///
/// let sent = [7, 7, 900];
/// let span = Span { address: Address::ZERO, since: 1, until: 1_000 };
/// let mut search = NonceSearch::new([span], 100);
/// loop {
///     let probes = search.probes();
///     if probes.is_empty() {
///         break;
///     }
///     for (account, height) in probes {
///         let nonce = sent.iter().filter(|block| **block <= height).count();
///         search.learn((account, height), nonce.try_into().unwrap()).unwrap();
///     }
/// }
/// let blocks: Vec<_> = search.rises(&span).iter().map(|rise| (rise.block, rise.by)).collect();
/// assert_eq!(blocks, [(7, 2), (900, 1)]);
/// ```
#[derive(Clone, Debug)]
pub struct NonceSearch {
    bound: u64,
    accounts: BTreeMap<Span, Account>,
}

/// The search in one span.
#[derive(Clone, Debug)]
struct Account {
    /// Nonces by the block after which they hold.
    known: BTreeMap<u64, u64>,
    /// Intervals in which the nonce rises, to be halved, by the last block of their first half.
    open: BTreeMap<u64, Interval>,
    started: bool,
    rises: Vec<NonceRise>,
    too_many: Option<u64>,
}

/// Blocks `first..=last` with the nonces around them.
#[derive(Clone, Copy, Debug)]
struct Interval {
    first: u64,
    last: u64,
    before: u64,
    after: u64,
}

impl Interval {
    /// The last block of the first half.
    fn middle(&self) -> u64 {
        self.first + (self.last - self.first) / 2
    }
}

impl NonceSearch {
    /// Starts a search; an account whose nonce rises more than `bound` times is not looked into. Spans that
    /// end before they begin are empty.
    pub fn new(spans: impl IntoIterator<Item = Span>, bound: u64) -> Self {
        let accounts = spans
            .into_iter()
            .map(|span| (span, Account::new(&span)))
            .collect();
        Self { bound, accounts }
    }

    /// The nonces of the next round, ascending and without repeats; none where the search is over.
    pub fn probes(&self) -> Vec<NonceProbe> {
        let mut probes: Vec<_> = self
            .accounts
            .iter()
            .flat_map(|(span, account)| {
                let heights = account.heights(span);
                heights.into_iter().map(|height| (span.address, height))
            })
            .collect();
        probes.sort_unstable();
        probes.dedup();
        probes
    }

    /// Takes one answer of the round. Answers that were not asked for change nothing.
    pub fn learn(&mut self, probe: NonceProbe, nonce: u64) -> Result<(), Contradiction> {
        let (address, height) = probe;
        for (span, account) in self.accounts.range_mut(Span::all_of(address)) {
            if account.asks(span, height) {
                account.learn(span, height, nonce, self.bound)?;
            }
        }
        Ok(())
    }

    /// What was found in a span; complete once there are no more probes.
    pub fn history(&self, span: &Span) -> NonceHistory {
        let rises = || NonceHistory::Rises(self.rises(span));
        let too_many = |rises| NonceHistory::TooMany { rises };
        let account = self.accounts.get(span);
        account
            .and_then(|account| account.too_many)
            .map_or_else(rises, too_many)
    }

    /// The blocks found so far in a span, ascending.
    pub fn rises(&self, span: &Span) -> Vec<NonceRise> {
        let mut rises = self
            .accounts
            .get(span)
            .map_or_else(Vec::new, |account| account.rises.clone());
        rises.sort_unstable();
        rises
    }
}

impl Account {
    fn new(span: &Span) -> Self {
        Self {
            known: BTreeMap::new(),
            open: BTreeMap::new(),
            started: span.since > span.until,
            rises: Vec::new(),
            too_many: None,
        }
    }

    /// The heights to be asked next.
    fn heights(&self, span: &Span) -> Vec<u64> {
        if self.started {
            return self.open.keys().copied().collect();
        }
        let ends = span.since.checked_sub(1).into_iter().chain([span.until]);
        ends.filter(|height| !self.known.contains_key(height))
            .collect()
    }

    fn asks(&self, span: &Span, height: u64) -> bool {
        if self.started {
            self.open.contains_key(&height)
        } else {
            self.heights(span).contains(&height)
        }
    }

    fn learn(
        &mut self,
        span: &Span,
        height: u64,
        nonce: u64,
        bound: u64,
    ) -> Result<(), Contradiction> {
        self.check(span, height, nonce)?;
        self.known.insert(height, nonce);
        if !self.started {
            self.start(span, bound);
        } else if let Some(interval) = self.open.remove(&height) {
            self.split(interval, nonce);
        }
        Ok(())
    }

    /// A nonce lies between those of its neighbours.
    fn check(&self, span: &Span, height: u64, nonce: u64) -> Result<(), Contradiction> {
        let below = self.known.range(..height).next_back();
        let above = self.known.range(height..).next();
        let fell = below.filter(|(_, known)| **known > nonce);
        let rose = above.filter(|(_, known)| **known < nonce);
        match fell.or(rose) {
            None => Ok(()),
            Some((other, known)) => Err(Contradiction::NonceFell {
                address: span.address,
                height,
                nonce,
                other: *other,
                other_nonce: *known,
            }),
        }
    }

    /// Begins once both ends are known. Before block 0 there is no transaction.
    fn start(&mut self, span: &Span, bound: u64) {
        let before = match span.since.checked_sub(1) {
            None => Some(0),
            Some(height) => self.known.get(&height).copied(),
        };
        let (Some(before), Some(after)) = (before, self.known.get(&span.until).copied()) else {
            return;
        };
        self.started = true;
        let rises = after.saturating_sub(before);
        if rises > bound {
            self.too_many = Some(rises);
            return;
        }
        self.keep(Interval {
            first: span.since,
            last: span.until,
            before,
            after,
        });
    }

    fn split(&mut self, interval: Interval, nonce: u64) {
        let middle = interval.middle();
        self.keep(Interval {
            last: middle,
            after: nonce,
            ..interval
        });
        self.keep(Interval {
            first: middle + 1,
            before: nonce,
            ..interval
        });
    }

    /// Looks further into an interval only if something is in it.
    fn keep(&mut self, interval: Interval) {
        let Interval {
            first,
            last,
            before,
            after,
        } = interval;
        let by = after.saturating_sub(before);
        if by > 0 && first == last {
            self.rises.push(NonceRise {
                block: first,
                nonce: before,
                by,
            });
        } else if by > 0 {
            self.open.insert(interval.middle(), interval);
        }
    }
}
