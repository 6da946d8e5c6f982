//! Peel chains: one coin pays small amounts, one transaction after the other, and what is left moves on.

use hansel_graph::{FlowIx, PoolIx};
use hansel_ledger::is_unspendable;

use crate::bitcoin::change::change_of;
use crate::bitcoin::coinjoin::coinjoin;
use crate::bitcoin::view::TxView;
use crate::verdict::Verdict;
use crate::{Confidence, Finding};

use super::GraphView;

/// How many hops make a chain. Source: am-i-exposed.
const HOPS: usize = 2;

/// A chain of payments out of one coin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PeelChain {
    /// The hops, in the order in which they were paid.
    pub hops: Vec<PeelHop>,
}

/// One transaction of a peel chain. Amounts are in satoshi.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PeelHop {
    /// The transaction.
    pub txid: bitcoin::Txid,
    /// What it spent.
    pub spent: u64,
    /// What it peeled off.
    pub peel: u64,
    /// What moved on.
    pub change: u64,
    /// What the miners got; `spent` is the sum of this, the peel, the change and what was burned.
    pub fee: u64,
    /// The height of its block, where it is known.
    pub height: Option<u64>,
    /// The time of its block in seconds since 1970, where it is known.
    pub time: Option<u64>,
    /// The tests that chose the output that moved on; `larger-output` always, as the definition asks for it.
    pub chosen_by: Vec<&'static str>,
    /// The tests that chose the other output.
    pub against: Vec<&'static str>,
    /// The flow that was peeled off.
    pub peeled: FlowIx,
    /// The flow that moved on.
    pub moved_on: FlowIx,
}

impl PeelChain {
    /// All that was peeled off, in satoshi.
    pub fn peeled(&self) -> u64 {
        self.hops
            .iter()
            .map(|hop| hop.peel)
            .fold(0, u64::saturating_add)
    }
}

/// The peel chains of a graph, each as long as the graph shows it, in the order of their first transactions' ids.
///
/// A hop spends one coin and has two outputs that can be spent; the smaller is worth at most half of the
/// larger, and the next hop spends the larger. Source: BlockSci for the shape, am-i-exposed for the halves.
pub fn peel_chains(view: &GraphView<'_>) -> Vec<PeelChain> {
    let starts = view.graph.pools().filter(|pool| starts_chain(view, *pool));
    let mut chains: Vec<PeelChain> = starts
        .map(|start| PeelChain {
            hops: hops(view, start),
        })
        .filter(|chain| chain.hops.len() >= HOPS)
        .collect();
    chains.sort_by_key(|chain| chain.hops[0].txid);
    chains
}

/// True where no hop moves on into this one.
fn starts_chain(view: &GraphView<'_>, pool: PoolIx) -> bool {
    let Some(parts) = parts(view, pool) else {
        return false;
    };
    let before = view.graph.flow(parts.spent).creator;
    self::parts(view, before).is_none_or(|before| before.moved_on != parts.spent)
}

fn hops(view: &GraphView<'_>, start: PoolIx) -> Vec<PeelHop> {
    let (mut hops, mut next) = (Vec::new(), Some(start));
    while let Some((pool, parts)) = next.and_then(|pool| Some((pool, parts(view, pool)?))) {
        let Some(hop) = hop(view, pool, &parts) else {
            break;
        };
        next = view.graph.flow(parts.moved_on).spender;
        hops.push(hop);
    }
    hops
}

/// The flows of a hop.
struct Parts {
    spent: FlowIx,
    peeled: FlowIx,
    moved_on: FlowIx,
}

/// The flows of a transaction that has the shape of a hop.
fn parts(view: &GraphView<'_>, pool: PoolIx) -> Option<Parts> {
    let pool = view.graph.pool(pool);
    let ([spent], true) = (pool.inputs, pool.visited) else {
        return None;
    };
    let spendable = |flow: &&FlowIx| {
        view.graph
            .flow(**flow)
            .script
            .is_some_and(|script| !is_unspendable(script))
    };
    let mut outputs = pool.outputs.iter().filter(spendable);
    let (one, other) = (*outputs.next()?, *outputs.next()?);
    if outputs.next().is_some() {
        return None;
    }
    let value = |flow| view.graph.flow(flow).value;
    let (peeled, moved_on) = if value(one)? < value(other)? {
        (one, other)
    } else {
        (other, one)
    };
    let halves = value(peeled)?.checked_mul(2)? <= value(moved_on)?;
    halves.then_some(Parts {
        spent: *spent,
        peeled,
        moved_on,
    })
}

fn hop(view: &GraphView<'_>, pool: PoolIx, parts: &Parts) -> Option<PeelHop> {
    let tx = TxView::of_pool(view.chain, view.graph, pool)?;
    if coinjoin(&tx).is_some() {
        return None;
    }
    let Parts {
        spent,
        peeled,
        moved_on,
    } = *parts;
    let value = |flow| view.graph.flow(flow).value;
    let change = change_of(&tx);
    let output = usize::try_from(view.graph.flow(moved_on).vout).ok()?;
    let (mut chosen_by, against) = match change {
        Some(change) if change.output == output => (change.chosen_by, change.against),
        Some(change) => (change.against, change.chosen_by),
        None => (Vec::new(), Vec::new()),
    };
    chosen_by.push("larger-output");
    Some(PeelHop {
        txid: tx.txid,
        spent: value(spent)?,
        peel: value(peeled)?,
        change: value(moved_on)?,
        fee: view.graph.fee(pool)?,
        height: tx.height,
        time: tx.time,
        chosen_by,
        against,
        peeled,
        moved_on,
    })
}

/// A finding for each chain.
pub(super) fn findings(view: &GraphView<'_>) -> Vec<Finding> {
    peel_chains(view)
        .iter()
        .map(|chain| finding(view, chain))
        .collect()
}

/// Strong where at every hop another test than the size chose what moves on, and none spoke against it.
fn finding(view: &GraphView<'_>, chain: &PeelChain) -> Finding {
    let agreed = |hop: &PeelHop| hop.chosen_by.len() >= 2 && hop.against.is_empty();
    let strong = chain.hops.iter().all(agreed);
    let confidence = if strong {
        Confidence::Strong
    } else {
        Confidence::Weak
    };
    let rows: Vec<String> = chain.hops.iter().map(row).collect();
    let (count, peeled) = (chain.hops.len(), chain.peeled());
    let first = chain.hops[0].txid;
    let subjects = chain
        .hops
        .iter()
        .map(|hop| hansel_ledger::NodeId::transaction(view.chain, &hop.txid).into());
    let evidence = chain.hops.iter().flat_map(|hop| [hop.peeled, hop.moved_on]);
    let evidence = evidence.map(|flow| super::flow_id(view, flow));
    Verdict::new("btc.peel-chain", confidence)
        .count("hops", count)
        .count("least-hops", HOPS)
        .satoshi("peeled", peeled)
        .with("table", rows)
        .finding(
            subjects.collect(),
            evidence.collect(),
            format!(
                "from {first} on, {count} transactions peel off {}",
                bitcoin::Amount::from_sat(peeled)
            ),
        )
}

/// A line of the hop table.
fn row(hop: &PeelHop) -> String {
    let time = hop.time.map_or_else(
        || "unknown".to_owned(),
        |time| hansel_ledger::UnixTime(time).to_string(),
    );
    format!(
        "{} in {} peel {} change {} fee {} time {time} chosen by {}",
        hop.txid,
        hop.spent,
        hop.peel,
        hop.change,
        hop.fee,
        hop.chosen_by.join("+")
    )
}
