//! The transfers between the pools of value.

use hansel_graph::Rule;
use hansel_ledger::Amount;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Shared, Sorted, Timestamp};

/// Value that moved from one node to another.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Flow {
    /// A stable id: `CHAIN:output:TXID:VOUT`, `CHAIN:fee:TXID`; on EVM chains `CHAIN:call:TXHASH:PATH`,
    /// `CHAIN:log:TXHASH:INDEX`, `CHAIN:gas:TXHASH`.
    pub id: String,
    /// The chain's name.
    pub chain: Shared,
    /// The transaction in which the value moved.
    pub tx: String,
    /// The height of its block, where known.
    pub block: Option<u64>,
    /// The time of its block, where known.
    pub time: Option<Timestamp>,
    /// The id of the node that the value left.
    pub from: Shared,
    /// The id of the node that the value entered.
    pub to: Shared,
    /// The addresses that paid, each once.
    pub from_addresses: Vec<Shared>,
    /// The address that was paid, where there is one.
    pub to_address: Option<Shared>,
    /// The asset that moved.
    pub asset: Shared,
    /// How much moved, clean and tainted together, in base units.
    pub amount: Amount,
    /// The tainted part under each rule.
    pub tainted: Sorted<Rule, Amount>,
    /// The tainted part under each rule, split by seed id.
    pub claims: Sorted<Rule, Sorted<Shared, Amount>>,
    /// What proves the transfer without trust in an endpoint.
    pub proof: Proof,
    /// What kind of movement.
    pub kind: FlowKind,
}

/// What proves a transfer.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum Proof {
    /// A Merkle branch to a header with work.
    Merkle,
    /// A receipt or transaction trie proof.
    Trie,
    /// An endpoint's execution trace: repeatable, not provable by a hash.
    Trace,
    /// Nothing but the endpoint's word that the transaction is in the chain.
    None,
}

impl Proof {
    /// The name in reports.
    pub fn name(self) -> &'static str {
        match self {
            Self::Merkle => "merkle",
            Self::Trie => "trie",
            Self::Trace => "trace",
            Self::None => "none",
        }
    }
}

/// What kind of movement a flow is.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum FlowKind {
    /// The same asset moved.
    Transfer,
    /// One asset became another in one transaction.
    Conversion,
    /// Value left one chain and entered another.
    Crossing,
    /// Paid to miners.
    Fee,
}

impl FlowKind {
    /// The name in reports.
    pub fn name(self) -> &'static str {
        match self {
            Self::Transfer => "transfer",
            Self::Conversion => "conversion",
            Self::Crossing => "crossing",
            Self::Fee => "fee",
        }
    }
}
