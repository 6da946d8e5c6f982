//! What is known of a chain's accounts: a set of facts, in which the order of arrival leaves no mark.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use alloy_primitives::{Address, B256};
use hansel_ledger::{
    AccountNature, AccountStatement, Amount, Arrival, Coin, EvmPlacement, EvmTransaction, Gap,
    InternalTransfers, Origin,
};

use super::PoolKey;
use super::made::first_contracts;

/// Transactions, arrivals and statements of accounts.
#[derive(Clone, Debug, Default)]
pub struct AccountFacts {
    /// Shared with the settlements, whose flows are told from them.
    transactions: BTreeMap<Place, Arc<EvmTransaction>>,
    places: HashMap<B256, Place>,
    arrivals: BTreeMap<ArrivalKey, KnownArrival>,
    statements: BTreeMap<PoolKey, BTreeMap<(u64, u64), AccountStatement>>,
    /// The accounts followed, by the addresses that their first contracts would have.
    makers: HashMap<Address, Address>,
}

/// Chain order: height, index in the block, then the hash, so that even contradictory facts have an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Place {
    height: u64,
    index: u32,
    hash: B256,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct ArrivalKey {
    height: u64,
    index: u32,
    tx: Option<B256>,
    to: PoolKey,
    origin: Origin,
}

/// What is known of an arrival besides its key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct KnownArrival {
    amount: Amount,
    from: Option<Address>,
    placement: EvmPlacement,
}

/// An arrival in a transaction of which nothing else is known, or outside of transactions.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Received<'a> {
    pub(crate) tx: Option<&'a B256>,
    pub(crate) placement: &'a EvmPlacement,
    pub(crate) to: PoolKey,
    pub(crate) origin: &'a Origin,
    pub(crate) from: Option<Address>,
    pub(crate) amount: Amount,
}

/// Something that happened, in chain order.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Event<'a> {
    Transaction(&'a Arc<EvmTransaction>),
    Arrival(Received<'a>),
}

/// A stretch of blocks over which a pool is followed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Piece {
    pub(crate) since: u64,
    pub(crate) until: u64,
    /// The balance before `since`, where it is known.
    pub(crate) opening: Option<Amount>,
}

impl AccountFacts {
    /// Adds a transaction. Of two accounts of one transaction the one that knows more is kept.
    pub fn add_transaction(&mut self, transaction: EvmTransaction) {
        let place = Place {
            height: transaction.placement.block.height,
            index: transaction.placement.index,
            hash: transaction.hash,
        };
        if let Some(old) = self.places.get(&transaction.hash).copied() {
            let known = &self.transactions[&old];
            if **known == transaction || knowledge(known) >= knowledge(&transaction) {
                return;
            }
            self.transactions.remove(&old);
        }
        self.places.insert(transaction.hash, place);
        self.transactions.insert(place, Arc::new(transaction));
    }

    /// Adds what a statement says: its transactions, its arrivals, and that its pool is followed over its blocks,
    /// unless the pool is a hub.
    pub fn add_statement(&mut self, mut statement: AccountStatement) {
        for transaction in std::mem::take(&mut statement.transactions) {
            self.add_transaction(transaction);
        }
        for arrival in std::mem::take(&mut statement.arrivals) {
            self.add_arrival(statement.address, arrival);
        }
        let key = PoolKey {
            account: statement.address,
            coin: statement.coin,
        };
        if !matches!(statement.nature, AccountNature::Contract) {
            self.note_maker(statement.address);
        }
        let range = (statement.since, statement.until);
        let pieces = self.statements.entry(key).or_default();
        let better = pieces
            .get(&range)
            .is_none_or(|known| known.opening < statement.opening);
        if better {
            pieces.insert(range, statement);
        }
    }

    fn note_maker(&mut self, account: Address) {
        let mut made = first_contracts(account).peekable();
        let known = made.peek().and_then(|first| self.makers.get(first));
        if known.is_none() {
            self.makers.extend(made.map(|contract| (contract, account)));
        }
    }

    /// The followed account that created a contract, as the contract's address alone tells.
    pub fn maker(&self, contract: &Address) -> Option<Address> {
        self.makers.get(contract).copied()
    }

    /// Adds value that an account received.
    pub fn add_arrival(&mut self, account: Address, arrival: Arrival) {
        let Arrival {
            tx,
            placement,
            origin,
            from,
            coin,
            amount,
        } = arrival;
        let key = ArrivalKey {
            height: placement.block.height,
            index: placement.index,
            tx,
            to: PoolKey { account, coin },
            origin,
        };
        let known = KnownArrival {
            amount,
            from,
            placement,
        };
        let kept = self.arrivals.entry(key).or_insert(known);
        *kept = known.max(*kept);
    }

    /// The transactions known in full, in chain order.
    pub fn transactions(&self) -> impl Iterator<Item = &EvmTransaction> {
        self.transactions.values().map(|one| &**one)
    }

    /// A transaction known in full.
    pub fn transaction(&self, hash: &B256) -> Option<&EvmTransaction> {
        let place = self.places.get(hash)?;
        self.transactions.get(place).map(|one| &**one)
    }

