//! The Esplora source against a server over made-up ledgers and a real node, honest and not.

#![expect(
    clippy::unwrap_used,
    reason = "where a server cannot be asked the test has failed"
)]

use std::sync::Arc;
use std::time::Duration;

use bitcoin::absolute::LockTime;
use bitcoin::block::Header;
use bitcoin::hashes::{Hash, sha256};
use bitcoin::transaction::Version;
use bitcoin::{
    Amount, Block, BlockHash, CompactTarget, Network, OutPoint, ScriptBuf, Transaction, TxIn,
    TxMerkleNode, TxOut, Txid,
};
use hansel_bitcoin::{CoreSource, EsploraSource};
use hansel_ledger::{
    Answer, Chain, ChainSource, ErrorClass, Fact, Family, Placement, Query, SourceError,
    SpendState, Spends, TransactionStatement,
};
use hansel_testkit::{
    ChainIndex, EsploraOptions, EsploraServer, Fault, FaultProxy, HttpReply, HttpRequest, Indexes,
    Ledger, Regtest, Rule, Shape, Target, require_bitcoind,
};
use hansel_wire::{Credentials, Failover, HttpOptions, HttpWire, Limits, Paces};
use serde_json::{Value, json};

fn chain() -> Chain {
    Chain::new("bitcoin-regtest", Family::Bitcoin(Network::Regtest)).unwrap()
}

fn source_of(chain: Chain, url: &str) -> EsploraSource {
    let limits = Limits {
        retries: 2,
        back_off: Duration::from_millis(5),
        ..Limits::default()
    };
    let options = HttpOptions {
        limits,
        ..HttpOptions::default()
    };
    let wire = HttpWire::new(&url.parse().unwrap(), options, &Paces::default()).unwrap();
    EsploraSource::new(chain, Arc::new(wire))
}

fn source(url: &str) -> EsploraSource {
    source_of(chain(), url)
}

struct Served {
    ledger: Ledger,
    server: EsploraServer,
}

impl Served {
    fn start() -> Self {
        Self::of(Ledger::random(7, 300, &Shape::default()))
    }

    fn of(ledger: Ledger) -> Self {
        let index = ledger.chain(Network::Regtest);
        let server = EsploraServer::over_chain(index, EsploraOptions::default()).unwrap();
        Self { ledger, server }
    }

    fn behind(&self, fault: Fault) -> (FaultProxy, EsploraSource) {
        let rule = Rule::always(Target::Containing("/tx/".into()), fault);
        let proxy = FaultProxy::over(&self.server.url(), [rule]).unwrap();
        let source = source(&proxy.url());
        (proxy, source)
    }

    fn spends_query(&self, txid: Txid, as_of: u64) -> Query {
        let outputs = &self.ledger.transaction(&txid).unwrap().output;
        let scripts = outputs.iter().map(|output| output.script_pubkey.clone());
        Query::Spends {
            txid,
            height: None,
            outputs: (0..).zip(scripts).collect(),
            as_of,
        }
    }

    fn expected_spends(&self, txid: Txid, as_of: u64) -> Spends {
        let outputs = self.ledger.transaction(&txid).unwrap().output.iter();
        let state = |vout| match self.ledger.spender(&OutPoint { txid, vout }) {
            Some((by, height)) if height <= as_of => SpendState::Spent { by, height },
            _ => SpendState::Unspent,
        };
        let outputs = (0..)
            .zip(outputs)
            .map(|(vout, _)| (vout, state(vout)))
            .collect();
        Spends {
            txid,
            as_of,
            outputs,
        }
    }
}

/// A server whose chain pays one script often: in each block twice by a coinbase, of which the next block
/// spends one. Two transactions of each block belong to the script's history.
struct Popular {
    script: ScriptBuf,
    paid: Vec<(OutPoint, u64)>,
    server: EsploraServer,
}

const POPULAR_BLOCKS: u64 = 40;

