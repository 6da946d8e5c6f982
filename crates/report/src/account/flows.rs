//! The flows of an EVM chain: every tainted movement and every fee paid from tainted value, in chain order.

use std::collections::{BTreeMap, BTreeSet};

use alloy_primitives::{Address, B256};
use hansel_graph::{AccountFlow, AccountStep, AccountTrace, Rule};
use hansel_ledger::{Amount, Coin, NodeId, Origin, TransferId};

use super::{claims, name, tainted};
use crate::model::{Flow, FlowKind, Pool, Proof, Shared, Sorted, Timestamp};

pub(super) fn list(trace: &AccountTrace) -> Vec<Flow> {
    let received = received(trace);
    let flows = trace.settlement().flows();
    let mut pool = Pool::default();
    flows
        .map(|flow| match flow.step {
            AccountStep::Movement { .. } => movement(trace, &flow, &received),
            AccountStep::Gas { .. } => gas(trace, &flow),
        })
        .map(|flow| pool.share(flow))
        .collect()
}

/// The coins in which each account received taint in each transaction.
type Received = BTreeMap<(B256, Address), BTreeSet<Coin>>;

fn received(trace: &AccountTrace) -> Received {
    let mut received = Received::new();
    for flow in trace.settlement().flows() {
        if let AccountStep::Movement { to, coin, .. } = flow.step {
            received.entry((flow.hash, to)).or_default().insert(coin);
        }
    }
    received
}

fn movement(trace: &AccountTrace, flow: &AccountFlow<'_>, received: &Received) -> Flow {
    let AccountStep::Movement {
        origin,
        from,
        to,
        coin,
        amount,
    } = flow.step
    else {
        return gas(trace, flow);
    };
    let chain = &trace.plan().chain;
    let proof = match origin {
        Origin::Call(path) if path.len() > 1 => Proof::Trace,
        Origin::Call(_)
        | Origin::Log(_)
        | Origin::Withdrawal(_)
        | Origin::Unexplained
        | Origin::Tips(_) => Proof::None,
    };
    // Whoever received taint in this transaction, and none of it in this coin, turned it into this coin.
    let coins = from.and_then(|from| received.get(&(flow.hash, from)));
    let converted = coins.is_some_and(|coins| !coins.contains(&coin));
    let payer = from.map_or_else(
        || NodeId::unknown(chain),
        |from| NodeId::account(chain, &from),
    );
    Flow {
        id: TransferId::movement(chain, &flow.hash, origin).into(),
        from: payer.into(),
        to: NodeId::account(chain, &to).into(),
        from_addresses: from.iter().map(|from| from.to_string().into()).collect(),
        to_address: Some(to.to_string().into()),
        asset: name(chain, coin).into(),
        amount,
        proof,
        kind: if converted {
            FlowKind::Conversion
        } else {
            FlowKind::Transfer
        },
        ..blank(trace, flow)
    }
}

fn gas(trace: &AccountTrace, flow: &AccountFlow<'_>) -> Flow {
    let chain = &trace.plan().chain;
    let (sender, amount) = match flow.step {
        AccountStep::Gas { sender, amount } => (sender, amount),
        AccountStep::Movement { to, amount, .. } => (to, amount),
    };
    Flow {
        id: TransferId::gas(chain, &flow.hash).into(),
        from: NodeId::account(chain, &sender).into(),
        to: NodeId::fees(chain).into(),
        from_addresses: vec![sender.to_string().into()],
        asset: name(chain, Coin::Native).into(),
        amount,
        kind: FlowKind::Fee,
        ..blank(trace, flow)
    }
}

/// What every flow of a transaction has in common, and the taint.
fn blank(trace: &AccountTrace, flow: &AccountFlow<'_>) -> Flow {
    let rules: Vec<Rule> = trace.settlement().rules().collect();
    let claimed: Sorted<Rule, Sorted<Shared, Amount>> = rules
        .iter()
        .map(|rule| (*rule, claims(*rule, flow.parcels(*rule))))
        .filter(|(_, claims)| !claims.is_empty())
        .collect();
    let taints = rules
        .iter()
        .map(|rule| (*rule, tainted(flow.parcels(*rule))));
    Flow {
        id: String::new(),
        chain: trace.plan().chain.name().into(),
        tx: flow.hash.to_string(),
        block: Some(flow.placement.block.height),
        time: Some(Timestamp(flow.placement.block.time)),
        from: Shared::default(),
        to: Shared::default(),
        from_addresses: Vec::new(),
        to_address: None,
        asset: Shared::default(),
        amount: Amount::ZERO,
        tainted: taints.collect(),
        claims: claimed,
        proof: Proof::None,
        kind: FlowKind::Transfer,
    }
}
