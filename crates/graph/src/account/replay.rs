//! Everything known, settled in chain order.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use alloy_primitives::{Address, B256};
use hansel_ledger::{AmountError, EvmPlacement, EvmTransaction, Movement};
use hashbrown::HashMap;

use super::PoolKey;
use super::book::Book;
use super::execute::{Scratch, Stolen, execute, steal, take};
use super::facts::{AccountFacts, Event, Received};
use super::ledger::Ledger;
use super::parcel::{Parcel, tainted};
use super::plan::{Doubt, Hop, Plan, Step};
use super::settlement::{AccountSeed, AccountSettleError};
use super::shelf::{Run, Shelf};
use super::view::{FlowRecord, Reading, Told};
use super::workings::{PoolChange, PoolStep};
use crate::{FeeRule, Rule, SeedIx};

/// The state of a settlement on its way through the chain.
pub(crate) struct Replay<'a> {
    pub(crate) ledger: Ledger,
    pub(crate) books: Vec<Book>,
    pub(crate) flows: Shelf<FlowRecord>,
    pub(crate) runs: Shelf<Run>,
    pub(crate) readings: Vec<Reading>,
    seeds: &'a [AccountSeed],
    seeds_of: HashMap<B256, Vec<SeedIx>>,
    fee_rule: FeeRule,
    plan: Plan,
    scratch: Scratch,
    /// By node of the transaction at hand: movements from the nearest seed.
    hops: Vec<u32>,
    /// The pools whose steps are written down, and how many of them are dated.
    watched: Vec<(usize, Vec<usize>)>,
}

impl<'a> Replay<'a> {
    pub(crate) fn new(
        facts: &AccountFacts,
        seeds: &'a [AccountSeed],
        rules: &[Rule],
        fee_rule: FeeRule,
    ) -> Result<Self, AccountSettleError> {
        let mut seeds_of: HashMap<B256, Vec<SeedIx>> = HashMap::new();
        for (position, seed) in seeds.iter().enumerate() {
            let ix = SeedIx::from_position(position).ok_or(AccountSettleError::TooManySeeds)?;
            seeds_of.entry(seed.hash).or_default().push(ix);
        }
        let ledger = Ledger::new(facts);
        let mut books: Vec<Book> = Vec::new();
        for rule in rules {
            if books.iter().all(|book| book.rule != *rule) {
                let mut book = Book::new(*rule, seeds);
                book.grow(ledger.pools.len());
                books.push(book);
            }
        }
        Ok(Self {
            ledger,
            books,
            flows: Shelf::default(),
            runs: Shelf::default(),
            readings: Vec::new(),
            seeds,
            seeds_of,
            fee_rule,
            plan: Plan::default(),
            scratch: Scratch::default(),
            hops: Vec::new(),
            watched: Vec::new(),
        })
    }

    pub(crate) fn run(&mut self, facts: &AccountFacts) -> Result<(), AccountSettleError> {
        for event in facts.events() {
            let (hash, height, settled) = match event {
                Event::Transaction(one) => {
                    let height = one.placement.block.height;
                    (Some(one.hash), height, self.transaction(one))
                }
                Event::Arrival(one) => {
                    let height = one.placement.block.height;
                    (one.tx.copied(), height, self.arrival(&one))
                }
            };
            settled.map_err(|source| AccountSettleError::Arithmetic { hash, source })?;
            self.date(hash, height);
        }
        Ok(())
    }

    /// Writes down from now on what happens to these pools.
    pub(crate) fn watch(&mut self, pools: &BTreeSet<PoolKey>) {
        for key in pools {
            let Some(pool) = self.ledger.find(key) else {
                continue;
            };
            for book in &mut self.books {
                book.held[pool].watch();
            }
            self.watched.push((pool, vec![0; self.books.len()]));
        }
    }

    /// Says of the steps just written down in which transaction and block they happened.
    fn date(&mut self, hash: Option<B256>, height: u64) {
        for (pool, dated) in &mut self.watched {
            for (book, dated) in self.books.iter_mut().zip(dated) {
                let diary = book.held[*pool].diary();
                for step in &mut diary[*dated..] {
                    step.height = height;
                    step.tx = hash.filter(|_| step.change != PoolChange::Opening);
                }
                *dated = diary.len();
            }
        }
    }

    /// What was written down, pool by pool and rule by rule.
    pub(crate) fn diaries(mut self) -> BTreeMap<(PoolKey, Rule), Vec<PoolStep>> {
        let mut found = BTreeMap::new();
        for (pool, _) in self.watched {
            let key = self.ledger.pools[pool].key;
            for book in &mut self.books {
                found.insert((key, book.rule), book.held[pool].diary().to_vec());
            }
        }
        found
    }

    /// Gives a pool the opening balances of the pieces that have begun.
    fn begin(&mut self, pool: usize, height: u64) -> Result<(), AmountError> {
        while let Some(opening) = self.ledger.pools[pool].begin(height) {
            for book in &mut self.books {
                book.held[pool].open(opening)?;
            }
        }
        Ok(())
    }

