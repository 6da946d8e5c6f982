//! What one rule says about every flow and every fee, in one arena.

use hansel_ledger::AmountError;

use crate::growth::make_room;
use crate::{FlowIx, PoolIx, Rule, Strand};

/// Where a rule's strands stand: a range of the rule's arena.
#[derive(Clone, Copy, Debug, Default)]
struct Range {
    start: u32,
    len: u32,
}

/// What one rule says about every flow and every fee.
#[derive(Debug)]
pub(crate) struct Book {
    /// The rule.
    pub(crate) rule: Rule,
    strands: Vec<Strand<u64>>,
    flows: Vec<Range>,
    fees: Vec<Range>,
}

impl Book {
    pub(crate) fn new(rule: Rule) -> Self {
        Self {
            rule,
            strands: Vec::new(),
            flows: Vec::new(),
            fees: Vec::new(),
        }
    }

    /// Makes the tables long enough for a graph's flows and pools.
    pub(crate) fn grow(&mut self, flows: usize, pools: usize) {
        self.flows.resize(flows, Range::default());
        self.fees.resize(pools, Range::default());
    }

    /// The strands of a flow; empty where it is clean.
    pub(crate) fn of_flow(&self, flow: FlowIx) -> &[Strand<u64>] {
        self.flows
            .get(flow.position())
            .map_or(&[], |range| self.at(*range))
    }

    /// The strands of a pool's fee; empty where it is clean.
    pub(crate) fn of_fee(&self, pool: PoolIx) -> &[Strand<u64>] {
        self.fees
            .get(pool.position())
            .map_or(&[], |range| self.at(*range))
    }

    fn at(&self, range: Range) -> &[Strand<u64>] {
        let start = usize::try_from(range.start).expect("a 32-bit offset fits the address space");
        let len = usize::try_from(range.len).expect("a 32-bit length fits the address space");
        &self.strands[start..start + len]
    }

    /// Stores a flow's strands; true where they differ from before.
    pub(crate) fn write_flow(
        &mut self,
        flow: FlowIx,
        strands: &[Strand<u64>],
    ) -> Result<bool, AmountError> {
        if self.of_flow(flow) == strands {
            return Ok(false);
        }
        let range = self.store(self.flows[flow.position()], strands)?;
        self.flows[flow.position()] = range;
        Ok(true)
    }

    /// Stores the strands of a pool's fee.
    pub(crate) fn write_fee(
        &mut self,
        pool: PoolIx,
        strands: &[Strand<u64>],
    ) -> Result<(), AmountError> {
        if self.of_fee(pool) != strands {
            let range = self.store(self.fees[pool.position()], strands)?;
            self.fees[pool.position()] = range;
        }
        Ok(())
    }

    /// Overwrites the old range where the new strands fit into it, and appends them otherwise.
    fn store(&mut self, old: Range, strands: &[Strand<u64>]) -> Result<Range, AmountError> {
        let len = u32::try_from(strands.len()).map_err(|_| AmountError::Overflow)?;
        if len <= old.len {
            let start = usize::try_from(old.start).map_err(|_| AmountError::Overflow)?;
            self.strands[start..start + strands.len()].copy_from_slice(strands);
            return Ok(Range {
                start: old.start,
                len,
            });
        }
        let start = u32::try_from(self.strands.len()).map_err(|_| AmountError::Overflow)?;
        make_room(&mut self.strands, strands.len());
        self.strands.extend_from_slice(strands);
        Ok(Range { start, len })
    }
}

/// The tainted part of strands, in satoshi.
pub(crate) fn tainted(strands: &[Strand<u64>]) -> u64 {
    strands
        .iter()
        .filter(|strand| strand.owner.is_some())
        .map(|strand| strand.amount)
        .sum()
}
