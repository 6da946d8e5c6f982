//! `hansel cases`: the known thefts and the cases traced so far.

use std::fmt::Write as _;

use anyhow::anyhow;
use hansel_heuristics::{CaseFile, CaseSeed};
use hansel_report::{format_units, visible};
use serde::{Deserialize, Serialize};

use crate::args::{CasesArgs, Common, Exit};
use crate::case_record::CaseRecord;
use crate::config::Config;
use crate::failure::Failure;
use crate::output::{print, print_json};
use crate::{plan, sources};

/// The result.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Output {
    known: Vec<Known>,
    traced: Vec<Traced>,
}

/// A shipped or configured case file.
#[derive(Debug, Serialize, Deserialize)]
struct Known {
    name: String,
    title: String,
    date: String,
    amount: String,
    waits_for: Vec<String>,
}

/// A case in the store.
#[derive(Debug, Serialize, Deserialize)]
struct Traced {
    name: String,
    chain: String,
    subjects: Vec<String>,
    /// `None` while a run is unfinished.
    complete: Option<bool>,
    stolen: Vec<String>,
}

/// Runs the command.
pub(crate) fn run(common: &Common, args: &CasesArgs) -> Result<Exit, Failure> {
    let config = Config::new(common);
    if let Some(name) = &args.case {
        return show(common, &config, name);
    }
    let mut output = Output {
        known: Vec::new(),
        traced: Vec::new(),
    };
    for file in config.names("cases")? {
        let Some(name) = file.strip_suffix(".toml") else {
            continue;
        };
        if let Some(case) = plan::case_file(name, &config)? {
            let CaseFile {
                name,
                title,
                date,
                amount,
                waits_for,
                ..
            } = case;
            output.known.push(Known {
                name,
                title,
                date,
                amount,
                waits_for,
            });
        }
    }
    if let Some(store) = sources::existing_store(common)? {
        for name in store.cases()? {
            let record = store.case::<CaseRecord>(&name)?;
            output
                .traced
                .extend(record.map(|record| traced(name, &record)));
        }
    }
    if common.json {
        print_json(&output)?
    } else {
        print(&text(&output))?
    }
    Ok(Exit::Complete)
}

fn traced(name: String, record: &CaseRecord) -> Traced {
    let seeds = record.report.iter().flat_map(|report| &report.seeds);
    Traced {
        name,
        chain: record.chains().join(", "),
        subjects: record
            .parts
            .iter()
            .flat_map(|part| &part.request.subjects)
            .map(|subject| subject.text.clone())
            .collect(),
        complete: record.report.is_some().then_some(!record.partial),
        stolen: seeds
            .map(|seed| {
                format!(
                    "{} {}",
                    format_units(seed.amount, seed.decimals),
                    seed.asset
                )
            })
            .collect(),
    }
}

fn show(common: &Common, config: &Config, name: &str) -> Result<Exit, Failure> {
    let case = plan::case_file(name, config)?.ok_or_else(|| {
        Failure::usage(
            anyhow!("there is no known case `{}`", name.escape_debug()),
            "`hansel cases` lists them",
        )
    })?;
    if common.json {
        print_json(&plan::case_value(name, config)?)?
    } else {
        print(&case_text(&case))?
    }
    Ok(Exit::Complete)
}

fn text(output: &Output) -> String {
    let mut text = String::from("known cases (trace one with `hansel trace NAME`)\n");
    let width = output
        .known
        .iter()
        .map(|case| case.name.len())
        .max()
        .unwrap_or(0);
    for Known {
        name,
        date,
        amount,
        waits_for,
        ..
    } in &output.known
    {
        let waits = if waits_for.is_empty() {
            String::new()
        } else {
            format!("  [not yet read: {}]", waits_for.join(", "))
        };
        // Writing to a string cannot fail.
        let _ = writeln!(text, "  {name:width$}  {date}  {}{waits}", visible(amount));
    }
    if output.traced.is_empty() {
        text.push_str("\nno case was traced yet\n");
        return text;
    }
    text.push_str("\ntraced cases (see `hansel report NAME`)\n");
    for Traced {
        name,
        chain,
        complete,
        subjects,
        ..
    } in &output.traced
    {
        let state = match complete {
            Some(true) => "complete",
            Some(false) => "coverage partial",
            None => "unfinished",
        };
        let count = subjects.len();
        let plural = if count == 1 { "" } else { "s" };
        let chain = visible(chain);
        let _ = writeln!(text, "  {name}  {chain}  {state}  {count} subject{plural}");
    }
    text
}

fn case_text(case: &CaseFile) -> String {
    let mut text = format!(
        "{} ({})\n{}\nstolen: {}\nattributed to: {}\n",
        case.title, case.name, case.date, case.amount, case.attribution
    );
    if !case.waits_for.is_empty() {
        text.push_str(&format!(
            "not read by this version: {}\n",
            case.waits_for.join(", ")
        ));
    }
    text.push_str(&format!("\n{}\n\nstolen transfers\n", case.note));
    for seed in &case.seeds {
        text.push_str(&format!(
            "  {} {}{}\n    {} [{}]\n",
            seed.chain,
            seed.subject,
            counts(seed),
            seed.what,
            seed.sources.join(", ")
        ));
    }
    if !case.context.is_empty() {
        text.push_str("\ncontext, no part of what was stolen (read on Bitcoin only)\n");
    }
    for one in &case.context {
        let sources = one.sources.join(", ");
        text.push_str(&format!("  {} {} [{sources}]\n", one.chain, one.txid));
    }
    text.push_str("\naddresses\n");
    for address in &case.addresses {
        let sources = address.sources.join(", ");
        text.push_str(&format!(
            "  {} {}\n    {} [{sources}]\n",
            address.chains.join(", "),
            address.address,
            address.role
        ));
    }
    text.push_str("\nsources\n");
    for source in &case.sources {
        text.push_str(&format!("  {}: {}\n", source.id, source.text));
    }
    text.lines()
        .map(|line| format!("{}\n", visible(line)))
        .collect()
}

/// What of a subject's receipts counts, where the case says so.
fn counts(seed: &CaseSeed) -> String {
    let mut text = String::new();
    // Writing to a string cannot fail.
    if let Some(since) = seed.since {
        let _ = write!(text, ", since {since}");
    }
    if let Some(until) = seed.until {
        let _ = write!(text, ", until {until}");
    }
    if !seed.assets.is_empty() {
        let assets: Vec<String> = seed.assets.iter().map(ToString::to_string).collect();
        let _ = write!(text, ", only {}", assets.join(", "));
    }
    text
}
