//! Who is said to own a script.

use crate::{EntityKind, Label};

use super::GraphView;

/// The labels of exchanges for an address; empty where nobody calls it an exchange's.
pub(super) fn exchange_labels(view: &GraphView<'_>, address: &str) -> Vec<Label> {
    let labels = view.labels.lookup(view.chain.name(), address).into_iter();
    labels
        .filter(|label| label.kind == EntityKind::Exchange)
        .collect()
}

/// The entity that a label names: its actor, else its own words.
pub(super) fn entity(label: &Label) -> &str {
    label.actor.as_deref().unwrap_or(&label.label)
}
