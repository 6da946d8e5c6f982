//! The store itself: opening, and the few reads and writes that everything else is made of.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use rocksdb::{ColumnFamily, DB, Direction, IteratorMode, ReadOptions, WriteBatch, WriteOptions};

use crate::columns::Column;
use crate::{StoreError, directory};

/// An embedded database of everything that was learned from chains.
///
/// Calls block on the disk. Any number of threads may share one store; writes take turns.
pub struct Store {
    // Dropped before the lock, so that nobody else opens the database while it closes.
    db: DB,
    turn: Mutex<()>,
    dir: PathBuf,
    lock: Option<File>,
}

/// One row: its key and its value.
pub(crate) type Row = (Box<[u8]>, Box<[u8]>);

impl Store {
    /// Opens the store of a directory for reading and writing, making it where it is missing.
    ///
    /// One process at a time may do so. A directory that cannot be opened is left as it is.
    pub fn open(dir: &Path) -> Result<Self, StoreError> {
        let (db, lock, earlier) = directory::open(dir)?;
        let store = Self::new(db, dir, Some(lock));
        if let Some(lock) = store.lock.as_ref().filter(|_| earlier) {
            store.all_are_due()?;
            directory::bring_up_to_date(dir, lock)?;
        }
        Ok(store)
    }

    /// Opens the store of a directory for reading, as it is now: later writes of another process are not seen.
    pub fn open_read_only(dir: &Path) -> Result<Self, StoreError> {
        directory::open_read_only(dir).map(|db| Self::new(db, dir, None))
    }

    fn new(db: DB, dir: &Path, lock: Option<File>) -> Self {
        Self {
            db,
            turn: Mutex::new(()),
            dir: dir.to_owned(),
            lock,
        }
    }

    /// The directory the store is in.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// Waits for the right to read rows and write others that depend on them.
    pub(crate) fn take_turn(&self) -> MutexGuard<'_, ()> {
        // The mutex guards no data, so a thread that panicked holding it left nothing half done.
        self.turn.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn column(&self, column: Column) -> &ColumnFamily {
        self.db
            .cf_handle(column.name())
            .expect("every column family was opened with the database")
    }

    /// False for a column family that the store of an earlier version lacks while it is only read.
    pub(crate) fn has_column(&self, column: Column) -> bool {
        self.db.cf_handle(column.name()).is_some()
    }

    pub(crate) fn get(&self, column: Column, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        if !self.has_column(column) {
            return Ok(None);
        }
        self.db
            .get_cf(self.column(column), key)
            .map_err(|error| self.failed(&error))
    }

    pub(crate) fn has(&self, column: Column, key: &[u8]) -> Result<bool, StoreError> {
        let found = self.db.get_pinned_cf(self.column(column), key);
        found
            .map(|value| value.is_some())
            .map_err(|error| self.failed(&error))
    }

    /// Rows in the order of their keys, from `start` on; read errors are items, never the end.
    pub(crate) fn scan<'a>(
        &'a self,
        column: Column,
        start: &[u8],
        direction: Direction,
    ) -> impl Iterator<Item = Result<Row, StoreError>> + use<'a> {
        let mut options = ReadOptions::default();
        options.set_total_order_seek(true);
        let from = IteratorMode::From(start, direction);
        self.db
            .iterator_cf_opt(self.column(column), options, from)
            .map(|row| row.map_err(|error| self.failed(&error)))
    }

    /// The positions of the prefixes under which a column has rows, given ascending.
    ///
    /// The column's keys must have a prefix of that length; most prefixes are told to be absent by a filter.
    pub(crate) fn occupied<'p>(
        &self,
        column: Column,
        prefixes: impl Iterator<Item = (usize, &'p [u8])>,
    ) -> Result<Vec<usize>, StoreError> {
        let mut options = ReadOptions::default();
        options.set_prefix_same_as_start(true);
        let mut rows = self.db.raw_iterator_cf_opt(self.column(column), options);
        let mut occupied = Vec::new();
        for (position, prefix) in prefixes {
            rows.seek(prefix);
            if rows.key().is_some_and(|key| key.starts_with(prefix)) {
                occupied.push(position);
            }
            rows.status().map_err(|error| self.failed(&error))?;
        }
        Ok(occupied)
    }

    /// About how many rows a column has.
    pub(crate) fn about(&self, column: Column) -> Result<u64, StoreError> {
        let name = rocksdb::properties::ESTIMATE_NUM_KEYS;
        let found = self.db.property_int_value_cf(self.column(column), name);
        Ok(found.map_err(|error| self.failed(&error))?.unwrap_or(0))
    }

    /// Writes a batch whole or not at all; it survives the end of the process, but perhaps not a power cut.
    pub(crate) fn write(&self, batch: WriteBatch) -> Result<(), StoreError> {
        self.db.write(batch).map_err(|error| self.failed(&error))
    }

    /// Writes a batch, and everything written before it, to the disk before returning.
    pub(crate) fn write_through(&self, batch: WriteBatch) -> Result<(), StoreError> {
        let mut options = WriteOptions::default();
        options.set_sync(true);
        self.db
            .write_opt(batch, &options)
            .map_err(|error| self.failed(&error))
    }

    fn failed(&self, error: &rocksdb::Error) -> StoreError {
        StoreError::from_rocksdb(&self.dir, error)
    }
}

impl std::fmt::Debug for Store {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Store")
            .field("dir", &self.dir)
            .finish_non_exhaustive()
    }
}
