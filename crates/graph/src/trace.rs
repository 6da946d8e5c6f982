//! The trace loop without its I/O: which questions come next, and what the answers change.
//!
//! A trace proceeds in waves. Each wave is the set of most urgent questions, most tainted value first; its
//! answers are resolved in the order in which they were asked, so that nothing depends on which came first.

mod ending;
mod follow;
mod recognise;
mod subjects;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use bitcoin::{OutPoint, Txid};
use hansel_ledger::{
    AmountError, BlockRef, Chain, Coin, ErrorClass, Fact, Gap, Query, SpendState, Spends, Subject,
};

use crate::{
    AccountSettleError, Direction, FeeRule, FlowGraph, FlowIx, GraphError, Inflow, Limits, PoolIx,
    Rule, SeedIx, SettleError, Settlement, Venue, Venues,
};

pub use ending::Ending;
use subjects::Subjects;

/// What to trace, how, and how far.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The chain.
    pub chain: Chain,
    /// The thefts.
    pub subjects: Vec<Theft>,
    /// Transactions to fetch and show that are not stolen themselves.
    pub context: Vec<Txid>,
    /// The newest block that counts; `None` where the source cannot tell which block is its newest.
    pub as_of: Option<BlockRef>,
    /// The rules to settle under.
    pub rules: Vec<Rule>,
    /// Who pays fees.
    pub fee_rule: FeeRule,
    /// Which way to follow.
    pub direction: Direction,
    /// How far.
    pub limits: Limits,
    /// Knows where trails end; [`NoVenues`](crate::NoVenues) where they go on everywhere.
    pub venues: Arc<dyn Venues>,
}

/// A theft as a user names it, with the heights between which an address counts what it received.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Theft {
    /// What was named.
    pub subject: Subject,
    /// The first height that counts, for an address.
    pub since: u64,
    /// The last height that counts, for an address.
    pub until: u64,
    /// The coins that count, for an account of an EVM chain; empty for those that usually do.
    pub coins: BTreeSet<Coin>,
}

impl Plan {
    /// The height through which facts count.
    pub fn height(&self) -> u64 {
        self.as_of.map_or(u64::MAX, |block| block.height)
    }
}

