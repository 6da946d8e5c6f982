//! The column families and how RocksDB is tuned for them.

use rocksdb::{
    BlockBasedOptions, Cache, ColumnFamilyDescriptor, DBCompressionType, DBRecoveryMode,
    InfoLogger, LogLevel, Options, SliceTransform,
};

use crate::keys::WATCHED;

/// A column family.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Column {
    /// Chains by key: name and genesis block.
    Chains,
    /// Raw bodies by their SHA-256.
    Evidence,
    /// Who answered which request with a body, and when.
    Provenance,
    /// Facts by chain and subject.
    Statements,
    /// Statements by the highest block they speak of.
    Heights,
    /// Block hashes by chain and height.
    Headers,
    /// Cases by name.
    Cases,
    /// How far a case has got on a chain.
    Cursors,
    /// What the watch over a case remembers.
    Watches,
    /// Messages that wait for delivery, by number.
    Outbox,
    /// How far a chain was read for all cases.
    Passes,
    /// What any case watches of a chain, with the case.
    Watched,
    /// Rows of the former by case.
    Watchers,
    /// Cases that are to be traced again.
    Due,
}

impl Column {
    /// Every column family; a database has exactly these.
    pub(crate) const ALL: [Self; 14] = [
        Self::Chains,
        Self::Evidence,
        Self::Provenance,
        Self::Statements,
        Self::Heights,
        Self::Headers,
        Self::Cases,
        Self::Cursors,
        Self::Watches,
        Self::Outbox,
        Self::Passes,
        Self::Watched,
        Self::Watchers,
        Self::Due,
    ];

    /// True for those that stores of earlier versions lack.
    pub(crate) fn is_later(self) -> bool {
        match self {
            Self::Watches
            | Self::Outbox
            | Self::Passes
            | Self::Watched
            | Self::Watchers
            | Self::Due => true,
            Self::Chains
            | Self::Evidence
            | Self::Provenance
            | Self::Statements
            | Self::Heights
            | Self::Headers
            | Self::Cases
            | Self::Cursors => false,
        }
    }

    /// The name in the database and in messages.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Chains => "chains",
            Self::Evidence => "evidence",
            Self::Provenance => "provenance",
            Self::Statements => "statements",
            Self::Heights => "heights",
            Self::Headers => "headers",
            Self::Cases => "cases",
            Self::Cursors => "cursors",
            Self::Watches => "watches",
            Self::Outbox => "outbox",
            Self::Passes => "passes",
            Self::Watched => "watched",
            Self::Watchers => "watchers",
            Self::Due => "due",
        }
    }
}

const MIB: usize = 1024 * 1024;
const BLOOM_BITS_PER_KEY: f64 = 10.0;

/// The options of the database as a whole.
pub(crate) fn database_options() -> Options {
    let mut options = Options::default();
    options.set_paranoid_checks(true);
    // A record cut short by a crash at the end of the log was never acknowledged; damage anywhere else is
    // reported instead of being taken for the end of the log, as the default would.
    options.set_wal_recovery_mode(DBRecoveryMode::TolerateCorruptedTailRecords);
    options.set_db_write_buffer_size(64 * MIB);
    options.set_max_total_wal_size(128 * 1024 * 1024);
    options.set_max_open_files(512);
    // RocksDB's own log files would change the directory of a store that is only looked at.
    options.set_info_logger(InfoLogger::new_callback_logger(LogLevel::Fatal, |_, _| ()));
    options
}

/// Every column family with its options; all share one block cache.
pub(crate) fn descriptors() -> Vec<ColumnFamilyDescriptor> {
    described(|_| true)
}

/// As [`descriptors`], without those that an earlier version did not make.
pub(crate) fn descriptors_of(present: &[String]) -> Vec<ColumnFamilyDescriptor> {
    described(|column| !column.is_later() || present.iter().any(|name| name == column.name()))
}

fn described(wanted: impl Fn(Column) -> bool) -> Vec<ColumnFamilyDescriptor> {
    let cache = Cache::new_lru_cache(64 * MIB);
    let columns = Column::ALL.iter().filter(|column| wanted(**column));
    columns
        .map(|column| ColumnFamilyDescriptor::new(column.name(), column_options(*column, &cache)))
        .collect()
}

/// Bloom filters and the cache make misses, the commonest read of a trace, ten times as fast as the defaults.
fn column_options(column: Column, cache: &Cache) -> Options {
    let mut table = BlockBasedOptions::default();
    table.set_bloom_filter(BLOOM_BITS_PER_KEY, false);
    table.set_block_cache(cache);
    let mut options = Options::default();
    options.set_block_based_table_factory(&table);
    options.set_compression_type(DBCompressionType::Lz4);
    if column == Column::Watched {
        // Whole blocks are looked up in it by what is watched, and nearly nothing of them is there.
        options.set_prefix_extractor(SliceTransform::create_fixed_prefix(WATCHED));
        options.set_memtable_prefix_bloom_ratio(0.1);
    }
    options
}
