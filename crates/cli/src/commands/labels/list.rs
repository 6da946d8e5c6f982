//! `hansel labels list`: the files of labels, or labels that the user picks.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use hansel_heuristics::Label;
use hansel_labels::{About, Pack};
use hansel_report::visible;
use serde::{Deserialize, Serialize};

use crate::args::{Common, Exit, ListArgs};
use crate::config::Config;
use crate::failure::Failure;
use crate::output::{print, print_json};

/// The result.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Output {
    packs: Vec<Listed>,
    /// The labels that the options pick; empty where no option picks any.
    labels: Vec<Named>,
    /// Files of labels that were left out.
    warnings: Vec<String>,
}

/// A file of labels.
#[derive(Debug, Serialize, Deserialize)]
struct Listed {
    #[serde(flatten)]
    about: About,
    labels: usize,
    kinds: BTreeMap<String, u64>,
    /// The days of the oldest and the newest label.
    oldest: Option<String>,
    newest: Option<String>,
}

/// A label with its address.
#[derive(Debug, Serialize, Deserialize)]
struct Named {
    address: String,
    #[serde(flatten)]
    label: Label,
}

/// Runs the command.
pub(crate) fn run(common: &Common, args: &ListArgs) -> Result<Exit, Failure> {
    if let Some(name) = args.chain.as_deref().filter(|name| *name != "evm") {
        Config::new(common).chain(name)?;
    }
    let at_hand = super::at_hand(common)?;
    let packs = at_hand.book.packs();
    if let Some(name) = &args.pack
        && !packs.iter().any(|pack| pack.about.name == *name)
    {
        return Err(super::no_such_pack(name));
    }
    let output = Output {
        packs: packs.iter().map(listed).collect(),
        labels: if picks(args) {
            picked(args, packs)
        } else {
            Vec::new()
        },
        warnings: at_hand.warnings.clone(),
    };
    if common.json {
        print_json(&output)?;
    } else if picks(args) {
        print(&labels_text(&output.labels))?;
    } else {
        print(&packs_text(&output.packs))?;
    }
    Ok(super::exit(&at_hand))
}

fn picks(args: &ListArgs) -> bool {
    let ListArgs {
        kind,
        source,
        actor,
        chain,
        pack,
    } = args;
    kind.is_some() || source.is_some() || actor.is_some() || chain.is_some() || pack.is_some()
}

fn picked(args: &ListArgs, packs: &[Pack]) -> Vec<Named> {
    let source = args.source.as_deref().map(str::to_lowercase);
    let fits = |label: &Label| {
        args.kind.is_none_or(|kind| kind == label.kind)
            && source
                .as_deref()
                .is_none_or(|text| label.source.to_lowercase().contains(text))
            && args
                .actor
                .as_deref()
                .is_none_or(|id| label.actor.as_deref() == Some(id))
            && args
                .chain
                .as_deref()
                .is_none_or(|name| label.network == name)
            && args.pack.as_deref().is_none_or(|name| label.pack == name)
    };
    let all = packs.iter().flat_map(Pack::labels);
    let named = all
        .filter(|(_, label)| fits(label))
        .map(|(address, label)| Named {
            address: address.to_owned(),
            label,
        });
    named.collect()
}

fn listed(pack: &Pack) -> Listed {
    let mut kinds = BTreeMap::new();
    let mut days: Vec<String> = Vec::new();
    for (_, label) in pack.labels() {
        *kinds.entry(label.kind.name().to_owned()).or_default() += 1;
        days.extend(label.as_of);
    }
    Listed {
        about: pack.about.clone(),
        labels: pack.len(),
        kinds,
        oldest: days.iter().min().cloned(),
        newest: days.into_iter().max(),
    }
}

fn packs_text(packs: &[Listed]) -> String {
    let mut text =
        String::from("files of labels (see one with `hansel labels list --pack NAME`)\n");
    for Listed {
        about,
        labels,
        kinds,
        oldest,
        newest,
    } in packs
    {
        let origin = about.imported.as_deref().map_or_else(
            || "shipped or configured".into(),
            |day| format!("imported on {}", visible(day)),
        );
        let days = match (oldest, newest) {
            (Some(oldest), Some(newest)) if oldest == newest => format!(", as of {oldest}"),
            (Some(oldest), Some(newest)) => format!(", as of {oldest} to {newest}"),
            _ => String::new(),
        };
        let kinds: Vec<_> = kinds
            .iter()
            .map(|(kind, count)| format!("{count} {kind}"))
            .collect();
        // Writing to a string cannot fail.
        let _ = writeln!(
            text,
            "  {}  {labels} labels, {origin}{}",
            visible(&about.name),
            visible(&days)
        );
        let _ = writeln!(text, "    {}", visible(&about.title));
        let _ = writeln!(text, "    {}", kinds.join(", "));
    }
    text
}

fn labels_text(labels: &[Named]) -> String {
    let mut text = String::new();
    for Named { address, label } in labels {
        let _ = writeln!(text, "{}", visible(address));
        super::describe(&mut text, label);
    }
    if labels.is_empty() {
        text.push_str("no label at hand is like that\n");
    }
    text
}
