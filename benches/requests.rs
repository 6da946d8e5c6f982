//! How fast a trace asks: requests and time for a theft that reaches 1,000 transactions, against a server that
//! takes 50 ms over every answer and allows eight questions at a time.
//!
//! Run with `cargo bench -p hansel`. Fails where a visited transaction costs more than two requests; prints the
//! time, and asserts nothing about it.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a measurement"
)]

use std::fs;
use std::process::{Command, Output};
use std::time::{Duration, Instant};

use bitcoin::Network;
use hansel_report::Report;
use hansel_report::model::NodeKind;
use hansel_testkit::{EsploraOptions, EsploraServer, Ledger};

const TRANSACTIONS: usize = 1_000;
const CONCURRENCY: u32 = 8;
const DELAY: Duration = Duration::from_millis(50);
/// Requests of a run that visits nothing: the first block, the tip, and the tip once more at the end.
const CONSTANT: u64 = 5;

fn main() {
    let ledger = Ledger::wide(TRANSACTIONS);
    let options = EsploraOptions {
        delay: DELAY,
        at_a_time: usize::try_from(CONCURRENCY).ok(),
    };
    let server = EsploraServer::over_chain(ledger.chain(Network::Regtest), options).unwrap();
    let home = tempfile::tempdir().unwrap();
    fs::write(home.path().join("endpoints.toml"), endpoints(&server)).unwrap();
    let started = Instant::now();
    let run = trace(&ledger, home.path());
    let took = started.elapsed();
    let words = String::from_utf8_lossy(&run.stderr);
    assert_eq!(run.status.code(), Some(0), "{words}");
    print(&server, visited(&run), took);
}

fn endpoints(server: &EsploraServer) -> String {
    format!(
        "schema = \"hansel-endpoints/1\"\n\n[[endpoints]]\nchain = \"bitcoin-regtest\"\nkind = \"esplora\"\n\
         url = \"{}\"\nconcurrency = {CONCURRENCY}\n",
        server.url()
    )
}

fn trace(ledger: &Ledger, home: &std::path::Path) -> Output {
    let theft = ledger.theft().to_string();
    let words = [
        "trace",
        "--json",
        "--quiet",
        "--chain",
        "bitcoin-regtest",
        "--min-share",
        "0",
    ];
    Command::new(env!("CARGO_BIN_EXE_hansel"))
        .args(words)
        .arg(theft)
        .arg("--config")
        .arg(home)
        .arg("--data")
        .arg(home.join("data"))
        .output()
        .unwrap()
}

fn visited(run: &Output) -> u64 {
    let report = Report::from_json(&run.stdout).unwrap();
    let nodes = report.nodes.iter();
    let visited =
        nodes.filter(|node| node.kind == NodeKind::Transaction && node.coverage.is_some());
    u64::try_from(visited.count()).unwrap()
}

fn print(server: &EsploraServer, visited: u64, took: Duration) {
    let requests = server.requests();
    let ideal = DELAY * u32::try_from(requests).unwrap() / CONCURRENCY;
    let percent = took.as_millis() * 100 / ideal.as_millis();
    println!("transactions visited      {visited}");
    println!(
        "requests                  {requests} ({} refused)",
        server.refused()
    );
    println!(
        "requests per transaction  {}.{:02}",
        requests / visited,
        requests * 100 / visited % 100
    );
    println!("time                      {} ms", took.as_millis());
    println!(
        "ideal                     {} ms: requests x {} ms / {CONCURRENCY}",
        ideal.as_millis(),
        DELAY.as_millis()
    );
    println!(
        "ratio                     {}.{:02}",
        percent / 100,
        percent % 100
    );
    assert!(
        requests <= 2 * visited + CONSTANT,
        "more than two requests for a transaction"
    );
}
