//! Opinions, cash-outs, what is not known, and who was asked.

use std::collections::BTreeMap;

use hansel_graph::Rule;
use hansel_ledger::Amount;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Timestamp;

/// What a heuristic says about nodes or flows. An opinion with its evidence, never a fact.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Finding {
    /// The heuristic's name, such as `btc.coinjoin.wasabi1`.
    pub heuristic: String,
    /// The ids of the nodes or flows it speaks about.
    pub subjects: Vec<String>,
    /// How sure it is.
    pub confidence: Confidence,
    /// The ids of the flows it rests on.
    pub evidence: Vec<String>,
    /// The parameters under which it ran.
    pub parameters: BTreeMap<String, serde_json::Value>,
    /// The finding in one sentence.
    pub summary: String,
}

/// How sure a finding is.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum Confidence {
    /// A hint: innocent explanations are common.
    Weak,
    /// Innocent explanations are rare.
    Strong,
    /// Follows from the chain itself.
    Certain,
}

impl Confidence {
    /// The name in reports.
    pub fn name(self) -> &'static str {
        match self {
            Self::Weak => "weak",
            Self::Strong => "strong",
            Self::Certain => "certain",
        }
    }
}

/// Tainted value that reached a service which can freeze it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CashOut {
    /// Who runs the service.
    pub entity: String,
    /// The kind of service.
    pub category: String,
    /// The chain's name.
    pub chain: String,
    /// The customer's address at the service, the one to ask about.
    pub deposit_address: String,
    /// The service's own address that the deposit was swept to; null where it was paid directly.
    pub service_address: Option<String>,
    /// The transaction that paid the deposit address.
    pub tx: String,
    /// The time of its block, where known.
    pub time: Option<Timestamp>,
    /// The asset that arrived.
    pub asset: String,
    /// How much arrived, clean and tainted together, in base units.
    pub amount: Amount,
    /// The tainted part under each rule.
    pub tainted: BTreeMap<Rule, Amount>,
    /// How sure it is that the service holds the address.
    pub confidence: Confidence,
}

impl CashOut {
    /// By time, the unknown last, then by transaction and address.
    pub(super) fn order(&self) -> (bool, Option<Timestamp>, &str, &str) {
        (
            self.time.is_none(),
            self.time,
            &self.tx,
            &self.deposit_address,
        )
    }
}

/// Something that is not known.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Unknown {
    /// What it is about: a node id, a chain, an endpoint.
    pub subject: String,
    /// The kind of gap.
    pub kind: String,
    /// What is not known, and why, in words.
    pub detail: String,
}

/// An endpoint that was asked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Source {
    /// The host, without user, path or query.
    pub endpoint: String,
    /// Requests sent, retries included.
    pub requests: u64,
    /// Bytes received in bodies.
    pub bytes: u64,
    /// Requests that failed and were sent again.
    pub retries: u64,
}
