//! Calls over real sockets: of a server that answers whatever it is told to, and of a real anvil.

#![expect(
    clippy::unwrap_used,
    reason = "where a server cannot be asked the test has failed"
)]

#[path = "../../bitcoin/tests/hostile/mod.rs"]
#[expect(dead_code, reason = "the tests of Bitcoin's endpoints use the rest")]
mod hostile;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use hansel_ethereum::EthereumProtocols;
use hansel_ethereum::decode;
use hansel_ethereum::rpc::{Ask, RpcFailure, RpcKind};
use hansel_ethereum::wire::{SocketPlace, SocketWire};
use hansel_ledger::ErrorClass;
use hansel_testkit::{Anvil, AnvilOptions, require_anvil};
use hansel_wire::{EndpointSpec, Limits, OpenOptions, Paces, Protocols, Wire};
use hostile::{Hostile, reply};
use serde_json::{Value, json};

fn quick() -> Limits {
    Limits {
        retries: 2,
        back_off: Duration::from_millis(5),
        timeout: Duration::from_secs(10),
        longest_body: 1 << 20,
        ..Limits::default()
    }
}

fn wire_to(url: &str) -> Arc<dyn Wire> {
    let spec: EndpointSpec = format!("rpc={url}").parse().unwrap();
    let options = OpenOptions {
        limits: quick(),
        ..OpenOptions::default()
    };
    EthereumProtocols
        .wire(&spec, &options, &Paces::default())
        .unwrap()
}

fn keyed(server: &Hostile) -> Arc<dyn Wire> {
    wire_to(&format!("http://127.0.0.1:{}/v2/hunter2-key", server.port))
}

async fn failure(answer: Vec<u8>) -> (RpcKind, ErrorClass, String) {
    let server = Hostile::saying(answer).await;
    let ask = Ask::new(keyed(&server));
    let heard = ask.try_call("eth_getLogs", &json!([])).await;
    let failed = match heard {
        Ok(heard) => RpcFailure::from(ask.read(&heard, decode::logs).unwrap_err()),
        Err(failed) => failed,
    };
    (failed.kind, failed.error.class, failed.error.to_string())
}

