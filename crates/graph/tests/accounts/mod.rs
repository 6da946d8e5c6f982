//! Transactions and statements of named accounts, written by hand.
#![allow(dead_code, reason = "each test uses its part")]

use alloy_primitives::{Address, B256, Bytes, keccak256};
use hansel_graph::{
    AccountFacts, AccountFlow, AccountSeed, AccountSettlement, AccountStep, FeeRule, Parcel,
    PoolKey, Rule,
};
use hansel_ledger::{
    AccountNature, AccountStatement, Amount, BlockRef, Coin, Coverage, Creation, EvmPlacement,
    EvmTransaction, InternalTransfers, Movement, Noise, Origin, Trade, UnixTime,
};

/// The last block of every test.
pub(crate) const END: u64 = 1_000;

/// The account of a name.
pub(crate) fn account(name: &str) -> Address {
    Address::from_slice(&keccak256(name)[12..])
}

/// The native coin, or the token whose contract has this name.
pub(crate) fn coin(name: &str) -> Coin {
    match name {
        "ETH" => Coin::Native,
        token => Coin::Token(account(token)),
    }
}

pub(crate) fn pool(name: &str, asset: &str) -> PoolKey {
    PoolKey {
        account: account(name),
        coin: coin(asset),
    }
}

pub(crate) fn amount(units: u64) -> Amount {
    Amount::from(units)
}

pub(crate) fn placement(height: u64, index: u32) -> EvmPlacement {
    let hash = keccak256(height.to_be_bytes());
    EvmPlacement {
        block: BlockRef::evm(height, hash, UnixTime(height)),
        index,
    }
}

/// Builds a transaction. Native movements must come first.
#[derive(Clone)]
pub(crate) struct Tx(pub(crate) EvmTransaction);

impl Tx {
    pub(crate) fn new(height: u64, index: u32, sender: &str) -> Self {
        let hash = keccak256(format!("{height}/{index}"));
        Self(EvmTransaction {
            hash,
            placement: placement(height, index),
            sender: account(sender),
            to: None,
            succeeded: true,
            fee: Amount::ZERO,
            gas_price: None,
            movements: Vec::new(),
            created: Vec::new(),
            executed: Vec::new(),
            trades: Vec::new(),
            events: Vec::new(),
            carried: Bytes::new(),
            noise: Noise::default(),
            internal: InternalTransfers::Known,
        })
    }

    pub(crate) fn fee(mut self, units: u64) -> Self {
        self.0.fee = amount(units);
        self
    }

    pub(crate) fn failed(mut self) -> Self {
        self.0.succeeded = false;
        self
    }

    pub(crate) fn moves(self, from: &str, to: &str, asset: &str, units: u64) -> Self {
        self.moves_amount(from, to, asset, amount(units))
    }

    pub(crate) fn moves_amount(mut self, from: &str, to: &str, asset: &str, units: Amount) -> Self {
        let number = self.0.movements.len();
        let origin = match coin(asset) {
            Coin::Native => Origin::Call(vec![0, u32::try_from(number).unwrap()]),
            Coin::Token(_) => Origin::Log(u64::try_from(number).unwrap()),
        };
        self.0.movements.push(Movement {
            origin,
            from: account(from),
            to: account(to),
            coin: coin(asset),
            amount: units,
        });
        self
    }

    pub(crate) fn runs(mut self, names: &[&str]) -> Self {
        self.0
            .executed
            .extend(names.iter().map(|name| account(name)));
        self.0.executed.sort();
        self.0.executed.dedup();
        self
    }

    pub(crate) fn creates(mut self, creator: &str, contract: &str) -> Self {
        self.0.created.push(Creation {
            creator: account(creator),
            contract: account(contract),
        });
        self
    }

    pub(crate) fn trade(
        mut self,
        venue: &str,
        owner: &str,
        sold: (&str, u64),
        bought: (&str, u64),
    ) -> Self {
        self.0.trades.push(Trade {
            venue: account(venue),
            owner: account(owner),
            sold: coin(sold.0),
            sold_amount: amount(sold.1),
            bought: coin(bought.0),
            bought_amount: amount(bought.1),
        });
        self
    }

