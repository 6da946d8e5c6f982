//! The Esplora server tells of a real chain what the node tells of it.
#![expect(clippy::unwrap_used, reason = "the helpers of tests fail like tests")]

use bitcoin::consensus::encode::serialize_hex;
use bitcoin::hashes::{Hash, sha256};
use bitcoin::{OutPoint, Txid};
use hansel_testkit::{
    ChainIndex, Electrs, EsploraOptions, EsploraServer, HttpReply, HttpRequest, Indexes,
    NodeOptions, Pay, Payee, Regtest, Scenario, require_bitcoind, require_electrs,
};
use serde_json::{Value, json};
use std::time::{Duration, Instant};

struct Setting {
    regtest: Regtest,
    scenario: Scenario,
    server: EsploraServer,
}

fn setting() -> Option<Setting> {
    let mut regtest = Regtest::start(&require_bitcoind()?, Indexes::NONE).unwrap();
    let scenario = regtest.scenario();
    let server = EsploraServer::over_node(regtest.node(), EsploraOptions::default()).unwrap();
    Some(Setting {
        regtest,
        scenario,
        server,
    })
}

fn get(server: &EsploraServer, path: &str) -> HttpReply {
    let url = server.url();
    HttpRequest::get(path)
        .send(url.strip_prefix("http://").unwrap())
        .unwrap()
}

fn text(server: &EsploraServer, path: &str) -> String {
    let reply = get(server, path);
    let body = String::from_utf8(reply.body).unwrap();
    assert_eq!(reply.status, 200, "{path}: {body}");
    body
}

fn json(server: &EsploraServer, path: &str) -> Value {
    serde_json::from_str(&text(server, path)).unwrap()
}

/// The node prints coins as decimals with eight places at most.
fn satoshi(coins: &Value) -> u64 {
    let coins = format!("{:.8}", coins.as_f64().unwrap());
    bitcoin::Amount::from_str_in(&coins, bitcoin::Denomination::Bitcoin)
        .unwrap()
        .to_sat()
}

#[test]
fn every_transaction_is_told_as_the_node_tells_it() {
    let Some(Setting {
        regtest, server, ..
    }) = setting()
    else {
        return;
    };
    let node = regtest.node();
    for height in 1..=regtest.height() {
        let hash = text(&server, &format!("/block-height/{height}"));
        let block = node.call("getblock", json!([hash, 3])).unwrap();
        let header = json(&server, &format!("/block/{hash}"));
        for (ours, theirs) in [
            ("id", "hash"),
            ("height", "height"),
            ("version", "version"),
            ("timestamp", "time"),
            ("tx_count", "nTx"),
            ("size", "size"),
            ("weight", "weight"),
            ("merkle_root", "merkleroot"),
            ("nonce", "nonce"),
            ("previousblockhash", "previousblockhash"),
            ("mediantime", "mediantime"),
        ] {
            assert_eq!(header[ours], block[theirs], "{ours} of {height}");
        }
        for theirs in block["tx"].as_array().unwrap() {
            let ours = json(
                &server,
                &format!("/tx/{}", theirs["txid"].as_str().unwrap()),
            );
            assert_same(&ours, theirs);
            assert_eq!(
                ours["status"],
                json!({"confirmed": true, "block_height": height, "block_hash": hash, "block_time": block["time"]})
            );
        }
    }
}

fn assert_same(ours: &Value, theirs: &Value) {
    for key in ["txid", "version", "locktime", "size", "weight"] {
        assert_eq!(ours[key], theirs[key], "{key} of {ours}");
    }
    let coinbase = ours["vin"][0]["is_coinbase"] == true;
    if coinbase {
        assert_eq!(
            (&ours["fee"], &ours["vin"][0]["prevout"]),
            (&json!(0), &Value::Null)
        );
        assert_eq!(ours["vin"][0]["scriptsig"], theirs["vin"][0]["coinbase"]);
        assert_eq!(ours["vin"][0]["vout"], 4_294_967_295_u32);
    } else {
        assert_eq!(ours["fee"], satoshi(&theirs["fee"]));
    }
    let vin = |side: &Value| side["vin"].as_array().unwrap().clone();
    assert_eq!(vin(ours).len(), vin(theirs).len());
    for (ours, theirs) in vin(ours).iter().zip(&vin(theirs)) {
        assert_eq!(ours["sequence"], theirs["sequence"]);
        assert_eq!(ours.get("witness"), theirs.get("txinwitness"));
        if !coinbase {
            assert_eq!(
                (&ours["txid"], &ours["vout"]),
                (&theirs["txid"], &theirs["vout"])
            );
            assert_eq!(ours["scriptsig"], theirs["scriptSig"]["hex"]);
            assert_same_output(&ours["prevout"], &theirs["prevout"]);
        }
    }
    let vout = |side: &Value| side["vout"].as_array().unwrap().clone();
    assert_eq!(vout(ours).len(), vout(theirs).len());
    for (ours, theirs) in vout(ours).iter().zip(&vout(theirs)) {
        assert_same_output(ours, theirs);
    }
}

