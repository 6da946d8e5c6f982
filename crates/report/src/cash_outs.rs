//! The table of cash-outs: what reached services that can freeze it, read off flows and stops.
//!
//! Every unit that arrived at such a service stands in exactly one row, so that the rows of an asset add up to what
//! the accounting says of it.

use std::collections::{BTreeMap, BTreeSet};

use hansel_graph::{Direction, Rule};
use hansel_heuristics::ethereum::{MOST_BLOCKS, MOST_KEPT};
use hansel_ledger::{Amount, AmountError};

use crate::Report;
use crate::model::{CashOut, Confidence, Flow, FlowKind, Node, NodeKind, Sorted, Stop, StopKind};

/// The detectors of customers' deposit addresses.
const DEPOSITS: [&str; 2] = ["evm.exchange-deposit", "btc.exchange-deposit-sweep"];

/// Lists the cash-outs of a report that has its flows and nodes, newest first.
pub(crate) fn list(report: &Report) -> Result<Vec<CashOut>, AmountError> {
    let mut rows = Vec::new();
    if report.case.direction == Direction::Backward {
        return Ok(rows);
    }
    let scene = Scene::of(report);
    for arrival in scene.arrivals() {
        match scene.sweep(&arrival) {
            Some(sweep) => rows.extend(swept(&arrival, &sweep)?),
            None => rows.push(direct(&arrival)),
        }
    }
    rows.retain(|row| row.tainted.values().any(|amount| !amount.is_zero()));
    rows.sort_by(|one, next| one.order().cmp(&next.order()));
    Ok(rows)
}

/// A service that somebody named, and that holds what reached it.
struct Service<'a> {
    node: &'a Node,
    stop: &'a Stop,
    entity: &'a str,
}

/// Tainted value that arrived at a service.
struct Arrival<'a> {
    /// Its place among the flows.
    number: usize,
    flow: &'a Flow,
    service: &'a Service<'a>,
}

/// The deposits that one payment to a service's own address moved on.
struct Sweep<'a> {
    deposits: Vec<&'a Flow>,
    confidence: Confidence,
}

/// A report by node.
struct Scene<'a> {
    report: &'a Report,
    services: BTreeMap<&'a str, Service<'a>>,
    nodes: BTreeMap<&'a str, &'a Node>,
    /// What each node received and gave, fees apart, by place among the flows.
    received: BTreeMap<&'a str, Vec<usize>>,
    given: BTreeMap<&'a str, Vec<usize>>,
    stolen: BTreeSet<String>,
    robbers: BTreeSet<(&'a str, &'a str)>,
    /// What a detector, which saw what is not tainted too, calls a customer's account or a sweep, by node.
    known: BTreeMap<&'a str, Confidence>,
}

impl<'a> Scene<'a> {
    fn of(report: &'a Report) -> Self {
        let mut scene = Self {
            report,
            services: BTreeMap::new(),
            nodes: BTreeMap::new(),
            received: BTreeMap::new(),
            given: BTreeMap::new(),
            stolen: BTreeSet::new(),
            robbers: BTreeSet::new(),
            known: known(report),
        };
        for node in &report.nodes {
            scene.nodes.insert(&node.id, node);
            if let Some(service) = service(node) {
                scene.services.insert(&node.id, service);
            }
        }
        for (number, flow) in report.flows.iter().enumerate() {
            if flow.kind != FlowKind::Fee {
                scene.received.entry(&flow.to).or_default().push(number);
                scene.given.entry(&flow.from).or_default().push(number);
            }
        }
        for seed in &report.seeds {
            let output = seed
                .vout
                .map(|vout| format!("{}:output:{}:{vout}", seed.chain, seed.tx));
            scene.stolen.extend(seed.flow.clone().or(output));
            let to = seed.to.as_deref();
            scene.robbers.extend(to.map(|to| (&*seed.chain, to)));
        }
        scene
    }

