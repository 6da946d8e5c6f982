//! Settles one pool under every rule.

use hansel_ledger::AmountError;

use super::{FAR, PoolState, Scratch, SettleError, Settlement};
use crate::book::tainted;
use crate::{Direction, FlowGraph, FlowIx, PoolIx, Pour, Strand, settle_pool};

impl Settlement {
    pub(super) fn settle(
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

    /// True where some rule lets taint of a flow pour on.
    fn pours_taint(&self, flow: FlowIx) -> bool {
        self.most_tainted(flow) > 0 && !self.is_ended(flow)
    }

    /// True for the draws of a theft that is followed forward.
    pub(super) fn is_theft(&self, draws: &[FlowIx]) -> bool {
        let starts = |flow: &FlowIx| self.seed_flows.contains_key(flow);
        self.direction == Direction::Forward && draws.iter().any(starts)
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
}