impl Popular {
    fn start() -> Self {
        let script = ScriptBuf::new_op_return([7; 20]);
        let script = ScriptBuf::new_p2wsh(&script.wscript_hash());
        let mut index = ChainIndex::new(Network::Regtest);
        let mut paid = Vec::new();
        let mut last = None;
        for height in 0..POPULAR_BLOCKS {
            let coinbase = coinbase(height, &script);
            let txid = coinbase.compute_txid();
            paid.extend([0, 1].map(|vout| (OutPoint { txid, vout }, height)));
            let spend = last
                .replace(txid)
                .map(|txid| spend(OutPoint { txid, vout: 0 }));
            let previous = index
                .tip()
                .map_or_else(BlockHash::all_zeros, |(_, hash)| hash);
            index.append(block(
                previous,
                std::iter::once(coinbase).chain(spend).collect(),
            ));
        }
        paid.sort_by_key(|(outpoint, height)| (*height, *outpoint));
        let server = EsploraServer::over_chain(index, EsploraOptions::default()).unwrap();
        Self {
            script,
            paid,
            server,
        }
    }

    fn received(&self, since: u64, as_of: u64) -> Query {
        let script = self.script.clone();
        Query::Received {
            script,
            since,
            as_of,
        }
    }

    fn expected(&self, since: u64, as_of: u64) -> Fact {
        let paid = self
            .paid
            .iter()
            .filter(|(_, height)| (since..=as_of).contains(height));
        Fact::Received(paid.copied().collect())
    }

    fn all(&self) -> Query {
        self.received(0, POPULAR_BLOCKS - 1)
    }
}

fn coinbase(height: u64, script: &ScriptBuf) -> Transaction {
    let value = Amount::from_sat(1_000);
    let output = TxOut {
        value,
        script_pubkey: script.clone(),
    };
    let mut coinbase = spend(OutPoint::null());
    let height = i64::try_from(height).unwrap();
    coinbase.input[0].script_sig = ScriptBuf::builder().push_int(height).into_script();
    coinbase.output = vec![output.clone(), output];
    coinbase
}

fn spend(previous_output: OutPoint) -> Transaction {
    Transaction {
        version: Version::TWO,
        lock_time: LockTime::ZERO,
        input: vec![TxIn {
            previous_output,
            ..TxIn::default()
        }],
        output: vec![TxOut {
            value: Amount::from_sat(900),
            script_pubkey: ScriptBuf::new(),
        }],
    }
}

fn block(previous: BlockHash, txdata: Vec<Transaction>) -> Block {
    let mut block = Block {
        header: Header {
            version: bitcoin::block::Version::TWO,
            prev_blockhash: previous,
            merkle_root: TxMerkleNode::all_zeros(),
            time: 1_700_000_000,
            bits: CompactTarget::from_consensus(0x207f_ffff),
            nonce: 0,
        },
        txdata,
    };
    block.header.merkle_root = block.compute_merkle_root().unwrap();
    block
}

fn transaction(txid: Txid) -> Query {
    Query::Transaction { txid, height: None }
}

async fn fact(source: &dyn ChainSource, query: &Query) -> Result<Fact, SourceError> {
    source.answer(query).await.map(|answer| answer.fact)
}

async fn class(source: &dyn ChainSource, query: &Query) -> ErrorClass {
    fact(source, query).await.unwrap_err().class
}

