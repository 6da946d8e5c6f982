//! How fast blocks are scanned for what is watched, beside decoding the same blocks and merely walking through them.
//!
//! Run with `cargo bench -p hansel-scan`. The blocks are real ones, repeated with every outpoint and script made
//! different in each repetition, so that look-ups meet memory as they would on a chain. Block 866342 is used too where
//! `HANSEL_DATA` names the directory that holds it. Prints; asserts nothing about time.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::print_stdout,
    unreachable_pub,
    clippy::cast_precision_loss,
    reason = "a measurement"
)]

use std::fs;
use std::hint::black_box;
use std::time::Instant;

use alloy_primitives::{Address, Bloom, hex, keccak256};
use bitcoin::consensus::encode::deserialize;
use bitcoin::hashes::{Hash as _, sha256};
use bitcoin::p2p::Magic;
use bitcoin::{Block, OutPoint, ScriptBuf, Txid};
use hansel_scan::{AccountSet, BlockFiles, Scanner, Visitor, WatchSet, visit};
use serde_json::{Value, json};
use tempfile::TempDir;

#[path = "../crates/scan/tests/blocks/mod.rs"]
mod blocks;

/// Bytes of blocks in memory, far more than any cache holds.
const CORPUS: usize = 384_000_000;
/// Bytes of the whole main chain in October 2026, about.
const CHAIN: f64 = 800e9;
const ROUNDS: usize = 9;

fn main() {
    measure_accounts();
    let corpus = corpus();
    let bytes: usize = corpus.iter().map(Vec::len).sum();
    let directory = written(&corpus);
    let files = BlockFiles::open(directory.path(), Magic::BITCOIN).unwrap();
    println!("{} blocks, {} MB", corpus.len(), bytes / 1_000_000);
    println!(
        "| pass | watched outpoints and scripts | GB/s | of decoding | of the bare walk | whole chain | hits |"
    );
    println!("|---|---|---|---|---|---|---|");
    let walk = speed(bytes, || corpus.iter().map(|block| bare(block)).sum());
    let decode = speed(bytes, || corpus.iter().map(|block| decoded(block)).sum());
    let row = |name: &str, watched: &str, (speed, hits): (f64, usize)| {
        println!(
            "| {name} | {watched} | {speed:.2} | {:.1} | {:.2} | {:.0} s | {hits} |",
            speed / decode.0,
            speed / walk.0,
            CHAIN / speed / 1e9
        );
    };
    row("bare walk", "", walk);
    row("decode", "", decode);
    for (name, count) in [
        ("1,000", 1_000),
        ("1,000,000", 1_000_000),
        ("10,000,000", 10_000_000),
    ] {
        let (outpoints, scripts) = watched(&corpus, count);
        let begun = Instant::now();
        let watch = WatchSet::new(outpoints, &scripts).unwrap();
        let made = begun.elapsed();
        let mut scanner = Scanner::default();
        let scan = speed(bytes, || {
            let hits = |block: &Vec<u8>| scanner.scan(block, &watch).unwrap().1.len();
            corpus.iter().map(hits).sum()
        });
        row(
            &format!("scan (set made in {:.1} s)", made.as_secs_f64()),
            name,
            scan,
        );
        let read = speed(bytes, || from_files(&files, &mut scanner, &watch));
        assert_eq!(read.1, scan.1);
        row("scan of blk*.dat", name, read);
    }
}

