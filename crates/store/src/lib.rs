//! RocksDB store of evidence, statements, cases and cursors.
