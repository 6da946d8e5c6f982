//! The same address more than once in a transaction.

use std::collections::BTreeMap;

use bitcoin::Script;

use crate::{Confidence, Finding};

use super::view::{TxView, name};
use crate::verdict::Verdict;

/// How many addresses are named; the others are counted.
const NAMED: usize = 20;

/// Says which addresses a transaction spends from or pays more than once.
///
/// It is a fact of the chain that they are the same; who owns them is not said.
pub fn address_reuse(tx: &TxView<'_>) -> Option<Finding> {
    let mut seen = BTreeMap::<&Script, (usize, usize)>::new();
    for coin in tx.inputs.iter().filter_map(|input| input.coin) {
        seen.entry(coin.script).or_default().0 += 1;
    }
    for coin in tx.outputs.iter().filter(|coin| !coin.script.is_op_return()) {
        seen.entry(coin.script).or_default().1 += 1;
    }
    seen.retain(|_, (spent, paid)| *spent + *paid > 1);
    if seen.is_empty() {
        return None;
    }
    let of =
        |holds: fn(&(usize, usize)) -> bool| seen.values().filter(|times| holds(times)).count();
    let verdict = Verdict::new("btc.address-reuse", Confidence::Certain)
        .count("addresses", seen.len())
        .count(
            "spent-and-paid",
            of(|(spent, paid)| *spent > 0 && *paid > 0),
        )
        .count("spent-several-times", of(|(spent, _)| *spent > 1))
        .count("paid-several-times", of(|(_, paid)| *paid > 1))
        .with(
            "named",
            seen.keys()
                .take(NAMED)
                .map(|script| name(tx.chain, script))
                .collect::<Vec<_>>(),
        );
    let addresses = match seen.len() {
        1 => "an address".to_owned(),
        more => format!("{more} addresses"),
    };
    let summary = format!("{} names {addresses} more than once", tx.txid);
    let again = tx.outputs_with(|coin| seen.contains_key(coin.script));
    Some(verdict.about(tx, again, summary))
}