/// Blocks of an EVM chain as nodes send them: 300 transactions of which most call a contract, all accounts different.
fn evm_blocks() -> Vec<String> {
    let account = |number: u64| Address::from_word(keccak256(number.to_le_bytes()));
    let transaction = |block: u64, position: u64| {
        let number = block * 1_000 + position;
        let words = usize::try_from([0, 2, 2, 5, 10, 24][usize::try_from(number % 6).unwrap()]);
        let input = format!("0xa9059cbb{}", hex::encode(vec![0x5a; words.unwrap() * 32]));
        json!({
            "blockHash": keccak256(b"block"), "blockNumber": "0x11a4b0c", "from": account(number),
            "gas": "0x5208", "gasPrice": "0x6fc23ac00", "maxFeePerGas": "0x6fc23ac00",
            "maxPriorityFeePerGas": "0x3b9aca00", "hash": keccak256(number.to_be_bytes()), "input": input,
            "nonce": "0x1f", "to": account(number + 500), "transactionIndex": "0x1", "value": "0x0",
            "type": "0x2", "accessList": [], "chainId": "0x1", "v": "0x1", "r": keccak256(b"r"), "s": keccak256(b"s"),
        })
    };
    let block = |block: u64| {
        let transactions: Vec<_> = (0..300)
            .map(|position| transaction(block, position))
            .collect();
        json!({
            "number": "0x11a4b0c", "hash": keccak256(b"block"), "parentHash": keccak256(b"parent"), "timestamp": "0x0",
            "logsBloom": Bloom::repeat_byte(0x5a), "miner": account(7), "transactions": transactions,
            "withdrawals": (0..16).map(|at| json!({"index": "0x1", "address": account(at)})).collect::<Vec<_>>(),
        })
        .to_string()
    };
    (0..250).map(block).collect()
}

fn measure_accounts() {
    let blocks = evm_blocks();
    let bytes: usize = blocks.iter().map(String::len).sum();
    println!(
        "\n{} blocks of an EVM chain, {} MB",
        blocks.len(),
        bytes / 1_000_000
    );
    println!("| watched accounts | GB/s | of untyped parsing | hits |");
    println!("|---|---|---|---|");
    let parse = |block: &String| {
        serde_json::from_str::<Value>(block)
            .unwrap()
            .as_object()
            .unwrap()
            .len()
    };
    let untyped = speed(bytes, || blocks.iter().map(parse).sum());
    for count in [1_000, 1_000_000] {
        // One in ten thousand is in the blocks.
        let number = |at: u64| {
            if at.is_multiple_of(10_000) {
                at / 10
            } else {
                at + 10_000_000
            }
        };
        let account = |at| Address::from_word(keccak256(number(at).to_le_bytes()));
        let set = AccountSet::new((0..count).map(account)).unwrap();
        let hits = |block: &String| set.scan(block.as_bytes()).unwrap().named.len();
        let (speed, hits) = speed(bytes, || blocks.iter().map(hits).sum());
        println!(
            "| {count} | {speed:.2} | {:.1} | {hits} |",
            speed / untyped.0
        );
    }
}

/// The blocks as a node writes them, masked, 128 MiB to a file; the system keeps them in memory.
fn written(corpus: &[Vec<u8>]) -> TempDir {
    const KEY: [u8; 8] = [0x5a, 3, 0x91, 0xff, 0, 7, 0xc4, 0x2e];
    let directory = TempDir::new().unwrap();
    let mut content = Vec::new();
    let mut number = 0;
    let mut write = |content: &mut Vec<u8>| {
        let masked = content.iter_mut().zip(KEY.into_iter().cycle());
        masked.for_each(|(byte, key)| *byte ^= key);
        fs::write(
            directory.path().join(format!("blk{number:05}.dat")),
            &content,
        )
        .unwrap();
        number += 1;
        content.clear();
    };
    for block in corpus {
        if content.len() + block.len() > 128 << 20 {
            write(&mut content);
        }
        content.extend(Magic::BITCOIN.to_bytes());
        content.extend(u32::try_from(block.len()).unwrap().to_le_bytes());
        content.extend(block);
    }
    write(&mut content);
    fs::write(directory.path().join("xor.dat"), KEY).unwrap();
    directory
}

