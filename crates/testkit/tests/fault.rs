//! The fault proxy does what its rules say, and nothing else.
#![expect(clippy::unwrap_used, reason = "the helpers of tests fail like tests")]

use std::io;
use std::time::{Duration, Instant};

use bitcoin::consensus::encode::deserialize;
use bitcoin::{Network, OutPoint, Transaction, Txid};
use hansel_testkit::{
    EsploraOptions, EsploraServer, Fault, FaultProxy, HttpReply, HttpRequest, Indexes, Ledger, Pay,
    Payee, Regtest, RpcClient, Rule, Shape, Target, require_bitcoind,
};
use serde_json::{Value, json};

fn get(proxy: &FaultProxy, path: &str) -> io::Result<HttpReply> {
    HttpRequest::get(path).send(proxy.url().strip_prefix("http://").unwrap())
}

fn echo(rules: impl Into<Vec<Rule>>) -> FaultProxy {
    FaultProxy::over_answers(
        |request| HttpReply::json(&json!({"path": request.path})),
        rules,
    )
    .unwrap()
}

#[test]
fn a_rule_befalls_its_requests_as_often_as_it_says() {
    let target = || Target::Ending("/b".into());
    let proxy = echo([Rule::times(2, target(), Fault::Status(503)).after(1)]);
    let statuses: Vec<u16> = ["/b", "/a", "/b", "/b", "/b"]
        .map(|path| get(&proxy, path).unwrap().status)
        .into();
    assert_eq!(statuses, [200, 200, 503, 503, 200]);
    assert_eq!((proxy.requests().len(), proxy.faults()), (5, 2));
    proxy.add(Rule::always(Target::Exactly("/c".into()), Fault::Html));
    assert!(get(&proxy, "/c").unwrap().body.starts_with(b"<!DOCTYPE"));
    assert_eq!(
        get(&proxy, "/c/d").unwrap().content_type,
        "application/json"
    );
    proxy.heal();
    assert_eq!(get(&proxy, "/c").unwrap().content_type, "application/json");
}

#[test]
fn cut_and_dropped_answers_are_seen_as_such() {
    let rules = [
        Rule::always(Target::Exactly("/cut".into()), Fault::Truncate(5)),
        Rule::always(Target::Exactly("/half".into()), Fault::TruncateJson(5)),
        Rule::always(Target::Exactly("/drop".into()), Fault::Drop),
    ];
    let proxy = echo(rules);
    let kind = |path| get(&proxy, path).unwrap_err().kind();
    assert_eq!(kind("/cut"), io::ErrorKind::UnexpectedEof);
    assert_eq!(kind("/drop"), io::ErrorKind::UnexpectedEof);
    assert_eq!(get(&proxy, "/half").unwrap().body, b"{\"pat");
}

#[test]
fn long_answers_are_long_with_and_without_notice() {
    for announced in [true, false] {
        let fault = Fault::OverLong {
            mebibytes: 3,
            announced,
        };
        let proxy = echo([Rule::always(Target::Any, fault)]);
        let body = get(&proxy, "/x").unwrap().body;
        assert!(body.len() > 3 << 20);
        let value: Value = serde_json::from_slice(&body).unwrap();
        assert_eq!(value["path"], "/x");
    }
}

#[test]
fn redirections_waits_and_delays_are_sent_as_headers_and_time() {
    let rules = [
        Rule::always(Target::Exactly("/r".into()), Fault::RedirectLoop),
        Rule::always(
            Target::Exactly("/w".into()),
            Fault::TooManyRequests { retry_after: 7 },
        ),
        Rule::always(
            Target::Exactly("/d".into()),
            Fault::Delay(Duration::from_millis(200)),
        ),
    ];
    let proxy = echo(rules);
    assert_eq!(get(&proxy, "/r").unwrap().status, 302);
    assert_eq!(get(&proxy, "/w").unwrap().status, 429);
    assert!(raw(&proxy, "/r").contains("Location: /r\r\n"));
    assert!(raw(&proxy, "/w").contains("Retry-After: 7\r\n"));
    let start = Instant::now();
    assert_eq!(get(&proxy, "/d").unwrap().status, 200);
    assert!(start.elapsed() >= Duration::from_millis(200));
}

