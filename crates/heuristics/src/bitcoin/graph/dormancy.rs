//! Coins that lie still for long, and coins that move again.

use hansel_graph::{FlowIx, PoolIx};

use crate::bitcoin::view::TxView;
use crate::verdict::Verdict;
use crate::{Confidence, Finding};

use super::GraphView;

/// What is long: 365 days in seconds. Ours.
const LONG: u64 = 365 * DAY;
const DAY: u64 = 86_400;

/// A finding for each transaction that wakes coins, and for each output known to be unspent for long.
pub(super) fn findings(
    view: &GraphView<'_>,
    transactions: &[(PoolIx, TxView<'_>)],
) -> Vec<Finding> {
    let woken = transactions
        .iter()
        .filter_map(|(pool, tx)| waking(view, *pool, tx));
    let asleep = view.unspent.iter().filter_map(|flow| dormant(view, *flow));
    woken.chain(asleep).collect()
}

/// Says that a transaction spends coins that lay still for long.
fn waking(view: &GraphView<'_>, pool: PoolIx, tx: &TxView<'_>) -> Option<Finding> {
    let time = tx.time?;
    let flows = view.graph.pool(pool).inputs.iter();
    let slept = flows.filter_map(|flow| {
        let age = time.checked_sub(born(view, *flow)?)?;
        (age >= LONG).then_some((age, *flow))
    });
    let slept: Vec<(u64, FlowIx)> = slept.collect();
    let (longest, _) = slept.iter().max()?;
    let value = slept
        .iter()
        .filter_map(|(_, flow)| view.graph.flow(*flow).value)
        .fold(0, u64::saturating_add);
    let days = longest / DAY;
    let verdict = Verdict::new("btc.waking", Confidence::Certain)
        .with("days", days)
        .with("least-days", LONG / DAY)
        .count("coins", slept.len())
        .satoshi("value", value);
    let evidence = slept
        .iter()
        .map(|(_, flow)| super::flow_id(view, *flow))
        .collect();
    let in_bitcoin = bitcoin::Amount::from_sat(value);
    let summary = format!(
        "{} moves {in_bitcoin} that lay still for up to {days} days",
        tx.txid
    );
    Some(verdict.finding(vec![tx.node()], evidence, summary))
}

/// Says that an output lies still for long.
fn dormant(view: &GraphView<'_>, flow: FlowIx) -> Option<Finding> {
    let age = view.now?.checked_sub(born(view, flow)?)?;
    let value = view.graph.flow(flow).value?;
    if age < LONG || value == 0 {
        return None;
    }
    let (id, days) = (super::flow_id(view, flow), age / DAY);
    let verdict = Verdict::new("btc.dormant", Confidence::Certain)
        .with("days", days)
        .with("least-days", LONG / DAY)
        .satoshi("value", value);
    let in_bitcoin = bitcoin::Amount::from_sat(value);
    let summary = format!(
        "{in_bitcoin} lies still for {days} days in {}",
        view.graph.outpoint(flow)
    );
    Some(verdict.finding(vec![id.clone()], vec![id], summary))
}

/// When an output was made, where its transaction's block is known.
fn born(view: &GraphView<'_>, flow: FlowIx) -> Option<u64> {
    let creator = view.graph.pool(view.graph.flow(flow).creator);
    creator.placement.block().map(|block| block.time.0)
}
