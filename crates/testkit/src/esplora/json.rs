//! The JSON shapes of Esplora's answers.
//!
//! Source: `API.md` and `src/rest.rs` of Blockstream's Esplora and electrs.

use bitcoin::hashes::sha256;
use bitcoin::{Address, OutPoint, Script, Transaction, TxIn, TxOut, Txid, Weight};
use serde_json::{Map, Value, json};

use crate::chain_index::{ChainIndex, HistoryRow};

/// `/tx/:txid`.
pub(super) fn transaction(chain: &ChainIndex, txid: &Txid) -> Option<Value> {
    let transaction = &chain.indexed(txid)?.transaction;
    let inputs: Vec<Value> = transaction.input.iter().map(|i| input(chain, i)).collect();
    let outputs: Vec<Value> = transaction
        .output
        .iter()
        .map(|o| output(chain, o))
        .collect();
    Some(json!({
        "txid": txid,
        "version": transaction.version.0,
        "locktime": transaction.lock_time.to_consensus_u32(),
        "vin": inputs,
        "vout": outputs,
        "size": transaction.total_size(),
        "weight": transaction.weight().to_wu(),
        "fee": fee(chain, transaction),
        "status": status(chain, txid),
    }))
}

/// `/tx/:txid/status`, and the `status` inside other answers.
pub(super) fn status(chain: &ChainIndex, txid: &Txid) -> Value {
    let height = chain.indexed(txid).and_then(|found| found.height);
    match height.and_then(|height| Some((height, chain.block(height)?))) {
        None => json!({"confirmed": false}),
        Some((height, block)) => json!({
            "confirmed": true,
            "block_height": height,
            "block_hash": block.hash,
            "block_time": block.header.time,
        }),
    }
}

/// `/tx/:txid/outspend/:vout`.
pub(super) fn outspend(chain: &ChainIndex, outpoint: &OutPoint) -> Value {
    match chain.spender(outpoint) {
        None => json!({"spent": false}),
        Some((spender, input)) => json!({
            "spent": true,
            "txid": spender,
            "vin": input,
            "status": status(chain, &spender),
        }),
    }
}

/// `/block/:hash`.
pub(super) fn block(chain: &ChainIndex, height: usize) -> Option<Value> {
    let block = chain.block(height)?;
    let header = &block.header;
    let (size, weight) = weigh(chain, &block.txids);
    Some(json!({
        "id": block.hash,
        "height": height,
        "version": header.version.to_consensus(),
        "timestamp": header.time,
        "tx_count": block.txids.len(),
        "size": size,
        "weight": weight,
        "merkle_root": header.merkle_root,
        "previousblockhash": (height > 0).then_some(header.prev_blockhash),
        "mediantime": median_time(chain, height),
        "nonce": header.nonce,
        "bits": header.bits.to_consensus(),
        "difficulty": header.difficulty_float(),
    }))
}

/// `/address/:address` and `/scripthash/:hash`; `kind` is the name of the first field.
pub(super) fn totals(chain: &ChainIndex, kind: &str, name: &str, hash: &sha256::Hash) -> Value {
    let rows = || chain.history(hash).into_iter().flatten();
    let mut answer = Map::new();
    answer.insert(kind.into(), name.into());
    let confirmed = rows().filter(|row| row.height != usize::MAX);
    answer.insert("chain_stats".into(), sums(confirmed));
    let unconfirmed = rows().filter(|row| row.height == usize::MAX);
    answer.insert("mempool_stats".into(), sums(unconfirmed));
    answer.into()
}

/// `/address/:address/utxo`.
pub(super) fn unspent(chain: &ChainIndex, hash: &sha256::Hash) -> Value {
    let funded = chain.history(hash).into_iter().flatten().rev();
    funded
        .filter(|row| !row.spends)
        .filter(|row| chain.spender(&OutPoint::new(row.txid, row.index)).is_none())
        .map(|row| {
            json!({
                "txid": row.txid,
                "vout": row.index,
                "status": status(chain, &row.txid),
                "value": row.value,
            })
        })
        .collect()
}

