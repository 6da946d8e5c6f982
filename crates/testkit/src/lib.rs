//! Development only: real-node harnesses, servers as of providers, fault proxies, ledger generators.
//!
//! Everything has a blocking interface, so that it serves plain and async tests alike, and everything that
//! runs ends when it is dropped.
//!
//! ```no_run
//! use hansel_testkit::{EsploraOptions, EsploraServer, Indexes, NodeError, Regtest, require_bitcoind};
//!
//! fn every_test_starts_like_this() -> Result<(), NodeError> {
//!     let Some(bitcoind) = require_bitcoind() else {
//!         return Ok(());
//!     };
//!     let mut regtest = Regtest::start(&bitcoind, Indexes::ALL)?;
//!     let scenario = regtest.scenario();
//!     regtest.node().wait_for_indexes()?;
//!     let server = EsploraServer::over_node(regtest.node(), EsploraOptions::default())?;
//!     assert!(server.url().starts_with("http://127.0.0.1:"));
//!     assert_eq!(scenario.peels.len(), 8);
//!     Ok(())
//! }
//! ```
//!
//! On EVM chains a story with a known truth is told on a real node, and read through a proxy that misbehaves:
//!
//! ```no_run
//! use hansel_testkit::{Anvil, AnvilOptions, EvmScenario, RpcFault, RpcProxy, RpcRule, require_anvil};
//!
//! fn every_test_starts_like_this() -> Result<(), Box<dyn std::error::Error>> {
//!     let Some(anvil) = require_anvil() else {
//!         return Ok(());
//!     };
//!     let node = Anvil::start(&anvil, &AnvilOptions::default())?;
//!     let story = EvmScenario::small().play(node.rpc())?;
//!     let no_traces = ["debug_", "trace_", "ots_"]
//!         .map(|prefix| RpcRule::always(prefix, RpcFault::unknown_method()));
//!     let endpoint = RpcProxy::over(&node.url(), no_traces)?;
//!     assert!(endpoint.url().starts_with("http://127.0.0.1:"));
//!     assert_eq!(story.scene("theft").count(), 3);
//!     Ok(())
//! }
//! ```

mod binary;
mod chain_index;
mod electrs;
mod esplora;
mod evm;
mod evm_ledger;
mod fault;
mod http;
mod laundernet;
mod ledger;
mod node;
mod process;
mod regtest;
mod rpc;
mod server;

pub use binary::{
    Program, require_anvil, require_bitcoind, require_browser, require_electrs, require_hardhat,
    require_solcjs,
};
pub use chain_index::ChainIndex;
pub use electrs::Electrs;
pub use esplora::{EsploraOptions, EsploraServer, esplora_answer};
pub use evm::{
    AbiParameters, Anvil, AnvilOptions, EvmContract, EvmDeed, EvmIndex, EvmIndexRow, EvmKey,
    EvmMove, EvmOrder, EvmReceipt, EvmRpc, EvmScenario, EvmStory, EvmStoryError, Hardhat,
    HardhatOptions, RpcCall, RpcFault, RpcProxy, RpcRule, alchemy_transfers, compile_contracts,
    compiled_contracts, evm_call,
};
pub use evm_ledger::{
    EVM_GAS_PRICE, EvmLedger, EvmLedgerBuilder, EvmLedgerError, EvmProfile, EvmSent, EvmServer,
    EvmServerOptions, EvmStep, EvmToken, evm_answer,
};
pub use fault::{Fault, FaultProxy, Rule, Target};
pub use http::{HttpReply, HttpRequest};
pub use laundernet::{
    FoundFlow, LaunderFlow, LaunderNet, LaunderNetError, LaunderReplay, LaunderScore, score,
};
pub use ledger::{Ledger, Random, Shape};
pub use node::{Indexes, Node, NodeError, NodeOptions};
pub use regtest::{Pay, Payee, Regtest, Scenario};
pub use rpc::{RpcClient, RpcError};
