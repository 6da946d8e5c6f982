//! Value that enters and leaves Railgun, a pool in which payments cannot be seen.

use alloy_primitives::{Address, address};
use hansel_ledger::topics::{RAILGUN_OLD_SHIELD, RAILGUN_SHIELD, RAILGUN_UNSHIELD};
use hansel_ledger::{Event, Movement};

use crate::crossing::abi::Words;
use crate::verdict::Verdict;
use crate::{Confidence, Finding};

use super::mixing::depositor;
use super::transaction::EvmView;

/// The contract on Ethereum. Source: three independent repositories of other tools.
const MAINNET: Address = address!("FA7093CDD9EE6932B4eb2c9e1cde7CE00B1FA4b9");

/// A finding for each entry and exit of a transaction.
pub(super) fn findings(view: &EvmView<'_>) -> Vec<Finding> {
    let events = view.tx.events.iter();
    let known = events.filter_map(|event| Some((event, confidence(view, &event.address)?)));
    let found = known.filter_map(|(event, confidence)| match event.form() {
        RAILGUN_SHIELD | RAILGUN_OLD_SHIELD => entry(view, event, confidence),
        RAILGUN_UNSHIELD => exit(view, event, confidence),
        _ => None,
    });
    found.collect()
}

/// How sure it is that a contract is Railgun's; `None` where nobody says so.
fn confidence(view: &EvmView<'_>, contract: &Address) -> Option<Confidence> {
    let on_mainnet = view
        .chain
        .evm()
        .is_some_and(|network| network.chain_id == 1);
    let known = on_mainnet && *contract == MAINNET || view.is_mixer(contract);
    known.then_some(Confidence::Strong)
}

fn entry(view: &EvmView<'_>, event: &Event, confidence: Confidence) -> Option<Finding> {
    let paid: Vec<&Movement> = view.paid_to(event.address).collect();
    if paid.is_empty() {
        return None;
    }
    let from = depositor(view.tx, event.address);
    let amounts = paid
        .iter()
        .map(|movement| format!("{} of {}", movement.amount, movement.coin));
    let verdict = Verdict::new("evm.railgun.entry", confidence)
        .with("contract", event.address.to_string())
        .with("depositor", from.to_string())
        .with("amounts", amounts.collect::<Vec<_>>());
    let evidence = paid.iter().map(|movement| view.id(movement)).collect();
    let summary = format!("{from} shields value in Railgun, where payments cannot be seen");
    Some(verdict.finding(vec![view.node(&from)], evidence, summary))
}

/// Reads `Unshield(to, (type, token, number), amount, fee)`.
fn exit(view: &EvmView<'_>, event: &Event, confidence: Confidence) -> Option<Finding> {
    let words = Words::of(event);
    let (to, amount, fee) = (words.address(0)?, words.amount(4)?, words.amount(5)?);
    let paid: Vec<&Movement> = view
        .paid_by(event.address)
        .filter(|movement| movement.to == to && movement.amount == amount)
        .collect();
    if paid.is_empty() {
        return None;
    }
    let verdict = Verdict::new("evm.railgun.exit", confidence)
        .with("contract", event.address.to_string())
        .with("recipient", to.to_string())
        .amount("amount", amount)
        .amount("fee", fee);
    let evidence = paid.iter().map(|movement| view.id(movement)).collect();
    let summary = format!("{to} takes value out of Railgun");
    Some(verdict.finding(vec![view.node(&to)], evidence, summary))
}
