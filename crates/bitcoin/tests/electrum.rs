//! A real electrs behind a proxy that lies, stalls and cuts, as strangers' servers may.

#![expect(
    clippy::unwrap_used,
    reason = "where a server cannot be asked the test has failed"
)]

mod electrum_proxy;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use bitcoin::{Network, Txid};
use electrum_proxy::{Act, Proxy, Socks};
use hansel_bitcoin::{ElectrumLimits, ElectrumSource, ElectrumWire};
use hansel_ledger::{Chain, ChainSource, ErrorClass, Fact, Family, Placement, Query, SourceError};
use hansel_testkit::{Electrs, Indexes, Regtest, Scenario, require_bitcoind, require_electrs};
use hansel_wire::{Request, Wire};
use serde_json::{Value, json};

struct Server {
    electrs: Electrs,
    regtest: Regtest,
    scenario: Scenario,
}

impl Server {
    fn start() -> Option<Self> {
        let (bitcoind, electrs) = (require_bitcoind()?, require_electrs()?);
        let mut regtest = Regtest::start(&bitcoind, Indexes::ALL).unwrap();
        let scenario = regtest.scenario();
        let electrs = Electrs::start(&electrs, regtest.node()).unwrap();
        Some(Self {
            electrs,
            regtest,
            scenario,
        })
    }

    fn child(&self) -> Query {
        transaction(self.scenario.child)
    }

    fn theft_spends(&self) -> Query {
        let outputs = &self.regtest.transaction(&self.scenario.theft).output;
        let scripts = outputs.iter().map(|output| output.script_pubkey.clone());
        Query::Spends {
            txid: self.scenario.theft,
            height: None,
            outputs: (0..).zip(scripts).collect(),
            as_of: self.scenario.height,
        }
    }
}

fn transaction(txid: Txid) -> Query {
    Query::Transaction { txid, height: None }
}

fn chain() -> Chain {
    Chain::new("bitcoin-regtest", Family::Bitcoin(Network::Regtest)).unwrap()
}

fn limits() -> ElectrumLimits {
    ElectrumLimits {
        back_off: Duration::from_millis(10),
        retries: 2,
        ..ElectrumLimits::default()
    }
}

fn source_at(port: u16, limits: ElectrumLimits) -> (ElectrumSource, Arc<ElectrumWire>) {
    let wire = Arc::new(ElectrumWire::new("127.0.0.1", port, false, None, limits));
    (ElectrumSource::new(chain(), wire.clone()), wire)
}

