//! Makes the recorded answers in `fixtures/` from the bytes of real transactions.
//!
//! `cargo run --release -p hansel-bitcoin --example make-fixtures` writes them anew; `fixtures/README.md` says
//! where the bytes come from and what is left out because nobody told it.
#![allow(
    clippy::unwrap_used,
    reason = "a tool for developers that runs on trusted bytes"
)]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use async_trait::async_trait;
use bitcoin::consensus::encode::{deserialize, serialize};
use bitcoin::hex::{DisplayHex, FromHex};
use bitcoin::{Address, Block, OutPoint, Transaction, TxOut, Txid};
use hansel_ledger::{EndpointActivity, ErrorClass, SourceError, UnixTime};
use hansel_wire::{RecordWire, Recorder, Request, Wire};
use serde_json::{Value, json};

const DMM: [&str; 2] = [
    "975ec405ac9dc9fa5ab8009d94d6a1fe31dff8a8127ea90d023104e52754e4d7",
    "c03acb80562302248f8be621e765315345a85cd3856bf49583e97b0428342908",
];
/// What the funding transaction spends, as BlockCypher stated it (see `fixtures/README.md`).
const FUNDED_FROM: (&str, u64, &str) = (
    "fb5ff69a87f15881ca320d3561f478a8bb294a72a657924ee3036d46056afd34:1",
    470_301_946_745,
    "3Dhk8F6KYvMyqHN1r4kAT8t7SceK7yDjA4",
);
/// When the recordings were made: 2026-11-21.
const MADE: UnixTime = UnixTime(1_795_219_200);
const HEIGHT: u64 = 702_861;
/// Where the second demo trace begins; everything that descends from these inside the block is recorded.
const ROOTS: [&str; 2] = [
    "38019c2f360911e301dcd2c6d193b11108be2e1f73d63eef7c8a7690b8a303f3",
    "5c2f55fc17854a18f447d74e32356c9ff6faf43bf937ed13611857b2bb3fef3a",
];

/// Answers by path.
#[derive(Default)]
struct Answers(BTreeMap<String, Vec<u8>>);

#[async_trait]
impl Wire for Answers {
    fn endpoint(&self) -> &str {
        "made-from-raw-transactions"
    }

    async fn send(&self, request: &Request) -> Result<Vec<u8>, SourceError> {
        let Request::Get { path } = request else {
            unreachable!("only paths are asked for")
        };
        self.0.get(path).cloned().ok_or_else(|| SourceError {
            class: ErrorClass::NotFound,
            endpoint: self.endpoint().into(),
            request: request.to_string(),
            detail: "not made".into(),
        })
    }

    fn activity(&self) -> EndpointActivity {
        EndpointActivity::default()
    }
}

impl Answers {
    fn json(&mut self, path: String, value: &Value) {
        self.0.insert(path, serde_json::to_vec(value).unwrap());
    }

    async fn record(self, directory: &Path) {
        if directory.exists() {
            fs::remove_dir_all(directory).unwrap();
        }
        let paths: Vec<String> = self.0.keys().cloned().collect();
        let recorder = Recorder::open(directory, Arc::new(|| MADE)).unwrap();
        let wire = RecordWire::new(Arc::new(self), Arc::new(recorder));
        for path in paths {
            wire.send(&Request::get(path)).await.unwrap();
        }
    }
}

/// The outputs that are known, by what spends them.
type Known = BTreeMap<OutPoint, TxOut>;

fn transaction(transaction: &Transaction, known: &Known, status: &Value) -> Value {
    let inputs = transaction.input.iter().map(|input| {
        let witness: Vec<String> = input
            .witness
            .iter()
            .map(|item| item.to_lower_hex_string())
            .collect();
        json!({
            "txid": input.previous_output.txid,
            "vout": input.previous_output.vout,
            "prevout": known.get(&input.previous_output).map(output),
            "scriptsig": input.script_sig,
            "witness": witness,
            "sequence": input.sequence.0,
            "is_coinbase": transaction.is_coinbase(),
        })
    });
    json!({
        "txid": transaction.compute_txid(),
        "version": transaction.version.0,
        "locktime": transaction.lock_time.to_consensus_u32(),
        "vin": inputs.collect::<Vec<_>>(),
        "vout": transaction.output.iter().map(output).collect::<Vec<_>>(),
        "status": status,
    })
}

fn output(output: &TxOut) -> Value {
    json!({ "scriptpubkey": output.script_pubkey, "value": output.value.to_sat() })
}

