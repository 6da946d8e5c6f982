//! Which output is followed, and what the answers about it change.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use bitcoin::{OutPoint, ScriptBuf, Txid};
use hansel_ledger::{
    Amount, Gap, Placement, Query, SpendState, TransactionStatement, is_unspendable,
};

use super::subjects::Stolen;
use super::{Trace, TraceError, Want};
use crate::{Direction, FlowIx, GraphError, Inflow, PoolIx, Seed, SeedIx, Strand};

/// Questions of one wave while the budget is ample: enough to keep any endpoint busy.
const WIDE: usize = 4096;
/// Questions of one wave when a limit is near: few, so that the most tainted value is really first.
const NARROW: usize = 16;

/// A question that could be asked, with what decides its turn: most taint first, then the id.
type Pending = (Reverse<u64>, Txid, Topic);

/// What a question is about. Questions are written out only when it is their turn.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Topic {
    /// What spent the tainted outputs of a pool.
    Spends(PoolIx),
    /// The transaction itself, in the block at this height where it is known.
    Visit(Option<u64>),
}

impl Trace {
    /// Names the stolen outputs of the transactions that could be fetched.
    pub(super) fn plant(&mut self, stolen: Vec<Stolen>) -> Result<(), TraceError> {
        for one in stolen {
            match one {
                Stolen::All(txid) => self.plant_all(&txid)?,
                Stolen::One(output) => match self.output_of_visited(&output) {
                    Some(Some(flow)) => self.plant_output(flow)?,
                    Some(None) => return Err(TraceError::NoSuchOutput(output)),
                    None => {}
                },
                Stolen::Paid { output, script } => self.plant_paid(output, &script)?,
            }
        }
        Ok(())
    }

    fn plant_all(&mut self, txid: &Txid) -> Result<(), TraceError> {
        let Some(pool) = self.visited(txid) else {
            return Ok(());
        };
        for flow in self.graph.pool(pool).outputs.to_vec() {
            self.plant_output(flow)?;
        }
        Ok(())
    }

    /// Names an output of an address's history, if it really pays the address.
    fn plant_paid(&mut self, output: OutPoint, script: &ScriptBuf) -> Result<(), TraceError> {
        let Some(found) = self.output_of_visited(&output) else {
            return Ok(());
        };
        let pays = |flow: &FlowIx| self.graph.flow(*flow).script == Some(script.as_script());
        match found.filter(pays) {
            Some(flow) => self.plant_output(flow)?,
            None => self.subjects.lost(script, &Gap::FalsePayment { output }),
        }
        Ok(())
    }

    fn plant_output(&mut self, flow: FlowIx) -> Result<(), TraceError> {
        let outpoint = self.graph.outpoint(flow);
        let view = self.graph.flow(flow);
        let (creator, amount) = (view.creator, view.value.unwrap_or(0));
        if amount > 0 {
            self.settlement
                .add_seed(Seed { outpoint, amount })
                .ok_or(GraphError::Full)?;
            self.touched.insert(creator);
        }
        Ok(())
    }

    /// Names what came from other chains.
    pub(super) fn plant_inflows(&mut self) -> Result<(), TraceError> {
        for position in 0..self.inflows.len() {
            let Inflow { outpoint, parts } = self.inflows[position].0.clone();
            let Some(flow) = self.output_of_visited(&outpoint).flatten() else {
                continue;
            };
            let view = self.graph.flow(flow);
            let (creator, amount) = (view.creator, view.value.unwrap_or(0));
            let seed = Seed { outpoint, amount };
            self.inflows[position].1 = self.settlement.add_part(seed, parts);
            self.touched.insert(creator);
        }
        Ok(())
    }

    fn visited(&self, txid: &Txid) -> Option<PoolIx> {
        let pool = self.graph.find(txid)?;
        self.graph.pool(pool).visited.then_some(pool)
    }

    /// An output of a visited transaction: `Some(None)` where the transaction has no such output.
    fn output_of_visited(&self, output: &OutPoint) -> Option<Option<FlowIx>> {
        self.visited(&output.txid)
            .map(|_| self.graph.find_output(output))
    }

    /// Brings the taint up to date and decides about every output whose taint changed.
    pub(super) fn settle(&mut self) -> Result<(), TraceError> {
        let touched = std::mem::take(&mut self.touched);
        for pool in &touched {
            self.recognise(*pool);
        }
        let mut changed = BTreeSet::new();
        self.settlement.update(&self.graph, touched, |flow| {
            changed.insert(flow);
        })?;
        for flow in changed {
            if self.qualifies(flow)? {
                self.follow(flow);
            }
        }
        Ok(())
    }

