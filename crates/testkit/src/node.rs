//! A real bitcoind on regtest, started for a test and gone with it.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::thread::sleep;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::process::{Process, free_port};
use crate::rpc::{RpcClient, RpcError};

/// How long a node may take to answer its first call.
const STARTUP: Duration = Duration::from_secs(60);

/// Which optional indexes a node keeps.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Indexes {
    /// `-txindex`: transactions by id.
    pub tx: bool,
    /// `-txospenderindex`: the spender of a spent output.
    pub spender: bool,
    /// `-blockfilterindex`: BIP-158 filters, for `scanblocks`.
    pub filter: bool,
}

impl Indexes {
    /// No index.
    pub const NONE: Self = Self {
        tx: false,
        spender: false,
        filter: false,
    };
    /// Every index.
    pub const ALL: Self = Self {
        tx: true,
        spender: true,
        filter: true,
    };
}

/// How a node is started.
#[derive(Clone, Debug, Default)]
pub struct NodeOptions {
    /// Its optional indexes.
    pub indexes: Indexes,
    /// True to accept peers on a port of loopback, which electrs 0.10 needs.
    pub listen: bool,
    /// Further arguments, as `-rpcworkqueue=1`.
    pub arguments: Vec<String>,
}

impl From<Indexes> for NodeOptions {
    fn from(indexes: Indexes) -> Self {
        Self {
            indexes,
            ..Self::default()
        }
    }
}

/// Says why a node did not start or answer.
#[derive(Debug, thiserror::Error)]
pub enum NodeError {
    /// Its directory or process could not be made.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// It ended by itself.
    #[error("the program ended: {0}")]
    Ended(String),
    /// It was not ready in time.
    #[error("not ready after {} seconds: {waiting_for}", after.as_secs())]
    Late {
        /// How long was waited.
        after: Duration,
        /// What was waited for.
        waiting_for: String,
    },
    /// A call failed.
    #[error(transparent)]
    Rpc(#[from] RpcError),
    /// The Electrum server answered nonsense.
    #[error("not an electrum answer: {0}")]
    Electrum(String),
}

/// A running bitcoind; dropped, it is killed and its directory removed.
pub struct Node {
    // Dropped before `directory`, so that nothing writes there any more.
    process: Process,
    directory: TempDir,
    rpc: RpcClient,
    rpc_port: u16,
    peer_port: Option<u16>,
    indexes: Indexes,
    credentials: String,
}

impl Node {
    /// Starts bitcoind on free ports and waits for its first answer, at most 60 s.
    pub fn start(bitcoind: &Path, options: impl Into<NodeOptions>) -> Result<Self, NodeError> {
        let options = options.into();
        let mut lost_races = 0;
        loop {
            match Self::try_start(bitcoind, &options) {
                Err(NodeError::Ended(words)) if words.contains("bind") && lost_races < 5 => {
                    lost_races += 1;
                }
                outcome => return outcome,
            }
        }
    }

    fn try_start(bitcoind: &Path, options: &NodeOptions) -> Result<Self, NodeError> {
        let directory = tempfile::Builder::new()
            .prefix("hansel-bitcoind-")
            .tempdir()?;
        let rpc_port = free_port()?;
        let peer_port = options.listen.then(free_port).transpose()?;
        let arguments = arguments(directory.path(), rpc_port, peer_port, options);
        let log = directory.path().join("output.log");
        let mut process = Process::start(bitcoind, &arguments, log)?;
        let (rpc, credentials) = first_answer(&mut process, directory.path(), rpc_port)?;
        Ok(Self {
            process,
            directory,
            rpc,
            rpc_port,
            peer_port,
            indexes: options.indexes,
            credentials,
        })
    }

    /// Calls a method with an array of parameters.
    pub fn call(&self, method: &str, params: Value) -> Result<Value, RpcError> {
        self.rpc.call(method, &params)
    }

    /// A client that can be moved to another thread.
    pub fn rpc(&self) -> RpcClient {
        self.rpc.clone()
    }

