//! Where the stolen value is, to the unit.

use hansel_graph::Rule;
use hansel_ledger::{Amount, AmountError};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// One seed under one rule: the claim, split over everything that can have become of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Accounting {
    /// The seed.
    pub seed: String,
    /// The taint rule.
    pub rule: Rule,
    /// The claim: what was stolen.
    pub stolen: Amount,
    /// In outputs or accounts that nobody has moved yet; in a backward trace, newly mined coins.
    pub at_rest: Amount,
    /// Arrived at exchanges.
    pub exchanges: Amount,
    /// Entered mixers.
    pub mixers: Amount,
    /// Entered bridges whose other side was not found.
    pub bridges: Amount,
    /// Arrived at other services.
    pub services: Amount,
    /// Entered addresses so busy that following them would mean nothing.
    pub hubs: Amount,
    /// Not followed: a limit or a failure stands in the way.
    pub frontier: Amount,
    /// In trails that fell below the smallest amount followed.
    pub below_threshold: Amount,
    /// Paid to miners.
    pub fees: Amount,
    /// In outputs that can never be spent.
    pub burned: Amount,
    /// The sum of all categories; equal to `stolen` under every rule but poison.
    pub total: Amount,
}

impl Accounting {
    /// The categories by field name, in the order of the report.
    pub fn categories(&self) -> [(&'static str, Amount); 10] {
        [
            ("at_rest", self.at_rest),
            ("exchanges", self.exchanges),
            ("mixers", self.mixers),
            ("bridges", self.bridges),
            ("services", self.services),
            ("hubs", self.hubs),
            ("frontier", self.frontier),
            ("below_threshold", self.below_threshold),
            ("fees", self.fees),
            ("burned", self.burned),
        ]
    }

    /// The categories added up anew.
    pub fn sum(&self) -> Result<Amount, AmountError> {
        Amount::checked_sum(self.categories().map(|(_, amount)| amount))
    }

    /// True where the categories, the total and the claim are the same amount.
    ///
    /// Poison never has to balance: it says what touched the theft, not how much of it is where.
    pub fn balances(&self) -> bool {
        self.total == self.stolen && self.sum() == Ok(self.stolen)
    }
}
