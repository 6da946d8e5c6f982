//! The proxy does to a real node's answers what a test tells it, and nothing else.
#![expect(clippy::unwrap_used, reason = "the helpers of tests fail like tests")]

use std::io::{Read, Write};
use std::net::TcpStream;
use std::thread;
use std::time::{Duration, Instant};

use alloy_primitives::{Address, B256, U256};
use hansel_testkit::{
    Anvil, AnvilOptions, EvmContract, EvmRpc, HttpRequest, RpcFault, RpcProxy, RpcRule, evm_call,
    require_anvil,
};
use serde_json::{Value, json};

const PAYEE: Address = Address::repeat_byte(0xb0);

/// A node with a token and five transfers of it, each in a block of its own, from block 2 on.
struct Tokens {
    node: Anvil,
    token: Address,
    transfers: Vec<B256>,
}

impl Tokens {
    fn start() -> Option<Self> {
        let node = Anvil::start(&require_anvil()?, &AnvilOptions::default()).unwrap();
        let rpc = node.rpc();
        let from = rpc.accounts().unwrap()[0];
        let mined = |transaction: Value| {
            let hash = rpc.send(transaction).unwrap();
            rpc.mine().unwrap();
            hash
        };
        let code = EvmContract::named("Token").with((U256::from(1_000),));
        let created = mined(json!({"from": from, "data": code, "gas": "0x2dc6c0"}));
        let token = rpc.receipt(created).unwrap().created.unwrap();
        let data = evm_call("transfer(address,uint256)", (PAYEE, U256::from(7)));
        let transfer = json!({"from": from, "to": token, "data": data, "gas": "0x186a0"});
        let transfers = (0..5).map(|_| mined(transfer.clone())).collect();
        Some(Self {
            node,
            token,
            transfers,
        })
    }

    fn proxy(&self, rules: impl Into<Vec<RpcRule>>) -> (RpcProxy, EvmRpc) {
        let proxy = RpcProxy::over(&self.node.url(), rules).unwrap();
        let port = proxy.url().rsplit_once(':').unwrap().1.parse().unwrap();
        (proxy, EvmRpc::new(port))
    }

    fn logs(&self, rpc: &EvmRpc) -> Result<Vec<Value>, String> {
        let filter = json!([{"address": self.token, "fromBlock": "0x2", "toBlock": "0x6"}]);
        let logs = rpc.call("eth_getLogs", filter);
        logs.map(|logs| logs.as_array().unwrap().clone())
            .map_err(|error| error.to_string())
    }
}

#[test]
fn an_honest_proxy_changes_nothing_and_counts() {
    let Some(tokens) = Tokens::start() else {
        return;
    };
    let (proxy, rpc) = tokens.proxy([]);
    assert_eq!(
        tokens.logs(&rpc).unwrap(),
        tokens.logs(tokens.node.rpc()).unwrap()
    );
    let calls = (0..5).map(|_| ("eth_blockNumber", json!([])));
    assert_eq!(
        rpc.batch(calls.collect()).unwrap(),
        [
            json!("0x6"),
            json!("0x6"),
            json!("0x6"),
            json!("0x6"),
            json!("0x6")
        ]
    );
    assert!(
        rpc.call("no_such_method", json!([]))
            .unwrap_err()
            .to_string()
            .contains("-32601")
    );
    assert_eq!(
        (proxy.requests(), proxy.calls().len(), proxy.largest_batch()),
        (3, 7, 5)
    );
    assert_eq!(proxy.methods()["eth_blockNumber"], 5);
    assert_eq!(proxy.count("eth_"), 6);
    proxy.reset_counts();
    assert_eq!(
        (proxy.requests(), proxy.calls().len(), proxy.largest_batch()),
        (0, 0, 0)
    );
}

