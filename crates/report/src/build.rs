//! From a settled trace to a report. Nothing is computed here that the trace does not already say.

mod endings;
mod flows;
mod nodes;

use std::collections::BTreeMap;

use bitcoin::{Address, Script};
use hansel_graph::{Accounting as Balance, Category, Rule, SeedIx, Strand, Trace, TraceError};
use hansel_ledger::{Amount, AmountError, Chain};

use crate::model::{
    Accounting, Case, Limits, Override, SchemaName, Seed, Shared, Sorted, Source, Timestamp, Tip,
    Unknown,
};
use crate::{Report, cash_outs};

/// What the caller knows about a case that the trace does not.
#[derive(Clone, Debug, Default)]
pub struct Heading {
    /// The case's name.
    pub name: String,
    /// Its title for people.
    pub title: Option<String>,
    /// True for a training case, which must never be taken for a real theft.
    pub training: bool,
    /// The subjects as the user named them.
    pub subjects: Vec<String>,
    /// Where the user told the trace to go on or to end.
    pub overrides: Vec<Override>,
    /// The bound on blocks as the user gave it.
    pub until: Option<String>,
    /// What the caller could not find out, besides what the trace says.
    pub unknown: Vec<Unknown>,
    /// What the endpoints did; such a report differs from run to run.
    pub sources: Vec<Source>,
}

