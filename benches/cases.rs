//! What a new block costs `hansel rescan --all` where it touches no case: with 10, 100, 1,000 and 10,000 cases that
//! watch 100 outputs each, on a real node.
//!
//! Run with `cargo bench -p hansel --bench cases` and `BITCOIND` naming the node's binary. Prints; asserts nothing about
//! time.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a measurement"
)]

use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use bitcoin::consensus::encode::serialize;
use bitcoin::constants::genesis_block;
use bitcoin::hashes::Hash as _;
use bitcoin::{BlockHash, Network, OutPoint, Txid};
use hansel_ledger::{BlockRef, Chain, Family, UnixTime};
use hansel_store::{Cursor, CursorState, Ended, Ending, Store, Watch};
use hansel_testkit::{Indexes, Pay, Payee, Regtest, require_bitcoind};
use serde_json::json;

const CASES: [u32; 4] = [10, 100, 1_000, 10_000];
/// What each case watches.
const WATCHED: u32 = 100;
/// Inputs and outputs of each block that is measured.
const OUTPUTS: u32 = 2_000;
const ROUNDS: usize = 5;

/// A node whose every new block spends what the last one paid.
struct Busy {
    regtest: Regtest,
    loose: Vec<OutPoint>,
}

fn main() {
    let Some(bitcoind) = require_bitcoind() else {
        return;
    };
    let mut regtest = Regtest::start(&bitcoind, Indexes::default()).unwrap();
    let loose = regtest.fund(Payee::Segwit(1), 1);
    let mut busy = Busy { regtest, loose };
    busy.mine();
    println!("| cases | outputs watched | store MB | block without a hit |");
    println!("|---|---|---|---|");
    for cases in CASES {
        let home = tempfile::tempdir().unwrap();
        busy.keep(cases, home.path());
        let best = (0..ROUNDS).map(|_| busy.rescan(home.path())).min();
        println!(
            "| {cases} | {} | {} | {} ms |",
            cases * WATCHED,
            megabytes(home.path()),
            best.unwrap().as_millis()
        );
    }
}

impl Busy {
    fn mine(&mut self) {
        let outputs = (0..OUTPUTS).map(|_| Pay::to(Payee::Segwit(1), 100_000));
        let outputs: Vec<Pay> = outputs.collect();
        let txid = self.regtest.pay(&self.loose, &outputs, 0);
        self.regtest.mine();
        self.loose = (0..OUTPUTS).map(|vout| OutPoint { txid, vout }).collect();
    }

    fn tip(&self) -> BlockRef {
        let node = self.regtest.node();
        let hash = self.regtest.tip();
        let header = node.call("getblockheader", json!([hash])).unwrap();
        BlockRef {
            height: self.regtest.height(),
            hash,
            time: UnixTime(header["time"].as_u64().unwrap()),
        }
    }

    /// A store with so many cases that were traced to the newest block.
    fn keep(&self, cases: u32, home: &Path) {
        let chain = Chain::new("bitcoin-regtest", Family::Bitcoin(Network::Regtest)).unwrap();
        let store = Store::open(home).unwrap();
        let genesis: BlockHash = genesis_block(Network::Regtest).block_hash();
        store.register_chain(&chain, genesis).unwrap();
        let cursor = Cursor {
            tip: self.tip(),
            state: CursorState::Complete,
            scanned: None,
            follows: true,
        };
        for case in 0..cases {
            let watches = (0..WATCHED).map(|number| watch(case, number)).collect();
            let part = Ended {
                chain: &chain,
                cursor,
                watches,
            };
            let ending = Ending {
                parts: vec![part],
                because: None,
            };
            let name = format!("case-{case}");
            store.end_case(&name, &json!({}), &ending).unwrap();
        }
    }

    /// How long a block takes.
    fn rescan(&mut self, home: &Path) -> Duration {
        self.mine();
        let node = self.regtest.node();
        let mut command = Command::new(env!("CARGO_BIN_EXE_hansel"));
        command.args(["rescan", "--all", "--quiet", "--endpoint"]);
        command.arg(format!("bitcoin-regtest:core={}", node.url()));
        command.arg("--data").arg(home);
        command.env("HANSEL_CORE_COOKIE", node.cookie_file());
        let started = Instant::now();
        let output = command.output().unwrap();
        let took = started.elapsed();
        let words = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{words}");
        took
    }
}

/// An output that nobody spends.
fn watch(case: u32, number: u32) -> Watch {
    let txid = Txid::hash(&[case.to_be_bytes(), number.to_be_bytes()].concat());
    let outpoint = OutPoint { txid, vout: number };
    Watch {
        key: [&[1], &*serialize(&outpoint)].concat(),
        note: json!({"output": {"height": 1, "script": "0014751e76e8199196d454941c45d1b3a323f1433bd6"}})
            .to_string(),
    }
}

fn megabytes(home: &Path) -> u64 {
    let files = std::fs::read_dir(home.join("rocksdb")).unwrap();
    let sizes = files.map(|file| file.unwrap().metadata().unwrap().len());
    sizes.sum::<u64>() / 1_000_000
}