    fn begin_pool(&mut self, key: PoolKey, height: u64) -> Result<Option<usize>, AmountError> {
        let pool = self.ledger.find(&key);
        if let Some(pool) = pool {
            self.begin(pool, height)?;
        }
        Ok(pool)
    }

    /// The sender's pool of the native coin where it is followed; most senders also move value.
    fn purse(&mut self, sender: Address, height: u64) -> Result<Option<usize>, AmountError> {
        let key = PoolKey::native(sender);
        if let Some(node) = self.plan.find(&key) {
            let node = &self.plan.nodes[node];
            return Ok(node.pool.filter(|_| node.followed));
        }
        let pool = self.begin_pool(key, height)?;
        Ok(pool.filter(|pool| self.ledger.pools[*pool].is_followed(height)))
    }

    fn transaction(&mut self, transaction: &Arc<EvmTransaction>) -> Result<(), AmountError> {
        let movements = if transaction.succeeded {
            &transaction.movements[..]
        } else {
            &[]
        };
        let height = transaction.placement.block.height;
        self.plan.lay(movements, &self.ledger);
        for number in 0..self.plan.nodes.len() {
            if let Some(pool) = self.plan.nodes[number].pool {
                self.begin(pool, height)?;
                self.plan.nodes[number].followed = self.ledger.pools[pool].is_followed(height);
            }
        }
        let purse = self.purse(transaction.sender, height)?;
        self.plan.make(transaction, movements, &self.ledger);
        for book in &mut self.books {
            book.begin(self.plan.nodes.len(), movements.len());
        }
        if let (Some(purse), FeeRule::ProRata) = (purse, self.fee_rule) {
            self.pay_gas(purse, transaction, movements.len())?;
        }
        let stolen = self.stolen(transaction, movements);
        if let [Step::Hop(hop)] = self.plan.steps[..] {
            self.pay(&hop, &stolen, transaction.placement)?;
        } else {
            for book in &mut self.books {
                execute(&self.plan, &stolen, book, &mut self.scratch)?;
            }
            self.measure(&stolen);
            self.doubt(transaction.hash);
            self.rest(transaction.placement)?;
        }
        if let (Some(purse), FeeRule::Last) = (purse, self.fee_rule) {
            self.pay_gas(purse, transaction, movements.len())?;
        }
        self.record(transaction, movements.len());
        Ok(())
    }

    /// Settles a transaction's only hop: nothing is passed on, so it goes from pool to pool.
    fn pay(
        &mut self,
        hop: &Hop,
        stolen: &Stolen,
        placement: EvmPlacement,
    ) -> Result<(), AmountError> {
        let (from, to) = (self.plan.nodes[hop.from], self.plan.nodes[hop.to]);
        let mut pool = to.pool;
        for number in 0..self.books.len() {
            take(
                hop,
                &from,
                stolen,
                &mut self.books[number],
                &mut self.scratch,
            )?;
            let reached = self.books[number].noted(hop.movement);
            if pool.is_none() && reached {
                pool = Some(self.new_pool(to.key));
            }
            if let Some(pool) = pool.filter(|_| reached || to.followed) {
                self.books[number].held[pool].pour(&self.scratch.carried, to.followed)?;
            }
        }
        if let Some(pool) = pool
            && self.books.iter().any(|book| book.noted(hop.movement))
        {
            self.hops.clear();
            self.hops.resize(self.plan.nodes.len(), u32::MAX);
            let hops = if stolen.is_empty() {
                self.distance(hop)
            } else {
                0
            };
            self.ledger.taint(pool, placement.block, hops);
        }
        Ok(())
    }

    /// The movements of a transaction that are seeds.
    fn stolen(&self, transaction: &EvmTransaction, movements: &[Movement]) -> Stolen {
        let Some(seeds) = self.seeds_of.get(&transaction.hash) else {
            return Stolen::new();
        };
        let found = seeds.iter().filter_map(|ix| {
            let seed = &self.seeds[ix.position()];
            let place = movements.iter().position(|one| {
                (&one.origin, one.coin, one.to) == (&seed.origin, seed.coin, seed.to)
            });
            place.map(|place| (place, *ix))
        });
        found.collect()
    }

    fn pay_gas(
        &mut self,
        purse: usize,
        transaction: &EvmTransaction,
        step: usize,
    ) -> Result<(), AmountError> {
        let pro_rata = self.fee_rule == FeeRule::ProRata;
        for book in &mut self.books {
            let Scratch { carried, drawn } = &mut self.scratch;
            carried.clear();
            book.held[purse].draw(transaction.fee, pro_rata, drawn, carried)?;
            for parcel in carried.iter() {
                if let (Some(seed), true) = (parcel.owner, book.rule.conserves()) {
                    let sum = &mut book.gas[seed.position()];
                    *sum = sum.checked_add(parcel.claim)?;
                }
            }
            book.note(step, carried);
        }
        Ok(())
    }

