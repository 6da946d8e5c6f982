//! What one block did to an account's native coin.

use std::collections::BTreeSet;
use std::sync::Arc;

use alloy_primitives::{Address, B256};
use futures::{StreamExt as _, TryStreamExt as _, stream};
use hansel_ledger::{Arrival, Coin, ErrorClass, EvmTransaction, Movement, SourceError};
use serde_json::json;

use super::inquiry::{AT_A_TIME, Inquiry};
use crate::decode::{self, Call, HeaderLean, Transactions, TxLean};
use crate::probe::Tracing;
use crate::source::reader::{Read, hex};

/// The gas limit of a transfer that leaves no gas for code.
const PLAIN_GAS: u64 = 21_000;

/// What a block did.
pub(super) struct Touched {
    pub(super) height: u64,
    /// Transactions that the account sent or that moved its coin.
    pub(super) transactions: Vec<EvmTransaction>,
    pub(super) withdrawals: Vec<Arrival>,
    /// True where all calls of the block were looked at.
    pub(super) traced: bool,
    /// Transactions that may have run code, where they were not.
    pub(super) untraced: u64,
    /// The one transaction that may have run code, where there is just one.
    pub(super) only: Option<(B256, u32)>,
    pub(super) block: Arc<Read<HeaderLean>>,
}

impl Inquiry<'_> {
    /// Reads what a block did to the account's native coin, by its traces where the endpoint gives them.
    pub(super) async fn touched(&self, height: u64) -> Result<Touched, SourceError> {
        let block = self.reader.body(height).await?;
        let none = Vec::new();
        let all = match &block.value.transactions {
            Transactions::Full(all) => all,
            Transactions::Hashes(_) | Transactions::Absent => &none,
        };
        let inside = self.moved_inside(&block.value, all).await?;
        let traced = inside.is_some();
        let inside = inside.unwrap_or_default();
        let concerns = |tx: &&TxLean| {
            let party =
                tx.from == self.address || tx.to == Some(self.address) && !tx.value.is_zero();
            party || inside.contains(&tx.hash)
        };
        let concerned: Vec<&TxLean> = all.iter().filter(concerns).collect();
        let transactions = self.tell_all(&concerned, &block).await?;
        let own = |(address, _): &(Address, Arrival)| *address == self.address;
        let withdrawals = decode::withdrawals(&block.value).filter(own);
        let withdrawals: Vec<Arrival> = withdrawals.map(|(_, arrival)| arrival).collect();
        if !withdrawals.is_empty() {
            self.notes.keep(&block.evidence);
        }
        let (untraced, only) = unknown(all);
        Ok(Touched {
            height,
            transactions,
            withdrawals,
            traced,
            untraced,
            only,
            block: Arc::clone(&block),
        })
    }

    /// The transactions of a block in which calls moved the account's coin; `None` where they cannot be traced.
    async fn moved_inside(
        &self,
        block: &HeaderLean,
        all: &[TxLean],
    ) -> Result<Option<BTreeSet<B256>>, SourceError> {
        let Some(running) = all.iter().find(|tx| may_run_code(tx)) else {
            return Ok(Some(BTreeSet::new()));
        };
        let (method, params) = match self.reader.tracing_of(running.hash).await? {
            Tracing::CallTracer => (
                "debug_traceBlockByNumber",
                json!([hex(block.number), { "tracer": "callTracer" }]),
            ),
            Tracing::Flat => ("trace_block", json!([hex(block.number)])),
            Tracing::None | Tracing::Untried => return Ok(None),
        };
        let heard = match self.reader.ask.call(method, &params).await {
            Ok(heard) => heard,
            Err(error) if error.class == ErrorClass::Unsupported => {
                return self.each_inside(block, all).await;
            }
            Err(error) => return Err(error),
        };
        let read = |json: &[u8]| match method {
            "trace_block" => flat(json, self.address),
            _ => nested(json, all, self.address),
        };
        self.reader.ask.read(&heard, read)
    }

    /// The same, transaction by transaction.
    async fn each_inside(
        &self,
        block: &HeaderLean,
        all: &[TxLean],
    ) -> Result<Option<BTreeSet<B256>>, SourceError> {
        let header = self.reader.header(block.number).await?;
        let running: Vec<&TxLean> = all.iter().filter(|tx| may_run_code(tx)).collect();
        let told = self.tell_all(&running, &header).await?;
        let known = told
            .iter()
            .all(|tx| tx.internal == hansel_ledger::InternalTransfers::Known);
        let moves = |movement: &Movement| {
            let party = movement.from == self.address || movement.to == self.address;
            party && movement.coin == Coin::Native
        };
        let moving = told.iter().filter(|tx| tx.movements.iter().any(moves));
        let hashes = moving.map(|tx| tx.hash).collect();
        Ok(known.then_some(hashes))
    }
}

