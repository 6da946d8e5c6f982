//! Finds everything paid to a script by reading blocks, those chosen by filters where the node has them.

use std::collections::{BTreeMap, BTreeSet};

use bitcoin::{Block, OutPoint, Script, ScriptBuf};
use futures::TryStreamExt;
use hansel_ledger::{ErrorClass, SourceError};
use serde_json::json;

use super::CoreSource;
use super::scan::reorganised;
use super::watch::is_unspendable;
use crate::conversation::Conversation;

/// Blocks asked about at once.
const RANGE: u64 = 10_000;
/// Payments to one script that are returned at most.
const MOST_PAYMENTS: usize = 100_000;

/// Payments by height, then txid and index.
type Payments = BTreeSet<(u64, OutPoint)>;

impl CoreSource {
    /// Every output paid to the script in blocks `since..=as_of`, by height, then txid and index.
    pub(super) async fn received(
        &self,
        talk: &Conversation<'_>,
        script: &Script,
        since: u64,
        as_of: u64,
    ) -> Result<Vec<(OutPoint, u64)>, SourceError> {
        let quiet = Conversation::off_the_record(self.wire.as_ref());
        let before = self.hash_at(talk, as_of).await?;
        // A node scans for one question at a time.
        let _reading = self.knowledge.lock().await;
        let mut payments = Payments::new();
        let mut next = since;
        // Filters hold neither empty nor OP_RETURN scripts (BIP-158).
        if self.probed().await?.filters && !script.is_empty() && !is_unspendable(script) {
            let settled = self.settled_height(&quiet).await?.min(as_of);
            self.collect_chosen(&quiet, script, since, settled, &mut payments)
                .await?;
            next = since.max(settled.saturating_add(1));
        }
        let mut blocks = std::pin::pin!(self.blocks(&quiet, next, as_of));
        while let Some((height, _, block)) = blocks.try_next().await? {
            self.collect(&quiet, script, height, &block, &mut payments)?;
        }
        if self.hash_at(&quiet, as_of).await? != before {
            return Err(reorganised(&quiet, as_of));
        }
        Ok(payments.into_iter().map(|(h, o)| (o, h)).collect())
    }

    async fn collect_chosen(
        &self,
        talk: &Conversation<'_>,
        script: &Script,
        since: u64,
        through: u64,
        payments: &mut Payments,
    ) -> Result<(), SourceError> {
        let scripts: BTreeSet<ScriptBuf> = [script.to_owned()].into();
        let mut next = since;
        while next <= through {
            let last = through.min(next.saturating_add(RANGE - 1));
            let chosen: BTreeMap<_, _> = self.choose(talk, &scripts, next, last).await?;
            for (height, hash) in chosen {
                let block = self.block(talk, &hash).await?;
                self.collect(talk, script, height, &block, payments)?;
            }
            next = last + 1;
        }
        Ok(())
    }

    fn collect(
        &self,
        talk: &Conversation<'_>,
        script: &Script,
        height: u64,
        block: &Block,
        payments: &mut Payments,
    ) -> Result<(), SourceError> {
        for transaction in &block.txdata {
            let paid = (0_u32..).zip(&transaction.output);
            let mut paid = paid
                .filter(|(_, output)| *output.script_pubkey == *script)
                .peekable();
            if paid.peek().is_none() {
                continue;
            }
            let txid = transaction.compute_txid();
            self.remember_place(&txid, Some(height));
            payments.extend(paid.map(|(vout, _)| (height, OutPoint { txid, vout })));
        }
        if payments.len() <= MOST_PAYMENTS {
            return Ok(());
        }
        let detail = format!("more than {MOST_PAYMENTS} payments to the script");
        Err(talk.failure(ErrorClass::TooPopular, "getblock", &json!([height]), detail))
    }
}
