//! What became of the tainted value in each pool: the end of every trail has a reason.

use std::sync::Arc;

use hansel_ledger::{Gap, Noise};

use super::follow::is_burned;
use super::{AccountTrace, PoolStop};
use crate::{Accounting, Category, PoolState, SeedIx, TraceError, Venue};

/// Why the tainted value in a pool was not followed further.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AccountEnding {
    /// The account has not moved it up to the height of the trace.
    AtRest,
    /// The account makes too many transfers to be followed.
    Hub {
        /// How many transfers are read of one account.
        bound: u64,
    },
    /// The account is a contract that the traced accounts did not make: value of others is in it too.
    Contract,
    /// It left the chain here, to where `reason` says.
    Bridge {
        /// Where it went, as far as is known, safe to print.
        reason: String,
    },
    /// The account is a place where value is no longer its sender's to move.
    Venue(Arc<Venue>),
    /// Nobody can ever move it.
    Burned,
    /// Too small to follow under the limits in force.
    BelowThreshold,
    /// Beyond the limits in force.
    Limit {
        /// The limit, in words.
        limit: &'static str,
    },
    /// Part of the account's history is missing.
    Failed {
        /// What is missing.
        gaps: Vec<Gap>,
    },
}

impl AccountEnding {
    /// The category in which tainted value that ended so is counted.
    pub fn category(&self) -> Category {
        match self {
            Self::AtRest => Category::AtRest,
            Self::Hub { .. } => Category::Hubs,
            Self::Contract => Category::Services,
            Self::Bridge { .. } => Category::Bridges,
            Self::Venue(venue) => venue.category,
            Self::Burned => Category::Burned,
            Self::BelowThreshold => Category::BelowThreshold,
            Self::Limit { .. } | Self::Failed { .. } => Category::Frontier,
        }
    }
}

impl AccountTrace {
    /// What became of the tainted value in a pool.
    pub fn ending(&self, pool: &PoolState<'_>) -> AccountEnding {
        if let Some(PoolStop::Bridge(reason)) = self.stop(&pool.key) {
            let reason = reason.clone();
            return AccountEnding::Bridge { reason };
        }
        if is_burned(&pool.key) {
            return AccountEnding::Burned;
        }
        if let Some(venue) = self.venue(&pool.key.account) {
            return AccountEnding::Venue(Arc::clone(venue));
        }
        match self.stop(&pool.key) {
            Some(PoolStop::Hub(bound)) => return AccountEnding::Hub { bound: *bound },
            Some(PoolStop::Contract) => return AccountEnding::Contract,
            Some(PoolStop::Failed(gap)) => {
                let gaps = vec![gap.clone()];
                return AccountEnding::Failed { gaps };
            }
            Some(PoolStop::Bridge(_)) | None => {}
        }
        if self.missing(pool).is_some() {
            return self.ending_unread(pool);
        }
        let gaps = self.decisive_gaps(pool);
        if gaps.is_empty() {
            AccountEnding::AtRest
        } else {
            AccountEnding::Failed { gaps }
        }
    }

    fn ending_unread(&self, pool: &PoolState<'_>) -> AccountEnding {
        let limit = |limit| AccountEnding::Limit { limit };
        if !self.qualifies(pool) {
            AccountEnding::BelowThreshold
        } else if self.interrupted {
            limit("interrupted")
        } else if !self.is_followed(pool) {
            limit("hops")
        } else if self
            .plan
            .limits
            .max_requests
            .is_some_and(|most| self.questions >= most)
        {
            limit("requests")
        } else {
            limit("nodes")
        }
    }

    /// Gaps of a pool's statements: everything that its history lacks.
    pub fn gaps(&self, pool: &PoolState<'_>) -> Vec<Gap> {
        let mut gaps: Vec<Gap> = self
            .facts
            .statements(pool.key)
            .flat_map(|statement| statement.coverage.gaps.iter().cloned())
            .collect();
        if let Some(PoolStop::Failed(gap)) = self.stop(&pool.key) {
            gaps.push(gap.clone());
        }
        gaps.sort();
        gaps.dedup();
        gaps
    }

    /// The gaps behind which value may have left: statements that are not complete.
    fn decisive_gaps(&self, pool: &PoolState<'_>) -> Vec<Gap> {
        let incomplete = self.facts.statements(pool.key).filter(|statement| {
            statement
                .coverage
                .complete_through
                .is_none_or(|through| through < statement.until)
        });
        let mut gaps: Vec<Gap> = incomplete
            .flat_map(|statement| statement.coverage.gaps.iter().cloned())
            .collect();
        gaps.sort();
        gaps.dedup();
        gaps
    }

    /// Logs that name the pool's account and move nothing.
    pub fn noise_of(&self, pool: &PoolState<'_>) -> Noise {
        self.noise.get(&pool.key).copied().unwrap_or_default()
    }

    /// Every seed's balance under every rule that conserves value, by seed, then in the order of the rules.
    pub fn accounting(&self) -> Result<Vec<Accounting<hansel_ledger::Amount>>, TraceError> {
        let rules: Vec<_> = self
            .settlement
            .rules()
            .filter(|rule| rule.conserves())
            .collect();
        let seeds = (0..self.seeds.len()).filter_map(SeedIx::from_position);
        let mut rows: Vec<Accounting<_>> = seeds
            .flat_map(|seed| rules.iter().map(move |rule| Accounting::new(seed, *rule)))
            .collect();
        let row = |seed: SeedIx, rule: usize| seed.position() * rules.len() + rule;
        for pool in self.settlement.pools() {
            let category = self.ending(&pool).category();
            for (position, rule) in rules.iter().enumerate() {
                for parcel in pool.residual(*rule)? {
                    if let Some(owner) = parcel.owner {
                        rows[row(owner, position)].add(category, parcel.claim)?;
                    }
                }
            }
        }
        for balance in &mut rows {
            let (rule, seed) = (balance.rule, balance.seed);
            balance.stolen = self.settlement.stolen(rule, seed);
            balance.add(Category::Fees, self.settlement.gas(rule, seed))?;
        }
        Ok(rows)
    }
}
