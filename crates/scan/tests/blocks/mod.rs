//! Real blocks, and what a decoder that reads everything finds in them.
#![allow(
    dead_code,
    clippy::unwrap_used,
    clippy::print_stderr,
    reason = "each test uses its own part; a step that fails is a test that fails"
)]

use std::collections::HashMap;
use std::io::Read as _;
use std::path::PathBuf;

use bitcoin::{Block, OutPoint, ScriptBuf};
use hansel_scan::{Hit, Touch};

/// The real blocks at hand: 702861, and 866342 where `HANSEL_DATA` names the directory that holds it.
pub(crate) fn real_blocks() -> Vec<Vec<u8>> {
    let mut blocks = vec![bitcoin_test_data::blocks::mainnet_702861().to_vec()];
    let Some(data) = std::env::var_os("HANSEL_DATA").map(PathBuf::from) else {
        eprintln!("skipped block 866342: HANSEL_DATA names no directory of chain data");
        return blocks;
    };
    let path = data.join("bitcoin-blocks/mainnet_866342.raw.gz");
    let mut block = Vec::new();
    let file = std::fs::File::open(path).unwrap();
    flate2::read::GzDecoder::new(file)
        .read_to_end(&mut block)
        .unwrap();
    blocks.push(block);
    blocks
}

/// The hits in a decoded block.
pub(crate) fn expected(block: &Block, outpoints: &[OutPoint], scripts: &[ScriptBuf]) -> Vec<Hit> {
    let outpoints = numbers(outpoints);
    let scripts = numbers(scripts);
    let mut hits = Vec::new();
    for (position, transaction) in block.txdata.iter().enumerate() {
        let spent = transaction.input.iter().enumerate();
        let spent = spent.filter_map(|(input, spent)| {
            let watched = *outpoints.get(&spent.previous_output)?;
            Some(Touch::Spent { input, watched })
        });
        let paid = transaction.output.iter().enumerate();
        let paid = paid.filter_map(|(output, paid)| {
            let watched = *scripts.get(&paid.script_pubkey)?;
            let value = paid.value;
            Some(Touch::Paid {
                output,
                watched,
                value,
            })
        });
        let touches: Vec<_> = spent.chain(paid).collect();
        if touches.is_empty() {
            continue;
        }
        let txid = transaction.compute_txid();
        hits.extend(touches.into_iter().map(|touch| Hit {
            txid,
            position,
            touch,
        }));
    }
    hits
}

fn numbers<K: Clone + Eq + std::hash::Hash>(keys: &[K]) -> HashMap<K, u32> {
    let mut numbers = HashMap::new();
    for key in keys {
        let next = u32::try_from(numbers.len()).unwrap();
        numbers.entry(key.clone()).or_insert(next);
    }
    numbers
}

pub(crate) fn outpoints(block: &Block) -> Vec<OutPoint> {
    let inputs = block.txdata.iter().flat_map(|tx| &tx.input);
    inputs.map(|input| input.previous_output).collect()
}

pub(crate) fn scripts(block: &Block) -> Vec<ScriptBuf> {
    let outputs = block.txdata.iter().flat_map(|tx| &tx.output);
    outputs.map(|output| output.script_pubkey.clone()).collect()
}
