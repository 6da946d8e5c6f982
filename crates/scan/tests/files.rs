//! Blocks in files as Bitcoin Core writes them: masked, in any order, with gaps and cut tails.

#![allow(clippy::unwrap_used, reason = "a step that fails is a test that fails")]

use std::fs;
use std::path::Path;

use bitcoin::consensus::encode::{deserialize, serialize};
use bitcoin::p2p::Magic;
use bitcoin::{Block, BlockHash};
use hansel_scan::{BlockFiles, BlockIndex, FilesError, Place, has_its_transactions};
use hansel_testkit::{Indexes, Payee, Regtest, require_bitcoind};
use tempfile::TempDir;

const KEY: [u8; 8] = [0x11, 0x32, 0, 0xfe, 5, 6, 7, 0x88];

/// Blocks that follow each other, of different lengths.
fn chain(length: usize) -> Vec<Block> {
    let real: Block = deserialize(bitcoin_test_data::blocks::mainnet_702861()).unwrap();
    let mut previous = real.header.prev_blockhash;
    let block = |number: usize| {
        let mut header = real.header;
        header.prev_blockhash = previous;
        let txdata = real.txdata[number..number * 3 + 1].to_vec();
        let block = Block { header, txdata };
        previous = block.block_hash();
        block
    };
    (0..length).map(block).collect()
}

fn framed(block: &Block) -> Vec<u8> {
    let bytes = serialize(block);
    let length = u32::try_from(bytes.len()).unwrap();
    [
        &Magic::BITCOIN.to_bytes()[..],
        &length.to_le_bytes(),
        &bytes,
    ]
    .concat()
}

fn write(directory: &Path, number: u32, key: [u8; 8], content: &[u8]) {
    let masked = content.iter().zip(key.into_iter().cycle());
    let masked: Vec<u8> = masked.map(|(byte, key)| byte ^ key).collect();
    fs::write(directory.join(format!("blk{number:05}.dat")), masked).unwrap();
    fs::write(directory.join("xor.dat"), key).unwrap();
}

fn places(files: &BlockFiles, number: u32) -> (Vec<Place>, u64) {
    let mut file = files.file(number).unwrap();
    let mut places = Vec::new();
    while let Some(place) = file.next_place().unwrap() {
        places.push(place);
    }
    (places, file.passed())
}

fn hashes(places: &[Place]) -> Vec<BlockHash> {
    places.iter().map(|place| place.hash).collect()
}

#[test]
fn blocks_in_any_order_over_several_files_become_a_path() {
    let chain = chain(12);
    let directory = TempDir::new().unwrap();
    for (number, order) in [[3, 1, 0, 2], [7, 4, 6, 5], [9, 8, 11, 10]]
        .iter()
        .enumerate()
    {
        let content = order.map(|block: usize| framed(&chain[block])).concat();
        write(
            directory.path(),
            u32::try_from(number).unwrap(),
            KEY,
            &content,
        );
    }
    let files = BlockFiles::open(directory.path(), Magic::BITCOIN).unwrap();
    assert_eq!(files.numbers(), [0, 1, 2]);
    let mut index = BlockIndex::new(&files);
    let hash = |number: usize| chain[number].block_hash();
    let path = index.path(hash(2), hash(11)).unwrap();
    assert_eq!(hashes(&path), (3..12).map(hash).collect::<Vec<_>>());
    assert_eq!(index.path(hash(5), hash(5)).unwrap(), []);
    let mut buffer = Vec::new();
    for (place, block) in path.iter().zip(&chain[3..]) {
        let mut file = files.file(place.file).unwrap();
        file.read(place, &mut buffer).unwrap();
        assert_eq!(buffer, serialize(block));
    }
    let backwards = index.path(hash(11), hash(2)).unwrap_err();
    let hash = chain[0].header.prev_blockhash;
    assert!(matches!(backwards, FilesError::NotThere { hash: not } if not == hash));
}

#[test]
fn what_the_node_set_aside_and_what_was_cut_is_passed_over() {
    let chain = chain(6);
    let directory = TempDir::new().unwrap();
    let last = framed(&chain[3]);
    // The third block was cut by a crash, which is followed by zeros and half a magic.
    let cut = [
        &framed(&chain[2])[..500],
        &[0; 70_000],
        &Magic::BITCOIN.to_bytes()[..2],
    ]
    .concat();
    let content = [framed(&chain[0]), framed(&chain[1]), cut, last.clone()].concat();
    write(
        directory.path(),
        0,
        KEY,
        &[&content[..], &[0; 300]].concat(),
    );
    write(
        directory.path(),
        1,
        KEY,
        &[&framed(&chain[4])[..], &last[..90]].concat(),
    );
    write(directory.path(), 2, KEY, &[0; 200_000]);
    write(directory.path(), 3, KEY, &[]);
    let files = BlockFiles::open(directory.path(), Magic::BITCOIN).unwrap();
    let (found, passed) = places(&files, 0);
    let hash = |number: usize| chain[number].block_hash();
    assert_eq!(hashes(&found), [hash(0), hash(1), hash(2), hash(3)]);
    let announced = framed(&chain[2]).len();
    let all = u64::try_from(500 + 70_000 + 2 - announced + 300).unwrap();
    assert_eq!(passed, all);
    let mut buffer = Vec::new();
    files.file(0).unwrap().read(&found[2], &mut buffer).unwrap();
    assert_ne!(has_its_transactions(&buffer), Ok(true));
    let (found, passed) = places(&files, 1);
    assert_eq!((hashes(&found), passed), (vec![hash(4)], 90));
    assert_eq!(places(&files, 2), (vec![], 200_000));
    assert_eq!(places(&files, 3), (vec![], 0));
}