#[test]
fn a_refused_member_does_not_spoil_its_array() {
    let Some(tokens) = Tokens::start() else {
        return;
    };
    let refuse = RpcRule::always("debug_", RpcFault::unknown_method());
    let (proxy, _) = tokens.proxy([refuse]);
    let member = |id: Value, method: &str| json!({"jsonrpc": "2.0", "id": id, "method": method, "params": []});
    // Two of them have the same id, which the proxy must not mix up.
    let batch = json!([
        member(json!("a"), "eth_blockNumber"),
        member(json!("b"), "debug_x"),
        member(json!("a"), "eth_chainId")
    ]);
    let request = HttpRequest::post("/", batch.to_string().into_bytes());
    let reply = request
        .send(proxy.url().strip_prefix("http://").unwrap())
        .unwrap();
    let answers: Value = serde_json::from_slice(&reply.body).unwrap();
    assert_eq!(answers[0]["result"], "0x6");
    assert_eq!(
        (&answers[1]["id"], &answers[1]["error"]["code"]),
        (&json!("b"), &json!(-32_601))
    );
    assert_eq!(
        (&answers[2]["id"], &answers[2]["result"]),
        (&json!("a"), &json!("0x7a69"))
    );
}

#[test]
fn state_before_the_pruned_height_is_gone_and_later_state_is_not() {
    let Some(tokens) = Tokens::start() else {
        return;
    };
    let (_proxy, rpc) = tokens.proxy([RpcRule::always("", RpcFault::Pruned { before: 4 })]);
    let refusals = [
        rpc.balance(PAYEE, Some(3)).map(drop),
        rpc.nonce(PAYEE, Some(0)).map(drop),
        rpc.token_balance(tokens.token, PAYEE, Some(2)).map(drop),
        rpc.call("eth_getCode", json!([PAYEE, "earliest"]))
            .map(drop),
        rpc.call("eth_getStorageAt", json!([PAYEE, "0x0", "0x3"]))
            .map(drop),
    ];
    for refusal in refusals {
        assert!(
            refusal
                .unwrap_err()
                .to_string()
                .contains("missing trie node")
        );
    }
    let balances = [Some(4), Some(6), None]
        .map(|height| rpc.token_balance(tokens.token, PAYEE, height).unwrap());
    assert_eq!(balances, [21, 35, 35].map(U256::from));
    assert_eq!(tokens.logs(&rpc).unwrap().len(), 5);
}

#[test]
fn limits_of_logs_are_errors_or_silence() {
    let Some(tokens) = Tokens::start() else {
        return;
    };
    let under = |fault: RpcFault| {
        let (_proxy, rpc) = tokens.proxy([RpcRule::always("", fault)]);
        tokens.logs(&rpc)
    };
    assert!(
        under(RpcFault::LogRange(4))
            .unwrap_err()
            .contains("-32005: query exceeds max block range 4")
    );
    assert_eq!(under(RpcFault::LogRange(5)).unwrap().len(), 5);
    assert!(
        under(RpcFault::LogRows(4))
            .unwrap_err()
            .contains("query returned more than 4 results")
    );
    assert_eq!(under(RpcFault::LogRows(5)).unwrap().len(), 5);
    assert_eq!(under(RpcFault::CutLogs(2)).unwrap().len(), 2);
    let left = under(RpcFault::HideLog(tokens.transfers[2])).unwrap();
    let hashes: Vec<_> = left
        .iter()
        .map(|log| log["transactionHash"].clone())
        .collect();
    let [a, b, _, d, e] = tokens.transfers[..] else {
        panic!()
    };
    assert_eq!(json!(hashes), json!([a, b, d, e]));
}

#[test]
fn answers_are_altered_and_refusals_are_not() {
    let Some(tokens) = Tokens::start() else {
        return;
    };
    let reverted = RpcFault::alter(|_, receipt| receipt["status"] = json!("0x0"));
    let rules = [
        RpcRule::times(1, "eth_getTransactionReceipt", reverted).after(1),
        RpcRule::always("", RpcFault::ChainId(5)),
    ];
    let (proxy, rpc) = tokens.proxy(rules);
    assert_eq!(rpc.chain_id().unwrap(), 5);
    assert_eq!(rpc.call("net_version", json!([])).unwrap(), "5");
    let outcome = || rpc.receipt(tokens.transfers[0]).unwrap().succeeded;
    assert_eq!([outcome(), outcome(), outcome()], [true, false, true]);
    proxy.heal();
    assert_eq!(rpc.chain_id().unwrap(), 31_337);
    proxy.add(RpcRule::always(
        "",
        RpcFault::alter(|_, result| *result = json!("altered")),
    ));
    assert!(rpc.call("no_such_method", json!([])).is_err());
}

