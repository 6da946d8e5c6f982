//! Development only: real-node harness, Esplora-compatible server, fault proxy, ledger generator.
//!
//! Everything has a blocking interface, so that it serves plain and async tests alike, and everything that
//! runs ends when it is dropped.

mod binary;
mod electrs;
mod node;
mod process;
mod rpc;

pub use binary::{Program, require_bitcoind, require_electrs};
pub use electrs::Electrs;
pub use node::{Indexes, Node, NodeError, NodeOptions};
pub use rpc::{RpcClient, RpcError};
