//! Where each seed's money is, rule by rule, to the unit.

use hansel_ledger::AmountError;

use crate::{Rule, SeedIx};

/// What became of tainted value, as courts and exchanges ask for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Category {
    /// Unspent at the height of the trace; in a backward trace, newly mined coins.
    AtRest,
    /// Reached an exchange.
    Exchanges,
    /// Entered a mixer.
    Mixers,
    /// Entered a bridge that could not be resolved.
    Bridges,
    /// Reached another service.
    Services,
    /// Reached a pool too busy to follow.
    Hubs,
    /// Known to exist, not followed: a limit, a failure, a gap.
    Frontier,
    /// Too small to follow under the limits in force.
    BelowThreshold,
    /// Paid to miners.
    Fees,
    /// Locked in outputs that can never be spent.
    Burned,
}

impl Category {
    /// All categories, in the order in which reports list them.
    pub const ALL: [Self; 10] = [
        Self::AtRest,
        Self::Exchanges,
        Self::Mixers,
        Self::Bridges,
        Self::Services,
        Self::Hubs,
        Self::Frontier,
        Self::BelowThreshold,
        Self::Fees,
        Self::Burned,
    ];

    fn position(self) -> usize {
        Self::ALL
            .iter()
            .position(|one| *one == self)
            .expect("ALL lists every category")
    }
}

/// One seed's balance under one rule, in base units.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Accounting {
    /// The seed.
    pub seed: SeedIx,
    /// The rule.
    pub rule: Rule,
    /// What this seed claims: the seed's amount less what an earlier seed already claims of it.
    pub stolen: u64,
    amounts: [u64; Category::ALL.len()],
}

impl Accounting {
    pub(crate) fn new(seed: SeedIx, rule: Rule) -> Self {
        Self {
            seed,
            rule,
            stolen: 0,
            amounts: [0; Category::ALL.len()],
        }
    }

    pub(crate) fn add(&mut self, category: Category, amount: u64) -> Result<(), AmountError> {
        let sum = &mut self.amounts[category.position()];
        *sum = sum.checked_add(amount).ok_or(AmountError::Overflow)?;
        Ok(())
    }

    /// The amount in one category.
    pub fn amount(&self, category: Category) -> u64 {
        self.amounts[category.position()]
    }

    /// The sum over all categories; `None` where it overflows.
    pub fn total(&self) -> Option<u64> {
        self.amounts
            .iter()
            .try_fold(0_u64, |sum, amount| sum.checked_add(*amount))
    }

    /// True where every stolen unit is accounted for exactly once.
    pub fn balances(&self) -> bool {
        self.total() == Some(self.stolen)
    }
}
