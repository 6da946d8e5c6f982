//! RocksDB store of evidence, statements, headers, cases, cursors and messages; `docs/schema.md` is its schema.
//!
//! [`Store`] keeps what endpoints answered and what was read from it, so that a trace can be resumed and a
//! report repeated without a network. One answer is written in one atomic batch: after a crash it is there
//! whole or not at all. Everything read back is parsed and checked like any other hostile input.

mod answers;
mod cases;
mod chains;
mod columns;
mod directory;
mod error;
mod evidence;
mod evm;
mod keys;
mod merge;
mod outbox;
mod rows;
mod statistics;
mod store;
mod watches;

pub use cases::{Cursor, CursorState};
pub use chains::Forgotten;
pub use error::StoreError;
pub use evidence::{EvidenceHash, EvidenceRecord};
pub use outbox::Message;
pub use statistics::Statistics;
pub use store::Store;
pub use watches::{Due, Ended, Ending, Watch, Watcher};
