//! Looking addresses up among 10^4, 10^5 and 10^6 labels, and loading those.
//!
//! Run with `cargo bench -p hansel-labels`. Prints; asserts nothing about time.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a measurement"
)]

use std::fmt::Write as _;
use std::fs;
use std::hint::black_box;
use std::sync::Arc;
use std::time::{Duration, Instant};

use hansel_heuristics::Labels as _;
use hansel_labels::{Day, LabelBook, Pack, Reader};
use hansel_ledger::{Asset, Chain, EvmNetwork, Family};
use sha2::{Digest, Sha256};

const SIZES: [u32; 3] = [10_000, 100_000, 1_000_000];
const RUNS: usize = 5;
/// A prime larger than any size, so that steps of it meet every label once, in an order far from the file's.
const STRIDE: u64 = 1_000_003;

/// The address of a number; half of all are Bitcoin's.
fn address(number: u32) -> (&'static str, String) {
    let digest = Sha256::digest(number.to_le_bytes());
    if number.is_multiple_of(2) {
        let hex = digest
            .iter()
            .take(20)
            .fold(String::from("0x"), |mut hex, byte| {
                write!(hex, "{byte:02x}").unwrap();
                hex
            });
        return ("ethereum", hex);
    }
    let program = bitcoin::WitnessProgram::new(bitcoin::WitnessVersion::V0, &digest[..20]).unwrap();
    let address = bitcoin::Address::from_witness_program(program, bitcoin::Network::Bitcoin);
    ("bitcoin", address.to_string())
}

fn chains() -> Vec<Chain> {
    let network = EvmNetwork {
        chain_id: 1,
        native: Asset {
            symbol: "ETH".into(),
            decimals: 18,
        },
        wrapped: None,
        tokens: Vec::new(),
        blocks: hansel_ledger::BlockForm::default(),
    };
    let ethereum = Chain::new("ethereum", Family::Evm(Arc::new(network))).unwrap();
    vec![Chain::bitcoin(), ethereum]
}

/// A table of so many labels, most of which have a name of their own.
fn pack(size: u32) -> (Pack, Duration) {
    let mut table = String::from("address,chain,label,actor,category,source,confidence,as_of\n");
    for number in 0..size {
        let (chain, address) = address(number);
        let day = 1 + number % 28;
        writeln!(
            table,
            "{address},{chain},deposit {number},entity{},exchange,https://example.org/{},web_crawl,2024-01-{day:02}",
            number % 1_000,
            number % 5_000
        )
        .unwrap();
    }
    let chains = chains();
    let today: Day = "2026-11-21".parse().unwrap();
    let reader = Reader {
        file: "table",
        name: "table",
        chains: &chains,
        today: &today,
        imported: true,
    };
    let (time, pack) = timed(|| reader.csv(table.as_bytes()).unwrap());
    assert_eq!(u32::try_from(pack.len()), Ok(size));
    (pack, time)
}

/// The time of one look-up of `sought`, of a million in all, and how many labels one round found.
fn look_up(book: &LabelBook, sought: &[(&str, String)]) -> (Duration, usize) {
    let count = u32::try_from(sought.len()).unwrap();
    let rounds = SIZES[2] / count;
    let round = || -> usize {
        let found = sought.iter();
        found
            .map(|(chain, address)| black_box(book.lookup(chain, address)).len())
            .sum()
    };
    let (time, found) = timed(|| (0..rounds).map(|_| round()).sum::<usize>());
    (
        time / (count * rounds),
        found / usize::try_from(rounds).unwrap(),
    )
}

/// Every number below `size` once, far from its neighbours.
fn scattered(size: u32) -> impl Iterator<Item = u32> {
    let all = u64::from(size);
    (0..all).map(move |step| u32::try_from(step * STRIDE % all).unwrap())
}

/// The processor time of this thread so far, which other jobs on the machine do not lengthen; else that of the clock.
fn now(start: Instant) -> Duration {
    let told = fs::read_to_string("/proc/thread-self/schedstat").ok();
    let nanos = told.and_then(|told| told.split_whitespace().next()?.parse().ok());
    nanos.map_or_else(|| start.elapsed(), Duration::from_nanos)
}

/// How long something takes.
fn timed<T>(something: impl FnOnce() -> T) -> (Duration, T) {
    let start = Instant::now();
    let before = now(start);
    let result = something();
    (now(start).saturating_sub(before), result)
}

fn best(measure: impl Fn() -> Duration) -> Duration {
    (0..RUNS).map(|_| measure()).min().unwrap()
}

fn main() {
    println!("| labels | import | bytes | load | found | not found | found against 10^4 |");
    println!("|---|---|---|---|---|---|---|");
    let place = std::env::temp_dir().join(format!("hansel-labels-{}", std::process::id()));
    let mut smallest = None;
    for size in SIZES {
        let (pack, import) = pack(size);
        fs::write(&place, pack.to_bytes()).unwrap();
        drop(pack);
        let load = || LabelBook::new(vec![Pack::from_bytes(&fs::read(&place).unwrap()).unwrap()]);
        let loading = best(|| timed(|| black_box(load())).0);
        let book = load();
        let there: Vec<_> = scattered(size).map(address).collect();
        let not_there: Vec<_> = scattered(size)
            .map(|number| address(number + size))
            .collect();
        assert_eq!(look_up(&book, &there).1, there.len());
        assert_eq!(look_up(&book, &not_there).1, 0);
        let found = best(|| look_up(&book, &there).0);
        let missed = best(|| look_up(&book, &not_there).0);
        let first = *smallest.get_or_insert(found);
        println!(
            "| {size} | {} ms | {} | {} ms | {} ns | {} ns | {:.2} |",
            import.as_millis(),
            fs::metadata(&place).unwrap().len(),
            loading.as_millis(),
            found.as_nanos(),
            missed.as_nanos(),
            found.as_secs_f64() / first.as_secs_f64()
        );
    }
    fs::remove_file(&place).unwrap();
}
