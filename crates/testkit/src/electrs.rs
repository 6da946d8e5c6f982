//! A real electrs on top of a test's node.

use std::io::{BufRead, BufReader, Write};
use std::net::{Ipv4Addr, TcpStream};
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::node::{Node, NodeError, wait};
use crate::process::{Process, free_port};

/// A running electrs; dropped, it is killed and its index removed. Keep its node alive longer.
pub struct Electrs {
    // Dropped before `_directory`, so that nothing writes there any more.
    process: Process,
    _directory: TempDir,
    port: u16,
}

impl Electrs {
    /// True where this electrs reads blocks as a peer, so that its node must listen (0.10 does, 0.12 does not).
    pub fn needs_listening_node(electrs: &Path) -> Result<bool, NodeError> {
        let help = Command::new(electrs).arg("--help").output()?;
        let words = [help.stdout, help.stderr].concat();
        Ok(String::from_utf8_lossy(&words).contains("--daemon-p2p-addr"))
    }

    /// Starts electrs on free ports and waits until it is at the node's tip, at most 60 s.
    pub fn start(electrs: &Path, node: &Node) -> Result<Self, NodeError> {
        let mut lost_races = 0;
        loop {
            match Self::try_start(electrs, node) {
                Err(NodeError::Ended(words)) if words.contains("in use") && lost_races < 5 => {
                    lost_races += 1;
                }
                outcome => return outcome,
            }
        }
    }

    fn try_start(electrs: &Path, node: &Node) -> Result<Self, NodeError> {
        let directory = tempfile::Builder::new()
            .prefix("hansel-electrs-")
            .tempdir()?;
        let port = free_port()?;
        let mut arguments = arguments(directory.path(), node, port)?;
        if Self::needs_listening_node(electrs)? {
            let peer = node.peer_port().unwrap_or_default();
            arguments.push(format!("--daemon-p2p-addr=127.0.0.1:{peer}"));
        }
        let log = directory.path().join("output.log");
        let process = Process::start(electrs, &arguments, log)?;
        let mut started = Self {
            process,
            _directory: directory,
            port,
        };
        started.wait_for_tip(node)?;
        Ok(started)
    }

    /// The Electrum protocol's address, `127.0.0.1:PORT`, plain TCP.
    pub fn address(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// The Electrum protocol's port on loopback.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Waits until the server has the node's tip and as large a mempool, at most 60 s.
    pub fn wait_for_tip(&mut self, node: &Node) -> Result<(), NodeError> {
        let tip = node.call("getbestblockhash", json!([]))?;
        let header = node.call("getblockheader", json!([tip, false]))?;
        let height = node.call("getblockcount", json!([]))?;
        let mempool = node.call("getmempoolinfo", json!([]))?["bytes"].as_u64();
        wait("electrs at the tip", Duration::from_secs(60), || {
            if let Some(words) = self.process.obituary()? {
                return Err(NodeError::Ended(words));
            }
            // Asked for its tip before it has one, 0.12 panics; asked for a header, it says no.
            let answer = self.call("blockchain.block.header", &json!([height]));
            let at_tip = answer.is_ok_and(|found| found == header);
            Ok((at_tip && self.mempool_size()? == mempool).then_some(()))
        })
    }

    /// Virtual bytes in the server's mempool: 0.10 reads it some time after the blocks.
    fn mempool_size(&self) -> Result<Option<u64>, NodeError> {
        let histogram = self.call("mempool.get_fee_histogram", &json!([]))?;
        let bins = histogram.as_array().into_iter().flatten();
        Ok(bins.map(|bin| bin[1].as_u64()).sum())
    }

    /// Calls an Electrum method over a new connection and returns its `result`.
    pub fn call(&self, method: &str, params: &Value) -> Result<Value, NodeError> {
        let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, self.port))?;
        stream.set_read_timeout(Some(Duration::from_secs(30)))?;
        let request = json!({"jsonrpc": "2.0", "id": 1, "method": method, "params": params});
        stream.write_all(format!("{request}\n").as_bytes())?;
        let mut line = String::new();
        BufReader::new(stream).read_line(&mut line)?;
        let refused = || NodeError::Electrum(line.chars().take(200).collect());
        let mut answer: Value = serde_json::from_str(&line).map_err(|_| refused())?;
        answer
            .get_mut("result")
            .map(Value::take)
            .ok_or_else(refused)
    }
}

fn arguments(directory: &Path, node: &Node, port: u16) -> Result<Vec<String>, NodeError> {
    Ok(vec![
        "--skip-default-conf-files".into(),
        "--network=regtest".into(),
        format!("--db-dir={}", directory.join("index").display()),
        format!("--daemon-dir={}", node.directory().display()),
        format!("--cookie-file={}", node.cookie_file().display()),
        format!("--daemon-rpc-addr=127.0.0.1:{}", node.rpc_port()),
        format!("--electrum-rpc-addr=127.0.0.1:{port}"),
        format!("--monitoring-addr=127.0.0.1:{}", free_port()?),
        "--wait-duration-secs=1".into(),
    ])
}
