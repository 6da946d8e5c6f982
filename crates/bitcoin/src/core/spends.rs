//! Tells what spent a transaction's outputs: by index, or by reading blocks; then by the mempool.

use std::collections::{BTreeMap, BTreeSet};

use bitcoin::{OutPoint, ScriptBuf, Txid};
use hansel_ledger::{ErrorClass, SourceError, SpendState, Spends};
use serde_json::{Value, json};

use super::CoreSource;
use super::answers::SpendingPrevout;
use super::knowledge::Wanted;
use super::probe::SPENDER_INDEX;
use super::watch::is_unspendable;
use crate::conversation::Conversation;

const METHOD: &str = "gettxspendingprevout";
/// Outputs asked about in one call.
const OUTPUTS_PER_CALL: usize = 1_000;

/// What is known of each output that was asked about.
type States = BTreeMap<OutPoint, SpendState>;

impl CoreSource {
    /// What spent the outputs in blocks through `as_of`, or spends them in the mempool.
    pub(super) async fn spends(
        &self,
        talk: &Conversation<'_>,
        txid: &Txid,
        height: Option<u64>,
        outputs: &[(u32, ScriptBuf)],
        as_of: u64,
    ) -> Result<Spends, SourceError> {
        let spendable: Vec<(OutPoint, ScriptBuf)> = outputs
            .iter()
            .filter(|(_, script)| !is_unspendable(script))
            .map(|(vout, script)| (OutPoint::new(*txid, *vout), script.clone()))
            .collect();
        let states = if spendable.is_empty() {
            States::new()
        } else if self.probed().await?.spenders {
            let outpoints: Vec<_> = spendable.iter().map(|(outpoint, _)| *outpoint).collect();
            self.indexed(talk, &outpoints, as_of).await?
        } else {
            self.read(talk, txid, height, spendable, as_of).await?
        };
        Ok(Spends {
            txid: *txid,
            as_of,
            outputs: outputs
                .iter()
                .map(|(vout, _)| (*vout, state_of(&states, OutPoint::new(*txid, *vout))))
                .collect(),
        })
    }

    /// Looks the spenders up in the node's index.
    async fn indexed(
        &self,
        talk: &Conversation<'_>,
        outpoints: &[OutPoint],
        as_of: u64,
    ) -> Result<States, SourceError> {
        self.wait_for_index(talk, SPENDER_INDEX, as_of).await?;
        let mut states = States::new();
        for asked in outpoints.chunks(OUTPUTS_PER_CALL) {
            let params = json!([as_params(asked), {"mempool_only": false}]);
            for found in spending(talk, &params, asked).await? {
                let outpoint = OutPoint::new(found.txid, found.vout);
                states.insert(outpoint, self.state(talk, &params, &found, as_of).await?);
            }
        }
        Ok(states)
    }

    async fn state(
        &self,
        talk: &Conversation<'_>,
        params: &Value,
        found: &SpendingPrevout,
        as_of: u64,
    ) -> Result<SpendState, SourceError> {
        let Some(by) = found.spendingtxid else {
            return Ok(SpendState::Unspent);
        };
        let Some(hash) = &found.blockhash else {
            return Ok(SpendState::SpentUnconfirmed { by });
        };
        let header = self.header(talk, hash).await?;
        if header.confirmations < 1 {
            let detail = format!("the index names block {hash}, which the chain has left");
            return Err(talk.failure(ErrorClass::Inconsistent, METHOD, params, detail));
        }
        self.remember_place(&by, Some(header.height));
        if header.height > as_of {
            return Ok(SpendState::Unspent);
        }
        let height = header.height;
        Ok(SpendState::Spent { by, height })
    }

