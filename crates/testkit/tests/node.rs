//! The harness runs real programs.
#![expect(clippy::unwrap_used, reason = "the helpers of tests fail like tests")]

use hansel_testkit::{
    Electrs, Indexes, Node, NodeError, NodeOptions, require_bitcoind, require_electrs,
};
use serde_json::json;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

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
    assert!(directory.exists() && Path::new(&process).exists());
    drop(node);
    assert!(!directory.exists() && !Path::new(&process).exists());
}

#[test]
fn a_node_outlives_the_thread_that_started_it() {
    let Some(bitcoind) = require_bitcoind() else {
        return;
    };
    let start = move || Node::start(&bitcoind, Indexes::NONE).unwrap();
    let node = std::thread::spawn(start).join().unwrap();
    std::thread::sleep(Duration::from_millis(500));
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

/// Runs one test of this file in another process.
fn run(test: &str) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", "--nocapture", test]);
    command
}

#[test]
fn a_missing_program_skips_tests_and_fails_them_in_ci() {
    let with_ci = |ci| -> Output {
        let mut command = run("a_dropped_node_is_gone_with_its_directory");
        command.env("BITCOIND", "/nonexistent").env("CI", ci);
        command.output().unwrap()
    };
    let (local, ci) = (with_ci("false"), with_ci("true"));
    let words = |output: &Output| String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(local.status.success(), "{}", words(&local));
    assert!(words(&local).contains("SKIPPED: bitcoind not found: set BITCOIND"));
    assert!(!ci.status.success());
}

/// Does nothing by itself; [`a_node_does_not_outlive_tests_that_are_killed`] runs it.
#[test]
fn holds_a_node_until_killed() {
    if std::env::var_os("HANSEL_HOLD_NODE").is_none() {
        return;
    }
    let node = Node::start(&require_bitcoind().unwrap(), Indexes::NONE).unwrap();
    println!(
        "\nnode {} {}",
        node.process_id(),
        node.directory().display()
    );
    std::thread::sleep(Duration::from_secs(60));
}

#[test]
fn a_node_does_not_outlive_tests_that_are_killed() {
    if require_bitcoind().is_none() || !Path::new("/usr/bin/setpriv").is_file() {
        return;
    }
    let mut command = run("holds_a_node_until_killed");
    command.env("HANSEL_HOLD_NODE", "1").stdout(Stdio::piped());
    let mut tests = command.spawn().unwrap();
    let lines = BufReader::new(tests.stdout.take().unwrap()).lines();
    let mut named = lines.filter_map(|line| line.unwrap().strip_prefix("node ").map(str::to_owned));
    let node = named.next().unwrap();
    let (id, directory) = node.split_once(' ').unwrap();
    let process = format!("/proc/{id}");
    assert!(Path::new(&process).exists());
    tests.kill().unwrap();
    tests.wait().unwrap();
    let start = Instant::now();
    while Path::new(&process).exists() {
        assert!(
            start.elapsed() < Duration::from_secs(20),
            "{process} is still there"
        );
        std::thread::sleep(Duration::from_millis(20));
    }
    std::fs::remove_dir_all(directory).unwrap();
}
