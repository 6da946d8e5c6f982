//! The history of a script, and what it received.

use std::collections::BTreeSet;

use bitcoin::hashes::Hash;
use bitcoin::{OutPoint, Script, Txid};
use futures::StreamExt;
use hansel_ledger::{ErrorClass, SourceError};
use serde::Deserialize;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::ElectrumSource;
use crate::conversation::Conversation;
use crate::core::is_unspendable;

const METHOD: &str = "blockchain.scripthash.get_history";
/// Transactions of one script that are fetched at most.
const MOST_TRANSACTIONS: usize = 10_000;

/// A transaction that pays to or spends from a script.
#[derive(Clone, Copy, Debug, Deserialize)]
pub(super) struct Entry {
    tx_hash: Txid,
    /// Zero in the mempool, -1 there with an unconfirmed parent.
    height: i64,
}

impl Entry {
    pub(super) fn txid(&self) -> Txid {
        self.tx_hash
    }

    /// The height of its block; `None` in the mempool.
    pub(super) fn height(&self) -> Option<u64> {
        u64::try_from(self.height).ok().filter(|height| *height > 0)
    }
}

impl ElectrumSource {
    /// Every transaction that pays to or spends from the script, confirmed ones first, in the chain's order.
    ///
    /// It is asked for anew each time, because its unconfirmed part changes.
    pub(super) async fn history(
        &self,
        talk: &Conversation<'_>,
        script: &Script,
    ) -> Result<Vec<Entry>, SourceError> {
        let mut entries: Vec<Entry> = talk.call(METHOD, params(script)).await?;
        // The genesis block's only transaction cannot be fetched nor spent, so height 0 is always the mempool.
        entries.sort_by_key(|entry| entry.height().unwrap_or(u64::MAX));
        Ok(entries)
    }

    /// Every output paid to the script in blocks `since..=as_of`, by height, then txid and index.
    pub(super) async fn received(
        &self,
        talk: &Conversation<'_>,
        script: &Script,
        since: u64,
        as_of: u64,
    ) -> Result<Vec<(OutPoint, u64)>, SourceError> {
        if is_unspendable(script) {
            let detail = "servers keep no history of scripts that cannot be spent";
            let class = ErrorClass::Unsupported;
            return Err(talk.failure(class, METHOD, &params(script), detail));
        }
        let history = self.history(talk, script).await?;
        let within = |entry: &Entry| {
            let height = entry.height()?;
            (since..=as_of)
                .contains(&height)
                .then(|| (entry.txid(), height))
        };
        let asked: BTreeSet<(Txid, u64)> = history.iter().filter_map(within).collect();
        if asked.len() > MOST_TRANSACTIONS {
            return Err(too_popular(talk, script, asked.len()));
        }
        let mut payments = BTreeSet::new();
        let mut fetched = std::pin::pin!(self.fetch_all(talk, asked));
        while let Some((txid, height, outcome)) = fetched.next().await {
            let transaction = &outcome?.0;
            for (vout, output) in (0_u32..).zip(&transaction.output) {
                if *output.script_pubkey == *script {
                    payments.insert((height, OutPoint { txid, vout }));
                }
            }
        }
        Ok(payments.into_iter().map(|(h, o)| (o, h)).collect())
    }
}

/// The error of a history too long to be worth fetching.
pub(super) fn too_popular(
    talk: &Conversation<'_>,
    script: &Script,
    transactions: usize,
) -> SourceError {
    let detail = format!("{transactions} transactions would have to be fetched");
    talk.failure(ErrorClass::TooPopular, METHOD, &params(script), detail)
}

fn params(script: &Script) -> Value {
    json!([script_hash(script)])
}

/// The protocol's name of a script: its SHA-256, printed backwards.
fn script_hash(script: &Script) -> String {
    let digest: [u8; 32] = Sha256::digest(script.as_bytes()).into();
    bitcoin::hashes::sha256d::Hash::from_byte_array(digest).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use bitcoin::ScriptBuf;

    #[test]
    fn a_script_has_the_name_the_protocol_gives_it() {
        // The example of the Electrum protocol's documentation, section "Script Hashes".
        let script = ScriptBuf::from_hex("76a91462e907b15cbf27d5425399ebf6f0fb50ebb88f1888ac");
        assert_eq!(
            script_hash(&script.unwrap()),
            "8b01df4e368ea28f8dc0423bcf7a4923e3a12d307c875e47a0cfbf90b5c39161"
        );
    }

    #[test]
    fn heights_at_or_below_zero_are_the_mempool() {
        let entry = |height| Entry {
            tx_hash: Txid::all_zeros(),
            height,
        };
        assert_eq!(entry(0).height(), None);
        assert_eq!(entry(-1).height(), None);
        assert_eq!(entry(1).height(), Some(1));
    }
}
