//! Which output is followed, and what the answers about it change.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use bitcoin::{OutPoint, Txid};
use hansel_ledger::{Amount, Gap, Query, SpendState, TransactionStatement, is_unspendable};

use super::subjects::Stolen;
use super::{Trace, TraceError, Want};
use crate::{Direction, FlowIx, PoolIx, Seed, SeedIx, Strand};

/// Questions of one wave while the budget is ample: enough to keep any endpoint busy.
const WIDE: usize = 4096;
/// Questions of one wave when a limit is near: few, so that the most tainted value is really first.
const NARROW: usize = 16;

/// A question with what decides its turn: most taint first, then the id.
type Pending = (Reverse<u64>, Txid, Query);

impl Trace {
    /// Names the stolen outputs of the transactions that could be fetched.
    pub(super) fn plant(&mut self, stolen: Vec<Stolen>) -> Result<(), TraceError> {
        for one in stolen {
            let (txid, vout) = match one {
                Stolen::All(txid) => (txid, None),
                Stolen::One(outpoint) => (outpoint.txid, Some(outpoint.vout)),
            };
            let Some(pool) = self
                .graph
                .find(&txid)
                .filter(|pool| self.graph.pool(*pool).visited)
            else {
                continue;
            };
            let flows = self.graph.pool(pool).outputs.to_vec();
            let named =
                |flow: &&FlowIx| vout.is_none_or(|vout| self.graph.flow(**flow).vout == vout);
            let chosen: Vec<FlowIx> = flows.iter().filter(named).copied().collect();
            if let Some(vout) = vout.filter(|_| chosen.is_empty()) {
                return Err(TraceError::NoSuchOutput(OutPoint { txid, vout }));
            }
            self.plant_outputs(&chosen)?;
            self.touched.insert(pool);
        }
        Ok(())
    }

    fn plant_outputs(&mut self, flows: &[FlowIx]) -> Result<(), TraceError> {
        for flow in flows {
            let outpoint = self.graph.outpoint(*flow);
            let amount = self.graph.flow(*flow).value.unwrap_or(0);
            if amount > 0 {
                let full = crate::GraphError::Full;
                self.settlement
                    .add_seed(Seed { outpoint, amount })
                    .ok_or(full)?;
            }
        }
        Ok(())
    }

    /// Brings the taint up to date and decides about every output whose taint changed.
    pub(super) fn settle(&mut self) -> Result<(), TraceError> {
        let touched = std::mem::take(&mut self.touched);
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
            if tainted == 0 || tainted < limits.min_amount {
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
        pending.sort_by_key(|(taint, txid, _)| (*taint, *txid));
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
        for (_, _, query) in pending {
            let visit = u64::from(matches!(query, Query::Transaction { .. }));
            if chosen.len() < wave && questions > 0 && visits >= visit {
                questions -= 1;
                visits -= visit;
                chosen.push(query);
            }
        }
        for query in &chosen {
            self.mark_asked(query);
        }
        chosen
    }

    fn pending(&self) -> Vec<Pending> {
        let spends = self
            .curious
            .iter()
            .filter_map(|pool| self.ask_spends(*pool));
        let visits = self
            .wanted
            .iter()
            .filter(|(_, want)| self.within_hops(want))
            .map(|(txid, want)| {
                let taint = self.urgency(want.flows.iter());
                (
                    Reverse(taint),
                    *txid,
                    Query::Transaction {
                        txid: *txid,
                        height: want.height,
                    },
                )
            });
        spends.chain(visits).collect()
    }

    fn urgency<'a>(&self, flows: impl Iterator<Item = &'a FlowIx>) -> u64 {
        flows.fold(0_u64, |sum, flow| {
            sum.saturating_add(self.settlement.most_tainted(*flow))
        })
    }

    /// Asks about all tainted outputs of a pool at once: most sources answer them in one request.
    fn ask_spends(&self, pool: PoolIx) -> Option<Pending> {
        let view = self.graph.pool(pool);
        let open = |flow: &&FlowIx| {
            let seen = self.graph.flow(**flow);
            let spendable = seen.spender.is_none() && !seen.script.is_some_and(is_unspendable);
            spendable && !self.asked.contains(flow) && self.settlement.most_tainted(**flow) > 0
        };
        let flows: Vec<&FlowIx> = view.outputs.iter().filter(open).collect();
        let outputs = flows.iter().map(|flow| {
            let seen = self.graph.flow(**flow);
            (
                seen.vout,
                seen.script.map(ToOwned::to_owned).unwrap_or_default(),
            )
        });
        let query = Query::Spends {
            txid: view.txid,
            height: view.placement.height(),
            outputs: outputs.collect(),
            as_of: self.plan.height(),
        };
        (!flows.is_empty()).then(|| (Reverse(self.urgency(flows.into_iter())), view.txid, query))
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

    fn mark_asked(&mut self, query: &Query) {
        if let Query::Spends { txid, outputs, .. } = query
            && let Some(pool) = self.graph.find(txid)
        {
            self.curious.remove(&pool);
            for (vout, _) in outputs {
                self.asked.extend(self.graph.find_output(&OutPoint {
                    txid: *txid,
                    vout: *vout,
                }));
            }
        }
    }

    /// Adds a transaction, if it really spends what it is said to spend.
    pub(super) fn visit(
        &mut self,
        txid: &Txid,
        statement: &TransactionStatement,
    ) -> Result<(), TraceError> {
        let want = self.wanted.remove(txid).unwrap_or_default();
        let mut leads_on = self.subjects.names(txid);
        for flow in want.flows {
            let outpoint = self.graph.outpoint(flow);
            let proved = match self.plan.direction {
                Direction::Forward => statement
                    .inputs
                    .iter()
                    .any(|input| input.previous == outpoint),
                Direction::Backward => true,
            };
            leads_on |= proved;
            if !proved {
                self.disproved.insert(flow, Gap::FalseSpend { by: *txid });
            }
        }
        if leads_on {
            let pool = self.graph.insert(statement)?;
            self.touched.insert(pool);
            self.touch_neighbours(pool);
        }
        Ok(())
    }

    /// A new pool may feed pools that were visited before it.
    fn touch_neighbours(&mut self, pool: PoolIx) {
        let view = self.graph.pool(pool);
        let readers = view
            .outputs
            .iter()
            .filter_map(|flow| self.graph.flow(*flow).spender);
        let writers = view
            .inputs
            .iter()
            .map(|flow| self.graph.flow(*flow).creator);
        self.touched.extend(readers.chain(writers));
    }

    pub(super) fn learn_spends(&mut self, txid: &Txid, outputs: &[(u32, SpendState)]) {
        for (vout, state) in outputs {
            let Some(flow) = self.graph.find_output(&OutPoint {
                txid: *txid,
                vout: *vout,
            }) else {
                continue;
            };
            let later =
                matches!(state, SpendState::Spent { height, .. } if *height > self.plan.height());
            let state = if later {
                SpendState::Unspent
            } else {
                state.clone()
            };
            self.claims.insert(flow, state);
            if matches!(self.qualifies(flow), Ok(true)) {
                self.follow(flow);
            }
        }
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
