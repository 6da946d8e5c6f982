//! Value that reached a bridge which only labels know: nothing that is read says where it goes.

use std::collections::{BTreeMap, BTreeSet};

use alloy_primitives::B256;
use hansel_graph::{
    AccountEnding, AccountStep, AccountTrace, Category, Direction, Ending, PoolKey, Trace,
    TraceError, Venue,
};
use hansel_ledger::{Amount, AmountError, NodeId, TransferId};

use super::leaving::{strand_taints, taint_of};
use super::{Carrier, Certainty, Departure, Leaving, Link, Payee, Place, Protocol};

/// Tainted value that reached an account which labels call a bridge, except by the flows that are known to cross.
pub fn labelled_accounts(
    trace: &AccountTrace,
    known: &BTreeSet<TransferId>,
) -> Result<Vec<Leaving>, TraceError> {
    let chain = &trace.plan().chain;
    let mut bridges = BTreeMap::new();
    for pool in trace.settlement().pools() {
        if let AccountEnding::Venue(venue) = trace.ending(&pool)
            && venue.category == Category::Bridges
        {
            bridges.insert(pool.key, venue);
        }
    }
    let times: BTreeMap<B256, _> = trace
        .facts()
        .transactions()
        .map(|tx| (tx.hash, tx.placement.block.time))
        .collect();
    let mut all = Vec::new();
    for flow in trace.settlement().flows() {
        let AccountStep::Movement {
            origin,
            to,
            coin,
            amount,
            ..
        } = flow.step
        else {
            continue;
        };
        let id = TransferId::movement(chain, &flow.hash, origin);
        let key = PoolKey { account: to, coin };
        let (Some(venue), Some(time)) = (bridges.get(&key), times.get(&flow.hash)) else {
            continue;
        };
        if known.contains(&id) {
            continue;
        }
        let taints = trace.settlement().rules();
        let taints = taints.map(|rule| Ok((rule, taint_of(&flow, rule, amount)?)));
        let taints: BTreeMap<_, _> = taints.collect::<Result<_, AmountError>>()?;
        if taints.values().all(|taint| taint.tainted.is_zero()) {
            continue;
        }
        let carrier = Carrier::Movement {
            origin: origin.clone(),
            to,
            coin,
        };
        all.push(Leaving {
            departure: unlinked(&id, carrier, amount, venue),
            tx: flow.hash.to_string(),
            time: *time,
            node: NodeId::account(chain, &to),
            flow: id,
            category: Category::Bridges,
            taints,
            entity: Some(venue.entity.clone()),
        });
    }
    Ok(all)
}

/// Tainted outputs that pay a bridge which only labels know, except those that are known to cross.
pub fn labelled_outputs(
    trace: &Trace,
    known: &BTreeSet<TransferId>,
) -> Result<Vec<Leaving>, TraceError> {
    let chain = &trace.plan().chain;
    let graph = trace.graph();
    let mut all = Vec::new();
    if trace.plan().direction == Direction::Backward {
        return Ok(all);
    }
    for pool in graph.pools() {
        let seen = graph.pool(pool);
        let Some(block) = seen.placement.block() else {
            continue;
        };
        for ix in seen.outputs {
            let flow = graph.flow(*ix);
            let Some(Ending::Venue { venue, at: None }) = trace.ending(*ix)? else {
                continue;
            };
            let outpoint = bitcoin::OutPoint {
                txid: seen.txid,
                vout: flow.vout,
            };
            let id = TransferId::output(chain, &outpoint);
            let Some(value) = flow.value else { continue };
            if venue.category != Category::Bridges || known.contains(&id) {
                continue;
            }
            let carrier = Carrier::Output(flow.vout);
            all.push(Leaving {
                departure: unlinked(&id, carrier, value.into(), &venue),
                tx: seen.txid.to_string(),
                time: block.time,
                node: NodeId::output(chain, &outpoint),
                flow: id,
                category: Category::Bridges,
                taints: strand_taints(trace, *ix)?,
                entity: Some(venue.entity.clone()),
            });
        }
    }
    Ok(all)
}

/// What is known of value that a labelled bridge took: nothing of where it goes.
fn unlinked(id: &TransferId, carrier: Carrier, amount: Amount, venue: &Venue) -> Departure {
    Departure {
        protocol: Protocol::Unlinked,
        link: Link(id.to_string()),
        carrier: Some(carrier),
        amount,
        place: Place::Elsewhere("a chain that is not known".into()),
        payee: Payee::Unknown,
        refund_to: Vec::new(),
        payee_binds: false,
        asset: None,
        brings: None,
        least: None,
        only_said: false,
        certainty: Certainty::Consistent,
        searches: Vec::new(),
        parked: Some(format!(
            "a bridge took it: {}",
            super::place::printable(&venue.entity)
        )),
    }
}