fn assert_same_output(ours: &Value, theirs: &Value) {
    let script = &theirs["scriptPubKey"];
    assert_eq!(ours["value"], satoshi(&theirs["value"]));
    assert_eq!(ours["scriptpubkey"], script["hex"]);
    assert_eq!(ours.get("scriptpubkey_address"), script.get("address"));
    let kind = match script["type"].as_str().unwrap() {
        "witness_v0_keyhash" => "v0_p2wpkh",
        "witness_v1_taproot" => "v1_p2tr",
        "pubkeyhash" => "p2pkh",
        "nulldata" => "op_return",
        other => panic!("{other}"),
    };
    assert_eq!(ours["scriptpubkey_type"], kind);
}

#[test]
fn spends_and_placements_are_told_with_their_state() {
    let Some(Setting {
        scenario,
        server,
        regtest: _running,
    }) = setting()
    else {
        return;
    };
    let Scenario {
        split,
        replacement,
        unconfirmed,
        replaced,
        peels,
        ..
    } = scenario;
    let spends = json(&server, &format!("/tx/{split}/outspends"));
    assert_eq!(spends.as_array().unwrap().len(), 11);
    assert_eq!(spends[10], json!({"spent": false}));
    assert_eq!(spends[7]["txid"], json!(replacement));
    assert_eq!(spends[7], json(&server, &format!("/tx/{split}/outspend/7")));
    assert_eq!(
        spends[7]["status"],
        json(&server, &format!("/tx/{replacement}/status"))
    );
    assert_eq!(
        json(&server, &format!("/tx/{}/outspend/1", peels[7])),
        json!({"spent": true, "txid": unconfirmed, "vin": 0, "status": {"confirmed": false}})
    );
    assert_eq!(get(&server, &format!("/tx/{replaced}")).status, 404);
    assert_eq!(get(&server, "/tx/nonsense").status, 400);
    assert_eq!(
        get(&server, &format!("/tx/{unconfirmed}/merkle-proof")).status,
        404
    );
}

#[test]
fn raw_forms_agree_with_the_node_and_proofs_with_the_header() {
    let Some(Setting {
        regtest,
        scenario,
        server,
    }) = setting()
    else {
        return;
    };
    let txid = scenario.child;
    let transaction = regtest.transaction(&txid);
    assert_eq!(
        text(&server, &format!("/tx/{txid}/hex")),
        serialize_hex(transaction)
    );
    let raw = get(&server, &format!("/api/tx/{txid}/raw")).body;
    assert_eq!(raw, bitcoin::consensus::encode::serialize(transaction));
    let proof = json(&server, &format!("/tx/{txid}/merkle-proof"));
    let hash = text(&server, &format!("/block-height/{}", proof["block_height"]));
    let node = regtest.node();
    let header = node.call("getblockheader", json!([hash, false])).unwrap();
    assert_eq!(
        text(&server, &format!("/block/{hash}/header")),
        header.as_str().unwrap()
    );
    let block = node.call("getblock", json!([hash, 1])).unwrap();
    assert_eq!(json(&server, &format!("/block/{hash}/txids")), block["tx"]);
    assert_eq!(
        block["tx"][2],
        json!(txid),
        "coinbase, parent, child: the last is its own pair"
    );
    assert_eq!(
        (&proof["pos"], folded(txid, &proof)),
        (&json!(2), block["merkleroot"].clone())
    );
    let parent = json(&server, &format!("/tx/{}/merkle-proof", scenario.parent));
    assert_eq!(folded(scenario.parent, &parent), block["merkleroot"]);
    let raw = node.call("getblock", json!([hash, 0])).unwrap();
    let served: bitcoin::Block =
        bitcoin::consensus::encode::deserialize(&get(&server, &format!("/block/{hash}/raw")).body)
            .unwrap();
    assert_eq!(serialize_hex(&served), raw.as_str().unwrap());
}

