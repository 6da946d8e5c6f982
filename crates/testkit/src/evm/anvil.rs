//! A real anvil, started for a test and gone with it.

use std::path::{Path, PathBuf};

use super::EvmRpc;
use super::running::Running;
use crate::node::NodeError;
use crate::process::Process;

/// How an anvil is started.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AnvilOptions {
    /// The chain's id.
    pub chain_id: u64,
    /// The genesis block's time in seconds since 1970.
    pub timestamp: u64,
    /// True to keep no state but the latest: the node is then no archive.
    pub prune_history: bool,
    /// True to answer on an IPC socket too, see [`Anvil::ipc_path`].
    pub ipc: bool,
    /// The rules of execution, as `prague`.
    pub hardfork: String,
    /// Further arguments, as `--slots-in-an-epoch=1`.
    pub arguments: Vec<String>,
}

impl Default for AnvilOptions {
    /// Chain 31337 from 2020-09-13 12:26:40 UTC on under the rules of `prague`, as an archive.
    fn default() -> Self {
        Self {
            chain_id: 31_337,
            timestamp: 1_600_000_000,
            prune_history: false,
            ipc: false,
            hardfork: "prague".into(),
            arguments: Vec::new(),
        }
    }
}

/// A running anvil that makes blocks only when told to; dropped, it is killed and its directory removed.
#[derive(Debug)]
pub struct Anvil {
    running: Running,
}

impl Anvil {
    /// Starts anvil on a free port of loopback and waits for its first answer, at most 60 s.
    pub fn start(anvil: &Path, options: &AnvilOptions) -> Result<Self, NodeError> {
        let running = Running::start("hansel-anvil-", |directory, port| {
            let log = directory.join("output.log");
            Process::start(anvil, &arguments(options, directory, port), log)
        })?;
        Ok(Self { running })
    }

    /// A client of it.
    pub fn rpc(&self) -> &EvmRpc {
        self.running.rpc()
    }

    /// The JSON-RPC endpoint, `http://127.0.0.1:PORT`.
    pub fn url(&self) -> String {
        self.rpc().url()
    }

    /// The same endpoint for WebSocket, `ws://127.0.0.1:PORT`.
    pub fn websocket_url(&self) -> String {
        format!("ws://127.0.0.1:{}", self.rpc().port())
    }

    /// The IPC socket, which is there if [`AnvilOptions::ipc`] was set.
    pub fn ipc_path(&self) -> PathBuf {
        ipc_path(self.running.directory())
    }

    /// The directory that holds its state and its log.
    pub fn directory(&self) -> &Path {
        self.running.directory()
    }

    /// The process id, to pause or kill it.
    pub fn process_id(&self) -> u32 {
        self.running.process_id()
    }
}

fn ipc_path(directory: &Path) -> PathBuf {
    directory.join("anvil.ipc")
}

fn arguments(options: &AnvilOptions, directory: &Path, port: u16) -> Vec<String> {
    let AnvilOptions {
        chain_id,
        timestamp,
        prune_history,
        ipc,
        hardfork,
        arguments: further,
    } = options;
    let mut arguments = vec![
        "--host=127.0.0.1".to_owned(),
        format!("--port={port}"),
        format!("--chain-id={chain_id}"),
        format!("--timestamp={timestamp}"),
        format!("--hardfork={hardfork}"),
        "--no-mining".into(),
        // First come, first mined: the order of a block is the order of sending.
        "--order=fifo".into(),
        "--gas-limit=30000000".into(),
        "--balance=1000000".into(),
        // Anvil never removes its states, and would keep them in the user's home.
        format!("--cache-path={}", directory.join("states").display()),
        "--silent".into(),
    ];
    arguments.extend(prune_history.then(|| "--prune-history".to_owned()));
    arguments.extend(ipc.then(|| format!("--ipc={}", ipc_path(directory).display())));
    arguments.extend(further.iter().cloned());
    arguments
}
