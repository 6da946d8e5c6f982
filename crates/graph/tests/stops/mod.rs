//! Places where trails end, scattered over random ledgers: a function of a number, of scripts and of ids alone.

use bitcoin::hashes::Hash;
use bitcoin::{Script, Txid};
use hansel_graph::{Category, Confidence, FlowGraph, PoolIx, Venue, Venues};
use hansel_ledger::Chain;

/// Half of all numbers end no output, some no transaction.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Scattered(pub(crate) u64);

impl Scattered {
    /// True where an output with this script stays with whom it pays.
    pub(crate) fn ends(self, script: &Script) -> bool {
        script.len() as u64 == 3 + self.0 % 10
    }

    /// True where value stays in this transaction.
    pub(crate) fn shuts(self, txid: &Txid) -> bool {
        let first = txid.to_raw_hash().to_byte_array()[0];
        u64::from(first) % 8 == (self.0 >> 8) % 12
    }
}

pub(crate) fn venue(category: Category, entity: &str) -> Venue {
    Venue {
        category,
        entity: entity.into(),
        reason: format!("labelled {entity}"),
        rule: "label.test".into(),
        confidence: Confidence::Strong,
    }
}

impl Venues for Scattered {
    fn script(&self, _: &Chain, script: &Script) -> Option<Venue> {
        self.ends(script)
            .then(|| venue(Category::Exchanges, "exchange"))
    }

    /// Recognised only once everything about it is known, as detectors do.
    fn transaction(&self, _: &Chain, graph: &FlowGraph, pool: PoolIx) -> Option<Venue> {
        let view = graph.pool(pool);
        let known = |flow| graph.flow(flow).value.is_some();
        let whole = view.visited && view.inputs.iter().all(|flow| known(*flow));
        (whole && self.shuts(&view.txid)).then(|| venue(Category::Mixers, "mixer"))
    }
}
