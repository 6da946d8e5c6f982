//! What is known so far of one coin of one account, in chain order.

use std::collections::BTreeMap;

use alloy_primitives::{Address, B256, U256, U512};
use hansel_ledger::{
    Amount, Arrival, Coin, EvmPlacement, EvmTransaction, InternalTransfers, Movement, Noise, Origin,
};

use crate::history::Explained;

/// Transactions in which the account gave the coin, and arrivals of it in others.
#[derive(Clone, Debug)]
pub(crate) struct Book {
    address: Address,
    coin: Coin,
    transactions: BTreeMap<EvmPlacement, EvmTransaction>,
    arrivals: BTreeMap<(EvmPlacement, Option<B256>, Origin), Arrival>,
    /// Logs that move nothing.
    pub(crate) noise: Noise,
}

/// What came and what left. Hostile tokens log amounts whose sums do not fit 256 bits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Net {
    pub(crate) came: U512,
    pub(crate) left: U512,
}

/// How much more or less a balance changed than is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Rest {
    /// True where the balance rose more, or fell less, than is known.
    pub(crate) gained: bool,
    pub(crate) amount: Amount,
}

impl Net {
    pub(crate) fn add(&mut self, other: Self) {
        // 512 bits hold the sum of 2^256 amounts.
        self.came += other.came;
        self.left += other.left;
    }

    /// What the change of a balance leaves unexplained; `None` for nothing.
    pub(crate) fn rest(&self, before: U256, after: U256) -> Option<Rest> {
        let known = U512::from(before) + self.came;
        let told = U512::from(after) + self.left;
        let (gained, rest) = match told.cmp(&known) {
            std::cmp::Ordering::Equal => return None,
            std::cmp::Ordering::Greater => (true, told - known),
            std::cmp::Ordering::Less => (false, known - told),
        };
        let rest = U256::checked_from_limbs_slice(rest.as_limbs()).unwrap_or(U256::MAX);
        let amount = Amount::from(rest);
        Some(Rest { gained, amount })
    }
}

impl Book {
    pub(crate) fn new(address: Address, coin: Coin) -> Self {
        Self {
            address,
            coin,
            transactions: BTreeMap::new(),
            arrivals: BTreeMap::new(),
            noise: Noise::default(),
        }
    }

    /// Enters a transaction that is known in full: whole if the account gave the coin in it, else what arrived.
    pub(crate) fn enter(&mut self, tx: EvmTransaction) {
        if !self.gives(&tx) {
            self.enter_arrivals_of(&tx);
            return;
        }
        // What was taken for an arrival before is a movement of the transaction; an unexplained one is not.
        self.arrivals.retain(|(_, hash, origin), _| {
            *hash != Some(tx.hash) || *origin == Origin::Unexplained
        });
        self.transactions.insert(tx.placement, tx);
    }

    /// Enters what arrived; nothing where a transaction entered in full says the same.
    pub(crate) fn arrive(&mut self, arrival: Arrival) {
        let told = arrival.tx.is_some_and(|hash| self.holds(&hash));
        if arrival.coin != self.coin || told && arrival.origin != Origin::Unexplained {
            return;
        }
        let key = (arrival.placement, arrival.tx, arrival.origin.clone());
        self.arrivals.insert(key, arrival);
    }

    /// True where the transaction was entered in full.
    pub(crate) fn holds(&self, hash: &B256) -> bool {
        self.transactions.values().any(|tx| tx.hash == *hash)
    }

    /// True where the transaction was entered in any way.
    pub(crate) fn names(&self, hash: &B256) -> bool {
        self.holds(hash) || self.arrivals.keys().any(|(_, tx, _)| *tx == Some(*hash))
    }

    /// The transactions in which the account gave the coin, in chain order.
    pub(crate) fn transactions(&self) -> impl Iterator<Item = &EvmTransaction> {
        self.transactions.values()
    }

    /// How many transactions and arrivals there are.
    pub(crate) fn len(&self) -> u64 {
        let entries = self.transactions.len() + self.arrivals.len();
        u64::try_from(entries).unwrap_or(u64::MAX)
    }

    /// What came and left in each block.
    pub(crate) fn nets(&self) -> BTreeMap<u64, Net> {
        let mut nets: BTreeMap<u64, Net> = BTreeMap::new();
        for tx in self.transactions.values() {
            let net = nets.entry(tx.placement.block.height).or_default();
            net.add(self.net_of(tx));
        }
        for arrival in self.arrivals.values() {
            let net = nets.entry(arrival.placement.block.height).or_default();
            net.came += U512::from(arrival.amount.to_u256());
        }
        nets
    }

    /// What came and left, as the search in balances takes it. A sum beyond 256 bits is cut, so that it differs.
    pub(crate) fn explained(&self) -> BTreeMap<u64, Explained> {
        let cut = |sum: U512| {
            let sum = U256::checked_from_limbs_slice(sum.as_limbs()).unwrap_or(U256::MAX);
            Amount::from(sum)
        };
        let explained = |net: Net| Explained {
            received: cut(net.came),
            given: cut(net.left),
        };
        let nets = self.nets().into_iter();
        nets.map(|(height, net)| (height, explained(net))).collect()
    }

    /// What the change of the balance over all blocks leaves unexplained.
    pub(crate) fn rest(&self, opening: U256, closing: U256) -> Option<Rest> {
        let mut sum = Net::default();
        for net in self.nets().into_values() {
            sum.add(net);
        }
        sum.rest(opening, closing)
    }

