//! Settlement: the taint of every flow under every rule, as a pure function of the facts.
//!
//! Each pool's draws depend only on what poured in, and transactions form a graph without cycles, so there is
//! exactly one settlement. It is kept up to date as facts arrive: a pool whose inputs changed is settled
//! again, and then those that it feeds, in the order of execution.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, BinaryHeap};

use bitcoin::{OutPoint, Txid};
use hansel_ledger::AmountError;

use crate::book::{Book, tainted};
use crate::{
    Direction, Drawn, FeeRule, FlowGraph, FlowIx, Parts, PoolIx, Pour, Rule, Seed, SeedIx, Strand,
    settle_pool,
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

/// Height and depth in one number, then the pool.
type Queue = BinaryHeap<Reverse<(u64, PoolIx)>>;

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

    /// Settles the pools named and all that depend on them; tells each flow whose strands or distance from the
    /// seeds changed, some more than once.
    pub fn update(
        &mut self,
        graph: &FlowGraph,
        pools: impl IntoIterator<Item = PoolIx>,
        mut tell: impl FnMut(FlowIx),
    ) -> Result<(), SettleError> {
        self.grow(graph);
        let mut queue = Queue::new();
        for pool in pools {
            if self.matters(graph, pool) {
                self.enqueue(graph, pool, &mut queue);
            }
        }
        let mut changed = Vec::new();
        while let Some(Reverse((_, pool))) = queue.pop() {
            self.queued[pool.position()] = false;
            changed.clear();
            self.settle(graph, pool, &mut changed)?;
            for flow in &changed {
                tell(*flow);
                if let Some(next) = self.reader(graph, *flow) {
                    self.enqueue(graph, next, &mut queue);
                }
            }
        }
        Ok(())
    }

    fn book(&self, rule: Rule) -> Option<&Book> {
        self.books.iter().find(|book| book.rule == rule)
    }

    fn grow(&mut self, graph: &FlowGraph) {
        for book in &mut self.books {
            book.grow(graph.flow_count(), graph.pool_count());
        }
        self.states.resize(graph.pool_count(), PoolState::Untouched);
        self.hops.resize(graph.pool_count(), FAR);
        self.queued.resize(graph.pool_count(), false);
        self.unplaced.retain(|seed| {
            let flow = graph.find_output(&self.seeds[seed.position()].outpoint);
            self.seed_flows.extend(flow.map(|flow| (flow, *seed)));
            flow.is_none()
        });
    }

    /// False for a pool that no taint has reached: should some arrive, its source will call it.
    fn matters(&self, graph: &FlowGraph, pool: PoolIx) -> bool {
        let view = graph.pool(pool);
        let mut flows = view.inputs.iter().chain(view.outputs);
        self.states[pool.position()] != PoolState::Untouched
            || flows.any(|flow| self.seed_flows.contains_key(flow) || self.most_tainted(*flow) > 0)
    }

    /// True where some rule lets taint of a flow pour on.
    fn pours_taint(&self, flow: FlowIx) -> bool {
        self.most_tainted(flow) > 0 && !self.is_ended(flow)
    }

    /// True for the draws of a theft that is followed forward.
    fn is_theft(&self, draws: &[FlowIx]) -> bool {
        let starts = |flow: &FlowIx| self.seed_flows.contains_key(flow);
        self.direction == Direction::Forward && draws.iter().any(starts)
    }

    fn enqueue(&mut self, graph: &FlowGraph, pool: PoolIx, queue: &mut Queue) {
        if !std::mem::replace(&mut self.queued[pool.position()], true) {
            let order = packed(graph.order(pool));
            let key = match self.direction {
                Direction::Forward => order,
                Direction::Backward => !order,
            };
            queue.push(Reverse((key, pool)));
        }
    }

    /// The pool that a flow pours into, seen in the direction of the trace.
    fn reader(&self, graph: &FlowGraph, flow: FlowIx) -> Option<PoolIx> {
        let flow = graph.flow(flow);
        match self.direction {
            Direction::Forward => flow.spender,
            Direction::Backward => graph.pool(flow.creator).visited.then_some(flow.creator),
        }
    }

    fn settle(
        &mut self,
        graph: &FlowGraph,
        pool: PoolIx,
        changed: &mut Vec<FlowIx>,
    ) -> Result<(), SettleError> {
        let view = graph.pool(pool);
        if !view.visited {
            return Ok(());
        }
        let (pours, draws) = match self.direction {
            Direction::Forward => (view.inputs, view.outputs),
            Direction::Backward => (view.outputs, view.inputs),
        };
        self.seed_sources(graph, pours, changed)?;
        let shut = self.is_shut(graph, pool);
        let reached = !shut && pours.iter().any(|flow| self.pours_taint(*flow));
        let seeded = self.is_theft(draws);
        if !reached && !seeded && self.states[pool.position()] == PoolState::Untouched {
            return Ok(());
        }
        let nearer = self.approach(graph, pool, pours, seeded);
        let mints = view.inputs.is_empty();
        let settled = !reached || mints || self.price(graph, pool, pours, draws);
        self.states[pool.position()] = if settled {
            PoolState::Settled
        } else {
            PoolState::Stuck
        };
        for book in 0..self.books.len() {
            self.settle_under(
                book,
                pool,
                pours,
                draws,
                reached && settled && !mints,
                changed,
            )
            .map_err(|source| SettleError {
                txid: view.txid,
                rule: self.books[book].rule,
                source,
            })?;
        }
        if nearer {
            changed.extend(draws.iter().filter(|flow| self.most_tainted(**flow) > 0));
        }
        Ok(())
    }

    /// In a backward trace the seeds pour in and no pool draws them: they are tainted from the start.
    fn seed_sources(
        &mut self,
        graph: &FlowGraph,
        pours: &[FlowIx],
        changed: &mut Vec<FlowIx>,
    ) -> Result<(), SettleError> {
        if self.direction == Direction::Forward {
            return Ok(());
        }
        for flow in pours {
            if !self.seed_flows.contains_key(flow) {
                continue;
            }
            if graph
                .flow(*flow)
                .spender
                .is_some_and(|spender| self.hops(spender).is_some())
            {
                continue;
            }
            for book in 0..self.books.len() {
                self.scratch.strands.clear();
                self.write_flow(book, *flow, changed)
                    .map_err(|source| SettleError {
                        txid: graph.outpoint(*flow).txid,
                        rule: self.books[book].rule,
                        source,
                    })?;
            }
        }
        Ok(())
    }

    /// Sets how far a pool is from a seed; true where it came nearer.
    fn approach(
        &mut self,
        graph: &FlowGraph,
        pool: PoolIx,
        pours: &[FlowIx],
        seeded: bool,
    ) -> bool {
        let over = pours
            .iter()
            .filter(|flow| self.pours_taint(**flow))
            .map(|flow| {
                let view = graph.flow(*flow);
                let seed =
                    self.direction == Direction::Backward && self.seed_flows.contains_key(flow);
                let before = match self.direction {
                    Direction::Forward => Some(view.creator),
                    Direction::Backward => view.spender,
                };
                if seed {
                    0
                } else {
                    before
                        .and_then(|before| self.hops(before))
                        .map_or(FAR, |hops| hops.saturating_add(1))
                }
            });
        let nearest = if seeded { 0 } else { over.min().unwrap_or(FAR) };
        let hops = &mut self.hops[pool.position()];
        let nearer = nearest < *hops;
        *hops = nearest.min(*hops);
        nearer
    }

    /// Lists the values of pours and draws, the fee with the draws (forward) or the pours (backward); false
    /// where a value is missing.
    fn price(
        &mut self,
        graph: &FlowGraph,
        pool: PoolIx,
        pours: &[FlowIx],
        draws: &[FlowIx],
    ) -> bool {
        let Scratch {
            values,
            draws: drawn,
            ..
        } = &mut self.scratch;
        values.clear();
        drawn.clear();
        let Some(fee) = graph.fee(pool) else {
            return false;
        };
        values.extend(
            pours
                .iter()
                .map(|flow| graph.flow(*flow).value.unwrap_or(0)),
        );
        drawn.extend(
            draws
                .iter()
                .map(|flow| graph.flow(*flow).value.unwrap_or(0)),
        );
        match self.direction {
            Direction::Forward => drawn.push(fee),
            Direction::Backward => {
                values.push(fee);
                drawn.push(0);
            }
        }
        true
    }

    fn settle_under(
        &mut self,
        book: usize,
        pool: PoolIx,
        pours: &[FlowIx],
        draws: &[FlowIx],
        reached: bool,
        changed: &mut Vec<FlowIx>,
    ) -> Result<(), AmountError> {
        let poured = reached
            && pours
                .iter()
                .any(|flow| tainted(self.poured(book, *flow)) > 0);
        if poured {
            self.draw(book, pours)?;
        }
        for (draw, flow) in draws.iter().enumerate() {
            self.scratch.strands.clear();
            if poured {
                self.scratch
                    .strands
                    .extend_from_slice(self.scratch.drawn.strands(draw));
            }
            self.write_flow(book, *flow, changed)?;
        }
        self.scratch.strands.clear();
        if poured {
            self.scratch
                .strands
                .extend_from_slice(self.scratch.drawn.strands(draws.len()));
        }
        self.books[book].write_fee(pool, &self.scratch.strands)
    }

    fn draw(&mut self, book: usize, pours: &[FlowIx]) -> Result<(), AmountError> {
        let mut drawn = std::mem::take(&mut self.scratch.drawn);
        let Scratch { values, draws, .. } = &self.scratch;
        let clean: &[Strand<u64>] = &[];
        let held = pours
            .iter()
            .map(|flow| self.poured(book, *flow))
            .chain(std::iter::repeat(clean));
        let inputs: Vec<Pour<'_, u64>> = values
            .iter()
            .zip(held)
            .map(|(value, strands)| Pour {
                value: *value,
                strands,
            })
            .collect();
        let (fee, outputs) = draws.split_last().ok_or(AmountError::Underflow)?;
        let rule = self.books[book].rule;
        let settled = settle_pool(rule, self.fee_rule, &inputs, outputs, *fee, &mut drawn);
        self.scratch.drawn = drawn;
        settled
    }

    /// What a flow pours into the pool that spends it: nothing tainted where its value stays.
    fn poured(&self, book: usize, flow: FlowIx) -> &[Strand<u64>] {
        if self.is_ended(flow) {
            &[]
        } else {
            self.books[book].of_flow(flow)
        }
    }

    /// Stores the scratch strands as a flow's; where the flow is a seed, what is clean in it becomes stolen.
    fn write_flow(
        &mut self,
        book: usize,
        flow: FlowIx,
        changed: &mut Vec<FlowIx>,
    ) -> Result<(), AmountError> {
        if let Some(seed) = self.seed_flows.get(&flow) {
            let value = self.seeds[seed.position()].amount;
            let rule = self.books[book].rule;
            let part = self.parts.get(seed).map(|parts| part(parts, rule, value));
            steal(
                &mut self.scratch.strands,
                *seed,
                value,
                part.unwrap_or(value),
            )?;
        }
        let book = &mut self.books[book];
        if book.write_flow(flow, &self.scratch.strands)? {
            changed.push(flow);
        }
        Ok(())
    }
}

