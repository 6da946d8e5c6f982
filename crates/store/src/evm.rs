//! Facts of EVM chains: statements are kept without their transactions, and each transaction once.
//!
//! A transaction stands in the statements of every account and coin that it moved, and again in those of the next
//! run. It is kept by the hash of what a source said of it, so that a statement reads back as it was given, even
//! where another source knows more of the same transaction.

use hansel_ledger::{
    AccountStatement, Arrival, BlockRef, Chain, Deposits, EvmFact, EvmQuery, EvmTransaction, Gap,
    Logs,
};
use rocksdb::WriteBatch;
use serde::{Deserialize, Serialize};

use crate::answers::Origin;
use crate::columns::Column;
use crate::keys::{ChainKey, HeightKey, StatementKey};
use crate::merge::Pin;
use crate::rows::{bad_row, decode, encode};
use crate::{EvidenceHash, Store, StoreError};

/// An account's statement as it is kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct AccountRow {
    /// The statement without its transactions.
    pub(crate) statement: AccountStatement,
    /// The hashes of their values, in the statement's order.
    transactions: Vec<EvidenceHash>,
}

impl Store {
    /// Adds a fact to a batch that answers the query, as [`answers_evm`] says.
    pub(crate) fn add_evm(
        &self,
        batch: &mut WriteBatch,
        origin: &Origin,
        query: &EvmQuery,
        fact: &EvmFact,
        tip: u64,
    ) -> Result<(), StoreError> {
        let key = evm_key(origin.chain, query);
        match fact {
            EvmFact::Transaction(fact) => self.add_row(batch, &key, &origin.row(tip, fact.clone())),
            EvmFact::Account(statement) => {
                let row = self.add_entries(batch, origin.chain, statement)?;
                self.add_row(batch, &key, &origin.row(statement.until, row))
            }
            EvmFact::Deposits(fact) => {
                self.add_row(batch, &key, &origin.row(fact.until, fact.clone()))
            }
            EvmFact::Logs(fact) => self.add_row(batch, &key, &origin.row(fact.until, fact.clone())),
        }
    }

    /// Adds the transactions of a statement to a batch, and gives the statement that names them.
    fn add_entries(
        &self,
        batch: &mut WriteBatch,
        chain: ChainKey,
        statement: &AccountStatement,
    ) -> Result<AccountRow, StoreError> {
        let add = |transaction| self.add_entry(batch, chain, transaction);
        let transactions = statement.transactions.iter().map(add);
        Ok(AccountRow {
            transactions: transactions.collect::<Result<_, _>>()?,
            statement: without_transactions(statement),
        })
    }

    fn add_entry(
        &self,
        batch: &mut WriteBatch,
        chain: ChainKey,
        transaction: &EvmTransaction,
    ) -> Result<EvidenceHash, StoreError> {
        let value = encode("a transaction", transaction)?;
        let content = EvidenceHash::of(&value);
        let key = StatementKey::entry(chain, &content);
        if !self.has(Column::Statements, key.as_bytes())? {
            let height = HeightKey::new(transaction.placement.block.height, &key);
            batch.put_cf(self.column(Column::Heights), height.as_bytes(), b"");
            batch.put_cf(self.column(Column::Statements), key.as_bytes(), value);
        }
        Ok(content)
    }

    /// The cached fact that a source would give under the pin.
    pub(crate) fn evm(
        &self,
        chain: ChainKey,
        query: &EvmQuery,
        pin: impl Fn(u64) -> Pin,
        tip: u64,
    ) -> Result<Option<EvmFact>, StoreError> {
        // No reorganisation may take a statement's transactions away while they are read.
        let _turn = self.take_turn();
        let key = evm_key(chain, query);
        let found = match query {
            EvmQuery::Transaction { .. } => {
                let fact = self.fact_under::<EvmTransaction>(&key, &pin(tip))?;
                fact.map(EvmFact::Transaction)
            }
            EvmQuery::Account { until, .. } => {
                let row = self.fact_under::<AccountRow>(&key, &pin(*until))?;
                let statement = row.map(|row| self.with_entries(chain, row)).transpose()?;
                statement.map(EvmFact::Account)
            }
            EvmQuery::Deposits { until, .. } => {
                let fact = self.fact_under::<Deposits>(&key, &pin(*until))?;
                fact.map(EvmFact::Deposits)
            }
            EvmQuery::Logs { until, .. } => {
                let fact = self.fact_under::<Logs>(&key, &pin(*until))?;
                fact.map(EvmFact::Logs)
            }
        };
        if found.as_ref().is_some_and(|fact| !answers_evm(query, fact)) {
            let reason = "it answers another question than its key says";
            return Err(bad_row(Column::Statements, key.as_bytes(), reason));
        }
        Ok(found)
    }

    fn with_entries(
        &self,
        chain: ChainKey,
        row: AccountRow,
    ) -> Result<AccountStatement, StoreError> {
        let AccountRow {
            mut statement,
            transactions,
        } = row;
        let read = |content: &EvidenceHash| self.entry(chain, content);
        statement.transactions = transactions.iter().map(read).collect::<Result<_, _>>()?;
        Ok(statement)
    }

