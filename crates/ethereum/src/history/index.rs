//! Somebody's index of an account's history, as a hint: what it names is confirmed on the chain, and what it does
//! not name may be there all the same.
//!
//! Blockscout and Etherscan cut lists off without a word, so they are walked by block windows: each page starts in
//! the block in which the last one ended, until nothing new comes. Alchemy's lists are followed by their cursor.

use std::collections::BTreeSet;

use alloy_primitives::{Address, B256, U64};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Candidate, Contradiction, Side, Step};

/// Rows asked for at once: the most that Etherscan and Blockscout serve.
const PAGE: u32 = 1_000;
/// Transfers asked for at once: the most that Alchemy serves.
const ALCHEMY_PAGE: &str = "0x3e8";

/// A list that Blockscout and Etherscan keep of an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum IndexList {
    /// Transactions that it sent or that called it.
    Transactions,
    /// Payments of the native coin by contracts.
    Internal,
    /// Transfers of tokens.
    Tokens,
}

impl IndexList {
    /// Its name in requests.
    pub fn action(self) -> &'static str {
        match self {
            Self::Transactions => "txlist",
            Self::Internal => "txlistinternal",
            Self::Tokens => "tokentx",
        }
    }
}

/// What an index says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Hints {
    /// Transactions that it names, in the order of blocks.
    pub candidates: Vec<Candidate>,
    /// Blocks of which it may name more than it served, ascending.
    pub cut: Vec<u64>,
}

/// An answer as Blockscout and Etherscan spell it.
#[derive(Clone, Debug, Deserialize)]
pub struct IndexAnswer {
    status: String,
    #[serde(default)]
    message: Option<String>,
    result: Value,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Row {
    block_number: String,
    #[serde(alias = "transactionHash")]
    hash: B256,
}

/// Says that an index did not answer with a list. What it said instead is not repeated.
#[derive(Clone, Copy, Debug, thiserror::Error, PartialEq, Eq)]
#[error("the index answered with something else than a list")]
pub struct NoList;

impl IndexAnswer {
    /// The rows; none only where the index says that there are none, and not where it says no.
    fn rows(self) -> Result<Vec<Candidate>, NoList> {
        let rows: Vec<Row> = serde_json::from_value(self.result).map_err(|_| NoList)?;
        let said_none = |message: &str| {
            let message = message.to_ascii_lowercase();
            message.starts_with("no ") && message.contains("found")
        };
        if self.status != "1"
            && !(rows.is_empty() && self.message.as_deref().is_some_and(said_none))
        {
            return Err(NoList);
        }
        let candidate = |row: Row| {
            let block = row.block_number.parse().map_err(|_| NoList)?;
            Ok(Candidate {
                block,
                tx: row.hash,
            })
        };
        rows.into_iter().map(candidate).collect()
    }
}

/// A walk over one list of Blockscout or Etherscan by block windows; it does no I/O.
#[derive(Clone, Debug)]
pub struct IndexWalk {
    account: Address,
    list: IndexList,
    first: u64,
    until: u64,
    bound: usize,
    over: bool,
    found: BTreeSet<Candidate>,
    cut: BTreeSet<u64>,
}

impl IndexWalk {
    /// Starts a walk that stops beyond `bound` transactions.
    pub fn new(
        account: Address,
        list: IndexList,
        (since, until): (u64, u64),
        bound: usize,
    ) -> Self {
        Self {
            account,
            list,
            first: since,
            until,
            bound,
            over: since > until,
            found: BTreeSet::new(),
            cut: BTreeSet::new(),
        }
    }

    /// The query of the next request, without `?` and without a key; `None` where the walk is over.
    pub fn ask(&self) -> Option<String> {
        let Self {
            account,
            first,
            until,
            ..
        } = self;
        let action = self.list.action();
        (!self.over).then(|| {
            format!(
                "module=account&action={action}&address={account:#x}&startblock={first}&endblock={until}\
                 &page=1&offset={PAGE}&sort=asc"
            )
        })
    }

