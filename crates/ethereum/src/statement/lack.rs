//! What a statement lacks, and from which block on.

use std::collections::BTreeSet;

use hansel_ledger::{Coverage, Gap};

/// Gaps, each with the first block that it leaves uncertain.
#[derive(Clone, Debug, Default)]
pub(crate) struct Lacks {
    gaps: BTreeSet<Gap>,
    /// The first uncertain block; `None` where all blocks are certain.
    uncertain_from: Option<u64>,
}

impl Lacks {
    /// Adds a gap that leaves blocks from `block` on uncertain.
    pub(crate) fn from(&mut self, block: u64, gap: Gap) {
        self.gaps.insert(gap);
        let first = self.uncertain_from.map_or(block, |first| first.min(block));
        self.uncertain_from = Some(first);
    }

    /// Adds a gap that leaves the coin's own history complete.
    pub(crate) fn aside(&mut self, gap: Gap) {
        self.gaps.insert(gap);
    }

    /// The coverage of a statement over blocks `since..=until`.
    pub(crate) fn coverage(self, since: u64, until: u64) -> Coverage {
        let complete_through = match self.uncertain_from {
            None => Some(until),
            Some(first) => first.checked_sub(1).filter(|last| *last >= since),
        };
        Coverage {
            complete_through: complete_through.map(|last| last.min(until)),
            gaps: self.gaps.into_iter().collect(),
        }
    }
}
