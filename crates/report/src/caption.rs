//! Short names of nodes for drawings.

use crate::model::Node;
use crate::visible::clipped;

const LONGEST_PART: usize = 20;
const LONGEST_LABEL: usize = 40;

/// Shortens an address or hash to its first and last 8 characters.
///
/// Both ends are kept because addresses that share their first or their last characters are made on purpose.
pub(crate) fn abbreviated(text: &str) -> String {
    let length = text.chars().take(1_000).count();
    if length <= LONGEST_PART {
        return clipped(text, LONGEST_PART);
    }
    let first: String = text.chars().take(8).collect();
    let last: Vec<char> = text.chars().rev().take(8).collect();
    let last: String = last.into_iter().rev().collect();
    clipped(&format!("{first}…{last}"), LONGEST_PART)
}

/// A node id without its chain, each part shortened: `output:975ec405…e52754e4:0`.
pub(crate) fn short_id(node: &Node) -> String {
    let id = node
        .id
        .strip_prefix(&node.chain)
        .and_then(|rest| rest.strip_prefix(':'));
    let parts = id.unwrap_or(&node.id).split(':').take(4);
    parts.map(abbreviated).collect::<Vec<_>>().join(":")
}

/// The lines that name a node in a drawing: label, address, id, stop.
pub(crate) fn lines(node: &Node) -> Vec<String> {
    let mut lines = Vec::new();
    lines.extend(
        node.labels
            .first()
            .map(|label| clipped(&label.label, LONGEST_LABEL)),
    );
    lines.extend(node.address.as_deref().map(abbreviated));
    lines.push(short_id(node));
    lines.extend(node.stop.as_ref().map(|stop| match &stop.entity {
        Some(entity) => {
            let entity = clipped(entity, LONGEST_LABEL);
            format!("stop: {} {entity}", stop.kind.name())
        }
        None => format!("stop: {}", stop.kind.name()),
    }));
    lines
}
