//! Value that enters and leaves Privacy Pools. No source tells their contracts, so that labels must name them.

use hansel_ledger::topics::{PRIVACY_POOLS_DEPOSITED, PRIVACY_POOLS_WITHDRAWN};
use hansel_ledger::{Event, Movement};

use crate::crossing::abi::{Words, address, topic};
use crate::verdict::Verdict;
use crate::{Confidence, Finding};

use super::transaction::EvmView;

/// A finding for each deposit and withdrawal of a transaction with a contract that a label calls a mixer.
pub(super) fn findings(view: &EvmView<'_>) -> Vec<Finding> {
    let events = view.tx.events.iter();
    let found = events.filter_map(|event| match event.form() {
        PRIVACY_POOLS_DEPOSITED => entry(view, event),
        PRIVACY_POOLS_WITHDRAWN => exit(view, event),
        _ => None,
    });
    found.collect()
}

/// Reads `Deposited(depositor, commitment, label, value, hash)`.
fn entry(view: &EvmView<'_>, event: &Event) -> Option<Finding> {
    let from = topic(event, 1).and_then(address)?;
    let value = Words::of(event).amount(2)?;
    let paid: Vec<&Movement> = view.paid_to(event.address).collect();
    if paid.is_empty() || !view.is_mixer(&event.address) {
        return None;
    }
    let verdict = Verdict::new("evm.privacy-pools.entry", Confidence::Strong)
        .with("contract", event.address.to_string())
        .with("depositor", from.to_string())
        .amount("value-after-fee", value);
    let evidence = paid.iter().map(|movement| view.id(movement)).collect();
    let summary = format!("{from} deposits into Privacy Pools");
    Some(verdict.finding(vec![view.node(&from)], evidence, summary))
}

/// Reads `Withdrawn(processor, value, nullifier, commitment)`. It does not name the recipient: whoever is paid does.
fn exit(view: &EvmView<'_>, event: &Event) -> Option<Finding> {
    let value = Words::of(event).amount(0)?;
    let paid: Vec<&Movement> = view.paid_by(event.address).collect();
    if paid.is_empty() || !view.is_mixer(&event.address) {
        return None;
    }
    let verdict = Verdict::new("evm.privacy-pools.exit", Confidence::Strong)
        .with("contract", event.address.to_string())
        .amount("value", value);
    let nodes = paid
        .iter()
        .map(|movement| view.node(&movement.to))
        .collect();
    let evidence = paid.iter().map(|movement| view.id(movement)).collect();
    let summary = format!("{} accounts are paid out of Privacy Pools", paid.len());
    Some(verdict.finding(nodes, evidence, summary))
}