#[test]
fn a_window_of_the_search_may_end_within_the_magic() {
    let chain = chain(2);
    let directory = TempDir::new().unwrap();
    for gap in (1 << 16) - 6..(1 << 16) + 6 {
        let content = [&vec![7; gap][..], &framed(&chain[0]), &framed(&chain[1])].concat();
        write(directory.path(), 0, [0; 8], &content);
        let files = BlockFiles::open(directory.path(), Magic::BITCOIN).unwrap();
        let (found, passed) = places(&files, 0);
        assert_eq!((found.len(), passed), (2, u64::try_from(gap).unwrap()));
    }
}

#[test]
fn a_directory_without_blocks_and_a_wrong_key_are_refused() {
    let directory = TempDir::new().unwrap();
    let refused = |wanted: &str| {
        let error = BlockFiles::open(directory.path(), Magic::BITCOIN).unwrap_err();
        assert!(error.to_string().contains(wanted), "{error}");
    };
    refused("holds no blk*.dat");
    fs::write(directory.path().join("blk1.dat"), "").unwrap();
    refused("holds no blk*.dat");
    fs::write(directory.path().join("blk00000.dat"), "").unwrap();
    fs::write(directory.path().join("xor.dat"), "abc").unwrap();
    refused("has 3 bytes instead of 8");
}

#[test]
fn a_file_that_became_shorter_is_said_to_end_within_the_block() {
    let chain = chain(3);
    let directory = TempDir::new().unwrap();
    write(directory.path(), 0, KEY, &framed(&chain[2]));
    let files = BlockFiles::open(directory.path(), Magic::BITCOIN).unwrap();
    let mut file = files.file(0).unwrap();
    let place = file.next_place().unwrap().unwrap();
    write(directory.path(), 0, KEY, &framed(&chain[2])[..300]);
    let error = file.read(&place, &mut Vec::new()).unwrap_err();
    assert!(
        matches!(error, FilesError::Cut { offset: 8, .. }),
        "{error}"
    );
}

#[test]
fn a_block_whose_transactions_are_not_those_of_its_header_is_known() {
    let raw = bitcoin_test_data::blocks::mainnet_702861();
    assert_eq!(has_its_transactions(raw), Ok(true));
    let mut changed = raw.to_vec();
    changed[36] ^= 1;
    assert_eq!(has_its_transactions(&changed), Ok(false));
    let mut changed = raw.to_vec();
    let end = changed.len() - 1;
    changed[end] ^= 1;
    assert_eq!(has_its_transactions(&changed), Ok(false));
}

#[test]
fn the_files_of_a_real_node_hold_the_blocks_that_it_tells_of() {
    let Some(bitcoind) = require_bitcoind() else {
        return;
    };
    let mut regtest = Regtest::start(&bitcoind, Indexes::NONE).unwrap();
    let coins = regtest.fund(Payee::Segwit(1), 5);
    let first = regtest.tip();
    for coin in coins {
        let paid = [hansel_testkit::Pay::rest(Payee::Taproot(2))];
        regtest.pay(&[coin], &paid, 1_000);
        regtest.mine();
    }
    let stale = regtest.mine();
    regtest.invalidate(stale);
    regtest.mine_to(Payee::Segwit(3));
    let blocks = regtest.node().directory().join("regtest/blocks");
    assert_ne!(fs::read(blocks.join("xor.dat")).unwrap(), [0; 8]);
    let files = BlockFiles::open(&blocks, Magic::REGTEST).unwrap();
    let mut index = BlockIndex::new(&files);
    let path = index.path(first, regtest.tip()).unwrap();
    assert!(path.len() >= 5 && !hashes(&path).contains(&stale));
    let mut buffer = Vec::new();
    for place in &path {
        files
            .file(place.file)
            .unwrap()
            .read(place, &mut buffer)
            .unwrap();
        let told = serde_json::json!([place.hash, 0]);
        let told = regtest.node().call("getblock", told).unwrap();
        let told = <Vec<u8> as bitcoin::hex::FromHex>::from_hex(told.as_str().unwrap()).unwrap();
        assert_eq!(buffer, told);
        assert_eq!(has_its_transactions(&buffer), Ok(true));
    }
}
