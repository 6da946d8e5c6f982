//! What amounts were worth in a currency when they moved, by prices that the user gave.

use std::collections::BTreeMap;

use hansel_graph::Rule;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Timestamp;

/// The worth of seeds, flows and cash-outs. It stands beside the amounts and no sum of the report is made of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Values {
    /// How prices were chosen and rounded, in words.
    pub basis: String,
    /// One entry for each seed, tainted flow and cash-out and each currency, in the order of the report.
    pub worth: Vec<Worth>,
    /// What could not be valued, by asset, currency and reason.
    pub missing: Vec<Unpriced>,
}

/// What one transfer was worth in one currency.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Worth {
    /// The id of a seed or flow; of a cash-out `cash-out:CHAIN:TX:ADDRESS:ASSET`, with `:TX` of the sweep where there
    /// is one.
    pub of: String,
    /// The currency, as `USD`.
    pub currency: String,
    /// The price of one whole unit of the asset, as the source spells it.
    pub price: String,
    /// The moment that the price is of: the transfer's or before.
    pub priced_at: Timestamp,
    /// Who says so.
    pub source: String,
    /// The worth of the amount that moved, rounded to a hundredth of the currency, half up.
    pub amount: String,
    /// The worth of the tainted part under each rule, rounded likewise.
    pub tainted: BTreeMap<Rule, String>,
}

/// Transfers that have no worth in a currency.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Unpriced {
    /// The chain's name.
    pub chain: String,
    /// The asset.
    pub asset: String,
    /// The currency.
    pub currency: String,
    /// Why not.
    pub reason: String,
    /// How many entries it concerns.
    pub entries: u64,
}