    /// The movement by its number as a seed.
    pub(crate) fn seed(&self, number: usize) -> AccountSeed {
        let movement = &self.0.movements[number];
        AccountSeed {
            hash: self.0.hash,
            origin: movement.origin.clone(),
            coin: movement.coin,
            amount: movement.amount,
            to: movement.to,
            parts: None,
        }
    }
}

/// A statement without entries: the tests add transactions themselves.
pub(crate) fn statement(
    name: &str,
    asset: &str,
    (since, until): (u64, u64),
    opening: Option<u64>,
) -> AccountStatement {
    AccountStatement {
        address: account(name),
        coin: coin(asset),
        since,
        until,
        opening: opening.map(amount),
        closing: None,
        nature: AccountNature::Unknown,
        transactions: Vec::new(),
        arrivals: Vec::new(),
        noise: Noise::default(),
        coverage: Coverage::default(),
    }
}

/// Facts of these transactions, in which the pools named are followed from the start with these openings.
pub(crate) fn facts(transactions: &[Tx], followed: &[(&str, &str, u64)]) -> AccountFacts {
    let mut facts = AccountFacts::default();
    for transaction in transactions {
        facts.add_transaction(transaction.0.clone());
    }
    for (name, asset, opening) in followed {
        facts.add_statement(statement(name, asset, (0, END), Some(*opening)));
    }
    facts
}

pub(crate) fn settle(
    facts: &AccountFacts,
    seeds: &[AccountSeed],
    rules: &[Rule],
) -> AccountSettlement {
    AccountSettlement::settle(facts, seeds, rules, FeeRule::Last).unwrap()
}

/// What a pool holds of taint under a rule: units and claims by the number of the seed.
pub(crate) fn residual(
    settlement: &AccountSettlement,
    rule: Rule,
    name: &str,
    asset: &str,
) -> Vec<(usize, Amount, Amount)> {
    let key = pool(name, asset);
    let state = settlement.pools().find(|state| state.key == key);
    let parcels = state.map_or(Vec::new(), |state| state.residual(rule).unwrap());
    sums(&parcels)
}

/// Units and claims by the number of the seed.
pub(crate) fn sums(parcels: &[Parcel]) -> Vec<(usize, Amount, Amount)> {
    let mut sums: std::collections::BTreeMap<usize, (Amount, Amount)> = Default::default();
    for parcel in parcels {
        if let Some(owner) = parcel.owner {
            let sum = sums.entry(owner.position()).or_default();
            sum.0 = sum.0.checked_add(parcel.amount).unwrap();
            sum.1 = sum.1.checked_add(parcel.claim).unwrap();
        }
    }
    sums.into_iter()
        .map(|(owner, (units, claim))| (owner, units, claim))
        .collect()
}

/// One seed's units and claim, as small numbers.
pub(crate) fn held(
    settlement: &AccountSettlement,
    rule: Rule,
    name: &str,
    asset: &str,
) -> (u64, u64) {
    match residual(settlement, rule, name, asset)[..] {
        [] => (0, 0),
        [(_, units, claim)] => (small(units), small(claim)),
        _ => panic!("more than one seed"),
    }
}

pub(crate) fn small(units: Amount) -> u64 {
    units.to_string().parse().unwrap()
}

/// The tainted units of the flow that a transaction's movement or gas (`None`) is.
pub(crate) fn flow_units(
    settlement: &AccountSettlement,
    rule: Rule,
    hash: B256,
    origin: Option<&Origin>,
) -> u64 {
    let is_wanted = |flow: &AccountFlow<'_>| {
        let step = match flow.step {
            AccountStep::Movement { origin, .. } => Some(origin),
            AccountStep::Gas { .. } => None,
        };
        flow.hash == hash && step == origin
    };
    let flow = settlement.flows().find(is_wanted);
    let sums = flow.map_or(Vec::new(), |flow| sums(flow.parcels(rule)));
    sums.iter().map(|(_, units, _)| small(*units)).sum()
}
