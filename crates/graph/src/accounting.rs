//! Where each seed's money is, rule by rule, to the unit.

use hansel_ledger::AmountError;

use crate::{Rule, SeedIx, Units};

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
pub struct Accounting<U = u64> {
    /// The seed.
    pub seed: SeedIx,
    /// The rule.
    pub rule: Rule,
    /// What this seed claims: the seed's amount less what an earlier seed already claims of it.
    pub stolen: U,
    amounts: [U; Category::ALL.len()],
}

impl<U: Units> Accounting<U> {
    pub(crate) fn new(seed: SeedIx, rule: Rule) -> Self {
        Self {
            seed,
            rule,
            stolen: U::ZERO,
            amounts: [U::ZERO; Category::ALL.len()],
        }
    }

    pub(crate) fn add(&mut self, category: Category, amount: U) -> Result<(), AmountError> {
        let sum = &mut self.amounts[category.position()];
        *sum = sum.plus(amount)?;
        Ok(())
    }

    /// The amount in one category.
    pub fn amount(&self, category: Category) -> U {
        self.amounts[category.position()]
    }

    /// The sum over all categories; `None` where it overflows.
    pub fn total(&self) -> Option<U> {
        self.amounts
            .iter()
            .try_fold(U::ZERO, |sum, amount| sum.plus(*amount).ok())
    }

    /// True where every stolen unit is accounted for exactly once.
    pub fn balances(&self) -> bool {
        self.total() == Some(self.stolen)
    }
}