/// The order of execution in one number. Heights beyond 32 bits, which only a hostile source can claim, share
/// a place: the order decides how often a pool is settled, never the result.
fn packed((height, depth): (u64, u32)) -> u64 {
    let height = u32::try_from(height).unwrap_or(u32::MAX);
    u64::from(height) << 32 | u64::from(depth)
}

/// How much of an output that only in part is stolen a rule calls stolen.
fn part(parts: &Parts, rule: Rule, value: u64) -> u64 {
    let amount = parts.get(&rule).copied().unwrap_or_default();
    u64::try_from(amount.to_u256()).unwrap_or(value).min(value)
}

/// Makes the clean part of a stolen output the seed's, `most` units of it at most, the first first. What earlier
/// seeds claim in it stays theirs, so that no unit is claimed twice.
fn steal(
    strands: &mut Vec<Strand<u64>>,
    seed: SeedIx,
    value: u64,
    most: u64,
) -> Result<(), AmountError> {
    fill(strands, value)?;
    let mut left = most;
    let mut stolen = Vec::with_capacity(strands.len() + 1);
    for mut strand in strands.drain(..) {
        if strand.owner.is_none() && left > 0 {
            let taken = strand.amount.min(left);
            left -= taken;
            stolen.push(Strand {
                amount: taken,
                owner: Some(seed),
            });
            strand.amount -= taken;
        }
        if strand.amount > 0 {
            stolen.push(strand);
        }
    }
    strands.append(&mut stolen);
    Ok(())
}

/// Lists the clean units that no strand lists, last.
fn fill(strands: &mut Vec<Strand<u64>>, value: u64) -> Result<(), AmountError> {
    let listed = strands
        .iter()
        .try_fold(0_u64, |sum, strand| sum.checked_add(strand.amount));
    let missing = value
        .checked_sub(listed.ok_or(AmountError::Overflow)?)
        .ok_or(AmountError::Underflow)?;
    if missing > 0 {
        strands.push(Strand {
            amount: missing,
            owner: None,
        });
    }
    Ok(())
}
