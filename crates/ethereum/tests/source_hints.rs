//! What indexes say of a story on a real node adds what the node confirms, and no lie of theirs changes anything else.

#![allow(clippy::unwrap_used, reason = "a step that fails is a test that fails")]

use std::future::Future;
use std::sync::Arc;

use alloy_primitives::{B256, U256};
use async_trait::async_trait;
use hansel_ethereum::{EthereumProtocols, EvmSource};
use hansel_ledger::{
    AccountStatement, Asset, BlockForm, Chain, ChainSource, Coin, EndpointActivity, EvmFact,
    EvmNetwork, EvmQuery, Fact, Family, Query, SourceError,
};
use hansel_testkit::{
    Anvil, AnvilOptions, EvmIndex, EvmIndexRow, EvmScenario, EvmStory, RpcFault, RpcProxy, RpcRule,
    alchemy_transfers, require_anvil,
};
use hansel_wire::{
    EndpointSpec, HttpOptions, HttpWire, JsonRpc, OpenOptions, Paces, Request, Wire, open,
};
use serde_json::{Value, json};

fn chain(story: &EvmStory) -> Chain {
    let network = EvmNetwork {
        chain_id: story.chain_id,
        native: Asset {
            symbol: "ETH".into(),
            decimals: 18,
        },
        wrapped: Some(story.account("weth")),
        tokens: Vec::new(),
        blocks: BlockForm {
            ethereum_header: true,
            bridge_receipt: false,
        },
    };
    Chain::new("story", Family::Evm(Arc::new(network))).unwrap()
}

fn run<T>(future: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(future)
}

/// A node that searches nothing by account.
struct Told {
    _node: Anvil,
    proxy: RpcProxy,
    story: EvmStory,
}

fn told() -> Option<Told> {
    let node = Anvil::start(&require_anvil()?, &AnvilOptions::default()).unwrap();
    let story = EvmScenario::small().play(node.rpc()).unwrap();
    let unsearched =
        ["trace_filter", "ots_"].map(|name| RpcRule::always(name, RpcFault::unknown_method()));
    let proxy = RpcProxy::over(&node.url(), unsearched).unwrap();
    Some(Told {
        _node: node,
        proxy,
        story,
    })
}

impl Told {
    /// The node behind the proxy, with hints of these endpoints.
    fn source(&self, indexes: &[String]) -> Arc<dyn ChainSource> {
        let rpc = format!("rpc={}", self.proxy.url());
        let named = std::iter::once(&rpc).chain(indexes);
        let key = |name: &str| (name == "INDEX_KEY").then(|| KEY.to_owned());
        let specs: Vec<EndpointSpec> = named
            .map(|text| text.parse::<EndpointSpec>().unwrap().expanded(key).unwrap())
            .collect();
        let options = OpenOptions::default();
        open(&chain(&self.story), &specs, &options, &EthereumProtocols).unwrap()
    }

    fn statement(&self, source: &dyn ChainSource, name: &str, coin: Coin) -> AccountStatement {
        self.since(source, (name, coin), 0)
    }

    fn since(
        &self,
        source: &dyn ChainSource,
        (name, coin): (&str, Coin),
        since: u64,
    ) -> AccountStatement {
        let query = EvmQuery::Account {
            address: self.story.account(name),
            coin,
            since,
            until: self.story.tip(),
            bound: 5_000,
        };
        let answer = run(source.answer(&Query::Evm(query))).unwrap();
        match answer.fact {
            Fact::Evm(EvmFact::Account(statement)) => statement,
            other => panic!("{other:?}"),
        }
    }
}

const KEY: &str = "s3cr3t";

/// What a contract did between two balances that are equal is found by hints alone.
fn hidden(story: &EvmStory) -> (&'static str, Vec<B256>) {
    let splitter = story.account("proxy");
    let gives = |one: &&hansel_testkit::EvmDeed| {
        let mut moves = one.movements.iter();
        moves.any(|one| one.from == splitter && one.coin == Coin::Native)
    };
    let gave = story.deeds.iter().filter(gives).map(|deed| deed.hash);
    ("proxy", gave.collect())
}

fn gave(statement: &AccountStatement) -> Vec<B256> {
    statement.transactions.iter().map(|tx| tx.hash).collect()
}

#[test]
fn an_index_names_what_came_and_went_between_two_balances_and_the_gap_stays() {
    let Some(told) = told() else { return };
    // Blocks in which nothing is known are looked at here and there only, and this one not.
    let (name, true_ones) = hidden(&told.story);
    let plain = told.statement(&*told.source(&[]), name, Coin::Native);
    let index = EvmIndex::start(EvmIndexRow::of(&told.story), Some(KEY)).unwrap();
    for (kind, path, key) in [
        ("etherscan", "/v2/api", "?apikey=${INDEX_KEY}"),
        ("blockscout", "/api", "?apikey=${INDEX_KEY}"),
    ] {
        let endpoint = format!("{kind}={}{key}", index.url());
        let source = told.source(std::slice::from_ref(&endpoint));
        let hinted = told.statement(&*source, name, Coin::Native);
        assert_eq!(gave(&hinted), true_ones);
        assert_eq!(hinted.coverage, plain.coverage);
        assert!(index.asked().contains(&format!("{path} txlistinternal")));
        let activity = source.activity();
        assert_eq!(activity.len(), 2, "{activity:?}");
    }
    assert!(gave(&plain).is_empty() && !true_ones.is_empty());
}

