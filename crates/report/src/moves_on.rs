//! Moves a report on to a later block that changed nothing of what it says.

use hansel_ledger::{BlockRef, Chain};

use crate::Report;
use crate::model::Tip;

impl Tip {
    /// A block as reports name it.
    pub fn of(chain: &Chain, block: &BlockRef) -> Self {
        let hash = match chain.evm() {
            Some(_) => block.evm_hash().to_string(),
            None => block.hash.to_string(),
        };
        Self {
            chain: chain.name().to_owned(),
            height: block.height,
            hash,
        }
    }
}

impl Report {
    /// Says of a chain that what is complete through one block is complete through a later one.
    ///
    /// The caller knows that no block between them touches anything in the report.
    pub fn moves_on(&mut self, chain: &Chain, from: &BlockRef, to: &BlockRef) {
        if from == to {
            return;
        }
        let tip = Tip::of(chain, to);
        let chain = chain.name();
        let tips = self.tips.iter_mut().filter(|tip| tip.chain == chain);
        for known in tips.filter(|tip| tip.height == from.height) {
            known.clone_from(&tip);
        }
        let nodes = self.nodes.iter_mut().filter(|node| node.chain == chain);
        for coverage in nodes.filter_map(|node| node.coverage.as_mut()) {
            if coverage.complete_through == Some(from.height) {
                coverage.complete_through = Some(to.height);
            }
        }
    }
}
