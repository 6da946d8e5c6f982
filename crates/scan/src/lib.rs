//! One pass over blocks for everything that is watched: spent outpoints, paid scripts, accounts.

mod authority;
mod block;
mod bytes;
mod error;
mod evm;
mod files;
mod filter;
mod index;
mod keys;
mod logs_bloom;
mod scanner;
mod watch;

pub use block::{Header, Visitor, has_its_transactions, visit};
pub use error::{BlockError, Crowded, EvmBlockError, FilesError};
pub use evm::{
    AccountHit, AccountHits, AccountSet, BlockParties, Party, PartyReader, Role, parent,
};
pub use files::{BlockFile, BlockFiles, Place};
pub use index::BlockIndex;
pub use keys::KeySet;
pub use scanner::{Hit, Scanner, Touch};
pub use watch::WatchSet;
