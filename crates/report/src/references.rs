//! Checks that the flows of a report name nodes that it lists.

use std::collections::BTreeSet;

use crate::Report;
use crate::format::FormatError;
use crate::visible::clipped;

const LONGEST: usize = 200;

/// Graph readers invent nodes that an edge names and nobody lists; a report must not rely on that.
pub(crate) fn check(report: &Report) -> Result<(), FormatError> {
    let mut listed = BTreeSet::new();
    for node in &report.nodes {
        if !listed.insert(&*node.id) {
            return Err(FormatError::RepeatedNode(clipped(&node.id, LONGEST)));
        }
    }
    for flow in &report.flows {
        let missing = [&*flow.from, &*flow.to]
            .into_iter()
            .find(|node| !listed.contains(node));
        if let Some(node) = missing {
            let (flow, node) = (clipped(&flow.id, LONGEST), clipped(node, LONGEST));
            return Err(FormatError::UnlistedNode { flow, node });
        }
    }
    Ok(())
}
