//! Tells what spent a transaction's outputs.

use bitcoin::{ScriptBuf, Txid};
use hansel_ledger::{ErrorClass, Gap, Placement, SourceError, SpendState, Spends, is_unspendable};

use super::EsploraSource;
use super::answers::{Outspend, Status};
use super::transaction::placement;
use crate::conversation::Conversation;

impl EsploraSource {
    /// What spent the outputs in blocks through `as_of`, or spends them in the mempool.
    pub(super) async fn spends(
        &self,
        talk: &Conversation<'_>,
        txid: &Txid,
        outputs: &[(u32, ScriptBuf)],
        as_of: u64,
    ) -> Result<Spends, SourceError> {
        let rows = if outputs.iter().all(|(_, script)| is_unspendable(script)) {
            Vec::new()
        } else {
            self.require_reach(as_of).await?;
            let path = format!("/tx/{txid}/outspends");
            let rows: Vec<Outspend> = self.get(talk, &path).await?;
            self.require_rows(&path, &rows, outputs)?;
            rows
        };
        let state = |(vout, script): &(u32, ScriptBuf)| match row(&rows, *vout) {
            Some(row) if !is_unspendable(script) => (*vout, state(row, as_of)),
            _ => (*vout, SpendState::Unspent),
        };
        Ok(Spends {
            txid: *txid,
            as_of,
            outputs: outputs.iter().map(state).collect(),
        })
    }

    fn require_rows(
        &self,
        path: &str,
        rows: &[Outspend],
        outputs: &[(u32, ScriptBuf)],
    ) -> Result<(), SourceError> {
        let missing = outputs.iter().find(|(vout, _)| row(rows, *vout).is_none());
        let Some((vout, _)) = missing else {
            return Ok(());
        };
        let detail = format!("{} rows, none for output {vout}", rows.len());
        Err(self.failure(ErrorClass::Truncated, path, detail))
    }
}

fn row(rows: &[Outspend], vout: u32) -> Option<&Outspend> {
    rows.get(usize::try_from(vout).ok()?)
}

fn state(row: &Outspend, as_of: u64) -> SpendState {
    if !row.spent {
        return SpendState::Unspent;
    }
    let Some(by) = row.txid else {
        return unknown("said to be spent, without saying by what");
    };
    match height(row.status.as_ref()) {
        Place::Block(height) if height > as_of => SpendState::Unspent,
        Place::Block(height) => SpendState::Spent { by, height },
        Place::Mempool => SpendState::SpentUnconfirmed { by },
        Place::Untold => unknown("said to be spent, without saying in which block"),
    }
}

enum Place {
    Block(u64),
    Mempool,
    Untold,
}

/// Only the height matters here: a block named by height alone will do.
fn height(status: Option<&Status>) -> Place {
    match (placement(status), status.and_then(|s| s.block_height)) {
        (Placement::Unconfirmed, _) => Place::Mempool,
        (_, Some(height)) => Place::Block(height.into()),
        (_, None) => Place::Untold,
    }
}

fn unknown(reason: &str) -> SpendState {
    let gap = Gap::SpendUnknown {
        reason: reason.to_owned(),
    };
    SpendState::Unknown { gap }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn read(row: Value) -> SpendState {
        state(&serde_json::from_value(row).unwrap(), 100)
    }

    #[test]
    fn a_row_is_a_fact_only_as_far_as_it_goes() {
        let by: Txid = "975ec405ac9dc9fa5ab8009d94d6a1fe31dff8a8127ea90d023104e52754e4d7"
            .parse()
            .unwrap();
        let at = |height: u64| json!({"spent": true, "txid": by, "status": {"confirmed": true, "block_height": height}});
        assert_eq!(read(json!({"spent": false})), SpendState::Unspent);
        assert_eq!(read(at(100)), SpendState::Spent { by, height: 100 });
        assert_eq!(read(at(101)), SpendState::Unspent);
        let waiting = json!({"spent": true, "txid": by, "status": {"confirmed": false}});
        assert_eq!(read(waiting), SpendState::SpentUnconfirmed { by });
        for vague in [
            json!({"spent": true}),
            json!({"spent": true, "txid": by}),
            json!({"spent": true, "txid": by, "status": null}),
            json!({"spent": true, "txid": by, "status": {"confirmed": true}}),
        ] {
            let text = vague.to_string();
            assert!(matches!(read(vague), SpendState::Unknown { .. }), "{text}");
        }
    }
}
