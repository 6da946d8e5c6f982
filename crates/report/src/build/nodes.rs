//! The nodes of a report: every pool that a flow names, with what is known of it and why its trail ended.

use std::collections::{BTreeMap, BTreeSet};

use hansel_graph::{Direction, Ending, FlowIx, PoolIx, Trace};
use hansel_ledger::{Gap, NodeId, Placement};

use super::address;
use super::endings::Endings;
use super::flows::destination;
use crate::model::{Flow, Node, NodeCoverage, NodeGap, NodeKind, Stop, StopKind, Timestamp};

/// Orders nodes: height, depth in the block, id.
type Key = (u64, u32, String);

pub(super) fn list(trace: &Trace, endings: &Endings, flows: &[Flow]) -> Vec<Node> {
    let named: BTreeSet<&str> = flows
        .iter()
        .flat_map(|flow| [&*flow.from, &*flow.to])
        .collect();
    let chain = &trace.plan().chain;
    let mut listed: BTreeMap<Key, Node> = BTreeMap::new();
    for pool in trace.graph().pools() {
        let id = String::from(NodeId::transaction(chain, &trace.graph().pool(pool).txid));
        if named.contains(&*id) || trace.graph().pool(pool).visited {
            let (height, depth) = trace.graph().order(pool);
            listed.insert(
                (height, depth, id.clone()),
                transaction(trace, endings, pool, id),
            );
        }
    }
    for flow in trace.graph().flows() {
        let id = String::from(NodeId::output(chain, &trace.graph().outpoint(flow)));
        if named.contains(&*id) && String::from(destination(trace, endings, flow)) == id {
            let (height, depth) = trace.graph().order(trace.graph().flow(flow).creator);
            listed.insert(
                (height, depth, id.clone()),
                output(trace, endings, flow, id),
            );
        }
    }
    let fees = String::from(NodeId::fees(chain));
    if named.contains(&*fees) {
        listed.insert(
            (u64::MAX, u32::MAX, fees.clone()),
            taken_by_miners(trace, fees),
        );
    }
    listed.into_values().collect()
}

fn transaction(trace: &Trace, endings: &Endings, pool: PoolIx, id: String) -> Node {
    let view = trace.graph().pool(pool);
    let unknown = view
        .inputs
        .iter()
        .filter(|flow| trace.graph().flow(**flow).value.is_none())
        .count();
    let inputs_unknown = Gap::InputsUnknown {
        inputs: u32::try_from(unknown).unwrap_or(u32::MAX),
    };
    let unplaced = match view.placement {
        Placement::Confirmed(_) => None,
        Placement::Unconfirmed => Some(Gap::Unconfirmed),
        Placement::Unknown => Some(Gap::BlockUnknown),
    };
    let gaps = unplaced
        .into_iter()
        .chain((unknown > 0).then_some(inputs_unknown.clone()))
        .filter(|_| view.visited);
    let lost = ending_here(trace, endings, pool);
    let stuck = trace.settlement().is_stuck(pool);
    let through = view
        .placement
        .height()
        .and_then(|_| trace.plan().as_of)
        .map(|block| block.height);
    Node {
        id,
        kind: NodeKind::Transaction,
        chain: trace.plan().chain.name().to_owned(),
        address: None,
        block: view.placement.height(),
        time: view.placement.block().map(|block| Timestamp(block.time)),
        labels: Vec::new(),
        holdings: Vec::new(),
        coverage: view.visited.then_some(NodeCoverage {
            complete_through: through,
        }),
        gaps: gaps
            .chain(lost.and_then(gap))
            .map(|gap| NodeGap::from(&gap))
            .collect(),
        stop: stuck
            .then(|| Stop::new(StopKind::Failed, inputs_unknown.to_string()))
            .or_else(|| lost.and_then(reason)),
    }
}

