//! The trace loop of an EVM chain without its I/O: which accounts to read next, and what the answers change.
//!
//! As on Bitcoin a trace proceeds in waves of the most urgent questions. Taint is settled anew from all facts
//! before each wave, so that nothing depends on the order in which they came.

mod ending;
mod follow;
mod subjects;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use alloy_primitives::Address;
use hansel_ledger::{
    AccountNature, AccountStatement, Amount, BlockRef, Chain, Coin, ErrorClass, EvmFact, EvmQuery,
    EvmTransaction, Fact, Gap, Noise, Query,
};

use crate::{
    AccountFacts, AccountInflow, AccountSeed, AccountSettlement, FeeRule, Limits, PoolKey,
    PoolStep, Rule, SeedIx, Theft, TraceError, Venue, Venues,
};

pub use ending::AccountEnding;
use subjects::AccountSubjects;

/// What to trace on an EVM chain, how, and how far.
#[derive(Clone, Debug)]
pub struct AccountPlan {
    /// The chain.
    pub chain: Chain,
    /// The thefts.
    pub subjects: Vec<Theft>,
    /// Coins that count as stolen besides those that the chain's configuration knows.
    pub coins: BTreeSet<Coin>,
    /// Contracts that are followed like accounts although the traced accounts did not create them.
    pub through: BTreeSet<Address>,
    /// The newest block that counts.
    pub as_of: BlockRef,
    /// The rules to settle under.
    pub rules: Vec<Rule>,
    /// Who pays fees.
    pub fee_rule: FeeRule,
    /// How far; hops count accounts, nodes count statements.
    pub limits: Limits,
    /// With more transfers than this an account is a hub and is not followed.
    pub bound: u64,
    /// Knows where trails end; [`NoVenues`](crate::NoVenues) where they go on everywhere.
    pub venues: Arc<dyn Venues>,
}

impl AccountPlan {
    /// True for a coin that counts as stolen when an account received it.
    ///
    /// Anybody can send anybody a token of his own making, so a token counts where the configuration knows it
    /// or the user names it. A chain without any known token, such as a test chain, has nothing to tell by.
    fn counts(&self, coin: Coin) -> bool {
        let known = self.chain.evm().is_some_and(|network| {
            network.tokens.is_empty() && network.wrapped.is_none() || network.asset(coin).is_some()
        });
        let wrapped = self
            .chain
            .evm()
            .and_then(|network| network.wrapped)
            .map(Coin::Token);
        known || Some(coin) == wrapped || self.coins.contains(&coin)
    }
}

/// Why a pool is not followed, once that is known.
#[derive(Clone, Debug, PartialEq, Eq)]
enum PoolStop {
    /// Too many transfers.
    Hub(u64),
    /// A contract that holds the value of others too.
    Contract,
    /// The statement could not be had.
    Failed(Gap),
    /// Value leaves the chain here, to where this says.
    Bridge(String),
}

/// A trace on an EVM chain in progress.
#[derive(Debug)]
pub struct AccountTrace {
    plan: AccountPlan,
    facts: AccountFacts,
    seeds: Vec<AccountSeed>,
    /// What was stolen of each coin, all seeds together.
    stolen: BTreeMap<Coin, Amount>,
    settlement: AccountSettlement,
    subjects: AccountSubjects,
    /// What came from other chains, and the seed that it became.
    inflows: Vec<(AccountInflow, Option<SeedIx>)>,
    stops: BTreeMap<PoolKey, PoolStop>,
    /// What the venues say about the accounts that hold taint.
    venues: BTreeMap<Address, Option<Arc<Venue>>>,
    natures: BTreeMap<Address, AccountNature>,
    /// Accounts whose code ran in a known transaction.
    executed: BTreeSet<Address>,
    /// Contracts that the traced accounts made, or had made in transactions of theirs.
    own: BTreeSet<Address>,
    /// Pools whose statements were asked for: the nodes of the trace.
    visited: BTreeSet<PoolKey>,
    noise: BTreeMap<PoolKey, Noise>,
    questions: u64,
    interrupted: bool,
}

