//! How long the detectors of both families of chains take over 10^4, 10^5 and 10^6 transfers, and the CoinJoin tests over
//! a full block.
//!
//! Run with `cargo bench -p hansel-heuristics`. One thread. Prints; asserts nothing about time.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a measurement"
)]

#[path = "detectors/accounts.rs"]
mod accounts;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::fs;
use std::sync::LazyLock;
use std::time::{Duration, Instant};

use bitcoin::consensus::encode::deserialize;
use bitcoin::hashes::{Hash, sha256d};
use bitcoin::{Amount, Block, BlockHash, OutPoint, ScriptBuf, Txid, WPubkeyHash};
use hansel_graph::FlowGraph;
use hansel_heuristics::bitcoin::{GraphView, TxView, coinjoin, detect};
use hansel_heuristics::{Finding, NoLabels};
use hansel_ledger::{BlockRef, Chain, Input, Output, Placement, TransactionStatement, UnixTime};

const SIZES: [usize; 3] = [10_000, 100_000, 1_000_000];
const RUNS: usize = 3;
const PASSES: u32 = 1_000;

fn main() {
    head("Bitcoin");
    for size in SIZES {
        graph(size);
    }
    head("EVM");
    for size in SIZES {
        accounts::measure(size);
    }
    block();
}

fn head(family: &str) {
    println!("\n| {family}: transfers | transactions | findings | detectors | per transfer |");
    println!("|---|---|---|---|---|");
}

fn row(transfers: usize, transactions: usize, took: Duration, found: &[Finding]) {
    let each = took / u32::try_from(transfers).unwrap();
    println!(
        "| {transfers} | {transactions} | {} | {took:.2?} | {each:.2?} |",
        found.len()
    );
    let mut kinds = BTreeMap::<&str, usize>::new();
    for finding in found {
        *kinds.entry(finding.heuristic).or_default() += 1;
    }
    println!("<!-- {kinds:?} -->");
}

fn graph(size: usize) {
    let (mut ledger, mut graph) = (Ledger::new(), FlowGraph::default());
    while graph.flow_count() < size {
        graph.insert(&ledger.next()).unwrap();
    }
    let (chain, unspent) = (Chain::bitcoin(), BTreeSet::new());
    let view = GraphView {
        chain: &chain,
        graph: &graph,
        labels: &NoLabels,
        unspent: &unspent,
        now: None,
    };
    let (took, found) = fastest(|| detect(&view));
    row(graph.flow_count(), graph.pool_count(), took, &found);
}

/// Block 702861: one mix of Wasabi and seven of Whirlpool. What its inputs hold is known where the block itself
/// made it; the others are taken to hold a thousandth bitcoin more than their share of the outputs, so that no test
/// ends for want of a value.
fn block() {
    let block: Block = deserialize(bitcoin_test_data::blocks::mainnet_702861()).unwrap();
    let statements: Vec<_> = block.txdata.iter().map(known).collect();
    let chain = Chain::bitcoin();
    let once = || {
        let views = statements.iter();
        let views = views.map(|statement| TxView::of_statement(&chain, statement));
        u32::try_from(views.filter_map(|view| coinjoin(&view)).count()).unwrap()
    };
    // A single pass is shorter than what the system counts in.
    let (took, found) = fastest(|| (0..PASSES).map(|_| once()).sum::<u32>() / PASSES);
    let took = took / PASSES;
    println!(
        "\nCoinJoin tests over block 702861 ({} transactions): {took:.2?}, {found} found",
        statements.len()
    );
}

fn known(transaction: &bitcoin::Transaction) -> TransactionStatement {
    let paid: u64 = transaction
        .output
        .iter()
        .map(|output| output.value.to_sat())
        .sum();
    let count = u64::try_from(transaction.input.len()).unwrap();
    let share = paid / count + 1_000;
    let input = |(index, input): (u64, &bitcoin::TxIn)| Input {
        previous: input.previous_output,
        spent: Some(output(share, index)),
    };
    let paid = |output: &bitcoin::TxOut| Output {
        value: output.value,
        script: output.script_pubkey.clone(),
    };
    TransactionStatement {
        txid: transaction.compute_txid(),
        placement: Placement::Unknown,
        inputs: (0..).zip(&transaction.input).map(input).collect(),
        outputs: transaction.output.iter().map(paid).collect(),
    }
}

