//! What became of a tainted output: the end of every trail has a reason.

use std::sync::Arc;

use hansel_ledger::{Gap, SpendState, is_unspendable};

use bitcoin::Txid;

use super::{Trace, TraceError};
use crate::{Accounting, Category, Direction, FlowIx, SeedIx, Venue};

/// Why a tainted output was not followed further, or that it was.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ending {
    /// It poured into a settled pool.
    MovedOn,
    /// Nobody had spent it at the height of the trace.
    AtRest,
    /// Unspent in the chain, but a transaction in the mempool spends it.
    UnconfirmedSpend {
        /// The transaction seen in the mempool.
        by: Txid,
    },
    /// Newly mined coins: a backward trace ends here.
    Origin,
    /// It reached (backward: came from) a place where value is no longer its sender's to move.
    Venue {
        /// The place.
        venue: Arc<Venue>,
        /// The transaction that is the place; `None` where the output pays it.
        at: Option<Txid>,
    },
    /// It can never be spent.
    Burned,
    /// It left the chain here, to where `reason` says.
    Bridge {
        /// Where it went, as far as is known, safe to print.
        reason: String,
    },
    /// Too small to follow under the limits in force.
    BelowThreshold,
    /// Spent (forward) or created (backward) beyond the limits in force, by this transaction where known.
    Limit {
        /// The limit, in words.
        limit: &'static str,
        /// The transaction that was not visited.
        next: Option<Txid>,
    },
    /// The trail is lost: what is missing, and the transaction where it is missing, where known.
    Failed {
        /// What is missing.
        gap: Gap,
        /// The transaction that could not be followed.
        next: Option<Txid>,
    },
}

impl Ending {
    /// The category in which tainted value that ended so is counted; `None` where it moved on.
    pub fn category(&self) -> Option<Category> {
        match self {
            Self::MovedOn => None,
            Self::AtRest | Self::UnconfirmedSpend { .. } | Self::Origin => Some(Category::AtRest),
            Self::Venue { venue, .. } => Some(venue.category),
            Self::Burned => Some(Category::Burned),
            Self::Bridge { .. } => Some(Category::Bridges),
            Self::BelowThreshold => Some(Category::BelowThreshold),
            Self::Limit { .. } | Self::Failed { .. } => Some(Category::Frontier),
        }
    }
}

impl Trace {
    /// What became of a flow; `None` where no rule taints it.
    pub fn ending(&self, flow: FlowIx) -> Result<Option<Ending>, TraceError> {
        if self.settlement.most_tainted(flow) == 0 {
            return Ok(None);
        }
        if let Some(ending) = self.ending_at_venue(flow) {
            return Ok(Some(ending));
        }
        match self.plan.direction {
            Direction::Forward => self.ending_forward(flow).map(Some),
            Direction::Backward => self.ending_backward(flow).map(Some),
        }
    }

    /// Every seed's balance under every rule that conserves value, by seed, then in the order of the rules.
    pub fn accounting(&self) -> Result<Vec<Accounting>, TraceError> {
        let seeds = self.settlement.seeds().len();
        let rules: Vec<_> = self
            .settlement
            .rules()
            .filter(|rule| rule.conserves())
            .collect();
        let mut rows: Vec<Accounting> = Vec::new();
        for seed in (0..seeds).filter_map(SeedIx::from_position) {
            rows.extend(rules.iter().map(|rule| Accounting::new(seed, *rule)));
        }
        let row = |seed: SeedIx, rule: usize| seed.position() * rules.len() + rule;
        for flow in self.graph.flows() {
            let category = self.ending(flow)?.and_then(|ending| ending.category());
            let seed = self.settlement.seed_at(flow);
            for (position, rule) in rules.iter().enumerate() {
                for strand in self.settlement.strands(*rule, flow) {
                    let Some(owner) = strand.owner else { continue };
                    let balance = &mut rows[row(owner, position)];
                    if Some(owner) == seed {
                        balance.stolen = balance.stolen.saturating_add(strand.amount);
                    }
                    if let Some(category) = category {
                        balance.add(category, strand.amount)?;
                    }
                }
            }
        }
        for pool in self.graph.pools() {
            for (position, rule) in rules.iter().enumerate() {
                for strand in self.settlement.fee_strands(*rule, pool) {
                    if let Some(owner) = strand.owner {
                        rows[row(owner, position)].add(Category::Fees, strand.amount)?;
                    }
                }
            }
        }
        Ok(rows)
    }