impl AccountTrace {
    /// Starts a trace that knows nothing yet.
    pub fn new(plan: AccountPlan) -> Result<Self, TraceError> {
        let facts = AccountFacts::default();
        let settlement = AccountSettlement::settle(&facts, &[], &plan.rules, plan.fee_rule)?;
        Ok(Self {
            plan,
            facts,
            seeds: Vec::new(),
            stolen: BTreeMap::new(),
            settlement,
            subjects: AccountSubjects::new(),
            inflows: Vec::new(),
            stops: BTreeMap::new(),
            venues: BTreeMap::new(),
            natures: BTreeMap::new(),
            executed: BTreeSet::new(),
            own: BTreeSet::new(),
            visited: BTreeSet::new(),
            noise: BTreeMap::new(),
            questions: 0,
            interrupted: false,
        })
    }

    /// Starts a trace that also follows what came from other chains, once the subjects are named.
    pub fn with_inflows(
        plan: AccountPlan,
        inflows: Vec<AccountInflow>,
    ) -> Result<Self, TraceError> {
        let mut trace = Self::new(plan)?;
        trace.subjects.expect(inflows.iter().map(|one| one.hash));
        trace.inflows = inflows.into_iter().map(|one| (one, None)).collect();
        Ok(trace)
    }

    /// The seeds that came from other chains, in the order in which they were given; `None` for one that could not
    /// be fetched, or that is a seed anyway.
    pub fn inflow_seeds(&self) -> Vec<Option<SeedIx>> {
        self.inflows.iter().map(|(_, seed)| *seed).collect()
    }

    /// Ends the trails at a pool with which value leaves the chain. `reason` says where it went, safe to print.
    pub fn close(&mut self, pool: PoolKey, reason: String) {
        let stop = self
            .stops
            .entry(pool)
            .or_insert_with(|| PoolStop::Bridge(reason.clone()));
        if !matches!(stop, PoolStop::Bridge(_)) {
            *stop = PoolStop::Bridge(reason);
        }
    }

    /// Opens what [`Self::close`] closed: more is known now, and the value did not leave there.
    pub fn reopen(&mut self, pool: &PoolKey) {
        if matches!(self.stops.get(pool), Some(PoolStop::Bridge(_))) {
            self.stops.remove(pool);
        }
    }

    /// What was asked for.
    pub fn plan(&self) -> &AccountPlan {
        &self.plan
    }

    /// The facts so far.
    pub fn facts(&self) -> &AccountFacts {
        &self.facts
    }

    /// The stolen movements, once the subjects are resolved.
    pub fn seeds(&self) -> &[AccountSeed] {
        &self.seeds
    }

    /// The taint so far; up to date after [`AccountTrace::next_wave`].
    pub fn settlement(&self) -> &AccountSettlement {
        &self.settlement
    }

    /// What happened to these pools under each rule, step by step: the facts are settled once more.
    pub fn workings(
        &self,
        pools: &BTreeSet<PoolKey>,
    ) -> Result<BTreeMap<(PoolKey, Rule), Vec<PoolStep>>, TraceError> {
        let AccountPlan {
            rules, fee_rule, ..
        } = &self.plan;
        let (facts, seeds) = (&self.facts, &self.seeds);
        let found = AccountSettlement::workings(facts, seeds, rules, *fee_rule, pools)?;
        Ok(found)
    }

    /// How many pools were asked for.
    pub fn visits(&self) -> u64 {
        u64::try_from(self.visited.len()).unwrap_or(u64::MAX)
    }

    /// How many questions were asked.
    pub fn questions(&self) -> u64 {
        self.questions
    }

    /// What is not known of the subjects themselves.
    pub fn subject_gaps(&self) -> Vec<(String, Gap)> {
        self.subjects.gaps()
    }

    /// Logs that name a followed account and move nothing, by account and coin.
    pub fn noise(&self) -> impl Iterator<Item = (&PoolKey, &Noise)> {
        self.noise.iter()
    }

    /// What kind of account it is, where that was told.
    pub fn nature(&self, account: &Address) -> AccountNature {
        let known = self.natures.get(account).copied();
        known.unwrap_or(AccountNature::Unknown)
    }

    /// Ends the trace where it is: settles what is known; the rest counts as not followed.
    pub fn finish(&mut self) -> Result<(), TraceError> {
        self.interrupted = true;
        self.plant();
        self.settle()
    }

