//! Facts by query: written with their evidence in one batch, read back only where they still answer.

use bitcoin::{BlockHash, OutPoint, ScriptBuf, Txid};
use hansel_ledger::{
    Answer, BlockRef, Chain, Fact, Query, SpendState, Spends, TransactionStatement, UnixTime,
};
use rocksdb::WriteBatch;
use serde::de::{DeserializeOwned, IgnoredAny};

use crate::columns::Column;
use crate::evm::{answers_evm, evm_blocks, evm_key};
use crate::keys::{ChainKey, HeightKey, StatementKey};
use crate::merge::{Kept, Pin};
use crate::rows::{EvidenceRef, Statement, bad_row, decode, encode};
use crate::{EvidenceRecord, Store, StoreError};

/// What the rows of one answer have in common.
pub(crate) struct Origin {
    /// The chain.
    pub(crate) chain: ChainKey,
    tip: BlockHash,
    evidence: Vec<EvidenceRef>,
}

impl Origin {
    /// The row of one fact that was asked for at a height.
    pub(crate) fn row<T>(&self, as_of: u64, fact: T) -> Statement<T> {
        Statement {
            as_of,
            tip: self.tip,
            fact,
            evidence: self.evidence.clone(),
        }
    }
}

impl Store {
    /// Keeps a source's answer to a query of a trace whose tip is `pinned`: all of it or, on an error, nothing.
    ///
    /// What is known better is not replaced: a confirmed transaction or spend stays, and an unspent output
    /// keeps the greatest height it was seen unspent at. Raw answers are kept in every case. Fails with
    /// [`StoreError::ConflictingBlock`] where the answer's blocks are on another branch than those in the store.
    pub fn put_answer(
        &self,
        chain: &Chain,
        query: &Query,
        answer: &Answer,
        pinned: &BlockRef,
        at: UnixTime,
    ) -> Result<(), StoreError> {
        let key = self.registered(chain)?;
        let _turn = self.take_turn();
        let mut batch = WriteBatch::default();
        self.add_headers(&mut batch, chain, &blocks(pinned, &answer.fact))?;
        let origin = Origin {
            chain: key,
            tip: pinned.hash,
            evidence: self.add_evidence(&mut batch, &answer.evidence, at)?,
        };
        self.add_fact(&mut batch, &origin, query, &answer.fact, pinned.height)?;
        self.write(batch)
    }

    fn add_fact(
        &self,
        batch: &mut WriteBatch,
        origin: &Origin,
        query: &Query,
        fact: &Fact,
        tip: u64,
    ) -> Result<(), StoreError> {
        match (query, fact) {
            (Query::Transaction { txid, .. }, Fact::Transaction(fact)) if fact.txid == *txid => {
                let key = StatementKey::transaction(origin.chain, txid);
                self.add_row(batch, &key, &origin.row(tip, fact.clone()))
            }
            (Query::Spends { .. }, Fact::Spends(spends)) if answers_spends(query, spends) => {
                self.add_spends(batch, origin, spends)
            }
            (
                Query::Received {
                    script,
                    since,
                    as_of,
                },
                Fact::Received(outputs),
            ) if outputs.iter().all(|(_, at)| (since..=as_of).contains(&at)) => {
                let key = StatementKey::received(origin.chain, script, *since);
                self.add_row(batch, &key, &origin.row(*as_of, outputs.clone()))
            }
            (Query::Evm(query), Fact::Evm(fact)) if answers_evm(query, fact) => {
                self.add_evm(batch, origin, query, fact, tip)
            }
            (
                Query::Transaction { .. }
                | Query::Spends { .. }
                | Query::Received { .. }
                | Query::Evm(_),
                _,
            ) => Err(StoreError::WrongAnswer {
                query: subject_of_query(query),
                fact: subject_of_fact(fact),
            }),
        }
    }

    fn add_spends(
        &self,
        batch: &mut WriteBatch,
        origin: &Origin,
        spends: &Spends,
    ) -> Result<(), StoreError> {
        for (vout, state) in &spends.outputs {
            let key = StatementKey::spend(origin.chain, &spends.txid, *vout);
            self.add_row(batch, &key, &origin.row(spends.as_of, state.clone()))?;
        }
        Ok(())
    }

