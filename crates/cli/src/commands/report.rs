//! `hansel report`: write the report of a traced case.

mod compare;

use std::fs::File;
use std::io::{BufWriter, Write as _};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, anyhow};
use hansel_report::text::write_in;
use hansel_report::{Format, FormatError, Report, write_file};

use super::trace::{exit, stored_report};
use crate::args::{Common, Exit, ReportArgs};
use crate::config::Config;
use crate::failure::Failure;
use crate::output::{self, Piped, say};
use crate::{prices, sources};

/// Runs the command.
pub(crate) async fn run(common: &Common, args: &ReportArgs) -> Result<Exit, Failure> {
    if let Some([before, after]) = args.compare.as_deref() {
        return compare::run(common, before, after).await;
    }
    let case = args.case.as_deref().context("name a case")?;
    let store = sources::reader(common)?;
    let mut built = stored_report(&Config::new(common), &store, case).await?;
    prices::value(&mut built.report, args.prices.as_deref())?;
    let format = if common.json {
        Format::Json
    } else {
        args.format
    };
    write(&built.report, format, args.output.as_deref())?;
    exit(&built)
}

/// Writes a report to standard output, or to the files that a path stands for, piece by piece.
pub(crate) fn write(report: &Report, format: Format, output: Option<&Path>) -> Result<(), Failure> {
    let Some(output) = output.filter(|path| !is_standard_output(path)) else {
        if format.is_binary() {
            return Err(Failure::usage(
                anyhow!("{format} is no text to be shown"),
                "name its files with `--output PATH`",
            ));
        }
        return Ok(write_on_standard_output(report, format)?);
    };
    for (index, path) in files(report, format, output).iter().enumerate() {
        let cannot = || format!("cannot write {}", path.display());
        let mut file = BufWriter::new(File::create(path).with_context(cannot)?);
        write_file(report, format, index, &mut file).with_context(cannot)?;
        file.flush().with_context(cannot)?;
        say(&format!("wrote {}", path.display()));
    }
    Ok(())
}

/// `-` is standard output, as in other programs.
pub(crate) fn is_standard_output(path: &Path) -> bool {
    path == Path::new("-")
}

/// The files that a path stands for: in a directory they are named after the case; a pipe or a device is what it is.
fn files(report: &Report, format: Format, output: &Path) -> Vec<PathBuf> {
    if output.is_dir() {
        let names = format.file_names(&report.case.name).into_iter();
        return names.map(|name| output.join(name)).collect();
    }
    let is_device = output.exists() && !output.is_file();
    if is_device && format.suffixes().len() == 1 {
        return vec![output.to_owned()];
    }
    format.paths(output)
}

/// Writes the summary as wide as the terminal, with its heads in bold.
pub(crate) fn show(report: &Report) -> Result<(), FormatError> {
    let mut bytes = Vec::new();
    write_in(report, output::width(), &mut bytes)?;
    Ok(output::print(&output::dressed(&String::from_utf8_lossy(
        &bytes,
    )))?)
}

fn write_on_standard_output(report: &Report, format: Format) -> Result<(), FormatError> {
    if format == Format::Text {
        return show(report);
    }
    let suffixes = format.suffixes();
    let several = suffixes.len() > 1;
    for (index, suffix) in suffixes.enumerate() {
        if several {
            say(&format!("{}{suffix}", report.case.name));
        }
        let mut out = BufWriter::new(Piped::default());
        write_file(report, format, index, &mut out)?;
        out.flush()?;
    }
    Ok(())
}
