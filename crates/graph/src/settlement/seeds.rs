//! Where taint begins: what of a flow a seed makes stolen.

use hansel_ledger::AmountError;

use super::{SettleError, Settlement};
use crate::{Direction, FlowGraph, FlowIx, Parts, Rule, SeedIx, Strand};

impl Settlement {
    /// In a backward trace the seeds pour in and no pool draws them: they are tainted from the start.
    pub(super) fn seed_sources(
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

    /// Stores the scratch strands as a flow's; where the flow is a seed, what is clean in it becomes stolen.
    pub(super) fn write_flow(
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
