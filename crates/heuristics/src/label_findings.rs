//! What labels say about the addresses of a trace that a reader must not miss.

use std::collections::BTreeMap;

use hansel_ledger::UnixTime;

use crate::{Confidence, EntityKind, Finding, Label, Labels, Parameter};

/// A node of a report that has an address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Named {
    /// The node's id.
    pub node: String,
    /// The chain's name.
    pub chain: String,
    /// The address in the chain's own notation.
    pub address: String,
    /// When value arrived there first, where that is known.
    pub time: Option<UnixTime>,
}

/// Names parties, labels that contradict each other, and labels that are younger than what they speak of; sorted.
///
/// What is said of an address is said once, of all its nodes. That the case `case` names a party is no finding in its
/// own report; that another case does is.
pub fn about_labels(nodes: &[Named], labels: &dyn Labels, case: &str) -> Vec<Finding> {
    let own = format!("case-{case}");
    let mut places: BTreeMap<(&str, &str), Place<'_>> = BTreeMap::new();
    for node in nodes {
        let place = places
            .entry((&node.chain, &node.address))
            .or_insert_with(|| Place {
                address: &node.address,
                nodes: Vec::new(),
                time: None,
            });
        place.nodes.push(node.node.clone());
        place.time = place.time.into_iter().chain(node.time).min();
    }
    let mut findings = Vec::new();
    for ((chain, address), mut place) in places {
        place.nodes.sort();
        let found = labels.lookup(chain, address);
        findings.extend(party(&place, &found, &own));
        findings.extend(conflict(&place, &found));
        findings.extend(hindsight(&place, &found));
    }
    findings.sort();
    findings
}

/// An address with its nodes, and when value arrived there first.
struct Place<'a> {
    address: &'a str,
    nodes: Vec<String>,
    time: Option<UnixTime>,
}

fn party(node: &Place<'_>, labels: &[Label], own: &str) -> Option<Finding> {
    let actors = labels
        .iter()
        .filter(|label| label.kind == EntityKind::Actor && label.pack != own);
    let said = said(actors);
    let summary = format!("{} is called a party: {}", node.address, said.join("; "));
    (!said.is_empty()).then(|| finding("label.party", node, said, summary))
}

/// Labels of different kinds that would end a trail differently.
fn conflict(node: &Place<'_>, labels: &[Label]) -> Option<Finding> {
    let ending = || labels.iter().filter(|label| label.kind.ends_trails());
    let first = ending().next()?;
    let said = said(ending());
    let summary = format!(
        "sources contradict each other about {}: {}; the first decided about the trail",
        node.address,
        said.join("; ")
    );
    ending()
        .any(|label| label.kind != first.kind)
        .then(|| finding("label.conflict", node, said, summary))
}

fn hindsight(node: &Place<'_>, labels: &[Label]) -> Option<Finding> {
    let time = node.time?;
    let late = labels
        .iter()
        .filter(|label| label.is_hindsight(time) == Some(true));
    let said = said(late);
    let summary = format!(
        "value reached {} at {time}, before it was labelled: {}",
        node.address,
        said.join("; ")
    );
    (!said.is_empty()).then(|| finding("label.hindsight", node, said, summary))
}

fn said<'a>(labels: impl Iterator<Item = &'a Label>) -> Vec<String> {
    let said = labels.map(|label| {
        let since = label.as_of.as_deref();
        let since = since.map(|day| format!(" since {day}")).unwrap_or_default();
        format!(
            "{} `{}` by {}{since}",
            label.kind.name(),
            label.label,
            label.source
        )
    });
    said.collect()
}

fn finding(
    heuristic: &'static str,
    node: &Place<'_>,
    said: Vec<String>,
    summary: String,
) -> Finding {
    Finding {
        heuristic,
        subjects: node.nodes.clone(),
        confidence: Confidence::Weak,
        evidence: Vec::new(),
        parameters: [("labels", Parameter::List(said))].into(),
        error_rate: None,
        summary,
    }
}