/// Lies that an index may tell of its rows.
fn lies(story: &EvmStory) -> Vec<(&'static str, Vec<EvmIndexRow>)> {
    let all = EvmIndexRow::of(story);
    let altered = |change: &dyn Fn(&mut EvmIndexRow)| {
        let mut rows = all.clone();
        rows.iter_mut().for_each(change);
        rows
    };
    let foreign = story.deeds.first().unwrap().hash;
    vec![
        ("says nothing", Vec::new()),
        ("leaves out every third row", {
            let kept = all.iter().enumerate().filter(|(at, _)| at % 3 != 0);
            kept.map(|(_, row)| row.clone()).collect()
        }),
        (
            "invents transactions",
            altered(&|row| row.hash = B256::with_last_byte(7)),
        ),
        (
            "names other transactions",
            altered(&|row| row.hash = foreign),
        ),
        (
            "names wrong values and blocks",
            altered(&|row| {
                row.value += U256::from(1);
                row.block = 1;
            }),
        ),
        (
            "names transactions of long before as new",
            altered(&|row| row.block = story.tip()),
        ),
    ]
}

#[test]
fn an_index_that_lies_changes_no_statement() {
    let Some(told) = told() else { return };
    let plain = told.source(&[]);
    let usd = told.story.coin("usd");
    let pools = [
        ("thief", Coin::Native),
        ("relay1", Coin::Native),
        ("heir", Coin::Native),
        ("quiet", usd),
        ("owner", usd),
    ];
    let all = |source: &dyn ChainSource| -> Vec<AccountStatement> {
        let late = told.story.tip() / 2;
        let each = pools.iter().flat_map(|pool| [(*pool, 0), (*pool, late)]);
        each.map(|(pool, since)| told.since(source, pool, since))
            .collect()
    };
    let truth = all(&*plain);
    for (what, rows) in lies(&told.story) {
        let index = EvmIndex::start(rows, None).unwrap();
        let endpoint = format!("blockscout={}", index.url());
        let source = told.source(&[endpoint]);
        for (hinted, truth) in all(&*source).iter().zip(&truth) {
            assert_eq!(hinted, truth, "by an index that {what}");
        }
        assert!(!index.asked().is_empty());
    }
}

#[test]
fn an_index_that_is_gone_or_refuses_the_key_is_no_gap_and_its_key_is_in_no_text() {
    let Some(told) = told() else { return };
    let truth = told.statement(&*told.source(&[]), "thief", Coin::Native);
    let index = EvmIndex::start(EvmIndexRow::of(&told.story), Some("another")).unwrap();
    let endpoint = format!("etherscan={}?apikey=${{INDEX_KEY}}", index.url());
    let source = told.source(std::slice::from_ref(&endpoint));
    let hinted = told.statement(&*source, "thief", Coin::Native);
    assert_eq!(hinted, truth);
    assert!(!index.asked().is_empty());
    let spec: EndpointSpec = endpoint.parse().unwrap();
    let spec = spec.expanded(|_| Some(KEY.into())).unwrap();
    let said = format!("{spec} {spec:?} {:?}", source.activity());
    assert!(!said.contains(KEY), "{said}");
}

/// A wire to a node that keeps an index of transfers besides.
struct Indexing {
    wire: HttpWire,
    rows: Vec<EvmIndexRow>,
}

#[async_trait]
impl Wire for Indexing {
    fn endpoint(&self) -> &str {
        self.wire.endpoint()
    }

    async fn send(&self, request: &Request) -> Result<Vec<u8>, SourceError> {
        match request {
            Request::Call { method, params } if method == "alchemy_getAssetTransfers" => {
                let params: Value = serde_json::from_str(params).unwrap();
                let told = alchemy_transfers(&self.rows, &params);
                Ok(json!({"id": 1, "result": told}).to_string().into_bytes())
            }
            _ => self.wire.send(request).await,
        }
    }

    fn activity(&self) -> EndpointActivity {
        self.wire.activity()
    }
}

#[test]
fn an_rpc_endpoint_with_an_index_of_transfers_gives_hints_too() {
    let Some(told) = told() else { return };
    let (name, true_ones) = hidden(&told.story);
    for (rows, finds) in [(EvmIndexRow::of(&told.story), true), (Vec::new(), false)] {
        let options = HttpOptions {
            version: JsonRpc::V2,
            ..HttpOptions::default()
        };
        let url = told.proxy.url().parse().unwrap();
        let wire = HttpWire::new(&url, options, &Paces::default()).unwrap();
        let wire = Arc::new(Indexing { wire, rows });
        let source = EvmSource::new(chain(&told.story), wire).unwrap();
        let lines = run(source.capabilities()).unwrap();
        let index = lines.iter().find(|(name, _)| name.contains("alchemy"));
        assert_eq!(index.unwrap().1, "yes");
        let hinted = told.statement(&source, name, Coin::Native);
        if finds {
            assert_eq!(gave(&hinted), true_ones);
        }
    }
}
