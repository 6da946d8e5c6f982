//! Short names of nodes for drawings, which tell apart what the report tells apart.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use crate::Report;
use crate::model::Node;
use crate::visible::clipped;

const LONGEST_PART: usize = 20;
const LONGEST_LABEL: usize = 40;
/// How many characters of either end are shown.
const ENDS: usize = 8;
/// How many are shown at most, where others look like it: no address or hash is longer than both ends together.
const LONGEST_END: usize = 60;

/// The first and last characters of a text.
type Ends<'a> = (&'a str, &'a str);

/// How a report's addresses and hashes are shortened.
///
/// Both ends are kept because addresses that share their first or their last characters are made on purpose. Where
/// two of a report share both, more is shown of either, until they differ.
pub(crate) struct Captions<'a> {
    /// How many characters of either end are shown, where several texts share what is shown of others.
    longer: HashMap<Ends<'a>, usize>,
}

impl<'a> Captions<'a> {
    /// Tells apart the addresses of a report and what its nodes are named after.
    pub(crate) fn of(report: &'a Report) -> Self {
        let nodes = report.nodes.iter();
        let nodes = nodes.flat_map(|node| parts(node).chain(node.address.as_deref()));
        let flows = report.flows.iter();
        let flows = flows.flat_map(|flow| flow.from_addresses.iter().chain(&flow.to_address));
        Self::telling_apart(nodes.chain(flows.map(|address| &**address)))
    }

    fn telling_apart(texts: impl Iterator<Item = &'a str>) -> Self {
        let mut first: HashMap<Ends<'_>, &str> = HashMap::new();
        let mut alike: BTreeMap<Ends<'_>, BTreeSet<&str>> = BTreeMap::new();
        for text in texts {
            let Some(ends) = ends(text) else { continue };
            let known = *first.entry(ends).or_insert(text);
            if known != text {
                alike.entry(ends).or_default().extend([known, text]);
            }
        }
        let longer = alike.into_iter();
        Self {
            longer: longer
                .map(|(ends, texts)| (ends, length_to_differ(&texts)))
                .collect(),
        }
    }

    /// Shortens an address or hash to its first and last 8 characters, or to so many more that it differs from others.
    pub(crate) fn short(&self, text: &str) -> String {
        let longer = ends(text).and_then(|ends| self.longer.get(&ends));
        abbreviated(text, longer.copied().unwrap_or(ENDS))
    }

    /// A node id without its chain, each part shortened: `output:975ec405…e52754e4:0`.
    pub(crate) fn short_id(&self, node: &Node) -> String {
        let parts = parts(node).map(|part| self.short(part));
        parts.collect::<Vec<_>>().join(":")
    }

    /// The lines that name a node in a drawing: label, address, id, stop.
    pub(crate) fn lines(&self, node: &Node) -> Vec<String> {
        let mut lines = Vec::new();
        let label = node.labels.first();
        lines.extend(label.map(|label| clipped(&label.label, LONGEST_LABEL)));
        let address = node.address.as_deref();
        lines.extend(address.map(|address| self.short(address)));
        lines.push(self.short_id(node));
        lines.extend(node.stop.as_ref().map(|stop| match &stop.entity {
            Some(entity) => {
                let entity = clipped(entity, LONGEST_LABEL);
                format!("stop: {} {entity}", stop.kind.name())
            }
            None => format!("stop: {}", stop.kind.name()),
        }));
        lines
    }
}

/// How many characters of either end tell all of some texts apart.
fn length_to_differ(texts: &BTreeSet<&str>) -> usize {
    let differ = |length: &usize| {
        let shown = texts.iter().map(|text| abbreviated(text, *length));
        shown.collect::<BTreeSet<_>>().len() == texts.len()
    };
    (ENDS + 1..LONGEST_END).find(differ).unwrap_or(LONGEST_END)
}

/// The parts of a node's id behind its chain.
fn parts(node: &Node) -> impl Iterator<Item = &str> {
    let id = node.id.strip_prefix(&node.chain);
    let id = id.and_then(|rest| rest.strip_prefix(':'));
    id.unwrap_or(&node.id).split(':').take(4)
}

/// What is shown of a text that has to be shortened; `None` for others.
fn ends(text: &str) -> Option<Ends<'_>> {
    text.char_indices().nth(LONGEST_PART)?;
    let (first, _) = text.char_indices().nth(ENDS)?;
    let (last, _) = text.char_indices().rev().nth(ENDS - 1)?;
    Some((&text[..first], &text[last..]))
}

/// The first and last so many characters of a text, or all of it where that is hardly longer.
fn abbreviated(text: &str, ends: usize) -> String {
    let most = LONGEST_PART.max(2 * ends + 1);
    if text.char_indices().nth(most).is_none() {
        return clipped(text, most);
    }
    let first: String = text.chars().take(ends).collect();
    let last: Vec<char> = text.chars().rev().take(ends).collect();
    let last: String = last.into_iter().rev().collect();
    clipped(&format!("{first}…{last}"), most)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn captions<'a>(texts: &[&'a str]) -> Captions<'a> {
        Captions::telling_apart(texts.iter().copied())
    }

    const PAID: &str = "0x70997970c51812dc3a010c7d01b50e0d17dc79c8";
    const ALIKE: &str = "0x70997970aaaaaaaaaaaaaaaaaaaaaaaa17dc79c8";
    const OTHER: &str = "0x3c44cdddb6a900fa2b585dd299e03d12fa4293bc";

    #[test]
    fn addresses_that_share_both_ends_are_shown_as_far_as_they_differ_and_others_as_ever() {
        let captions = captions(&[PAID, OTHER, ALIKE, PAID]);
        assert_eq!(captions.short(PAID), "0x7099797…d17dc79c8");
        assert_eq!(captions.short(ALIKE), "0x7099797…a17dc79c8");
        assert_eq!(captions.short(OTHER), "0x3c44cd…fa4293bc");
    }

    #[test]
    fn addresses_that_differ_in_the_middle_alone_are_shown_as_far_as_the_middle() {
        let other = PAID.replacen("3a01", "3b01", 1);
        let captions = captions(&[PAID, &other]);
        assert_eq!(
            captions.short(PAID),
            "0x70997970c51812dc3a…0c7d01b50e0d17dc79c8"
        );
        assert_eq!(
            captions.short(&other),
            "0x70997970c51812dc3b…0c7d01b50e0d17dc79c8"
        );
    }
}
