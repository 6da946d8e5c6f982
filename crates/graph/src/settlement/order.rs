//! Which pools are settled, and when: those whose inputs changed, in the order of execution.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use super::{FAR, PoolState, SettleError, Settlement};
use crate::{Direction, FlowGraph, FlowIx, PoolIx};

/// Height and depth in one number, then the pool.
type Queue = BinaryHeap<Reverse<(u64, PoolIx)>>;

impl Settlement {
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
}

/// The order of execution in one number. Heights beyond 32 bits, which only a hostile source can claim, share
/// a place: the order decides how often a pool is settled, never the result.
fn packed((height, depth): (u64, u32)) -> u64 {
    let height = u32::try_from(height).unwrap_or(u32::MAX);
    u64::from(height) << 32 | u64::from(depth)
}