fn outputs_of(transaction: &Transaction) -> impl Iterator<Item = (OutPoint, TxOut)> + '_ {
    let txid = transaction.compute_txid();
    (0..)
        .zip(&transaction.output)
        .map(move |(vout, output)| (OutPoint { txid, vout }, output.clone()))
}

/// The theft and what funded it. Their blocks, their spending and the newest block are not told.
fn dmm(fixtures: &Path) -> Answers {
    let read = |txid: &str| -> Transaction {
        let hex = fs::read_to_string(fixtures.join(format!("transactions/{txid}.hex"))).unwrap();
        let bytes = Vec::from_hex(&hex.replace('\n', "")).unwrap();
        let transaction: Transaction = deserialize(&bytes).unwrap();
        assert_eq!(transaction.compute_txid(), txid.parse::<Txid>().unwrap());
        transaction
    };
    let transactions = DMM.map(read);
    let mut known: Known = transactions.iter().flat_map(outputs_of).collect();
    let (outpoint, value, address) = FUNDED_FROM;
    let script_pubkey = address
        .parse::<Address<_>>()
        .unwrap()
        .assume_checked()
        .script_pubkey();
    known.insert(
        outpoint.parse().unwrap(),
        TxOut {
            value: bitcoin::Amount::from_sat(value),
            script_pubkey,
        },
    );
    let mut answers = Answers::default();
    for one in &transactions {
        answers.json(
            format!("/tx/{}", one.compute_txid()),
            &transaction(one, &known, &Value::Null),
        );
    }
    answers
}

/// The trail inside the block, with the block as the newest: what it does not spend was unspent then.
fn block_702861() -> Answers {
    let block: Block = deserialize(bitcoin_test_data::blocks::mainnet_702861()).unwrap();
    assert!(block.check_merkle_root());
    let hash = block.block_hash();
    let status = json!({ "confirmed": true, "block_height": HEIGHT, "block_hash": hash, "block_time": block.header.time });
    let by_txid: BTreeMap<Txid, &Transaction> = block
        .txdata
        .iter()
        .map(|one| (one.compute_txid(), one))
        .collect();
    let known: Known = block.txdata.iter().flat_map(outputs_of).collect();
    let spenders: BTreeMap<OutPoint, (Txid, usize)> = by_txid
        .iter()
        .flat_map(|(txid, one)| {
            one.input
                .iter()
                .enumerate()
                .map(|(vin, input)| (input.previous_output, (*txid, vin)))
        })
        .collect();
    let mut answers = Answers::default();
    let mut trail: Vec<Txid> = ROOTS.iter().map(|txid| txid.parse().unwrap()).collect();
    while let Some(txid) = trail.pop() {
        let one = by_txid[&txid];
        answers.json(format!("/tx/{txid}"), &transaction(one, &known, &status));
        let spends = outputs_of(one).map(|(outpoint, _)| match spenders.get(&outpoint) {
            Some((spender, vin)) => {
                trail.push(*spender);
                json!({ "spent": true, "txid": spender, "vin": vin, "status": status })
            }
            None => json!({ "spent": false }),
        });
        let spends: Vec<Value> = spends.collect();
        answers.json(format!("/tx/{txid}/outspends"), &Value::Array(spends));
    }
    answers
        .0
        .insert("/blocks/tip/hash".into(), hash.to_string().into_bytes());
    answers.0.insert(
        format!("/block-height/{HEIGHT}"),
        hash.to_string().into_bytes(),
    );
    answers.json(format!("/block/{hash}"), &block_answer(&block));
    answers
}

fn block_answer(block: &Block) -> Value {
    json!({
        "id": block.block_hash(),
        "height": HEIGHT,
        "version": block.header.version.to_consensus(),
        "timestamp": block.header.time,
        "tx_count": block.txdata.len(),
        "size": serialize(block).len(),
        "weight": block.weight().to_wu(),
        "merkle_root": block.header.merkle_root,
        "previousblockhash": block.header.prev_blockhash,
        "nonce": block.header.nonce,
        "bits": block.header.bits.to_consensus(),
    })
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let fixtures = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../fixtures");
    dmm(&fixtures)
        .record(&fixtures.join("dmm-bitcoin/bitcoin/esplora"))
        .await;
    block_702861()
        .record(&fixtures.join("block-702861/bitcoin/esplora"))
        .await;
}
