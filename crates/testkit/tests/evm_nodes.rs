//! The harness runs real nodes of EVM chains.
#![expect(clippy::unwrap_used, reason = "the helpers of tests fail like tests")]

use std::io::{BufRead, BufReader, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;

use alloy_primitives::{Address, B256, U256, address};
use hansel_testkit::{
    Anvil, AnvilOptions, EvmRpc, Hardhat, HardhatOptions, NodeError, RpcError, require_anvil,
    require_hardhat,
};
use serde_json::json;

const PAYEE: Address = address!("0x00000000000000000000000000000000000b0b00");

/// Pays 5 wei from the node's first account in a block of its own.
fn pay(rpc: &EvmRpc) -> B256 {
    let from = rpc.accounts().unwrap()[0];
    let hash = rpc
        .send(json!({"from": from, "to": PAYEE, "value": "0x5"}))
        .unwrap();
    rpc.mine().unwrap();
    hash
}

fn a_payment_is_mined_and_old_balances_are_kept(rpc: &EvmRpc) {
    assert_eq!(rpc.chain_id().unwrap(), 31_337);
    let hash = pay(rpc);
    let receipt = rpc.receipt(hash).unwrap();
    assert!(receipt.succeeded && receipt.block == 1 && receipt.fee > U256::ZERO);
    assert_eq!(rpc.balance(PAYEE, None).unwrap(), U256::from(5));
    assert_eq!(rpc.balance(PAYEE, Some(0)).unwrap(), U256::ZERO);
    let sender = rpc.accounts().unwrap()[0];
    assert_eq!(rpc.nonce(sender, Some(1)).unwrap(), 1);
    let times = [0, 1].map(|height| {
        let block = rpc
            .call(
                "eth_getBlockByNumber",
                json!([format!("{height:#x}"), false]),
            )
            .unwrap();
        U256::from_str_radix(&block["timestamp"].as_str().unwrap()[2..], 16).unwrap()
    });
    assert_eq!(times[0], U256::from(1_600_000_000));
    assert!(times[1] >= times[0]);
}

fn a_snapshot_brings_the_chain_back(rpc: &EvmRpc) {
    let snapshot = rpc.snapshot().unwrap();
    let before = rpc.block_number().unwrap();
    let hash = pay(rpc);
    assert!(rpc.revert(&snapshot).unwrap());
    assert_eq!(rpc.block_number().unwrap(), before);
    assert!(matches!(rpc.receipt(hash), Err(RpcError::Malformed { .. })));
}

fn accounts_take_what_a_test_gives_them(rpc: &EvmRpc) {
    let (account, seven) = (Address::repeat_byte(7), U256::from(7).pow(U256::from(25)));
    rpc.set_balance(account, seven).unwrap();
    rpc.impersonate(account).unwrap();
    let sent = json!({"from": account, "to": PAYEE, "value": "0x1"});
    let hash = rpc.send(sent).unwrap();
    rpc.mine_at(1_700_000_000).unwrap();
    let fee = rpc.receipt(hash).unwrap().fee;
    let left = rpc.balance(account, None).unwrap();
    assert_eq!(left, seven - fee - U256::from(1));
    rpc.set_code(PAYEE, &vec![0x60, 0x00].into()).unwrap();
    assert_eq!(rpc.code(PAYEE).unwrap().as_ref(), [0x60, 0x00]);
}

fn many_calls_are_answered_in_order(rpc: &EvmRpc) {
    rpc.mine_empty(5, 12).unwrap();
    let calls = (0..5_u64).map(|height| {
        let params = json!([format!("{height:#x}"), false]);
        ("eth_getBlockByNumber", params)
    });
    let blocks = rpc.batch(calls.collect()).unwrap();
    let numbers: Vec<_> = blocks.iter().map(|block| block["number"].clone()).collect();
    assert_eq!(numbers, ["0x0", "0x1", "0x2", "0x3", "0x4"]);
}

#[test]
fn anvil_does_what_tests_ask() {
    let Some(anvil) = require_anvil() else {
        return;
    };
    let node = Anvil::start(&anvil, &AnvilOptions::default()).unwrap();
    a_payment_is_mined_and_old_balances_are_kept(node.rpc());
    a_snapshot_brings_the_chain_back(node.rpc());
    accounts_take_what_a_test_gives_them(node.rpc());
    many_calls_are_answered_in_order(node.rpc());
    a_reorg_by_snapshot_replaces_what_came_after(node.rpc());
}

#[test]
fn hardhat_does_what_tests_ask() {
    let Some(hardhat) = require_hardhat() else {
        return;
    };
    let node = Hardhat::start(&hardhat, &HardhatOptions::default()).unwrap();
    a_payment_is_mined_and_old_balances_are_kept(node.rpc());
    a_snapshot_brings_the_chain_back(node.rpc());
    accounts_take_what_a_test_gives_them(node.rpc());
    many_calls_are_answered_in_order(node.rpc());
    a_reorg_by_snapshot_replaces_what_came_after(node.rpc());
    assert!(matches!(
        node.rpc().call("eth_getBlockReceipts", json!(["latest"])),
        Err(RpcError::Refused { code: -32004, .. })
    ));
}

#[test]
fn dropped_nodes_are_gone_with_their_directories() {
    let (Some(anvil), Some(hardhat)) = (require_anvil(), require_hardhat()) else {
        return;
    };
    let anvil = Anvil::start(&anvil, &AnvilOptions::default()).unwrap();
    let hardhat = Hardhat::start(&hardhat, &HardhatOptions::default()).unwrap();
    anvil.rpc().mine_empty(50, 12).unwrap();
    let directories = [anvil.directory(), hardhat.directory()].map(Path::to_owned);
    let processes = [anvil.process_id(), hardhat.process_id()];
    let there = |id: &u32| Path::new(&format!("/proc/{id}")).exists();
    assert!(directories.iter().all(|directory| directory.exists()));
    assert!(processes.iter().all(there));
    drop((anvil, hardhat));
    assert!(!directories.iter().any(|directory| directory.exists()));
    assert!(!processes.iter().any(there));
}

#[test]
fn an_anvil_that_refuses_its_arguments_is_not_waited_for() {
    let Some(anvil) = require_anvil() else {
        return;
    };
    let options = AnvilOptions {
        arguments: vec!["--no-such-argument".into()],
        ..AnvilOptions::default()
    };
    let Err(NodeError::Ended(words)) = Anvil::start(&anvil, &options) else {
        panic!("it started");
    };
    assert!(words.contains("no-such-argument"), "{words}");
}

#[test]
fn a_pruned_anvil_has_no_old_state() {
    let Some(anvil) = require_anvil() else {
        return;
    };
    let options = AnvilOptions {
        prune_history: true,
        chain_id: 56,
        ..AnvilOptions::default()
    };
    let node = Anvil::start(&anvil, &options).unwrap();
    assert_eq!(node.rpc().chain_id().unwrap(), 56);
    pay(node.rpc());
    pay(node.rpc());
    assert!(node.rpc().balance(PAYEE, Some(1)).is_err());
    assert_eq!(node.rpc().balance(PAYEE, None).unwrap(), U256::from(10));
}

#[test]
fn an_anvil_answers_on_its_socket() {
    let Some(anvil) = require_anvil() else {
        return;
    };
    let options = AnvilOptions {
        ipc: true,
        ..AnvilOptions::default()
    };
    let node = Anvil::start(&anvil, &options).unwrap();
    let mut socket = UnixStream::connect(node.ipc_path()).unwrap();
    let request = json!({"jsonrpc": "2.0", "id": 1, "method": "eth_chainId", "params": []});
    socket.write_all(request.to_string().as_bytes()).unwrap();
    let mut answer = Vec::new();
    BufReader::new(socket)
        .read_until(b'}', &mut answer)
        .unwrap();
    assert!(String::from_utf8_lossy(&answer).contains("0x7a69"));
}

fn a_reorg_by_snapshot_replaces_what_came_after(rpc: &EvmRpc) {
    let kept = pay(rpc);
    let snapshot = rpc.snapshot().unwrap();
    let (fork, dropped) = (rpc.block_number().unwrap(), pay(rpc));
    let hash = rpc.block_hash(fork + 1).unwrap();
    assert!(rpc.reorg_to(&snapshot, 2).unwrap());
    assert_eq!(rpc.block_number().unwrap(), fork + 2);
    assert_ne!(rpc.block_hash(fork + 1).unwrap(), hash);
    assert!(rpc.receipt(kept).is_ok() && rpc.receipt(dropped).is_err());
    assert!(!rpc.reorg_to("0x999", 2).unwrap_or(false));
    assert_eq!(rpc.block_number().unwrap(), fork + 2);
}

#[test]
fn a_reorg_replaces_the_last_blocks_and_their_transactions() {
    let Some(anvil) = require_anvil() else {
        return;
    };
    let node = Anvil::start(&anvil, &AnvilOptions::default()).unwrap();
    let rpc = node.rpc();
    let kept = pay(rpc);
    let dropped = [pay(rpc), pay(rpc)];
    let hashes = [1, 2, 3].map(|height| rpc.block_hash(height).unwrap());
    rpc.reorg(2).unwrap();
    assert_eq!(rpc.block_number().unwrap(), 3);
    assert_eq!(rpc.block_hash(1).unwrap(), hashes[0]);
    assert_ne!(rpc.block_hash(2).unwrap(), hashes[1]);
    assert_ne!(rpc.block_hash(3).unwrap(), hashes[2]);
    assert!(rpc.receipt(kept).is_ok());
    assert!(dropped.iter().all(|hash| rpc.receipt(*hash).is_err()));
}
