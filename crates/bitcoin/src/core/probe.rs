//! Finds out once what a node can do.

use bitcoin::Network;
use hansel_ledger::{ErrorClass, SourceError};
use serde::Deserialize;
use serde_json::json;

use super::CoreSource;
use super::answers::{ChainInfo, IndexInfo};
use crate::conversation::Conversation;
use hansel_wire::one_line;

/// The index of transactions by id, as `getindexinfo` names it.
pub(super) const TRANSACTION_INDEX: &str = "txindex";
/// The index of spenders, from 31.0.
pub(super) const SPENDER_INDEX: &str = "txospenderindex";
/// The index of BIP-158 filters.
pub(super) const FILTER_INDEX: &str = "basic block filter index";

/// What a node can do. Indexes count as there while they are still being built.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Capabilities {
    version: String,
    pruned: bool,
    /// Transactions are found by id alone.
    pub(super) transactions: bool,
    /// Spenders are looked up.
    pub(super) spenders: bool,
    /// Blocks that touch a script are looked up.
    pub(super) filters: bool,
    /// Blocks come as bytes.
    pub(super) rest: bool,
}

#[derive(Deserialize)]
struct NetworkInfo {
    subversion: String,
}

impl CoreSource {
    /// What the node can do, asked on first use. Fails where it holds another chain.
    pub(super) async fn probed(&self) -> Result<&Capabilities, SourceError> {
        self.capabilities.get_or_try_init(|| self.probe()).await
    }

    async fn probe(&self) -> Result<Capabilities, SourceError> {
        let talk = Conversation::off_the_record(self.wire.as_ref());
        let info: ChainInfo = talk.call("getblockchaininfo", json!([])).await?;
        self.require_own_chain(&talk, &info)?;
        let network: NetworkInfo = talk.call("getnetworkinfo", json!([])).await?;
        let indexes = indexes(&talk).await?;
        Ok(Capabilities {
            version: one_line(&network.subversion, 60),
            pruned: info.pruned,
            transactions: indexes.contains_key(TRANSACTION_INDEX),
            spenders: indexes.contains_key(SPENDER_INDEX),
            filters: indexes.contains_key(FILTER_INDEX),
            rest: serves_rest(&talk, &info).await?,
        })
    }

    fn require_own_chain(
        &self,
        talk: &Conversation<'_>,
        info: &ChainInfo,
    ) -> Result<(), SourceError> {
        let expected = self.chain.network().map(Network::to_core_arg);
        if expected == Some(&*info.chain) {
            return Ok(());
        }
        let detail = format!(
            "the node is on chain `{}`, not on {}",
            info.chain, self.chain
        );
        Err(talk.failure(
            ErrorClass::Inconsistent,
            "getblockchaininfo",
            &json!([]),
            detail,
        ))
    }
}

/// The node's indexes; a node before 0.21 does not know the call and has none that is used here.
async fn indexes(talk: &Conversation<'_>) -> Result<IndexInfo, SourceError> {
    match talk.call("getindexinfo", json!([])).await {
        Err(error) if error.class == ErrorClass::Unsupported => Ok(IndexInfo::new()),
        outcome => outcome,
    }
}

/// True where the REST interface gives blocks; a node without it answers 404, a proxy in front may say
/// anything, so that only a lost connection is a failure.
async fn serves_rest(talk: &Conversation<'_>, info: &ChainInfo) -> Result<bool, SourceError> {
    let path = format!("/rest/headers/{}.bin?count=1", info.bestblockhash);
    match talk.get(path).await {
        Ok(body) => Ok(body.len() == 80),
        Err(error) if error.class.is_transient() => Err(error),
        Err(_refusal) => Ok(false),
    }
}

impl Capabilities {
    /// Name and state of each ability, for a person.
    pub(super) fn described(&self) -> Vec<(String, String)> {
        let yes_or = |has: bool, otherwise: &str| if has { "yes" } else { otherwise }.to_owned();
        let spends = match (self.spenders, self.filters) {
            (true, _) => "looked up in txospenderindex",
            (false, true) => "blocks chosen by blockfilterindex are read",
            (false, false) => "every block since the theft is read",
        };
        let located = "only with its height, from the mempool, or in the newest blocks";
        vec![
            ("software".into(), self.version.clone()),
            (
                "transaction by id".into(),
                yes_or(self.transactions, located),
            ),
            ("spends".into(), spends.into()),
            ("script history".into(), self.history().into()),
            (
                "blocks as bytes (REST)".into(),
                yes_or(self.rest, "no, as hexadecimal"),
            ),
            (
                "old blocks".into(),
                yes_or(!self.pruned, "no, the node is pruned"),
            ),
        ]
    }

    fn history(&self) -> &'static str {
        if self.filters {
            "blocks chosen by blockfilterindex are read"
        } else {
            "every block in question is read"
        }
    }
}
