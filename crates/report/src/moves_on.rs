//! Moves a report on to a later block that changed nothing of what it says.

use hansel_ledger::BlockRef;

use crate::Report;

impl Report {
    /// Says of a Bitcoin chain that what is complete through one block is complete through a later one.
    ///
    /// The caller knows that no block between them touches anything in the report.
    pub fn moves_on(&mut self, chain: &str, from: &BlockRef, to: &BlockRef) {
        if from == to {
            return;
        }
        let tips = self.tips.iter_mut().filter(|tip| tip.chain == chain);
        for tip in tips.filter(|tip| tip.height == from.height) {
            tip.height = to.height;
            tip.hash = to.hash.to_string();
        }
        let nodes = self.nodes.iter_mut().filter(|node| node.chain == chain);
        for coverage in nodes.filter_map(|node| node.coverage.as_mut()) {
            if coverage.complete_through == Some(from.height) {
                coverage.complete_through = Some(to.height);
            }
        }
    }
}
