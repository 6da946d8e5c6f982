//! What a scan finds in raw blocks, beside what a decoder finds that reads everything.

mod blocks;

use std::collections::BTreeMap;

use bitcoin::consensus::encode::{deserialize, serialize};
use bitcoin::hashes::Hash as _;
use bitcoin::{
    Amount, Block, OutPoint, ScriptBuf, Sequence, Transaction, TxIn, TxOut, Txid, Witness,
};
use blocks::{expected, outpoints, real_blocks, scripts};
use hansel_scan::{BlockError, KeySet, Scanner, WatchSet};
use proptest::prelude::*;

/// Every so many outpoints and scripts of the block are watched, and as many that it does not hold.
fn some_of(block: &Block, step: usize) -> (Vec<OutPoint>, Vec<ScriptBuf>) {
    let mut outpoints: Vec<_> = outpoints(block).into_iter().step_by(step).collect();
    let mut scripts: Vec<_> = scripts(block).into_iter().step_by(step).collect();
    outpoints.extend(outpoints.clone().into_iter().map(|outpoint| OutPoint {
        vout: outpoint.vout ^ 0x4000,
        ..outpoint
    }));
    scripts.extend(scripts.clone().into_iter().map(|script| {
        let mut bytes = script.into_bytes();
        bytes.push(0x51);
        ScriptBuf::from(bytes)
    }));
    (outpoints, scripts)
}

/// The first transactions of a block, with a header that no longer fits them.
fn beginning(block: &Block, transactions: usize) -> Block {
    Block {
        header: block.header,
        txdata: block.txdata[..transactions].to_vec(),
    }
}

#[test]
fn real_blocks_hold_what_a_full_decoder_finds_in_them() {
    for raw in real_blocks() {
        let block: Block = deserialize(&raw).unwrap();
        let mut scanner = Scanner::default();
        for step in [1, 3, 500] {
            let (outpoints, scripts) = some_of(&block, step);
            let watch = WatchSet::new(outpoints.iter().copied(), &scripts).unwrap();
            let (header, hits) = scanner.scan(&raw, &watch).unwrap();
            assert_eq!(header.hash(), block.block_hash());
            assert_eq!(header.previous(), block.header.prev_blockhash);
            assert!(hits.len() > block.txdata.len() / step);
            assert_eq!(hits, expected(&block, &outpoints, &scripts));
        }
        let nothing = WatchSet::new([], Vec::<ScriptBuf>::new()).unwrap();
        assert_eq!(scanner.scan(&raw, &nothing).unwrap().1, []);
    }
}

/// Whether a scan takes the bytes exactly where the decoder does, and finds the same.
fn agrees_with_the_decoder(raw: &[u8], scanner: &mut Scanner, watch: &WatchSet, of: &Watched) {
    let (outpoints, scripts) = of;
    let decoded = deserialize::<Block>(raw);
    let scanned = scanner.scan(raw, watch);
    match (decoded, scanned) {
        (Ok(block), Ok((_, hits))) => assert_eq!(hits, expected(&block, outpoints, scripts)),
        (Err(_), Err(_)) => {}
        (decoded, scanned) => panic!("decoder {:?}, scan {scanned:?}", decoded.map(|_| ())),
    }
}

type Watched = (Vec<OutPoint>, Vec<ScriptBuf>);

#[test]
fn a_block_with_any_byte_changed_is_taken_or_refused_as_by_the_decoder() {
    let whole: Block = deserialize(&real_blocks()[0]).unwrap();
    let block = beginning(&whole, 12);
    let raw = serialize(&block);
    let watched = some_of(&block, 2);
    let watch = WatchSet::new(watched.0.iter().copied(), &watched.1).unwrap();
    let mut scanner = Scanner::default();
    let (mut taken, mut refused) = (0, 0);
    for place in 80..raw.len() {
        for change in [
            1,
            0x80,
            0xff,
            raw[place],
            0xfd ^ raw[place],
            0xfe ^ raw[place],
        ] {
            let mut changed = raw.clone();
            changed[place] ^= change;
            agrees_with_the_decoder(&changed, &mut scanner, &watch, &watched);
            match scanner.scan(&changed, &watch) {
                Ok(_) => taken += 1,
                Err(_) => refused += 1,
            }
        }
    }
    assert!(taken > 1000 && refused > 500, "{taken} {refused}");
}

#[test]
fn a_block_that_is_cut_anywhere_or_goes_on_is_refused() {
    let whole: Block = deserialize(&real_blocks()[0]).unwrap();
    let mut raw = serialize(&beginning(&whole, 12));
    let watch = WatchSet::new(outpoints(&whole), scripts(&whole)).unwrap();
    let mut scanner = Scanner::default();
    for length in 0..raw.len() {
        let error = scanner.scan(&raw[..length], &watch).unwrap_err();
        assert!(matches!(error, BlockError::Cut { .. }), "{error}");
    }
    let offset = raw.len();
    raw.push(0);
    let error = scanner.scan(&raw, &watch).unwrap_err();
    assert_eq!(error, BlockError::Trailing { offset, left: 1 });
    let said = "1 bytes follow the last transaction, which ends at offset";
    assert!(error.to_string().starts_with(said));
    let error = scanner.scan(&vec![0; 4_000_001], &watch).unwrap_err();
    assert!(matches!(error, BlockError::TooLong { .. }), "{error}");
}