fn from_files(files: &BlockFiles, scanner: &mut Scanner, watch: &WatchSet) -> usize {
    let mut hits = 0;
    let mut block = Vec::new();
    for number in files.numbers() {
        let mut file = files.file(*number).unwrap();
        while let Some(place) = file.next_place().unwrap() {
            file.read(&place, &mut block).unwrap();
            hits += scanner.scan(&block, watch).unwrap().1.len();
        }
    }
    hits
}

/// Gigabytes per second, best of some rounds, and what the work counted.
fn speed(bytes: usize, mut work: impl FnMut() -> usize) -> (f64, usize) {
    let mut best = f64::INFINITY;
    let mut counted = 0;
    for _ in 0..ROUNDS {
        let begun = Instant::now();
        counted = black_box(work());
        best = best.min(begun.elapsed().as_secs_f64());
    }
    (bytes as f64 / best / 1e9, counted)
}

/// Real blocks over and over, each time with other keys.
fn corpus() -> Vec<Vec<u8>> {
    let real = blocks::real_blocks();
    let places: Vec<_> = real.iter().map(|block| Keys::of(block)).collect();
    let mut corpus = Vec::new();
    let (mut bytes, mut round) = (0, 0_u64);
    while bytes < CORPUS {
        for (block, keys) in real.iter().zip(&places) {
            let mut block = block.clone();
            for place in &keys.0 {
                for (byte, change) in block[*place..*place + 8]
                    .iter_mut()
                    .zip(round.to_le_bytes())
                {
                    *byte ^= change;
                }
            }
            bytes += block.len();
            corpus.push(block);
        }
        round += 1;
    }
    corpus
}

/// Where eight bytes of every outpoint and of every script of eight bytes and more stand in a block.
#[derive(Default)]
struct Keys(Vec<usize>);

impl Keys {
    fn of(block: &[u8]) -> Self {
        let mut keys = Self::default();
        visit(block, &mut keys).unwrap();
        keys
    }
}

impl Visitor<'_> for Keys {
    fn transaction(&mut self, _offset: usize) {}

    fn input(&mut self, offset: usize, _outpoint: &[u8; 36]) {
        self.0.push(offset);
    }

    fn output(&mut self, offset: usize, _value: u64, script: &[u8]) {
        if (12..200).contains(&script.len()) {
            self.0.push(offset + 8 + 1 + 3);
        }
    }
}

/// As many outpoints and scripts, of which one in a hundred thousand is in the corpus.
fn watched(corpus: &[Vec<u8>], count: u32) -> (Vec<OutPoint>, Vec<ScriptBuf>) {
    let known: Block = deserialize(&corpus[corpus.len() / 2]).unwrap();
    let mut outpoints: Vec<_> = blocks::outpoints(&known).into_iter().take(10).collect();
    let mut scripts: Vec<_> = blocks::scripts(&known).into_iter().take(10).collect();
    for number in 0..count {
        let digest = sha256::Hash::hash(&number.to_le_bytes()).to_byte_array();
        let vout = number % 3;
        outpoints.push(OutPoint {
            txid: Txid::from_byte_array(digest),
            vout,
        });
        let length = [20, 20, 20, 32][usize::try_from(number % 4).unwrap()];
        let head = [0, u8::try_from(length).unwrap()];
        scripts.push(ScriptBuf::from([&head, &digest[..length]].concat()));
    }
    (outpoints, scripts)
}

#[derive(Default)]
struct Count(usize);

impl Visitor<'_> for Count {
    fn transaction(&mut self, _offset: usize) {}
    fn input(&mut self, _offset: usize, outpoint: &[u8; 36]) {
        self.0 += usize::from(outpoint[32] & 1);
    }
    fn output(&mut self, _offset: usize, _value: u64, script: &[u8]) {
        self.0 += script.len() & 1;
    }
}

fn bare(block: &[u8]) -> usize {
    let mut count = Count::default();
    visit(block, &mut count).unwrap();
    count.0
}

fn decoded(block: &[u8]) -> usize {
    deserialize::<Block>(block).unwrap().txdata.len()
}