/// The ending that is this transaction's: of what pours into a place where trails end, and in a backward trace of
/// the outputs that it created.
fn ending_here<'a>(trace: &Trace, endings: &'a Endings, pool: PoolIx) -> Option<&'a Ending> {
    let view = trace.graph().pool(pool);
    match trace.plan().direction {
        Direction::Forward => {
            let mut poured = view.inputs.iter().filter_map(|flow| endings.get(*flow));
            poured.find(
                |ending| matches!(ending, Ending::Venue { at: Some(at), .. } if *at == view.txid),
            )
        }
        Direction::Backward => {
            let outputs = view.outputs.iter();
            outputs
                .filter_map(|flow| endings.get(*flow))
                .find(|ending| **ending != Ending::MovedOn)
        }
    }
}

fn output(trace: &Trace, endings: &Endings, flow: FlowIx, id: String) -> Node {
    let view = trace.graph().flow(flow);
    let placement = trace.graph().pool(view.creator).placement;
    let ending = endings.get(flow);
    let as_of = trace.plan().as_of.map(|block| block.height);
    let known = matches!(
        ending,
        Some(Ending::AtRest | Ending::UnconfirmedSpend { .. })
    );
    Node {
        id,
        kind: NodeKind::Output,
        chain: trace.plan().chain.name().to_owned(),
        address: view
            .script
            .and_then(|script| address(&trace.plan().chain, script)),
        block: placement.height(),
        time: placement.block().map(|block| Timestamp(block.time)),
        labels: Vec::new(),
        holdings: Vec::new(),
        coverage: ending.map(|_| NodeCoverage {
            complete_through: as_of.filter(|_| known),
        }),
        gaps: ending.and_then(gap).iter().map(NodeGap::from).collect(),
        stop: ending.and_then(reason),
    }
}

fn taken_by_miners(trace: &Trace, id: String) -> Node {
    Node {
        id,
        kind: NodeKind::Account,
        chain: trace.plan().chain.name().to_owned(),
        address: None,
        block: None,
        time: None,
        labels: Vec::new(),
        holdings: Vec::new(),
        coverage: None,
        gaps: Vec::new(),
        stop: Some(Stop::new(
            StopKind::Fees,
            "transaction fees are counted, not followed to the miner",
        )),
    }
}

fn gap(ending: &Ending) -> Option<Gap> {
    match ending {
        Ending::UnconfirmedSpend { by } => Some(Gap::UnconfirmedSpend { by: *by }),
        Ending::Failed { gap, .. } => Some(gap.clone()),
        Ending::MovedOn
        | Ending::AtRest
        | Ending::Origin
        | Ending::Bridge { .. }
        | Ending::Venue { .. }
        | Ending::Burned
        | Ending::BelowThreshold
        | Ending::Limit { .. } => None,
    }
}

fn reason(ending: &Ending) -> Option<Stop> {
    Some(match ending {
        Ending::MovedOn => return None,
        Ending::AtRest => Stop::new(
            StopKind::AtRest,
            "not spent in any block up to the height of this report",
        ),
        Ending::UnconfirmedSpend { by } => Stop::new(
            StopKind::AtRest,
            format!("not spent in any block yet; {by} in the mempool spends it"),
        ),
        Ending::Origin => Stop::new(StopKind::Origin, "newly mined coins"),
        Ending::Venue { venue, .. } => Stop::from(&**venue),
        Ending::Bridge { reason } => Stop::new(StopKind::BridgeUnresolved, reason.clone()),
        Ending::Burned => Stop::new(StopKind::Burned, "this output can never be spent"),
        Ending::BelowThreshold => Stop::new(
            StopKind::BelowThreshold,
            "smaller than the limits ask to follow",
        ),
        Ending::Limit {
            limit,
            next: Some(next),
        } => Stop::new(
            StopKind::Limit,
            format!(
                "not followed because of the limit `{limit}`; said to be linked to {next}, which was not visited"
            ),
        ),
        Ending::Limit { limit, next: None } => Stop::new(
            StopKind::Limit,
            format!("not followed because of the limit `{limit}`"),
        ),
        Ending::Failed {
            gap,
            next: Some(next),
        } => Stop::new(StopKind::Failed, format!("lost at {next}: {gap}")),
        Ending::Failed { gap, next: None } => Stop::new(StopKind::Failed, gap.to_string()),
    })
}
