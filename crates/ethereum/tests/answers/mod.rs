//! A transaction as a node would tell it, to be changed field by field.
#![allow(dead_code, unreachable_pub, reason = "each test uses its part")]

use alloy_primitives::{Address, B256, U256, address, b256};
use hansel_ethereum::decode::{
    Calls, DecodeError, Transactions, block, call_trace, receipts, transaction,
};
use hansel_ledger::{Asset, Coin, EvmNetwork, EvmTransaction, Origin};
use serde_json::{Value, json};

pub const TRANSFER: B256 =
    b256!("ddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef");
pub const DEPOSIT: B256 = b256!("e1fffcc4923d04b559f4d29a8bfc6cda04eb5b0d3c460751c2402c5c5cc9109c");
pub const WITHDRAWAL: B256 =
    b256!("7fcf532c15f0a6db0bd6d0e038bea71d30d808c7d98cb3bf7268a95bf5081b65");
pub const SINGLE: B256 = b256!("c3d58168c5ae7397731d063d5bbf3d657854427343f4c083240f7aacaa2d0f62");
pub const BATCH: B256 = b256!("4a39dc06d4c0dbc64b70af90fd698a233a518aa5d07e595d983b8c0526c8f7fb");
pub const TRADE: B256 = b256!("a07a543ab8a018198e99ca0184c93fe9050a79400a0a723441f84de1d972cc17");
pub const SETTLEMENT: Address = address!("9008D19f58AAbD9eD0D60971565AA8510560ab41");
pub const WETH: Address = address!("C02aaA39b223FE8D0A0e5C4F27eAD9083C756Cc2");
/// The transaction.
pub const HASH: B256 = B256::repeat_byte(0x77);

/// An account by number.
pub fn account(number: u8) -> Address {
    Address::repeat_byte(number)
}

/// A word that holds a number.
pub fn word(number: u64) -> B256 {
    B256::from(U256::from(number))
}

/// A topic that names an account.
pub fn party(number: u8) -> B256 {
    account(number).into_word()
}

pub fn network() -> EvmNetwork {
    EvmNetwork {
        chain_id: 1,
        native: Asset {
            symbol: "ETH".into(),
            decimals: 18,
        },
        wrapped: Some(WETH),
        tokens: Vec::new(),
        blocks: hansel_ledger::BlockForm::default(),
    }
}

/// Account 1 calls account 2 with data and sends it 100 wei; that costs 30,000 gas at 10 wei.
pub struct Answers {
    pub tx: Value,
    pub receipt: Value,
    /// Further fields of the block's header.
    pub head: Value,
    pub trace: Option<Value>,
}

impl Answers {
    pub fn new() -> Self {
        Self {
            tx: json!({
                "hash": HASH, "blockHash": word(5), "blockNumber": "0x5", "transactionIndex": "0x3",
                "from": account(1), "to": account(2), "value": "0x64", "gas": "0x10000",
                "gasPrice": "0xb", "input": "0x01020304", "type": "0x2",
            }),
            receipt: json!({
                "transactionHash": HASH, "transactionIndex": "0x3", "blockHash": word(5),
                "blockNumber": "0x5", "from": account(1), "to": account(2), "status": "0x1",
                "gasUsed": "0x7530", "cumulativeGasUsed": "0x7530", "effectiveGasPrice": "0xa",
                "type": "0x2", "logs": [],
            }),
            head: json!({}),
            trace: None,
        }
    }

    /// Sets fields of the block's header.
    pub fn head(mut self, fields: Value) -> Self {
        merge(&mut self.head, fields);
        self
    }

    /// Sets fields of the transaction.
    pub fn tx(mut self, fields: Value) -> Self {
        merge(&mut self.tx, fields);
        self
    }

    /// Sets fields of the receipt.
    pub fn receipt(mut self, fields: Value) -> Self {
        merge(&mut self.receipt, fields);
        self
    }

    /// Adds a log, the first with index 17.
    pub fn log(mut self, contract: Address, topics: &[B256], words: &[B256]) -> Self {
        let logs = self.receipt["logs"].as_array_mut().unwrap();
        let data: Vec<u8> = words.iter().flat_map(|word| word.0).collect();
        logs.push(json!({
            "address": contract, "topics": topics, "data": alloy_primitives::Bytes::from(data),
            "logIndex": format!("{:#x}", 17 + logs.len()), "transactionHash": HASH,
            "transactionIndex": "0x3", "blockHash": word(5), "blockNumber": "0x5",
            "removed": false,
        }));
        self
    }

    /// Adds the trace of the calls that the top-level call made.
    pub fn calls(mut self, calls: Value) -> Self {
        self.trace = Some(json!({
            "type": "CALL", "from": self.tx["from"], "to": self.tx["to"],
            "value": self.tx["value"], "calls": calls,
        }));
        self
    }

    pub fn decode(&self) -> Result<EvmTransaction, DecodeError> {
        let mut head = json!({
            "number": "0x5", "hash": word(5), "parentHash": word(4), "timestamp": "0x64",
            "transactions": [self.tx],
        });
        merge(&mut head, self.head.clone());
        let head = block(head.to_string().as_bytes())?.unwrap();
        let told = receipts(json!([self.receipt]).to_string().as_bytes())?.unwrap();
        let calls: Option<Calls> = match &self.trace {
            Some(trace) => call_trace(trace.to_string().as_bytes())?,
            None => None,
        };
        let Transactions::Full(list) = &head.transactions else {
            panic!("the block comes with its transaction");
        };
        transaction(&network(), &head, &list[0], &told[0], calls.as_ref())
    }

    pub fn told(&self) -> EvmTransaction {
        self.decode().unwrap()
    }

    /// The movements as `ORIGIN FROM>TO COIN AMOUNT`; accounts and tokens by their first byte, `W` is WETH.
    pub fn moved(&self) -> Vec<String> {
        let told = self.told();
        told.movements
            .iter()
            .map(|one| {
                let origin = match &one.origin {
                    Origin::Call(_) => format!("call:{}", one.origin),
                    _ => format!("log:{}", one.origin),
                };
                let coin = match one.coin {
                    Coin::Native => "native".into(),
                    Coin::Token(token) => name(token),
                };
                let (from, to) = (name(one.from), name(one.to));
                format!("{origin} {from}>{to} {coin} {}", one.amount)
            })
            .collect()
    }
}

fn name(account: Address) -> String {
    match account {
        WETH => "W".into(),
        other => format!("{:x}", other.0[0]),
    }
}

/// Sets fields; null removes one.
fn merge(into: &mut Value, fields: Value) {
    let into = into.as_object_mut().unwrap();
    let Value::Object(fields) = fields else {
        panic!("fields are an object");
    };
    for (name, value) in fields {
        into.insert(name, value);
    }
}
