//! An amount through time.

use alloy_primitives::U256;

/// What somebody held: at first, and after each block that changed it.
#[derive(Clone, Debug, Default)]
pub(super) struct History {
    opening: U256,
    changes: Vec<(u64, U256)>,
}

impl History {
    pub(super) fn open(&mut self, amount: U256) {
        self.opening += amount;
    }

    pub(super) fn now(&self) -> U256 {
        self.changes.last().map_or(self.opening, |(_, held)| *held)
    }

    pub(super) fn at(&self, height: u64) -> U256 {
        let after = self.changes.partition_point(|(block, _)| *block <= height);
        let last = after
            .checked_sub(1)
            .and_then(|index| self.changes.get(index));
        last.map_or(self.opening, |(_, held)| *held)
    }

    /// Blocks come in order.
    pub(super) fn set(&mut self, height: u64, held: U256) {
        match self.changes.last_mut() {
            Some((block, last)) if *block == height => *last = held,
            _ => self.changes.push((height, held)),
        }
    }
}
