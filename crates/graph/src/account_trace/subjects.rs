//! From what the user named on an EVM chain to the stolen movements.

use std::collections::{BTreeMap, BTreeSet};

use alloy_primitives::{Address, B256};
use hansel_ledger::{
    Amount, Arrival, Coin, Deposits, ErrorClass, EvmQuery, EvmTransaction, Gap, Origin, Subject,
};

use super::AccountPlan;
use crate::{AccountSeed, Theft};

/// Tokens that a gap lists by name.
const MOST_LISTED: usize = 20;

/// The subjects while they are resolved: first what accounts received, then the transactions that brought it.
#[derive(Debug)]
pub(super) struct AccountSubjects {
    stage: Stage,
    deposits: BTreeMap<(Address, u64, u64), Vec<Arrival>>,
    /// The transactions that brought value from other chains.
    expected: BTreeSet<B256>,
    gaps: BTreeMap<(String, Gap), ()>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    Histories,
    Transactions,
    Complete,
    Done,
}

impl AccountSubjects {
    pub(super) fn new() -> Self {
        Self {
            stage: Stage::Histories,
            deposits: BTreeMap::new(),
            expected: BTreeSet::new(),
            gaps: BTreeMap::new(),
        }
    }

    /// Adds transactions that brought value from other chains.
    pub(super) fn expect(&mut self, hashes: impl Iterator<Item = B256>) {
        self.expected.extend(hashes);
    }

    /// The questions of the stage; `None` once the subjects are resolved.
    pub(super) fn next_wave(&mut self, plan: &AccountPlan) -> Option<Vec<EvmQuery>> {
        if self.stage == Stage::Histories {
            self.stage = Stage::Transactions;
            let queries = histories(plan);
            if !queries.is_empty() {
                return Some(queries);
            }
        }
        if self.stage == Stage::Transactions {
            self.stage = Stage::Complete;
            let queries = self.transactions(plan);
            return Some(queries).filter(|queries| !queries.is_empty());
        }
        None
    }

    /// True once, when everything that the subjects need was asked for.
    pub(super) fn is_complete(&mut self) -> bool {
        if self.stage == Stage::Complete {
            self.stage = Stage::Done;
            return true;
        }
        false
    }

    pub(super) fn gaps(&self) -> Vec<(String, Gap)> {
        self.gaps.keys().cloned().collect()
    }

    pub(super) fn learn_deposits(&mut self, deposits: Deposits) {
        let Deposits {
            address,
            since,
            until,
            arrivals,
            noise: _,
            coverage,
        } = deposits;
        for gap in coverage.gaps {
            self.note(address.to_string(), gap);
        }
        self.deposits.insert((address, since, until), arrivals);
    }

    pub(super) fn lose(&mut self, query: &EvmQuery, reason: String) {
        let (subject, gap) = match query {
            EvmQuery::Transaction { hash } => {
                (hash.to_string(), Gap::TransactionUnavailable { reason })
            }
            EvmQuery::Account { address, .. } | EvmQuery::Deposits { address, .. } => {
                (address.to_string(), Gap::HistoryUnknown { reason })
            }
            EvmQuery::Logs { .. } => return,
        };
        self.note(subject, gap);
    }

    fn note(&mut self, subject: String, gap: Gap) {
        self.gaps.insert((subject, gap), ());
    }

    /// The transactions that hold stolen movements.
    fn transactions(&mut self, plan: &AccountPlan) -> Vec<EvmQuery> {
        let mut hashes = self.expected.clone();
        for theft in &plan.subjects {
            match &theft.subject {
                Subject::EvmTransaction(hash) | Subject::EvmMovement { hash, .. } => {
                    hashes.insert(*hash);
                }
                Subject::Account(address) => {
                    let counted = self.counted(plan, theft, address);
                    hashes.extend(counted.iter().map(|(hash, _)| *hash));
                }
                Subject::Transaction(_) | Subject::Output(_) | Subject::Script { .. } => {}
            }
        }
        self.name_what_does_not_count(plan);
        hashes
            .into_iter()
            .map(|hash| EvmQuery::Transaction { hash })
            .collect()
    }

    /// What an account received that counts as stolen.
    fn counted(&self, plan: &AccountPlan, theft: &Theft, address: &Address) -> Vec<(B256, Origin)> {
        let arrivals = self.deposits.get(&window(plan, theft, *address));
        let counts = |arrival: &&Arrival| {
            if theft.coins.is_empty() {
                plan.counts(arrival.coin)
            } else {
                theft.coins.contains(&arrival.coin)
            }
        };
        arrivals
            .into_iter()
            .flatten()
            .filter(counts)
            .filter_map(|arrival| Some((arrival.tx?, arrival.origin.clone())))
            .collect()
    }

    /// Names tokens that nobody vouches for and value that no transaction brought.
    fn name_what_does_not_count(&mut self, plan: &AccountPlan) {
        let mut notes = Vec::new();
        for ((address, _, _), arrivals) in &self.deposits {
            let mut unknown: BTreeMap<Coin, Amount> = BTreeMap::new();
            let mut without = 0_u64;
            for arrival in arrivals {
                if !plan.counts(arrival.coin) {
                    let sum = unknown.entry(arrival.coin).or_default();
                    *sum = sum.checked_add(arrival.amount).unwrap_or(*sum);
                } else if arrival.tx.is_none() {
                    without += 1;
                }
            }
            if !unknown.is_empty() {
                let tokens = listed(&unknown);
                notes.push((address.to_string(), Gap::TokensNotCounted { tokens }));
            }
            if without > 0 {
                let reason = format!(
                    "{without} receipts that no transaction explains are not counted as stolen"
                );
                notes.push((address.to_string(), Gap::HistoryUnknown { reason }));
            }
        }
        for (subject, gap) in notes {
            self.note(subject, gap);
        }
    }