fn folded(txid: Txid, proof: &Value) -> Value {
    let mut position = proof["pos"].as_u64().unwrap();
    let mut hash = txid;
    for sibling in proof["merkle"].as_array().unwrap() {
        let sibling: Txid = sibling.as_str().unwrap().parse().unwrap();
        let (left, right) = if position.is_multiple_of(2) {
            (hash, sibling)
        } else {
            (sibling, hash)
        };
        hash = Txid::hash(&[left.to_byte_array(), right.to_byte_array()].concat());
        position /= 2;
    }
    json!(hash)
}

#[test]
fn a_long_history_comes_in_pages_and_an_unknown_cursor_looks_like_its_end() {
    let Some(Setting {
        mut regtest,
        server,
        ..
    }) = setting()
    else {
        return;
    };
    let coinbases = regtest.fund(Payee::Segwit(3), 1);
    let mut left = coinbases[0];
    for _ in 0..29 {
        let txid = regtest.pay(
            &[left],
            &[
                Pay::to(Payee::Segwit(4), 1_000),
                Pay::rest(Payee::Segwit(3)),
            ],
            100,
        );
        left = OutPoint::new(txid, 1);
        regtest.mine();
    }
    regtest.broadcast(&[left], &[Pay::rest(Payee::Segwit(3))], 1_000);
    let address = regtest.address(Payee::Segwit(3));
    let totals = json(&server, &format!("/address/{address}"));
    assert_eq!(
        (&totals["address"], &totals["chain_stats"]["tx_count"]),
        (&json!(address), &json!(30))
    );
    assert_eq!(totals["chain_stats"]["funded_txo_count"], 30);
    assert_eq!(totals["chain_stats"]["spent_txo_count"], 29);
    assert_eq!(totals["mempool_stats"]["tx_count"], 1);
    let rows = |path: &str| -> Vec<Value> {
        json(&server, path)
            .as_array()
            .unwrap()
            .iter()
            .map(|row| row["txid"].clone())
            .collect()
    };
    let all = rows(&format!("/address/{address}/txs"));
    let first = rows(&format!("/address/{address}/txs/chain"));
    assert_eq!((all.len(), first.len()), (26, 25));
    assert_eq!(all[1..], first);
    let last = first[24].as_str().unwrap();
    let second = rows(&format!("/address/{address}/txs/chain/{last}"));
    assert_eq!(second.len(), 5);
    assert_eq!(second[4], json!(coinbases[0].txid));
    assert_eq!(
        json(
            &server,
            &format!("/address/{address}/txs/chain/{}", "00".repeat(32))
        ),
        json!([])
    );
    let script = sha256::Hash::hash(regtest.script(Payee::Segwit(3)).as_bytes());
    assert_eq!(rows(&format!("/scripthash/{script}/txs")), all);
    let unspent = json(
        &server,
        &format!("/address/{}/utxo", regtest.address(Payee::Segwit(4))),
    );
    assert_eq!(
        (unspent.as_array().unwrap().len(), &unspent[0]["value"]),
        (29, &json!(1_000))
    );
    assert_eq!(rows(&format!("/address/{address}/txs/mempool")), all[..1]);
    assert_eq!(
        get(
            &server,
            "/address/bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4"
        )
        .status,
        400
    );
}

#[test]
fn new_blocks_and_reorganisations_are_seen_at_once() {
    let Some(Setting {
        mut regtest,
        scenario,
        server,
    }) = setting()
    else {
        return;
    };
    assert_eq!(text(&server, "/blocks/tip/hash"), regtest.tip().to_string());
    let block = regtest.confirm(scenario.unconfirmed);
    let path = format!("/tx/{}/status", scenario.unconfirmed);
    assert_eq!(json(&server, &path)["block_hash"], json!(block));
    assert_eq!(
        text(&server, "/blocks/tip/height"),
        regtest.height().to_string()
    );
    regtest.invalidate(block);
    assert_eq!(json(&server, &path), json!({"confirmed": false}));
    let other = regtest.mine();
    assert_eq!(text(&server, "/blocks/tip/hash"), other.to_string());
    assert_eq!(get(&server, &format!("/block/{block}")).status, 404);
}