    /// The statements of a pool by their blocks, without the transactions and arrivals that they brought.
    pub fn statements(&self, pool: PoolKey) -> impl Iterator<Item = &AccountStatement> {
        self.statements
            .get(&pool)
            .into_iter()
            .flat_map(BTreeMap::values)
    }

    /// The pools of which there is a statement, ascending.
    pub fn pools(&self) -> impl Iterator<Item = PoolKey> {
        self.statements.keys().copied()
    }

    /// The blocks over which statements of a pool were added, hubs included; adjoining ranges are one.
    pub fn covered(&self, pool: PoolKey) -> Vec<(u64, u64)> {
        let mut merged: Vec<(u64, u64)> = Vec::new();
        for statement in self.statements(pool) {
            match merged.last_mut() {
                Some(last) if statement.since <= last.1.saturating_add(1) => {
                    last.1 = last.1.max(statement.until);
                }
                Some(_) | None => merged.push((statement.since, statement.until)),
            }
        }
        merged
    }

    /// Of how many pools there are statements.
    pub(crate) fn statement_count(&self) -> usize {
        self.statements.len()
    }

    /// The blocks over which each pool is followed: what its statements cover unless they call it a hub.
    pub(crate) fn pieces(&self) -> impl Iterator<Item = (PoolKey, Piece)> {
        self.statements.iter().flat_map(|(key, statements)| {
            let followed = statements.values().filter(|statement| !is_hub(statement));
            followed.map(|statement| {
                let piece = Piece {
                    since: statement.since,
                    until: statement.until,
                    opening: statement.opening,
                };
                (*key, piece)
            })
        })
    }

    /// Everything that happened, in chain order; what arrived in a transaction that is known in full is not
    /// told twice.
    pub(crate) fn events(&self) -> Events<'_> {
        Events {
            transactions: self.transactions.iter().peekable(),
            arrivals: self.arrivals.iter().peekable(),
            facts: self,
        }
    }

    fn is_told(&self, key: &ArrivalKey) -> bool {
        let Some(transaction) = key.tx.and_then(|hash| self.transaction(&hash)) else {
            return false;
        };
        transaction.movements.iter().any(|movement| {
            movement.origin == key.origin
                && movement.to == key.to.account
                && movement.coin == key.to.coin
        })
    }
}

/// How much a statement of a transaction knows, with all it says as the last resort, so that the order of arrival
/// decides nothing.
fn knowledge(transaction: &EvmTransaction) -> impl Ord + '_ {
    let movements = transaction.movements.iter().map(|movement| {
        (
            &movement.origin,
            movement.from,
            movement.to,
            movement.coin,
            movement.amount,
        )
    });
    (
        transaction.internal == InternalTransfers::Known,
        transaction.movements.len(),
        transaction.executed.len(),
        transaction.created.len(),
        transaction.trades.len(),
        transaction.placement,
        (transaction.sender, transaction.succeeded, transaction.fee),
        movements.collect::<Vec<_>>(),
        (&transaction.executed, &transaction.created),
    )
}

fn is_hub(statement: &AccountStatement) -> bool {
    let gaps = statement.coverage.gaps.iter();
    gaps.into_iter().any(|gap| matches!(gap, Gap::Hub { .. }))
}

/// Transactions and arrivals, merged in chain order; an arrival follows the transaction of its place.
pub(crate) struct Events<'a> {
    transactions:
        std::iter::Peekable<std::collections::btree_map::Iter<'a, Place, Arc<EvmTransaction>>>,
    arrivals: std::iter::Peekable<std::collections::btree_map::Iter<'a, ArrivalKey, KnownArrival>>,
    facts: &'a AccountFacts,
}

impl<'a> Iterator for Events<'a> {
    type Item = Event<'a>;

    fn next(&mut self) -> Option<Event<'a>> {
        loop {
            let arrival = self.arrivals.peek().map(|(key, _)| (key.height, key.index));
            let transaction = self
                .transactions
                .peek()
                .map(|(place, _)| (place.height, place.index));
            let transaction_first = match (transaction, arrival) {
                (Some(transaction), Some(arrival)) => transaction <= arrival,
                (Some(_), None) => true,
                (None, _) => false,
            };
            if transaction_first {
                let (_, transaction) = self.transactions.next()?;
                return Some(Event::Transaction(transaction));
            }
            let (key, known) = self.arrivals.next()?;
            if !self.facts.is_told(key) {
                return Some(Event::Arrival(received(key, known)));
            }
        }
    }
}

fn received<'a>(key: &'a ArrivalKey, known: &'a KnownArrival) -> Received<'a> {
    Received {
        tx: key.tx.as_ref(),
        placement: &known.placement,
        to: key.to,
        origin: &key.origin,
        from: known.from,
        amount: known.amount,
    }
}

impl PoolKey {
    /// The pool of an account's native coin.
    pub(crate) fn native(account: Address) -> Self {
        Self {
            account,
            coin: Coin::Native,
        }
    }
}