    fn entry(&self, chain: ChainKey, content: &EvidenceHash) -> Result<EvmTransaction, StoreError> {
        let key = StatementKey::entry(chain, content);
        let wrong = |reason| bad_row(Column::Statements, key.as_bytes(), reason);
        let value = self
            .get(Column::Statements, key.as_bytes())?
            .ok_or_else(|| wrong("an account's statement names it, but it is missing"))?;
        if EvidenceHash::of(&value) != *content {
            return Err(wrong("it does not have the hash it is stored under"));
        }
        decode(Column::Statements, key.as_bytes(), &value)
    }

    /// Forgets what was answered to a question about an EVM chain, because it proved false; its evidence stays,
    /// and so does what was answered to other questions.
    pub fn forget_evm(&self, chain: &Chain, query: &EvmQuery) -> Result<(), StoreError> {
        let key = evm_key(ChainKey::of(chain), query);
        match query {
            EvmQuery::Transaction { .. } => self.forget_row::<EvmTransaction>(&key),
            EvmQuery::Account { .. } => self.forget_row::<AccountRow>(&key),
            EvmQuery::Deposits { .. } => self.forget_row::<Deposits>(&key),
            EvmQuery::Logs { .. } => self.forget_row::<Logs>(&key),
        }
    }
}

/// Where the fact that answers a query is kept.
pub(crate) fn evm_key(chain: ChainKey, query: &EvmQuery) -> StatementKey {
    match query {
        EvmQuery::Transaction { hash } => StatementKey::evm_transaction(chain, hash),
        EvmQuery::Account {
            address,
            coin,
            since,
            until,
            bound,
        } => StatementKey::account(chain, address, *coin, (*since, *until), *bound),
        EvmQuery::Deposits {
            address,
            since,
            until,
        } => StatementKey::deposits(chain, address, (*since, *until)),
        EvmQuery::Logs {
            contracts,
            topics,
            since,
            until,
        } => StatementKey::logs(chain, contracts, topics, (*since, *until)),
    }
}

/// True where the fact speaks of exactly what was asked for, and of no other blocks.
pub(crate) fn answers_evm(query: &EvmQuery, fact: &EvmFact) -> bool {
    match (query, fact) {
        (EvmQuery::Transaction { hash }, EvmFact::Transaction(fact)) => fact.hash == *hash,
        (
            EvmQuery::Account {
                address,
                coin,
                since,
                until,
                bound,
            },
            EvmFact::Account(fact),
        ) => {
            let asked = (address, coin, since, until);
            asked == (&fact.address, &fact.coin, &fact.since, &fact.until)
                && is_within(fact, *bound)
        }
        (
            EvmQuery::Deposits {
                address,
                since,
                until,
            },
            EvmFact::Deposits(fact),
        ) => {
            let within = |arrival: &Arrival| (since..=until).contains(&&height(arrival));
            (address, since, until) == (&fact.address, &fact.since, &fact.until)
                && fact.arrivals.iter().all(within)
        }
        (
            EvmQuery::Logs {
                contracts,
                topics,
                since,
                until,
            },
            EvmFact::Logs(fact),
        ) => {
            let blocks = *since..=*until;
            (contracts, topics, since, until)
                == (&fact.contracts, &fact.topics, &fact.since, &fact.until)
                && fact
                    .logs
                    .iter()
                    .all(|log| blocks.contains(&log.block.height))
        }
        (
            EvmQuery::Transaction { .. }
            | EvmQuery::Account { .. }
            | EvmQuery::Deposits { .. }
            | EvmQuery::Logs { .. },
            _,
        ) => false,
    }
}

/// True where every entry is in the statement's blocks, and a hub is one by the bound that was asked and has none.
fn is_within(statement: &AccountStatement, asked: u64) -> bool {
    let blocks = statement.since..=statement.until;
    let transactions = statement.transactions.iter();
    let heights = transactions.map(|one| one.placement.block.height);
    let mut heights = heights.chain(statement.arrivals.iter().map(height));
    let is_empty = statement.transactions.is_empty() && statement.arrivals.is_empty();
    let is_false_hub =
        |gap: &Gap| matches!(gap, Gap::Hub { bound } if *bound != asked || !is_empty);
    heights.all(|height| blocks.contains(&height))
        && !statement.coverage.gaps.iter().any(is_false_hub)
}

fn height(arrival: &Arrival) -> u64 {
    arrival.placement.block.height
}

/// The blocks that a fact names by height and hash.
pub(crate) fn evm_blocks(fact: &EvmFact) -> Vec<BlockRef> {
    let (transactions, arrivals): (&[EvmTransaction], &[Arrival]) = match fact {
        EvmFact::Transaction(fact) => (std::slice::from_ref(fact), &[]),
        EvmFact::Account(fact) => (&fact.transactions, &fact.arrivals),
        EvmFact::Deposits(fact) => (&[], &fact.arrivals),
        EvmFact::Logs(fact) => return fact.logs.iter().map(|log| log.block).collect(),
    };
    let transactions = transactions.iter().map(|one| one.placement.block);
    let arrivals = arrivals.iter().map(|one| one.placement.block);
    transactions.chain(arrivals).collect()
}

fn without_transactions(statement: &AccountStatement) -> AccountStatement {
    let AccountStatement {
        address,
        coin,
        since,
        until,
        opening,
        closing,
        nature,
        transactions: _,
        arrivals,
        noise,
        coverage,
    } = statement;
    AccountStatement {
        address: *address,
        coin: *coin,
        since: *since,
        until: *until,
        opening: *opening,
        closing: *closing,
        nature: *nature,
        transactions: Vec::new(),
        arrivals: arrivals.clone(),
        noise: *noise,
        coverage: coverage.clone(),
    }
}
