//! The part of a big report that the interactive graph draws: no browser draws a million flows.

use std::borrow::Cow;

use hansel_graph::Rule;
use maud::{Markup, html};
use serde::Serialize;

use crate::Report;
use crate::model::Flow;
use crate::picture::Weights;
use crate::references::Numbers;
use crate::text::counted;
use crate::units::grouped;

/// A report of at most so many flows is drawn whole: as many as the page is made for.
const MOST: usize = 20_000;

/// What the graph of a page draws.
pub(crate) struct Excerpt<'a> {
    /// The report, or one that lists fewer nodes and flows.
    pub(crate) report: Cow<'a, Report>,
    /// How much is left out; `None` where the graph draws everything.
    pub(super) left_out: Option<LeftOut>,
}

/// How much a graph leaves out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub(super) struct LeftOut {
    flows: usize,
    nodes: usize,
}

impl<'a> Excerpt<'a> {
    pub(crate) fn of(report: &'a Report) -> Self {
        Self::with(report, MOST)
    }

    fn with(report: &'a Report, most: usize) -> Self {
        if report.flows.len() <= most {
            return Self {
                report: Cow::Borrowed(report),
                left_out: None,
            };
        }
        let drawn = Chosen::of(report, most).report(report);
        let left_out = LeftOut {
            flows: report.flows.len() - drawn.flows.len(),
            nodes: report.nodes.len() - drawn.nodes.len(),
        };
        Self {
            left_out: (left_out.flows > 0).then_some(left_out),
            report: Cow::Owned(drawn),
        }
    }

    /// How much is drawn, in a few words; `None` where everything is drawn.
    pub(crate) fn in_brief(&self) -> Option<String> {
        let left_out = self.left_out?;
        let drawn = self.report.flows.len();
        let all = grouped(&(drawn + left_out.flows).to_string());
        Some(format!(
            "{} of {all} flows: the heaviest and the ways to them",
            grouped(&drawn.to_string())
        ))
    }

    /// What is left out, by which rule, and where to find it; nothing where the graph draws everything.
    pub(super) fn note(&self) -> Markup {
        let Self { report, left_out } = self;
        let rule = rule(&report.case.rules).map(|rule| format!(" under {rule}"));
        html! {
            @if let Some(LeftOut { flows, nodes }) = left_out {
                p.note {
                    "The graph draws " (counted(report.flows.len(), "flow")) " between " (counted(report.nodes.len(), "place"))
                    ": the " (grouped(&MOST.to_string())) " flows that carry the largest parts of the theft"
                    (rule.unwrap_or_default()) ", and the heaviest way from the theft to each of them. It leaves out "
                    (counted(*flows, "flow")) " and " (counted(*nodes, "place"))
                    ", which the search here does not find. The accounting and the picture above count them all; the JSON and CSV formats list them."
                }
            }
        }
    }
}

/// The rule by which flows are heavy.
fn rule(rules: &[Rule]) -> Option<Rule> {
    let conserving = rules.iter().find(|rule| rule.conserves());
    conserving.or(rules.first()).copied()
}

/// The flows of a report by number: where each begins and ends, and the order of their weight.
struct Flows {
    ends: Vec<Option<(usize, usize)>>,
    heaviest_first: Vec<usize>,
    /// For each node the heaviest flow that came from another.
    into: Vec<Option<usize>>,
}

impl Flows {
    fn of(report: &Report) -> Self {
        let numbers = Numbers::of(report);
        let flows = report.flows.iter();
        let ends: Vec<_> = flows
            .map(|flow| Some((numbers.get(&flow.from)?, numbers.get(&flow.to)?)))
            .collect();
        let heaviest_first = heaviest_first(report);
        let mut into = vec![None; report.nodes.len()];
        for flow in &heaviest_first {
            if let Some((_, to)) = ends[*flow].filter(|(from, to)| from != to) {
                into[to].get_or_insert(*flow);
            }
        }
        Self {
            ends,
            heaviest_first,
            into,
        }
    }
}

/// The numbers of the flows; those of equal weight stay in the order of the report.
fn heaviest_first(report: &Report) -> Vec<usize> {
    let weights = Weights::of(report);
    let rule = rule(&report.case.rules);
    let share = |flow: &Flow| rule.map_or(0.0, |rule| weights.share(&flow.claims, rule));
    let shares: Vec<f64> = report.flows.iter().map(share).collect();
    let mut order: Vec<usize> = (0..shares.len()).collect();
    order.sort_by(|one, next| shares[*next].total_cmp(&shares[*one]));
    order
}

/// Which flows and nodes are drawn, by number.
struct Chosen {
    flows: Vec<bool>,
    nodes: Vec<bool>,
}

impl Chosen {
    fn of(report: &Report, most: usize) -> Self {
        let flows = Flows::of(report);
        let mut chosen = Self {
            flows: vec![false; report.flows.len()],
            nodes: vec![false; report.nodes.len()],
        };
        for flow in flows.heaviest_first.iter().take(most) {
            chosen.follow_back(*flow, &flows);
        }
        chosen
    }

    /// Takes a flow and the way by which most of its value came: without it a place on the way would look like the theft.
    fn follow_back(&mut self, flow: usize, flows: &Flows) {
        let mut next = Some(flow);
        while let Some(flow) = next.filter(|flow| !self.flows[*flow]) {
            let Some((from, to)) = flows.ends[flow] else {
                return;
            };
            self.flows[flow] = true;
            (self.nodes[from], self.nodes[to]) = (true, true);
            next = flows.into[from];
        }
    }

    /// The report with what was chosen, in its order, and with the findings about it.
    fn report(&self, whole: &Report) -> Report {
        let numbers = Numbers::of(whole);
        let is_drawn = |id: &String| numbers.get(id).is_some_and(|node| self.nodes[node]);
        let findings = whole.findings.iter();
        Report {
            schema: whole.schema,
            case: whole.case.clone(),
            tips: whole.tips.clone(),
            seeds: whole.seeds.clone(),
            assets: whole.assets.clone(),
            accounting: whole.accounting.clone(),
            nodes: kept(&whole.nodes, &self.nodes),
            flows: kept(&whole.flows, &self.flows),
            findings: findings
                .filter(|finding| finding.subjects.iter().any(is_drawn))
                .cloned()
                .collect(),
            cash_outs: whole.cash_outs.clone(),
            values: None,
            unknown: Vec::new(),
            sources: whole.sources.clone(),
        }
    }
}

fn kept<T: Clone>(all: &[T], chosen: &[bool]) -> Vec<T> {
    let pairs = all.iter().zip(chosen);
    let kept = pairs.filter(|(_, chosen)| **chosen);
    kept.map(|(one, _)| one.clone()).collect()
}
