//! The taint of every known movement between accounts, as a pure function of the facts.

use std::collections::{BTreeMap, BTreeSet};

use alloy_primitives::{Address, B256};
use hansel_ledger::{Amount, AmountError, Coin, Origin};

use super::PoolKey;
use super::book::Book;
use super::facts::AccountFacts;
use super::ledger::Ledger;
use super::replay::Replay;
use super::shelf::{Run, Shelf};
use super::view::{FlowRecord, Reading};
use super::workings::PoolStep;
use crate::{FeeRule, Parts, Rule, SeedIx};

/// A stolen movement: wholly tainted when it arrives, whatever its source held. What earlier seeds claim of it
/// stays theirs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccountSeed {
    /// The transaction.
    pub hash: B256,
    /// Which of its movements.
    pub origin: Origin,
    /// What was stolen.
    pub coin: Coin,
    /// How much, in base units.
    pub amount: Amount,
    /// The account that received it.
    pub to: Address,
    /// How much of it is stolen, its first clean units, for what came from another chain; `None` for all of it.
    pub parts: Option<Parts>,
}

impl AccountSeed {
    /// How much of it a rule calls stolen at most.
    pub(crate) fn most(&self, rule: Rule) -> Amount {
        let part = |parts: &Parts| parts.get(&rule).copied().unwrap_or_default();
        self.parts.as_ref().map_or(self.amount, part)
    }
}

/// Says what stopped a settlement; each is a fault of the program.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum AccountSettleError {
    /// More seeds than there are numbers for them.
    #[error("too many seeds")]
    TooManySeeds,
    /// A sum that cannot fail did.
    #[error("transaction {hash:?} does not settle")]
    Arithmetic {
        /// The transaction; `None` for what happens outside of transactions.
        hash: Option<B256>,
        /// What went wrong.
        #[source]
        source: AmountError,
    },
    /// Claims were lost or made.
    #[error("seed {seed} does not balance under {rule}: {stolen} stolen, {found} found")]
    Unbalanced {
        /// The seed's id.
        seed: String,
        /// The rule.
        rule: Rule,
        /// What the seed claims, in base units.
        stolen: Amount,
        /// What the pools and the gas carry of it.
        found: Amount,
    },
}

/// The settlement of a set of facts.
#[derive(Debug)]
pub struct AccountSettlement {
    pub(crate) ledger: Ledger,
    pub(crate) books: Vec<Book>,
    pub(crate) flows: Shelf<FlowRecord>,
    pub(crate) runs: Shelf<Run>,
    pub(crate) readings: Vec<Reading>,
}

impl AccountSettlement {
    /// Settles everything known in chain order. Rules named twice count once. A seed that no known movement
    /// matches claims nothing.
    pub fn settle(
        facts: &AccountFacts,
        seeds: &[AccountSeed],
        rules: &[Rule],
        fee_rule: FeeRule,
    ) -> Result<Self, AccountSettleError> {
        let mut replay = Replay::new(facts, seeds, rules, fee_rule)?;
        replay.run(facts)?;
        let Replay {
            ledger,
            books,
            flows,
            runs,
            readings,
            ..
        } = replay;
        let settlement = Self {
            ledger,
            books,
            flows,
            runs,
            readings,
        };
        settlement.check()?;
        Ok(settlement)
    }

    /// Settles again and tells what happened to the pools asked for, step by step, in chain order. Pools of which
    /// there is no statement are left out: nothing is drawn from them.
    pub fn workings(
        facts: &AccountFacts,
        seeds: &[AccountSeed],
        rules: &[Rule],
        fee_rule: FeeRule,
        pools: &BTreeSet<PoolKey>,
    ) -> Result<BTreeMap<(PoolKey, Rule), Vec<PoolStep>>, AccountSettleError> {
        let mut replay = Replay::new(facts, seeds, rules, fee_rule)?;
        replay.watch(pools);
        replay.run(facts)?;
        Ok(replay.diaries())
    }

    /// The rules settled, in the order in which they were asked for.
    pub fn rules(&self) -> impl Iterator<Item = Rule> + '_ {
        self.books.iter().map(|book| book.rule)
    }

    /// What a seed claims under a rule, in base units of what was stolen: its movement's amount less what earlier
    /// seeds claim of it; zero where no known movement is the seed.
    pub fn stolen(&self, rule: Rule, seed: SeedIx) -> Amount {
        let book = self.book(rule);
        let stolen = book.and_then(|book| book.stolen.get(seed.position()));
        stolen.copied().unwrap_or(Amount::ZERO)
    }

    /// What of a seed's claim was paid for gas under a rule, in base units of what was stolen; zero under poison.
    pub fn gas(&self, rule: Rule, seed: SeedIx) -> Amount {
        let gas = self
            .book(rule)
            .and_then(|book| book.gas.get(seed.position()));
        gas.copied().unwrap_or(Amount::ZERO)
    }

    pub(crate) fn book(&self, rule: Rule) -> Option<&Book> {
        self.books.iter().find(|book| book.rule == rule)
    }

    /// Checks that no claim was lost or made, under every rule that conserves.
    fn check(&self) -> Result<(), AccountSettleError> {
        for book in self.books.iter().filter(|book| book.rule.conserves()) {
            let mut found = book.gas.clone();
            add_residuals(book, &mut found)
                .map_err(|source| AccountSettleError::Arithmetic { hash: None, source })?;
            for (position, (stolen, found)) in book.stolen.iter().zip(found).enumerate() {
                if *stolen != found {
                    let seed = SeedIx::from_position(position);
                    return Err(AccountSettleError::Unbalanced {
                        seed: seed.map_or_else(String::new, SeedIx::id),
                        rule: book.rule,
                        stolen: *stolen,
                        found,
                    });
                }
            }
        }
        Ok(())
    }
}

fn add_residuals(book: &Book, found: &mut [Amount]) -> Result<(), AmountError> {
    for held in book.held.iter().filter(|held| held.was_tainted()) {
        for parcel in held.residual()? {
            if let Some(seed) = parcel.owner {
                let sum = &mut found[seed.position()];
                *sum = sum.checked_add(parcel.claim)?;
            }
        }
    }
    Ok(())
}
