//! Value that came from another chain, of which only a part may be stolen.

use std::collections::BTreeMap;

use alloy_primitives::B256;
use bitcoin::OutPoint;
use hansel_ledger::{Amount, Origin};
use serde::{Deserialize, Serialize};

use crate::Rule;

/// How much of an arrival is stolen under each rule; nothing under a rule that is not named.
pub type Parts = BTreeMap<Rule, Amount>;

/// An output of a Bitcoin transaction that a bridge paid.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Inflow {
    /// Which output.
    pub outpoint: OutPoint,
    /// How much of it is stolen: its first units.
    pub parts: Parts,
}

/// A movement on an EVM chain that a bridge made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccountInflow {
    /// The transaction.
    pub hash: B256,
    /// Which of its movements.
    pub origin: Origin,
    /// How much of it is stolen: its first units.
    pub parts: Parts,
}
