//! What was asked: the case, its limits, its seeds, and the blocks up to which the trace looked.

use hansel_graph::{Direction, FeeRule, Rule};
use hansel_ledger::Amount;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Timestamp;

/// The question that the report answers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Case {
    /// The name under which the case is kept.
    pub name: String,
    /// What the case is about, for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// True for a case made up for training; absent otherwise.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub training: bool,
    /// What the investigator named: transactions, outputs, addresses.
    pub subjects: Vec<String>,
    /// Whether the trace follows value to where it went or to where it came from.
    pub direction: Direction,
    /// Where the trace was told to stop; a limit that is not listed was not set.
    pub limits: Limits,
    /// Where the user told the trace to go on or to end, whatever labels and rules say; absent where nowhere.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub overrides: Vec<Override>,
    /// The taint rules, in the order in which the report lists them.
    pub rules: Vec<Rule>,
    /// Who pays a transaction's fee.
    pub fee_rule: FeeRule,
}

/// A decision of the user about where trails end.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Override {
    /// What the user decided.
    pub kind: OverrideKind,
    /// The address or transaction that it is about, or `coinjoins` for all of them.
    pub subject: String,
    /// Who holds the address, where the user said so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub entity: Option<String>,
}

/// What a user decides about where trails end.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum OverrideKind {
    /// Trails go on.
    Through,
    /// Trails end.
    Stop,
}

/// The limits in force. What they cut off is counted as `frontier` or `below_threshold`, never dropped.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Limits {
    /// Transactions between a seed and the end of a trail.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hops: Option<u64>,
    /// The smallest share of its seed that is followed, as a decimal fraction such as `0.001`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min_share: Option<String>,
    /// The smallest tainted amount that is followed, in base units.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min_amount: Option<Amount>,
    /// The most nodes that are expanded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_nodes: Option<u64>,
    /// The most requests that are sent to endpoints.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_requests: Option<u64>,
    /// The last block height or time that counts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<String>,
}

/// An asset of the report, where more is to be told than its seeds tell.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AssetEntry {
    /// The chain's name.
    pub chain: String,
    /// The asset as flows name it: a ticker that the configuration vouches for, else the token's contract.
    pub asset: String,
    /// The token's contract; null for the native coin.
    pub contract: Option<String>,
    /// Digits after the decimal point when an amount is shown to a person; null where nobody vouches for them.
    pub decimals: Option<u8>,
}

/// The newest block of a chain that the trace looked at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Tip {
    /// The chain's name.
    pub chain: String,
    /// The block's height.
    pub height: u64,
    /// The hash of the block's header.
    pub hash: String,
}

/// A stolen transfer; its amount is the claim that is accounted for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Seed {
    /// The seed's id within the report: `s1`, `s2`, ...
    pub id: String,
    /// The chain on which it was stolen.
    pub chain: String,
    /// The asset that was stolen.
    pub asset: String,
    /// Digits after the decimal point when an amount of the asset is shown to a person.
    pub decimals: u8,
    /// The stolen amount in base units.
    pub amount: Amount,
    /// The transaction of the theft.
    pub tx: String,
    /// Which of the transaction's outputs; absent on EVM chains.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub vout: Option<u32>,
    /// The id of the stolen flow, where it is not told by the output.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub flow: Option<String>,
    /// The address that received it, where its script has one.
    pub to: Option<String>,
    /// The height of the theft's block, where known.
    pub block: Option<u64>,
    /// The time of the theft's block, where known.
    pub time: Option<Timestamp>,
}