#[test]
fn large_arrays_are_refused_as_a_whole() {
    let Some(tokens) = Tokens::start() else {
        return;
    };
    let (_proxy, rpc) = tokens.proxy([RpcRule::always("", RpcFault::BatchLimit(3))]);
    let batch = |size: usize| {
        let calls = (0..size).map(|_| ("eth_blockNumber", json!([])));
        rpc.batch(calls.collect())
    };
    assert_eq!(batch(3).unwrap().len(), 3);
    assert!(
        batch(4)
            .unwrap_err()
            .to_string()
            .contains("batch too large")
    );
}

#[test]
fn requests_are_slowed_down_and_those_under_way_are_counted() {
    let Some(tokens) = Tokens::start() else {
        return;
    };
    let (proxy, rpc) = tokens.proxy([]);
    proxy.set_latency(Duration::from_millis(300));
    let start = Instant::now();
    let threads: Vec<_> = (0..8)
        .map(|_| thread::spawn(move || rpc.block_number().unwrap()))
        .collect();
    assert!(
        threads
            .into_iter()
            .all(|thread| thread.join().unwrap() == 6)
    );
    assert!(start.elapsed() >= Duration::from_millis(300));
    assert_eq!(proxy.most_in_flight(), 8);
    proxy.reset_counts();
    rpc.block_number().unwrap();
    assert_eq!(proxy.most_in_flight(), 1);
}

/// What an endpoint answers to any request, as it comes over the wire, up to so many bytes.
fn wire(proxy: &RpcProxy, most: u64) -> (String, u64) {
    let mut connection = TcpStream::connect(proxy.url().strip_prefix("http://").unwrap()).unwrap();
    let body = r#"{"jsonrpc":"2.0","id":1,"method":"eth_chainId","params":[]}"#;
    let head = format!(
        "POST / HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    connection.write_all(head.as_bytes()).unwrap();
    let mut answer = Vec::new();
    connection.take(most).read_to_end(&mut answer).unwrap();
    let start = answer.iter().take(400).copied().map(char::from).collect();
    (start, u64::try_from(answer.len()).unwrap())
}

#[test]
fn whole_requests_are_refused_cut_off_or_flooded() {
    let Some(tokens) = Tokens::start() else {
        return;
    };
    let under = |fault: RpcFault, most: u64| {
        let (proxy, _) = tokens.proxy([RpcRule::always("", fault)]);
        wire(&proxy, most)
    };
    let busy = RpcFault::Status {
        status: 429,
        retry_after: Some(7),
    };
    let (answer, _) = under(busy, 1_000);
    assert!(
        answer.starts_with("HTTP/1.1 429") && answer.contains("retry-after: 7"),
        "{answer}"
    );
    let (answer, _) = under(RpcFault::HangUp, 1_000);
    assert!(!answer.contains("result"), "{answer}");
    // Four gigabytes are announced to nobody and made only as far as they are read.
    let (answer, length) = under(RpcFault::Flood { mebibytes: 4_096 }, 20 << 20);
    assert!(answer.contains(r#""result":""#) && answer.contains("aaaa"));
    assert_eq!(length, 20 << 20);
}

#[test]
fn a_node_that_is_gone_is_a_bad_gateway() {
    let Some(tokens) = Tokens::start() else {
        return;
    };
    let (proxy, _) = tokens.proxy([]);
    drop(tokens);
    let (answer, _) = wire(&proxy, 1_000);
    assert!(answer.starts_with("HTTP/1.1 502"), "{answer}");
}
