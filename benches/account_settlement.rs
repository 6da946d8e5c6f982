//! Speed and memory of account settlement at 10^4, 10^5 and 10^6 transfers, under fifo and haircut together.
//!
//! Run with `cargo bench -p hansel-graph`. Prints; asserts nothing about time.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::cast_possible_truncation,
    reason = "a measurement"
)]

use std::time::{Duration, Instant};

use alloy_primitives::{Address, B256, Bytes, keccak256};
use hansel_graph::{AccountFacts, AccountSeed, AccountSettlement, FeeRule, Rule};
use hansel_ledger::{
    AccountNature, AccountStatement, Amount, BlockRef, Coin, Coverage, EvmPlacement,
    EvmTransaction, InternalTransfers, Movement, Noise, Origin, UnixTime,
};
use peak_alloc::PeakAlloc;

#[global_allocator]
static ALLOCATED: PeakAlloc = PeakAlloc;

const SIZES: [u64; 3] = [10_000, 100_000, 1_000_000];
const RUNS: usize = 3;

/// A theft of 10,000 ether that spreads over followed accounts, one for every ten transfers: four of five
/// transactions pay one account, the others swap or pay through a router.
struct Chain {
    dice: u64,
    accounts: u64,
    number: u64,
}

fn address(number: u64) -> Address {
    Address::from_slice(&keccak256(number.to_be_bytes())[12..])
}

fn token() -> Coin {
    Coin::Token(address(u64::MAX))
}

impl Chain {
    fn roll(&mut self, below: u64) -> u64 {
        self.dice = self
            .dice
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.dice >> 33) % below
    }

    /// An account that taint may have reached by now, as the theft spreads from the first one.
    fn reached(&mut self) -> Address {
        let spread = (self.number / 8 + 1).min(self.accounts);
        address(self.roll(spread))
    }

    fn anybody(&mut self) -> Address {
        let spread = (self.number / 4 + 2).min(self.accounts);
        address(self.roll(spread))
    }

    fn next(&mut self) -> EvmTransaction {
        self.number += 1;
        let (from, to) = (self.reached(), self.anybody());
        let (pair, router) = (address(u64::MAX - 1), address(u64::MAX - 2));
        let units = if self.number == 1 {
            10_000_000_000_000
        } else {
            1_000_000 + self.roll(1_000_000_000)
        };
        let (moves, executed) = match self.roll(10) {
            0 if self.number > 1 => (
                vec![(from, pair, Coin::Native), (pair, to, token())],
                vec![pair],
            ),
            1 if self.number > 1 => (
                vec![(from, router, Coin::Native), (router, to, Coin::Native)],
                vec![router],
            ),
            _ => (vec![(from, to, Coin::Native)], Vec::new()),
        };
        let movements = (0..).zip(moves).map(|(step, (from, to, coin))| Movement {
            origin: match coin {
                Coin::Native => Origin::Call(vec![step]),
                Coin::Token(_) => Origin::Log(u64::from(step)),
            },
            from,
            to,
            coin,
            amount: Amount::from(units),
        });
        self.transaction(from, movements.collect(), executed)
    }

    fn transaction(
        &self,
        sender: Address,
        movements: Vec<Movement>,
        executed: Vec<Address>,
    ) -> EvmTransaction {
        let height = self.number / 150;
        EvmTransaction {
            hash: keccak256(self.number.to_le_bytes()),
            placement: EvmPlacement {
                block: BlockRef::evm(height, B256::ZERO, UnixTime(height * 12)),
                index: (self.number % 150) as u32,
            },
            sender,
            to: movements.first().map(|movement| movement.to),
            succeeded: true,
            fee: Amount::from(21_000),
            gas_price: None,
            movements,
            created: Vec::new(),
            executed,
            trades: Vec::new(),
            events: Vec::new(),
            carried: Bytes::default(),
            noise: Noise::default(),
            internal: InternalTransfers::Known,
        }
    }
}

fn statement(account: u64, coin: Coin) -> AccountStatement {
    AccountStatement {
        address: address(account),
        coin,
        since: 0,
        until: u64::MAX,
        opening: Some(Amount::from(10_000_000_000)),
        closing: None,
        nature: AccountNature::External,
        transactions: Vec::new(),
        arrivals: Vec::new(),
        noise: Noise::default(),
        coverage: Coverage::default(),
    }
}

/// Processor time of this thread where the system tells it, which other jobs do not disturb; else time.
fn clock(started: Instant) -> Duration {
    let told = std::fs::read_to_string("/proc/thread-self/schedstat").ok();
    let nanos = told.and_then(|told| told.split(' ').next()?.parse().ok());
    nanos.map_or_else(|| started.elapsed(), Duration::from_nanos)
}

struct Measured {
    transfers: u64,
    tainted: usize,
    settle: Duration,
    peak_per_transfer: usize,
}

fn measure(size: u64) -> Measured {
    let mut facts = AccountFacts::default();
    let accounts = size / 10;
    for account in 0..accounts {
        facts.add_statement(statement(account, Coin::Native));
        facts.add_statement(statement(account, token()));
    }
    let mut chain = Chain {
        dice: 1,
        accounts,
        number: 0,
    };
    let (mut transfers, mut seeds) = (0, Vec::new());
    while transfers < size {
        let transaction = chain.next();
        transfers += transaction.movements.len() as u64;
        if seeds.is_empty() {
            let stolen = &transaction.movements[0];
            seeds.push(AccountSeed {
                hash: transaction.hash,
                origin: stolen.origin.clone(),
                coin: stolen.coin,
                amount: stolen.amount,
                to: stolen.to,
                parts: None,
            });
        }
        facts.add_transaction(transaction);
    }
    let before = ALLOCATED.current_usage();
    ALLOCATED.reset_peak_usage();
    let epoch = Instant::now();
    let started = clock(epoch);
    let rules = [Rule::Fifo, Rule::Haircut];
    let settled = AccountSettlement::settle(&facts, &seeds, &rules, FeeRule::Last).unwrap();
    let settle = clock(epoch) - started;
    Measured {
        transfers,
        tainted: settled.flows().count(),
        settle,
        peak_per_transfer: (ALLOCATED.peak_usage() - before) / transfers as usize,
    }
}

fn main() {
    println!(
        "transfers   tainted  settle ms  transfers/s  peak bytes/transfer  time per transfer against 10^4"
    );
    let mut base = None;
    for size in SIZES {
        let runs: Vec<Measured> = (0..RUNS).map(|_| measure(size)).collect();
        let best = runs.iter().min_by_key(|run| run.settle).unwrap();
        let per_second = u128::from(best.transfers) * 1_000_000 / best.settle.as_micros().max(1);
        let each = best.settle.as_nanos() / u128::from(best.transfers);
        let base = *base.get_or_insert(each.max(1));
        println!(
            "{:9}  {:8}  {:9}  {:11}  {:19}  {}.{:02}",
            best.transfers,
            best.tainted,
            best.settle.as_millis(),
            per_second,
            best.peak_per_transfer,
            each / base,
            each * 100 / base % 100
        );
    }
}