/// Says why a trace cannot go on.
#[derive(Debug, thiserror::Error)]
pub enum TraceError {
    /// A fact contradicts the facts before it.
    #[error("the facts contradict each other")]
    Graph(#[from] GraphError),
    /// A pool does not settle.
    #[error("settlement failed")]
    Settle(#[from] SettleError),
    /// The accounts do not settle.
    #[error("settlement failed")]
    Accounts(#[from] AccountSettleError),
    /// A sum does not fit.
    #[error("accounting failed")]
    Amount(#[from] AmountError),
    /// An output was named that the transaction does not have.
    #[error("{0} does not exist: the transaction has fewer outputs")]
    NoSuchOutput(OutPoint),
    /// The subjects name more transactions than the limit on nodes allows.
    #[error("the subjects name {found} transactions, more than the limit of {limit} nodes")]
    TooManySeeds {
        /// How many.
        found: u64,
        /// The limit in force.
        limit: u64,
    },
    /// The subjects cannot be resolved with the questions that the limit on requests allows.
    #[error(
        "the subjects take at least {needed} questions, more than the limit of {limit} requests"
    )]
    TooFewRequests {
        /// How many questions, as far as is known.
        needed: u64,
        /// The limit in force.
        limit: u64,
    },
    /// An answer does not belong to its question.
    #[error("an answer of another kind than the question")]
    WrongAnswer,
}

/// A transaction that should be visited, and the outputs that led to it.
#[derive(Clone, Debug, Default)]
struct Want {
    height: Option<u64>,
    flows: BTreeSet<FlowIx>,
}

/// A trace in progress.
#[derive(Debug)]
pub struct Trace {
    plan: Plan,
    graph: FlowGraph,
    settlement: Settlement,
    subjects: Subjects,
    /// Pools whose facts changed since the last settlement.
    touched: BTreeSet<PoolIx>,
    /// Outputs whose spending was asked for.
    asked: BTreeSet<FlowIx>,
    /// Pools with outputs to ask about, next wave.
    curious: BTreeSet<PoolIx>,
    /// What the source said about spending; a claim until the spender is seen.
    claims: BTreeMap<FlowIx, SpendState>,
    wanted: BTreeMap<Txid, Want>,
    failed: BTreeMap<Txid, Gap>,
    disproved: BTreeMap<FlowIx, Gap>,
    /// Outputs with which value left the chain, and where it went, as far as is known.
    closed: BTreeMap<FlowIx, String>,
    /// What came from other chains, and the seed that it became.
    inflows: Vec<(Inflow, Option<SeedIx>)>,
    /// Outputs that the venues were asked about.
    recognised: BTreeSet<FlowIx>,
    flow_venues: BTreeMap<FlowIx, Arc<Venue>>,
    pool_venues: BTreeMap<PoolIx, Arc<Venue>>,
    visits: u64,
    questions: u64,
    interrupted: bool,
}

impl Trace {
    /// Starts a trace that knows nothing yet.
    pub fn new(plan: Plan) -> Self {
        let settlement = Settlement::new(&plan.rules, plan.fee_rule, plan.direction);
        let subjects = Subjects::new(&plan);
        Self {
            plan,
            graph: FlowGraph::default(),
            settlement,
            subjects,
            touched: BTreeSet::new(),
            asked: BTreeSet::new(),
            curious: BTreeSet::new(),
            claims: BTreeMap::new(),
            wanted: BTreeMap::new(),
            failed: BTreeMap::new(),
            disproved: BTreeMap::new(),
            closed: BTreeMap::new(),
            inflows: Vec::new(),
            recognised: BTreeSet::new(),
            flow_venues: BTreeMap::new(),
            pool_venues: BTreeMap::new(),
            visits: 0,
            questions: 0,
            interrupted: false,
        }
    }

    /// Starts a trace that also follows what came from other chains, once the subjects are named.
    pub fn with_inflows(plan: Plan, inflows: Vec<Inflow>) -> Self {
        let mut trace = Self::new(plan);
        trace
            .subjects
            .expect(inflows.iter().map(|one| one.outpoint.txid));
        trace.inflows = inflows.into_iter().map(|one| (one, None)).collect();
        trace
    }

    /// The seeds that came from other chains, in the order in which they were given; `None` for one that could not
    /// be fetched, or that is a seed anyway.
    pub fn inflow_seeds(&self) -> Vec<Option<SeedIx>> {
        self.inflows.iter().map(|(_, seed)| *seed).collect()
    }

    /// Ends the trail at an output with which value left the chain. `reason` says where it went, safe to print.
    pub fn close(&mut self, output: &OutPoint, reason: String) {
        let Some(flow) = self.graph.find_output(output) else {
            return;
        };
        if self.closed.insert(flow, reason).is_none() {
            self.settlement.close(flow);
            self.touched.extend(self.graph.flow(flow).spender);
        }
    }

    /// What was asked for.
    pub fn plan(&self) -> &Plan {
        &self.plan
    }

    /// The facts so far.
    pub fn graph(&self) -> &FlowGraph {
        &self.graph
    }

    /// The outputs that are known to be unspent at the height of the trace, ascending.
    pub fn unspent(&self) -> BTreeSet<FlowIx> {
        let claims = self.claims.iter();
        let unspent = claims.filter(|(_, state)| matches!(state, SpendState::Unspent));
        unspent.map(|(flow, _)| *flow).collect()
    }

    /// The taint so far; up to date after [`Trace::next_wave`].
    pub fn settlement(&self) -> &Settlement {
        &self.settlement
    }

    /// How many transactions were visited, failures included.
    pub fn visits(&self) -> u64 {
        self.visits
    }

    /// How many questions were asked.
    pub fn questions(&self) -> u64 {
        self.questions
    }

    /// What is not known of the subjects themselves.
    pub fn subject_gaps(&self) -> Vec<(String, Gap)> {
        self.subjects.gaps()
    }

    /// The outputs whose named spender turned out not to spend them.
    pub fn disproved(&self) -> Vec<OutPoint> {
        self.disproved
            .keys()
            .map(|flow| self.graph.outpoint(*flow))
            .collect()
    }

    /// Ends the trace where it is: settles what is known; the rest counts as not followed.
    pub fn finish(&mut self) -> Result<(), TraceError> {
        self.interrupted = true;
        if let Some(seeds) = self.subjects.take_seeds() {
            self.plant(seeds)?;
            self.plant_inflows()?;
        }
        self.settle()
    }

    /// The next questions, most tainted value first; empty when the trace is complete.
    ///
    /// Every question returned must be resolved before the next wave is asked for.
    pub fn next_wave(&mut self) -> Result<Vec<Query>, TraceError> {
        if let Some(queries) = self.subjects.next_wave(&self.plan, self.questions)? {
            return Ok(self.count(queries));
        }
        if let Some(seeds) = self.subjects.take_seeds() {
            self.plant(seeds)?;
            self.plant_inflows()?;
        }
        self.settle()?;
        let queries = self.most_urgent();
        Ok(self.count(queries))
    }

    /// Adds what an answer says. A failed question becomes a gap; `Err` carries its reason, safe to print.
    pub fn resolve(
        &mut self,
        query: &Query,
        outcome: Result<Fact, String>,
    ) -> Result<(), TraceError> {
        match outcome {
            Ok(fact) => self.learn(query, fact),
            Err(reason) => self.lose(query, reason),
        }
    }

    fn learn(&mut self, query: &Query, fact: Fact) -> Result<(), TraceError> {
        match (query, fact) {
            (Query::Transaction { txid, .. }, Fact::Transaction(statement))
                if statement.txid == *txid =>
            {
                self.visit(statement)
            }
            (Query::Spends { txid, .. }, Fact::Spends(spends)) if spends.txid == *txid => {
                if answers_spends(query, &spends) {
                    self.learn_spends(txid, spends.outputs)
                } else {
                    self.lose(query, ErrorClass::Inconsistent.reason().to_owned())
                }
            }
            (Query::Received { script, .. }, Fact::Received(outputs)) => {
                if answers_received(query, &outputs) {
                    self.subjects.received(script, outputs);
                    Ok(())
                } else {
                    self.lose(query, ErrorClass::Inconsistent.reason().to_owned())
                }
            }
            (
                Query::Transaction { .. }
                | Query::Spends { .. }
                | Query::Received { .. }
                | Query::Evm(_),
                _,
            ) => Err(TraceError::WrongAnswer),
        }
    }

    fn lose(&mut self, query: &Query, reason: String) -> Result<(), TraceError> {
        match query {
            Query::Transaction { txid, .. } => {
                self.fail(txid, Gap::TransactionUnavailable { reason });
                Ok(())
            }
            Query::Spends { txid, outputs, .. } => {
                let gap = Gap::SpendUnknown { reason };
                let unknown =
                    |(vout, _): &(u32, _)| (*vout, SpendState::Unknown { gap: gap.clone() });
                self.learn_spends(txid, outputs.iter().map(unknown).collect())
            }
            Query::Received { script, .. } => {
                self.subjects
                    .lost(script, &Gap::TransactionUnavailable { reason });
                Ok(())
            }
            Query::Evm(_) => Err(TraceError::WrongAnswer),
        }
    }

    fn count(&mut self, queries: Vec<Query>) -> Vec<Query> {
        for query in &queries {
            self.questions += 1;
            self.visits += u64::from(matches!(query, Query::Transaction { .. }));
        }
        queries
    }

    fn fail(&mut self, txid: &Txid, gap: Gap) {
        self.wanted.remove(txid);
        self.subjects.unavailable(txid, &gap);
        self.failed.insert(*txid, gap);
    }
}

/// True where an answer speaks of exactly the outputs and the height asked for.
fn answers_spends(query: &Query, spends: &Spends) -> bool {
    let Query::Spends { outputs, as_of, .. } = query else {
        return false;
    };
    let asked = outputs.iter().map(|(vout, _)| vout);
    let told = spends.outputs.iter().map(|(vout, _)| vout);
    spends.as_of == *as_of && asked.eq(told)
}

/// True where a history stays within the heights asked for.
fn answers_received(query: &Query, received: &[(OutPoint, u64)]) -> bool {
    let Query::Received { since, as_of, .. } = query else {
        return false;
    };
    let asked = *since..=*as_of;
    received.iter().all(|(_, height)| asked.contains(height))
}
