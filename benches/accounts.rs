//! How fast a trace of accounts asks: a theft that reaches 100 accounts, against a server that takes 50 ms over
//! every answer and allows eight requests at a time, with traces and without.
//!
//! Run with `cargo bench -p hansel --bench accounts`. Prints the time, and asserts nothing about it.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a measurement"
)]

use std::fs;
use std::path::Path;
use std::process::{Command, Output};
use std::sync::Arc;
use std::time::{Duration, Instant};

use alloy_primitives::{Address, U256};
use hansel_ledger::Coin;
use hansel_report::Report;
use hansel_report::model::NodeKind;
use hansel_testkit::{
    EvmLedger, EvmLedgerBuilder, EvmProfile, EvmSent, EvmServer, EvmServerOptions,
};

const ACCOUNTS: u64 = 100;
const FIRST: u64 = 10_000_000;
const CONCURRENCY: usize = 8;
const DELAY: Duration = Duration::from_millis(50);

fn main() {
    let ledger = Arc::new(ledger());
    for profile in [EvmProfile::Full, EvmProfile::Archive] {
        let options = EvmServerOptions {
            profile,
            delay: DELAY,
            at_a_time: Some(CONCURRENCY),
            ..EvmServerOptions::default()
        };
        let server = EvmServer::start(Arc::clone(&ledger), options).unwrap();
        let home = tempfile::tempdir().unwrap();
        fs::write(home.path().join("endpoints.toml"), endpoints(&server)).unwrap();
        let started = Instant::now();
        let run = trace(home.path());
        let took = started.elapsed();
        let words = String::from_utf8_lossy(&run.stderr);
        assert!(matches!(run.status.code(), Some(0 | 3)), "{words}");
        print(&server, profile, &run, took);
    }
}

fn account(number: u64) -> Address {
    Address::left_padding_from(&(0xacc0_0000 + number).to_be_bytes())
}

fn ether(amount: u64) -> U256 {
    U256::from(amount) * U256::from(10_u64.pow(18))
}

/// The thief pays 100 accounts, of which each pays something on, some thousand blocks apart.
fn ledger() -> EvmLedger {
    let tip = FIRST + 2_000_000;
    let mut builder = EvmLedgerBuilder::new(31_337, FIRST, tip, vec![(FIRST, 1_600_000_000)]);
    let (victim, thief) = (account(1), account(2));
    builder.fund(victim, Coin::Native, ether(1_000_000));
    builder.push(FIRST + 10, EvmSent::ether(victim, thief, ether(100_000)));
    for number in 0..ACCOUNTS {
        let (relay, rest) = (account(1_000 + number), account(10_000 + number));
        let block = FIRST + 1_000 + number * 7_919;
        builder.push(block, EvmSent::ether(thief, relay, ether(900)));
        builder.push(block + 5_003, EvmSent::ether(relay, rest, ether(400)));
    }
    builder.build().unwrap()
}

fn endpoints(server: &EvmServer) -> String {
    format!(
        "schema = \"hansel-endpoints/1\"\n\n[[endpoints]]\nchain = \"anvil\"\nkind = \"rpc\"\nurl = \"{}\"\n\
         concurrency = {CONCURRENCY}\n",
        server.url()
    )
}

fn trace(home: &Path) -> Output {
    let words = ["trace", "--json", "--quiet", "--chain", "anvil"];
    Command::new(env!("CARGO_BIN_EXE_hansel"))
        .args(words)
        .arg(account(2).to_string())
        .args(["--until", &(FIRST + 1_900_000).to_string()])
        .args(["--since", &(FIRST + 1).to_string()])
        .arg("--config")
        .arg(home)
        .arg("--data")
        .arg(home.join("data"))
        .output()
        .unwrap()
}

fn print(server: &EvmServer, profile: EvmProfile, run: &Output, took: Duration) {
    let report = Report::from_json(&run.stdout).unwrap();
    let read = report
        .nodes
        .iter()
        .filter(|node| node.kind == NodeKind::Account && node.coverage.is_some());
    let requests = server.requests();
    let eight = u32::try_from(CONCURRENCY).unwrap();
    let ideal = DELAY * u32::try_from(requests).unwrap() / eight;
    let percent = took.as_millis() * 100 / ideal.as_millis().max(1);
    let calls: u64 = server.calls().values().sum();
    println!("{profile:?}: {} accounts read", read.count());
    println!(
        "  requests {requests} ({} refused), calls {calls}, most at a time {}",
        server.refused(),
        server.peak()
    );
    println!(
        "  time {} ms, ideal {} ms (requests x {} ms / {CONCURRENCY}), ratio {}.{:02}",
        took.as_millis(),
        ideal.as_millis(),
        DELAY.as_millis(),
        percent / 100,
        percent % 100
    );
}
