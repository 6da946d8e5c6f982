//! A theft that fans out over a chain in memory, behind an Esplora server that counts what it is asked.

use std::collections::BTreeMap;
use std::time::Duration;

use bitcoin::Network;
use hansel_testkit::{EsploraOptions, EsploraServer, Ledger};

use crate::command::Hansel;
use crate::scene::Way;

/// A theft whose money reaches many transactions.
pub(crate) struct Wide {
    pub(crate) server: EsploraServer,
    pub(crate) ledger: Ledger,
}

impl Wide {
    /// A theft that reaches this many transactions, on a server that takes its time over every answer.
    pub(crate) fn new(transactions: usize, delay: Duration) -> Self {
        let ledger = Ledger::wide(transactions);
        let options = EsploraOptions {
            delay,
            ..EsploraOptions::default()
        };
        let server = EsploraServer::over_chain(ledger.chain(Network::Regtest), options).unwrap();
        Self { server, ledger }
    }

    /// The trace of everything.
    pub(crate) fn trace(&self) -> Hansel {
        self.trace_at(&self.server.url())
    }

    /// The same through a proxy in front of the server.
    pub(crate) fn trace_at(&self, url: &str) -> Hansel {
        let way = Way::open("Esplora", format!("esplora={url}"));
        way.trace(&format!("{} --min-share 0", self.ledger.theft()))
    }

    /// What a trace that nothing disturbs says.
    pub(crate) fn undisturbed(&self) -> String {
        let options = EsploraOptions::default();
        let chain = self.ledger.chain(Network::Regtest);
        let quick = Self {
            server: EsploraServer::over_chain(chain, options).unwrap(),
            ledger: self.ledger.clone(),
        };
        quick.trace().run().exits(0).stdout
    }

    /// Requests for transactions and for spends so far, by path.
    pub(crate) fn questions(&self) -> BTreeMap<String, u64> {
        let mut paths = self.server.requests_by_path();
        paths.retain(|path, _| path.starts_with("/tx/"));
        paths
    }
}