    fn ending_at_venue(&self, flow: FlowIx) -> Option<Ending> {
        let (venue, pool) = self.venue(flow)?;
        Some(Ending::Venue {
            venue: Arc::clone(venue),
            at: pool.map(|pool| self.graph.pool(pool).txid),
        })
    }

    fn ending_forward(&self, flow: FlowIx) -> Result<Ending, TraceError> {
        if let Some(reason) = self.closed.get(&flow) {
            let reason = reason.clone();
            return Ok(Ending::Bridge { reason });
        }
        let view = self.graph.flow(flow);
        if view.script.is_some_and(is_unspendable) {
            return Ok(Ending::Burned);
        }
        if let Some(spender) = view.spender {
            return Ok(self.poured_into(spender));
        }
        if let Some(gap) = self.disproved.get(&flow) {
            return Ok(Ending::Failed {
                gap: gap.clone(),
                next: None,
            });
        }
        Ok(match self.claims.get(&flow) {
            Some(SpendState::Unspent) => Ending::AtRest,
            Some(SpendState::SpentUnconfirmed { by }) => Ending::UnconfirmedSpend { by: *by },
            Some(SpendState::Unknown { gap }) => Ending::Failed {
                gap: gap.clone(),
                next: None,
            },
            Some(SpendState::Spent { by, .. }) => self.not_visited(flow, Some(*by))?,
            None => self.not_visited(flow, None)?,
        })
    }

    fn ending_backward(&self, flow: FlowIx) -> Result<Ending, TraceError> {
        let creator = self.graph.flow(flow).creator;
        let pool = self.graph.pool(creator);
        if !pool.visited {
            return self.not_visited(flow, Some(pool.txid));
        }
        if pool.inputs.is_empty() {
            return Ok(Ending::Origin);
        }
        Ok(self.poured_into(creator))
    }

    fn poured_into(&self, pool: crate::PoolIx) -> Ending {
        if !self.settlement.is_stuck(pool) {
            return Ending::MovedOn;
        }
        let view = self.graph.pool(pool);
        let unknown = view
            .inputs
            .iter()
            .filter(|flow| self.graph.flow(**flow).value.is_none())
            .count();
        let gap = Gap::InputsUnknown {
            inputs: u32::try_from(unknown).unwrap_or(u32::MAX),
        };
        Ending::Failed {
            gap,
            next: Some(view.txid),
        }
    }

    /// Says why the transaction that a flow leads to was not visited.
    fn not_visited(&self, flow: FlowIx, next: Option<Txid>) -> Result<Ending, TraceError> {
        if let Some(gap) = next.and_then(|txid| self.failed.get(&txid)) {
            return Ok(Ending::Failed {
                gap: gap.clone(),
                next,
            });
        }
        if !self.qualifies(flow)? {
            return Ok(Ending::BelowThreshold);
        }
        let limits = &self.plan.limits;
        let far = next.is_some()
            && limits
                .hops
                .is_some_and(|limit| self.hops_through(flow) > limit);
        let spent = |limit: Option<u64>, used: u64| limit.is_some_and(|limit| used >= limit);
        let limit = if self.interrupted {
            "interrupted"
        } else if far {
            "hops"
        } else if next.is_some() && spent(limits.max_nodes, self.visits) {
            "max-nodes"
        } else {
            "max-requests"
        };
        Ok(Ending::Limit { limit, next })
    }
}
