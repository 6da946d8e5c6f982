//! Settlement: the taint of every flow under every rule, as a pure function of the facts.
//!
//! Each pool's draws depend only on what poured in, and transactions form a graph without cycles, so there is
//! exactly one settlement. It is kept up to date as facts arrive: a pool whose inputs changed is settled
//! again, and then those that it feeds, in the order of execution.

mod order;
mod pool;
mod seeds;

use std::collections::{BTreeMap, BTreeSet};

use bitcoin::{OutPoint, Txid};
use hansel_ledger::AmountError;

use crate::book::{Book, tainted};
use crate::{
    Direction, Drawn, FeeRule, FlowGraph, FlowIx, Parts, PoolIx, Rule, Seed, SeedIx, Strand,
};

/// A part of a flow that one seed claims.
pub type Claim = (SeedIx, u64);

/// Says which pool could not be settled, which is a fault of the program or of a statement.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("transaction {txid} does not settle under {rule}")]
pub struct SettleError {
    /// The transaction.
    pub txid: Txid,
    /// The rule.
    pub rule: Rule,
    /// What went wrong.
    #[source]
    pub source: AmountError,
}

/// Whether a pool that holds taint could be settled.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum PoolState {
    #[default]
    Untouched,
    Settled,
    /// Taint arrives, but the values of other inputs are missing.
    Stuck,
}

/// The settlement of a graph.
#[derive(Debug)]
pub struct Settlement {
    direction: Direction,
    fee_rule: FeeRule,
    books: Vec<Book>,
    seeds: Vec<Seed>,
    seed_of: BTreeMap<OutPoint, SeedIx>,
    seed_flows: BTreeMap<FlowIx, SeedIx>,
    /// What of a seed that is stolen only in part.
    parts: BTreeMap<SeedIx, Parts>,
    /// Flows whose taint rests where it is, whatever spends them.
    closed: BTreeSet<FlowIx>,
    /// Seeds whose output the graph does not know yet.
    unplaced: Vec<SeedIx>,
    /// Flows whose value stays with whom they pay: it does not pour into what spends them.
    ended: BTreeSet<FlowIx>,
    /// Pools into which nothing pours.
    shut: BTreeSet<PoolIx>,
    states: Vec<PoolState>,
    hops: Vec<u32>,
    queued: Vec<bool>,
    scratch: Scratch,
}

/// Buffers that serve every pool in turn.
#[derive(Debug, Default)]
struct Scratch {
    values: Vec<u64>,
    draws: Vec<u64>,
    drawn: Drawn<u64>,
    strands: Vec<Strand<u64>>,
}

const FAR: u32 = u32::MAX;

impl Settlement {
    /// Starts a settlement of nothing. Rules named twice count once.
    pub fn new(rules: &[Rule], fee_rule: FeeRule, direction: Direction) -> Self {
        let mut books: Vec<Book> = Vec::new();
        for rule in rules {
            if books.iter().all(|book| book.rule != *rule) {
                books.push(Book::new(*rule));
            }
        }
        Self {
            direction,
            fee_rule,
            books,
            seeds: Vec::new(),
            seed_of: BTreeMap::new(),
            parts: BTreeMap::new(),
            closed: BTreeSet::new(),
            seed_flows: BTreeMap::new(),
            unplaced: Vec::new(),
            ended: BTreeSet::new(),
            shut: BTreeSet::new(),
            states: Vec::new(),
            hops: Vec::new(),
            queued: Vec::new(),
            scratch: Scratch::default(),
        }
    }

    /// Names a stolen output. Naming it twice changes nothing. Its pool must be settled (again) afterwards.
    pub fn add_seed(&mut self, seed: Seed) -> Option<SeedIx> {
        if let Some(known) = self.seed_of.get(&seed.outpoint) {
            return Some(*known);
        }
        let ix = SeedIx::from_position(self.seeds.len())?;
        self.seeds.push(seed);
        self.seed_of.insert(seed.outpoint, ix);
        self.unplaced.push(ix);
        Some(ix)
    }

