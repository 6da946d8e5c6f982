//! Opinions, cash-outs, what is not known, and who was asked.

use std::cmp::Reverse;
use std::collections::BTreeMap;

pub use hansel_graph::Confidence;
use hansel_graph::Rule;
use hansel_heuristics::Parameter;
use hansel_ledger::Amount;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Sorted, Timestamp};

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
    /// How often the rule is known to be wrong and who measured it, or `none published`.
    #[serde(default = "none_published")]
    pub error_rate: String,
    /// The finding in one sentence.
    pub summary: String,
}

fn none_published() -> String {
    hansel_heuristics::NO_ERROR_RATE.to_owned()
}

impl From<hansel_heuristics::Finding> for Finding {
    fn from(finding: hansel_heuristics::Finding) -> Self {
        let hansel_heuristics::Finding {
            heuristic,
            subjects,
            confidence,
            evidence,
            parameters,
            error_rate,
            summary,
        } = finding;
        let parameters = parameters.into_iter();
        Self {
            heuristic: heuristic.to_owned(),
            subjects,
            confidence,
            evidence,
            parameters: parameters
                .map(|(name, value)| (name.to_owned(), json(value)))
                .collect(),
            error_rate: error_rate.map_or_else(none_published, ToOwned::to_owned),
            summary,
        }
    }
}

fn json(parameter: Parameter) -> serde_json::Value {
    match parameter {
        Parameter::Count(count) => count.into(),
        Parameter::Text(text) => text.into(),
        Parameter::Flag(flag) => flag.into(),
        Parameter::List(words) => words.into(),
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
    /// The transaction that swept the deposit to the service's own address; absent where it was paid directly.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service_tx: Option<String>,
    /// The time of its block, where known.
    pub time: Option<Timestamp>,
    /// The asset that arrived.
    pub asset: String,
    /// How much arrived at the deposit address, clean and tainted together, in base units.
    pub amount: Amount,
    /// The tainted part that the service holds under each rule: what a sweep paid for its fee is not in it.
    pub tainted: Sorted<Rule, Amount>,
    /// How sure it is that the service holds the address.
    pub confidence: Confidence,
}

impl CashOut {
    /// Newest first, for what is oldest is the likeliest to be gone; the unknown last, then by transaction and
    /// address.
    pub(crate) fn order(
        &self,
    ) -> (
        bool,
        Reverse<Option<Timestamp>>,
        &str,
        &str,
        &Option<String>,
    ) {
        (
            self.time.is_none(),
            Reverse(self.time),
            &self.tx,
            &self.deposit_address,
            &self.service_tx,
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
