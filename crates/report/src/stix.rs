//! The report as a STIX 2.1 bundle for platforms that exchange threat intelligence.
//!
//! STIX has no object for wallets and transactions; those here are of the public extension `stix2extensions` (schemas
//! at 3324e147). Its numbers for amounts are floats and are left out: exact amounts stand as text in properties of
//! this program, `x_hansel_...`. The same report gives the same ids: they are UUIDs of version 5.

mod id;
mod objects;

use std::collections::{BTreeSet, HashMap, HashSet};
use std::io;

use serde::Serialize;
use serde_json::Value;

use self::id::Observable;
use crate::Report;
use crate::format::FormatError;
use crate::model::{Flow, Timestamp};

/// Writes the bundle, an object a line.
pub fn write(report: &Report, out: &mut dyn io::Write) -> Result<(), FormatError> {
    let mut bundle = Bundle::open(report, out)?;
    bundle.put(&objects::producer(&bundle.created))?;
    bundle.put_observables(report)?;
    bundle.put_observed(report)?;
    bundle.put_cash_outs(report)?;
    bundle.put_notes(report)?;
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
    known: HashSet<Observable>,
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
            known: HashSet::new(),
            described: Vec::new(),
        })
    }

    fn put(&mut self, object: &Value) -> io::Result<()> {
        self.described.push(objects::id_of(object));
        self.line(object)
    }

    fn put_observables(&mut self, report: &Report) -> io::Result<()> {
        let wallets = Wallets::of(report);
        for address in &wallets.sorted {
            if let Some(id) = wallets.id(address) {
                self.observe(id, &objects::wallet(address, id))?;
            }
        }
        for flows in by_transaction(report).chunk_by(|one, next| one.tx == next.tx) {
            if let Some(transaction) = objects::transaction(flows, &wallets) {
                self.observe(transaction.id, &transaction)?;
            }
        }
        Ok(())
    }

    /// Writes a wallet or a transaction, unless one of the same name stands there already.
    fn observe(&mut self, id: Observable, object: &impl Serialize) -> io::Result<()> {
        if !self.known.insert(id) {
            return Ok(());
        }
        self.line(object)
    }

    fn put_observed(&mut self, report: &Report) -> io::Result<()> {
        let mut ids: Vec<_> = self.known.iter().copied().collect();
        ids.sort_unstable();
        let created = self.created.clone();
        let Some(seen) = objects::observed(report, &created, &ids) else {
            return Ok(());
        };
        self.described.push(seen.id.clone());
        self.line(&seen)
    }

    fn put_cash_outs(&mut self, report: &Report) -> io::Result<()> {
        let mut written = BTreeSet::new();
        for cash_out in &report.cash_outs {
            let service = objects::service(cash_out, &self.created);
            let paid = objects::paid(cash_out, &self.created);
            for object in [service, paid] {
                if written.insert(objects::id_of(&object)) {
                    self.put(&object)?;
                }
            }
        }
        Ok(())
    }

    fn put_notes(&mut self, report: &Report) -> io::Result<()> {
        let mut written = BTreeSet::new();
        for finding in &report.findings {
            let note = objects::note(report, finding, &self.created, &self.known);
            if written.insert(objects::id_of(&note)) {
                self.put(&note)?;
            }
        }
        Ok(())
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
struct Wallets<'a> {
    sorted: Vec<&'a str>,
    ids: HashMap<&'a str, Observable>,
}

impl<'a> Wallets<'a> {
    fn of(report: &'a Report) -> Self {
        let nodes = report.nodes.iter();
        let nodes = nodes.filter_map(|node| node.address.as_deref());
        let flows = report.flows.iter();
        let paid = flows.filter_map(|flow| flow.to_address.as_deref());
        let paying = report.flows.iter().flat_map(|flow| &flow.from_addresses);
        let services = report.cash_outs.iter().map(|row| &*row.deposit_address);
        let mut ids = HashMap::new();
        for address in nodes
            .chain(paid)
            .chain(paying.map(|address| &**address))
            .chain(services)
        {
            ids.entry(address)
                .or_insert_with(|| Observable::wallet(address));
        }
        let mut sorted: Vec<_> = ids.keys().copied().collect();
        sorted.sort_unstable();
        Self { sorted, ids }
    }

    fn id(&self, address: &str) -> Option<Observable> {
        self.ids.get(address).copied()
    }
}

/// The flows by the hash of their transaction, which names the object: replayed on another chain, it is the same.
fn by_transaction(report: &Report) -> Vec<&Flow> {
    // Nearly all hashes differ at their beginning, which is compared without looking them up.
    let beginning = |tx: &str| {
        let mut first = [0; 16];
        let length = tx.len().min(first.len());
        first[..length].copy_from_slice(&tx.as_bytes()[..length]);
        u128::from_be_bytes(first)
    };
    let flows = report.flows.iter();
    let mut flows: Vec<_> = flows.map(|flow| (beginning(&flow.tx), flow)).collect();
    flows.sort_by(|(one, flow), (next, other)| one.cmp(next).then_with(|| flow.tx.cmp(&other.tx)));
    flows.into_iter().map(|(_, flow)| flow).collect()
}