/// Asks through a proxy that does to the answers of `method` what it likes.
async fn tampered(
    server: &Server,
    query: &Query,
    method: &'static str,
    tamper: impl Fn(&Value) -> Act + Send + Sync + 'static,
) -> Result<Fact, SourceError> {
    let act = move |request: &Value, answer: &Value| match request["method"] == method {
        true => tamper(answer),
        false => Act::Pass,
    };
    let proxy = Proxy::start(server.electrs.port(), 1, act).await;
    let limits = ElectrumLimits {
        answer_timeout: Duration::from_millis(400),
        ..limits()
    };
    let (source, _) = source_at(proxy.port, limits);
    source.answer(query).await.map(|answer| answer.fact)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn lies_are_told_from_answers() {
    let Some(server) = Server::start() else {
        return;
    };
    let child = server.child();
    let class = |outcome: Result<Fact, SourceError>| outcome.unwrap_err().class;
    let honest = tampered(&server, &child, "", |_| Act::Pass).await.unwrap();
    let Fact::Transaction(honest) = honest else {
        panic!("a transaction was asked for")
    };
    assert!(matches!(honest.placement, Placement::Confirmed(_)));
    assert_eq!(honest.unknown_inputs(), 0);

    let branch = "blockchain.transaction.get_merkle";
    let wrong_branch = |answer: &Value| {
        let mut answer = answer.clone();
        answer["result"]["merkle"][0] = json!("11".repeat(32));
        Act::Say(answer.to_string())
    };
    let outcome = tampered(&server, &child, branch, wrong_branch).await;
    assert_eq!(class(outcome), ErrorClass::Inconsistent);
    let wrong_position = |answer: &Value| {
        let mut answer = answer.clone();
        answer["result"]["pos"] = json!(0);
        Act::Say(answer.to_string())
    };
    let outcome = tampered(&server, &child, branch, wrong_position).await;
    assert_eq!(class(outcome), ErrorClass::Inconsistent);

    let raw = "blockchain.transaction.get";
    let other = serde_json::to_value(bitcoin::consensus::encode::serialize_hex(
        server.regtest.transaction(&server.scenario.parent),
    ));
    let other = other.unwrap();
    let wrong_bytes = move |answer: &Value| {
        let mut answer = answer.clone();
        answer["result"] = other.clone();
        Act::Say(answer.to_string())
    };
    let outcome = tampered(&server, &child, raw, wrong_bytes).await;
    assert_eq!(class(outcome), ErrorClass::Inconsistent);

    let wrong_header = |answer: &Value| {
        let mut answer = answer.clone();
        let hex = answer["result"].as_str().unwrap().replace("0000", "0001");
        answer["result"] = json!(hex);
        Act::Say(answer.to_string())
    };
    let header = "blockchain.block.header";
    let outcome = tampered(&server, &child, header, wrong_header).await;
    assert_eq!(class(outcome), ErrorClass::Inconsistent);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn refusals_and_nonsense_have_their_classes() {
    let Some(server) = Server::start() else {
        return;
    };
    let class = |outcome: Result<Fact, SourceError>| outcome.unwrap_err().class;
    let error = |code: i64, message: &'static str| {
        move |answer: &Value| {
            let error = json!({"code": code, "message": message});
            Act::Say(json!({"id": answer["id"], "error": error}).to_string())
        }
    };
    let history = "blockchain.scripthash.get_history";
    let spends = server.theft_spends();
    let outcome = tampered(&server, &spends, history, error(1, "history too large")).await;
    assert_eq!(class(outcome), ErrorClass::TooPopular);
    let outcome = tampered(&server, &spends, history, error(-102, "server busy")).await;
    assert_eq!(class(outcome), ErrorClass::RateLimited);

    let child = server.child();
    let raw = "blockchain.transaction.get";
    for nonsense in ["<html>502</html>", "[1,2", "{\"id\":true}"] {
        let outcome = tampered(&server, &child, raw, |_| Act::Say(nonsense.to_owned())).await;
        assert_eq!(class(outcome), ErrorClass::Malformed, "{nonsense}");
    }
    for result in [json!(5), json!("zz"), json!("00"), json!(null)] {
        let say = move |answer: &Value| {
            Act::Say(json!({"id": answer["id"], "result": result}).to_string())
        };
        let outcome = tampered(&server, &child, raw, say).await;
        assert_eq!(class(outcome), ErrorClass::Malformed);
    }
    let outcome = tampered(&server, &child, raw, |_| Act::Nothing).await;
    assert_eq!(class(outcome), ErrorClass::Unreachable);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lost_connection_is_made_again_and_counted() {
    let Some(server) = Server::start() else {
        return;
    };
    let answers = AtomicU64::new(0);
    let cut_the_fifth = move |_: &Value, _: &Value| {
        if answers.fetch_add(1, Ordering::Relaxed) == 5 {
            return Act::Cut;
        }
        Act::Pass
    };
    let proxy = Proxy::start(server.electrs.port(), 1, cut_the_fifth).await;
    let (source, wire) = source_at(proxy.port, limits());
    let answer = source.answer(&server.theft_spends()).await;
    assert!(answer.is_ok(), "{answer:?}");
    let activity = wire.activity();
    assert!(activity.retries >= 1 && activity.failures.is_empty());
    assert_eq!(activity.requests, activity.answered + activity.retries);
    assert!(activity.bytes > 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn answers_in_another_order_reach_those_who_asked() {
    let Some(server) = Server::start() else {
        return;
    };
    let proxy = Proxy::start(server.electrs.port(), 5, |_, _| Act::Pass).await;
    let (_, wire) = source_at(proxy.port, limits());
    let request = |height: u64| Request::call("blockchain.block.header", &json!([height]));
    let requests: Vec<Request> = (1..=5).map(request).collect();
    let sent = requests.iter().map(|request| wire.send(request));
    let bodies = futures::future::join_all(sent).await;
    let (_, direct) = source_at(server.electrs.port(), limits());
    for (request, body) in requests.iter().zip(bodies) {
        assert_eq!(body.unwrap(), direct.send(request).await.unwrap());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_answer_longer_than_allowed_is_not_read_to_its_end() {
    let Some(server) = Server::start() else {
        return;
    };
    let limits = ElectrumLimits {
        longest_answer: 400,
        ..limits()
    };
    let (source, wire) = source_at(server.electrs.port(), limits);
    let error = source.answer(&server.child()).await.unwrap_err();
    assert_eq!(error.class, ErrorClass::Malformed, "{error}");
    assert_eq!(wire.activity().failures, [("malformed".to_owned(), 1)]);
    assert!(
        source.tip().await.is_ok(),
        "the next question gets an answer"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_proxy_is_used_and_its_password_never_told() {
    let Some(server) = Server::start() else {
        return;
    };
    let socks = Socks::start("finder", "hunter2").await;
    let wire = |password: &str| {
        let proxy = format!("socks5h://finder:{password}@127.0.0.1:{}", socks.port);
        let proxy = Some(proxy.parse().unwrap());
        ElectrumWire::new("127.0.0.1", server.electrs.port(), false, proxy, limits())
    };
    let through = Arc::new(wire("hunter2"));
    let source = ElectrumSource::new(chain(), through.clone());
    assert!(source.tip().await.is_ok());
    assert_eq!(socks.connections.load(Ordering::Relaxed), 1);
    let refused = wire("opensesame");
    let error = refused
        .send(&Request::call("server.ping", &json!([])))
        .await;
    let error = error.unwrap_err();
    assert_eq!(error.class, ErrorClass::Unreachable);
    let words = format!("{error} {error:?} {refused:?}");
    assert!(
        !words.contains("opensesame") && !words.contains("finder"),
        "{words}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn wrong_servers_are_refused_and_abilities_are_told() {
    let Some(server) = Server::start() else {
        return;
    };
    let port = server.electrs.port();
    let wire = || Arc::new(ElectrumWire::new("127.0.0.1", port, false, None, limits()));
    let other = ElectrumSource::new(Chain::bitcoin(), wire());
    let error = other.tip().await.unwrap_err();
    assert_eq!(error.class, ErrorClass::Inconsistent, "{error}");
    // A server that speaks something else than TLS, and at once.
    let node = server.regtest.node().rpc_port();
    let node = ElectrumWire::new("127.0.0.1", node, true, None, limits());
    let plain = ElectrumSource::new(chain(), Arc::new(node));
    let error = plain.tip().await.unwrap_err();
    assert_eq!(error.class, ErrorClass::Unreachable, "{error}");
    assert!(error.detail.starts_with("TLS"), "{error}");
    let path = wire().send(&Request::get("/tx")).await.unwrap_err();
    assert_eq!(path.class, ErrorClass::Unsupported);
    let abilities = ElectrumSource::new(chain(), wire()).capabilities().await;
    let software = &abilities.unwrap()[0];
    assert_eq!(software.0, "software");
    assert!(software.1.starts_with("electrs"), "{software:?}");
}
