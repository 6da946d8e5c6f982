//! Facts with plain names for the store's tests.
#![allow(dead_code, reason = "each test binary uses its own part")]

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use bitcoin::hashes::Hash;
use bitcoin::{Amount, BlockHash, OutPoint, ScriptBuf, Txid};
use hansel_ledger::{
    Answer, BlockRef, Chain, Evidence, Fact, Input, Output, Placement, Query, SpendState, Spends,
    TransactionStatement, UnixTime,
};
use hansel_store::Store;

pub(crate) const NOW: UnixTime = UnixTime(1_717_113_600);

pub(crate) fn bitcoin() -> Chain {
    Chain::bitcoin()
}

pub(crate) fn genesis() -> BlockHash {
    BlockHash::hash(b"genesis")
}

/// A store with Bitcoin registered.
pub(crate) fn store(dir: &Path) -> Store {
    let store = Store::open(dir).unwrap();
    store.register_chain(&bitcoin(), genesis()).unwrap();
    store
}

pub(crate) fn txid(name: &str) -> Txid {
    Txid::hash(name.as_bytes())
}

/// The block of a height on a named branch.
pub(crate) fn block_on(branch: &str, height: u64) -> BlockRef {
    BlockRef {
        height,
        hash: BlockHash::hash(format!("{branch}/{height}").as_bytes()),
        time: UnixTime(1_700_000_000 + 600 * height),
    }
}

/// The block of a height on the main branch.
pub(crate) fn block(height: u64) -> BlockRef {
    block_on("main", height)
}

pub(crate) fn script() -> ScriptBuf {
    ScriptBuf::from_hex("0014751e76e8199196d454941c45d1b3a323f1433bd6").unwrap()
}

fn output(sats: u64) -> Output {
    Output {
        value: Amount::from_sat(sats),
        script: script(),
    }
}

/// A transaction with one input worth 10 and outputs worth 4 and 5.
pub(crate) fn transaction(name: &str, placement: Placement) -> TransactionStatement {
    TransactionStatement {
        txid: txid(name),
        placement,
        inputs: vec![Input {
            previous: OutPoint::new(txid("previous"), 1),
            spent: Some(output(10)),
        }],
        outputs: vec![output(4), output(5)],
    }
}

pub(crate) fn ask_transaction(name: &str) -> Query {
    Query::Transaction {
        txid: txid(name),
        height: None,
    }
}

pub(crate) fn ask_spends(name: &str, outputs: &[u32], as_of: u64) -> Query {
    Query::Spends {
        txid: txid(name),
        height: None,
        outputs: outputs.iter().map(|vout| (*vout, script())).collect(),
        as_of,
    }
}

pub(crate) fn spends(name: &str, as_of: u64, outputs: &[(u32, SpendState)]) -> Fact {
    Fact::Spends(Spends {
        txid: txid(name),
        as_of,
        outputs: outputs.to_vec(),
    })
}

pub(crate) fn spent(by: &str, height: u64) -> SpendState {
    SpendState::Spent {
        by: txid(by),
        height,
    }
}

pub(crate) fn evidence(body: &str) -> Evidence {
    Evidence {
        endpoint: "esplora.example".into(),
        request: format!("GET /{body}"),
        body: body.as_bytes().to_vec(),
    }
}

pub(crate) fn answer(fact: Fact) -> Answer {
    let body = format!("{fact:?}");
    Answer {
        fact,
        evidence: vec![evidence(&body)],
    }
}

/// Stores a fact as the answer to a query under the main branch's block of a height.
pub(crate) fn put(store: &Store, query: &Query, fact: Fact, tip: u64) {
    store
        .put_answer(&bitcoin(), query, &answer(fact), &block(tip), NOW)
        .unwrap();
}

/// What the cache says under the main branch's block of a height.
pub(crate) fn read(store: &Store, query: &Query, tip: u64) -> Option<Fact> {
    store.answer(&bitcoin(), query, &block(tip)).unwrap()
}

/// Every file below a directory with its bytes.
pub(crate) fn bytes_of(dir: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut files = BTreeMap::new();
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(bytes_of(&path));
        } else {
            files.insert(path.display().to_string(), fs::read(&path).unwrap());
        }
    }
    files
}
