//! How much a store holds, for messages.

use rocksdb::Direction;

use crate::columns::Column;
use crate::{Store, StoreError};

/// Exact numbers of rows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Statistics {
    /// Raw answers, counted once per endpoint and request that gave them.
    pub evidence: u64,
    /// Facts.
    pub statements: u64,
    /// Blocks that facts speak of.
    pub headers: u64,
    /// Cases.
    pub cases: u64,
}

impl Store {
    /// Counts the rows, reading each key once.
    pub fn statistics(&self) -> Result<Statistics, StoreError> {
        Ok(Statistics {
            evidence: self.count(Column::Provenance)?,
            statements: self.count(Column::Heights)?,
            headers: self.count(Column::Headers)?,
            cases: self.count(Column::Cases)?,
        })
    }

    fn count(&self, column: Column) -> Result<u64, StoreError> {
        let mut rows = self.scan(column, &[], Direction::Forward);
        rows.try_fold(0, |sum, row| row.map(|_| sum + 1))
    }
}