#[test]
fn a_length_of_any_size_ends_at_the_end_of_the_block() {
    let header = [0; 80];
    let watch = WatchSet::new([], Vec::<ScriptBuf>::new()).unwrap();
    for count in [&[0xff; 9][..], &[0xfe, 0, 0, 0, 0xff], &[0xfd, 0xff, 0xff]] {
        for inputs in [&[0xff; 9][..], &[0, 1, 0xfe, 0xff, 0xff, 0xff, 0xff]] {
            let raw = [&header[..], count, &[2, 0, 0, 0], inputs, &[0xff; 400]].concat();
            let error = Scanner::default().scan(&raw, &watch).unwrap_err();
            assert!(matches!(error, BlockError::Cut { .. }), "{error}");
        }
    }
    let raw = [&header[..], &[0xfd, 0xfc, 0]].concat();
    let error = Scanner::default().scan(&raw, &watch).unwrap_err();
    assert_eq!(error, BlockError::LongLength { offset: 80 });
}

#[test]
fn a_form_with_witnesses_has_one_unless_nothing_is_spent() {
    let watched = (Vec::new(), vec![ScriptBuf::from(vec![0x51])]);
    let watch = WatchSet::new([], &watched.1).unwrap();
    let input = [&[7; 36][..], &[0], &[0xff; 4]].concat();
    let output = [&[1, 0, 0, 0, 0, 0, 0, 0][..], &[1, 0x51]].concat();
    let block = |inputs: &[u8], witnesses: &[u8]| {
        let form = [&[0; 80][..], &[1], &[2, 0, 0, 0], &[0, 1]].concat();
        [&form, inputs, &[1], &output, witnesses, &[0; 4]].concat()
    };
    let one = [&[1][..], &input].concat();
    let blocks = [block(&[0], &[]), block(&one, &[1, 0]), block(&one, &[0])];
    let mut scanner = Scanner::default();
    for raw in &blocks {
        agrees_with_the_decoder(raw, &mut scanner, &watch, &watched);
    }
    let taken = blocks.map(|raw| scanner.scan(&raw, &watch).map(|(_, hits)| hits.len()));
    let refused = BlockError::NoWitness { offset: 81 };
    assert_eq!(taken, [Ok(1), Ok(1), Err(refused)]);
}

#[test]
fn a_key_given_twice_keeps_its_number_and_numbers_have_no_gaps() {
    let keys = KeySet::new(["a", "b", "a", "", "b", "c"]).unwrap();
    let number = |key: &str| keys.find(key.as_bytes());
    assert_eq!(keys.len(), 4);
    assert_eq!(["a", "b", "", "c"].map(number), [0, 1, 2, 3].map(Some));
    assert_eq!(["d", "ab", "aa"].map(number), [None; 3]);
}

prop_compose! {
    fn outpoint()(seed in 0..40_u8, vout in 0..3_u32) -> OutPoint {
        let txid = if seed == 0 { Txid::all_zeros() } else { Txid::hash(&[seed]) };
        OutPoint { txid, vout }
    }
}

fn script() -> impl Strategy<Value = ScriptBuf> {
    let long = (250..300_usize).prop_map(|length| vec![7; length]);
    let short = prop::collection::vec(0..3_u8, 0..4);
    prop_oneof![4 => short, 1 => long].prop_map(ScriptBuf::from)
}

prop_compose! {
    fn input()(
        previous_output in outpoint(),
        script_sig in script(),
        witness in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..4), 0..3),
    ) -> TxIn {
        let (sequence, witness) = (Sequence::MAX, Witness::from_slice(&witness));
        TxIn { previous_output, script_sig, sequence, witness }
    }
}

prop_compose! {
    fn output()(value in any::<u64>(), script_pubkey in script()) -> TxOut {
        TxOut { value: Amount::from_sat(value), script_pubkey }
    }
}

prop_compose! {
    fn transaction()(
        input in prop::collection::vec(input(), 1..5),
        output in prop::collection::vec(output(), 0..5),
    ) -> Transaction {
        let version = bitcoin::transaction::Version::TWO;
        Transaction { version, lock_time: bitcoin::absolute::LockTime::ZERO, input, output }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn random_blocks_hold_what_a_full_decoder_finds_in_them(
        txdata in prop::collection::vec(transaction(), 0..12),
        outpoints in prop::collection::vec(outpoint(), 0..20),
        scripts in prop::collection::vec(script(), 0..20),
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..4),
    ) {
        let header = deserialize::<Block>(bitcoin_test_data::blocks::mainnet_702861()).unwrap().header;
        let mut raw = serialize(&Block { header, txdata });
        let watch = WatchSet::new(outpoints.iter().copied(), &scripts).unwrap();
        let watched = (outpoints, scripts);
        let mut scanner = Scanner::default();
        agrees_with_the_decoder(&raw, &mut scanner, &watch, &watched);
        for (place, byte) in changes {
            let place = place.index(raw.len());
            raw[place] = byte;
            agrees_with_the_decoder(&raw, &mut scanner, &watch, &watched);
        }
    }

    #[test]
    fn a_set_finds_every_key_and_no_other(
        given in prop::collection::vec(prop::collection::vec(0..4_u8, 0..5), 0..400),
        asked in prop::collection::vec(prop::collection::vec(0..4_u8, 0..5), 0..400),
    ) {
        let mut numbers = BTreeMap::new();
        for key in &given {
            let next = u32::try_from(numbers.len()).unwrap();
            numbers.entry(key).or_insert(next);
        }
        let keys = KeySet::new(&given).unwrap();
        prop_assert_eq!(keys.len(), numbers.len());
        for key in given.iter().chain(&asked) {
            prop_assert_eq!(keys.find(key), numbers.get(key).copied());
        }
    }
}