    /// Finds the spenders by reading blocks from the transaction's own to `as_of`.
    async fn read(
        &self,
        talk: &Conversation<'_>,
        txid: &Txid,
        height: Option<u64>,
        outputs: Vec<(OutPoint, ScriptBuf)>,
        as_of: u64,
    ) -> Result<States, SourceError> {
        let mut states: States = outputs
            .iter()
            .map(|(outpoint, _)| (*outpoint, SpendState::Unspent))
            .collect();
        let height = match height.or_else(|| self.place_of(txid)) {
            Some(height) => Some(height),
            None => self.height_of(talk, txid).await?,
        };
        if let Some(height) = height.filter(|height| *height <= as_of) {
            let wanted = Wanted {
                txid: *txid,
                height,
                outputs,
            };
            for (outpoint, spender) in self.spenders_by_reading(talk, wanted, as_of).await? {
                let Some(spender) = spender else { continue };
                self.remember_place(&spender.by, Some(spender.height));
                let (by, height) = (spender.by, spender.height);
                states.insert(outpoint, SpendState::Spent { by, height });
            }
        }
        self.add_mempool(talk, &mut states).await?;
        Ok(states)
    }

    /// Asks the mempool about the outputs that no block spends.
    async fn add_mempool(
        &self,
        talk: &Conversation<'_>,
        states: &mut States,
    ) -> Result<(), SourceError> {
        let unspent: Vec<OutPoint> = states
            .iter()
            .filter(|(_, state)| **state == SpendState::Unspent)
            .map(|(outpoint, _)| *outpoint)
            .collect();
        for asked in unspent.chunks(OUTPUTS_PER_CALL) {
            let params = json!([as_params(asked)]);
            let found = match spending(talk, &params, asked).await {
                // Before 24.0 a node cannot tell; a spend in its mempool is no fact of the chain.
                Err(error) if error.class == ErrorClass::Unsupported => return Ok(()),
                outcome => outcome?,
            };
            for entry in found {
                let outpoint = OutPoint::new(entry.txid, entry.vout);
                if let (Some(by), None) = (entry.spendingtxid, entry.blockhash) {
                    states.insert(outpoint, SpendState::SpentUnconfirmed { by });
                }
            }
        }
        Ok(())
    }
}

/// Those of the outputs that transactions in the mempool spend.
pub(super) async fn spent_in_mempool(
    talk: &Conversation<'_>,
    outputs: &[OutPoint],
) -> Result<Vec<OutPoint>, SourceError> {
    let mut spent = Vec::new();
    for asked in outputs.chunks(OUTPUTS_PER_CALL) {
        let found = spending(talk, &json!([as_params(asked)]), asked).await?;
        let waiting = found
            .into_iter()
            .filter(|entry| entry.spendingtxid.is_some() && entry.blockhash.is_none());
        spent.extend(waiting.map(|entry| OutPoint::new(entry.txid, entry.vout)));
    }
    Ok(spent)
}

fn as_params(outpoints: &[OutPoint]) -> Vec<Value> {
    let param = |outpoint: &OutPoint| json!({"txid": outpoint.txid, "vout": outpoint.vout});
    outpoints.iter().map(param).collect()
}

/// Asks what spends the outpoints; the node must answer once for each. It puts spends in the mempool first.
async fn spending(
    talk: &Conversation<'_>,
    params: &Value,
    asked: &[OutPoint],
) -> Result<Vec<SpendingPrevout>, SourceError> {
    let found: Vec<SpendingPrevout> = talk.call(METHOD, params.clone()).await?;
    let answered = found.iter().map(|e| OutPoint::new(e.txid, e.vout));
    let answered: BTreeSet<OutPoint> = answered.collect();
    if found.len() == asked.len() && asked.iter().all(|o| answered.contains(o)) {
        return Ok(found);
    }
    let detail = "the answer is not about the outputs asked for";
    Err(talk.failure(ErrorClass::Inconsistent, METHOD, params, detail))
}

/// The state found, or unspent for an output that cannot be spent at all.
fn state_of(states: &States, outpoint: OutPoint) -> SpendState {
    states
        .get(&outpoint)
        .cloned()
        .unwrap_or(SpendState::Unspent)
}
