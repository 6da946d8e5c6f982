//! One pass over blocks for everything that is watched: spent outpoints, paid scripts, accounts.

mod block;
mod bytes;
mod error;
mod filter;
mod keys;
mod scanner;
mod watch;

pub use block::{Header, Visitor, visit};
pub use error::{BlockError, Crowded};
pub use keys::KeySet;
pub use scanner::{Hit, Scanner, Touch};
pub use watch::WatchSet;