    fn arrivals(&self) -> impl Iterator<Item = Arrival<'_>> {
        let flows = self.report.flows.iter().enumerate();
        flows.filter_map(|(number, flow)| {
            let service = self.services.get(&*flow.to)?;
            (is_tainted(flow) && flow.kind != FlowKind::Fee).then_some(Arrival {
                number,
                flow,
                service,
            })
        })
    }

    /// The deposits behind a payment to a service's own address; `None` where the service was paid directly.
    ///
    /// Who gave everything that he gave to one service, and is not the thief as far as is known, is a customer's
    /// address that the service emptied.
    fn sweep(&self, arrival: &Arrival<'a>) -> Option<Sweep<'a>> {
        let payer = self.nodes.get(&*arrival.flow.from)?;
        let given = self.given.get(&*payer.id)?;
        let only = given.iter().all(|number| {
            let flow = &self.report.flows[*number];
            let service = self.services.get(&*flow.to);
            flow.amount.is_zero() || service.is_some_and(|one| one.entity == arrival.service.entity)
        });
        if !only {
            return None;
        }
        match payer.kind {
            NodeKind::Transaction => self.spent_together(payer),
            NodeKind::Account => self.moved_on(payer, arrival),
            NodeKind::Output => None,
        }
    }

    /// The tainted outputs that a transaction spent. A thief who pays out his purses spends them in the same way, so only
    /// the detector is sure.
    fn spent_together(&self, payer: &Node) -> Option<Sweep<'a>> {
        let spent = self.flows(self.received.get(&*payer.id)?);
        let deposits: Vec<&Flow> = spent.filter(|flow| is_tainted(flow)).collect();
        let known = |flow: &&Flow| flow.to_address.is_some() && !self.is_robber(flow);
        let all = !deposits.is_empty() && deposits.iter().all(known);
        all.then(|| Sweep {
            deposits,
            confidence: self.confidence(payer),
        })
    }

    /// What an account received before it paid the service: since it paid before, or ever where that is nothing.
    fn moved_on(&self, payer: &Node, arrival: &Arrival<'_>) -> Option<Sweep<'a>> {
        let address = payer.address.as_deref()?;
        if self.robbers.contains(&(&*payer.chain, address)) {
            return None;
        }
        let asset = &arrival.flow.asset;
        let before = |numbers: &[usize]| -> Vec<usize> {
            let same = numbers.iter().copied().filter(|number| {
                *number < arrival.number && self.report.flows[*number].asset == *asset
            });
            same.collect()
        };
        let paid = before(self.given.get(&*payer.id)?).last().copied();
        let received = before(self.received.get(&*payer.id)?);
        let new: Vec<usize> = received
            .iter()
            .copied()
            .filter(|number| Some(*number) > paid)
            .collect();
        let all = if new.is_empty() { received } else { new };
        let deposits: Vec<&Flow> = self.flows(&all).collect();
        let swept = is_sweep(&deposits, arrival.flow) || self.known.contains_key(&*payer.id);
        (swept && !deposits.is_empty()).then(|| Sweep {
            deposits,
            confidence: self.confidence(payer),
        })
    }

    /// What the shape alone says is weak.
    fn confidence(&self, payer: &Node) -> Confidence {
        let said = self.known.get(&*payer.id).copied();
        said.unwrap_or(Confidence::Weak)
    }

    fn flows<'b>(&'b self, numbers: &'b [usize]) -> impl Iterator<Item = &'a Flow> + 'b {
        numbers.iter().map(|number| &self.report.flows[*number])
    }

    fn is_robber(&self, flow: &Flow) -> bool {
        let address = flow.to_address.as_deref();
        self.stolen.contains(&flow.id)
            || address.is_some_and(|to| self.robbers.contains(&(&*flow.chain, to)))
    }
}

/// What the detectors of deposit addresses say, by node.
fn known(report: &Report) -> BTreeMap<&str, Confidence> {
    let mut known = BTreeMap::new();
    let findings = report.findings.iter();
    for finding in findings.filter(|finding| DEPOSITS.contains(&&*finding.heuristic)) {
        for node in &finding.subjects {
            known.insert(&**node, finding.confidence);
        }
    }
    known
}

