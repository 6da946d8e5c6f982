//! The addresses of the trail as a TagPack of GraphSense, to be shared with others who look for the same loot.
//!
//! Source: graphsense-tagpack-tool a14a159, schema of TagPacks. What is tagged is an opinion of the first rule that
//! conserves value, and says so.

use std::collections::BTreeMap;
use std::io;

use hansel_graph::{Direction, Rule};

use crate::Report;
use crate::format::FormatError;
use crate::model::{Flow, Timestamp};
use crate::visible::clipped;

/// The longest name of a case, a chain or an address in a tag.
const LONGEST: usize = 200;

/// Writes a tag for every address that tainted value came to (backward: that paid it), by chain and address.
///
/// Texts are quoted as in JSON, which YAML reads the same: unquoted, an address such as `0x10` were a number.
pub fn write(report: &Report, out: &mut dyn io::Write) -> Result<(), FormatError> {
    let case = clipped(&report.case.name, LONGEST);
    let rules = &report.case.rules;
    let rule = rules.iter().find(|rule| rule.conserves()).or(rules.first());
    let about = match rule {
        Some(rule) => format!(
            "Addresses of the trail under the taint rule {}. A tag is a finding, no proof of guilt",
            rule.name()
        ),
        None => "No taint rule was asked for".to_owned(),
    };
    writeln!(out, "title: {}", quoted(&format!("Trail of {case}")))?;
    writeln!(out, "creator: hansel")?;
    writeln!(out, "description: {}", quoted(&about))?;
    writeln!(out, "is_public: false")?;
    let tagged = rule.map(|rule| tagged(report, *rule)).unwrap_or_default();
    writeln!(out, "tags:{}", if tagged.is_empty() { " []" } else { "" })?;
    for ((chain, address), time) in tagged {
        write_tag(report, &case, chain, address, time, out)?;
    }
    Ok(())
}

/// The addresses with tainted value by chain, with the last moment of it.
fn tagged(report: &Report, rule: Rule) -> BTreeMap<(&str, &str), Option<Timestamp>> {
    let mut tagged = BTreeMap::new();
    for flow in &report.flows {
        if flow
            .tainted
            .get(&rule)
            .is_none_or(|tainted| tainted.is_zero())
        {
            continue;
        }
        for address in holders(report.case.direction, flow) {
            let last = tagged.entry((&*flow.chain, address)).or_insert(flow.time);
            *last = flow.time.max(*last);
        }
    }
    tagged
}

fn holders(direction: Direction, flow: &Flow) -> Vec<&str> {
    match direction {
        Direction::Forward => flow.to_address.as_deref().into_iter().collect(),
        Direction::Backward => flow
            .from_addresses
            .iter()
            .map(|address| &**address)
            .collect(),
    }
}

fn write_tag(
    report: &Report,
    case: &str,
    chain: &str,
    address: &str,
    time: Option<Timestamp>,
    out: &mut dyn io::Write,
) -> io::Result<()> {
    let seeds = report.seeds.iter();
    let seeds = seeds.filter(|seed| seed.chain == chain);
    let is_seed = seeds
        .filter_map(|seed| seed.to.as_deref())
        .any(|to| to == address);
    // Where the stolen value went first is what the investigator named; the rest follows from the rule.
    let (what, confidence) = match (report.case.direction, is_seed) {
        (Direction::Forward, true) => ("received the theft", "forensic"),
        (Direction::Forward, false) => ("received value of the theft", "heuristic"),
        (Direction::Backward, _) => ("paid towards the value in question", "heuristic"),
    };
    let network = quoted(network(chain));
    writeln!(out, "- address: {}", quoted(&clipped(address, LONGEST)))?;
    writeln!(out, "  label: {}", quoted(&format!("{case}: {what}")))?;
    writeln!(
        out,
        "  source: {}",
        quoted(&format!("hansel report of case {case}"))
    )?;
    writeln!(out, "  currency: {network}\n  network: {network}")?;
    writeln!(out, "  confidence: {confidence}\n  tag_type: event")?;
    match time.map(|time| time.to_string()) {
        Some(time) => writeln!(
            out,
            "  lastmod: {}",
            time.split('T').next().unwrap_or(&time)
        ),
        None => Ok(()),
    }
}

/// The short names of GraphSense's own tools; the chain's name where they have none.
fn network(chain: &str) -> &str {
    match chain {
        "bitcoin" => "BTC",
        "ethereum" => "ETH",
        other => other,
    }
}

fn quoted(text: &str) -> String {
    serde_json::Value::from(clipped(text, 3 * LONGEST)).to_string()
}
