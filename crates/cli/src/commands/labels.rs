//! `hansel labels`: what others call addresses.

mod import;
mod list;
mod lookup;

use std::fmt::Write as _;
use std::fs;
use std::io::ErrorKind;

use anyhow::{Context as _, anyhow};
use hansel_heuristics::Label;
use hansel_report::visible;
use serde::{Deserialize, Serialize};

use crate::args::{Common, Exit, ExportArgs, LabelsArgs, LabelsCommand, RemoveArgs};
use crate::config::Config;
use crate::failure::Failure;
use crate::labels;
use crate::output::{print, print_json, say};

/// Runs the command.
pub(crate) fn run(common: &Common, args: &LabelsArgs) -> Result<Exit, Failure> {
    match &args.command {
        LabelsCommand::Import(args) => import::run(common, args),
        LabelsCommand::Lookup(args) => lookup::run(common, args),
        LabelsCommand::List(args) => list::run(common, args),
        LabelsCommand::Export(args) => export(common, args),
        LabelsCommand::Remove(args) => remove(common, args),
    }
}

/// All labels at hand; what is left out of them is said on standard error.
fn at_hand(common: &Common) -> Result<labels::AtHand, Failure> {
    let at_hand = labels::at_hand(&Config::new(common))?;
    for warning in &at_hand.warnings {
        say(&format!("warning: {warning}"));
    }
    Ok(at_hand)
}

/// The exit code of a command that looked at all labels.
fn exit(at_hand: &labels::AtHand) -> Exit {
    if at_hand.warnings.is_empty() {
        Exit::Complete
    } else {
        Exit::Partial
    }
}

/// Two lines on a label.
fn describe(text: &mut String, label: &Label) {
    let Label {
        kind,
        label,
        actor,
        category,
        source,
        confidence,
        as_of,
        network,
        pack,
    } = label;
    let actor = actor
        .as_deref()
        .map_or(String::new(), |actor| format!(" ({})", visible(actor)));
    let as_of = as_of
        .as_deref()
        .map_or_else(|| "no date".into(), |day| format!("as of {}", visible(day)));
    let words = if category.is_empty() || category == kind.name() {
        String::new()
    } else {
        format!(" [{}]", visible(category))
    };
    // Writing to a string cannot fail.
    let _ = writeln!(
        text,
        "  {:9} {}{actor}, on {}{words}",
        kind.name(),
        visible(label),
        visible(network)
    );
    let _ = writeln!(
        text,
        "            {}; {}; {as_of}; from {}",
        visible(source),
        visible(confidence),
        visible(pack)
    );
}

fn no_such_pack(name: &str) -> Failure {
    Failure::usage(
        anyhow!("there are no labels called `{}`", name.escape_debug()),
        "`hansel labels list` shows the names",
    )
}

fn export(common: &Common, args: &ExportArgs) -> Result<Exit, Failure> {
    let at_hand = at_hand(common)?;
    let mut packs = at_hand.book.packs().iter();
    let pack = packs.find(|pack| pack.about.name == args.name);
    let text = pack.ok_or_else(|| no_such_pack(&args.name))?.to_tagpack();
    match &args.output {
        Some(path) => {
            fs::write(path, text).with_context(|| format!("cannot write {}", path.display()))?;
        }
        None if common.json => print_json(&Exported { tagpack: text })?,
        None => print(&text)?,
    }
    Ok(Exit::Complete)
}

/// The result of `hansel labels export`.
#[derive(Debug, Serialize, Deserialize)]
struct Exported {
    tagpack: String,
}

/// The result of `hansel labels remove`.
#[derive(Debug, Serialize, Deserialize)]
struct Removed {
    removed: Vec<String>,
}

fn remove(common: &Common, args: &RemoveArgs) -> Result<Exit, Failure> {
    let config = Config::new(common);
    let there = labels::imported(&config)?;
    for name in &args.names {
        if !there.contains(name) {
            return Err(Failure::usage(
                anyhow!("no imported labels are called `{}`", name.escape_debug()),
                "`hansel labels list` shows the names; what comes with the program stays",
            ));
        }
    }
    for name in &args.names {
        let path = labels::path(&config, name)?;
        match fs::remove_file(&path) {
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            done => done.with_context(|| format!("cannot remove {}", path.display()))?,
        }
    }
    let output = Removed {
        removed: args.names.clone(),
    };
    if common.json {
        print_json(&output)?;
    } else {
        print(&format!(
            "removed {}\n",
            visible(&output.removed.join(", "))
        ))?;
    }
    Ok(Exit::Complete)
}
