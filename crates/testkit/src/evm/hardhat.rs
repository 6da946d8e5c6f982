//! A real Hardhat node, the second client: it has neither receipts of blocks nor named tracers.

use std::fs;
use std::io;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use super::EvmRpc;
use super::running::Running;
use crate::node::NodeError;
use crate::process::Process;

/// How a Hardhat node is started.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HardhatOptions {
    /// The chain's id.
    pub chain_id: u64,
    /// The genesis block's time in seconds since 1970.
    pub timestamp: u64,
    /// The rules of execution, as `prague`.
    pub hardfork: String,
}

impl Default for HardhatOptions {
    /// The same chain as that of a default [`super::AnvilOptions`].
    fn default() -> Self {
        Self {
            chain_id: 31_337,
            timestamp: 1_600_000_000,
            hardfork: "prague".into(),
        }
    }
}

/// A running Hardhat node that makes blocks only when told to; dropped, it is killed and its directory removed.
#[derive(Debug)]
pub struct Hardhat {
    running: Running,
}

impl Hardhat {
    /// Starts Hardhat on a free port of loopback and waits for its first answer, at most 60 s.
    pub fn start(hardhat: &Path, options: &HardhatOptions) -> Result<Self, NodeError> {
        let running = Running::start("hansel-hardhat-", |directory, port| {
            launch(hardhat, options, directory, port)
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

    /// The directory that holds its configuration and its log.
    pub fn directory(&self) -> &Path {
        self.running.directory()
    }

    /// The process id, to pause or kill it.
    pub fn process_id(&self) -> u32 {
        self.running.process_id()
    }
}

fn launch(
    hardhat: &Path,
    options: &HardhatOptions,
    directory: &Path,
    port: u16,
) -> io::Result<Process> {
    // Hardhat runs only where the project's own packages hold it.
    symlink(packages(hardhat)?, directory.join("node_modules"))?;
    fs::write(
        directory.join("hardhat.config.js"),
        configuration(options, directory),
    )?;
    let arguments = ["node", "--hostname", "127.0.0.1", "--port"].map(str::to_owned);
    let arguments = [arguments.as_slice(), &[port.to_string()]].concat();
    Process::start_adjusted(
        hardhat,
        &arguments,
        directory.join("output.log"),
        |command| {
            command
                .current_dir(directory)
                // Its caches and its question about telemetry belong to the user's home otherwise.
                .env("HOME", directory)
                .env("XDG_CACHE_HOME", directory.join("cache"))
                .env("XDG_DATA_HOME", directory.join("data"))
                .env("XDG_CONFIG_HOME", directory.join("config"))
                .env("HARDHAT_DISABLE_TELEMETRY_PROMPT", "true");
        },
    )
}

/// The `node_modules` that the program, or what it links to, lies in.
fn packages(hardhat: &Path) -> io::Result<PathBuf> {
    let program = fs::canonicalize(hardhat)?;
    program
        .ancestors()
        .find(|directory| directory.ends_with("node_modules"))
        .map(Path::to_owned)
        .ok_or_else(|| {
            io::Error::other(format!(
                "hardhat at {} is in no node_modules",
                program.display()
            ))
        })
}

fn configuration(options: &HardhatOptions, directory: &Path) -> String {
    let network = serde_json::json!({
        "chainId": options.chain_id,
        "hardfork": options.hardfork,
        "blockGasLimit": 30_000_000,
        // Anvil's first block has a base fee of 1 gwei; this one's falls by an eighth to it.
        "initialBaseFeePerGas": 1_142_857_142,
        "coinbase": "0x0000000000000000000000000000000000000000",
        "accounts": {"accountsBalance": "1000000000000000000000000"},
        "mining": {"auto": false, "interval": 0, "mempool": {"order": "fifo"}},
    });
    let cache = serde_json::json!(directory.join("cache"));
    format!(
        "const network = {network};\n\
         network.initialDate = new Date({} * 1000).toISOString();\n\
         module.exports = {{ networks: {{ hardhat: network }}, paths: {{ cache: {cache} }} }};\n",
        options.timestamp
    )
}