async fn statement(source: &dyn ChainSource, txid: Txid) -> TransactionStatement {
    match fact(source, &transaction(txid)).await.unwrap() {
        Fact::Transaction(statement) => statement,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn every_transaction_and_spend_is_told_as_it_is() {
    let served = Served::start();
    let source = source(&served.server.url());
    let tip = source.tip().await.unwrap();
    assert_eq!(tip.height, served.ledger.height());
    let middle = tip.height - tip.height / 4;
    for expected in served.ledger.statements() {
        assert_eq!(statement(&source, expected.txid).await, expected);
        for as_of in [tip.height, middle] {
            let spends = fact(&source, &served.spends_query(expected.txid, as_of)).await;
            let expected = served.expected_spends(expected.txid, as_of);
            assert_eq!(spends.unwrap(), Fact::Spends(expected));
        }
    }
}

#[tokio::test]
async fn a_transaction_and_its_spends_cost_one_request_each() {
    let served = Served::start();
    let source = source(&served.server.url());
    let tip = source.tip().await.unwrap();
    served.server.reset_counts();
    let theft = served.ledger.theft();
    let answer = source.answer(&transaction(theft)).await.unwrap();
    let spends = source
        .answer(&served.spends_query(theft, tip.height))
        .await
        .unwrap();
    assert_eq!(served.server.requests(), 2);
    let requests = |answer: Answer| {
        answer
            .evidence
            .into_iter()
            .map(|e| e.request)
            .collect::<Vec<_>>()
    };
    assert_eq!(requests(answer), [format!("GET /tx/{theft}")]);
    assert_eq!(requests(spends), [format!("GET /tx/{theft}/outspends")]);
}

#[tokio::test]
async fn blocks_are_told_by_height_and_a_missing_one_is_not_found() {
    let served = Served::start();
    let source = source(&served.server.url());
    for height in [0, 1, served.ledger.height()] {
        let block = source.block_at(height).await.unwrap();
        let index = usize::try_from(height).unwrap();
        let header = served.ledger.blocks()[index].header;
        assert_eq!((block.height, block.hash), (height, header.block_hash()));
        assert_eq!(block.time.0, u64::from(header.time));
    }
    let beyond = source.block_at(served.ledger.height() + 1).await;
    assert_eq!(beyond.unwrap_err().class, ErrorClass::NotFound);
}

#[tokio::test]
async fn a_server_that_lags_behind_is_not_believed_about_the_blocks_it_lacks() {
    let served = Served::start();
    let source = source(&served.server.url());
    let ahead = served.ledger.height() + 1;
    let query = served.spends_query(served.ledger.theft(), ahead);
    let error = fact(&source, &query).await.unwrap_err();
    assert_eq!(error.class, ErrorClass::Truncated, "{error}");
    let query = Query::Received {
        script: ScriptBuf::new(),
        since: 0,
        as_of: ahead,
    };
    assert_eq!(class(&source, &query).await, ErrorClass::Truncated);
}

#[tokio::test]
async fn a_long_history_is_read_to_its_end_and_sorted() {
    let popular = Popular::start();
    let source = source(&popular.server.url());
    let tip = POPULAR_BLOCKS - 1;
    for (since, as_of) in [(0, tip), (20, tip), (0, 20), (13, 20), (tip, tip)] {
        let received = fact(&source, &popular.received(since, as_of)).await;
        assert_eq!(received.unwrap(), popular.expected(since, as_of));
    }
}

#[tokio::test]
async fn pages_older_than_asked_for_are_not_read() {
    let popular = Popular::start();
    let source = source(&popular.server.url());
    source.tip().await.unwrap();
    for (since, requests) in [(0, 2 + 4), (30, 2 + 1)] {
        popular.server.reset_counts();
        source.answer(&popular.received(since, 39)).await.unwrap();
        assert_eq!(popular.server.requests(), requests, "since {since}");
    }
}

fn totals(popular: &Popular) -> Target {
    let hash = sha256::Hash::hash(popular.script.as_bytes());
    Target::Exactly(format!("/scripthash/{hash}"))
}

fn later_pages() -> Target {
    Target::Containing("/txs/chain/".into())
}

fn total(count: u64) -> Fault {
    let total = json!({"chain_stats": {"tx_count": count}});
    Fault::Body(total.to_string().into_bytes())
}

#[tokio::test]
async fn a_history_that_ends_early_or_changes_is_truncated_and_never_believed() {
    let popular = Popular::start();
    let empty = || Fault::Body(b"[]".to_vec());
    for (rule, expected) in [
        (Rule::always(later_pages(), empty()), ErrorClass::Truncated),
        (
            Rule::always(later_pages().clone(), empty()).after(1),
            ErrorClass::Truncated,
        ),
        (
            Rule::always(totals(&popular), total(1_000_000)),
            ErrorClass::TooPopular,
        ),
        (
            Rule::always(totals(&popular), total(3)),
            ErrorClass::Truncated,
        ),
        (
            Rule::always(totals(&popular), total(80)),
            ErrorClass::Truncated,
        ),
    ] {
        let proxy = FaultProxy::over(&popular.server.url(), [rule.clone()]).unwrap();
        let error = fact(&source(&proxy.url()), &popular.all())
            .await
            .unwrap_err();
        assert_eq!(error.class, expected, "{rule:?}: {error}");
    }
}

#[tokio::test]
async fn a_history_that_is_cut_or_grows_once_is_read_anew() {
    let popular = Popular::start();
    for rule in [
        Rule::times(1, later_pages(), Fault::Body(b"[]".to_vec())),
        Rule::times(1, totals(&popular), total(78)),
        Rule::times(1, totals(&popular), total(80)).after(1),
    ] {
        let proxy = FaultProxy::over(&popular.server.url(), [rule]).unwrap();
        let received = fact(&source(&proxy.url()), &popular.all()).await;
        assert_eq!(received.unwrap(), popular.expected(0, 39));
        assert_eq!(proxy.faults(), 1);
    }
}

#[tokio::test]
async fn a_history_of_somebody_else_is_inconsistent() {
    let popular = Popular::start();
    let url = popular.server.url();
    let stranger = sha256::Hash::hash(ScriptBuf::new().as_bytes());
    let page = HttpRequest::get(&format!("/scripthash/{stranger}/txs/chain"));
    let page = page.send(url.strip_prefix("http://").unwrap()).unwrap();
    let mut rows: Vec<Value> = serde_json::from_slice(&page.body).unwrap();
    for row in &mut rows {
        // Outputs of others are spent by it, as far as it says.
        row["vin"][0]["prevout"] = json!({"scriptpubkey": "51", "value": 1_000});
    }
    let lie = Fault::Body(json!(rows).to_string().into_bytes());
    let rule = Rule::always(Target::Ending("/txs/chain".into()), lie);
    let proxy = FaultProxy::over(&url, [rule]).unwrap();
    let error = fact(&source(&proxy.url()), &popular.all())
        .await
        .unwrap_err();
    assert_eq!(error.class, ErrorClass::Inconsistent, "{error}");
}

#[tokio::test]
async fn scripts_without_a_history_are_left_to_other_sources() {
    let served = Served::start();
    let source = source(&served.server.url());
    // OP_RETURN, and OP_VERIF, with which no script succeeds.
    for script in ["6a0548656c6c6f", "65"] {
        let query = Query::Received {
            script: ScriptBuf::from_hex(script).unwrap(),
            since: 0,
            as_of: 1,
        };
        assert_eq!(
            class(&source, &query).await,
            ErrorClass::Unsupported,
            "{script}"
        );
    }
}

#[tokio::test]
async fn each_lie_gets_its_class() {
    let served = Served::start();
    let theft = served.ledger.theft();
    let other = served.ledger.spender(&OutPoint::new(theft, 0)).unwrap().0;
    for (fault, expected) in [
        (Fault::TruncateJson(100), ErrorClass::Malformed),
        (Fault::Truncate(100), ErrorClass::Unreachable),
        (Fault::WrongTx(other), ErrorClass::Inconsistent),
        (Fault::Html, ErrorClass::Malformed),
        (Fault::RedirectLoop, ErrorClass::Malformed),
        (Fault::Status(404), ErrorClass::NotFound),
        (Fault::Status(500), ErrorClass::Unreachable),
        (Fault::Drop, ErrorClass::Unreachable),
        (Fault::Body(b"[]".to_vec()), ErrorClass::Malformed),
        (Fault::Body(b"{}".to_vec()), ErrorClass::Malformed),
        (Fault::Body(b"".to_vec()), ErrorClass::Malformed),
        (
            Fault::Body("[".repeat(100_000).into_bytes()),
            ErrorClass::Malformed,
        ),
        (Fault::Body(vec![0xff; 1000]), ErrorClass::Malformed),
    ] {
        let (_proxy, source) = served.behind(fault.clone());
        let error = fact(&source, &transaction(theft)).await.unwrap_err();
        assert_eq!(error.class, expected, "{error}");
        assert!(
            error
                .to_string()
                .bytes()
                .all(|b| b.is_ascii_graphic() || b == b' '),
            "{error}"
        );
    }
}

#[tokio::test]
async fn too_long_an_answer_is_refused() {
    let served = Served::start();
    for announced in [true, false] {
        let mebibytes = 65;
        let (_proxy, source) = served.behind(Fault::OverLong {
            mebibytes,
            announced,
        });
        let error = fact(&source, &transaction(served.ledger.theft()))
            .await
            .unwrap_err();
        assert_eq!(error.class, ErrorClass::Malformed, "{error}");
        assert!(
            error.detail.contains("longer than 67108864 bytes"),
            "{error}"
        );
    }
}

/// A server that gives the true answer about the theft with something changed in it.
fn changed(served: &Served, change: impl Fn(&mut Value)) -> (FaultProxy, EsploraSource) {
    let path = format!("/tx/{}", served.ledger.theft());
    let url = served.server.url();
    let truth = HttpRequest::get(&path)
        .send(url.strip_prefix("http://").unwrap())
        .unwrap();
    let mut answer: Value = serde_json::from_slice(&truth.body).unwrap();
    change(&mut answer);
    let proxy = FaultProxy::over_answers(move |_| HttpReply::json(&answer), []).unwrap();
    let source = source(&proxy.url());
    (proxy, source)
}

#[tokio::test]
async fn what_a_server_does_not_tell_is_unknown_and_never_made_up() {
    let served = Served::start();
    let theft = served.ledger.theft();
    for status in [
        json!(null),
        json!({"confirmed": true}),
        json!({"confirmed": true, "block_height": 5}),
    ] {
        let (_proxy, source) = changed(&served, |answer| answer["status"] = status.clone());
        let told = statement(&source, theft).await;
        assert_eq!(told.placement, Placement::Unknown, "{status}");
    }
    let (_proxy, source) = changed(&served, |answer| {
        answer["status"] = json!({"confirmed": false})
    });
    assert_eq!(
        statement(&source, theft).await.placement,
        Placement::Unconfirmed
    );
    let (_proxy, source) = changed(&served, |answer| answer["vin"][0]["prevout"] = json!(null));
    let told = statement(&source, theft).await;
    assert_eq!((told.unknown_inputs(), &told.inputs[0].spent), (1, &None));
    let (_proxy, source) = changed(&served, |answer| {
        let members = answer.as_object_mut().unwrap();
        members.remove("status");
        members.insert("something_new".into(), json!([1, 2]));
    });
    assert_eq!(
        statement(&source, theft).await.placement,
        Placement::Unknown
    );
}

#[tokio::test]
async fn changed_content_does_not_pass_for_the_transaction() {
    let served = Served::start();
    let query = transaction(served.ledger.theft());
    let changes: [fn(&mut Value); 6] = [
        |answer| answer["vout"][0]["value"] = json!(1),
        |answer| answer["vout"][0]["scriptpubkey"] = json!("6a"),
        |answer| answer["locktime"] = json!(4_000_000_000_u32),
        |answer| answer["version"] = json!(-7),
        |answer| answer["vin"][0]["vout"] = json!(77),
        |answer| answer["vin"][0]["prevout"]["value"] = json!(0),
    ];
    for change in changes {
        let (_proxy, source) = changed(&served, change);
        assert_eq!(class(&source, &query).await, ErrorClass::Inconsistent);
    }
    let (_proxy, source) = changed(&served, |answer| answer["vout"][0]["value"] = json!(-1));
    assert_eq!(class(&source, &query).await, ErrorClass::Malformed);
    let (_proxy, source) = changed(&served, |answer| answer["version"] = json!(1_u64 << 40));
    assert_eq!(class(&source, &query).await, ErrorClass::Malformed);
}

#[tokio::test]
async fn too_few_rows_are_a_truncated_answer_and_not_unspent_outputs() {
    let served = Served::start();
    let query = served.spends_query(served.ledger.theft(), served.ledger.height());
    let rule = Rule::always(
        Target::Ending("/outspends".into()),
        Fault::Body(b"[]".to_vec()),
    );
    let proxy = FaultProxy::over(&served.server.url(), [rule]).unwrap();
    assert_eq!(
        class(&source(&proxy.url()), &query).await,
        ErrorClass::Truncated
    );
}

#[tokio::test]
async fn another_block_than_asked_for_is_inconsistent() {
    let served = Served::start();
    let block = &served.ledger.blocks()[3];
    let path = format!("/block/{}", block.block_hash());
    let truth = HttpRequest::get(&path);
    let truth = truth
        .send(served.server.url().strip_prefix("http://").unwrap())
        .unwrap();
    let truth: Value = serde_json::from_slice(&truth.body).unwrap();
    for (member, value) in [
        ("id", json!(served.ledger.blocks()[2].block_hash())),
        ("timestamp", json!(1)),
        ("height", json!(4)),
    ] {
        let mut lie = truth.clone();
        lie[member] = value;
        let fault = Fault::Body(lie.to_string().into_bytes());
        let rule = Rule::always(Target::Exactly(path.clone()), fault);
        let proxy = FaultProxy::over(&served.server.url(), [rule]).unwrap();
        let error = source(&proxy.url()).block_at(3).await.unwrap_err();
        assert_eq!(error.class, ErrorClass::Inconsistent, "{member}: {error}");
    }
}

#[tokio::test]
async fn a_second_server_answers_for_one_that_lies_and_the_liar_is_not_asked_again() {
    let served = Served::start();
    let theft = served.ledger.theft();
    let other = served.ledger.spender(&OutPoint::new(theft, 0)).unwrap().0;
    let (proxy, liar) = served.behind(Fault::WrongTx(other));
    let honest = source(&served.server.url());
    let both = Failover::new(Arc::new(liar), vec![Arc::new(honest)]);
    let expected = served.ledger.statement(&theft).unwrap();
    assert_eq!(statement(&both, theft).await, expected);
    assert_eq!(statement(&both, theft).await, expected);
    assert_eq!(proxy.faults(), 1);
    let activity = both.activity();
    assert_eq!(activity.len(), 2);
    assert_eq!((activity[0].requests, activity[1].requests), (1, 2));
}

#[tokio::test]
async fn a_server_of_another_chain_is_not_believed() {
    let Some(bitcoind) = require_bitcoind() else {
        return;
    };
    let mut regtest = Regtest::start(&bitcoind, Indexes::NONE).unwrap();
    regtest.mine();
    let server = EsploraServer::over_node(regtest.node(), EsploraOptions::default()).unwrap();
    let mainnet = source_of(Chain::bitcoin(), &server.url());
    let error = mainnet.tip().await.unwrap_err();
    assert_eq!(error.class, ErrorClass::Inconsistent);
    assert!(error.detail.contains("regtest"), "{error}");
    assert_eq!(
        source(&server.url()).tip().await.unwrap().height,
        regtest.height()
    );
}

#[tokio::test]
async fn a_node_and_an_esplora_server_over_it_tell_the_same_facts() {
    let Some(bitcoind) = require_bitcoind() else {
        return;
    };
    let mut regtest = Regtest::start(&bitcoind, Indexes::ALL).unwrap();
    let scenario = regtest.scenario();
    regtest.node().wait_for_indexes().unwrap();
    let server = EsploraServer::over_node(regtest.node(), EsploraOptions::default()).unwrap();
    let esplora = source(&server.url());
    let core = core_source(&regtest);
    assert_eq!(esplora.tip().await.unwrap(), core.tip().await.unwrap());
    let told = [
        scenario.theft,
        scenario.split,
        scenario.merge,
        scenario.consolidation,
        scenario.burn,
        scenario.parent,
        scenario.child,
        scenario.replacement,
        scenario.coinbase.txid,
        scenario.coinbase_merge,
        scenario.dust,
        scenario.unconfirmed,
    ];
    for txid in told.into_iter().chain(scenario.peels) {
        let expected = statement(&core, txid).await;
        assert_eq!(statement(&esplora, txid).await, expected);
        for (vout, output) in (0..).zip(expected.outputs) {
            for as_of in [scenario.height, scenario.height - 5] {
                let spends = Query::Spends {
                    txid,
                    height: None,
                    outputs: vec![(vout, output.script.clone())],
                    as_of,
                };
                assert_eq!(fact(&esplora, &spends).await, fact(&core, &spends).await);
            }
            let received = Query::Received {
                script: output.script.clone(),
                since: 0,
                as_of: scenario.height,
            };
            if !output.script.is_op_return() {
                let expected = fact(&core, &received).await.unwrap();
                assert_eq!(fact(&esplora, &received).await.unwrap(), expected);
            }
        }
    }
    let gone = class(&esplora, &transaction(scenario.replaced)).await;
    assert_eq!(gone, ErrorClass::NotFound);
}

fn core_source(regtest: &Regtest) -> CoreSource {
    let node = regtest.node();
    let options = HttpOptions {
        credentials: Credentials::from_cookie(node.credentials()),
        ..HttpOptions::default()
    };
    let wire = HttpWire::new(&node.url().parse().unwrap(), options, &Paces::default()).unwrap();
    CoreSource::new(chain(), Arc::new(wire))
}
