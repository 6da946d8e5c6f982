//! Turns what EVM nodes answer into facts: JSON into lean structs, and those into movements of value. No I/O.

mod block;
mod call_tracer;
mod calls;
mod error;
mod fee;
mod flat;
mod json;
mod log;
mod native;
mod otterscan;
mod quantity;
mod receipt;
mod receipt_root;
mod scan;
mod tips;
mod transaction;
mod verify;
mod withdrawal;
mod wrap;

pub use block::{AuthorizationLean, HeaderLean, Transactions, TxLean, block, transaction_by_hash};
pub use call_tracer::{TracedTx, call_trace, call_traces_of_block};
pub use calls::{Call, CallKind, Calls};
pub use error::{DecodeError, JsonFault, Misfit};
pub use flat::{FlatTrace, calls_of_flat_traces, flat_traces};
pub use log::{LogReading, read_log};
pub use otterscan::{OtsPage, ots_page};
pub use receipt::{LogLean, ReceiptLean, logs, receipt, receipts};
pub use receipt_root::{RootError, receipts_root};
pub use tips::tips;
pub use transaction::transaction;
pub use verify::{
    HeaderProof, ReceiptsProof, VerifyError, bloom_may_contain, check_header, check_receipts,
};
pub use withdrawal::{WithdrawalLean, withdrawals};
