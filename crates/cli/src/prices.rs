//! Values reports by a file of prices that the user names.

use std::fs::File;
use std::io;
use std::path::Path;

use anyhow::Context as _;
use hansel_report::{Prices, PricesError, Report};

use crate::failure::Failure;

/// Writes what transfers were worth into a report, where a file of prices is named.
pub(crate) fn value(report: &mut Report, file: Option<&Path>) -> Result<(), Failure> {
    let Some(path) = file else { return Ok(()) };
    let cannot = || format!("cannot open {}", path.display());
    let file = File::open(path).with_context(cannot)?;
    // A directory or a pipe is no list of prices.
    if !file.metadata().with_context(cannot)?.is_file() {
        return Err(anyhow::anyhow!("{} is not a file", path.display()).into());
    }
    report.value(&read(
        io::BufReader::new(file),
        &path.display().to_string(),
    )?);
    Ok(())
}

/// Reads prices; `name` is what they are called in an error.
pub(crate) fn read(file: impl io::Read, name: &str) -> Result<Prices, Failure> {
    Prices::read(file).map_err(|error: PricesError| {
        Failure::usage(
            anyhow::Error::new(error).context(format!("cannot value by {name}")),
            "a file of prices is CSV with the lines `time,asset,currency,price,source` and, as an example, \
             `2024-05-31,BTC,USD,68401.25,NAME OF THE SOURCE`",
        )
    })
}
