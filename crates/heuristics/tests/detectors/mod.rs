//! Real transactions and made-up ones for the tests of the Bitcoin detectors.
#![allow(
    dead_code,
    clippy::unwrap_used,
    reason = "each test uses its own part; a step that fails is a test that fails"
)]

pub(crate) mod story;

use bitcoin::hashes::Hash as _;
use bitcoin::{Amount, BlockHash, OutPoint, ScriptBuf, Txid, WPubkeyHash};
use hansel_heuristics::bitcoin::TxView;
use hansel_ledger::{BlockRef, Chain, Input, Output, Placement, TransactionStatement, UnixTime};
use serde::Deserialize;

/// Transactions of the chain with their inputs' values and scripts. Selected and labelled after
/// <https://github.com/crocs-muni/pets26_coinjoin_analysis> (MIT licence).
const EXAMPLES: &str = include_str!("../transactions/examples.jsonl");

#[derive(Deserialize)]
struct Example {
    name: String,
    txid: Txid,
    time: u64,
    vin: Vec<Spent>,
    vout: Vec<Paid>,
}

#[derive(Deserialize)]
struct Spent {
    txid: Txid,
    vout: u32,
    value: u64,
    spk: String,
}

#[derive(Deserialize)]
struct Paid {
    value: u64,
    spk: String,
}

/// A real transaction by the name it has among the examples.
pub(crate) fn example(name: &str) -> TransactionStatement {
    let lines = EXAMPLES
        .lines()
        .map(|line| serde_json::from_str::<Example>(line).unwrap());
    let Example {
        txid,
        time,
        vin,
        vout,
        ..
    } = lines.into_iter().find(|one| one.name == name).unwrap();
    let input = |spent: Spent| Input {
        previous: OutPoint {
            txid: spent.txid,
            vout: spent.vout,
        },
        spent: Some(output(
            spent.value,
            ScriptBuf::from_hex(&spent.spk).unwrap(),
        )),
    };
    let paid = |paid: Paid| output(paid.value, ScriptBuf::from_hex(&paid.spk).unwrap());
    // The data tell the time of the block and not its height.
    let placement = Placement::Confirmed(BlockRef {
        height: if time < 1_577_000_000 {
            550_000
        } else {
            700_000
        },
        hash: BlockHash::all_zeros(),
        time: UnixTime(time),
    });
    TransactionStatement {
        txid,
        placement,
        inputs: vin.into_iter().map(input).collect(),
        outputs: vout.into_iter().map(paid).collect(),
    }
}

/// An output.
pub(crate) fn output(value: u64, script: ScriptBuf) -> Output {
    Output {
        value: Amount::from_sat(value),
        script,
    }
}

/// The script of the person with this number.
pub(crate) fn person(number: u64) -> ScriptBuf {
    ScriptBuf::new_p2wpkh(&WPubkeyHash::hash(&number.to_be_bytes()))
}

/// The address of the person with this number.
pub(crate) fn address(number: u64) -> String {
    let script = person(number);
    bitcoin::Address::from_script(&script, bitcoin::Network::Bitcoin)
        .unwrap()
        .to_string()
}

/// A made-up transaction: value and owner of each input and each output.
pub(crate) fn transaction(
    number: u64,
    inputs: &[(u64, u64)],
    outputs: &[(u64, u64)],
) -> TransactionStatement {
    let input = |(index, (value, owner)): (u32, &(u64, u64))| Input {
        previous: OutPoint {
            txid: id(number + 1_000_000),
            vout: index,
        },
        spent: Some(output(*value, person(*owner))),
    };
    TransactionStatement {
        txid: id(number),
        placement: Placement::Unknown,
        inputs: (0..).zip(inputs).map(input).collect(),
        outputs: outputs
            .iter()
            .map(|(value, owner)| output(*value, person(*owner)))
            .collect(),
    }
}

/// The id of a made-up transaction.
pub(crate) fn id(number: u64) -> Txid {
    Txid::hash(&number.to_be_bytes())
}

/// A transaction as detectors see it.
pub(crate) fn view<'a>(chain: &'a Chain, statement: &'a TransactionStatement) -> TxView<'a> {
    TxView::of_statement(chain, statement)
}
