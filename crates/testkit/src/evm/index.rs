//! An index of a chain's history in the forms that Etherscan, Blockscout and Alchemy publish, over what truly
//! happened or over lies about it.

use std::collections::BTreeMap;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};

use alloy_primitives::{Address, B256, U256};
use axum::Router;
use axum::extract::{Query, State};
use hansel_ledger::Coin;
use serde_json::{Value, json};

use super::{EvmDeed, EvmStory};
use crate::server::ServerThread;

/// A row of one of an account's lists.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EvmIndexRow {
    /// The list: `txlist`, `txlistinternal` or `tokentx`.
    pub list: &'static str,
    /// The block's number.
    pub block: u64,
    /// The transaction.
    pub hash: B256,
    /// Who gave.
    pub from: Address,
    /// Who received.
    pub to: Address,
    /// How much, in base units.
    pub value: U256,
}

impl EvmIndexRow {
    /// The rows that tell all of a story, in its order.
    pub fn of(story: &EvmStory) -> Vec<Self> {
        story.deeds.iter().flat_map(Self::of_deed).collect()
    }

    fn of_deed(deed: &EvmDeed) -> Vec<Self> {
        let row = |list, from, to, value| Self {
            list,
            block: deed.block,
            hash: deed.hash,
            from,
            to,
            value,
        };
        let to = deed.to.unwrap_or_default();
        let top = |one: &&super::EvmMove| {
            one.coin == Coin::Native && one.from == deed.sender && Some(one.to) == deed.to
        };
        let value = deed.movements.iter().find(top).map(|one| one.amount);
        let value = value.unwrap_or_default();
        let mut rows = vec![row("txlist", deed.sender, to, value)];
        for one in &deed.movements {
            let list = match one.coin {
                Coin::Native => "txlistinternal",
                Coin::Token(_) => "tokentx",
            };
            rows.push(row(list, one.from, one.to, one.amount));
        }
        rows
    }

    fn json(&self) -> Value {
        json!({
            "blockNumber": self.block.to_string(), "timeStamp": "1700000000",
            "hash": self.hash, "from": self.from, "to": self.to,
            "value": self.value.to_string(), "isError": "0", "type": "call",
        })
    }
}

/// A running index; dropped, it stops.
#[derive(Debug)]
pub struct EvmIndex {
    state: Arc<Held>,
    server: ServerThread,
}

#[derive(Debug)]
struct Held {
    rows: Vec<EvmIndexRow>,
    key: Option<String>,
    asked: Mutex<Vec<String>>,
}

impl EvmIndex {
    /// Serves rows on a free port of loopback, at every path; to those only who name the key, where there is one.
    pub fn start(rows: Vec<EvmIndexRow>, key: Option<&str>) -> io::Result<Self> {
        let state = Arc::new(Held {
            rows,
            key: key.map(ToOwned::to_owned),
            asked: Mutex::default(),
        });
        let router = Router::new().fallback(respond).with_state(state.clone());
        let server = ServerThread::start(async move |listener| {
            // It returns only when the listener is gone.
            let _ended = axum::serve(listener, router).await;
        })?;
        Ok(Self { state, server })
    }

    /// The URL, `http://127.0.0.1:PORT`.
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.server.port())
    }

    /// The lists that were asked for, with their paths, as `/api txlist`.
    pub fn asked(&self) -> Vec<String> {
        let asked = self.state.asked.lock();
        asked.unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// The result of `alchemy_getAssetTransfers` over these rows, all on one page.
pub fn alchemy_transfers(rows: &[EvmIndexRow], params: &Value) -> Value {
    let asked = &params[0];
    let number = |name: &str| {
        let text = asked[name].as_str().unwrap_or_default();
        u64::from_str_radix(text.trim_start_matches("0x"), 16).unwrap_or_default()
    };
    let (first, last) = (number("fromBlock"), number("toBlock"));
    let category = |row: &EvmIndexRow| match row.list {
        "txlist" => "external",
        "txlistinternal" => "internal",
        _ => "erc20",
    };
    let party =
        |name: &str, account: Address| asked[name].is_null() || asked[name] == json!(account);
    let categories = asked["category"].as_array().cloned().unwrap_or_default();
    let wanted = |row: &&EvmIndexRow| {
        (first..=last).contains(&row.block)
            && party("fromAddress", row.from)
            && party("toAddress", row.to)
            && categories.contains(&json!(category(row)))
    };
    let told = rows.iter().filter(wanted).map(|row| {
        json!({
            "blockNum": format!("{:#x}", row.block), "uniqueId": format!("{}:{}", row.hash, row.list),
            "hash": row.hash, "from": row.from, "to": row.to, "category": category(row),
            "rawContract": { "value": format!("{:#x}", row.value), "address": null, "decimal": null },
        })
    });
    json!({ "transfers": told.collect::<Vec<_>>() })
}

async fn respond(
    State(held): State<Arc<Held>>,
    uri: axum::http::Uri,
    Query(asked): Query<BTreeMap<String, String>>,
) -> String {
    let text = |name: &str| asked.get(name).map(String::as_str).unwrap_or_default();
    let line = format!("{} {}", uri.path(), text("action"));
    let mut all = held.asked.lock().unwrap_or_else(PoisonError::into_inner);
    all.push(line);
    drop(all);
    if held.key.as_deref().is_some_and(|key| key != text("apikey")) {
        let refused = format!("Invalid API Key (#err2)|{}", text("apikey"));
        return json!({"status": "0", "message": "NOTOK", "result": refused}).to_string();
    }
    let number = |name: &str| text(name).parse::<u64>().unwrap_or_default();
    let account: Address = text("address").parse().unwrap_or_default();
    let blocks = number("startblock")..=number("endblock");
    let wanted = |row: &&EvmIndexRow| {
        row.list == text("action")
            && (row.from == account || row.to == account)
            && blocks.contains(&row.block)
    };
    let most = usize::try_from(number("offset")).unwrap_or(usize::MAX);
    let rows = held.rows.iter().filter(wanted).take(most);
    let rows: Vec<Value> = rows.map(EvmIndexRow::json).collect();
    if rows.is_empty() {
        return json!({"status": "0", "message": "No transactions found", "result": []})
            .to_string();
    }
    json!({"status": "1", "message": "OK", "result": rows}).to_string()
}
