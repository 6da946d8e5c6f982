//! `hansel labels import`: takes files of labels into the data directory.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs::File;
use std::io::{BufReader, Read as _};
use std::path::Path;

use anyhow::{Context as _, anyhow};
use hansel_labels::{Day, Format, Pack, Reader, Refusal};
use hansel_ledger::Chain;
use hansel_report::visible;
use serde::{Deserialize, Serialize};

use crate::args::{Common, Exit, FormatArg, ImportArgs};
use crate::config::Config;
use crate::failure::Failure;
use crate::labels;
use crate::output::{print, print_json, say};

/// A longer TagPack is refused by its reader.
const LONGEST_TAGPACK: u64 = 257 << 20;
const LONGEST_NAME: usize = 100;
/// How many refused labels of a file are told one by one.
const MOST_TOLD: usize = 20;

/// The result.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Output {
    imported: Vec<Imported>,
    refused: Vec<Refused>,
}

/// A file that was taken.
#[derive(Debug, Serialize, Deserialize)]
struct Imported {
    file: String,
    name: String,
    format: Format,
    labels: usize,
    /// Labels that the file holds word for word twice.
    repeated: u64,
    /// Labels of chains that are not read, and of transactions, by chain.
    passed_over: BTreeMap<String, u64>,
    /// How many labels were refused and left out, and why the first of them were.
    left_out: u64,
    problems: Vec<String>,
    /// True where labels of the same name were there before.
    replaced: bool,
}

/// A file that was not taken.
#[derive(Debug, Serialize, Deserialize)]
struct Refused {
    file: String,
    problems: Vec<String>,
    /// All problems, also those that are not told.
    count: u64,
    hint: String,
}

/// Runs the command.
pub(crate) fn run(common: &Common, args: &ImportArgs) -> Result<Exit, Failure> {
    let config = Config::new(common);
    let chains = config.chains()?;
    let today = labels::today();
    let names = names(args)?;
    let mut output = Output::default();
    for (file, name) in args.files.iter().zip(&names) {
        let format = format(args, file)?;
        let read = read(file, name, format, &chains, &today)?;
        match read.and_then(|pack| accept(args, pack)) {
            Ok(pack) => output.imported.push(keep(&config, file, &pack)?),
            Err(refusals) => output.refused.push(refused(file, &refusals)),
        }
    }
    show(common, &output)?;
    Ok(if output.refused.is_empty() {
        Exit::Complete
    } else {
        Exit::Failed
    })
}

/// Why a file is not taken: the problems that are told, and how many there are.
type Refusals = (Vec<Refusal>, u64);

/// A file is taken whole, unless the user says otherwise or nobody here could correct it: OFAC's list names addresses
/// under the wrong currency.
fn accept(args: &ImportArgs, pack: Pack) -> Result<Pack, Refusals> {
    let as_it_is = args.skip_refused || pack.about.format == Format::Ofac;
    if pack.refused.is_empty() || as_it_is {
        Ok(pack)
    } else {
        Err((pack.refused, pack.refusals))
    }
}

fn read(
    file: &Path,
    name: &str,
    format: FormatArg,
    chains: &[Chain],
    today: &Day,
) -> Result<Result<Pack, Refusals>, Failure> {
    let shown = file.display().to_string();
    let reader = Reader {
        file: &shown,
        name,
        chains,
        today,
        imported: true,
    };
    let opened = File::open(file).with_context(|| format!("cannot read {shown}"))?;
    let pack = match format {
        FormatArg::Tagpack => {
            let mut text = Vec::new();
            let all = opened.take(LONGEST_TAGPACK).read_to_end(&mut text);
            all.with_context(|| format!("cannot read {shown}"))?;
            reader.tagpack(&text)
        }
        FormatArg::Ofac => reader.ofac(BufReader::with_capacity(1 << 16, opened)),
        FormatArg::Csv => reader.csv(opened),
    };
    Ok(pack.map_err(|refusal| (vec![refusal], 1)))
}

fn keep(config: &Config, file: &Path, pack: &Pack) -> Result<Imported, Failure> {
    let replaced = labels::keep(config, pack)?;
    Ok(Imported {
        file: file.display().to_string(),
        name: pack.about.name.clone(),
        format: pack.about.format,
        labels: pack.len(),
        repeated: pack.about.repeated,
        passed_over: pack.about.passed_over.clone(),
        left_out: pack.refusals,
        problems: told(&pack.refused),
        replaced,
    })
}

