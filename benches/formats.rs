//! Time and memory of writing a report of 1,000,000 flows in every format, memory as the system counts it.
//!
//! Run with `cargo bench -p hansel-report`; `HANSEL_FLOWS` sets another number, `HANSEL_FORMAT` picks one format. Prints; asserts nothing about time.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a measurement"
)]

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufWriter, Write};
use std::time::{Duration, Instant};

use hansel_graph::{Direction, FeeRule, Rule};
use hansel_ledger::{Amount, UnixTime};
use hansel_report::model::*;
use hansel_report::{Format, Report, write_file};
use sha2::{Digest, Sha256};

const FLOWS: u64 = 1_000_000;
/// Every account has ten flows.
const PER_ACCOUNT: u64 = 10;
const RULES: [Rule; 2] = [Rule::Fifo, Rule::Haircut];

fn hash(number: u64) -> String {
    let digest = Sha256::digest(number.to_le_bytes());
    digest
        .iter()
        .fold(String::from("0x"), |text, byte| format!("{text}{byte:02x}"))
}

fn address(number: u64) -> String {
    hash(number)[..42].to_owned()
}

fn account(number: u64) -> String {
    format!("ethereum:account:{}", address(number))
}

/// Fourteen digits or more, as tokens of 18 decimals have them.
fn amount(number: u64) -> Amount {
    Amount::from(1_000_000_000_000_000 + number * 7_919)
}

/// What flows have in common, as the builders of reports share it.
struct Common {
    accounts: Vec<Shared>,
    addresses: Vec<Shared>,
    chain: Shared,
    asset: Shared,
    seed: Shared,
}

impl Common {
    fn of(accounts: u64) -> Self {
        Self {
            accounts: (0..accounts).map(|number| account(number).into()).collect(),
            addresses: (0..accounts).map(|number| address(number).into()).collect(),
            chain: "ethereum".into(),
            asset: "USDT".into(),
            seed: "s1".into(),
        }
    }
}

type Shares = (Sorted<Rule, Amount>, Sorted<Rule, Sorted<Shared, Amount>>);

fn shares(number: u64, seed: &Shared) -> Shares {
    let tainted = RULES.map(|rule| (rule, amount(number)));
    let claims = RULES.map(|rule| (rule, Sorted::from([(seed.clone(), amount(number))])));
    (tainted.into(), claims.into())
}

fn flow(number: u64, common: &Common) -> Flow {
    let number_of = |number: u64| usize::try_from(number).unwrap();
    let from = number_of(number / PER_ACCOUNT);
    let to = number_of(number * 31 + 1) % common.accounts.len();
    let (tainted, claims) = shares(number, &common.seed);
    let mut tx = hash(number);
    let mut id = format!("ethereum:log:{tx}:{}", number % 300);
    tx.shrink_to_fit();
    id.shrink_to_fit();
    Flow {
        id,
        chain: common.chain.clone(),
        tx,
        block: Some(18_000_000 + number / 100),
        time: Some(Timestamp(UnixTime(1_700_000_000 + number / 10))),
        from: common.accounts[from].clone(),
        to: common.accounts[to].clone(),
        from_addresses: vec![common.addresses[from].clone()],
        to_address: Some(common.addresses[to].clone()),
        asset: common.asset.clone(),
        amount: amount(number),
        tainted,
        claims,
        proof: Proof::Trie,
        kind: FlowKind::Transfer,
    }
}

fn node(number: u64, common: &Common) -> Node {
    let (tainted, claims) = shares(number, &common.seed);
    Node {
        id: account(number),
        kind: NodeKind::Account,
        chain: "ethereum".into(),
        address: Some(address(number)),
        block: Some(18_000_000 + number / 10),
        time: Some(Timestamp(UnixTime(1_700_000_000 + number))),
        labels: Vec::new(),
        coverage: Some(NodeCoverage {
            complete_through: Some(20_000_000),
        }),
        gaps: Vec::new(),
        holdings: vec![NodeHolding {
            asset: "USDT".into(),
            tainted,
            claims,
            since_block: 18_000_000,
        }],
        stop: number
            .is_multiple_of(3)
            .then(|| Stop::new(StopKind::AtRest, "the account has not moved it")),
    }
}

fn finding(number: u64) -> Finding {
    Finding {
        heuristic: "evm.sweep".into(),
        subjects: vec![account(number)],
        confidence: Confidence::Weak,
        evidence: vec![format!("ethereum:log:{}:0", hash(number))],
        parameters: BTreeMap::new(),
        error_rate: "none published".into(),
        summary: "the account passed on all it received".into(),
    }
}

