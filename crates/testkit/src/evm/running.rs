//! A node's process with its directory and its port, whichever program it is.

use std::io;
use std::path::Path;
use std::time::Duration;

use tempfile::TempDir;

use super::EvmRpc;
use crate::node::{NodeError, wait};
use crate::process::{Process, free_port};

/// How long a node may take to answer its first call.
const STARTUP: Duration = Duration::from_secs(60);

/// A running node; dropped, it is killed and its directory removed.
#[derive(Debug)]
pub(super) struct Running {
    // Dropped before `directory`, so that nothing writes there any more.
    process: Process,
    directory: TempDir,
    rpc: EvmRpc,
}

impl Running {
    /// Starts a node with `launch` in a directory of its own and on a free port, and waits for its first answer.
    /// Another program may take the port first; then it is tried again.
    pub(super) fn start(
        prefix: &str,
        launch: impl Fn(&Path, u16) -> io::Result<Process>,
    ) -> Result<Self, NodeError> {
        let mut lost_races = 0;
        loop {
            match Self::try_start(prefix, &launch) {
                Err(NodeError::Ended(words)) if is_taken(&words) && lost_races < 5 => {
                    lost_races += 1;
                }
                outcome => return outcome,
            }
        }
    }

    fn try_start(
        prefix: &str,
        launch: &impl Fn(&Path, u16) -> io::Result<Process>,
    ) -> Result<Self, NodeError> {
        let directory = tempfile::Builder::new().prefix(prefix).tempdir()?;
        let port = free_port()?;
        let mut process = launch(directory.path(), port)?;
        let rpc = EvmRpc::new(port);
        wait("the node's first answer", STARTUP, || {
            if let Some(words) = process.obituary()? {
                return Err(NodeError::Ended(words));
            }
            Ok(rpc.chain_id().ok())
        })?;
        Ok(Self {
            process,
            directory,
            rpc,
        })
    }

    pub(super) fn rpc(&self) -> &EvmRpc {
        &self.rpc
    }

    pub(super) fn directory(&self) -> &Path {
        self.directory.path()
    }

    pub(super) fn process_id(&self) -> u32 {
        self.process.id()
    }
}

/// Whether a program's last words say that its port was taken.
fn is_taken(words: &str) -> bool {
    ["in use", "EADDRINUSE"]
        .iter()
        .any(|sign| words.contains(sign))
}
