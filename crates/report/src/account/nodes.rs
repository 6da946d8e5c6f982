//! The accounts of a report: what they hold, what is known of them, and why their trails ended.

use std::collections::{BTreeMap, BTreeSet};

use alloy_primitives::Address;
use hansel_graph::{AccountEnding, AccountTrace, Rule};
use hansel_ledger::{Amount, AmountError, Gap, NodeId};

use super::{End, claims, name, tainted};
use crate::build::BuildError;
use crate::model::{
    Flow, Node, NodeCoverage, NodeGap, NodeHolding, NodeKind, Sorted, Stop, StopKind, Timestamp,
};

pub(super) fn list(
    trace: &AccountTrace,
    ends: &[End<'_>],
    flows: &[Flow],
) -> Result<Vec<Node>, BuildError> {
    let chain = &trace.plan().chain;
    let mut by_account: BTreeMap<Address, Vec<&End<'_>>> = BTreeMap::new();
    for end in ends {
        by_account
            .entry(end.pool.key.account)
            .or_default()
            .push(end);
    }
    let first = first_seen(flows);
    let mut listed: BTreeMap<(u64, String), Node> = BTreeMap::new();
    let mut seen = BTreeSet::new();
    for (account, ends) in &by_account {
        let id = String::from(NodeId::account(chain, account));
        let (block, time) = first.get(&*id).copied().unwrap_or_default();
        seen.insert(id.clone());
        let node = account_node(trace, &id, account, ends, (block, time))?;
        listed.insert((block.unwrap_or(u64::MAX), id), node);
    }
    for (id, (block, time)) in &first {
        if !seen.contains(*id) {
            let node = passed(trace, id, *block, *time);
            listed.insert((block.unwrap_or(u64::MAX), (*id).to_owned()), node);
        }
    }
    Ok(listed.into_values().collect())
}

type Moment = (Option<u64>, Option<Timestamp>);

/// The block in which each node first appears in a flow.
fn first_seen(flows: &[Flow]) -> BTreeMap<&str, Moment> {
    let mut first = BTreeMap::new();
    for flow in flows {
        for id in [&*flow.from, &*flow.to] {
            first.entry(id).or_insert((flow.block, flow.time));
        }
    }
    first
}

fn account_node(
    trace: &AccountTrace,
    id: &str,
    account: &Address,
    ends: &[&End<'_>],
    (block, time): Moment,
) -> Result<Node, BuildError> {
    let held = holdings(trace, ends)?;
    let gaps: BTreeSet<NodeGap> = ends
        .iter()
        .flat_map(|end| {
            let coin = name(&trace.plan().chain, end.pool.key.coin);
            let gaps = trace.gaps(&end.pool).into_iter();
            gaps.map(move |gap| in_coin(&coin, &gap))
        })
        .collect();
    let covered = |end: &&End<'_>| {
        let settled = matches!(end.ending, AccountEnding::AtRest);
        settled.then_some(trace.plan().as_of.height)
    };
    let through = ends.iter().map(covered).collect::<Option<Vec<u64>>>();
    Ok(Node {
        id: id.to_owned(),
        kind: NodeKind::Account,
        chain: trace.plan().chain.name().to_owned(),
        address: Some(account.to_string()),
        block,
        time,
        labels: Vec::new(),
        coverage: Some(NodeCoverage {
            complete_through: through.and_then(|through| through.into_iter().min()),
        }),
        gaps: gaps.into_iter().collect(),
        stop: stop(trace, ends, &held),
        holdings: held.into_iter().flatten().collect(),
    })
}

/// What each pool holds; `None` where every rule let all of it move on.
fn holdings(
    trace: &AccountTrace,
    ends: &[&End<'_>],
) -> Result<Vec<Option<NodeHolding>>, BuildError> {
    let held = ends.iter().map(|end| holding(trace, end));
    Ok(held.collect::<Result<_, AmountError>>()?)
}

fn in_coin(coin: &str, gap: &Gap) -> NodeGap {
    NodeGap {
        detail: format!("{coin}: {gap}"),
        ..NodeGap::from(gap)
    }
}

fn holding(trace: &AccountTrace, end: &End<'_>) -> Result<Option<NodeHolding>, AmountError> {
    let mut left = BTreeMap::new();
    for rule in trace.settlement().rules() {
        left.insert(rule, end.pool.residual(rule)?);
    }
    let amounts: Sorted<Rule, Amount> = left
        .iter()
        .map(|(rule, parcels)| (*rule, tainted(parcels)))
        .collect();
    let claims: Sorted<_, _> = left
        .iter()
        .map(|(rule, parcels)| (*rule, claims(*rule, parcels)))
        .filter(|(_, claims)| !claims.is_empty())
        .collect();
    let holds = amounts.values().any(|amount| !amount.is_zero()) || !claims.is_empty();
    Ok(holds.then(|| NodeHolding {
        asset: name(&trace.plan().chain, end.pool.key.coin),
        tainted: amounts,
        claims,
        since_block: end.pool.since.height,
    }))
}

/// Why the trail ends here: the reason of the pools that still hold something, all of them named.
fn stop(trace: &AccountTrace, ends: &[&End<'_>], held: &[Option<NodeHolding>]) -> Option<Stop> {
    let holding = ends
        .iter()
        .zip(held)
        .filter(|(_, held)| held.is_some())
        .map(|(end, _)| {
            let coin = name(&trace.plan().chain, end.pool.key.coin);
            (coin, reason(&end.ending))
        });
    let reasons: Vec<(String, Stop)> = holding.collect();
    let (_, first) = reasons.first()?;
    if reasons.iter().all(|(_, reason)| reason == first) {
        return Some(first.clone());
    }
    let stops = reasons.iter().map(|(_, stop)| stop);
    let decisive = stops.max_by_key(|stop| precedence(stop.kind))?;
    let all: Vec<String> = reasons
        .iter()
        .map(|(coin, stop)| format!("{coin} {}", stop.reason))
        .collect();
    Some(Stop {
        reason: all.join("; "),
        ..decisive.clone()
    })
}

/// Which of several reasons stands for an account: what is open before what is settled.
fn precedence(kind: StopKind) -> u8 {
    match kind {
        StopKind::Failed => 5,
        StopKind::Limit => 4,
        StopKind::Hub
        | StopKind::Service
        | StopKind::Exchange
        | StopKind::Mixer
        | StopKind::BridgeUnresolved => 3,
        StopKind::AtRest => 2,
        StopKind::BelowThreshold => 1,
        StopKind::Burned | StopKind::Fees | StopKind::Origin => 0,
    }
}

fn reason(ending: &AccountEnding) -> Stop {
    let (kind, reason) = match ending {
        AccountEnding::AtRest => (
            StopKind::AtRest,
            "not moved in any block up to the height of this report".to_owned(),
        ),
        AccountEnding::Hub { bound } => (
            StopKind::Hub,
            format!("more than {bound} transfers: too busy to tell whose value leaves"),
        ),
        AccountEnding::Contract => (
            StopKind::Service,
            "a contract that the traced accounts did not create: value of others is in it too"
                .to_owned(),
        ),
        AccountEnding::Bridge { reason } => (StopKind::BridgeUnresolved, reason.clone()),
        AccountEnding::Venue(venue) => return Stop::from(&**venue),
        AccountEnding::Burned => (StopKind::Burned, "nobody can move it again".to_owned()),
        AccountEnding::BelowThreshold => (
            StopKind::BelowThreshold,
            "too small to follow under the limits in force".to_owned(),
        ),
        AccountEnding::Limit { limit } => (
            StopKind::Limit,
            format!("not followed because of the limit `{limit}`"),
        ),
        AccountEnding::Failed { gaps } => {
            let gaps: Vec<String> = gaps.iter().map(ToString::to_string).collect();
            (StopKind::Failed, gaps.join("; "))
        }
    };
    Stop::new(kind, reason)
}

/// An account that value only passed through, or the fees of the chain.
fn passed(trace: &AccountTrace, id: &str, block: Option<u64>, time: Option<Timestamp>) -> Node {
    let chain = &trace.plan().chain;
    let address = id.strip_prefix(&*format!("{chain}:account:"));
    let fees = address.is_none();
    let reason = "transaction fees are counted, not followed";
    let stop = fees.then(|| Stop::new(StopKind::Fees, reason));
    Node {
        id: id.to_owned(),
        kind: NodeKind::Account,
        chain: chain.name().to_owned(),
        address: address.map(ToOwned::to_owned),
        block: block.filter(|_| !fees),
        time: time.filter(|_| !fees),
        labels: Vec::new(),
        coverage: None,
        gaps: Vec::new(),
        holdings: Vec::new(),
        stop,
    }
}