    /// Adds a row and its place in `heights` to a batch, unless the row in the store is better.
    pub(crate) fn add_row<T: Kept>(
        &self,
        batch: &mut WriteBatch,
        key: &StatementKey,
        new: &Statement<T>,
    ) -> Result<(), StoreError> {
        if let Some(stored) = self.row::<T>(key)? {
            if !T::replaces(new, &stored) {
                return Ok(());
            }
            let height = HeightKey::new(T::height(&stored), key);
            batch.delete_cf(self.column(Column::Heights), height.as_bytes());
        }
        let height = HeightKey::new(T::height(new), key);
        batch.put_cf(self.column(Column::Heights), height.as_bytes(), b"");
        let value = encode("a statement", new)?;
        batch.put_cf(self.column(Column::Statements), key.as_bytes(), value);
        Ok(())
    }

    /// Forgets a transaction's statement, because it proved false; its evidence stays.
    pub fn forget_transaction(&self, chain: &Chain, txid: &Txid) -> Result<(), StoreError> {
        let key = StatementKey::transaction(ChainKey::of(chain), txid);
        self.forget_row::<TransactionStatement>(&key)
    }

    /// Forgets what was said about the spending of an output, because it proved false; its evidence stays.
    pub fn forget_spend(&self, chain: &Chain, outpoint: &OutPoint) -> Result<(), StoreError> {
        let key = StatementKey::spend(ChainKey::of(chain), &outpoint.txid, outpoint.vout);
        self.forget_row::<SpendState>(&key)
    }

    /// Deletes a row and its place in `heights`, where there is one.
    pub(crate) fn forget_row<T: Kept>(&self, key: &StatementKey) -> Result<(), StoreError> {
        let _turn = self.take_turn();
        let Some(stored) = self.row::<T>(key)? else {
            return Ok(());
        };
        let mut batch = WriteBatch::default();
        let height = HeightKey::new(T::height(&stored), key);
        batch.delete_cf(self.column(Column::Heights), height.as_bytes());
        batch.delete_cf(self.column(Column::Statements), key.as_bytes());
        self.write(batch)
    }

    /// The cached fact that a source would give to a trace whose tip is `pinned`; `None` where it must be asked.
    ///
    /// Facts that later blocks cannot change answer under every tip that has their block. An output spent or
    /// seen unspent after `as_of` was unspent then. What a source could not tell is asked again.
    pub fn answer(
        &self,
        chain: &Chain,
        query: &Query,
        pinned: &BlockRef,
    ) -> Result<Option<Fact>, StoreError> {
        let key = ChainKey::of(chain);
        let known = self.header(key, pinned.height)?;
        if known.is_some_and(|hash| hash != pinned.hash) {
            return Ok(None);
        }
        let pin = |as_of| Pin {
            tip: pinned.hash,
            height: pinned.height,
            as_of,
            on_chain: known.is_some(),
        };
        match query {
            Query::Transaction { txid, .. } => self.transaction(key, txid, &pin(pinned.height)),
            Query::Spends {
                txid,
                outputs,
                as_of,
                ..
            } => self.spends(key, txid, outputs, &pin(*as_of)),
            Query::Received {
                script,
                since,
                as_of,
            } => {
                let key = StatementKey::received(key, script, *since);
                let received = self.fact_under::<Vec<(OutPoint, u64)>>(&key, &pin(*as_of))?;
                Ok(received.map(Fact::Received))
            }
            Query::Evm(query) => Ok(self.evm(key, query, pin, pinned.height)?.map(Fact::Evm)),
        }
    }

    fn transaction(
        &self,
        chain: ChainKey,
        txid: &Txid,
        pin: &Pin,
    ) -> Result<Option<Fact>, StoreError> {
        let key = StatementKey::transaction(chain, txid);
        let found = self.fact_under::<TransactionStatement>(&key, pin)?;
        if found.as_ref().is_some_and(|fact| fact.txid != *txid) {
            let reason = "it holds another transaction than its key says";
            return Err(bad_row(Column::Statements, key.as_bytes(), reason));
        }
        Ok(found.map(Fact::Transaction))
    }

