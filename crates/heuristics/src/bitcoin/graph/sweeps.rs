//! Sweeps of deposits: many addresses emptied at once into one that is said to be an exchange's.

use std::collections::BTreeSet;

use bitcoin::Script;
use hansel_graph::PoolIx;

use crate::bitcoin::coinjoin::coinjoin;
use crate::bitcoin::view::{TxView, name};
use crate::verdict::Verdict;
use crate::{Confidence, Finding, Label};

use super::GraphView;
use super::labelled::{entity, exchange_labels};

/// How many addresses are emptied at least. Ours.
const DEPOSITS: usize = 5;

/// From how many on one customer of the exchange is an unlikely owner. Ours.
const MANY: usize = 20;

/// A finding for each sweep.
pub(super) fn findings(
    view: &GraphView<'_>,
    transactions: &[(PoolIx, TxView<'_>)],
) -> Vec<Finding> {
    transactions
        .iter()
        .filter_map(|(_, tx)| finding(view, tx))
        .collect()
}

/// Says that a transaction empties many addresses into an exchange's, so that they are its deposit addresses.
fn finding(view: &GraphView<'_>, tx: &TxView<'_>) -> Option<Finding> {
    let [output] = tx.outputs.as_slice() else {
        return None;
    };
    let coins = tx.coins_in().filter(|coins| coins.len() >= DEPOSITS)?;
    let deposits: BTreeSet<&Script> = coins.iter().map(|coin| coin.script).collect();
    if deposits.len() < DEPOSITS || deposits.contains(output.script) || coinjoin(tx).is_some() {
        return None;
    }
    let labels = exchange_labels(view, &name(view.chain, output.script));
    let entities: BTreeSet<&str> = labels.iter().map(entity).collect();
    let entity = *entities.first()?;
    // Sources that contradict each other leave the exchange open.
    let clear = entities.len() == 1 && deposits.len() >= MANY;
    let confidence = if clear {
        Confidence::Strong
    } else {
        Confidence::Weak
    };
    let swept = coins
        .iter()
        .map(|coin| coin.value)
        .fold(0, u64::saturating_add);
    let sources: BTreeSet<String> = labels
        .iter()
        .map(|label: &Label| label.source.clone())
        .collect();
    let evidence = tx
        .inputs
        .iter()
        .map(|input| hansel_ledger::TransferId::output(tx.chain, &input.previous).into());
    let summary = format!(
        "{} sweeps {} addresses into one of {entity}",
        tx.txid,
        deposits.len()
    );
    let verdict = Verdict::new("btc.exchange-deposit-sweep", confidence)
        .count("deposit-addresses", deposits.len())
        .count("least-deposit-addresses", DEPOSITS)
        .satoshi("swept", swept)
        .with(
            "exchanges",
            entities
                .iter()
                .map(|name| (*name).to_owned())
                .collect::<Vec<_>>(),
        )
        .with("label-sources", sources.into_iter().collect::<Vec<_>>());
    Some(verdict.finding(vec![tx.node()], evidence.collect(), summary))
}
