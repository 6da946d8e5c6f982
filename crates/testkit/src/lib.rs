//! Development only: real-node harness, Esplora-compatible server, fault proxy, ledger generator.
//!
//! Everything has a blocking interface, so that it serves plain and async tests alike, and everything that
//! runs ends when it is dropped.

mod binary;
mod chain_index;
mod electrs;
mod esplora;
mod fault;
mod http;
mod ledger;
mod node;
mod process;
mod regtest;
mod rpc;
mod server;

pub use binary::{Program, require_bitcoind, require_electrs};
pub use chain_index::ChainIndex;
pub use electrs::Electrs;
pub use esplora::{EsploraOptions, EsploraServer, esplora_answer};
pub use fault::{Fault, FaultProxy, Rule, Target};
pub use http::{HttpReply, HttpRequest};
pub use ledger::{Ledger, Random, Shape};
pub use node::{Indexes, Node, NodeError, NodeOptions};
pub use regtest::{Pay, Payee, Regtest, Scenario};
pub use rpc::{RpcClient, RpcError};