impl Inquiry<'_> {
    async fn tell_all(
        &self,
        all: &[&TxLean],
        block: &Arc<Read<HeaderLean>>,
    ) -> Result<Vec<EvmTransaction>, SourceError> {
        let mut told = Vec::new();
        for tx in all {
            told.push(self.reader.tell(tx, block, self.notes));
        }
        stream::iter(told).buffered(AT_A_TIME).try_collect().await
    }
}

/// Transactions whose nested calls moved the account's coin; `None` where some were not traced.
fn nested(
    json: &[u8],
    all: &[TxLean],
    address: Address,
) -> Result<Option<BTreeSet<B256>>, decode::DecodeError> {
    let Some(traced) = decode::call_traces_of_block(json)? else {
        return Ok(None);
    };
    if traced.len() != all.len() {
        return Ok(None);
    }
    let mut hashes = BTreeSet::new();
    for (tx, traced) in all.iter().zip(&traced) {
        let Some(calls) = traced.calls.as_ref() else {
            return Ok(None);
        };
        if traced.hash.is_some_and(|hash| hash != tx.hash) {
            return Ok(None);
        }
        if calls.iter().any(|call| moved(call, address)) {
            hashes.insert(tx.hash);
        }
    }
    Ok(Some(hashes))
}

/// Transactions of a flat trace that may have moved the account's coin; those above a failure are told in full.
fn flat(json: &[u8], address: Address) -> Result<Option<BTreeSet<B256>>, decode::DecodeError> {
    let traces = decode::flat_traces(json)?;
    let touching = |trace: &&decode::FlatTrace| {
        let party = trace.from == Some(address) || trace.to == Some(address);
        let moves = trace.kind.is_some_and(decode::CallKind::may_move_value);
        party && moves && !trace.value.is_zero()
    };
    let hashes = |traces: Vec<decode::FlatTrace>| {
        let touching = traces.iter().filter(touching);
        touching.filter_map(|trace| trace.tx).collect()
    };
    Ok(traces.map(hashes))
}

fn moved(call: &Call, address: Address) -> bool {
    let party = call.from == address || call.to == Some(address);
    party && call.kind.may_move_value() && !call.value.is_zero() && !call.failed
}

/// How many transactions may have run code, and which one if it is only one.
fn unknown(all: &[TxLean]) -> (u64, Option<(B256, u32)>) {
    let mut running = (0_u32..).zip(all).filter(|(_, tx)| may_run_code(tx));
    let first = running.next().map(|(index, tx)| (tx.hash, index));
    let others = u64::try_from(running.count()).unwrap_or(u64::MAX);
    let count = others.saturating_add(u64::from(first.is_some()));
    (count, first.filter(|_| others == 0))
}

/// True unless the transaction cannot have run code: it called an account with just enough gas to send value.
pub(crate) fn may_run_code(tx: &TxLean) -> bool {
    let no_data = tx.input.as_ref().is_some_and(|input| input.is_empty());
    let plain = tx.to.is_some() && no_data && tx.gas.is_some_and(|gas| gas <= PLAIN_GAS);
    !plain
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_call_of_a_kind_that_nobody_knows_may_have_moved_the_accounts_coin() {
        let (account, other) = (Address::repeat_byte(1), Address::repeat_byte(2));
        let hash = B256::repeat_byte(9);
        let tx = json!({"hash": hash, "from": other, "to": other, "value": "0x0"}).to_string();
        let tx = decode::transaction_by_hash(tx.as_bytes()).unwrap().unwrap();
        let found = |kind: &str, value: &str| {
            let inner = json!({"type": kind, "from": other, "to": account, "value": value});
            let top = json!({"type": "CALL", "from": other, "to": other, "value": "0x0", "calls": [inner]});
            let traced = json!([{"txHash": hash, "result": top}]).to_string();
            let told = nested(traced.as_bytes(), std::slice::from_ref(&tx), account);
            told.unwrap().unwrap().contains(&hash)
        };
        assert!(found("CALL", "0x1"));
        assert!(found("INVALID", "0x1"));
        assert!(!found("INVALID", "0x0"));
        assert!(!found("DELEGATECALL", "0x1"));
    }
}
