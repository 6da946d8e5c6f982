//! The pools of a settlement, whatever the rule: when they are followed, and since when they are tainted.

use std::collections::{BTreeMap, BTreeSet};

use alloy_primitives::Address;
use hansel_ledger::{Amount, BlockRef};
use hashbrown::HashMap;
use smallvec::SmallVec;

use super::PoolKey;
use super::facts::{AccountFacts, Piece};

/// One pool.
#[derive(Clone, Debug)]
pub(crate) struct Pool {
    pub(crate) key: PoolKey,
    /// Nearly always one, which then needs no memory of its own.
    pieces: SmallVec<[Piece; 1]>,
    /// The next piece to begin, and the block in which it does.
    next: usize,
    begins: u64,
    /// The last block of the piece begun last; `None` before the first.
    until: Option<u64>,
    /// The block in which taint first rested here.
    pub(crate) tainted_since: Option<BlockRef>,
    /// Movements from the nearest seed's arrival.
    pub(crate) hops: u32,
}

/// What a pool's balance becomes at the beginning of a piece.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Opening {
    pub(crate) balance: Amount,
    /// False where an earlier piece was followed: then what is new came later than what is held.
    pub(crate) first: bool,
}

impl Pool {
    fn new(key: PoolKey) -> Self {
        Self {
            key,
            pieces: SmallVec::new(),
            next: 0,
            begins: u64::MAX,
            until: None,
            tainted_since: None,
            hops: u32::MAX,
        }
    }

    /// The opening of the next piece that has begun by this height.
    pub(crate) fn begin(&mut self, height: u64) -> Option<Opening> {
        if height < self.begins {
            return None;
        }
        while let Some(piece) = self.pieces.get(self.next) {
            self.begins = piece.since;
            if piece.since > height {
                return None;
            }
            let first = self.next == 0;
            self.next += 1;
            self.until = Some(piece.until);
            if let Some(balance) = piece.opening {
                return Some(Opening { balance, first });
            }
        }
        self.begins = u64::MAX;
        None
    }

    fn push(&mut self, piece: Piece) {
        self.begins = self.begins.min(piece.since);
        self.pieces.push(piece);
    }

    /// True where the piece begun last reaches this height.
    pub(crate) fn is_followed(&self, height: u64) -> bool {
        self.until.is_some_and(|until| until >= height)
    }

    /// False where a balance at the beginning of a piece is not known.
    pub(crate) fn openings_known(&self) -> bool {
        let begun = self.pieces.iter().zip(1..);
        let mut begun = begun.filter(|(_, number)| *number <= self.next.max(1));
        begun.all(|(piece, _)| piece.opening.is_some())
    }

    pub(crate) fn is_ever_followed(&self) -> bool {
        !self.pieces.is_empty()
    }
}

/// All pools, and what is known of their accounts.
#[derive(Debug, Default)]
pub(crate) struct Ledger {
    numbers: HashMap<PoolKey, usize>,
    pub(crate) pools: Vec<Pool>,
    followed: HashMap<Address, SmallVec<[(u64, u64); 1]>>,
    creators: BTreeMap<Address, BTreeSet<Address>>,
    senders: BTreeSet<Address>,
    holders: BTreeSet<Address>,
}

impl Ledger {
    pub(crate) fn new(facts: &AccountFacts) -> Self {
        let statements = facts.statement_count();
        let mut ledger = Self {
            numbers: HashMap::with_capacity(statements),
            pools: Vec::with_capacity(statements),
            followed: HashMap::with_capacity(statements),
            ..Self::default()
        };
        for (key, piece) in facts.pieces() {
            let pool = ledger.number(key);
            ledger.pools[pool].push(piece);
            let ranges = ledger.followed.entry(key.account).or_default();
            ranges.push((piece.since, piece.until));
        }
        for transaction in facts.transactions() {
            for creation in &transaction.created {
                let creators = ledger.creators.entry(creation.contract).or_default();
                creators.insert(creation.creator);
            }
        }
        for transaction in facts.transactions() {
            for contract in &transaction.executed {
                if let Some(maker) = facts.maker(contract) {
                    ledger.creators.entry(*contract).or_default().insert(maker);
                }
            }
        }
        if !ledger.creators.is_empty() {
            ledger.senders = facts.transactions().map(|one| one.sender).collect();
        }
        ledger
    }

    /// The pool's number, where there is one.
    pub(crate) fn find(&self, key: &PoolKey) -> Option<usize> {
        self.numbers.get(key).copied()
    }

    /// The pool's number; it is made where there is none.
    pub(crate) fn number(&mut self, key: PoolKey) -> usize {
        let next = self.pools.len();
        let number = *self.numbers.entry(key).or_insert(next);
        if number == next {
            self.pools.push(Pool::new(key));
        }
        number
    }

    /// Notes that taint rests in a pool.
    pub(crate) fn taint(&mut self, pool: usize, block: BlockRef, hops: u32) {
        let pool = &mut self.pools[pool];
        pool.hops = pool.hops.min(hops);
        if pool.tainted_since.is_none() {
            pool.tainted_since = Some(block);
            self.holders.insert(pool.key.account);
        }
    }

    /// True where a statement of the account covers the block.
    pub(crate) fn is_account_followed(&self, account: &Address, height: u64) -> bool {
        let ranges = self.followed.get(account);
        ranges.is_some_and(|ranges| {
            let mut ranges = ranges.iter();
            ranges.any(|(since, until)| (*since..=*until).contains(&height))
        })
    }

    /// True where the contract goes back, creator by creator, to an account that has held taint and that acts by
    /// itself. A factory onto which somebody threw tainted dust does not make what it created theirs.
    pub(crate) fn is_made_by_holder(&self, contract: &Address, height: u64) -> bool {
        let mut seen = BTreeSet::new();
        let mut waiting: Vec<&Address> =
            self.creators.get(contract).into_iter().flatten().collect();
        while let Some(creator) = waiting.pop() {
            if !seen.insert(creator) {
                continue;
            }
            let acts = self.senders.contains(creator) || self.is_account_followed(creator, height);
            if acts && self.holders.contains(creator) {
                return true;
            }
            waiting.extend(self.creators.get(creator).into_iter().flatten());
        }
        false
    }
}
