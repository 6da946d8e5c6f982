//! How a movement between accounts came to be tainted: back along the movements that brought most.

use std::collections::BTreeMap;

use hansel_graph::{AccountFlow, AccountTrace, Rule};
use hansel_ledger::{Amount, Subject};
use hansel_report::model::{Flow, Report};
use hansel_report::{Heading, build_accounts};

use super::balance::Balances;
use super::{MOST_OUTPUTS, MOST_STEPS, Path, Step};
use crate::failure::Failure;

/// The paths to everything tainted that a text names, and how many more there are.
pub(super) fn paths(trace: &AccountTrace, text: &str) -> Result<(Vec<Path>, usize), Failure> {
    let report = build_accounts(trace, Heading::default())?.report;
    let named = named(trace, &report, text)?;
    let left_out = named.len().saturating_sub(MOST_OUTPUTS);
    let trail = Trail::of(&report);
    let mut paths = Vec::new();
    for position in named.into_iter().take(MOST_OUTPUTS) {
        for rule in trace.settlement().rules() {
            if !tainted(&report.flows[position], rule).is_zero() {
                paths.push(trail.path(position, rule));
            }
        }
    }
    add_balances(trace, &mut paths)?;
    let paths = paths.into_iter().map(|(path, _)| path).collect();
    Ok((paths, left_out))
}

/// Adds to every step but the thefts what happened to the payer's balance.
fn add_balances(trace: &AccountTrace, paths: &mut [(Path, Vec<usize>)]) -> Result<(), Failure> {
    // A report lists the flows of its settlement one by one.
    let flows: Vec<AccountFlow<'_>> = trace.settlement().flows().collect();
    let wanted = paths.iter().flat_map(|(_, positions)| positions);
    let wanted = wanted.filter_map(|position| flows.get(*position));
    let balances = Balances::of(trace, wanted)?;
    for (path, positions) in paths {
        for (step, position) in path.steps.iter_mut().zip(positions) {
            let Some(flow) = flows.get(*position).filter(|_| step.seed.is_none()) else {
                continue;
            };
            match balances.before(flow, path.rule) {
                Ok(balance) => step.balance = Some(balance),
                Err(why) => step.arithmetic.push(why),
            }
        }
    }
    Ok(())
}

/// The positions of the flows that a text names: one flow, a transaction's, or those to an account.
fn named(trace: &AccountTrace, report: &Report, text: &str) -> Result<Vec<usize>, Failure> {
    let chain = &trace.plan().chain;
    let bare = text
        .strip_prefix(&*format!("{chain}:account:"))
        .unwrap_or(text);
    let exact = |flow: &Flow| flow.id == text;
    if let Some(position) = report.flows.iter().position(exact) {
        return Ok(vec![position]);
    }
    let subject = Subject::parse(bare, chain).map_err(|error| {
        Failure::usage(
            error,
            "name a transaction hash, an address, or the id of a flow or account in the report",
        )
    })?;
    let names = |flow: &Flow| match &subject {
        Subject::EvmTransaction(hash) => flow.tx == hash.to_string(),
        Subject::EvmMovement { hash, origin } => {
            let id = hansel_ledger::TransferId::movement(chain, hash, origin);
            flow.id == id.as_str()
        }
        Subject::Account(address) => flow.to_address == Some(address.to_string().into()),
        Subject::Transaction(_) | Subject::Output(_) | Subject::Script { .. } => false,
    };
    let flows = report.flows.iter().enumerate();
    Ok(flows
        .filter(|(_, flow)| names(flow))
        .map(|(position, _)| position)
        .collect())
}

/// The flows of a report by the account that they pay.
struct Trail<'a> {
    report: &'a Report,
    paying: BTreeMap<&'a str, Vec<usize>>,
    seeds: BTreeMap<&'a str, &'a str>,
}

impl<'a> Trail<'a> {
    fn of(report: &'a Report) -> Self {
        let mut paying: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
        for (position, flow) in report.flows.iter().enumerate() {
            paying.entry(&flow.to).or_default().push(position);
        }
        let seeds = report
            .seeds
            .iter()
            .filter_map(|seed| Some((seed.flow.as_deref()?, &*seed.id)));
        Self {
            report,
            paying,
            seeds: seeds.collect(),
        }
    }

    /// A path, and the positions of the flows that its steps are.
    fn path(&self, position: usize, rule: Rule) -> (Path, Vec<usize>) {
        let flow = &self.report.flows[position];
        let (mut steps, mut positions) = (Vec::new(), Vec::new());
        let mut next = Some(position);
        while let Some(position) = next.filter(|_| steps.len() < MOST_STEPS) {
            let before = self.before(position, rule);
            steps.push(self.step(position, rule, &before));
            positions.push(position);
            next = before.first().copied();
        }
        let path = Path {
            output: flow.id.clone(),
            address: flow.to_address.clone().map(String::from),
            asset: flow.asset.to_string(),
            amount: flow.amount,
            rule,
            tainted: tainted(flow, rule),
            steps,
        };
        (path, positions)
    }

    /// The earlier tainted flows to the account that paid, largest claim first; none before a seed.
    ///
    /// Flows are in chain order, so what came before stands before.
    fn before(&self, position: usize, rule: Rule) -> Vec<usize> {
        let flow = &self.report.flows[position];
        if self.seeds.contains_key(&*flow.id) {
            return Vec::new();
        }
        let paying = self.paying.get(&*flow.from).map_or(&[][..], Vec::as_slice);
        let same = |earlier: &Flow| earlier.asset == flow.asset || earlier.tx == flow.tx;
        let mut before: Vec<usize> = paying
            .iter()
            .copied()
            .take_while(|earlier| *earlier < position)
            .filter(|earlier| same(&self.report.flows[*earlier]))
            .filter(|earlier| !tainted(&self.report.flows[*earlier], rule).is_zero())
            .collect();
        before.sort_by_key(|earlier| {
            let flow = &self.report.flows[*earlier];
            (std::cmp::Reverse(claimed(flow, rule)), *earlier)
        });
        before
    }

    fn step(&self, position: usize, rule: Rule, before: &[usize]) -> Step {
        let flow = &self.report.flows[position];
        let mut arithmetic = vec![format!("from {} to {}", flow.from, flow.to)];
        if before.len() > 1 {
            arithmetic.push(format!(
                "{} earlier movements brought taint to the payer; only the one with the largest claim is shown above",
                before.len()
            ));
        }
        let claims = flow.claims.get(&rule).into_iter().flatten();
        let claims: Vec<String> = claims
            .map(|(seed, claim)| format!("{claim} base units of {seed}"))
            .collect();
        if !claims.is_empty() {
            arithmetic.push(format!("it carries the claims {}", claims.join(", ")));
        }
        Step {
            tx: flow.tx.clone(),
            block: flow.block,
            time: flow.time.map(|time| time.to_string()),
            output: flow.id.clone(),
            asset: flow.asset.to_string(),
            amount: flow.amount,
            tainted: tainted(flow, rule),
            seed: self.seeds.get(&*flow.id).map(ToString::to_string),
            arithmetic,
            balance: None,
        }
    }
}

fn tainted(flow: &Flow, rule: Rule) -> Amount {
    flow.tainted.get(&rule).copied().unwrap_or_default()
}

fn claimed(flow: &Flow, rule: Rule) -> Amount {
    let claims = flow.claims.get(&rule).into_iter().flatten();
    Amount::checked_sum(claims.map(|(_, claim)| *claim)).unwrap_or_default()
}