fn refused(file: &Path, (refusals, count): &Refusals) -> Refused {
    let hint = refusals.first().map_or("", Refusal::hint);
    Refused {
        file: file.display().to_string(),
        problems: told(refusals),
        count: *count,
        hint: hint.to_owned(),
    }
}

fn told(refusals: &[Refusal]) -> Vec<String> {
    let told = refusals.iter().take(MOST_TOLD);
    told.map(ToString::to_string).collect()
}

fn format(args: &ImportArgs, file: &Path) -> Result<FormatArg, Failure> {
    if let Some(format) = args.format {
        return Ok(format);
    }
    let ending = file.extension().and_then(|ending| ending.to_str());
    match ending.map(str::to_ascii_lowercase).as_deref() {
        Some("yaml" | "yml") => Ok(FormatArg::Tagpack),
        Some("xml") => Ok(FormatArg::Ofac),
        Some("csv") => Ok(FormatArg::Csv),
        _ => Err(Failure::usage(
            anyhow!(
                "the format of {} cannot be told by its ending",
                file.display()
            ),
            "say it with --format tagpack, ofac or csv",
        )),
    }
}

/// The name of each file's labels.
fn names(args: &ImportArgs) -> Result<Vec<String>, Failure> {
    if let Some(name) = &args.name {
        if args.files.len() > 1 {
            return Err(Failure::usage(
                anyhow!("one name cannot stand for {} files", args.files.len()),
                "import them one by one, or leave --name out",
            ));
        }
        return Ok(vec![checked(name)?]);
    }
    let mut names = Vec::new();
    let mut taken = BTreeSet::new();
    for file in &args.files {
        let stem = file.file_stem().unwrap_or_default().to_string_lossy();
        let plain = |c: char| if is_plain(c) { c } else { '-' };
        let name: String = stem.to_lowercase().chars().map(plain).collect();
        let name = checked(&name)?;
        if !taken.insert(name.clone()) {
            return Err(Failure::usage(
                anyhow!(
                    "two files would be called `{name}`, and the second take the place of the first"
                ),
                "import one of them by itself, with --name",
            ));
        }
        names.push(name);
    }
    Ok(names)
}

fn is_plain(c: char) -> bool {
    c.is_ascii_lowercase() || c.is_ascii_digit() || "._-".contains(c)
}

fn checked(name: &str) -> Result<String, Failure> {
    let begins = name.starts_with(|c: char| c.is_ascii_alphanumeric());
    if begins && name.len() <= LONGEST_NAME && name.chars().all(is_plain) {
        return Ok(name.to_owned());
    }
    Err(Failure::usage(
        anyhow!("`{}` is no name for labels", name.escape_debug()),
        "give one with --name: up to 100 of a-z, 0-9, `.`, `_` and `-`, a letter or digit first",
    ))
}

fn show(common: &Common, output: &Output) -> Result<(), Failure> {
    for refused in &output.refused {
        let file = &refused.file;
        say(&format!(
            "error: {file} is refused, and nothing of it taken"
        ));
        say_problems(&refused.problems, refused.count);
        say(&format!("\nhint: {}", refused.hint));
    }
    for imported in output.imported.iter().filter(|one| one.left_out > 0) {
        say(&format!(
            "warning: some labels of {} are left out",
            imported.file
        ));
        say_problems(&imported.problems, imported.left_out);
    }
    if common.json {
        print_json(output)?;
    } else {
        print(&text(output))?;
    }
    Ok(())
}

fn say_problems(problems: &[String], count: u64) {
    for problem in problems {
        say(&format!("  {problem}"));
    }
    let told = u64::try_from(problems.len()).unwrap_or(u64::MAX);
    let more = count.saturating_sub(told);
    if more > 0 {
        say(&format!("  and {more} more"));
    }
}

fn text(output: &Output) -> String {
    let mut text = String::new();
    for Imported {
        file: _,
        name,
        format: _,
        labels,
        repeated,
        passed_over,
        left_out,
        problems: _,
        replaced,
    } in &output.imported
    {
        let again = if *replaced {
            ", in place of the earlier ones"
        } else {
            ""
        };
        // Writing to a string cannot fail.
        let _ = writeln!(text, "{name}: {labels} labels{again}");
        if *repeated > 0 {
            let _ = writeln!(text, "  {repeated} more say the same word for word");
        }
        for (chain, count) in passed_over {
            let chain = visible(chain);
            let _ = writeln!(
                text,
                "  {count} of `{chain}` are not kept: this version does not read it"
            );
        }
        if *left_out > 0 {
            let _ = writeln!(text, "  {left_out} were refused and are left out");
        }
    }
    text
}
