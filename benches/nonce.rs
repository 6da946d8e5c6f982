//! How many nonces the bisection asks for, and in how many rounds, against `k * (log2(N / k) + 2)`.
//!
//! Run with `cargo bench -p hansel-ethereum --bench nonce`. Prints; asserts that everything is found within the bound.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a measurement"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::time::Instant;

use alloy_primitives::Address;
use hansel_ethereum::history::{NonceSearch, Span};

const RANGES: [u32; 3] = [100_000, 5_000_000, 24_000_000];
const COUNTS: [u32; 4] = [1, 10, 100, 1_000];

struct Dice(u64);

impl Dice {
    fn below(&mut self, bound: u32) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 16) % u64::from(bound)
    }
}

/// Blocks of `count` transactions, anywhere or within bursts of at most 50 blocks.
fn blocks(dice: &mut Dice, count: u32, range: u32, clustered: bool) -> BTreeSet<u64> {
    let mut blocks = BTreeSet::new();
    let mut burst = 0;
    while blocks.len() < usize::try_from(count).unwrap() {
        if blocks.len() % 20 == 0 {
            burst = dice.below(range - 50);
        }
        let block = if clustered {
            burst + dice.below(50)
        } else {
            dice.below(range)
        };
        blocks.insert(1 + block);
    }
    blocks
}

/// As far apart as can be: the worst case.
fn spread(count: u32, range: u32) -> BTreeSet<u64> {
    let step = u64::from(range / count);
    (0..u64::from(count))
        .map(|number| 1 + number * step)
        .collect()
}

struct Outcome {
    probes: u32,
    rounds: u32,
    millis: u128,
}

fn search(chains: &BTreeMap<Address, Vec<u64>>, range: u32) -> Outcome {
    let started = Instant::now();
    let span = |address: &Address| Span {
        address: *address,
        since: 1,
        until: range.into(),
    };
    let mut search = NonceSearch::new(chains.keys().map(span), u64::MAX);
    let (mut probes, mut rounds) = (0, 0);
    loop {
        let round = search.probes();
        if round.is_empty() {
            break;
        }
        rounds += 1;
        probes += u32::try_from(round.len()).unwrap();
        for (account, height) in round {
            let nonce = chains[&account].partition_point(|block| *block <= height);
            let nonce = u64::try_from(nonce).unwrap();
            search.learn((account, height), nonce).unwrap();
        }
    }
    for (account, sent) in chains {
        let found = search.rises(&span(account)).into_iter();
        assert!(found.map(|rise| rise.block).eq(sent.iter().copied()));
    }
    Outcome {
        probes,
        rounds,
        millis: started.elapsed().as_millis(),
    }
}

fn bound(count: u32, range: u32) -> f64 {
    let (k, n) = (f64::from(count), f64::from(range));
    k * ((n / k).log2() + 2.0)
}

fn one_account(dice: &mut Dice, name: &str, count: u32, range: u32) {
    let sent = match name {
        "spread" => spread(count, range),
        "random" => blocks(dice, count, range, false),
        _ => blocks(dice, count, range, true),
    };
    let chains = BTreeMap::from([(Address::ZERO, sent.into_iter().collect())]);
    let outcome = search(&chains, range);
    let bound = bound(count, range);
    let share = f64::from(outcome.probes) / bound;
    // One more: the nonce at the end, which says how many there are.
    assert!(f64::from(outcome.probes - 1) <= bound);
    println!(
        "| {range} | {count} | {name} | {} | {bound:.0} | {share:.2} | {} |",
        outcome.probes, outcome.rounds
    );
}

fn main() {
    let mut dice = Dice(0x9e37_79b9_7f4a_7c15);
    println!("| blocks | transactions | where | nonces asked for | bound | share | rounds |");
    println!("|---|---|---|---|---|---|---|");
    for range in RANGES {
        for count in COUNTS {
            for name in ["spread", "random", "bursts"] {
                one_account(&mut dice, name, count, range);
            }
        }
    }
    let range = 5_000_000;
    let account = |number: u8| Address::with_last_byte(number);
    let chains: BTreeMap<_, Vec<u64>> = (0..100)
        .map(|number| (account(number), blocks(&mut dice, 20, range, false)))
        .map(|(account, sent)| (account, sent.into_iter().collect()))
        .collect();
    let outcome = search(&chains, range);
    println!(
        "\n100 accounts of 20 transactions each over {range} blocks: {} nonces (bound {:.0}) in {} rounds, {} ms",
        outcome.probes,
        100.0 * bound(20, range),
        outcome.rounds,
        outcome.millis
    );
}