    /// The JSON-RPC and REST endpoint without credentials: `http://127.0.0.1:PORT`.
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.rpc_port)
    }

    /// The endpoint with the cookie's credentials: `http://USER:PASSWORD@127.0.0.1:PORT`.
    pub fn url_with_credentials(&self) -> String {
        format!("http://{}@127.0.0.1:{}", self.credentials, self.rpc_port)
    }

    /// The cookie's content, `user:password`.
    pub fn credentials(&self) -> &str {
        &self.credentials
    }

    /// The cookie file.
    pub fn cookie_file(&self) -> PathBuf {
        cookie_file(self.directory.path())
    }

    /// The data directory, without the `regtest` below it.
    pub fn directory(&self) -> &Path {
        self.directory.path()
    }

    /// The JSON-RPC port on loopback.
    pub fn rpc_port(&self) -> u16 {
        self.rpc_port
    }

    /// The port for peers, where [`NodeOptions::listen`] was set.
    pub fn peer_port(&self) -> Option<u16> {
        self.peer_port
    }

    /// The indexes it was started with.
    pub fn indexes(&self) -> Indexes {
        self.indexes
    }

    /// The process id, to pause or kill it.
    pub fn process_id(&self) -> u32 {
        self.process.id()
    }

    /// Waits until every index has caught up with the tip, which happens after a block is accepted.
    pub fn wait_for_indexes(&self) -> Result<(), NodeError> {
        let height = self.call("getblockcount", json!([]))?;
        wait("indexes at the tip", Duration::from_secs(60), || {
            let indexes = self.call("getindexinfo", json!([]))?;
            let at_tip =
                |state: &Value| state["synced"] == true && state["best_block_height"] == height;
            let all = indexes.as_object().is_some_and(|i| i.values().all(at_tip));
            Ok(all.then_some(()))
        })
    }
}

fn arguments(
    directory: &Path,
    rpc_port: u16,
    peer_port: Option<u16>,
    options: &NodeOptions,
) -> Vec<String> {
    let Indexes {
        tx,
        spender,
        filter,
    } = options.indexes;
    let mut arguments = vec![
        "-regtest".to_owned(),
        format!("-datadir={}", directory.display()),
        "-server=1".into(),
        "-rest=1".into(),
        format!("-rpcport={rpc_port}"),
        "-rpcbind=127.0.0.1".into(),
        "-rpcallowip=127.0.0.1".into(),
        "-rpcworkqueue=256".into(),
        "-dnsseed=0".into(),
        "-fixedseeds=0".into(),
        "-discover=0".into(),
        "-listenonion=0".into(),
        "-natpmp=0".into(),
        "-printtoconsole=0".into(),
        "-dbcache=16".into(),
        // Test chains live in a fixed past; without this the node thinks it is still catching up.
        "-maxtipage=3153600000".into(),
        format!("-txindex={}", u8::from(tx)),
        format!("-blockfilterindex={}", u8::from(filter)),
    ];
    // Releases before 31 refuse the argument, so it is given only where it is wanted.
    arguments.extend(spender.then(|| "-txospenderindex=1".to_owned()));
    match peer_port {
        None => arguments.push("-listen=0".into()),
        Some(port) => arguments.extend([
            "-listen=1".into(),
            format!("-bind=127.0.0.1:{port}"),
            // Without the field `bip125-replaceable`, electrs 0.10 takes every mempool for empty.
            "-deprecatedrpc=bip125".into(),
        ]),
    }
    arguments.extend(options.arguments.iter().cloned());
    arguments
}

fn cookie_file(directory: &Path) -> PathBuf {
    directory.join("regtest").join(".cookie")
}

fn first_answer(
    process: &mut Process,
    directory: &Path,
    port: u16,
) -> Result<(RpcClient, String), NodeError> {
    wait("the node's first answer", STARTUP, || {
        if let Some(words) = process.obituary()? {
            return Err(NodeError::Ended(words));
        }
        let Ok(cookie) = fs::read_to_string(cookie_file(directory)) else {
            return Ok(None);
        };
        let rpc = RpcClient::new(port, &cookie);
        let ready = rpc.call("getblockchaininfo", &json!([])).is_ok();
        Ok(ready.then_some((rpc, cookie)))
    })
}

/// Asks again every 20 ms until there is something, an error, or no time left.
pub(crate) fn wait<T>(
    waiting_for: &str,
    longest: Duration,
    mut ask: impl FnMut() -> Result<Option<T>, NodeError>,
) -> Result<T, NodeError> {
    let start = Instant::now();
    while start.elapsed() < longest {
        if let Some(found) = ask()? {
            return Ok(found);
        }
        sleep(Duration::from_millis(20));
    }
    Err(NodeError::Late {
        after: longest,
        waiting_for: waiting_for.to_owned(),
    })
}