/// How long this thread has been on a processor, which is the same on a loaded machine; the clock where the system
/// does not say.
fn busy() -> Duration {
    static START: LazyLock<Instant> = LazyLock::new(Instant::now);
    let told = fs::read_to_string("/proc/thread-self/schedstat").ok();
    let spent = told.and_then(|told| told.split_whitespace().next()?.parse().ok());
    spent.map_or_else(|| START.elapsed(), Duration::from_nanos)
}

fn fastest<T>(mut work: impl FnMut() -> T) -> (Duration, T) {
    let runs = (0..RUNS).map(|_| {
        let start = busy();
        let result = work();
        (busy() - start, result)
    });
    runs.min_by_key(|(took, _)| *took).unwrap()
}

/// Payments of one to three coins to two or three people, with a consolidation, a mix of equal outputs and a
/// payout now and then.
struct Ledger {
    number: u64,
    dice: u64,
    unspent: VecDeque<(OutPoint, Output)>,
}

impl Ledger {
    fn new() -> Self {
        Self {
            number: 0,
            dice: 1,
            unspent: VecDeque::new(),
        }
    }

    fn roll(&mut self, below: u64) -> u64 {
        self.dice = self
            .dice
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.dice >> 33) % below
    }

    fn next(&mut self) -> TransactionStatement {
        self.number += 1;
        let txid = Txid::from_raw_hash(sha256d::Hash::hash(&self.number.to_le_bytes()));
        let kind = self.roll(100);
        let wanted = match kind {
            0..5 => 0,
            5..8 => 12,
            8..11 => 6,
            _ => 1 + self.roll(3),
        };
        let inputs = if self.number < 100 {
            Vec::new()
        } else {
            self.take(wanted)
        };
        let paid: u64 = inputs
            .iter()
            .map(|input| input.spent.as_ref().unwrap().value.to_sat())
            .sum();
        let paid = if inputs.is_empty() {
            5_000_000_000
        } else {
            paid - paid.min(1_000)
        };
        let outputs = self.split(paid, kind);
        for (vout, output) in (0..).zip(&outputs) {
            self.unspent
                .push_back((OutPoint { txid, vout }, output.clone()));
        }
        TransactionStatement {
            txid,
            placement: self.placement(),
            inputs,
            outputs,
        }
    }

    fn take(&mut self, count: u64) -> Vec<Input> {
        let count = usize::try_from(count).unwrap().min(self.unspent.len());
        let taken = self.unspent.drain(..count);
        taken
            .map(|(previous, spent)| Input {
                previous,
                spent: Some(spent),
            })
            .collect()
    }

    fn split(&mut self, paid: u64, kind: u64) -> Vec<Output> {
        let values = match kind {
            5..8 => vec![paid],
            8..11 => {
                let equal = paid / 8;
                let (rest, part) = (paid - 5 * equal, paid / 16);
                vec![
                    equal,
                    equal,
                    equal,
                    equal,
                    equal,
                    part,
                    part,
                    part / 2,
                    rest - part * 2 - part / 2,
                ]
            }
            11..13 => (1..=20).map(|part| paid / 210 * part).collect(),
            _ => {
                let peel = paid / (2 + self.roll(20));
                vec![peel, paid - peel]
            }
        };
        values
            .into_iter()
            .map(|value| {
                let owner = if self.roll(10) == 0 {
                    self.number / 2
                } else {
                    self.roll(1 << 40)
                };
                output(value, owner)
            })
            .collect()
    }

    fn placement(&self) -> Placement {
        let height = self.number / 2_000;
        Placement::Confirmed(BlockRef {
            height,
            hash: BlockHash::hash(&height.to_le_bytes()),
            time: UnixTime(1_600_000_000 + 600 * height),
        })
    }
}

fn output(value: u64, owner: u64) -> Output {
    let script = ScriptBuf::new_p2wpkh(&WPubkeyHash::hash(&owner.to_le_bytes()));
    Output {
        value: Amount::from_sat(value),
        script,
    }
}
