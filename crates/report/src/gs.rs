//! A save file of GraphSense's Pathfinder (`.gs`): the addresses and transactions of the trail, placed by time, with what
//! is known of them.
//!
//! Source of the form: `graphsense-lib` 2.18.1, `convert/gs_files`, which reads and writes what the dashboard saves.

mod container;

use std::collections::{BTreeMap, BTreeSet};
use std::io;

use serde_json::{Value, json};

use crate::format::FormatError;
use crate::html::Excerpt;
use crate::model::{Flow, Node, NodeKind, Timestamp};
use crate::{Report, visible};

const LONGEST_NAME: usize = 120;
/// Graph units between transactions and between rows; the dashboard's own are about as far apart.
const COLUMN: usize = 8;
const ROW: usize = 3;
/// Transactions that stand above each other before the next column begins.
const ROWS: usize = 12;

/// Writes the file. Of a big report it holds what the graph of its page draws, and its name says so.
pub(crate) fn write(report: &Report, out: &mut dyn io::Write) -> Result<(), FormatError> {
    // What the text was made of is gone before it is packed, which takes as much again.
    let text = text(report)?;
    Ok(container::write(&text, out)?)
}

fn text(report: &Report) -> Result<String, FormatError> {
    let excerpt = Excerpt::of(report);
    let trail = Trail::of(&excerpt.report);
    let training = if report.case.training {
        "TRAINING CASE, made up: "
    } else {
        ""
    };
    let case = visible::clipped(&report.case.name, LONGEST_NAME);
    let mut name = format!("{training}{case}");
    if let Some(note) = excerpt.in_brief() {
        name = format!("{name} ({note})");
    }
    let payload = (
        "pathfinder",
        "1",
        name,
        trail.addresses(),
        trail.transactions(),
        trail.annotations(),
        trail.links(),
    );
    Ok(serde_json::to_string(&payload).map_err(io::Error::from)?)
}

/// GraphSense's code of a network, and an address or a transaction as it spells them.
type Id = (String, String);

/// What a report shows, by address and by transaction.
#[derive(Default)]
struct Trail<'a> {
    /// The transactions in the order of time, with their places in it.
    transactions: BTreeMap<Id, usize>,
    /// Addresses with the first transaction that paid or drained them.
    addresses: BTreeMap<Id, usize>,
    starts: BTreeSet<Id>,
    labels: BTreeMap<Id, BTreeSet<String>>,
    /// What accounts paid each other, and in which transactions.
    links: BTreeMap<(Id, Id), BTreeSet<Id>>,
    nodes: BTreeMap<&'a str, &'a Node>,
}

impl<'a> Trail<'a> {
    fn of(report: &'a Report) -> Self {
        let nodes = report.nodes.iter().map(|node| (&*node.id, node));
        let mut trail = Self {
            nodes: nodes.collect(),
            ..Self::default()
        };
        trail.order(report);
        for flow in &report.flows {
            trail.flow(flow);
        }
        for seed in &report.seeds {
            trail.start(&seed.chain, &seed.tx, seed.to.as_deref());
        }
        for node in &report.nodes {
            trail.label(node);
        }
        trail
    }

    fn order(&mut self, report: &Report) {
        let mut first: BTreeMap<Id, (Option<Timestamp>, Option<u64>)> = BTreeMap::new();
        let seeds = report.seeds.iter();
        let seeds = seeds.map(|seed| (&*seed.chain, &*seed.tx, seed.time, seed.block));
        let flows = report.flows.iter();
        let flows = flows.map(|flow| (&*flow.chain, &*flow.tx, flow.time, flow.block));
        for (chain, tx, time, block) in seeds.chain(flows) {
            first.entry(id(chain, tx)).or_insert((time, block));
        }
        let mut order: Vec<_> = first.into_iter().map(|(id, when)| (when, id)).collect();
        order.sort();
        let places = order.into_iter().enumerate();
        self.transactions = places.map(|(place, (_, id))| (id, place)).collect();
    }

