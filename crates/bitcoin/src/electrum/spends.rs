//! Tells what spent a transaction's outputs, from the history of their scripts.

use std::collections::BTreeMap;

use bitcoin::{OutPoint, Script, ScriptBuf, Txid};
use futures::StreamExt;
use hansel_ledger::{ErrorClass, Gap, SourceError, SpendState, Spends};

use super::ElectrumSource;
use super::history::{Entry, too_popular};
use crate::conversation::Conversation;
use crate::core::is_unspendable;

/// Transactions of one script that are looked through for a spender.
const MOST_CANDIDATES: usize = 2_000;

/// The outputs of one script that are asked about.
type Asked = BTreeMap<ScriptBuf, Vec<OutPoint>>;

impl ElectrumSource {
    /// What spent the outputs in blocks through `as_of`, or spends them in the mempool.
    ///
    /// Where a script's history is too long its outputs are unknown; where that is true of all, it is an error,
    /// so that another kind of source may be asked.
    pub(super) async fn spends(
        &self,
        talk: &Conversation<'_>,
        txid: &Txid,
        height: Option<u64>,
        outputs: &[(u32, ScriptBuf)],
        as_of: u64,
    ) -> Result<Spends, SourceError> {
        let asked = by_script(txid, outputs);
        let created = match height {
            None if !asked.is_empty() => self.height_of(talk, txid).await?,
            height => height,
        };
        let mut states = BTreeMap::new();
        let mut refusals = Vec::new();
        for (script, outpoints) in &asked {
            let span = (created.unwrap_or(0), as_of);
            match self.spenders(talk, script, outpoints, span).await {
                Ok(found) => states.extend(found),
                Err(error) if error.class == ErrorClass::TooPopular => {
                    states.extend(outpoints.iter().map(|o| (*o, unknown(&error))));
                    refusals.push(error);
                }
                Err(error) => return Err(error),
            }
        }
        if !asked.is_empty() && refusals.len() == asked.len() {
            return Err(refusals.swap_remove(0));
        }
        let state = |vout: &u32| {
            let found = states.get(&OutPoint::new(*txid, *vout)).cloned();
            found.unwrap_or(SpendState::Unspent)
        };
        Ok(Spends {
            txid: *txid,
            as_of,
            outputs: outputs.iter().map(|(v, _)| (*v, state(v))).collect(),
        })
    }

    /// Looks through a script's history, oldest first, until every output's spender is found.
    async fn spenders(
        &self,
        talk: &Conversation<'_>,
        script: &Script,
        outpoints: &[OutPoint],
        span: (u64, u64),
    ) -> Result<BTreeMap<OutPoint, SpendState>, SourceError> {
        let history = self.history(talk, script).await?;
        let candidates = candidates(&history, outpoints, span);
        if candidates.len() > MOST_CANDIDATES {
            return Err(too_popular(talk, script, candidates.len()));
        }
        let mut found = BTreeMap::new();
        let mut fetched = std::pin::pin!(self.fetch_all(talk, candidates));
        while found.len() < outpoints.len() {
            let Some((by, height, outcome)) = fetched.next().await else {
                break;
            };
            let transaction = match outcome {
                // Replaced or dropped since the history was written.
                Err(error) if error.class == ErrorClass::NotFound && height.is_none() => continue,
                outcome => outcome?,
            };
            for input in &transaction.0.input {
                if outpoints.contains(&input.previous_output) {
                    found
                        .entry(input.previous_output)
                        .or_insert_with(|| spent(by, height));
                }
            }
        }
        Ok(found)
    }
}

/// The spendable outputs by script, so that each history is asked for once.
fn by_script(txid: &Txid, outputs: &[(u32, ScriptBuf)]) -> Asked {
    let mut asked = Asked::new();
    for (vout, script) in outputs {
        if !is_unspendable(script) {
            let outpoint = OutPoint::new(*txid, *vout);
            asked.entry(script.clone()).or_default().push(outpoint);
        }
    }
    asked
}

/// Transactions that can spend the outputs: blocks in the span, then the mempool.
fn candidates(
    history: &[Entry],
    outpoints: &[OutPoint],
    (created, as_of): (u64, u64),
) -> Vec<(Txid, Option<u64>)> {
    let own = outpoints.first().map(|outpoint| outpoint.txid);
    let possible = |entry: &&Entry| {
        let height = entry.height();
        let in_span = height.is_none_or(|height| (created..=as_of).contains(&height));
        in_span && Some(entry.txid()) != own
    };
    let entries = history.iter().filter(possible);
    entries.map(|e| (e.txid(), e.height())).collect()
}

fn spent(by: Txid, height: Option<u64>) -> SpendState {
    match height {
        Some(height) => SpendState::Spent { by, height },
        None => SpendState::SpentUnconfirmed { by },
    }
}

fn unknown(error: &SourceError) -> SpendState {
    SpendState::Unknown {
        gap: Gap::SpendUnknown {
            reason: error.detail.clone(),
        },
    }
}
