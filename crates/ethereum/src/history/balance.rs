//! Balance bisection: in which blocks a balance changed in a way that nothing known explains.
//!
//! The balance after a block must be the balance before plus what is known to have moved in between. Where it is
//! not, the interval is halved down to the block. What came and went again between two looks leaves no trace in
//! balances, so this finds changes and proves no absence: see [`UNSEEN`].

use std::collections::{BTreeMap, BTreeSet};

use alloy_primitives::{Address, U256, U512};
use hansel_ledger::{Amount, Coin};

use super::Contradiction;

/// What balance bisection cannot see, for the reason of a gap.
pub const UNSEEN: &str = "balances were compared at some blocks only: value that contracts moved in and out again \
     between two of them leaves no trace";

/// Which balances are looked at: those of one coin of one account over blocks `since..=until`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Held {
    /// Whose.
    pub address: Address,
    /// Of what.
    pub coin: Coin,
    /// The first block.
    pub since: u64,
    /// The last block.
    pub until: u64,
}

/// What is known to have moved in one block, gas included.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Explained {
    /// Base units received.
    pub received: Amount,
    /// Base units given.
    pub given: Amount,
}

/// A change of a balance in one block beyond what is explained.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Unexplained {
    /// The block.
    pub block: u64,
    /// Whether more is there than explained, or less.
    pub gained: bool,
    /// How many base units; never zero.
    pub amount: Amount,
}

/// What the balances of an account say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BalanceHistory {
    /// The balance before the first block.
    pub opening: Amount,
    /// The balance after the last block.
    pub closing: Amount,
    /// Every unexplained change that was found, ascending.
    pub unexplained: Vec<Unexplained>,
    /// True where there are more of them than were looked for.
    pub too_many: bool,
}

/// A balance to be asked for: of the account, in the coin, after the block.
pub type BalanceProbe = (Address, Coin, u64);

/// The search over one balance; it does no I/O.
#[derive(Clone, Debug)]
pub struct BalanceSearch {
    held: Held,
    bound: usize,
    explained: BTreeMap<u64, Explained>,
    /// Balances by the block after which they hold.
    known: BTreeMap<u64, Amount>,
    wanted: BTreeSet<u64>,
    /// Blocks `first..=last` that are still to be judged, by their last block.
    open: BTreeMap<u64, u64>,
    unexplained: Vec<Unexplained>,
    too_many: bool,
}

impl BalanceSearch {
    /// Starts a search for at most `bound` changes. Besides both ends, the balance is looked at after
    /// `looks` blocks, spread over those in which something is explained and evenly over the range: each look
    /// bounds what can come and go unseen.
    ///
    /// Before block 0 nothing is held. A range that ends before it begins is empty.
    pub fn new(
        held: Held,
        explained: BTreeMap<u64, Explained>,
        looks: usize,
        bound: usize,
    ) -> Self {
        let mut search = Self {
            held,
            bound,
            explained,
            known: BTreeMap::new(),
            wanted: BTreeSet::new(),
            open: BTreeMap::new(),
            unexplained: Vec::new(),
            too_many: false,
        };
        if held.since <= held.until {
            search.first_looks(looks);
        }
        search
    }

    fn first_looks(&mut self, looks: usize) {
        let Held { since, until, .. } = self.held;
        self.wanted.extend([since, until]);
        self.wanted.extend(since.checked_sub(1));
        self.wanted.extend(self.explained_looks(looks.div_ceil(2)));
        self.wanted.extend(even_looks(since, until, looks / 2));
        let mut first = since;
        for last in self.wanted.range(since..) {
            self.open.insert(*last, first);
            first = last.saturating_add(1);
        }
    }

    /// Blocks with something explained, thinned to at most `looks`.
    fn explained_looks(&self, looks: usize) -> Vec<u64> {
        let inside = self.explained.range(self.held.since..=self.held.until);
        let blocks: Vec<u64> = inside.map(|(block, _)| *block).collect();
        let step = blocks.len().div_ceil(looks.max(1)).max(1);
        let thinned = blocks.into_iter().step_by(step);
        thinned.take(looks).collect()
    }

    /// The balances of the next round, ascending and without repeats; none where the search is over.
    pub fn probes(&self) -> Vec<BalanceProbe> {
        let heights = self.wanted.iter();
        heights
            .map(|height| (self.held.address, self.held.coin, *height))
            .collect()
    }

    /// Takes one answer of the round. Answers that were not asked for change nothing.
    pub fn learn(&mut self, height: u64, balance: Amount) -> Result<(), Contradiction> {
        if !self.wanted.remove(&height) {
            return Ok(());
        }
        self.known.insert(height, balance);
        if self.wanted.is_empty() {
            self.judge()?;
        }
        Ok(())
    }

    /// Looks at all open intervals once the balances around them are known.
    fn judge(&mut self) -> Result<(), Contradiction> {
        for (last, first) in std::mem::take(&mut self.open) {
            match self.rest(first, last)? {
                None => {}
                Some(unexplained) if first == last => self.unexplained.push(unexplained),
                Some(_) => self.halve(first, last),
            }
        }
        if self.unexplained.len().saturating_add(self.open.len()) > self.bound {
            self.too_many = true;
            self.open.clear();
            self.wanted.clear();
        }
        Ok(())
    }

    fn halve(&mut self, first: u64, last: u64) {
        let middle = first + (last - first) / 2;
        self.open.insert(middle, first);
        self.open.insert(last, middle + 1);
        self.wanted.insert(middle);
    }

    /// What is left of the change over blocks `first..=last` when all that is explained is taken off.
    fn rest(&self, first: u64, last: u64) -> Result<Option<Unexplained>, Contradiction> {
        let mut should = wide(self.before(first));
        let mut is = wide(self.after(last));
        for explained in self.explained.range(first..=last).map(|(_, one)| one) {
            // A sum of fewer than 2^200 numbers of 256 bits fits 512 bits.
            should += wide(explained.received);
            is += wide(explained.given);
        }
        let gained = is > should;
        let difference = if gained { is - should } else { should - is };
        if difference.is_zero() {
            return Ok(None);
        }
        let amount = U256::checked_from_limbs_slice(difference.as_limbs());
        let amount = amount.ok_or(Contradiction::TooMuch {
            address: self.held.address,
            block: last,
        })?;
        Ok(Some(Unexplained {
            block: last,
            gained,
            amount: amount.into(),
        }))
    }

    fn before(&self, block: u64) -> Amount {
        block
            .checked_sub(1)
            .map_or(Amount::ZERO, |height| self.after(height))
    }

    fn after(&self, height: u64) -> Amount {
        self.known.get(&height).copied().unwrap_or_default()
    }

    /// What was found; complete, within what [`UNSEEN`] names, once there are no more probes.
    pub fn history(&self) -> BalanceHistory {
        let mut unexplained = self.unexplained.clone();
        unexplained.sort_unstable();
        BalanceHistory {
            opening: self.before(self.held.since),
            closing: self.after(self.held.until),
            unexplained,
            too_many: self.too_many,
        }
    }
}

fn wide(amount: Amount) -> U512 {
    U512::from(amount.to_u256())
}

/// The last blocks of `looks + 1` nearly equal parts, but for the last part.
fn even_looks(since: u64, until: u64, looks: usize) -> impl Iterator<Item = u64> {
    let looks = u64::try_from(looks).unwrap_or(u64::MAX - 1);
    let step = (until - since) / looks.saturating_add(1);
    let step_taken = (1..=looks).map(move |part| since + step * part);
    step_taken.filter(move |_| step > 0)
}