    fn flow(&mut self, flow: &Flow) {
        let tx = id(&flow.chain, &flow.tx);
        let place = self.transactions[&tx];
        let to = flow.to_address.as_deref().map(|to| id(&flow.chain, to));
        if let Some(to) = &to {
            self.meet(to, place);
        }
        let giver = self.nodes.get(&*flow.from).copied();
        let giver = giver.filter(|node| node.kind == NodeKind::Account);
        let from = giver.and_then(|node| Some(id(&node.chain, node.address.as_deref()?)));
        if let Some(from) = &from {
            self.meet(from, place);
        }
        if let Some(both) = from.zip(to) {
            self.links.entry(both).or_default().insert(tx);
        }
    }

    fn meet(&mut self, address: &Id, place: usize) {
        let first = self.addresses.entry(address.clone()).or_insert(place);
        *first = (*first).min(place);
    }

    fn start(&mut self, chain: &str, tx: &str, to: Option<&str>) {
        let tx = id(chain, tx);
        let place = self.transactions[&tx];
        if let Some(to) = to {
            let to = id(chain, to);
            self.meet(&to, place);
            self.note(&to, "received what was stolen");
            self.starts.insert(to);
        }
        self.starts.insert(tx);
    }

    /// What is known of a node's address: who holds it, or what others call it.
    fn label(&mut self, node: &Node) {
        let Some(address) = &node.address else { return };
        let id = id(&node.chain, address);
        if !self.addresses.contains_key(&id) {
            return;
        }
        let stop = node.stop.as_ref();
        let entity = stop.and_then(|stop| stop.entity.as_deref());
        let called = node.labels.first().map(|label| &*label.label);
        let named = entity.or(called).map(|name| visible::clipped(name, 80));
        let kind = stop.map(|stop| stop.kind.name());
        let words: Vec<&str> = named.as_deref().into_iter().chain(kind).collect();
        self.note(&id, &words.join(", "));
    }

    /// Adds to what is known of an address, each thing once: it may stand in many nodes.
    fn note(&mut self, address: &Id, words: &str) {
        if words.is_empty() {
            return;
        }
        let known = self.labels.entry(address.clone()).or_default();
        known.insert(words.to_owned());
    }

    fn addresses(&self) -> Vec<Value> {
        let mut rows: BTreeMap<usize, usize> = BTreeMap::new();
        let addresses = self.addresses.iter().map(|(id, place)| {
            let column = place / ROWS;
            let row = rows.entry(column).or_default();
            *row += 1;
            let (x, y) = (column * COLUMN + COLUMN / 2, *row * ROW);
            json!([id, x, y, self.starts.contains(id)])
        });
        addresses.collect()
    }

    fn transactions(&self) -> Vec<Value> {
        let transactions = self.transactions.iter().map(|(id, place)| {
            let (x, y) = (place / ROWS * COLUMN, place % ROWS * ROW);
            json!([id, x, y, self.starts.contains(id), place])
        });
        transactions.collect()
    }

    fn annotations(&self) -> Vec<Value> {
        let labels = self.labels.iter();
        let note = |(id, words): (&Id, &BTreeSet<String>)| {
            let words: Vec<&str> = words.iter().map(String::as_str).collect();
            json!([id, words.join("; "), null])
        };
        labels.map(note).collect()
    }

    fn links(&self) -> Vec<Value> {
        let links = self.links.iter();
        links.map(|((a, b), txs)| json!([a, b, txs])).collect()
    }
}

/// Networks by GraphSense's codes, others by this program's name; hexadecimal in lower case, as GraphSense keeps it.
fn id(chain: &str, text: &str) -> Id {
    let network = match chain {
        "bitcoin" => "btc",
        "ethereum" => "eth",
        other => other,
    };
    let hex = text.strip_prefix("0x").unwrap_or(text);
    let is_hex = hex.len() >= 40 && hex.bytes().all(|byte| byte.is_ascii_hexdigit());
    let text = if is_hex {
        text.to_ascii_lowercase()
    } else {
        text.to_owned()
    };
    (
        visible::clipped(network, LONGEST_NAME),
        visible::clipped(&text, LONGEST_NAME),
    )
}
