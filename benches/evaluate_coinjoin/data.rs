//! The transactions of the evaluation, as lines that the binary reads.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::{env, fs};

use bitcoin::consensus::encode::deserialize;
use bitcoin::{Block, OutPoint, Transaction, TxOut};
use flate2::read::GzDecoder;
use serde_json::{Value, json};

/// Transactions of which something is known.
pub(crate) struct Set {
    pub(crate) name: String,
    /// How many of them are of which family.
    expected: Vec<(&'static str, usize)>,
    /// True where a verdict of another family is wrong: their kind is known.
    pub(crate) is_labelled: bool,
    /// True where no verdict but the expected ones is right: ordinary transactions.
    pub(crate) is_negative: bool,
    pub(crate) lines: Vec<String>,
}

impl Set {
    pub(crate) fn expected(&self, family: &str) -> usize {
        let counts = self.expected.iter().filter(|(name, _)| *name == family);
        counts.map(|(_, count)| count).sum()
    }
}

/// All sets; `None` where the data are not there.
pub(crate) fn sets() -> Option<Vec<Set>> {
    let named = env::var_os("HANSEL_DATA").map(PathBuf::from);
    let root =
        named.unwrap_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data"));
    let mut sets = files(&root.join("coinjoin"))?;
    sets.extend(blocks(&root.join("bitcoin-blocks"))?);
    Some(sets)
}

fn files(directory: &Path) -> Option<Vec<Set>> {
    let entries = fs::read_dir(directory).ok()?;
    let mut paths: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    let sets = paths.iter().flat_map(|path| {
        let name = path
            .file_name()
            .unwrap()
            .to_string_lossy()
            .replace(".jsonl.gz", "");
        let lines = text(path).lines().map(ToOwned::to_owned).collect();
        split(&name, lines)
    });
    Some(sets.filter(|set| !set.lines.is_empty()).collect())
}

/// A file as a set; that of Tx0s as two, since the data call any transaction that pays into a mix and is not
/// listed as one a Tx0, and some of these carry no marker.
fn split(name: &str, lines: Vec<String>) -> Vec<Set> {
    let family = match name.split_once("__").map(|(_, kind)| kind) {
        Some("Wasabi2CoinJoins") => Some("wasabi2"),
        Some("WasabiCoinJoins") => Some("wasabi1"),
        Some("SamouraiCoinJoins") => Some("whirlpool"),
        Some("SamouraiTx0s") => Some("whirlpool-tx0"),
        _ => None,
    };
    let negative = name.contains("false_positives");
    let set = |name: String, family: Option<&'static str>, lines: Vec<String>| Set {
        name,
        expected: family
            .map(|family| (family, lines.len()))
            .into_iter()
            .collect(),
        is_labelled: family.is_some() || negative,
        is_negative: negative,
        lines,
    };
    if family != Some("whirlpool-tx0") {
        return vec![set(name.to_owned(), family, lines)];
    }
    let (marked, bare) = lines
        .into_iter()
        .partition(|line| line.contains("\"spk\":\"6a") || line.contains("\"spk\": \"6a"));
    vec![
        set(format!("{name}, with a marker"), family, marked),
        set(format!("{name}, without"), None, bare),
    ]
}

fn blocks(directory: &Path) -> Option<Vec<Set>> {
    let raw = directory.join("mainnet_866342.raw.gz");
    let plain: Block = deserialize(&bytes(&raw)?).unwrap();
    let spent = text(&directory.join("mainnet_866342.spent_utxos.json.gz"));
    let spent: Vec<Value> = serde_json::from_str(&spent).unwrap();
    let mut spent = spent.iter().map(|one| {
        let output = &one["txout"];
        json!({"value": output["value"], "spk": output["script_pubkey"]})
    });
    let plain = lines(&plain, 866_342, |_| spent.next());
    let mixed: Block = deserialize(bitcoin_test_data::blocks::mainnet_702861()).unwrap();
    let made = made(&mixed);
    let mixed = lines(&mixed, 702_861, |outpoint| made.get(outpoint).cloned());
    let negative = |name: &str, expected, lines| Set {
        name: name.to_owned(),
        expected,
        is_labelled: true,
        is_negative: true,
        lines,
    };
    Some(vec![
        negative("block 866342", Vec::new(), plain),
        negative(
            "block 702861, most input values unknown",
            vec![("whirlpool", 7), ("wasabi1", 1)],
            mixed,
        ),
    ])
}

/// What a block's own transactions made: all that is known of the inputs of block 702861.
fn made(block: &Block) -> BTreeMap<OutPoint, Value> {
    let outputs = block.txdata.iter().flat_map(|transaction| {
        let txid = transaction.compute_txid();
        let outputs = (0..).zip(&transaction.output);
        outputs.map(move |(vout, output)| (OutPoint { txid, vout }, paid(output)))
    });
    outputs.collect()
}

/// The transactions of a block but for its first, which mints.
fn lines(
    block: &Block,
    height: u64,
    mut spent: impl FnMut(&OutPoint) -> Option<Value>,
) -> Vec<String> {
    let line = |transaction: &Transaction| {
        let inputs = transaction.input.iter().map(|input| {
            let mut known = spent(&input.previous_output).unwrap_or_else(|| json!({}));
            known["txid"] = json!(input.previous_output.txid);
            known["vout"] = json!(input.previous_output.vout);
            known
        });
        let inputs: Vec<Value> = inputs.collect();
        let outputs: Vec<Value> = transaction.output.iter().map(paid).collect();
        let txid = transaction.compute_txid();
        let time = block.header.time;
        json!({"txid": txid, "time": time, "height": height, "vin": inputs, "vout": outputs})
            .to_string()
    };
    block.txdata.iter().skip(1).map(line).collect()
}

fn paid(output: &TxOut) -> Value {
    json!({"value": output.value.to_sat(), "spk": output.script_pubkey.to_hex_string()})
}

fn text(path: &Path) -> String {
    String::from_utf8(bytes(path).unwrap()).unwrap()
}

fn bytes(path: &Path) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    GzDecoder::new(File::open(path).ok()?)
        .read_to_end(&mut bytes)
        .unwrap();
    Some(bytes)
}