#[test]
fn requests_are_counted_delayed_and_limited() {
    let chain = ChainIndex::from_blocks(
        bitcoin::Network::Regtest,
        [bitcoin::constants::genesis_block(bitcoin::Network::Regtest)],
    );
    let options = EsploraOptions {
        delay: Duration::from_millis(300),
        at_a_time: Some(2),
    };
    let server = EsploraServer::over_chain(chain, options).unwrap();
    let start = Instant::now();
    let mut statuses: Vec<u16> = std::thread::scope(|scope| {
        let requests: Vec<_> = (0..3)
            .map(|_| scope.spawn(|| get(&server, "/blocks/tip/height").status))
            .collect();
        requests
            .into_iter()
            .map(|request| request.join().unwrap())
            .collect()
    });
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 200, 429]);
    assert!(start.elapsed() >= Duration::from_millis(300));
    assert_eq!(
        (server.peak(), server.refused(), server.requests()),
        (3, 1, 3)
    );
    assert_eq!(server.requests_for("/blocks/tip/height"), 3);
    let url = server.url();
    drop(server);
    assert!(
        HttpRequest::get("/")
            .send(url.strip_prefix("http://").unwrap())
            .is_err()
    );
}

#[test]
fn lists_of_blocks_and_of_their_transactions_come_in_pages() {
    let Some(Setting {
        regtest, server, ..
    }) = setting()
    else {
        return;
    };
    let height = regtest.height();
    let newest = json(&server, "/blocks");
    assert_eq!(
        (newest.as_array().unwrap().len(), &newest[0]["height"]),
        (10, &json!(height))
    );
    assert_eq!(json(&server, "/blocks/3").as_array().unwrap().len(), 4);
    let hash = text(&server, "/block-height/5");
    let next = text(&server, "/block-height/6");
    assert_eq!(
        json(&server, &format!("/block/{hash}/status")),
        json!({"in_best_chain": true, "height": 5, "next_best": next})
    );
    let txs = json(&server, &format!("/block/{hash}/txs"));
    assert_eq!(
        txs[0]["txid"],
        text(&server, &format!("/block/{hash}/txid/0"))
    );
    assert_eq!(get(&server, &format!("/block/{hash}/txs/1")).status, 400);
    assert_eq!(get(&server, &format!("/block/{hash}/txs/25")).status, 404);
    assert_eq!(
        get(&server, &format!("/block-height/{}", height + 1)).status,
        404
    );
    assert_eq!(get(&server, "/no/such/thing").status, 404);
}

#[test]
fn histories_hold_what_electrs_says_of_the_same_chain() {
    let Some(electrs) = require_electrs() else {
        return;
    };
    let Some(bitcoind) = require_bitcoind() else {
        return;
    };
    let options = NodeOptions {
        listen: Electrs::needs_listening_node(&electrs).unwrap(),
        ..NodeOptions::default()
    };
    let mut regtest = Regtest::start(&bitcoind, options).unwrap();
    regtest.scenario();
    let oracle = Electrs::start(&electrs, regtest.node()).unwrap();
    let server = EsploraServer::over_node(regtest.node(), EsploraOptions::default()).unwrap();
    let payees = [10, 20, 30, 40, 50, 64, 71, 80].map(Payee::Segwit);
    let others = [
        Payee::Taproot(11),
        Payee::Taproot(65),
        Payee::Legacy(61),
        Payee::Legacy(101),
    ];
    for payee in payees.into_iter().chain(others) {
        let script = regtest.script(payee);
        let mut hash = sha256::Hash::hash(script.as_bytes()).to_byte_array();
        let path = format!("/address/{}/txs", regtest.address(payee));
        let mut ours: Vec<Value> = json(&server, &path)
            .as_array()
            .unwrap()
            .iter()
            .map(row)
            .collect();
        // Electrum names a script by the same hash, printed backwards.
        hash.reverse();
        let hash = sha256::Hash::from_byte_array(hash).to_string();
        let history = oracle
            .call("blockchain.scripthash.get_history", &json!([hash]))
            .unwrap();
        let mut theirs: Vec<Value> = history
            .as_array()
            .unwrap()
            .iter()
            .map(|row| json!([row["tx_hash"], row["height"].as_i64().unwrap().max(0)]))
            .collect();
        ours.sort_by_key(Value::to_string);
        theirs.sort_by_key(Value::to_string);
        assert!(!ours.is_empty());
        assert_eq!(ours, theirs, "{payee:?}");
    }
}

fn row(transaction: &Value) -> Value {
    let height = transaction["status"]["block_height"].as_u64().unwrap_or(0);
    json!([transaction["txid"], height])
}