    /// The stolen movements in the order of the subjects, each once.
    pub(super) fn seeds<'a>(
        &mut self,
        plan: &AccountPlan,
        transaction: impl Fn(&B256) -> Option<&'a EvmTransaction>,
    ) -> Vec<AccountSeed> {
        let mut seeds: Vec<AccountSeed> = Vec::new();
        let mut named = BTreeSet::new();
        for theft in &plan.subjects {
            for (hash, origin) in self.stolen(plan, theft, &transaction) {
                let found = transaction(&hash).and_then(|tx| seed(tx, &origin));
                match found {
                    Some(seed) if named.insert((hash, origin)) => seeds.push(seed),
                    Some(_) => {}
                    None => self.disbelieve(theft, &hash, &transaction),
                }
            }
        }
        seeds
    }

    fn stolen<'a>(
        &self,
        plan: &AccountPlan,
        theft: &Theft,
        transaction: &impl Fn(&B256) -> Option<&'a EvmTransaction>,
    ) -> Vec<(B256, Origin)> {
        match &theft.subject {
            Subject::EvmMovement { hash, origin } => vec![(*hash, origin.clone())],
            Subject::EvmTransaction(hash) => {
                let tx = transaction(hash);
                let origins = tx.into_iter().flat_map(|tx| kept(plan, tx));
                origins.map(|origin| (*hash, origin)).collect()
            }
            Subject::Account(address) => self.counted(plan, theft, address),
            Subject::Transaction(_) | Subject::Output(_) | Subject::Script { .. } => Vec::new(),
        }
    }

    /// A movement that its transaction does not make was claimed by the source, or mistyped by the user.
    fn disbelieve<'a>(
        &mut self,
        theft: &Theft,
        hash: &B256,
        transaction: &impl Fn(&B256) -> Option<&'a EvmTransaction>,
    ) {
        if transaction(hash).is_none() {
            // The failure to fetch it is noted already.
            return;
        }
        let reason = match &theft.subject {
            Subject::EvmMovement { .. } => {
                format!("transaction {hash} makes no such movement of value")
            }
            _ => format!(
                "{}: {hash} does not pay the address",
                ErrorClass::Inconsistent.name()
            ),
        };
        self.note(hash.to_string(), Gap::HistoryUnknown { reason });
    }
}

fn window(plan: &AccountPlan, theft: &Theft, address: Address) -> (Address, u64, u64) {
    (address, theft.since, theft.until.min(plan.as_of.height))
}

fn histories(plan: &AccountPlan) -> Vec<EvmQuery> {
    let mut asked = BTreeSet::new();
    for theft in &plan.subjects {
        if let Subject::Account(address) = &theft.subject {
            let (address, since, until) = window(plan, theft, *address);
            if since <= until {
                asked.insert(EvmQuery::Deposits {
                    address,
                    since,
                    until,
                });
            }
        }
    }
    asked.into_iter().collect()
}

/// The movements with which a transaction paid out: those to accounts that gained and gave nothing.
fn kept(plan: &AccountPlan, tx: &EvmTransaction) -> Vec<Origin> {
    let mut gained: BTreeMap<(Address, Coin), (Amount, Amount)> = BTreeMap::new();
    let plus = |sum: &mut Amount, amount| *sum = sum.checked_add(amount).unwrap_or(*sum);
    for movement in &tx.movements {
        let coin = movement.coin;
        plus(
            &mut gained.entry((movement.to, coin)).or_default().0,
            movement.amount,
        );
        plus(
            &mut gained.entry((movement.from, coin)).or_default().1,
            movement.amount,
        );
    }
    let gave: BTreeSet<Address> = gained
        .iter()
        .filter(|(_, (received, given))| given > received)
        .map(|((account, _), _)| *account)
        .collect();
    let ends = |to: Address, coin: Coin| {
        let net = gained
            .get(&(to, coin))
            .is_some_and(|(received, given)| received > given);
        net && !gave.contains(&to) && !to.is_zero() && coin != Coin::Token(to)
    };
    tx.movements
        .iter()
        .filter(|movement| ends(movement.to, movement.coin) && plan.counts(movement.coin))
        .map(|movement| movement.origin.clone())
        .collect()
}

pub(super) fn seed(tx: &EvmTransaction, origin: &Origin) -> Option<AccountSeed> {
    let movement = tx
        .movements
        .iter()
        .find(|movement| movement.origin == *origin)?;
    Some(AccountSeed {
        hash: tx.hash,
        origin: origin.clone(),
        coin: movement.coin,
        amount: movement.amount,
        to: movement.to,
        parts: None,
    })
}

fn listed(unknown: &BTreeMap<Coin, Amount>) -> String {
    let names: Vec<String> = unknown
        .iter()
        .take(MOST_LISTED)
        .map(|(coin, amount)| format!("{amount} of {coin}"))
        .collect();
    let more = unknown.len().saturating_sub(MOST_LISTED);
    if more > 0 {
        format!("{} and {more} more tokens", names.join(", "))
    } else {
        names.join(", ")
    }
}