    /// True where a flow carries enough taint to be followed.
    pub(super) fn qualifies(&self, flow: FlowIx) -> Result<bool, TraceError> {
        let limits = &self.plan.limits;
        for rule in self.settlement.rules() {
            let claims = claims(self.settlement.strands(rule, flow));
            let tainted = claims
                .values()
                .fold(0_u64, |sum, claim| sum.saturating_add(*claim));
            if tainted == 0 || Amount::from(tainted) < limits.min_amount {
                continue;
            }
            for (seed, claim) in claims {
                let stolen = self.settlement.seeds()[seed.position()].amount;
                if Amount::from(claim) >= limits.min_share.of(stolen.into())? {
                    return Ok(true);
                }
            }
        }
        Ok(false)
    }

    fn follow(&mut self, flow: FlowIx) {
        if self.settlement.is_ended(flow) {
            return;
        }
        let view = self.graph.flow(flow);
        match self.plan.direction {
            Direction::Forward => {
                if view.spender.is_some() || view.script.is_some_and(is_unspendable) {
                    return;
                }
                match self.claims.get(&flow) {
                    Some(SpendState::Spent { by, height }) => self.want(*by, Some(*height), flow),
                    Some(_) => {}
                    None => {
                        self.curious.insert(view.creator);
                    }
                }
            }
            Direction::Backward => {
                let creator = self.graph.pool(view.creator);
                if !creator.visited {
                    self.want(creator.txid, None, flow);
                }
            }
        }
    }

    fn want(&mut self, txid: Txid, height: Option<u64>, flow: FlowIx) {
        if self.failed.contains_key(&txid) || self.disproved.contains_key(&flow) {
            return;
        }
        let want = self.wanted.entry(txid).or_insert_with(|| Want {
            height,
            flows: BTreeSet::new(),
        });
        want.flows.insert(flow);
    }

    /// Takes the most urgent questions that the limits allow.
    pub(super) fn most_urgent(&mut self) -> Vec<Query> {
        let mut pending = self.pending();
        pending.sort_unstable();
        let left = |limit: Option<u64>, used: u64| {
            limit.map_or(u64::MAX, |limit| limit.saturating_sub(used))
        };
        let mut questions = left(self.plan.limits.max_requests, self.questions);
        let mut visits = left(self.plan.limits.max_nodes, self.visits);
        let ample = u64::try_from(pending.len())
            .unwrap_or(u64::MAX)
            .saturating_mul(4);
        let wave = if questions.min(visits) >= ample {
            WIDE
        } else {
            NARROW
        };
        let mut chosen = Vec::new();
        for (_, txid, topic) in pending {
            let visit = u64::from(matches!(topic, Topic::Visit(_)));
            if chosen.len() < wave && questions > 0 && visits >= visit {
                questions -= 1;
                visits -= visit;
                chosen.push(self.ask(txid, topic));
            }
        }
        chosen
    }

    fn pending(&self) -> Vec<Pending> {
        let spends = self.curious.iter().filter_map(|pool| {
            let mut open = self.open_outputs(*pool).peekable();
            open.peek()?;
            let txid = self.graph.pool(*pool).txid;
            Some((Reverse(self.urgency(open)), txid, Topic::Spends(*pool)))
        });
        let visits = self
            .wanted
            .iter()
            .filter(|(_, want)| self.within_hops(want))
            .map(|(txid, want)| {
                let taint = self.urgency(want.flows.iter());
                (Reverse(taint), *txid, Topic::Visit(want.height))
            });
        spends.chain(visits).collect()
    }

