//! `hansel report`: write the report of a traced case.

use std::path::Path;

use anyhow::Context as _;
use hansel_report::{Format, Report, render};

use super::trace::{exit, stored_report};
use crate::args::{Common, Exit, ReportArgs};
use crate::config::Config;
use crate::failure::Failure;
use crate::output::{print, say};
use crate::sources;

/// Runs the command.
pub(crate) async fn run(common: &Common, args: &ReportArgs) -> Result<Exit, Failure> {
    let store = sources::reader(common)?;
    let built = stored_report(&Config::new(common), &store, &args.case).await?;
    let format = if common.json {
        Format::Json
    } else {
        args.format
    };
    write(&built.report, format, args.output.as_deref())?;
    exit(&built)
}

/// Writes a report to standard output, or to the files that a path stands for.
pub(crate) fn write(report: &Report, format: Format, output: Option<&Path>) -> Result<(), Failure> {
    let files = render(report, format)?;
    let Some(output) = output else {
        let several = files.len() > 1;
        for file in files {
            if several {
                say(&format!("{}{}", report.case.name, file.suffix));
            }
            print(&String::from_utf8_lossy(&file.bytes))?;
        }
        return Ok(());
    };
    for (path, file) in format.paths(output).iter().zip(files) {
        std::fs::write(path, &file.bytes)
            .with_context(|| format!("cannot write {}", path.display()))?;
        say(&format!("wrote {}", path.display()));
    }
    Ok(())
}
