//! How much of a case that experts followed by hand a trace finds, and how much that it finds is not of the case.
//!
//! `make evaluate`, or `cargo bench -p hansel --bench evaluate -- [--sweep] [--errors] [CASE...]`. Each case of LaunderNet under
//! `$HANSEL_DATA/laundernet` is replayed among other people's traffic behind a JSON-RPC server, and the binary
//! traces it from the sources that the case lists. It knows no label of the case.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a measurement"
)]

#[path = "evaluate/run.rs"]
mod run;
#[path = "evaluate/services.rs"]
mod services;
#[path = "evaluate/table.rs"]
mod table;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::{env, fs};

use hansel_testkit::{EvmProfile, EvmServer, EvmServerOptions, LaunderNet, LaunderReplay};

use run::{Outcome, Scene, Settings};

/// Makes the background traffic; no figure was tuned to it.
const SEED: u64 = 41;
const RULES: [&str; 5] = ["fifo", "lifo", "haircut", "seniority", "reverse-seniority"];

/// What is printed besides the table of the usual settings.
#[derive(Clone, Copy)]
struct Shown {
    /// Other limits.
    sweep: bool,
    /// The largest errors of every trace.
    errors: bool,
}

fn main() {
    let words: Vec<String> = env::args()
        .skip(1)
        .filter(|word| word != "--bench")
        .collect();
    let has = |option: &str| words.iter().any(|word| word == option);
    let shown = Shown {
        sweep: has("--sweep"),
        errors: has("--errors"),
    };
    let asked: Vec<_> = words
        .iter()
        .filter(|word| !word.starts_with("--"))
        .collect();
    let directory = data().join("laundernet");
    let cases = cases(&directory, &asked);
    if cases.is_empty() {
        println!(
            "skipped: no case of LaunderNet in {} (set HANSEL_DATA)",
            directory.display()
        );
        return;
    }
    table::head();
    let cases: Vec<_> = cases
        .iter()
        .map(|case| LaunderNet::read(case).unwrap())
        .collect();
    for case in &cases {
        evaluate(case, shown);
    }
    table::foot();
    services::head();
    for case in &cases {
        services::lines(&plain(case));
    }
    services::ether_head();
    let mut fired = services::Fired::default();
    for case in &cases {
        services::as_ether(case, &mut fired);
    }
    fired.lines();
}

fn data() -> PathBuf {
    let named = env::var_os("HANSEL_DATA").map(PathBuf::from);
    named.unwrap_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data"))
}

fn cases(directory: &Path, asked: &[&String]) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(directory) else {
        return Vec::new();
    };
    let mut cases: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    cases.retain(|case| {
        let name = case.file_name().unwrap().to_string_lossy();
        case.is_dir() && (asked.is_empty() || asked.iter().any(|one| **one == name))
    });
    cases.sort();
    cases
}

fn evaluate(case: &LaunderNet, shown: Shown) {
    let LaunderReplay {
        ledger,
        dollar,
        since,
    } = case.replay(run::CHAIN_ID, SEED).unwrap();
    let ledger = Arc::new(ledger);
    let scene = |options, endpoint| Scene {
        case,
        server: EvmServer::start(ledger.clone(), options).unwrap(),
        endpoint,
        dollar,
        since,
    };
    let plain = scene(EvmServerOptions::default(), "");
    for settings in RULES.map(Settings::of) {
        shown.print(&plain.trace(&settings));
    }
    let usual = Settings::of("fifo,haircut");
    shown.print(&plain.trace(&usual));
    for (endpoint, options) in endpoints() {
        shown.print(&scene(options, endpoint).trace(&usual));
    }
    if shown.sweep {
        for settings in Settings::sweep() {
            shown.print(&plain.trace(&settings));
        }
    }
}

impl Shown {
    fn print(self, outcome: &Outcome) {
        table::line(outcome);
        if self.errors {
            table::errors(outcome);
        }
    }
}

/// The case behind an archive node without limits.
fn plain(case: &LaunderNet) -> Scene<'_> {
    let LaunderReplay {
        ledger,
        dollar,
        since,
    } = case.replay(run::CHAIN_ID, SEED).unwrap();
    Scene {
        case,
        server: EvmServer::start(Arc::new(ledger), EvmServerOptions::default()).unwrap(),
        endpoint: "",
        dollar,
        since,
    }
}

/// Endpoints that offer less than an archive node of one's own.
fn endpoints() -> [(&'static str, EvmServerOptions); 2] {
    let limited = EvmServerOptions {
        log_blocks: Some(10_000),
        log_results: Some(10_000),
        batch: Some(100),
        ..EvmServerOptions::default()
    };
    let pruned = EvmServerOptions {
        profile: EvmProfile::Pruned { blocks: 128 },
        ..limited.clone()
    };
    [
        ("with a provider's limits", limited),
        ("limited and without old state", pruned),
    ]
}
