//! The flows of a report: what poured into and out of every visited transaction, in the order of execution.

use std::collections::{BTreeMap, BTreeSet};

use bitcoin::{OutPoint, Txid};
use hansel_graph::{Ending, FlowIx, PoolIx, Rule, Strand, Trace};
use hansel_ledger::{Amount, NodeId, TransferId};

use super::endings::Endings;
use super::{address, claims, tainted};
use crate::model::{Flow, FlowKind, Pool, Proof, Shared, Sorted, Timestamp};

/// Orders flows: height, depth in the block, transaction, output (the fee last).
type Key = (u64, u32, Txid, u32);

pub(super) fn list(trace: &Trace, endings: &Endings) -> Vec<Flow> {
    let mut listed: BTreeMap<Key, Flow> = BTreeMap::new();
    let graph = trace.graph();
    let mut texts = Pool::default();
    for (pool, flows) in touching(trace) {
        let payers = payers(trace, pool);
        for flow in flows {
            if let Some(row) = output(trace, endings, flow, &payers) {
                listed.insert(key(trace, flow), texts.share(row));
            }
        }
        if let Some(row) = fee(trace, pool, payers) {
            let (height, depth) = graph.order(pool);
            listed.insert(
                (height, depth, graph.pool(pool).txid, u32::MAX),
                texts.share(row),
            );
        }
    }
    listed.into_values().collect()
}

/// What poured into or out of a visited transaction, by the transaction that created it; every visited
/// transaction is listed, for its fee.
fn touching(trace: &Trace) -> BTreeMap<PoolIx, BTreeSet<FlowIx>> {
    let graph = trace.graph();
    let mut touching: BTreeMap<PoolIx, BTreeSet<FlowIx>> = BTreeMap::new();
    for pool in graph.pools().filter(|pool| graph.pool(*pool).visited) {
        let view = graph.pool(pool);
        touching.entry(pool).or_default().extend(view.outputs);
        for flow in view.inputs {
            let creator = graph.flow(*flow).creator;
            touching.entry(creator).or_default().insert(*flow);
        }
    }
    touching
}

/// The node that a flow pours into: its visited spender, or the output itself.
pub(super) fn destination(trace: &Trace, endings: &Endings, flow: FlowIx) -> NodeId {
    let chain = &trace.plan().chain;
    let graph = trace.graph();
    let stays = matches!(
        endings.get(flow),
        Some(Ending::Burned | Ending::Bridge { .. } | Ending::Venue { at: None, .. })
    );
    match graph.flow(flow).spender.filter(|_| !stays) {
        Some(spender) => NodeId::transaction(chain, &graph.pool(spender).txid),
        None => NodeId::output(chain, &graph.outpoint(flow)),
    }
}

fn key(trace: &Trace, flow: FlowIx) -> Key {
    let OutPoint { txid, vout } = trace.graph().outpoint(flow);
    let (height, depth) = trace.graph().order(trace.graph().flow(flow).creator);
    (height, depth, txid, vout)
}

fn output(trace: &Trace, endings: &Endings, flow: FlowIx, payers: &[Shared]) -> Option<Flow> {
    let chain = &trace.plan().chain;
    let view = trace.graph().flow(flow);
    let creator = trace.graph().pool(view.creator);
    let strands = |rule: Rule| trace.settlement().strands(rule, flow);
    let (taints, claimed) = by_rule(trace, strands);
    Some(Flow {
        id: TransferId::output(chain, &trace.graph().outpoint(flow)).into(),
        chain: chain.name().into(),
        tx: creator.txid.to_string(),
        block: creator.placement.height(),
        time: creator.placement.block().map(|block| Timestamp(block.time)),
        from: NodeId::transaction(chain, &creator.txid).into(),
        to: destination(trace, endings, flow).into(),
        from_addresses: payers.to_vec(),
        to_address: view
            .script
            .and_then(|script| Some(address(chain, script)?.into())),
        asset: chain.native().symbol.into(),
        amount: view.value?.into(),
        tainted: taints,
        claims: claimed,
        proof: Proof::None,
        kind: FlowKind::Transfer,
    })
}

fn fee(trace: &Trace, pool: PoolIx, payers: Vec<Shared>) -> Option<Flow> {
    let chain = &trace.plan().chain;
    let view = trace.graph().pool(pool);
    let amount = trace.graph().fee(pool).filter(|fee| *fee > 0)?;
    let (taints, claimed) = by_rule(trace, |rule| trace.settlement().fee_strands(rule, pool));
    Some(Flow {
        id: TransferId::fee(chain, &view.txid).into(),
        chain: chain.name().into(),
        tx: view.txid.to_string(),
        block: view.placement.height(),
        time: view.placement.block().map(|block| Timestamp(block.time)),
        from: NodeId::transaction(chain, &view.txid).into(),
        to: NodeId::fees(chain).into(),
        from_addresses: payers,
        to_address: None,
        asset: chain.native().symbol.into(),
        amount: amount.into(),
        tainted: taints,
        claims: claimed,
        proof: Proof::None,
        kind: FlowKind::Fee,
    })
}

type ByRule = (Sorted<Rule, Amount>, Sorted<Rule, Sorted<Shared, Amount>>);

fn by_rule<'a>(trace: &'a Trace, strands: impl Fn(Rule) -> &'a [Strand<u64>]) -> ByRule {
    let rules = || trace.settlement().rules();
    let claimed = rules().map(|rule| (rule, claims(rule, strands(rule))));
    let claimed = claimed.filter(|(_, claims)| !claims.is_empty()).collect();
    (
        rules().map(|rule| (rule, tainted(strands(rule)))).collect(),
        claimed,
    )
}

/// The addresses whose outputs a transaction spends, each once, in the order of the inputs.
fn payers(trace: &Trace, pool: PoolIx) -> Vec<Shared> {
    let mut seen = BTreeSet::new();
    let scripts = trace
        .graph()
        .pool(pool)
        .inputs
        .iter()
        .filter_map(|flow| trace.graph().flow(*flow).script);
    let addresses = scripts.filter_map(|script| address(&trace.plan().chain, script));
    let addresses = addresses.map(Shared::from);
    addresses
        .filter(|address| seen.insert(address.clone()))
        .collect()
}