    /// Names an output of which only a part is stolen: its first clean units, by rule. `None` where it is a seed
    /// already.
    pub fn add_part(&mut self, seed: Seed, parts: Parts) -> Option<SeedIx> {
        if self.seed_of.contains_key(&seed.outpoint) {
            return None;
        }
        let ix = self.add_seed(seed)?;
        self.parts.insert(ix, parts);
        Some(ix)
    }

    /// Lets a flow's taint rest where it is, whatever spends it: it left the chain there. Its spender must be
    /// settled again afterwards.
    pub fn close(&mut self, flow: FlowIx) {
        self.closed.insert(flow);
    }

    /// Says whether a flow's value stays with whom it pays. The pool that it pours into must be settled (again)
    /// afterwards. What was stolen on this chain goes on whatever is said of it.
    pub fn end_flow(&mut self, flow: FlowIx, ends: bool) {
        if ends {
            self.ended.insert(flow);
        } else {
            self.ended.remove(&flow);
        }
    }

    /// Says whether value that reaches a pool stays there. The pool must be settled (again) afterwards. A theft
    /// (a pool that draws seeds) takes in what pours into it whatever is said of it.
    pub fn shut_pool(&mut self, pool: PoolIx, shut: bool) {
        if shut {
            self.shut.insert(pool);
        } else {
            self.shut.remove(&pool);
        }
    }

    /// True where a flow's value stays where it is, whatever spends it.
    pub fn is_ended(&self, flow: FlowIx) -> bool {
        let stolen = |flow: &FlowIx| {
            let seed = self.seed_flows.get(flow);
            seed.is_some_and(|seed| !self.parts.contains_key(seed))
        };
        self.closed.contains(&flow) || self.ended.contains(&flow) && !stolen(&flow)
    }

    /// True where value that reaches a pool stays there.
    pub fn is_shut(&self, graph: &FlowGraph, pool: PoolIx) -> bool {
        self.shut.contains(&pool) && !self.is_theft(graph.pool(pool).outputs)
    }

    /// The seeds in the order in which they were named.
    pub fn seeds(&self) -> &[Seed] {
        &self.seeds
    }

    /// The seed that a flow is, if it is one.
    pub fn seed_at(&self, flow: FlowIx) -> Option<SeedIx> {
        self.seed_flows.get(&flow).copied()
    }

    /// The rules settled, in the order in which they were asked for.
    pub fn rules(&self) -> impl Iterator<Item = Rule> + '_ {
        self.books.iter().map(|book| book.rule)
    }

    /// Which way the value is followed.
    pub fn direction(&self) -> Direction {
        self.direction
    }

    /// Who pays fees.
    pub fn fee_rule(&self) -> FeeRule {
        self.fee_rule
    }

    /// The strands of a flow under a rule; empty where it is clean.
    pub fn strands(&self, rule: Rule, flow: FlowIx) -> &[Strand<u64>] {
        self.book(rule).map_or(&[], |book| book.of_flow(flow))
    }

    /// The strands of a pool's fee under a rule; empty where it is clean.
    pub fn fee_strands(&self, rule: Rule, pool: PoolIx) -> &[Strand<u64>] {
        self.book(rule).map_or(&[], |book| book.of_fee(pool))
    }

    /// The taint of a flow under a rule, in satoshi.
    pub fn tainted(&self, rule: Rule, flow: FlowIx) -> u64 {
        tainted(self.strands(rule, flow))
    }

    /// The largest taint that any rule gives a flow.
    pub fn most_tainted(&self, flow: FlowIx) -> u64 {
        self.books
            .iter()
            .map(|book| tainted(book.of_flow(flow)))
            .max()
            .unwrap_or(0)
    }

    /// True where taint arrives in a pool that cannot be settled because input values are missing.
    pub fn is_stuck(&self, pool: PoolIx) -> bool {
        self.states.get(pool.position()) == Some(&PoolState::Stuck)
    }

    /// The number of hops from the nearest seed's pool, over tainted flows; `None` where none leads here.
    pub fn hops(&self, pool: PoolIx) -> Option<u32> {
        self.hops
            .get(pool.position())
            .copied()
            .filter(|hops| *hops != FAR)
    }

    fn book(&self, rule: Rule) -> Option<&Book> {
        self.books.iter().find(|book| book.rule == rule)
    }
}
