//! How one pool was settled under one rule, step by step, for a person to follow.

use hansel_ledger::AmountError;

use crate::{Direction, FlowGraph, FlowIx, PoolIx, Pour, Rule, Settlement, Strand, leaving_order};

/// The arithmetic of one pool under one rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Workings {
    /// What poured in, in the order in which the pool counts it. The fee of a backward trace has no flow.
    pub pours: Vec<Draw>,
    /// The order in which the rule lets the units leave; for haircut, the tainted units by seed.
    pub queue: Vec<Strand<u64>>,
    /// What was drawn, in serialisation order, the fee last.
    pub draws: Vec<Draw>,
}

/// One parcel that poured in or was drawn.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Draw {
    /// The output; `None` for the fee.
    pub flow: Option<FlowIx>,
    /// Its value in satoshi.
    pub value: u64,
    /// Its strands in order; empty where it is clean.
    pub strands: Vec<Strand<u64>>,
}

impl Draw {
    /// The tainted part, in satoshi.
    pub fn tainted(&self) -> u64 {
        self.strands
            .iter()
            .filter(|strand| strand.owner.is_some())
            .map(|strand| strand.amount)
            .sum()
    }
}

impl Workings {
    /// Shows how `pool` was settled; `None` where values are missing, so that it was not.
    pub fn of(
        graph: &FlowGraph,
        settlement: &Settlement,
        pool: PoolIx,
        rule: Rule,
    ) -> Result<Option<Self>, AmountError> {
        let view = graph.pool(pool);
        let Some(fee) = graph.fee(pool) else {
            return Ok(None);
        };
        let parcel = |flow: &FlowIx| Draw {
            flow: Some(*flow),
            value: graph.flow(*flow).value.unwrap_or(0),
            strands: settlement.strands(rule, *flow).to_vec(),
        };
        let fee = Draw {
            flow: None,
            value: fee,
            strands: settlement.fee_strands(rule, pool).to_vec(),
        };
        let inputs: Vec<Draw> = view.inputs.iter().map(parcel).collect();
        let outputs: Vec<Draw> = view.outputs.iter().map(parcel).chain([fee]).collect();
        let (pours, draws) = match settlement.direction() {
            Direction::Forward => (inputs, outputs),
            Direction::Backward => (outputs, inputs),
        };
        let poured: Vec<Pour<'_, u64>> = pours
            .iter()
            .map(|pour| Pour {
                value: pour.value,
                strands: &pour.strands,
            })
            .collect();
        let queue = leaving_order(rule, &poured)?;
        Ok(Some(Self {
            pours,
            queue,
            draws,
        }))
    }
}
