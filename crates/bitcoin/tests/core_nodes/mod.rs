//! Real nodes that hold the same chain and differ in what they can answer, and the sources that read them.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use bitcoin::{Network, OutPoint, ScriptBuf, Txid};
use hansel_bitcoin::{CoreSource, ElectrumLimits, ElectrumSource, ElectrumWire, EsploraSource};
use hansel_ledger::{
    Chain, ChainSource, EndpointActivity, ErrorClass, Fact, Family, Query, SourceError, SpendState,
};
use hansel_testkit::{
    Electrs, EsploraOptions, EsploraServer, Indexes, Node, Regtest, Scenario, require_bitcoind,
    require_electrs,
};
use hansel_wire::{Credentials, HttpOptions, HttpWire, Paces, Request, Wire};

/// The chain's name.
pub(crate) fn chain() -> Chain {
    Chain::new("bitcoin-regtest", Family::Bitcoin(Network::Regtest)).unwrap()
}

/// A node's JSON-RPC and, where allowed, its REST interface; counts blocks and sets a trap.
pub(crate) struct NodeWire {
    http: HttpWire,
    rest: bool,
    pub(crate) blocks: AtomicU64,
    /// What happens before the answer to the block of that number, counted from 1.
    pub(crate) trap: Mutex<Option<(u64, Trap)>>,
}

/// What goes wrong during a reading of blocks.
pub(crate) enum Trap {
    Cut,
    Run(Box<dyn FnOnce() + Send>),
}

impl NodeWire {
    pub(crate) fn new(node: &Node, rest: bool) -> Arc<Self> {
        let http = http_wire(&node.url(), Credentials::from_cookie(node.credentials()));
        Arc::new(Self {
            http,
            rest,
            blocks: AtomicU64::default(),
            trap: Mutex::default(),
        })
    }

    /// Counts a block; true where its answer is to be lost.
    fn count_block(&self) -> bool {
        let count = self.blocks.fetch_add(1, Ordering::Relaxed) + 1;
        let mut trap = self.trap.lock().unwrap();
        match trap.take_if(|(at, _)| *at == count) {
            None => false,
            Some((_, Trap::Cut)) => true,
            Some((_, Trap::Run(action))) => {
                action();
                false
            }
        }
    }
}

#[async_trait]
impl Wire for NodeWire {
    fn endpoint(&self) -> &str {
        self.http.endpoint()
    }

    async fn send(&self, request: &Request) -> Result<Vec<u8>, SourceError> {
        let fail = |class, detail: String| SourceError {
            class,
            endpoint: "127.0.0.1".into(),
            request: request.to_string(),
            detail,
        };
        let is_block = match request {
            Request::Get { .. } if !self.rest => {
                return Err(fail(ErrorClass::NotFound, "no REST".into()));
            }
            Request::Get { path } => path.starts_with("/rest/block/"),
            Request::Call { method, .. } => method == "getblock",
        };
        if is_block && self.count_block() {
            return Err(fail(ErrorClass::Unreachable, "cut off".into()));
        }
        self.http.send(request).await
    }

    fn activity(&self) -> EndpointActivity {
        self.http.activity()
    }
}

/// The same chain on nodes with every index, with filters only, and with none; electrs on the first.
pub(crate) struct Nodes {
    pub(crate) esplora: EsploraServer,
    pub(crate) electrs: Option<Electrs>,
    pub(crate) regtest: Regtest,
    pub(crate) filtered: Node,
    pub(crate) plain: Node,
    pub(crate) scenario: Scenario,
}

impl Nodes {
    /// The scenario with `above` more blocks on top; `None` where there is no bitcoind.
    pub(crate) fn start(above: usize) -> Option<Self> {
        let bitcoind = require_bitcoind()?;
        let mut regtest = Regtest::start(&bitcoind, Indexes::ALL).unwrap();
        let mut scenario = regtest.scenario();
        for _ in 0..above {
            regtest.mine();
        }
        scenario.height = regtest.height();
        let filter = Indexes {
            filter: true,
            ..Indexes::NONE
        };
        let filtered = Node::start(&bitcoind, filter).unwrap();
        let plain = Node::start(&bitcoind, Indexes::NONE).unwrap();
        let electrs = require_electrs().map(|path| Electrs::start(&path, regtest.node()).unwrap());
        let esplora = EsploraServer::over_node(regtest.node(), EsploraOptions::default()).unwrap();
        let nodes = Self {
            esplora,
            electrs,
            regtest,
            filtered,
            plain,
            scenario,
        };
        nodes.spread();
        Some(nodes)
    }