    /// Takes an answer.
    pub fn answered(&mut self, answer: IndexAnswer) -> Result<Step, NoList> {
        let rows = answer.rows()?;
        let inside = |row: &&Candidate| (self.first..=self.until).contains(&row.block);
        let rows: Vec<Candidate> = rows.iter().filter(inside).copied().collect();
        let last = rows.iter().map(|row| row.block).max();
        let full = rows.len() >= 100;
        let known = self.found.len();
        self.found.extend(rows);
        if self.found.len() > self.bound {
            self.over = true;
            return Ok(Step::TooMany);
        }
        self.go_on(last, self.found.len() > known, full);
        Ok(Step::Next)
    }

    /// The next window begins in the last block seen. A page within one block may be cut off there, and the window
    /// after it begins behind.
    fn go_on(&mut self, last: Option<u64>, new: bool, full: bool) {
        let Some(last) = last else {
            self.over = true;
            return;
        };
        if last > self.first {
            self.first = last;
            return;
        }
        if new || full {
            self.cut.extend(full.then_some(last));
        }
        self.over = last >= self.until;
        self.first = last.saturating_add(1);
    }

    /// What the index said.
    pub fn finish(self) -> Hints {
        Hints {
            candidates: self.found.into_iter().collect(),
            cut: self.cut.into_iter().collect(),
        }
    }
}

/// A page of `alchemy_getAssetTransfers`.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AlchemyPage {
    transfers: Vec<AlchemyTransfer>,
    #[serde(default)]
    page_key: Option<String>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct AlchemyTransfer {
    block_num: U64,
    hash: B256,
}

/// A walk over one side of an account's transfers at Alchemy; it does no I/O. Amounts are not read: they are told as
/// floating-point numbers, and the chain tells them anyway.
#[derive(Clone, Debug)]
pub struct AlchemyWalk {
    account: Address,
    side: Side,
    blocks: (u64, u64),
    bound: usize,
    keys: BTreeSet<String>,
    key: Option<String>,
    over: bool,
    found: BTreeSet<Candidate>,
}

impl AlchemyWalk {
    /// Starts a walk that stops beyond `bound` transactions.
    pub fn new(account: Address, side: Side, blocks: (u64, u64), bound: usize) -> Self {
        Self {
            account,
            side,
            blocks,
            bound,
            keys: BTreeSet::new(),
            key: None,
            over: blocks.0 > blocks.1,
            found: BTreeSet::new(),
        }
    }

    /// The parameters of the next `alchemy_getAssetTransfers` over these categories (`external`, `internal`,
    /// `erc20`); `None` where the walk is over.
    pub fn ask(&self, categories: &[&str]) -> Option<Value> {
        let side = match self.side {
            Side::From => "fromAddress",
            Side::To => "toAddress",
        };
        let mut asked = json!({
            "fromBlock": format!("{:#x}", self.blocks.0),
            "toBlock": format!("{:#x}", self.blocks.1),
            side: self.account,
            "category": categories,
            "maxCount": ALCHEMY_PAGE,
            "excludeZeroValue": true,
            "withMetadata": false,
            "order": "asc",
        });
        if let Some(key) = &self.key {
            asked["pageKey"] = json!(key);
        }
        (!self.over).then(|| json!([asked]))
    }

    /// Takes a page.
    pub fn answered(&mut self, page: AlchemyPage) -> Result<Step, Contradiction> {
        for transfer in &page.transfers {
            let block = transfer.block_num.to::<u64>();
            if block < self.blocks.0 || block > self.blocks.1 {
                let what = "a transfer";
                return Err(Contradiction::NotAsked { what, block });
            }
            self.found.insert(Candidate {
                block,
                tx: transfer.hash,
            });
        }
        if let Some(key) = &page.page_key
            && !self.keys.insert(key.clone())
        {
            let what = "alchemy_getAssetTransfers";
            let block = self.found.last().map_or(self.blocks.0, |one| one.block);
            return Err(Contradiction::Page { what, block });
        }
        self.over = page.page_key.is_none();
        self.key = page.page_key;
        // Pages without anything new could go on for ever.
        if self.found.len() > self.bound || self.keys.len() > self.bound.saturating_add(100) {
            self.over = true;
            return Ok(Step::TooMany);
        }
        Ok(Step::Next)
    }

    /// What the index said.
    pub fn finish(self) -> Hints {
        Hints {
            candidates: self.found.into_iter().collect(),
            cut: Vec::new(),
        }
    }
}