    /// The next questions, most tainted value first; empty when the trace is complete.
    pub fn next_wave(&mut self) -> Result<Vec<Query>, TraceError> {
        let queries = match self.subjects.next_wave(&self.plan) {
            Some(queries) => {
                self.require_budget(&queries)?;
                queries
            }
            None => {
                self.plant();
                self.settle()?;
                self.most_urgent()
            }
        };
        self.questions += count(&queries);
        Ok(queries.into_iter().map(Query::Evm).collect())
    }

    /// Adds what an answer says. A failed question becomes a gap; `Err` carries its reason, safe to print.
    pub fn resolve(
        &mut self,
        query: &Query,
        outcome: Result<Fact, String>,
    ) -> Result<(), TraceError> {
        let Query::Evm(query) = query else {
            return Err(TraceError::WrongAnswer);
        };
        match outcome {
            Ok(Fact::Evm(fact)) => self.learn(query, fact),
            Ok(Fact::Transaction(_) | Fact::Spends(_) | Fact::Received(_)) => {
                Err(TraceError::WrongAnswer)
            }
            Err(reason) => {
                self.lose(query, reason);
                Ok(())
            }
        }
    }

    fn learn(&mut self, query: &EvmQuery, fact: EvmFact) -> Result<(), TraceError> {
        match (query, fact) {
            (EvmQuery::Transaction { hash }, EvmFact::Transaction(tx)) if tx.hash == *hash => {
                if tx.placement.block.height <= self.plan.as_of.height {
                    self.add_transaction(tx);
                } else {
                    self.lose(query, "its block is newer than the trace's".into());
                }
                Ok(())
            }
            (EvmQuery::Deposits { .. }, EvmFact::Deposits(deposits)) => {
                if answers_deposits(query, &deposits) {
                    self.subjects.learn_deposits(deposits);
                } else {
                    self.lose(query, ErrorClass::Inconsistent.reason().into());
                }
                Ok(())
            }
            (EvmQuery::Account { .. }, EvmFact::Account(statement)) => {
                if answers_account(query, &statement) {
                    self.learn_statement(query, statement);
                } else {
                    self.lose(query, ErrorClass::Inconsistent.reason().into());
                }
                Ok(())
            }
            (
                EvmQuery::Transaction { .. }
                | EvmQuery::Deposits { .. }
                | EvmQuery::Account { .. }
                | EvmQuery::Logs { .. },
                _,
            ) => Err(TraceError::WrongAnswer),
        }
    }

    fn add_transaction(&mut self, tx: EvmTransaction) {
        self.executed.extend(tx.executed.iter().copied());
        self.facts.add_transaction(tx);
    }

    /// Takes a statement in, unless the account turns out to be one that is not followed.
    fn learn_statement(&mut self, query: &EvmQuery, statement: AccountStatement) {
        let EvmQuery::Account { bound, .. } = query else {
            return;
        };
        let key = PoolKey {
            account: statement.address,
            coin: statement.coin,
        };
        if statement.nature != AccountNature::Unknown {
            self.natures.insert(key.account, statement.nature);
        }
        let is_hub = statement
            .coverage
            .gaps
            .iter()
            .any(|gap| matches!(gap, Gap::Hub { .. }));
        if matches!(self.stops.get(&key), Some(PoolStop::Bridge(_))) {
            // Nothing of what happens behind a bridge's door is the trace's.
        } else if self.is_foreign_contract(&key.account) {
            self.stops.insert(key, PoolStop::Contract);
        } else if is_hub && *bound > 0 {
            self.stops.insert(key, PoolStop::Hub(*bound));
        } else if !is_hub {
            self.noise.entry(key).or_default().add(statement.noise);
            for tx in &statement.transactions {
                self.executed.extend(tx.executed.iter().copied());
            }
            self.facts.add_statement(statement);
        }
    }

    fn lose(&mut self, query: &EvmQuery, reason: String) {
        match query {
            EvmQuery::Account { address, coin, .. } => {
                let key = PoolKey {
                    account: *address,
                    coin: *coin,
                };
                let gap = Gap::HistoryUnknown { reason };
                self.stops.entry(key).or_insert(PoolStop::Failed(gap));
            }
            EvmQuery::Transaction { .. } | EvmQuery::Deposits { .. } => {
                self.subjects.lose(query, reason);
            }
            // A trace asks for no logs.
            EvmQuery::Logs { .. } => {}
        }
    }