    /// Gives every node the first one's chain and mempool.
    pub(crate) fn spread(&self) {
        self.regtest.copy_to(&self.filtered).unwrap();
        self.regtest.copy_to(&self.plain).unwrap();
        self.regtest.node().wait_for_indexes().unwrap();
    }

    /// A new source of every kind, by name.
    pub(crate) fn sources(&self) -> BTreeMap<&'static str, Box<dyn ChainSource>> {
        let core = |node, rest| -> Box<dyn ChainSource> {
            Box::new(CoreSource::new(chain(), NodeWire::new(node, rest)))
        };
        let mut sources = BTreeMap::from([
            ("every index", core(self.regtest.node(), true)),
            ("filters and REST", core(&self.filtered, true)),
            ("filters", core(&self.filtered, false)),
            ("no index but REST", core(&self.plain, true)),
            ("no index", core(&self.plain, false)),
        ]);
        let wire = http_wire(&self.esplora.url(), None);
        let esplora = EsploraSource::new(chain(), Arc::new(wire));
        sources.insert("Esplora", Box::new(esplora));
        if let Some(electrs) = &self.electrs {
            let wire = electrum_wire(electrs);
            sources.insert("electrs", Box::new(ElectrumSource::new(chain(), wire)));
        }
        sources
    }

    /// Every transaction of the scenario that is in the chain or the mempool.
    pub(crate) fn transactions(&self) -> Vec<Txid> {
        let s = &self.scenario;
        let mut transactions = s.peels.clone();
        transactions.extend([
            s.victim[0].txid,
            s.theft,
            s.split,
            s.clean.txid,
            s.merge,
            s.consolidation,
            s.burn,
            s.parent,
            s.child,
            s.replacement,
            s.coinbase_merge,
            s.dust,
            s.unconfirmed,
        ]);
        transactions
    }

    /// The question what spent all outputs of a transaction built by the test.
    pub(crate) fn spends(&self, txid: Txid, height: Option<u64>, as_of: u64) -> Query {
        let outputs = &self.regtest.transaction(&txid).output;
        let outputs = (0..).zip(outputs.iter().map(|output| output.script_pubkey.clone()));
        Query::Spends {
            txid,
            height,
            outputs: outputs.collect(),
            as_of,
        }
    }
}

/// A wire to a running electrs.
pub(crate) fn electrum_wire(electrs: &Electrs) -> Arc<ElectrumWire> {
    let limits = ElectrumLimits::default();
    Arc::new(ElectrumWire::new(
        "127.0.0.1",
        electrs.port(),
        false,
        None,
        limits,
    ))
}

/// The question for a transaction.
pub(crate) fn transaction(txid: Txid, height: Option<u64>) -> Query {
    Query::Transaction { txid, height }
}

/// The question what spent one output.
pub(crate) fn spend(
    outpoint: OutPoint,
    script: ScriptBuf,
    height: Option<u64>,
    as_of: u64,
) -> Query {
    Query::Spends {
        txid: outpoint.txid,
        height,
        outputs: vec![(outpoint.vout, script)],
        as_of,
    }
}

/// Asks every source and checks that all say the same.
pub(crate) async fn agreed(
    sources: &BTreeMap<&'static str, Box<dyn ChainSource>>,
    query: &Query,
) -> Result<Fact, ErrorClass> {
    let mut first: Option<(&str, Result<Fact, ErrorClass>)> = None;
    for (name, source) in sources {
        let answer = source.answer(query).await;
        let said = answer.map(|answer| answer.fact);
        let told = said.map_err(|error| (error.class, error.to_string()));
        match &first {
            None => first = Some((name, told.map_err(|(class, _)| class))),
            Some((other, expected)) => {
                let detail = format!("{name} against {other}: {query:?}: {told:?}");
                let told = told.map_err(|(class, _)| class);
                assert_eq!(told, *expected, "{detail}");
            }
        }
    }
    first.unwrap().1
}

/// The state of an answer's output.
pub(crate) fn state(fact: &Fact, vout: u32) -> SpendState {
    let Fact::Spends(spends) = fact else {
        panic!("{fact:?}")
    };
    let found = spends.outputs.iter().find(|(index, _)| *index == vout);
    found.unwrap().1.clone()
}

/// The height at which a transaction is confirmed.
pub(crate) fn height(fact: &Fact) -> Option<u64> {
    let Fact::Transaction(statement) = fact else {
        panic!("{fact:?}")
    };
    statement.placement.height()
}

fn http_wire(url: &str, credentials: Option<Credentials>) -> HttpWire {
    let options = HttpOptions {
        credentials,
        ..HttpOptions::default()
    };
    HttpWire::new(&url.parse().unwrap(), options, &Paces::default()).unwrap()
}
