//! Paths that came from another chain: what arrived there is explained by what left here.

use hansel_graph::Rule;
use hansel_report::model::{Finding, Flow, Report, Seed};

use super::{MOST_STEPS, Path, Step, accounts, outputs};
use crate::course::Course;
use crate::failure::Failure;

/// What the last report of a case says of its crossings and seeds.
pub(super) struct Joints<'a> {
    pub(super) courses: &'a [Course],
    /// The last report, where a run of the case ended.
    pub(super) report: Option<&'a Report>,
}

/// A crossing: what left, and what the report says of it.
struct Joint<'a> {
    finding: &'a Finding,
    crossing: &'a Flow,
    /// The id of the flow that left.
    departure: &'a str,
}

impl Joints<'_> {
    /// Goes on with a path on the chain that its value came from, until it ends at a theft.
    pub(super) fn extend(&self, course: &Course, path: &mut Path) -> Result<(), Failure> {
        let mut course = course;
        loop {
            let Some(last) = path.steps.last_mut() else {
                return Ok(());
            };
            let arrival = flow_id(course, &last.output);
            let Some(joint) = self.joint(&arrival) else {
                last.seed = last.seed.take().map(|seed| self.seed(&arrival, seed));
                return Ok(());
            };
            let before = self.before(&joint, path.rule)?;
            let local = last.seed.take();
            last.arithmetic.extend(told(
                &joint,
                local.as_deref(),
                last,
                before.as_ref(),
                path.rule,
            ));
            let Some((from, before)) = before else {
                return Ok(());
            };
            path.steps.extend(before.steps);
            if path.steps.len() >= MOST_STEPS {
                return Ok(());
            }
            course = from;
        }
    }

    /// The crossing that brought a flow, where one did.
    fn joint(&self, arrival: &str) -> Option<Joint<'_>> {
        let report = self.report?;
        let crossings = report.findings.iter();
        let finding = crossings
            .filter(|finding| finding.heuristic.starts_with("cross."))
            .find(|finding| finding.evidence.iter().any(|id| id == arrival))?;
        let mut ids = finding.evidence.iter().map(String::as_str);
        let departure = ids.find(|id| *id != arrival && !id.starts_with("cross:"))?;
        let crossing = report
            .flows
            .iter()
            .find(|flow| flow.id.starts_with("cross:") && finding.evidence.contains(&flow.id))?;
        Some(Joint {
            finding,
            crossing,
            departure,
        })
    }

    /// The path to what left, on its own chain.
    fn before(&self, joint: &Joint<'_>, rule: Rule) -> Result<Option<(&Course, Path)>, Failure> {
        let chain = joint.departure.split(':').next().unwrap_or_default();
        let Some(course) = self.courses.iter().find(|one| one.chain().name() == chain) else {
            return Ok(None);
        };
        let (paths, _) = match course {
            Course::Outputs(trace, _) => outputs(trace, joint.departure)?,
            Course::Accounts(trace) => accounts::paths(trace, joint.departure)?,
        };
        let path = paths.into_iter().find(|path| path.rule == rule);
        Ok(path.map(|path| (course, path)))
    }

    /// The report's name of a seed; each chain counts its own.
    fn seed(&self, flow: &str, local: String) -> String {
        let seeds = self.report.map_or(&[][..], |report| &report.seeds);
        let named = |seed: &&Seed| seed.flow.as_deref() == Some(flow);
        seeds
            .iter()
            .find(named)
            .map_or(local, |seed| seed.id.clone())
    }
}

/// The id that a report gives to what a step takes.
fn flow_id(course: &Course, output: &str) -> String {
    match course {
        Course::Outputs(trace, _) => format!("{}:output:{output}", trace.plan().chain),
        Course::Accounts(_) => output.to_owned(),
    }
}

/// How the claims came over, in words and base units.
fn told(
    joint: &Joint<'_>,
    local: Option<&str>,
    arrival: &Step,
    before: Option<&(&Course, Path)>,
    rule: Rule,
) -> Vec<String> {
    let mut lines = vec![joint.finding.summary.clone()];
    if let Some((_, left)) = before {
        lines.push(share(arrival, left));
    } else {
        lines.push(format!(
            "what left is not explained here: {}",
            joint.departure
        ));
    }
    let claims = joint.crossing.claims.get(&rule).into_iter().flatten();
    let claims: Vec<String> = claims
        .map(|(seed, claim)| format!("{claim} base units of {seed}"))
        .collect();
    if !claims.is_empty() {
        lines.push(format!("it carries the claims {}", claims.join(", ")));
    }
    lines.extend(local.map(|seed| format!("the sums on this chain call it {seed}")));
    lines
}

/// The sum of the share, where one departure was paid in one arrival; else that others share in it.
fn share(arrival: &Step, left: &Path) -> String {
    let share = arrival.amount.mul_div(left.tainted, left.amount);
    if share == Ok(arrival.tainted) {
        return format!(
            "of {} base units that left, {} were tainted; of {} that arrived, floor({2} * {1} / {0}) = {} are",
            left.amount, left.tainted, arrival.amount, arrival.tainted
        );
    }
    format!(
        "of {} base units that arrived, {} are tainted: several payments share in what left",
        arrival.amount, arrival.tainted
    )
}