    fn urgency<'a>(&self, flows: impl Iterator<Item = &'a FlowIx>) -> u64 {
        flows.fold(0_u64, |sum, flow| {
            sum.saturating_add(self.settlement.most_tainted(*flow))
        })
    }

    /// The tainted outputs of a pool about whose spending nothing was asked yet.
    fn open_outputs(&self, pool: PoolIx) -> impl Iterator<Item = &FlowIx> {
        self.graph.pool(pool).outputs.iter().filter(|flow| {
            let seen = self.graph.flow(**flow);
            let spendable = seen.spender.is_none() && !seen.script.is_some_and(is_unspendable);
            let open = !self.asked.contains(*flow) && !self.settlement.is_ended(**flow);
            spendable && open && self.settlement.most_tainted(**flow) > 0
        })
    }

    fn ask(&mut self, txid: Txid, topic: Topic) -> Query {
        match topic {
            Topic::Visit(height) => Query::Transaction { txid, height },
            Topic::Spends(pool) => self.ask_spends(pool),
        }
    }

    /// Asks about all tainted outputs of a pool at once: most sources answer them in one request.
    fn ask_spends(&mut self, pool: PoolIx) -> Query {
        let open: Vec<FlowIx> = self.open_outputs(pool).copied().collect();
        let outputs = open.iter().map(|flow| {
            let seen = self.graph.flow(*flow);
            (
                seen.vout,
                seen.script.map(ToOwned::to_owned).unwrap_or_default(),
            )
        });
        let view = self.graph.pool(pool);
        let query = Query::Spends {
            txid: view.txid,
            height: view.placement.height(),
            outputs: outputs.collect(),
            as_of: self.plan.height(),
        };
        self.curious.remove(&pool);
        self.asked.extend(open);
        query
    }

    /// The hops at which a wanted transaction would stand.
    pub(super) fn hops_through(&self, flow: FlowIx) -> u32 {
        let view = self.graph.flow(flow);
        let before = match self.plan.direction {
            Direction::Forward => Some(view.creator),
            Direction::Backward => view.spender,
        };
        before
            .and_then(|pool| self.settlement.hops(pool))
            .map_or(1, |hops| hops.saturating_add(1))
    }

    fn within_hops(&self, want: &Want) -> bool {
        let nearest = want.flows.iter().map(|flow| self.hops_through(*flow)).min();
        self.plan
            .limits
            .hops
            .is_none_or(|limit| nearest.is_some_and(|hops| hops <= limit))
    }

    /// Adds a transaction, if it really spends what it is said to spend.
    pub(super) fn visit(&mut self, mut statement: TransactionStatement) -> Result<(), TraceError> {
        let want = self.wanted.remove(&statement.txid).unwrap_or_default();
        let mut leads_on = self.subjects.names(&statement.txid);
        for flow in want.flows {
            leads_on |= match self.plan.direction {
                Direction::Forward => self.confirms(flow, &statement),
                Direction::Backward => true,
            };
        }
        // A later block does not exist yet at the height of this trace.
        if statement.placement.height() > Some(self.plan.height()) {
            statement.placement = Placement::Unconfirmed;
        }
        if leads_on {
            let pool = self.graph.insert(&statement)?;
            self.touched.insert(pool);
            self.touch_readers(pool);
        }
        Ok(())
    }

    /// True where a statement proves that an output is spent in a block that counts; else notes what it proves.
    fn confirms(&mut self, flow: FlowIx, statement: &TransactionStatement) -> bool {
        let outpoint = self.graph.outpoint(flow);
        let by = statement.txid;
        let mut inputs = statement.inputs.iter();
        if !inputs.any(|input| input.previous == outpoint) {
            self.disproved.insert(flow, Gap::FalseSpend { by });
            return false;
        }
        let state = match statement.placement {
            Placement::Unconfirmed => SpendState::SpentUnconfirmed { by },
            Placement::Confirmed(block) if block.height > self.plan.height() => SpendState::Unspent,
            Placement::Confirmed(_) | Placement::Unknown => return true,
        };
        self.claims.insert(flow, state);
        false
    }

    /// A new pool may give values that pools visited before it lacked.
    fn touch_readers(&mut self, pool: PoolIx) {
        let outputs = self.graph.pool(pool).outputs.iter();
        let readers = outputs.filter_map(|flow| self.graph.flow(*flow).spender);
        self.touched.extend(readers);
    }

    /// Notes what a source says about the spending of a transaction's outputs.
    pub(super) fn learn_spends(
        &mut self,
        txid: &Txid,
        outputs: Vec<(u32, SpendState)>,
    ) -> Result<(), TraceError> {
        let txid = *txid;
        for (vout, state) in outputs {
            let Some(flow) = self.graph.find_output(&OutPoint { txid, vout }) else {
                continue;
            };
            let later =
                matches!(state, SpendState::Spent { height, .. } if height > self.plan.height());
            let state = if later { SpendState::Unspent } else { state };
            self.claims.insert(flow, state);
            if self.qualifies(flow)? {
                self.follow(flow);
            }
        }
        Ok(())
    }
}

/// What each seed claims in a flow's strands.
fn claims(strands: &[Strand<u64>]) -> BTreeMap<SeedIx, u64> {
    let mut claims = BTreeMap::new();
    for strand in strands {
        if let Some(seed) = strand.owner {
            let claim: &mut u64 = claims.entry(seed).or_default();
            *claim = claim.saturating_add(strand.amount);
        }
    }
    claims
}