/// Says why a trace cannot be reported.
#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    /// The trace contradicts itself.
    #[error("the trace could not be read")]
    Trace(#[from] TraceError),
    /// An amount does not fit.
    #[error("the trace's amounts cannot be added up")]
    Amount(#[from] AmountError),
}

/// A trace laid out, and what that says about the run.
#[derive(Clone, Debug)]
pub struct Built {
    /// The report.
    pub report: Report,
    /// True where something within the limits asked for is not known.
    pub partial: bool,
}

/// Lays a trace out as a report.
pub fn build(trace: &Trace, heading: Heading) -> Result<Built, BuildError> {
    let endings = endings::Endings::of(trace)?;
    let partial =
        endings.partial || !heading.unknown.is_empty() || !trace.subject_gaps().is_empty();
    let flows = flows::list(trace, &endings);
    let nodes = nodes::list(trace, &endings, &flows);
    let Heading {
        name,
        title,
        training,
        subjects,
        overrides,
        until,
        unknown,
        sources,
    } = heading;
    let mut report = Report {
        schema: SchemaName,
        case: Case {
            name,
            title,
            training,
            subjects,
            direction: trace.plan().direction,
            limits: limits_of(&trace.plan().limits, until),
            overrides,
            rules: trace.settlement().rules().collect(),
            fee_rule: trace.settlement().fee_rule(),
        },
        tips: tips(trace),
        seeds: seeds(trace),
        assets: Vec::new(),
        accounting: trace
            .accounting()?
            .iter()
            .map(accounting)
            .collect::<Result<_, _>>()?,
        unknown: unknowns(trace, &endings, &nodes, unknown),
        nodes,
        flows,
        findings: Vec::new(),
        cash_outs: Vec::new(),
        values: None,
        sources,
    };
    report.cash_outs = cash_outs::list(&report)?;
    Ok(Built { report, partial })
}

pub(crate) fn limits_of(limits: &hansel_graph::Limits, until: Option<String>) -> Limits {
    let hansel_graph::Limits {
        hops,
        min_share,
        min_amount,
        max_nodes,
        max_requests,
    } = *limits;
    Limits {
        hops: hops.map(u64::from),
        min_share: Some(min_share.to_string()),
        min_amount: (!min_amount.is_zero()).then_some(min_amount),
        max_nodes,
        max_requests,
        until,
    }
}

fn tips(trace: &Trace) -> Vec<Tip> {
    let plan = trace.plan();
    let tip = plan.as_of.map(|block| Tip {
        chain: plan.chain.name().to_owned(),
        height: block.height,
        hash: block.hash.to_string(),
    });
    tip.into_iter().collect()
}

fn seeds(trace: &Trace) -> Vec<Seed> {
    let chain = &trace.plan().chain;
    let asset = chain.native();
    let seeds = trace.settlement().seeds().iter().enumerate();
    let row = |(position, seed): (usize, &hansel_graph::Seed)| {
        let flow = trace.graph().find_output(&seed.outpoint)?;
        let view = trace.graph().flow(flow);
        let placement = trace.graph().pool(view.creator).placement;
        Some(Seed {
            id: SeedIx::from_position(position)?.id(),
            chain: chain.name().to_owned(),
            asset: asset.symbol.clone(),
            decimals: asset.decimals,
            amount: seed.amount.into(),
            tx: seed.outpoint.txid.to_string(),
            vout: Some(seed.outpoint.vout),
            flow: None,
            to: view.script.and_then(|script| address(chain, script)),
            block: placement.height(),
            time: placement.block().map(|block| Timestamp(block.time)),
        })
    };
    seeds.filter_map(row).collect()
}

fn accounting(balance: &Balance) -> Result<Accounting, AmountError> {
    let amount = |category: Category| Amount::from(balance.amount(category));
    Ok(Accounting {
        seed: balance.seed.id(),
        rule: balance.rule,
        stolen: balance.stolen.into(),
        at_rest: amount(Category::AtRest),
        exchanges: amount(Category::Exchanges),
        mixers: amount(Category::Mixers),
        bridges: amount(Category::Bridges),
        services: amount(Category::Services),
        hubs: amount(Category::Hubs),
        frontier: amount(Category::Frontier),
        below_threshold: amount(Category::BelowThreshold),
        fees: amount(Category::Fees),
        burned: amount(Category::Burned),
        total: balance.total().ok_or(AmountError::Overflow)?.into(),
    })
}

/// Collects what is not known: by node, by subject, by limit, and seeds that overlap.
fn unknowns(
    trace: &Trace,
    endings: &endings::Endings,
    nodes: &[crate::model::Node],
    mut unknown: Vec<Unknown>,
) -> Vec<Unknown> {
    for node in nodes {
        let gaps = node.gaps.iter();
        unknown.extend(gaps.map(|gap| entry(&node.id, &gap.kind, &gap.detail)));
    }
    for (subject, gap) in trace.subject_gaps() {
        unknown.push(entry(&subject, gap.kind(), &gap.to_string()));
    }
    for (limit, outputs) in &endings.limits {
        let detail =
            format!("{outputs} tainted outputs were not followed because of the limit `{limit}`");
        unknown.push(entry(&trace.plan().chain.to_string(), "limit", &detail));
    }
    unknown.extend(overlaps(trace));
    unknown.sort();
    unknown.dedup();
    unknown
}

pub(crate) fn entry(subject: &str, kind: &str, detail: &str) -> Unknown {
    Unknown {
        subject: subject.to_owned(),
        kind: kind.to_owned(),
        detail: detail.to_owned(),
    }
}

/// A seed that descends from another seed counts only what that one does not claim already.
fn overlaps(trace: &Trace) -> Vec<Unknown> {
    let settlement = trace.settlement();
    let mut found = Vec::new();
    for (position, seed) in settlement.seeds().iter().enumerate() {
        let flow = trace.graph().find_output(&seed.outpoint);
        let earlier = settlement
            .rules()
            .filter(|rule| rule.conserves())
            .any(|rule| {
                let strands = flow.map_or(&[][..], |flow| settlement.strands(rule, flow));
                strands.iter().any(|strand| {
                    strand
                        .owner
                        .is_some_and(|owner| owner.position() != position)
                })
            });
        if let Some(ix) = SeedIx::from_position(position).filter(|_| earlier) {
            let detail = "an earlier seed already claims part of this one; every unit is counted once, under the earlier seed";
            found.push(entry(&ix.id(), "overlapping-seeds", detail));
        }
    }
    found
}

/// The address of a script, where it has one.
fn address(chain: &Chain, script: &Script) -> Option<String> {
    Address::from_script(script, chain.network()?)
        .map(|address| address.to_string())
        .ok()
}

fn tainted(strands: &[Strand<u64>]) -> Amount {
    strands
        .iter()
        .filter(|strand| strand.owner.is_some())
        .map(|strand| strand.amount)
        .sum::<u64>()
        .into()
}

/// What each seed claims; nothing for a rule that does not conserve value.
fn claims(rule: Rule, strands: &[Strand<u64>]) -> Sorted<Shared, Amount> {
    let mut by_seed: BTreeMap<SeedIx, u64> = BTreeMap::new();
    for strand in strands.iter().filter(|_| rule.conserves()) {
        if let Some(seed) = strand.owner {
            *by_seed.entry(seed).or_default() += strand.amount;
        }
    }
    by_seed
        .into_iter()
        .map(|(seed, claim)| (seed.id().into(), claim.into()))
        .collect()
}
