//! The nodes of a report by id, and the check that its flows name no others.

use std::collections::HashMap;

use crate::Report;
use crate::format::FormatError;
use crate::visible::clipped;

const LONGEST: usize = 200;

/// The place of each node among the nodes of a report. It is asked, never listed: it has no order.
pub(crate) struct Numbers<'a>(HashMap<&'a str, usize>);

impl<'a> Numbers<'a> {
    pub(crate) fn of(report: &'a Report) -> Self {
        let ids = report.nodes.iter().map(|node| &*node.id);
        Self(ids.zip(0..).collect())
    }

    /// The number of a node; of a report whose ids repeat, the last one's.
    pub(crate) fn get(&self, id: &str) -> Option<usize> {
        self.0.get(id).copied()
    }
}

/// Graph readers invent nodes that an edge names and nobody lists; a report must not rely on that.
pub(crate) fn check(report: &Report) -> Result<(), FormatError> {
    let numbers = Numbers::of(report);
    for (number, node) in report.nodes.iter().enumerate() {
        if numbers.get(&node.id) != Some(number) {
            return Err(FormatError::RepeatedNode(clipped(&node.id, LONGEST)));
        }
    }
    for flow in &report.flows {
        let missing = [&*flow.from, &*flow.to]
            .into_iter()
            .find(|node| numbers.get(node).is_none());
        if let Some(node) = missing {
            let (flow, node) = (clipped(&flow.id, LONGEST), clipped(node, LONGEST));
            return Err(FormatError::UnlistedNode { flow, node });
        }
    }
    Ok(())
}
