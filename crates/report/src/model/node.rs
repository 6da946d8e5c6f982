//! The pools of value that a trace touched.

use hansel_graph::{Category, Rule, Venue};
use hansel_ledger::{Amount, Gap};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Confidence, Shared, Sorted, Timestamp};

/// A pool of value.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Node {
    /// The id that flows refer to: `CHAIN:tx:TXID`, `CHAIN:output:TXID:VOUT`, `CHAIN:account:ADDRESS`,
    /// `CHAIN:fees`.
    pub id: String,
    /// What kind of pool.
    pub kind: NodeKind,
    /// The chain's name.
    pub chain: String,
    /// The address that holds the value, where there is exactly one.
    pub address: Option<String>,
    /// The height of the block in which the pool came to be, where known.
    pub block: Option<u64>,
    /// The time of that block, where known.
    pub time: Option<Timestamp>,
    /// What others call the address, with who says so.
    pub labels: Vec<Label>,
    /// How far the node is known; null where nothing was asked about it.
    pub coverage: Option<NodeCoverage>,
    /// What is not known about the node.
    pub gaps: Vec<NodeGap>,
    /// The tainted value that an account holds at the height of the report, by asset; absent for other nodes,
    /// which hold what their flows say.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub holdings: Vec<NodeHolding>,
    /// Why the trail was not followed further; null where it was.
    pub stop: Option<Stop>,
}

/// Tainted value that an account holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NodeHolding {
    /// The asset.
    pub asset: String,
    /// The tainted amount under each rule, in base units of the asset.
    pub tainted: Sorted<Rule, Amount>,
    /// What each seed claims of it under each rule, in base units of what was stolen.
    pub claims: Sorted<Rule, Sorted<Shared, Amount>>,
    /// The height of the block in which taint of the asset first arrived.
    pub since_block: u64,
}

impl Node {
    /// True for an account, whose holdings the report lists; the fees of a chain are counted by their flows.
    pub(crate) fn keeps_accounts(&self) -> bool {
        let fees = self
            .stop
            .as_ref()
            .is_some_and(|stop| stop.kind == StopKind::Fees);
        self.kind == NodeKind::Account && !fees
    }
}

/// What a node is.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum NodeKind {
    /// A transaction that mixes its inputs.
    Transaction,
    /// An account, or the fees of a chain taken together.
    Account,
    /// An output that was not followed to a spender.
    Output,
}

impl NodeKind {
    /// The name in reports.
    pub fn name(self) -> &'static str {
        match self {
            Self::Transaction => "transaction",
            Self::Account => "account",
            Self::Output => "output",
        }
    }
}

/// A name that somebody gave to an address. A claim of its source, not a fact of the chain.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Label {
    /// The name.
    pub label: String,
    /// The kind of entity: exchange, mixer, bridge, service, ...
    pub category: String,
    /// Who says so.
    pub source: String,
    /// How sure the source is, in the source's own words.
    pub confidence: String,
    /// When the label was current; null where the source does not say.
    pub as_of: Option<String>,
    /// The entity behind the name, where the source names it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub actor: Option<String>,
    /// True where the label is dated after the value arrived: hindsight; absent otherwise.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub hindsight: bool,
}

/// How far a node is known.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NodeCoverage {
    /// Everything up to and including this height is known; null where nothing is.
    pub complete_through: Option<u64>,
}

/// Something that is not known about a node.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NodeGap {
    /// The gap's name.
    pub kind: String,
    /// The gap in words.
    pub detail: String,
    /// For `unconfirmed-spend` the transaction in the mempool; absent for other gaps.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tx: Option<String>,
}

impl From<&Gap> for NodeGap {
    fn from(gap: &Gap) -> Self {
        let tx = match gap {
            Gap::UnconfirmedSpend { by } => Some(by.to_string()),
            _ => None,
        };
        Self {
            kind: gap.kind().to_owned(),
            detail: gap.to_string(),
            tx,
        }
    }
}

/// Why a trail ends at a node.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Stop {
    /// The kind of end.
    pub kind: StopKind,
    /// The reason in words.
    pub reason: String,
    /// Who holds the value; absent where nobody said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub entity: Option<String>,
    /// The id of the rule that recognised the place, such as `label.exchange`; absent for an end that no rule made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rule: Option<String>,
    /// How sure that rule is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub confidence: Option<Confidence>,
}

impl Stop {
    /// An end that no rule made.
    pub fn new(kind: StopKind, reason: impl Into<String>) -> Self {
        Self {
            kind,
            reason: reason.into(),
            entity: None,
            rule: None,
            confidence: None,
        }
    }
}

impl From<&Venue> for Stop {
    fn from(venue: &Venue) -> Self {
        let Venue {
            category,
            entity,
            reason,
            rule,
            confidence,
        } = venue;
        let kind = match category {
            Category::Exchanges => StopKind::Exchange,
            Category::Mixers => StopKind::Mixer,
            Category::Bridges => StopKind::BridgeUnresolved,
            Category::Services => StopKind::Service,
            Category::Hubs => StopKind::Hub,
            Category::AtRest => StopKind::AtRest,
            Category::Frontier => StopKind::Limit,
            Category::BelowThreshold => StopKind::BelowThreshold,
            Category::Fees => StopKind::Fees,
            Category::Burned => StopKind::Burned,
        };
        Self {
            entity: Some(entity.clone()),
            rule: Some(rule.clone()),
            confidence: Some(*confidence),
            ..Self::new(kind, reason.clone())
        }
    }
}

/// The kinds of ends of a trail.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum StopKind {
    /// Nobody has moved the value up to the tip.
    AtRest,
    /// The value reached an exchange.
    Exchange,
    /// The value entered a mixer.
    Mixer,
    /// The value entered a bridge whose other side was not found.
    BridgeUnresolved,
    /// The value reached another service.
    Service,
    /// The value entered an address so busy that following it would mean nothing.
    Hub,
    /// The tainted amount is smaller than the smallest that is followed.
    BelowThreshold,
    /// A limit of hops, nodes, requests or time was reached.
    Limit,
    /// The source could not answer.
    Failed,
    /// The output can never be spent.
    Burned,
    /// Paid to miners; fees are counted, not followed.
    Fees,
    /// A backward trace arrived where value begins, such as newly mined coins.
    Origin,
}

impl StopKind {
    /// The name in reports.
    pub fn name(self) -> &'static str {
        match self {
            Self::AtRest => "at-rest",
            Self::Exchange => "exchange",
            Self::Mixer => "mixer",
            Self::BridgeUnresolved => "bridge-unresolved",
            Self::Service => "service",
            Self::Hub => "hub",
            Self::BelowThreshold => "below-threshold",
            Self::Limit => "limit",
            Self::Failed => "failed",
            Self::Burned => "burned",
            Self::Fees => "fees",
            Self::Origin => "origin",
        }
    }
}
