//! Adds opinions to a report that was laid out: what others call its addresses, and what detectors found.

use hansel_heuristics::{Labels, Named, about_labels};
use hansel_ledger::{AmountError, UnixTime};

use crate::model::{Finding, Label, Node};
use crate::{Report, cash_outs};

/// Names the addresses of a report by `labels` and adds `findings`, with those that follow from the labels.
///
/// No amount and no end of a trail changes: where trails end was decided when the trace ran. The table of cash-outs is
/// read off anew, since a detector may know customers' addresses. Fails where amounts do not add up.
pub fn annotate(
    report: &mut Report,
    labels: &dyn Labels,
    findings: Vec<hansel_heuristics::Finding>,
) -> Result<(), AmountError> {
    for node in &mut report.nodes {
        name(node, labels);
    }
    let named: Vec<Named> = report.nodes.iter().filter_map(named).collect();
    let found = findings
        .into_iter()
        .chain(about_labels(&named, labels, &report.case.name));
    report.findings.extend(found.map(Finding::from));
    report.cash_outs = cash_outs::list(report)?;
    report.sort();
    Ok(())
}

fn name(node: &mut Node, labels: &dyn Labels) {
    let Some(address) = &node.address else { return };
    let time = node.time.map(|time| time.0);
    let found = labels.lookup(&node.chain, address).into_iter();
    node.labels = found.map(|label| shown(label, time)).collect();
}

fn shown(label: hansel_heuristics::Label, time: Option<UnixTime>) -> Label {
    let hindsight = time.and_then(|time| label.is_hindsight(time));
    let hansel_heuristics::Label {
        kind,
        label,
        actor,
        category: _,
        source,
        confidence,
        as_of,
        network: _,
        pack: _,
    } = label;
    Label {
        label,
        category: kind.name().to_owned(),
        source,
        confidence,
        as_of,
        actor,
        hindsight: hindsight == Some(true),
    }
}

fn named(node: &Node) -> Option<Named> {
    Some(Named {
        node: node.id.clone(),
        chain: node.chain.clone(),
        address: node.address.clone()?,
        time: node.time.map(|time| time.0),
    })
}
