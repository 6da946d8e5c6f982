//! What is not known, grouped by kind.

use std::collections::{BTreeMap, BTreeSet};

use super::{LONGEST, Page, counted};
use crate::visible::clipped;

/// The longest detail that is shown whole.
const LONGEST_DETAIL: usize = 500;

/// How many subjects of one kind are named.
const NAMED: usize = 3;

pub(super) fn section(page: &Page<'_>) -> String {
    let mut text = "What is not known\n".to_owned();
    let groups = groups(page);
    if groups.is_empty() {
        text += "  nothing that was asked for is missing\n";
    }
    for (kind, gaps) in groups {
        if gaps.len() > 1 {
            text += &page.wrapped(
                &format!("{}: {}", clipped(kind, LONGEST), counted(gaps.len(), "gap")),
                2,
            );
        }
        let indent = if gaps.len() > 1 { 4 } else { 2 };
        for (subject, detail) in gaps.iter().take(NAMED) {
            let (subject, detail) = (clipped(subject, LONGEST), clipped(detail, LONGEST_DETAIL));
            text += &page.wrapped(&format!("{subject}: {detail}"), indent);
        }
        if gaps.len() > NAMED {
            text += &page.wrapped(
                &format!(
                    "and {} more like these",
                    crate::units::grouped(&(gaps.len() - NAMED).to_string())
                ),
                indent,
            );
        }
    }
    text
}

/// Every gap once by kind, whether the report lists it for itself, for a node, or both.
pub(crate) fn groups<'a>(page: &Page<'a>) -> BTreeMap<&'a str, BTreeSet<(&'a str, &'a str)>> {
    let mut groups: BTreeMap<&str, BTreeSet<(&str, &str)>> = BTreeMap::new();
    for unknown in &page.report.unknown {
        groups
            .entry(&unknown.kind)
            .or_default()
            .insert((&unknown.subject, &unknown.detail));
    }
    for node in &page.report.nodes {
        for gap in &node.gaps {
            groups
                .entry(&gap.kind)
                .or_default()
                .insert((&node.id, &gap.detail));
        }
    }
    groups
}