fn raw(proxy: &FaultProxy, path: &str) -> String {
    use std::io::{Read, Write};
    let mut stream =
        std::net::TcpStream::connect(proxy.url().strip_prefix("http://").unwrap()).unwrap();
    stream
        .write_all(format!("GET {path} HTTP/1.1\r\n\r\n").as_bytes())
        .unwrap();
    let mut text = String::new();
    stream.read_to_string(&mut text).unwrap();
    text
}

#[test]
fn another_transaction_comes_under_the_asked_id() {
    let ledger = Ledger::random(1, 50, &Shape::default());
    let txids: Vec<Txid> = ledger
        .statements()
        .map(|statement| statement.txid)
        .collect();
    let (asked, other) = (txids[txids.len() - 1], txids[txids.len() - 2]);
    let server =
        EsploraServer::over_chain(ledger.chain(Network::Regtest), EsploraOptions::default())
            .unwrap();
    let rules = [Rule::always(
        Target::Containing(asked.to_string()),
        Fault::WrongTx(other),
    )];
    let proxy = FaultProxy::over(&format!("{}/api/", server.url()), rules).unwrap();
    let bytes = get(&proxy, &format!("/tx/{asked}/raw")).unwrap().body;
    assert_eq!(
        deserialize::<Transaction>(&bytes).unwrap().compute_txid(),
        other
    );
    let told = get(&proxy, &format!("/tx/{asked}")).unwrap().body;
    let true_of_other = get(&proxy, &format!("/tx/{other}")).unwrap().body;
    let [told, truth] =
        [told, true_of_other].map(|body| serde_json::from_slice::<Value>(&body).unwrap());
    assert_eq!(told["txid"], json!(asked));
    assert_eq!(told["vout"], truth["vout"]);
}

#[test]
fn false_spends_name_a_confirmed_transaction_in_esplora_and_core() {
    let Some(bitcoind) = require_bitcoind() else {
        return;
    };
    let mut regtest = Regtest::start(&bitcoind, Indexes::ALL).unwrap();
    let coinbases = regtest.fund(Payee::Segwit(1), 2);
    let paid = regtest.pay(&coinbases[..1], &[Pay::rest(Payee::Segwit(2))], 0);
    regtest.mine();
    regtest.node().wait_for_indexes().unwrap();
    let rules = || {
        [Rule::always(
            Target::Containing("spend".into()),
            Fault::FalseSpend(paid),
        )]
    };
    let server = EsploraServer::over_node(regtest.node(), EsploraOptions::default()).unwrap();
    let proxy = FaultProxy::over(&server.url(), rules()).unwrap();
    let body = get(&proxy, &format!("/tx/{}/outspends", coinbases[1].txid))
        .unwrap()
        .body;
    let spends: Value = serde_json::from_slice(&body).unwrap();
    assert_eq!(
        (&spends[0]["txid"], &spends[0]["status"]["confirmed"]),
        (&json!(paid), &json!(true))
    );

    let proxy = FaultProxy::over(&regtest.node().url_with_credentials(), rules()).unwrap();
    let port = proxy.url().rsplit(':').next().unwrap().parse().unwrap();
    let client = RpcClient::new(port, regtest.node().credentials());
    let OutPoint { txid, vout } = coinbases[1];
    let asked = json!([[{"txid": txid, "vout": vout}], {"return_spending_tx": true}]);
    let answer = client.call("gettxspendingprevout", &asked).unwrap();
    assert_eq!(answer[0]["spendingtxid"], json!(paid));
    assert_eq!(answer[0]["blockhash"], json!(regtest.tip()));
}