    /// Counts how far each node's taint has come.
    fn measure(&mut self, stolen: &Stolen) {
        self.hops.clear();
        self.hops.resize(self.plan.nodes.len(), u32::MAX);
        for step in &self.plan.steps {
            match step {
                Step::Hop(hop) => {
                    if !self.books.iter().any(|book| book.noted(hop.movement)) {
                        continue;
                    }
                    let seed = stolen.iter().any(|(movement, _)| *movement == hop.movement);
                    let reached = if seed { 0 } else { self.distance(hop) };
                    self.hops[hop.to] = reached.min(self.hops[hop.to]);
                }
                Step::Convert { ins, outs } => {
                    let nearest = ins.iter().map(|(node, _)| self.hops[*node]).min();
                    let nearest = nearest.unwrap_or(u32::MAX);
                    for (node, _) in outs {
                        self.hops[*node] = nearest.min(self.hops[*node]);
                    }
                }
            }
        }
    }

    /// How far what a hop carries has come: a stage adds nothing.
    fn distance(&self, hop: &Hop) -> u32 {
        let node = &self.plan.nodes[hop.from];
        let own = node.pool.filter(|_| node.followed && !node.stage);
        let own = own.map_or(u32::MAX, |pool| self.ledger.pools[pool].hops);
        let here = own.min(self.hops[hop.from]);
        here.saturating_add(u32::from(!self.plan.nodes[hop.to].stage))
    }

    /// Notes what could be read differently where taint was involved.
    fn doubt(&mut self, hash: B256) {
        let doubts = std::mem::take(&mut self.plan.doubts);
        let reached = |doubt: &Doubt| doubt.nodes.iter().any(|node| self.hops[*node] != u32::MAX);
        let readings = doubts.into_iter().filter(reached);
        let readings = readings.map(|doubt| Reading {
            hash,
            text: doubt.text,
        });
        self.readings.extend(readings);
    }

    /// Pours what each account received and did not pass on into its pool.
    fn rest(&mut self, placement: EvmPlacement) -> Result<(), AmountError> {
        for number in 0..self.plan.nodes.len() {
            let node = self.plan.nodes[number];
            let reached = self
                .books
                .iter()
                .any(|book| book.transits[number].is_tainted());
            if !reached && !node.followed {
                continue;
            }
            let pool = match node.pool {
                Some(pool) => pool,
                None => self.new_pool(node.key),
            };
            for book in &mut self.books {
                self.scratch.carried.clear();
                book.transits[number].draw_all(&mut self.scratch.carried)?;
                book.held[pool].pour(&self.scratch.carried, node.followed)?;
            }
            if reached {
                self.ledger.taint(pool, placement.block, self.hops[number]);
            }
        }
        Ok(())
    }

    fn new_pool(&mut self, key: PoolKey) -> usize {
        let pool = self.ledger.number(key);
        for book in &mut self.books {
            book.grow(pool + 1);
        }
        pool
    }

    /// Lists the tainted steps of a transaction as flows.
    fn record(&mut self, transaction: &Arc<EvmTransaction>, movements: usize) {
        for step in 0..=movements {
            if !self.books.iter().any(|book| book.noted(step)) {
                continue;
            }
            let runs = self.runs.add(self.books.iter().map(|book| book.keep(step)));
            let told = if step < movements {
                Told::Movement(Arc::clone(transaction), step)
            } else {
                Told::Gas(Arc::clone(transaction))
            };
            self.flows.add(std::iter::once(FlowRecord { told, runs }));
        }
    }

    /// Value from a transaction of which nothing else is known: clean, unless it is a seed.
    fn arrival(&mut self, received: &Received<'_>) -> Result<(), AmountError> {
        let height = received.placement.block.height;
        let pool = self.begin_pool(received.to, height)?;
        let followed = pool.is_some_and(|pool| self.ledger.pools[pool].is_followed(height));
        let seeds = received.tx.and_then(|hash| self.seeds_of.get(hash));
        let seeds = seeds.into_iter().flatten().filter(|ix| {
            let seed = &self.seeds[ix.position()];
            let to = PoolKey {
                account: seed.to,
                coin: seed.coin,
            };
            seed.origin == *received.origin && to == received.to
        });
        let seeds: Vec<SeedIx> = seeds.copied().collect();
        if !followed && seeds.is_empty() {
            return Ok(());
        }
        let pool = pool.unwrap_or_else(|| self.new_pool(received.to));
        for book in &mut self.books {
            let mut parcels = vec![Parcel::clean(received.amount)];
            for seed in &seeds {
                let gained = steal(&mut parcels, *seed, book.most[seed.position()])?;
                let sum = &mut book.stolen[seed.position()];
                *sum = sum.checked_add(gained)?;
            }
            book.held[pool].pour(&parcels, followed)?;
            if tainted(&parcels) {
                book.begin(0, 0);
                book.note(0, &parcels);
            }
        }
        if let (Some(hash), false) = (received.tx, seeds.is_empty()) {
            self.ledger.taint(pool, received.placement.block, 0);
            let runs = self.runs.add(self.books.iter().map(|book| book.keep(0)));
            let told = Told::arrival(*hash, received);
            self.flows.add(std::iter::once(FlowRecord { told, runs }));
        }
        Ok(())
    }
}
