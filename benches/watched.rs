//! Where looking a block up in the store and reading everything that is watched into memory cost the same.
//!
//! Run with `cargo bench -p hansel --bench watched`. A block is so many things as a full one of the main network names.
//! Each measurement opens the store anew, as a run of `hansel rescan` does. Prints; asserts nothing about time.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a measurement"
)]

use std::collections::{BTreeSet, HashSet};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use alloy_primitives::Address;
use bitcoin::consensus::encode::deserialize;
use bitcoin::constants::genesis_block;
use bitcoin::hashes::{Hash as _, sha256};
use bitcoin::{Network, OutPoint, ScriptBuf};
use hansel_ledger::{Asset, BlockForm, BlockRef, Chain, EvmNetwork, Family, UnixTime};
use hansel_scan::{AccountSet, WatchSet};
use hansel_store::{Cursor, CursorState, Ended, Ending, Store, Watch};
use serde_json::json;

const WATCHED: [u32; 4] = [10_000, 100_000, 1_000_000, 3_000_000];
/// What a case watches here.
const OF_A_CASE: u32 = 10_000;
/// Different inputs and scripts that are paid in block 866342 of Bitcoin's main network.
const BITCOIN_BLOCK: u32 = 9_714;
/// About what a full block of Ethereum's main network names: blocks 17173049 and 17173050 name 567 and 869 accounts,
/// topics and writers of logs, without calls; blocks may hold twice as much since, and name again as many by calls.
const ETHEREUM_BLOCK: u32 = 2_500;
const ROUNDS: usize = 5;

fn main() {
    println!(
        "| chain | things watched | read into memory | a block looked up | things for a block |"
    );
    println!("|---|---|---|---|---|");
    for (name, kind, names) in [
        ("Bitcoin", 1, BITCOIN_BLOCK),
        ("Ethereum", 3, ETHEREUM_BLOCK),
    ] {
        for watched in WATCHED {
            let home = tempfile::tempdir().unwrap();
            fill(home.path(), kind, watched);
            let load = best(home.path(), |store| load(store, kind));
            let look = best(home.path(), |store| look_up(store, kind, names));
            let each = u128::from(watched) * look.as_micros() / load.as_micros();
            let [load, look] = [load, look].map(|time| time.as_micros() / 100);
            let tenths = |time: u128| format!("{}.{} ms", time / 10, time % 10);
            println!(
                "| {name} | {watched} | {} | {} | {each} |",
                tenths(load),
                tenths(look)
            );
        }
    }
}

fn best(home: &Path, measured: impl Fn(&Store)) -> Duration {
    let round = |_| {
        let store = Store::open(home).unwrap();
        let started = Instant::now();
        measured(&store);
        started.elapsed()
    };
    (0..ROUNDS).map(round).min().unwrap()
}

fn chain(kind: u8) -> Chain {
    let native = Asset {
        symbol: "ETH".into(),
        decimals: 18,
    };
    let evm = EvmNetwork {
        chain_id: 1,
        native,
        wrapped: None,
        tokens: Vec::new(),
        blocks: BlockForm::default(),
    };
    let family = match kind {
        1 => Family::Bitcoin(Network::Bitcoin),
        _ => Family::Evm(Arc::new(evm)),
    };
    Chain::new("measured", family).unwrap()
}

/// A key as the command writes it: an outpoint or an account.
fn key(kind: u8, number: u32, salt: u8) -> Vec<u8> {
    let hash = sha256::Hash::hash(&[&number.to_be_bytes()[..], &[salt]].concat());
    let mut key = vec![kind];
    match kind {
        1 => {
            key.extend(hash.to_byte_array());
            key.extend([0; 4]);
        }
        _ => key.extend(&hash.to_byte_array()[..20]),
    }
    key
}

fn note(kind: u8) -> String {
    let output = json!({"height": 1, "script": "0014751e76e8199196d454941c45d1b3a323f1433bd6"});
    match kind {
        1 => json!({ "output": output }),
        _ => json!({"held": {"native": "1000000000000000000"}}),
    }
    .to_string()
}

fn fill(home: &Path, kind: u8, watched: u32) {
    let store = Store::open(home).unwrap();
    let chain = chain(kind);
    let hash = genesis_block(Network::Bitcoin).block_hash();
    store.register_chain(&chain, hash).unwrap();
    let tip = BlockRef {
        height: 0,
        hash,
        time: UnixTime(0),
    };
    for case in 0..watched / OF_A_CASE {
        let numbers = case * OF_A_CASE..(case + 1) * OF_A_CASE;
        let watch = |number| Watch {
            key: key(kind, number, 0),
            note: note(kind),
        };
        let cursor = Cursor {
            tip,
            state: CursorState::Complete,
            scanned: None,
            follows: true,
        };
        let part = Ended {
            chain: &chain,
            cursor,
            watches: numbers.map(watch).collect(),
        };
        let ending = Ending {
            parts: vec![part],
            because: None,
        };
        store
            .end_case(&format!("case-{case}"), &json!({}), &ending)
            .unwrap();
    }
}

/// Reads everything into memory, as a pass does.
fn load(store: &Store, kind: u8) {
    let keys = store.watched(&chain(kind)).map(|watch| watch.unwrap().key);
    match kind {
        1 => {
            let outpoints: Vec<OutPoint> =
                keys.map(|key| deserialize(&key[1..]).unwrap()).collect();
            let none: [ScriptBuf; 0] = [];
            WatchSet::new(outpoints.iter().copied(), &none).unwrap();
        }
        _ => {
            let accounts: HashSet<Address> =
                keys.map(|key| Address::from_slice(&key[1..])).collect();
            let sorted: BTreeSet<Address> = accounts.iter().copied().collect();
            AccountSet::new(sorted).unwrap();
        }
    }
}

/// Looks up what a block names; nothing of it is watched.
fn look_up(store: &Store, kind: u8, names: u32) {
    let keys: BTreeSet<Vec<u8>> = (0..names).map(|number| key(kind, number, 1)).collect();
    assert!(store.watched_among(&chain(kind), &keys).unwrap().is_empty());
}
