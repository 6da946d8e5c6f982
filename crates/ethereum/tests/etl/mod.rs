//! Two blocks of Ethereum's main network, from the rows of ethereum-etl put back into the JSON that a node would send.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};

use alloy_primitives::{Address, B256, U256};
use flate2::read::GzDecoder;
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Value, json};

/// A block with the answers of a node and the token transfers that the data set lists.
pub struct Answers {
    pub height: u64,
    pub block: String,
    pub receipts: String,
    pub transfers: Vec<Transfer>,
}

/// The blocks; `None` where the data set is not there.
pub fn answers() -> Option<Vec<Answers>> {
    let blocks: Vec<Value> = json_rows("etl_17173049_17173050_blocks.jsonl.gz")?;
    let mut transactions: Vec<Transaction> =
        json_rows("etl_17173049_17173050_transactions.jsonl.gz")?;
    let mut logs: Vec<Log> = json_rows("etl_17173049_17173050_logs.jsonl.gz")?;
    let mut transfers: Vec<Transfer> = json_rows("etl_17173049_17173050_token_transfers.jsonl.gz")?;
    transactions.sort_by_key(|tx| tx.transaction_index);
    logs.sort_by_key(|log| log.log_index);
    let mut all = Vec::new();
    for row in blocks {
        let height = row["number"].as_u64().unwrap();
        let within = || transactions.iter().filter(|tx| tx.block_number == height);
        let receipt = |tx: &Transaction| {
            let own = logs.iter().filter(|log| log.transaction_hash == tx.hash);
            tx.receipt(&own.collect::<Vec<_>>())
        };
        let list: Vec<Value> = within().map(Transaction::json).collect();
        let listed = |one: &Transfer| one.block_number == height;
        let (own, others) = transfers.into_iter().partition(listed);
        transfers = others;
        all.push(Answers {
            height,
            block: header(&row, &list).to_string(),
            receipts: Value::from_iter(within().map(receipt)).to_string(),
            transfers: own,
        });
    }
    assert!(transfers.is_empty());
    Some(all)
}

#[derive(Deserialize)]
struct Transaction {
    hash: B256,
    transaction_index: u64,
    from_address: Address,
    to_address: Option<Address>,
    value: Box<RawValue>,
    gas: u64,
    gas_price: u64,
    input: String,
    block_number: u64,
    block_hash: B256,
    transaction_type: u64,
    receipt_cumulative_gas_used: u64,
    receipt_gas_used: u64,
    receipt_contract_address: Option<Address>,
    receipt_status: u64,
    receipt_effective_gas_price: u64,
}

#[derive(Deserialize)]
struct Log {
    log_index: u64,
    transaction_hash: B256,
    transaction_index: u64,
    address: Address,
    data: String,
    topics: Vec<B256>,
    block_number: u64,
    block_hash: B256,
}

#[derive(Deserialize)]
pub struct Transfer {
    pub token_address: Address,
    pub from_address: Address,
    pub to_address: Address,
    pub value: Box<RawValue>,
    pub log_index: u64,
    pub block_number: u64,
}

impl Transaction {
    fn json(&self) -> Value {
        json!({
            "hash": self.hash, "from": self.from_address, "to": self.to_address,
            "transactionIndex": number(self.transaction_index),
            "blockHash": self.block_hash, "blockNumber": number(self.block_number),
            "value": hex(self.value.get()), "gas": number(self.gas),
            "gasPrice": number(self.gas_price), "input": self.input,
            "type": number(self.transaction_type), "v": "0x1",
        })
    }

    fn receipt(&self, logs: &[&Log]) -> Value {
        json!({
            "transactionHash": self.hash,
            "transactionIndex": number(self.transaction_index),
            "blockHash": self.block_hash, "blockNumber": number(self.block_number),
            "from": self.from_address, "to": self.to_address,
            "contractAddress": self.receipt_contract_address,
            "cumulativeGasUsed": number(self.receipt_cumulative_gas_used),
            "gasUsed": number(self.receipt_gas_used),
            "effectiveGasPrice": number(self.receipt_effective_gas_price),
            "status": number(self.receipt_status), "type": number(self.transaction_type),
            "logs": logs.iter().map(|log| log.json()).collect::<Vec<_>>(),
        })
    }
}

impl Log {
    fn json(&self) -> Value {
        json!({
            "address": self.address, "topics": self.topics, "data": self.data,
            "blockNumber": number(self.block_number), "blockHash": self.block_hash,
            "transactionHash": self.transaction_hash,
            "transactionIndex": number(self.transaction_index),
            "logIndex": number(self.log_index), "removed": false,
        })
    }
}

fn header(row: &Value, transactions: &[Value]) -> Value {
    let of = |row: &Value, name: &str| number(row[name].as_u64().unwrap());
    let withdrawal = |one: &Value| {
        json!({
            "index": of(one, "index"), "validatorIndex": of(one, "validator_index"),
            "address": one["address"], "amount": of(one, "amount"),
        })
    };
    let withdrawals = row["withdrawals"].as_array().unwrap();
    json!({
        "number": of(row, "number"), "hash": row["hash"], "parentHash": row["parent_hash"],
        "timestamp": of(row, "timestamp"), "transactionsRoot": row["transactions_root"],
        "receiptsRoot": row["receipts_root"], "logsBloom": row["logs_bloom"],
        "mixHash": null, "baseFeePerGas": of(row, "base_fee_per_gas"),
        "withdrawals": withdrawals.iter().map(withdrawal).collect::<Vec<_>>(),
        "transactions": transactions, "uncles": [],
    })
}

/// The rows of a compressed file; `None` where the data sets are not there.
pub fn lines(name: &str) -> Option<impl Iterator<Item = String>> {
    let data = std::env::var_os("HANSEL_DATA").map(PathBuf::from);
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let data = data.unwrap_or_else(|| workspace.join("../shared/data"));
    let Ok(file) = File::open(data.join("ethereum-blocks").join(name)) else {
        eprintln!("skipped: no blocks of the main network (HANSEL_DATA)");
        return None;
    };
    let reader = BufReader::new(GzDecoder::new(file));
    Some(reader.lines().map(Result::unwrap))
}

pub fn json_rows<T: for<'a> Deserialize<'a>>(name: &str) -> Option<Vec<T>> {
    let rows = lines(name)?.map(|line| serde_json::from_str(&line).unwrap());
    Some(rows.collect())
}

pub fn hex(decimal: &str) -> String {
    format!("{:#x}", decimal.parse::<U256>().unwrap())
}

pub fn number(number: u64) -> String {
    format!("{number:#x}")
}
