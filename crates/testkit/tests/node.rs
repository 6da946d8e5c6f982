//! The harness runs real programs.

use hansel_testkit::{
    Electrs, Indexes, Node, NodeError, NodeOptions, require_bitcoind, require_electrs,
};
use serde_json::json;

const BURN: &str = "raw(51)#8lvh9jxk";

#[test]
fn a_node_answers_keeps_its_indexes_and_takes_blocks() {
    let Some(bitcoind) = require_bitcoind() else {
        return;
    };
    let node = Node::start(&bitcoind, Indexes::ALL).unwrap();
    let info = node.call("getblockchaininfo", json!([])).unwrap();
    assert_eq!(info["chain"], "regtest");
    assert_eq!(info["initialblockdownload"], false);
    node.call("generateblock", json!([BURN, []])).unwrap();
    node.wait_for_indexes().unwrap();
    let indexes = node.call("getindexinfo", json!([])).unwrap();
    assert_eq!(indexes.as_object().unwrap().len(), 3, "{indexes}");
}

#[test]
fn a_node_that_refuses_its_arguments_is_not_waited_for() {
    let Some(bitcoind) = require_bitcoind() else {
        return;
    };
    let options = NodeOptions {
        arguments: vec!["-nosuchargument=1".into()],
        ..NodeOptions::default()
    };
    let Err(NodeError::Ended(words)) = Node::start(&bitcoind, options) else {
        panic!("it started");
    };
    assert!(words.contains("nosuchargument"), "{words}");
}

#[test]
fn a_dropped_node_is_gone_with_its_directory() {
    let Some(bitcoind) = require_bitcoind() else {
        return;
    };
    let node = Node::start(&bitcoind, Indexes::NONE).unwrap();
    let directory = node.directory().to_owned();
    let process = format!("/proc/{}", node.process_id());
    assert!(directory.exists() && std::path::Path::new(&process).exists());
    drop(node);
    assert!(!directory.exists() && !std::path::Path::new(&process).exists());
}

#[test]
fn a_node_outlives_the_thread_that_started_it() {
    let Some(bitcoind) = require_bitcoind() else {
        return;
    };
    let start = move || Node::start(&bitcoind, Indexes::NONE).unwrap();
    let node = std::thread::spawn(start).join().unwrap();
    std::thread::sleep(std::time::Duration::from_millis(500));
    assert_eq!(node.call("getblockcount", json!([])).unwrap(), 0);
}

#[test]
fn electrs_follows_the_node_to_its_tip() {
    let (Some(bitcoind), Some(electrs)) = (require_bitcoind(), require_electrs()) else {
        return;
    };
    let options = NodeOptions {
        listen: Electrs::needs_listening_node(&electrs).unwrap(),
        ..NodeOptions::default()
    };
    let node = Node::start(&bitcoind, options).unwrap();
    node.call("generateblock", json!([BURN, []])).unwrap();
    let mut server = Electrs::start(&electrs, &node).unwrap();
    node.call("generateblock", json!([BURN, []])).unwrap();
    server.wait_for_tip(&node).unwrap();
    let tip = server
        .call("blockchain.headers.subscribe", &json!([]))
        .unwrap();
    assert_eq!(tip["height"], 2);
}
