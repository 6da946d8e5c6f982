//! Which places the known transactions and outputs are, as far as a trace asks.

use std::sync::Arc;

use super::Trace;
use crate::{Direction, FlowIx, PoolIx, Venue};

impl Trace {
    /// Asks about pools of which more is known now, and about what pours into and out of them.
    pub(super) fn recognise(&mut self, pool: PoolIx) {
        let view = self.graph.pool(pool);
        let flows: Vec<FlowIx> = view.inputs.iter().chain(view.outputs).copied().collect();
        for flow in flows {
            self.recognise_output(flow);
        }
        let chain = &self.plan.chain;
        let found = self.plan.venues.transaction(chain, &self.graph, pool);
        self.settlement.shut_pool(pool, found.is_some());
        match found {
            Some(venue) => self.pool_venues.insert(pool, Arc::new(venue)),
            None => self.pool_venues.remove(&pool),
        };
    }

    /// An output's script never changes, so one answer is enough.
    fn recognise_output(&mut self, flow: FlowIx) {
        let Some(script) = self.graph.flow(flow).script else {
            return;
        };
        if !self.recognised.insert(flow) {
            return;
        }
        if let Some(venue) = self.plan.venues.script(&self.plan.chain, script) {
            self.settlement.end_flow(flow, true);
            self.flow_venues.insert(flow, Arc::new(venue));
        }
    }

    /// The place at which a flow's value stays, with the pool where it is a transaction.
    pub(super) fn venue(&self, flow: FlowIx) -> Option<(&Arc<Venue>, Option<PoolIx>)> {
        if self.closed.contains_key(&flow) {
            return None;
        }
        if self.settlement.is_ended(flow) {
            return self.flow_venues.get(&flow).map(|venue| (venue, None));
        }
        let view = self.graph.flow(flow);
        let next = match self.plan.direction {
            Direction::Forward => view.spender?,
            Direction::Backward => view.creator,
        };
        if !self.settlement.is_shut(&self.graph, next) {
            return None;
        }
        self.pool_venues.get(&next).map(|venue| (venue, Some(next)))
    }
}
