//! Much that nobody moves, so that what blocks name is looked up in the store instead of being read into memory.

use std::path::Path;

use bitcoin::BlockHash;
use bitcoin::hashes::{Hash as _, sha256};
use hansel_ledger::{BlockRef, Chain, UnixTime};
use hansel_store::{Cursor, CursorState, Ended, Ending, Store, Watch};
use serde_json::json;

/// Has a case that is not followed watch so many things of Bitcoin's main chain: how much is watched is counted over all
/// chains, since it only decides how blocks are compared.
pub(crate) fn add(data: &Path, count: u32) {
    let store = Store::open(data).unwrap();
    let chain = Chain::bitcoin();
    let hash = BlockHash::all_zeros();
    store.register_chain(&chain, hash).unwrap();
    let tip = BlockRef {
        height: 0,
        hash,
        time: UnixTime(0),
    };
    let cursor = Cursor {
        tip,
        state: CursorState::Complete,
        scanned: None,
        follows: false,
    };
    let part = Ended {
        chain: &chain,
        cursor,
        watches: (0..count).map(watch).collect(),
    };
    let ending = Ending {
        parts: vec![part],
        because: None,
    };
    store.end_case("decoys", &json!({}), &ending).unwrap();
}

/// A topic of logs, which no block of a test has.
fn watch(number: u32) -> Watch {
    let topic = sha256::Hash::hash(&number.to_be_bytes()).to_byte_array();
    Watch {
        key: [&[6], &topic[..]].concat(),
        note: json!({"logs": []}).to_string(),
    }
}
