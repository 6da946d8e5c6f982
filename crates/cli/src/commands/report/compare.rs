//! `hansel report --compare BEFORE AFTER`: what changed between two reports.

use std::fs::File;
use std::io::Read as _;
use std::path::Path;

use anyhow::{Context as _, anyhow};
use hansel_graph::Rule;
use hansel_report::{Comparison, Report};

use crate::args::{Common, Exit};
use crate::commands::trace::stored_report;
use crate::config::Config;
use crate::failure::Failure;
use crate::output::{print, print_json};
use crate::sources;

/// The largest file that is read as a report.
const LARGEST: u64 = 1 << 32;

/// Prints the comparison. Both reports must balance; a part that is not known makes it partial.
pub(super) async fn run(common: &Common, before: &str, after: &str) -> Result<Exit, Failure> {
    let before = named(common, before).await?;
    let after = named(common, after).await?;
    let comparison = Comparison::of(&before.report, &after.report)?;
    if common.json {
        print_json(&comparison)?;
    } else {
        print(&comparison.to_text(&after.report))?;
    }
    Ok(if before.partial || after.partial {
        Exit::Partial
    } else {
        Exit::Complete
    })
}

struct Named {
    report: Report,
    partial: bool,
}

/// A traced case of this name, else the report in a file; a path with a separator or an ending is always a file.
async fn named(common: &Common, name: &str) -> Result<Named, Failure> {
    let path = Path::new(name);
    let is_path = path.extension().is_some() || path.components().count() > 1;
    if !is_path
        && let Some(store) = sources::existing_store(common)?
        && store.cases()?.iter().any(|case| case == name)
    {
        let built = stored_report(&Config::new(common), &store, name).await?;
        return Ok(Named {
            report: balanced(built.report, name)?,
            partial: built.partial,
        });
    }
    let report = balanced(read(path)?, name)?;
    let partial =
        !report.unknown.is_empty() || report.nodes.iter().any(|node| !node.gaps.is_empty());
    Ok(Named { report, partial })
}

fn read(path: &Path) -> Result<Report, Failure> {
    let shown = path.display().to_string();
    let file = File::open(path).map_err(|error| {
        let cause = anyhow!(error).context(format!(
            "`{}` is no traced case and no file",
            shown.escape_debug()
        ));
        Failure::advised(
            cause,
            "`hansel cases` lists the traced cases; `hansel report CASE --json` writes a report",
        )
    })?;
    let mut json = Vec::new();
    let reading = || format!("cannot read {}", shown.escape_debug());
    file.take(LARGEST + 1)
        .read_to_end(&mut json)
        .with_context(reading)?;
    if u64::try_from(json.len()).is_ok_and(|length| length > LARGEST) {
        return Err(anyhow!("{} is larger than {LARGEST} bytes", shown.escape_debug()).into());
    }
    Ok(Report::from_json(&json).with_context(reading)?)
}

/// A report that does not balance is compared with nothing. Poison never has to.
fn balanced(report: Report, name: &str) -> Result<Report, Failure> {
    let rows = report
        .accounting
        .iter()
        .filter(|row| row.rule != Rule::Poison);
    match rows.into_iter().find(|row| !row.balances()) {
        None => Ok(report),
        Some(row) => Err(anyhow!(
            "`{}` does not balance: seed {} under {}",
            name.escape_debug(),
            row.seed.escape_debug(),
            row.rule
        )
        .into()),
    }
}
