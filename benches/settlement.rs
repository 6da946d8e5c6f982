//! Settlement speed and graph memory at 10^4, 10^5 and 10^6 transfers, under fifo and haircut together.
//!
//! Run with `cargo bench -p hansel-graph`. Prints; asserts nothing about time.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::cast_possible_truncation,
    reason = "a measurement"
)]

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use bitcoin::hashes::{Hash, sha256d};
use bitcoin::{Amount, BlockHash, OutPoint, ScriptBuf, Txid};
use hansel_graph::{Direction, FeeRule, FlowGraph, Rule, Seed, Settlement};
use hansel_ledger::{BlockRef, Input, Output, Placement, TransactionStatement, UnixTime};
use peak_alloc::PeakAlloc;

#[global_allocator]
static ALLOCATED: PeakAlloc = PeakAlloc;

const SIZES: [u64; 3] = [10_000, 100_000, 1_000_000];
const RUNS: usize = 3;

/// A theft of 10,000 BTC that spreads: each transaction spends one to three of the oldest outputs, some of
/// them clean, and makes two or three new ones.
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
        let wanted = 1 + self.roll(3);
        let mint = self.number == 1 || self.roll(20) == 0;
        let inputs = if mint { Vec::new() } else { self.take(wanted) };
        let paid: u64 = inputs
            .iter()
            .map(|input| input.spent.as_ref().unwrap().value.to_sat())
            .sum();
        let paid = if inputs.is_empty() {
            1_000_000_000_000
        } else {
            paid - paid.min(1_000)
        };
        let outputs = self.split(paid);
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
        let taken = (0..count).filter_map(|_| self.unspent.pop_front());
        taken
            .map(|(previous, output)| Input {
                previous,
                spent: Some(output),
            })
            .collect()
    }

    fn split(&mut self, paid: u64) -> Vec<Output> {
        let parts = 2 + self.roll(2);
        (0..parts)
            .map(|part| {
                let mut script = vec![0x00, 0x14];
                script.extend_from_slice(
                    &sha256d::Hash::hash(&[self.number.to_le_bytes(), part.to_le_bytes()].concat())
                        [..20],
                );
                Output {
                    value: Amount::from_sat(paid / parts),
                    script: ScriptBuf::from_bytes(script),
                }
            })
            .collect()
    }

    fn placement(&self) -> Placement {
        let height = self.number / 2_000;
        let hash = BlockHash::from_raw_hash(sha256d::Hash::hash(&height.to_be_bytes()));
        Placement::Confirmed(BlockRef {
            height,
            hash,
            time: UnixTime(height * 600),
        })
    }
}

struct Measured {
    transfers: u64,
    insert: Duration,
    settle: Duration,
    peak_per_transfer: usize,
    tainted: usize,
}

/// Fees are flows too, but only outputs are counted as transfers.
fn generate(size: u64) -> Vec<TransactionStatement> {
    let mut source = Ledger::new();
    let mut ledger = Vec::new();
    let mut transfers = 0;
    while transfers < size {
        let statement = source.next();
        transfers += statement.outputs.len() as u64;
        ledger.push(statement);
    }
    ledger
}

fn measure(size: u64) -> Measured {
    let ledger = generate(size);
    let mut graph = FlowGraph::default();
    let before = ALLOCATED.current_usage();
    ALLOCATED.reset_peak_usage();
    let started = Instant::now();
    for statement in &ledger {
        graph.insert(statement).unwrap();
    }
    let insert = started.elapsed();
    let transfers = graph.flow_count() as u64;
    let mut settlement = Settlement::new(
        &[Rule::Fifo, Rule::Haircut],
        FeeRule::Last,
        Direction::Forward,
    );
    let outpoint = OutPoint {
        txid: ledger[0].txid,
        vout: 0,
    };
    settlement.add_seed(Seed {
        outpoint,
        amount: ledger[0].outputs[0].value.to_sat(),
    });
    let started = Instant::now();
    settlement.update(&graph, graph.pools(), |_| {}).unwrap();
    let settle = started.elapsed();
    let peak = ALLOCATED.peak_usage() - before;
    let tainted = graph
        .flows()
        .filter(|flow| settlement.most_tainted(*flow) > 0)
        .count();
    Measured {
        transfers,
        insert,
        settle,
        peak_per_transfer: peak / graph.flow_count(),
        tainted,
    }
}

fn main() {
    println!(
        "transfers   tainted  insert ms  settle ms  transfers/s (settle)  peak bytes/transfer  time per transfer against 10^4"
    );
    let mut base = None;
    for size in SIZES {
        let runs: Vec<Measured> = (0..RUNS).map(|_| measure(size)).collect();
        let best = runs.iter().min_by_key(|run| run.settle).unwrap();
        let per_second = u128::from(best.transfers) * 1_000_000 / best.settle.as_micros().max(1);
        let each = best.settle.as_nanos() / u128::from(best.transfers);
        let base = *base.get_or_insert(each.max(1));
        println!(
            "{:9}  {:8}  {:9}  {:9}  {:20}  {:19}  {}.{:02}",
            best.transfers,
            best.tainted,
            best.insert.as_millis(),
            best.settle.as_millis(),
            per_second,
            best.peak_per_transfer,
            each / base,
            each * 100 / base % 100
        );
    }
}
