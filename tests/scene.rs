//! The theft that most tests trace, on real nodes that differ in what they can answer.

use std::sync::{Arc, Mutex, PoisonError, Weak};

use bitcoin::{OutPoint, Txid};
use hansel_testkit::{
    Electrs, EsploraOptions, EsploraServer, Indexes, Node, NodeOptions, Payee, Regtest, Scenario,
    require_bitcoind, require_electrs,
};

use crate::command::Hansel;

/// The chain of every regtest trace.
pub(crate) const CHAIN: &str = "bitcoin-regtest";

/// The scenario on a node with every index, behind an Esplora server.
pub(crate) struct Scene {
    pub(crate) esplora: EsploraServer,
    pub(crate) regtest: Regtest,
    pub(crate) scenario: Scenario,
}

/// The same chain on nodes with fewer indexes, and behind electrs where that is installed.
pub(crate) struct Others {
    electrs: Option<Electrs>,
    filtered: Node,
    plain: Node,
    scene: Arc<Scene>,
}

/// One way to ask about the chain: its name, its `--endpoint`, and a node's cookie file.
pub(crate) struct Way {
    pub(crate) name: &'static str,
    pub(crate) endpoint: String,
    cookie: Option<std::path::PathBuf>,
}

impl Scene {
    /// The scene that tests share while any of them uses it; `None` where there is no bitcoind.
    pub(crate) fn shared() -> Option<Arc<Self>> {
        static SCENE: Mutex<Weak<Scene>> = Mutex::new(Weak::new());
        share(&SCENE, Self::build)
    }

    /// A scene of one's own, to change the chain.
    pub(crate) fn build() -> Option<Self> {
        let bitcoind = require_bitcoind()?;
        let options = NodeOptions {
            indexes: Indexes::ALL,
            listen: true,
            ..NodeOptions::default()
        };
        let mut regtest = Regtest::start(&bitcoind, options).unwrap();
        let scenario = regtest.scenario();
        regtest.node().wait_for_indexes().unwrap();
        let esplora = EsploraServer::over_node(regtest.node(), EsploraOptions::default()).unwrap();
        Some(Self {
            esplora,
            regtest,
            scenario,
        })
    }

    /// The Esplora server.
    pub(crate) fn esplora(&self) -> Way {
        Way::open("Esplora", format!("esplora={}", self.esplora.url()))
    }

    /// The node with every index.
    pub(crate) fn core(&self) -> Way {
        Way::core("Core with every index", self.regtest.node())
    }

    pub(crate) fn address(&self, payee: Payee) -> String {
        self.regtest.address(payee).to_string()
    }
}

impl Others {
    pub(crate) fn shared() -> Option<Arc<Self>> {
        static OTHERS: Mutex<Weak<Others>> = Mutex::new(Weak::new());
        share(&OTHERS, Self::build)
    }

    fn build() -> Option<Self> {
        let scene = Scene::shared()?;
        let bitcoind = require_bitcoind()?;
        let filter = Indexes {
            filter: true,
            ..Indexes::NONE
        };
        let filtered = Node::start(&bitcoind, filter).unwrap();
        let plain = Node::start(&bitcoind, Indexes::NONE).unwrap();
        scene.regtest.copy_to(&filtered).unwrap();
        scene.regtest.copy_to(&plain).unwrap();
        let electrs = require_electrs().map(|electrs| {
            let mut started = Electrs::start(&electrs, scene.regtest.node()).unwrap();
            started.wait_for_tip(scene.regtest.node()).unwrap();
            started
        });
        Some(Self {
            electrs,
            filtered,
            plain,
            scene,
        })
    }

    pub(crate) fn scene(&self) -> &Scene {
        &self.scene
    }

    /// Every way to ask about the chain.
    pub(crate) fn ways(&self) -> Vec<Way> {
        let electrs = self.electrs.as_ref();
        let electrs = electrs.map(|electrs| {
            let endpoint = format!("electrum=tcp://{}", electrs.address());
            Way::open("electrs", endpoint)
        });
        let known = [
            self.scene.esplora(),
            self.scene.core(),
            Way::core("Core with filters", &self.filtered),
            Way::core("Core without an index", &self.plain),
        ];
        known.into_iter().chain(electrs).collect()
    }
}

impl Way {
    pub(crate) fn open(name: &'static str, endpoint: String) -> Self {
        Self {
            name,
            endpoint,
            cookie: None,
        }
    }

    pub(crate) fn core(name: &'static str, node: &Node) -> Self {
        Self {
            name,
            endpoint: format!("core={}", node.url()),
            cookie: Some(node.cookie_file()),
        }
    }

    /// The same node behind a proxy.
    pub(crate) fn through(self, url: &str) -> Self {
        Self {
            endpoint: format!("core={url}"),
            ..self
        }
    }

    /// `hansel trace --json` with these words, asking this endpoint.
    pub(crate) fn trace(&self, words: &str) -> Hansel {
        let trace = Hansel::new("trace --json --quiet --chain").args([CHAIN]);
        self.asked_by(trace.args(words.split_whitespace()))
    }

    /// `hansel rescan --json` with these words, asking this endpoint.
    pub(crate) fn rescan(&self, words: &str) -> Hansel {
        let rescan = Hansel::new("rescan --json");
        self.asked_by(rescan.args(words.split_whitespace()))
    }

    pub(crate) fn asked_by(&self, command: Hansel) -> Hansel {
        let command = command.option("--endpoint", &self.endpoint);
        match &self.cookie {
            None => command,
            Some(cookie) => command.env("HANSEL_CORE_COOKIE", cookie),
        }
    }
}

/// The id of a transaction's node.
pub(crate) fn pool(txid: Txid) -> String {
    format!("{CHAIN}:tx:{txid}")
}

/// The id of an output's flow, and of its node while nobody has spent it.
pub(crate) fn output(txid: Txid, vout: u32) -> String {
    format!("{CHAIN}:output:{}", OutPoint::new(txid, vout))
}

/// Builds what is not there any more; whoever comes meanwhile waits.
fn share<T>(place: &Mutex<Weak<T>>, build: impl FnOnce() -> Option<T>) -> Option<Arc<T>> {
    let mut place = place.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(shared) = place.upgrade() {
        return Some(shared);
    }
    let built = Arc::new(build()?);
    *place = Arc::downgrade(&built);
    Some(built)
}
