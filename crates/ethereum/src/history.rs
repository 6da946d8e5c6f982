//! In which blocks and transactions an account moved a coin, by whatever a JSON-RPC endpoint offers for it.
//!
//! The searches are state machines that say what to ask next and take the answers; what talks is thin. No way
//! sees everything, and each says what it cannot see.

mod balance;
mod contradiction;
mod filter;
mod index;
mod logs;
mod nonce;
mod otterscan;
mod ranges;
mod traces;

pub use balance::{
    BalanceHistory, BalanceProbe, BalanceSearch, Explained, Held, UNSEEN, Unexplained,
};
pub use contradiction::Contradiction;
pub use filter::{LogFilter, disagreements, suspects};
pub use index::{AlchemyPage, AlchemyWalk, Hints, IndexAnswer, IndexList, IndexWalk, NoList};
pub use logs::{FoundLogs, LogWalk, Step};
pub use nonce::{NonceHistory, NonceProbe, NonceRise, NonceSearch, Span};
pub use otterscan::{Candidate, OtsPage, OtsWalk};
pub use ranges::{Advice, Blocks, Reach, TooNarrow};
pub use traces::{Side, Touch, TraceAsk, TraceWalk, both_sides};
