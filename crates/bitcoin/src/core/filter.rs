//! Chooses by compact filters (BIP-158) which blocks are worth reading.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use bitcoin::{BlockHash, ScriptBuf};
use hansel_ledger::{ErrorClass, SourceError};
use serde_json::{Value, json};
use tokio::time::sleep;

use super::CoreSource;
use super::answers::RelevantBlocks;
use super::index::index_height;
use super::knowledge::Reading;
use super::probe::FILTER_INDEX;
use super::scan::reorganised;
use crate::conversation::Conversation;

/// Blocks asked about at once. Each hop found makes the rest of its range be asked again, so the range
/// shrinks where the money moves fast and grows where it rests; the longest takes a node some seconds.
const SHORTEST_RANGE: u64 = 250;
const LONGEST_RANGE: u64 = 10_000;
/// A node runs one scan at a time; another program's is waited for.
const SCAN_ATTEMPTS: u32 = 120;
const SCAN_PAUSE: Duration = Duration::from_millis(500);

impl CoreSource {
    /// Reads the blocks through `through` that can spend a watched output, range by range.
    pub(super) async fn read_chosen(
        &self,
        talk: &Conversation<'_>,
        reading: &mut Reading,
        through: u64,
    ) -> Result<(), SourceError> {
        let mut length = SHORTEST_RANGE;
        while reading.next <= through {
            let last = through.min(reading.next.saturating_add(length - 1));
            let hops = self.read_chosen_range(talk, reading, last).await?;
            reading.next = last + 1;
            length = if hops == 0 { length * 2 } else { length / 2 };
            length = length.clamp(SHORTEST_RANGE, LONGEST_RANGE);
        }
        Ok(())
    }

    /// Reads one range and returns how often it had to be asked about again for the scripts of a new hop.
    async fn read_chosen_range(
        &self,
        talk: &Conversation<'_>,
        reading: &mut Reading,
        last: u64,
    ) -> Result<u32, SourceError> {
        let scripts: BTreeSet<ScriptBuf> = reading.scripts.iter().flatten().cloned().collect();
        let first = reading.next;
        let mut chosen = self.choose(talk, &scripts, first, last).await?;
        let mut hops = 0;
        while let Some((height, hash)) = chosen.pop_first() {
            let block = self.block(talk, &hash).await?;
            let found = reading.watch.read(height, &block);
            let asked = reading.scripts.get_or_insert_default();
            let new: BTreeSet<_> = found.into_iter().filter(|s| !asked.contains(s)).collect();
            asked.extend(new.iter().cloned());
            if !new.is_empty() && height < last {
                chosen.append(&mut self.choose(talk, &new, height + 1, last).await?);
                hops += 1;
            }
        }
        Ok(hops)
    }

    /// The blocks in `from..=through` whose filters match one of the scripts, by height.
    ///
    /// A scan says nothing about blocks that the index lacks or that were replaced meanwhile, so both are
    /// looked at afterwards.
    pub(super) async fn choose(
        &self,
        talk: &Conversation<'_>,
        scripts: &BTreeSet<ScriptBuf>,
        from: u64,
        through: u64,
    ) -> Result<BTreeMap<u64, BlockHash>, SourceError> {
        self.wait_for_index(talk, FILTER_INDEX, through).await?;
        let before = self.hash_at(talk, through).await?;
        let relevant = self.scan_blocks(talk, scripts, from, through).await?;
        let covered = index_height(talk, FILTER_INDEX).await?;
        let after = self.hash_at(talk, through).await?;
        if after != before || covered.is_none_or(|covered| covered < through) {
            return Err(reorganised(talk, through));
        }
        let mut chosen = BTreeMap::new();
        for hash in relevant {
            let header = self.header(talk, &hash).await?;
            if header.confirmations < 1 || header.height < from || header.height > through {
                return Err(reorganised(talk, through));
            }
            chosen.insert(header.height, hash);
        }
        Ok(chosen)
    }

    async fn scan_blocks(
        &self,
        talk: &Conversation<'_>,
        scripts: &BTreeSet<ScriptBuf>,
        from: u64,
        through: u64,
    ) -> Result<Vec<BlockHash>, SourceError> {
        let descriptors: Vec<String> = scripts
            .iter()
            .map(|script| format!("raw({})", script.to_hex_string()))
            .collect();
        let params = json!(["start", descriptors, from, through]);
        let blocks = self.scan_when_free(talk, &params).await?;
        if blocks.completed {
            return Ok(blocks.relevant_blocks);
        }
        let detail = "the scan was aborted before its end";
        Err(talk.failure(ErrorClass::Truncated, "scanblocks", &params, detail))
    }

    async fn scan_when_free(
        &self,
        talk: &Conversation<'_>,
        params: &Value,
    ) -> Result<RelevantBlocks, SourceError> {
        let mut attempt = 0;
        loop {
            attempt += 1;
            match talk.call("scanblocks", params.clone()).await {
                Err(error) if error.class == ErrorClass::RateLimited && attempt < SCAN_ATTEMPTS => {
                    sleep(SCAN_PAUSE).await;
                }
                outcome => return outcome,
            }
        }
    }
}