    /// What the change of the balance in one block leaves unexplained.
    pub(crate) fn rest_at(&self, height: u64, before: U256, after: U256) -> Option<Rest> {
        let net = self.nets().remove(&height).unwrap_or_default();
        net.rest(before, after)
    }

    /// The logs of a block that the rest contradicts: movements out of the account in transactions that it did not
    /// send, where the balance did not fall, or arrivals, where it did not rise. All of them if they make up the
    /// rest together, else the only one that does alone; none where that is not certain.
    pub(crate) fn forged_at(&self, height: u64, rest: Rest) -> Vec<u64> {
        let claims = if rest.gained {
            self.foreign_at(height)
        } else {
            self.arrived_at(height)
        };
        let rest = U512::from(rest.amount.to_u256());
        let sum: U512 = claims
            .values()
            .copied()
            .fold(U512::ZERO, |sum, one| sum + one);
        if sum == rest {
            return claims.into_keys().collect();
        }
        let alone: Vec<u64> = claims
            .into_iter()
            .filter(|(_, amount)| *amount == rest)
            .map(|(index, _)| index)
            .collect();
        if alone.len() == 1 { alone } else { Vec::new() }
    }

    /// Amounts by log that left in transactions which others sent.
    fn foreign_at(&self, height: u64) -> BTreeMap<u64, U512> {
        let here =
            |tx: &&EvmTransaction| tx.placement.block.height == height && tx.sender != self.address;
        let movements = self
            .transactions()
            .filter(here)
            .flat_map(|tx| &tx.movements);
        let leaving = movements.filter(|one| {
            one.from == self.address && one.to != self.address && one.coin == self.coin
        });
        leaving
            .filter_map(|one| Some((log_index(&one.origin)?, U512::from(one.amount.to_u256()))))
            .collect()
    }

    fn arrived_at(&self, height: u64) -> BTreeMap<u64, U512> {
        let here = self
            .arrivals
            .values()
            .filter(|arrival| arrival.placement.block.height == height);
        here.filter_map(|one| Some((log_index(&one.origin)?, U512::from(one.amount.to_u256()))))
            .collect()
    }

    /// Takes out what the log says and counts it as forged. A transaction in which the account gives nothing else
    /// is taken out with it.
    pub(crate) fn drop_forged(&mut self, height: u64, index: u64) {
        let origin = Origin::Log(index);
        self.noise.forged += 1;
        self.arrivals.retain(|(placement, _, other), _| {
            placement.block.height != height || *other != origin
        });
        let naming = |tx: &&EvmTransaction| {
            tx.placement.block.height == height
                && tx
                    .movements
                    .iter()
                    .any(|movement| movement.origin == origin)
        };
        let Some(placement) = self.transactions().find(naming).map(|tx| tx.placement) else {
            return;
        };
        if let Some(mut tx) = self.transactions.remove(&placement) {
            tx.movements.retain(|movement| movement.origin != origin);
            tx.noise.forged += 1;
            self.enter(tx);
        }
    }

    /// How many transactions lack what contracts moved in them.
    pub(crate) fn untraced(&self) -> u64 {
        let unknown = |tx: &&EvmTransaction| tx.internal == InternalTransfers::Unknown;
        u64::try_from(self.transactions().filter(unknown).count()).unwrap_or(u64::MAX)
    }

    /// The entries in chain order.
    pub(crate) fn close(self) -> (Vec<EvmTransaction>, Vec<Arrival>, Noise) {
        let transactions = self.transactions.into_values().collect();
        let arrivals = self.arrivals.into_values().collect();
        (transactions, arrivals, self.noise)
    }

    fn gives(&self, tx: &EvmTransaction) -> bool {
        let pays_gas = self.coin == Coin::Native && tx.sender == self.address;
        let gives =
            |movement: &Movement| movement.coin == self.coin && movement.from == self.address;
        pays_gas || tx.movements.iter().any(gives)
    }

    fn enter_arrivals_of(&mut self, tx: &EvmTransaction) {
        for arrival in arrivals_of(tx, self.address) {
            self.arrive(arrival);
        }
    }

    fn net_of(&self, tx: &EvmTransaction) -> Net {
        let mut net = Net::default();
        if self.coin == Coin::Native && tx.sender == self.address {
            net.left += U512::from(tx.fee.to_u256());
        }
        for movement in tx.movements.iter().filter(|one| one.coin == self.coin) {
            let amount = U512::from(movement.amount.to_u256());
            if movement.from == self.address {
                net.left += amount;
            }
            if movement.to == self.address {
                net.came += amount;
            }
        }
        net
    }
}

/// What an account received in a transaction from others, of every coin.
pub(crate) fn arrivals_of(
    tx: &EvmTransaction,
    address: Address,
) -> impl Iterator<Item = Arrival> + '_ {
    let received = move |movement: &&Movement| movement.to == address && movement.from != address;
    let arrival = |movement: &Movement| Arrival {
        tx: Some(tx.hash),
        placement: tx.placement,
        origin: movement.origin.clone(),
        from: Some(movement.from),
        coin: movement.coin,
        amount: movement.amount,
    };
    tx.movements.iter().filter(received).map(arrival)
}

fn log_index(origin: &Origin) -> Option<u64> {
    match origin {
        Origin::Log(index) => Some(*index),
        Origin::Call(_) | Origin::Withdrawal(_) | Origin::Unexplained | Origin::Tips(_) => None,
    }
}