/// True where a payment moves deposits on within the bounds of the detector's rule.
fn is_sweep(deposits: &[&Flow], paid: &Flow) -> bool {
    let last = deposits.last().and_then(|last| last.block);
    let Some(blocks) = paid
        .block
        .zip(last)
        .and_then(|(paid, last)| paid.checked_sub(last))
    else {
        return false;
    };
    let received = Amount::checked_sum(deposits.iter().map(|flow| flow.amount));
    let kept = received.map(|received| received.checked_sub(paid.amount).unwrap_or_default());
    let most = if is_native(paid) { MOST_KEPT } else { 0 };
    blocks <= MOST_BLOCKS && kept.is_ok_and(|kept| kept <= Amount::from(most))
}

/// True where the chain's own coin moved: on EVM chains that is what calls move.
fn is_native(paid: &Flow) -> bool {
    paid.id.starts_with(&format!("{}:call:", paid.chain))
}

fn service(node: &Node) -> Option<Service<'_>> {
    let stop = node.stop.as_ref()?;
    let freezes = matches!(stop.kind, StopKind::Exchange | StopKind::Service);
    let entity = stop.entity.as_deref().filter(|_| freezes)?;
    Some(Service { node, stop, entity })
}

fn is_tainted(flow: &Flow) -> bool {
    flow.tainted.values().any(|amount| !amount.is_zero())
}

fn direct(arrival: &Arrival<'_>) -> CashOut {
    let Arrival { flow, service, .. } = arrival;
    CashOut {
        entity: service.entity.to_owned(),
        category: service.stop.kind.name().to_owned(),
        chain: flow.chain.to_string(),
        deposit_address: address(arrival),
        service_address: None,
        tx: flow.tx.clone(),
        service_tx: None,
        time: flow.time,
        asset: flow.asset.to_string(),
        amount: flow.amount,
        tainted: flow.tainted.clone(),
        confidence: service.stop.confidence.unwrap_or(Confidence::Weak),
    }
}

fn address(arrival: &Arrival<'_>) -> String {
    let node = arrival.service.node;
    let known = node
        .address
        .as_deref()
        .or(arrival.flow.to_address.as_deref());
    known.unwrap_or(&node.id).to_owned()
}

/// One row for each deposit; what arrived is divided as they were tainted.
fn swept(arrival: &Arrival<'_>, sweep: &Sweep<'_>) -> Result<Vec<CashOut>, AmountError> {
    let whole = direct(arrival);
    let mut rows: Vec<CashOut> = sweep
        .deposits
        .iter()
        .map(|deposit| CashOut {
            deposit_address: deposit.to_address.clone().unwrap_or_default().to_string(),
            service_address: Some(whole.deposit_address.clone()),
            tx: deposit.tx.clone(),
            service_tx: Some(whole.tx.clone()),
            time: deposit.time,
            amount: deposit.amount,
            tainted: Sorted::default(),
            confidence: whole.confidence.min(sweep.confidence),
            ..whole.clone()
        })
        .collect();
    for (rule, tainted) in &whole.tainted {
        let weights: Vec<Amount> = sweep
            .deposits
            .iter()
            .map(|deposit| taint(deposit, *rule))
            .collect();
        for (row, part) in rows.iter_mut().zip(divided(*tainted, &weights)?) {
            row.tainted.insert(*rule, part);
        }
    }
    Ok(rows)
}

fn taint(flow: &Flow, rule: Rule) -> Amount {
    flow.tainted.get(&rule).copied().unwrap_or_default()
}

/// Divides an amount by weights, rounded down; the last takes the rest, so that no unit is lost.
fn divided(whole: Amount, weights: &[Amount]) -> Result<Vec<Amount>, AmountError> {
    // Only an invented token is worth more than 256 bits; then the last deposit stands for all.
    let sum = Amount::checked_sum(weights.iter().copied()).ok();
    let last = weights.iter().rposition(|weight| !weight.is_zero());
    let last = last.unwrap_or(weights.len().saturating_sub(1));
    let mut left = whole;
    let mut parts = Vec::with_capacity(weights.len());
    for (number, weight) in weights.iter().enumerate() {
        let part = if number == last {
            left
        } else {
            match sum.filter(|_| number < last) {
                Some(sum) => whole.mul_div(*weight, sum)?,
                None => Amount::ZERO,
            }
        };
        left = left.checked_sub(part)?;
        parts.push(part);
    }
    Ok(parts)
}
