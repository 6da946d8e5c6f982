//! The report as a STIX 2.1 bundle for platforms that exchange threat intelligence.
//!
//! STIX has no object for wallets and transactions; those here are of the public extension `stix2extensions` (schemas
//! at 3324e147). Its numbers for amounts are floats and are left out: exact amounts stand as text in properties of
//! this program, `x_hansel_...`. The same report gives the same ids: they are UUIDs of version 5.

mod id;
mod objects;

use std::collections::{BTreeMap, BTreeSet};
use std::io;

use serde::Serialize;
use serde_json::Value;

use crate::Report;
use crate::format::FormatError;
use crate::model::{Flow, Timestamp};

/// Writes the bundle, an object a line.
pub fn write(report: &Report, out: &mut dyn io::Write) -> Result<(), FormatError> {
    let mut bundle = Bundle::open(report, out)?;
    bundle.put(&objects::producer(&bundle.created))?;
    let wallets = wallets(report);
    for (address, id) in &wallets {
        bundle.observe(id, &objects::wallet(address, id))?;
    }
    for flows in transactions(report).values() {
        if let Some(transaction) = objects::transaction(flows, &wallets) {
            bundle.observe(&transaction.id, &transaction)?;
        }
    }
    if let Some(seen) = objects::observed(report, &bundle.created, &bundle.known) {
        bundle.put(&seen)?;
    }
    let mut services = BTreeSet::new();
    for cash_out in &report.cash_outs {
        let service = objects::service(cash_out, &bundle.created);
        if services.insert(objects::id_of(&service)) {
            bundle.put(&service)?;
        }
        let paid = objects::paid(cash_out, &bundle.created);
        if services.insert(objects::id_of(&paid)) {
            bundle.put(&paid)?;
        }
    }
    let mut notes = BTreeSet::new();
    for finding in &report.findings {
        let note = objects::note(report, finding, &bundle.created, &bundle.known);
        if notes.insert(objects::id_of(&note)) {
            bundle.put(&note)?;
        }
    }
    let about = objects::report(report, &bundle.created, &bundle.described);
    bundle.put(&about)?;
    Ok(bundle.out.write_all(b"\n]}\n")?)
}

/// What is written of a bundle so far.
struct Bundle<'w> {
    out: &'w mut dyn io::Write,
    /// The moment that all objects are dated: the last one of the report, so that it does not depend on a clock.
    created: String,
    first: bool,
    /// The ids of wallets and transactions.
    known: BTreeSet<String>,
    /// The ids of the other objects.
    described: Vec<String>,
}

impl<'w> Bundle<'w> {
    fn open(report: &Report, out: &'w mut dyn io::Write) -> io::Result<Self> {
        let id = id::of_ours("bundle", &[&report.case.name, &last_moment(report)]);
        writeln!(out, "{{\"type\":\"bundle\",\"id\":\"{id}\",\"objects\":[")?;
        Ok(Self {
            out,
            created: last_moment(report),
            first: true,
            known: BTreeSet::new(),
            described: Vec::new(),
        })
    }

    fn put(&mut self, object: &Value) -> io::Result<()> {
        self.described.push(objects::id_of(object));
        self.line(object)
    }

    /// Writes a wallet or a transaction, unless one of the same name stands there already.
    fn observe(&mut self, id: &str, object: &impl Serialize) -> io::Result<()> {
        if !self.known.insert(id.to_owned()) {
            return Ok(());
        }
        self.line(object)
    }

    fn line(&mut self, object: &impl Serialize) -> io::Result<()> {
        if !std::mem::take(&mut self.first) {
            self.out.write_all(b",\n")?;
        }
        Ok(serde_json::to_writer(&mut *self.out, object)?)
    }
}

/// The last moment that the report tells of, as STIX writes it.
fn last_moment(report: &Report) -> String {
    let seeds = report.seeds.iter().filter_map(|seed| seed.time);
    let flows = report.flows.iter().filter_map(|flow| flow.time);
    let nodes = report.nodes.iter().filter_map(|node| node.time);
    let last = seeds.chain(flows).chain(nodes).max();
    moment(last.unwrap_or(Timestamp(hansel_ledger::UnixTime(0))))
}

/// `2024-06-21T20:00:00.000Z`: `created` and `modified` have milliseconds.
fn moment(time: Timestamp) -> String {
    let text = time.to_string();
    format!("{}.000Z", text.trim_end_matches('Z'))
}

/// Every address of the report with the id of its wallet.
fn wallets(report: &Report) -> BTreeMap<&str, String> {
    let nodes = report
        .nodes
        .iter()
        .filter_map(|node| node.address.as_deref());
    let paid = report
        .flows
        .iter()
        .filter_map(|flow| flow.to_address.as_deref());
    let paying = report.flows.iter().flat_map(|flow| &flow.from_addresses);
    let services = report.cash_outs.iter().map(|row| &*row.deposit_address);
    let all = nodes.chain(paid).chain(paying.map(String::as_str));
    let all: BTreeSet<_> = all.chain(services).collect();
    let with_ids = all.into_iter();
    with_ids
        .map(|address| (address, objects::wallet_id(address)))
        .collect()
}

/// The flows of each transaction by its hash, which names the object: replayed on another chain, it is the same.
fn transactions(report: &Report) -> BTreeMap<&str, Vec<&Flow>> {
    let mut transactions: BTreeMap<&str, Vec<&Flow>> = BTreeMap::new();
    for flow in &report.flows {
        transactions.entry(&flow.tx).or_default().push(flow);
    }
    transactions
}