fn report(flows: u64) -> Report {
    let accounts = flows.div_ceil(PER_ACCOUNT);
    let common = Common::of(accounts);
    let stolen = amount(0);
    let row = |rule: Rule| Accounting {
        seed: "s1".into(),
        rule,
        stolen,
        at_rest: stolen,
        exchanges: Amount::ZERO,
        mixers: Amount::ZERO,
        bridges: Amount::ZERO,
        services: Amount::ZERO,
        hubs: Amount::ZERO,
        frontier: Amount::ZERO,
        below_threshold: Amount::ZERO,
        fees: Amount::ZERO,
        burned: Amount::ZERO,
        total: stolen,
    };
    Report {
        schema: SchemaName,
        case: Case {
            name: "bench".into(),
            title: None,
            training: true,
            subjects: vec![address(0)],
            direction: Direction::Forward,
            limits: Limits::default(),
            overrides: Vec::new(),
            rules: RULES.into(),
            fee_rule: FeeRule::Last,
        },
        tips: Vec::new(),
        seeds: vec![Seed {
            id: "s1".into(),
            chain: "ethereum".into(),
            asset: "USDT".into(),
            decimals: 6,
            amount: stolen,
            tx: hash(0),
            vout: None,
            flow: Some(flow(0, &common).id),
            to: Some(address(0)),
            block: Some(18_000_000),
            time: None,
        }],
        assets: Vec::new(),
        accounting: RULES.map(row).into(),
        nodes: (0..accounts).map(|number| node(number, &common)).collect(),
        flows: (0..flows).map(|number| flow(number, &common)).collect(),
        findings: (0..accounts / 10).map(finding).collect(),
        cash_outs: Vec::new(),
        unknown: Vec::new(),
        values: None,
        sources: Vec::new(),
    }
}

/// The processor time of this thread so far, which other jobs on the machine do not lengthen; else that of the clock.
fn now(start: Instant) -> Duration {
    let told = std::fs::read_to_string("/proc/thread-self/schedstat").ok();
    let nanos = told.and_then(|told| told.split_whitespace().next()?.parse().ok());
    nanos.map_or_else(|| start.elapsed(), Duration::from_nanos)
}

/// Has the peak of the process's memory counted from now on, where the system can.
fn forget_peak() {
    // Source: proc_pid_clear_refs(5).
    let _ = std::fs::write("/proc/self/clear_refs", "5");
}

/// The megabytes of memory that the process had at its peak, as the system counts them.
fn peak() -> u64 {
    let told = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = told.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kibibytes = line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok());
    kibibytes.unwrap_or_default() * 1_024 / 1_000_000
}

/// Counts what passes.
struct Counted<W>(W, u64);

impl<W: Write> Write for Counted<W> {
    fn write(&mut self, piece: &[u8]) -> std::io::Result<usize> {
        let written = self.0.write(piece)?;
        self.1 += u64::try_from(written).unwrap();
        Ok(written)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.0.flush()
    }
}

fn main() {
    let asked = std::env::var("HANSEL_FLOWS").ok();
    let flows = asked.map_or(FLOWS, |flows| flows.parse().unwrap());
    let only = std::env::var("HANSEL_FORMAT").ok();
    let report = report(flows);
    forget_peak();
    println!(
        "{flows} flows, {} nodes: the report takes {} MB",
        report.nodes.len(),
        peak()
    );
    println!("| format | processor time | written | memory with the report |");
    println!("|---|---|---|---|");
    for format in Format::ALL {
        if only.as_ref().is_none_or(|only| only == format.name()) {
            measure(&report, format);
        }
    }
}

fn measure(report: &Report, format: Format) {
    forget_peak();
    let start = Instant::now();
    let before = now(start);
    let mut written = 0;
    for index in 0..format.suffixes().len() {
        let file = BufWriter::new(File::create("/dev/null").unwrap());
        let mut out = Counted(file, 0);
        if let Err(error) = write_file(report, format, index, &mut out) {
            return println!("| {format} | {error} | | |");
        }
        out.flush().unwrap();
        written += out.1;
    }
    println!(
        "| {format} | {:.1} s | {} MB | {} MB |",
        now(start).saturating_sub(before).as_secs_f64(),
        written / 1_000_000,
        peak()
    );
}