    fn spends(
        &self,
        chain: ChainKey,
        txid: &Txid,
        asked: &[(u32, ScriptBuf)],
        pin: &Pin,
    ) -> Result<Option<Fact>, StoreError> {
        let mut outputs = Vec::with_capacity(asked.len());
        for (vout, _) in asked {
            let key = StatementKey::spend(chain, txid, *vout);
            match self.fact_under::<SpendState>(&key, pin)? {
                Some(state) => outputs.push((*vout, state)),
                None => return Ok(None),
            }
        }
        Ok(Some(Fact::Spends(Spends {
            txid: *txid,
            as_of: pin.as_of,
            outputs,
        })))
    }

    pub(crate) fn fact_under<T: Kept>(
        &self,
        key: &StatementKey,
        pin: &Pin,
    ) -> Result<Option<T>, StoreError> {
        Ok(self.row(key)?.and_then(|row| T::under(row, pin)))
    }

    fn row<T: DeserializeOwned>(
        &self,
        key: &StatementKey,
    ) -> Result<Option<Statement<T>>, StoreError> {
        self.get(Column::Statements, key.as_bytes())?
            .map(|value| decode(Column::Statements, key.as_bytes(), &value))
            .transpose()
    }

    /// The raw answers that the facts kept for a query were read from, each once; empty where none is kept.
    ///
    /// Every body is compared with its hash. The facts may be newer than what [`Store::answer`] tells.
    pub fn evidence_of(
        &self,
        chain: &Chain,
        query: &Query,
    ) -> Result<Vec<EvidenceRecord>, StoreError> {
        let mut named: Vec<EvidenceRef> = Vec::new();
        for key in statement_keys(ChainKey::of(chain), query) {
            let row = self.row::<IgnoredAny>(&key)?;
            for one in row.into_iter().flat_map(|row| row.evidence) {
                if !named.contains(&one) {
                    named.push(one);
                }
            }
        }
        self.evidence_records(&named)
    }
}

fn statement_keys(chain: ChainKey, query: &Query) -> Vec<StatementKey> {
    match query {
        Query::Transaction { txid, .. } => vec![StatementKey::transaction(chain, txid)],
        Query::Spends { txid, outputs, .. } => outputs
            .iter()
            .map(|(vout, _)| StatementKey::spend(chain, txid, *vout))
            .collect(),
        Query::Received { script, since, .. } => {
            vec![StatementKey::received(chain, script, *since)]
        }
        Query::Evm(query) => vec![evm_key(chain, query)],
    }
}

/// The blocks that an answer names by height and hash.
fn blocks(pinned: &BlockRef, fact: &Fact) -> Vec<BlockRef> {
    let mut blocks = vec![*pinned];
    match fact {
        Fact::Transaction(transaction) => blocks.extend(transaction.placement.block()),
        Fact::Evm(fact) => blocks.extend(evm_blocks(fact)),
        Fact::Spends(_) | Fact::Received(_) => {}
    }
    blocks
}

/// True where the answer speaks of exactly the outputs that were asked for, at the height that was asked for.
fn answers_spends(query: &Query, spends: &Spends) -> bool {
    let Query::Spends {
        txid,
        outputs,
        as_of,
        ..
    } = query
    else {
        return false;
    };
    let asked = outputs.iter().map(|(vout, _)| vout);
    let told = spends.outputs.iter().map(|(vout, _)| vout);
    spends.txid == *txid && spends.as_of == *as_of && asked.eq(told)
}

fn subject_of_query(query: &Query) -> String {
    match query {
        Query::Transaction { txid, .. } => format!("transaction {txid}"),
        Query::Spends {
            txid,
            outputs,
            as_of,
            ..
        } => format!("{} outputs of {txid} through {as_of}", outputs.len()),
        Query::Received { since, as_of, .. } => format!("receipts in blocks {since} to {as_of}"),
        Query::Evm(query) => format!("{query:?}"),
    }
}

fn subject_of_fact(fact: &Fact) -> String {
    match fact {
        Fact::Transaction(transaction) => format!("transaction {}", transaction.txid),
        Fact::Spends(spends) => format!(
            "{} outputs of {} through {}",
            spends.outputs.len(),
            spends.txid,
            spends.as_of
        ),
        Fact::Received(outputs) => format!("{} receipts", outputs.len()),
        Fact::Evm(_) => "a fact of an EVM chain".to_owned(),
    }
}