fn sums<'a>(rows: impl Iterator<Item = &'a HistoryRow>) -> Value {
    let (mut funded, mut spent) = ((0_u64, 0_u64), (0_u64, 0_u64));
    let mut transactions = std::collections::BTreeSet::new();
    for row in rows {
        let side = if row.spends { &mut spent } else { &mut funded };
        *side = (side.0 + 1, side.1 + row.value);
        transactions.insert(row.txid);
    }
    json!({
        "funded_txo_count": funded.0,
        "funded_txo_sum": funded.1,
        "spent_txo_count": spent.0,
        "spent_txo_sum": spent.1,
        "tx_count": transactions.len(),
    })
}

fn input(chain: &ChainIndex, input: &TxIn) -> Value {
    let spent = chain.output(&input.previous_output);
    let mut answer = json!({
        "txid": input.previous_output.txid,
        "vout": input.previous_output.vout,
        "prevout": spent.map(|spent| output(chain, spent)),
        "scriptsig": input.script_sig.to_hex_string(),
        "scriptsig_asm": input.script_sig.to_asm_string(),
        "is_coinbase": input.previous_output.is_null(),
        "sequence": input.sequence.to_consensus_u32(),
    });
    if !input.witness.is_empty() {
        let items = input.witness.iter();
        answer["witness"] = items
            .map(|item| hex(item).into())
            .collect::<Vec<Value>>()
            .into();
    }
    answer
}

fn output(chain: &ChainIndex, output: &TxOut) -> Value {
    let script = &output.script_pubkey;
    let mut answer = json!({
        "scriptpubkey": script.to_hex_string(),
        "scriptpubkey_asm": script.to_asm_string(),
        "scriptpubkey_type": script_type(script),
        "value": output.value.to_sat(),
    });
    let network = chain.network();
    if let Ok(address) = Address::from_script(script, network) {
        answer["scriptpubkey_address"] = address.to_string().into();
    }
    answer
}

fn script_type(script: &Script) -> &'static str {
    let kinds: [(bool, &str); 9] = [
        (script.is_empty(), "empty"),
        (script.is_op_return(), "op_return"),
        (script.is_p2pk(), "p2pk"),
        (script.is_p2pkh(), "p2pkh"),
        (script.is_p2sh(), "p2sh"),
        (script.is_p2wpkh(), "v0_p2wpkh"),
        (script.is_p2wsh(), "v0_p2wsh"),
        (script.is_p2tr(), "v1_p2tr"),
        (true, "unknown"),
    ];
    let fits = kinds.into_iter().find(|(fits, _)| *fits);
    fits.map_or("unknown", |(_, kind)| kind)
}

/// Esplora gives a coinbase the fee 0, and counts inputs it does not know as nothing.
fn fee(chain: &ChainIndex, transaction: &Transaction) -> u64 {
    let spent = transaction.input.iter();
    let paid: u64 = spent
        .filter_map(|input| chain.output(&input.previous_output))
        .map(|output| output.value.to_sat())
        .sum();
    let drawn: u64 = transaction.output.iter().map(|o| o.value.to_sat()).sum();
    paid.saturating_sub(drawn)
}

fn weigh(chain: &ChainIndex, txids: &[Txid]) -> (usize, u64) {
    let known = txids.iter().filter_map(|txid| chain.transaction(txid));
    let count = bitcoin::VarInt::from(txids.len()).size();
    let frame = 80 + count;
    let frame_weight = Weight::from_non_witness_data_size(frame.try_into().unwrap_or(u64::MAX));
    known.fold((frame, frame_weight.to_wu()), |(size, weight), t| {
        (size + t.total_size(), weight + t.weight().to_wu())
    })
}

fn median_time(chain: &ChainIndex, height: usize) -> Option<u32> {
    let eleven = height.saturating_sub(10)..=height;
    let blocks = eleven.filter_map(|h| chain.block(h));
    let mut times: Vec<u32> = blocks.map(|block| block.header.time).collect();
    times.sort_unstable();
    times.get(times.len() / 2).copied()
}

pub(super) fn hex(bytes: &[u8]) -> String {
    use bitcoin::hex::DisplayHex;
    bytes.to_lower_hex_string()
}
