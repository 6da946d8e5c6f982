//! In which blocks and transactions an account moved a coin, by whatever a JSON-RPC endpoint offers for it.
//!
//! The searches are state machines that say what to ask next and take the answers; what talks is thin. No way
//! sees everything, and each says what it cannot see.

mod advice;
mod balance;
mod contradiction;
mod filter;
mod hints;
mod index;
mod logs;
mod nonce;
mod otterscan;
mod probes;
mod ranges;
mod search;
mod traces;
mod walk;

pub use advice::Advice;
pub use balance::{
    BalanceHistory, BalanceProbe, BalanceSearch, Explained, Held, UNSEEN, Unexplained,
};
pub use contradiction::Contradiction;
pub use filter::{LogFilter, disagreements, suspects};
pub use hints::{HintError, index_hints};
pub use index::{AlchemyPage, AlchemyWalk, Hints, IndexAnswer, IndexList, IndexWalk, NoList};
pub use logs::{FoundLogs, LogWalk, Step};
pub use nonce::{NonceHistory, NonceProbe, NonceRise, NonceSearch, Span};
pub use otterscan::{Candidate, OtsWalk};
pub use probes::{Batch, Probe, Probes};
pub use ranges::{Blocks, Reach, TooNarrow};
pub use search::{balance_history, nonce_histories};
pub use traces::{Side, Touch, TraceAsk, TraceWalk, both_sides};
pub use walk::{LogPiece, Reply, TracePiece, WalkError, walk_logs, walk_traces};