#[tokio::test]
async fn every_bad_answer_is_a_typed_failure_without_the_key() {
    let ok = |body: &str| reply("200 OK", "", body);
    let cases = [
        (ok(r#"{"id":1,"result":"0x"#), ErrorClass::Malformed),
        (
            ok("<html>/v2/hunter2-key is blocked</html>"),
            ErrorClass::Malformed,
        ),
        (ok(r#"{"id":7,"result":"0x1"}"#), ErrorClass::Malformed),
        (ok(r#"{"id":1,"result":null}"#), ErrorClass::Malformed),
        (ok(r#"{"id":1,"result":{}}"#), ErrorClass::Malformed),
        (ok("[]"), ErrorClass::Malformed),
        (
            reply("404 Not Found", "", "Cannot POST /v2/hunter2-key"),
            ErrorClass::Unsupported,
        ),
        (
            ok(r#"{"id":1,"error":{"code":-32000,"message":"no key hunter2-key"}}"#),
            ErrorClass::Unsupported,
        ),
        (
            ok(r#"{"id":1,"error":{"code":429,"message":"hunter2-key: slow down"}}"#),
            ErrorClass::RateLimited,
        ),
        (
            reply("503 Busy", "", "hunter2-key"),
            ErrorClass::Unreachable,
        ),
        (
            b"HTTP/1.1 200 OK\r\nContent-Length: 4294967296\r\n\r\n{".to_vec(),
            ErrorClass::Malformed,
        ),
        (
            b"HTTP/1.1 200 OK\r\nContent-Length: 60\r\n\r\n{\"id\":1".to_vec(),
            ErrorClass::Unreachable,
        ),
        (
            ok(&format!(r#"{{"id":1,"result":"{}"}}"#, "0".repeat(2 << 20))),
            ErrorClass::Malformed,
        ),
    ];
    for (answer, class) in cases {
        let start = String::from_utf8_lossy(&answer[..answer.len().min(120)]).into_owned();
        let (_, told, text) = failure(answer).await;
        assert_eq!(told, class, "{start}: {text}");
        assert!(!text.contains("hunter2"), "{text}");
    }
}

#[tokio::test]
async fn a_packed_answer_is_cut_at_the_bound_of_what_it_unpacks_to() {
    use std::io::Write;
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    packed
        .write_all(br#"{"jsonrpc":"2.0","id":1,"result":""#)
        .unwrap();
    for _ in 0..512 {
        packed.write_all(&[b'0'; 64 << 10]).unwrap();
    }
    let body = packed.finish().unwrap();
    let head = format!(
        "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    let (kind, class, text) = failure([head.into_bytes(), body].concat()).await;
    assert_eq!((kind, class), (RpcKind::Malformed, ErrorClass::Malformed));
    assert!(text.contains("longer than"), "{text}");
}

#[tokio::test]
async fn a_storm_of_refusals_is_waited_out_as_the_endpoint_asks() {
    let server = Hostile::start(|n, _| async move {
        if n < 2 {
            reply("429 Too Many Requests", "Retry-After: 1\r\n", "")
        } else {
            reply("200 OK", "", r#"{"jsonrpc":"2.0","id":1,"result":"0x7"}"#)
        }
    })
    .await;
    let ask = Ask::new(keyed(&server));
    let started = std::time::Instant::now();
    let told = ask.call("eth_chainId", &json!([])).await.unwrap();
    assert_eq!(told.json(), br#""0x7""#);
    assert!(started.elapsed() >= Duration::from_secs(2));
    assert_eq!(server.requests().len(), 3);
}

#[tokio::test]
async fn what_a_batch_leaves_open_is_asked_again_by_itself() {
    let server = Hostile::start(|n, _| async move {
        let body = if n == 0 {
            r#"[{"id":3,"result":"c"},{"id":1,"result":"a"},{"id":9,"result":"z"},
                {"id":4,"result":"d"},{"id":4,"result":"e"}]"#
        } else {
            r#"{"jsonrpc":"2.0","id":1,"result":"again"}"#
        };
        reply("200 OK", "", body)
    })
    .await;
    let ask = Ask::new(keyed(&server));
    let told = ask.batch((0..4).map(|n| ("eth_call", json!([n])))).await;
    let told: Vec<Value> = told
        .into_iter()
        .map(|heard| serde_json::from_slice(heard.unwrap().json()).unwrap())
        .collect();
    assert_eq!(told, ["a", "again", "c", "again"]);
    assert_eq!(server.requests().len(), 3);
}

#[tokio::test]
async fn an_endpoint_that_refuses_batches_is_asked_one_by_one() {
    let server = Hostile::start(|n, _| async move {
        let body = if n < 3 {
            r#"{"id":null,"error":{"code":-32600,"message":"batch not allowed"}}"#
        } else {
            r#"{"jsonrpc":"2.0","id":1,"result":"0x1"}"#
        };
        reply("200 OK", "", body)
    })
    .await;
    let ask = Ask::new(keyed(&server));
    let told = ask.batch((0..4).map(|n| ("eth_call", json!([n])))).await;
    assert_eq!(told.iter().filter(|told| told.is_ok()).count(), 4);
}

fn anvil() -> Option<Anvil> {
    let path = require_anvil()?;
    let options = AnvilOptions {
        ipc: true,
        ..AnvilOptions::default()
    };
    Some(Anvil::start(&path, &options).unwrap())
}

/// The same questions over any protocol: a number, an error, nothing, and many at once.
async fn converse(wire: Arc<dyn Wire>) {
    let ask = Ask::new(Arc::clone(&wire));
    let told = ask.call("eth_chainId", &json!([])).await.unwrap();
    assert_eq!(told.json(), br#""0x7a69""#);
    let Err(lacking) = ask.try_call("trace_nothing", &json!([])).await else {
        panic!("there is no such method");
    };
    assert_eq!(lacking.kind, RpcKind::Unsupported);
    let block = json!(["0xffffff", false]);
    let nothing = ask.call("eth_getBlockByNumber", &block).await.unwrap();
    assert_eq!(nothing.json(), b"null");
    let told = ask
        .batch((0..120).map(|_| ("eth_blockNumber", json!([]))))
        .await;
    let zero = |heard: &Result<hansel_ethereum::rpc::Heard, RpcFailure>| {
        heard
            .as_ref()
            .is_ok_and(|heard| heard.json() == br#""0x0""#)
    };
    assert!(told.iter().all(zero));
    assert!(wire.activity().answered >= 123);
}

#[tokio::test]
async fn a_real_node_is_asked_over_http_websocket_and_local_socket_alike() {
    let Some(node) = tokio::task::spawn_blocking(anvil).await.unwrap() else {
        return;
    };
    converse(wire_to(&node.url())).await;
    converse(wire_to(&node.websocket_url())).await;
    let ipc = format!("ipc://{}", node.ipc_path().display());
    converse(wire_to(&ipc)).await;
}

#[tokio::test]
async fn a_socket_that_is_not_there_is_unreachable_and_named_without_its_path() {
    let places = [
        SocketPlace::WebSocket("ws://127.0.0.1:9/hunter2".parse().unwrap()),
        SocketPlace::Ipc(PathBuf::from("/nonexistent/hunter2/node.ipc")),
    ];
    for place in places {
        let wire = Arc::new(SocketWire::new(place, quick()));
        let ask = Ask::new(Arc::clone(&wire) as Arc<dyn Wire>);
        let Err(failed) = ask.call("eth_chainId", &json!([])).await else {
            panic!("nothing is there");
        };
        assert_eq!(failed.class, ErrorClass::Unreachable);
        assert!(!failed.to_string().contains("hunter2"), "{failed}");
        assert_eq!(wire.activity().retries, 2);
    }
}

#[tokio::test]
async fn a_websocket_is_never_asked_past_a_proxy() {
    let spec: EndpointSpec = "ws://one.example/hunter2".parse().unwrap();
    let options = OpenOptions {
        proxy: Some("socks5h://127.0.0.1:9050".parse().unwrap()),
        ..OpenOptions::default()
    };
    let refused = EthereumProtocols.wire(&spec, &options, &Paces::default());
    let refused = refused.err().unwrap().to_string();
    assert!(refused.contains("proxy") && !refused.contains("hunter2"));
}
