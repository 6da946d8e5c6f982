//! What a pass over new blocks asks for: whole blocks, who was called in them, what accounts hold after them.

use alloy_primitives::Address;
use hansel_ledger::{Amount, BlockRef, Called, Coin, ErrorClass, SourceError};
use serde_json::json;

use super::reader::{Reader, hex};
use super::state::searched;
use crate::decode::{self, CallKind, Transactions, TxLean};
use crate::history::{Contradiction, Probe};
use crate::probe::Tracing;
use crate::statement::may_run_code;

impl Reader {
    /// A whole block as the endpoint sent it: the JSON of the block with its transactions.
    pub(crate) async fn whole_block(&self, block: &BlockRef) -> Result<Vec<u8>, SourceError> {
        let params = json!([hex(block.height), true]);
        let heard = self.ask.call("eth_getBlockByNumber", &params).await?;
        let read = self.ask.read(&heard, decode::block)?;
        let read = read.ok_or_else(|| self.nothing(&heard, "the endpoint has no such block"))?;
        self.prove_header(&heard, &read)?;
        let whole = match &read.transactions {
            Transactions::Full(_) => true,
            Transactions::Hashes(hashes) => hashes.is_empty(),
            Transactions::Absent => false,
        };
        if read.hash != block.evm_hash() || !whole {
            let detail = "the answer is another block or lacks its transactions";
            return Err(self.ask.inconsistent(&heard, detail));
        }
        Ok(heard.json().to_vec())
    }

    /// Whom the calls of a block concern.
    pub(crate) async fn called(&self, block: &BlockRef) -> Result<Called, SourceError> {
        let body = self.body(block.height).await?;
        let none = Vec::new();
        let all = match &body.value.transactions {
            Transactions::Full(all) => all,
            Transactions::Hashes(_) | Transactions::Absent => &none,
        };
        let Some(running) = all.iter().find(|tx| may_run_code(tx)) else {
            return Ok(Called::default());
        };
        let called = match self.tracing_of(running.hash).await? {
            Tracing::CallTracer => self.called_by_tracer(block.height, all).await?,
            Tracing::Flat => self.called_by_traces(block.height).await?,
            Tracing::None | Tracing::Untried => None,
        };
        called.ok_or_else(|| {
            let detail = "the endpoint does not trace blocks";
            let params = json!([hex(block.height)]);
            self.refusal(ErrorClass::Unsupported, "trace_block", &params, detail)
        })
    }

    async fn called_by_tracer(
        &self,
        height: u64,
        all: &[TxLean],
    ) -> Result<Option<Called>, SourceError> {
        let params = json!([hex(height), { "tracer": "callTracer" }]);
        let heard = self.ask.call("debug_traceBlockByNumber", &params).await?;
        let traced = self.ask.read(&heard, decode::call_traces_of_block)?;
        let Some(traced) = traced.filter(|traced| traced.len() == all.len()) else {
            return Ok(None);
        };
        let mut called = Called::default();
        for (tx, traced) in all.iter().zip(&traced) {
            if traced.hash.is_some_and(|hash| hash != tx.hash) {
                return Ok(None);
            }
            match &traced.calls {
                Some(calls) => calls.iter().filter(|call| !call.failed).for_each(|call| {
                    let parties = [Some(call.from), call.to];
                    note(&mut called, call.kind, parties, call.value.is_zero());
                }),
                None => return Ok(None),
            }
        }
        Ok(Some(called))
    }

    async fn called_by_traces(&self, height: u64) -> Result<Option<Called>, SourceError> {
        let params = json!([hex(height)]);
        let heard = self.ask.call("trace_block", &params).await?;
        let traces = self.ask.read(&heard, decode::flat_traces)?;
        let Some(traces) = traces else {
            return Ok(None);
        };
        let mut called = Called::default();
        for trace in &traces {
            let parties = [trace.from, trace.to];
            match trace.kind {
                Some(kind) => note(&mut called, kind, parties, trace.value.is_zero()),
                None => called.parties.extend(parties.into_iter().flatten()),
            }
        }
        Ok(Some(called))
    }

    /// What accounts hold after a block, in their order.
    pub(crate) async fn held(
        &self,
        accounts: &[(Address, Coin)],
        height: u64,
    ) -> Result<Vec<Amount>, SourceError> {
        let probe = |(account, coin): &(Address, Coin)| Probe::Balance(*account, *coin, height);
        let probes: Vec<Probe> = accounts.iter().map(probe).collect();
        let params = json!([hex(height)]);
        let refuse = |class, detail: &str| self.refusal(class, "eth_getBalance", &params, detail);
        let contradiction =
            |error: &Contradiction| refuse(ErrorClass::Inconsistent, &error.to_string());
        let held = searched(self.probes.ask(&probes).await, contradiction)?;
        let none = || refuse(ErrorClass::Unsupported, "the endpoint keeps no such state");
        let held = held.ok_or_else(none)?;
        Ok(held.into_iter().map(Amount::from).collect())
    }
}

/// Notes whom a call concerns, given its parties and whether it sent nothing.
fn note(called: &mut Called, kind: CallKind, parties: [Option<Address>; 2], nothing: bool) {
    let changes = kind.creates() || kind == CallKind::SelfDestruct;
    if changes {
        called.changed.extend(parties.into_iter().flatten());
    }
    if changes || kind.may_move_value() && !nothing {
        called.parties.extend(parties.into_iter().flatten());
    }
}
