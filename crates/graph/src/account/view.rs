//! What a settlement tells.

use std::sync::Arc;

use alloy_primitives::{Address, B256};
use hansel_ledger::{Amount, AmountError, BlockRef, Coin, EvmPlacement, EvmTransaction, Origin};

use super::facts::Received;
use super::shelf::Run;
use super::{AccountSettlement, Parcel, PoolKey};
use crate::{Rule, SeedIx};

/// What a flow is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AccountStep<'a> {
    /// Value that moved.
    Movement {
        /// Which movement of its transaction.
        origin: &'a Origin,
        /// Who gave; `None` where only the arrival is known.
        from: Option<Address>,
        /// Who received.
        to: Address,
        /// What moved.
        coin: Coin,
        /// How much, in base units.
        amount: Amount,
    },
    /// What the sender paid for gas, in the native coin.
    Gas {
        /// Who paid.
        sender: Address,
        /// How much, in base units.
        amount: Amount,
    },
}

/// A flow without its parcels, which each rule's book holds.
#[derive(Debug)]
pub(crate) struct FlowRecord {
    pub(crate) told: Told,
    /// Where its parcels are, book by book.
    pub(crate) runs: Run,
}

/// What tells a flow. There are as many flows as tainted movements, so that none repeats what is known.
#[derive(Debug)]
pub(crate) enum Told {
    /// A movement, by its number.
    Movement(Arc<EvmTransaction>, usize),
    /// What a transaction paid for gas.
    Gas(Arc<EvmTransaction>),
    /// A seed of whose transaction only the arrival is known.
    Arrival(Box<SeedArrival>),
}

#[derive(Debug)]
pub(crate) struct SeedArrival {
    hash: B256,
    placement: EvmPlacement,
    origin: Origin,
    from: Option<Address>,
    to: PoolKey,
    amount: Amount,
}

impl Told {
    pub(crate) fn arrival(hash: B256, received: &Received<'_>) -> Self {
        Self::Arrival(Box::new(SeedArrival {
            hash,
            placement: *received.placement,
            origin: received.origin.clone(),
            from: received.from,
            to: received.to,
            amount: received.amount,
        }))
    }

    fn place(&self) -> (B256, EvmPlacement) {
        match self {
            Self::Movement(transaction, _) | Self::Gas(transaction) => {
                (transaction.hash, transaction.placement)
            }
            Self::Arrival(arrival) => (arrival.hash, arrival.placement),
        }
    }

    fn step(&self) -> AccountStep<'_> {
        match self {
            Self::Movement(transaction, number) => {
                let movement = &transaction.movements[*number];
                AccountStep::Movement {
                    origin: &movement.origin,
                    from: Some(movement.from),
                    to: movement.to,
                    coin: movement.coin,
                    amount: movement.amount,
                }
            }
            Self::Gas(transaction) => AccountStep::Gas {
                sender: transaction.sender,
                amount: transaction.fee,
            },
            Self::Arrival(arrival) => AccountStep::Movement {
                origin: &arrival.origin,
                from: arrival.from,
                to: arrival.to.account,
                coin: arrival.to.coin,
                amount: arrival.amount,
            },
        }
    }
}

/// A movement or a payment for gas that carries taint under some rule.
#[derive(Clone, Copy, Debug)]
pub struct AccountFlow<'a> {
    /// The transaction.
    pub hash: B256,
    /// Where it stands.
    pub placement: EvmPlacement,
    /// What moved.
    pub step: AccountStep<'a>,
    settlement: &'a AccountSettlement,
    runs: &'a [Run],
}

impl<'a> AccountFlow<'a> {
    /// The parcels under a rule, clean ones included, in order; empty where the flow is clean.
    pub fn parcels(&self, rule: Rule) -> &'a [Parcel] {
        let mut books = self.settlement.books.iter().zip(self.runs);
        let found = books.find(|(book, _)| book.rule == rule);
        found.map_or(&[], |(book, run)| book.of_flow(*run))
    }
}

/// A pool in which taint came to rest at some time.
#[derive(Clone, Copy, Debug)]
pub struct PoolState<'a> {
    /// Which.
    pub key: PoolKey,
    /// The block in which taint first rested here.
    pub since: BlockRef,
    /// The number of movements from the nearest seed's arrival: zero where a seed arrived.
    pub hops: u32,
    /// True where some statement follows it.
    pub followed: bool,
    /// False where a balance at the beginning of a statement is not known: then it was taken for nothing.
    pub openings_known: bool,
    settlement: &'a AccountSettlement,
    number: usize,
}

impl PoolState<'_> {
    /// The tainted parcels left under a rule, in the order in which they would leave; under poison everything.
    pub fn residual(&self, rule: Rule) -> Result<Vec<Parcel>, AmountError> {
        let book = self.settlement.book(rule);
        book.map_or(Ok(Vec::new()), |book| book.held[self.number].residual())
    }

    /// The largest claim of each seed ever held at once under a rule, ascending by seed, in base units of what
    /// was stolen.
    pub fn peaks(&self, rule: Rule) -> Vec<(SeedIx, Amount)> {
        let book = self.settlement.book(rule);
        book.map_or(Vec::new(), |book| book.held[self.number].peaks().collect())
    }
}

/// How a transaction was read that allows more than one reading.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Reading {
    /// The transaction.
    pub hash: B256,
    /// What is ambiguous, and how it was read.
    pub text: String,
}

/// A pool from which more was drawn than was known to be there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shortfall {
    /// Which pool.
    pub pool: PoolKey,
    /// How much more, in base units: the largest over the rules.
    pub amount: Amount,
}

impl AccountSettlement {
    /// Tainted movements and gas in chain order.
    pub fn flows(&self) -> impl Iterator<Item = AccountFlow<'_>> {
        self.flows.iter().map(|record| {
            let (hash, placement) = record.told.place();
            AccountFlow {
                hash,
                placement,
                step: record.told.step(),
                settlement: self,
                runs: self.runs.at(record.runs),
            }
        })
    }

    /// Every pool in which taint came to rest at some time, ascending by key.
    pub fn pools(&self) -> impl Iterator<Item = PoolState<'_>> {
        let numbered = self.ledger.pools.iter().enumerate();
        let mut states: Vec<PoolState<'_>> = numbered
            .filter_map(|(number, pool)| {
                Some(PoolState {
                    key: pool.key,
                    since: pool.tainted_since?,
                    hops: pool.hops,
                    followed: pool.is_ever_followed(),
                    openings_known: pool.openings_known(),
                    settlement: self,
                    number,
                })
            })
            .collect();
        states.sort_by_key(|state| state.key);
        states.into_iter()
    }

    /// Ambiguous conversions that involved taint, in chain order.
    pub fn readings(&self) -> impl Iterator<Item = &Reading> {
        self.readings.iter()
    }

    /// Pools from which more was drawn than was known to be there, ascending by key. Clean value of unknown origin
    /// filled the rest.
    pub fn shortfalls(&self) -> Vec<Shortfall> {
        let numbered = self.ledger.pools.iter().enumerate();
        let mut found: Vec<Shortfall> = numbered
            .filter_map(|(number, pool)| {
                let books = self.books.iter();
                let amount = books.map(|book| book.held[number].shortfall()).max()?;
                (!amount.is_zero()).then_some(Shortfall {
                    pool: pool.key,
                    amount,
                })
            })
            .collect();
        found.sort_by_key(|shortfall| shortfall.pool);
        found
    }
}
