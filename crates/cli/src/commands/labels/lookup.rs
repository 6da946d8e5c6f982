//! `hansel labels lookup`: what others call an address.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use hansel_heuristics::{EntityKind, Label, Labels as _};
use hansel_labels::LabelBook;
use hansel_ledger::{Chain, Subject, SubjectError};
use hansel_report::visible;
use serde::{Deserialize, Serialize};

use anyhow::anyhow;

use crate::args::{Common, Exit, LookupArgs};
use crate::config::Config;
use crate::failure::Failure;
use crate::output::{print, print_json};

/// The result.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Output {
    addresses: Vec<Found>,
    /// Files of labels that were left out.
    warnings: Vec<String>,
}

/// An address and what it is called.
#[derive(Debug, Serialize, Deserialize)]
struct Found {
    address: String,
    /// The chains that have such addresses, or the one that was asked for.
    chains: Vec<String>,
    labels: Vec<Label>,
    /// True where the labels name several kinds or several entities.
    sources_differ: bool,
}

/// Runs the command.
pub(crate) fn run(common: &Common, args: &LookupArgs) -> Result<Exit, Failure> {
    let config = Config::new(common);
    let chains = match &args.chain {
        Some(name) => vec![config.chain(name)?],
        None => config.chains()?,
    };
    let addresses = args
        .addresses
        .iter()
        .map(|text| on_chains(text, &chains))
        .collect::<Result<Vec<_>, _>>()?;
    let at_hand = super::at_hand(common)?;
    let found = addresses
        .into_iter()
        .map(|(address, chains)| found(&at_hand.book, address, &chains));
    let output = Output {
        addresses: found.collect(),
        warnings: at_hand.warnings.clone(),
    };
    if common.json {
        print_json(&output)?;
    } else {
        print(&text(&output))?;
    }
    Ok(super::exit(&at_hand))
}

/// The address as labels spell it, and the chains that have it.
fn on_chains<'a>(text: &str, chains: &'a [Chain]) -> Result<(String, Vec<&'a Chain>), Failure> {
    let mut address = None;
    let mut having = Vec::new();
    let mut refused: Vec<SubjectError> = Vec::new();
    for chain in chains {
        match Subject::parse(text, chain) {
            Ok(Subject::Script { text, .. }) => address = Some(text),
            Ok(Subject::Account(account)) => address = Some(account.to_string()),
            Ok(_) => continue,
            Err(error) => {
                refused.push(error);
                continue;
            }
        }
        having.push(chain);
    }
    if let Some(address) = address {
        return Ok((address, having));
    }
    // Of many chains' complaints the one about the address itself says most.
    let telling = |error: &SubjectError| match error {
        SubjectError::Address { .. } | SubjectError::Account { .. } | SubjectError::Hash(_) => 0,
        SubjectError::WrongNetwork { .. } => 1,
        _ => 2,
    };
    refused.sort_by_key(telling);
    let hint = "labels are of addresses; see that it is whole, and of the chain of --chain if you name one";
    Err(match refused.into_iter().next() {
        Some(error) if text.starts_with("0x") || telling(&error) < 2 => Failure::usage(error, hint),
        _ => Failure::usage(anyhow!("`{}` is no address", clipped(text)), hint),
    })
}

fn clipped(text: &str) -> String {
    let start: String = text.chars().take(100).collect();
    start.escape_debug().to_string()
}

fn found(book: &LabelBook, address: String, chains: &[&Chain]) -> Found {
    let mut labels = BTreeSet::new();
    for chain in chains {
        labels.extend(book.lookup(chain.name(), &address));
    }
    // A sanctioned mixer is both; a mixer that is an exchange is one of them.
    let says_what = |kind: &EntityKind| !matches!(kind, EntityKind::Actor | EntityKind::Other);
    let kinds: BTreeSet<EntityKind> = labels
        .iter()
        .map(|one| one.kind)
        .filter(says_what)
        .collect();
    let actors: BTreeSet<&str> = labels
        .iter()
        .filter_map(|one| one.actor.as_deref())
        .collect();
    Found {
        sources_differ: kinds.len() > 1 || actors.len() > 1,
        address,
        chains: chains.iter().map(|chain| chain.name().to_owned()).collect(),
        labels: labels.into_iter().collect(),
    }
}

fn text(output: &Output) -> String {
    let mut text = String::new();
    for found in &output.addresses {
        // Writing to a string cannot fail.
        let _ = writeln!(text, "{}", visible(&found.address));
        for label in &found.labels {
            super::describe(&mut text, label);
        }
        if found.labels.is_empty() {
            text.push_str("  no label: no file of labels at hand names it, which says nothing of whose it is\n");
        }
        if found.sources_differ {
            text.push_str("  the sources differ; none of them is preferred\n");
        }
    }
    text
}
