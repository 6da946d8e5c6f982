//! A trace of either family of chains, as the loop that drives it sees it.

use std::collections::BTreeSet;

use bitcoin::OutPoint;
use hansel_graph::{AccountTrace, Category, Rule, SeedIx, Trace, TraceError};
use hansel_heuristics::crossing::{
    Bridges, Leaving, Told, close_accounts, close_outputs, disbelieved, labelled_accounts,
    labelled_outputs, leaving_accounts, leaving_outputs,
};
use hansel_heuristics::{Finding, Labels};
use hansel_ledger::{Amount, BlockRef, Chain, Fact, Gap, NodeId, Query, TransferId};
use hansel_report::{BuildError, Built, Heading, annotate, build, build_accounts, format_units};

/// A trace in progress.
#[derive(Debug)]
pub(crate) enum Course {
    /// Of outputs, on a Bitcoin chain, with what other chains tell of them.
    Outputs(Box<Trace>, Vec<Told>),
    /// Of accounts, on an EVM chain.
    Accounts(Box<AccountTrace>),
}

impl Course {
    pub(crate) fn chain(&self) -> &Chain {
        match self {
            Self::Outputs(trace, _) => &trace.plan().chain,
            Self::Accounts(trace) => &trace.plan().chain,
        }
    }

    pub(crate) fn as_of(&self) -> Option<BlockRef> {
        match self {
            Self::Outputs(trace, _) => trace.plan().as_of,
            Self::Accounts(trace) => Some(trace.plan().as_of),
        }
    }

    pub(crate) fn next_wave(&mut self) -> Result<Vec<Query>, TraceError> {
        match self {
            Self::Outputs(trace, _) => trace.next_wave(),
            Self::Accounts(trace) => trace.next_wave(),
        }
    }

    pub(crate) fn resolve(
        &mut self,
        query: &Query,
        outcome: Result<Fact, String>,
    ) -> Result<(), TraceError> {
        match self {
            Self::Outputs(trace, _) => trace.resolve(query, outcome),
            Self::Accounts(trace) => trace.resolve(query, outcome),
        }
    }

    pub(crate) fn finish(&mut self) -> Result<(), TraceError> {
        match self {
            Self::Outputs(trace, _) => trace.finish(),
            Self::Accounts(trace) => trace.finish(),
        }
    }

    /// Ends the trails where value leaves the chain.
    pub(crate) fn close(&mut self, bridges: &Bridges) {
        match self {
            Self::Outputs(trace, told) => close_outputs(trace, bridges, told),
            Self::Accounts(trace) => close_accounts(trace, bridges),
        }
    }

    /// The tainted value that leaves the chain.
    pub(crate) fn leaving(&self, bridges: &Bridges) -> Result<Vec<Leaving>, TraceError> {
        match self {
            Self::Outputs(trace, told) => leaving_outputs(trace, bridges, told),
            Self::Accounts(trace) => leaving_accounts(trace, bridges),
        }
    }

    /// The tainted value that reached bridges which only labels know, except by flows that are known to cross.
    pub(crate) fn leaving_labelled(
        &self,
        known: &BTreeSet<TransferId>,
    ) -> Result<Vec<Leaving>, TraceError> {
        match self {
            Self::Outputs(trace, _) => labelled_outputs(trace, known),
            Self::Accounts(trace) => labelled_accounts(trace, known),
        }
    }

    /// Who received value with words that it leaves, which is not believed, with the words.
    pub(crate) fn disbelieved(&self, bridges: &Bridges) -> Vec<(NodeId, String)> {
        match self {
            Self::Outputs(..) => Vec::new(),
            Self::Accounts(trace) => disbelieved(trace, bridges),
        }
    }

    /// How much a seed is, in base units of what was stolen.
    pub(crate) fn seed_amount(&self, seed: SeedIx) -> Option<Amount> {
        match self {
            Self::Outputs(trace, _) => {
                let seeds = trace.settlement().seeds();
                Some(Amount::from(seeds.get(seed.position())?.amount))
            }
            Self::Accounts(trace) => Some(trace.seeds().get(seed.position())?.amount),
        }
    }

    /// The seeds that came from other chains, in the order in which they were given.
    pub(crate) fn inflow_seeds(&self) -> Vec<Option<SeedIx>> {
        match self {
            Self::Outputs(trace, _) => trace.inflow_seeds(),
            Self::Accounts(trace) => trace.inflow_seeds(),
        }
    }

    pub(crate) fn has_seeds(&self) -> bool {
        match self {
            Self::Outputs(trace, _) => !trace.settlement().seeds().is_empty(),
            Self::Accounts(trace) => !trace.seeds().is_empty(),
        }
    }

    pub(crate) fn subject_gaps(&self) -> Vec<(String, Gap)> {
        match self {
            Self::Outputs(trace, _) => trace.subject_gaps(),
            Self::Accounts(trace) => trace.subject_gaps(),
        }
    }

    /// Outputs whose named spender turned out not to spend them; accounts have none.
    pub(crate) fn disproved(&self) -> Vec<OutPoint> {
        match self {
            Self::Outputs(trace, _) => trace.disproved(),
            Self::Accounts(_) => Vec::new(),
        }
    }

    /// Lays it out as a report with what labels and detectors say.
    pub(crate) fn build(&self, heading: Heading, labels: &dyn Labels) -> Result<Built, BuildError> {
        let mut built = self.lay_out(heading)?;
        annotate(&mut built.report, labels, self.findings(labels))?;
        Ok(built)
    }

    fn lay_out(&self, heading: Heading) -> Result<Built, BuildError> {
        match self {
            Self::Outputs(trace, _) => build(trace, heading),
            Self::Accounts(trace) => build_accounts(trace, heading),
        }
    }

    /// What the detectors say about it.
    fn findings(&self, labels: &dyn Labels) -> Vec<Finding> {
        match self {
            Self::Outputs(trace, _) => hansel_heuristics::of_outputs(trace, labels),
            Self::Accounts(trace) => hansel_heuristics::of_accounts(trace, labels),
        }
    }

    /// How much of the stolen value has an end that is known, under the first rule, and how far the trace went.
    pub(crate) fn standing(&self) -> String {
        match self {
            Self::Outputs(trace, _) => {
                format!("{}, {} transactions", followed(trace), trace.visits())
            }
            Self::Accounts(trace) => {
                format!(
                    "{} seeds, {} accounts read",
                    trace.seeds().len(),
                    trace.visits()
                )
            }
        }
    }
}

fn followed(trace: &Trace) -> String {
    let asset = trace.plan().chain.native();
    let first: Option<Rule> = trace.settlement().rules().find(|rule| rule.conserves());
    let rows = trace.accounting().unwrap_or_default();
    let rows = rows.iter().filter(|row| Some(row.rule) == first);
    let (stolen, open) = rows.fold((0_u64, 0_u64), |(stolen, open), row| {
        (
            stolen.saturating_add(row.stolen),
            open.saturating_add(row.amount(Category::Frontier)),
        )
    });
    let units = |amount: u64| format_units(Amount::from(amount), asset.decimals);
    format!(
        "followed {} of {} {}",
        units(stolen.saturating_sub(open)),
        units(stolen),
        asset.symbol
    )
}