    /// Names the stolen movements, once all transactions that hold them were asked for.
    fn plant(&mut self) {
        if self.subjects.is_complete() {
            let facts = &self.facts;
            self.seeds = self
                .subjects
                .seeds(&self.plan, |hash| facts.transaction(hash));
            for (inflow, ix) in &mut self.inflows {
                let seed = facts
                    .transaction(&inflow.hash)
                    .and_then(|tx| subjects::seed(tx, &inflow.origin));
                let seed = seed.filter(|seed| {
                    let known =
                        |one: &AccountSeed| (one.hash, &one.origin) == (seed.hash, &seed.origin);
                    !self.seeds.iter().any(known)
                });
                if let Some(seed) = seed {
                    let parts = Some(inflow.parts.clone());
                    self.seeds.push(AccountSeed { parts, ..seed });
                    *ix = SeedIx::from_position(self.seeds.len() - 1);
                }
            }
            for seed in &self.seeds {
                let sum = self.stolen.entry(seed.coin).or_default();
                *sum = sum.checked_add(seed.amount).unwrap_or(*sum);
            }
        }
    }

    fn settle(&mut self) -> Result<(), TraceError> {
        let AccountPlan {
            rules, fee_rule, ..
        } = &self.plan;
        self.settlement = AccountSettlement::settle(&self.facts, &self.seeds, rules, *fee_rule)?;
        self.own = self.own_contracts();
        self.recognise();
        Ok(())
    }

    /// Asks about the accounts in which taint came to rest. Where something was stolen the trail begins, whatever
    /// the account is called.
    fn recognise(&mut self) {
        let stolen = self.seeds.iter().filter(|seed| seed.parts.is_none());
        let robbed: BTreeSet<Address> = stolen.map(|seed| seed.to).collect();
        for pool in self.settlement.pools() {
            let account = pool.key.account;
            self.venues.entry(account).or_insert_with(|| {
                let venue = self.plan.venues.account(&self.plan.chain, &account);
                venue.filter(|_| !robbed.contains(&account)).map(Arc::new)
            });
        }
    }

    /// The place that an account is; `None` where trails go on.
    pub(super) fn venue(&self, account: &Address) -> Option<&Arc<Venue>> {
        self.venues.get(account)?.as_ref()
    }

    /// Fails where the subjects alone take more questions than the limits allow.
    fn require_budget(&self, queries: &[EvmQuery]) -> Result<(), TraceError> {
        let found = count(queries);
        if let Some(limit) = self.plan.limits.max_nodes.filter(|limit| found > *limit) {
            return Err(TraceError::TooManySeeds { found, limit });
        }
        let needed = self.questions.saturating_add(found);
        match self.plan.limits.max_requests {
            Some(limit) if needed > limit => Err(TraceError::TooFewRequests { needed, limit }),
            Some(_) | None => Ok(()),
        }
    }
}

fn answers_account(query: &EvmQuery, statement: &AccountStatement) -> bool {
    let EvmQuery::Account {
        address,
        coin,
        since,
        until,
        ..
    } = query
    else {
        return false;
    };
    let asked = *since..=*until;
    let transactions = statement.transactions.iter().map(|tx| tx.placement);
    let arrivals = statement.arrivals.iter().map(|arrival| arrival.placement);
    let inside = transactions
        .chain(arrivals)
        .all(|placement| asked.contains(&placement.block.height));
    let own = statement
        .arrivals
        .iter()
        .all(|arrival| arrival.coin == *coin);
    (statement.address, statement.coin) == (*address, *coin)
        && (statement.since, statement.until) == (*since, *until)
        && inside
        && own
}

fn answers_deposits(query: &EvmQuery, deposits: &hansel_ledger::Deposits) -> bool {
    let EvmQuery::Deposits {
        address,
        since,
        until,
    } = query
    else {
        return false;
    };
    let asked = *since..=*until;
    let inside = deposits
        .arrivals
        .iter()
        .all(|arrival| asked.contains(&arrival.placement.block.height));
    (deposits.address, deposits.since, deposits.until) == (*address, *since, *until) && inside
}

fn count(queries: &[EvmQuery]) -> u64 {
    u64::try_from(queries.len()).unwrap_or(u64::MAX)
}
